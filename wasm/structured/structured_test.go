//go:build !js

package structured

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func all(string) bool { return true }

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var errors bytes.Buffer
	c := exec.Command(name, args...)
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errors.Bytes())
	}
	return string(out)
}

// built compiles a program for js/wasm.
func built(t *testing.T, flags string, program string) []byte {
	t.Helper()
	t.Setenv("GOOS", "js")
	t.Setenv("GOARCH", "wasm")
	file := filepath.Join(t.TempDir(), "program.wasm")
	run(t, "go", "build", "-trimpath", "-ldflags="+flags, "-o", file, program)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestProgram holds a program with all its functions rewritten, the runtime's
// too, against native Go.
func TestProgram(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node.js to run WebAssembly")
	}
	const program = "testdata/program.go"
	want := run(t, "go", "run", program)
	data := built(t, "-w", program)
	result, err := Rewrite(data, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Written < result.Functions/2 {
		t.Errorf("%d of %d functions were rewritten", result.Written, result.Functions)
	}
	again, err := Rewrite(data, all, nil)
	if err != nil || !bytes.Equal(again.Module, result.Module) {
		t.Error("the same module does not give the same bytes")
	}
	file := filepath.Join(t.TempDir(), "rewritten.wasm")
	if err := os.WriteFile(file, result.Module, 0o666); err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(run(t, "go", "env", "GOROOT"))
	if got := run(t, node, "--stack-size=8192", root+"/lib/wasm/wasm_exec_node.js", file); got != want {
		t.Errorf("rewritten it says\n%s\nwant\n%s", got, want)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"nothing":        {"", "no WebAssembly module"},
		"text":           {"package main", "no WebAssembly module"},
		"another kind":   {"\x00asm\x0d\x00\x01\x00", "no WebAssembly module"},
		"no names":       {string(head), "without -ldflags=-s"},
		"cut off":        {string(head) + "\x01\x05\x60", "section 1: ends too early"},
		"no type":        {string(head) + "\x01\x02\x01\x5f", "section 1: a type is none of a function"},
		"bodies missing": {string(head) + "\x03\x02\x01\x00", "1 functions have 0 bodies"},
		"too many":       {string(head) + "\x0a\x05\xff\xff\xff\xff\x0f", "section 10: ends too early"},
		"a long number":  {string(head) + "\x0a\x05\xff\xff\xff\xff\x7f", "section 10: a number has more than 32 bits"},
		"bytes behind":   {string(head) + "\x03\x02\x00\x00", "section 3: has bytes behind its end"},
		"a memory":       {string(head) + "\x02\x06\x01\x00\x00\x02\x00\x01", "section 2: a Go program imports functions alone"},
	} {
		if _, err := Rewrite([]byte(c.data), all, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// module makes one with a single function of Go's type.
func moduleOf(body string) []byte {
	m := module{
		sections: []section{{typeSection, []byte("\x01\x60\x01\x7f\x01\x7f")}, {functionSection, nil}, {codeSection, nil}},
		types:    []uint32{0},
		bodies:   [][]byte{[]byte(body)},
	}
	names := "\x04name\x01\x04\x01\x00\x01f"
	return append(m.bytes(), append([]byte{customSection, byte(len(names))}, names...)...)
}

func TestForms(t *testing.T) {
	const (
		begin = "\x01\x01\x7f\x23\x00\x21\x01" // the stack pointer's copy
		twice = "\x02\x40\x02\x40\x20\x00\x0e\x01\x00\x01\x0b"
		jump  = "\x41\x01\x21\x00\x0c" // to part 1, through the loop whose label follows
	)
	for name, c := range map[string]struct {
		body    string
		written int
	}{
		"two parts":           {begin + twice + "\x01\x0b\x41\x00\x0f\x00\x0b", 1},
		"a loop":              {begin + "\x03\x40" + twice + "\x01\x0b" + jump + "\x00\x0b\x00\x0b", 1},
		"no parts":            {begin + "\x41\x00\x0b", 0},
		"no stack pointer":    {"\x00" + twice + "\x01\x0b\x41\x00\x0f\x00\x0b", 0},
		"a jump elsewhere":    {begin + "\x03\x40" + twice + "\x01\x0b\x0c\x00\x0b\x00\x0b", 0},
		"PC_B is read":        {begin + twice + "\x20\x00\x1a\x0b\x41\x00\x0f\x00\x0b", 0},
		"a table backwards":   {begin + "\x02\x40\x02\x40\x20\x00\x0e\x01\x01\x00\x0b\x01\x0b\x41\x00\x0f\x00\x0b", 0},
		"an unknown word":     {begin + twice + "\xfd\x0c\x0b\x41\x00\x0f\x00\x0b", 0},
		"cut off":             {begin + twice + "\x01\x0b\x41\x00", 0},
		"a value of a block":  {begin + twice + "\x02\x7f\x41\x00\x0b\x1a\x0b\x41\x00\x0f\x00\x0b", 0},
		"more behind the end": {begin + twice + "\x01\x0b\x41\x00\x0f\x00\x0b\x01", 0},
	} {
		result, err := Rewrite(moduleOf(c.body), all, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if result.Written != c.written {
			t.Errorf("%s: %d functions were rewritten, want %d", name, result.Written, c.written)
		}
	}
}

func TestAnotherBody(t *testing.T) {
	own, other := "\x00\x41\x00\x0b", "\x00\x41\x07\x0b"
	result, err := Rewrite(moduleOf(own), all, map[string][]byte{"f": []byte(other)})
	if err != nil || result.Chosen != 0 || !bytes.Contains(result.Module, []byte(other)) || bytes.Contains(result.Module, []byte(own)) {
		t.Errorf("%v, %d chosen, module % x", err, result.Chosen, result.Module)
	}
	if _, err := Rewrite(moduleOf(own), all, map[string][]byte{"g": []byte(other)}); err == nil || !strings.Contains(err.Error(), "no function g") {
		t.Errorf("a body for nobody: %v", err)
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add(moduleOf("\x01\x01\x7f\x23\x00\x21\x01\x03\x40\x02\x40\x02\x40\x20\x00\x0e\x01\x00\x01\x0b\x01\x0b\x41\x01\x21\x00\x0c\x00\x0b\x00\x0b"))
	f.Add(moduleOf("\x01\x01\x7f\x23\x00\x21\x01\x02\x40\x03\x40\x02\x40\x02\x40\x20\x00\x0e\x01\x00\x01\x0b\x41\x01\x04\x40\x41\x00\x21\x00\x0c\x02\x0b\x41\x00\x0d\x02\x0b\x41\x00\x0f\x0b\x00\x0b\x41\x01\x0b"))
	f.Add(head)
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := Rewrite(data, all, nil)
		if err != nil {
			return
		}
		if _, err := readModule(result.Module); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}

func TestSimplify(t *testing.T) {
	get, load, store := plain(opLocalGet, spLocal), plain(opI64Load, 0), plain(opI64Store, 0)
	load.bytes, store.bytes = []byte{opI64Load, 3, 4}, []byte{opI64Store, 3, 4}
	constant := func(n int64) node { return plain(opI64Const, n) }
	word := func(n int64) node { return plain(opI32Const, n) }
	op := func(o byte) node { return plain(o, 0) }
	address := []node{get, op(opI64ExtendI32U), constant(80), op(opI64Add), op(opI32WrapI64)}
	tell := []node{get, word(16), op(opI32Add), plain(opLocalTee, spLocal), plain(opGlobalSet, spGlobal)}
	for name, c := range map[string]struct {
		nodes []node
		want  string
	}{
		"an address":            {address, "\x20\x01\x41\xd0\x00\x6a"},
		"a load":                {append(address[:5:5], load), "\x20\x01\x29\x03\x54"},
		"a store":               {append(address[:5:5], constant(0), store), "\x20\x01\x42\x00\x37\x03\x54"},
		"a store of a call's":   {append(address[:5:5], plain(opCall, 0), store), "\x20\x01\x41\xd0\x00\x6a\x10\x37\x03\x04"},
		"another register":      {[]node{plain(opLocalGet, 2), constant(8), op(opI64Add), op(opI32WrapI64), load}, "\x20\x02\xa7\x41\x08\x6a\x29\x03\x04"},
		"more than 32 bits":     {[]node{plain(opLocalGet, 2), constant(1<<32 + 8), op(opI64Add), op(opI32WrapI64)}, "\x20\x02\xa7\x41\x08\x6a"},
		"a word as a condition": {[]node{op(opI32Eqz), op(opI64ExtendI32U), op(opI64Eqz), plain(opBrIf, 0)}, "\x0d"},
		"a frame given back":    {append(append(tell[:5:5], get, word(8), op(opI32Add)), tell[3:]...), "\x20\x01\x41\x18\x6a\x22\x01\x24\x00"},
		"nothing":               {[]node{op(opNop)}, ""},
	} {
		var got []byte
		for _, n := range simplify(c.nodes) {
			got = append(got, n.bytes...)
		}
		if string(got) != c.want {
			t.Errorf("%s: % x, want % x", name, got, c.want)
		}
	}
}
