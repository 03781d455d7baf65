package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestListDiff(t *testing.T) {
	before := writeTree(t, map[string]string{"telemetry.txt": evidence + "||tracker.example^\n||old.example^\n", "sites/site.json": exampleSite})
	after := writeTree(t, map[string]string{
		"telemetry.txt":   evidence + "||new.example^\n||new.example/x^$image\n",
		"sites/site.json": exampleSite,
		"recipients.json": `[{"name": "New", "country": "FR", "hosts": ["new.example"], "source": "https://example.org/", "date": "2026-08-14"}]`,
	})
	const want = `[recipients] 1 more, 0 fewer
  + new.example  FR  New
[hosts] 1 more, 2 fewer
  - old.example
  - tracker.example
  + new.example   New (FR)
[rules] 1 more, 0 fewer
  + ||new.example/x^$image   New (FR)
for whom
  New (FR)   2 more, 0 fewer
examples of protected sites that are decided otherwise: 1
  Booking: script https://tracker.example/x.js
    on https://booking.example/
    was  block (listed) by ||tracker.example^
    now  allow (unlisted)
`
	built := t.TempDir()
	if err := run([]string{"list", "build", "-o", built, after}, nil, &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{after, built, filepath.Join(built, "list.txt")} {
		var out strings.Builder
		if err := run([]string{"list", "diff", before, name}, nil, &out); err != nil || out.String() != want {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	var out strings.Builder
	if err := run([]string{"list", "diff", "-sites", before, built, built + "/list.txt"}, nil, &out); err != nil || out.String() != "the lists are the same\n" {
		t.Errorf("%v\n%s", err, out.String())
	}
	for want, args := range map[string][]string{
		"list diff: want two lists, before and after: each a list.txt, a directory of a build, or source directories between commas": {before},
		before + "/no: " + before + "/no: want a source directory, such as lists":                                                    {before, before + "/no"},
		"after: want a whole list.txt, which begins with \"paravent list 1\"":                                                        {before, filepath.Join(before, "telemetry.txt")},
	} {
		if err := run(append([]string{"list", "diff"}, args...), nil, &out); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// Two builds of the same lists on two checkouts, in folders of other names and
// with files of other days, are the same bytes.
func TestBuildsAreTheSame(t *testing.T) {
	var built [2]string
	for i := range built {
		built[i] = t.TempDir()
		lists := copyLists(t, filepath.Join(t.TempDir(), []string{"checkout", "another/and deeper"}[i]), int64(i)*40_000_000)
		args := []string{"list", "build", "-upstream", "../../../extension/node_modules", "-o", built[i], lists}
		if err := run(args, nil, &strings.Builder{}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(built[0])
	if err != nil || len(files) < 3 {
		t.Fatalf("%v: %d files", err, len(files))
	}
	for _, f := range files {
		one, err := os.ReadFile(filepath.Join(built[0], f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(filepath.Join(built[1], f.Name()))
		if err != nil || string(one) != string(other) {
			t.Errorf("%s: %d bytes and %d that differ: %v", f.Name(), len(one), len(other), err)
		}
	}
}

// copyLists copies the project's lists, with all files changed so many seconds
// after the year 2001 began.
func copyLists(t *testing.T, to string, age int64) string {
	t.Helper()
	files := os.DirFS("../../../lists")
	for _, pattern := range []string{"*.txt", "*.json", "sites/*.json"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(to, name)
			if err := os.MkdirAll(filepath.Dir(copied), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(copied, text, 0o666); err != nil {
				t.Fatal(err)
			}
			changed := time.Unix(978_307_200+age, 0)
			if err := os.Chtimes(copied, changed, changed); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}
