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
	bare  int16 // the first word of the host but for www
	path  span
	rest  span   // query and fragment
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

// A span are the words from first up to end.
type span struct{ first, end int16 }

// A part of the address is a parameter's value or the fragment.
type part struct {
	span
	what What
	name []byte // of the parameter
}

// www is what hosts are often written without.
const www = "www."

// pieces tell where the pieces of an address begin: the host, which has its
// port, the path, the query with its question mark, the fragment with its sign.
// One that is not there begins where the next one does, or at the end.
type pieces struct{ host, path, query, fragment int }

func cut(address []byte) (a pieces) {
	a.fragment = before(address, '#')
	a.query = before(address[:a.fragment], '?')
	if i := before(address[:a.query], ':'); bytes.HasPrefix(address[i:a.query], []byte("://")) {
		a.host = i + len("://")
	}
	a.path = a.host + before(address[a.host:a.query], '/')
	a.host += bytes.LastIndexByte(address[a.host:a.path], '@') + 1
	return a
}

// before is how much of text is before the first c.
func before(text []byte, c byte) int {
	if i := bytes.IndexByte(text, c); i >= 0 {
		return i
	}
	return len(text)
}

// learn makes the needles of an address, which must not change as long as
// they are used.
func (k *needles) learn(address []byte) {
	k.words, k.parts, k.digests, k.telling = k.words[:0], k.parts[:0], nil, false
	clear(k.table[:])
	clear(k.sieve[:])
	a := cut(address)
	k.add(address[a.host:a.path], false)
	k.bare = 0
	if bytes.HasPrefix(address[a.host:], []byte(www)) {
		k.bare = 1
	}
	k.path = k.add(address[a.path:a.query], true)
	query := address[a.query:a.fragment]
	for len(query) > 1 {
		query = query[1:] // a question mark, or what stands between parameters
		end := before(query, '&')
		middle := before(query[:end], '=')
		k.add(query[:middle], false)
		value := k.add(query[min(middle+1, end):end], true)
		k.parts = append(k.parts, part{value, Search, query[:middle]})
		query = query[end:]
	}
	fragment := k.add(address[a.fragment:], true)
	k.parts = append(k.parts, part{fragment, Path, nil})
	k.rest = span{k.path.end, int16(len(k.words))}
	for _, w := range k.words {
		k.telling = k.telling || w.weight > 0
	}
}

// add adds the words of a text. Words that weigh nothing are added too, since
// they stand between the others; the words of a host never weigh.
func (k *needles) add(text []byte, weighs bool) (added span) {
	text = unwrapped(text)
	from := len(text)
	if weighs {
		from = hostEnd(text)
	}
	added.first = int16(len(k.words))
	r := reader{text: text}
	for len(k.words) < maxWords && r.next() {
		word := text[r.start:r.end]
		w := needle{hash: hash(word, r.classes)}
		word = appendFolded(nil, word)
		if r.start >= from {
			w.weight = weigh(word, r.classes)
		}
		w.opens = weighs && len(k.words) == int(added.first)
		k.words = append(k.words, w)
		k.sieve[sieveSlot(word)] = true
		k.index(len(k.words))
	}
	added.end = int16(len(k.words))
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

// sum adds up the words of a span that weigh something and are among those
// from first to last, and their weight.
func (k *needles) sum(of span, first, last int16) (words, weight int) {
	for i := max(of.first, first); i < of.end && i <= last; i++ {
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
	start := before(text, '/')
	switch {
	case start > len("https:") || !bytes.HasPrefix(text[start:], []byte("//")) || start > 0 && text[start-1] != ':':
		start = 0
	default:
		start += len("//")
	}
	end, dot := start, 0
	for end < len(text) && (classes[text[end]]&inWord != 0 || text[end] == '-' || text[end] == '.') {
		if text[end] == '.' {
			dot = end
		}
		end++
	}
	if start == 0 && (end < len(text) || dot == 0 || end-dot < 3 || classes[text[dot+1]] == figure) {
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
