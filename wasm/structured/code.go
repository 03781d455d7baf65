package structured

import "fmt"

// Instructions that are told apart here.
const (
	opUnreachable   = 0x00
	opNop           = 0x01
	opBlock         = 0x02
	opLoop          = 0x03
	opIf            = 0x04
	opElse          = 0x05
	opEnd           = 0x0b
	opBr            = 0x0c
	opBrIf          = 0x0d
	opBrTable       = 0x0e
	opReturn        = 0x0f
	opCall          = 0x10
	opCallIndirect  = 0x11
	opDrop          = 0x1a
	opSelect        = 0x1b
	opLocalGet      = 0x20
	opLocalSet      = 0x21
	opLocalTee      = 0x22
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opLoadFirst     = 0x28
	opI64Load       = 0x29
	opLoadLast      = 0x35
	opI64Load8U     = 0x31
	opI64Load16U    = 0x33
	opI64Load32U    = 0x35
	opI64Store      = 0x37
	opI64Store8     = 0x3c
	opI64Store16    = 0x3d
	opI64Store32    = 0x3e
	opStoreLast     = 0x3e
	opMemorySize    = 0x3f
	opMemoryGrow    = 0x40
	opI32Const      = 0x41
	opI64Const      = 0x42
	opF32Const      = 0x43
	opF64Const      = 0x44
	opNumericFirst  = 0x45
	opI32Eqz        = 0x45
	opI64Eqz        = 0x50
	opI32Add        = 0x6a
	opI32Sub        = 0x6b
	opI64Add        = 0x7c
	opI32WrapI64    = 0xa7
	opI64ExtendI32U = 0xad
	opNumericLast   = 0xc4
	opMore          = 0xfc

	moreConversions = 7 // the last of them
	moreCopy        = 10
	moreFill        = 11

	empty = 0x40 // the type of a block without a value
)

// An instruction, decoded as far as it matters here.
type instruction struct {
	op    byte
	arg   int64    // its only or first number
	bytes []byte   // all of it
	table []uint32 // of br_table, the default last
}

// decode reads instructions to the end of data.
func decode(data []byte) ([]instruction, error) {
	var all []instruction
	r := &reader{data: data}
	for r.more() {
		start := r.at
		in := instruction{op: r.byte()}
		switch op := in.op; {
		case op == opBlock, op == opLoop, op == opIf:
			in.arg = int64(r.byte())
		case op == opBr, op == opBrIf, op == opCall, op >= opLocalGet && op <= opGlobalSet:
			in.arg = int64(r.unsigned())
		case op == opBrTable:
			for range r.count() + 1 {
				in.table = append(in.table, r.unsigned())
			}
		case op == opCallIndirect, op >= opLoadFirst && op <= opStoreLast:
			in.arg = int64(r.unsigned())
			r.unsigned()
		case op == opMemorySize, op == opMemoryGrow:
			r.byte()
		case op == opI32Const, op == opI64Const:
			in.arg = r.signed()
		case op == opF32Const:
			r.take(4)
		case op == opF64Const:
			r.take(8)
		case op == opMore:
			in.arg = int64(r.unsigned())
			switch {
			case in.arg <= moreConversions:
			case in.arg == moreCopy:
				r.take(2)
			case in.arg == moreFill:
				r.take(1)
			default:
				return nil, fmt.Errorf("byte %d: unknown instruction 0xfc %d", start, in.arg)
			}
		case op == opUnreachable, op == opNop, op == opElse, op == opEnd, op == opReturn, op == opDrop, op == opSelect,
			op >= opNumericFirst && op <= opNumericLast:
		default:
			return nil, fmt.Errorf("byte %d: unknown instruction 0x%x", start, op)
		}
		if r.err != nil {
			return nil, fmt.Errorf("byte %d: %w", start, r.err)
		}
		in.bytes = data[start:r.at]
		all = append(all, in)
	}
	return all, nil
}
