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
// This holds for a function that begins at its beginning. The same function as
// it was stays beside it, and is called when a goroutine goes on: a call that
// switches goroutines returns 1 all the way out, and everything that a function
// keeps over a call lies in memory, so either can go on for the other.
// Functions of any other form stay as they are, also those whose loops have
// two entries.
//
// What is known of the runtime by name: some of its functions never return
// (panics, the growing of a stack). Behind such a call is nothing.
package structured

import (
	"errors"
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
// chosen by their names, such as "paravent_lists_bundle.scan" or "main.main".
// The same module gives the same bytes.
func Rewrite(data []byte, chosen func(name string) bool) (Result, error) {
	m, err := readModule(data)
	if err != nil {
		return Result{}, err
	}
	if len(m.names) == 0 {
		return Result{}, errors.New("the module does not name its functions: build it without -ldflags=-s")
	}
	result := Result{Functions: len(m.bodies)}
	for i := range result.Functions {
		if m.types[i] != m.goType || !chosen(m.names[uint32(m.imported+i)]) {
			continue
		}
		result.Chosen++
		body, ok := m.rewrite(m.bodies[i], uint32(m.imported+len(m.bodies)))
		if !ok {
			continue
		}
		result.Written++
		m.bodies, m.types = append(m.bodies, m.bodies[i]), append(m.types, m.goType)
		m.bodies[i] = body
	}
	result.Module = m.bytes()
	return result, nil
}

// rewrite returns a function's body in structured form, false when it cannot
// have one. before is the number that the function as it was gets.
func (m *module) rewrite(body []byte, before uint32) ([]byte, bool) {
	f, err := split(body)
	if err != nil {
		return nil, false
	}
	for i := range f.parts {
		f.parts[i] = trim(f.parts[i], m.ending)
	}
	g := graphOf(f)
	if !g.dominate() {
		return nil, false
	}
	return write(f, g, before), true
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
