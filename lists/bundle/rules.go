package bundle

import (
	"encoding/binary"

	"paravent/lists/address"
	"paravent/lists/filter"
)

// A Kind says in which list a rule stands, and so what it does. A higher kind
// wins over a lower one.
type Kind uint8

// The kinds, by rising precedence.
const (
	Block     Kind = iota // stop the request
	Photo                 // fetch an image obliviously, stop anything else
	Exception             // let it pass: an @@ rule
	Need                  // let it pass: the site cannot work without it
)

// A Record is one rule of a group, still encoded. Its slices point into the
// bundle.
type Record struct {
	Kind    Kind
	End     bool
	Party   filter.Party
	Types   filter.Types
	Rest    []byte // the pattern behind the key's directory
	domains []byte // encoded: count, then length<<1|not and bytes of each
}

// A Cursor reads the rules of a group.
type Cursor struct {
	data []byte
	left uint64
	bad  bool
}

// Rules returns a cursor over the group that v names; it is empty when v
// names none.
func (b *Bundle) Rules(v Value) Cursor {
	group := uint64(v >> 2)
	if group == 0 {
		return Cursor{}
	}
	if group-1 >= uint64(len(b.rules)) {
		return Cursor{bad: true}
	}
	c := Cursor{data: b.rules[group-1:]}
	c.left = c.uvarint()
	return c
}

// Next reads the next rule into r. It returns false at the end and at
// corruption, which Err tells apart.
func (c *Cursor) Next(r *Record) bool {
	if c.left == 0 || c.bad {
		return false
	}
	c.left--
	head := c.uvarint()
	r.Kind = Kind(head & 3)
	r.Party = filter.Party(head >> 2 & 3)
	r.End = head>>4&1 != 0
	r.Types = filter.Types(c.uvarint())
	r.Rest = c.take(c.uvarint())
	r.domains = c.take(c.uvarint())
	return !c.bad
}

// Err is ErrCorrupt when the cursor met bytes that cannot be.
func (c *Cursor) Err() error {
	if c.bad {
		return ErrCorrupt
	}
	return nil
}

func (c *Cursor) uvarint() uint64 {
	v, rest, ok := uvarint(c.data)
	if !ok {
		c.bad = true
	}
	c.data = rest
	return v
}

func (c *Cursor) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.bad, c.data = true, nil
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

// HoldsOn reports whether the rule holds on pages of a host: it is within one
// of the named domains if any is named, and within none of the excluded.
func (r *Record) HoldsOn(host []byte) bool {
	if len(r.domains) == 0 {
		return true
	}
	c := Cursor{data: r.domains}
	named, within := false, false
	for len(c.data) > 0 && !c.bad {
		head := c.uvarint()
		in := address.Within(host, c.take(head>>1))
		if head&1 != 0 {
			if in {
				return false
			}
			continue
		}
		named = true
		within = within || in
	}
	return !c.bad && (within || !named)
}

// Rule decodes the record under its key into the rule that it was made from.
func (r *Record) Rule(key []byte) filter.Rule {
	host, directory := key, []byte(nil)
	for i, c := range key {
		if c == '/' {
			host, directory = key[:i], key[i:]
			break
		}
	}
	rule := filter.Rule{
		Allow: r.Kind == Exception, Host: string(address.AppendHost(nil, host)),
		Pattern: string(directory) + string(r.Rest), End: r.End, Types: r.Types, Party: r.Party,
	}
	c := Cursor{data: r.domains}
	for len(c.data) > 0 && !c.bad {
		head := c.uvarint()
		rule.Domains = append(rule.Domains, filter.Domain{Name: string(c.take(head >> 1)), Not: head&1 != 0})
	}
	return rule
}

// PlainRule is the rule that Value.Plain stands for.
func PlainRule(key []byte) filter.Rule {
	return filter.Rule{Host: string(address.AppendHost(nil, key))}
}

// A KindedRule is a rule with the list it stands in.
type KindedRule struct {
	Kind Kind
	Rule filter.Rule
}

// AppendGroup writes rules that share a key:
//
//	uvarint number of rules, then for each
//	uvarint kind | party<<2 | end<<4
//	uvarint types
//	uvarint length and bytes of the pattern behind the directory
//	uvarint length and bytes of the domains: for each uvarint length<<1|not, bytes
func AppendGroup(dst []byte, rules []KindedRule) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(rules)))
	for _, r := range rules {
		head := uint64(r.Kind) | uint64(r.Rule.Party)<<2
		if r.Rule.End {
			head |= 1 << 4
		}
		_, rest := r.Rule.Directory()
		dst = binary.AppendUvarint(dst, head)
		dst = binary.AppendUvarint(dst, uint64(r.Rule.Types))
		dst = binary.AppendUvarint(dst, uint64(len(rest)))
		dst = append(dst, rest...)
		var domains []byte
		for _, d := range r.Rule.Domains {
			length := uint64(len(d.Name)) << 1
			if d.Not {
				length |= 1
			}
			domains = binary.AppendUvarint(domains, length)
			domains = append(domains, d.Name...)
		}
		dst = binary.AppendUvarint(dst, uint64(len(domains)))
		dst = append(dst, domains...)
	}
	return dst
}
