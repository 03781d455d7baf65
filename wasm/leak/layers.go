package leak

import (
	"bytes"
	"unicode/utf8"
)

// Less than this holds no word that would count.
const (
	minText   = 5
	minBase64 = 7
	minHex    = 10
)

const (
	maxGap     = 8  // bytes between words that follow each other
	maxStreams = 16 // compressed streams in one text
)

// A search is what Find works with. It is kept from one request to the next.
type search struct {
	frames   [maxDepth + 2]frame
	buffers  [maxDepth][]byte // of the texts one layer below
	inflater inflater
	work     int // bytes that may still be read

	place Place
	best  Finding
	found bool
	alone int16 // the first word that was all of a field, plus one
}

// A frame is a text in which words are looked for. All but the outermost were
// unwrapped from the text of the frame before.
type frame struct {
	text     []byte
	encoding string
	at       int // where it was in the text before
}

// begin prepares for a request of so many bytes.
func (s *search) begin(size int) {
	s.best, s.found, s.alone = Finding{}, false, 0
	s.work = min(maxWork, 256<<10+16*size)
}

// look looks into a piece of the request. file says that it is the path of a
// URL, which is judged more strictly.
func (p *Page) look(place Place, text []byte, file bool) {
	if len(text) > 0 {
		p.place = place
		p.frames[0] = frame{text: text}
		p.examine(0, file)
	}
}

// lookAtURL looks into a URL. Behind the first ; or = its path is fields too.
func (p *Page) lookAtURL(url []byte) {
	a := cut(url)
	end := a.path
	for end < a.query && url[end] != ';' && url[end] != '=' {
		end++
	}
	for i, piece := range [...][]byte{url[a.path:end], url[end:a.query], url[a.query:a.fragment]} {
		p.look(URL, piece, i == 0)
	}
}

// enter looks into out, which was unwrapped from the text at depth.
func (p *Page) enter(depth, at int, encoding string, out []byte, file bool) {
	p.buffers[depth] = out
	p.frames[depth+1] = frame{out, encoding, at}
	p.examine(depth+1, file)
}

// examine looks for words in the text at depth and unwraps what is in it.
func (p *Page) examine(depth int, file bool) {
	text := p.frames[depth].text
	if p.work -= len(text); p.work < 0 || p.found && p.best.What == Address {
		return
	}
	if depth < maxDepth {
		if depth > 0 || p.place == Body {
			p.unpack(depth)
		}
		if bytes.IndexByte(text, '%') >= 0 || bytes.IndexByte(text, '\\') >= 0 {
			out, percent, backslash := unescape(p.buffers[depth][:0], text)
			switch p.buffers[depth] = out; {
			case percent:
				p.enter(depth, 0, "percent", out, file)
				return
			case backslash:
				p.enter(depth, 0, "escapes", out, file)
				return
			}
		}
	}
	p.readWords(depth, file)
}

// readWords finds the runs of words that are in the address, and the runs of
// digits that may stand for a text.
func (p *Page) readWords(depth int, file bool) {
	r := reader{text: p.frames[depth].text}
	var rooms [2][maxAlike]run
	var before []run // those that end with the last word
	turn := 0
	digits, end, in := 0, 0, uint8(0)
	for {
		more := r.next()
		if !more || r.gap&^joint != 0 {
			if end-digits >= minBase64 && in&wide == 0 && in&(hexSmall|small) != 0 && in&(hexLarge|large) != 0 {
				p.base64(depth, digits, end)
			}
			digits, in = r.start, 0
		}
		if !more {
			return
		}
		if r.start-end > maxGap {
			before = nil
		}
		in |= r.classes
		end = r.end
		word := r.text[r.start:r.end]
		if r.classes&^hexadecimal == 0 && len(word) >= minHex {
			p.hex(depth, r.start, r.end)
		}
		var place int16
		if r.classes&wide != 0 || p.sieve[sieveSlot(word)] {
			place = p.find(hash(word, r.classes))
		}
		if place == 0 {
			before = nil
			continue
		}
		now := rooms[turn][:0]
		for ; place != 0; place = p.words[place-1].alike {
			new := run{last: place, length: 1, start: r.start, value: r.start}
			for _, old := range before {
				if old.last == place-1 {
					new.length, new.start = old.length+1, old.start
					if !p.words[place-1].opens {
						new.value = old.value
					}
				}
			}
			now = append(now, new)
			p.judge(depth, new, r.start, r.end, file)
		}
		before = now
		turn = 1 - turn
	}
}

// base64 looks into what the digits from start to end stand for. A text may
// begin at any of them, since what stands before it may be digits too.
func (p *Page) base64(depth, start, end int) {
	if depth == maxDepth {
		return
	}
	text := p.frames[depth].text
	for end < len(text) && classes[text[end]] == joint {
		end++
	}
	if n := end - start; n >= 21 && n <= 43 {
		p.digestInBase64(depth, start, end)
	}
	for shift := range min(4, end-start-minBase64+1) {
		digits := text[start+shift : end]
		some, whole := standsForText(digits)
		if p.work < 0 || !some && shift > 0 {
			continue
		}
		out := unbase64(p.buffers[depth][:0], digits)
		if some || isText(out) {
			p.enter(depth, start+shift, "base64", out, false)
		} else if depth+1 < maxDepth { // nothing to read, but it may be compressed
			p.buffers[depth] = out
			p.frames[depth+1] = frame{out, "base64", start}
			p.unpack(depth + 1)
		}
		if whole {
			break
		}
	}
}

// hex looks into what the hexadecimal digits from start to end stand for: a
// digest, or a text.
func (p *Page) hex(depth, start, end int) {
	if depth == maxDepth || (end-start)%2 != 0 {
		return
	}
	out := unhex(p.buffers[depth][:0], p.frames[depth].text[start:end])
	p.buffers[depth] = out
	if !p.digest(depth, start, "", out) && isText(out) {
		p.enter(depth, start, "hex", out, false)
	}
}

// unpack looks into the compressed streams in the text at depth. They may
// begin anywhere: error reporters put one behind lines of JSON.
func (p *Page) unpack(depth int) {
	text := p.frames[depth].text
	streams := 0
	for _, magic := range [...]byte{gzipMagic, zlibMagic} {
		for i := 0; streams < maxStreams; i++ {
			n := bytes.IndexByte(text[i:], magic)
			if n < 0 {
				break
			}
			i += n
			if name, header := compression(text[i:]); name != "" {
				streams++
				p.inflate(depth, i, name, text[i+header:])
			}
		}
	}
	if name, _ := compression(text); name == "" && !isText(text) {
		p.inflate(depth, 0, "deflate", text)
	}
}

// inflate looks into a stream of DEFLATE that is at the offset at of the text
// at depth.
func (p *Page) inflate(depth, at int, encoding string, stream []byte) {
	const attempt = 1 << 10 // what it costs if nothing comes of it
	if p.work -= attempt; p.work < 0 {
		return
	}
	out, _ := p.inflater.inflate(p.buffers[depth][:0], stream, min(maxText, p.work/2))
	p.buffers[depth] = out
	if p.work -= len(out); len(out) >= minText {
		p.enter(depth, at, encoding, out, false)
	}
}

// isText reports whether text begins as UTF-8 does, without anything that no
// text has.
func isText(text []byte) bool {
	for i := 0; i < min(len(text), 64); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		if c == utf8.RuneError || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
		i += size
	}
	return true
}

// lookAtReferer looks into a Referer. That of another page of the site is a
// leak too: the top document's address may have changed since.
func (p *Page) lookAtReferer(referer []byte) {
	if p.telling {
		p.look(Referer, referer, false)
	}
	here, there := cut(p.address), cut(referer)
	if p.found || there.host == there.path ||
		!bytes.Equal(p.address[here.host:here.path], referer[there.host:there.path]) {
		return
	}
	r := reader{text: referer, end: there.path}
	for r.next() {
		if weigh(appendFolded(nil, referer[r.start:r.end]), r.classes) > 0 {
			p.place = Referer
			p.frames[0] = frame{text: referer}
			p.hit(Address, 0, 0, 0, len(referer))
			return
		}
	}
}

// hit notes text[start:end] of the frame at depth, unless one that says more is
// noted already. Its field is that of the word at the offset at.
func (p *Page) hit(what What, depth, start, at, end int) {
	text := p.frames[depth].text[start:end]
	if len(text) > maxShown {
		end = maxShown
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	if p.found && (p.best.What < what || p.best.What == what && len(p.best.Text) >= len(text)) {
		return
	}
	p.found = true
	p.best = Finding{
		What: what, Place: p.place, Encoding: p.encoding(depth, start, len(text)),
		Text: string(text), Field: string(p.field(depth, at)),
	}
}

// encoding names the layers around what stands at the offset at of the text at
// depth. Escapes are no layer of what had none.
func (p *Page) encoding(depth, at, size int) string {
	name, last, twice := "", "", false
	for ; depth > 0; depth-- {
		f := &p.frames[depth]
		if f.encoding == "percent" || f.encoding == "escapes" {
			around := p.frames[depth-1].text[at:] // escapes only make a text longer
			if i := index(around, f.text[at:min(at+size, len(f.text))]); i >= 0 {
				at += i
				continue
			}
		}
		switch {
		case name == "":
			name = f.encoding
		case f.encoding == "percent" && last == "percent":
			if !twice { // or more often
				name += " twice"
			}
			twice = true
		default:
			if len(f.text) > 0 && (f.text[0] == '{' || f.text[0] == '[') {
				name += " in JSON"
			}
			name += " in " + f.encoding
			twice = false
		}
		last = f.encoding
		at, size = f.at, maxShown
	}
	if name == "" {
		return "plain"
	}
	return name
}
