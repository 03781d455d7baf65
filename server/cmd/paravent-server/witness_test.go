package main

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paravent/lists/release"
)

func TestWitness(t *testing.T) {
	trust, logKey := trustAndKey(t)
	secret, _, err := release.GenerateCosigner(rand.Reader, "demo.witness")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key := filepath.Join(dir, "witness.key")
	if err := os.WriteFile(key, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ready := start(t, "witness", "-store", filepath.Join(dir, "seen"), "-listen", "127.0.0.1:0", "-key", key, "-trust", trust)
	origin := ready["witness"].(string)
	// It watches the log that the trust text names, and no other.
	if status, _, answer := ask(t, "POST", origin, "/add-checkpoint", "old 0\n\nother.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— other.example AAAAAAAA\n"); status != 404 || answer != "\"other.example\" is no log that this witness watches\n" {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, answer := ask(t, "POST", origin, "/add-checkpoint", "old 0\n\ndemo.log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— other.example AAAAAAAA\n"); status != 403 {
		t.Errorf("%d %s", status, answer)
	}
	const needs = "witness: needs -store DIR, -listen ADDR, -key FILE and -trust FILE"
	for args, want := range map[string]string{
		"":                                   needs,
		"-store s -listen a -trust " + trust: needs,
		"-store s -listen a -key nothing -trust " + trust:                           "witness: open nothing: no such file or directory",
		"-store s -listen a -trust nothing -key " + key:                             "witness: open nothing: no such file or directory",
		"-store " + dir + "/t -listen a -key " + logKey + " -trust " + trust:        "witness: " + logKey + `: is not a key made by "paravent key new -witness": `,
		"-store " + dir + "/t -listen 127.0.0.1:x -key " + key + " -trust " + trust: "witness: listen tcp",
	} {
		err := run(t.Context(), append([]string{"witness"}, strings.Fields(args)...), io.Discard, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("witness %s: %v, want %s", args, err, want)
		}
	}
}
