package leak

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// inflated is what the standard library makes of a stream, up to limit bytes.
func inflated(stream []byte, limit int) (out []byte, whole bool) {
	var b bytes.Buffer
	_, err := io.CopyN(&b, flate.NewReader(bytes.NewReader(stream)), int64(limit))
	return b.Bytes(), errors.Is(err, io.EOF)
}

func TestInflate(t *testing.T) {
	random := make([]byte, 70_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	var f inflater
	for name, text := range map[string]string{
		"nothing":  "",
		"a letter": "a",
		"a text":   strings.Repeat("https://booking.example/oncologist/paris ", 300),
		"zeros":    strings.Repeat("\x00", 200_000),
		"noise":    string(random),
		"both":     strings.Repeat("oncologist", 2000) + string(random[:30_000]) + strings.Repeat("paris", 2000),
	} {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			var b bytes.Buffer
			w, err := flate.NewWriter(&b, level)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, text)
			w.Close()
			out, whole := f.inflate([]byte("before"), b.Bytes(), 1<<20)
			if string(out) != "before"+text || !whole {
				t.Errorf("%s, level %d: %d bytes, whole %t; want %d", name, level, len(out), whole, len(text)+len("before"))
			}
			if len(text) > 10 {
				out, whole = f.inflate(nil, b.Bytes(), 10)
				if string(out) != text[:10] || whole {
					t.Errorf("%s, level %d: %q, whole %t, want the first 10 bytes", name, level, out, whole)
				}
				out, whole = f.inflate(nil, b.Bytes()[:b.Len()/2], 1<<20)
				if !strings.HasPrefix(text, string(out)) || whole {
					t.Errorf("%s, level %d: half of the stream gives %d bytes that are not the text's, or is whole", name, level, len(out))
				}
			}
		}
	}
}

// Streams that RFC 1951 forbids give nothing but what came before.
func TestInflateRefuses(t *testing.T) {
	var f inflater
	for name, stream := range map[string]string{
		"nothing at all":                    "",
		"a reserved kind of block":          "\x07",
		"a stored block of wrong length":    "\x01\x05\x00\x05\x00hello",
		"a stored block that is cut off":    "\x01\x05\x00\xfa\xffhell",
		"a distance before the beginning":   "\x03\x02\x00",
		"more literals than there are":      "\xfd\xff\xff",
		"a code that is cut off":            "\x05\xc0",
		"no code for lengths":               "\x05\x00\x00\x00\x00\x00\x00\x00",
		"a repeated length without a first": "\x05\xc0\x81\x00\x00\x00\x00\x00\x90\xff",
	} {
		out, whole := f.inflate(nil, []byte(stream), 1<<20)
		want, _ := inflated([]byte(stream), 1<<20)
		if whole || !bytes.HasPrefix(out, want) {
			t.Errorf("%s: %q, whole %t; the standard library reads %q", name, out, whole, want)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for _, text := range []string{"", "a", strings.Repeat("oncologist/paris", 100)} {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, flate.BestCompression} {
			var b bytes.Buffer
			w, _ := flate.NewWriter(&b, level)
			io.WriteString(w, text)
			w.Close()
			f.Add(b.Bytes())
		}
	}
	var own inflater
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1 << 20
		got, whole := own.inflate(nil, stream, limit)
		want, wantWhole := inflated(stream, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		if wantWhole && (!whole || !bytes.Equal(got, want)) {
			t.Fatalf("%d bytes, whole %t; want the %d bytes of the standard library", len(got), whole, len(want))
		}
		if whole && !wantWhole && len(want) < limit {
			t.Fatal("read to the end what the standard library refuses")
		}
	})
}
