package leak

import (
	"unicode"
	"unicode/utf8"
)

// What a byte is to the reader of words.
const (
	hexSmall = 1 << iota // a-f
	small                // g-z
	hexLarge             // A-F
	large                // G-Z
	figure               // 0-9
	wide                 // beyond ASCII
	joint                // + / - _, which base64 has too
	escape               // % and \
	control              // what no text has
	other

	inWord = hexSmall | small | hexLarge | large | figure | wide
)

var classes = func() (of [256]uint16) {
	for i := range of {
		switch c := byte(i); {
		case c >= 'a' && c <= 'f':
			of[i] = hexSmall
		case c >= 'g' && c <= 'z':
			of[i] = small
		case c >= 'A' && c <= 'F':
			of[i] = hexLarge
		case c >= 'G' && c <= 'Z':
			of[i] = large
		case c >= '0' && c <= '9':
			of[i] = figure
		case c >= utf8.RuneSelf:
			of[i] = wide
		case c == '+' || c == '/' || c == '-' || c == '_':
			of[i] = joint
		case c == '%' || c == '\\':
			of[i] = escape
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			of[i] = control
		default:
			of[i] = other
		}
	}
	return of
}()

// A reader cuts a text into words: runs of letters and digits, whatever stands
// between them, so that /breast-lump, breast+lump and "Breast lump" are the
// same two words. Words are compared by a hash in which neither case nor the
// accents of Latin letters count.
type reader struct {
	text []byte
	at   int

	// The word that was read last.
	start, end int
	hash       uint64
	classes    uint16 // of its bytes
	gap        uint16 // classes of the bytes before it
}

// FNV-1a (RFC 9923) of 64 bits: so many that two words of one hash do not come.
const (
	hashStart = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// next reads the next word. At the end of the text there is none, and gap
// tells what stands behind the last one.
func (r *reader) next() bool {
	text, i := r.text, r.at
	gap, in := uint16(0), uint16(0)
	start, hash := i, uint64(hashStart)
	for i < len(text) {
		c := text[i]
		class := classes[c]
		letter, size := rune(c|0x20), 1 // no case: digits have this bit
		if class == wide {
			if letter, size = fold(text[i:]); letter == ' ' {
				class = other
			}
		}
		if class&inWord == 0 {
			if in != 0 {
				break
			}
			gap |= class
			i += size
			start = i
			continue
		}
		in |= class
		if letter != 0 {
			hash = (hash ^ uint64(letter)) * hashPrime
		}
		i += size
	}
	r.at, r.start, r.end, r.hash, r.classes, r.gap = i, start, i, hash, in, gap
	return in != 0
}

// fold reads a character beyond ASCII and takes case and Latin accents away
// from it. It returns ' ' for what stands between words and 0 for an accent by
// itself. A byte that is not UTF-8 is read as Latin-1, as old scripts send it.
func fold(text []byte) (letter rune, size int) {
	letter, size = utf8.DecodeRune(text)
	if letter == utf8.RuneError && size <= 1 {
		letter = rune(text[0])
	}
	switch {
	case letter >= 0xc0 && int(letter) < 0xc0+len(unaccented):
		letter = rune(unaccented[letter-0xc0])
	case letter < 0xc0, // Latin-1's controls and signs
		letter >= 0x2000 && letter < 0x2070, // punctuation
		letter >= 0x3000 && letter < 0x3004,
		letter == utf8.RuneError:
		letter = ' '
	case letter >= 0x300 && letter < 0x370: // combining accents
		letter = 0
	default:
		letter = unicode.ToLower(letter)
	}
	return letter, size
}

// unaccented has the letters of U+00C0 to U+017F. Of those that stand for two
// it has the first, as long as both sides are read alike.
const unaccented = "aaaaaaaceeeeiiiidnooooo ouuuuypsaaaaaaaceeeeiiiidnooooo ouuuuypy" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll" +
	"nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
