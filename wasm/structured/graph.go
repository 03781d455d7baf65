package structured

import "slices"

// A graph tells how control goes through the parts of a function, from the
// first on.
type graph struct {
	next  [][]int // of each part: where it may go, as often as it says so
	order []int   // the parts that can be reached, each behind all that lead to it but for loops
	place []int   // of each part in order, -1: it cannot be reached
	above []int   // of each part: the nearest that every way to it goes through
	heads []bool  // parts that begin a loop
	joins []bool  // parts that more than one way leads to, loops aside
	below [][]int // of each part: those whose above it is, in order
}

func graphOf(parts [][]node) *graph {
	n := len(parts)
	g := &graph{
		next: make([][]int, n), place: make([]int, n), above: make([]int, n),
		heads: make([]bool, n), joins: make([]bool, n), below: make([][]int, n),
	}
	for i, part := range parts {
		g.next[i] = jumps(nil, part)
		if !leaves(part) && i+1 < n {
			g.next[i] = append(g.next[i], i+1)
		}
		g.place[i] = -1
	}
	g.sort()
	return g
}

func jumps(to []int, nodes []node) []int {
	for i := range nodes {
		if nodes[i].op == jumpNode {
			to = append(to, nodes[i].target)
		}
		to = jumps(jumps(to, nodes[i].body), nodes[i].other)
	}
	return to
}

// sort puts the parts in reverse postorder.
func (g *graph) sort() {
	type visit struct{ part, next int }
	seen := make([]bool, len(g.next))
	stack := []visit{{0, 0}}
	seen[0] = true
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(g.next[top.part]) {
			g.order = append(g.order, top.part)
			stack = stack[:len(stack)-1]
			continue
		}
		to := g.next[top.part][top.next]
		top.next++
		if !seen[to] {
			seen[to] = true
			stack = append(stack, visit{to, 0})
		}
	}
	slices.Reverse(g.order)
	for i, part := range g.order {
		g.place[part] = i
	}
}

// dominate finds above, heads, joins and below. It returns false when some
// loop can be entered in two places: no nesting of blocks says that.
//
// Above is found as in Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
// Algorithm".
func (g *graph) dominate() bool {
	from := make([][]int, len(g.next))
	for _, part := range g.order {
		for _, to := range g.next[part] {
			from[to] = append(from[to], part)
		}
	}
	for i := range g.above {
		g.above[i] = -1
	}
	g.above[0] = 0
	for changed := true; changed; {
		changed = false
		for _, part := range g.order[1:] {
			nearest := -1
			for _, p := range from[part] {
				if g.above[p] < 0 {
					continue
				}
				if nearest < 0 {
					nearest = p
					continue
				}
				for p != nearest {
					if g.place[p] > g.place[nearest] {
						p = g.above[p]
					} else {
						nearest = g.above[nearest]
					}
				}
			}
			if nearest != g.above[part] {
				g.above[part], changed = nearest, true
			}
		}
	}
	for _, part := range g.order {
		forward := 0
		for _, p := range from[part] {
			if g.place[p] < g.place[part] {
				forward++
				continue
			}
			for ; g.place[p] > g.place[part]; p = g.above[p] {
			}
			if p != part {
				return false
			}
			g.heads[part] = true
		}
		g.joins[part] = forward > 1
		if part != 0 {
			g.below[g.above[part]] = append(g.below[g.above[part]], part)
		}
	}
	return true
}
