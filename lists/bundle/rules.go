package bundle

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
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
//	2 head: kind | party<<3 | anchor<<5 | flags   2 types   2 methods
//	2 length of the pattern, and its bytes
//	4 offset of the set of domain=, of that of to=, and of the machine of a
//	regular expression, each if its flag says so
const (
	recordHead = 8

	flagEnd = 1 << (6 + iota) // bit 7
	flagMatchCase
	flagRegexp
	flagPages
	flagHosts
)

// A group is
//
//	4 number of records   4 number of pages
//	for each page, in the order of their hashes: 4 bytes of its hashName, 4
//	offset of a record in rules
//	records
//
// A rule with domain= stands under each of its pages when the group has many:
// hundreds of sites each have their own for the largest trackers' hosts.

// A Cursor reads the rules of a group: all but those that hold on certain
// pages, and then those of the pages that a request comes from.
type Cursor struct {
	rules []byte
	data  []byte // of the records that are left
	left  uint32
	pages []byte // of the group, 8 bytes each
	names []name // of the page that are left
	page  int    // offset in pages of the next record, or of none
	bad   bool
}

// Rules returns a cursor over the group that v names, for requests from a page;
// it is empty when v names none.
func (b *Bundle) Rules(v Value, page *Family) (c Cursor) {
	group := int(v >> valueGroup)
	if group == 0 {
		return c
	}
	if group+7 > len(b.rules) {
		c.bad = true
		return c
	}
	c.left = binary.LittleEndian.Uint32(b.rules[group-1:])
	pages := int(binary.LittleEndian.Uint32(b.rules[group+3:]))
	if c.data = b.rules[group+7:]; pages > len(c.data)/8 {
		c.left, c.bad = 0, true
		return c
	}
	c.pages, c.data = c.data[:8*pages], c.data[8*pages:]
	c.page = len(c.pages)
	if pages > 0 {
		c.rules, c.names = b.rules, page.names
	}
	return c
}

// Next reads the next rule into r. It returns false at the end and at
// corruption, which Err tells apart.
func (c *Cursor) Next(r *Record) bool {
	if c.left > 0 {
		c.left--
		n := readRecord(c.data, r)
		c.data, c.bad = c.data[n:], n == 0
		if c.bad {
			c.left, c.names = 0, nil
		}
		return n > 0
	}
	return len(c.names) > 0 && c.nextOfPage(r)
}

func (c *Cursor) nextOfPage(r *Record) bool {
	for {
		hash := uint32(c.names[0].hash)
		if c.page < len(c.pages) && binary.LittleEndian.Uint32(c.pages[c.page:]) == hash {
			at := binary.LittleEndian.Uint32(c.pages[c.page+4:])
			c.page += 8
			if uint64(at) > uint64(len(c.rules)) || readRecord(c.rules[at:], r) == 0 {
				c.bad, c.names = true, nil
				return false
			}
			// The next may be of the same page; the name stays.
			if c.page == len(c.pages) || binary.LittleEndian.Uint32(c.pages[c.page:]) != hash {
				c.names, c.page = c.names[1:], len(c.pages)
			}
			return true
		}
		low := lowerBound(c.pages, hash)
		if low < len(c.pages)/8 && binary.LittleEndian.Uint32(c.pages[8*low:]) == hash {
			c.page = 8 * low
			continue
		}
		if c.names = c.names[1:]; len(c.names) == 0 {
			return false
		}
	}
}

// Err is ErrCorrupt when the cursor met bytes that cannot be.
func (c *Cursor) Err() error {
	if c.bad {
		return ErrCorrupt
	}
	return nil
}

// readRecord reads the record that data begins with and returns its length, or
// 0 when it cannot be.
func readRecord(data []byte, r *Record) int {
	if len(data) < recordHead {
		return 0
	}
	head := binary.LittleEndian.Uint64(data)
	end := recordHead + int(head>>48)
	if end > len(data) || head&7 > uint64(Need) {
		return 0
	}
	r.Kind, r.Party, r.Anchor = Kind(head&7), filter.Party(head>>3&3), filter.Anchor(head>>5&3)
	r.End, r.MatchCase, r.Regexp = head&flagEnd != 0, head&flagMatchCase != 0, head&flagRegexp != 0
	r.Types, r.Methods = filter.Types(head>>16), filter.Methods(head>>32)
	r.Pattern = data[recordHead:end]
	r.pages, r.hosts, r.machine = 0, 0, 0
	if head&(flagPages|flagHosts|flagRegexp) == 0 {
		return end
	}
	for _, option := range [...]struct {
		flag uint64
		to   *uint32
	}{{flagPages, &r.pages}, {flagHosts, &r.hosts}, {flagRegexp, &r.machine}} {
		if head&option.flag != 0 {
			if end+4 > len(data) {
				return 0
			}
			*option.to = binary.LittleEndian.Uint32(data[end:])&(1<<31-1) + 1
			end += 4
		}
	}
	return end
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
			var r Record
			rules := b.Rules(v, &Family{})
			for rules.Next(&r) {
				if err := f(r.Kind, b.Rule(&r, string(key))); err != nil {
					return err
				}
			}
			seen := map[uint32]bool{}
			for page := rules.pages; len(page) > 0 && rules.Err() == nil; page = page[8:] {
				at := binary.LittleEndian.Uint32(page[4:])
				if seen[at] {
					continue
				}
				seen[at] = true
				if !b.read(at, &r) {
					return ErrCorrupt
				}
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
	return uint64(at) <= uint64(len(b.rules)) && readRecord(b.rules[at:], r) > 0
}

// appendRecord writes one rule. pattern is what the record keeps of the
// rule's.
func (e *encoder) appendRecord(r *KindedRule, pattern string) {
	if len(pattern) > maxPattern {
		e.err = errors.New("rule " + r.Rule.String()[:50] + "…: longer than " + strconv.Itoa(maxPattern) + " bytes: shorten it")
		return
	}
	head := uint16(r.Kind) | uint16(r.Rule.Party)<<3 | uint16(r.Rule.Anchor)<<5
	for _, flag := range []struct {
		bit uint16
		set bool
	}{
		{flagEnd, r.Rule.End},
		{flagMatchCase, r.Rule.MatchCase},
		{flagRegexp, r.Rule.Regexp},
		{flagPages, len(r.Rule.Domains) > 0},
		{flagHosts, len(r.Rule.To) > 0},
	} {
		if flag.set {
			head |= flag.bit
		}
	}
	e.rules = binary.LittleEndian.AppendUint16(e.rules, head)
	e.rules = binary.LittleEndian.AppendUint16(e.rules, uint16(r.Rule.Types))
	e.rules = binary.LittleEndian.AppendUint16(e.rules, uint16(r.Rule.Methods))
	e.rules = binary.LittleEndian.AppendUint16(e.rules, uint16(len(pattern)))
	e.rules = append(e.rules, pattern...)
	if len(r.Rule.Domains) > 0 {
		e.rules = binary.LittleEndian.AppendUint32(e.rules, uint32(e.sets.add(r.Rule.Domains)))
	}
	if len(r.Rule.To) > 0 {
		e.rules = binary.LittleEndian.AppendUint32(e.rules, uint32(e.sets.add(r.Rule.To)))
	}
	if r.Rule.Regexp {
		e.rules = binary.LittleEndian.AppendUint32(e.rules, uint32(len(e.machines)))
		machine, err := e.machine(&r.Rule)
		if err != nil {
			e.err = err
		}
		e.machines = append(e.machines, machine...)
	}
}

// maxPattern is the longest pattern that a record holds.
const maxPattern = 1<<16 - 1

// manyPages is how many rules of a group must hold on certain pages only for
// them to stand under their pages.
const manyPages = 4

// appendGroup writes rules that share a key, without it.
func (e *encoder) appendGroup(rules []KindedRule) (offset int) {
	ofPages := 0
	for i := range rules {
		if names, ok := pagesOf(&rules[i].Rule); ok && len(names) > 0 {
			ofPages++
		}
	}
	var pages []uint64 // hash above, offset below
	var others []int
	for i := range rules {
		names, ok := pagesOf(&rules[i].Rule)
		if ofPages < manyPages || !ok || len(names) == 0 {
			others = append(others, i)
			continue
		}
		for _, name := range names {
			pages = append(pages, hashOfName(name)<<32|uint64(len(e.rules)))
		}
		_, rest := rules[i].Rule.Directory()
		e.appendRecord(&rules[i], rest)
	}
	slices.Sort(pages)
	offset = len(e.rules)
	e.rules = binary.LittleEndian.AppendUint32(e.rules, uint32(len(others)))
	e.rules = binary.LittleEndian.AppendUint32(e.rules, uint32(len(pages)))
	for _, page := range pages {
		e.rules = binary.LittleEndian.AppendUint64(e.rules, page>>32|page<<32)
	}
	for _, i := range others {
		_, rest := rules[i].Rule.Directory()
		e.appendRecord(&rules[i], rest)
	}
	return offset
}

// pagesOf lists the hosts of the pages that a rule holds on, none when it is
// all. It cannot when entities are among them.
func pagesOf(r *filter.Rule) (names []string, ok bool) {
	for _, d := range r.Domains {
		switch {
		case d.Not:
		case strings.HasSuffix(d.Name, ".*"):
			return nil, false
		default:
			names = append(names, d.Name)
		}
	}
	return names, true
}
