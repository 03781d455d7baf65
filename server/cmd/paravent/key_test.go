package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"paravent/lists/release"
)

func TestKeyNew(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ args, out, complaints, err string }{
		{"", `^paravent key makes the keys`, ``, ""},
		{"help", `paravent key new -witness NAME DIR`, ``, ""},
		{"new -h", `^$`, `^paravent key makes the keys`, ""},
		{"new alice.example keys", `^maintainer alice\.example\+[0-9a-f]{8}\+\S+\n$`, `^$`, ""},
		{"new -witness north.example keys", `^witness north north\.example\+[0-9a-f]{8}\+\S+\n$`, `^$`, ""},
		{"new demo.one keys", `^maintainer demo\.one\+`, `^demo.one is a demo key: no package for patients may trust it\n$`, ""},
		{"new -witness demo.two keys", `^witness demo demo\.two\+`, `^demo.two is a demo key`, ""},
		{"new alice.example keys", `^$`, ``, "key new: open keys/alice.example.pub: file exists"},
		{"new -witness alice.example keys", `^$`, ``, "key new: open keys/alice.example.pub: file exists"},
		{"new Two keys", `^$`, ``, `key new: "Two" is no name for a key: use small letters, digits, "-" and "."`},
		{"new ../two keys", `^$`, ``, `key new: "../two" is no name for a key: use small letters, digits, "-" and "."`},
		{"new .two keys", `^$`, ``, `key new: ".two" is no name for a key: use small letters, digits, "-" and "."`},
		{"new two+two keys", `^$`, ``, `key new: "two+two" is no name for a key: use small letters, digits, "-" and "."`},
		{"new three keys/alice.example.key", `^$`, ``, "key new: mkdir keys/alice.example.key: not a directory"},
		{"new three", `^$`, ``, "key new: needs NAME and DIR"},
		{"new -loud three keys", `^$`, ``, "key new: flag provided but not defined: -loud"},
		{"old", `^$`, ``, `key: unknown verb "old"; "paravent key help" lists them`},
	} {
		var out, complaints bytes.Buffer
		err := runKey(strings.Fields(c.args), &out, &complaints)
		if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err ||
			!regexp.MustCompile(c.out).MatchString(out.String()) || !regexp.MustCompile(c.complaints).MatchString(complaints.String()) {
			t.Errorf("key %s: printed %q and %q, %v; want %s, %s, %s", c.args, out.String(), complaints.String(), err, c.out, c.complaints, c.err)
		}
	}
	for _, name := range []string{"alice.example", "north.example"} {
		if info, err := os.Stat("keys/" + name + ".key"); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the secret key: %v, %v", info, err)
		}
	}
	public, err := os.ReadFile("keys/north.example.pub")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := release.NewCosignerVerifier(strings.TrimSpace(string(public))); err != nil {
		t.Error(err)
	}
	if _, err := readKey("keys/alice.example.key"); err != nil {
		t.Error(err)
	}
}
