package address

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// ToASCII turns a host with other letters than ASCII's into the form of the
// domain name system (Unicode Technical Standard 46): "Bücher.example" into
// "xn--bcher-kva.example". It is nil until package lists/address/idn is
// imported for its effect; a program that reads what browsers have already
// serialized, as the engine does, never needs the tables behind it. While it
// is nil, such a host is ErrHost.
var ToASCII func(host string) (string, error)

// Serialized is the canonical form of raw, or raw itself when it has none. It
// is for addresses that no browser has serialized: those in files.
func Serialized(raw string) []byte {
	canonical, err := Canonical(nil, []byte(raw))
	if err != nil {
		return []byte(raw)
	}
	return canonical
}

const (
	// maxHost is the longest name that the domain name system has (RFC 1035).
	maxHost = 253
	// maxWritten is the longest host before its escapes are decoded and it
	// is turned into ASCII: maxHost characters of four bytes. Encoding a
	// label in punycode takes time with the square of its length.
	maxWritten = 4 * maxHost
)

// Canonical appends the canonical form of the URL raw to dst, which must not
// share memory with it:
//
//	HTTP:\\User:pw@EXAMPLE.com.:80\%7Edoe/./a/../b c?q='#top
//	http://example.com/~doe/b%20c?q=%27
//
// It reads raw as a browser reads the text of a link that names a whole
// address (the basic URL parser of https://url.spec.whatwg.org without a base
// URL) and writes "scheme://host[:port]/path[?query]" in ASCII: the scheme is
// http, https, ws or wss; user information, the scheme's own port and the
// fragment are left out; an empty query keeps its "?". Bytes that are not
// UTF-8 are escaped as they are. The canonical form of a canonical form is
// itself, and it takes no more than three times the bytes of raw and a few.
//
// In these points it differs from the standard:
//
//   - The dot at the end of a host is dropped. A host with an empty label or
//     of more than 253 bytes is refused: no name server would know it.
//   - Escapes of the path that stand for a letter, a digit or one of "-._~"
//     are decoded, once, before dot segments are resolved: RFC 3986, 6.2.2.2,
//     says that they mean the same, and Safe Browsing decodes them too, lest
//     "/%74rack" pass a rule for "/track". A "%" right before them that
//     begins no escape is escaped, lest it become one: "%%37e", "%257e".
//   - A label that is already in punycode ("xn--…") in a host that is
//     otherwise ASCII is taken at its word.
//
// The error is ErrLocal, ErrExtension, ErrScheme, or ErrHost for whatever is
// wrong between the scheme and the path; dst is then returned as it was.
func Canonical(dst, raw []byte) ([]byte, error) {
	raw = tidy(raw)
	protocol, rest, err := cutScheme(raw)
	if err != nil {
		return dst, err
	}
	for len(rest) > 0 && (rest[0] == '/' || rest[0] == '\\') {
		rest = rest[1:]
	}
	end := 0
	for end < len(rest) && !classes[rest[end]].is(endsAuthority) {
		end++
	}
	out := slices.Grow(dst, len(raw)+len("///"))
	out = append(append(out, protocol.scheme...), "://"...)
	out, ok := appendAuthority(out, rest[:end], protocol.port)
	if !ok {
		return dst, ErrHost
	}
	path, query, hasQuery := cutPath(rest[end:])
	out = appendCanonicalPath(out, path)
	if hasQuery {
		out = append(out, '?')
		for _, c := range query {
			out = appendEscaped(out, c, escapedInQuery)
		}
	}
	return out, nil
}

// A class is a set of the properties of a byte that parsing asks for.
type class uint8

const (
	escapedInPath  class = 1 << iota // the standard's path percent-encode set
	escapedInQuery                   // its special-query percent-encode set
	noDomain                         // its forbidden domain code points, and what is not ASCII
	needsNoEscape                    // the unreserved characters of RFC 3986, 2.3
	hexDigit
	endsAuthority
	removed // anywhere in a URL
)

func (c class) is(want class) bool { return c&want != 0 }

var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case c <= ' ' || c >= 0x7f:
			t[c] = escapedInPath | escapedInQuery | noDomain
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			t[c] = needsNoEscape
		}
	}
	for _, set := range []struct {
		class class
		bytes string
	}{
		{escapedInPath, "\"#<>?^`{}"},
		{escapedInQuery, "\"#<>'"},
		{noDomain, "#/:<>?@[\\]^|%"},
		{needsNoEscape, "-._~"},
		{hexDigit, "0123456789abcdefABCDEF"},
		{endsAuthority, "/\\?#"},
		{removed, "\t\n\r"},
	} {
		for i := range len(set.bytes) {
			t[set.bytes[i]] |= set.class
		}
	}
	return t
}()

// tidy drops spaces and control characters around raw, and tabs and line ends
// anywhere in it. It copies only what has such inside.
func tidy(raw []byte) []byte {
	for len(raw) > 0 && raw[0] <= ' ' {
		raw = raw[1:]
	}
	for len(raw) > 0 && raw[len(raw)-1] <= ' ' {
		raw = raw[:len(raw)-1]
	}
	isRemoved := func(c byte) bool { return classes[c].is(removed) }
	if slices.ContainsFunc(raw, isRemoved) {
		raw = slices.DeleteFunc(slices.Clone(raw), isRemoved)
	}
	return raw
}

// A protocol is a scheme whose URLs go to a server.
type protocol struct {
	scheme string
	port   uint16 // the default
}

func cutScheme(raw []byte) (p protocol, rest []byte, err error) {
	const longest = len("chrome-extension")
	colon := slices.Index(raw[:min(len(raw), longest+1)], ':')
	if colon < 0 {
		return p, nil, ErrScheme
	}
	var name [longest]byte
	for i, c := range raw[:colon] {
		name[i] = lowerASCII(c)
	}
	switch string(name[:colon]) {
	case "https":
		p = protocol{"https", 443}
	case "http":
		p = protocol{"http", 80}
	case "wss":
		p = protocol{"wss", 443}
	case "ws":
		p = protocol{"ws", 80}
	case "data", "blob", "about", "javascript":
		return p, nil, ErrLocal
	case "moz-extension", "chrome-extension":
		return p, nil, ErrExtension
	default:
		return p, nil, ErrScheme
	}
	return p, raw[colon+1:], nil
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// appendAuthority appends the host of authority, and its port unless that is
// the default.
func appendAuthority(out, authority []byte, defaultPort uint16) ([]byte, bool) {
	for i, c := range slices.Backward(authority) {
		if c == '@' {
			authority = authority[i+1:]
			break
		}
	}
	host, port := authority, []byte(nil)
	bracket := false
	for i, c := range authority {
		if c == ':' && !bracket {
			host, port = authority[:i], authority[i+1:]
			break
		}
		bracket = c == '[' || bracket && c != ']'
	}
	out, ok := appendHost(out, host)
	if !ok {
		return out, false
	}
	number := 0
	for _, c := range port {
		if c < '0' || c > '9' {
			return out, false
		}
		if number = number*10 + int(c-'0'); number > 0xffff {
			return out, false
		}
	}
	if len(port) > 0 && number != int(defaultPort) {
		out = append(out, ':')
		out = strconv.AppendUint(out, uint64(number), 10)
	}
	return out, true
}

// appendHost appends a host, which may be a name or an address, in its
// canonical form.
func appendHost(out, written []byte) ([]byte, bool) {
	if len(written) > 0 && written[0] == '[' {
		last := len(written) - 1
		if written[last] != ']' {
			return out, false
		}
		pieces, ok := parseIPv6(written[1:last])
		if !ok {
			return out, false
		}
		return appendIPv6(out, pieces), true
	}
	if len(written) > 3*maxWritten {
		return out, false
	}
	start := len(out)
	ascii := true
	for i := 0; i < len(written); i++ {
		c := written[i]
		if isEscape(written[i:]) {
			c = unhex(written[i+1])<<4 | unhex(written[i+2])
			i += 2
		}
		ascii = ascii && c < 0x80
		out = append(out, lowerASCII(c))
	}
	if !ascii {
		if ToASCII == nil || len(out)-start > maxWritten || !utf8.Valid(out[start:]) {
			return out, false
		}
		name, err := ToASCII(string(out[start:]))
		if err != nil {
			return out, false
		}
		out = append(out[:start], name...)
	}
	if len(out) > start && out[len(out)-1] == '.' {
		out = out[:len(out)-1]
	}
	host := out[start:]
	if len(host) == 0 || len(host) > maxHost {
		return out, false
	}
	label := 0 // where the last one begins
	for i, c := range host {
		switch {
		case classes[c].is(noDomain), c == '.' && i == label:
			return out, false
		case c == '.':
			label = i + 1
		}
	}
	if label == len(host) {
		return out, false
	}
	if !isNumber(host[label:]) {
		return out, true
	}
	number, ok := parseIPv4(host)
	if !ok {
		return out, false
	}
	return appendIPv4(out[:start], number), true
}

// isEscape reports whether text begins with "%" and two hexadecimal digits.
func isEscape(text []byte) bool {
	return len(text) >= 3 && text[0] == '%' && classes[text[1]].is(hexDigit) && classes[text[2]].is(hexDigit)
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// isNumber reports whether a host that ends in label must be an IPv4 address.
func isNumber(label []byte) bool {
	for _, c := range label {
		if c < '0' || c > '9' {
			_, ok := parseNumber(label)
			return ok
		}
	}
	return true
}

// parseNumber reads a number of an IPv4 address in lower case: "0x" is before
// hexadecimal digits, of which there may be none, and "0" before octal ones. A
// number over 32 bits comes back as 1<<32.
func parseNumber(text []byte) (n uint64, ok bool) {
	base := uint64(10)
	switch {
	case len(text) == 0:
		return 0, false
	case len(text) >= 2 && text[0] == '0' && text[1] == 'x':
		text, base = text[2:], 16
	case len(text) >= 2 && text[0] == '0':
		text, base = text[1:], 8
	}
	for _, c := range text {
		if !classes[c].is(hexDigit) || uint64(unhex(c)) >= base {
			return 0, false
		}
		n = min(n*base+uint64(unhex(c)), 1<<32)
	}
	return n, true
}

// parseIPv4 reads one to four numbers between dots. The last one fills all
// bytes that the others leave: "127.1" is 127.0.0.1.
func parseIPv4(host []byte) (uint32, bool) {
	var address uint64
	for count := 1; count <= 4; count++ {
		dot := slices.Index(host, '.')
		if dot < 0 {
			n, ok := parseNumber(host)
			free := 8 * (5 - count)
			return uint32(address<<free | n), ok && n < 1<<free
		}
		n, ok := parseNumber(host[:dot])
		if !ok || n > 0xff {
			return 0, false
		}
		address, host = address<<8|n, host[dot+1:]
	}
	return 0, false
}

func appendIPv4(out []byte, address uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		out = strconv.AppendUint(out, uint64(address>>shift&0xff), 10)
		if shift > 0 {
			out = append(out, '.')
		}
	}
	return out
}

// parseIPv6 reads what stands between the brackets.
func parseIPv6(text []byte) (pieces [8]uint16, ok bool) {
	count, gap := 0, -1 // gap is where "::" stands for zeros
	if len(text) > 0 && text[0] == ':' {
		if len(text) < 2 || text[1] != ':' {
			return pieces, false
		}
		text, count, gap = text[2:], 1, 1
	}
	for len(text) > 0 {
		if count == 8 {
			return pieces, false
		}
		if text[0] == ':' {
			if gap >= 0 {
				return pieces, false
			}
			count++
			text, gap = text[1:], count
			continue
		}
		digits := 0
		for digits < len(text) && digits < 4 && classes[text[digits]].is(hexDigit) {
			pieces[count] = pieces[count]<<4 | uint16(unhex(text[digits]))
			digits++
		}
		if digits < len(text) && text[digits] == '.' {
			if digits == 0 || count > 6 {
				return pieces, false
			}
			address, ok := parseDotted(text)
			if !ok {
				return pieces, false
			}
			pieces[count], pieces[count+1] = uint16(address>>16), uint16(address)
			count += 2
			break
		}
		text = text[digits:]
		if len(text) > 0 {
			if text[0] != ':' || len(text) == 1 {
				return pieces, false
			}
			text = text[1:]
		}
		count++
	}
	if gap < 0 {
		return pieces, count == 8
	}
	moved := pieces[gap:count]
	tail := pieces[8-len(moved):]
	copy(tail, moved)
	clear(pieces[gap : 8-len(moved)])
	return pieces, true
}

// parseDotted reads an IPv4 address at the end of an IPv6 address, where only
// its usual form will do.
func parseDotted(text []byte) (address uint32, ok bool) {
	for i := range 4 {
		digits := 0
		n := uint32(0)
		for digits < len(text) && '0' <= text[digits] && text[digits] <= '9' {
			if n == 0 && digits > 0 {
				return 0, false
			}
			if n = n*10 + uint32(text[digits]-'0'); n > 0xff {
				return 0, false
			}
			digits++
		}
		if digits == 0 {
			return 0, false
		}
		address, text = address<<8|n, text[digits:]
		if i < 3 {
			if len(text) == 0 || text[0] != '.' {
				return 0, false
			}
			text = text[1:]
		}
	}
	return address, len(text) == 0
}

// appendIPv6 writes the first longest run of zeros, if it is longer than one,
// as "::" (RFC 5952).
func appendIPv6(out []byte, pieces [8]uint16) []byte {
	gap, length := 8, 1
	for i := 0; i < 8; i++ {
		zeros := 0
		for i+zeros < 8 && pieces[i+zeros] == 0 {
			zeros++
		}
		if zeros > length {
			gap, length = i, zeros
		}
		i += zeros
	}
	out = append(out, '[')
	for i := 0; i < 8; i++ {
		if i == gap {
			out = append(out, "::"...)
			i += length - 1
			continue
		}
		if i > 0 && out[len(out)-1] != ':' {
			out = append(out, ':')
		}
		out = strconv.AppendUint(out, uint64(pieces[i]), 16)
	}
	return append(out, ']')
}

// cutPath cuts what follows the authority into path and query, and drops the
// fragment.
func cutPath(rest []byte) (path, query []byte, hasQuery bool) {
	if i := slices.Index(rest, '#'); i >= 0 {
		rest = rest[:i]
	}
	if i := slices.Index(rest, '?'); i >= 0 {
		return rest[:i], rest[i+1:], true
	}
	return rest, nil, false
}

// appendCanonicalPath appends "/" and the segments of path. A segment is
// taken back from out when it turns out to mean "here" or "up", so that each
// byte is written once and removed at most once.
func appendCanonicalPath(out, path []byte) []byte {
	root := len(out)
	if len(path) > 0 && (path[0] == '/' || path[0] == '\\') {
		path = path[1:]
	}
	for last := false; !last; {
		end := 0
		for end < len(path) && path[end] != '/' && path[end] != '\\' {
			end++
		}
		start := len(out)
		out = appendSegment(append(out, '/'), path[:end])
		if last = end == len(path); !last {
			path = path[end+1:]
		}
		switch string(out[start:]) {
		case "/.":
		case "/..":
			for start > root && out[start-1] != '/' {
				start--
			}
			start = max(root, start-1)
		default:
			continue
		}
		out = out[:start]
		if last {
			out = append(out, '/')
		}
	}
	return out
}

func appendSegment(out, segment []byte) []byte {
	stray := -3 // where the last "%" that begins no escape is in out
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' && !isEscape(segment[i:]) {
			stray = len(out)
		} else if c == '%' {
			if d := unhex(segment[i+1])<<4 | unhex(segment[i+2]); classes[d].is(needsNoEscape) {
				if len(out)-stray <= 2 {
					out = slices.Insert(out, stray+1, '2', '5')
					stray = -3
				}
				c = d
				i += 2
			}
		}
		out = appendEscaped(out, c, escapedInPath)
	}
	return out
}

func appendEscaped(out []byte, c byte, set class) []byte {
	if !classes[c].is(set) {
		return append(out, c)
	}
	const hex = "0123456789ABCDEF"
	return append(out, '%', hex[c>>4], hex[c&15])
}
