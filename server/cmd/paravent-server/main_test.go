package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/publish"
	"paravent/server/store"
)

// put publishes a list with these photo rules.
func put(t *testing.T, s *store.Store, photos ...string) release.Release {
	t.Helper()
	text := []byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n" +
		strings.Join(append(photos, ""), "\n") + "[hosts]\ntracker.example\n[rules]\n")
	bundle, err := compile.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	about := fmt.Sprintf(`{"list":{"size":%d,"sha256":%q},"bundle":{"size":%d,"sha256":%q}}`, len(text), store.Sum(text), len(bundle), store.Sum(bundle))
	dir := t.TempDir()
	for name, data := range map[string][]byte{"list.txt": text, "list.bundle": bundle, "about.json": []byte(about)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	secret, _, err := note.GenerateKey(rand.Reader, "demo.server")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	r, err := publish.Publish(s, dir, signer, time.Now(), publish.Options{WaitSeconds: 1, Valid: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newStore(t *testing.T) (*store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

// start runs a verb until the test ends, and returns the JSON of its ready
// line.
func start(t *testing.T, args ...string) (ready map[string]any) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, out, io.Discard)
		out.CloseWithError(err)
		ended <- err
	}()
	line, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v: %v", args, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%v does not end", args)
		}
	})
	return ready
}

// ask sends a request to an origin below .localhost, or to any other.
func ask(t *testing.T, method, origin, path, body string) (status int, contentType, answer string) {
	t.Helper()
	_, port, _ := strings.Cut(strings.TrimPrefix(origin, "http://"), ":")
	request, err := http.NewRequest(method, "http://127.0.0.1:"+port+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

func TestServeHasNoGatewayUnlessAsked(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "||photos.localhost/*.jpg|")
	const body = `{"url":"http://photos.localhost:1/a.jpg"}`
	plain := start(t, "serve", "-store", dir, "-listen", "127.0.0.1:0")["lists"].(string)
	if status, _, answer := ask(t, "GET", plain, "/v1/release", ""); status != 200 || !strings.HasPrefix(answer, "paravent release 1\nindex 1\n") {
		t.Errorf("release: %d %s", status, answer)
	}
	if status, _, answer := ask(t, "POST", plain, "/gateway", body); status != 404 {
		t.Errorf("gateway: %d %s", status, answer)
	}
	asked := start(t, "serve", "-gateway", "-store", dir, "-listen", "127.0.0.1:0")["lists"].(string)
	if status, _, _ := ask(t, "GET", asked, "/healthz", ""); status != 200 {
		t.Errorf("healthz beside the gateway: %d", status)
	}
	// Asked for, it is there, and never fetches from loopback.
	if status, _, answer := ask(t, "POST", asked, "/gateway", body); status != 403 || !strings.Contains(answer, "only https") {
		t.Errorf("gateway: %d %s", status, answer)
	}
}

func TestDemoFetchesPhotosOfItsRelease(t *testing.T) {
	s, dir := newStore(t)
	ready := start(t, "demo", "-port", "0", "-store", dir)
	photos := ready["recipients"].(map[string]any)["photos"].(string)
	board := func() string {
		_, _, record := ask(t, "GET", ready["board"].(string), "/api/record", "")
		return record
	}
	fetch := func(url string) (int, string, string) {
		return ask(t, "POST", ready["gateway"].(string), "/gateway", fmt.Sprintf(`{"url":%q}`, url))
	}
	_, _, page := ask(t, "GET", ready["site"].(string), "/oncologist/paris", "")
	from := strings.Index(page, photos)
	if from < 0 {
		t.Fatalf("no photo on the page: %.500s", page)
	}
	photo := page[from : from+strings.IndexAny(page[from:], "\" ")]

	if status, _, answer := fetch(photo); status != 403 {
		t.Errorf("before the first release: %d %s", status, answer)
	}
	if strings.Contains(board(), `"from":"gateway"`) {
		t.Error("a photo was fetched before the first release")
	}
	put(t, s, "||photos.localhost/*.jpg|")
	if status, contentType, answer := fetch(photo); status != 200 || contentType != "image/jpeg" {
		t.Errorf("%s: %d %s %.100s", photo, status, contentType, answer)
	}
	if record := board(); !strings.Contains(record, `"from":"gateway"`) {
		t.Errorf("the photo host did not hear from the gateway: %.2000s", record)
	}
	if status, _, answer := fetch(ready["recipients"].(map[string]any)["analytics"].(string) + "/a.jpg"); status != 403 {
		t.Errorf("another host: %d %s", status, answer)
	}
	if status, _, answer := ask(t, "GET", ready["lists"].(string), "/v1/release", ""); status != 200 || !strings.Contains(answer, "index 1\n") {
		t.Errorf("lists: %d %s", status, answer)
	}
}

func TestDemoWithoutStoreHasNeitherListsNorGateway(t *testing.T) {
	ready := start(t, "demo", "-port", "0")
	for origin, line := range map[string]string{"lists": "GET /v1/release", "gateway": "POST /gateway"} {
		method, path, _ := strings.Cut(line, " ")
		if status, _, answer := ask(t, method, ready[origin].(string), path, "{}"); status != 404 || answer == "" {
			t.Errorf("%s: %d %s", line, status, answer)
		}
	}
}

// The gateway follows the release in force, and keeps the last readable one.
func TestPhotoRules(t *testing.T) {
	s, dir := newStore(t)
	var log bytes.Buffer
	allow := photoRules(s, slog.New(slog.NewTextHandler(&log, nil)))
	const a, b = "https://a.example/photo/1.jpg", "https://b.example/photo/1.jpg"
	want := func(when string, wantA, wantB bool) {
		t.Helper()
		if gotA, gotB := allow(a), allow(b); gotA != wantA || gotB != wantB {
			t.Errorf("%s: a %v, b %v", when, gotA, gotB)
		}
	}
	want("no release", false, false)
	put(t, s, "||a.example/photo/")
	want("release 1", true, false)
	put(t, s, "||b.example/photo/")
	want("release 2", false, true)

	r := put(t, s, "||a.example/photo/", "||b.example/photo/")
	bundle := s.BlobPath(r.Bundle.SHA256)
	good, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bundle, good[:len(good)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	want("release 3 with a damaged bundle", false, true)
	if n := strings.Count(log.String(), bundle); n != 1 {
		t.Errorf("the log names %s %d times: %s", bundle, n, log.String())
	}
	if err := os.WriteFile(bundle, good, 0o644); err != nil {
		t.Fatal(err)
	}
	want("release 3 repaired", true, true)
	if err := os.Truncate(filepath.Join(dir, "head"), 10); err != nil {
		t.Fatal(err)
	}
	want("half a head", true, true)
}

func TestVerbs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, out, err string }{
		{"", "paravent-server serve -store DIR", ""},
		{"help", "paravent-server demo [-port N]", ""},
		{"serve -h", "", ""},
		{"sevre", "", `unknown verb "sevre"`},
		{"serve", "", "needs -store DIR and -listen ADDR"},
		{"serve -store " + t.TempDir() + " -listen 127.0.0.1:x", "", "serve: listen tcp"},
		{"serve -store " + file + "/store -listen 127.0.0.1:0", "", file},
		{"serve -store a -listen b c", "", `unexpected argument "c"`},
		{"demo 8480", "", `unexpected argument "8480"`},
		{"demo -port 0 -store " + file, "", file},
		{"demo -loud", "", "flag provided but not defined: -loud"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), strings.Fields(c.args), &out, io.Discard)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || !strings.Contains(out.String(), c.out) {
			t.Errorf("%q: %q, %v", c.args, out.String(), err)
		}
	}
}
