package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAudit(t *testing.T) {
	visit, err := filepath.Abs("../../../wasm/har/testdata/firefox.har")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	source := sourcesIn(t, "||stats.analytics.example^$image")
	t.Chdir(t.TempDir())
	if err := run([]string{"list", "build", source}, nil, &out); err != nil {
		t.Fatal(err)
	}
	cut := "cut.har"
	if err := os.WriteFile(cut, []byte(`{"log":{"entries":[{"request":{"url":7}}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, out, err string }{
		{visit, "stats.analytics.example           1  blocked 1 (listed)\n", ""},
		{visit + " -json", "\t\t\t\"name\": \"stats.analytics.example\",\n\t\t\t\"country\": \"\",\n\t\t\t\"purposes\": [],\n\t\t\t\"party\": \"third\",\n", ""},
		{"-json -bundle dist/lists/list.bundle " + visit, "\"text\": \"www.booking.example/oncologist/paris?insurance=private\"", ""},
		{"-har again.har -inspection inspection.json -csv table.csv " + visit, "Visited 3 pages", ""},
		{"again.har", "stats.analytics.example           1  blocked 1 (listed)\n", ""},
		{"-csv nowhere/table.csv " + visit, "", "open nowhere/table.csv: no such file"},
		{"", "", "audit: want one recorded visit, FILE.har"},
		{visit + " " + visit, "", "audit: want one recorded visit, FILE.har"},
		{"nothing.har", "", "open nothing.har: no such file"},
		{cut, "", "cut.har: entries[0]: request.url: a number does not belong here"},
		{"-bundle nothing " + visit, "", "open nothing: no such file or directory: build the list first"},
		{"-bundle cut.har " + visit, "", "cut.har: bundle: "},
	} {
		out.Reset()
		err := run(append([]string{"audit"}, strings.Fields(c.args)...), nil, &out)
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) || !strings.Contains(out.String(), c.out) {
			t.Errorf("audit %s: %v\n%s\nwant %s%s", c.args, err, out.String(), c.err, c.out)
		}
	}
}
