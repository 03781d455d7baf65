package bundle

import (
	"encoding/binary"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/filter"
)

// A Family is a host with all names by which domain= and to= may call it: its
// suffixes that begin at a label, and, once Entities was called, its entities.
type Family struct {
	names  []name
	buffer []byte

	// Those of the names that some patterns are filed under, found for the last
	// patterns that wanted to know.
	filed    []hit
	patterns *Patterns
}

// hashOfName is hashName of a string.
func hashOfName(name string) uint64 {
	return hashName([]byte(name), 0, len(name))
}

type name struct {
	hash uint64
	text []byte
}

// Reset makes it the family of an address's host. The address must not change
// before the next Reset.
func (f *Family) Reset(u *address.URL) {
	f.names, f.patterns = f.names[:0], nil
	end := u.HostEnd()
	for _, start := range u.Labels() {
		f.add(u.Padded(), start, end)
	}
}

func (f *Family) add(padded []byte, start, end int) {
	f.names = append(f.names, name{hashName(padded, start, end), padded[start:end]})
}

// Entities adds "example.*" and "www.example.*" for "www.example.co.uk", whose
// public suffix has so many bytes. It must follow Reset.
func (f *Family) Entities(host []byte, suffix int) {
	size := len(host) - suffix // up to the dot
	if suffix <= 0 || size < 2 {
		return
	}
	f.buffer = append(append(f.buffer[:0], host[:size]...), '*')
	for start := 0; start < size-1; start++ {
		if start == 0 || f.buffer[start-1] == '.' {
			f.add(f.buffer, start, len(f.buffer))
		}
	}
}

// under is the names that patterns are filed under, by their filter.
func (f *Family) under(p *Patterns) []hit {
	if f.patterns != p {
		f.patterns, f.filed = p, f.filed[:0]
		for i := range f.names {
			if hash := f.names[i].hash; p.filter.has(hash) == 1 {
				f.filed = append(f.filed, hit{hash, 0})
			}
		}
	}
	return f.filed
}

// Sets of names stand in their own section, each
//
//	uvarint number of names, 1 byte flags
//	for each name, in the order of their hashes: 4 bytes hash, 4 bytes offset<<1 | not
//
// where the offset is that of a uvarint length and the name's bytes in the
// same section, and the hash is the lower half of hashName.
const (
	setNames    = 1 << iota // some name without "~": others are outside
	setEntities             // some name ends with ".*"
)

// A Set is a set of names, decoded as far as its header.
type Set struct {
	entries  []byte // 8 bytes a name
	Named    bool   // hosts that are in no name are outside
	Entities bool   // some names are entities
}

// set reads the header of a set.
func (b *Bundle) set(offset int) (s Set, ok bool) {
	if offset < 0 || offset >= len(b.sets) {
		return s, false
	}
	n, rest, ok := uvarint(b.sets[offset:])
	if !ok || len(rest) == 0 || n > uint64(len(rest)-1)/8 {
		return s, false
	}
	s.Named, s.Entities = rest[0]&setNames != 0, rest[0]&setEntities != 0
	s.entries = rest[1 : 1+8*n]
	return s, true
}

// name reads the name of a set's entry.
func (b *Bundle) name(entry []byte) (text []byte, not, ok bool) {
	at := binary.LittleEndian.Uint32(entry[4:])
	if uint64(at>>1) > uint64(len(b.sets)) {
		return nil, false, false
	}
	length, rest, ok := uvarint(b.sets[at>>1:])
	if !ok || length > uint64(len(rest)) {
		return nil, false, false
	}
	return rest[:length], at&1 != 0, true
}

// lowerBound is the number of the first entry of 8 bytes whose first four, a
// hash, are not below a hash. The entries are in the order of theirs.
func lowerBound(entries []byte, hash uint32) int {
	low, high := 0, len(entries)/8
	for low < high {
		middle := int(uint(low+high) / 2)
		if binary.LittleEndian.Uint32(entries[8*middle:]) < hash {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// holds reports whether a family is within the set: within one of the names if
// any is named, and within none of those with "~".
func (b *Bundle) holds(s *Set, f *Family) (bool, error) {
	named := !s.Named
	n := len(s.entries) / 8
	for _, own := range f.names {
		hash := uint32(own.hash)
		low := lowerBound(s.entries, hash)
		for ; low < n && binary.LittleEndian.Uint32(s.entries[8*low:]) == hash; low++ {
			text, not, ok := b.name(s.entries[8*low:])
			switch {
			case !ok:
				return false, ErrCorrupt
			case string(text) != string(own.text):
			case not:
				return false, nil
			default:
				named = true
			}
		}
	}
	return named, nil
}

// domains decodes a set into the option that it was made from.
func (b *Bundle) domains(offset int) (domains []filter.Domain) {
	s, ok := b.set(offset)
	for entry := s.entries; ok && len(entry) > 0; entry = entry[8:] {
		var text []byte
		var not bool
		if text, not, ok = b.name(entry); ok {
			domains = append(domains, filter.Domain{Name: string(text), Not: not})
		}
	}
	slices.SortFunc(domains, func(a, b filter.Domain) int {
		if a.Not != b.Not {
			if b.Not {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return domains
}

// A setWriter writes sets, each only once.
type setWriter struct {
	data  []byte
	names map[string]int // offset of a name
	sets  map[string]int // offset of a set, by its text
}

func (w *setWriter) add(domains []filter.Domain) int {
	var key strings.Builder
	var flags byte
	for _, d := range domains {
		if d.Not {
			key.WriteByte('~')
		} else {
			flags |= setNames
		}
		if strings.HasSuffix(d.Name, ".*") {
			flags |= setEntities
		}
		key.WriteString(d.Name + "|")
		if _, ok := w.names[d.Name]; !ok {
			w.names[d.Name] = len(w.data)
			w.data = binary.AppendUvarint(w.data, uint64(len(d.Name)))
			w.data = append(w.data, d.Name...)
		}
	}
	if offset, ok := w.sets[key.String()]; ok {
		return offset
	}
	type named struct {
		hash, at uint32
	}
	entries := make([]named, len(domains))
	for i, d := range domains {
		entries[i] = named{uint32(hashOfName(d.Name)), uint32(w.names[d.Name]) << 1}
		if d.Not {
			entries[i].at |= 1
		}
	}
	slices.SortFunc(entries, func(a, b named) int {
		if a.hash != b.hash {
			return int(int64(a.hash) - int64(b.hash))
		}
		return int(int64(a.at) - int64(b.at))
	})
	offset := len(w.data)
	w.sets[key.String()] = offset
	w.data = append(binary.AppendUvarint(w.data, uint64(len(entries))), flags)
	for _, e := range entries {
		w.data = binary.LittleEndian.AppendUint32(w.data, e.hash)
		w.data = binary.LittleEndian.AppendUint32(w.data, e.at)
	}
	return offset
}
