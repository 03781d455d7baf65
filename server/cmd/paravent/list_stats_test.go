package main

import (
	"strings"
	"testing"
)

func TestListStats(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"telemetry.txt":   evidence + "||tracker.example^\n||eu.tracker.example/x^$image\n/pixel.gif?\n",
		"sites/site.json": exampleSite,
		"recipients.json": `[{"name": "Tracker", "country": "FR", "hosts": ["tracker.example"], "source": "https://example.org/", "date": "2025-08-14"}]`,
	})
	var out strings.Builder
	if err := run([]string{"list", "stats", dir}, nil, &out); err != nil {
		t.Fatal(err)
	}
	got, _, _ := strings.Cut(out.String(), "bytes\n")
	want := `written here
          3  rules in telemetry.txt
          1  needs of 1 sites, held to 1 requests
imported from 0 lists by others
          0  rules, of which 0 are left out, 0 are repeats and 0 cancelled
rules in the list, by kind
          1  host + path
          1  hosts
          1  needs
          1  patterns
1 organisations with 1 hosts, by the country of their seat
          1  FR, to whom 2 rules stop requests
rules that stop requests, by who would receive them
          2  Tracker (FR)
          1  of hosts that nobody is known to stand behind, or of any host
protected sites
  Booking: 1 domain, 1 need, 1 request
6 entries with evidence, by the year in which it was read
          1  2025
          5  2026
the oldest
  2025-08-14  DIR/recipients.json:1  Tracker
  2026-08-14  DIR/telemetry.txt:4  ||tracker.example^
  2026-08-14  DIR/telemetry.txt:5  ||eu.tracker.example/x^$image
  2026-08-14  DIR/telemetry.txt:6  /pixel.gif?
  2026-08-14  DIR/sites/site.json:2  Booking
  2026-08-14  DIR/sites/site.json:3  Booking needs ||consent.example^
`
	if got = strings.ReplaceAll(got, dir, "DIR"); got != want {
		t.Errorf("got\n%s", got)
	}
}
