package publish_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/log/logtest"
	"paravent/server/publish"
	"paravent/server/store"
	"paravent/server/store/storetest"
)

// A key is made of its name, so that every run has the same.
type key struct {
	note.Signer
	note.Verifier
	vkey string
}

func (k key) Name() string    { return k.Signer.Name() }
func (k key) KeyHash() uint32 { return k.Signer.KeyHash() }

func newKey(t testing.TB, name string) (k key) {
	t.Helper()
	secret, public, err := note.GenerateKey(strings.NewReader(name+strings.Repeat("-", 64)), strings.TrimSuffix(name, " 2"))
	if err == nil {
		k.Signer, err = note.NewSigner(secret)
	}
	if err == nil {
		k.Verifier, err = note.NewVerifier(public)
	}
	if err != nil {
		t.Fatal(err)
	}
	k.vkey = public
	return k
}

func newWitness(t testing.TB, name string) (k key) {
	t.Helper()
	secret, public, err := release.GenerateCosigner(strings.NewReader(name+strings.Repeat("-", 64)), name)
	if err == nil {
		k.Signer, err = release.NewCosigner(secret, func() time.Time { return issued.Add(time.Minute) })
	}
	if err == nil {
		k.Verifier, err = release.NewCosignerVerifier(public)
	}
	if err != nil {
		t.Fatal(err)
	}
	k.vkey = public
	return k
}

var issued = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// world is everybody who has to do with a list server, and the server.
type world struct {
	t            testing.TB
	a, b, c, log key
	w1, w2       key
	trustText    string
	trust        release.Trust
	store        store.Store
	origin       string
	lines        *lockedBuffer // of the server's log
	options      publish.Options
}

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	w := &world{
		t: t, store: s, lines: &lockedBuffer{},
		a: newKey(t, "a.example"), b: newKey(t, "b.example"), c: newKey(t, "c.example"), log: newKey(t, "lists.example"),
		w1: newWitness(t, "one.witness.example"), w2: newWitness(t, "two.witness.example"),
	}
	w.trustText = w.trustFor("2", []key{w.a, w.b}, w.log, "any")
	w.trust = parseTrust(t, w.trustText)
	w.options = publish.Options{
		Store: s, Trust: w.trust, LogKey: w.log.Signer, Log: slog.New(slog.NewTextHandler(w.lines, nil)),
		Now: func() time.Time { return issued.Add(time.Hour) },
	}
	return w
}

// serve starts the world's server as a program does.
func (w *world) serve() *world {
	w.t.Helper()
	if err := publish.Replay(context.Background(), w.options); err != nil {
		w.t.Fatal(err)
	}
	return w.listen()
}

// listen answers on a new socket.
func (w *world) listen() *world {
	w.t.Helper()
	server := httptest.NewServer(publish.Handler(w.options))
	w.t.Cleanup(server.Close)
	w.origin = server.URL
	return w
}

// trustFor writes a trust text. needed is how many of the two witnesses must
// have cosigned: any, all or none.
func (w *world) trustFor(threshold string, maintainers []key, log key, needed string) string {
	text := "threshold " + threshold + "\n"
	for _, m := range maintainers {
		text += "maintainer " + m.vkey + "\n"
	}
	text += "log " + log.vkey + " https://lists.example/\n"
	text += "witness one " + w.w1.vkey + "\nwitness two " + w.w2.vkey + "\n"
	if needed == "none" {
		return text + "quorum none\n"
	}
	return text + "group both " + needed + " one two\nquorum both\n"
}

func parseTrust(t testing.TB, text string) release.Trust {
	t.Helper()
	trust, err := release.ParseTrust(text)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// lists are the canonical text, the bundle and the filters of a list that
// stops these hosts.
type lists struct{ list, bundle, filters []byte }

func build(t testing.TB, hosts ...string) lists {
	t.Helper()
	l := lists{list: []byte("paravent list 1\n[sites]\nbooking.example\tBooking\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n" +
		strings.Join(hosts, "\n") + "\n[rules]\n")}
	if len(hosts) == 0 {
		l.list = bytes.Replace(l.list, []byte("\n\n"), []byte("\n"), 1)
	}
	var err error
	if l.bundle, err = compile.Compile(l.list); err == nil {
		l.filters, err = compile.Filters(l.bundle)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// draft is the release of this number with these lists.
func (w *world) draft(index uint64, l lists) release.Release {
	return release.Release{
		Index: index, Issued: issued.Add(time.Duration(index) * time.Second), Expires: issued.Add(30 * 24 * time.Hour), WaitSeconds: 900,
		Source: strings.Repeat("5", 40), Trust: w.trust.Digest(),
		List: release.DigestOf(l.list), Bundle: release.DigestOf(l.bundle), Filters: release.DigestOf(l.filters),
	}
}

func (w *world) sign(r release.Release, by ...key) []byte {
	w.t.Helper()
	body, err := r.Body()
	if err != nil {
		w.t.Fatal(err)
	}
	var signers []note.Signer
	for _, k := range by {
		signers = append(signers, k.Signer)
	}
	n, err := note.Sign(&note.Note{Text: body}, signers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// file is one in the tar of a push.
type file struct {
	name string
	data []byte
}

func blobFile(data []byte) file { return file{"v1/blob/" + release.DigestOf(data).SHA256, data} }

func pack(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		w.Write(f.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pushFiles are those of a push with all blobs.
func (w *world) pushFiles(n []byte, l lists, more ...file) []file {
	return append([]file{{"note", n}, blobFile([]byte(w.trustText)), blobFile(l.list), blobFile(l.bundle), blobFile(l.filters)}, more...)
}

func (w *world) post(path, contentType string, body []byte) (int, string) {
	w.t.Helper()
	response, err := http.Post(w.origin+path, contentType, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.Header.Get("Content-Type") != "text/plain; charset=utf-8" || response.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("POST %s: %v", path, response.Header)
	}
	return response.StatusCode, string(text)
}

func (w *world) push(files ...file) (int, string) {
	w.t.Helper()
	return w.post("/v1/release", "application/x-tar", pack(w.t, files...))
}

// release pushes release index of both maintainers, with all blobs.
func (w *world) release(index uint64, l lists) []byte {
	w.t.Helper()
	n := w.sign(w.draft(index, l), w.a, w.b)
	if status, answer := w.push(w.pushFiles(n, l)...); status != 200 {
		w.t.Fatalf("release %d: %d %s", index, status, answer)
	}
	return n
}

// cosign hands in the server's checkpoint as witnesses cosign it.
func (w *world) cosign(by ...key) (int, string) {
	w.t.Helper()
	_, signed := ask(w.t, w.origin, "GET /checkpoint")
	n, err := note.Open([]byte(signed), note.VerifierList(w.log.Verifier))
	if err != nil {
		w.t.Fatal(err)
	}
	var signers []note.Signer
	for _, k := range by {
		signers = append(signers, k.Signer)
	}
	cosigned, err := note.Sign(n, signers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.post("/v1/cosignatures", "text/plain", cosigned)
}

// verified checks what the server has in force as a reader does that knows
// the trust text of release 0 alone.
func (w *world) verified() release.Taken {
	w.t.Helper()
	_, answer := ask(w.t, w.origin, "GET /v1/release")
	taken, err := release.Verify([]byte(answer), release.Client{Trust: w.trust}, func(path string, limit int64) ([]byte, error) {
		response, body := ask(w.t, w.origin, "GET /"+path)
		if response.StatusCode != 200 || int64(len(body)) > limit {
			return nil, fmt.Errorf("%s: %d, %d bytes", path, response.StatusCode, len(body))
		}
		return []byte(body), nil
	})
	if err != nil {
		w.t.Fatalf("%v in\n%s", err, answer)
	}
	return taken
}

// wholeLog checks every object of the log and returns its entries.
func (w *world) wholeLog() [][]byte {
	w.t.Helper()
	return logtest.Check(w.t, w.log.Verifier, func(name string) ([]byte, error) {
		data, _, err := w.store.Get(context.Background(), name)
		return data, err
	})
}

func newDir(t testing.TB) *store.Dir {
	t.Helper()
	d, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// ask sends one request: "METHOD PATH", then headers as "Name: value". The
// body comes back as it was sent, not decompressed.
func ask(t testing.TB, origin, line string, headers ...string) (*http.Response, string) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	request, err := http.NewRequest(method, origin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity") // or Go's client asks for gzip
	if len(headers) > 0 && strings.HasPrefix(headers[0], "Accept-Encoding") {
		request.Header.Del("Accept-Encoding")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Add(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// A release is pushed, cosigned, and then in force; the next takes its place.
func TestFromPushToReader(t *testing.T) {
	for name, s := range map[string]store.Store{"directory": newDir(t), "memory": &storetest.Memory{}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s).serve()
			first := build(t, "a.tracker.example", "b.tracker.example")
			n := w.sign(w.draft(0, first), w.a, w.b)
			status, answer := w.push(w.pushFiles(n, first)...)
			if status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			proof, err := release.ParseProof([]byte(answer))
			if err != nil || proof.Index != 0 {
				t.Fatalf("%+v, %v", proof, err)
			}
			if seen, err := w.trust.Checkpoint(proof.Checkpoint); err != nil || seen.Tree.Size != 1 || len(seen.Witnesses) != 0 {
				t.Errorf("%+v, %v", seen, err)
			}
			// No witness has seen it yet.
			if response, body := ask(t, w.origin, "GET /v1/release"); response.StatusCode != 404 || body != "no release is in force yet\n" {
				t.Errorf("before the witness: %d %s", response.StatusCode, body)
			}
			if status, answer := w.cosign(w.w1); status != 200 || !strings.Contains(answer, "— one.witness.example ") {
				t.Fatalf("%d %s", status, answer)
			}
			taken := w.verified()
			if taken.Release.Index != 0 || !bytes.Equal(taken.Note, n) || len(taken.Witnesses) != 1 {
				t.Errorf("%+v", taken)
			}
			_, etag := ask(t, w.origin, "GET /v1/release")
			// A later cosignature is served too.
			if status, answer := w.cosign(w.w2); status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			if taken := w.verified(); len(taken.Witnesses) != 2 || etag == "" {
				t.Errorf("%+v", taken)
			}

			second := build(t, "a.tracker.example", "b.tracker.example", "c.tracker.example")
			delta, err := release.Delta(first.list, second.list)
			if err != nil {
				t.Fatal(err)
			}
			name := "v1/delta/" + release.DigestOf(first.list).SHA256 + "/" + release.DigestOf(second.list).SHA256
			n = w.sign(w.draft(1, second), w.a, w.b)
			// The trust text is there already.
			if status, answer := w.push(append([]file{{"note", n}}, append(w.pushFiles(n, second)[2:], file{name, delta})...)...); status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			if taken := w.verified(); taken.Release.Index != 0 {
				t.Errorf("in force before its witness: %d", taken.Release.Index)
			}
			if status, answer := w.cosign(w.w2); status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			if taken := w.verified(); taken.Release.Index != 1 || taken.Tree.Size != 2 {
				t.Errorf("%+v", taken)
			}
			_, served := ask(t, w.origin, "GET /"+name)
			if list, err := release.ApplyDelta(first.list, []byte(served), release.DigestOf(second.list)); err != nil || !bytes.Equal(list, second.list) {
				t.Errorf("the delta: %v", err)
			}
			for path, want := range map[string][]byte{
				"/v1/filters": second.filters, "/v1/blob/" + release.DigestOf(second.bundle).SHA256: second.bundle,
				"/v1/blob/" + release.DigestOf([]byte(w.trustText)).SHA256: []byte(w.trustText),
			} {
				if response, body := ask(t, w.origin, "GET "+path); response.StatusCode != 200 || body != string(want) {
					t.Errorf("%s: %d, %d bytes", path, response.StatusCode, len(body))
				}
			}
			if kept, _, err := s.Get(t.Context(), "v1/filters"); err != nil || !bytes.Equal(kept, second.filters) {
				t.Errorf("v1/filters is kept with %d bytes, %v", len(kept), err)
			}
			if entries := w.wholeLog(); len(entries) != 2 || !bytes.Equal(entries[1], n) {
				t.Errorf("%d entries", len(entries))
			}
			if lines := w.lines.String(); lines != "" {
				t.Errorf("logged: %s", lines)
			}
		})
	}
}

// Keys change by the old and the new maintainers together.
func TestKeysChange(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	l := build(t, "a.tracker.example")
	w.release(0, l)
	first := w.trustText
	// c takes b's place; the witnesses must be two from now on.
	w.trustText = w.trustFor("2", []key{w.a, w.c}, w.log, "all")
	next := w.draft(1, l)
	next.Trust = release.DigestOf([]byte(w.trustText))
	for _, c := range []struct {
		by     []key
		status int
		answer string
	}{
		{[]key{w.a}, 403, "note: signed by 1 trusted keys of the 2 needed\n"},
		{[]key{w.a, w.c}, 403, "note: signed by 1 trusted keys of the 2 needed\n"},
		{[]key{w.a, w.b}, 403, "by the trust text that it brings: note: signed by 1 trusted keys of the 2 needed\n"},
		{[]key{w.a, w.b, w.c}, 200, ""},
	} {
		status, answer := w.push(w.pushFiles(w.sign(next, c.by...), l)...)
		if status != c.status || c.answer != "" && answer != c.answer {
			t.Errorf("signed by %d: %d %q, want %d %q", len(c.by), status, answer, c.status, c.answer)
		}
	}
	if status, answer := w.cosign(w.w1); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if response, _ := ask(t, w.origin, "GET /v1/release"); response.StatusCode != 404 {
		t.Errorf("in force with one witness of two: %d", response.StatusCode)
	}
	if status, answer := w.cosign(w.w2); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if taken := w.verified(); taken.Release.Index != 1 || taken.Rotations != 1 || taken.Trust.Text() != w.trustText {
		t.Errorf("%+v", taken)
	}
	// Release 2 is judged by the keys that release 1 brought.
	two := w.draft(2, l)
	two.Trust = release.DigestOf([]byte(w.trustText))
	if status, answer := w.push(file{"note", w.sign(two, w.a, w.c)}); status != 400 || answer != "keys-since 0: the keys in force came with release 1\n" {
		t.Errorf("%d %q", status, answer)
	}
	two.KeysSince = 1
	if status, answer := w.push(file{"note", w.sign(two, w.a, w.b)}); status != 403 {
		t.Errorf("%d %q", status, answer)
	}
	if status, answer := w.push(file{"note", w.sign(two, w.a, w.c)}); status != 200 {
		t.Errorf("%d %q", status, answer)
	}
	// And so is release 3.
	three := two
	three.Index, three.Issued = 3, two.Issued.Add(time.Second)
	if status, answer := w.push(file{"note", w.sign(three, w.a, w.c)}); status != 200 {
		t.Errorf("%d %q", status, answer)
	}
	w.cosign(w.w1, w.w2)
	if taken := w.verified(); taken.Release.Index != 3 || taken.Rotations != 1 {
		t.Errorf("%+v", taken)
	}
	// A trust text whose log is another would end this log.
	w.trustText = w.trustFor("2", []key{w.a, w.c}, newKey(t, "elsewhere.example"), "any")
	four := three
	four.Index, four.Trust = 4, release.DigestOf([]byte(w.trustText))
	status, answer := w.push(w.pushFiles(w.sign(four, w.a, w.c), l)...)
	if status != 422 || answer != "trust: names no log \"lists.example\" with the key of this server: readers would not believe it\n" {
		t.Errorf("%d %q", status, answer)
	}
	w.trustText = first
	w.wholeLog()
}

// Sixteen maintainers push at once, through servers of their own on one
// directory. Who loses is told who won, and tries the next number.
func TestSixteenPushAtOnce(t *testing.T) {
	dir := newDir(t)
	w := newWorld(t, dir).serve()
	l := build(t, "a.tracker.example")
	w.release(0, l)
	const pushers, times = 16, 2
	var all sync.WaitGroup
	for i := range pushers {
		d, err := store.Open(dir.Root())
		if err != nil {
			t.Fatal(err)
		}
		p := newWorld(t, d).serve()
		all.Go(func() {
			index := uint64(1)
			for done := 0; done < times; {
				r := p.draft(index, l)
				r.Source = fmt.Sprintf("%040x", i*times+done+1)
				r.Issued = issued
				n := p.sign(r, p.a, p.b)
				status, answer := p.push(file{"note", n})
				switch status {
				case 200:
					if again, proof := p.push(file{"note", n}); again != 200 || !strings.HasPrefix(proof, fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)) {
						t.Errorf("repeated: %d %s", again, proof)
					}
					done, index = done+1, index+1
				case 409:
					winner, err := release.Read([]byte(answer))
					if err != nil || winner.Index != index || answer == string(n) {
						t.Errorf("release %d lost to %s: %v", index, answer, err)
						return
					}
					index++
				default:
					t.Errorf("release %d: %d %s", index, status, answer)
					return
				}
			}
		})
	}
	all.Wait()
	entries := w.wholeLog()
	if len(entries) != 1+pushers*times {
		t.Errorf("%d entries, want %d", len(entries), 1+pushers*times)
	}
	sources := map[string]bool{}
	for i, e := range entries {
		r, err := release.Read(e)
		if err != nil || r.Index != uint64(i) || sources[r.Source] {
			t.Errorf("entry %d: release %d of %s, %v", i, r.Index, r.Source, err)
		}
		sources[r.Source] = true
	}
	if status, answer := w.cosign(w.w1); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if taken := w.verified(); taken.Release.Index != pushers*times {
		t.Errorf("release %d is in force", taken.Release.Index)
	}
}

func TestReplayRefusesAnotherLogKey(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	w.release(0, build(t, "a.tracker.example"))
	other := w.options
	other.LogKey = newKey(t, "lists.example 2").Signer
	const want = `the trust text in force names no log "lists.example" with the key that this server has: start it with the key of the log`
	if err := publish.Replay(t.Context(), other); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if _, checkpoint := ask(t, w.origin, "GET /checkpoint"); strings.Count(checkpoint, "— ") != 1 {
		t.Errorf("the other key has signed: %s", checkpoint)
	}
	other.LogKey = newKey(t, "other.example").Signer
	if err := publish.Replay(t.Context(), other); err == nil || !strings.Contains(err.Error(), `is that of the log "lists.example", but the key is that of "other.example"`) {
		t.Errorf("%v", err)
	}
}

// The log's key changes by two releases: the first names both keys, then the
// server is started with the new one, and the second names that alone. A
// reader who missed all of it follows.
func TestLogKeyChanges(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	l := build(t, "a.tracker.example")
	w.release(0, l)
	push := func(index, since uint64, trust string) {
		t.Helper()
		w.trustText = trust
		r := w.draft(index, l)
		r.KeysSince, r.Trust = since, release.DigestOf([]byte(trust))
		if status, answer := w.push(w.pushFiles(w.sign(r, w.a, w.b), l)...); status != 200 {
			t.Fatalf("release %d: %d %s", index, status, answer)
		}
	}
	next := newKey(t, "lists.example 2")
	push(1, 0, w.trustText+"log "+next.vkey+"\n")
	w.cosign(w.w1)
	w.options.LogKey = next.Signer
	w.serve()
	if taken := w.verified(); taken.Release.Index != 1 {
		t.Errorf("%+v", taken)
	}
	push(2, 1, w.trustFor("2", []key{w.a, w.b}, next, "any"))
	w.log = next
	w.cosign(w.w1)
	if taken := w.verified(); taken.Release.Index != 2 || taken.Rotations != 2 {
		t.Errorf("%+v", taken)
	}
	w.wholeLog()
}
