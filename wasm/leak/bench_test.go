package leak

import (
	"encoding/base64"
	"strings"
	"testing"
)

const benchPage = "https://www.example.com/oncologist/paris?insurance=private&motive=breast-lump"

// benchmark measures requests that carry nothing of their page.
func benchmark(b *testing.B, url, body string) {
	var page Page
	page.Set([]byte(benchPage))
	u, c := []byte(url), []byte(body)
	page.Find(u, c, nil)
	b.SetBytes(int64(len(url) + len(body)))
	b.ReportAllocs()
	for b.Loop() {
		page.Find(u, c, nil)
	}
}

func BenchmarkShort(b *testing.B) {
	benchmark(b, "https://cdn.tiers.example/assets/main.3f9a0c12.js", "")
}

func BenchmarkLong(b *testing.B) {
	benchmark(b, "https://ads.tiers.example/bid?src=3035&u=https%3A%2F%2Fwww.example.com%2F&pid=9331676270551549979562385&cb=9161642535461549979563133&ws=800x600&v=7.25.00&t=2000&slots=%5B%7B%22sd%22%3A%22ads_1549979563082IZJQmVS6NWJtbmD7MWqJyGkOkLx6BY_post%22%7D%5D", "")
}

func BenchmarkBody(b *testing.B) {
	text := base64.StdEncoding.EncodeToString([]byte(`{"event":"click","session":"9f3a","stack":["` + strings.Repeat("at render (main.js:1:2345)\\n", 200) + `"]}`))
	benchmark(b, "https://firehose.example/live", `{"Records":[{"Data":"`+text+`"}]}`)
}

// BenchmarkCorpus reads the URLs of recorded requests, see audit_test.go.
func BenchmarkCorpus(b *testing.B) {
	var urls [][]byte
	readCorpus(b, func(_, url string) { urls = append(urls, []byte(url)) })
	var page Page
	page.Set([]byte(benchPage))
	page.Find(urls[0], nil, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		page.Find(urls[i%len(urls)], nil, nil)
	}
}

// BenchmarkSet is what a page costs that has not been seen before.
func BenchmarkSet(b *testing.B) {
	var page Page
	addresses := [2][]byte{[]byte(benchPage), []byte("https://www.example.com/rheumatologist/lyon?insurance=public")}
	url := []byte("https://cdn.tiers.example/main.js")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		page.Set(addresses[i%2])
		page.Find(url, nil, nil)
	}
}
