// Package assembly holds what Paravent writes in WebAssembly itself
// (https://webassembly.github.io/spec/core), because Go's compiler knows neither
// its vector instructions nor JavaScript's strings. It is what assembly is to
// other machines: short, and beside Go.
//
//   - Functions take the place of functions in Go, which stay there, say what
//     they do, and run everywhere else. Command structure puts them in:
//
//     structured.Rewrite(module, chosen, assembly.Functions())
//
//   - Strings is a module of its own, which JavaScript uses where it can.
//
// Tests hold both against Go and JavaScript.
package assembly

// Functions are bodies that take the place of Go's, by the functions' names.
func Functions() map[string][]byte {
	return map[string][]byte{"paravent_lists_address.spell": spell()}
}
