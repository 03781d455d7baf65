// Command strings writes the module that copies JavaScript's strings into
// WebAssembly's memory, see package assembly:
//
//	go run ./wasm/strings FILE.wasm
package main

import (
	"fmt"
	"os"

	"paravent/wasm/assembly"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "strings FILE.wasm writes the module that copies JavaScript's strings")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], assembly.Strings(), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, "strings:", err)
		os.Exit(1)
	}
}
