package compile

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/bits-and-blooms/bloom/v3"

	"paravent/lists/bundle"
)

// falsePositives is the highest rate that the Bloom filters are made for. A
// false positive costs one look into the exact table and is then known to be
// one, so a rarer rate would buy little but bytes at every wake.
const falsePositives = 1e-4

// mostSet is the highest share of a filter's bits that are set. So many of the
// keys that are not listed are told so by a second probe only, and which ones no
// processor guesses.
const mostSet = 1.0 / 8

// Compile reads a canonical text and encodes its bundle.
func Compile(text []byte) ([]byte, error) {
	list, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return list.Bundle()
}

// Bundle encodes the list's bundle. It fails when a regular expression is too
// large, see Machine.
func (l *List) Bundle() ([]byte, error) {
	content := &bundle.Content{Sites: l.Sites, Recipients: l.Recipients, Machine: Machine, Literals: literals}
	hosts, directories := map[string]*bundle.Under{}, map[string]*bundle.Under{}
	at := func(m map[string]*bundle.Under, key string) *bundle.Under {
		u := m[key]
		if u == nil {
			u = &bundle.Under{Key: key}
			m[key] = u
		}
		return u
	}
	for _, r := range l.Rules {
		if r.Rule.Host == "" {
			content.Patterns = append(content.Patterns, r)
			continue
		}
		host := at(hosts, r.Rule.Host)
		directory, _ := r.Rule.Directory()
		switch {
		case r.Kind == bundle.Block && r.Rule.Plain():
			host.Plain = true
		case directory == "":
			host.Rules = append(host.Rules, r)
		default:
			host.Depths |= 1 << (strings.Count(directory, "/") - 1)
			u := at(directories, r.Rule.Host+directory)
			u.Rules = append(u.Rules, r)
		}
	}
	sorted(content.Patterns)
	content.Hosts, content.HostsFilter = under(hosts)
	content.Directories, content.DirectoriesFilter = under(directories)
	return bundle.Encode(content)
}

// sorted puts rules into the order in which they are looked at: those of a
// higher kind first.
func sorted(rules []bundle.KindedRule) {
	texts := make(map[int]string, len(rules))
	order := make([]int, len(rules))
	for i := range rules {
		order[i], texts[i] = i, rules[i].Rule.String()
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(-cmp.Compare(rules[a].Kind, rules[b].Kind), cmp.Compare(texts[a], texts[b]))
	})
	old := slices.Clone(rules)
	for i, from := range order {
		rules[i] = old[from]
	}
}

func under(m map[string]*bundle.Under) ([]bundle.Under, bundle.Filter) {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	all := make([]bundle.Under, len(keys))
	f := newFilter(len(keys))
	for i, key := range keys {
		sorted(m[key].Rules)
		all[i] = *m[key]
		f.AddString(key)
	}
	return all, bundle.Filter{M: uint64(f.Cap()), K: uint32(f.K()), N: uint32(len(keys)), Bits: f.BitSet().Words()}
}

// newFilter makes a filter for n keys with as few bits, a power of two, and as
// few probes as the rate and mostSet allow.
func newFilter(n int) *bloom.BloomFilter {
	m, k := uint(64), uint(1)
	set := func() float64 { return 1 - math.Exp(-float64(k)*float64(n)/float64(m)) }
	for math.Pow(set(), float64(k)) > falsePositives {
		if k++; set() > mostSet {
			m, k = 2*m, 1
		}
	}
	return bloom.New(m, k)
}
