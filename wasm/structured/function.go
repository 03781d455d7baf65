package structured

import (
	"bytes"
	"errors"
	"fmt"
)

// Locals of Go's functions.
const (
	pcLocal = 0 // PC_B, the parameter: where to begin
	spLocal = 1 // the copy of the stack pointer
)

const spGlobal = 0

// Bounds of what any compiler makes of a function.
const (
	maxLocals = 100 // Go has 49 registers
	maxDepth  = 200 // of blocks inside a part
)

// What a node is besides an instruction.
const (
	jumpNode   = 0xf0 // to a part of the function
	unwindNode = 0xf1 // leave the function with 1 when the word on the stack is not zero
	endingNode = 0xf2 // call what never returns
)

// A node is an instruction with those inside it.
type node struct {
	instruction
	body, other []node // of block, loop and if; and behind its else
	target      int    // of a jump: the number of a part
}

// A function is one of Go's in parts: part i is where PC_B leads by the table,
// and it goes on into part i+1 unless it ends with a jump.
type function struct {
	types []byte // of the parameter and the locals
	parts [][]node
}

// errOther says that a function has not the form that Go gives to functions
// with jumps.
var errOther = errors.New("not of the form that Go gives to functions with jumps")

// A parser takes a function apart.
type parser struct {
	code   []instruction
	at     int
	table  []uint32
	loop   int // depth of the loop's label, -1: there is none
	unwind int // of the unwinding block's, -1: there is none
	depth  int // of the first block inside a part
}

func (p *parser) next(op byte) bool {
	if p.at < len(p.code) && p.code[p.at].op == op {
		p.at++
		return true
	}
	return false
}

func (p *parser) nextArg(op byte, arg int64) bool {
	if p.at < len(p.code) && p.code[p.at].arg == arg {
		return p.next(op)
	}
	return false
}

// split reads a function's body.
func split(body []byte) (*function, error) {
	r := &reader{data: body}
	f := &function{types: []byte{i32}}
	for range r.count() {
		n, local := r.unsigned(), r.byte()
		if n > maxLocals || len(f.types)+int(n) > maxLocals {
			return nil, errOther
		}
		f.types = append(f.types, bytes.Repeat([]byte{local}, int(n))...)
	}
	if r.err != nil {
		return nil, r.err
	}
	code, err := decode(body[r.at:])
	if err != nil {
		return nil, err
	}
	for _, in := range code {
		if in.op >= opLocalGet && in.op <= opLocalTee && in.arg >= int64(len(f.types)) {
			return nil, errOther
		}
	}
	p := &parser{code: code, loop: -1, unwind: -1}
	if !p.nextArg(opGlobalGet, spGlobal) || !p.nextArg(opLocalSet, spLocal) {
		return nil, errOther
	}
	// Up to two blocks around all others: the one to leave by, and the loop.
	// Then one for each part, with the table in the innermost.
	blocks := 0
	outer := 0
	for p.nextArg(opBlock, empty) {
		blocks++
	}
	if p.nextArg(opLoop, empty) {
		if blocks > 1 {
			return nil, errOther
		}
		if blocks == 1 {
			p.unwind = 0
		}
		p.loop = blocks
		outer, blocks = blocks+1, 0
		for p.nextArg(opBlock, empty) {
			blocks++
		}
	}
	if !p.nextArg(opLocalGet, pcLocal) || p.at >= len(code) || code[p.at].op != opBrTable {
		return nil, errOther
	}
	p.table = code[p.at].table
	p.at++
	parts := 0
	for i, part := range p.table {
		if i > 0 && part < p.table[i-1] {
			return nil, errOther
		}
		parts = int(part) + 1
	}
	if p.loop < 0 && blocks == parts+1 {
		p.unwind, outer, blocks = 0, 1, parts
	}
	if blocks != parts || !p.next(opEnd) {
		return nil, errOther
	}
	for i := range parts {
		p.depth = outer + parts - 1 - i
		nodes, end, err := p.nodes(p.depth)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		f.parts = append(f.parts, nodes)
		if last := i == parts-1; last && p.loop < 0 {
			// The last part goes on behind the blocks: its end is the function's
			// or the unwinding block's.
			if n := len(nodes); n == 0 || nodes[n-1].op != opUnreachable {
				return nil, errOther
			}
		}
		if end != opEnd {
			return nil, errOther
		}
	}
	if p.loop >= 0 && !p.next(opUnreachable) {
		return nil, errOther
	}
	if p.loop >= 0 && p.unwind >= 0 && !p.next(opEnd) {
		return nil, errOther
	}
	if p.unwind >= 0 && !p.nextArg(opI32Const, 1) {
		return nil, errOther
	}
	if (p.loop >= 0 || p.unwind >= 0) && !p.next(opEnd) {
		return nil, errOther
	}
	if p.at != len(code) {
		return nil, errOther
	}
	return f, nil
}

// nodes reads to the end or the else of a block at a depth.
func (p *parser) nodes(depth int) (all []node, end byte, err error) {
	if depth > p.depth+maxDepth {
		return nil, 0, errOther
	}
	for p.at < len(p.code) {
		in := p.code[p.at]
		p.at++
		n := node{instruction: in}
		switch in.op {
		case opEnd, opElse:
			return all, in.op, nil
		case opBlock, opLoop, opIf:
			if in.arg != empty {
				return nil, 0, errOther
			}
			var end byte
			if n.body, end, err = p.nodes(depth + 1); err != nil {
				return nil, 0, err
			}
			if end == opElse {
				if in.op != opIf {
					return nil, 0, errOther
				}
				if n.other, end, err = p.nodes(depth + 1); err != nil {
					return nil, 0, err
				}
			}
			if end != opEnd {
				return nil, 0, errOther
			}
		case opBr, opBrIf:
			switch label := depth - 1 - int(in.arg); {
			case label >= p.depth:
				// inside the part
			case label == p.unwind && in.op == opBrIf:
				n.op = unwindNode
			case label == p.loop && in.op == opBr && len(all) >= 2:
				set, to := all[len(all)-1], all[len(all)-2]
				if set.op != opLocalSet || set.arg != pcLocal || to.op != opI32Const {
					return nil, 0, errOther
				}
				all = all[:len(all)-2]
				n.op = jumpNode
				n.target = int(p.table[min(uint64(uint32(to.arg)), uint64(len(p.table)-1))])
			default:
				return nil, 0, errOther
			}
		case opBrTable:
			return nil, 0, errOther
		case opLocalGet:
			// PC_B is read nowhere else than between these two.
			if in.arg == pcLocal && (p.at >= len(p.code) || p.code[p.at].op != opCallIndirect) {
				return nil, 0, errOther
			}
		}
		all = append(all, n)
	}
	return nil, 0, errShort
}

// leaves reports whether control never reaches the end of nodes.
func leaves(nodes []node) bool {
	if len(nodes) == 0 {
		return false
	}
	return nodes[len(nodes)-1].ends()
}

func (n *node) ends() bool {
	switch n.op {
	case jumpNode, endingNode, opReturn, opUnreachable, opBr:
		return true
	}
	return false
}

// trim cuts off what can never run.
func trim(nodes []node, ending func(f uint32) bool) []node {
	for i := range nodes {
		n := &nodes[i]
		n.body, n.other = trim(n.body, ending), trim(n.other, ending)
		if n.op == unwindNode && i >= 3 && nodes[i-3].op == opCall && ending(uint32(nodes[i-3].arg)) {
			nodes[i-3].op = endingNode
			return nodes[:i-2]
		}
		if n.ends() {
			return nodes[:i+1]
		}
	}
	return nodes
}
