package bundle_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// designed is the rate of false positives that package compile makes filters
// for.
const designed = 1e-4

// probed is the bundle that PARAVENT_BUNDLE names, or one of 50,000 hosts and
// 5,000 directories.
func probed(t *testing.T) *bundle.Bundle {
	t.Helper()
	var data []byte
	var err error
	if name := os.Getenv("PARAVENT_BUNDLE"); name != "" {
		data, err = os.ReadFile(name)
	} else {
		list := &compile.List{}
		for i := range 50_000 {
			r := filter.Rule{Host: fmt.Sprintf("h%d.example", i)}
			if i%10 == 0 {
				r.Pattern = fmt.Sprintf("/d%d/x.gif", i%70)
			}
			list.Rules = append(list.Rules, bundle.KindedRule{Rule: r})
		}
		data, err = list.Bundle()
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A filter says yes to a stranger as rarely as the share of its bits that are
// set allows, and that is as rarely as it was designed to. PARAVENT_PROBES asks
// for another number of strangers than 5,000,000.
//
// The interval has 99 % of the Poisson distribution: one seed in a hundred
// fails a filter that is right. The one that stands here does not fail the
// generated list.
func TestFiltersKeepTheirRate(t *testing.T) {
	probes := 5_000_000
	if text := os.Getenv("PARAVENT_PROBES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			t.Fatalf("PARAVENT_PROBES=%s: want how many, such as 1000000000", text)
		}
		probes = n
	}
	const seed = 1
	b := probed(t)
	err := b.EachRule(func(_ bundle.Kind, r filter.Rule) error {
		if strings.HasSuffix(r.Host, strangers) {
			return fmt.Errorf("%s is listed: the probes would not all be strangers", r.Host)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	hosts, directories := bundle.Filters(b)
	hostStats, directoryStats := b.Stats()
	for _, f := range []struct {
		name, suffix string
		has          bundle.Has
		stats        bundle.Stats
	}{
		{"hosts", strangers, hosts, hostStats},
		{"directories", strangers + "/a/", directories, directoryStats},
	} {
		t.Run(f.name, func(t *testing.T) {
			rate := math.Pow(f.stats.Fill, float64(f.stats.K))
			if rate > designed {
				t.Errorf("%d keys, m %d, k %d, fill %.4f: rate %.3g, designed for %g",
					f.stats.Keys, f.stats.M, f.stats.K, f.stats.Fill, rate, designed)
			}
			half := probes / 2
			var hits [2]int
			var both sync.WaitGroup
			for i := range hits {
				both.Go(func() { hits[i] = probe(f.has, f.suffix, half, seed, uint64(i)) })
			}
			both.Wait()
			found, mean := hits[0]+hits[1], rate*float64(2*half)
			low, high := poissonInterval(mean, 0.99)
			t.Logf("%d keys, m %d, k %d, fill %.4f: %d of %d strangers, expected %.1f, 99 %% from %d to %d",
				f.stats.Keys, f.stats.M, f.stats.K, f.stats.Fill, found, 2*half, mean, low, high)
			if found < low || found > high {
				t.Errorf("%d hits, want %d to %d", found, low, high)
			}
		})
	}
}

// strangers is a domain that nobody can have, nor a list name.
const strangers = ".invalid"

// probe asks a filter about n random names and counts those it may have.
func probe(has bundle.Has, suffix string, n int, seed, stream uint64) (hits int) {
	const letters = "abcdefghijklmnopqrstuvwxyz012345"
	random := rand.NewPCG(seed, stream)
	var text [24 + 16 + address.Slack]byte
	for range n {
		one, two := random.Uint64(), random.Uint64()
		size := 9 + int(one>>60) // so that all lengths of a hash's last block occur
		for i := range 12 {
			text[i], text[12+i] = letters[one>>(5*i)&31], letters[two>>(5*i)&31]
		}
		size += copy(text[size:], suffix)
		if maybe, _ := has(text[:], size); maybe {
			hits++
		}
	}
	return hits
}

// poissonInterval is the smallest range that leaves out at most half of the
// rest of the distribution at either end.
func poissonInterval(mean, within float64) (low, high int) {
	tail := (1 - within) / 2
	share := func(n int) float64 {
		gamma, _ := math.Lgamma(float64(n) + 1)
		return math.Exp(float64(n)*math.Log(mean) - mean - gamma)
	}
	// Behind forty deviations nothing is left that a float64 could hold.
	width := int(40*math.Sqrt(mean)) + 40
	low = max(0, int(mean)-width)
	for sum := share(low); sum <= tail; sum += share(low) {
		low++
	}
	high = int(mean) + width
	for sum := share(high); sum <= tail; sum += share(high) {
		high--
	}
	return low, high
}

func TestPoissonInterval(t *testing.T) {
	for mean, want := range map[float64][2]int{
		1: {0, 4}, 10: {3, 19}, 100: {75, 127}, // as tables have them
	} {
		if low, high := poissonInterval(mean, 0.99); [2]int{low, high} != want {
			t.Errorf("mean %v: %d to %d, want %v", mean, low, high, want)
		}
	}
}
