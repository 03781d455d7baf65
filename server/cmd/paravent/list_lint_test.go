package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeTree writes files below a new directory.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const evidence = "! reason: It receives the address of every page.\n! source: https://example.org/report\n! date: 2026-08-14\n"

const exampleSite = `{
  "name": "Booking", "domains": ["booking.example"], "source": "https://example.org/", "date": "2026-08-14",
  "needs": [{"rule": "||consent.example^", "for": "consent", "source": "https://example.org/", "date": "2026-08-14"}],
  "requests": [{"url": "https://tracker.example/x.js", "page": "https://booking.example/", "type": "script", "expect": "block", "reason": "listed"}]
}`

func TestListLint(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"telemetry.txt":   evidence + "||tracker.example^\n||consent.example/log/\n",
		"sites/site.json": exampleSite,
	})
	var out strings.Builder
	if err := run([]string{"list", "lint", dir}, nil, &out); err != nil {
		t.Error(err)
	}
	want := dir + "/telemetry.txt:5: warning: ||consent.example/log/: does nothing on Booking, which needs ||consent.example^ (" +
		dir + "/sites/site.json:3): narrow the need, or say with domain=~booking.example that this is meant\n" +
		"2 rules, 1 sites, 0 organisations read: 0 mistakes, 1 warning\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	dir = writeTree(t, map[string]string{"telemetry.txt": evidence + "||tracker.example\n||com^\n", "recipients.json": "[{}]"})
	err := run([]string{"list", "lint", dir}, nil, &out)
	if err == nil || err.Error() != "list lint: put the mistakes right, each says how" || strings.Count(out.String(), "\n") != 7 {
		t.Errorf("%v\n%s", err, out.String())
	}
	empty := t.TempDir()
	if err := run([]string{"list", "lint", empty}, nil, &out); err == nil || err.Error() != empty+": nothing to read: name a source directory such as lists" {
		t.Error(err)
	}
	if err := run([]string{"list", "lint", empty + "/no"}, nil, &out); err == nil || err.Error() != empty+"/no: want a source directory, such as lists" {
		t.Error(err)
	}
}
