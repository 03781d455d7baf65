package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"paravent/lists/release"
	"paravent/server/ohttp"
)

func TestKeyNew(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ args, out, complaints, err string }{
		{"", `^paravent key makes the keys`, ``, ""},
		{"help", `paravent key new -witness NAME DIR`, ``, ""},
		{"new -h", `^$`, `^paravent key makes the keys`, ""},
		{"new alice.example keys", `^maintainer alice\.example\+[0-9a-f]{8}\+\S+\n$`, `^$`, ""},
		{"new -witness north.example keys", `^witness north north\.example\+[0-9a-f]{8}\+\S+\n$`, `^$`, ""},
		{"new -gateway photos.example keys", `^[A-Za-z0-9+/]{55}=\n$`, `^$`, ""},
		{"new -gateway photos.example keys", `^$`, ``, "key new: open keys/photos.example.pub: file exists"},
		{"new -gateway -witness west.example keys", `^$`, ``, "key new: no key is both a witness's and a gateway's: leave -witness or -gateway out"},
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

// A gateway knows its keys by one byte: a folder never has two alike, and the
// relay line of a release takes any two of them.
func TestKeysOfAGateway(t *testing.T) {
	dir := t.TempDir()
	for id := range 256 {
		key, err := ohttp.GenerateKey(byte(id))
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.Text()
		if err != nil {
			t.Fatal(err)
		}
		// Two are free, and a file that is no key is no matter.
		if id == 77 || id == 200 {
			text = "another key"
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%d.key", dir, id), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	for _, name := range []string{"one", "two"} {
		if err := runKey([]string{"new", "-gateway", name, dir}, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	line := "relay north https://relay.example/relay " + strings.Replace(strings.TrimSpace(out.String()), "\n", " ", 1) + "\n"
	relays, err := release.ParseRelays(line)
	if err != nil {
		t.Fatal(err)
	}
	if one, two := relays[0].Keys[0][0], relays[0].Keys[1][0]; min(one, two) != 77 || max(one, two) != 200 {
		t.Errorf("the keys are %d and %d, want 77 and 200", one, two)
	}
	err = runKey([]string{"new", "-gateway", "three", dir}, io.Discard, io.Discard)
	if want := "key new: " + dir + ": has a key for each of the 256 identifiers that there are: remove old ones"; err == nil || err.Error() != want {
		t.Errorf("one more: %v, want %s", err, want)
	}
	if _, err := os.Stat(dir + "/three.pub"); err == nil {
		t.Error("a failure leaves half a key")
	}
	for _, id := range []string{"77", "200"} {
		if err := os.Remove(dir + "/" + id + ".key"); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := ohttp.ReadKeys(dir); err != nil || len(keys.Configs()) != 256 {
		t.Errorf("the gateway does not take the folder: %v", err)
	}
}
