package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListImport(t *testing.T) {
	dir := t.TempDir()
	list := "! Title: a list\n||tracker.example^\n||tracker.example^\n/pixel.gif?$image\n@@||b.example^\n||b.example^$badfilter\n" +
		"||c.example^$rewrite=noopjs\n##.ad\n##." + strings.Repeat("é", longestExample) + "\n##.ad3\n##.ad4\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(list)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"list": []byte(list), "list.gz": packed.Bytes(), "cut.gz": packed.Bytes()[:packed.Len()/2]} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"list", "list.gz"} {
		to := filepath.Join(dir, "out", name)
		var out strings.Builder
		if err := run([]string{"list", "import", "-v", "-format", "easylist", "-o", to, filepath.Join(dir, name)}, nil, &out); err != nil {
			t.Fatal(err)
		}
		want := `rules in             10
  used                1  exceptions
  used                1  hosts
  used                1  patterns
  repeats             1
  cancelled           1  by badfilter
  left out            4  element hiding rule
                         ##.ad
                         ##.` + strings.Repeat("é", (longestExample-3)/2) + `…
                         ##.ad3
  left out            1  option rewrite=
                         ||c.example^$rewrite=noopjs
list.txt `
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
		text, err := os.ReadFile(filepath.Join(to, "list.txt"))
		if err != nil || !strings.Contains(string(text), "[hosts]\ntracker.example\n[rules]\n/pixel.gif?$image\n") {
			t.Errorf("%v\n%s", err, text)
		}
		out.Reset()
		question := strings.NewReader(`{"url":"https://a.example/pixel.gif?1","page":"https://b.example/","type":"image"}`)
		if err := run([]string{"check", "-bundle", filepath.Join(to, "list.bundle")}, question, &out); err != nil || !strings.Contains(out.String(), `"rule":"/pixel.gif?$image"`) {
			t.Errorf("%v %s", err, out.String())
		}
	}
	for want, args := range map[string][]string{
		"list import: want one file, such as easyprivacy.txt or easyprivacy.txt.gz":             {},
		filepath.Join(dir, "list") + `: format "text": want easylist, dnr, hosts or disconnect`: {"-format", "text", filepath.Join(dir, "list")},
		filepath.Join(dir, "list") + ": not valid JSON":                                         {"-format", "dnr", filepath.Join(dir, "list")},
		filepath.Join(dir, "cut.gz") + ": unexpected EOF":                                       {filepath.Join(dir, "cut.gz")},
		"open " + filepath.Join(dir, "none") + ": no such file or directory":                    {filepath.Join(dir, "none")},
	} {
		err := run(append([]string{"list", "import", "-o", filepath.Join(dir, "refused")}, args...), nil, &strings.Builder{})
		if err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "refused")); err == nil {
		t.Error("a refused import left something behind")
	}
}
