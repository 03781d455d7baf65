//go:build js && wasm

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall/js"
	"time"

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

// Put does not write what is there already: R2 counts writes, and tags an
// object with the MD5 of its bytes.
func (b bucket) Put(ctx context.Context, name string, data []byte) error {
	_, err := b.put(ctx, name, data, func(stored []byte) map[string]any {
		return map[string]any{"etagDoesNotMatch": fmt.Sprintf("%x", md5.Sum(stored))}
	})
	return err
}

func (b bucket) Swap(ctx context.Context, name string, data []byte, old store.Version) error {
	written, err := b.put(ctx, name, data, func([]byte) map[string]any {
		if old == "" {
			return map[string]any{"etagDoesNotMatch": "*"}
		}
		return map[string]any{"etagMatches": string(old)}
	})
	if err == nil && !written {
		return fmt.Errorf("bucket: %s: %w", name, store.ErrConflict)
	}
	return err
}

// tooFast is the code of the error with which R2 refuses one of several writes
// of one object in a second.
const tooFast = "(10058)"

// put writes an object if a condition on what is there now holds. R2 answers
// when it is durable.
func (b bucket) put(ctx context.Context, name string, data []byte, onlyIf func(stored []byte) map[string]any) (written bool, err error) {
	if err := store.CheckName(name); err != nil {
		return false, err
	}
	options := map[string]any{}
	if shrinks(name) {
		if small := compress(data); len(small) < len(data) {
			data = small
			options["httpMetadata"] = map[string]any{"contentEncoding": "gzip"}
		}
	}
	options["onlyIf"] = onlyIf(data)
	value := uint8Array.New(len(data))
	js.CopyBytesToJS(value, data)
	for tries := 1; ; tries++ {
		object, err := call(ctx, b.r2, "put", name, value, options)
		if err == nil {
			return !object.IsNull(), nil
		}
		if tries == 5 || !strings.Contains(err.Error(), tooFast) {
			return false, fmt.Errorf("%w: %s", err, name)
		}
		// At random, so that those who met do not meet again.
		time.Sleep(time.Duration(tries) * (500*time.Millisecond + rand.N(500*time.Millisecond)))
	}
}

// shrinks says which objects are worth a try: those that readers download,
// without the small ones that change, and hashes, which never shrink.
func shrinks(name string) bool {
	return strings.HasPrefix(name, "v1/blob/") || strings.HasPrefix(name, "v1/delta/") || strings.HasPrefix(name, "tile/entries/")
}

func compress(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
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
