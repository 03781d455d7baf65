package release

import "encoding/binary"

// What turns a delta's numbers and letters into bits and back: an arithmetic
// coder as of Martin's "Range encoding" (1979). A message is a number between
// 0 and 1, written in base 256; each symbol narrows the interval that the
// number lies in to the share that the symbol has of it.

// An encoder writes symbols.
type encoder struct {
	out        []byte
	low, width uint32 // of the interval, behind the bytes of out
}

// The interval is widened by a byte whenever it gets narrower than this.
const narrow = 1 << 24

// put writes the symbol that has the part [from, from+share) of the interval.
// No whole may be above 1<<16.
func (e *encoder) put(from, share, whole uint32) {
	unit := e.width / whole
	before := e.low
	e.low += unit * from
	if e.low < before { // carry
		for i := len(e.out) - 1; ; i-- {
			e.out[i]++
			if e.out[i] != 0 {
				break
			}
		}
	}
	e.width = unit * share
	for e.width < narrow {
		e.out = append(e.out, byte(e.low>>24))
		e.low, e.width = e.low<<8, e.width<<8
	}
}

// last returns the shortest end of a message in the interval: so many bytes,
// the higher first, of number.
func last(low, width uint32) (number uint32, bytes int) {
	for bytes = 0; bytes < 4; bytes++ {
		rest := uint32(1)<<(32-8*bytes) - 1 // what the bytes that are not written say
		number = (low + rest) &^ rest
		if number-low < width {
			return number, bytes
		}
	}
	return low, 4
}

func (e *encoder) end() []byte {
	number, bytes := last(e.low, e.width)
	if bytes < 4 && number < e.low { // carry
		for i := len(e.out) - 1; i >= 0; i-- {
			e.out[i]++
			if e.out[i] != 0 {
				break
			}
		}
	}
	return append(e.out, binary.BigEndian.AppendUint32(nil, number)[:bytes]...)
}

// A decoder reads what an encoder wrote. Behind the end it reads zeros.
type decoder struct {
	in         []byte
	at         int
	low, width uint32
	code       uint32 // the message, above low
}

func newDecoder(in []byte) *decoder {
	d := &decoder{in: in, width: 1<<32 - 1}
	for range 4 {
		d.next()
	}
	return d
}

func (d *decoder) next() {
	d.code <<= 8
	if d.at < len(d.in) {
		d.code |= uint32(d.in[d.at])
	}
	d.at++
}

// over says that the message has ended, however it is read on.
func (d *decoder) over() bool { return d.at > len(d.in)+4 }

// where returns the place of the next symbol in the whole; take reads it.
func (d *decoder) where(whole uint32) uint32 {
	return min(d.code/(d.width/whole), whole-1)
}

func (d *decoder) take(from, share, whole uint32) {
	unit := d.width / whole
	d.low += unit * from
	d.code -= unit * from
	d.width = unit * share
	for d.width < narrow {
		d.low, d.width = d.low<<8, d.width<<8
		d.next()
	}
}

// ended says whether the message ends here, and as an encoder ends it, so that
// no bit of it can change unseen.
func (d *decoder) ended() bool {
	number, bytes := last(d.low, d.width)
	return d.low+d.code == number && d.at-4+bytes == len(d.in)
}
