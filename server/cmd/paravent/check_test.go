package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sourcesIn writes a small source directory and returns its name.
func sourcesIn(t *testing.T, rule string) string {
	t.Helper()
	dir := t.TempDir()
	text := "! reason: because\n! source: https://example.org/\n! date: 2026-08-14\n" + rule + "\n"
	if err := os.WriteFile(filepath.Join(dir, "telemetry.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCheckAnswersEveryLine(t *testing.T) {
	built := t.TempDir()
	var out strings.Builder
	if err := run([]string{"list", "build", "-o", built, sourcesIn(t, "||tracker.example^$third-party\n||post.example^$method=post")}, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rules in              2\n", "used                2  hosts with options\n", "filter m=", "sha256 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("list build does not say %q:\n%s", want, out.String())
		}
	}
	var lines, wants []string
	for _, c := range []struct{ line, want string }{
		{`{"url":"https://a.tracker.example/?a<b","page":"https://booking.example/","type":"script"}`, `{"action":"block","reason":"listed","rule":"||tracker.example^$third-party"}`},
		{`{"url":"https://a.tracker.example/","page":"https://www.tracker.example/","type":"script"}`, `{"action":"allow","reason":"unlisted"}`},
		{`{"url":"https://tracker.example/","page":"https://booking.example/","type":"script","mode":"watch","body":"x","seen":[1]}`, `{"action":"allow","would":"block","reason":"listed","rule":"||tracker.example^$third-party"}`},
		{`{"url":"https://tracker.example/","page":"https://tracker.example.co.uk/","type":"script"}`, `{"action":"block","reason":"listed","rule":"||tracker.example^$third-party"}`},
		{`{`, `{"error":"line 5: want a JSON object: unexpected EOF"}`},
		{``, `{"error":"line 6: want a JSON object: EOF"}`},
		{`{"page":"https://booking.example/","type":"script"}`, `{"error":"line 7: url is missing: want {\"url\",\"page\",\"type\"}"}`},
		{`{"url":"x","page":"y","type":"scripts"}`, `{"error":"line 8: type \"scripts\": want a type of webRequest, such as script"}`},
		{`{"url":"x","page":"y","type":"script","mode":"on"}`, `{"error":"line 9: mode \"on\": want one of off watch protect strict"}`},
		{`{"url":"` + strings.Repeat("x", longestLine) + `"}`, `{"error":"line 10: longer than 4194304 bytes"}`},
		{`{"url":"nonsense","page":"y","type":"script"}`, `{"action":"block","reason":"unreadable"}`},
		{`{"url":"https://BÜCHER.example/","page":"https://xn--bcher-kva.example/","type":"script","mode":"strict"}`, `{"action":"allow","reason":"unlisted"}`},
		{`{"url":"https://a.shop.co.uk/","page":"https://b.market.co.uk/","type":"script","mode":"strict"}`, `{"action":"block","reason":"unknown"}`},
		{`{"url":"https://a.shop.co.uk/","page":"https://b.shop.co.uk/","type":"script","mode":"strict"}`, `{"action":"allow","reason":"unlisted"}`},
		{`{"url":"https://b.example/","page":"https://a.example/oncologist/paris","type":"xmlhttprequest","method":"POST","body":"u=oncologist%2Fparis"}`, `{"action":"block","reason":"leak"}`},
		{`{"url":"https://b.example/","page":"https://a.example/oncologist/paris","type":"image","referer":"https://a.example/oncologist/paris"}`, `{"action":"block","reason":"leak"}`},
		{`{"url":"https://b.example/","page":"https://a.example/oncologist/paris","type":"image","referer":"https://a.example/oncologist/paris","leaks":false}`, `{"action":"allow","reason":"unlisted"}`},
		{`{"url":"https://post.example/","page":"https://a.example/","type":"ping","method":"post"}`, `{"action":"block","reason":"listed","rule":"||post.example^$method=post"}`},
		{`{"url":"https://post.example/","page":"https://a.example/","type":"ping"}`, `{"action":"allow","reason":"unlisted"}`},
		{`{"url":"https://post.example/","page":"https://a.example/","type":"ping","method":7}`, `{"error":"line 20: want a JSON object: json: cannot unmarshal number into Go struct field question.method of type string"}`},
	} {
		lines = append(lines, c.line)
		wants = append(wants, c.want)
	}
	out.Reset()
	// The last line has no line feed and counts all the same.
	in := strings.NewReader(strings.Join(lines, "\n"))
	if err := run([]string{"check", "-bundle", filepath.Join(built, "list.bundle")}, in, &out); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != len(wants) {
		t.Fatalf("%d answers to %d lines", len(got), len(wants))
	}
	for i := range got {
		if got[i] != wants[i] {
			t.Errorf("line %d: %s\nwant    %s", i+1, got[i], wants[i])
		}
	}
}

func TestCheckExplains(t *testing.T) {
	built := t.TempDir()
	var out strings.Builder
	if err := run([]string{"list", "build", "-o", built, sourcesIn(t, "||tracker.example^$script")}, nil, &out); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	in := strings.NewReader(`{"url":"https://tracker.example/","page":"https://a.example/","type":"script","mode":"watch"}
{"url":"https://b.example/?u=oncologist%2Fparis","page":"https://a.example/oncologist/paris","type":"image"}
{"url":"https://b.example/","page":"https://a.example/","type":"image"}
`)
	if err := run([]string{"check", "--explain", "-bundle", filepath.Join(built, "list.bundle")}, in, &out); err != nil {
		t.Fatal(err)
	}
	want := `{"action":"allow","would":"block","reason":"listed","rule":"||tracker.example^$script","explain":"Would be blocked: the rule ||tracker.example^$script in the list's section [rules] blocks the host tracker.example and its subdomains for scripts."}
{"action":"block","reason":"leak","explain":"Blocked: it would tell another site words of the page's address in the request's URL (\"u\", percent), \"oncologist/paris\"."}
{"action":"allow","reason":"unlisted","explain":"Allowed: no rule of the list stops it, and no leak was found in it."}
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestWhatCannotBeBuiltChangesNothing(t *testing.T) {
	built := t.TempDir()
	var out strings.Builder
	if err := run([]string{"list", "build", "-o", built, sourcesIn(t, "||tracker.example^")}, nil, &out); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(built, "list.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]string{
		"tracker.example##.ad":   "telemetry.txt:4: tracker.example##.ad: unsupported: element hiding rule",
		"||tracker..example^":    `telemetry.txt:4: ||tracker..example^: host "tracker..example": want a whole host name, such as example.com`,
		"@@||tracker.example^":   `telemetry.txt:4: @@||tracker.example^: rules with "@@" belong into exceptions.txt, and only they`,
		"||tracker.example^$3pp": "telemetry.txt:4: ||tracker.example^$3pp: unsupported: option 3pp: known are third-party, first-party, domain=, to=, denyallow=, method=, match-case, important, badfilter, all and the types, such as script",
	} {
		dir := sourcesIn(t, rule)
		want = dir + "/" + want
		err := run([]string{"list", "build", "-o", built, dir}, nil, &out)
		if err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	after, err := os.ReadFile(filepath.Join(built, "list.bundle"))
	if err != nil || string(after) != string(before) {
		t.Errorf("a refused build touched the built list, %v", err)
	}
	cut := filepath.Join(built, "cut.bundle")
	if err := os.WriteFile(cut, before[:len(before)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"check", "-bundle", cut}, strings.NewReader(""), &out); err == nil || !strings.Contains(err.Error(), "cut.bundle: bundle: header: says ") {
		t.Error(err)
	}
}
