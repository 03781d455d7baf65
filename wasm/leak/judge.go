package leak

import (
	"bytes"
	"strings"
)

// The rules say when words of the page in a request are a leak. They were
// found by reading what they catch among 27,969 requests of real pages, see
// testdata/judged.tsv.
//
//   - The host and all of the path, nothing behind it: the address. If the path
//     has common words only, the parameters must be there too.
//   - Two words of the path that follow each other there too, in a field (a
//     URL's parameter, or anywhere in a body): titles and breadcrumbs are made
//     of them. In the path of a URL nothing counts but the address: the site's
//     own files on a CDN have such names.
//   - A single word of the path is a leak if it is all of a field and a long
//     word, an identifier, or all of the path; or if another field is another
//     word of the address: specialty=urology&city=berlin.
//   - The value of a parameter is one if it has two words, or if it is all of a
//     field and no short word. A short one must be in a field of a like name:
//     insurance=pkv in insuranceSector=pkv.
const (
	someWeight = 2 // a word of five letters
	muchWeight = 3 // one of seven, an identifier of eight, a number of six figures
	twoWeights = 3 // two words, one of which has five letters
)

// maxBefore is how many bytes before a value its name is looked for.
const maxBefore = 400

// A run are words of a text that follow each other as they do in the address.
type run struct {
	last   int16 // the last of them, plus one
	length int16 // in words
	start  int   // in the text
	value  int   // where in the text the path or value begins that the last one is of
}

// judge decides whether a run that ends with the word text[at:end] says
// enough, and notes it.
func (p *Page) judge(depth int, r run, at, end int, file bool) {
	first, last := r.last-r.length, r.last-1
	if last < p.path.first {
		return // it is of the host alone
	}
	text := p.frames[depth].text
	p.judgePath(depth, r, at, end, file)
	if file {
		return
	}
	for _, part := range p.parts {
		if last < part.first || last >= part.end || first > part.first {
			continue
		}
		words, weight := p.sum(part.span, first, last)
		if all, _ := p.sum(part.span, part.first, part.end); words == 0 || words < all {
			continue
		}
		if words >= 2 && weight >= twoWeights ||
			isolated(text, r.value, end) && (weight >= someWeight || p.under(part.name, depth, r.value)) {
			p.hit(part.what, depth, r.value, at, end)
		}
	}
}

// judgePath is judge for what a run has of the path.
func (p *Page) judgePath(depth int, r run, at, end int, file bool) {
	first, last := r.last-r.length, r.last-1
	text := p.frames[depth].text
	words, weight := p.sum(p.path, first, last)
	all, _ := p.sum(p.path, 0, maxWords)
	whole := words == all && (last >= p.path.end || last == p.path.end-1 && !goesOn(text[end:]))
	if all == 0 {
		told, _ := p.sum(p.rest, first, last)
		all, _ = p.sum(p.rest, 0, maxWords)
		whole = told == all
	}
	hosted := first < p.path.first && first <= p.bare
	switch {
	case hosted && whole:
		p.hit(Address, depth, r.start, r.start, end)
	case words == 0 || file:
	case words >= 2 && weight >= twoWeights,
		weight >= someWeight && hosted,
		weight >= someWeight && words == all && first <= p.path.first && last >= p.path.end-1 && isolated(text, r.value, end),
		first == last && weight >= someWeight && isolated(text, at, end) && (weight >= muchWeight || p.second(last)):
		p.hit(Path, depth, r.start, at, end)
	}
}

// second reports whether a word, which is all of a field, is another one than
// that in the field before.
func (p *Page) second(word int16) bool {
	if p.alone == 0 {
		p.alone = word + 1
	}
	return p.words[p.alone-1].hash != p.words[word].hash
}

// goesOn reports whether a path goes on with rest.
func goesOn(rest []byte) bool {
	if len(rest) < 2 || classes[rest[1]]&inWord == 0 {
		return false
	}
	return classes[rest[0]] == joint || rest[0] == '.'
}

// isolated reports whether text[start:end] is all of a field's value, but for
// slashes and spaces around it.
func isolated(text []byte, start, end int) bool {
	for start > 0 && (text[start-1] == '/' || text[start-1] == ' ') {
		start--
	}
	for end < len(text) && (text[end] == '/' || text[end] == ' ') {
		end++
	}
	return (start == 0 || strings.IndexByte("=\"',:;[|\n", text[start-1]) >= 0) &&
		(end == len(text) || strings.IndexByte("&\"',:;]}|\n\r", text[end]) >= 0)
}

// field is the name under which the text at depth, or else one around it, has
// what stands at the offset at.
func (p *Page) field(depth, at int) []byte {
	for ; ; depth-- {
		f := &p.frames[depth]
		if name := fieldName(f.text, at); len(name) > 0 || depth == 0 {
			return name[:min(len(name), maxField)]
		}
		at = f.at
	}
}

// under reports whether one of these names is like that of a parameter.
func (p *Page) under(name []byte, depth, at int) bool {
	for ; p.work >= 0; depth-- {
		p.work -= maxBefore
		f := &p.frames[depth]
		if alike(fieldName(f.text, at), name) {
			return true
		}
		if depth == 0 {
			return false
		}
		at = f.at
	}
	return false
}

// fieldName is the name under which text has what stands at the offset at: the
// key of a JSON value, the name of a parameter or that of a part of a form
// (RFC 7578).
func fieldName(text []byte, at int) []byte {
	const partHead = "\"\r\n\r\n"
	low := max(0, at-maxBefore)
	i := at - 1
	for ; i >= low; i-- {
		switch text[i] {
		case '"', '[':
			end := i
			for end > low && text[end-1] == ' ' {
				end--
			}
			if end > low && text[end-1] == ':' {
				return nameBefore(text[low : end-1])
			}
			continue
		case '\n':
			if head := text[low : i+1]; bytes.HasSuffix(head, []byte(partHead)) {
				return nameBefore(head[:len(head)-len(partHead)+1])
			}
		case '&', '?', ';':
		default:
			continue
		}
		break
	}
	if i < low && low > 0 {
		return nil
	}
	value := text[i+1 : at]
	end := before(value, '=')
	if end == len(value) {
		return nil
	}
	return nameBefore(value[:end])
}

// nameBefore is the name that stands at the end of text, in quotes or not.
func nameBefore(text []byte) []byte {
	end := len(text)
	for end > 0 && (text[end-1] == ' ' || text[end-1] == '"') {
		end--
	}
	start := end
	for start > 0 && text[start-1] > ' ' && text[start-1] < 0x7f && strings.IndexByte("\"{},:=", text[start-1]) < 0 {
		start--
	}
	return text[start:end]
}

// alike reports whether one of two names has the other in it, whatever their
// case and signs: insuranceSector and insurance_sector, motiveKey and motive.
func alike(a, b []byte) bool {
	var rooms [2][maxField]byte
	long, short := letters(rooms[0][:0], a), letters(rooms[1][:0], b)
	if len(long) < len(short) {
		long, short = short, long
	}
	return len(short) >= 3 && index(long, short) >= 0
}

func letters(out, name []byte) []byte {
	for _, c := range name[:min(len(name), maxField)] {
		if classes[c]&inWord != 0 {
			out = append(out, c|0x20)
		}
	}
	return out
}

// index is bytes.Index, in less code.
func index(text, piece []byte) int {
	for i := 0; i+len(piece) <= len(text); i++ {
		if bytes.HasPrefix(text[i:], piece) {
			return i
		}
	}
	return -1
}
