// Package storetest holds what tests of stores share: what every store must
// do, a store in memory, and a disk that loses power.
//
//	func TestDir(t *testing.T) {
//		storetest.Run(t, func() store.Store { … })
//	}
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"paravent/server/store"
)

// Run checks that a store keeps the promises of store.Store. open returns an
// empty store each time.
func Run(t *testing.T, open func() store.Store) {
	ctx := t.Context()
	want := func(t *testing.T, s store.Store, name, data string) store.Version {
		t.Helper()
		got, v, err := s.Get(ctx, name)
		if err != nil || string(got) != data || v == "" {
			t.Fatalf("Get(%s) = %.80q, %q, %v; want %.80q", name, got, v, err, data)
		}
		return v
	}
	put := func(t *testing.T, s store.Store, name, data string) {
		t.Helper()
		if err := s.Put(ctx, name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("nothing", func(t *testing.T) {
		s := open()
		if data, v, err := s.Get(ctx, "v1/release"); !errors.Is(err, fs.ErrNotExist) || data != nil || v != "" {
			t.Errorf("%q, %q, %v", data, v, err)
		}
	})
	t.Run("put", func(t *testing.T) {
		s := open()
		large := strings.Repeat("0123456789abcde\n", 1<<18) // 4 MiB
		for _, name := range []string{"checkpoint", "tile/0/000.p/5", "tile/0/000", "tile/entries/x001/234", "private/head"} {
			put(t, s, name, "first "+name)
			put(t, s, name, "first "+name)
			want(t, s, name, "first "+name)
		}
		put(t, s, "checkpoint", "second")
		want(t, s, "checkpoint", "second")
		put(t, s, "v1/blob/large", large)
		want(t, s, "v1/blob/large", large)
		put(t, s, "v1/blob/empty", "")
		want(t, s, "v1/blob/empty", "")
		if _, _, err := s.Get(ctx, "tile/0"); err == nil {
			t.Error("tile/0 is no object")
		}
	})
	t.Run("the caller's bytes", func(t *testing.T) {
		s := open()
		data := []byte("mine")
		if err := s.Put(ctx, "a", data); err != nil {
			t.Fatal(err)
		}
		data[0] = 'M'
		got, _, err := s.Get(ctx, "a")
		if err != nil || string(got) != "mine" {
			t.Fatalf("%q, %v", got, err)
		}
		got[0] = 'M'
		want(t, s, "a", "mine")
	})
	t.Run("swap", func(t *testing.T) {
		s := open()
		swap := func(data string, old store.Version, wanted error) {
			t.Helper()
			if err := s.Swap(ctx, "private/head", []byte(data), old); !errors.Is(err, wanted) || err != nil && wanted == nil {
				t.Fatalf("Swap to %s: %v, want %v", data, err, wanted)
			}
		}
		swap("one", "never was", store.ErrConflict)
		swap("one", "", nil)
		one := want(t, s, "private/head", "one")
		swap("two", "", store.ErrConflict)
		want(t, s, "private/head", "one")
		swap("two", one, nil)
		swap("three", one, store.ErrConflict)
		two := want(t, s, "private/head", "two")
		if one == two {
			t.Errorf("two states have the version %q", one)
		}
		swap("three", two, nil)
		want(t, s, "private/head", "three")
	})
	t.Run("sixteen at once", func(t *testing.T) {
		s := open()
		const writers, times = 16, 8
		var all sync.WaitGroup
		failed := make(chan error, writers)
		for range writers {
			all.Go(func() {
				for range times {
					if err := increment(ctx, s, "private/counter"); err != nil {
						failed <- err
						return
					}
				}
			})
		}
		all.Wait()
		close(failed)
		for err := range failed {
			t.Fatal(err)
		}
		want(t, s, "private/counter", strings.Repeat("+", writers*times))
	})
	t.Run("names", func(t *testing.T) {
		s := open()
		for _, name := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.b", `a\b`, "a b", "a\x00", "é"} {
			if _, _, err := s.Get(ctx, name); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Get(%q): %v", name, err)
			}
			if err := s.Put(ctx, name, nil); err == nil {
				t.Errorf("Put(%q) works", name)
			}
			if err := s.Swap(ctx, name, nil, ""); err == nil {
				t.Errorf("Swap(%q) works", name)
			}
		}
	})
}

// increment makes an object longer by one, however many do so at once.
func increment(ctx context.Context, s store.Store, name string) error {
	for {
		data, v, err := s.Get(ctx, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := s.Swap(ctx, name, append(data, '+'), v); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Memory is a store in memory. Its zero value is empty.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// Get is store.Store's.
func (m *Memory) Get(_ context.Context, name string) ([]byte, store.Version, error) {
	if err := store.CheckName(name); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, found := m.objects[name]
	if !found {
		return nil, "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return bytes.Clone(data), store.Version("=" + string(data)), nil
}

// Put is store.Store's.
func (m *Memory) Put(_ context.Context, name string, data []byte) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(name, data)
	return nil
}

// Swap is store.Store's.
func (m *Memory) Swap(_ context.Context, name string, data []byte, old store.Version) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var now store.Version
	if kept, found := m.objects[name]; found {
		now = store.Version("=" + string(kept))
	}
	if now != old {
		return store.ErrConflict
	}
	m.set(name, data)
	return nil
}

func (m *Memory) set(name string, data []byte) {
	if m.objects == nil {
		m.objects = map[string][]byte{}
	}
	m.objects[name] = append([]byte{}, data...)
}

// Objects returns all objects by name.
func (m *Memory) Objects() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string][]byte, len(m.objects))
	for name, data := range m.objects {
		all[name] = bytes.Clone(data)
	}
	return all
}
