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
	site       = `{"name":"Booking","domains":["booking.example"],"source":"https://example.org/","date":"2026-08-14","needs":[{"rule":"||consent.example^","for":"consent","source":"https://example.org/","date":"2026-08-14"}],"requests":[{"url":"https://consent.example/x","page":"https://booking.example/","type":"script","expect":"allow","reason":"needed"}]}`
	recipients = `[{"name":"Tracker","country":"US","hosts":["tracker.example"],"source":"https://example.org/","date":"2026-08-14"}]`
	imported   = `[
		{"id":1,"action":{"type":"block"},"condition":{"urlFilter":"||a.example^"}},
		{"id":2,"action":{"type":"block"},"condition":{"urlFilter":"||b.example^","domainType":"thirdParty","resourceTypes":["script","image"]}},
		{"id":3,"action":{"type":"allow"},"condition":{"urlFilter":"||a.example/ok.js","initiatorDomains":["fine.example"],"excludedInitiatorDomains":["x.fine.example"]}},
		{"id":4,"action":{"type":"block"},"condition":{"urlFilter":"mail.example.com","resourceTypes":["xmlhttprequest"]}},
		{"id":5,"action":{"type":"block"},"condition":{"urlFilter":"/pixel.gif"}},
		{"id":6,"action":{"type":"block"},"condition":{"regexFilter":"^x"}},
		{"id":7,"action":{"type":"redirect"},"condition":{"urlFilter":"||c.example^"}},
		{"id":8,"action":{"type":"block"},"condition":{"urlFilter":"||d.example^","requestMethods":["post"]}},
		{"id":9,"action":{"type":"block"},"condition":{"urlFilter":"||münchen.example^"}},
		{"id":10,"action":{"type":"block"},"condition":{"urlFilter":"||a.example^"}},
		{"id":11,"action":{"type":"block"},"condition":{"urlFilter":"||e*.example^"}},
		{"id":12,"action":{"type":"block"},"condition":{"urlFilter":"||f.example/path*x","excludedResourceTypes":["script"]}}
	]`
	modules  = fstest.MapFS{"upstream/rules.json": {Data: []byte(imported)}}
	upstream = fmt.Sprintf(`[{"name":"Upstream","package":"upstream","version":"1","path":"rules.json","format":"dnr","licence":"GPL-3.0-only","homepage":"https://example.org/","sha256":"%x"}]`, sha256.Sum256([]byte(imported)))
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
	list, report, err := source.Read([]source.Directory{{Files: sources()}}, modules, nil)
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
xn--mnchen-3ya.example
[rules]
||b.example^$third-party,script,image
||f.example/path*x$~script
`
	if got := string(list.Text()); got != want {
		t.Errorf("got\n%s", got)
	}
	if report.In != 15 || report.Repeats != 1 {
		t.Errorf("%d in, %d repeats", report.In, report.Repeats)
	}
	leftOut := map[string]int{
		"mail-open pixel (a bare name with types)": 1, "pattern without a host": 1, "regular expression": 1,
		"action redirect": 1, "condition requestMethods": 1, "part of a host": 1,
	}
	if !maps.Equal(report.LeftOut, leftOut) {
		t.Errorf("left out %v", report.LeftOut)
	}
	total := report.Repeats
	for _, counts := range []map[string]int{report.Used, report.LeftOut} {
		for _, n := range counts {
			total += n
		}
	}
	if total != report.In {
		t.Errorf("%d rules of %d are accounted for", total, report.In)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct{ file, old, new, want string }{
		{"telemetry.txt", "^", "", `telemetry.txt:4: ||tracker.example: unsupported: part of a host: write the whole host and end it with "^" or a path`},
		{"telemetry.txt", "||", "@@||", `telemetry.txt:4: @@||tracker.example^: rules with "@@" belong into exceptions.txt, and only they`},
		{"telemetry.txt", "! reason: because\n", "", `telemetry.txt:3: no reason: write "! reason: …" above the rule, in the same paragraph`},
		{"telemetry.txt", "14\n", "14\n\n", `telemetry.txt:5: no reason: write "! reason: …" above the rule, in the same paragraph`},
		{"telemetry.txt", "https://example.org/report", "a friend", `telemetry.txt:4: source "a friend": want the address of the page that says so`},
		{"telemetry.txt", "2026-08-14", "last week", `telemetry.txt:4: date "last week": want the day it was read, such as 2026-08-14`},
		{"photos.txt", "*.jpg", "*.jpg$popup", `photos.txt:4: ||photos.example/doctors/*.jpg$popup: unsupported: option popup: known are third-party, first-party, domain= and the types, such as script`},
		{"exceptions.txt", "! nothing yet", said + "||a.example^", `exceptions.txt:4: ||a.example^: rules with "@@" belong into exceptions.txt, and only they`},
		{"sites/booking.json", `"name"`, `"nome"`, `sites/booking.json:1: json: unknown field "nome"`},
		{"sites/booking.json", `["booking.example"]`, `["Booking.example"]`, `sites/booking.json: domains: host "Booking.example": want a host name in lower case, such as example.com`},
		{"sites/booking.json", `"for":"consent"`, `"for":"fun"`, `sites/booking.json: needs[0].for "fun": want one of encryption, video, consent, anti-bot, payment, map, booking, login, assets, captcha`},
		{"sites/booking.json", `"||consent.example^"`, `"||consent.example^$domain=x.example"`, `sites/booking.json: needs[0].rule ||consent.example^$domain=x.example: want a rule without "@@" and domain=: it passes on this site's pages anyway`},
		{"sites/booking.json", `"script"`, `"scripts"`, `sites/booking.json: requests[0].type "scripts": want a type of webRequest, such as script`},
		{"sites/booking.json", `"allow"`, `"pass"`, `sites/booking.json: requests[0].expect "pass": want allow, block or relay`},
		{"recipients.json", `"US"`, `"usa"`, `recipients.json: [0] Tracker: country "usa": want two capital letters, such as US`},
		{"recipients.json", `"tracker.example"`, `"tracker.example","tracker.example"`, `recipients.json: [0] Tracker: host tracker.example belongs to Tracker already`},
		{"recipients.json", `[{`, "[\n{,", `recipients.json:2: invalid character ',' looking for beginning of object key string`},
		{"recipients.json", `}]`, `}] []`, `recipients.json: more than one JSON value: keep the first`},
		{"upstream.json", `"dnr"`, `"text"`, `upstream.json: Upstream: format "text": want dnr`},
		{"upstream.json", `"path":"rules.json"`, `"path":"other.json"`, `upstream.json: Upstream: open upstream/other.json: file does not exist: install the npm packages first (./build.sh build does)`},
	} {
		changed := sources()
		before := string(changed[c.file].Data)
		after := strings.Replace(before, c.old, c.new, 1)
		if after == before {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		changed[c.file] = &fstest.MapFile{Data: []byte(after)}
		if _, _, err := source.Read([]source.Directory{{Files: changed}}, modules, nil); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
	other := fstest.MapFS{"upstream/rules.json": {Data: []byte("[]")}}
	if _, _, err := source.Read([]source.Directory{{Files: sources()}}, other, nil); err == nil || !strings.HasPrefix(err.Error(), "upstream.json: Upstream: sha256: upstream/rules.json is ") {
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

func FuzzImport(f *testing.F) {
	f.Add([]byte(imported))
	f.Add([]byte(`[{"action":{"type":"block"},"condition":{"urlFilter":"||a^","initiatorDomains":[1,null]}}]`))
	f.Fuzz(func(t *testing.T, rules []byte) {
		modules := fstest.MapFS{"upstream/rules.json": {Data: rules}}
		up := fmt.Sprintf(`[{"name":"U","package":"upstream","path":"rules.json","format":"dnr","sha256":"%x"}]`, sha256.Sum256(rules))
		directory := fstest.MapFS{"telemetry.txt": {Data: []byte(said + "||a.example^\n")}, "upstream.json": {Data: []byte(up)}}
		list, _, err := source.Read([]source.Directory{{Name: "mine", Files: directory}}, modules, nil)
		if err == nil {
			list.Bundle()
		}
	})
}
