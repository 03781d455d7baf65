package demo

import (
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/source"
	"paravent/wasm/match"
)

const listsDir = "../../lists/demo"

// wrong returns the requests of the site's file that a list does not decide as
// the file expects.
func wrong(t *testing.T, l *compile.List, requests []source.Request) []string {
	t.Helper()
	b, err := compile.Compile(l.Text())
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range requests {
		kind, _ := filter.TypeNamed(r.Type)
		d, err := m.Decide(&match.Request{URL: []byte(r.URL), Page: []byte(r.Page), Type: kind, Mode: match.ModeProtect})
		if err != nil {
			t.Fatal(err)
		}
		if d.Action.String() != r.Expect {
			out = append(out, r.URL)
		}
	}
	return out
}

// Every need is needed: without it, something that the booking cannot do
// without is blocked. Every rule is too: without it, something gets through.
func TestListOfTheDemo(t *testing.T) {
	dir := source.Directory{Name: "lists/demo", Files: os.DirFS(listsDir)}
	sites, err := source.Sites(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := source.Read([]source.Directory{dir}, nil, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	requests := sites[0].Requests
	if bad := wrong(t, l, requests); bad != nil {
		t.Fatalf("not decided as expected: %q", bad)
	}
	needs := 0
	for i, r := range l.Rules {
		if r.Kind == bundle.Need {
			needs++
		} else if slices.ContainsFunc(l.Rules, func(n bundle.KindedRule) bool {
			return n.Kind == bundle.Need && n.Rule.Host == r.Rule.Host
		}) {
			continue // blocks what a need lets through: nothing changes without it
		}
		without := *l
		without.Rules = slices.Delete(slices.Clone(l.Rules), i, i+1)
		if wrong(t, &without, requests) == nil {
			t.Errorf("without %s every decision is as expected", r.Rule.String())
		}
	}
	if needs != 2*len(needKeys) {
		t.Errorf("%d needs, want one on this machine and one in a room for each of %v", needs, needKeys)
	}

	// The file's requests are those that the demo really makes, on this machine
	// and in a room.
	v := start(t, Options{})
	origins := map[string]string{"booking.localhost": v.Site, "booking.test": v.Site}
	for _, some := range []map[string]string{v.Recipients, v.Needs} {
		for _, origin := range some {
			u, err := url.Parse(origin)
			if err != nil {
				t.Fatal(err)
			}
			origins[u.Hostname()] = origin
			origins[strings.TrimSuffix(u.Hostname(), ".localhost")+roomDomain] = origin
		}
	}
	asked := map[string]bool{}
	for _, r := range requests {
		u, err := url.Parse(r.URL)
		if err != nil {
			t.Fatal(err)
		}
		asked[u.Hostname()] = true
		resp, _ := v.send("GET", origins[u.Hostname()]+u.RequestURI(), "")
		if resp.StatusCode == http.StatusNotFound {
			t.Errorf("the demo knows no %s", r.URL)
		}
	}
	for host := range origins {
		if !asked[host] {
			t.Errorf("no request to %s", host)
		}
	}
	for _, r := range l.Recipients {
		if origins[r.Host] == "" || strings.HasPrefix(r.Host, "booking.") {
			t.Errorf("recipients.json names %s, which is no third party of the demo", r.Host)
		}
	}
}
