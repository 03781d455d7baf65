// Package match decides what becomes of a request on a protected page.
//
// It answers in this order, and the answer names the reason and, where one
// decided, the rule:
//
//  1. the extension's own traffic passes (own);
//  2. mode off: allow (off). Mode watch: as protect, but nothing is stopped,
//     and Would says what protect had done;
//  3. the page itself is the user's choice (document), and what never leaves
//     the browser is nobody's business (local);
//  4. what the site needs to work (needed) and exceptions (exception): allow;
//  5. a photo rule (photo): an image is relayed, any other type is blocked,
//     since a page's service worker asks for images as plain fetches;
//  6. a block rule (listed): block;
//  7. an address that cannot be read (unreadable): block;
//  8. anything else (unlisted): allow.
//
// A decision allocates nothing.
package match

import (
	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
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
	Unreadable
	Unlisted
)

// ReasonNames lists the reasons in the order of their numbers.
var ReasonNames = []string{
	"own", "off", "document", "local", "needed", "exception", "photo", "listed", "unreadable", "unlisted",
}

func (r Reason) String() string { return ReasonNames[r] }

// A Mode is the protection that the user chose for a site.
type Mode uint8

// The modes, in the order of their numbers.
const (
	ModeOff Mode = iota
	ModeWatch
	ModeProtect
)

// ModeNames lists the modes in the order of their numbers.
var ModeNames = []string{"off", "watch", "protect"}

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
// Decide only.
type Request struct {
	URL  []byte // absolute
	Page []byte // address of the top document
	Site []byte // registrable domain of Page in lower case; empty: the page's host
	Type filter.Type
	Mode Mode
}

// A Decision is the answer. Would differs from Action in mode watch only.
type Decision struct {
	Action, Would Action
	Reason        Reason
}

// A Matcher decides with one list. It is for one goroutine at a time; Photo
// may be called by many.
type Matcher struct {
	list      *bundle.Bundle
	url, page address.URL
	host      []byte // key of the request's host
	directory []byte // key of a directory of its path
	found     found
}

// found is the best rule so far.
type found struct {
	any    bool
	plain  bool
	kind   bundle.Kind
	key    []byte
	record bundle.Record
}

// Open returns a Matcher for a bundle. The bytes must not change afterwards.
func Open(data []byte) (*Matcher, error) {
	list, err := bundle.Open(data)
	if err != nil {
		return nil, err
	}
	return &Matcher{list: list}, nil
}

// Decide answers one request. The error says that the list is corrupt; the
// caller must then stop the request.
func (m *Matcher) Decide(r *Request) (Decision, error) {
	m.found.any = false
	pageError := m.page.Parse(r.Page)
	urlError := m.url.Parse(r.URL)
	switch {
	case pageError == address.ErrExtension, urlError == address.ErrExtension:
		return Decision{Allow, Allow, Own}, nil
	case r.Mode == ModeOff:
		return Decision{Allow, Allow, Off}, nil
	case r.Type == filter.MainFrame:
		return Decision{Allow, Allow, Document}, nil
	case urlError == address.ErrLocal:
		return Decision{Allow, Allow, Local}, nil
	case urlError != nil:
		return stopped(Block, Unreadable, r.Mode), nil
	}
	if err := m.search(r); err != nil {
		return Decision{}, err
	}
	if !m.found.any {
		return Decision{Allow, Allow, Unlisted}, nil
	}
	switch m.found.kind {
	case bundle.Need:
		return Decision{Allow, Allow, Needed}, nil
	case bundle.Exception:
		return Decision{Allow, Allow, Exception}, nil
	case bundle.Photo:
		if r.Type == filter.Image || r.Type == filter.Imageset {
			return stopped(Relay, Photo, r.Mode), nil
		}
		return stopped(Block, Photo, r.Mode), nil
	}
	return stopped(Block, Listed, r.Mode), nil
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
	switch {
	case !m.found.any:
		return ""
	case m.found.plain:
		return bundle.PlainRule(m.found.key).String()
	}
	return m.found.record.Rule(m.found.key).String()
}

// search finds the rule of the highest kind that holds for the request.
func (m *Matcher) search(r *Request) error {
	page, site := m.page.Host(), r.Site
	if len(site) == 0 {
		site = page
	}
	party := filter.ThirdParty
	if address.Within(m.url.Host(), site) {
		party = filter.FirstParty
	}
	return m.walk(func(v bundle.Value, key, rest []byte) error {
		if v.Plain() && !m.found.any {
			m.found.any, m.found.plain, m.found.kind = true, true, bundle.Block
			m.found.key = append(m.found.key[:0], key...)
		}
		rules := m.list.Rules(v)
		var record bundle.Record
		for rules.Next(&record) {
			if m.found.any && record.Kind <= m.found.kind {
				break // a group is sorted by falling kind
			}
			if record.Types.Has(r.Type) && (record.Party == filter.AnyParty || record.Party == party) &&
				filter.Match(record.Rest, rest, record.End) && record.HoldsOn(page) {
				m.found.any, m.found.plain, m.found.kind, m.found.record = true, false, record.Kind, record
				m.found.key = append(m.found.key[:0], key...)
				break
			}
		}
		return rules.Err()
	})
}

// walk visits what the list has under every expression of m.url: its host
// suffixes, and for each its path's leading directories. rest is the part of
// the path behind the expression. It stops at corruption or at visit's error.
func (m *Matcher) walk(visit func(v bundle.Value, key, rest []byte) error) error {
	m.host = address.AppendKey(m.host[:0], m.url.Host())
	for n := address.NextSuffix(m.host, 0); n > 0; n = address.NextSuffix(m.host, n) {
		host := m.host[:n]
		v, ok, err := m.list.Host(host)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		path := m.url.Path()
		if err := visit(v, host, path); err != nil {
			return err
		}
		if !v.HasDirectories() {
			continue
		}
		m.directory = append(m.directory[:0], host...)
		end := 0
		for range address.MaxDirectories {
			next := address.NextDirectory(path, end)
			if next == 0 {
				break
			}
			m.directory = append(m.directory, path[end:next]...)
			end = next
			v, ok, err := m.list.Directory(m.directory)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := visit(v, m.directory, path[end:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Photo reports whether a photo rule of the list names this address, host and
// path, whatever page asks. A gateway fetches nothing else.
func (m *Matcher) Photo(url string) bool {
	scratch := Matcher{list: m.list}
	if scratch.url.Parse([]byte(url)) != nil {
		return false
	}
	photo := false
	err := scratch.walk(func(v bundle.Value, key, rest []byte) error {
		rules := scratch.list.Rules(v)
		var record bundle.Record
		for rules.Next(&record) {
			if record.Kind == bundle.Photo && filter.Match(record.Rest, rest, record.End) {
				photo = true
			}
		}
		return rules.Err()
	})
	return photo && err == nil
}
