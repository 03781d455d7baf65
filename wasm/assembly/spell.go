package assembly

// The locals of spell.
const (
	_ byte = iota // where to go on
	exact
	lower
	words
	marks
	from
	size // n
	at
	text
	letter
	small // text in lower case
	seen  // bytes of any of it
	sharp
	rare

	integers = at - exact + 1
	vectors  = rare - text + 1
)

// spell is address.spell:
//
//	func spell(exact, lower *text, words, marks *bitmap, from []byte, n int) (seen uint64)
func spell() []byte {
	c := &code{2, integers, i32, vectors, v128}
	// A slice takes three words, of which the first is enough: see the bounds
	// that address.spell sets. The last word, the ninth, is the result's.
	for _, p := range [...]struct{ local, word byte }{{exact, 1}, {lower, 2}, {words, 3}, {marks, 4}, {from, 5}, {size, 8}} {
		c.op(opGlobalGet, stackPointer, opI32Load, 2, p.word*wordSize)
		c.set(p.local)
	}
	c.op(opBlock, empty, opLoop, empty)
	{
		c.get(at)
		c.number(16)
		c.op(opI32Add)
		c.get(size)
		c.op(opI32GtS, opBrIf, 1)
		c.get(from)
		c.add(at)
		c.load(0)
		c.block()
		c.get(at)
		c.number(16)
		c.op(opI32Add)
		c.set(at)
		c.op(opBr, 0)
	}
	c.op(opEnd, opEnd)

	// What is left, none to 15 bytes, and Beyond.
	c.get(from)
	c.add(at)
	c.load(0)
	c.bytes(repeat(beyond))
	c.bytes([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	c.get(size)
	c.get(at)
	c.op(opI32Sub)
	c.vector(splat)
	c.vector(below)
	c.vector(choose)
	c.block()
	for _, to := range []byte{exact, lower} {
		c.get(to)
		c.add(at)
		c.bytes(repeat(beyond))
		c.store(16)
	}
	for _, to := range []byte{words, marks} {
		for i := range byte(3) {
			c.bitsOf(to)
			c.op(opI64Const, 0, opI64Store, 0, 2+i*wordSize)
		}
	}

	c.op(opGlobalGet, stackPointer)
	c.get(seen)
	c.withAll(0x80, and)
	c.vector(anyTrue)
	for i, local := range []byte{sharp, rare} {
		c.with(local, anyTrue)
		c.number(byte(i) + 1)
		c.op(opI32Shl, opI32Or)
	}
	c.op(opI64ExtendI32U, opI64Store, 3, 9*wordSize)
	c.op(opGlobalGet, stackPointer)
	c.number(wordSize)
	c.op(opI32Add, opGlobalSet, stackPointer)
	c.number(0)
	c.op(opEnd)
	return *c
}

// block takes 16 bytes.
func (c *code) block() {
	c.op(opLocalTee, text)
	c.withAll(0x20, or)
	c.withAll('a', minus)
	c.withAll('z'-'a'+1, below)
	c.set(letter)
	c.get(exact)
	c.add(at)
	c.get(text)
	c.store(0)
	c.get(lower)
	c.add(at)
	c.get(letter)
	c.withAll(0x20, and)
	c.with(text, or)
	c.op(opLocalTee, small)
	c.store(0)

	c.bitsOf(words)
	c.get(small)
	c.withAll('0', minus)
	c.withAll('9'-'0'+1, below)
	c.with(letter, or)
	c.vector(highBits)
	c.op(opI32Store16, 0, 0)
	c.bitsOf(marks)
	c.get(text)
	c.withAll(0x11, or)
	c.withAll('?', equal)
	c.with(letter, or)
	c.vector(highBits)
	c.op(opI32Store16, 0, 0)

	c.get(text)
	c.with(seen, or)
	c.set(seen)
	c.get(text)
	c.withAll('#', equal)
	c.with(sharp, or)
	c.set(sharp)
	c.get(text)
	c.withAll('%'+1, below)
	c.with(rare, or)
	c.set(rare)
}

// bitsOf pushes the address of the bits of the bytes from at on.
func (c *code) bitsOf(bitmap byte) {
	c.get(at)
	c.number(3)
	c.op(opI32ShrU)
	c.add(bitmap)
}

// beyond is address.Beyond.
const beyond = 0x7f
