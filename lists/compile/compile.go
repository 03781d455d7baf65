package compile

import (
	"cmp"
	"slices"

	"github.com/bits-and-blooms/bloom/v3"

	"paravent/lists/address"
	"paravent/lists/bundle"
)

// falsePositives is the rate the Bloom filters are made for. A false positive
// costs one look into the exact table (some microseconds) and is then known to
// be one, so a rarer rate would buy nothing but bytes at every wake.
const falsePositives = 1e-4

// Compile reads a canonical text and encodes its bundle.
func Compile(text []byte) ([]byte, error) {
	list, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return list.Bundle(), nil
}

// Bundle encodes the list's bundle.
func (l *List) Bundle() []byte {
	type under struct {
		plain, directories bool
		rules              []bundle.KindedRule
	}
	hosts, directories := map[string]*under{}, map[string]*under{}
	at := func(m map[string]*under, key string) *under {
		u := m[key]
		if u == nil {
			u = new(under)
			m[key] = u
		}
		return u
	}
	for _, r := range l.Rules {
		key := string(address.AppendKey(nil, []byte(r.Rule.Host)))
		host := at(hosts, key)
		directory, _ := r.Rule.Directory()
		switch {
		case r.Kind == bundle.Block && r.Rule.Plain():
			host.plain = true
		case directory == "":
			host.rules = append(host.rules, r)
		default:
			host.directories = true
			u := at(directories, key+directory)
			u.rules = append(u.rules, r)
		}
	}
	content := &bundle.Content{Sites: l.Sites, Recipients: l.Recipients}
	encode := func(m map[string]*under) ([]bundle.Entry, bundle.Filter) {
		keys := make([]string, 0, len(m))
		for key := range m {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		entries := make([]bundle.Entry, len(keys))
		f := bloom.NewWithEstimates(uint(max(len(keys), 1)), falsePositives)
		for i, key := range keys {
			u := m[key]
			group := -1
			if len(u.rules) > 0 {
				slices.SortFunc(u.rules, func(a, b bundle.KindedRule) int {
					return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule.String(), b.Rule.String()))
				})
				group = len(content.Rules)
				content.Rules = bundle.AppendGroup(content.Rules, u.rules)
			}
			entries[i] = bundle.Entry{Key: key, Value: bundle.NewValue(u.plain, u.directories, group)}
			f.AddString(key)
		}
		return entries, bundle.Filter{M: uint64(f.Cap()), K: uint32(f.K()), N: uint32(len(keys)), Bits: f.BitSet().Words()}
	}
	content.Hosts, content.HostsFilter = encode(hosts)
	content.Directories, content.DirectoriesFilter = encode(directories)
	return bundle.Encode(content)
}
