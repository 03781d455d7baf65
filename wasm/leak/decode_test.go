package leak

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

func TestUnescape(t *testing.T) {
	for _, c := range []struct {
		text, want         string
		percent, backslash bool
	}{
		{"", "", false, false},
		{"nothing", "nothing", false, false},
		{"a%2Fb%2fc", "a/b/c", true, false},
		{"100%", "100%", false, false},
		{"%zz%2", "%zz%2", false, false},
		{"%25252F", "%252F", true, false},
		{"%C3%A9", "é", true, false},
		{"%u00e9%u0142", "éł", true, false},
		{"%u00g9", "%u00g9", false, false},
		{`\/a\"b\\c`, `/a"b\c`, false, true},
		{`a\nb\tc`, "a\nb\tc", false, true},
		{`\u00e9\u2028`, "é\u2028", false, true},
		{`\ud83d\ude00`, "😀", false, true},
		{`\ud83d\ud83d`, "\ufffd\ufffd", false, true},
		{`\ud83d`, "\ufffd", false, true},
		{`\xe9`, "\xe9", false, true},
		{`\q\`, `\q\`, false, false},
		{`%7B\"a\"%7D`, `{"a"}`, true, true},
	} {
		got, percent, backslash := unescape(nil, []byte(c.text))
		if string(got) != c.want || percent != c.percent || backslash != c.backslash {
			t.Errorf("%q: %q, %t, %t; want %q, %t, %t", c.text, got, percent, backslash, c.want, c.percent, c.backslash)
		}
	}
}

func TestDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 100 {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte(r.Uint32())
		}
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			if got := unbase64(nil, []byte(encoding.EncodeToString(text))); string(got) != string(text) {
				t.Errorf("%s of %d bytes: %x, want %x", name, n, got, text)
			}
		}
		if got := unhex(nil, []byte(hex.EncodeToString(text))); string(got) != string(text) {
			t.Errorf("hexadecimal of %d bytes: %x, want %x", n, got, text)
		}
	}
}

func TestStandsForText(t *testing.T) {
	for _, c := range []struct {
		text        string
		some, whole bool
	}{
		{"/oncologist/paris", true, true},
		{`{"é":"ł","page":"/oncologist"}`, true, false},
		{"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7", false, false},
	} {
		some, whole := standsForText([]byte(base64.RawStdEncoding.EncodeToString([]byte(c.text))))
		if some != c.some || whole != c.whole {
			t.Errorf("%q: %t, %t; want %t, %t", c.text, some, whole, c.some, c.whole)
		}
	}
}

func TestCompression(t *testing.T) {
	const tail = "\x00\x00\x00\x00\x00\xff"
	for _, c := range []struct {
		text, name string
		at         int
	}{
		{"\x1f\x8b\x08\x00" + tail + "data", "gzip", 10},
		{"\x1f\x8b\x08\x08" + tail + "name.json\x00data", "gzip", 20},
		{"\x1f\x8b\x08\x04" + tail + "\x03\x00abcdata", "gzip", 15},
		{"\x1f\x8b\x08\x1e" + tail + "\x01\x00xname\x00comment\x00crdata", "gzip", 28},
		{"\x1f\x8b\x08\xff\x00\x00", "", 0},
		{"\x1f\x8b\x08\x04" + tail + "\xff\xff", "gzip", 12},
		{"x\x9cdatadata", "zlib", 2},
		{"x^datadata", "zlib", 2},
		{"x\x9ddatadata", "", 0},
		{"text and more", "", 0},
		{"", "", 0},
	} {
		if name, at := compression([]byte(c.text)); name != c.name || at != c.at {
			t.Errorf("%q: %q, %d; want %q, %d", c.text, name, at, c.name, c.at)
		}
	}
}
