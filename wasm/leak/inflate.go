package leak

// An inflater reads DEFLATE streams (RFC 1951). One value reads one stream
// after another; it is kept because its tables are large.
type inflater struct {
	in    []byte
	at    int    // next byte of in
	bits  uint64 // what was taken from in and not used yet, the next bit lowest
	count uint   // of these bits

	literals code
	offsets  code
	// The codes of blocks that describe none, made when first needed (3.2.6).
	fixedLiterals code
	fixedOffsets  code
}

// A code is a canonical Huffman code: how many symbols have each length, and
// the symbols in the order of their codes (3.2.2).
type code struct {
	count  [16]uint16
	symbol [288]uint16
}

// Bases and extra bits of the length symbols from 257 on, and of the distance
// symbols (3.2.5).
var (
	lengthBase   = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits   = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceBits = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	// lengthOrder is the order in which a block describes the code of its code
	// lengths (3.2.7).
	lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

	// How often the symbols 16, 17 and 18 repeat a length (3.2.7).
	repeatBase = [3]uint{3, 3, 11}
	repeatBits = [3]uint{2, 3, 7}
)

const endOfBlock = 256

// inflate appends to out what the stream at the beginning of in holds, at most
// limit bytes. A stream that is broken, cut off or too long gives what came
// before; whole tells whether it was read to its end.
func (f *inflater) inflate(out, in []byte, limit int) (all []byte, whole bool) {
	f.in, f.at, f.bits, f.count = in, 0, 0, 0
	start := len(out)
	limit += start
	for ok := true; ok; {
		last, _ := f.take(1)
		kind, fine := f.take(2)
		if !fine {
			return out, false
		}
		switch kind {
		case 0:
			out, ok = f.stored(out, limit)
		case 1:
			f.fixed()
			out, ok = f.block(out, start, limit, &f.fixedLiterals, &f.fixedOffsets)
		case 2:
			if ok = f.dynamic(); ok {
				out, ok = f.block(out, start, limit, &f.literals, &f.offsets)
			}
		default:
			ok = false
		}
		if ok && last == 1 {
			return out, true
		}
	}
	return out, false
}

// fill takes bytes from in while there is room for them.
func (f *inflater) fill() {
	for f.count <= 56 && f.at < len(f.in) {
		f.bits |= uint64(f.in[f.at]) << f.count
		f.at++
		f.count += 8
	}
}

// take returns the next n bits, at most 16.
func (f *inflater) take(n uint) (uint, bool) {
	if f.count < n {
		if f.fill(); f.count < n {
			f.count = 0
			return 0, false
		}
	}
	v := uint(f.bits & (1<<n - 1))
	f.bits >>= n
	f.count -= n
	return v, true
}

// next reads a symbol of the code c.
func (f *inflater) next(c *code) (uint16, bool) {
	if f.count < 15 {
		f.fill()
	}
	var word, first, index uint
	for n := uint(1); n < 16 && n <= f.count; n++ {
		word |= uint(f.bits>>(n-1)) & 1
		count := uint(c.count[n])
		if word < first+count {
			f.bits >>= n
			f.count -= n
			return c.symbol[index+word-first], true
		}
		index += count
		first = (first + count) << 1
		word <<= 1
	}
	return 0, false
}

// set makes the code in which symbol i has lengths[i] bits, 0 if it does not
// occur. It refuses lengths that are no code, and a code with unused words
// unless it is that of a single symbol.
func (c *code) set(lengths []uint8) bool {
	c.count = [16]uint16{}
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	free, used := 1, 0
	var first [16]uint16
	for n := 1; n < 16; n++ {
		first[n] = uint16(used)
		free = free<<1 - int(c.count[n])
		if free < 0 {
			return false
		}
		used += int(c.count[n])
	}
	for i, n := range lengths {
		if n > 0 {
			c.symbol[first[n]] = uint16(i)
			first[n]++
		}
	}
	return free == 0 || used == 0 || used == 1 && c.count[1] == 1
}

// stored copies a block that is not compressed (3.2.4).
func (f *inflater) stored(out []byte, limit int) ([]byte, bool) {
	f.at -= int(f.count / 8) // whole bytes that were taken too early
	f.bits, f.count = 0, 0
	head := f.in[f.at:]
	if len(head) < 4 || head[0] != ^head[2] || head[1] != ^head[3] {
		return out, false
	}
	n := int(head[0]) | int(head[1])<<8
	m := min(n, len(head)-4, limit-len(out))
	f.at += 4 + m
	return append(out, head[4:4+m]...), m == n
}

// fixed makes the codes that need no description.
func (f *inflater) fixed() {
	if f.fixedOffsets.count[5] > 0 {
		return
	}
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	f.fixedLiterals.set(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	f.fixedOffsets.set(lengths[:32])
}

// dynamic reads the codes that a block describes (3.2.7).
func (f *inflater) dynamic() bool {
	literals, _ := f.take(5)
	distances, _ := f.take(5)
	described, ok := f.take(4)
	literals, distances, described = literals+257, distances+1, described+4
	if !ok || literals > 286 || distances > 30 {
		return false
	}
	var lengths [286 + 30]uint8
	for _, at := range lengthOrder[:described] {
		n, ok := f.take(3)
		if !ok {
			return false
		}
		lengths[at] = uint8(n)
	}
	if !f.literals.set(lengths[:19]) {
		return false
	}
	clear(lengths[:19])
	all := lengths[:literals+distances]
	for i := 0; i < len(all); {
		symbol, ok := f.next(&f.literals)
		if !ok {
			return false
		}
		length, times := uint8(symbol), uint(1)
		if symbol >= 16 { // a length that is repeated
			kind := symbol - 16
			length = 0
			if kind == 0 {
				if i == 0 {
					return false
				}
				length = all[i-1]
			}
			more, ok := f.take(repeatBits[kind])
			if !ok {
				return false
			}
			times = repeatBase[kind] + more
		}
		if times > uint(len(all)-i) {
			return false
		}
		for range times {
			all[i] = length
			i++
		}
	}
	return f.literals.set(all[:literals]) && f.offsets.set(all[literals:])
}

// block reads a compressed block (3.2.3). Distances do not reach before start.
func (f *inflater) block(out []byte, start, limit int, literals, offsets *code) ([]byte, bool) {
	for {
		symbol, ok := f.next(literals)
		switch {
		case !ok:
			return out, false
		case symbol == endOfBlock:
			return out, true
		case len(out) == limit:
			return out, false
		case symbol < endOfBlock:
			out = append(out, byte(symbol))
			continue
		}
		symbol -= endOfBlock + 1
		if int(symbol) >= len(lengthBase) {
			return out, false
		}
		more, _ := f.take(uint(lengthBits[symbol]))
		length := int(lengthBase[symbol]) + int(more)
		symbol, ok = f.next(offsets)
		if !ok || int(symbol) >= len(distanceBase) {
			return out, false
		}
		more, ok = f.take(uint(distanceBits[symbol]))
		distance := int(distanceBase[symbol]) + int(more)
		if !ok || distance > len(out)-start {
			return out, false
		}
		for range min(length, limit-len(out)) {
			out = append(out, out[len(out)-distance])
		}
		if len(out) == limit {
			return out, false
		}
	}
}
