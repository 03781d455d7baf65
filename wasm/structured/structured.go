// Package structured gives a Go program for WebAssembly back the control flow
// that it was written with.
//
// WebAssembly knows blocks and loops, but no jumps, and a Go function must be
// able to go on in its midst once its goroutine runs again. So Go's compiler
// writes every function that has a jump or a call as a loop around a table
// (cmd/internal/obj/wasm):
//
//	loop
//	  block block block
//	    local.get $PC_B  br_table 0 1 2
//	  end …part 0…
//	  end …part 1…  i32.const 2  local.set $PC_B  br $loop
//	  end …part 2…
//	end
//
// and every jump goes through the table. No engine sees through that: whatever
// a function keeps in registers, it keeps for the whole of the one loop. A
// decision of Paravent's takes three times as long as native Go's.
//
// Here the parts and jumps are read, and the function is written again with
// blocks and loops:
//
//	…part 0…
//	loop
//	  …part 1…
//	  br_if $loop
//	end
//	…part 2…
//
// This holds for a function that begins at its beginning. One that calls others
// stays beside it as it was, too, and is called when a goroutine goes on: a
// call that switches goroutines returns 1 all the way out, and everything that
// a function keeps over a call lies in memory, so either can go on for the
// other. Functions of any other form stay as they are, also those whose loops
// have two entries.
//
// Besides, a small function takes the place of its call, a few bytes of memory
// are filled and copied without an engine's help, and the stack pointer is told
// to others only when somebody looks at it. What lies in memory at a call stays
// as Go has it, since a stack may be looked at, moved or resumed there.
//
// What is known of the runtime by name: some of its functions never return
// (panics, the growing of a stack). Behind such a call is nothing.
package structured

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Result tells what became of a module.
type Result struct {
	Module    []byte // without its custom sections, the names of the functions
	Chosen    int    // functions that were to be rewritten
	Written   int    // that were
	Functions int    // functions of the module before
}

// Rewrite gives structured control flow to the functions of a module that are
// chosen by their names, such as "paravent_lists_bundle.scan" or "main.main",
// and to others, by theirs, another body that is written by hand. The same
// module gives the same bytes.
func Rewrite(data []byte, chosen func(name string) bool, others map[string][]byte) (Result, error) {
	m, err := readModule(data)
	if err != nil {
		return Result{}, err
	}
	if len(m.names) == 0 {
		return Result{}, errors.New("the module does not name its functions: build it without -ldflags=-s")
	}
	result := Result{Functions: len(m.bodies)}
	in := &inliner{m: m, known: map[uint32]*inlined{}}
	in.chosen = func(f uint32) bool { return !m.foreign(f) && others[m.names[f]] == nil && chosen(m.names[f]) }
	bodies := slices.Clone(m.bodies)
	if err := m.replace(bodies, others); err != nil {
		return Result{}, err
	}
	for i := range m.bodies {
		f := uint32(m.imported + i)
		if !in.chosen(f) {
			continue
		}
		result.Chosen++
		g := in.function(f)
		if g == nil {
			continue
		}
		result.Written++
		nodes := simplify(g.nodes)
		if g.lazy {
			nodes = untold(nodes, m.foreign)
		}
		bodies[i] = write(g.types, nodes, g.resumed, uint32(m.imported+len(bodies)))
		if g.resumed {
			bodies, m.types = append(bodies, m.bodies[i]), append(m.types, m.goType)
		}
	}
	m.bodies = bodies
	result.Module = m.bytes()
	return result, nil
}

// replace puts other bodies in the place of functions' own.
func (m *module) replace(bodies [][]byte, others map[string][]byte) error {
	left := maps.Clone(others)
	for i := range bodies {
		f := uint32(m.imported + i)
		if body, ok := left[m.names[f]]; ok && !m.foreign(f) {
			bodies[i] = body
			delete(left, m.names[f])
		}
	}
	for name := range left {
		return fmt.Errorf("the module has no function %s: another body was to take the place of its own", name)
	}
	return nil
}

// foreign reports whether a function is none of Go's own kind: it may look at
// the stack pointer without being called as Go calls.
func (m *module) foreign(f uint32) bool {
	i := int(f) - m.imported
	return i < 0 || i >= len(m.types) || m.types[i] != m.goType
}

// ending reports whether a function never returns to its caller, but with 1.
func (m *module) ending(f uint32) bool {
	name, ok := strings.CutPrefix(m.names[f], "runtime.")
	return ok && (slices.Contains(endings, name) || strings.HasPrefix(name, "goPanic") || strings.HasPrefix(name, "panicunsafe"))
}

var endings = []string{
	"gopanic", "morestack", "morestack_noctxt", "panicdivide", "panicdottypeE", "panicdottypeI", "panicnildottype",
	"panicshift", "panicwrap", "sigpanic", "throw",
}
