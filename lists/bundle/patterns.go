package bundle

import (
	"encoding/binary"
	"math/bits"

	"paravent/lists/address"
	"paravent/lists/filter"
)

// Patterns are rules that no host leads to, filed so that a request looks at
// very few of them:
//
//   - under one of its words, a run of letters and digits that must begin as
//     a word of the address for the pattern to match: by the first eight bytes
//     from there, or by those of a shorter word and the byte behind it. Under
//     "c." an address of "/c.gif" is found, and not every "c=1". Words that
//     nearly only queries have, short ones and numbers, do not count, see
//     sought;
//   - else under four bytes with which a word begins, or with which one and
//     the byte behind it end: parts;
//   - else, when the rule holds on certain pages only, under those pages;
//   - else under nothing: every request looks at it.
//
// The section:
//
//	4 number of entries   4 those under nothing, which come first
//	4 slots of the index
//	1 flags: 1 a rule of a higher kind than Block is there, 2 some entries
//	are under parts   1 b
//	2 types of requests whose path and query matter: in those of no other, what
//	entries are under can only begin before the path
//	a Bloom filter of the words and pages with one probe, 2^b bits
//	(slots+1)×4 the first entry of each slot
//	entries of 32 bytes:
//	    4 tagOf the hash              4 offset of the record in rules
//	    8 wanted bytes                8 mask of them
//	    2 where they begin, counted from the word's begin
//	    2 where the pattern begins, or floating
//	    2 types   2 zero
//
// The wanted bytes are up to eight of the pattern around the word: nearly all
// entries that share a request's word end there.
type Patterns struct {
	count, unfiled uint32
	shift          int
	higher, parts  bool
	paths          filter.Types
	filter         words
	index          []byte
	entries        []byte
}

const (
	patternsHead = 16
	flagHigher   = 1
	flagParts    = 2
	anyType      = filter.Types(1 << 15) // in paths: for entries of all types
	entrySize    = 32
	floating     = -1 << 15

	minFilterBits = 13
	maxFilterBits = 24

	// maxHits is a power of two above three times the words that a text can
	// have and the names that a page can.
	maxHits = 4096
)

// words is a Bloom filter with one probe, the upper bits of a hash.
type words struct {
	bits  []byte
	shift uint // of a hash to its bit
}

// has is 1 when the filter knows a hash, else 0.
func (w *words) has(hash uint64) int {
	bit := hash >> (w.shift & 63)
	return int(w.bits[bit>>3] >> (bit & 7) & 1)
}

func (p *Patterns) open(data []byte) (problem string) {
	if len(data) < patternsHead {
		return "no room for its head"
	}
	p.count, p.unfiled = binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	slots := uint64(binary.LittleEndian.Uint32(data[8:]))
	p.higher, p.parts = data[12]&flagHigher != 0, data[12]&flagParts != 0
	p.paths = filter.Types(binary.LittleEndian.Uint16(data[14:]))
	size := data[13]
	if size < minFilterBits || size > maxFilterBits {
		return "filter: want 2^13 to 2^24 bits"
	}
	rest := data[patternsHead:]
	if len(rest) < 1<<(size-3) {
		return "filter is longer than the section"
	}
	p.filter, rest = words{rest[:1<<(size-3)], uint(64 - size)}, rest[1<<(size-3):]
	switch {
	case slots < 2 || slots&(slots-1) != 0:
		return "slots: want a power of two from 2 on"
	case (slots+1)*4 > uint64(len(rest)):
		return "index is longer than the section"
	case uint64(len(rest))-(slots+1)*4 != uint64(p.count)*entrySize:
		return "number of entries does not fit the section"
	case p.unfiled > p.count:
		return "more entries under nothing than there are"
	}
	p.shift = 64 - bits.TrailingZeros64(slots)
	p.index, p.entries = rest[:(slots+1)*4], rest[(slots+1)*4:]
	return ""
}

// Empty reports whether there are none.
func (p *Patterns) Empty() bool { return p.count == 0 }

// Higher reports whether some rule is of a higher kind than Block.
func (p *Patterns) Higher() bool { return p.higher }

func (p *Patterns) record(i uint32) uint32 {
	return binary.LittleEndian.Uint32(p.entries[i*entrySize+4:])
}

// wordHash hashes what a pattern is filed under: up to eight bytes, the first
// lowest, and zeros.
func wordHash(first uint64) uint64 { return first * 0x9e3779b97f4a7c15 }

// tagOf tells the entries of one slot apart.
func tagOf(hash uint64) uint32 { return uint32(hash ^ hash>>32) }

// hashWord is wordHash of up to eight bytes of a text.
func hashWord(word string) uint64 {
	var first [8]byte
	copy(first[:], word)
	return wordHash(binary.LittleEndian.Uint64(first[:]))
}

// hashName hashes a name, a part of text, by its last eight bytes and its
// length.
func hashName(text []byte, start, end int) uint64 {
	n := end - start
	var last uint64
	if end >= 8 {
		last = binary.LittleEndian.Uint64(text[end-8:]) >> (uint(64-8*min(n, 8)) & 63)
	} else {
		for i := start; i < end; i++ {
			last |= uint64(text[i]) << (8 * (i - start))
		}
	}
	return wordHash(last ^ uint64(n)<<56)
}

// A Search yields the records that may match an address, one after another.
type Search struct {
	list     *Bundle
	patterns *Patterns
	text     []byte       // padded
	types    filter.Types // of the request

	hits  [maxHits]hit // words and names that the filter knows
	known int          // how many
	next  int          // the next of them
	word  int          // where the present word begins
	tag   uint32
	entry uint32 // next entry to try
	end   uint32
	bad   bool
}

// A hit is a word, or a name of the page, that a pattern is filed under.
type hit struct {
	hash uint64
	word int // where it begins in the text
}

// Begin begins a search for a request of one type from a page.
func (s *Search) Begin(b *Bundle, p *Patterns, u *address.URL, pages *Family, t filter.Type) {
	s.list, s.patterns, s.text, s.types = b, p, u.Padded(), filter.TypesOf(t)
	words, marks := u.Words(), u.Marks()
	if p.paths&(s.types|anyType) == 0 {
		// Those of the blocks up to the host's end, and the two behind.
		words = words[:u.HostEnd()>>6+3]
	}
	s.known = scan(p.filter, u.Lower(), words, marks, s.hits[:])
	if p.parts {
		s.known = scanParts(p.filter, s.text, words, &s.hits, s.known)
	}
	for _, h := range pages.under(p) {
		s.hits[s.known&(maxHits-1)] = h
		s.known++
	}
	s.next, s.word, s.tag, s.entry, s.end, s.bad = 0, 0, 0, 0, p.unfiled, false
}

// sought has, of a block's words, the begins of those that count. They are of
// three letters and digits or more, but no three digits first ("track", "2fwww",
// and not "id" or "2019"), or stand behind one of "./?>" or at the very begin.
// before and opened are the last bits of the block before, next and after the
// block behind.
func sought(word, mark, before, opened, next, after uint64) uint64 {
	starts := word &^ (word<<1 | before)
	long := (word>>1 | next<<63) & (word>>2 | next<<62) & (mark | mark>>1 | after<<63 | mark>>2 | after<<62)
	return starts & (mark<<1 | opened | long)
}

// scan finds the words of a text that a filter knows. It stands for itself
// because WebAssembly runs small loops best.
func scan(known words, text *[address.Room + address.Slack]byte, words, marks []uint64, hits []hit) (n int) {
	hits, marks = hits[:maxHits], marks[:len(words)]
	before, opened := uint64(0), uint64(1)
	for block := range len(words) - 2 {
		word, next := words[block], words[block+1]
		mark, after := marks[block], marks[block+1]
		starts := sought(word, mark, before, opened, next, after)
		before, opened = word>>63, mark>>63
		for starts != 0 {
			bit := uint(bits.TrailingZeros64(starts)) & 63
			starts &= starts - 1
			start := block<<6 + int(bit)
			// Where the word ends, at the eighth byte at the latest.
			end := uint(bits.TrailingZeros64(^(word>>bit | next<<1<<((63-bit)&63)) | 1<<7))
			unused := (56 - 8*end) & 63
			at := start & (address.Room - 1)
			hash := wordHash(binary.LittleEndian.Uint64(text[at:at+8]) << unused >> unused)
			// Every word is written, and the next takes the place of one that is
			// not known: that needs no jump. There are no more words than places.
			hits[n&(maxHits-1)] = hit{hash, start}
			n += known.has(hash)
		}
	}
	return n
}

// What a part's bytes are hashed with, so that no word has its hash.
const (
	wordBegins = 1 << 32
	wordEnds   = 2 << 32
)

// scanParts adds the parts that a filter knows to n hits. Few lists need it.
func scanParts(known words, text []byte, words []uint64, hits *[maxHits]hit, n int) int {
	carry := uint64(0)
	for block := range len(words) - 1 {
		word := words[block]
		// Where a word begins, and where the byte behind one is.
		edges := word ^ (word<<1 | carry)
		carry = word >> 63
		for edges != 0 {
			bit := bits.TrailingZeros64(edges) & 63
			edges &= edges - 1
			at, salt := block<<6+bit, uint64(wordBegins)
			if word>>bit&1 == 0 {
				at, salt = max(at-3, 0), wordEnds
			}
			hash := wordHash(uint64(binary.LittleEndian.Uint32(text[at:])) | salt)
			hits[n&(maxHits-1)] = hit{hash, at}
			n += known.has(hash)
		}
	}
	return n
}

// Next reads the next record and where its pattern begins in the text, -1 when
// it may begin anywhere. It returns false at the end, and at corruption.
func (s *Search) Next(r *Record) (begin int, ok bool) {
	for {
		entries, text, tag := s.patterns.entries, s.text, s.tag
		for i := s.entry; i < s.end; i++ {
			e := entries[i*entrySize : i*entrySize+entrySize]
			if binary.LittleEndian.Uint32(e) != tag {
				continue
			}
			window := s.word + int(int16(binary.LittleEndian.Uint16(e[24:])))
			if window < 0 || window+8 > len(text) ||
				binary.LittleEndian.Uint64(text[window:])&binary.LittleEndian.Uint64(e[16:]) != binary.LittleEndian.Uint64(e[8:]) {
				continue
			}
			if types := filter.Types(binary.LittleEndian.Uint16(e[28:])); types != 0 && types&s.types == 0 {
				continue
			}
			begin := -1
			if gap := int(int16(binary.LittleEndian.Uint16(e[26:]))); gap != floating {
				if begin = s.word + gap; begin < 0 {
					continue
				}
			}
			s.entry = i + 1
			if !s.list.read(binary.LittleEndian.Uint32(e[4:]), r) {
				s.bad = true
				return 0, false
			}
			return begin, true
		}
		if s.next == s.known {
			return 0, false
		}
		h := &s.hits[s.next]
		s.next++
		slot := int(h.hash >> (s.patterns.shift & 63) << 2)
		s.word, s.tag = h.word, tagOf(h.hash)
		s.entry = binary.LittleEndian.Uint32(s.patterns.index[slot:])
		s.end = binary.LittleEndian.Uint32(s.patterns.index[slot+4:])
		if s.entry > s.end || s.end > s.patterns.count {
			s.bad = true
			return 0, false
		}
	}
}

// Err is ErrCorrupt when the search met bytes that cannot be.
func (s *Search) Err() error {
	if s.bad {
		return ErrCorrupt
	}
	return nil
}
