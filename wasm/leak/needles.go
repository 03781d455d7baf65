package leak

import "bytes"

// Limits on what is kept of a page's address. What is beyond is not looked for.
const (
	maxAddress = 8 << 10 // bytes
	tableBits  = 9
	maxWords   = 1 << (tableBits - 1)
	maxAlike   = 8 // places of one word
)

// The needles are what is looked for: the words of an address in their order.
type needles struct {
	words []needle
	host  part
	path  part
	rest  part   // query and fragment
	parts []part // the values of the query, and the fragment

	// telling is whether any word weighs something: an address without such
	// words is as good as an origin.
	telling bool

	// table leads from a word's hash to its first place in words, plus one;
	// sieve tells of most words that they are not there without their hash.
	table [1 << tableBits]int16
	sieve [256]bool

	digests []imprint // made when something first looks like one
}

// A needle is a word of the address.
type needle struct {
	hash   uint64
	weight int8
	opens  bool  // is the first word of the path, of a value or of the fragment
	alike  int16 // the next place of the same word, plus one
}

// A part of the address are its words from first up to end.
type part struct {
	what       What
	first, end int
	name       []byte // of a parameter
}

// pieces are what an address is made of. The host has its port.
type pieces struct{ scheme, host, path, query, fragment []byte }

func cut(address []byte) (a pieces) {
	rest := address
	if i := bytes.IndexByte(rest, ':'); i >= 0 && bytes.HasPrefix(rest[i:], []byte("://")) {
		a.scheme, rest = rest[:i], rest[i+len("://"):]
	}
	rest, a.fragment, _ = bytes.Cut(rest, []byte("#"))
	rest, a.query, _ = bytes.Cut(rest, []byte("?"))
	a.host = rest
	if i := bytes.IndexByte(rest, '/'); i >= 0 {
		a.host, a.path = rest[:i], rest[i:]
	}
	a.host = a.host[bytes.LastIndexByte(a.host, '@')+1:]
	return a
}

// learn makes the needles of an address, which must not change as long as
// they are used.
func (k *needles) learn(address []byte) {
	*k = needles{words: k.words[:0], parts: k.parts[:0]}
	a := cut(address)
	k.host = k.add(Address, a.host, false)
	k.path = k.add(Path, a.path, true)
	for len(a.query) > 0 {
		var pair []byte
		pair, a.query, _ = bytes.Cut(a.query, []byte("&"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		k.add(Search, name, false)
		words := k.add(Search, value, true)
		words.name = name
		k.parts = append(k.parts, words)
	}
	k.parts = append(k.parts, k.add(Path, a.fragment, true))
	k.rest = part{first: k.path.end, end: len(k.words)}
	for _, w := range k.words {
		k.telling = k.telling || w.weight > 0
	}
}

// add adds the words of a text. Words that weigh nothing are added too, since
// they stand between the others; the words of a host never weigh.
func (k *needles) add(what What, text []byte, weighs bool) part {
	text = unwrapped(text)
	from := len(text)
	if weighs {
		from = hostEnd(text)
	}
	added := part{what: what, first: len(k.words)}
	r := reader{text: text}
	for len(k.words) < maxWords && r.next() {
		word := text[r.start:r.end]
		w := needle{hash: hash(word, r.classes)}
		word = appendFolded(nil, word)
		if r.start >= from {
			w.weight = weigh(word, r.classes)
		}
		w.opens = weighs && len(k.words) == added.first
		k.words = append(k.words, w)
		k.sieve[sieveSlot(word)] = true
		k.index(len(k.words))
	}
	added.end = len(k.words)
	return added
}

// unwrapped takes up to three layers of escapes from a piece of an address.
func unwrapped(text []byte) []byte {
	for range 3 {
		if bytes.IndexByte(text, '%') < 0 {
			break
		}
		text, _, _ = unescape(nil, text)
	}
	return text
}

// sieveSlot tells words apart by their first byte, whatever its case, and
// their length.
func sieveSlot(word []byte) byte {
	if len(word) == 0 { // an accent without a letter
		return 0
	}
	return word[0]<<3 | byte(len(word))&7
}

// index notes where the n-th word is.
func (k *needles) index(n int) {
	hash := k.words[n-1].hash
	slot := hash >> (64 - tableBits)
	for k.table[slot] != 0 && k.words[k.table[slot]-1].hash != hash {
		slot = (slot + 1) % uint64(len(k.table))
	}
	place := &k.table[slot]
	for range maxAlike {
		if *place == 0 {
			*place = int16(n)
			return
		}
		place = &k.words[*place-1].alike
	}
}

// find tells where the word of a hash is first, plus one; 0: nowhere.
func (k *needles) find(hash uint64) int16 {
	for slot := hash >> (64 - tableBits); ; slot = (slot + 1) % uint64(len(k.table)) {
		n := k.table[slot]
		if n == 0 || k.words[n-1].hash == hash {
			return n
		}
	}
}

// sum adds up the words of a part that weigh something and are among those
// from first to last, and their weight.
func (k *needles) sum(of part, first, last int) (words, weight int) {
	for i := max(of.first, first); i < min(of.end, last+1); i++ {
		if w := int(k.words[i].weight); w > 0 {
			words++
			weight += w
		}
	}
	return words, weight
}

// hostEnd is where the host ends in a text that is an address, or nothing but
// a host; it is 0 in any other text.
func hostEnd(text []byte) int {
	start := 0
	if i := bytes.Index(text, []byte("//")); i == 0 || i > 0 && text[i-1] == ':' && i <= len("https:") {
		start = i + 2
	}
	end, dot := start, 0
	for end < len(text) && (classes[text[end]]&inWord != 0 || text[end] == '-' || text[end] == '.') {
		if text[end] == '.' {
			dot = end
		}
		end++
	}
	switch {
	case start > 0:
		return end
	case end < len(text) || dot == 0 || end-dot < 3 || classes[text[dot+1]] == figure:
		return 0
	}
	return end
}

// weigh tells how much a word of an address says about the page: nothing,
// little, something, or so much that no other page has it by chance.
func weigh(word []byte, in uint8) int8 {
	n := len(word)
	switch {
	case in == figure:
		return [...]int8{0, 0, 0, 0, 1, 1, 3}[min(n, 6)]
	case n < 3 || isCommon(word):
		return 0
	case in&figure != 0: // an identifier
		return [...]int8{0, 0, 0, 1, 1, 1, 2, 2, 3}[min(n, 8)]
	}
	return [...]int8{0, 0, 0, 1, 1, 2, 2, 3}[min(n, 7)]
}
