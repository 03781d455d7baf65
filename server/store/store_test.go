package store_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paravent/server/store"
	"paravent/server/store/storetest"
)

func open(t *testing.T) *store.Dir {
	t.Helper()
	d, err := store.Open(filepath.Join(t.TempDir(), "a new", "store"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDir(t *testing.T)    { storetest.Run(t, func() store.Store { return open(t) }) }
func TestMemory(t *testing.T) { storetest.Run(t, func() store.Store { return &storetest.Memory{} }) }

func TestDirOnADiskInMemory(t *testing.T) {
	storetest.Run(t, func() store.Store {
		d, err := store.OpenOn(storetest.NewDisk(), "/var/store")
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

// Two Dirs of one directory are like two processes: each opens the lock file
// for itself.
func TestTwoDirsSwap(t *testing.T) {
	a := open(t)
	b, err := store.Open(a.Root())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Swap(t.Context(), "private/head", []byte("a"), ""); err != nil {
		t.Fatal(err)
	}
	if err := b.Swap(t.Context(), "private/head", []byte("b"), ""); !errors.Is(err, store.ErrConflict) {
		t.Errorf("b: %v", err)
	}
}

func TestDirOpen(t *testing.T) {
	d := open(t)
	if err := d.Put(t.Context(), "v1/blob/a", []byte("before")); err != nil {
		t.Fatal(err)
	}
	f, err := d.Open("v1/blob/a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := d.Put(t.Context(), "v1/blob/a", []byte("after")); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(f); string(data) != "before" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if f, err := d.Open("v1/blob/b"); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("%v, %v", f, err)
	}
	if f, err := d.Open("../a"); err == nil {
		t.Errorf("%v, %v", f, err)
	}
}

// What a killed writer left is swept once nobody can be writing it any more.
func TestDirSweeps(t *testing.T) {
	d := open(t)
	if err := d.Put(t.Context(), "checkpoint", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.Root(), "private", "new")
	for name, age := range map[string]time.Duration{"OLD": 2 * time.Hour, "NEW": time.Minute} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Open(d.Root()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "NEW" {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestDirFailures(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	if err := d.Put(ctx, "tile/0/000", []byte("a tile")); err != nil {
		t.Fatal(err)
	}
	root := d.Root()
	_, _, noFile := d.Get(ctx, "tile/0/001")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, noDir := store.Open(filepath.Join(file, "store"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{noFile, "store: open " + root + "/tile/0/001: no such file or directory"},
		{noDir, "store: mkdir " + file + "/store: not a directory"},
		{d.Put(ctx, "tile/0/000/1", nil), "store: cannot write " + root + "/tile/0/000/1: mkdir " + root + "/tile/0/000: file exists"},
		{d.Put(ctx, "tile/0", nil), "store: cannot write " + root + "/tile/0: rename " + root + "/private/new/"},
		{d.Swap(ctx, "tile/0/000", nil, "x"), root + "/tile/0/000: store: the object has been changed by somebody else"},
		{d.Put(ctx, "a/../b", nil), `store: "a/../b": not a name of an object`},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), c.want) {
			t.Errorf("%v\nwant %s", c.err, c.want)
		}
	}
	if left, err := os.ReadDir(filepath.Join(root, "private", "new")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// After a loss of power at any step an object is what it was, or what it was
// to become; and what was acknowledged is there.
func TestDirLosesPower(t *testing.T) {
	for seed := range uint64(6) {
		loss := storetest.Loss{Keep: float64(seed) / 5, Seed: seed}
		disk := storetest.NewDisk()
		d, err := store.OpenOn(disk, "/var/store")
		if err != nil {
			t.Fatal(err)
		}
		type moment struct{ step, put int }
		var acknowledged []moment
		put := func(s store.Store, i int) {
			name := []string{"v1/a", "v1/a", "tile/0/000.p/1", "v1/a"}[i]
			if err := s.Put(t.Context(), name, []byte{byte(i), 'x', 'y'}); err != nil {
				t.Fatal(err)
			}
			_, v, _ := s.Get(t.Context(), "private/head")
			if err := s.Swap(t.Context(), "private/head", []byte{byte(i), 'h'}, v); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 4 {
			put(d, i)
			acknowledged = append(acknowledged, moment{step: disk.Steps(), put: i})
		}
		for steps := range disk.Steps() + 1 {
			left := disk.After(steps, loss)
			last := -1
			for _, m := range acknowledged {
				if m.step <= steps {
					last = m.put
				}
			}
			again, err := store.OpenOn(left, "/var/store")
			if err != nil {
				t.Fatal(err)
			}
			head, _, err := again.Get(t.Context(), "private/head")
			switch {
			case errors.Is(err, fs.ErrNotExist):
				if last >= 0 {
					t.Fatalf("loss %v after %d steps: the head is gone", loss, steps)
				}
				continue
			case err != nil || len(head) != 2 || head[1] != 'h':
				t.Fatalf("loss %v after %d steps: head %q, %v", loss, steps, head, err)
			case int(head[0]) != last && int(head[0]) != last+1:
				t.Fatalf("loss %v after %d steps: head %d, acknowledged %d", loss, steps, head[0], last)
			}
			// Put came before the swap, so the object is at least as new.
			a, _, err := again.Get(t.Context(), "v1/a")
			if err != nil || len(a) != 3 || a[0] < head[0] && head[0] != 2 {
				t.Fatalf("loss %v after %d steps: v1/a %q, %v with head %d", loss, steps, a, err, head[0])
			}
		}
	}
}
