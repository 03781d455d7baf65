package leak

import "unicode/utf8"

// What a byte is to a reader of words.
const (
	hexSmall = 1 << iota // a-f
	small                // g-z
	hexLarge             // A-F
	large                // G-Z
	figure               // 0-9
	wide                 // beyond ASCII
	joint                // + / - _, which base64 has too
	other

	hexadecimal = figure | hexSmall | hexLarge
	inWord      = hexadecimal | small | large | wide
)

var classes = func() (of [256]uint8) {
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
		default:
			of[i] = other
		}
	}
	return of
}()

// A reader cuts a text into words: runs of letters and digits, whatever stands
// between them, so that /breast-lump, breast+lump and "Breast lump" are the
// same two words.
type reader struct {
	text []byte

	// The word that was read last.
	start, end int
	classes    uint8 // of its bytes
	gap        uint8 // classes of the bytes before it
}

// next reads the next word. At the end of the text there is none, and gap
// tells what stands behind the last one.
func (r *reader) next() bool {
	text, i := r.text, r.end
	gap, in := uint8(0), uint8(0)
	for i < len(text) && classes[text[i]]&inWord == 0 {
		gap |= classes[text[i]]
		i++
	}
	start := i
	for i < len(text) {
		class := classes[text[i]]
		if class&inWord == 0 {
			break
		}
		if class != wide {
			in |= class
			i++
			continue
		}
		letter, size := fold(text[i:])
		switch {
		case letter != ' ':
			in |= wide
			i += size
		case in != 0:
			r.start, r.end, r.classes, r.gap = start, i, in, gap
			return true
		default: // another one of what stands between words
			gap |= other
			for i += size; i < len(text) && classes[text[i]]&inWord == 0; i++ {
				gap |= classes[text[i]]
			}
			start = i
		}
	}
	r.start, r.end, r.classes, r.gap = start, i, in, gap
	return in != 0
}

// fold reads a character beyond ASCII and takes its case and Latin accents
// away. It returns ' ' for what stands between words, and 0 for an accent by
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
	case letter >= 0x391 && letter < 0x3aa, letter >= 0x410 && letter < 0x430: // Greek, Cyrillic
		letter += 0x20
	}
	return letter, size
}

// unaccented has the letters of U+00C0 to U+017F. Of those that stand for two
// it has the first, which is enough as long as both sides are read alike.
const unaccented = "aaaaaaaceeeeiiiidnooooo ouuuuypsaaaaaaaceeeeiiiidnooooo ouuuuypy" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll" +
	"nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

// appendFolded appends a word to out as words are compared: in lower case,
// Latin letters without accents.
func appendFolded(out, word []byte) []byte {
	for i := 0; i < len(word); {
		if word[i] < utf8.RuneSelf {
			out = append(out, word[i]|0x20) // digits have this bit anyway
			i++
			continue
		}
		letter, size := fold(word[i:])
		if letter != 0 {
			out = utf8.AppendRune(out, letter)
		}
		i += size
	}
	return out
}

// hash is FNV-1a (RFC 9923) of a folded word; the word is folded on the way.
// It has 64 bits, so that two words are never taken for each other.
func hash(word []byte, in uint8) uint64 {
	const prime = 0x100000001b3
	h := uint64(0xcbf29ce484222325)
	if in&wide == 0 {
		for _, c := range word {
			h = (h ^ uint64(c|0x20)) * prime
		}
		return h
	}
	for i := 0; i < len(word); {
		letter, size := rune(word[i]|0x20), 1
		if word[i] >= utf8.RuneSelf {
			letter, size = fold(word[i:])
		}
		if letter != 0 {
			h = (h ^ uint64(letter)) * prime
		}
		i += size
	}
	return h
}
