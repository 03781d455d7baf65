package structured

// A nester writes the parts of a function in blocks and loops instead of behind
// a table, as in Ramsey, "Beyond Relooper: Recursive Translation of
// Unstructured Control Flow to Structured Control Flow" (2022): a part stands
// inside the part that all ways to it go through. One that more than one way
// leads to follows a block that the others leave; any other stands where the
// jump to it stood.
type nester struct {
	parts  [][]node
	g      *graph
	depth  int
	labels []int // of a part: the depth of the block or loop that leads to it
}

// nest returns a function's parts as one piece, to whose end control never
// comes.
func nest(parts [][]node, g *graph) []node {
	n := &nester{parts: parts, g: g, labels: make([]int, len(parts))}
	return n.tree(0)
}

// open begins a block or loop that leads to a part.
func (t *nester) open(part int) {
	t.labels[part] = t.depth
	t.depth++
}

// tree is a part with all those below it.
func (t *nester) tree(part int) []node {
	if t.g.heads[part] {
		t.open(part)
	}
	var joins []int
	for _, p := range t.g.below[part] {
		if t.g.joins[p] {
			joins = append(joins, p)
		}
	}
	// The last stands behind all others.
	for i := len(joins) - 1; i >= 0; i-- {
		t.open(joins[i])
	}
	out := t.nodes(nil, t.parts[part], part)
	if !leaves(t.parts[part]) {
		out = t.jump(out, part, part+1)
	}
	for _, p := range joins {
		t.depth--
		out = append([]node{block(opBlock, out)}, t.tree(p)...)
	}
	if t.g.heads[part] {
		t.depth--
		out = []node{block(opLoop, out)}
	}
	return append(out, plain(opUnreachable, 0)) // a validator cannot know
}

func (t *nester) nodes(out, nodes []node, part int) []node {
	for _, n := range nodes {
		switch n.op {
		case jumpNode:
			out = t.jump(out, part, n.target)
			continue
		case opBlock, opLoop, opIf:
			t.depth++
			n.body, n.other = t.nodes(nil, n.body, part), t.nodes(nil, n.other, part)
			t.depth--
		}
		// Between a branch and its block within the part lie as many as before.
		out = append(out, n)
	}
	return out
}

// jump goes from one part to another, or has that here.
func (t *nester) jump(out []node, from, to int) []node {
	switch {
	case to >= len(t.parts): // behind the last
		return append(out, plain(opUnreachable, 0))
	case t.g.joins[to] || t.g.place[to] <= t.g.place[from]:
		return append(out, plain(opBr, int64(t.depth-1-t.labels[to])))
	}
	return append(out, t.tree(to)...)
}

// A writer writes instructions as bytes.
type writer struct {
	out      []byte
	depth    int    // of blocks around
	to, from uint32 // locals of its own, for addresses
}

// write returns a function's body. Whoever begins one that can be resumed
// anywhere else than at its first part is sent to another function, which has
// the body as it was.
func write(types []byte, nodes []node, resumed bool, before uint32) []byte {
	w := &writer{to: uint32(len(types)), from: uint32(len(types)) + 1}
	types = append(types[1:len(types):len(types)], i32, i32) // the parameter is none of the locals
	w.out = locals(types)
	if resumed {
		w.out = append(w.out, opLocalGet, pcLocal, opIf, empty, opLocalGet, pcLocal)
		w.number(opCall, before)
		w.out = append(w.out, opReturn, opEnd)
	}
	w.out = append(w.out, opGlobalGet, spGlobal, opLocalSet, spLocal, opBlock, empty)
	w.depth = 1
	w.nodes(nodes)
	w.out = append(w.out, opEnd, opI32Const, 1, opEnd)
	return w.out
}

// locals declares some.
func locals(types []byte) []byte {
	var groups, out []byte
	count := uint32(0)
	for i := 0; i < len(types); {
		n := i
		for n < len(types) && types[n] == types[i] {
			n++
		}
		groups = append(appendUnsigned(groups, uint32(n-i)), types[i])
		i, count = n, count+1
	}
	return append(appendUnsigned(out, count), groups...)
}

func (w *writer) number(op byte, n uint32) { w.out = appendUnsigned(append(w.out, op), n) }

func (w *writer) nodes(nodes []node) {
	for len(nodes) > 0 {
		n := &nodes[0]
		if done := w.memory(nodes); done > 0 {
			nodes = nodes[done:]
			continue
		}
		nodes = nodes[1:]
		switch n.op {
		case unwindNode:
			w.number(opBrIf, uint32(w.depth-1))
		case endingNode:
			w.out = append(append(w.out, n.bytes...), opReturn)
		case opBlock, opLoop, opIf:
			w.out = append(w.out, n.op, empty)
			w.depth++
			w.nodes(n.body)
			if n.other != nil {
				w.out = append(w.out, opElse)
				w.nodes(n.other)
			}
			w.depth--
			w.out = append(w.out, opEnd)
		default:
			w.out = append(w.out, n.bytes...)
		}
	}
}

// maxInline is how many bytes of memory are filled or copied by single
// instructions. For memory.fill and memory.copy V8 calls a function of its own,
// even for a few bytes.
const maxInline = 256

// memory writes a memory.fill with zeros or a memory.copy of few bytes that
// nodes begin with, and returns how many nodes that were, or 0. Go never copies
// between places that overlap in part by this instruction with a constant.
func (w *writer) memory(nodes []node) int {
	is := func(i int, op byte, low, high int64) bool {
		return i < len(nodes) && nodes[i].op == op && low <= nodes[i].arg && nodes[i].arg <= high
	}
	switch {
	case is(0, opI32Const, 0, 0) && is(1, opI32Const, 1, maxInline) && is(2, opMore, moreFill, moreFill):
		w.number(opLocalSet, w.to)
		pieces(uint32(nodes[1].arg), func(at uint32, load, store byte) {
			w.number(opLocalGet, w.to)
			w.out = append(w.out, opI64Const, 0)
			w.out = appendUnsigned(append(w.out, store, 0), at)
		})
		return 3
	case is(0, opI32Const, 1, maxInline) && is(1, opMore, moreCopy, moreCopy):
		w.number(opLocalSet, w.from)
		w.number(opLocalSet, w.to)
		pieces(uint32(nodes[0].arg), func(at uint32, load, store byte) {
			w.number(opLocalGet, w.to)
			w.number(opLocalGet, w.from)
			w.out = appendUnsigned(append(w.out, load, 0), at)
			w.out = appendUnsigned(append(w.out, store, 0), at)
		})
		return 2
	}
	return 0
}

// pieces cuts n bytes into those that one instruction loads and stores.
func pieces(n uint32, each func(at uint32, load, store byte)) {
	at := uint32(0)
	for _, piece := range [...]struct {
		size        uint32
		load, store byte
	}{{8, opI64Load, opI64Store}, {4, opI64Load32U, opI64Store32}, {2, opI64Load16U, opI64Store16}, {1, opI64Load8U, opI64Store8}} {
		for ; n-at >= piece.size; at += piece.size {
			each(at, piece.load, piece.store)
		}
	}
}
