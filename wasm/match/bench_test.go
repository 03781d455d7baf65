package match_test

import (
	"os"
	"testing"

	"paravent/lists/filter"
	"paravent/wasm/match"
)

// BenchmarkDecide decides with the built list that PARAVENT_BUNDLE names, or
// with the small one of the vectors.
func BenchmarkDecide(b *testing.B) {
	_, m, _ := read(b)
	if name := os.Getenv("PARAVENT_BUNDLE"); name != "" {
		bundle, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		if m, err = match.Open(bundle); err != nil {
			b.Fatal(err)
		}
	}
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
