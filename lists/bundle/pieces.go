package bundle

import (
	"encoding/binary"
	"strings"

	"paravent/lists/address"
)

// Keys are packed: a byte below 0x80 is itself, and one from there on stands
// for a piece of two to eight bytes that many keys have, in this order. Half
// of a list's bytes would otherwise be ".com" and its like, and every wake
// reads all of them. The pieces are those that save the most in the keys of
// today's lists: they were found by packing, counting which neighbours would
// save most as one, and packing again. To change one is to change the format.
const frequent = `
	.a .actonse .au .b .br .c .co. .co.uk .com .com.br .com/ .de .f .net .p .s a.com a.com.br ad al
	al.com an analytic api app ar at c.com ca ce.com ch co com d.com data- data. de di e. e.com en
	er er.com es es.com g. g.com ge gtm. ho i.com ic il in info. ing. ing.com ion it k. k.com l.com
	la le li link. lo load. load.s load.sst m.com ma mail marketin me metrics. n.com ne nt o. o.com
	o.com.br on online or org p.com pa pro r.com ra re ri ro rvice.co s. s.com s.com.br se server.
	servic sgtm. sh smetrics ss ss. sst. st stape. stat stats. t. t.com ta te th ti tion to tr track
	ts.com ur us ve ver x.com y.com
`

// A piece is one that a byte stands for: its text as eight bytes, the first
// lowest, and a mask of those that count.
type piece struct {
	text, mask uint64
	size       int
}

var (
	pieces     [128]piece
	pieceNames = strings.Fields(frequent)
	beginning  [128][]byte // those that begin with a byte, as their own bytes
	begins     [256]byte   // what a packed byte's text begins with
)

func init() {
	for c := range byte(0x80) {
		begins[c] = c
	}
	for i, name := range pieceNames {
		p := piece{size: len(name)}
		for j := range len(name) {
			p.text |= uint64(name[j]) << (8 * j)
			p.mask |= 0xff << (8 * j)
		}
		pieces[i], begins[0x80+i] = p, name[0]
		beginning[name[0]] = append(beginning[name[0]], byte(0x80+i))
	}
}

// packs reports whether a packed key is the first n bytes of text, of which
// Slack more can be read.
func packs(packed, text []byte, n int) bool {
	at := 0
	text = text[:n+address.Slack]
	for _, c := range packed {
		if at >= n {
			return false
		}
		if c < 0x80 {
			if text[at] != c {
				return false
			}
			at++
			continue
		}
		p := &pieces[c&0x7f]
		if binary.LittleEndian.Uint64(text[at:])&p.mask != p.text {
			return false
		}
		at += p.size
	}
	return at == n
}

// unpack appends the key that a packed one stands for.
func unpack(dst, packed []byte) []byte {
	for _, c := range packed {
		if c < 0x80 {
			dst = append(dst, c)
		} else {
			dst = append(dst, pieceNames[c&0x7f]...)
		}
	}
	return dst
}

// pack appends a key in as few bytes as the pieces allow.
func pack(dst []byte, key string) []byte {
	// The fewest bytes from each place on, and the byte to begin with there.
	fewest, first := make([]int, len(key)+1), make([]byte, len(key))
	for at := len(key) - 1; at >= 0; at-- {
		fewest[at], first[at] = fewest[at+1]+1, key[at]
		for _, c := range beginning[key[at]&0x7f] {
			name := pieceNames[c&0x7f]
			if strings.HasPrefix(key[at:], name) && fewest[at+len(name)]+1 < fewest[at] {
				fewest[at], first[at] = fewest[at+len(name)]+1, c
			}
		}
	}
	for at := 0; at < len(key); {
		c := first[at]
		dst = append(dst, c)
		if at++; c >= 0x80 {
			at += pieces[c&0x7f].size - 1
		}
	}
	return dst
}
