package source_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"paravent/lists/source"
)

const said = "! reason: because\n! source: https://example.org/report\n! date: 2026-08-14\n"

var (
	site = `{
  "name":"Booking",
  "domains":["booking.example"],
  "source":"https://example.org/","date":"2026-08-14",
  "needs":[
    {"rule":"||consent.example^","for":"consent","source":"https://example.org/","date":"2026-08-14"}
  ],
  "requests":[
    {"url":"https://consent.example/x","page":"https://booking.example/","type":"script","expect":"allow","reason":"needed"}
  ]
}`
	recipients = `[
  {"name":"Tracker","country":"US","hosts":["tracker.example"],
   "source":"https://example.org/","date":"2026-08-14"}
]`
	imported = `[
		{"id":1,"action":{"type":"block"},"condition":{"urlFilter":"||a.example^"}},
		{"id":2,"action":{"type":"allow"},"condition":{"urlFilter":"||a.example/ok.js","initiatorDomains":["fine.example"],"excludedInitiatorDomains":["x.fine.example"]}},
		{"id":3,"action":{"type":"redirect"},"condition":{"urlFilter":"||c.example^"}},
		{"id":4,"action":{"type":"block"},"condition":{"urlFilter":"||a.example^"}}
	]`
	modules  = fstest.MapFS{"upstream/rules.json": {Data: []byte(imported)}}
	upstream = fmt.Sprintf(`[{"name":"Upstream",
  "package":"upstream","version":"1.0.0","path":"rules.json",
  "format":"dnr","licence":"GPL-3.0-only","homepage":"https://example.org/",
  "sha256":"%x"}]`, sha256.Sum256([]byte(imported)))
)

func sources() fstest.MapFS {
	return fstest.MapFS{
		"telemetry.txt":      {Data: []byte(said + "||tracker.example^\n")},
		"photos.txt":         {Data: []byte(said + "||photos.example/doctors/*.jpg\n")},
		"exceptions.txt":     {Data: []byte("! nothing yet\n")},
		"sites/booking.json": {Data: []byte(site)},
		"recipients.json":    {Data: []byte(recipients)},
		"upstream.json":      {Data: []byte(upstream)},
	}
}

func TestRead(t *testing.T) {
	files := sources()
	files["telemetry.txt"] = &fstest.MapFile{Data: []byte(said + "||tracker.example^\n||always.example^$important\n")}
	list, report, err := source.Read([]source.Directory{{Files: files}}, modules, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `paravent list 1
[sites]
booking.example	Booking
[recipients]
tracker.example	US	Tracker
[needs]
||consent.example^$domain=booking.example
[exceptions]
@@||a.example/ok.js$domain=fine.example|~x.fine.example
[photos]
||photos.example/doctors/*.jpg
[hosts]
a.example
tracker.example
[rules]
||always.example^$important
`
	if got := string(list.Text()); got != want {
		t.Errorf("got\n%s", got)
	}
	if !maps.Equal(report.LeftOut, map[string]int{"action redirect": 1}) {
		t.Errorf("left out %v", report.LeftOut)
	}
	accounted(t, report)
	if report.Repeats != 1 {
		t.Errorf("%d repeats", report.Repeats)
	}
}

// accounted checks that every rule is in exactly one count.
func accounted(t *testing.T, r *source.Report) {
	t.Helper()
	total := r.Repeats + r.Cancelled
	for _, counts := range []map[string]int{r.Used, r.LeftOut} {
		for _, n := range counts {
			total += n
		}
	}
	if total != r.In {
		t.Errorf("%d rules of %d are accounted for: %+v", total, r.In, r)
	}
}

// A rule with badfilter takes away the same rule wherever it stands, and none
// of what a site needs.
func TestBadfilter(t *testing.T) {
	files := sources()
	files["telemetry.txt"] = &fstest.MapFile{Data: []byte(said + "||a.example^$badfilter\n||consent.example^$badfilter\n||tracker.example^$script,badfilter\n||tracker.example^\n")}
	files["exceptions.txt"] = &fstest.MapFile{Data: []byte(said + "@@||a.example/ok.js$domain=fine.example|~x.fine.example,badfilter\n")}
	list, report, err := source.Read([]source.Directory{{Files: files}}, modules, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(list.Text())
	if strings.Contains(text, "a.example\n") || strings.Contains(text, "ok.js") || !strings.Contains(text, "tracker.example\n") || !strings.Contains(text, "consent.example") {
		t.Errorf("got\n%s", text)
	}
	if report.Cancelled != 4+2 || report.Repeats != 1 {
		t.Errorf("%+v", report)
	}
	accounted(t, report)
}

func TestErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct{ file, old, new, want string }{
		{"telemetry.txt", "^", "?", `telemetry.txt:4: ||tracker.example?: a query right after the host never matches: write "/?"`},
		{"telemetry.txt", "||", "@@||", `telemetry.txt:4: @@||tracker.example^: rules with "@@" belong into exceptions.txt, and only they`},
		{"telemetry.txt", "! reason: because\n", "", `telemetry.txt:3: no reason: write "! reason: …" above the rule, in the same paragraph`},
		{"telemetry.txt", "14\n", "14\n\n", `telemetry.txt:5: no reason: write "! reason: …" above the rule, in the same paragraph`},
		{"telemetry.txt", "https://example.org/report", "a friend", `telemetry.txt:2: source "a friend": want the address of the page that says so, beginning with https://`},
		{"telemetry.txt", "2026-08-14", "last week", `telemetry.txt:3: date "last week": want the day it was read, such as 2026-08-14`},
		{"telemetry.txt", "||tracker.example^", `/(a)\1/`, `telemetry.txt:4: /(a)\1/: unsupported: regular expression with a back-reference: write the text again in place of \1`},
		{"photos.txt", "*.jpg", "*.jpg$popup", `photos.txt:4: ||photos.example/doctors/*.jpg$popup: unsupported: option popup: a rule is about what a page loads: name the types of that, such as script`},
		{"photos.txt", "||photos.example", "", `photos.txt:4: /doctors/*.jpg: a photo rule names a whole host, and is not important: a gateway fetches what it says`},
		{"photos.txt", "*.jpg", "*.jpg$important", `photos.txt:4: ||photos.example/doctors/*.jpg$important: a photo rule names a whole host, and is not important: a gateway fetches what it says`},
		{"exceptions.txt", "! nothing yet", said + "||a.example^", `exceptions.txt:4: ||a.example^: rules with "@@" belong into exceptions.txt, and only they`},
		{"sites/booking.json", `"name"`, `"nome"`, `sites/booking.json:2: unknown field "nome": want one of name, domains, source, date, needs, requests`},
		{"sites/booking.json", `["booking.example"]`, `["Booking.example"]`, `sites/booking.json:3: domains[0]: host "Booking.example": want a host name in lower case, such as example.com`},
		{"sites/booking.json", `"for":"consent"`, `"for":"fun"`, `sites/booking.json:6: needs[0].for "fun": want one of encryption, video, consent, anti-bot, payment, map, booking, login, assets, captcha`},
		{"sites/booking.json", `"||consent.example^"`, `"||consent.example^$domain=x.example"`, `sites/booking.json:6: needs[0].rule ||consent.example^$domain=x.example: want a rule without "@@", domain=, important and badfilter: it passes on this site's pages anyway`},
		{"sites/booking.json", `"script"`, `"scripts"`, `sites/booking.json:9: requests[0].type "scripts": want a type of webRequest, such as script`},
		{"sites/booking.json", `"allow"`, `"pass"`, `sites/booking.json:9: requests[0].expect "pass": want allow, block or relay`},
		{"recipients.json", `"US"`, `"usa"`, `recipients.json:2: Tracker: country "usa": want the two capital letters of ISO 3166, such as US`},
		{"recipients.json", `"tracker.example"`, `"tracker.example","tracker.example"`, `recipients.json:2: Tracker: host tracker.example belongs to Tracker already (recipients.json:2): keep it in one`},
		{"recipients.json", "[\n  {", "[\n  {,", `recipients.json:2: invalid character ',' looking for beginning of object key string: write a name in double quotes, or take out the comma before it`},
		{"recipients.json", "}\n]", "}\n]\n[]", `recipients.json:5: invalid character '[' after top-level value: the file holds one value: take out what follows it`},
		{"telemetry.txt", "reason:", "raeson:", `telemetry.txt:1: field "raeson": want reason, source or date`},
		{"sites/booking.json", `"Booking"`, `["Booking"]`, `sites/booking.json:2: name: want a text in double quotes, not a list`},
		{"sites/booking.json", `"name":"Booking"`, `"name":"Booking","name":"Other"`, `sites/booking.json:2: field "name" twice: keep one`},
		{"sites/booking.json", "  ],\n  \"requests", "  ]\n  \"requests", `sites/booking.json:8: invalid character '"' after object key:value pair: write a comma before it, or close what is open`},
		{"sites/booking.json", `"date":"2026-08-14"}`, `"date":"14.8.2026"}`, `sites/booking.json:6: needs[0].date "14.8.2026": want the day it was read, such as 2026-08-14`},
		{"sites/booking.json", `,"date":"2026-08-14"}`, `}`, `sites/booking.json:6: needs[0].date "": want the day it was read, such as 2026-08-14`},
		{"sites/booking.json", `||consent.example^`, `consent.js`, `sites/booking.json:6: needs[0].rule consent.js: want "||" and a whole host: what a site needs has a name`},
		{"recipients.json", "}\n]", "}", `recipients.json:3: unexpected end of JSON input: close every bracket, brace and quote`},
		{"recipients.json", `"US"`, `"UK"`, `recipients.json:2: Tracker: country "UK": want the two capital letters of ISO 3166, such as US (here GB)`},
		{"recipients.json", `https:`, `http:`, `recipients.json:3: Tracker: source "http://example.org/": want the address of the page that says so, beginning with https://`},
		{"upstream.json", `"1.0.0"`, `"^1.0.0"`, `upstream.json:2: Upstream: version "^1.0.0": want one exact version, such as 3.3.1: the same sources must give the same list`},
		{"upstream.json", `"sha256":"`, `"sha256":"x`, `upstream.json:4: Upstream: sha256 "x%x": want 64 hexadecimal digits, those of the file (sha256sum says them)`},
		{"upstream.json", `"dnr"`, `"text"`, `upstream.json:3: Upstream: format "text": want easylist, dnr, hosts or disconnect`},
		{"upstream.json", `"path":"rules.json"`, `"path":"other.json"`, `upstream.json:2: Upstream: open upstream/other.json: file does not exist: install the npm packages first (./build.sh build does)`},
	} {
		changed := sources()
		before := string(changed[c.file].Data)
		after := strings.Replace(before, c.old, c.new, 1)
		if after == before {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		changed[c.file] = &fstest.MapFile{Data: []byte(after)}
		c.want = strings.Replace(c.want, "%x", fmt.Sprintf("%x", sha256.Sum256([]byte(imported))), 1)
		if _, _, err := source.Read([]source.Directory{{Files: changed}}, modules, nil); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
	other := fstest.MapFS{"upstream/rules.json": {Data: []byte("[]")}}
	if _, _, err := source.Read([]source.Directory{{Files: sources()}}, other, nil); err == nil || !strings.HasPrefix(err.Error(), "upstream.json:4: Upstream: sha256: upstream/rules.json is ") {
		t.Error(err)
	}
	if _, _, err := source.Read([]source.Directory{{Files: fstest.MapFS{}}}, modules, nil); err == nil || err.Error() != "no rules: name a source directory such as lists" {
		t.Error(err)
	}
}

func TestErrorsNameTheDirectory(t *testing.T) {
	mine := sources()
	mine["telemetry.txt"] = &fstest.MapFile{Data: []byte("||tracker.example^\n")}
	_, _, err := source.Read([]source.Directory{{Name: "lists", Files: sources()}, {Name: "lists/mine", Files: mine}}, modules, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "lists/mine/telemetry.txt:1: no reason") {
		t.Error(err)
	}
}
