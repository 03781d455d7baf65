package leak

import "bytes"

// imprints are the digests of the page's address in the forms in which it is
// digested: in full, without fragment, without query, from the host on, from
// the path on; each as it is and with or without the slash at the end of its
// path.
func (p *Page) imprints() []imprint {
	if len(p.digests) > 0 {
		return p.digests
	}
	a := cut(p.address)
	_, weight := p.weight(0, len(p.words), part{first: p.path.first, end: len(p.words)})
	if weight == 0 {
		return nil // an origin is no secret
	}
	origin := bytes.Join([][]byte{a.scheme, a.host}, []byte("://"))
	www := bytes.TrimPrefix(a.host, []byte("www."))
	paths := [][]byte{a.path}
	if trimmed := bytes.TrimRight(a.path, "/"); len(trimmed) < len(a.path) {
		paths = append(paths, trimmed)
	} else {
		paths = append(paths, bytes.Join([][]byte{a.path, {'/'}}, nil))
	}
	for _, path := range paths {
		tails := [][]byte{path}
		if len(a.query) > 0 {
			tails = append(tails, bytes.Join([][]byte{path, a.query}, []byte("?")))
		}
		if len(a.fragment) > 0 {
			tails = append(tails, bytes.Join([][]byte{tails[len(tails)-1], a.fragment}, []byte("#")))
		}
		for _, tail := range tails {
			for _, head := range [][]byte{origin, a.host, www, nil} {
				form := bytes.Join([][]byte{head, tail}, nil)
				for i := range digests {
					p.digests = append(p.digests, imprint{&digests[i], form, digests[i].sum(form)})
				}
			}
		}
	}
	return p.digests
}

// imprinted finds the digest of the address whose value this is.
func (p *Page) imprinted(value []byte) *imprint {
	for i, d := range p.imprints() {
		if bytes.Equal(value, d.value[:d.of.size]) {
			return &p.digests[i]
		}
	}
	return nil
}

// digest looks at what may be the value of a digest and stands at the offset
// at of the frame at depth.
func (p *Page) digest(depth, at int, encoding string, value []byte) bool {
	switch len(value) {
	case 16, 20, 32:
		if d := p.imprinted(value); d != nil {
			p.frames[depth+1] = frame{d.form, d.of.name + encoding, at}
			p.hit(Address, depth+1, 0, len(d.form))
			return true
		}
	}
	return false
}

// digest64 looks for a digest in base64.
func (p *Page) digest64(depth, first, end int) {
	text := p.frames[depth].text[first:end]
	switch len(text) {
	case 22, 27, 43:
		var value [33]byte
		p.digest(depth, first, " in base64", unbase64(value[:0], text))
	}
}

// hexadecimal looks at a word of hexadecimal digits: a digest, or a text.
func (p *Page) hexadecimal(depth, start, end int) bool {
	word := p.frames[depth].text[start:end]
	if len(word) <= 64 {
		var value [32]byte
		if p.digest(depth, start, "", unhex(value[:0], word)) {
			return true
		}
	}
	if depth < maxDepth && len(word)%2 == 0 {
		p.buffers[depth] = unhex(p.buffers[depth][:0], word)
		if printable(p.buffers[depth]) {
			p.enter(depth, start, "hex", p.buffers[depth], false)
		}
	}
	return false
}
