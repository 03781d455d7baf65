package source_test

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/source"
)

// lint is what is wrong with files, a line each.
func lint(files fstest.MapFS) []string {
	s := source.Load([]source.Directory{{Name: "lists", Files: files}})
	var all []string
	for _, m := range s.Lint(modules, source.Checks{
		Today: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Reasons: []string{"needed", "listed", "unlisted"},
	}) {
		text := m.Error()
		if m.Warning {
			text = "warning: " + text
		}
		all = append(all, text)
	}
	return all
}

const report = "! reason: It receives the address of every page.\n! source: https://example.org/report\n! date: 2026-08-14\n"

// right are sources without a mistake.
func right(t *testing.T) fstest.MapFS {
	files := sources()
	for name, text := range map[string]string{
		"telemetry.txt":  report + "||tracker.example^\n",
		"photos.txt":     report + "||photos.example/doctors/*.jpg\n",
		"exceptions.txt": report + "@@||fine.example^$third-party\n",
		"trust.txt":      "threshold 1\nmaintainer " + key(t, "anna.example", 1) + "\nlog " + key(t, "log.example", 2) + "\nquorum none\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// key is the text of a public key.
func key(t *testing.T, name string, seed byte) string {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
	text, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestNothingWrong(t *testing.T) {
	if all := lint(right(t)); all != nil {
		t.Errorf("%s", strings.Join(all, "\n"))
	}
}

// A typo in each kind of file gives its line and what to do, and nothing else.
func TestTypos(t *testing.T) {
	for _, c := range []struct{ file, old, new, want string }{
		{"telemetry.txt", "tracker.example^", "tracker example^", `lists/telemetry.txt:4: ||tracker example^: character ' ': write a host in punycode and a path in %-escapes`},
		{"telemetry.txt", "example^", "example^$third-prty", `lists/telemetry.txt:4: ||tracker.example^$third-prty: unsupported: option third-prty: known are third-party, first-party, domain=, to=, denyallow=, method=, match-case, important, badfilter, all and the types, such as script`},
		{"telemetry.txt", "tracker.example^", "google-analytics.com", `warning: lists/telemetry.txt:4: ||google-analytics.com: holds for every host that begins like this too, such as google-analytics.com.example.com: write "^" behind the host`},
		{"telemetry.txt", "tracker.example^", "co.uk^", `lists/telemetry.txt:4: ||co.uk^: holds for every host under co.uk: name the host that is meant`},
		{"telemetry.txt", "tracker.example^", "io^$third-party", `lists/telemetry.txt:4: ||io^$third-party: holds for every host under io: name the host that is meant`},
		{"telemetry.txt", "tracker.example^", "cloudfront.net^", `lists/telemetry.txt:4: ||cloudfront.net^: holds for everybody who is hosted at cloudfront.net: name one host there, or a path`},
		{"telemetry.txt", "||tracker.example^", "*$script", `lists/telemetry.txt:4: *$script: holds for every address: name a host, or the pages with domain=`},
		{"telemetry.txt", "||tracker.example^", "*", `lists/telemetry.txt:4: *: this rule holds for every request: name a host or a path, or give it options`},
		{"telemetry.txt", "||tracker.example^", "/ad/", `lists/telemetry.txt:4: /ad/: so short a pattern stands in addresses of all kinds: want at least 4 letters or digits, a host, or domain=`},
		{"telemetry.txt", "||tracker.example^", "/^https:.*(js|html)/", `lists/telemetry.txt:4: /^https:.*(js|html)/: holds for https://example.org/index.html, and so for nearly everything: name a host or more of the address`},
		{"telemetry.txt", "It receives the address of every page.", "<what it receives, in one sentence>", `lists/telemetry.txt:1: reason "<what it receives, in one sentence>": still a draft: write in its place what the host receives`},
		{"telemetry.txt", "It receives the address of every page.", "Tracker.", `lists/telemetry.txt:1: reason "Tracker.": want a sentence that says what the host receives`},
		{"telemetry.txt", "https://", "htps://", `lists/telemetry.txt:2: source "htps://example.org/report": want the address of the page that says so, beginning with https://`},
		{"telemetry.txt", "2026-08-14", "2062-08-14", `lists/telemetry.txt:3: date "2062-08-14": lies in the future: write the day on which the source was read`},
		{"photos.txt", "2026-08-14", "2026-14-08", `lists/photos.txt:3: date "2026-14-08": want the day it was read, such as 2026-08-14`},
		{"photos.txt", "||photos", "|photos", `lists/photos.txt:4: |photos.example/doctors/*.jpg: a photo rule names a whole host, and is not important: a gateway fetches what it says`},
		{"exceptions.txt", "@@", "@", `lists/exceptions.txt:4: @||fine.example^$third-party: rules with "@@" belong into exceptions.txt, and only they`},
		{"sites/booking.json", `"expect"`, `"expects"`, `lists/sites/booking.json:9: requests[0]: unknown field "expects": want one of url, page, type, expect, reason`},
		{"sites/booking.json", `"for":"consent"`, `"for":"cnsent"`, `lists/sites/booking.json:6: needs[0].for "cnsent": want one of encryption, video, consent, anti-bot, payment, map, booking, login, assets, captcha`},
		{"sites/booking.json", `,"reason":"needed"`, ``, `lists/sites/booking.json:9: requests[0].reason: missing: write why the decision is right: one of needed, listed, unlisted`},
		{"sites/booking.json", `"reason":"needed"`, `"reason":"neded"`, `lists/sites/booking.json:9: requests[0].reason "neded": want one of needed, listed, unlisted`},
		{"sites/booking.json", `"page":"https://booking.example/"`, `"page":"https://bookin.example/"`, `lists/sites/booking.json:9: requests[0].page "https://bookin.example/": lies on no domain of the site: want one of booking.example`},
		{"sites/booking.json", `"url":"https:`, `"url":"http`, `lists/sites/booking.json:9: requests[0].url "http//consent.example/x": cannot be read as an address: unknown scheme: want http, https, ws or wss`},
		{"sites/booking.json", `["booking.example"]`, `["booking.example","www.booking.example"]`, `lists/sites/booking.json:3: domain www.booking.example: lies under booking.example of Booking, which is protected with its subdomains: take it out`},
		{"recipients.json", `"country"`, `"contry"`, `lists/recipients.json:2: [0]: unknown field "contry": want one of name, country, hosts, purposes, source, date`},
		{"recipients.json", `["tracker.example"]`, `["tracker.example"],"purposes":["analitics"]`, `lists/recipients.json:2: Tracker: purposes "analitics": want one of ` + strings.Join(source.RecipientPurposes, ", ")},
		{"recipients.json", `["tracker.example"]`, `["tracker.example"],"purposes":["chat","chat"]`, `lists/recipients.json:2: Tracker: purposes "chat" twice: keep one`},
		{"recipients.json", `["tracker.example"]`, `["co.uk"]`, `lists/recipients.json:2: Tracker: host co.uk: is a public suffix, and nobody's own: name the hosts that are`},
		{"recipients.json", `["tracker.example"]`, `["tracker.example","eu.tracker.example"]`, `warning: lists/recipients.json:2: Tracker: host eu.tracker.example: lies under tracker.example, which says the same: take it out`},
		{"upstream.json", `"licence"`, `"license"`, `lists/upstream.json:3: [0]: unknown field "license": want one of name, package, version, path, format, licence, homepage, sha256`},
		{"trust.txt", "maintainer", "maintaner", `lists/trust.txt:2: "maintaner" is no word of a trust text: want threshold, maintainer, log, witness, group or quorum`},
	} {
		files := right(t)
		before := string(files[c.file].Data)
		after := strings.Replace(before, c.old, c.new, 1)
		if after == before {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		files[c.file] = &fstest.MapFile{Data: []byte(after)}
		if all := lint(files); !slices.Equal(all, []string{c.want}) {
			t.Errorf("%s\nwant\n%s", strings.Join(all, "\n"), c.want)
		}
	}
}

// Everything that is wrong is said, not only the first of it.
func TestAllMistakes(t *testing.T) {
	files := right(t)
	files["telemetry.txt"] = &fstest.MapFile{Data: []byte(report + `||a.example^
||sub.a.example^$script
||a.example^
||api.consent.example/log/
||consent.example/x^$domain=other.example
||example^$third-party
||pay.example^

||b.example^$important
`)}
	files["photos.txt"] = &fstest.MapFile{Data: []byte(report + "||photos.example/doctors/*.jpg\n||photos.example/doctors/\n")}
	files["exceptions.txt"] = &fstest.MapFile{Data: []byte(report + "@@||x.b.example^\n")}
	files["sites/second.json"] = &fstest.MapFile{Data: []byte(`{
  "name": "Second",
  "domains": [
    "booking.example",
    "second.booking.example"
  ],
  "source": "example.org",
  "needs": [
    {"rule": "||video.example^", "for": "video", "source": "https://example.org/", "date": "2026-08-14"},
    {"rule": "||pay.example/v1/", "for": "payment", "source": "https://example.org/", "date": "2026-08-14"},
    {"rule": "||eu.video.example/x", "for": "video", "source": "https://example.org/", "date": "2027-08-14"}
  ]
}`)}
	files["recipients.json"] = &fstest.MapFile{Data: []byte(`[
  {"name": "One", "country": "us", "hosts": ["one.example"], "source": "https://example.org/", "date": "2026-08-14"},
  {"name": "Two", "country": "FR",
   "hosts": [
     "two.example",
     "one.example",
     "Two.example"
   ], "source": "", "date": "2026-08-14"}
]`)}
	want := []string{
		`lists/exceptions.txt:4: @@||x.b.example^: loses to the important rule ||b.example^$important (lists/telemetry.txt:12): take one of them out`,
		`lists/photos.txt:4: ||photos.example/doctors/*.jpg: ||photos.example/doctors/ covers it (lists/photos.txt:5): take it out`,
		`lists/recipients.json:2: One: country "us": want the two capital letters of ISO 3166, such as US (here US)`,
		`lists/recipients.json:6: Two: host one.example belongs to One already (lists/recipients.json:2): keep it in one`,
		`lists/recipients.json:7: Two: host "Two.example": want a host name in lower case, such as example.com`,
		`lists/recipients.json:8: Two: source "": want the address of the page that says so, beginning with https://`,
		`lists/sites/second.json:1: date "": want the day it was read, such as 2026-08-14`,
		`warning: lists/sites/second.json:1: no requests: write at least one that must pass and one that must not, so that list test can hold the site to them`,
		`lists/sites/second.json:4: domain booking.example belongs to Booking already (lists/sites/booking.json): keep it in one`,
		`lists/sites/second.json:5: domain second.booking.example: lies under booking.example of Booking, which is protected with its subdomains: take it out`,
		`lists/sites/second.json:7: source "example.org": want the address of the page that says so, beginning with https://`,
		`lists/sites/second.json:11: date "2027-08-14": lies in the future: write the day on which the source was read`,
		`lists/sites/second.json:11: ||eu.video.example/x: ||video.example^ covers it (lists/sites/second.json:9): take it out`,
		`lists/telemetry.txt:5: ||sub.a.example^$script: ||a.example^ covers it (lists/telemetry.txt:4): take it out`,
		`lists/telemetry.txt:6: ||a.example^: stands in lists/telemetry.txt:4 already: keep one`,
		`warning: lists/telemetry.txt:7: ||api.consent.example/log/: does nothing on Booking, which needs ||consent.example^ (lists/sites/booking.json:6): narrow the need, or say with domain=~booking.example that this is meant`,
		`lists/telemetry.txt:9: ||example^$third-party: holds for every host under example: name the host that is meant`,
		`warning: lists/telemetry.txt:10: ||pay.example^: loses on Second to the need ||pay.example/v1/ (lists/sites/second.json:10): narrow the rule, or say with domain=~booking.example that this is meant`,
		`lists/telemetry.txt:12: no reason: write "! reason: …" above the rule, in the same paragraph`,
	}
	if all := lint(files); !slices.Equal(all, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
	}
}
