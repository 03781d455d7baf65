// Command structure gives a Go program for WebAssembly structured control
// flow (package structured), and the bodies of package assembly to the functions
// that these are for:
//
//	go run ./wasm/structure -only paravent_,main. MODULE.wasm
//
// writes it in place. The module must name its functions; afterwards it does
// not. -only says with what the names of those functions begin that are worth
// the bytes: most are there twice afterwards. Without it all are rewritten.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"paravent/wasm/assembly"
	"paravent/wasm/structured"
)

func main() {
	only := flag.String("only", "", "beginnings of the functions' `names`, with commas between")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "structure [-only NAMES] MODULE.wasm gives a Go program structured control flow, in place")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := rewrite(flag.Arg(0), strings.Split(*only, ",")); err != nil {
		fmt.Fprintf(os.Stderr, "structure: %s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

func rewrite(file string, prefixes []string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	result, err := structured.Rewrite(data, func(name string) bool {
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	}, assembly.Functions())
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d of %d functions have structured control flow, %d more bytes\n",
		file, result.Written, result.Functions, len(result.Module)-len(data))
	return os.WriteFile(file, result.Module, 0o666)
}
