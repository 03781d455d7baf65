package assembly

import (
	"bytes"
	"slices"
)

// Instructions of one byte, and the first of those that have two.
const (
	opBlock         = 0x02
	opLoop          = 0x03
	opEnd           = 0x0b
	opBr            = 0x0c
	opBrIf          = 0x0d
	opCall          = 0x10
	opDrop          = 0x1a
	opLocalGet      = 0x20
	opLocalSet      = 0x21
	opLocalTee      = 0x22
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opI32Load       = 0x28
	opI64Store      = 0x37
	opI32Store16    = 0x3b
	opI32Const      = 0x41
	opI64Const      = 0x42
	opI32GtS        = 0x4a
	opI32GeS        = 0x4e
	opI32Add        = 0x6a
	opI32Sub        = 0x6b
	opI32Or         = 0x72
	opI32Shl        = 0x74
	opI32ShrU       = 0x76
	opI64Or         = 0x84
	opI64Shl        = 0x86
	opI64ExtendI32U = 0xad
	opArray         = 0xfb
	opVector        = 0xfd
)

// Vector instructions; those that compare or count take 16 bytes without signs.
const (
	load        = 0x00
	store       = 0x0b
	constant    = 0x0c
	splat       = 0x0f // one byte, 16 times
	splatWord   = 0x12 // eight bytes, twice
	replaceWord = 0x1e // eight bytes
	equal       = 0x23
	below       = 0x26
	and         = 0x4e
	or          = 0x50
	choose      = 0x52 // the first's bits where the third's are set, elsewhere the second's
	anyTrue     = 0x53
	highBits    = 0x64
	narrow      = 0x66 // of twice eight numbers of two bytes their lower ones
	minus       = 0x71
)

// Instructions for arrays.
const (
	arrayNew = 0x07
	arrayGet = 0x0d
	arraySet = 0x0e
)

// Types and their forms.
const (
	empty        = 0x40 // of a block without a value
	i32          = 0x7f
	v128         = 0x7b
	i16          = 0x77
	externref    = 0x6f
	reference    = 0x64
	nullable     = 0x63 // a reference that can be null
	mutable      = 0x01
	arrayForm    = 0x5e
	functionForm = 0x60
)

// Numbers of sections.
const (
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	globalSection   = 6
	exportSection   = 7
	codeSection     = 10
)

// What Go's functions for WebAssembly have in common: their one parameter says
// where to go on, 0 here. Their own lie in memory where a global points, behind
// the address to return to, each in words of 8 bytes. They take that address
// away and return 0.
const (
	stackPointer = 0
	wordSize     = 8
)

// A code is the body of a function that is being written, an instruction after
// the other.
type code []byte

func (c *code) op(bytes ...byte)  { *c = append(*c, bytes...) }
func (c *code) vector(op byte)    { c.op(opVector, op) }
func (c *code) get(local byte)    { c.op(opLocalGet, local) }
func (c *code) set(local byte)    { c.op(opLocalSet, local) }
func (c *code) number(n byte)     { c.op(opI32Const, n) } // below 64
func (c *code) load(offset byte)  { c.op(opVector, load, 0, offset) }
func (c *code) store(offset byte) { c.op(opVector, store, 0, offset) }
func (c *code) bytes(b []byte)    { c.op(opVector, constant); c.op(b...) }

// add adds a local to what is on the stack.
func (c *code) add(local byte) { c.get(local); c.op(opI32Add) }

// with does a vector instruction with what is on the stack and a local, and
// withAll with 16 times the same byte.
func (c *code) with(local, op byte) { c.get(local); c.vector(op) }
func (c *code) withAll(b, op byte)  { c.bytes(repeat(b)); c.vector(op) }

func repeat(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }

// section writes one with its parts.
func (c *code) section(id byte, parts ...[]byte) {
	body := slices.Concat(parts...)
	count := unsigned(len(parts))
	c.op(slices.Concat([]byte{id}, unsigned(len(count)+len(body)), count, body)...)
}

func name(text string) []byte { return append(unsigned(len(text)), text...) }

// unsigned is a LEB128 number.
func unsigned(n int) []byte {
	var all []byte
	for ; n >= 0x80; n >>= 7 {
		all = append(all, byte(n)|0x80)
	}
	return append(all, byte(n))
}
