//go:build !js

package match_test

import (
	"os"
	"testing"

	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/match"
)

// benchMatcher decides with the built list that PARAVENT_BUNDLE names, or with a
// very small one.
func benchMatcher(b *testing.B) *match.Matcher {
	b.Helper()
	bundle, err := compile.Compile([]byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\ndoubleclick.net\n[rules]\n"))
	if name := os.Getenv("PARAVENT_BUNDLE"); name != "" {
		bundle, err = os.ReadFile(name)
	}
	if err != nil {
		b.Fatal(err)
	}
	m, err := match.Open(bundle)
	if err != nil {
		b.Fatal(err)
	}
	m.Registrable = registrableInPlace
	return m
}

func BenchmarkDecide(b *testing.B) {
	m := benchMatcher(b)
	for name, url := range map[string]string{
		"unlisted": "https://static.assets.somebody.example/build/app/main.3f2a.js?version=42",
		"listed":   "https://stats.g.doubleclick.net/r/collect?v=1&t=dc&dl=https%3A%2F%2Fbooking.example",
	} {
		b.Run(name, func(b *testing.B) {
			r := &match.Request{
				URL: []byte(url), Page: []byte("https://www.booking.example/oncologist/paris"),
				Type: filter.Script, Mode: match.ModeProtect,
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Decide(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
