package report_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/source"
	"paravent/server/report"
)

func registrable(host []byte) int {
	site, err := publicsuffix.EffectiveTLDPlusOne(string(host))
	if err != nil {
		return 0
	}
	return len(site)
}

const evidence = "! reason: It receives the address of every page.\n! source: https://example.org/report\n! date: 2026-08-14\n"

func files() fstest.MapFS {
	return fstest.MapFS{
		"telemetry.txt": {Data: []byte(evidence + "||tracker.example^\n||widgets.example^$third-party\n")},
		"sites/booking.json": {Data: []byte(`{
  "name": "Booking", "domains": ["booking.example"], "source": "https://example.org/", "date": "2026-08-14",
  "needs": [
    {"rule": "||consent.example^", "for": "consent", "source": "https://example.org/", "date": "2026-08-14"}
  ],
  "requests": [
    {"url": "https://tracker.example/x.js", "page": "https://booking.example/", "type": "script", "expect": "block", "reason": "listed"}
  ]
}`)},
		"recipients.json": {Data: []byte(`[
  {"name": "Tracker", "country": "US", "hosts": ["tracker.example", "metrics.example"], "source": "https://example.org/", "date": "2026-08-14"}
]`)},
	}
}

func sources(t testing.TB) (*compile.List, []source.SiteFile) {
	t.Helper()
	d := source.Directory{Name: "lists", Files: files()}
	list, _, err := source.Read([]source.Directory{d}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sites, err := source.Sites(d)
	if err != nil {
		t.Fatal(err)
	}
	return list, sites
}

const saved = `{
  "paravent-report": 1,
  "site": "www.booking.example",
  "says": "The calendar \u001b[31mstays empty",
  "requests": [
    {"url": "https://eu.metrics.example/collect/8812734/page?search=oncologist+paris", "type": "ping", "page": "https://www.booking.example/oncologist/paris", "decision": "allow", "reason": "unlisted"},
    {"url": "https://eu.metrics.example/tag.js", "type": "script", "page": "https://www.booking.example/…", "decision": "allow", "reason": "unlisted"},
    {"url": "https://widgets.example/calendar…", "type": "script", "page": "https://www.booking.example/oncologist/…", "decision": "block", "reason": "listed"},
    {"url": "https://www.booking.example/e/collect/anna.martin%40example.org", "type": "xmlhttprequest", "page": "https://www.booking.example/", "decision": "allow", "reason": "unlisted"},
    {"url": "https://leaky.example/p?u=https%3A%2F%2Fbooking.example", "type": "image", "page": "https://www.booking.example/", "decision": "block", "reason": "leak"},
    {"url": "https://trac…", "type": "image", "page": "https://www.booking.example/", "decision": "allow", "reason": "unlisted"},
    {"url": "https://tracker.example/x.js", "type": "script", "page": "https://www.booking.example/", "decision": "allow", "reason": "unlisted"},
    {"url": "https://www.booking.example/x.js", "type": "script", "page": "https://www.booking.example/", "decision": "allow", "reason": "unlisted"},
    {"url": "https://consent.example/x.js", "type": "script", "page": "https://www.booking.example/", "decision": "block", "reason": "listed"},
    {"url": "https://other.example/x.js", "type": "scripts", "page": "https://www.booking.example/", "decision": "allow", "reason": "unlisted"},
    {"url": "https://consent.example/y.js", "type": "script", "page": "https://www.booking.example/", "decision": "allow", "reason": "needed"},
    {"url": "https://other.example/x.js", "type": "script", "page": "https://www.booking.example/", "decision": "maybe", "reason": "unlisted"}
  ]
}`

func TestDraft(t *testing.T) {
	r, err := report.Parse([]byte(saved))
	if err != nil {
		t.Fatal(err)
	}
	list, sites := sources(t)
	draft, err := report.Make(r, list, sites, registrable)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	draft.Write(&out, "lists")
	want, err := os.ReadFile("testdata/draft.txt")
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%s", out.String())
	}
}

// What is pasted as it stands is refused, at every place where somebody must
// look for evidence; with the evidence it is taken.
func TestLintRefusesDrafts(t *testing.T) {
	r, err := report.Parse([]byte(saved))
	if err != nil {
		t.Fatal(err)
	}
	list, sites := sources(t)
	draft, err := report.Make(r, list, sites, registrable)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	draft.Write(&out, "lists")
	pasted := files()
	var rules, needs, requests, recipients []string
	for line := range strings.Lines(out.String()) {
		text, ok := strings.CutPrefix(line, "  ")
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), ",")
		switch {
		case !ok || strings.HasPrefix(text, "requests["):
		case strings.HasPrefix(text, `{"rule"`):
			needs = append(needs, ",\n"+text)
		case strings.HasPrefix(text, `{"url"`) && strings.Contains(text, `"listed"`):
			requests = append(requests, ",\n"+text)
		case strings.HasPrefix(text, `{"name"`):
			recipients = append(recipients, ",\n"+text)
		case strings.HasPrefix(text, "!"), strings.HasPrefix(text, "||"):
			if strings.HasPrefix(text, "! reason") {
				text = "\n" + text
			}
			rules = append(rules, text+"\n")
		}
	}
	if len(rules) != 12 || len(needs) != 2 || len(requests) != 4 || len(recipients) != 2 {
		t.Fatalf("%q %q %q %q", rules, needs, requests, recipients)
	}
	paste := func(filled bool) []source.Mistake {
		for name, c := range map[string]struct {
			before string
			lines  []string
		}{
			"telemetry.txt":      {"third-party\n", rules},
			"recipients.json":    {"}", recipients},
			"sites/booking.json": {"", nil},
		} {
			text := string(files()[name].Data)
			if name == "sites/booking.json" {
				text = strings.Replace(text, "}\n  ],\n  \"requests", "}"+strings.Join(needs, "")+"\n  ],\n  \"requests", 1)
				text = strings.Replace(text, "}\n  ]\n}", "}"+strings.Join(requests, "")+"\n  ]\n}", 1)
			} else {
				text = strings.Replace(text, c.before, c.before+strings.Join(c.lines, ""), 1)
			}
			if filled {
				for draft, evidence := range map[string]string{
					"<YYYY-MM-DD, the day you read it>": "2026-11-20", "<https address of the page that shows it>": "https://example.org/shown",
					"<https address of the page that says so>": "https://example.org/who", "<two capital letters>": "FR", "<the organisation>": "Somebody",
					"in one sentence>": "it was seen", "<what": "It is shown what", "<one of " + strings.Join(source.Purposes, ", ") + ">": "booking",
				} {
					text = strings.ReplaceAll(text, draft, evidence)
				}
			}
			pasted[name] = &fstest.MapFile{Data: []byte(text)}
		}
		s := source.Load([]source.Directory{{Name: "lists", Files: pasted}})
		return s.Lint(nil, source.Checks{Today: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Reasons: []string{"listed", "needed"}})
	}
	wrong := map[string]int{}
	for _, m := range paste(false) {
		if !m.Warning {
			wrong[m.File]++
		}
	}
	if got := fmt.Sprint(wrong); got != "map[lists/recipients.json:8 lists/sites/booking.json:6 lists/telemetry.txt:9]" {
		t.Errorf("%s\n%v", got, paste(false))
	}
	for _, m := range paste(true) {
		if !m.Warning {
			t.Error(m)
		}
	}
}

func TestUnknownSite(t *testing.T) {
	r, err := report.Parse([]byte(`{"paravent-report":1,"site":"https://other.example/x","requests":[{"url":"https://a.example/","type":"script","page":"https://other.example/","decision":"allow"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	list, sites := sources(t)
	draft, err := report.Make(r, list, sites, registrable)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	draft.Write(&out, "lists")
	if !strings.Contains(out.String(), "No list protects this site. If patients book there, begin lists/sites/NAME.json with") {
		t.Error(out.String())
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "report: unexpected end of JSON input: ask for the file as the extension saved it",
		"[]":                       "report: json: cannot unmarshal array into Go value of type struct { Version *int \"json:\\\"paravent-report\\\"\"; report.Report }: ask for the file as the extension saved it",
		"{}":                       `report: no field "paravent-report": this is no report of the extension`,
		`{"paravent-report":2}`:    "report: version 2, and this program reads 1: take the program of the same release as the extension",
		`{"paravent-report":1}`:    "report: no requests: nothing can be drafted from it",
		strings.Repeat(" ", 5<<20): "report: 5242880 bytes, and at most 4194304 are read: ask for one of the visit on which it went wrong",
		`{"paravent-report":1,"requests":[` + strings.Repeat("{},", 2000) + `{}]}`:                      "report: 2001 requests, and at most 2000 are read: ask for one of the visit on which it went wrong",
		`{"paravent-report":1,"says":"` + strings.Repeat("x", 64<<10+1) + `","requests":[{"url":"x"}]}`: "report: a text in it is longer than 65536 bytes: ask for the file as the extension saved it",
	} {
		if _, err := report.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.40q: %v\nwant %s", text, err, want)
		}
	}
}

// Whatever stands in a report, what is drafted from it is a rule that can be
// read, and nothing of it can act on a terminal.
func FuzzReport(f *testing.F) {
	f.Add([]byte(saved))
	f.Add([]byte(`{"paravent-report":1,"site":"https://[::1]/","says":"\u202e","requests":[{"url":"http://[::1]:80/a/b^c/*|$x,y?q","type":"image","page":"http://[::1]/","decision":"relay","reason":"leak"},{"url":"ws://xn--/…","type":"websocket","page":"https://a…b/","decision":"block"},{"url":"https://com/a b/c","type":"font","page":"https://com/","decision":"allow"}]}`))
	list, sites := sources(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.Parse(data)
		if err != nil {
			return
		}
		draft, err := report.Make(r, list, sites, registrable)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range draft.Parts {
			for _, rule := range []string{p.Stop, p.Need} {
				if rule == "" {
					continue
				}
				if read, err := filter.Parse(rule); err != nil || read.Host != p.Host {
					t.Fatalf("%s: %v", rule, err)
				}
			}
		}
		var out strings.Builder
		draft.Write(&out, "lists")
		for _, c := range out.String() {
			if c < ' ' && c != '\n' || c == 0x7f || c == 0x202e {
				t.Fatalf("%q", out.String())
			}
		}
	})
}

// What is left of an address may not be what the rule is about: the rule that
// the patient's browser named tells it.
func TestRuleOfCutAddress(t *testing.T) {
	list, sites := sources(t)
	pattern, err := filter.Parse("||cdn.example/doctors/*/photo.js")
	if err != nil {
		t.Fatal(err)
	}
	list.Rules = append(list.Rules, bundle.KindedRule{Kind: bundle.Block, Rule: pattern})
	for _, c := range []struct{ name, rule, want string }{
		{"a rule that the list has", pattern.String(), "1. cdn.example is stopped: by ||cdn.example/doctors/*/photo.js"},
		{"one that it no longer has", "||cdn.example/old/", `was stopped by "||cdn.example/old/", and this list lets it pass`},
		{"none", "", "was stopped, and this list lets it pass"},
		{"no rule at all", "\x1b[31m<script>", `was stopped by "\x1b[31m<script>", and`},
	} {
		r := &report.Report{Site: "booking.example", Requests: []report.Request{{
			URL: "https://cdn.example/…", Page: "https://booking.example/…", Type: "script", Decision: "block", Reason: "listed", Rule: c.rule,
		}}}
		draft, err := report.Make(r, list, sites, registrable)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var out strings.Builder
		draft.Write(&out, "lists")
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: want %q in\n%s", c.name, c.want, out.String())
		}
	}
}
