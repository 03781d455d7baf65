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
//   - under one of its words, a run of letters and digits that must stand in
//     an address as a whole word for the pattern to match, and the byte behind
//     it: under "c." an address of "/c.gif" is found, and not every "c=1";
//   - else, when the rule holds on certain pages only, under those pages;
//   - else under nothing: every request looks at it.
//
// The section:
//
//	4 number of entries   4 those under nothing, which come first
//	4 slots of the index   4 1 if a rule of a higher kind than Block is there
//	8192 bytes: a Bloom filter of the words and pages with one probe, 2^16 bits
//	(slots+1)×4 the first entry of each slot
//	entries of 32 bytes:
//	    4 lower half of the hash      4 offset of the record in rules
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
	higher         bool
	filter         []byte
	index          []byte
	entries        []byte
}

const (
	patternsHead = 16
	wordBits     = 16
	wordBytes    = 1 << wordBits / 8
	entrySize    = 32
	floating     = -1 << 15
)

func (p *Patterns) open(data []byte) (problem string) {
	if len(data) < patternsHead+wordBytes {
		return "no room for its head and filter"
	}
	p.count, p.unfiled = binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	slots := uint64(binary.LittleEndian.Uint32(data[8:]))
	p.higher = data[12] != 0
	p.filter = data[patternsHead : patternsHead+wordBytes]
	rest := data[patternsHead+wordBytes:]
	switch {
	case slots == 0 || slots&(slots-1) != 0:
		return "slots: want a power of two"
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

// Factors of the words' hash: odd numbers without pattern.
const (
	word1 = 0x9e3779b97f4a7c15
	word2 = 0xc2b2ae3d27d4eb4f
)

// wordHash hashes a word of n bytes by its first and last eight bytes, which
// are the same for a short one. Both are shifted so that nothing beyond the
// word counts.
func wordHash(first, last uint64, n int) uint64 {
	return ((first^bits.RotateLeft64(last, 32))*word1 ^ last + uint64(n)) * word2
}

// hashAt is wordHash of n bytes of a text that goes on for at least eight.
func hashAt(text []byte, start, n int) uint64 {
	first := binary.LittleEndian.Uint64(text[start:]) << (64 - 8*min(n, 8))
	last := first
	if n > 8 {
		last = binary.LittleEndian.Uint64(text[start+n-8:])
	}
	return wordHash(first, last, n)
}

// hashWord is wordHash of a string.
func hashWord(word string) uint64 {
	return hashAt(append([]byte(word), make([]byte, 8)...), 0, len(word))
}

// A Search yields the records that may match an address, one after another.
type Search struct {
	list     *Bundle
	patterns *Patterns
	pages    *Family
	types    filter.Types // of the request

	text   []byte // padded
	words  []uint64
	block  int    // of 64 bytes
	starts uint64 // of words left in the block
	page   int    // names of the page that were tried
	word   int    // where the present word begins
	tag    uint32
	entry  uint32 // next entry to try
	end    uint32
	bad    bool
}

// Begin begins a search for a request of one type from a page.
func (s *Search) Begin(b *Bundle, p *Patterns, u *address.URL, pages *Family, t filter.Type) {
	words := u.Words()
	*s = Search{
		list: b, patterns: p, pages: pages, types: filter.TypesOf(t),
		text: u.Padded(), words: words, starts: words[0] &^ (words[0] << 1), end: p.unfiled,
	}
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
		if !s.nextWord() {
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

// nextWord finds the next word of the address, or name of the page, that the
// filter knows.
func (s *Search) nextWord() bool {
	known := (*[wordBytes]byte)(s.patterns.filter)
	text, words, starts, block := s.text, s.words, s.starts, s.block
	for {
		for starts != 0 {
			bit := bits.TrailingZeros64(starts)
			starts &= starts - 1
			start := block<<6 + bit
			// How long the word is, with the byte behind it. One of 64 bytes and
			// more is no word of a rule.
			n := bits.TrailingZeros64(^(words[block]>>bit | words[block+1]<<1<<(63-bit))) + 1
			first := binary.LittleEndian.Uint64(text[start:]) << (64 - 8*min(n, 8))
			last := first
			if n > 8 {
				last = binary.LittleEndian.Uint64(text[start+n-8:])
			}
			hash := wordHash(first, last, n)
			if known[hash>>(64-wordBits+3)]>>(hash>>(64-wordBits)&7)&1 != 0 {
				s.starts, s.block, s.word = starts, block, start
				return s.at(hash)
			}
		}
		if block+2 >= len(words) {
			break
		}
		block++
		starts = words[block] &^ (words[block]<<1 | words[block-1]>>63)
	}
	s.starts, s.block, s.word = 0, block, 0
	for s.page < len(s.pages.names) {
		hash := s.pages.names[s.page].hash
		s.page++
		if known[hash>>(64-wordBits+3)]>>(hash>>(64-wordBits)&7)&1 != 0 {
			return s.at(hash)
		}
	}
	return false
}

// at goes to the entries of a hash.
func (s *Search) at(hash uint64) bool {
	slot := hash >> s.patterns.shift * 4
	s.tag = uint32(hash)
	s.entry = binary.LittleEndian.Uint32(s.patterns.index[slot:])
	s.end = binary.LittleEndian.Uint32(s.patterns.index[slot+4:])
	s.bad = s.entry > s.end || s.end > s.patterns.count
	return !s.bad
}
