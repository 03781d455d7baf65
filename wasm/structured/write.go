package structured

// A writer writes a function with its parts in blocks and loops instead of
// behind a table, as in Ramsey, "Beyond Relooper: Recursive Translation of
// Unstructured Control Flow to Structured Control Flow" (2022): a part stands
// inside the part that all ways to it go through. One that more than one way
// leads to follows a block that the others leave; any other stands where the
// jump to it stood.
type writer struct {
	out      []byte
	f        *function
	g        *graph
	depth    int
	labels   map[int]int // of a part: the depth of the block or loop that leads to it
	to, from uint32      // locals of its own, for addresses
}

// unwindLabel stands for no part: it leads out of the function, with 1.
const unwindLabel = -1

// write returns the function's body. Whoever begins it anywhere else than at
// its first part is sent to another function, which has the body as it was.
func write(f *function, g *graph, before uint32) []byte {
	w := &writer{f: f, g: g, labels: map[int]int{}, to: f.count, from: f.count + 1}
	w.out = append(appendUnsigned(nil, f.groups+1), f.locals...)
	w.out = append(w.out, 2, i32)
	w.out = append(w.out, opLocalGet, pcLocal, opIf, empty, opLocalGet, pcLocal)
	w.number(opCall, before)
	w.out = append(w.out, opReturn, opEnd, opGlobalGet, spGlobal, opLocalSet, spLocal)
	w.open(opBlock, unwindLabel)
	w.tree(0)
	w.close()
	w.out = append(w.out, opI32Const, 1, opEnd)
	return w.out
}

func (w *writer) number(op byte, n uint32) { w.out = appendUnsigned(append(w.out, op), n) }

func (w *writer) open(op byte, label int) {
	w.out = append(w.out, op, empty)
	w.labels[label] = w.depth
	w.depth++
}

func (w *writer) close() {
	w.out = append(w.out, opEnd)
	w.depth--
}

func (w *writer) branch(op byte, label int) {
	w.number(op, uint32(w.depth-1-w.labels[label]))
}

// tree writes a part and all those below it. Control never comes to its end.
func (w *writer) tree(part int) {
	if w.g.heads[part] {
		w.open(opLoop, part)
	}
	var joins []int
	for _, p := range w.g.below[part] {
		if w.g.joins[p] {
			joins = append(joins, p)
		}
	}
	// The last stands behind all others.
	for i := len(joins) - 1; i >= 0; i-- {
		w.open(opBlock, joins[i])
	}
	w.nodes(w.f.parts[part], part)
	if !leaves(w.f.parts[part]) {
		w.jump(part, part+1)
	}
	for _, p := range joins {
		w.close()
		w.tree(p)
	}
	if w.g.heads[part] {
		w.close()
	}
	w.out = append(w.out, opUnreachable) // a validator cannot know
}

func (w *writer) nodes(nodes []node, part int) {
	for len(nodes) > 0 {
		n := &nodes[0]
		if done := w.memory(nodes); done > 0 {
			nodes = nodes[done:]
			continue
		}
		nodes = nodes[1:]
		switch n.op {
		case jumpNode:
			w.jump(part, n.target)
		case unwindNode:
			w.branch(opBrIf, unwindLabel)
		case endingNode:
			w.out = append(append(w.out, n.bytes...), opReturn)
		case opBlock, opLoop, opIf:
			w.out = append(w.out, n.op, empty)
			w.depth++
			w.nodes(n.body, part)
			if n.other != nil {
				w.out = append(w.out, opElse)
				w.nodes(n.other, part)
			}
			w.close()
		default:
			// Between a branch and its block within the part lie as many as before.
			w.out = append(w.out, n.bytes...)
		}
	}
}

// jump goes from one part to another, or writes it here.
func (w *writer) jump(from, to int) {
	switch {
	case to >= len(w.f.parts): // behind the last
		w.out = append(w.out, opUnreachable)
	case w.g.joins[to] || w.g.place[to] <= w.g.place[from]:
		w.branch(opBr, to)
	default:
		w.tree(to)
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
