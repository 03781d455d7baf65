// Package dnr says a list in the browser's own words: rules of
// declarativeNetRequest, for Chromium, where an extension from the store may
// not decide requests itself
// (https://developer.chrome.com/docs/extensions/reference/api/declarativeNetRequest).
//
// A rule of a list becomes one or two of the browser's:
//
//	||a.example/p*q.gif|$script   "urlFilter": "||a.example/p*q.gif|", "resourceTypes": ["script"]
//	/ads?[0-9]+/$match-case       "regexFilter": "ads?[0-9]+", "isUrlFilterCaseSensitive": true
//	.gif?uid=$domain=shop.*       "urlFilter": ".gif?uid=", "topDomains": ["shop.example"]
//	||b.example^$to=~c.b.example  "requestDomains": ["b.example"], "excludedRequestDomains": ["c.b.example"]
//
// All are scoped to the pages of protected sites by topDomains. A rule of the
// list that holds on other pages only is left out and counted, and so is what
// the browser has no words for, by its reason.
//
// Where every page is protected, there is no such scope, and the sites that
// their user has set to off or watch are the switch's affair. What is a third
// party is then told as above on the pages of listed sites, and by domainType on
// all others.
//
// # Priorities
//
// They follow package match. From the top:
//
//	11  switch         sites that their user has set to off or watch
//	10                 Referer of the session, see below
//	 9  Referer        taken away, see below; and where reports go
//	 8  allowed        hosts that their user lets through on a site
//	 7  need           what a site needs to work
//	 6  important      blocks that no exception lifts
//	 5  exception      @@ rules
//	 4  photo          images are redirected to a placeholder, fetches to one in a URL
//	 3  photo, block   photo paths for all other types, and block rules
//	 2  own            a site's own hosts are let through
//	 1  third party    blocks of third parties only, web sockets, mode strict,
//	                   and the extension's rules of the session for leaks
//
// "Third party" compares with the page, not with the frame that asks, as
// DNR's domainType does: a tracker's own frame must not be free to call home.
// There is no condition for that, so the rules that hold for third parties
// only stand below one rule a site, which lets the site's own hosts through.
// Whatever is to be blocked there all the same stands above.
//
// # Referer
//
// A third party may learn a page's origin, never its address. The browser
// sees to that by itself unless the document asks otherwise: its header is set
// to strict-origin-when-cross-origin where it is weaker. A <meta>, an attribute
// or a script can ask as well, which no rule can see, and a rule cannot shorten
// a header. So what protected pages send to third parties has no Referer at
// all, until the extension has seen that a page does send one, and lays a rule
// for the session over this that sets it to the page's origin.
//
// # Reports
//
// A browser reports what a document was not allowed to do to wherever the
// document's Reporting-Endpoints say, by itself, with the page's address: no
// rule is asked about that. So the header is taken away.
//
// # Ids
//
// A change of a mode rewrites a few small rules, never the large ones:
//
//	1      the switch
//	2      mode strict
//	3      mode strict on the pages of no site
//	4…999  what users allow, one rule a site; and the own hosts of sites that
//	       are strict and not listed
//	1000   web sockets to third parties: there whenever there are large rules
//	1001…  the others; hosts with the same conditions share a rule
package dnr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Ids of rules.
const (
	switchID  = 1
	strictID  = 2
	othersID  = 3
	siteID    = 4
	socketsID = 1000 // the first of the large ones
)

// Chromium's limits for dynamic rules: all of them; those that are not safe,
// which block and allow are; those with a regular expression.
const (
	maxRules   = 30_000
	maxUnsafe  = 5_000
	maxRegexps = 1_000
	maxLarge   = maxRules - socketsID // the ids below are the small ones'
)

const (
	thirdPriority = iota + 1
	ownPriority
	blockPriority
	redirectPriority
	exceptionPriority
	importantPriority
	needPriority
	allowedPriority
	refererPriority
	_ // rules of the session that set a Referer
	switchPriority
)

// Settings are what rules depend on besides the list.
type Settings struct {
	Everywhere  string `json:"everywhere"`  // mode of the pages of no site; "": off
	Sites       []Site `json:"sites"`       // all that have a mode of their own, whatever it is
	Placeholder string `json:"placeholder"` // path in the extension of what stands for a photo
	Inline      string `json:"inline"`      // such a picture as a data: URL
}

// everywhere reports whether something is to be stopped on every page.
func (s *Settings) everywhere() bool { return s.Everywhere == "protect" || s.Everywhere == "strict" }

// A Site is a protected domain, and what its user chose for it.
type Site struct {
	Domain string   `json:"domain"`          // its pages are on this host and its subdomains
	Own    string   `json:"own"`             // registrable domain: all within it is the site's own
	Listed bool     `json:"listed"`          // it is the list that names it, not the user
	Mode   string   `json:"mode"`            // off, watch, protect or strict
	Allow  []string `json:"allow,omitempty"` // hosts that are let through whatever the list says
}

// A Rule is one rule of declarativeNetRequest.
type Rule struct {
	ID        int       `json:"id"`
	Priority  int       `json:"priority"`
	Action    Action    `json:"action"`
	Condition Condition `json:"condition"`
}

// An Action is block, allow, redirect or modifyHeaders.
type Action struct {
	Type            string    `json:"type"`
	Redirect        *Redirect `json:"redirect,omitempty"`
	RequestHeaders  []Header  `json:"requestHeaders,omitempty"`
	ResponseHeaders []Header  `json:"responseHeaders,omitempty"`
}

// A Redirect names a file of the extension, or a URL.
type Redirect struct {
	ExtensionPath string `json:"extensionPath,omitempty"`
	URL           string `json:"url,omitempty"`
}

// A Header is a change of one header.
type Header struct {
	Header    string `json:"header"`
	Operation string `json:"operation"` // set or remove
	Value     string `json:"value,omitempty"`
}

// A Condition holds what a request must be. Absent lists mean all; absent
// types all but main_frame.
type Condition struct {
	URLFilter              string        `json:"urlFilter,omitempty"`
	RegexFilter            string        `json:"regexFilter,omitempty"`
	CaseSensitive          bool          `json:"isUrlFilterCaseSensitive,omitempty"` // of either filter
	DomainType             string        `json:"domainType,omitempty"`               // firstParty or thirdParty, as seen from the frame
	InitiatorDomains       []string      `json:"initiatorDomains,omitempty"`
	RequestDomains         []string      `json:"requestDomains,omitempty"`
	ExcludedRequestDomains []string      `json:"excludedRequestDomains,omitempty"`
	TopDomains             []string      `json:"topDomains,omitempty"`
	ExcludedTopDomains     []string      `json:"excludedTopDomains,omitempty"`
	ResourceTypes          []string      `json:"resourceTypes,omitempty"`
	RequestMethods         []string      `json:"requestMethods,omitempty"`
	ExcludedRequestMethods []string      `json:"excludedRequestMethods,omitempty"`
	ResponseHeaders        []HeaderMatch `json:"responseHeaders,omitempty"`
}

// A HeaderMatch wants a response to have a header with one of the values, in
// which "*" stands for any characters.
type HeaderMatch struct {
	Header string   `json:"header"`
	Values []string `json:"values"`
}

// Counts tells what became of the list's rules.
type Counts struct {
	Hosts     int            `json:"hosts"`     // blocked by the one large rule
	Rules     int            `json:"rules"`     // said by others
	Elsewhere int            `json:"elsewhere"` // hold on no protected page, left out
	Unsaid    map[string]int `json:"unsaid"`    // left out by the reason: the browser has no words or no room for them
}

// Small makes the rules that depend on modes and on what users allow.
func Small(s *Settings) ([]Rule, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	rules := []Rule{}
	allow, block := Action{Type: "allow"}, Action{Type: "block"}
	add := func(priority int, c Condition) {
		rules = append(rules, Rule{ID: siteID + len(rules), Priority: priority, Action: allow, Condition: c})
	}
	for _, site := range s.Sites {
		if len(site.Allow) > 0 {
			add(allowedPriority, Condition{TopDomains: []string{site.Domain}, RequestDomains: site.Allow})
		}
		// Those of listed sites are among the large rules.
		if s.everywhere() && site.Mode == "strict" && !site.Listed {
			add(ownPriority, Condition{TopDomains: []string{site.Domain}, RequestDomains: []string{site.Own}})
		}
	}
	if n := len(rules); n > socketsID-siteID {
		return nil, fmt.Errorf("dnr: hosts are allowed on, or strict are, %d sites, there is room for %d: take some back", n, socketsID-siteID)
	}
	if off, others := s.pages("off", "watch"); len(off) > 0 {
		rules = append(rules, Rule{
			ID: switchID, Priority: switchPriority, Action: allow,
			Condition: Condition{TopDomains: off, ExcludedTopDomains: others},
		})
	}
	if strict, others := s.pages("strict"); len(strict) > 0 {
		rules = append(rules, Rule{
			ID: strictID, Priority: thirdPriority, Action: block,
			Condition: Condition{TopDomains: strict, ExcludedTopDomains: others},
		})
	}
	if s.Everywhere == "strict" {
		var all []string
		for _, site := range s.Sites {
			all = append(all, site.Domain)
		}
		rules = append(rules, Rule{
			ID: othersID, Priority: thirdPriority, Action: block,
			Condition: Condition{DomainType: "thirdParty", ExcludedTopDomains: all},
		})
	}
	return rules, nil
}

// pages finds the sites that are in one of some modes, and those within them
// that are not: a site can lie below another.
func (s *Settings) pages(modes ...string) (in, out []string) {
	for _, site := range s.Sites {
		if slices.Contains(modes, site.Mode) {
			in = append(in, site.Domain)
		}
	}
	for _, site := range s.Sites {
		if !slices.Contains(modes, site.Mode) && within(site.Domain, in) {
			out = append(out, site.Domain)
		}
	}
	return in, out
}

// Large makes all other rules. A list that has more than the browser takes
// loses blocks first, and Counts says how many.
func Large(list *bundle.Bundle, s *Settings) ([]Rule, Counts, error) {
	counts := Counts{Unsaid: map[string]int{}}
	if err := s.check(); err != nil {
		return nil, counts, err
	}
	w := newWriter(s)
	if len(w.domains) == 0 && !s.everywhere() {
		// A rule without topDomains would hold everywhere.
		return []Rule{}, counts, nil
	}
	w.every()
	if err := list.EachRule(w.add); err != nil {
		return nil, counts, err
	}
	return w.numbered(), w.counts, nil
}

// Unsaid says why the browser has no words for a rule, "" when it has.
func Unsaid(r *filter.Rule) string {
	_, _, _, unsaid := requests(r)
	return unsaid
}

func (s *Settings) check() error {
	if s.Placeholder == "" {
		return errors.New("dnr: placeholder: want the path of a packaged file")
	}
	if !strings.HasPrefix(s.Inline, "data:image/") {
		return errors.New("dnr: inline: want a picture as a data: URL")
	}
	if !slices.Contains([]string{"", "off", "watch", "protect", "strict"}, s.Everywhere) {
		return fmt.Errorf("dnr: everywhere: %q: want off, watch, protect or strict", s.Everywhere)
	}
	for i, site := range s.Sites {
		if !slices.Contains([]string{"off", "watch", "protect", "strict"}, site.Mode) {
			return fmt.Errorf("dnr: sites[%d].mode: %q: want off, watch, protect or strict", i, site.Mode)
		}
		// The browser takes a domain that cannot be in silence, and stops nothing there.
		for field, host := range map[string]string{"domain": site.Domain, "own": site.Own} {
			if !isHost(host) {
				return fmt.Errorf("dnr: sites[%d].%s: %q: want a host, such as example.com", i, field, host)
			}
		}
		if !address.Within([]byte(site.Domain), []byte(site.Own)) {
			return fmt.Errorf("dnr: sites[%d].own: %q: want the registrable domain of %s", i, site.Own, site.Domain)
		}
		for j, host := range site.Allow {
			if !isHost(host) {
				return fmt.Errorf("dnr: sites[%d].allow[%d]: %q: want a host, such as example.com", i, j, host)
			}
		}
	}
	return nil
}

func isHost(name string) bool {
	var u address.URL
	return u.Parse([]byte("https://"+name)) == nil && string(u.Host()) == name
}

// within reports whether a host is one of some, or below one.
func within(name string, hosts []string) bool {
	return slices.ContainsFunc(hosts, func(host string) bool { return address.Within([]byte(name), []byte(host)) })
}

// both returns the hosts that are within a and within b, as one domain.
func both(a, b string) (string, bool) {
	switch {
	case a == b, strings.HasSuffix(a, "."+b):
		return a, true
	case strings.HasSuffix(b, "."+a):
		return b, true
	}
	return "", false
}
