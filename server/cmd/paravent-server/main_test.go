package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

// The keys of the tests, made of their names.
func newKey(t *testing.T, name string) (secret, public string) {
	t.Helper()
	secret, public, err := note.GenerateKey(strings.NewReader(name+strings.Repeat("-", 64)), name)
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

// trustAndKey writes the two files that a server needs to take releases.
func trustAndKey(t *testing.T) (trust, logKey string) {
	t.Helper()
	_, maintainer := newKey(t, "demo.maintainer")
	secret, public := newKey(t, "demo.log")
	dir := t.TempDir()
	trust, logKey = filepath.Join(dir, "trust.txt"), filepath.Join(dir, "log.key")
	for path, text := range map[string]string{
		trust:  "threshold 1\nmaintainer " + maintainer + "\nlog " + public + "\nquorum none\n",
		logKey: secret + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return trust, logKey
}

// put pushes a list with these photo rules to a server of the store.
func put(t *testing.T, dir string, photos ...string) release.Release {
	t.Helper()
	text := []byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n" + strings.Join(photos, "\n") + "\n[hosts]\ntracker.example\n[rules]\n")
	bundle, err := compile.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	filters, err := compile.Filters(bundle)
	if err != nil {
		t.Fatal(err)
	}
	trustFile, logKey := trustAndKey(t)
	trust, err := os.ReadFile(trustFile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := publish.ReadNewest(t.Context(), s)
	if err != nil && err != publish.ErrEmpty {
		t.Fatal(err)
	}
	issued := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	r := release.Release{
		Issued: issued, Expires: issued.Add(time.Hour), WaitSeconds: 1, Source: strings.Repeat("5", 40), Trust: release.DigestOf(trust),
		List: release.DigestOf(text), Bundle: release.DigestOf(bundle), Filters: release.DigestOf(filters),
	}
	if err == nil {
		r.Index = newest.Index + 1
	}
	body, err := r.Body()
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := newKey(t, "demo.maintainer")
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: body}, signer)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Format: tar.FormatPAX}); err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	add("note", signed)
	for _, data := range [][]byte{trust, text, bundle, filters} {
		add("v1/blob/"+release.DigestOf(data).SHA256, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	server := start(t, "serve", "-store", dir, "-listen", "127.0.0.1:0", "-trust", trustFile, "-log-key", logKey)["lists"].(string)
	response, err := http.Post(server+"/v1/release", "application/x-tar", &b)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); response.StatusCode != 200 {
		t.Fatalf("%d %s %v", response.StatusCode, answer, err)
	}
	return r
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

func TestServe(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "||photos.localhost/*.jpg|")
	lists := start(t, "serve", "-store", dir, "-listen", "127.0.0.1:0")["lists"].(string)
	if status, _, answer := ask(t, "GET", lists, "/v1/release", ""); status != 200 || !strings.HasPrefix(answer, "paravent release 2\nindex 0\n") {
		t.Errorf("release: %d %s", status, answer)
	}
	if status, _, answer := ask(t, "POST", lists, "/gateway", ""); status != 404 {
		t.Errorf("a list server is no gateway: %d %s", status, answer)
	}
}

func TestDemoServesItsStore(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "||photos.localhost/*.jpg|")
	lists := start(t, "demo", "-port", "0", "-store", dir)["lists"].(string)
	if status, _, answer := ask(t, "GET", lists, "/v1/release", ""); status != 200 || !strings.Contains(answer, "index 0\n") {
		t.Errorf("with a store: %d %s", status, answer)
	}
	lists = start(t, "demo", "-port", "0")["lists"].(string)
	if status, _, answer := ask(t, "GET", lists, "/v1/release", ""); status != 404 || answer == "" {
		t.Errorf("without one: %d %s", status, answer)
	}
}

// The gateway follows the release in force, and keeps the last readable one.
func TestPhotoRules(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
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
	put(t, dir, "||a.example/photo/")
	want("release 0", true, false)
	put(t, dir, "||b.example/photo/")
	want("release 1", false, true)

	r := put(t, dir, "||a.example/photo/", "||b.example/photo/")
	name := "v1/blob/" + r.Bundle.SHA256
	good, _, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), name, good[:len(good)-1]); err != nil {
		t.Fatal(err)
	}
	want("release 2 with a damaged bundle", false, true)
	if n := strings.Count(log.String(), name); n != 1 {
		t.Errorf("the log names %s %d times: %s", name, n, log.String())
	}
	if err := s.Put(t.Context(), name, good); err != nil {
		t.Fatal(err)
	}
	want("release 2 repaired", true, true)
	if err := os.Truncate(filepath.Join(dir, "v1", "release"), 10); err != nil {
		t.Fatal(err)
	}
	want("half a release", true, true)
}

func TestExport(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	export := func() string {
		var stdout bytes.Buffer
		if err := run(t.Context(), []string{"export", "-store", dir, out}, &stdout, io.Discard); err != nil {
			t.Fatal(err)
		}
		return stdout.String()
	}
	err := run(t.Context(), []string{"export", "-store", dir, out}, io.Discard, io.Discard)
	if err == nil || err.Error() != "export: no release is in force yet" {
		t.Errorf("an empty store: %v", err)
	}
	put(t, dir, "||a.example/photo/")
	if got, want := export(), "9 files are new in "+out+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := export(), "0 files are new in "+out+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestVerbs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	trust, _ := trustAndKey(t)
	for _, c := range []struct{ args, out, err string }{
		{"", "paravent-server serve -store DIR", ""},
		{"help", "paravent-server demo [-port N]", ""},
		{"serve -h", "", ""},
		{"sevre", "", `unknown verb "sevre"`},
		{"serve", "", "needs -store DIR and -listen ADDR"},
		{"serve -store " + t.TempDir() + " -listen 127.0.0.1:x", "", "serve: listen tcp"},
		{"serve -store " + file + "/store -listen 127.0.0.1:0", "", file},
		{"serve -store a -listen b c", "", `serve: unexpected argument "c"`},
		{"serve -store a -listen b -trust c", "", "serve: -trust and -log-key go together: with both it takes releases, without it only serves them"},
		{"serve -store a -listen b -trust " + file + " -log-key " + file, "", "serve: " + file + `: trust: no line "threshold"`},
		{"serve -store a -listen b -trust " + trust + " -log-key " + trust, "", "serve: " + trust + `: is not a key made by "paravent key new": `},
		{"demo -trust a -log-key b", "", "demo: -trust and -log-key need -store DIR"},
		{"export -store a", "", "export: needs -store DIR and, last, OUT"},
		{"export out", "", "export: needs -store DIR and, last, OUT"},
		{"export -store a b c", "", `export: unexpected argument "c"`},
		{"export -store " + file + ".not out", "", "export: stat " + file + ".not: no such file or directory"},
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
