package leak

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

func site(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	if err != nil {
		return u.Hostname()
	}
	return name
}

type detection struct {
	id      string
	url     string
	page    string
	kind    string
	finding Finding
}

func audit(t *testing.T, file string) (all []detection, third int) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var page Page
	for lines.Scan() {
		var r struct{ URL, Page, Type string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if site(r.URL) == site(r.Page) {
			continue
		}
		third++
		page.Set([]byte(r.Page))
		if found, ok := page.Find([]byte(r.URL), nil, nil); ok {
			sum := sha256.Sum256([]byte(r.Page + "\n" + r.URL))
			all = append(all, detection{hex.EncodeToString(sum[:8]), r.URL, r.Page, r.Type, found})
		}
	}
	return all, third
}

func TestCorpus(t *testing.T) {
	file := os.Getenv("PARAVENT_CORPUS")
	if file == "" {
		t.Skip("PARAVENT_CORPUS names no file of requests")
	}
	all, third := audit(t, file)
	counts := map[string]int{}
	for _, d := range all {
		counts[d.finding.What.String()+", "+d.finding.Encoding]++
	}
	fmt.Println(third, "third-party", len(all), "found")
	keys := []string{}
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return counts[b] - counts[a] })
	for _, k := range keys {
		fmt.Println(counts[k], k)
	}
	if sample := os.Getenv("PARAVENT_SAMPLE"); sample != "" {
		r := rand.New(rand.NewPCG(2019, 200))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		var b strings.Builder
		for _, d := range all[:min(sampleSize(), len(all))] {
			fmt.Fprintf(&b, "%s\t%s %s field=%q text=%q\n  page %s\n  url  %s\n", d.id, d.finding.What, d.finding.Encoding, d.finding.Field, d.finding.Text, d.page, d.url)
		}
		os.WriteFile(sample, []byte(b.String()), 0o666)
	}
}

func sampleSize() int {
	n := 200
	fmt.Sscan(os.Getenv("PARAVENT_N"), &n)
	return n
}
