package leak

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// byLibrary is what the standard library makes of the same.
var byLibrary = map[string]func(text []byte) []byte{
	"md5":    func(text []byte) []byte { s := md5.Sum(text); return s[:] },
	"sha1":   func(text []byte) []byte { s := sha1.Sum(text); return s[:] },
	"sha256": func(text []byte) []byte { s := sha256.Sum256(text); return s[:] },
}

func checkDigests(t *testing.T, text string) {
	for i := range digests {
		d := &digests[i]
		got, want := d.sum(text), byLibrary[d.name]([]byte(text))
		if hex.EncodeToString(got[:d.size]) != hex.EncodeToString(want) {
			t.Errorf("%s of %d bytes %q: %x, want %x", d.name, len(text), text[:min(len(text), 40)], got[:d.size], want)
		}
	}
}

func TestDigests(t *testing.T) {
	for n := range 200 {
		checkDigests(t, strings.Repeat("oncologist/", 20)[:n])
	}
	checkDigests(t, strings.Repeat("a", 1_000_000))
}

func FuzzDigests(f *testing.F) {
	f.Add("https://booking.example/oncologist/paris")
	f.Fuzz(checkDigests)
}
