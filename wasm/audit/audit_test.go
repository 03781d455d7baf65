package audit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/audit"
	"paravent/wasm/har"
	"paravent/wasm/match"
)

const text = `paravent list 1
[sites]
booking.example	Booking
[recipients]
analytics.example	FR	Analytics Ltd
booking.example	FR	Booking
[needs]
||pay.example^$domain=booking.example
[exceptions]
[photos]
||res.photos.example/doctors/
[hosts]
analytics.example
[rules]
||www.booking.example/api/$first-party
`

// visit audits entries with the list above.
func visit(t *testing.T, entries []har.Entry) *audit.Report {
	t.Helper()
	data, err := compile.Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	list, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	matcher, err := match.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	matcher.Registrable = func(host []byte) int {
		site, _ := publicsuffix.EffectiveTLDPlusOne(string(host))
		return len(site)
	}
	archive := &har.Archive{Entries: entries}
	for i := range entries {
		entries[i].On = -1
	}
	result, err := audit.Visit(archive, matcher, list.Recipients())
	if err != nil {
		t.Fatal(err)
	}
	return result.Report
}

// The archives are made by hand after those of the two browsers, and the
// reports are what is printed of them.
func TestVisit(t *testing.T) {
	for _, c := range []struct{ archive, report string }{
		{"firefox.har", "firefox.txt"},
		{"chromium.har", "chromium.txt"},
		{"chromium.har", "chromium.json"},
	} {
		recorded, err := os.Open("../har/testdata/" + c.archive)
		if err != nil {
			t.Fatal(err)
		}
		defer recorded.Close()
		archive, err := har.Read(recorded)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/" + c.report)
		if err != nil {
			t.Fatal(err)
		}
		report := visit(t, archive.Entries)
		got := report.Text()
		if strings.HasSuffix(c.report, ".json") {
			text, err := json.MarshalIndent(report, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			got = string(text) + "\n"
		}
		if got != string(want) {
			t.Errorf("%s:\n%s\nwant %s:\n%s", c.archive, got, c.report, want)
		}
	}
}

func TestVisitOfNothing(t *testing.T) {
	report := visit(t, nil)
	if got, want := report.Text(), "Visited 0 pages with 0 requests, 0 of them to 0 recipients.\n\nOf the 0 requests, Paravent would have stopped none.\n"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if text, err := json.Marshal(report); err != nil || string(text) != `{"pages":[],"requests":0,"unsent":0,"outcomes":[],"recipients":[]}` {
		t.Errorf("%s, %v", text, err)
	}
}

// What was recorded may be long, and may have been written to be printed.
func TestVisitOfOddEntries(t *testing.T) {
	const page = "https://booking.example/oncologist/paris"
	entries := []har.Entry{
		{URL: page, Page: page},
		{URL: "data:text/plain,x", Page: page, Type: filter.Image},
		{URL: "moz-extension://1-2/x.svg", Page: page, Type: filter.Image},
		{URL: "https://256.256.256.256/", Page: page, Type: filter.Image},
		{URL: "https://b.example/?" + strings.Repeat("k", 1000) + "=" + page, Page: page, Type: filter.Image, Cookies: []string{"\x1b[31m", strings.Repeat("c", 1000), "\u202e"}},
		{URL: "https://[2001:db8::1]/", Page: page, Type: filter.Script},
		{URL: "https://c.example/", Page: "nonsense" + strings.Repeat("é", 1000), Type: filter.Script},
		{URL: "https://d.example/", Type: filter.Script, Method: "PROPFIND"},
	}
	for i := range 10 {
		entries = append(entries, har.Entry{
			URL: fmt.Sprintf("https://%c.analytics.example/?f%d=%s", 'a'+i, i, page), Page: page, Type: filter.Script, Cookies: []string{fmt.Sprint("c", i)},
		})
	}
	report := visit(t, entries)
	if report.Requests != 16 || len(report.Pages) != 2 || len(report.Recipients) != 6 {
		t.Errorf("%d requests, %d pages, %d recipients", report.Requests, len(report.Pages), len(report.Recipients))
	}
	printed := report.Text()
	for _, want := range []string{
		"\nAnalytics Ltd (FR)        10  blocked 10 (listed)\n    at a.analytics.example, b.analytics.example, c.analytics.example, d.analytics.example, 6 others\n",
		"\n    learnt in 6 ways more\n    was sent cookies, 10 times: c0, c1, c2, c3, 6 others\n",
		"\nan unreadable address      1  blocked 1 (unreadable)\n",
		"\n[2001:db8::1]              1  allowed 1 (unlisted)\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("want %q in\n%s", want, printed)
		}
	}
	for line := range strings.Lines(printed) {
		if strings.ContainsAny(line, "\x1b\u202e") || len(line) > 1000 {
			t.Errorf("prints %q", line)
		}
	}
}
