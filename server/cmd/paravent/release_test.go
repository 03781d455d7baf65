package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A maintainer's day, command by command: a list is built, a key made, two
// releases published, verified, and refused where they must be.
func TestKeyAndRelease(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write("source/telemetry.txt", "! reason: measures visitors\n! source: https://source.example/\n! date: 2026-11-22\n||tracker.example^\n")
	steps := func(lines [][3]string) {
		t.Helper()
		for _, line := range lines {
			command, wantOut, wantErr := line[0], line[1], line[2]
			var out, complaints bytes.Buffer
			var err error
			switch args := strings.Fields(command); args[0] {
			case "list":
				err = runList(args[1:], &out)
			case "key":
				err = runKey(args[1:], &out, &complaints)
			case "release":
				err = runRelease(args[1:], &out, &complaints)
			}
			if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) || !strings.Contains(out.String(), wantOut) {
				t.Errorf("paravent %s: printed %q, %v; want %q, %q", command, out.String(), err, wantOut, wantErr)
			}
			if wantErr != "" && out.Len() > 0 {
				t.Errorf("paravent %s fails, but prints %q", command, out.String())
			}
		}
	}
	steps([][3]string{
		{"list build -o built source", "", ""},
		{"key help", "paravent key new NAME DIR", ""},
		{"release", "paravent release publish", ""},
		{"release help", "paravent release verify", ""},
		{"release publish -h", "", ""},
		{"key new demo.one keys", "maintainer demo.one+", ""},
		{"key new two.example keys", "maintainer two.example+", ""},
		{"key new demo.one keys", "", "keys/demo.one.pub: file exists"},
		{"key new Two keys", "", `"Two" is no name for a key`},
		{"key new ../two keys", "", `"../two" is no name for a key`},
		{"key new .two keys", "", `".two" is no name for a key`},
		{"key new two+two keys", "", `"two+two" is no name for a key`},
		{"key new three keys/demo.one.key", "", "keys/demo.one.key"},
		{"key new three", "", "needs NAME and DIR"},
		{"key old", "", `unknown verb "old"`},
	})
	info, err := os.Stat("keys/demo.one.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret key: %v, %v", info.Mode(), err)
	}
	one, two := "maintainer "+read("keys/demo.one.pub"), "maintainer "+read("keys/two.example.pub")
	write("one.trust", "threshold 1\n"+one)
	write("two.trust", "threshold 1\n"+two)
	write("both.trust", "threshold 2\n"+one+two)
	write("bad.trust", "threshold 1\nmaintainer nobody\n")
	write("bad.key", "PRIVATE+KEY+nobody")

	steps([][3]string{
		{"release publish -store store -key keys/demo.one.key built", "release 1\n", ""},
		{"release publish -store store -key keys/two.example.key -wait 5 -days 1 built", "release 2\n", ""},
		{"release verify -trust one.trust store/releases/1", "signed by demo.one (1 needed)\none.trust trusts the demo key demo.one", ""},
		{"release verify -trust two.trust store/head", "wait    5 s\n", ""},
		{"release verify -trust two.trust store/head", "signed by two.example (1 needed)\n", ""},
		{"release verify -trust one.trust store/head", "", "store/head: release: signed by 0 trusted keys of the 1 needed"},
		{"release verify -trust both.trust store/head", "", "store/head: release: signed by 1 trusted keys of the 2 needed"},
		{"release verify -trust bad.trust store/head", "", "bad.trust: trust: line 2: maintainer"},
		{"release verify -trust one.trust nothing", "", "open nothing"},
		{"release verify -trust nothing store/head", "", "open nothing"},
		{"release verify -trust one.trust", "", "needs -trust FILE and, last, NOTEFILE"},
		{"release verify -trust one.trust keys/demo.one.pub", "", "keys/demo.one.pub: release: not a whole signed note"},
		{"release publish -store store -key bad.key built", "", "bad.key: is not a key"},
		{"release publish -store store -key keys/demo.one.pub built", "", "keys/demo.one.pub: is not a key"},
		{"release publish -store store -key nothing built", "", "open nothing"},
		{"release publish -store store -key keys/demo.one.key nothing", "", "nothing/about.json"},
		{"release publish -store store -key keys/demo.one.key -days 0 built", "", "-days 0"},
		{"release publish -store store -key keys/demo.one.key -wait 0 built", "", "line 5: wait"},
		{"release publish -store store -key keys/demo.one.key", "", "needs -store DIR"},
		{"release publish -key keys/demo.one.key built", "", "needs -store DIR"},
		{"release push", "", `unknown verb "push"`},
	})
	if head := read("store/head"); !strings.Contains(head, "index 2\n") || head != read("store/releases/2") {
		t.Errorf("after all that failed, the head is %s", head)
	}
}
