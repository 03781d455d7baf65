package leak

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

// The rules are held against recorded requests, which are not part of this
// repository: PARAVENT_CORPUS names a file of them, a JSON object
// {"url","page","type"} a line, gzipped if the name ends in .gz. What is found
// in it is counted; 200 detections are drawn, and each must have been judged in
// testdata/judged.tsv. With PARAVENT_SAMPLE=FILE the draw is written there, to
// be judged.
//
// The judgement that is kept is of 27,969 requests of 2019 (the public data set
// of the adblocker performance study).

const drawn = 200

// A detection is a recorded request with what was found in it.
type detection struct {
	id        string // of page and URL, to find its judgement
	page, url string
	Finding
}

// site is the registrable domain of an address, or its host.
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

// readCorpus calls use for every recorded request.
func readCorpus(t testing.TB, use func(page, url string)) {
	name := os.Getenv("PARAVENT_CORPUS")
	if name == "" {
		t.Skip("PARAVENT_CORPUS names no file of recorded requests")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var request struct{ URL, Page string }
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			t.Fatalf("%s:%d: %v", name, n, err)
		}
		use(request.Page, request.URL)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// A judgement says whether a third party was told the page's address, words of
// its path or a parameter of it.
type judgement struct {
	told   bool
	reason string
}

// judgements reads testdata/judged.tsv.
func judgements(t *testing.T) map[string]judgement {
	data, err := os.ReadFile("testdata/judged.tsv")
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]judgement{}
	for n, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 5 || fields[1] != "true" && fields[1] != "false" || fields[4] == "" {
			t.Fatalf("testdata/judged.tsv:%d: want id, true or false, what was found, where, and a reason, with tabs between", n+1)
		}
		judged[fields[0]] = judgement{fields[1] == "true", fields[4]}
	}
	return judged
}

func TestJudged(t *testing.T) {
	judged, told := judgements(t), 0
	for _, j := range judged {
		if j.told {
			told++
		}
	}
	t.Logf("%d of %d judged detections are leaks (%.1f %%)", told, len(judged), 100*float64(told)/float64(len(judged)))
	if len(judged) < drawn || told*100 < len(judged)*95 {
		t.Errorf("%d of %d judged detections are leaks, want 95 %% of at least %d", told, len(judged), drawn)
	}
}

func TestCorpus(t *testing.T) {
	found, third := map[string]detection{}, 0
	counts := map[string]int{}
	var page Page
	readCorpus(t, func(address, request string) {
		if site(address) == site(request) {
			return
		}
		third++
		page.Set([]byte(address))
		if f, ok := page.Find([]byte(request), nil, nil); ok {
			counts[f.What.String()+", "+f.Encoding]++
			sum := sha256.Sum256([]byte(address + "\n" + request))
			id := hex.EncodeToString(sum[:8])
			found[id] = detection{id, address, request, f}
		}
	})
	total := 0
	kinds := make([]string, 0, len(counts))
	for kind, n := range counts {
		total += n
		kinds = append(kinds, fmt.Sprintf("%6d  %s", n, kind))
	}
	slices.Sort(kinds)
	slices.Reverse(kinds)
	t.Logf("%d of %d third-party requests carry their page:\n%s", total, third, strings.Join(kinds, "\n"))

	draw := make([]detection, 0, len(found))
	for _, d := range found {
		draw = append(draw, d)
	}
	slices.SortFunc(draw, func(a, b detection) int { return cmp.Compare(a.id, b.id) })
	rand.New(rand.NewPCG(2019, drawn)).Shuffle(len(draw), func(i, j int) { draw[i], draw[j] = draw[j], draw[i] })
	draw = draw[:min(drawn, len(draw))]
	if name := os.Getenv("PARAVENT_SAMPLE"); name != "" {
		var b strings.Builder
		for _, d := range draw {
			fmt.Fprintf(&b, "%s\t%s, %s, field %q: %q\n\tpage %s\n\turl  %s\n", d.id, d.What, d.Encoding, d.Field, d.Text, d.page, d.url)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	judged, told, unknown := judgements(t), 0, 0
	for _, d := range draw {
		j, ok := judged[d.id]
		if !ok {
			unknown++
		}
		if j.told {
			told++
		}
	}
	t.Logf("%d of the %d drawn are leaks", told, len(draw))
	if unknown > 0 {
		t.Errorf("%d of the %d drawn have no judgement in testdata/judged.tsv: write them with PARAVENT_SAMPLE, read them, and judge", unknown, len(draw))
	}
}
