// Package bundle holds a compiled filter list: Bloom filters in front of
// exact tables, so that nearly every request hears "not listed" after a few
// bits, and no answer rests on a filter alone (a filter can be wrong, and
// with a public hash it can be made wrong).
//
// # Format
//
// All numbers are little-endian; uvarint is encoding/binary's.
//
//	offset  bytes
//	0       8      "PVBUNDL5"
//	8       4      length of the whole bundle
//	12      4      number of sections, 11
//	16      11×8   offset and length of each section, in this order, without gaps
//
//	hosts filter, directories filter
//	        8 m (bits, a power of two)   4 k (probes)   4 n (keys)   m/8 bytes
//	        as github.com/bits-and-blooms/bloom/v3 fills it
//	hosts table, directories table
//	        4 number of keys   4 fewest dots in a name   4 number of buckets, a power of two
//	        (buckets+1)×4 offsets of the buckets and of their end
//	        entries, each a uvarint: length of the packed key × 2, and 1 if the
//	        next two follow; 1 flags; 4 1 + offset of a group, 0 for none; and the
//	        key, see pack. It is in the bucket that the upper bits of its first
//	        hash name
//	rules   records of rules, alone and in groups, see Record
//	names   sets of hosts, see Set
//	machines   regular expressions, see Matched
//	stops, passes   rules that no host leads to, see Patterns: those that
//	        stop a request, and those that let it pass
//	sites   a line each: domain TAB name
//	recipients   a line each: host TAB country TAB name
//
// A key in the hosts table is a host ("www.example.com"), in the directories
// table the same followed by a leading directory of the path
// ("www.example.com/a/"). Its flags, bit 0 alone where none stand, are
//
//	bit 0      "||host^": the host is blocked, whatever else
//	bits 1–6   the directories table has keys of this host with so many
//	           directories, "/" among them
//
// Open checks the header and every section's own header. Everything behind
// that is read with bounds checked at each step, and what does not fit makes
// the look-up report corruption rather than an answer.
package bundle

import (
	"encoding/binary"
	"errors"
	"strconv"

	"paravent/lists/address"
)

const (
	magic      = "PVBUNDL5"
	headerSize = 16 + sections*8
)

const (
	hostsFilterSection = iota
	directoriesFilterSection
	hostsTableSection
	directoriesTableSection
	rulesSection
	namesSection
	machinesSection
	stopsSection
	passesSection
	sitesSection
	recipientsSection
	sections
)

var sectionNames = [sections]string{
	"hosts filter", "directories filter", "hosts table", "directories table", "rules", "names",
	"machines", "stops", "passes", "sites", "recipients",
}

// ErrCorrupt is the error of a look-up that met bytes which cannot be.
var ErrCorrupt = errors.New("bundle: corrupt table or rule")

// A Bundle is an opened bundle. It keeps the bytes it was opened from and can
// be read by several goroutines.
type Bundle struct {
	hosts, directories set
	rules, sets        []byte
	machines           []byte
	sites, recipients  []byte

	// Stops are the patterns that stop a request, Passes those that let it pass.
	Stops, Passes Patterns
}

// A set is a Bloom filter with the exact table behind it.
type set struct {
	filter membership
	table  table
}

// find looks up the first n bytes of text: first in the filter, and a hit
// there in the table.
func (s *set) find(text []byte, n int) (Value, bool, error) {
	if maybe, hash := s.filter.has(text, n); maybe {
		return s.table.find(text, n, hash)
	}
	return 0, false, nil
}

// Open is Read for who keeps the bundle somewhere on its own.
func Open(data []byte) (*Bundle, error) {
	b, err := Read(data)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// Read checks data and returns the bundle in it. The error names the section
// that is wrong.
func Read(data []byte) (b Bundle, err error) {
	if len(data) < headerSize {
		return b, errors.New("bundle: header: " + strconv.Itoa(len(data)) + " bytes, want at least " + strconv.Itoa(headerSize))
	}
	if string(data[:8]) != magic {
		return b, errors.New("bundle: header: want the magic " + magic)
	}
	if n := binary.LittleEndian.Uint32(data[8:]); uint64(n) != uint64(len(data)) {
		return b, errors.New("bundle: header: says " + strconv.Itoa(int(n)) + " bytes, has " + strconv.Itoa(len(data)))
	}
	if n := binary.LittleEndian.Uint32(data[12:]); n != sections {
		return b, errors.New("bundle: header: says " + strconv.Itoa(int(n)) + " sections, want " + strconv.Itoa(sections))
	}
	var part [sections][]byte
	next := uint64(headerSize)
	for i := range part {
		offset := uint64(binary.LittleEndian.Uint32(data[16+8*i:]))
		length := uint64(binary.LittleEndian.Uint32(data[20+8*i:]))
		if offset != next || offset+length > uint64(len(data)) {
			return b, wrong(i, "lies outside the bundle or not behind the section before")
		}
		next = offset + length
		part[i] = data[offset:next:next]
	}
	if next != uint64(len(data)) {
		return b, errors.New("bundle: " + strconv.Itoa(len(data)-int(next)) + " bytes behind the last section")
	}
	b.rules, b.sets, b.machines = part[rulesSection], part[namesSection], part[machinesSection]
	b.sites, b.recipients = part[sitesSection], part[recipientsSection]
	for _, s := range []struct {
		set           *set
		filter, table int
	}{
		{&b.hosts, hostsFilterSection, hostsTableSection},
		{&b.directories, directoriesFilterSection, directoriesTableSection},
	} {
		if problem := s.set.filter.open(part[s.filter]); problem != "" {
			return b, wrong(s.filter, problem)
		}
		if problem := s.set.table.open(part[s.table]); problem != "" {
			return b, wrong(s.table, problem)
		}
		if s.set.table.keys != s.set.filter.n {
			return b, wrong(s.filter, "made for another number of keys than the table has")
		}
	}
	for i, p := range [...]*Patterns{&b.Stops, &b.Passes} {
		if problem := p.open(part[stopsSection+i]); problem != "" {
			return b, wrong(stopsSection+i, problem)
		}
	}
	for _, i := range []int{sitesSection, recipientsSection} {
		if n := len(part[i]); n > 0 && part[i][n-1] != '\n' {
			return b, wrong(i, "does not end with a line")
		}
	}
	return b, nil
}

func wrong(section int, problem string) error {
	return errors.New("bundle: " + sectionNames[section] + ": " + problem)
}

// A Value says what the list has under a key: the flags, and above them 1 + the
// offset of the group.
type Value uint32

// Bits of a Value, as the package comment has them.
const (
	valuePlain = 1
	valueGroup = 1 + address.MaxDirectories // where the group's offset begins
	maxGroup   = 1<<(32-valueGroup) - 2
)

// Plain reports whether the host is blocked by a rule without conditions.
func (v Value) Plain() bool { return v&valuePlain != 0 }

// Depths has a bit for each number of leading directories, from "/" at bit 0,
// for which the directories table has keys of this host.
func (v Value) Depths() uint { return uint(v>>1) & (1<<address.MaxDirectories - 1) }

// Dots is the fewest dots that a host of the list has: it is vain to look up a
// suffix with fewer.
func (b *Bundle) Dots() int { return b.hosts.table.dots }

// Host looks up a host, the first n bytes of text. Of text, address.Slack more
// bytes can be read, as of package address's.
func (b *Bundle) Host(text []byte, n int) (Value, bool, error) { return b.hosts.find(text, n) }

// Directory looks up a host followed by a leading directory of the path, the
// first n bytes of text, which is as for Host.
func (b *Bundle) Directory(text []byte, n int) (Value, bool, error) {
	return b.directories.find(text, n)
}

// Stats tells the size of one of the two sets.
type Stats struct {
	Keys       int     // keys in the table
	M          uint64  // bits of the filter
	K          uint32  // probes of the filter
	Fill       float64 // share of the bits that are set
	TableBytes int
}

// Stats tells the sizes of the hosts and of the directories.
func (b *Bundle) Stats() (hosts, directories Stats) {
	return b.hosts.stats(), b.directories.stats()
}

func (s *set) stats() Stats {
	return Stats{
		Keys: int(s.table.keys), M: s.filter.m, K: s.filter.k,
		Fill:       float64(s.filter.ones()) / float64(s.filter.m),
		TableBytes: len(s.table.entries) + len(s.table.index),
	}
}
