package bundle

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"paravent/lists/filter"
)

// A Filter is a Bloom filter that bits-and-blooms filled.
type Filter struct {
	M    uint64 // bits
	K    uint32 // probes
	N    uint32 // keys
	Bits []uint64
}

// A Site is a protected domain with the name that people know it by.
type Site struct{ Domain, Name string }

// A Recipient is an organisation that stands behind a host. Country is an
// ISO 3166-1 alpha-2 code, Purposes are the keys of what it receives requests
// for, with commas between, "" when no source says it.
type Recipient struct{ Host, Country, Name, Purposes string }

// Line writes a recipient as canonical texts and bundles have it.
func (r *Recipient) Line() string {
	line := r.Host + "\t" + r.Country + "\t" + r.Name
	if r.Purposes != "" {
		line += "\t" + r.Purposes
	}
	return line
}

// ParseRecipient reads what Line writes, false when it is none. The host is
// not looked at.
func ParseRecipient(line string) (Recipient, bool) {
	host, rest, _ := strings.Cut(line, "\t")
	country, rest, _ := strings.Cut(rest, "\t")
	name, purposes, more := strings.Cut(rest, "\t")
	r := Recipient{host, country, name, purposes}
	return r, len(country) == 2 && name != "" && (!more || isPurposes(purposes))
}

func isPurposes(text string) bool {
	for purpose := range strings.SplitSeq(text, ",") {
		if purpose == "" || strings.Trim(purpose, "abcdefghijklmnopqrstuvwxyz-") != "" {
			return false
		}
	}
	return true
}

// Under is what a list has under one key.
type Under struct {
	Key    string
	Plain  bool         // "||key^" without conditions
	Depths uint         // of the Unders of the directories that begin with this host, see Value
	Rules  []KindedRule // the others, by falling kind
}

// Content is what a bundle is made of.
type Content struct {
	Hosts, Directories             []Under
	HostsFilter, DirectoriesFilter Filter
	Patterns                       []KindedRule // rules without a host
	Sites                          []Site
	Recipients                     []Recipient
	// Machine makes the automaton of a rule that is a regular expression.
	Machine func(*filter.Rule) ([]byte, error)
	// Literals is a pattern that matches whatever such a rule matches, with
	// "*" for all that is not literal in it.
	Literals func(*filter.Rule) string
}

type encoder struct {
	rules, machines []byte
	sets            setWriter
	machine         func(*filter.Rule) ([]byte, error)
	literals        func(*filter.Rule) string
	err             error
}

// Encode writes a bundle. The same content gives the same bytes. It fails when
// a regular expression cannot be made an automaton of.
func Encode(c *Content) ([]byte, error) {
	e := &encoder{machine: c.Machine, literals: c.Literals, sets: setWriter{names: map[string]int{}, sets: map[string]int{}}}
	var part [sections][]byte
	part[hostsFilterSection] = appendFilter(nil, &c.HostsFilter)
	part[directoriesFilterSection] = appendFilter(nil, &c.DirectoriesFilter)
	part[hostsTableSection] = appendTable(nil, e.entries(c.Hosts))
	part[directoriesTableSection] = appendTable(nil, e.entries(c.Directories))
	part[stopsSection], part[passesSection] = e.patterns(c.Patterns)
	part[rulesSection], part[namesSection], part[machinesSection] = e.rules, e.sets.data, e.machines
	for _, s := range c.Sites {
		part[sitesSection] = append(part[sitesSection], s.Domain+"\t"+s.Name+"\n"...)
	}
	for _, r := range c.Recipients {
		part[recipientsSection] = append(part[recipientsSection], r.Line()+"\n"...)
	}
	total := headerSize
	for _, p := range part {
		total += len(p)
	}
	data := make([]byte, 0, total)
	data = append(data, magic...)
	data = binary.LittleEndian.AppendUint32(data, uint32(total))
	data = binary.LittleEndian.AppendUint32(data, sections)
	offset := headerSize
	for _, p := range part {
		data = binary.LittleEndian.AppendUint32(data, uint32(offset))
		data = binary.LittleEndian.AppendUint32(data, uint32(len(p)))
		offset += len(p)
	}
	for _, p := range part {
		data = append(data, p...)
	}
	return data, e.err
}

func (e *encoder) entries(under []Under) []Entry {
	entries := make([]Entry, len(under))
	for i, u := range under {
		if len(u.Key) > maxPacked {
			e.err = errors.New("rule " + u.Key[:50] + "…: longer than " + strconv.Itoa(maxPacked) + " bytes: shorten it")
		}
		v := Value(u.Depths) << 1
		if u.Plain {
			v |= valuePlain
		}
		if len(u.Rules) > 0 {
			group := e.appendGroup(u.Rules)
			if group > maxGroup {
				e.err = errors.New("rules: more than " + strconv.Itoa(maxGroup) + " bytes: the list is too large")
			}
			v |= Value(group+1) << valueGroup
		}
		entries[i] = Entry{Key: u.Key, Value: v}
	}
	return entries
}

func appendFilter(dst []byte, f *Filter) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, f.M)
	dst = binary.LittleEndian.AppendUint32(dst, f.K)
	dst = binary.LittleEndian.AppendUint32(dst, f.N)
	for _, w := range f.Bits {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

// Sites lists the protected domains, sorted by domain.
func (b *Bundle) Sites() (sites []Site) {
	for line := range strings.Lines(string(b.sites)) {
		domain, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		sites = append(sites, Site{domain, name})
	}
	return sites
}

// Recipients lists who stands behind which host, sorted by host.
func (b *Bundle) Recipients() (recipients []Recipient) {
	for line := range strings.Lines(string(b.recipients)) {
		r, _ := ParseRecipient(strings.TrimSuffix(line, "\n"))
		recipients = append(recipients, r)
	}
	return recipients
}
