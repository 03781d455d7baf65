package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/publish"
	"paravent/server/reader"
	"paravent/server/store"
	"paravent/server/witness"
)

// A town is a folder with keys, sources and trust texts, a list server and two
// witnesses, all of which speak HTTP over sockets.
type town struct {
	t         *testing.T
	lists     *httptest.Server
	witnesses map[string]*httptest.Server
	handlers  map[string]http.Handler // of the witnesses, nil: out of order
}

const commitA, commitB = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

func newTown(t *testing.T) *town {
	t.Helper()
	t.Chdir(t.TempDir())
	w := &town{t: t, witnesses: map[string]*httptest.Server{}, handlers: map[string]http.Handler{}}
	for _, name := range []string{"alice.example", "bob.example", "carol.example", "lists.example"} {
		w.run("key new " + name + " keys")
	}
	for _, name := range []string{"north.example", "south.example"} {
		w.run("key new -witness " + name + " keys")
		w.witnesses[name] = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if h := w.handlers[name]; h != nil {
				h.ServeHTTP(out, r)
			} else {
				http.Error(out, "out of order", http.StatusServiceUnavailable)
			}
		}))
		t.Cleanup(w.witnesses[name].Close)
	}
	w.source("||tracker.example^")
	w.write("trust.txt", w.trust(2, "north", "alice.example", "bob.example"))
	for name := range w.witnesses {
		w.startWitness(name)
	}
	dir, err := store.Open("store")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := readTrust("trust.txt")
	if err != nil {
		t.Fatal(err)
	}
	key, err := readKey("keys/lists.example.key")
	if err != nil {
		t.Fatal(err)
	}
	w.lists = httptest.NewServer(publish.Handler(publish.Options{Store: dir, Trust: trust, LogKey: key, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(w.lists.Close)
	return w
}

func (w *town) write(name, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *town) source(rules ...string) {
	w.t.Helper()
	w.write("lists/telemetry.txt", "! reason: measures visitors\n! source: https://source.example/\n! date: 2026-11-22\n"+strings.Join(rules, "\n")+"\n")
}

// trust is a trust text that asks for one of both witnesses, or for a named one.
func (w *town) trust(threshold int, quorum string, maintainers ...string) string {
	w.t.Helper()
	text := fmt.Sprintf("threshold %d\n", threshold)
	for _, name := range maintainers {
		text += "maintainer " + w.read("keys/"+name+".pub")
	}
	text += "log " + w.read("keys/lists.example.pub")
	for _, name := range []string{"north", "south"} {
		text += "witness " + name + " " + strings.TrimSpace(w.read("keys/"+name+".example.pub")) + " " + w.witnesses[name+".example"].URL + "\n"
	}
	return text + "group both all north south\nquorum " + quorum + "\n"
}

func (w *town) startWitness(name string) {
	w.t.Helper()
	trust, err := readTrust("trust.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	dir, err := store.Open("witness/" + name)
	if err != nil {
		w.t.Fatal(err)
	}
	w.handlers[name], err = witness.New(dir, trust, strings.TrimSpace(w.read("keys/"+name+".key")), time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
}

// do runs a command line, in which URL stands for the list server.
func (w *town) do(command string) (string, error) {
	var out, complaints bytes.Buffer
	args := strings.Fields(command)
	for i := range args {
		if args[i] == "URL" {
			args[i] = w.lists.URL
		}
	}
	var err error
	switch args[0] {
	case "list":
		err = runList(args[1:], &out)
	case "key":
		err = runKey(args[1:], &out, &complaints)
	case "release":
		err = runRelease(args[1:], &out, &complaints)
	case "log":
		err = runLog(args[1:], &out, &complaints)
	}
	return out.String(), err
}

// run runs a command that must not fail and must print all of wants, each a
// regular expression.
func (w *town) run(command string, wants ...string) string {
	w.t.Helper()
	out, err := w.do(command)
	if err != nil {
		w.t.Fatalf("paravent %s: %v\n%s", command, err, out)
	}
	for _, want := range wants {
		if !regexp.MustCompile("(?m)" + want).MatchString(out) {
			w.t.Errorf("paravent %s: printed\n%s\nwant %s", command, out, want)
		}
	}
	return out
}

// refuse runs a command that must fail with exactly this error, in which URL
// stands for the list server.
func (w *town) refuse(command, want string) {
	w.t.Helper()
	out, err := w.do(command)
	if err == nil || strings.ReplaceAll(err.Error(), w.lists.URL, "URL") != want {
		w.t.Errorf("paravent %s: %v\n%s\nwant %s", command, err, out, want)
	}
}

// publish drafts, signs and pushes a release.
func (w *town) publish(draft, flags string, signers ...string) string {
	w.t.Helper()
	w.run("list build -o built lists")
	w.run("release draft -trust trust.txt " + flags + " -source " + commitA + " -o " + draft + " built")
	for _, name := range signers {
		w.run("release sign -key keys/" + name + ".key -lists lists -trust trust.txt -source " + commitA + " " + flags + " " + draft)
	}
	return w.run("release push -server URL " + draft)
}

// A release's way, from two maintainers by a witness to readers, then a second
// with a delta, a change of keys, and a reader that slept through it all.
func TestReleasesWay(t *testing.T) {
	w := newTown(t)
	first := w.trust(2, "north", "alice.example", "bob.example")
	w.run("list build -o built lists")
	w.run("release draft -trust trust.txt -source "+commitA+" -wait 5 -days 1 -o first built",
		`^release 0$`, `^wait    5 s$`, `^source  a{40}$`, `^signatures: 0 of 2; still to be asked: alice.example, bob.example$`)
	const sign = "release sign -lists lists -trust trust.txt -source " + commitA + " -key keys/"
	w.run(sign+"alice.example.key first", `^the first release: there is none to compare it with$`, `^release 0 signed by alice.example$`,
		`^signatures: 1 of 2, by alice.example; still to be asked: bob.example$`)
	w.refuse("release push -server URL first", `release push: URL: 403 Forbidden: note: signed by 1 trusted keys of the 2 needed`)
	w.run(sign+"bob.example.key first", `^signatures: 2 of 2, by alice.example, bob.example$`)
	w.run("release push -server URL first", `^release 0 is in the log lists.example, signed by alice.example, bob.example$`,
		`^cosigned by north at `, `^cosigned by south at `, `^release 0 is in force at http:`)
	w.run("release push -server URL first", `^release 0 is in the log already$`, `^release 0 is in force at http:`)
	w.run("release verify -trust trust.txt URL", `^release 0$`, `^signed by alice.example, bob.example \(2 needed\)$`,
		`^entry 0 of 1 in the log lists.example$`, `^seen there by the witness north at `, `^issued \d seconds? ago$`)
	w.run("log monitor -trust trust.txt -state state.json URL", `^release 0  issued .* signed by alice.example, bob.example$`,
		`^release 0 is in force; the log lists.example is of size 1$`, `^the witness south has seen the same log of size 1$`)

	// The second, with a delta.
	w.source("||tracker.example^", "||pixel.example^")
	w.run("list build -o built lists")
	w.run("release draft -trust trust.txt -server URL -source "+commitA+" -o second built", `^release 1$`, `^deltas from 1 earlier list$`)
	w.run(sign+"alice.example.key -server URL second", `^what it changes in release 0:$`, `^\[hosts\] 1 more, 0 fewer$`, `^  \+ pixel.example`)
	w.run(sign + "bob.example.key second")
	w.run("release push -server URL second", `^release 1 is in force at http:`)
	w.run("release verify -trust trust.txt URL", `^release 1$`, `^delta   +\d+ bytes from the list before$`)
	old, list := sum(w.read("first/list.txt")), sum(w.read("second/list.txt"))
	server, err := reader.New(w.lists.URL)
	if err != nil {
		t.Fatal(err)
	}
	delta, err := server.Read(t.Context(), "v1/delta/"+old+"/"+list, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	made, err := release.ApplyDelta([]byte(w.read("first/list.txt")), delta, release.DigestOf([]byte(w.read("second/list.txt"))))
	if err != nil || string(made) != w.read("second/list.txt") {
		t.Errorf("the delta makes %q, %v", made, err)
	}

	// Bob goes and Carol comes: both the old text and the new must be
	// satisfied, for which Alice signs for both.
	w.write("new.txt", w.trust(2, "both", "alice.example", "carol.example"))
	w.refuse("release draft -trust new.txt -server URL -source "+commitA+" -o third built",
		"release draft: URL/v1/release: release 0: the trust text held here was never in force in this log (if new.txt is to change the keys, give the trust text that is in force with -current)")
	w.run("release draft -trust new.txt -current trust.txt -server URL -source "+commitA+" -o third built", `^release 2$`,
		`^this release changes the keys: the trust text in force and the new one must both be satisfied$`,
		`^signatures by the trust text in force: 0 of 2; still to be asked: alice.example, bob.example$`,
		`^signatures by the new trust text: 0 of 2; still to be asked: alice.example, carol.example$`)
	const signNew = "release sign -lists lists -trust new.txt -current trust.txt -server URL -source " + commitA + " -key keys/"
	w.run(signNew + "alice.example.key third")
	w.run(signNew+"carol.example.key third", `^signatures by the trust text in force: 1 of 2, by alice.example; still to be asked: bob.example$`,
		`^signatures by the new trust text: 2 of 2, by alice.example, carol.example$`)
	w.refuse("release push -server URL third", `release push: URL: 403 Forbidden: note: signed by 1 trusted keys of the 2 needed`)
	w.run(signNew + "bob.example.key third")
	// The witness of the south is now needed, and out of order.
	w.handlers["south.example"] = nil
	_, err = w.do("release push -server URL third")
	if err == nil || !strings.Contains(err.Error(), "release push: release 2 is in the log, but not in force: more witnesses must have seen it (south: ") ||
		!strings.HasSuffix(err.Error(), "/add-checkpoint: 503 Service Unavailable: out of order); push it again when they can be reached") {
		t.Errorf("without a witness: %v", err)
	}
	w.run("release verify -trust trust.txt URL", `^release 1$`)
	w.refuse("release draft -trust new.txt -current trust.txt -server URL -source "+commitA+" -o fourth built",
		"release draft: URL: release 2 is in the log and not in force yet: push its draft again, so that witnesses see it; if they never can, draft what replaces it with -unwitnessed")
	w.run("log monitor -state state.json URL", `^release 1  issued`, `^release 2  issued`, `^release 2  changes the keys: trust text [0-9a-f]{64}$`,
		`^release 1 is in force; the log lists.example is of size 3$`, `^the witness south cannot be asked: `)
	w.startWitness("south.example")
	w.run("release push -server URL third", `^release 2 is in the log already$`, `^cosigned by south at `, `^release 2 is in force at http:`)

	// One more by the new keys; then a reader with the first trust text wakes.
	w.write("trust.txt", w.read("new.txt"))
	w.source("||tracker.example^", "||pixel.example^", "||beacon.example^")
	w.publish("fourth", "-server URL", "carol.example", "alice.example")
	w.write("slept.txt", first)
	w.run("release verify -trust slept.txt URL", `^release 3$`, `^signed by carol.example, alice.example|^signed by alice.example, carol.example`,
		`^the keys have changed once since your trust text: take the new one from v1/blob/`+sum(w.read("new.txt"))+`$`)
	w.run("log monitor -trust slept.txt -state other.json URL", `^release 3  issued .* signed by `)
	w.run("log monitor -state state.json URL", `^release 3  issued`, `^release 3 is in force; the log lists.example is of size 4$`)
	if out := w.run("log monitor -state state.json URL"); strings.Contains(out, "issued") {
		t.Errorf("nothing new, but it prints %s", out)
	}

	// A bad list is taken back, by what the log has.
	w.run("release draft -trust trust.txt -server URL -contents-of 1 -o fifth", `^release 4$`, `^deltas from 2 earlier lists$`)
	w.run("release sign -key keys/alice.example.key -contents-of 1 -trust trust.txt -server URL fifth",
		`^takes back to the list of release 1, which was issued `, `^  - beacon.example`)
	w.refuse("release sign -key keys/carol.example.key -contents-of 0 -trust trust.txt -server URL fifth",
		"release sign: the draft does not hold the list of release 0 (SHA-256 "+old+"), but another ("+list+"): nothing was signed")
	w.run("release sign -key keys/carol.example.key -contents-of 1 -trust trust.txt -server URL fifth")
	w.run("release push -server URL fifth", `^release 4 is in force`)
	w.run("release verify -trust trust.txt URL", `^release 4$`, `^list .* sha256 `+list+`$`)
}

// Everything that a draft can be refused for, with the exact words.
func TestReleaseRefuses(t *testing.T) {
	w := newTown(t)
	w.run("list build -o built lists")
	w.source("||tracker.example^", "||pixel.example^")
	w.run("list build -o other lists")
	w.source("||tracker.example^")
	w.write("torn/about.json", w.read("built/about.json"))
	w.write("torn/list.txt", w.read("built/list.txt")+"x")
	w.write("mixed/about.json", w.read("other/about.json"))
	w.write("mixed/list.txt", w.read("other/list.txt"))
	w.write("garbled/about.json", "{")
	w.write("bad.txt", "threshold 1\nmaintainer nobody\n")
	w.write("bare.txt", "threshold 1\nmaintainer "+w.read("keys/alice.example.pub")+"log "+w.read("keys/carol.example.pub")+"quorum none\n")
	const draft = "release draft -source " + commitA + " -trust trust.txt "
	const needs = "release draft: needs -trust FILE and -o DRAFT"
	for _, c := range [][2]string{
		{"release push", "release push: needs -server URL and, last, DRAFT"},
		{"release verify", "release verify: needs the URL of a list server, and nothing after it"},
		{"release publish", `release: unknown verb "publish"; "paravent release help" lists them`},
		{"release draft", needs},
		{"release draft -trust trust.txt built", needs},
		{draft + "-o d", `release draft: needs LISTDIR, last: the folder that "paravent list build -o LISTDIR" wrote`},
		{draft + "-o d built other", `release draft: needs LISTDIR, last: the folder that "paravent list build -o LISTDIR" wrote`},
		{draft + "-o d -days 0 built", "release draft: -days 0: want 1 to 3660"},
		{draft + "-o d -wait 0 built", `release draft: release: line 5: wait: "0" is not a number from 1 to 86400`},
		{draft + "-o d nothing", "release draft: open nothing/about.json: no such file or directory: build the list first (paravent list build)"},
		{draft + "-o d garbled", "release draft: garbled/about.json: unexpected end of JSON input: build the list again"},
		{draft + "-o d torn", "release draft: torn/list.txt: is not what about.json says: build the list again"},
		{draft + "-o d mixed", "release draft: open mixed/list.bundle: no such file or directory"},
		{draft + "-o built built", "release draft: built: is there already: name a new folder, or remove it"},
		{draft + "-o d -contents-of 1 built", "release draft: -contents-of takes the list from the log: leave LISTDIR out"},
		{draft + "-o d -contents-of 1", "release draft: -contents-of takes the commit from the log, too: leave -source out"},
		{"release draft -trust trust.txt -o d -contents-of 1", "release draft: -contents-of, -current and -unwitnessed ask a server: give -server URL"},
		{draft + "-o d -current trust.txt built", "release draft: -contents-of, -current and -unwitnessed ask a server: give -server URL"},
		{draft + "-o d -server lists.example built", `release draft: "lists.example" is no address of a server: want one such as https://lists.example`},
		{draft + "-o d -server URL built", "release draft: URL: no release is in force yet: leave -server out to draft release 0"},
		{"release draft -trust bad.txt -o d built", `release draft: bad.txt: trust: line 2: maintainer: "nobody" is not a verifier key (name+hash+base64) of Ed25519`},
		{"release draft -trust trust.txt -o d built", "release draft: this folder is in no git checkout: say with -source which commit the list was built from"},
		{"release draft -trust trust.txt -source main -o d built", `release draft: release: line 6: source: "main" is not a commit of 40 or 64 digits of lowercase hex`},
		{"release verify -trust trust.txt URL", "release verify: URL: no release is in force yet"},
	} {
		w.refuse(c[0], c[1])
	}
	if _, err := os.Lstat("d"); err == nil {
		t.Error("a refused draft left something behind")
	}

	w.run(draft + "-o d built")
	const sign = "release sign -source " + commitA + " -trust trust.txt -lists lists -key keys/alice.example.key "
	w.write("bad.key", "PRIVATE+KEY+nobody")
	w.write("two.txt", w.trust(1, "north", "alice.example", "bob.example"))
	for _, c := range [][2]string{
		{"release sign", "release sign: needs -key FILE and, last, DRAFT"},
		{"release sign -key keys/alice.example.key d", "release sign: needs either -lists SRC, your own sources to rebuild from, or -contents-of INDEX"},
		{sign + "-contents-of 1 d", "release sign: needs either -lists SRC, your own sources to rebuild from, or -contents-of INDEX"},
		{"release sign -key keys/alice.example.key -contents-of 1 d", "release sign: -contents-of asks a server's log: give -server URL and -trust FILE"},
		{sign + "-current trust.txt d", "release sign: -current and -unwitnessed ask a server: give -server URL"},
		{sign + "nothing", `release sign: open nothing/note: no such file or directory: want the folder that "paravent release draft" wrote`},
		{sign + "-key bad.key d", `release sign: bad.key: is not a maintainer's key made by "paravent key new": malformed verifier id`},
		{sign + "-key keys/north.example.key d", `release sign: keys/north.example.key: is not a maintainer's key made by "paravent key new": unknown verifier algorithm`},
		{sign + "-key keys/carol.example.key d", "release sign: keys/carol.example.key: the key carol.example is in no trust text that judges this draft: its signature would not count"},
		{sign + "-trust two.txt d", `release sign: d/trust.txt: line 1 is "threshold 2", and "threshold 1" in two.txt: nothing was signed`},
		{"release sign -source " + commitA + " -lists lists -key keys/alice.example.key d", "release sign: open lists/trust.txt: no such file or directory: it is your own copy of the trust text that the draft is compared with"},
		{sign + "-source " + commitB + " d", "release sign: the draft was built from commit " + commitA + " and your sources are " + commitB + ": check that commit out, or ask for a draft of yours"},
		{sign + "-lists nothing d", "release sign: nothing: want a source directory, such as lists"},
		{sign + "-server URL d", "release sign: URL: no release is in force yet: leave -server out to draft release 0"},
		{"release push -server URL d", "release push: d: nobody has signed it yet: 2 must (paravent release sign)"},
	} {
		w.refuse(c[0], c[1])
	}
	// A byte that differs, in whatever the note names.
	w.source("||tracker.example^", "||pixel.example^")
	w.refuse(sign+"d", `release sign: d/list.txt: line 8 is "tracker.example", and "pixel.example" in what your sources make: nothing was signed`)
	w.source("||tracker.example^")
	for _, c := range [][2]string{
		{"list.txt", "its SHA-256 is "}, {"list.bundle", "its SHA-256 is "}, {"list.filters", "its SHA-256 is "}, {"trust.txt", "its SHA-256 is "},
	} {
		good := w.read("d/" + c[0])
		w.write("d/"+c[0], "X"+good[1:])
		if out, err := w.do(sign + "d"); err == nil || !strings.HasPrefix(err.Error(), "release sign: d/"+c[0]+": "+c[1]) {
			t.Errorf("with another %s: %v\n%s", c[0], err, out)
		}
		w.write("d/"+c[0], good)
	}
	good := w.read("d/note")
	w.write("d/note", strings.Replace(good, "wait 900", "wait 90O", 1))
	w.refuse(sign+"d", `release sign: d/note: release: line 5: wait: "90O" is not a number from 1 to 86400`)
	w.write("d/note", regexp.MustCompile(`20\d\d-`).ReplaceAllString(good, "2126-"))
	if _, err := w.do(sign + "d"); err == nil || !regexp.MustCompile(`^release sign: the draft is issued 2126-\S+, \d+ days from now: one of the two clocks is wrong$`).MatchString(err.Error()) {
		t.Errorf("a draft of the future: %v", err)
	}
	w.write("d/note", good)
	if got := w.read("d/note"); strings.Contains(got, "—") {
		t.Errorf("something was signed: %s", got)
	}
	w.write("d/deltas/readme", "")
	w.refuse(sign+"d", "release sign: d/deltas/readme: is no delta of this draft: remove it")
	if err := os.RemoveAll("d/deltas"); err != nil {
		t.Fatal(err)
	}

	// Published, and then what a later draft can get wrong.
	w.run(sign + "d")
	w.run(sign + "-key keys/bob.example.key d")
	w.run("release push -server URL d")
	for _, c := range [][2]string{
		{sign + "-server URL d", "release sign: the draft is release 0, and the next of URL is 1: draft it again"},
		{"release draft -trust trust.txt -server URL -contents-of 1 -o e", "release draft: -contents-of 1: want the number of an earlier release, 0 to 0"},
		{"release draft -trust trust.txt -server URL -contents-of 0x0 -o e", "release draft: -contents-of 0x0: want the number of an earlier release, 0 to 0"},
		{"release draft -trust bare.txt -current trust.txt -server URL -source " + commitA + " -o e other", `release draft: the new trust text has no line for the log "lists.example", which the release will be in: readers would refuse it`},
		{"release verify -trust two.txt URL", "release verify: URL/v1/release: release 0: the trust text held here was never in force in this log"},
	} {
		w.refuse(c[0], c[1])
	}
	// Two drafts for one place: the second is told who was faster.
	w.source("||tracker.example^", "||pixel.example^")
	w.run(draft + "-server URL -o one other")
	w.run("release draft -source " + commitB + " -trust trust.txt -server URL -o two other")
	for _, name := range []string{"alice", "bob"} {
		w.run(sign + "-key keys/" + name + ".example.key one")
		w.run(sign + "-source " + commitB + " -key keys/" + name + ".example.key two")
	}
	w.run("release push -server URL one", `^release 1 is in force`)
	if _, err := w.do("release push -server URL two"); err == nil || !regexp.MustCompile(`^release push: \S+: release 1 is taken by another, issued \S+ from commit a{40}: draft yours again$`).MatchString(err.Error()) {
		t.Errorf("the slower draft: %v", err)
	}
	// The same draft with the signatures in another order is the same release.
	w.write("one/note", swapSignatures(t, w.read("one/note")))
	w.run("release push -server URL one", `^release 1 is in the log already, with other signatures$`, `^release 1 is in force`)
}

// Whatever a server serves that is not what the release names is found.
func TestVerifyRefuses(t *testing.T) {
	w := newTown(t)
	// Every signature is needed, so that every bit counts.
	w.write("trust.txt", w.trust(2, "both", "alice.example", "bob.example"))
	w.serve("strict")
	w.publish("first", "", "alice.example", "bob.example")
	w.source("||tracker.example^", "||pixel.example^")
	w.publish("second", "-server URL", "alice.example", "bob.example")
	d, err := readDraft("second")
	if err != nil {
		t.Fatal(err)
	}
	honest := w.lists.Config.Handler
	answer := w.get("/v1/release")
	bits := func(path string, at int) (string, []byte) {
		t.Helper()
		data := w.get(path)
		data[(at+len(data))%len(data)] ^= 1
		return path, data
	}
	with := func(path string, data []byte, want string) {
		t.Helper()
		w.lists.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path && data != nil {
				out.Write(data)
			} else if r.URL.Path == path {
				http.NotFound(out, r)
			} else {
				honest.ServeHTTP(out, r)
			}
		})
		defer func() { w.lists.Config.Handler = honest }()
		_, err := w.do("release verify -trust trust.txt URL")
		if err == nil || !regexp.MustCompile(want).MatchString(strings.ReplaceAll(err.Error(), w.lists.URL, "URL")) {
			t.Errorf("with another %s: %v, want %s", path, err, want)
		}
	}
	for _, blob := range []release.Digest{d.Trust, d.List, d.Bundle, d.Filters} {
		path, data := bits("/v1/blob/"+blob.SHA256, 20)
		with(path, data, `: URL`+path+`: its SHA-256 is [0-9a-f]{64}, not the `+blob.SHA256+` that the release names$`)
		with(path, data[1:], `: URL`+path+`: its size is \d+ bytes, not the \d+ that the release names$`)
		with(path, append(data, 0), `URL`+path+`: is longer than the \d+ bytes that it may have$`)
		with(path, nil, `: URL`+path+`: file does not exist$`)
	}
	path, data := bits("/v1/filters", 20)
	with(path, data, `^release verify: URL/v1/filters: are not those of release 1$`)
	path, data = bits("/v1/delta/"+sum(w.read("first/list.txt"))+"/"+d.List.SHA256, -2)
	with(path, data, `^release verify: URL`+path+`: `)
	path, data = bits("/tile/entries/000.p/2", 40)
	with(path, data, `^release verify: URL/tile/entries/000.p/2: entry 0 is not what the log's tree has at its place: the log contradicts itself$`)
	// Not one bit of the answer may change, wherever it is.
	for at := range len(answer) {
		bad := bytes.Clone(answer)
		bad[at] ^= 1
		with("/v1/release", bad, `^release verify: URL/v1/release: `)
	}
	for at := 0; at < len(answer); at += 7 {
		with("/v1/release", answer[:at], `^release verify: URL/v1/release: `)
	}
}

// get reads from the list server.
func (w *town) get(path string) []byte {
	w.t.Helper()
	server, err := reader.New(w.lists.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := server.Read(w.t.Context(), path[1:], 1<<24)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func swapSignatures(t *testing.T, signed string) string {
	t.Helper()
	text, lines, _ := strings.Cut(signed, "\n\n")
	both := strings.SplitAfter(lines, "\n")
	if len(both) != 3 {
		t.Fatalf("not two signatures: %s", signed)
	}
	return text + "\n\n" + both[1] + both[0]
}

// A large push that is refused while it is uploaded still says why.
func TestRefusedWhileUploading(t *testing.T) {
	w := newTown(t)
	rules := make([]string, 100_000)
	for i := range rules {
		rules[i] = fmt.Sprintf("||tracker-with-a-long-name-%d.example^", i)
	}
	w.source(rules...)
	w.run("list build -o built lists")
	w.run("release draft -trust trust.txt -source " + commitA + " -o d built")
	w.run("release sign -key keys/alice.example.key -lists lists -trust trust.txt -source " + commitA + " d")
	for range 5 {
		w.refuse("release push -server URL d", "release push: URL: 403 Forbidden: note: signed by 1 trusted keys of the 2 needed")
	}
}

// The commit of a release is that of the checkout, if that is clean.
func TestSourceIsTheCommit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	w := newTown(t)
	w.run("list build -o built lists")
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	w.write(".gitignore", "keys/\nwitness/\nstore/\nbuilt/\n*.txt\n!lists/**\n")
	git("add", ".gitignore", "lists")
	git("commit", "-q", "-m", "lists")
	head := git("rev-parse", "HEAD")
	w.run("release draft -trust trust.txt -o d built", `^source  `+head+`$`)
	w.run("release sign -key keys/alice.example.key -lists lists -trust trust.txt d")
	w.source("||pixel.example^")
	const dirty = " (M lists/telemetry.txt): commit first, or say with -source what the list was built from"
	w.refuse("release draft -trust trust.txt -o e built", "release draft: the checkout is not what commit "+head[:12]+" says"+dirty)
	w.refuse("release sign -key keys/bob.example.key -lists lists -trust trust.txt d", "release sign: the checkout is not what commit "+head[:12]+" says"+dirty)
	git("commit", "-q", "-a", "-m", "another")
	w.write("lists/exceptions.txt", "")
	w.refuse("release sign -key keys/bob.example.key -lists lists -trust trust.txt d",
		"release sign: the checkout is not what commit "+git("rev-parse", "--short=12", "HEAD")+" says (?? lists/exceptions.txt): commit first, or say with -source what the list was built from")
	if err := os.Remove("lists/exceptions.txt"); err != nil {
		t.Fatal(err)
	}
	w.refuse("release sign -key keys/bob.example.key -lists lists -trust trust.txt d",
		"release sign: the draft was built from commit "+head+" and your sources are "+git("rev-parse", "HEAD")+": check that commit out, or ask for a draft of yours")
}

// Ways to the photos stay as they are until a draft changes them, and a signer
// is shown which.
func TestRelays(t *testing.T) {
	w := newTown(t)
	const flags = " -trust trust.txt -source " + commitA + " "
	sign := func(draft string, wants ...string) {
		t.Helper()
		w.run("release sign -lists lists -key keys/alice.example.key"+flags+draft, wants...)
		w.run("release sign -lists lists -key keys/bob.example.key" + flags + draft)
	}
	line := func(name string, key byte) string {
		config := slices.Concat([]byte{key, 0, 32}, bytes.Repeat([]byte{key}, 32), []byte{0, 4, 0, 1, 0, 1})
		return "relay " + name + " https://" + name + ".example/relay " + base64.StdEncoding.EncodeToString(config) + "\n"
	}
	w.write("south.txt", line("south", 1))
	w.write("north.txt", line("north", 2))
	w.write("bad.txt", "relay north\n")
	w.run("list build -o built lists")
	w.refuse("release draft"+flags+"-relay bad.txt -o first built", "release draft: bad.txt: relays: line 1: relay: want a name, a URL, a key configuration and perhaps the next one, with single spaces")
	w.refuse("release draft"+flags+"-relay nothing -o first built", "release draft: open nothing: no such file or directory")
	w.refuse("release draft"+flags+"-relay south.txt -relay south.txt -o first built", `release draft: release: line 13: relay: name: "south" stands after "south": sort the relays by name, each name once`)
	w.run("release draft"+flags+"-relay south.txt -relay north.txt -o first built", `^relay   north at https://north.example/relay, 1 key\nrelay   south at `)
	sign("first", `^relay   south at https://south.example/relay, 1 key$`)
	w.run("release push -server URL first")

	const onward = "-server URL "
	w.run("release draft"+flags+onward+"-o second built", `^relay   north at `, `^relay   south at `)
	if out := w.run("release sign -lists lists -key keys/alice.example.key" + flags + onward + "second"); strings.Contains(out, "+ relay") || strings.Contains(out, "- relay") {
		t.Errorf("no relay changes, but it shows %s", out)
	}
	w.write("north.txt", line("north", 3))
	w.run("release draft" + flags + onward + "-relay north.txt -o third built")
	sign(onward+"third", `^  - relay north at https://north.example/relay, for the keys [0-9a-f]{12}…$`, `^  - relay south at `, `^  \+ relay north at `)
	w.run("release draft" + flags + onward + "-relay none -o fourth built")
	sign(onward+"fourth", `^  - relay north at `, `^  - relay south at `)
}

// A witness that is gone for good must not end all releases: the next one names
// others, and replaces the one that could not come in force.
func TestWitnessIsGone(t *testing.T) {
	w := newTown(t)
	w.publish("first", "", "alice.example", "bob.example")
	w.handlers["north.example"] = nil
	w.source("||tracker.example^", "||pixel.example^")
	w.run("list build -o built lists")
	const flags = " -trust trust.txt -server URL -source " + commitA + " "
	w.run("release draft" + flags + "-o second built")
	for _, name := range []string{"alice", "bob"} {
		w.run("release sign -lists lists -key keys/" + name + ".example.key" + flags + "second")
	}
	if _, err := w.do("release push -server URL second"); err == nil || !strings.Contains(err.Error(), "release 1 is in the log, but not in force") {
		t.Fatal(err)
	}
	w.write("new.txt", w.trust(1, "south", "alice.example", "bob.example"))
	const onward = " -trust new.txt -current trust.txt -unwitnessed -server URL -source " + commitA + " "
	w.run("release draft"+onward+"-o third built", `^release 2$`)
	for _, name := range []string{"alice", "bob"} {
		w.run("release sign -lists lists -key keys/"+name+".example.key"+onward+"third", `^what it changes in release 0:$`)
	}
	w.run("release push -server URL third", `^cosigned by south at`, `^release 2 is in force`)
	w.run("release verify -trust trust.txt URL", `^release 2$`, `^the keys have changed once`)
}

func sum(text string) string { return release.DigestOf([]byte(text)).SHA256 }

func signer(t *testing.T, file string) note.Signer {
	t.Helper()
	key, err := readKey(file)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
