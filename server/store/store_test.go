package store_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/store"
)

var (
	list   = []byte("the canonical text")
	bundle = []byte("the bundle")
)

// signed makes a note for release index with the two blobs above, changed by
// edit if that is given.
func signed(t *testing.T, index uint64, edit func(*release.Release)) []byte {
	t.Helper()
	issued := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	r := release.Release{
		Index: index, Issued: issued, Expires: issued.Add(time.Hour), WaitSeconds: 1,
		Bundle: release.Digest{Size: int64(len(bundle)), SHA256: store.Sum(bundle)},
		List:   release.Digest{Size: int64(len(list)), SHA256: store.Sum(list)},
	}
	if edit != nil {
		edit(&r)
	}
	body, err := r.Body()
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := note.GenerateKey(rand.Reader, "demo.store")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: body}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// filled returns a store with so many releases, and its directory.
func filled(t *testing.T, releases int) (*store.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a store")
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	for _, data := range [][]byte{list, bundle} {
		if sum, err := l.PutBlob(data); err != nil || sum != store.Sum(data) {
			t.Fatal(sum, err)
		}
	}
	for i := range releases {
		if err := l.PutHead(signed(t, uint64(i+1), nil)); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestHeadAndHistory(t *testing.T) {
	s, _ := filled(t, 0)
	if _, _, err := s.Head(); err != store.ErrEmpty {
		t.Errorf("an empty store: %v", err)
	}
	s, _ = filled(t, 12)
	noteBytes, r, err := s.Head()
	if err != nil || r.Index != 12 {
		t.Fatalf("head: release %d, %v", r.Index, err)
	}
	for i := uint64(1); i <= 12; i++ {
		kept, err := s.Release(i)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := release.Read(kept); err != nil || r.Index != i {
			t.Errorf("release %d: %+v, %v", i, r, err)
		}
		if i == 12 && !bytes.Equal(kept, noteBytes) {
			t.Error("the head is not the last release")
		}
	}
	if _, err := s.Release(13); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("release 13: %v", err)
	}
}

// Whatever is wrong with the head is told with its file, and nothing is
// published on top of it.
func TestDamagedHead(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"lost", func(dir string) error { return os.Remove(filepath.Join(dir, "head")) }, "head: is missing; copy "},
		{"empty", func(dir string) error { return os.Truncate(filepath.Join(dir, "head"), 0) }, "head: release: not a whole signed note"},
		{"cut short", func(dir string) error { return os.Truncate(filepath.Join(dir, "head"), 100) }, "head: release: not a whole signed note"},
		{"one byte cut off", func(dir string) error {
			info, err := os.Stat(filepath.Join(dir, "head"))
			if err != nil {
				return err
			}
			return os.Truncate(filepath.Join(dir, "head"), info.Size()-1)
		}, "head: release: not a whole signed note"},
		{"one bit flipped in the signature", func(dir string) error {
			data, err := os.ReadFile(filepath.Join(dir, "head"))
			if err != nil {
				return err
			}
			data[len(data)-20] ^= 1
			return os.WriteFile(filepath.Join(dir, "head"), data, 0o644)
		}, "head: "},
		{"unreachable", func(dir string) error {
			os.Remove(filepath.Join(dir, "head"))
			return os.Symlink("head", filepath.Join(dir, "head"))
		}, "head: too many levels of symbolic links"},
		{"a directory", func(dir string) error {
			os.Remove(filepath.Join(dir, "head"))
			return os.Mkdir(filepath.Join(dir, "head"), 0o755)
		}, "head: is a directory"},
		{"without its copy", func(dir string) error { return os.Remove(filepath.Join(dir, "releases", "3")) }, "head: is in force without its copy"},
		{"without a readable history", func(dir string) error {
			os.RemoveAll(filepath.Join(dir, "releases"))
			return os.Remove(filepath.Join(dir, "head"))
		}, "releases: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, dir := filled(t, 3)
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			want := filepath.Join(dir, c.want)
			if _, r, err := s.Head(); err == nil || !strings.Contains(err.Error(), want) || r != (release.Release{}) {
				t.Errorf("Head: %+v, %v; want an error with %q", r, err, want)
			}
			l, err := s.Lock()
			if err != nil {
				if c.name == "without a readable history" {
					return // nothing can be swept, so nothing is written either
				}
				t.Fatal(err)
			}
			defer l.Unlock()
			if n, err := l.Next(); err == nil || n != 0 {
				t.Errorf("Next: %d, %v", n, err)
			}
			if err := l.PutHead(signed(t, 4, nil)); err == nil {
				t.Error("PutHead works on a damaged head")
			}
		})
	}
}

func TestHeadBehindItsHistory(t *testing.T) {
	s, dir := filled(t, 3)
	first, err := s.Release(1)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "head"), first)
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	if _, err := l.Next(); err == nil || !strings.Contains(err.Error(), "holds release 1 though "+filepath.Join(dir, "releases", "3")+" exists") {
		t.Errorf("Next: %v", err)
	}
}

// A publish that was killed between its note and the head leaves a note that
// was never in force; the next one takes its number.
func TestNoteThatNeverWasInForceIsReplaced(t *testing.T) {
	for releases := range 2 {
		s, dir := filled(t, releases)
		next := uint64(releases + 1)
		write(t, filepath.Join(dir, "releases", fmt.Sprint(next)), []byte("half a no"))
		write(t, filepath.Join(dir, "releases", ".new-2-123"), []byte("half"))
		write(t, filepath.Join(dir, "blobs", ".new-abc-123"), []byte("half"))
		write(t, filepath.Join(dir, ".new-head-123"), []byte("half"))
		l, err := s.Lock()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := l.Next(); err != nil || n != next {
			t.Errorf("Next: %d, %v", n, err)
		}
		if err := l.PutHead(signed(t, next, nil)); err != nil {
			t.Error(err)
		}
		l.Unlock()
		if _, r, err := s.Head(); err != nil || r.Index != next {
			t.Errorf("Head: %d, %v", r.Index, err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*", ".new-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("not swept: %v, %v", left, err)
		}
	}
}

func TestPutHeadRefuses(t *testing.T) {
	s, dir := filled(t, 2)
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	before, _, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		note []byte
		want string
	}{
		{"no note", []byte("hello"), "not a whole signed note"},
		{"the same index", signed(t, 2, nil), "release 2 cannot follow release 2"},
		{"an index left out", signed(t, 4, nil), "release 4 cannot follow release 2"},
		{"a list that is not there", signed(t, 3, func(r *release.Release) { r.List.SHA256 = strings.Repeat("a", 64) }), filepath.Join(dir, "blobs", strings.Repeat("a", 64))},
		{"a bundle of another size", signed(t, 3, func(r *release.Release) { r.Bundle.Size++ }), "has 10 bytes, the note says 11"},
	} {
		if err := l.PutHead(c.note); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
		if after, _, err := s.Head(); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: the head changed: %v", c.name, err)
		}
	}
}

func TestBlobs(t *testing.T) {
	s, dir := filled(t, 1)
	sum := store.Sum(list)
	path := filepath.Join(dir, "blobs", sum)
	for bit := range 8 * len(list) {
		flipped := bytes.Clone(list)
		flipped[bit/8] ^= 1 << (bit % 8)
		write(t, path, flipped)
		data, err := s.Blob(sum)
		corrupt, is := errors.AsType[*store.Corrupt](err)
		if !is || corrupt.Path != path || data != nil {
			t.Fatalf("bit %d flipped: %q, %v", bit, data, err)
		}
	}
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.PutBlob(list); err != nil {
		t.Fatal(err)
	}
	l.Unlock()
	if data, err := s.Blob(sum); err != nil || !bytes.Equal(data, list) {
		t.Errorf("putting the blob again does not repair it: %q, %v", data, err)
	}
	for _, name := range []string{"", "../head", "..", ".new-x", strings.ToUpper(sum), sum[:63], sum + "0", strings.Repeat("0", 64), "/etc/passwd", strings.Repeat("../", 21) + "a"} {
		if data, err := s.Blob(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("blob %q: %q, %v", name, data, err)
		}
	}
}

func TestOpenNamesTheDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if _, err := store.Open(filepath.Join(file, "store")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a store below a file: %v", err)
	}
	// A store given by a relative name, in the directory itself, works too.
	t.Chdir(t.TempDir())
	s, err := store.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	for _, data := range [][]byte{list, bundle} {
		if _, err := l.PutBlob(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.PutHead(signed(t, 1, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("head"); err != nil {
		t.Error(err)
	}
}
