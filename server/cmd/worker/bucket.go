//go:build js && wasm

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall/js"

	"paravent/server/store"
)

// bucket is a store in R2. It uses the binding itself, as the package workers
// has no conditional put, which Swap is.
//
// What shrinks is stored as gzip and says so in its httpMetadata, so that
// entry.js can pass it on without compressing it for every reader.
type bucket struct{ r2 js.Value }

var uint8Array = js.Global().Get("Uint8Array")

func (b bucket) Get(ctx context.Context, name string) ([]byte, store.Version, error) {
	if err := store.CheckName(name); err != nil {
		return nil, "", err
	}
	object, err := call(ctx, b.r2, "get", name)
	if err != nil {
		return nil, "", err
	}
	if object.IsNull() {
		return nil, "", fmt.Errorf("bucket: %s: %w", name, fs.ErrNotExist)
	}
	buffer, err := call(ctx, object, "arrayBuffer")
	if err != nil {
		return nil, "", err
	}
	data := make([]byte, buffer.Get("byteLength").Int())
	js.CopyBytesToGo(data, uint8Array.New(buffer))
	if encoding := object.Get("httpMetadata").Get("contentEncoding"); !encoding.IsUndefined() {
		if data, err = decompress(data); err != nil {
			return nil, "", fmt.Errorf("bucket: %s: stored as %s: %w; put the object again", name, encoding.String(), err)
		}
	}
	return data, store.Version(object.Get("etag").String()), nil
}

func (b bucket) Put(ctx context.Context, name string, data []byte) error {
	return b.put(ctx, name, data, map[string]any{})
}

func (b bucket) Swap(ctx context.Context, name string, data []byte, old store.Version) error {
	only := map[string]any{"etagMatches": string(old)}
	if old == "" {
		only = map[string]any{"etagDoesNotMatch": "*"}
	}
	return b.put(ctx, name, data, map[string]any{"onlyIf": only})
}

// put writes an object. R2 answers when it is durable, and null instead of
// writing when the options' condition does not hold.
func (b bucket) put(ctx context.Context, name string, data []byte, options map[string]any) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	if shrinks(name) {
		if small := compress(data); len(small) < len(data) {
			data = small
			options["httpMetadata"] = map[string]any{"contentEncoding": "gzip"}
		}
	}
	value := uint8Array.New(len(data))
	js.CopyBytesToJS(value, data)
	object, err := call(ctx, b.r2, "put", name, value, options)
	if err != nil {
		return err
	}
	if object.IsNull() {
		return fmt.Errorf("bucket: %s: %w", name, store.ErrConflict)
	}
	return nil
}

// shrinks says which objects are worth a try: those that readers download,
// without the small ones that change, and hashes, which never shrink.
func shrinks(name string) bool {
	return strings.HasPrefix(name, "v1/blob/") || strings.HasPrefix(name, "v1/delta/") || strings.HasPrefix(name, "tile/entries/")
}

func compress(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(data) // a bytes.Buffer takes everything
	z.Close()
	return b.Bytes()
}

func decompress(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// call calls a method that returns a promise and waits for it. It must not be
// called from a js.Func, whose caller waits as well.
func call(ctx context.Context, object js.Value, method string, args ...any) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		return nil
	})
	catch := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: errors.New("bucket: " + method + ": " + args[0].Call("toString").String())}
		return nil
	})
	object.Call(method, args...).Call("then", then, catch)
	select {
	case o := <-settled:
		then.Release()
		catch.Release()
		return o.value, o.err
	case <-ctx.Done():
		// The functions stay: the promise will still call one of them.
		return js.Value{}, ctx.Err()
	}
}
