package bundle_test

import (
	"encoding/binary"
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
	"paravent/wasm/match"
)

// designed is the rate of false positives that package compile makes filters
// for.
const designed = 1e-4

// listed is the domain of the generated list's hosts.
const listed = ".listed.example"

// generated is the bundle of 50,000 hosts, of which 5,000 have a directory.
func generated(t *testing.T) []byte {
	t.Helper()
	list := &compile.List{}
	for i := range 50_000 {
		r := filter.Rule{Host: fmt.Sprintf("host-%05d"+listed, i)}
		if i%10 == 0 {
			r.Pattern = fmt.Sprintf("/directory-%d/x.gif", i%70)
		}
		list.Rules = append(list.Rules, bundle.KindedRule{Rule: r})
	}
	data, err := list.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A filter says yes to a stranger as rarely as the share of its bits that are
// set allows, and that is as rarely as it was designed to. PARAVENT_BUNDLE names
// another bundle than the generated one, PARAVENT_PROBES another number of
// strangers than 5,000,000.
//
// The interval has 99 % of the Poisson distribution: one seed in a hundred
// fails a filter that is right. The one that stands here does not fail the
// generated bundle.
func TestFiltersKeepTheirRate(t *testing.T) {
	const seed = 1
	probes := 5_000_000
	if text := os.Getenv("PARAVENT_PROBES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			t.Fatalf("PARAVENT_PROBES=%s: want how many, such as 1000000000", text)
		}
		probes = n
	}
	var data []byte
	if name := os.Getenv("PARAVENT_BUNDLE"); name == "" {
		data = generated(t)
	} else if text, err := os.ReadFile(name); err != nil {
		t.Fatal(err)
	} else {
		data = text
	}
	b, err := bundle.Open(data)
	if err == nil {
		err = b.EachRule(func(_ bundle.Kind, r filter.Rule) error {
			if strings.HasSuffix(r.Host, stranger) {
				return fmt.Errorf("%s is listed: the probes would not all be strangers", r.Host)
			}
			return nil
		})
	}
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
		{"hosts", stranger, hosts, hostStats},
		{"directories", stranger + "/a/", directories, directoryStats},
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
				both.Go(func() { hits[i] = probe(f.has, f.suffix, half, rand.NewPCG(seed, uint64(i))) })
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

// stranger is a domain that nobody can have, nor a list name.
const stranger = ".invalid"

// probe asks a filter about n random names of all lengths that a hash's last
// block can have, and counts those that it takes for members.
func probe(has bundle.Has, suffix string, n int, random *rand.PCG) (hits int) {
	var text [maxName + 16 + address.Slack]byte
	for i := range n {
		write(text[:], random)
		size := maxName - i%16
		size += copy(text[size:], suffix)
		if maybe, _ := has(text[:], size); maybe {
			hits++
		}
	}
	return hits
}

// maxName is the length of a random name. As many letters as probe leaves it
// are 45 bits, so that few of a thousand million come twice.
const maxName = 24

// write writes a random name.
func write(text []byte, random *rand.PCG) {
	const letters = "abcdefghijklmnopqrstuvwxyz012345"
	one, two := random.Uint64(), random.Uint64()
	for i := range maxName / 2 {
		text[i], text[maxName/2+i] = letters[one>>(5*i)&31], letters[two>>(5*i)&31]
	}
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

// Whoever knows the hash and the list can look for names that a filter takes
// for members. They cost a look into the table and are not listed after it.
func TestCraftedNamesAreNotListed(t *testing.T) {
	data := generated(t)
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	hosts, directories := bundle.Filters(b)
	maybe := func(maybe bool, _ uint64) bool { return maybe }
	for _, host := range craft(hosts, "", listed, 300, maybe) {
		if v, ok, err := find(b.Host, []byte(host)); ok || err != nil {
			t.Errorf("%s: found %v, %v", host, v, err)
		}
		passes(t, data, "https://"+host+"/")
	}
	// Directories are asked about only under a host that has some.
	for _, directory := range craft(directories, "host-00000"+listed+"/", "/", 100, maybe) {
		if v, ok, err := find(b.Directory, []byte(directory)); ok || err != nil {
			t.Errorf("%s: found %v, %v", directory, v, err)
		}
		passes(t, data, "https://"+directory+"x.gif")
	}
}

// Where a filter says yes to everything, a name that has a listed one's length
// and its bucket differs from it by its bytes alone.
func TestTwinsAreNotListed(t *testing.T) {
	data := generated(t)
	at, size := binary.LittleEndian.Uint32(data[16:]), binary.LittleEndian.Uint32(data[20:])
	for i := at + 16; i < at+size; i++ {
		data[i] = 0xff
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	hosts, _ := bundle.Filters(b)
	slots := map[uint64]string{}
	err = b.EachRule(func(_ bundle.Kind, r filter.Rule) error {
		_, hash := hosts(append([]byte(r.Host), make([]byte, address.Slack)...), len(r.Host))
		slots[bundle.Slot(b, hash)] = r.Host
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	twins := craft(hosts, "", listed, 300, func(_ bool, hash uint64) bool { return slots[bundle.Slot(b, hash)] != "" })
	for _, host := range twins {
		if v, ok, err := find(b.Host, []byte(host)); ok || err != nil {
			t.Errorf("%s: found %v, %v", host, v, err)
		}
		passes(t, data, "https://"+host+"/")
	}
}

// craft searches random names between a prefix and a suffix for n that are
// wanted for what a filter says of them. They are as long as those of the
// generated list, and none of them.
func craft(has bundle.Has, prefix, suffix string, n int, wanted func(maybe bool, hash uint64) bool) (names []string) {
	random := rand.NewPCG(3, 4)
	const name = len("host-00000")
	text := make([]byte, len(prefix)+maxName+len(suffix)+address.Slack)
	size := copy(text, prefix) + name
	for len(names) < n {
		write(text[len(prefix):], random)
		end := size + copy(text[size:], suffix)
		if wanted(has(text, end)) {
			names = append(names, string(text[:end]))
		}
	}
	return names
}

// passes checks that a request to an address is allowed because it is not
// listed.
func passes(t *testing.T, data []byte, url string) {
	t.Helper()
	m, err := match.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Decide(&match.Request{
		URL: []byte(url), Page: []byte("https://booking.example/"), Type: filter.Image, Mode: match.ModeProtect,
	})
	if err != nil || d.Action != match.Allow || d.Reason != match.Unlisted {
		t.Errorf("%s: %s %s, %v", url, d.Action, d.Reason, err)
	}
}
