// Package audit reports what a recorded visit told whom, and what Paravent did
// or would have done about it. A visit comes from an archive, and is then judged
// by its requests alone, or from the extension, which knows what happened.
//
// A report is printed for people (Report.Text) or as JSON, in the shape of
// the type Report:
//
//	{"pages": [{"address": "https://booking.example/oncologist", "requests": 7}],
//	 "requests": 9, "unsent": 1,
//	 "outcomes": [{"action": "block", "reason": "listed", "requests": 5}],
//	 "recipients": [{"name": "Google", "country": "US", "purposes": ["analytics"], "party": "third",
//	   "hosts": [{"host": "www.google-analytics.com", "reason": "listed"}], "requests": 5,
//	   "counts": {"block": 0, "relay": 0, "would": 5, "missed": 0, "allow": 0}, "photos": 0,
//	   "learnt": [{"what": "address", "place": "url", "encoding": "percent",
//	     "field": "dl", "text": "https://booking.example/oncologist", "requests": 4}],
//	   "cookies": {"requests": 5, "names": ["_ga"]},
//	   "outcomes": [{"action": "block", "reason": "listed", "requests": 5}]}]}
//
// A recorded visit is personal. A report holds no body, no address but those
// of pages, no value of a cookie, and of what a recipient learnt one example
// for each way in which it did; everything is cut to a readable length.
package audit

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
	"paravent/wasm/explain"
	"paravent/wasm/har"
	"paravent/wasm/leak"
	"paravent/wasm/match"
)

// maxShown is how many characters of anything recorded are shown.
const maxShown = 120

// A Report is the result of an audit.
type Report struct {
	Pages      []Page      `json:"pages"`      // in the order of the visit
	Requests   int         `json:"requests"`   // that left the browser or that Paravent stopped, documents included
	Unsent     int         `json:"unsent"`     // answered from the browser's cache, or stopped by others; they count nowhere else
	Outcomes   []Outcome   `json:"outcomes"`   // of all requests
	Recipients []Recipient `json:"recipients"` // third parties first, those who learnt most before others
}

// A Page is a top document of the visit.
type Page struct {
	Address  string `json:"address"`
	Requests int    `json:"requests"` // with the document's own
}

// A Recipient is an organisation, or a host behind which none is known.
type Recipient struct {
	Name     string    `json:"name"`
	Country  string    `json:"country"`  // ISO 3166-1 alpha-2; "" if unknown
	Purposes []string  `json:"purposes"` // keys of what it receives requests for; empty if unknown
	Party    string    `json:"party"`    // "third", or "first" for what is the page's own site, and not known for somebody else
	Hosts    []Host    `json:"hosts"`    // sorted
	Requests int       `json:"requests"`
	Counts   Counts    `json:"counts"` // of what became of them
	Photos   int       `json:"photos"` // distinct addresses of photos
	Learnt   []Learnt  `json:"learnt"` // most frequent first; empty for the first party, which knows its pages
	Cookies  Cookies   `json:"cookies"`
	Outcomes []Outcome `json:"outcomes"`
}

// A Host is one of a recipient's.
type Host struct {
	Host   string `json:"host"`
	Reason string `json:"reason"` // for which it was first stopped, or else let through
}

// Counts are numbers of requests by what became of them.
type Counts struct {
	Block  int `json:"block"`
	Relay  int `json:"relay"`
	Would  int `json:"would"`  // let through where nothing was to be stopped, or nobody was there to do it
	Missed int `json:"missed"` // let through though they should have been stopped
	Allow  int `json:"allow"`
}

func (c *Counts) add(outcome string) {
	switch outcome {
	case "block":
		c.Block++
	case "relay":
		c.Relay++
	case "would":
		c.Would++
	case "missed":
		c.Missed++
	default:
		c.Allow++
	}
}

// Learnt is what requests to a recipient carried of the page in one way; see
// leak.Finding for the fields.
type Learnt struct {
	What     string `json:"what"`  // "address", "path" or "search"
	Place    string `json:"place"` // "url", "body" or "referer"
	Encoding string `json:"encoding"`
	Field    string `json:"field"`
	Text     string `json:"text"` // the first example
	Requests int    `json:"requests"`

	finding leak.Finding
}

// Cookies are what a recipient recognizes a browser by.
type Cookies struct {
	Requests int      `json:"requests"` // that carried cookies
	Names    []string `json:"names"`    // sorted
}

// An Outcome counts the requests that were stopped or let through for the same
// reason, by Paravent in the mode of their page, or else in mode protect if it
// had been there; see match.Decision for the words.
type Outcome struct {
	Action   string `json:"action"`
	Reason   string `json:"reason"`
	Requests int    `json:"requests"`
}

// A Judged is one request of the visit.
type Judged struct {
	Page      int     `json:"page"` // index of the visit's pages, -1 if it is of none
	At        int64   `json:"at"`   // milliseconds since the visit's start
	URL       string  `json:"url"`
	Host      string  `json:"host"`
	Type      string  `json:"type"` // as webRequest names it
	Method    string  `json:"method"`
	Recipient string  `json:"recipient"` // its name
	Party     string  `json:"party"`
	Action    string  `json:"action"`  // what Paravent did or would have done
	Outcome   string  `json:"outcome"` // what became of it: a field of Counts
	Reason    string  `json:"reason"`
	Rule      string  `json:"rule"`   // that decided, "" if none did
	Learnt    []Found `json:"learnt"` // what it carried
}

// A Found is a leak.Finding, with its text whole.
type Found struct {
	What     string `json:"what"`
	Place    string `json:"place"`
	Encoding string `json:"encoding"`
	Field    string `json:"field"`
	Text     string `json:"text"`
}

// Finding is the leak.Finding that f tells of, false when it tells of none.
func (f *Found) Finding() (found leak.Finding, ok bool) {
	what, place := slices.Index(leak.WhatNames, f.What), slices.Index(leak.PlaceNames, f.Place)
	found = leak.Finding{What: leak.What(what), Place: leak.Place(place), Encoding: f.Encoding, Field: f.Field, Text: f.Text}
	return found, what >= 0 && place >= 0
}

func foundOf(f leak.Finding) Found {
	return Found{f.What.String(), f.Place.String(), f.Encoding, f.Field, f.Text}
}

// A Result is a visit with what is thought of it.
type Result struct {
	Visit   Header   `json:"visit"`
	Report  *Report  `json:"report"`
	Entries []Judged `json:"entries"` // without what was no request at all, and what is unsent
}

// A Header is what is known of a visit as a whole.
type Header struct {
	Domain   string        `json:"domain"` // of the protected site, or else of the first page
	Mode     string        `json:"mode"`   // "" if Paravent was not there
	Started  int64         `json:"started"`
	Pages    []HeaderPage  `json:"pages"`
	Dropped  int           `json:"dropped"` // requests that were not kept
	Carriers []har.Carrier `json:"carriers"`
}

// A HeaderPage is a page of the visit.
type HeaderPage struct {
	URL   string   `json:"url"`
	Mode  string   `json:"mode"`
	At    int64    `json:"at"`
	Allow []string `json:"allow,omitempty"` // hosts that the user let through there
}

// An auditor collects what a report is made of.
type auditor struct {
	matcher       *match.Matcher
	organisations map[string]bundle.Recipient // by host
	archive       *har.Archive
	told          [][]Found // by entry, if it is known what happened

	report     Report
	entries    []Judged
	pages      map[string]int // indices in the report
	recipients map[string]*recipient
	outcomes   outcomes
}

type recipient struct {
	Recipient
	hosts    map[string]*Host
	cookies  map[string]bool
	photos   map[string]bool
	learnt   map[leak.Finding]*Learnt // by the finding without its text
	outcomes outcomes
}

// decided is what is done with a request, and for what.
type decided struct{ action, reason string }

type outcomes map[decided]int

// Visit judges the requests of an archive one by one. On pages of which the
// archive does not say how they were protected, it is as if Paravent, which was
// not there, were asked what it would have done. An error says that the
// matcher's list is corrupt.
func Visit(archive *har.Archive, matcher *match.Matcher, organisations []bundle.Recipient) (*Result, error) {
	return visit(archive, nil, matcher, organisations)
}

func visit(archive *har.Archive, told [][]Found, matcher *match.Matcher, organisations []bundle.Recipient) (*Result, error) {
	a := auditor{
		matcher:       matcher,
		organisations: map[string]bundle.Recipient{},
		archive:       archive,
		told:          told,
		entries:       []Judged{},
		pages:         map[string]int{},
		recipients:    map[string]*recipient{},
		outcomes:      outcomes{},
	}
	for _, o := range organisations {
		a.organisations[o.Host] = o
	}
	for i := range archive.Entries {
		if err := a.entry(i); err != nil {
			return nil, err
		}
	}
	a.finish()
	return &Result{a.header(), &a.report, a.entries}, nil
}

func (a *auditor) header() Header {
	h := Header{
		Domain: a.archive.Domain, Mode: a.archive.Mode, Started: a.archive.Started.UnixMilli(),
		Pages: []HeaderPage{}, Dropped: a.archive.Dropped, Carriers: append([]har.Carrier{}, a.archive.Carriers...),
	}
	for _, p := range a.archive.Pages {
		h.Pages = append(h.Pages, HeaderPage{p.Address, p.Mode, p.At, p.Allow})
	}
	var first address.URL
	if h.Domain == "" && len(h.Pages) > 0 && first.Parse([]byte(h.Pages[0].URL)) == nil {
		h.Domain = a.site(first.Host())
	}
	return h
}

func (a *auditor) entry(i int) error {
	e := &a.archive.Entries[i]
	var url, page address.URL
	urlError := url.Parse([]byte(e.URL))
	switch {
	case urlError == address.ErrLocal, urlError == address.ErrExtension:
		return nil // no request at all
	case e.Unsent && !e.Stopped():
		a.report.Unsent++
		return nil
	}
	a.report.Requests++
	if e.Page != "" {
		i, known := a.pages[e.Page]
		if !known {
			i = len(a.report.Pages)
			a.pages[e.Page] = i
			a.report.Pages = append(a.report.Pages, Page{Address: show(e.Page)})
		}
		a.report.Pages[i].Requests++
	}
	j := Judged{
		Page: e.On, At: e.At, URL: e.URL, Host: "an unreadable address", Type: e.Type.String(), Method: e.Method, Party: "first", Learnt: []Found{},
	}
	if urlError == nil {
		j.Host = string(url.Host())
	}
	var err error
	if a.told != nil {
		a.happened(&j, i)
	} else if err = a.judge(&j, e); err != nil {
		return err
	}
	d := decided{j.Action, j.Reason}
	a.outcomes[d]++
	behind, known := a.behind(j.Host)
	j.Recipient = cmp.Or(behind.Name, j.Host)
	if e.Type == filter.MainFrame {
		a.entries = append(a.entries, j)
		return nil
	}
	pageError := page.Parse([]byte(e.Page))
	ours, _ := a.behind(string(page.Host()))
	// Somebody else may hide under the site's own name.
	isElse := known && behind.Name != ours.Name || !known && string(page.Host()) != j.Host && (j.Reason == "listed" || j.Reason == "photo")
	if pageError != nil || a.site(page.Host()) != a.site(url.Host()) || isElse {
		j.Party = "third"
	} else {
		j.Learnt = []Found{}
	}
	a.entries = append(a.entries, j)
	r := a.recipient(j.Recipient, behind, j.Party)
	r.Requests++
	r.Counts.add(j.Outcome)
	r.outcomes[d]++
	host := r.hosts[j.Host]
	if host == nil {
		host = &Host{j.Host, j.Reason}
		r.hosts[j.Host] = host
	}
	if j.Action != "allow" && isLet(host.Reason) {
		host.Reason = j.Reason
	}
	if j.Reason == "photo" {
		r.photos[e.URL] = true
	}
	if len(e.Cookies) > 0 {
		r.Cookies.Requests++
		for _, name := range e.Cookies {
			r.cookies[show(name)] = true
		}
	}
	for _, found := range j.Learnt {
		r.learn(found)
	}
	return nil
}

// isLet reports whether requests are let through for a reason.
func isLet(reason string) bool {
	return slices.Contains([]string{"own", "off", "document", "local", "needed", "exception", "unlisted", "allowed"}, reason)
}

// happened fills in what the extension saw.
func (a *auditor) happened(j *Judged, i int) {
	e := &a.archive.Entries[i]
	j.Outcome, j.Reason, j.Rule, j.Learnt = e.Outcome, e.Reason, e.Rule, a.told[i]
	isImage := e.Type == filter.Image || e.Type == filter.Imageset
	switch {
	case e.Outcome == "would" && e.Reason == "photo" && isImage, e.Outcome == "missed" && e.Reason == "photo" && isImage, e.Outcome == "relay":
		j.Action = "relay"
	case e.Outcome == "allow":
		j.Action = "allow"
	default:
		j.Action = "block"
	}
}

// judge fills in what is to be thought of a request by itself.
func (a *auditor) judge(j *Judged, e *har.Entry) error {
	method := filter.Get
	if e.Method != "" {
		method, _ = filter.MethodNamed(e.Method)
	}
	mode, isOwn := match.ModeProtect, false
	var allow []string
	if e.On >= 0 {
		p := &a.archive.Pages[e.On]
		allow = p.Allow
		if named, ok := match.ModeNamed(p.Mode); ok && named != match.ModeOff {
			mode, isOwn = named, true
		}
	}
	request := match.Request{
		URL: address.Serialized(e.URL), Page: []byte(e.Page), Type: e.Type, Method: method, Mode: mode, Leaks: true, Body: e.Body,
	}
	if !isOwn {
		// Where Paravent is, it has cut the Referer.
		request.Referer = []byte(e.Referer)
	}
	d, err := a.matcher.Decide(&request)
	if err != nil {
		return err
	}
	j.Rule = a.matcher.Rule()
	request.Referer = []byte(e.Referer)
	for _, found := range a.matcher.Told(&request) {
		j.Learnt = append(j.Learnt, foundOf(found))
	}
	j.Action, j.Reason = d.Would.String(), d.Reason.String()
	switch {
	case isAllowed(j.Host, allow) && e.Type != filter.MainFrame:
		j.Action, j.Outcome, j.Reason, j.Rule = "allow", "allow", "allowed", ""
	case d.Would == match.Allow && e.Outcome == "block":
		// Its like had told something before.
		j.Action, j.Outcome, j.Reason = "block", "block", "leak"
	case d.Would == match.Allow:
		j.Outcome = "allow"
	case e.Stopped():
		j.Outcome = d.Would.String()
	case isOwn && mode != match.ModeWatch:
		j.Outcome = "missed"
	default:
		j.Outcome = "would"
	}
	return nil
}

// isAllowed reports whether a user let a host, or what it is below, through.
func isAllowed(host string, allow []string) bool {
	return slices.ContainsFunc(allow, func(name string) bool { return host == name || strings.HasSuffix(host, "."+name) })
}

// site is the registrable domain of a host, or the host if it has none.
func (a *auditor) site(host []byte) string {
	if a.matcher.Registrable != nil && !address.IsIP(host) {
		if n := a.matcher.Registrable(host); n > 0 {
			host = host[len(host)-n:]
		}
	}
	return string(host)
}

// behind finds who stands behind a host.
func (a *auditor) behind(host string) (bundle.Recipient, bool) {
	for domain := host; domain != ""; _, domain, _ = strings.Cut(domain, ".") {
		if o, known := a.organisations[domain]; known {
			return o, true
		}
	}
	return bundle.Recipient{}, false
}

func (a *auditor) recipient(name string, behind bundle.Recipient, party string) *recipient {
	key := party + " " + name
	r := a.recipients[key]
	if r == nil {
		r = &recipient{
			Recipient: Recipient{Name: name, Country: behind.Country, Purposes: []string{}, Party: party},
			hosts:     map[string]*Host{},
			cookies:   map[string]bool{},
			photos:    map[string]bool{},
			learnt:    map[leak.Finding]*Learnt{},
			outcomes:  outcomes{},
		}
		if behind.Purposes != "" {
			r.Purposes = strings.Split(behind.Purposes, ",")
		}
		a.recipients[key] = r
	}
	return r
}

// learn counts what was told with what was told in the same way.
func (r *recipient) learn(f Found) {
	found, ok := f.Finding()
	if !ok {
		return
	}
	text := show(found.Text)
	found.Text, found.Field = "", show(found.Field)
	l := r.learnt[found]
	if l == nil {
		l = &Learnt{f.What, f.Place, found.Encoding, found.Field, text, 0, found}
		r.learnt[found] = l
	}
	l.Requests++
}

// finish writes what was collected into the report.
func (a *auditor) finish() {
	a.report.Outcomes = a.outcomes.sorted()
	if a.report.Pages == nil {
		a.report.Pages = []Page{}
	}
	a.report.Recipients = []Recipient{}
	for _, r := range a.recipients {
		for _, host := range slices.Sorted(maps.Keys(r.hosts)) {
			r.Hosts = append(r.Hosts, *r.hosts[host])
		}
		r.Outcomes = r.outcomes.sorted()
		r.Photos = len(r.photos)
		r.Cookies.Names = append([]string{}, slices.Sorted(maps.Keys(r.cookies))...)
		r.Learnt = []Learnt{}
		for _, l := range r.learnt {
			r.Learnt = append(r.Learnt, *l)
		}
		slices.SortFunc(r.Learnt, func(a, b Learnt) int {
			return cmp.Or(
				cmp.Compare(b.Requests, a.Requests),
				cmp.Compare(explain.Leak(a.finding), explain.Leak(b.finding)))
		})
		a.report.Recipients = append(a.report.Recipients, r.Recipient)
	}
	slices.SortFunc(a.report.Recipients, func(a, b Recipient) int {
		return cmp.Or(
			cmp.Compare(b.Party, a.Party),
			cmp.Compare(b.told(), a.told()),
			cmp.Compare(b.Requests, a.Requests),
			cmp.Compare(a.Name, b.Name))
	})
}

// told is how often a recipient was told something of a page.
func (r *Recipient) told() (n int) {
	for _, l := range r.Learnt {
		n += l.Requests
	}
	return n
}

func (counts outcomes) sorted() []Outcome {
	list := []Outcome{}
	for d, n := range counts {
		list = append(list, Outcome{d.action, d.reason, n})
	}
	slices.SortFunc(list, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// show cuts recorded text to what is shown of it, in characters that are safe
// to print.
func show(text string) string {
	n := 0
	for i := range text {
		if n == maxShown {
			text = text[:i] + "…"
			break
		}
		n++
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) {
			return c
		}
		return unicode.ReplacementChar
	}, text)
}
