package leak

import "bytes"

// Limits on what is kept of a page. What is beyond is not looked for.
const (
	maxAddress = 8 << 10 // bytes
	tableBits  = 9
	maxWords   = 1 << (tableBits - 1)
	maxAlike   = 8 // places of one word in the address
)

// A Page is the page whose address must not leave. Its zero value is a page
// without one; a value is reused from page to page. It is for one goroutine at
// a time.
type Page struct {
	address []byte
	known   bool // the needles below are those of address

	// The words of host, path, query and fragment, one after another.
	words []needle
	table [1 << tableBits]int16 // from hashes to the first of equal words, plus one
	parts []part
	host  part // of words
	path  part
	rest  part // query and fragment

	digests []imprint // made when something looks like one
	search
}

// A needle is a word of the page's address.
type needle struct {
	hash   uint64
	weight int8
	alike  int16 // the next place of the same word, plus one
}

// A part of an address are the words from first up to end.
type part struct {
	what       What
	first, end int
	name       []byte // of a parameter
}

// An imprint is the digest of an address in one of its forms.
type imprint struct {
	of    *digest
	form  []byte
	value [32]byte
}

// Set says which page requests come from now: the address of the top document.
func (p *Page) Set(address []byte) {
	address = address[:min(len(address), maxAddress)]
	if bytes.Equal(address, p.address) {
		return
	}
	p.address = append(p.address[:0], address...)
	p.known = false
}

// An address cut into pieces. Host has its port.
type pieces struct{ scheme, host, path, query, fragment []byte }

func cut(address []byte) (a pieces) {
	rest := address
	if i := bytes.Index(rest, []byte("://")); i >= 0 {
		a.scheme, rest = rest[:i], rest[i+3:]
	}
	rest, a.fragment, _ = bytes.Cut(rest, []byte("#"))
	rest, a.query, _ = bytes.Cut(rest, []byte("?"))
	a.host = rest
	if i := bytes.IndexByte(rest, '/'); i >= 0 {
		a.host, a.path = rest[:i], rest[i:]
	}
	if i := bytes.LastIndexByte(a.host, '@'); i >= 0 {
		a.host = a.host[i+1:]
	}
	return a
}

// learn makes the needles of the page's address.
func (p *Page) learn() {
	p.known = true
	p.words, p.parts, p.digests = p.words[:0], p.parts[:0], p.digests[:0]
	clear(p.table[:])
	a := cut(p.address)
	p.host = p.read(Address, a.host, false)
	p.path = p.read(Path, a.path, true)
	for len(a.query) > 0 {
		var pair []byte
		pair, a.query, _ = bytes.Cut(a.query, []byte("&"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		p.read(Search, name, false)
		values := p.read(Search, value, true)
		values.name = name
		p.parts = append(p.parts, values)
	}
	p.parts = append(p.parts, p.read(Path, a.fragment, true))
	p.rest = part{first: p.path.end, end: len(p.words)}
}

// read adds the words of text to the needles. Words that weigh nothing are
// kept too, since they stand between the others; those of a host never weigh.
func (p *Page) read(what What, text []byte, weighs bool) part {
	for i := range 3 {
		plain, percent, backslash := unescape(p.buffers[i%2][:0], text)
		p.buffers[i%2], text = plain, plain
		if !percent && !backslash {
			break
		}
	}
	from := hostEnd(text)
	if !weighs {
		from = len(text)
	}
	words := part{what: what, first: len(p.words)}
	r := reader{text: text}
	for len(p.words) < maxWords && r.next() {
		w := needle{hash: r.hash}
		if r.start >= from {
			w.weight = weigh(text[r.start:r.end], r.classes)
		}
		p.words = append(p.words, w)
		p.index(int16(len(p.words)))
	}
	words.end = len(p.words)
	return words
}

// index makes the n-th needle known to places.
func (p *Page) index(n int16) {
	hash := p.words[n-1].hash
	slot := hash >> (64 - tableBits)
	for ; p.table[slot] != 0; slot = (slot + 1) % uint64(len(p.table)) {
		first := p.table[slot]
		if p.words[first-1].hash != hash {
			continue
		}
		for range maxAlike - 1 {
			alike := &p.words[first-1].alike
			if *alike == 0 {
				*alike = n
				return
			}
			first = *alike
		}
		return
	}
	p.table[slot] = n
}

// placeOf is where in the address a word comes first, plus one; 0: nowhere.
func (p *Page) placeOf(hash uint64) int16 {
	for slot := hash >> (64 - tableBits); ; slot = (slot + 1) % uint64(len(p.table)) {
		n := p.table[slot]
		if n == 0 || p.words[n-1].hash == hash {
			return n
		}
	}
}

// hostEnd is where the host ends in a text that is a URL or nothing but a
// host: 0 in any other.
func hostEnd(text []byte) int {
	start := 0
	if i := bytes.Index(text, []byte("//")); i == 0 || i > 0 && i <= len("https:") && text[i-1] == ':' {
		start = i + 2
	}
	dot := 0
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case c == '.':
			dot = i
		case classes[c]&inWord != 0 || c == '-':
		case start > 0:
			return i
		default:
			return 0
		}
	}
	if start > 0 {
		return len(text)
	}
	if top := text[dot:]; dot == 0 || len(top) < 3 || classes[top[1]]&figure != 0 {
		return 0
	}
	return len(text)
}

// weigh tells how much a word says about a page: nothing, little, something,
// or so much that no other page has it by chance.
func weigh(word []byte, in uint16) int8 {
	n := len(word)
	switch {
	case in == figure:
		return [...]int8{0, 0, 0, 0, 1, 1, 3}[min(n, 6)]
	case n < 3 || isCommon(word):
		return 0
	case in&figure == 0:
		return [...]int8{0, 0, 0, 1, 1, 2, 2, 2, 3}[min(n, 8)]
	}
	return [...]int8{0, 0, 0, 1, 1, 1, 2, 2, 3}[min(n, 8)]
}
