package leak

import "bytes"

const (
	maxText  = 1 << 20 // bytes looked at of a body, and of what unpacks from it
	maxDepth = 8       // encodings inside each other
	maxWork  = 8 << 20 // bytes read in all, decoded ones included
	maxGap   = 8       // bytes between two words that follow each other
	maxShown = 100     // bytes of Finding.Text
	maxField = 60      // bytes of Finding.Field
)

// search is what Find works with. It is kept from one request to the next.
type search struct {
	buffers  [maxDepth][]byte // of the texts decoded from those one level above
	frames   [maxDepth + 2]frame
	inflater inflater
	work     int
	place    Place
	best     Finding
	found    bool
	alone    int16 // the first word that was all of a field's value
}

// A frame is a text that is being read, with the encoding that was taken from
// it and where in the text above it stands.
type frame struct {
	text     []byte
	encoding string
	at       int // in the text of the frame above
}

// Find tells what a request carries of the page.
func (p *Page) Find(url, body, referer []byte) (Finding, bool) {
	if !p.known {
		p.learn()
	}
	p.found, p.alone = false, 0
	p.work = min(maxWork, 256<<10+16*(len(url)+len(body)+len(referer)))
	a := cut(url)
	p.place = URL
	p.read1(a.path, true)
	p.read1(a.query, false)
	p.place = Body
	p.read1(body, false)
	p.place = Referer
	p.read1(referer, false)
	if !p.found {
		return Finding{}, false
	}
	return p.best, true
}

func (p *Page) read1(text []byte, asset bool) {
	if len(text) == 0 {
		return
	}
	text = text[:min(len(text), maxText)]
	p.frames[0] = frame{text: text}
	p.examine(0, asset)
	if p.place == Body {
		if name, _ := compression(text); name == "" && !printable(text) {
			p.inflate(0, 0, "deflate", text)
		}
	}
}

// A run are words of a text that follow each other as they do in the address.
type run struct {
	needle int16 // the last one
	length int16 // in words
	start  int   // in the text
}

// examine reads the text of the frame at depth.
func (p *Page) examine(depth int, asset bool) {
	text := p.frames[depth].text
	if p.work -= len(text); p.work < 0 || p.found && p.best.What == Address {
		return
	}
	r := reader{text: text}
	var old, runs [maxAlike]run
	count := 0
	var seen uint16           // classes of all separators
	first, in := 0, uint16(0) // of the run of base64 characters
	end := 0                  // of the last word
	for {
		more := r.next()
		seen |= r.gap
		if !more || r.gap&^joint != 0 {
			if end-first >= 8 && in&(hexSmall|small) != 0 && in&(hexLarge|large) != 0 && in&wide == 0 {
				p.base64(depth, first, end)
			}
			first, in = r.start, 0
		}
		if !more {
			break
		}
		in |= r.classes
		if r.start-end > maxGap {
			count = 0
		}
		end = r.end
		if r.classes&^(figure|hexSmall|hexLarge) == 0 && r.end-r.start >= 16 && p.hexadecimal(depth, r.start, r.end) {
			count = 0
			continue
		}
		n := p.placeOf(r.hash)
		if n == 0 {
			count = 0
			continue
		}
		was := count
		copy(old[:], runs[:was])
		count = 0
		for ; n != 0 && count < maxAlike; n = p.words[n-1].alike {
			now := run{needle: n, length: 1, start: r.start}
			for _, o := range old[:was] {
				if o.needle == n-1 {
					now.length, now.start = o.length+1, o.start
				}
			}
			runs[count] = now
			count++
			p.judge(depth, now, r.start, r.end, asset)
		}
	}
	if seen&escape != 0 && depth < maxDepth {
		out, percent, backslash := unescape(p.buffers[depth][:0], text)
		p.buffers[depth] = out
		if percent || backslash {
			name := "percent"
			if !percent {
				name = "escapes"
			}
			p.enter(depth, 0, name, out, asset)
		}
	}
	if seen&control != 0 {
		p.unpack(depth)
	}
}

// enter examines a text that was decoded from the one at depth.
func (p *Page) enter(depth, at int, encoding string, text []byte, asset bool) {
	p.frames[depth+1] = frame{text, encoding, at}
	p.examine(depth+1, asset)
}

// base64 examines what text[first:end] of the frame at depth stands for.
func (p *Page) base64(depth, first, end int) {
	text := p.frames[depth].text
	for first > 0 && classes[text[first-1]] == joint {
		first--
	}
	for end < len(text) && classes[text[end]] == joint {
		end++
	}
	if depth == maxDepth {
		return
	}
	coded := text[first:end]
	p.digest64(depth, first, end)
	for shift := range min(4, len(coded)-6) {
		if p.work < 0 || !looksLikeBase64(coded[shift:]) {
			continue
		}
		p.buffers[depth] = unbase64(p.buffers[depth][:0], coded[shift:])
		p.enter(depth, first+shift, "base64", p.buffers[depth], false)
	}
	if len(coded) < 20 || depth+1 >= maxDepth {
		return
	}
	var head [12]byte
	if name, _ := compression(unbase64(head[:0], coded[:16])); name != "" || len(coded) >= 64 && !looksLikeBase64(coded) {
		p.buffers[depth] = unbase64(p.buffers[depth][:0], coded)
		p.frames[depth+1] = frame{p.buffers[depth], "base64", first}
		p.work -= len(coded)
		if name == "" {
			p.inflate(depth+1, 0, "deflate", p.buffers[depth])
			return
		}
		p.unpack(depth + 1)
	}
}

// unpack examines the streams of gzip and zlib in the frame at depth.
func (p *Page) unpack(depth int) {
	text := p.frames[depth].text
	for i, left := 0, 16; i < len(text) && left > 0; i++ {
		if c := text[i]; c != 0x1f && c != 0x78 {
			continue
		}
		name, at := compression(text[i:])
		if name == "" {
			continue
		}
		left--
		p.inflate(depth, i, name, text[i+at:])
	}
}

func (p *Page) inflate(depth, at int, name string, stream []byte) {
	if depth == maxDepth || p.work < 0 {
		return
	}
	p.work -= 1 << 10
	p.buffers[depth], _ = p.inflater.inflate(p.buffers[depth][:0], stream, min(maxText, max(p.work, 0)))
	p.work -= len(p.buffers[depth])
	if len(p.buffers[depth]) >= 8 {
		p.enter(depth, at, name, p.buffers[depth], false)
	}
}

// printable tells whether the beginning of text looks like text.
func printable(text []byte) bool {
	odd := 0
	head := text[:min(len(text), 64)]
	for _, c := range head {
		if classes[c]&(control|wide) != 0 {
			odd++
		}
	}
	return odd*4 <= len(head)
}

// judge decides whether the words that follow each other as in the address,
// the last of them at text[at:end], say enough.
func (p *Page) judge(depth int, r run, at, end int, asset bool) {
	last := int(r.needle) - 1
	first := last - int(r.length) + 1
	if last < p.path.first {
		return // nothing but the host
	}
	text := p.frames[depth].text
	n, weight := p.weight(first, last+1, p.path)
	all, _ := p.weight(0, len(p.words), p.path)
	hosted := first < p.path.first && first <= max(p.host.first, p.host.end-2)
	whole := n == all
	if all == 0 {
		m, _ := p.weight(first, last+1, p.rest)
		all, _ = p.weight(0, len(p.words), p.rest)
		whole = m == all
	}
	switch {
	case all > 0 && whole && hosted:
		p.hit(Address, depth, r.start, end)
	case n == 0:
	case asset:
		if whole && n >= 2 && weight >= 5 {
			p.hit(Path, depth, r.start, end)
		}
	case n >= 2 && weight >= 4,
		whole && weight >= 2 && first <= p.path.first && last >= p.path.end-1 && isolated(text, r.start, end),
		first == last && weight >= 2 && isolated(text, at, end) && (weight >= 3 || p.second(r.needle)):
		p.hit(Path, depth, r.start, end)
	}
	if asset {
		return
	}
	for _, part := range p.parts {
		if first > part.first || last < part.first || last >= part.end {
			continue
		}
		n, weight := p.weight(first, last+1, part)
		all, _ := p.weight(0, len(p.words), part)
		start := r.start
		if last == part.first {
			start = at
		}
		switch {
		case n == 0 || n < all:
		case n >= 2 && weight >= 4:
			p.hit(part.what, depth, r.start, end)
		case isolated(text, start, end) && (weight >= 3 || related(field(text, start), part.name) || weight >= 2 && p.second(r.needle)):
			p.hit(part.what, depth, start, end)
		}
	}
}

// second tells whether a word is the second one of the address that is all of
// a field's value.
func (p *Page) second(needle int16) bool {
	if p.alone == 0 {
		p.alone = needle
	}
	return p.words[p.alone-1].hash != p.words[needle-1].hash
}

// weight adds up the needles of a part between first and end.
func (p *Page) weight(first, end int, of part) (words, weight int) {
	for _, w := range p.words[max(first, of.first):max(min(end, of.end), max(first, of.first))] {
		if w.weight > 0 {
			words++
			weight += int(w.weight)
		}
	}
	return words, weight
}

// isolated tells whether text[start:end] is all of a field's value, but for
// slashes around it.
func isolated(text []byte, start, end int) bool {
	for start > 0 && (text[start-1] == '/' || text[start-1] == ' ') {
		start--
	}
	for end < len(text) && (text[end] == '/' || text[end] == ' ') {
		end++
	}
	return (start == 0 || bytes.IndexByte([]byte("=\"',:;[|"), text[start-1]) >= 0) &&
		(end == len(text) || bytes.IndexByte([]byte("&\"',:;]|\n}"), text[end]) >= 0)
}

// field is the name under which text has what stands at the offset at.
func field(text []byte, at int) []byte {
	low := max(0, at-300)
	for i := at - 1; i >= low; i-- {
		switch text[i] {
		case '"', '[':
			j := i - 1
			for j > low && (text[j] == ' ' || text[j] == '\\') {
				j--
			}
			if j > low && text[j] == ':' {
				name := bytes.TrimRight(text[low:j], "\\\" ")
				return name[bytes.LastIndexByte(name, '"')+1:]
			}
		case '&', '?', '\n', ';':
			name, _, ok := bytes.Cut(text[i+1:at], []byte("="))
			if ok {
				return name
			}
			return nil
		}
	}
	if low == 0 {
		name, _, ok := bytes.Cut(text[:at], []byte("="))
		if ok {
			return name
		}
	}
	return nil
}

func related(a, b []byte) bool {
	if len(a) < 3 || len(b) < 3 {
		return false
	}
	x, y := letters(a), letters(b)
	return bytes.Contains(x, y) || bytes.Contains(y, x)
}

func letters(name []byte) []byte {
	var out []byte
	for _, c := range name {
		if classes[c]&inWord != 0 {
			out = append(out, c|0x20)
		}
	}
	return out
}

// hit notes a finding, if it is better than the one before.
func (p *Page) hit(what What, depth, start, end int) {
	text := p.frames[depth].text
	if p.found && (p.best.What < what || p.best.What == what && !bytes.HasPrefix(text[start:end], []byte(p.best.Text))) {
		return
	}
	p.found = true
	p.best = Finding{
		What: what, Place: p.place, Encoding: p.encoding(depth),
		Text: string(text[start:min(end, start+maxShown)]),
	}
	for at := start; ; depth-- {
		if name := field(p.frames[depth].text, at); len(name) > 0 {
			p.best.Field = string(name[:min(len(name), maxField)])
			break
		}
		if depth == 0 {
			break
		}
		at = p.frames[depth].at
	}
}

// encoding names the encodings above depth from the inside out.
func (p *Page) encoding(depth int) string {
	if depth == 0 {
		return "plain"
	}
	name := ""
	for ; depth > 0; depth-- {
		if name != "" {
			name += " in "
			if t := p.frames[depth].text; t[0] == '{' || t[0] == '[' {
				name += "JSON in "
			}
		}
		name += p.frames[depth].encoding
	}
	return name
}
