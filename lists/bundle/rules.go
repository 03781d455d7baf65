package bundle

import (
	"encoding/binary"
	"strings"

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
	Important             // stop the request, whatever an exception says
	Need                  // let it pass: the site cannot work without it
)

// Stops reports whether rules of this kind stop a request.
func (k Kind) Stops() bool { return k != Exception && k != Need }

// A KindedRule is a rule with the list it stands in.
type KindedRule struct {
	Kind Kind
	Rule filter.Rule
}

// A Record is one rule, still encoded. Its slices point into the bundle.
type Record struct {
	Kind      Kind
	Party     filter.Party
	Anchor    filter.Anchor
	End       bool
	MatchCase bool
	Regexp    bool
	Types     filter.Types
	Methods   filter.Methods
	Pattern   []byte // what follows the key the record stands under, or all of the rule's pattern
	pages     uint32 // 1 + offset of the set of domain=, or 0
	hosts     uint32 // the same of to=
	machine   uint32 // of a regular expression
}

// Records are encoded as
//
//	uvarint head: kind | party<<3 | anchor<<5 | flags<<7
//	uvarint types
//	uvarint length and bytes of the pattern
//	uvarint methods                         if the flag says so
//	uvarint offset of the set of domain=    if the flag says so
//	uvarint offset of the set of to=        if the flag says so
//	uvarint offset of the machine           if it is a regular expression
const (
	flagEnd = 1 << (7 + iota)
	flagMatchCase
	flagRegexp
	flagMethods
	flagPages
	flagHosts
)

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
	c.read(r)
	return !c.bad
}

func (c *Cursor) read(r *Record) {
	head := c.uvarint()
	*r = Record{
		Kind: Kind(head & 7), Party: filter.Party(head >> 3 & 3), Anchor: filter.Anchor(head >> 5 & 3),
		End: head&flagEnd != 0, MatchCase: head&flagMatchCase != 0, Regexp: head&flagRegexp != 0,
	}
	r.Types = filter.Types(c.uvarint())
	r.Pattern = c.take(c.uvarint())
	if head&flagMethods != 0 {
		r.Methods = filter.Methods(c.uvarint())
	}
	if head&flagPages != 0 {
		r.pages = c.offset()
	}
	if head&flagHosts != 0 {
		r.hosts = c.offset()
	}
	if head&flagRegexp != 0 {
		r.machine = c.offset()
	}
	c.bad = c.bad || r.Kind > Need
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

// offset reads an offset, and returns one more.
func (c *Cursor) offset() uint32 {
	v := c.uvarint()
	if v >= 1<<31 {
		c.bad = true
	}
	return uint32(v) + 1
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

// Pages returns the set of pages that the rule holds on, false when it is all.
func (b *Bundle) Pages(r *Record) (Set, bool, error) { return b.option(r.pages) }

// Hosts returns the set of hosts that the rule is about, false when it is all.
func (b *Bundle) Hosts(r *Record) (Set, bool, error) { return b.option(r.hosts) }

func (b *Bundle) option(offset uint32) (s Set, limited bool, err error) {
	if offset == 0 {
		return s, false, nil
	}
	s, ok := b.set(int(offset - 1))
	if !ok {
		err = ErrCorrupt
	}
	return s, true, err
}

// Holds reports whether a family is within a set.
func (b *Bundle) Holds(s *Set, f *Family) (bool, error) { return b.holds(s, f) }

// Rule decodes a record and the key it stands under, "" for a pattern's, into
// the rule that it was made from.
func (b *Bundle) Rule(r *Record, key string) filter.Rule {
	rule := filter.Rule{
		Allow: r.Kind == Exception, Important: r.Kind == Important, Anchor: r.Anchor, End: r.End,
		Regexp: r.Regexp, MatchCase: r.MatchCase, Types: r.Types, Party: r.Party, Methods: r.Methods,
	}
	host, directory := key, ""
	if i := strings.IndexByte(key, '/'); i >= 0 {
		host, directory = key[:i], key[i:]
	}
	rule.Host, rule.Pattern = host, directory+string(r.Pattern)
	if key == "" && !r.Regexp && r.Anchor == filter.Anywhere {
		rule.Pattern = strings.TrimPrefix(rule.Pattern, "*") // put there by the filing
	}
	if r.pages > 0 {
		rule.Domains = b.domains(int(r.pages - 1))
	}
	if r.hosts > 0 {
		rule.To = b.domains(int(r.hosts - 1))
	}
	return rule
}

// EachRule calls f for every rule of the bundle, those of hosts first. It stops
// at corruption, or when f returns an error.
func (b *Bundle) EachRule(f func(Kind, filter.Rule) error) error {
	for _, t := range []*table{&b.hosts.table, &b.directories.table} {
		err := t.each(func(key []byte, v Value) error {
			if v.Plain() {
				if err := f(Block, filter.Rule{Host: string(key)}); err != nil {
					return err
				}
			}
			rules := b.Rules(v)
			var r Record
			for rules.Next(&r) {
				if err := f(r.Kind, b.Rule(&r, string(key))); err != nil {
					return err
				}
			}
			return rules.Err()
		})
		if err != nil {
			return err
		}
	}
	for _, p := range []*Patterns{&b.Stops, &b.Passes} {
		seen := map[uint32]bool{} // a rule can be filed under several pages
		for i := range p.count {
			at := p.record(i)
			if seen[at] {
				continue
			}
			seen[at] = true
			var r Record
			if !b.read(at, &r) {
				return ErrCorrupt
			}
			if err := f(r.Kind, b.Rule(&r, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a single record.
func (b *Bundle) read(at uint32, r *Record) bool {
	if uint64(at) > uint64(len(b.rules)) {
		return false
	}
	c := Cursor{data: b.rules[at:]}
	c.read(r)
	return !c.bad
}

// appendRecord writes one rule. pattern is what the record keeps of the
// rule's.
func (e *encoder) appendRecord(r *KindedRule, pattern string) {
	head := uint64(r.Kind) | uint64(r.Rule.Party)<<3 | uint64(r.Rule.Anchor)<<5
	for flag, set := range map[uint64]bool{
		flagEnd: r.Rule.End, flagMatchCase: r.Rule.MatchCase, flagRegexp: r.Rule.Regexp,
		flagMethods: r.Rule.Methods != 0, flagPages: len(r.Rule.Domains) > 0, flagHosts: len(r.Rule.To) > 0,
	} {
		if set {
			head |= flag
		}
	}
	e.rules = binary.AppendUvarint(e.rules, head)
	e.rules = binary.AppendUvarint(e.rules, uint64(r.Rule.Types))
	e.rules = binary.AppendUvarint(e.rules, uint64(len(pattern)))
	e.rules = append(e.rules, pattern...)
	if r.Rule.Methods != 0 {
		e.rules = binary.AppendUvarint(e.rules, uint64(r.Rule.Methods))
	}
	if len(r.Rule.Domains) > 0 {
		e.rules = binary.AppendUvarint(e.rules, uint64(e.sets.add(r.Rule.Domains)))
	}
	if len(r.Rule.To) > 0 {
		e.rules = binary.AppendUvarint(e.rules, uint64(e.sets.add(r.Rule.To)))
	}
	if r.Rule.Regexp {
		e.rules = binary.AppendUvarint(e.rules, uint64(len(e.machines)))
		machine, err := e.machine(&r.Rule)
		if err != nil {
			e.err = err
		}
		e.machines = append(e.machines, machine...)
	}
}

// appendGroup writes rules that share a key: uvarint number of rules, and the
// rules without the key.
func (e *encoder) appendGroup(rules []KindedRule) (offset int) {
	offset = len(e.rules)
	e.rules = binary.AppendUvarint(e.rules, uint64(len(rules)))
	for i := range rules {
		_, rest := rules[i].Rule.Directory()
		e.appendRecord(&rules[i], rest)
	}
	return offset
}
