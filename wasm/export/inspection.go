// Package export writes a judged visit down for those who have to show it to
// others: as the inspection of the Website Evidence Collector, which
// regulators' tools open, and as a table.
//
// The same visit gives the same bytes. What was not looked at is not made up:
// its keys are there, empty, and the inspection says so under "script".
package export

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"paravent/wasm/audit"
)

// Inspection writes what the Website Evidence Collector of the European Data
// Protection Supervisor (https://code.europa.eu/EDPS/website-evidence-collector)
// calls inspection.json, with its keys:
//
//	{"title": "Paravent: www.booking.example", "uri_ins": "https://www.booking.example/oncologist", …,
//	 "cookies": [], "localStorage": {},
//	 "beacons": [{"url": "https://ads.example/pixel?id=1", "query": {"id": "1"},
//	   "filter": "||ads.example^", "listName": "Paravent: listed",
//	   "log": {"stack": [], "timestamp": "2026-11-22T08:10:02.160Z"}, "occurrances": 2}],
//	 "hosts": {"requests": {"firstParty": ["www.booking.example"], "thirdParty": ["ads.example"]}, …}}
//
// A beacon is a request to another party that the list names or that would tell
// it about the page, whether it was stopped or not; as there, those to one host
// and path are one. The filter is the rule's, "" where none decided, and the
// list's name goes with the reason. The misspelling of occurrances is theirs.
func Inspection(r *audit.Result) ([]byte, error) {
	var first page
	if len(r.Visit.Pages) > 0 {
		first.address = r.Visit.Pages[0].URL
		if u, err := url.Parse(first.address); err == nil {
			first.host, first.origin, first.isSecure = u.Hostname(), u.Scheme+"://"+u.Host, u.Scheme == "https"
		}
	}
	i := inspection{
		Title: "Paravent: " + cmp.Or(first.host, r.Visit.Domain), In: first.address, Refs: []string{}, Dest: first.address, Redirects: []string{},
		Secure: map[string]bool{"https_support": first.isSecure},
		Script: script{
			Name: "Paravent", Config: map[string]string{"mode": r.Visit.Mode},
			Limits: []string{
				"cookies: not looked at", "localStorage: not looked at", "links: not looked at", "contentSecurityPolicy: not looked at",
				"requests: those of the protected pages of one tab", fmt.Sprintf("requests: %d more were not kept", r.Visit.Dropped),
			},
		},
		LocalStorage: struct{}{}, Cookies: []string{}, Beacons: []beacon{}, History: []string{},
		Hosts: hosts{newParties(), newParties(), newParties(), newParties(), newParties(), newParties()},
		Start: moment(r, 0),
	}
	if first.origin != "" {
		i.Refs = []string{first.origin}
	}
	for _, p := range r.Visit.Pages {
		i.History = append(i.History, p.URL)
	}
	last := int64(0)
	found := map[string]int{} // beacons by what makes them one
	for n := range r.Entries {
		e := &r.Entries[n]
		last = max(last, e.At)
		i.Hosts.Requests.add(e)
		if e.Party != "third" || e.Action == "allow" {
			continue
		}
		i.Hosts.Beacons.add(e)
		address, _, _ := strings.Cut(e.URL, "?")
		key := address + " " + e.Rule + " " + e.Reason
		if at, ok := found[key]; ok {
			i.Beacons[at].Occurrences++
			continue
		}
		found[key] = len(i.Beacons)
		i.Beacons = append(i.Beacons, beacon{
			URL: e.URL, Query: query(e.URL), Filter: e.Rule, List: "Paravent: " + e.Reason,
			Log: log{[]string{}, moment(r, e.At)}, Occurrences: 1,
		})
	}
	i.End = moment(r, last)
	i.Hosts.Requests.sort()
	i.Hosts.Beacons.sort()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(i)
	return b.Bytes(), err
}

type page struct {
	address, host, origin string
	isSecure              bool
}

type (
	inspection struct {
		Title        string          `json:"title"`
		In           string          `json:"uri_ins"`
		Refs         []string        `json:"uri_refs"`
		Dest         string          `json:"uri_dest"`
		Redirects    []string        `json:"uri_redirects"`
		Secure       map[string]bool `json:"secure_connection"`
		Script       script          `json:"script"`
		Browser      browser         `json:"browser"`
		LocalStorage struct{}        `json:"localStorage"`
		Cookies      []string        `json:"cookies"`
		Beacons      []beacon        `json:"beacons"`
		Hosts        hosts           `json:"hosts"`
		History      []string        `json:"browsing_history"`
		Start        string          `json:"start_time"`
		End          string          `json:"end_time"`
	}
	script struct {
		Name   string            `json:"name"`
		Config map[string]string `json:"config"`
		Limits []string          `json:"limits"`
	}
	browser struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	beacon struct {
		URL         string         `json:"url"`
		Query       map[string]any `json:"query"`
		Filter      string         `json:"filter"`
		List        string         `json:"listName"`
		Log         log            `json:"log"`
		Occurrences int            `json:"occurrances"`
	}
	log struct {
		Stack     []string `json:"stack"`
		Timestamp string   `json:"timestamp"`
	}
	hosts struct {
		Requests     *parties `json:"requests"`
		Beacons      *parties `json:"beacons"`
		Cookies      *parties `json:"cookies"`
		LocalStorage *parties `json:"localStorage"`
		Links        *parties `json:"links"`
		Policy       *parties `json:"contentSecurityPolicy"`
	}
	parties struct {
		First []string `json:"firstParty"`
		Third []string `json:"thirdParty"`

		seen map[[2]string]bool
	}
)

func newParties() *parties { return &parties{[]string{}, []string{}, map[[2]string]bool{}} }

func (p *parties) add(e *audit.Judged) {
	p.seen[[2]string{e.Party, e.Host}] = true
}

func (p *parties) sort() {
	for key := range maps.Keys(p.seen) {
		if key[0] == "third" {
			p.Third = append(p.Third, key[1])
		} else {
			p.First = append(p.First, key[1])
		}
	}
	slices.Sort(p.First)
	slices.Sort(p.Third)
}

// query has the parameters of an address; those that come more than once are
// arrays. What cannot be read is left out.
func query(address string) map[string]any {
	all := map[string]any{}
	_, text, _ := strings.Cut(address, "?")
	text, _, _ = strings.Cut(text, "#")
	values, _ := url.ParseQuery(text)
	for name, value := range values {
		if len(value) == 1 {
			all[name] = value[0]
		} else {
			all[name] = value
		}
	}
	return all
}

// moment writes a moment of the visit (ISO 8601).
func moment(r *audit.Result, at int64) string {
	return time.UnixMilli(r.Visit.Started + at).UTC().Format("2006-01-02T15:04:05.000Z")
}
