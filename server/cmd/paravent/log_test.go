package main

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	serverlog "paravent/server/log"
	"paravent/server/publish"
	"paravent/server/store"
)

// serve lets the list server serve another folder, under the same address and
// with the same key: what an operator could do who deceives.
func (w *town) serve(folder string) *store.Dir {
	w.t.Helper()
	dir, err := store.Open(folder)
	if err != nil {
		w.t.Fatal(err)
	}
	trust, err := readTrust("trust.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	w.lists.Config.Handler = publish.Handler(publish.Options{
		Store: dir, Trust: trust, LogKey: signer(w.t, "keys/lists.example.key"), Log: slog.New(slog.DiscardHandler),
	})
	return dir
}

// add puts an entry into the log of a folder, past all that the server checks.
func (w *town) add(dir *store.Dir, entry []byte) {
	w.t.Helper()
	log := serverlog.New(dir, signer(w.t, "keys/lists.example.key"))
	head, err := log.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := log.Append(w.t.Context(), head, entry); err != nil {
		w.t.Fatal(err)
	}
}

// alarm runs the monitor, which must fail with ALARM and words that match, and
// must not change its state.
func (w *town) alarm(command, want string) {
	w.t.Helper()
	before, _ := os.ReadFile("state.json")
	out, err := w.do(command)
	if err == nil || !strings.HasPrefix(err.Error(), "log monitor: ALARM: ") || !regexp.MustCompile(want).MatchString(err.Error()) {
		w.t.Errorf("paravent %s: %v\n%s\nwant ALARM, %s", command, err, out, want)
	}
	if after, _ := os.ReadFile("state.json"); string(after) != string(before) {
		w.t.Errorf("paravent %s: the state is now %s", command, after)
	}
}

func TestMonitorAlarms(t *testing.T) {
	w := newTown(t)
	const monitor = "log monitor -trust trust.txt -state state.json URL"
	w.publish("first", "", "alice.example", "bob.example")
	w.source("||tracker.example^", "||pixel.example^")
	w.publish("second", "-server URL", "alice.example", "bob.example")
	w.run(monitor, `^release 1  issued`)

	// Another history under the same name, as long as the first.
	good := w.read("second/note")
	text, signatures, _ := strings.Cut(good, "\n\n")
	fork := w.serve("fork")
	w.source("||beacon.example^")
	w.pushAlone("third")
	third, _, _ := strings.Cut(w.read("third/note"), "\n\n")
	times := strings.Join(strings.SplitAfter(third, "\n")[2:4], "")
	ours := strings.Join(strings.SplitAfter(text, "\n")[2:4], "")
	// As late as the release that it follows here.
	w.add(fork, []byte(w.signed(strings.Replace(strings.Replace(text, ours, times, 1), "wait 900", "wait 901", 1))))
	w.alarm(monitor, `the log's first 2 entries are not those that were seen before: the log contradicts itself$`)
	out, _ := w.do(monitor)
	for _, want := range []string{"the checkpoint that was seen before, to keep as evidence:\nlists.example\n2\n", "the checkpoint that is shown now:\nlists.example\n2\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no evidence %q in %s", want, out)
		}
	}
	// Whoever has seen neither learns of it from a witness.
	w.alarm("log monitor -trust trust.txt -state new.json URL", `^log monitor: ALARM: the witness north has cosigned this:\nlists.example\n2\n(?s:.*)contradicts itself$`)
	if _, err := os.Stat("new.json"); err == nil {
		t.Error("an alarm left a state")
	}

	// A shorter one.
	w.serve("short")
	w.pushAlone("fourth")
	w.alarm(monitor, `the log has 1 entries and had 2 before: the log contradicts itself$`)
	w.alarm("log monitor -trust trust.txt -state new.json URL", `the witness north has cosigned this:\nlists.example\n2\n(?s:.*)the log has 1 entries and had 2 before`)

	// A log that never was in the hands of those who are trusted.
	w.serve("store")
	w.write("others.txt", w.trust(1, "north", "carol.example"))
	w.alarm("log monitor -trust others.txt -state new.json URL", `the trust text that was given was never in force here, so nothing of this log can be believed: no reader would believe this$`)
	w.run(monitor)

	// Entries that the server should never have taken.
	for i, c := range []struct{ entry, want string }{
		{text + "\n\n" + strings.SplitAfter(signatures, "\n")[0], `entry 1: note: signed by 1 trusted keys of the 2 needed: no reader would believe this$`},
		{w.read("first/note"), `entry 1: calls itself release 0: no reader`},
		{w.signed("a note\n"), `entry 1: release: line 1: `},
		{w.signed(strings.Replace(text, "issued 20", "issued 19", 1)), `entry 1: was issued 19\S+, before the release that it follows: no reader`},
		{w.signed(strings.Replace(text, "index 1\n", "index 2\n", 1)), `entry 1: calls itself release 2: `},
		{w.signed(strings.Replace(text, "keys-since 0", "keys-since 1", 1)), `entry 1: release: line 7: keys-since: `},
	} {
		folder := "unsound-" + string(rune('a'+i))
		if err := os.CopyFS(folder, os.DirFS("short")); err != nil {
			t.Fatal(err)
		}
		dir := w.serve(folder)
		w.add(dir, []byte(c.entry))
		w.alarm("log monitor -trust trust.txt -state new.json URL", c.want)
	}

	// What readers are served is not what the log holds.
	dir := w.serve("store")
	honest := w.lists.Config.Handler
	w.lists.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/release" {
			answer, _, err := dir.Get(r.Context(), "v1/release")
			if err != nil {
				t.Error(err)
			}
			_, proof, err := release.Split(answer)
			if err != nil {
				t.Error(err)
			}
			out.Write(release.Join([]byte(swapSignatures(t, good)), proof))
			return
		}
		honest.ServeHTTP(out, r)
	})
	w.alarm(monitor, `/v1/release: release 1 is not what the log has at its place: the log contradicts itself$`)
	w.lists.Config.Handler = honest
	w.run(monitor)

	// A checkpoint of another key.
	w.lists.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/checkpoint" {
			checkpoint, _, err := dir.Get(r.Context(), "checkpoint")
			if err != nil {
				t.Error(err)
			}
			text, err := release.Text(checkpoint)
			if err != nil {
				t.Error(err)
			}
			signed, err := note.Sign(&note.Note{Text: text}, signer(t, "keys/carol.example.key"))
			if err != nil {
				t.Error(err)
			}
			out.Write(signed)
			return
		}
		honest.ServeHTTP(out, r)
	})
	w.alarm(monitor, `/checkpoint: .*: no reader would believe this$`)
}

// signed is a note by both maintainers.
func (w *town) signed(text string) string {
	w.t.Helper()
	signed, err := note.Sign(&note.Note{Text: strings.TrimSuffix(text, "\n") + "\n"}, signer(w.t, "keys/alice.example.key"), signer(w.t, "keys/bob.example.key"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(signed)
}

// pushAlone brings release 0 into a log that no witness gets to see.
func (w *town) pushAlone(draft string) {
	w.t.Helper()
	for name := range w.witnesses {
		w.handlers[name] = nil
	}
	w.run("list build -o built lists")
	w.run("release draft -trust trust.txt -source " + commitA + " -o " + draft + " built")
	for _, name := range []string{"alice.example", "bob.example"} {
		w.run("release sign -key keys/" + name + ".key -lists lists -trust trust.txt -source " + commitA + " " + draft)
	}
	if _, err := w.do("release push -server URL " + draft); err == nil || !strings.Contains(err.Error(), "release 0 is in the log, but not in force") {
		w.t.Fatal(err)
	}
	for name := range w.witnesses {
		w.startWitness(name)
	}
}

func TestMonitorRefuses(t *testing.T) {
	w := newTown(t)
	w.write("garbled.json", "{")
	w.write("empty.json", "{}")
	for _, c := range [][2]string{
		{"log watch", `log: unknown verb "watch"; "paravent log help" lists them`},
		{"log monitor", "log monitor: needs the URL of a list server, and nothing after it"},
		{"log monitor -trust nothing URL", "log monitor: open nothing: no such file or directory"},
		{"log monitor URL", "log monitor: open lists/trust.txt: no such file or directory"},
		{"log monitor -trust trust.txt -state garbled.json URL", "log monitor: garbled.json: unexpected end of JSON input: remove it to read the log from its beginning"},
		{"log monitor -trust trust.txt URL", "log monitor: URL/checkpoint: file does not exist"},
	} {
		w.refuse(c[0], c[1])
	}
	if _, err := w.do("log monitor -state empty.json URL"); err == nil || !strings.HasPrefix(err.Error(), "log monitor: empty.json: ") {
		t.Errorf("an empty state: %v", err)
	}
	if out := w.run("log"); !strings.HasPrefix(out, "paravent log watches the log") {
		t.Error(out)
	}
	if _, err := os.Stat("paravent-log.json"); err == nil {
		t.Error("a failure left a state")
	}
}
