// Package match decides what becomes of a request on a protected page.
//
// It answers in this order, and the answer names the reason and, where one
// decided, the rule or the leak:
//
//  1. the extension's own traffic passes (own);
//  2. mode off: allow (off). Mode watch: as protect, but nothing is stopped,
//     and Would says what protect had done;
//  3. the page itself is the user's choice (document), and what never leaves
//     the browser is nobody's business (local);
//  4. an address that cannot be read (unreadable): block;
//  5. what the site needs to work (needed): allow;
//  6. what would be stopped by a rule below, but has an exception (exception):
//     allow, unless the rule is an important one;
//  7. a photo rule (photo): an image is relayed, any other type is blocked,
//     since a page's service worker asks for images as plain fetches;
//  8. a block rule (listed): block;
//  9. a third party that would learn the page's address or search from the
//     request (leak): block;
//  10. a socket to a third party, whose messages nobody can judge (websocket):
//     block;
//  11. mode strict: any other third party (unknown): block;
//  12. anything else (unlisted): allow.
//
// A third party is a request to another site, the registrable domain of a
// host, than that of the top document. A decision allocates nothing.
package match

import (
	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
	"paravent/wasm/leak"
)

// An Action is what is done with a request.
type Action uint8

// The actions, in the order of their numbers.
const (
	Allow Action = iota
	Block
	Relay // stop the request and fetch the photo through the relay
)

// ActionNames lists the actions in the order of their numbers.
var ActionNames = []string{"allow", "block", "relay"}

func (a Action) String() string { return ActionNames[a] }

// A Reason says why a request was decided as it was.
type Reason uint8

// The reasons, in the order of their numbers.
const (
	Own Reason = iota
	Off
	Document
	Local
	Needed
	Exception
	Photo
	Listed
	Leak
	WebSocket
	Unknown
	Unreadable
	Unlisted
)

// ReasonNames lists the reasons in the order of their numbers.
var ReasonNames = []string{
	"own", "off", "document", "local", "needed", "exception", "photo", "listed", "leak", "websocket", "unknown",
	"unreadable", "unlisted",
}

func (r Reason) String() string { return ReasonNames[r] }

// A Mode is the protection that the user chose for a site.
type Mode uint8

// The modes, in the order of their numbers.
const (
	ModeOff Mode = iota
	ModeWatch
	ModeProtect
	ModeStrict
)

// ModeNames lists the modes in the order of their numbers.
var ModeNames = []string{"off", "watch", "protect", "strict"}

// ModeNamed finds a mode by its name.
func ModeNamed(name string) (Mode, bool) {
	for i, n := range ModeNames {
		if n == name {
			return Mode(i), true
		}
	}
	return 0, false
}

// A Request is what a browser tells of a request. The slices are read during
// Decide only, but for Page, which Leak reads once more.
type Request struct {
	URL    []byte // absolute, as a browser serializes it; see address.Canonical for others
	Page   []byte // address of the top document
	Again  bool   // Page is that of the Decide before, and need not be compared
	Type   filter.Type
	Method filter.Method
	Mode   Mode

	Leaks   bool   // look for leaks: in the URL and in
	Body    []byte // what is sent
	Referer []byte // the header
}

// A Decision is the answer. Would differs from Action in mode watch only.
type Decision struct {
	Action, Would Action
	Reason        Reason
}

// A Matcher decides with one list. It is for one goroutine at a time; Photo
// may be called by many.
type Matcher struct {
	// Registrable returns how many bytes at the end of a host are its
	// registrable domain, 0 when it has none. Without it every host is a site
	// of its own. It is asked only where two hosts end alike.
	Registrable func(host []byte) int

	list      bundle.Bundle
	url, page address.URL
	pageText  []byte
	pageError error
	pages     bundle.Family // names of the page's host
	hosts     bundle.Family // and of the request's, if hostsMade
	leaks     leak.Page
	patterns  bundle.Search

	hostsMade, entities bool
	party               filter.Party // AnyParty: not known yet

	stop, pass found
	leaked     leak.Finding
	why        Reason
}

// found is the best rule so far that stops a request, or lets it pass.
type found struct {
	any    bool
	plain  bool
	kind   bundle.Kind
	key    []byte // a slice of url
	record bundle.Record
}

// Open returns a Matcher for a bundle. The bytes must not change afterwards.
func Open(data []byte) (*Matcher, error) {
	m := new(Matcher)
	if err := m.Use(data); err != nil {
		return nil, err
	}
	return m, nil
}

// Use makes m decide with another bundle, whose bytes must not change
// afterwards. After an error it goes on with the one that it had.
func (m *Matcher) Use(data []byte) error {
	list, err := bundle.Read(data)
	if err == nil {
		m.list, m.why = list, Own
		m.pageText = nil // what was found for the page was the other list's
	}
	return err
}

// Decide answers one request. The error says that the list is corrupt; the
// caller must then stop the request.
func (m *Matcher) Decide(r *Request) (Decision, error) {
	if !r.Again || m.pageText == nil {
		m.readPage(r.Page)
	}
	m.stop.any, m.pass.any, m.hostsMade, m.party = false, false, false, filter.AnyParty
	d, err := m.decide(r)
	m.why = d.Reason
	return d, err
}

// readPage reads the page's address, unless it is the one of the request
// before.
func (m *Matcher) readPage(page []byte) {
	if m.pageText != nil && string(page) == string(m.pageText) {
		return
	}
	m.pageText = append(m.pageText[:0], page...)
	m.pageError = m.page.ParseHost(page)
	m.pages.Reset(&m.page)
	m.entities = false
	m.leaks.Set(m.pageText)
}

func (m *Matcher) decide(r *Request) (Decision, error) {
	err := m.url.Parse(r.URL)
	switch {
	case m.pageError == address.ErrExtension, err == address.ErrExtension:
		return Decision{Allow, Allow, Own}, nil
	case r.Mode == ModeOff:
		return Decision{Allow, Allow, Off}, nil
	case r.Type == filter.MainFrame:
		return Decision{Allow, Allow, Document}, nil
	case err == address.ErrLocal:
		return Decision{Allow, Allow, Local}, nil
	case err != nil:
		return stopped(Block, Unreadable, r.Mode), nil
	}
	if err := m.walk(r); err != nil {
		return Decision{}, err
	}
	if m.pass.any && m.pass.kind == bundle.Need {
		return Decision{Allow, Allow, Needed}, nil
	}
	if !m.stop.any || m.list.Stops.Higher() {
		if err := m.search(&m.list.Stops, &m.stop, r); err != nil {
			return Decision{}, err
		}
	}
	action, reason := m.judge(r)
	if action == Allow {
		return Decision{Allow, Allow, reason}, nil
	}
	if !m.stop.any || m.stop.kind < bundle.Exception {
		if !m.pass.any {
			if err := m.search(&m.list.Passes, &m.pass, r); err != nil {
				return Decision{}, err
			}
		}
		if m.pass.any {
			return Decision{Allow, Allow, Exception}, nil
		}
	}
	return stopped(action, reason, r.Mode), nil
}

// judge says what becomes of a request that has no exception.
func (m *Matcher) judge(r *Request) (Action, Reason) {
	if m.stop.any {
		switch {
		case m.stop.kind != bundle.Photo:
			return Block, Listed
		case r.Type == filter.Image, r.Type == filter.Imageset:
			return Relay, Photo
		}
		return Block, Photo
	}
	socket := r.Type == filter.WebSocket || r.Type == filter.WebTransport
	if !r.Leaks && r.Mode != ModeStrict || m.partyOf() == filter.FirstParty {
		return Allow, Unlisted
	}
	if r.Leaks {
		var found bool
		if m.leaked, found = m.leaks.Find(r.URL, r.Body, r.Referer); found {
			return Block, Leak
		}
		if socket {
			return Block, WebSocket
		}
	}
	if r.Mode == ModeStrict {
		return Block, Unknown
	}
	return Allow, Unlisted
}

func stopped(a Action, why Reason, mode Mode) Decision {
	if mode == ModeWatch {
		return Decision{Allow, a, why}
	}
	return Decision{a, a, why}
}

// Rule is the rule that made the last decision in its canonical form, or ""
// when no rule did.
func (m *Matcher) Rule() string {
	f := &m.stop
	switch m.why {
	case Needed, Exception:
		f = &m.pass
	case Photo, Listed:
	default:
		return ""
	}
	if f.plain {
		return filter.Rule{Host: string(f.key)}.String()
	}
	return m.list.Rule(&f.record, string(f.key)).String()
}

// Leak is what the last decided request would have told, false when that did
// not decide.
func (m *Matcher) Leak() (leak.Finding, bool) { return m.leaked, m.why == Leak }

// Told is what the last decided request tells of its page, whatever decided: to
// another site, or to whoever the list stops under the page's own. r must be
// the request that it was.
func (m *Matcher) Told(r *Request) []leak.Finding {
	switch m.why {
	case Own, Document, Local, Unreadable:
		return nil
	}
	if m.pageError != nil || !m.stop.any && m.partyOf() == filter.FirstParty {
		return nil
	}
	return m.leaks.Each(r.URL, r.Body, r.Referer)
}

// partyOf finds whether the request leaves the page's site.
func (m *Matcher) partyOf() filter.Party {
	if m.party != filter.AnyParty {
		return m.party
	}
	m.party = filter.ThirdParty
	page := m.page.Host()
	// What both hosts end with, in whole labels.
	common, shared := 0, 0
	ours, theirs := m.page.Labels(), m.url.Labels()
	for shared < len(ours) && shared < len(theirs) {
		label := m.page.Padded()[ours[len(ours)-1-shared]:m.page.HostEnd()]
		other := m.url.Padded()[theirs[len(theirs)-1-shared]:m.url.HostEnd()]
		if string(label) != string(other) {
			break
		}
		common, shared = len(label), shared+1
	}
	host := m.url.Host()
	switch {
	case common == len(page) && common == len(host):
		m.party = filter.FirstParty
	case m.Registrable != nil && (shared > 1 || common == len(page) && common > 0):
		if site := m.Registrable(host); site > 0 && site <= common {
			m.party = filter.FirstParty
		}
	}
	return m.party
}

// walk visits what the list has under every expression of m.url: its host
// suffixes, and for each its path's leading directories.
func (m *Matcher) walk(r *Request) error {
	end, labels := m.url.HostEnd(), m.url.Labels()
	if len(labels) > 1 {
		labels = labels[:max(len(labels)-m.list.Dots(), 0)]
	}
	for _, start := range labels {
		v, ok, err := m.list.Host(m.url.Padded()[start:], end-start)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		lower, exact := m.url.HostPath()
		lower, exact = lower[start-m.url.HostStart():], exact[start-m.url.HostStart():]
		if err := m.visit(r, v, lower, exact, end-start); err != nil {
			return err
		}
		at := end - start
		for depths := v.Depths(); depths != 0; depths >>= 1 {
			at = behindSlash(lower, at)
			if at < 0 {
				break
			}
			if depths&1 == 0 {
				continue
			}
			v, ok, err := m.list.Directory(lower, at)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := m.visit(r, v, lower, exact, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// behindSlash is where text goes on behind the next "/" of its path, -1 where
// there is none.
func behindSlash(text []byte, at int) int {
	for ; at < len(text) && text[at] != '?'; at++ {
		if text[at] == '/' {
			return at + 1
		}
	}
	return -1
}

// visit looks at the rules under one expression: lower and exact are its host
// suffix and the path, and key how many bytes of them it is. Without a request
// it looks at photo rules alone, whatever asks.
func (m *Matcher) visit(r *Request, v bundle.Value, lower, exact []byte, key int) error {
	if v.Plain() && !m.stop.any {
		m.stop = found{any: true, plain: true, kind: bundle.Block, key: lower[:key]}
	}
	rules := m.list.Rules(v, &m.pages)
	var record bundle.Record
	for rules.Next(&record) {
		if r == nil && record.Kind != bundle.Photo {
			continue
		}
		best := &m.stop
		if !record.Kind.Stops() {
			best = &m.pass
		}
		if best.any && record.Kind <= best.kind {
			continue
		}
		text := lower[key:]
		if record.MatchCase {
			text = exact[key:]
		}
		if record.End && !m.url.Whole() || !filter.Match(record.Pattern, text, record.End) {
			continue
		}
		if r != nil {
			ok, err := m.holds(r, &record)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		*best = found{any: true, kind: record.Kind, key: lower[:key], record: record}
	}
	return rules.Err()
}

// search looks for the pattern of the highest kind that holds.
func (m *Matcher) search(patterns *bundle.Patterns, best *found, r *Request) error {
	if patterns.Empty() {
		return nil
	}
	var record bundle.Record
	s := &m.patterns
	s.Begin(&m.list, patterns, &m.url, &m.pages, r.Type)
	for {
		begin, ok := s.Next(&record)
		if !ok {
			return s.Err()
		}
		if best.any && record.Kind <= best.kind {
			continue
		}
		// Where a pattern may begin anywhere, its options are the cheaper question.
		if begin >= 0 {
			ok, err := m.matches(&record, begin)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		ok, err := m.holds(r, &record)
		if err == nil && ok && begin < 0 {
			ok, err = m.matches(&record, begin)
		}
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		*best = found{any: true, kind: record.Kind, record: record}
		if !patterns.Higher() {
			return nil
		}
	}
}

// matches tries a pattern where it begins, or where it may.
func (m *Matcher) matches(record *bundle.Record, begin int) (bool, error) {
	if record.Regexp {
		return m.list.Match(record, m.url.Exact())
	}
	text := m.url.Text()
	if record.MatchCase {
		text = m.url.Exact()
	}
	end := record.End
	if end && !m.url.Whole() {
		return false, nil
	}
	switch {
	case record.Anchor == filter.AtStart:
		return begin <= 0 && filter.Match(record.Pattern, text, end), nil
	case record.Anchor == filter.AtLabel:
		for _, label := range m.url.Labels() {
			if (begin < 0 || begin == label) && filter.Match(record.Pattern, text[label:], end) {
				return true, nil
			}
		}
		return false, nil
	}
	return filter.Match(record.Pattern, text[max(begin, 0):], end), nil
}

// holds reports whether a rule whose pattern matches holds for the request.
func (m *Matcher) holds(r *Request, record *bundle.Record) (bool, error) {
	if !record.Types.Has(r.Type) || !record.Methods.Has(r.Method) ||
		record.Party != filter.AnyParty && record.Party != m.partyOf() {
		return false, nil
	}
	pages, limited, err := m.list.Pages(record)
	if err == nil && limited {
		if pages.Entities && !m.entities {
			m.entities = true
			m.pages.Entities(m.page.Host(), m.suffix(m.page.Host()))
		}
		if ok, err := m.list.Holds(&pages, &m.pages); !ok {
			return false, err
		}
	}
	hosts, limited, err := m.list.Hosts(record)
	if err == nil && limited {
		if !m.hostsMade {
			m.hostsMade = true
			m.hosts.Reset(&m.url)
			m.hosts.Entities(m.url.Host(), m.suffix(m.url.Host()))
		}
		return m.list.Holds(&hosts, &m.hosts)
	}
	return err == nil, err
}

// suffix is how many bytes of a host are its public suffix.
func (m *Matcher) suffix(host []byte) int {
	if m.Registrable == nil {
		return 0
	}
	n := m.Registrable(host)
	for n > 0 && host[len(host)-n] != '.' {
		n--
	}
	return max(n-1, 0)
}

// Photo reports whether a photo rule of the list names this address, host and
// path, whatever page asks. A gateway fetches nothing else.
func (m *Matcher) Photo(url string) bool {
	scratch := Matcher{list: m.list}
	if scratch.url.Parse([]byte(url)) != nil || !scratch.url.Whole() {
		return false
	}
	err := scratch.walk(nil)
	return err == nil && scratch.stop.any && scratch.stop.kind == bundle.Photo
}
