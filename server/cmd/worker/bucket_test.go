//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"
	"testing"

	"github.com/syumai/workers/cloudflare"

	"paravent/server/store"
	"paravent/server/store/storetest"
)

// TestBucket runs inside workerd, where there is a bucket: see bucket.test.js.
func TestBucket(t *testing.T) {
	b := bucket{cloudflare.GetBinding("BUCKET")}
	storetest.Run(t, func() store.Store {
		empty(t, b)
		return b
	})
}

// TestGzip looks at what lies in the bucket: entry.js relies on it.
func TestGzip(t *testing.T) {
	b := bucket{cloudflare.GetBinding("BUCKET")}
	text := make([]byte, 10_000)
	for name, encoded := range map[string]bool{
		"v1/blob/of/zeros":    true,
		"v1/delta/of/zeros":   true,
		"tile/entries/000":    true,
		"tile/0/000":          false,
		"checkpoint":          false,
		"v1/release":          false,
		"v1/filters":          false,
		"private/staged/note": false,
	} {
		if err := b.Put(t.Context(), name, text); err != nil {
			t.Fatal(err)
		}
		object, err := call(t.Context(), b.r2, "head", name)
		if err != nil {
			t.Fatal(err)
		}
		if got := !object.Get("httpMetadata").Get("contentEncoding").IsUndefined(); got != encoded || got != (object.Get("size").Int() < len(text)) {
			t.Errorf("%s: encoded %v, %d bytes", name, got, object.Get("size").Int())
		}
		if data, _, err := b.Get(t.Context(), name); err != nil || string(data) != string(text) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
}

// TestAgain meets an R2 that has too many writes of one object in a second.
func TestAgain(t *testing.T) {
	b := bucket{cloudflare.GetBinding("BUCKET")}
	empty(t, b)
	refuse := 2
	put := js.FuncOf(func(_ js.Value, args []js.Value) any {
		if refuse > 0 {
			refuse--
			return js.Global().Get("Promise").Call("reject", js.Global().Get("Error").New("put: Reduce your concurrent request rate for the same object. (10058)"))
		}
		return b.r2.Call("put", args[0], args[1], args[2])
	})
	defer put.Release()
	busy := bucket{js.ValueOf(map[string]any{"put": put})}
	if err := busy.Swap(t.Context(), "private/head", []byte("one"), ""); err != nil || refuse != 0 {
		t.Errorf("%v, to be refused %d times more", err, refuse)
	}
	if err := busy.Swap(t.Context(), "private/head", []byte("two"), ""); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
}

// TestUnchanged writes the same bytes twice.
func TestUnchanged(t *testing.T) {
	b := bucket{cloudflare.GetBinding("BUCKET")}
	empty(t, b)
	version := func() string {
		t.Helper()
		if err := b.Put(t.Context(), "v1/blob/of/zeros", make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		object, err := call(t.Context(), b.r2, "head", "v1/blob/of/zeros")
		if err != nil {
			t.Fatal(err)
		}
		return object.Get("version").String()
	}
	if first, second := version(), version(); first != second {
		t.Errorf("written again: %s, %s", first, second)
	}
}

func empty(t *testing.T, b bucket) {
	list, err := call(t.Context(), b.r2, "list")
	if err != nil {
		t.Fatal(err)
	}
	objects := list.Get("objects")
	for i := range objects.Length() {
		if _, err := call(t.Context(), b.r2, "delete", objects.Index(i).Get("key").String()); err != nil {
			t.Fatal(err)
		}
	}
}
