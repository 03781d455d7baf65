//go:build !js

package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/lists/source"
	"paravent/server/log/logtest"
	"paravent/server/page"
	"paravent/server/publish"
	"paravent/server/reader"
	"paravent/server/store/storetest"
)

// A house is the keys of everybody, and the trust text that names them.
type house struct {
	trust       release.Trust
	alice, bob  note.Signer
	log         string // secret key
	logVerifier note.Verifier
	witness     note.Signer
	issued      time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{issued: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)}
	key := func(name string) (skey, vkey string) {
		skey, vkey, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		return skey, vkey
	}
	signer := func(skey string) note.Signer {
		s, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	alice, aliceKey := key("alice.example")
	bob, bobKey := key("bob.example")
	log, logKey := key("lists.example")
	h.alice, h.bob, h.log = signer(alice), signer(bob), log
	witness, witnessKey, err := release.GenerateCosigner(rand.Reader, "witness.example")
	if err == nil {
		h.witness, err = release.NewCosigner(witness, time.Now)
	}
	if err == nil {
		h.logVerifier, err = note.NewVerifier(logKey)
	}
	if err == nil {
		h.trust, err = release.ParseTrust("threshold 2\nmaintainer " + aliceKey + "\nmaintainer " + bobKey +
			"\nlog " + logKey + "\nwitness w " + witnessKey + "\nquorum w\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A file of a push.
type file struct {
	name string
	data []byte
}

// A draft is a release that can be pushed.
type draft struct {
	release.Release
	list   []byte
	note   []byte
	blobs  []file
	deltas []file
}

// draft makes release index with a list that stops these hosts, and deltas
// from the lists of earlier ones.
func (h *house) draft(t *testing.T, index uint64, hosts []string, from ...*draft) *draft {
	t.Helper()
	return h.draftOf(t, index, "||"+strings.Join(hosts, "^\n||")+"^\n", from...)
}

func (h *house) draftOf(t *testing.T, index uint64, rules string, from ...*draft) *draft {
	t.Helper()
	parsed, _, err := source.Import("easylist", []byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	d := &draft{list: parsed.Text()}
	bundle, err := parsed.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	filters, err := compile.Filters(bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{[]byte(h.trust.Text()), d.list, bundle, filters} {
		d.blobs = append(d.blobs, file{"v1/blob/" + release.DigestOf(data).SHA256, data})
	}
	d.Release = release.Release{
		Index: index, Issued: h.issued, Expires: h.issued.AddDate(0, 1, 0), WaitSeconds: 900, Source: strings.Repeat("0", 40),
		Trust: h.trust.Digest(), List: release.DigestOf(d.list), Bundle: release.DigestOf(bundle), Filters: release.DigestOf(filters),
	}
	for _, old := range from {
		delta, err := release.Delta(old.list, d.list)
		if err != nil {
			t.Fatal(err)
		}
		d.deltas = append(d.deltas, file{"v1/delta/" + old.List.SHA256 + "/" + d.List.SHA256, delta})
	}
	d.sign(t, h.alice, h.bob)
	return d
}

func (d *draft) sign(t *testing.T, by ...note.Signer) {
	t.Helper()
	text, err := d.Body()
	if err == nil {
		d.note, err = note.Sign(&note.Note{Text: text}, by...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d *draft) files() []file {
	return slices.Concat([]file{{"note", d.note}}, d.blobs, d.deltas)
}

func archive(files ...file) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))})
		w.Write(f.data) // a bytes.Buffer takes everything
	}
	w.Close()
	return b.Bytes()
}

// A server is a list server under test.
type server struct {
	*reader.Server
	url     string
	house   *house
	command func(line string)
}

// startWorker runs the built Worker in workerd.
func startWorker(t *testing.T, h *house) *server {
	t.Helper()
	// What runs is looked at here, too, so that go test runs again when it changes.
	for _, needed := range []string{
		"../../../dist/worker/app.wasm", "../../../dist/worker/entry.js", "crash.js", "local.js", "node_modules/miniflare/package.json",
	} {
		if _, err := os.Stat(needed); err != nil {
			t.Skipf("%v: ./build.sh test makes it", err)
		}
	}
	dir := t.TempDir()
	trust, key := filepath.Join(dir, "trust.txt"), filepath.Join(dir, "log.key")
	for name, text := range map[string]string{trust: h.trust.Text(), key: h.log + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("node", "crash.js", trust, key)
	command.Stderr = t.Output()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(out)
	next := func() string {
		for lines.Scan() {
			// What the Worker logs comes here, too.
			if line := lines.Text(); line == "done" || strings.HasPrefix(line, `{"lists":`) {
				return line
			}
			t.Log(lines.Text())
		}
		t.Fatalf("the Worker ended: %v", lines.Err())
		return ""
	}
	var ready struct{ Lists string }
	if err := json.Unmarshal([]byte(next()), &ready); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, ready.Lists, h)
	s.command = func(line string) {
		fmt.Fprintln(in, line)
		next()
	}
	return s
}

func newServer(t *testing.T, url string, h *house) *server {
	t.Helper()
	r, err := reader.New(url)
	if err != nil {
		t.Fatal(err)
	}
	return &server{Server: r, url: url, house: h}
}

// startNative runs the same handler without a Worker around it.
func startNative(t *testing.T, h *house) *server {
	t.Helper()
	key, err := note.NewSigner(h.log)
	if err != nil {
		t.Fatal(err)
	}
	objects, logger := storetest.Memory{}, slog.New(slog.NewTextHandler(t.Output(), nil))
	s := httptest.NewServer(publish.Handler(publish.Options{
		Store: &objects, Trust: h.trust, LogKey: key, Log: logger, Page: page.New(&objects, logger),
	}))
	t.Cleanup(s.Close)
	return newServer(t, s.URL, h)
}

// A connection serves one request: workerd closes one that was idle for five
// seconds, also if a request has come since and it was too busy to look.
var transport = &http.Transport{DisableKeepAlives: true}

func (s *server) post(t *testing.T, path, contentType string, body []byte) (int, []byte) {
	t.Helper()
	status, answer, err := s.tryPost(t, path, contentType, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

func (s *server) tryPost(t *testing.T, path, contentType string, body []byte) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// push wants a draft to be taken.
func (s *server) push(t *testing.T, d *draft) {
	t.Helper()
	if status, answer := s.post(t, "v1/release", "application/x-tar", archive(d.files()...)); status != http.StatusOK {
		t.Fatalf("push of release %d: %d %s", d.Index, status, answer)
	} else if p, err := release.ParseProof(answer); err != nil || p.Index != d.Index {
		t.Fatalf("push of release %d: its proof is for %d, %v", d.Index, p.Index, err)
	}
}

// cosign lets the witness see the checkpoint.
func (s *server) cosign(t *testing.T) {
	t.Helper()
	signed, err := s.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	cosigned, err := note.Sign(&note.Note{Text: string(text) + "\n"}, s.house.witness)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := s.post(t, "v1/cosignatures", "text/plain", cosigned); status != http.StatusOK {
		t.Fatalf("cosignatures: %d %s", status, answer)
	}
}

// verify wants a reader to get a release whole.
func (s *server) verify(t *testing.T, d *draft) {
	t.Helper()
	taken, err := s.Verify(t.Context(), release.Client{Trust: s.house.trust})
	if err != nil || !bytes.Equal(taken.Note, d.note) {
		t.Fatalf("in force is release %d, want %d; %v", taken.Release.Index, d.Index, err)
	}
	for _, f := range slices.Concat(d.blobs, d.deltas, []file{{"v1/filters", d.blobs[3].data}}) {
		if got, err := s.Read(t.Context(), f.name, 1<<20); err != nil || !bytes.Equal(got, f.data) {
			t.Fatalf("%s: %d bytes, %v", f.name, len(got), err)
		}
	}
}

// check wants the log whole, bit by bit, and returns its entries.
func (s *server) check(t *testing.T) [][]byte {
	t.Helper()
	return logtest.Check(t, s.house.logVerifier, func(name string) ([]byte, error) {
		return s.Read(t.Context(), name, 1<<25)
	})
}

func TestPublish(t *testing.T) {
	h := newHouse(t)
	s := startWorker(t, h)
	if _, err := s.Answer(t.Context()); !errors.Is(err, reader.ErrNone) {
		t.Fatal(err)
	}
	zero := h.draft(t, 0, []string{"tracker.example"})
	s.push(t, zero)
	if _, err := s.Answer(t.Context()); !errors.Is(err, reader.ErrNone) {
		t.Fatalf("in force without a witness: %v", err)
	}
	s.push(t, zero)
	s.cosign(t)
	s.verify(t, zero)

	one := h.draft(t, 1, []string{"tracker.example", "pixel.example"}, zero)
	one.blobs = slices.Delete(one.blobs, 0, 1) // the server has the trust text
	s.push(t, one)
	one.blobs = h.draft(t, 1, []string{"tracker.example", "pixel.example"}).blobs
	s.verify(t, zero)
	s.cosign(t)
	s.verify(t, one)
	s.push(t, zero)
	s.push(t, one)
	s.verify(t, one)
	if entries := s.check(t); len(entries) != 2 {
		t.Errorf("%d entries", len(entries))
	}
	for path, want := range map[string]string{
		"healthz":                "release 1",
		"metrics":                "paravent_release_index 1",
		"?lang=en":               "pixel.example",
		"search?q=pixel.example": "pixel.example",
	} {
		if answer, err := s.Read(t.Context(), path, 1<<16); err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %s, %v", path, answer, err)
		}
	}
}

// TestSixteen lets sixteen push at once, each until its release is taken.
func TestSixteen(t *testing.T) {
	h := newHouse(t)
	s := startWorker(t, h)
	s.push(t, h.draft(t, 0, []string{"tracker.example"}))
	const pushers = 16
	var all sync.WaitGroup
	failed := make(chan error, pushers)
	for p := range pushers {
		all.Go(func() {
			for index := uint64(1); ; index++ {
				d := h.draft(t, index, []string{"tracker.example", fmt.Sprintf("host%d.example", p)})
				status, answer, err := s.tryPost(t, "v1/release", "application/x-tar", archive(d.files()...))
				if err == nil && status == http.StatusOK {
					return
				}
				winner := release.Release{}
				if err == nil && status == http.StatusConflict {
					winner, err = release.Read(answer)
				}
				if err != nil || winner.Index != index {
					failed <- fmt.Errorf("pusher %d: release %d: %d %s %w", p, index, status, answer, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	s.cosign(t)
	entries := s.check(t)
	if len(entries) != 1+pushers {
		t.Fatalf("%d entries", len(entries))
	}
	lists := map[string]bool{}
	for i, entry := range entries {
		r, err := release.Read(entry)
		if err != nil || r.Index != uint64(i) {
			t.Errorf("entry %d is release %d, %v", i, r.Index, err)
		}
		lists[r.List.SHA256] = true
	}
	if len(lists) != len(entries) {
		t.Errorf("%d lists in %d releases", len(lists), len(entries))
	}
	if taken, err := s.Verify(t.Context(), release.Client{Trust: h.trust}); err != nil || taken.Release.Index != pushers {
		t.Errorf("in force is release %d, %v", taken.Release.Index, err)
	}
}

// TestReplay takes the bucket back to what a killed push leaves: the head is
// swapped, and what comes after it is there in part or not at all.
func TestReplay(t *testing.T) {
	h := newHouse(t)
	s := startWorker(t, h)
	last := h.draft(t, 0, []string{"tracker.example"})
	s.push(t, last)
	s.cosign(t)
	for i, written := range [][]string{
		{"private/head"},
		{"private/head", "tile/0/000.p/3"},
		{"private/head", "tile/entries/000.p/4"},
		{"private/head", "tile/0/000.p/5", "tile/entries/000.p/5"},
	} {
		index := uint64(i + 1)
		next := h.draft(t, index, []string{"tracker.example", fmt.Sprintf("host%d.example", i)}, last)
		s.command("keep")
		s.push(t, next)
		s.command("crash " + strings.Join(slices.Concat(written, names(next.blobs), names(next.deltas)), " "))
		s.verify(t, last)
		if i%2 == 0 {
			// The pusher has no answer, and tries again.
			s.push(t, next)
		} else {
			// Somebody else comes first, and is told who has won.
			other := h.draft(t, index, []string{"other.example"})
			status, answer := s.post(t, "v1/release", "application/x-tar", archive(other.files()...))
			if status != http.StatusConflict || !bytes.Equal(answer, next.note) {
				t.Fatalf("%d %s", status, answer)
			}
		}
		s.cosign(t)
		s.verify(t, next)
		if entries := s.check(t); len(entries) != int(index)+1 || !bytes.Equal(entries[index], next.note) {
			t.Fatalf("%d entries", len(entries))
		}
		last = next
	}
}

func names(files []file) (names []string) {
	for _, f := range files {
		names = append(names, f.name)
	}
	return names
}

// TestLikeNative asks the Worker and the native server the same, in the same
// state.
func TestLikeNative(t *testing.T) {
	h := newHouse(t)
	worker, native := startWorker(t, h), startNative(t, h)
	zero := h.draft(t, 0, []string{"tracker.example"})
	one := h.draft(t, 1, []string{"tracker.example", "pixel.example"}, zero)

	type request struct {
		what, method, path, contentType string
		body                            []byte
		headers                         []string
	}
	// ask wants the same answer from both.
	ask := func(r request, want int) {
		t.Helper()
		var answers [2]string
		for i, s := range []*server{worker, native} {
			q, err := http.NewRequestWithContext(t.Context(), r.method, s.url+r.path, bytes.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Accept-Encoding", "identity")
			q.Header.Set("Content-Type", r.contentType)
			for pair := range slices.Chunk(r.headers, 2) {
				q.Header.Add(pair[0], pair[1])
			}
			a, err := transport.RoundTrip(q)
			if err != nil {
				t.Fatalf("%s: %v", r.what, err)
			}
			body, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil {
				t.Fatalf("%s: %v", r.what, err)
			}
			if a.StatusCode != want {
				t.Errorf("%s: server %d answers %d %s, want %d", r.what, i, a.StatusCode, body, want)
			}
			answers[i] = fmt.Sprint(a.StatusCode)
			for _, name := range []string{"Content-Type", "Cache-Control", "ETag", "X-Content-Type-Options", "Content-Encoding", "Allow"} {
				if name != "Content-Type" || a.StatusCode != http.StatusNotModified {
					answers[i] += fmt.Sprintf("\n%s: %s", name, a.Header.Get(name))
				}
			}
			answers[i] += "\n\n" + strings.ReplaceAll(string(body), s.url, "https://lists.example")
		}
		if answers[0] != answers[1] {
			t.Errorf("%s: the Worker answers\n%s\nthe native server\n%s", r.what, answers[0], answers[1])
		}
	}
	push := func(what string, want int, files ...file) {
		t.Helper()
		ask(request{what: what, method: "POST", path: "/v1/release", contentType: "application/x-tar", body: archive(files...)}, want)
	}
	changed := func(d *draft, change func(*draft), by ...note.Signer) *draft {
		c := *d
		c.blobs = slices.Clone(d.blobs)
		change(&c)
		c.sign(t, by...)
		return &c
	}
	both := []note.Signer{h.alice, h.bob}

	get := func(want int, path string, headers ...string) {
		t.Helper()
		for _, method := range []string{"GET", "HEAD"} {
			ask(request{what: method + " " + path, method: method, path: path, headers: headers}, want)
		}
	}
	for _, path := range []string{"/v1/release", "/v1/filters", "/checkpoint", "/tile/0/000.p/1", "/v1/blob/" + zero.List.SHA256} {
		get(404, path)
	}
	push("one signature", 403, changed(zero, func(*draft) {}, h.alice).files()...)
	push("no note", 400, zero.blobs...)
	push("no tar", 400)
	push("note too large", 413, file{"note", make([]byte, release.MaxNote+1)})
	push("not the first", 400, one.files()...)
	push("without its list", 422, slices.Concat(zero.files()[:2], zero.files()[3:])...)
	push("a blob changed", 422, changed(zero, func(d *draft) {
		d.blobs[1].data = bytes.Replace(d.list, []byte("tracker"), []byte("trocker"), 1)
	}, both...).files()...)
	push("another's blob", 422, slices.Concat(zero.files(), one.blobs[1:2])...)
	push("another bundle", 422, changed(zero, func(d *draft) {
		d.blobs[2] = one.blobs[2]
		d.Bundle = one.Bundle
	}, both...).files()...)
	push("a list that stops nothing", 422, h.draftOf(t, 0, "@@||good.example^\n").files()...)
	ask(request{what: "half a tar", method: "POST", path: "/v1/release", contentType: "application/x-tar", body: archive(zero.files()...)[:2000]}, 400)
	ask(request{what: "not a tar", method: "POST", path: "/v1/release", contentType: "text/plain", body: archive(zero.files()...)}, 415)
	get(404, "/v1/release")

	for _, d := range []*draft{zero, one} {
		push("good", 200, d.files()...)
		if d == zero {
			push("another of the same number", 409, changed(zero, func(d *draft) { d.WaitSeconds++ }, both...).files()...)
			push("a delta changed", 422, slices.Concat(one.files()[:5], []file{{one.deltas[0].name, append(bytes.Clone(one.deltas[0].data), 0)}})...)
			push("a delta from nowhere", 422, slices.Concat(one.files()[:5], []file{{"v1/delta/" + one.List.SHA256 + "/" + one.List.SHA256, one.deltas[0].data}})...)
			push("older than the last", 400, changed(one, func(d *draft) { d.Issued = d.Issued.Add(-time.Hour) }, both...).files()...)
		}
	}
	push("good, again", 200, one.files()...)
	push("wrong keys-since", 400, changed(one, func(d *draft) { d.Index, d.KeysSince = 2, 1 }, both...).files()...)

	cosign := func(what string, want int, body []byte) {
		t.Helper()
		ask(request{what: what, method: "POST", path: "/v1/cosignatures", contentType: "text/plain", body: body}, want)
	}
	signed, err := native.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(signed), "\n\n")
	cosigned := func(text string, by note.Signer) []byte {
		n, err := note.Sign(&note.Note{Text: text + "\n"}, by)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	cosign("no note", 400, []byte("nothing"))
	cosign("by nobody", 403, cosigned(text, h.alice))
	cosign("of another tree", 409, cosigned(strings.Replace(text, "\n2\n", "\n3\n", 1), h.witness))
	cosign("good", 200, cosigned(text, h.witness))

	for _, path := range []string{"/v1/release", "/v1/filters", "/checkpoint", "/tile/0/000.p/2", "/tile/entries/000.p/1", "/v1/blob/" + zero.List.SHA256, "/" + one.deltas[0].name} {
		get(200, path)
		get(200, path, "Range", "bytes=0-9")
	}
	body, err := one.Body()
	if err != nil {
		t.Fatal(err)
	}
	tag := `"` + release.DigestOf([]byte(body)).SHA256 + `"`
	get(304, "/v1/release", "If-None-Match", tag)
	get(304, "/v1/release", "If-None-Match", `"other"`, "If-None-Match", "W/"+tag)
	get(304, "/v1/release", "If-None-Match", "*")
	get(200, "/v1/release", "If-None-Match", `"other"`)
	get(304, "/v1/filters", "If-None-Match", `"`+one.Filters.SHA256+`"`)
	for _, path := range []string{"/", "/?lang=fr", "/search?q=pixel.example", "/healthz"} {
		get(200, path, "Accept-Language", "de, fr;q=0.7, en;q=0.3")
	}
	for _, path := range []string{"/private/head", "/v1/blob/short", "/tile/0/1", "/tile/64/000", "/v1/nothing", "/v1/blob/" + strings.Repeat("A", 64)} {
		get(404, path)
	}
	for _, path := range []string{"/v1/release", "/checkpoint", "/healthz"} {
		ask(request{what: "DELETE " + path, method: "DELETE", path: path}, 405)
	}
}
