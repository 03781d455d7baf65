package publish_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
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

// The key that every test here signs with, and the trust in it.
var (
	signer note.Signer
	trust  release.Trust
)

func init() {
	secret, public, err := note.GenerateKey(bytes.NewReader(make([]byte, ed25519.SeedSize)), "demo.publish")
	if err == nil {
		signer, err = note.NewSigner(secret)
	}
	if err == nil {
		trust, err = release.ParseTrust("threshold 1\nmaintainer " + public + "\n")
	}
	if err != nil {
		panic(err)
	}
}

var (
	now     = time.Date(2026, 11, 22, 7, 0, 0, 123456789, time.FixedZone("CET", 3600))
	options = publish.Options{WaitSeconds: 900, Valid: 30 * 24 * time.Hour}
)

// buildList writes the files of a list of so many hosts into dir.
func buildList(t testing.TB, dir, word string, hosts int) {
	t.Helper()
	var text strings.Builder
	text.WriteString("paravent list 1\n[sites]\nclinic.example\tClinic\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n")
	for i := range hosts {
		fmt.Fprintf(&text, "t%06d.%s.example\n", i, word)
	}
	text.WriteString("[rules]\n")
	buildListOf(t, dir, []byte(text.String()))
}

func buildListOf(t testing.TB, dir string, list []byte) {
	t.Helper()
	bundle, err := compile.Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	type digest struct {
		Size   int    `json:"size"`
		SHA256 string `json:"sha256"`
	}
	about, err := json.Marshal(map[string]any{
		"list":   digest{len(list), store.Sum(list)},
		"bundle": digest{len(bundle), store.Sum(bundle)},
		"counts": map[string]int{"hosts": 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"list.txt": list, "list.bundle": bundle, "about.json": about} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// holds fails the test unless the store has a release that a reader would take
// in every respect, and returns it.
func holds(t testing.TB, s *store.Store) release.Release {
	t.Helper()
	noteBytes, _, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	r, err := release.Verify(noteBytes, trust, 0)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Blob(r.List.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := compile.Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(list)) != r.List.Size || int64(len(bundle)) != r.Bundle.Size || store.Sum(bundle) != r.Bundle.SHA256 {
		t.Fatalf("release %d does not name what its list compiles to", r.Index)
	}
	if served, err := s.Blob(r.Bundle.SHA256); err != nil || !bytes.Equal(served, bundle) {
		t.Fatalf("release %d: bundle: %v", r.Index, err)
	}
	return r
}

func newStore(t testing.TB) (*store.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestPublish(t *testing.T) {
	s, _ := newStore(t)
	listDir := t.TempDir()
	for i := range uint64(3) {
		buildList(t, listDir, fmt.Sprintf("list%d", i), 10)
		r, err := publish.Publish(s, listDir, signer, now, options)
		if err != nil {
			t.Fatal(err)
		}
		if got := holds(t, s); got != r || r.Index != i+1 {
			t.Fatalf("published %+v, the store holds %+v", r, got)
		}
		if r.Issued.Format(time.RFC3339) != "2026-11-22T06:00:00Z" || r.Expires.Format(time.RFC3339) != "2026-12-22T06:00:00Z" || r.WaitSeconds != 900 {
			t.Errorf("published %+v", r)
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	s, _ := newStore(t)
	good := t.TempDir()
	buildList(t, good, "good", 10)
	if _, err := publish.Publish(s, good, signer, now, options); err != nil {
		t.Fatal(err)
	}
	before, _, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string, spoil func(path string) error) func(dir string) error {
		return func(dir string) error { return spoil(filepath.Join(dir, name)) }
	}
	truncate := func(path string) error { return os.Truncate(path, 0) }
	flip := func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(path, data, 0o644)
	}
	list := func(text string) func(dir string) error {
		return func(dir string) error { buildListOf(t, dir, []byte(text)); return nil }
	}
	const noRule = "paravent list 1\n[sites]\nclinic.example\tClinic\n[recipients]\n[needs]\n||pay.example^$domain=clinic.example\n[exceptions]\n[photos]\n[hosts]\n[rules]\n"
	for _, c := range []struct {
		name    string
		spoil   func(dir string) error
		options publish.Options
		want    string // in the error; a leading "/" stands for the list's directory
	}{
		{"no directory", os.RemoveAll, options, "/about.json: no such file"},
		{"no about.json", in("about.json", os.Remove), options, "/about.json: no such file"},
		{"about.json empty", in("about.json", truncate), options, "/about.json: unexpected end"},
		{"about.json of another kind", in("about.json", func(p string) error { return os.WriteFile(p, []byte("{}"), 0o644) }), options, "/list.txt: has "},
		{"no list.txt", in("list.txt", os.Remove), options, "/list.txt: no such file"},
		{"list.txt empty", in("list.txt", truncate), options, "/list.txt: is empty"},
		{"list.txt changed", in("list.txt", flip), options, "/list.txt: has "},
		{"no list.bundle", in("list.bundle", os.Remove), options, "/list.bundle: no such file"},
		{"list.bundle empty", in("list.bundle", truncate), options, "/list.bundle: is empty"},
		{"list.bundle changed", in("list.bundle", flip), options, "/list.bundle: has "},
		{"a directory for a file", in("list.bundle", func(p string) error { os.Remove(p); return os.Mkdir(p, 0o755) }), options, "/list.bundle: is a directory"},
		{"no rule that stops anything", list(noRule), options, "/list.txt: holds no rule that stops a request"},
		{"a list that is none, with a true about.json", func(dir string) error {
			text := []byte("paravent list 2\n")
			about := fmt.Sprintf(`{"list":{"size":%d,"sha256":%q},"bundle":{"size":1,"sha256":%q}}`, len(text), store.Sum(text), store.Sum([]byte("x")))
			os.WriteFile(filepath.Join(dir, "list.bundle"), []byte("x"), 0o644)
			os.WriteFile(filepath.Join(dir, "about.json"), []byte(about), 0o644)
			return os.WriteFile(filepath.Join(dir, "list.txt"), text, 0o644)
		}, options, "/list.txt: "},
		{"the bundle of another list, with a true about.json", func(dir string) error {
			buildList(t, dir, "other", 11)
			other, err := os.ReadFile(filepath.Join(dir, "list.bundle"))
			if err != nil {
				return err
			}
			buildList(t, dir, "good", 10)
			text, err := os.ReadFile(filepath.Join(dir, "list.txt"))
			if err != nil {
				return err
			}
			about := fmt.Sprintf(`{"list":{"size":%d,"sha256":%q},"bundle":{"size":%d,"sha256":%q}}`, len(text), store.Sum(text), len(other), store.Sum(other))
			os.WriteFile(filepath.Join(dir, "list.bundle"), other, 0o644)
			return os.WriteFile(filepath.Join(dir, "about.json"), []byte(about), 0o644)
		}, options, "/list.bundle: is not what "},
		{"a wait of nothing", func(string) error { return nil }, publish.Options{Valid: time.Hour}, "wait: \"0\" is not"},
		{"valid for no time", func(string) error { return nil }, publish.Options{WaitSeconds: 1}, "expires: is not later"},
	} {
		dir := filepath.Join(t.TempDir(), "list")
		buildList(t, dir, "next", 10)
		if err := c.spoil(dir); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if strings.HasPrefix(want, "/") {
			want = dir + want
		}
		if r, err := publish.Publish(s, dir, signer, now, c.options); err == nil || !strings.Contains(err.Error(), want) || r != (release.Release{}) {
			t.Errorf("%s: %+v, %v; want an error with %q", c.name, r, err, want)
		}
		if after, _, err := s.Head(); err != nil || !bytes.Equal(after, before) {
			t.Fatalf("%s: the head changed: %v", c.name, err)
		}
	}
}
