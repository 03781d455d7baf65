package assembly

import (
	"bytes"
	"slices"
)

// maxString is how many characters the function of Strings copies at most: the
// last round reads 15 more of its array.
const (
	charactersAtATime = 16
	maxString         = 2048 - charactersAtATime
)

// Strings is a module with a function
//
//	copy(text externref, n i32, to i32) i32
//
// that writes the n characters of a JavaScript string to memory, a byte each,
// and up to 15 zeros behind them. The string has no more characters than n,
// and n is 2032 at most. It returns 0, or 1 when one is not ASCII: then what it
// wrote is of no use.
//
// A string's characters are given to WebAssembly by JavaScript String Builtins
// (https://github.com/WebAssembly/js-string-builtins), as an array that the
// collector keeps. The memory is imported as "mem" of "engine".
func Strings() []byte {
	const (
		text byte = iota
		n
		to
		at
		characters
		eight
		more
		seen
	)
	const (
		intoCharCodeArray = 0 // functions
		copying           = 1

		array     = 0 // types
		intoArray = 1
		copier    = 2
	)
	c := &code{3, 1, i32, 1, nullable, array, 3, v128}
	c.op(opGlobalGet, 0, opLocalSet, characters)
	c.get(text)
	c.get(characters)
	c.number(0)
	c.op(opCall, intoCharCodeArray, opDrop)
	for i := range byte(charactersAtATime) {
		c.get(characters)
		c.get(n)
		c.number(i)
		c.op(opI32Add)
		c.number(0)
		c.op(opArray, arraySet, array)
	}
	c.op(opBlock, empty, opLoop, empty)
	c.get(at)
	c.get(n)
	c.op(opI32GeS, opBrIf, 1)
	c.get(to)
	c.add(at)
	for half, vector := range []byte{eight, more} {
		for word := range byte(2) {
			for i := range byte(4) {
				c.get(characters)
				c.get(at)
				c.number(byte(half)*8 + word*4 + i)
				c.op(opI32Add, opArray, arrayGet, array, opI64ExtendI32U)
				if i > 0 {
					c.op(opI64Const, i*16, opI64Shl, opI64Or)
				}
			}
			if word == 0 {
				c.vector(splatWord)
			} else {
				c.vector(replaceWord)
				c.op(1)
			}
		}
		c.op(opLocalTee, vector)
		c.with(seen, or)
		c.set(seen)
		c.get(vector)
	}
	c.vector(narrow)
	c.store(0)
	c.get(at)
	c.number(charactersAtATime)
	c.op(opI32Add)
	c.set(at)
	c.op(opBr, 0, opEnd, opEnd)
	c.get(seen)
	c.bytes(bytes.Repeat([]byte{0x80, 0xff}, 8))
	c.vector(and)
	c.vector(anyTrue)
	c.op(opEnd)

	module := code{0, 'a', 's', 'm', 1, 0, 0, 0}
	module.section(typeSection,
		[]byte{arrayForm, i16, mutable},
		[]byte{functionForm, 3, externref, nullable, array, i32, 1, i32},
		[]byte{functionForm, 3, externref, i32, i32, 1, i32})
	module.section(importSection,
		slices.Concat(name("wasm:js-string"), name("intoCharCodeArray"), []byte{0, intoArray}),
		slices.Concat(name("engine"), name("mem"), []byte{2, 0, 1}))
	module.section(functionSection, []byte{copier})
	module.section(globalSection,
		slices.Concat([]byte{reference, array, 0, opI32Const}, unsigned(maxString+charactersAtATime), []byte{opArray, arrayNew, array, opEnd}))
	module.section(exportSection, slices.Concat(name("copy"), []byte{0, copying}))
	module.section(codeSection, slices.Concat(unsigned(len(*c)), *c))
	return module
}
