package publish_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paravent/server/publish"
	"paravent/server/store"
)

// serve starts a handler on a real socket. log returns what it has logged.
func serve(t testing.TB, s *store.Store) (origin string, log func() string) {
	t.Helper()
	var lines lockedBuffer
	server := httptest.NewServer(publish.Handler(s, slog.New(slog.NewTextHandler(&lines, nil))))
	t.Cleanup(server.Close)
	return server.URL, lines.String
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

func TestRequests(t *testing.T) {
	s, _ := newStore(t)
	origin, log := serve(t, s)
	listDir := t.TempDir()
	buildList(t, listDir, "requests", 500)

	before, _ := ask(t, origin, "GET /v1/release")
	unhealthy, _ := ask(t, origin, "GET /healthz")
	if before.StatusCode != 404 || unhealthy.StatusCode != 503 {
		t.Errorf("before the first release: %d, healthz %d", before.StatusCode, unhealthy.StatusCode)
	}
	r, err := publish.Publish(s, listDir, signer, now, options)
	if err != nil {
		t.Fatal(err)
	}
	noteBytes, _, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Blob(r.List.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, _ := strings.Cut(string(noteBytes), "\n\n")
	etag := `"` + store.Sum([]byte(signed+"\n")) + `"`
	const (
		fresh   = "Cache-Control: no-cache"
		forever = "Cache-Control: public, max-age=31536000, immutable"
	)
	blob := "/v1/blob/" + r.List.SHA256
	release, text := "ETag: "+etag, string(noteBytes)
	for _, c := range []struct {
		line    string
		headers []string
		status  int
		body    string   // "*": any
		answer  []string // headers; "Name: " must be absent
	}{
		{"GET /v1/release", nil, 200, text, []string{release, fresh, "Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff", "Set-Cookie: ", "Last-Modified: ", "Access-Control-Allow-Origin: "}},
		{"HEAD /v1/release", nil, 200, "", []string{release, fmt.Sprintf("Content-Length: %d", len(text))}},
		{"GET /v1/release", []string{"If-None-Match: " + etag}, 304, "", []string{release, fresh}},
		{"HEAD /v1/release", []string{"If-None-Match: " + etag}, 304, "", []string{release}},
		{"GET /v1/release", []string{"If-None-Match: W/" + etag}, 304, "", nil},
		{"GET /v1/release", []string{"If-None-Match: *"}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a", ` + etag}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a"`, "If-None-Match: " + etag}, 304, "", nil},
		{"GET /v1/release", []string{`If-None-Match: "a"`}, 200, text, []string{release}},
		{"GET /v1/release", []string{"If-None-Match: " + strings.Trim(etag, `"`)}, 200, text, nil},
		{"GET /v1/release?who=patient", nil, 200, text, []string{release}},
		{"POST /v1/release", nil, 405, "*", []string{"Allow: GET, HEAD"}},
		{"DELETE /v1/release", nil, 405, "*", nil},
		{"GET /v1/release/", nil, 404, "*", nil},

		{"GET " + blob, nil, 200, string(list), []string{forever, "Content-Encoding: ", "Vary: Accept-Encoding", "Content-Type: application/octet-stream", "X-Content-Type-Options: nosniff", "ETag: "}},
		{"HEAD " + blob, nil, 200, "", []string{forever, fmt.Sprintf("Content-Length: %d", len(list))}},
		{"GET " + blob, []string{"Accept-Encoding: gzip"}, 200, "gzip", []string{forever, "Content-Encoding: gzip", "Vary: Accept-Encoding"}},
		{"GET " + blob, []string{"Accept-Encoding: br, GZIP;q=0.5"}, 200, "gzip", []string{"Content-Encoding: gzip"}},
		{"GET " + blob, []string{"Accept-Encoding: br", "Accept-Encoding: gzip"}, 200, "gzip", nil},
		{"GET " + blob, []string{"Accept-Encoding: *"}, 200, "gzip", nil},
		{"GET " + blob, []string{"Accept-Encoding: *, gzip;q=0"}, 200, string(list), nil},
		{"GET " + blob, []string{"Accept-Encoding: gzip;q=0, *"}, 200, string(list), nil},
		{"GET " + blob, []string{"Accept-Encoding: gzip; q=x"}, 200, string(list), nil},
		{"GET " + blob, []string{"Accept-Encoding: gzipped, br"}, 200, string(list), nil},
		{"PUT " + blob, nil, 405, "*", []string{"Allow: GET, HEAD"}},
		{"GET /v1/blob/" + r.Bundle.SHA256, nil, 200, "*", []string{forever, fmt.Sprintf("Content-Length: %d", r.Bundle.Size)}},
		{"GET /v1/blob/" + strings.ToUpper(r.List.SHA256), nil, 404, "no such blob\n", []string{"Cache-Control: no-store"}},
		{"GET /v1/blob/" + strings.Repeat("0", 64), nil, 404, "no such blob\n", []string{"Cache-Control: no-store"}},
		{"GET /v1/blob/..%2fhead", nil, 404, "no such blob\n", nil},
		{"GET /v1/blob/.new-1", nil, 404, "no such blob\n", nil},
		{"GET /v1/blob/", nil, 404, "*", nil},
		{"GET /v1/blob/" + r.List.SHA256 + "/", nil, 404, "*", nil},

		{"GET /healthz", nil, 200, "ok\nrelease 1\n", []string{"Cache-Control: no-store"}},
		{"HEAD /healthz", nil, 200, "", nil},
		{"POST /healthz", nil, 405, "*", nil},
		{"GET /", nil, 404, "*", nil},
		{"GET /head", nil, 404, "*", nil},
		{"POST /gateway", nil, 404, "*", nil},
	} {
		response, body := ask(t, origin, c.line, c.headers...)
		name := c.line + " " + strings.Join(c.headers, ", ")
		if c.body == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, list) {
				t.Errorf("%s: not the list: %v", name, err)
			}
		} else if c.body != "*" && body != c.body {
			t.Errorf("%s: got %.100q, want %.100q", name, body, c.body)
		}
		if response.StatusCode != c.status {
			t.Errorf("%s: got %d, want %d", name, response.StatusCode, c.status)
		}
		for _, h := range c.answer {
			header, want, _ := strings.Cut(h, ": ")
			if got := response.Header.Get(header); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, header, got, want)
			}
		}
	}
	if lines := strings.TrimSpace(log()); strings.Count(lines, "\n") != 0 || !strings.Contains(lines, store.ErrEmpty.Error()) {
		t.Errorf("more is logged than that the store was empty: %s", lines)
	}
}

// A new release counts at once, and what was valid a moment ago no longer is.
func TestNewReleaseIsServedAtOnce(t *testing.T) {
	s, _ := newStore(t)
	origin, _ := serve(t, s)
	listDir, etag := t.TempDir(), `"none"`
	for i := range 6 {
		buildList(t, listDir, fmt.Sprintf("new%d", i), 10)
		r, err := publish.Publish(s, listDir, signer, now, options)
		if err != nil {
			t.Fatal(err)
		}
		response, body := ask(t, origin, "GET /v1/release", "If-None-Match: "+etag)
		if response.StatusCode != 200 || !strings.Contains(body, fmt.Sprintf("index %d\n", r.Index)) {
			t.Fatalf("release %d: %d %s", r.Index, response.StatusCode, body)
		}
		etag = response.Header.Get("ETag")
		if response, body := ask(t, origin, "GET /v1/blob/"+r.List.SHA256); response.StatusCode != 200 || store.Sum([]byte(body)) != r.List.SHA256 {
			t.Errorf("release %d: list: %d %.100q", r.Index, response.StatusCode, body)
		}
	}
}

// Bytes that do not match their name are never sent, whether they were served
// before or not, and are again once they match.
func TestDamageIsNeverServed(t *testing.T) {
	s, dir := newStore(t)
	listDir := t.TempDir()
	buildList(t, listDir, "damage", 200)
	r, err := publish.Publish(s, listDir, signer, now, options)
	if err != nil {
		t.Fatal(err)
	}
	path := s.BlobPath(r.List.SHA256)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		data := bytes.Clone(good)
		data[at] ^= 0x40
		return data
	}
	// Files written within one tick of the clock look alike to the handler, so
	// each gets a time of its own, as files that a human or a disk damages have.
	at := now
	write := func(data []byte) {
		at = at.Add(time.Second)
		if err := errors.Join(os.WriteFile(path, data, 0o644), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, servedBefore := range []bool{true, false} {
		origin, log := serve(t, s)
		for _, c := range []struct {
			name string
			data []byte
		}{{"first byte", flip(0)}, {"last byte", flip(len(good) - 1)}, {"cut short", good[:len(good)-1]}, {"longer", append(bytes.Clone(good), '\n')}, {"empty", nil}} {
			if servedBefore {
				if response, body := ask(t, origin, "GET /v1/blob/"+r.List.SHA256); response.StatusCode != 200 || body != string(good) {
					t.Fatalf("the good blob: %d", response.StatusCode)
				}
			}
			had := strings.Count(log(), path)
			write(c.data)
			for _, encoding := range []string{"gzip", "identity"} {
				response, body := ask(t, origin, "GET /v1/blob/"+r.List.SHA256, "Accept-Encoding: "+encoding)
				if response.StatusCode != 500 || len(body) > 100 || response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Content-Encoding") != "" {
					t.Errorf("%s: %d %v %.100q", c.name, response.StatusCode, response.Header, body)
				}
				if strings.Contains(body, dir) {
					t.Errorf("%s: the answer shows a path of the server: %s", c.name, body)
				}
			}
			if response, _ := ask(t, origin, "GET /healthz"); response.StatusCode != 503 {
				t.Errorf("%s: healthz says %d", c.name, response.StatusCode)
			}
			if n := strings.Count(log(), path); n != had+3 {
				t.Errorf("%s: the log names %s %d times, want 3: %s", c.name, path, n-had, log())
			}
			// The release itself is still there, and the bundle.
			if response, _ := ask(t, origin, "GET /v1/release"); response.StatusCode != 200 {
				t.Errorf("%s: release: %d", c.name, response.StatusCode)
			}
			write(good)
		}
		if response, body := ask(t, origin, "GET /v1/blob/"+r.List.SHA256); response.StatusCode != 200 || body != string(good) {
			t.Errorf("the repaired blob: %d", response.StatusCode)
		}
	}

	origin, log := serve(t, s)
	head := filepath.Join(dir, "head")
	if err := os.Truncate(head, 50); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/release", "/healthz"} {
		response, body := ask(t, origin, "GET "+path)
		if response.StatusCode/100 != 5 || strings.Contains(body, "paravent release") {
			t.Errorf("%s with half a head: %d %s", path, response.StatusCode, body)
		}
	}
	if !strings.Contains(log(), head) {
		t.Errorf("the log does not name %s: %s", head, log())
	}
	if _, err := publish.Publish(s, listDir, signer, now, options); err == nil || !strings.Contains(err.Error(), head) {
		t.Errorf("publishing over half a head: %v", err)
	}
}

// Many readers at once get the right bytes while releases come and go.
func TestManyReaders(t *testing.T) {
	s, _ := newStore(t)
	origin, log := serve(t, s)
	listDir := t.TempDir()
	var sums []string
	for i := range 6 { // more than the handler keeps
		buildList(t, listDir, fmt.Sprintf("many%d", i), 100*(i+1))
		r, err := publish.Publish(s, listDir, signer, now, options)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, r.List.SHA256, r.Bundle.SHA256)
	}
	var wait sync.WaitGroup
	for reader := range 8 {
		wait.Go(func() {
			for i := range 60 {
				sum := sums[(i*(reader+1))%len(sums)]
				response, err := http.Get(origin + "/v1/blob/" + sum) // decompresses
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != 200 || store.Sum(body) != sum {
					t.Errorf("blob %s: %d, %v", sum, response.StatusCode, err)
				}
			}
		})
	}
	wait.Wait()
	if log() != "" {
		t.Error(log())
	}
}
