// Package address reads the addresses (URLs) that a browser asks for, and
// prepares the two things that lists ask of them: the expressions that may
// stand in a list, and the text and words that patterns are made of.
//
// # Canonical form
//
// Rules are about one form of an address,
//
//	scheme "://" host [":" port] path ["?" query]
//
// as the URL standard's serializer writes it (https://url.spec.whatwg.org),
// without user information, default port, fragment and the dot after the host.
// A browser hands its extensions nearly that, so Parse takes it in one pass,
// eight bytes at a time; what needs more goes through Canonical, which reads
// any spelling. What neither can read is refused, and a caller on a protected
// site stops the request: nothing that cannot be judged is sent in silence.
//
// # Expressions
//
// The idea is that of Safe Browsing's URL expressions
// (https://developers.google.com/safe-browsing/v4/urls-hashing): every suffix
// of the host that begins at a label, alone or with a leading directory of
// the path. All are slices of one text.
//
//	https://cdn.example.com/a/b.js
//	    cdn.example.com  example.com  com
//	    cdn.example.com/a/  example.com/a/  com/a/
package address

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
)

// Bounds of what rules see of an address.
const (
	// MaxText is how many bytes of an address patterns look at. Rules never
	// speak of what stands behind, and a page that asks for megabytes must
	// not be able to slow its own protection down.
	MaxText = 1536
	// MaxDirectories is how many leading directories of a path are
	// expressions, the first, "/", among them: it says no more than the host
	// alone. A rule with a longer path is kept under the last of them.
	MaxDirectories = 6
	// Beyond stands behind the text where an address was cut off, and behind
	// every text's end. It is no character of any address or rule.
	Beyond = 0x7f
	// Slack is how many bytes of Beyond follow a text, so that words can be
	// read whole.
	Slack = 16
	// Room is a power of two above MaxText and Slack, so that a place in a text
	// is made one by masking it, and no bound need be checked.
	Room = 2048
)

// Errors of Parse and Canonical. They are fixed values, so that reading a
// hostile URL allocates nothing.
var (
	// ErrLocal says that the scheme never leaves the browser (data:, blob:, about:).
	ErrLocal = errors.New("the address stays inside the browser")
	// ErrExtension says that the address belongs to a browser extension.
	ErrExtension = errors.New("the address is a browser extension's own")
	// ErrScheme says that the scheme is none that a page's requests have.
	ErrScheme = errors.New("unknown scheme: want http, https, ws or wss")
	// ErrHost says that the host is empty or holds a character no host has.
	ErrHost = errors.New("unreadable host: want letters, digits, dots and hyphens, or an IP address")
)

// A URL is an address in canonical form. Its zero value is ready for Parse,
// and one value can be parsed into again and again without allocating. What
// its methods return is valid until the next Parse.
type URL struct {
	size       int  // of the text
	whole      bool // the text is all of the address
	host, port int  // where they begin; the port with its ":"
	path       int
	labels     []int  // where the host's labels begin
	joined     []byte // host and path when a port stands between them
	scratch    []byte

	// The text as it was written and in lower case, with Slack bytes of Beyond
	// behind it, and the bits that Words and Marks tell.
	exact, lower text
	words, marks bitmap
}

type (
	text = [Room + Slack]byte
	// A bitmap has a bit for each byte of a text. With vectors spell writes a
	// little further than two words behind.
	bitmap = [MaxText/64 + 4]uint64
)

// Text is the canonical address in lower case, at most MaxText bytes of it.
func (u *URL) Text() []byte { return u.lower[:u.size] }

// Exact is Text with its path and query in the case in which they were written.
func (u *URL) Exact() []byte { return u.exact[:u.size] }

// Padded is Text with Slack bytes of Beyond behind it.
func (u *URL) Padded() []byte { return u.lower[:u.size+Slack] }

// Lower is the array that Padded is the begin of.
func (u *URL) Lower() *[Room + Slack]byte { return &u.lower }

// Words has a bit for each byte of Text, lowest first, that is set for a
// letter or a digit, and two words of zeros behind.
func (u *URL) Words() []uint64 { return u.words[:(u.size+63)>>6+2] }

// Marks is like Words, with the bits of letters and of what opens a part of an
// address: ".", "/" and "?", and ">", which differs from them as little.
func (u *URL) Marks() []uint64 { return u.marks[:(u.size+63)>>6+2] }

// Whole reports whether Text is all of the address.
func (u *URL) Whole() bool { return u.whole }

// Host is the host in lower case.
func (u *URL) Host() []byte { return u.lower[u.host:u.port] }

// HostStart is where the host begins in Text.
func (u *URL) HostStart() int { return u.host }

// HostEnd is where the host ends in Text, before a port.
func (u *URL) HostEnd() int { return u.port }

// Labels are where the labels of the host begin in Text; an IP address is a
// single one.
func (u *URL) Labels() []int { return u.labels }

// Path is the path and query in lower case, beginning with "/".
func (u *URL) Path() []byte { return u.lower[u.path:u.size] }

// HostPath is host and path in one piece, without a port, in lower case and in
// the case that was written. Slack more bytes of both can be read.
func (u *URL) HostPath() (lower, exact []byte) {
	if u.port == u.path {
		return u.lower[u.host:u.size], u.exact[u.host:u.size]
	}
	n := u.size - u.path + u.port - u.host
	u.joined = append(append(u.joined[:0], u.lower[u.host:u.port]...), u.lower[u.path:u.size]...)
	u.joined = append(append(u.joined, u.exact[u.host:u.port]...), u.exact[u.path:u.size+Slack]...)
	return u.joined[:n], u.joined[n : 2*n]
}

// Parse reads raw. After an error u is empty.
//
// It is quickest for what a browser has serialized. A path that is written in
// an odd way (dot segments, backslashes), which no browser hands out, is taken
// as it stands: give such text to Canonical first.
func (u *URL) Parse(raw []byte) error {
	if u.read(raw, false) {
		return nil
	}
	err := scheme(raw)
	if err == nil {
		cut := len(raw) > 2*MaxText
		u.scratch, err = Canonical(u.scratch[:0], raw[:min(len(raw), 2*MaxText)])
		if err == nil && (cut && len(u.scratch) < MaxText || !u.read(u.scratch, true)) {
			err = ErrHost
		}
	}
	if err != nil {
		u.empty()
	}
	return err
}

// ParseHost is Parse for a caller that wants nothing but the host.
func (u *URL) ParseHost(raw []byte) error {
	const scheme = len("https:")
	if len(raw) > scheme+2 {
		if end := bytes.IndexByte(raw[scheme+2:], '/'); end > 0 && u.read(raw[:scheme+2+end+1], false) {
			return nil
		}
	}
	return u.Parse(raw)
}

func (u *URL) empty() {
	u.host, u.port, u.path, u.labels = 0, 0, 0, u.labels[:0]
	u.end(0)
}

// end ends the text at byte n.
func (u *URL) end(n int) {
	u.size = n
	for _, text := range [...]*text{&u.exact, &u.lower} {
		binary.LittleEndian.PutUint64(text[n:], beyond)
		binary.LittleEndian.PutUint64(text[n+8:], beyond)
	}
	for _, bits := range [...]*bitmap{&u.words, &u.marks} {
		bits[n>>6] &= 1<<(n&63) - 1
		bits[n>>6+1], bits[n>>6+2] = 0, 0
	}
}

// Eight bytes at a time: ones times a byte is that byte eight times, and in a
// sum of bytes below 0x80 the high bit of each is a comparison's answer.
const (
	ones   = 0x0101010101010101
	high   = 0x8080808080808080
	beyond = Beyond * ones
)

// letters has the high bit set of each of eight bytes of ASCII that is a letter
// of either case. Two places further down it is what makes it one of lower case.
func letters(x uint64) uint64 {
	x |= 0x20 * ones
	return (x + (0x80-'a')*ones) &^ (x + (0x7f-'z')*ones) & high
}

// digits is the same of digits.
func digits(x uint64) uint64 {
	return (x + (0x80-'0')*ones) &^ (x + (0x7f-'9')*ones) & high
}

// opens is the same of ".", "/", ">" and "?", which differ in two bits.
func opens(x uint64) uint64 {
	return ^(((x | 0x11*ones) ^ '?'*ones) + 0x7f*ones) & high
}

// has reports whether one of eight bytes of ASCII is c.
func has(x uint64, c byte) bool {
	return ^((x^uint64(c)*ones)+0x7f*ones)&high != 0
}

// pack gathers the high bits of eight bytes into one.
func pack(x uint64) uint64 { return (x >> 7) * 0x0102040810204080 >> 56 }

// read takes what is canonical already, but for the case of its scheme and
// host and a fragment; it refuses everything that needs a closer look, unless
// that has been taken.
func (u *URL) read(raw []byte, canonical bool) bool {
	u.whole = len(raw) <= MaxText || raw[MaxText] == '#'
	n := min(len(raw), MaxText)
	if cap(raw) < n+Slack {
		copy(u.exact[:], raw[:n])
		raw = u.exact[:]
	}
	seen := spell(&u.exact, &u.lower, &u.words, &u.marks, raw[:n+Slack], n)
	u.size = n
	if seen&seenOther != 0 || !u.readHost(canonical) {
		return false
	}
	// Neither scheme nor host has a case. They are short: calling copy takes longer.
	for i := 0; i < u.path; i += 8 {
		head := ^uint64(0) >> (8 * max(i+8-u.path, 0))
		x, small := binary.LittleEndian.Uint64(u.exact[i:]), binary.LittleEndian.Uint64(u.lower[i:])
		binary.LittleEndian.PutUint64(u.exact[i:], x&^head|small&head)
	}
	if seen&seenSharp != 0 {
		u.end(u.fragment())
		u.whole = true
	}
	return seen&seenRare == 0 || canonical || u.plainPath()
}

// What spell has seen.
const (
	seenOther = 1 << iota // a byte that is not ASCII: what spell wrote is of no use
	seenSharp             // a "#"
	seenRare              // some byte up to "%"
)

// spell reads the first n bytes of from, at most MaxText, and writes them as they
// are and in lower case, with Slack bytes of Beyond behind them, and their bits,
// with two words of zeros behind. from has Slack bytes more, whatever they are,
// and may be exact itself. In the engine's WebAssembly another body stands in
// place of this one, see package wasm/assembly.
//
//go:noinline
func spell(exact, lower *text, words, marks *bitmap, from []byte, n int) (seen uint64) {
	for i := 0; i <= n; i += 8 {
		x := binary.LittleEndian.Uint64(from[i : i+8])
		if left := n - i; left < 8 {
			rest := ^uint64(0) << (8 * left)
			x = x&^rest | beyond&rest
		}
		letter := letters(x)
		small := x | letter>>2
		binary.LittleEndian.PutUint64(exact[i:i+8], x)
		binary.LittleEndian.PutUint64(lower[i:i+8], small)
		word, mark := pack(letter|digits(small)), pack(letter|opens(x))
		if i&63 == 0 {
			words[i>>6], marks[i>>6] = word, mark
		} else {
			words[i>>6] |= word << (i & 63)
			marks[i>>6] |= mark << (i & 63)
		}
		if x&high != 0 {
			seen |= seenOther
		}
		if has(x, '#') {
			seen |= seenSharp
		}
		if ^(x+(0x80-'%'-1)*ones)&high != 0 {
			seen |= seenRare
		}
	}
	for _, to := range [...]*text{exact, lower} {
		binary.LittleEndian.PutUint64(to[n:], beyond)
		binary.LittleEndian.PutUint64(to[n+8:], beyond)
	}
	blocks := (n + 63) >> 6
	words[blocks], words[blocks+1], marks[blocks], marks[blocks+1] = 0, 0, 0, 0
	return seen
}

// next is where the first byte at or behind i is that is neither letter nor
// digit.
func (u *URL) next(i int) int {
	for {
		if gap := ^u.words[i>>6] >> (i & 63); gap != 0 {
			return i + bits.TrailingZeros64(gap)
		}
		i = i&^63 + 64
	}
}

func (u *URL) readHost(canonical bool) bool {
	text := &u.lower
	port := uint16(443)
	switch head := binary.LittleEndian.Uint64(text[:]); {
	case head == 'h'|'t'<<8|'t'<<16|'p'<<24|'s'<<32|':'<<40|'/'<<48|'/'<<56:
		u.host = 8
	case head&0xffffffffffffff == 'h'|'t'<<8|'t'<<16|'p'<<24|':'<<32|'/'<<40|'/'<<48:
		u.host, port = 7, 80
	case head&0xffffffffffff == 'w'|'s'<<8|'s'<<16|':'<<24|'/'<<32|'/'<<40:
		u.host = 6
	case head&0xffffffffff == 'w'|'s'<<8|':'<<16|'/'<<24|'/'<<32:
		u.host, port = 5, 80
	default:
		return false
	}
	u.labels = append(u.labels[:0], u.host)
	label, end := u.host, 0
	for at := u.host; ; at++ {
		at = u.next(at)
		c := text[at]
		if c == '.' {
			if at == label {
				return false
			}
			label = at + 1
			u.labels = append(u.labels, label)
			continue
		}
		if c != '-' && c != '_' {
			end = at
			break
		}
	}
	u.port = end
	if text[u.host] == '[' {
		if !canonical {
			return false // only Canonical knows whether it is the shortest spelling
		}
		end = u.readIPv6()
		u.port, u.labels = end, u.labels[:1]
	} else if end == label || end-u.host > 253 {
		return false
	} else if text[label] <= '9' {
		// It may end in a number: an IPv4 address, or nothing.
		if isIPv4(text[u.host:end]) {
			u.labels = u.labels[:1]
		} else if !canonical {
			return false
		}
	}
	if text[end] == ':' {
		var number uint16
		for end++; '0' <= text[end] && text[end] <= '9' && number < 6554; end++ {
			if number == 0 && end > u.port+1 {
				return false
			}
			number = number*10 + uint16(text[end]-'0')
		}
		if !canonical && (number == 0 || number == port) {
			return false
		}
	}
	u.path = end
	return text[end] == '/'
}

// readIPv6 returns the end of an address in brackets.
func (u *URL) readIPv6() int {
	at := u.host
	for u.lower[at] != ']' && at < u.size {
		at++
	}
	return at + 1
}

// fragment is where the first "#" stands.
func (u *URL) fragment() int {
	at := u.path
	for at < u.size && u.lower[at] != '#' {
		at++
	}
	return at
}

// plainPath looks at the path of an address with some character up to "%". It
// reports whether the path is written in the one way that is canonical.
func (u *URL) plainPath() bool {
	for at := u.path; ; at++ {
		at = u.next(at)
		switch c := u.lower[at]; {
		case at >= u.size, c == '?':
			return true
		case c <= ' ', c == '%' && unreserved(u.lower[at+1], u.lower[at+2]):
			return false
		}
	}
}

// unreserved reports whether a "%" before these two stands for a character
// that needs none (RFC 3986, section 2.3).
func unreserved(a, b byte) bool {
	c := hex(a)<<4 | hex(b)
	return hex(a) < 16 && hex(b) < 16 &&
		('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~')
}

// hex is the value of a digit, or 16.
func hex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// scheme is the error of raw's scheme, nil for those that pages ask with.
func scheme(raw []byte) error {
	for len(raw) > 0 && raw[0] <= ' ' {
		raw = raw[1:]
	}
	name := make([]byte, 0, 16)
	for _, c := range raw {
		switch {
		case c == '\t', c == '\n', c == '\r':
			continue
		case c == ':':
			switch string(name) {
			case "https", "http", "wss", "ws":
				return nil
			case "data", "blob", "about", "javascript":
				return ErrLocal
			case "moz-extension", "chrome-extension":
				return ErrExtension
			}
			return ErrScheme
		case len(name) == cap(name):
			return ErrScheme
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		name = append(name, c)
	}
	return ErrScheme
}

// Within reports whether host is domain or a subdomain of it.
func Within(host, domain []byte) bool {
	n := len(host) - len(domain)
	if n < 0 || len(domain) == 0 || string(host[n:]) != string(domain) {
		return false
	}
	return n == 0 || host[n-1] == '.'
}

// IsIP reports whether a canonical host is an IP address: one in brackets, or
// one whose last label is a number (the URL standard's "ends in a number").
func IsIP(host []byte) bool {
	return len(host) > 0 && (host[0] == '[' || isIPv4(host))
}

// isIPv4 knows the one spelling that the serializer writes.
func isIPv4(host []byte) bool {
	parts, number, digits := 1, 0, 0
	for _, c := range host {
		switch {
		case c == '.' && digits > 0:
			parts, number, digits = parts+1, 0, 0
		case '0' <= c && c <= '9' && (digits == 0 || number > 0):
			number, digits = number*10+int(c-'0'), digits+1
			if number > 255 {
				return false
			}
		default:
			return false
		}
	}
	return parts == 4 && digits > 0
}
