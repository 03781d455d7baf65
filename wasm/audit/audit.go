// Package audit reports what a recorded visit told whom, and what Paravent
// would have done about it.
//
// A report is printed for people (Report.Text) or as JSON, in the shape of
// the type Report:
//
//	{"pages": [{"address": "https://booking.example/oncologist", "requests": 7}],
//	 "requests": 9, "unsent": 1,
//	 "outcomes": [{"action": "block", "reason": "listed", "requests": 5}],
//	 "recipients": [{"name": "Google", "country": "US", "party": "third",
//	   "hosts": ["www.google-analytics.com"], "requests": 5,
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
	Requests   int         `json:"requests"`   // that left the browser, documents included
	Unsent     int         `json:"unsent"`     // answered from the browser's cache, or stopped when the visit was recorded; they count nowhere else
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
	Country  string    `json:"country"` // ISO 3166-1 alpha-2; "" if unknown
	Party    string    `json:"party"`   // "third", or "first" for hosts of the page's own site
	Hosts    []string  `json:"hosts"`   // sorted
	Requests int       `json:"requests"`
	Learnt   []Learnt  `json:"learnt"` // most frequent first; empty for the first party, which knows its pages
	Cookies  Cookies   `json:"cookies"`
	Outcomes []Outcome `json:"outcomes"`
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

// An Outcome counts the requests for which Paravent, in mode protect, would
// have done the same for the same reason; see match.Decision for the words.
type Outcome struct {
	Action   string `json:"action"`
	Reason   string `json:"reason"`
	Requests int    `json:"requests"`
}

// An auditor collects what a report is made of.
type auditor struct {
	matcher       *match.Matcher
	organisations map[string]bundle.Recipient // by host
	leaks         leak.Page

	report     Report
	pages      map[string]int // indices in the report
	recipients map[string]*recipient
	outcomes   outcomes
}

type recipient struct {
	Recipient
	hosts, cookies map[string]bool
	learnt         map[leak.Finding]*Learnt // by the finding without its text
	outcomes       outcomes
}

type outcomes map[match.Decision]int

// Visit judges the entries of a visit one by one, as if Paravent protected
// every page of it. An error says that the matcher's list is corrupt.
func Visit(entries []har.Entry, matcher *match.Matcher, organisations []bundle.Recipient) (*Report, error) {
	a := auditor{
		matcher:       matcher,
		organisations: map[string]bundle.Recipient{},
		pages:         map[string]int{},
		recipients:    map[string]*recipient{},
		outcomes:      outcomes{},
	}
	for _, o := range organisations {
		a.organisations[o.Host] = o
	}
	for i := range entries {
		if err := a.entry(&entries[i]); err != nil {
			return nil, err
		}
	}
	return a.finish(), nil
}

func (a *auditor) entry(e *har.Entry) error {
	var url, page address.URL
	urlError := url.Parse([]byte(e.URL))
	switch {
	case urlError == address.ErrLocal, urlError == address.ErrExtension:
		return nil // no request at all
	case e.Unsent:
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
	method := filter.Get
	if e.Method != "" {
		method, _ = filter.MethodNamed(e.Method)
	}
	d, err := a.matcher.Decide(&match.Request{
		URL: address.Serialized(e.URL), Page: []byte(e.Page), Type: e.Type, Method: method, Mode: match.ModeProtect,
		Leaks: true, Body: e.Body, Referer: []byte(e.Referer),
	})
	if err != nil {
		return err
	}
	a.outcomes[d]++
	if e.Type == filter.MainFrame {
		return nil
	}
	host := "an unreadable address"
	if urlError == nil {
		host = string(url.Host())
	}
	third := page.Parse([]byte(e.Page)) != nil || a.site(page.Host()) != a.site(url.Host())
	r := a.recipient(host, third)
	r.Requests++
	r.hosts[host] = true
	r.outcomes[d]++
	if len(e.Cookies) > 0 {
		r.Cookies.Requests++
		for _, name := range e.Cookies {
			r.cookies[show(name)] = true
		}
	}
	if third {
		a.learn(r, e)
	}
	return nil
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

// recipient finds who stands behind a host.
func (a *auditor) recipient(host string, third bool) *recipient {
	name, country := host, ""
	for domain := host; domain != ""; _, domain, _ = strings.Cut(domain, ".") {
		if o, known := a.organisations[domain]; known {
			name, country = o.Name, o.Country
			break
		}
	}
	party := "first"
	if third {
		party = "third"
	}
	key := party + " " + name
	r := a.recipients[key]
	if r == nil {
		r = &recipient{
			Recipient: Recipient{Name: name, Country: country, Party: party},
			hosts:     map[string]bool{},
			cookies:   map[string]bool{},
			learnt:    map[leak.Finding]*Learnt{},
			outcomes:  outcomes{},
		}
		a.recipients[key] = r
	}
	return r
}

// learn looks at the parts of a request one by one: a recipient that is told
// the page's address by its Referer may be told more by the body.
func (a *auditor) learn(r *recipient, e *har.Entry) {
	a.leaks.Set([]byte(e.Page))
	for _, part := range [][3][]byte{{[]byte(e.URL)}, {1: e.Body}, {2: []byte(e.Referer)}} {
		found, ok := a.leaks.Find(part[0], part[1], part[2])
		if !ok {
			continue
		}
		text := show(found.Text)
		found.Text, found.Field = "", show(found.Field)
		l := r.learnt[found]
		if l == nil {
			l = &Learnt{found.What.String(), found.Place.String(), found.Encoding, found.Field, text, 0, found}
			r.learnt[found] = l
		}
		l.Requests++
	}
}

// finish writes what was collected into the report.
func (a *auditor) finish() *Report {
	a.report.Outcomes = a.outcomes.sorted()
	if a.report.Pages == nil {
		a.report.Pages = []Page{}
	}
	a.report.Recipients = []Recipient{}
	for _, r := range a.recipients {
		r.Hosts = slices.Sorted(maps.Keys(r.hosts))
		r.Outcomes = r.outcomes.sorted()
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
	return &a.report
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
		list = append(list, Outcome{d.Action.String(), d.Reason.String(), n})
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
