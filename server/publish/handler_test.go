package publish_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paravent/lists/release"
	"paravent/server/publish"
	"paravent/server/store/storetest"
)

// manyHosts is long enough for gzip to shorten it.
func manyHosts() (hosts []string) {
	for i := range 500 {
		hosts = append(hosts, fmt.Sprintf("host%03d.tracker.example", i))
	}
	return hosts
}

func TestReads(t *testing.T) {
	w := newWorld(t, newDir(t))
	w.options.Page = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) })
	w.serve()
	l := build(t, manyHosts()...)
	w.release(0, l)
	w.cosign(w.w1, w.w2)
	newest, err := publish.ReadNewest(t.Context(), w.store)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := release.Text(newest.Note)
	if err != nil {
		t.Fatal(err)
	}
	etag := `"` + release.DigestOf([]byte(signed)).SHA256 + `"`
	const (
		fresh   = "Cache-Control: no-cache"
		forever = "Cache-Control: public, max-age=31536000, immutable"
		octets  = "Content-Type: application/octet-stream"
		plain   = "Content-Type: text/plain; charset=utf-8"
		nosniff = "X-Content-Type-Options: nosniff"
	)
	sum := release.DigestOf(l.list).SHA256
	blob, list := "/v1/blob/"+sum, string(l.list)
	tag, text := "ETag: "+etag, string(newest.Answer)
	for _, c := range []struct {
		line    string
		headers []string
		status  int
		body    string   // "*": any; "gzip": the list, packed
		answer  []string // headers; "Name: " must be absent
	}{
		{"GET /v1/release", nil, 200, text, []string{tag, fresh, plain, nosniff, "Set-Cookie: ", "Last-Modified: ", "Access-Control-Allow-Origin: "}},
		{"HEAD /v1/release", nil, 200, "", []string{tag, fmt.Sprintf("Content-Length: %d", len(text))}},
		{"GET /v1/release", []string{"If-None-Match: " + etag}, 304, "", []string{tag, fresh}},
		{"HEAD /v1/release", []string{"If-None-Match: " + etag}, 304, "", []string{tag}},
		{"GET /v1/release", []string{"If-None-Match: W/" + etag}, 304, "", nil},
		{"GET /v1/release", []string{"If-None-Match: *"}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a", ` + etag}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a"`, "If-None-Match: " + etag}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a"`}, 200, text, []string{tag}},
		{"GET /v1/release", []string{"If-None-Match: " + strings.Trim(etag, `"`)}, 200, text, nil},
		{"GET /v1/release", []string{"Range: bytes=0-9"}, 200, text, nil},
		{"GET /v1/release?who=patient", nil, 200, text, []string{tag}},
		{"DELETE /v1/release", nil, 405, "*", nil},
		{"GET /v1/release/", nil, 404, "*", nil},

		{"GET " + blob, nil, 200, list, []string{forever, "Content-Encoding: ", "Vary: Accept-Encoding", octets, nosniff, "ETag: "}},
		{"HEAD " + blob, nil, 200, "", []string{forever, fmt.Sprintf("Content-Length: %d", len(list))}},
		{"GET " + blob, []string{"Accept-Encoding: gzip"}, 200, "gzip", []string{forever, "Content-Encoding: gzip", "Vary: Accept-Encoding", octets}},
		{"GET " + blob, []string{"Accept-Encoding: br, GZIP;q=0.5"}, 200, "gzip", []string{"Content-Encoding: gzip"}},
		{"GET " + blob, []string{"Accept-Encoding: br", "Accept-Encoding: gzip"}, 200, "gzip", nil},
		{"GET " + blob, []string{"Accept-Encoding: *"}, 200, "gzip", nil},
		{"GET " + blob, []string{"Accept-Encoding: *, gzip;q=0"}, 200, list, nil},
		{"GET " + blob, []string{"Accept-Encoding: gzip;q=0, *"}, 200, list, nil},
		{"GET " + blob, []string{"Accept-Encoding: gzip; q=x"}, 200, list, nil},
		{"GET " + blob, []string{"Accept-Encoding: gzipped, br"}, 200, list, nil},
		{"GET " + blob, []string{"Range: bytes=0-9"}, 200, list, nil},
		{"PUT " + blob, nil, 405, "*", []string{"Allow: GET, HEAD"}},
		{"GET /v1/blob/" + strings.ToUpper(sum), nil, 404, "no such object\n", []string{"Cache-Control: no-store"}},
		{"GET /v1/blob/" + strings.Repeat("0", 64), nil, 404, "no such object\n", []string{"Cache-Control: no-store"}},
		{"GET /v1/blob/..%2f..%2fprivate%2fhead", nil, 404, "no such object\n", nil},
		{"GET /v1/blob/", nil, 404, "*", nil},
		{"GET " + blob + "/", nil, 404, "*", nil},
		{"GET /v1/delta/" + sum + "/" + sum, nil, 404, "no such object\n", nil},
		{"GET /v1/delta/" + sum + "/..", nil, 404, "*", nil},

		{"GET /v1/filters", nil, 200, string(l.filters), []string{fresh, octets, `ETag: W/"` + release.DigestOf(l.filters).SHA256 + `"`}},
		{"GET /v1/filters", []string{`If-None-Match: W/"` + release.DigestOf(l.filters).SHA256 + `"`}, 304, "", nil},

		{"GET /checkpoint", nil, 200, string(newest.Proof.Checkpoint), []string{fresh, plain, nosniff}},
		{"GET /tile/0/000.p/1", nil, 200, "*", []string{forever, octets, nosniff, "Content-Length: 32"}},
		{"GET /tile/entries/000.p/1", nil, 200, "*", []string{forever, octets, fmt.Sprintf("Content-Length: %d", 2+len(newest.Note))}},
		{"GET /tile/0/000.p/2", nil, 404, "no such object\n", []string{"Cache-Control: no-store"}},
		{"GET /tile/0/000", nil, 404, "no such object\n", nil},
		{"GET /tile/8/0/000", nil, 404, "no such object\n", nil},
		{"GET /tile/0/..%2f..%2fprivate%2fhead", nil, 404, "no such object\n", nil},
		{"GET /tile/", nil, 404, "no such object\n", nil},
		{"GET /private/head", nil, 404, "*", nil},

		{"GET /healthz", nil, 200, "ok\nrelease 0\n", []string{"Cache-Control: no-store"}},
		{"GET /", nil, 200, "page /", nil},
		{"GET /search?q=a.example", nil, 200, "page /search", nil},
		{"GET /other", nil, 404, "*", nil},
	} {
		response, body := ask(t, w.origin, c.line, c.headers...)
		want := c.body
		if want == "gzip" {
			if len(body) >= len(list) {
				t.Errorf("%s %q: %d bytes packed, %d not", c.line, c.headers, len(body), len(list))
			}
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Errorf("%s %q: %v", c.line, c.headers, err)
				continue
			}
			unpacked, _ := io.ReadAll(z)
			body, want = string(unpacked), list
		}
		if response.StatusCode != c.status || want != "*" && body != want {
			t.Errorf("%s %q: %d %.100q, want %d %.100q", c.line, c.headers, response.StatusCode, body, c.status, want)
		}
		for _, h := range c.answer {
			name, value, _ := strings.Cut(h, ": ")
			if got := response.Header.Get(name); got != value {
				t.Errorf("%s %q: %s: %q, want %q", c.line, c.headers, name, got, value)
			}
		}
	}
	if lines := w.lines.String(); lines != "" {
		t.Errorf("logged: %s", lines)
	}
}

// The ETag is made of the signed text alone: signatures, which a server could
// add for each reader, and cosignatures, which come later, leave it as it is.
func TestETagTellsReadersNothing(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	l := build(t, "a.tracker.example")
	r := w.draft(0, l)
	marked := w.sign(r, w.a, w.b, newKey(t, "reader-1234.example"))
	if status, answer := w.push(w.pushFiles(marked, l)...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	body, err := r.Body()
	if err != nil {
		t.Fatal(err)
	}
	want := `"` + release.DigestOf([]byte(body)).SHA256 + `"`
	for _, witness := range []key{w.w1, w.w2} {
		w.cosign(witness)
		response, _ := ask(t, w.origin, "GET /v1/release")
		if got := response.Header.Get("ETag"); response.StatusCode != 200 || got != want {
			t.Errorf("ETag %s, want %s", got, want)
		}
		if response, _ := ask(t, w.origin, "GET /v1/release", "If-None-Match: "+want); response.StatusCode != 304 {
			t.Errorf("%d", response.StatusCode)
		}
	}
}

func TestMetricsNameRoutesAndNobody(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	l := build(t, "a.tracker.example")
	ask(t, w.origin, "GET /v1/release")
	w.release(0, l)
	w.cosign(w.w1)
	ask(t, w.origin, "GET /v1/release?patient=1234")
	ask(t, w.origin, "GET /v1/blob/"+strings.Repeat("0", 64))
	ask(t, w.origin, "GET /v1/blob/"+strings.Repeat("1", 64), "User-Agent: patient-1234")
	ask(t, w.origin, "GET /patient/1234")
	w.release(1, l)
	_, got := ask(t, w.origin, "GET /metrics")
	const want = `# HELP paravent_requests_total Requests answered, by route and status.
# TYPE paravent_requests_total counter
paravent_requests_total{route="GET /checkpoint",status="200"} 1
paravent_requests_total{route="GET /v1/blob/{sha256}",status="404"} 2
paravent_requests_total{route="GET /v1/release",status="200"} 1
paravent_requests_total{route="GET /v1/release",status="404"} 1
paravent_requests_total{route="POST /v1/cosignatures",status="200"} 1
paravent_requests_total{route="POST /v1/release",status="200"} 2
paravent_requests_total{route="other",status="404"} 1
# HELP paravent_log_size Releases in the log, also those that wait for witnesses.
# TYPE paravent_log_size gauge
paravent_log_size 2
# HELP paravent_release_index Number of the release in force.
# TYPE paravent_release_index gauge
paravent_release_index 0
# HELP paravent_release_age_seconds Time since the release in force was issued.
# TYPE paravent_release_age_seconds gauge
paravent_release_age_seconds 3600
# HELP paravent_release_expires_seconds Time until readers call the release in force stale.
# TYPE paravent_release_expires_seconds gauge
paravent_release_expires_seconds 2588400
`
	if got != want {
		t.Errorf("%s", got)
	}
}

// Bytes that are not what their name says are never sent, and the log says
// what to do.
func TestDamagedStore(t *testing.T) {
	dir := newDir(t)
	w := newWorld(t, dir).serve()
	if response, body := ask(t, w.origin, "GET /healthz"); response.StatusCode != 200 || body != "ok\nno release in force yet\n" {
		t.Errorf("before the first release: %d %s", response.StatusCode, body)
	}
	l := build(t, manyHosts()...)
	w.release(0, l)
	w.cosign(w.w1)
	sum := release.DigestOf(l.list).SHA256
	path := filepath.Join(dir.Root(), "v1", "blob", sum)
	if response, _ := ask(t, w.origin, "GET /v1/blob/"+sum); response.StatusCode != 200 {
		t.Fatal(response.Status)
	}
	spoiled := bytes.Clone(l.list)
	spoiled[100] ^= 1
	if err := os.WriteFile(path, spoiled, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		{"GET /v1/blob/" + sum, "500 the server's store is damaged; its log names the object\n"},
		{"GET /healthz", "503 not healthy; the log names the reason\n"},
		{"GET /v1/release", "200 " + string(w.verified().Note)},
	} {
		response, body := ask(t, w.origin, c.line)
		if got := fmt.Sprintf("%d %s", response.StatusCode, body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", c.line, got)
		}
	}
	said := "v1/blob/" + sum + ": its bytes have the SHA-256 " + release.DigestOf(spoiled).SHA256 + "; push a release with it again to repair it"
	if lines := w.lines.String(); !strings.Contains(lines, said) {
		t.Errorf("logged: %s", lines)
	}
	// A push that brings it heals it.
	w.release(1, l)
	if response, body := ask(t, w.origin, "GET /v1/blob/"+sum); response.StatusCode != 200 || body != string(l.list) {
		t.Errorf("healed: %d", response.StatusCode)
	}
	if err := os.Truncate(filepath.Join(dir.Root(), "v1", "release"), 300); err != nil {
		t.Fatal(err)
	}
	w.listen()
	if response, body := ask(t, w.origin, "GET /v1/release"); response.StatusCode != 500 {
		t.Errorf("half a release: %d %s", response.StatusCode, body)
	}
	if response, _ := ask(t, w.origin, "GET /healthz"); response.StatusCode != 503 {
		t.Errorf("half a release: %d", response.StatusCode)
	}
	if err := publish.Replay(t.Context(), w.options); err == nil || !strings.HasPrefix(err.Error(), "v1/release: ") || !strings.HasSuffix(err.Error(), "; restore it from a copy") {
		t.Errorf("%v", err)
	}
}

// A server without a log's key serves and takes nothing.
func TestServerThatOnlyReads(t *testing.T) {
	w := newWorld(t, newDir(t)).serve()
	n := w.release(0, build(t, "a.tracker.example"))
	w.cosign(w.w1)
	w.options.LogKey = nil
	w.listen()
	if taken := w.verified(); !bytes.Equal(taken.Note, n) {
		t.Errorf("%+v", taken)
	}
	for _, path := range []string{"/v1/release", "/v1/cosignatures"} {
		response, err := http.Post(w.origin+path, "application/x-tar", bytes.NewReader(pack(t, file{"note", n})))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 405 && response.StatusCode != 404 {
			t.Errorf("POST %s: %d", path, response.StatusCode)
		}
	}
}

// An exported copy is a list server: all that a reader asks for is in it.
func TestExport(t *testing.T) {
	dir, out := newDir(t), t.TempDir()
	if _, err := publish.Export(t.Context(), dir, out); err == nil || err.Error() != "export: no release is in force yet" {
		t.Errorf("%v", err)
	}
	// So many releases take long on a disk that syncs each: they are copied.
	var memory storetest.Memory
	w := newWorld(t, &memory).serve()
	first := build(t, "a.tracker.example")
	second := build(t, "a.tracker.example", "b.tracker.example")
	w.release(0, first)
	for i := uint64(1); i <= 257; i++ {
		r := w.draft(i, first)
		if status, answer := w.push(file{"note", w.sign(r, w.a, w.b)}); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	delta, err := release.Delta(first.list, second.list)
	if err != nil {
		t.Fatal(err)
	}
	deltaName := "v1/delta/" + release.DigestOf(first.list).SHA256 + "/" + release.DigestOf(second.list).SHA256
	n := w.sign(w.draft(258, second), w.a, w.b)
	if status, answer := w.push(w.pushFiles(n, second, file{deltaName, delta})...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	w.cosign(w.w1)
	for name, data := range memory.Objects() {
		path := filepath.Join(dir.Root(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := publish.Export(t.Context(), dir, out)
	if err != nil {
		t.Fatal(err)
	}
	// A second run finds nothing to do.
	if again, err := publish.Export(t.Context(), dir, out); again != 0 || err != nil {
		t.Errorf("%d, %v", again, err)
	}
	files := map[string]bool{}
	filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(out, path)
			files[filepath.ToSlash(name)] = true
		}
		return err
	})
	if len(files) != written {
		t.Errorf("%d files, %d written", len(files), written)
	}
	for name, wanted := range map[string]bool{
		"v1/release": true, "v1/filters": true, "checkpoint": true, deltaName: true,
		"tile/0/000": true, "tile/0/001.p/3": true, "tile/1/000.p/1": true, "tile/entries/000": true, "tile/entries/001.p/3": true,
		"tile/0/000.p/7": false, "tile/entries/000.p/255": false, "private/head": false,
	} {
		if files[name] != wanted {
			t.Errorf("%s is there: %v", name, files[name])
		}
	}
	for name := range files {
		if strings.HasPrefix(name, "private") || strings.Contains(name, "/.") {
			t.Errorf("%s is in the export", name)
		}
	}
	answer, err := os.ReadFile(filepath.Join(out, "v1", "release"))
	if err != nil {
		t.Fatal(err)
	}
	taken, err := release.Verify(answer, release.Client{Trust: w.trust}, func(path string, limit int64) ([]byte, error) {
		return os.ReadFile(filepath.Join(out, path))
	})
	if err != nil || taken.Release.Index != 258 {
		t.Errorf("%+v, %v", taken, err)
	}
}
