//go:build !js

package assembly

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"paravent/wasm/structured"
)

func run(t *testing.T, environment []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), environment...)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// TestFunctions holds a program with the functions in their places against
// native Go.
func TestFunctions(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node.js to run WebAssembly")
	}
	const program = "testdata/program.go"
	file := filepath.Join(t.TempDir(), "program.wasm")
	run(t, []string{"GOOS=js", "GOARCH=wasm"}, "go", "build", "-trimpath", "-ldflags=-w", "-o", file, program)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	result, err := structured.Rewrite(data, func(string) bool { return false }, Functions())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, result.Module, 0o666); err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(run(t, nil, "go", "env", "GOROOT"))
	want := strings.Split(run(t, nil, "go", "run", program), "\n")
	got := strings.Split(run(t, nil, node, root+"/lib/wasm/wasm_exec_node.js", file), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("it says %q, want %q", got[i], want[i])
		}
	}
}
