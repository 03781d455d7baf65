package match_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/match"
)

func registrable(host []byte) int {
	site, err := publicsuffix.EffectiveTLDPlusOne(string(host))
	if err != nil {
		return 0
	}
	return len(site)
}

func Example() {
	bundle, _ := compile.Compile([]byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\ntracker.example\n[rules]\n"))
	m, _ := match.Open(bundle)
	d, _ := m.Decide(&match.Request{
		URL: []byte("https://a.tracker.example/pixel"), Page: []byte("https://booking.example/oncologist"),
		Type: filter.Image, Mode: match.ModeProtect,
	})
	fmt.Println(d.Action, d.Reason, m.Rule())
	// Output: block listed ||tracker.example^
}

func TestPhoto(t *testing.T) {
	m := open(t)
	for url, want := range map[string]bool{
		"https://photos.example/clinic/image/upload/w_160/a.jpg":     true,
		"http://photos.example:8080/plain/x":                         true,
		"https://photos.example/clinic/image/upload/w_160/a.jpg?x=1": false,
		"https://photos.example/":                                    false,
		"https://photos.example.evil.test/plain/x":                   false,
		"https://evil.test/photos.example/plain/x":                   false,
		"https://photos.example@evil.test/plain/x":                   false,
		"https://tracker.example/":                                   false,
		"file:///etc/passwd":                                         false,
		"":                                                           false,
	} {
		if m.Photo(url) != want {
			t.Errorf("Photo(%q) is %v", url, !want)
		}
	}
}

func TestADecisionAllocatesNothing(t *testing.T) {
	m := open(t)
	for _, url := range []string{
		"https://a.b.c.fine.example/some/path/to/a/file.js?with=query",
		"https://tracker.example/p.gif",
		"https://photos.example/clinic/image/upload/w_160/a.jpg",
		"https://social.example/button",
		"ftp://files.example/",
	} {
		r := &match.Request{
			URL: []byte(url), Page: []byte("https://www.booking.example/x"),
			Type: filter.Image, Mode: match.ModeProtect,
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = m.Decide(r) }); n > 0 {
			t.Errorf("%s: %v allocations", url, n)
		}
	}
}

// FuzzDecide feeds bundles and addresses that nobody meant. Whatever comes,
// the answer is a decision or an error.
func FuzzDecide(f *testing.F) {
	f.Add(compiled(f), []byte("https://mixed.example/a/b/c/d/e/f/g/pixel"), []byte("https://booking.example/"), uint8(4))
	f.Fuzz(func(t *testing.T, bundle, url, page []byte, kind uint8) {
		m, err := match.Open(bundle)
		if err != nil {
			return
		}
		if _, err := m.Decide(&match.Request{URL: url, Page: page, Type: filter.Type(kind), Mode: match.ModeProtect}); err == nil {
			_ = m.Rule()
		}
		m.Photo(string(url))
	})
}

// The shortest addresses there are have fewer bytes than are hashed at a time.
func TestShortAddresses(t *testing.T) {
	text := "paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n[rules]\n*$to=ab|~a.example\n"
	data, err := compile.Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]match.Action{
		"ws://ab/": match.Block, "ws://a/": match.Allow, "http://a/": match.Allow, "https://x.ab/": match.Block, "wss://a.example/": match.Allow,
	} {
		for _, page := range []string{"https://page.example/", "ws://a/", "http://b/", ""} {
			d, err := m.Decide(&match.Request{URL: []byte(url), Page: []byte(page), Type: filter.WebSocket, Mode: match.ModeProtect})
			if err != nil || d.Action != want {
				t.Errorf("%s from %q: %v, %v", url, page, d.Action, err)
			}
		}
	}
}

// registrableInPlace is the length of the registrable domain at the end of a
// host, 0 if there is none, found without a copy of the host.
func registrableInPlace(host []byte) int {
	name := unsafe.String(unsafe.SliceData(host), len(host))
	suffix, _ := publicsuffix.PublicSuffix(name)
	end := len(name) - len(suffix) - 1
	if end <= 0 {
		return 0
	}
	return len(name) - 1 - strings.LastIndexByte(name[:end], '.')
}
