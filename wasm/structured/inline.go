package structured

import "slices"

// Bounds of what is put in place of a call, in instructions.
const (
	maxCallee = 600
	maxCaller = 8000
)

// An inliner puts functions in place of their calls.
//
// Memory stays as it was with the call: the address to go on at is written, and
// frame and arguments lie where they lay, so that a stack that is looked at or
// resumed is the same. Only the call itself goes, and the stack pointer's
// global is not told of the frame.
type inliner struct {
	m      *module
	chosen func(f uint32) bool
	known  map[uint32]*inlined
}

// inlined is a function that is ready for writing, or for a caller.
type inlined struct {
	types []byte
	own   int // how many of the locals are its own
	parts [][]node
	nodes []node // its parts as one piece, nil: it cannot have that
	size  int
	lazy  bool // its returns tell the stack pointer themselves
	// resumed says that it may go on in its midst: it calls what returns. What
	// has made its stack grow begins anew.
	resumed bool
}

// function returns a function with others in place of its calls, nil when it
// cannot be read. One that calls itself is nil to itself.
func (in *inliner) function(f uint32) *inlined {
	if known, ok := in.known[f]; ok {
		return known
	}
	in.known[f] = nil
	body := in.m.bodies[f-uint32(in.m.imported)]
	split, err := split(body)
	if err != nil {
		return nil
	}
	g := &inlined{types: split.types, own: len(split.types), parts: split.parts, lazy: true}
	for i := range g.parts {
		g.parts[i] = trim(g.parts[i], in.m.ending)
		g.lazy = g.lazy && told(g.parts[i])
		g.size += size(g.parts[i])
		g.resumed = g.resumed || has(g.parts[i], unwindNode)
	}
	if g.lazy {
		for i := range g.parts {
			g.parts[i] = in.nodes(g, g.parts[i])
		}
	}
	graph := graphOf(g.parts)
	if !graph.dominate() {
		return nil
	}
	g.nodes = nest(g.parts, graph)
	in.known[f] = g
	return g
}

// nodes puts functions in place of the calls in nodes of f.
func (in *inliner) nodes(f *inlined, nodes []node) []node {
	var out []node
	for i := range nodes {
		n := nodes[i]
		n.body, n.other = in.nodes(f, n.body), in.nodes(f, n.other)
		out = append(out, n)
		if n.op != unwindNode || !endsWith(out, opI32Const, opI32Sub, opLocalTee, opGlobalSet,
			opLocalGet, opI64Const, opI64Store, opI32Const, opCall, opGlobalGet, opLocalSet, unwindNode) {
			continue
		}
		callee := uint32(out[len(out)-4].arg)
		if in.m.foreign(callee) || !in.chosen(callee) {
			continue
		}
		g := in.function(callee)
		if g == nil || !g.lazy || g.size > maxCallee || f.size+g.size > maxCaller {
			continue
		}
		body, ok := inPlace(g.nodes, f.room(g.types), 0)
		if !ok {
			continue
		}
		f.size += g.size
		address := slices.Clone(out[len(out)-8 : len(out)-5])
		out = append(out[:len(out)-10], plain(opLocalSet, spLocal))
		out = append(append(out, address...), block(opBlock, body))
	}
	return out
}

// room finds locals of f for those of a callee. Whatever is called elsewhere in
// f may have the same ones.
func (f *inlined) room(types []byte) []uint32 {
	to := []uint32{pcLocal, spLocal}
	taken := map[byte]int{}
	for _, t := range types[2:] {
		at := -1
		for i, skip := f.own, taken[t]; at < 0 && i < len(f.types); i++ {
			if f.types[i] == t {
				if skip == 0 {
					at = i
				}
				skip--
			}
		}
		if at < 0 {
			at = len(f.types)
			f.types = append(f.types, t)
		}
		taken[t]++
		to = append(to, uint32(at))
	}
	return to
}

// inPlace is a function's body for a place inside another's: with other locals,
// and leaving so many blocks where it returned. False: it returns in some other
// way.
func inPlace(nodes []node, locals []uint32, depth int) ([]node, bool) {
	var out []node
	for _, n := range nodes {
		switch n.op {
		case opLocalGet, opLocalSet, opLocalTee:
			n = plain(n.op, int64(locals[n.arg]))
		case opReturn:
			// The frame is given back, and the global told.
			if !endsWith(out, opLocalTee, opGlobalSet, opI32Const) || out[len(out)-1].arg != 0 {
				return nil, false
			}
			out = append(out[:len(out)-3], plain(opLocalSet, spLocal))
			n = plain(opBr, int64(depth))
		case opBlock, opLoop, opIf:
			var ok, also bool
			n.body, ok = inPlace(n.body, locals, depth+1)
			n.other, also = inPlace(n.other, locals, depth+1)
			if !ok || !also {
				return nil, false
			}
		}
		out = append(out, n)
	}
	return out, true
}

// has reports whether an instruction is among nodes.
func has(nodes []node, op byte) bool {
	return slices.ContainsFunc(nodes, func(n node) bool { return n.op == op || has(n.body, op) || has(n.other, op) })
}

func size(nodes []node) int {
	n := len(nodes)
	for i := range nodes {
		n += size(nodes[i].body) + size(nodes[i].other)
	}
	return n
}
