package match_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/match"
)

// vectors are shared with the tests of the WebAssembly engine.
type vectors struct {
	List         []string
	BundleSHA256 string
	Defaults     struct{ Page, Site, Mode string }
	Cases        []struct {
		Name, URL, Type             string
		Page, Site, Mode            *string
		Action, Would, Reason, Rule string
	}
}

func read(t testing.TB) (*vectors, *match.Matcher, []byte) {
	t.Helper()
	text, err := os.ReadFile("../vectors/decisions.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	bundle, err := compile.Compile([]byte(strings.Join(v.List, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.Open(bundle)
	if err != nil {
		t.Fatal(err)
	}
	m.Registrable = registrable
	return &v, m, bundle
}

func registrable(host []byte) int {
	site, err := publicsuffix.EffectiveTLDPlusOne(string(host))
	if err != nil {
		return 0
	}
	return len(site)
}

func or(value *string, otherwise string) string {
	if value != nil {
		return *value
	}
	return otherwise
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

func TestVectors(t *testing.T) {
	v, m, bundle := read(t)
	if sum := sha256.Sum256(bundle); hex.EncodeToString(sum[:]) != v.BundleSHA256 {
		t.Errorf("the list compiles to %x, decisions.json says %s", sum, v.BundleSHA256)
	}
	names := map[string]bool{}
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if names[c.Name] {
				t.Fatal("this name stands twice")
			}
			names[c.Name] = true
			kind, ok := filter.TypeNamed(c.Type)
			mode, known := match.ModeNamed(or(c.Mode, v.Defaults.Mode))
			if !ok || !known {
				t.Fatalf("type %s, mode %s", c.Type, or(c.Mode, v.Defaults.Mode))
			}
			d, err := m.Decide(&match.Request{
				URL: []byte(c.URL), Page: []byte(or(c.Page, v.Defaults.Page)), Type: kind, Mode: mode,
			})
			if err != nil {
				t.Fatal(err)
			}
			would := c.Would
			if would == "" {
				would = c.Action
			}
			if d.Action.String() != c.Action || d.Would.String() != would || d.Reason.String() != c.Reason || m.Rule() != c.Rule {
				t.Errorf("%s (would %s) %s %q", d.Action, d.Would, d.Reason, m.Rule())
			}
		})
	}
}

func TestPhoto(t *testing.T) {
	_, m, _ := read(t)
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
	_, m, _ := read(t)
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
	_, _, bundle := read(f)
	f.Add(bundle, []byte("https://mixed.example/a/b/c/d/e/f/g/pixel"), []byte("https://booking.example/"), uint8(4))
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
