package bundle_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/bits-and-blooms/bloom/v3"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// small is a list with something in every section.
func small(t testing.TB) []byte {
	t.Helper()
	list := &compile.List{
		Sites:      []bundle.Site{{Domain: "booking.example", Name: "Booking"}},
		Recipients: []bundle.Recipient{{Host: "tracker.example", Country: "US", Name: "Tracker", Purposes: "analytics,advertising"}},
	}
	for _, line := range []string{
		"||tracker.example^", "||a.tracker.example^$third-party", "||cdn.example/t/*.js|$script,domain=booking.example|~x.booking.example",
		"/pixel.gif?$image", "-analytics-*-collect$domain=shop.*", `/^https:\/\/[a-z]{8}\.example\//$script,to=~a.example`,
		"*$ping,method=post,domain=booking.example", "@@|https://cdn.", "||ads.$important,match-case",
	} {
		r, err := filter.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		kind := bundle.Block
		switch {
		case r.Allow:
			kind = bundle.Exception
		case r.Important:
			kind = bundle.Important
		}
		list.Rules = append(list.Rules, bundle.KindedRule{Kind: kind, Rule: r})
	}
	for i := range 100 {
		list.Rules = append(list.Rules, bundle.KindedRule{Rule: filter.Rule{Host: fmt.Sprintf("h%d.example", i)}})
	}
	data, err := list.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// find looks a key up.
func find(look func([]byte, int) (bundle.Value, bool, error), key []byte) (bundle.Value, bool, error) {
	return look(append(key, make([]byte, address.Slack)...), len(key))
}

func TestLookUp(t *testing.T) {
	b, err := bundle.Open(small(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if v, ok, err := find(b.Host, []byte(fmt.Sprintf("h%d.example", i))); !ok || err != nil || !v.Plain() {
			t.Errorf("h%d.example: %v %v %v", i, v, ok, err)
		}
	}
	for _, host := range []string{"h100.example", "h.example", "example", "tracker.example.com", ""} {
		if _, ok, err := find(b.Host, []byte(host)); ok || err != nil {
			t.Errorf("%q: found, %v", host, err)
		}
	}
	v, ok, err := find(b.Directory, []byte("cdn.example/t/"))
	if !ok || err != nil {
		t.Fatal("no directory", err)
	}
	rules := b.Rules(v, &bundle.Family{})
	var r bundle.Record
	if !rules.Next(&r) || b.Rule(&r, "cdn.example/t/").String() != "||cdn.example/t/*.js|$script,domain=booking.example|~x.booking.example" {
		t.Errorf("rule came back as %s, %v", b.Rule(&r, "cdn.example/t/"), rules.Err())
	}
	pages, limited, err := b.Pages(&r)
	if !limited || err != nil {
		t.Fatal("holds on every page", err)
	}
	for page, want := range map[string]bool{"booking.example": true, "a.booking.example": true, "x.booking.example": false, "other.example": false, "": false} {
		var u address.URL
		_ = u.Parse([]byte("https://" + page + "/"))
		var family bundle.Family
		family.Reset(&u)
		if holds, err := b.Holds(&pages, &family); holds != want || err != nil {
			t.Errorf("holds on %q: %v, %v", page, holds, err)
		}
	}
	if s := b.Sites(); len(s) != 1 || s[0].Name != "Booking" {
		t.Errorf("sites %v", s)
	}
	if s := b.Recipients(); len(s) != 1 || s[0] != (bundle.Recipient{Host: "tracker.example", Country: "US", Name: "Tracker", Purposes: "analytics,advertising"}) {
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
	theirs := bloom.New(1<<14, 4)
	var entries []bundle.Under
	seen := map[string]bool{}
	for len(entries) < 2000 {
		if w := word(); !seen[w] {
			seen[w] = true
			entries = append(entries, bundle.Under{Key: w})
			theirs.AddString(w)
		}
	}
	none := bloom.New(64, 1)
	data, err := bundle.Encode(&bundle.Content{
		Hosts:             entries,
		HostsFilter:       bundle.Filter{M: uint64(theirs.Cap()), K: uint32(theirs.K()), N: 2000, Bits: theirs.BitSet().Words()},
		DirectoriesFilter: bundle.Filter{M: uint64(none.Cap()), K: uint32(none.K()), Bits: none.BitSet().Words()},
	})
	if err != nil {
		t.Fatal(err)
	}
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
		if _, ok, err := find(b.Host, []byte(w)); ok != seen[w] || err != nil {
			t.Fatalf("%q: found %v, %v", w, ok, err)
		}
	}
	if positives < 1000 {
		t.Errorf("only %d false positives: the test looked at too few probes", positives)
	}
	for w := range seen {
		if _, ok, _ := find(b.Host, []byte(w)); !ok {
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
	stops := int(binary.LittleEndian.Uint32(good[16+8*7:]))
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"empty":     {func(b []byte) []byte { return nil }, "bundle: header: 0 bytes, want at least 104"},
		"truncated": {func(b []byte) []byte { return b[:len(b)-1] }, fmt.Sprintf("bundle: header: says %d bytes, has %d", len(good), len(good)-1)},
		"magic":     {func(b []byte) []byte { b[0] = 'x'; return b }, "bundle: header: want the magic PVBUNDL5"},
		"sections":  {put(12, 1000), "bundle: header: says 1000 sections, want 11"},
		"overlap":   {put(24, 3), "bundle: directories filter: lies outside the bundle or not behind the section before"},
		"absurd":    {put(20, 1<<31), "bundle: hosts filter: lies outside the bundle or not behind the section before"},
		"m":         {put(hosts+4, 1), "bundle: hosts filter: m: want a power of two from 2^6 to 2^31 bits"},
		"m small":   {put(hosts, 64), "bundle: hosts filter: m: does not fit the number of bytes"},
		"k":         {put(hosts+8, 1<<20), "bundle: hosts filter: k: want 1 to 40 probes"},
		"n":         {put(hosts+12, 7), "bundle: hosts filter: made for another number of keys than the table has"},
		"keys":      {put(table, 1<<30), "bundle: hosts filter: made for another number of keys than the table has"},
		"buckets":   {put(table+8, 1<<30), "bundle: hosts table: index is longer than the section"},
		"buckets 3": {put(table+8, 3), "bundle: hosts table: buckets: want a power of two from 2 on"},
		"entries":   {put(stops, 1<<27), "bundle: stops: number of entries does not fit the section"},
		"slots":     {put(stops+8, 1<<20), "bundle: stops: index is longer than the section"},
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
	f.Add(small(f), []byte("h1.example"), []byte("https://ads.booking.example/x/pixel.gif?a-analytics-b-collect"))
	f.Add(small(f), []byte("cdn.example/t/"), []byte("https://abcdefgh.example/"))
	f.Fuzz(func(t *testing.T, data, key, url []byte) {
		b, err := bundle.Open(data)
		if err != nil {
			return
		}
		var u address.URL
		if u.Parse(url) != nil {
			return
		}
		var pages bundle.Family
		pages.Reset(&u)
		pages.Entities(u.Host(), 3)
		look := func(r *bundle.Record) {
			for _, set := range []func(*bundle.Record) (bundle.Set, bool, error){b.Pages, b.Hosts} {
				if s, limited, err := set(r); limited && err == nil {
					_, _ = b.Holds(&s, &pages)
				}
			}
			if r.Regexp {
				_, _ = b.Match(r, u.Exact())
			}
			_ = b.Rule(r, string(key)).String()
		}
		var r bundle.Record
		for _, table := range []func([]byte, int) (bundle.Value, bool, error){b.Host, b.Directory} {
			v, ok, err := find(table, key)
			if err != nil && !errors.Is(err, bundle.ErrCorrupt) {
				t.Fatal(err)
			}
			if !ok {
				continue
			}
			rules := b.Rules(v, &pages)
			for rules.Next(&r) {
				look(&r)
			}
		}
		for _, patterns := range []*bundle.Patterns{&b.Stops, &b.Passes} {
			var s bundle.Search
			s.Begin(b, patterns, &u, &pages, filter.Script)
			for _, ok := s.Next(&r); ok; _, ok = s.Next(&r) {
				look(&r)
			}
			_ = s.Err()
		}
		_ = b.EachRule(func(bundle.Kind, filter.Rule) error { return nil })
		b.Sites()
		b.Recipients()
	})
}
