package leak

import "bytes"

// An imprint is a digest of the address in one of its forms.
type imprint struct {
	of    *digest
	form  string
	value [32]byte
}

// imprints makes the digests of an address in the forms that get digested: from
// the scheme, the host (with and without www) or the path on; up to the end of
// the path (with and without a slash there), of the query or of the fragment.
// The origin alone is none of them.
func imprints(address []byte) (all []imprint) {
	a := cut(address)
	path := a.query // its end without slashes
	for path > a.path && address[path-1] == '/' {
		path--
	}
	bare := a.host
	if bytes.HasPrefix(address[bare:], []byte(www)) {
		bare += len(www)
	}
	ends := [...]int{a.query, a.fragment, len(address)}
	for _, slash := range [...]string{"", "/"} {
		for i, end := range ends {
			if i == 0 && path == a.path || i > 0 && end == ends[i-1] {
				continue
			}
			for _, start := range [...]int{0, a.host, bare, a.path} {
				form := string(address[start:path]) + slash + string(address[a.query:end])
				for i := range digests {
					all = append(all, imprint{&digests[i], form, digests[i].sum(form)})
				}
			}
		}
	}
	return all
}

// digest reports whether value, which stands at the offset at of the text at
// depth in some encoding, is a digest of the page's address.
func (p *Page) digest(depth, at int, encoding string, value []byte) bool {
	switch len(value) {
	case 16, 20, 32:
	default:
		return false
	}
	if p.digests == nil {
		p.digests = imprints(p.address)
	}
	for i := range p.digests {
		d := &p.digests[i]
		if bytes.Equal(value, d.value[:d.of.size]) {
			p.frames[depth+1] = frame{[]byte(d.form), d.of.name + encoding, at}
			p.hit(Address, depth+1, 0, 0, len(d.form))
			return true
		}
	}
	return false
}

// digestInBase64 looks for the digest that the base64 digits from start to end
// may stand for. They begin with a letter or figure, as a digest need not.
func (p *Page) digestInBase64(depth, start, end int) {
	text := p.frames[depth].text
	for ; end-start <= 43; start-- {
		switch end - start {
		case 22, 27, 43: // of 16, 20 and 32 bytes, without padding
			var value [33]byte
			p.digest(depth, start, " in base64", unbase64(value[:0], text[start:end]))
		}
		if start == 0 || classes[text[start-1]] != joint {
			return
		}
	}
}
