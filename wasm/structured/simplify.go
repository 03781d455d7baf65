package structured

// simplify says the same in fewer instructions: Go computes addresses in 64 bits
// and truncates them, makes booleans words of 64 bits, and gives a frame back in
// two steps.
func simplify(nodes []node) []node {
	var out []node
	for i := range nodes {
		n := nodes[i]
		n.body, n.other = simplify(n.body), simplify(n.other)
		out = add(out, n)
	}
	return out
}

func plain(op byte, arg int64) node {
	n := node{instruction: instruction{op: op, arg: arg, bytes: []byte{op}}}
	switch op {
	case opI32Const, opI64Const:
		n.bytes = appendSigned(n.bytes, arg)
	case opLocalGet, opLocalSet, opLocalTee, opGlobalGet, opGlobalSet, opBr:
		n.bytes = appendUnsigned(n.bytes, uint32(arg))
	}
	return n
}

func block(op byte, body []node) node {
	return node{instruction: instruction{op: op, arg: empty}, body: body}
}

// endsWith reports whether nodes end with these instructions.
func endsWith(nodes []node, ops ...byte) bool {
	if len(nodes) < len(ops) {
		return false
	}
	for i, op := range ops {
		if nodes[len(nodes)-len(ops)+i].op != op {
			return false
		}
	}
	return true
}

// add appends a node, or something simpler for it and those before.
func add(out []node, n node) []node {
	last := func(i int) *node { return &out[len(out)-i] }
	switch {
	case n.op == opNop:
		return out
	case n.op == opI32WrapI64 && endsWith(out, opI64ExtendI32U):
		return out[:len(out)-1]
	case n.op == opI32WrapI64 && endsWith(out, opI64Const, opI64Add):
		offset := int64(int32(last(2).arg))
		out = add(out[:len(out)-2], n)
		return append(out, plain(opI32Const, offset), plain(opI32Add, 0))
	case n.op == opI64Eqz && endsWith(out, opI64ExtendI32U):
		return add(out[:len(out)-1], plain(opI32Eqz, 0))
	case (n.op == opIf || n.op == opBrIf) && endsWith(out, opI32Eqz, opI32Eqz):
		return append(out[:len(out)-2], n)
	case n.op >= opLoadFirst && n.op <= opLoadLast && endsWith(out, opLocalGet, opI32Const, opI32Add) &&
		last(3).arg == spLocal && last(2).arg >= 0:
		return append(out[:len(out)-2], n.moved(last(2).arg))
	case n.op > opLoadLast && n.op <= opStoreLast:
		at := valueAt(out)
		if address := out[:max(at, 0)]; endsWith(address, opLocalGet, opI32Const, opI32Add) && address[at-3].arg == spLocal && address[at-2].arg >= 0 {
			n = n.moved(address[at-2].arg)
			out = append(address[:at-2], out[at:]...)
		}
	case n.op == opLocalTee && n.arg == spLocal, n.op == opLocalSet && n.arg == spLocal:
		// A frame is given back in two steps, the return address apart.
		if !endsWith(out, opLocalGet, opI32Const, opI32Add, opLocalTee, opGlobalSet, opLocalGet, opI32Const, opI32Add) {
			break
		}
		if k := len(out) - 8; out[k].arg == spLocal && out[k+3].arg == spLocal && out[k+4].arg == spGlobal && out[k+5].arg == spLocal {
			step := out[k+1].arg + out[k+6].arg
			out = append(out[:k+1], plain(opI32Const, step), plain(opI32Add, 0))
		}
	}
	return append(out, n)
}

// moved is a load or store with a larger offset.
func (n node) moved(by int64) node {
	r := reader{data: n.bytes, at: 1}
	align, offset := r.unsigned(), r.unsigned()
	n.bytes = appendUnsigned(appendUnsigned([]byte{n.op}, align), offset+uint32(by))
	return n
}

// valueAt is where the value begins that nodes leave on the stack, -1 when that
// is not so plain.
func valueAt(nodes []node) int {
	for at, wanted := len(nodes)-1, 1; at >= 0; at-- {
		taken, ok := nodes[at].takes()
		if !ok {
			return -1
		}
		if wanted += taken - 1; wanted == 0 {
			return at
		}
	}
	return -1
}

// takes is how many values an instruction takes off the stack that leaves one.
func (n *node) takes() (int, bool) {
	switch op := n.op; {
	case op == opLocalGet, op == opGlobalGet, op >= opI32Const && op <= opF64Const:
		return 0, true
	case op == opLocalTee, op >= opLoadFirst && op <= opLoadLast, op == opI32Eqz, op == opI64Eqz,
		op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b, // clz, ctz, popcnt
		op >= 0x8b && op <= 0x91, op >= 0x99 && op <= 0x9f, // abs to sqrt
		op >= opI32WrapI64 && op <= opNumericLast,
		op == opMore && n.arg <= moreConversions:
		return 1, true
	case op >= opNumericFirst && op < opI32WrapI64:
		return 2, true
	}
	return 0, false
}

// told reports whether the stack pointer's global is set before every return.
func told(nodes []node) bool {
	for i := range nodes {
		n := &nodes[i]
		if before := nodes[:i]; n.op == opReturn &&
			!endsWith(before, opGlobalSet, opI32Const) && !endsWith(before, opGlobalSet, opI32Const, opCall) {
			return false
		}
		if !told(n.body) || !told(n.other) {
			return false
		}
	}
	return true
}

// untold tells the stack pointer's global of the frame only where that is
// looked at: a call of Go's own kind sets it, and before any other it is set here.
func untold(nodes []node, foreign func(f uint32) bool) []node {
	var out []node
	for i := range nodes {
		n := nodes[i]
		n.body, n.other = untold(n.body, foreign), untold(n.other, foreign)
		if n.op == opCall && foreign(uint32(n.arg)) {
			out = append(out, plain(opLocalGet, spLocal), plain(opGlobalSet, spGlobal))
		}
		out = append(out, n)
		if n.op != opGlobalSet || n.arg != spGlobal || !endsWith(out[:len(out)-1], opI32Const, opI32Sub, opLocalTee) {
			continue
		}
		if call := nodes[i+1:]; len(call) > 2 && call[1].op == opI64Const && call[2].op == opI64Store {
			continue // the address to go on at is written, as before every call
		}
		out = append(out[:len(out)-2], plain(opLocalSet, spLocal))
	}
	return out
}
