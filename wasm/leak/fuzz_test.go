package leak

import (
	"runtime"
	"strings"
	"testing"
)

// FuzzFind looks for what must never come: a panic, memory without bound, half
// a finding, and an answer that depends on what was asked before.
func FuzzFind(f *testing.F) {
	f.Add("https://booking.example/oncologist/paris?insurance=private", "https://t.example/?dl=https%3A%2F%2Fbooking.example%2Foncologist%2Fparis", []byte(`{"Data":"L29uY29sb2dpc3QvcGFyaXM="}`))
	f.Add("https://booking.example/gyn%C3%A9cologue/#/x", "https://t.example/a;b=c", []byte(zipped(`{"t":"gyn\u00e9cologue"}`)))
	f.Add("http://h:1/a%2525b?c=//d&e=f.g", "h", []byte("\xff\\u12%u34%5"))
	var used Page
	f.Fuzz(func(t *testing.T, page, url string, body []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var fresh Page
		fresh.Set([]byte(page))
		want, found := fresh.Find([]byte(url), body, []byte(url))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Fatalf("%d MB allocated", n>>20)
		}
		used.Set([]byte(page))
		if got, ok := used.Find([]byte(url), body, []byte(url)); ok != found || got != want {
			t.Fatalf("a fresh page finds %+v, %t; a used one %+v, %t", want, found, got, ok)
		}
		if !found {
			return
		}
		if want.Text == "" || len(want.Text) > maxShown || len(want.Field) > maxField || want.Encoding == "" || strings.HasSuffix(want.Encoding, " in ") {
			t.Fatalf("half a finding: %+v", want)
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add([]byte(`%41%u00e9\u00e9\xe9\/\n\ud83d\ude00%`))
	f.Fuzz(func(t *testing.T, text []byte) {
		out, percent, backslash := unescape(nil, text)
		if len(out) > len(text) {
			t.Fatalf("%q became longer: %q", text, out)
		}
		if !percent && !backslash && string(out) != string(text) {
			t.Fatalf("%q has no escape and became %q", text, out)
		}
	})
}
