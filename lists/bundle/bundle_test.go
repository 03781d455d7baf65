package bundle_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bits-and-blooms/bloom/v3"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// small is a list with something in every section.
func small(t testing.TB) []byte {
	list := &compile.List{
		Sites:      []bundle.Site{{Domain: "booking.example", Name: "Booking"}},
		Recipients: []bundle.Recipient{{Host: "tracker.example", Country: "US", Name: "Tracker"}},
	}
	for _, line := range []string{
		"||tracker.example^", "||a.tracker.example^$third-party", "||cdn.example/t/*.js|$script,domain=booking.example|~x.booking.example",
	} {
		r, err := filter.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		list.Rules = append(list.Rules, bundle.KindedRule{Rule: r})
	}
	for i := range 100 {
		list.Rules = append(list.Rules, bundle.KindedRule{Rule: filter.Rule{Host: fmt.Sprintf("h%d.example", i)}})
	}
	return list.Bundle()
}

func key(host string) []byte {
	labels := strings.Split(host, ".")
	for i, j := 0, len(labels)-1; i < j; i, j = i+1, j-1 {
		labels[i], labels[j] = labels[j], labels[i]
	}
	return []byte(strings.Join(labels, "."))
}

func TestLookUp(t *testing.T) {
	b, err := bundle.Open(small(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if v, ok, err := b.Host(key(fmt.Sprintf("h%d.example", i))); !ok || err != nil || !v.Plain() {
			t.Errorf("h%d.example: %v %v %v", i, v, ok, err)
		}
	}
	for _, host := range []string{"h100.example", "h.example", "example", "tracker.example.com", ""} {
		if _, ok, err := b.Host(key(host)); ok || err != nil {
			t.Errorf("%q: found, %v", host, err)
		}
	}
	v, ok, err := b.Directory([]byte("example.cdn/t/"))
	if !ok || err != nil {
		t.Fatal("no directory", err)
	}
	rules := b.Rules(v)
	var r bundle.Record
	if !rules.Next(&r) || r.Rule([]byte("example.cdn/t/")).String() != "||cdn.example/t/*.js|$script,domain=booking.example|~x.booking.example" {
		t.Errorf("rule came back as %s, %v", r.Rule([]byte("example.cdn/t/")), rules.Err())
	}
	for page, want := range map[string]bool{"booking.example": true, "a.booking.example": true, "x.booking.example": false, "other.example": false, "": false} {
		if r.HoldsOn([]byte(page)) != want {
			t.Errorf("holds on %q: %v", page, !want)
		}
	}
	if s := b.Sites(); len(s) != 1 || s[0].Name != "Booking" {
		t.Errorf("sites %v", s)
	}
	if s := b.Recipients(); len(s) != 1 || s[0] != (bundle.Recipient{Host: "tracker.example", Country: "US", Name: "Tracker"}) {
		t.Errorf("recipients %v", s)
	}
}

// The filter is read by our own code and filled by the bloom package's: what
// one says, the other must say, for members and for strangers.
func TestFilterAgreesWithBloomPackage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 1+random.IntN(40))
		for i := range b {
			b[i] = byte('a' + random.IntN(26))
		}
		return string(b)
	}
	theirs := bloom.NewWithEstimates(2000, 0.05)
	var entries []bundle.Entry
	seen := map[string]bool{}
	for len(entries) < 2000 {
		if w := word(); !seen[w] {
			seen[w] = true
			entries = append(entries, bundle.Entry{Key: w})
			theirs.AddString(w)
		}
	}
	none := bloom.NewWithEstimates(1, 0.05)
	data := bundle.Encode(&bundle.Content{
		Hosts:             entries,
		HostsFilter:       bundle.Filter{M: uint64(theirs.Cap()), K: uint32(theirs.K()), N: 2000, Bits: theirs.BitSet().Words()},
		DirectoriesFilter: bundle.Filter{M: uint64(none.Cap()), K: uint32(none.K()), Bits: none.BitSet().Words()},
	})
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	positives := 0
	for range 50_000 {
		w := word()
		if theirs.TestString(w) != bundle.MayHaveHost(b, []byte(w)) {
			t.Fatalf("%q: the bloom package says %v", w, theirs.TestString(w))
		}
		if theirs.TestString(w) {
			positives++
		}
		if _, ok, err := b.Host([]byte(w)); ok != seen[w] || err != nil {
			t.Fatalf("%q: found %v, %v", w, ok, err)
		}
	}
	if positives < 1000 {
		t.Errorf("only %d false positives: the test looked at too few probes", positives)
	}
	for w := range seen {
		if _, ok, _ := b.Host([]byte(w)); !ok {
			t.Fatalf("%q is lost", w)
		}
	}
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	good := small(t)
	put := func(offset int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[offset:], v); return b }
	}
	hosts := int(binary.LittleEndian.Uint32(good[16:]))
	table := int(binary.LittleEndian.Uint32(good[32:]))
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"empty":     {func(b []byte) []byte { return nil }, "bundle: header: 0 bytes, want at least 72"},
		"truncated": {func(b []byte) []byte { return b[:len(b)-1] }, fmt.Sprintf("bundle: header: says %d bytes, has %d", len(good), len(good)-1)},
		"magic":     {func(b []byte) []byte { b[0] = 'x'; return b }, "bundle: header: want the magic PVBUNDL1"},
		"sections":  {put(12, 1000), "bundle: header: says 1000 sections, want 7"},
		"overlap":   {put(24, 3), "bundle: directories filter: lies outside the bundle or not behind the section before"},
		"absurd":    {put(20, 1<<31), "bundle: hosts filter: lies outside the bundle or not behind the section before"},
		"m":         {put(hosts+4, 1), "bundle: hosts filter: m: want 1 to 2^31 bits"},
		"m small":   {put(hosts, 64), "bundle: hosts filter: m: does not fit the number of bytes"},
		"k":         {put(hosts+8, 1<<20), "bundle: hosts filter: k: want 1 to 40 probes"},
		"n":         {put(hosts+12, 7), "bundle: hosts filter: made for another number of keys than the table has"},
		"keys":      {put(table, 1<<30), "bundle: hosts table: number of blocks does not fit the number of keys"},
	} {
		_, err := bundle.Open(c.change(append([]byte(nil), good...)))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for n := range good {
		if _, err := bundle.Open(good[:n]); err == nil {
			t.Fatalf("opened when cut off after %d bytes", n)
		}
	}
}

func FuzzBundle(f *testing.F) {
	f.Add(small(f), []byte("example.h1"))
	f.Add(small(f), []byte("example.cdn/t/"))
	f.Fuzz(func(t *testing.T, data, key []byte) {
		b, err := bundle.Open(data)
		if err != nil {
			return
		}
		for _, find := range []func([]byte) (bundle.Value, bool, error){b.Host, b.Directory} {
			v, ok, err := find(key)
			if err != nil && !errors.Is(err, bundle.ErrCorrupt) {
				t.Fatal(err)
			}
			if !ok {
				continue
			}
			rules := b.Rules(v)
			var r bundle.Record
			for rules.Next(&r) {
				r.HoldsOn(key)
				_ = r.Rule(key).String()
			}
		}
		_ = b.Each(func(key []byte, v bundle.Value) error { return nil })
		b.Sites()
		b.Recipients()
	})
}
