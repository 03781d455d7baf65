package publish_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/store/storetest"
)

// A push that is refused changes nothing, and says why in words.
func TestRefusedPushes(t *testing.T) {
	w := newWorld(t, &storetest.Memory{}).serve()
	first, second := build(t, "a.tracker.example"), build(t, "a.tracker.example", "b.tracker.example")
	other := build(t, "c.tracker.example")
	trustSum := release.DigestOf([]byte(w.trustText)).SHA256
	sum := func(b []byte) string { return release.DigestOf(b).SHA256 }
	sign := func(edit func(*release.Release), index uint64, l lists, by ...key) []byte {
		r := w.draft(index, l)
		if edit != nil {
			edit(&r)
		}
		return w.sign(r, by...)
	}
	both := []key{w.a, w.b}
	type refused struct {
		name   string
		files  []file
		status int
		answer string
	}
	check := func(cases []refused) {
		t.Helper()
		for _, c := range cases {
			before := len(w.store.(*storetest.Memory).Objects())
			head := string(w.store.(*storetest.Memory).Objects()["private/head"])
			status, answer := w.push(c.files...)
			if status != c.status || answer != c.answer {
				t.Errorf("%s: %d %q\nwant %d %q", c.name, status, answer, c.status, c.answer)
			}
			objects := w.store.(*storetest.Memory).Objects()
			if string(objects["private/head"]) != head {
				t.Errorf("%s: the head has changed", c.name)
			}
			// A push refused at its deltas has left blobs, all named by their hash.
			if len(objects) != before && !strings.Contains(c.name, "delta") {
				t.Errorf("%s: leaves %d objects behind", c.name, len(objects)-before)
			}
		}
	}

	n0 := sign(nil, 0, first, both...)
	otherTrust := w.trustFor("1", []key{w.c}, w.log, "any")
	check([]refused{
		{"nothing", nil, 400, "the first file of the tar must be \"note\"\n"},
		{"no note first", []file{blobFile(first.list), {"note", n0}}, 400, "the first file of the tar must be \"note\"\n"},
		{"a long note", []file{{"note", make([]byte, 65536)}}, 413, "the note has 65536 bytes, more than 65535\n"},
		{"no note", []file{{"note", []byte("hello\n")}}, 400, "note: not a whole signed note of text, blank line and signatures: malformed note\n"},
		{"another format", []file{{"note", bytes.Replace(n0, []byte("release 2"), []byte("release 1"), 1)}}, 400,
			"release: line 1: paravent: \"release 1\" is not a format known here, which is \"release 2\"\n"},
		{"one signature", w.pushFiles(sign(nil, 0, first, w.a), first), 403, "note: signed by 1 trusted keys of the 2 needed\n"},
		{"one key twice", w.pushFiles(sign(nil, 0, first, w.a, newKey(t, "a.example 2")), first), 403, "note: signed by 1 trusted keys of the 2 needed\n"},
		{"strangers", w.pushFiles(sign(nil, 0, first, w.c, w.log), first), 403, "note: signed by 0 trusted keys of the 2 needed\n"},
		{"a changed text", w.pushFiles(bytes.Replace(n0, []byte("wait 900"), []byte("wait 901"), 1), first), 403, "note: the signature of \"a.example\" is wrong\n"},
		{"another first trust", []file{{"note", sign(func(r *release.Release) { r.Trust = release.DigestOf([]byte(otherTrust)) }, 0, first, both...)}}, 403,
			"release 0 must bring the trust text that this server was started with\n"},
		{"a gap", []file{{"note", sign(nil, 1, first, both...)}}, 400, "release 1 is not the next: that is 0\n"},
		{"no blobs", []file{{"note", n0}}, 422, "trust: the push leaves out v1/blob/" + trustSum + ", and the server does not have it\n"},
		{"no list", []file{{"note", n0}, blobFile([]byte(w.trustText))}, 422, "list: the push leaves out v1/blob/" + sum(first.list) + ", and the server does not have it\n"},
		{"an unnamed blob", []file{{"note", n0}, blobFile(other.list)}, 422, fmt.Sprintf("%q is not named by the note\n", "v1/blob/"+sum(other.list))},
		{"a longer blob", []file{{"note", n0}, {"v1/blob/" + sum(first.list), append(first.list, '\n')}}, 422,
			fmt.Sprintf("list: its size is %d bytes, not the %d that the release names\n", len(first.list)+1, len(first.list))},
		{"another blob", []file{{"note", n0}, {"v1/blob/" + sum(first.list), other.list}}, 422,
			"list: its SHA-256 is " + sum(other.list) + ", not the " + sum(first.list) + " that the release names\n"},
	})

	// What the list says is judged too.
	harmless := lists{list: bytes.Replace(first.list, []byte("a.tracker.example\n"), nil, 1)}
	var err error
	if harmless.bundle, err = compile.Compile(harmless.list); err != nil {
		t.Fatal(err)
	}
	if harmless.filters, err = compile.Filters(harmless.bundle); err != nil {
		t.Fatal(err)
	}
	noList := lists{list: []byte("paravent list 1\n[sites]\n"), bundle: first.bundle, filters: first.filters}
	otherBundle := lists{list: first.list, bundle: other.bundle, filters: other.filters}
	otherFilters := lists{list: first.list, bundle: first.bundle, filters: other.filters}
	var judged []refused
	for _, c := range []struct {
		name   string
		l      lists
		answer string
	}{
		{"no rule that stops", harmless, "list: holds no rule that stops a request: readers would be left without protection\n"},
		{"half a list", noList, "list: line 2: ends before section [recipients]\n"},
		{"another bundle", otherBundle, "bundle: is not what the list compiles to on this server: build both with the same version\n"},
		{"other filters", otherFilters, "filters: are not those of the bundle\n"},
	} {
		judged = append(judged, refused{c.name, w.pushFiles(sign(nil, 0, c.l, both...), c.l), 422, c.answer})
	}
	check(judged)

	if status, answer := w.push(w.pushFiles(n0, first)...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	delta, err := release.Delta(first.list, second.list)
	if err != nil {
		t.Fatal(err)
	}
	n1 := sign(nil, 1, second, both...)
	toSecond := "v1/delta/" + sum(first.list) + "/" + sum(second.list)
	spoiled := bytes.Clone(delta)
	spoiled[len(spoiled)/2] ^= 0x10
	_, applied := release.ApplyDelta(first.list, spoiled, release.DigestOf(second.list))
	if applied == nil {
		t.Fatal("the spoiled delta applies")
	}
	many := make([]file, 31)
	for i := range many {
		many[i] = file{toSecond, delta}
	}
	check([]refused{
		{"the number is taken", []file{{"note", sign(nil, 0, second, both...)}}, 409, string(n0)},
		{"other signatures", []file{{"note", sign(nil, 0, first, w.a, w.b, w.c)}}, 409, string(n0)},
		{"an earlier time", []file{{"note", sign(func(r *release.Release) { r.Issued = issued.Add(-time.Second) }, 1, second, both...)}}, 400,
			"issued 2026-11-22T06:59:59Z: before release 0, which was issued 2026-11-22T07:00:00Z\n"},
		{"delta: spoiled", w.pushFiles(n1, second, file{toSecond, spoiled}), 422, toSecond + ": " + applied.Error() + "\n"},
		{"delta: to another list", w.pushFiles(n1, second, file{"v1/delta/" + sum(first.list) + "/" + sum(other.list), delta}), 422,
			"v1/delta/" + sum(first.list) + "/" + sum(other.list) + " does not lead to the list of the release\n"},
		{"delta: from an unknown list", w.pushFiles(n1, second, file{"v1/delta/" + sum(other.list) + "/" + sum(second.list), delta}), 422,
			"v1/delta/" + sum(other.list) + "/" + sum(second.list) + ": begins at a list that the server does not have\n"},
		{"delta: long", w.pushFiles(n1, second, file{toSecond, make([]byte, len(second.list)+1)}), 413,
			fmt.Sprintf("%s: has %d bytes, more than the list itself\n", toSecond, len(second.list)+1)},
		{"delta: too many", w.pushFiles(n1, second, many...), 413, "the push brings more than 30 deltas\n"},
		{"delta: before a blob", []file{{"note", n1}, blobFile(second.list), blobFile(second.bundle), blobFile(second.filters), {toSecond, delta}, blobFile([]byte(w.trustText))}, 400,
			"\"v1/blob/" + trustSum[:72-len("v1/blob/")] + "\" does not belong into a push, or not there: note, blobs, deltas\n"},
	})
	for _, c := range []struct {
		name, contentType string
		body              []byte
		status            int
		answer            string
	}{
		{"no tar by its type", "text/plain", pack(t, file{"note", n1}), 415, "a push is a tar: Content-Type: application/x-tar\n"},
		{"no tar", "application/x-tar", []byte(strings.Repeat("hello\n", 200)), 400, "the body is not a whole tar: archive/tar: invalid tar header\n"},
		{"half a note", "application/x-tar", pack(t, file{"note", n1})[:700], 400, "the body is not a whole tar: note: unexpected EOF\n"},
		{"half a blob", "application/x-tar", pack(t, w.pushFiles(n1, second)...)[:3000], 400, ""},
		{"a link", "application/x-tar", linkTar(t), 400, "\"note\" in the tar is not a plain file\n"},
	} {
		if status, answer := w.post("/v1/release", c.contentType, c.body); status != c.status || c.answer != "" && answer != c.answer {
			t.Errorf("%s: %d %q\nwant %d %q", c.name, status, answer, c.status, c.answer)
		}
	}
	if lines := w.lines.String(); lines != "" {
		t.Errorf("logged: %s", lines)
	}
	w.wholeLog()
}

func linkTar(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "note", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

// A note that is not good ends the push: nothing behind it is waited for.
func TestNoteIsJudgedFirst(t *testing.T) {
	w := newWorld(t, &storetest.Memory{}).serve()
	l := build(t, "a.tracker.example")
	whole := pack(t, w.pushFiles(w.sign(w.draft(0, l), w.a), l)...)
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(connection, "POST /v1/release HTTP/1.1\r\nHost: lists.example\r\nContent-Type: application/x-tar\r\nContent-Length: %d\r\n\r\n", len(whole))
	connection.Write(whole[:2048]) // the note and what pads it, and no more
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 403 {
		t.Errorf("%d", response.StatusCode)
	}
}

func TestRefusedCosignatures(t *testing.T) {
	w := newWorld(t, &storetest.Memory{}).serve()
	if status, answer := w.post("/v1/cosignatures", "text/plain", nil); status != 404 || answer != "the log is empty: push release 0 first\n" {
		t.Errorf("%d %q", status, answer)
	}
	l := build(t, "a.tracker.example")
	w.release(0, l)
	_, old := ask(t, w.origin, "GET /checkpoint")
	w.release(1, l)
	_, now := ask(t, w.origin, "GET /checkpoint")
	cosigned := func(checkpoint string, by key) []byte {
		n, err := note.Open([]byte(checkpoint), note.VerifierList(w.log.Verifier))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(n, by.Signer)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	spoiled := cosigned(now, w.w1)
	spoiled[len(spoiled)-9] ^= 1
	for _, c := range []struct {
		name   string
		body   []byte
		status int
		answer string
	}{
		{"nothing", nil, 400, "not a signed checkpoint: malformed note\n"},
		{"too long", make([]byte, 1<<17), 413, "the checkpoint has more than 65535 bytes\n"},
		{"no witness", []byte(now), 403, "no signature is that of a witness that the trust text in force names\n"},
		{"a stranger", cosigned(now, newWitness(t, "three.witness.example")), 403, "no signature is that of a witness that the trust text in force names\n"},
		{"a maintainer", cosigned(now, w.a), 403, "no signature is that of a witness that the trust text in force names\n"},
		{"a wrong signature", spoiled, 403, "the signature of \"one.witness.example\" is wrong\n"},
		{"the tree before", cosigned(old, w.w1), 409, now},
	} {
		if status, answer := w.post("/v1/cosignatures", "text/plain", c.body); status != c.status || answer != c.answer {
			t.Errorf("%s: %d %q\nwant %d %q", c.name, status, answer, c.status, c.answer)
		}
	}
	if _, still := ask(t, w.origin, "GET /checkpoint"); still != now {
		t.Errorf("the checkpoint has changed: %s", still)
	}
	if response, _ := ask(t, w.origin, "GET /v1/release"); response.StatusCode != 404 {
		t.Errorf("in force: %d", response.StatusCode)
	}
}
