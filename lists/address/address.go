// Package address reads the addresses (URLs) that a browser asks for and
// cuts them into the expressions that lists are made of.
//
// A browser hands its extensions URLs that the WHATWG URL standard has
// already serialized: the scheme and the host are lower case, the host is
// ASCII. Lists and recorded visits are less tidy, so Parse takes more than
// that and brings everything to one form:
//
//   - scheme, host, path and query in lower case (filter rules ignore case
//     unless they say otherwise, and none of ours does);
//   - no user information, no port, no fragment, no dot after the host;
//   - an empty path is "/".
//
// What it cannot read it refuses, and a caller on a protected site stops the
// request: a URL that nobody can judge is never sent in silence.
//
// Expressions follow the idea of Safe Browsing's URL expressions
// (https://developers.google.com/safe-browsing/v4/urls-hashing): every suffix
// of the host that begins at a label, and for a path its leading directories.
// Keys are written with the host's labels reversed, so that one buffer holds
// all suffixes of a host as its own prefixes:
//
//	https://cdn.example.com/a/b.js
//	    com  com.example  com.example.cdn
//	    com.example.cdn/  com.example.cdn/a/
package address

import "errors"

// MaxDirectories is how many leading directories of a path are expressions.
// The first is "/". A rule with a longer path is kept under the last of them.
const MaxDirectories = 6

// Errors of Parse. They are fixed values, so that reading a hostile URL
// allocates nothing.
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
// and one value can be parsed into again and again without allocating.
type URL struct {
	host []byte
	path []byte // empty until Path is asked for
	rest []byte // of the parsed text, behind the authority
}

// Host is the host in lower case without port and trailing dot. The bytes are
// valid until the next Parse.
func (u *URL) Host() []byte { return u.host }

// Path is the path and query in lower case, beginning with "/"; empty when
// Parse failed. The bytes are valid until the next Parse. Most requests are
// decided by their host, so the path is made when it is first asked for.
func (u *URL) Path() []byte {
	if len(u.path) == 0 && len(u.host) > 0 {
		u.path = appendPath(u.path, u.rest)
	}
	return u.path
}

// Parse reads raw into u, which keeps it: raw must not change before the last
// use of u. After an error u is empty.
func (u *URL) Parse(raw []byte) error {
	u.host, u.path, u.rest = u.host[:0], u.path[:0], nil
	colon := 0
	for colon < len(raw) && raw[colon] != ':' {
		colon++
	}
	if err := checkScheme(raw[:colon]); err != nil {
		return err
	}
	rest := raw[min(colon+1, len(raw)):]
	if len(rest) < 2 || !isSlash(rest[0]) || !isSlash(rest[1]) {
		return ErrHost
	}
	rest = rest[2:]
	end := 0
	for end < len(rest) && !isSlash(rest[end]) && rest[end] != '?' && rest[end] != '#' {
		end++
	}
	if !u.readHost(rest[:end]) {
		u.host = u.host[:0]
		return ErrHost
	}
	u.rest = rest[end:]
	return nil
}

// isSlash holds for the backslash too: in the special schemes the URL
// standard reads both as one.
func isSlash(c byte) bool { return c == '/' || c == '\\' }

func checkScheme(s []byte) error {
	switch {
	case is(s, "https"), is(s, "http"), is(s, "wss"), is(s, "ws"):
		return nil
	case is(s, "data"), is(s, "blob"), is(s, "about"), is(s, "javascript"):
		return ErrLocal
	case is(s, "moz-extension"), is(s, "chrome-extension"):
		return ErrExtension
	}
	return ErrScheme
}

// is compares without regard to ASCII case; want is in lower case.
func is(s []byte, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := range s {
		if lower(s[i]) != want[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// readHost takes an authority: user information, host and port.
func (u *URL) readHost(authority []byte) (ok bool) {
	for i := len(authority) - 1; i >= 0; i-- {
		if authority[i] == '@' {
			authority = authority[i+1:]
			break
		}
	}
	if len(authority) > 0 && authority[0] == '[' {
		return u.readIPv6(authority)
	}
	for i, c := range authority {
		if c == ':' {
			authority = authority[:i]
			break
		}
	}
	if n := len(authority); n > 0 && authority[n-1] == '.' {
		authority = authority[:n-1]
	}
	if len(authority) == 0 || len(authority) > 253 {
		return false
	}
	previous := byte('.')
	for _, c := range authority {
		c = lower(c)
		if !hostByte[c] || c == '.' && previous == '.' {
			return false
		}
		u.host = append(u.host, c)
		previous = c
	}
	// Two dots stood at the end, or it ends in a number and is no IPv4 address.
	return previous != '.' && (!IsIP(u.host) || isIPKey(u.host))
}

func (u *URL) readIPv6(authority []byte) (ok bool) {
	for i, c := range authority {
		c = lower(c)
		u.host = append(u.host, c)
		switch {
		case c == ']':
			return i > 2
		case i > 0 && c != ':' && c != '.' && !('0' <= c && c <= '9') && !('a' <= c && c <= 'f'):
			return false
		}
	}
	return false
}

// hostByte marks what a serialized host may hold: everything printable but
// the URL standard's forbidden domain code points.
var hostByte = func() (ok [256]bool) {
	for c := 0x21; c < 0x7f; c++ {
		ok[c] = true
	}
	for _, c := range []byte("#/:<>?@[\\]^|%\"`{}") {
		ok[c] = false
	}
	return ok
}()

func appendPath(path, rest []byte) []byte {
	if len(rest) == 0 || !isSlash(rest[0]) {
		path = append(path, '/')
	}
	query := false
	for _, c := range rest {
		switch {
		case c == '#':
			return path
		case c == '?':
			query = true
		case c == '\\' && !query:
			c = '/'
		}
		path = append(path, lower(c))
	}
	return path
}

// Within reports whether host is domain or a subdomain of it.
func Within(host, domain []byte) bool {
	n := len(host) - len(domain)
	if n < 0 || len(domain) == 0 || string(host[n:]) != string(domain) {
		return false
	}
	return n == 0 || host[n-1] == '.'
}

// AppendKey appends host with its labels in reverse order to dst. An IP
// address is one label: it has no suffix that means anything.
func AppendKey(dst, host []byte) []byte {
	if IsIP(host) {
		return append(dst, host...)
	}
	return appendReversed(dst, host)
}

// AppendHost appends the host that AppendKey wrote as key to dst.
func AppendHost(dst, key []byte) []byte {
	if len(key) > 0 && isIPKey(key) {
		return append(dst, key...)
	}
	return appendReversed(dst, key)
}

func appendReversed(dst, host []byte) []byte {
	for end := len(host); end >= 0; {
		start := end
		for start > 0 && host[start-1] != '.' {
			start--
		}
		dst = append(dst, host[start:end]...)
		end = start - 1
		if end >= 0 {
			dst = append(dst, '.')
		}
	}
	return dst
}

// IsIP reports whether a canonical host is an IP address: one in brackets, or
// one whose last label is a number (the URL standard's "ends in a number").
func IsIP(host []byte) bool {
	if len(host) == 0 {
		return false
	}
	if host[0] == '[' {
		return true
	}
	for i := len(host) - 1; i >= 0 && host[i] != '.'; i-- {
		if host[i] < '0' || host[i] > '9' {
			return false
		}
	}
	return true
}

// NextSuffix returns the length of the shortest host suffix in key that is
// longer than n bytes, or 0 when there is none. Begin with n = 0. The last
// one is the whole host; for an IP address it is the only one.
func NextSuffix(key []byte, n int) int {
	if n >= len(key) {
		return 0
	}
	if n == 0 && isIPKey(key) {
		return len(key)
	}
	if n > 0 {
		n++
	}
	for n < len(key) && key[n] != '.' {
		n++
	}
	return n
}

// isIPKey knows an IP address among keys: a reversed name begins with its
// top-level domain, which is never a number.
func isIPKey(key []byte) bool {
	if key[0] == '[' {
		return true
	}
	for _, c := range key {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// NextDirectory returns the length of the shortest leading directory of path
// that is longer than n bytes ("/" for n = 0), or 0 when there is none. A
// slash in the query ends a directory like any other: rules are read the same
// way, so that both sides agree.
func NextDirectory(path []byte, n int) int {
	for i := n; i < len(path); i++ {
		if path[i] == '/' {
			return i + 1
		}
	}
	return 0
}
