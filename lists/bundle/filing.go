package bundle

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/filter"
)

// A filed is an entry of Patterns before it is written.
type filed struct {
	hash         uint64
	record       int
	want, mask   uint64
	delta, begin int
	types        filter.Types
	part         bool // it is under a part of a word
	path         bool // what it is under may stand in the path or the query
}

// patterns files rules, those that stop and those that let pass.
func (e *encoder) patterns(rules []KindedRule) (stops, passes []byte) {
	frequency := map[string]int{}
	skeletons := make([]skeleton, len(rules))
	for i := range rules {
		skeletons[i] = e.skeleton(&rules[i].Rule)
		for _, w := range skeletons[i].words() {
			frequency[w.key()]++
		}
	}
	var parts [2]struct {
		entries []filed
		higher  bool
		nothing int
	}
	for i := range rules {
		r := &rules[i]
		part := &parts[0]
		if !r.Kind.Stops() {
			part = &parts[1]
		}
		part.higher = part.higher || r.Kind > Block
		entries := skeletons[i].file(&r.Rule, frequency, !r.Kind.Stops())
		if entries[0].hash == 0 {
			part.nothing++
		}
		for j := range entries {
			entries[j].record = len(e.rules)
		}
		part.entries = append(part.entries, entries...)
		pattern := r.Rule.Pattern
		if entries[0].begin == floating && r.Rule.Anchor == filter.Anywhere && !r.Rule.Regexp {
			pattern = "*" + strings.TrimPrefix(pattern, "*")
		}
		e.appendRecord(r, pattern)
	}
	return appendPatterns(nil, parts[0].entries, parts[0].nothing, parts[0].higher),
		appendPatterns(nil, parts[1].entries, parts[1].nothing, parts[1].higher)
}

func appendPatterns(dst []byte, entries []filed, nothing int, higher bool) []byte {
	slices.SortStableFunc(entries, func(a, b filed) int { return cmp.Compare(a.hash, b.hash) })
	slots := 2
	for slots < len(entries)-nothing {
		slots *= 2
	}
	shift := 64
	for 1<<(64-shift) < slots {
		shift--
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(nothing))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(slots))
	flags, paths := byte(0), filter.Types(0)
	if higher {
		flags = flagHigher
	}
	for _, f := range entries[nothing:] {
		if f.part {
			flags |= flagParts
		}
		switch {
		case f.path && f.types == 0:
			paths |= anyType
		case f.path:
			paths |= f.types
		}
	}
	bits := minFilterBits
	for bits < maxFilterBits && 1<<bits < 32*len(entries) {
		bits++
	}
	dst = append(dst, flags, byte(bits))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(paths))
	set := make([]byte, 1<<(bits-3))
	for _, f := range entries[nothing:] {
		set[f.hash>>(64-bits+3)] |= 1 << (f.hash >> (64 - bits) & 7)
	}
	dst = append(dst, set...)
	next := nothing
	for i := range slots + 1 {
		for next < len(entries) && int(entries[next].hash>>shift) < i {
			next++
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(next))
	}
	for _, f := range entries {
		dst = binary.LittleEndian.AppendUint32(dst, tagOf(f.hash))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(f.record))
		dst = binary.LittleEndian.AppendUint64(dst, f.want)
		dst = binary.LittleEndian.AppendUint64(dst, f.mask)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(f.delta))
		dst = binary.LittleEndian.AppendUint16(dst, uint16(f.begin))
		dst = binary.LittleEndian.AppendUint16(dst, uint16(f.types))
		dst = binary.LittleEndian.AppendUint16(dst, 0)
	}
	return dst
}

// file finds what a rule is filed under: its rarest word, a part of one, its
// pages, or nothing. Where near is set, words before the path come first: there
// are few rules that let pass, and no path must be read when they all have one.
func (s *skeleton) file(r *filter.Rule, frequency map[string]int, near bool) []filed {
	words := s.words()
	if i := slices.IndexFunc(words, func(w word) bool { return !s.before(w.start) }); near && i > 0 {
		words = words[:i]
	}
	if len(words) > 0 {
		best := slices.MinFunc(words, func(a, b word) int {
			return cmp.Or(cmp.Compare(common[a.text], common[b.text]), cmp.Compare(frequency[a.key()], frequency[b.key()]),
				-cmp.Compare(len(a.text), len(b.text)))
		})
		return s.under(best, r)
	}
	if entry, ok := s.underPart(r); ok {
		return []filed{entry}
	}
	entry := filed{begin: floating, types: r.Types}
	pages, ok := pagesOf(r)
	if !ok || len(pages) == 0 {
		return []filed{entry}
	}
	var entries []filed
	for _, name := range pages {
		entry.hash = hashOfName(name)
		entries = append(entries, entry)
	}
	return entries
}

// common has words that stand in so many addresses that filing a rule under
// them helps little; the higher the number, the more.
var common = map[string]int{
	"https": 9, "http": 9, "com": 8, "www": 8, "js": 6, "net": 5, "html": 4, "php": 4, "png": 4, "jpg": 4, "gif": 4, "css": 4,
	"images": 3, "img": 3, "static": 3, "cdn": 3, "1": 3, "0": 3, "2": 3, "v": 3, "id": 3, "assets": 2, "org": 2, "min": 2,
	"ajax": 2, "api": 2, "google": 2, "script": 2, "image": 2, "content": 2, "t": 2, "a": 2, "s": 2, "c": 2, "i": 2, "p": 2,
	"facebook": 1, "ads": 1, "ad": 1, "de": 1, "uk": 1, "co": 1, "en": 1, "us": 1, "io": 1, "main": 1, "index": 1, "jquery": 1,
	"doubleclick": 1, "googleapis": 1, "amazon": 1, "amazonaws": 1, "cloudfront": 1, "v1": 1, "v2": 1, "3": 1, "4": 1, "5": 1,
}

// wordSize is how many bytes of a word a pattern is filed under.
const wordSize = 8

// A word is a run of letters and digits in a pattern that an address must have
// as a word that counts, or as such a word's begin if it has wordSize bytes.
type word struct {
	text       string
	start, end int // in the pattern
}

// A skeleton is what is known of the text that a rule wants: its pattern in
// lower case, and of a regular expression what is literal in it.
type skeleton struct {
	pattern string
	anchor  filter.Anchor
	end     bool
}

func (e *encoder) skeleton(r *filter.Rule) skeleton {
	if r.Regexp {
		return skeleton{pattern: strings.ToLower(e.literals(r))}
	}
	return skeleton{strings.ToLower(r.Pattern), r.Anchor, r.End}
}

func (s *skeleton) words() (words []word) {
	p := s.pattern
	for start := 0; start < len(p); start++ {
		if !alphanumeric(p[start]) {
			continue
		}
		end := start
		for end < len(p) && alphanumeric(p[end]) {
			end++
		}
		left := start > 0 && p[start-1] != '*' || start == 0 && s.anchor != filter.Anywhere
		right := end < len(p) && p[end] != '*' || end == len(p) && s.end || end-start >= wordSize
		// As sought has it. What begins with a label stands behind "/" or ".".
		opened := start == 0 || strings.IndexByte("./?>", p[start-1]) >= 0
		long := end-start >= 3 && strings.Trim(p[start:start+3], "0123456789") != ""
		if left && right && (opened || long) && end < 1<<14 {
			words = append(words, word{p[start:end], start, end})
		}
		start = end
	}
	return words
}

// key is what of the word counts.
func (w word) key() string { return w.text[:min(len(w.text), wordSize)] }

// before reports whether what stands at a place of the pattern can only stand
// in the scheme or the host of an address.
func (s *skeleton) before(place int) bool {
	text := s.pattern[:place]
	switch s.anchor {
	case filter.Anywhere:
		return false
	case filter.AtStart:
		// A "*" in the scheme could stand for all up to the query.
		text = strings.Replace(text, "://", "", 1)
	}
	return strings.Trim(text, hostBytes) == ""
}

// hostBytes are those of a host's name.
const hostBytes = "abcdefghijklmnopqrstuvwxyz0123456789.-_"

func alphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// under makes the entries of a rule under a word: one, or where "^" follows
// the word one for each byte that it can stand for.
func (s *skeleton) under(w word, r *filter.Rule) (entries []filed) {
	p := s.pattern
	f := filed{types: r.Types, begin: -w.start, path: !s.before(w.start)}
	if r.Regexp || strings.Contains(p[:w.start], "*") {
		f.begin = floating
	}
	f.look(p, w.start, w.end)
	behind := separators
	switch {
	case w.end-w.start >= wordSize:
		f.hash = hashWord(w.text)
		return []filed{f}
	case w.end == len(p):
		behind = string(rune(address.Beyond))
	case p[w.end] != '^':
		behind = p[w.end : w.end+1]
	}
	for i := range len(behind) {
		f.hash = hashWord(w.text + behind[i:i+1])
		entries = append(entries, f)
	}
	return entries
}

// look sets what to look for around the part of a pattern that it is filed
// under: up to eight bytes of the literal text there, those that say the most
// beyond the part itself.
func (f *filed) look(p string, start, end int) {
	low, high := start, end
	for low > 0 && p[low-1] != '*' && p[low-1] != '^' {
		low--
	}
	for high < len(p) && p[high] != '*' && p[high] != '^' {
		high++
	}
	from := max(low, min(high, end+6)-8)
	f.delta = from - start
	for i := range min(8, high-from) {
		f.want |= uint64(p[from+i]) << (8 * i)
		f.mask |= 0xff << (8 * i)
	}
}

// underPart makes the entry of a rule under four bytes of its pattern with
// which a word begins, or with which one and the byte behind it end.
func (s *skeleton) underPart(r *filter.Rule) (f filed, ok bool) {
	p := s.pattern
	for i := range len(p) - 3 {
		four := p[i : i+4]
		if strings.ContainsAny(four, "*^") || i >= 1<<14 {
			continue
		}
		first := uint64(four[0]) | uint64(four[1])<<8 | uint64(four[2])<<16 | uint64(four[3])<<24
		begins := alphanumeric(p[i]) && (i > 0 && p[i-1] != '*' && !alphanumeric(p[i-1]) || i == 0 && s.anchor != filter.Anywhere)
		switch {
		case begins:
			f.hash = wordHash(first | wordBegins)
		case alphanumeric(p[i+2]) && !alphanumeric(p[i+3]):
			f.hash = wordHash(first | wordEnds)
		default:
			continue
		}
		f.types, f.begin, f.part, f.path = r.Types, -i, true, true
		if r.Regexp || strings.Contains(p[:i], "*") {
			f.begin = floating
		}
		f.look(p, i, i+4)
		return f, true
	}
	return f, false
}

// separators are the bytes that "^" stands for, the end among them.
var separators = func() string {
	var s []byte
	for c := byte('!'); c < address.Beyond; c++ {
		if filter.Match([]byte("^"), []byte{c}, true) {
			s = append(s, c)
		}
	}
	return string(append(s, address.Beyond))
}()
