package gateway

import (
	_ "embed"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
)

//go:embed testdata/sizes.txt
var sizes string

// A bin of the histogram.
type bin struct{ from, pictures int }

// A page of results must not be told by the sizes of its photos. Of 5,000 pages
// of 20 photos, at most one in a hundred may have a multiset of sizes that no
// other has, as the relay sees them.
func TestPagesLookAlikeAtTheRelay(t *testing.T) {
	byEdge := map[int][]bin{}
	for line := range strings.Lines(sizes) {
		var edge, from, pictures int
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscan(line, &edge, &from, &pictures); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		byEdge[edge] = append(byEdge[edge], bin{from, pictures})
	}
	edges := slices.Sorted(func(yield func(int) bool) {
		for edge := range byEdge {
			if !yield(edge) {
				return
			}
		}
	})
	random := rand.New(rand.NewPCG(20261122, 5))
	draw := func(edge int) int {
		bins := byEdge[edge]
		total := 0
		for _, b := range bins {
			total += b.pictures
		}
		n := random.IntN(total)
		for _, b := range bins {
			if n -= b.pictures; n < 0 {
				return b.from + random.IntN(512)
			}
		}
		panic("unreachable")
	}
	limit := 0.01
	check := func(name string, page func() func() int) {
		atRelay, padme, bare := own(page, atRelay), own(page, padme), own(page, func(n int) int { return n })
		t.Logf("%-28s pages with sizes of their own: %5.2f %% (with Padmé %.1f %%, unpadded %.1f %%)", name, 100*atRelay, 100*padme, 100*bare)
		if atRelay > limit {
			t.Errorf("%s: %.2f %% of the pages have sizes of their own", name, 100*atRelay)
		}
	}
	for _, edge := range edges {
		check(fmt.Sprintf("%d pixels", edge), func() func() int { return func() int { return draw(edge) } })
	}
	check("each page of one edge", func() func() int {
		edge := edges[random.IntN(len(edges))]
		return func() int { return draw(edge) }
	})
	check("each photo of any edge", func() func() int { return func() int { return draw(edges[random.IntN(len(edges))]) } })

	// Pictures of all kinds are not as alike as faces. For those of at most 0.1
	// megapixels on the Web in 2024, from the HTTP Archive, there are these bits
	// per pixel at the 10th, 50th and 90th percentile (wiki of
	// github.com/webmproject/codec-compare, "Bits per pixel of Internet images",
	// revision of 2025-02-05): with them the limit is met up to the edges below,
	// and not above.
	for _, c := range []struct {
		format        string
		p10, p50, p90 float64
		edge          int
	}{
		{"JPEG", 1.03, 3.07, 11.54, 96},
		{"WebP", 0.49, 1.69, 6.75, 128},
		{"JPEG", 1.03, 3.07, 11.54, 200},
		{"WebP", 0.49, 1.69, 6.75, 250},
	} {
		limit = 0.01
		if c.edge >= 200 {
			limit = 0.12 // not met: stated, so that it cannot get worse unseen
		}
		check(fmt.Sprintf("any %s of %d pixels", c.format, c.edge), func() func() int {
			return func() int {
				z := random.NormFloat64()
				spread := math.Log(c.p90/c.p50) / 1.2816
				if z < 0 {
					spread = math.Log(c.p50/c.p10) / 1.2816
				}
				return min(MaxPicture, 1+int(c.p50/8*float64(c.edge*c.edge)*math.Exp(z*spread)))
			}
		})
	}
}

// own is the share of 5,000 pages of 20 photos whose sizes no other page has.
func own(page func() func() int, seen func(int) int) float64 {
	const pages, photos = 5000, 20
	pagesWith := map[[photos]int]int{}
	for range pages {
		draw := page()
		var sizes [photos]int
		for i := range sizes {
			sizes[i] = seen(draw())
		}
		slices.Sort(sizes[:])
		pagesWith[sizes]++
	}
	alone := 0
	for _, n := range pagesWith {
		if n == 1 {
			alone++
		}
	}
	return float64(alone) / pages
}

// atRelay is the size of the sealed answer with a photo of so many bytes.
func atRelay(photo int) int {
	return ohttp.AnswerSize(photo+answerHead) + ohttp.ResponseOverhead
}

// answerHead is how much longer an answer is than its photo.
var answerHead = func() int {
	const photo = 10_000
	message, err := bhttp.Response{Status: 200, Header: []bhttp.Field{{Name: "content-type", Value: "image/jpeg"}}, Content: make([]byte, photo)}.Encode()
	if err != nil {
		panic(err)
	}
	return len(message) - photo
}()

// padme is what Padmé pads to (Nikitin et al., Reducing Metadata Leakage from
// Encrypted Files and Communication with PURBs, 2019): at most 12 % more.
func padme(n int) int {
	e := bits.Len(uint(n)) - 1
	mask := 1<<(e-bits.Len(uint(e))) - 1
	return (n + mask) &^ mask
}
