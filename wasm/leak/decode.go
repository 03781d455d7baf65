package leak

import "unicode/utf8"

// unescape appends text to out without the escapes of addresses (%2F, %u00e9)
// and those of JSON and scripts (\/, \u00e9, \xe9). What is no escape stays.
// It tells which of the two there were; the result is never longer than text.
func unescape(out, text []byte) (plain []byte, percent, backslash bool) {
	for i := 0; i < len(text); {
		next := i
		for next < len(text) && text[next] != '%' && text[next] != '\\' {
			next++
		}
		out = append(out, text[i:next]...)
		if i = next; i == len(text) {
			break
		}
		c := text[i]
		r, size := character(text[i:])
		switch {
		case size == 0:
			out = append(out, c)
			i++
			continue
		case r < 0x100 && text[i+1] != 'u':
			out = append(out, byte(r))
		default:
			out = utf8.AppendRune(out, r)
		}
		i += size
		percent = percent || c == '%'
		backslash = backslash || c == '\\'
	}
	return out, percent, backslash
}

// character reads the escape at the beginning of text. Its size is 0 if there
// is none.
func character(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	next := text[1]
	switch {
	case next == 'u':
		r, ok := hexNumber(text[2:], 4)
		if !ok {
			return 0, 0
		}
		if r>>10 == 0xd800>>10 && len(text) >= 12 && text[6] == text[0] && text[7] == 'u' {
			if low, ok := hexNumber(text[8:], 4); ok && low>>10 == 0xdc00>>10 {
				return r&0x3ff<<10 + low&0x3ff + 0x10000, 12 // RFC 8259, 7
			}
		}
		return r, 6
	case text[0] == '%':
		if r, ok := hexNumber(text[1:], 2); ok {
			return r, 3
		}
		return 0, 0
	}
	switch next {
	case 'x':
		if r, ok := hexNumber(text[2:], 2); ok {
			return r, 4
		}
		return 0, 0
	case 'n', 'r':
		return '\n', 2
	case 't', 'b', 'f':
		return '\t', 2
	case '"', '\'', '\\', '/':
		return rune(next), 2
	}
	return 0, 0
}

// hexNumber reads the number of n hexadecimal digits at the beginning of text.
func hexNumber(text []byte, n int) (number rune, ok bool) {
	if len(text) < n {
		return 0, false
	}
	for _, c := range text[:n] {
		class := classes[c]
		if class&(figure|hexSmall|hexLarge) == 0 {
			return 0, false
		}
		number = number<<4 | rune(c&0xf)
		if class != figure {
			number += 9
		}
	}
	return number, true
}

// unhex appends to out the bytes that text writes in hexadecimal.
func unhex(out, text []byte) []byte {
	for ; len(text) >= 2; text = text[2:] {
		b, _ := hexNumber(text, 2)
		out = append(out, byte(b))
	}
	return out
}

// sextets has what a character is worth in base64 and base64url (RFC 4648).
var sextets = func() (of [256]uint8) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for i := range len(alphabet) {
		of[alphabet[i]] = uint8(i)
	}
	of['+'], of['-'], of['/'], of['_'] = 62, 62, 63, 63
	return of
}()

// unbase64 appends to out the bytes that text, all of base64's characters,
// stands for.
func unbase64(out, text []byte) []byte {
	for len(text) >= 4 {
		n := uint32(sextets[text[0]])<<18 | uint32(sextets[text[1]])<<12 | uint32(sextets[text[2]])<<6 | uint32(sextets[text[3]])
		out = append(out, byte(n>>16), byte(n>>8), byte(n))
		text = text[4:]
	}
	if len(text) >= 2 {
		out = append(out, sextets[text[0]]<<2|sextets[text[1]]>>4)
	}
	if len(text) == 3 {
		out = append(out, sextets[text[1]]<<4|sextets[text[2]]>>2)
	}
	return out
}

// standsForText reports whether base64 digits stand for something that has
// ASCII in it: three groups in a row, or all there are. Three ASCII bytes leave
// three bits of a group clear that are set as often in anything else. whole
// tells whether it is nothing but ASCII.
func standsForText(digits []byte) (text, whole bool) {
	want, row, longest := min(3, len(digits)/4), 0, 0
	whole = true
	for ; len(digits) >= 4; digits = digits[4:] {
		row++
		if sextets[digits[0]]&0x20|sextets[digits[1]]&0x08|sextets[digits[2]]&0x02 != 0 {
			row, whole = 0, false
		}
		longest = max(longest, row)
	}
	return longest >= want, whole
}

// The first bytes of a gzip member (RFC 1952, 2.3.1) and, as everybody writes
// it, of a zlib stream (RFC 1950, 2.2): DEFLATE with a window of 32 KB.
const (
	gzipMagic = 0x1f
	zlibMagic = 0x78
)

// compression names the format of the stream that begins text, and tells where
// in it the DEFLATE data begins. The name is empty if there is no stream.
func compression(text []byte) (name string, at int) {
	switch {
	case len(text) < 8:
	case text[0] == gzipMagic && text[1] == 0x8b && text[2] == 8:
		return "gzip", gzipHeader(text)
	case text[0] == zlibMagic && (zlibMagic<<8|uint(text[1]))%31 == 0 && text[1]&0x20 == 0:
		return "zlib", 2
	}
	return "", 0
}

// gzipHeader is the length of a gzip member's header (RFC 1952, 2.3).
func gzipHeader(text []byte) int {
	const (
		headerCheck = 1 << (1 + iota)
		extra
		name
		comment
	)
	if len(text) < 10 {
		return len(text)
	}
	flags, at := text[3], 10
	if flags&extra != 0 && len(text) >= at+2 {
		at += 2 + int(text[at]) + int(text[at+1])<<8
	}
	for _, flag := range [...]byte{name, comment} {
		if flags&flag == 0 {
			continue
		}
		for at < len(text) && text[at] != 0 {
			at++
		}
		at++
	}
	if flags&headerCheck != 0 {
		at += 2
	}
	return min(at, len(text))
}
