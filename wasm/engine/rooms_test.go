package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// dependencies asks the go command what a package stands on, itself included.
func dependencies(t *testing.T, wasm bool, pattern string) []string {
	t.Helper()
	command := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", pattern)
	if wasm {
		command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	}
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pattern, err)
	}
	return strings.Fields(string(out))
}

// Every wake of the extension's worker pays for what the engine stands on, so
// the list is short and kept by hand. None of these opens a door to JSON,
// signatures, the network or fmt.
func TestTheEngineStandsOnLittle(t *testing.T) {
	allowed := strings.Fields(`
		bytes cmp encoding/binary errors io iter math math/bits reflect runtime slices strconv strings sync
		sync/atomic unicode unicode/utf8 unsafe
		paravent/lists/address paravent/lists/bundle paravent/lists/filter
		paravent/wasm/engine paravent/wasm/leak paravent/wasm/match paravent/wasm/memory`)
	for _, name := range dependencies(t, true, "paravent/wasm/engine") {
		if !strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "runtime/") && !slices.Contains(allowed, name) {
			t.Errorf("the engine now stands on %s", name)
		}
	}
}

// lists ← wasm ← server, never the other way.
func TestRoomsPointOneWay(t *testing.T) {
	for room, above := range map[string][]string{
		"paravent/lists/...": {"paravent/wasm/", "paravent/server/"},
		"paravent/wasm/...":  {"paravent/server/"},
	} {
		for _, name := range dependencies(t, strings.Contains(room, "wasm"), room) {
			for _, prefix := range above {
				if strings.HasPrefix(name, prefix) {
					t.Errorf("%s depends on %s", room, name)
				}
			}
		}
	}
}
