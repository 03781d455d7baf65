// Package vectors holds what every implementation must decide: one list, and
// named cases with a sentence each that says what the case is about. They are
// data files, so that native Go, the WebAssembly in Node and real browsers run
// the same ones.
//
//	list.txt        the list, canonical text
//	list.sha256     what it compiles to, byte for byte, wherever it is compiled
//	language.json   how addresses are read, and what rules mean
//	sites.json      modes, needs, exceptions, photos, sockets, third parties
//	leaks.json      what counts as a leak
//
// A file of cases holds what they have in common, and what makes each:
//
//	{"defaults": {"page": "https://www.booking.example/", "mode": "protect"}, "cases": [
//	  {"name": "host", "says": "A rule for a host stops whatever it is asked for.",
//	   "url": "https://tracker.example/p.gif", "type": "image",
//	   "action": "block", "reason": "listed", "rule": "||tracker.example^"}]}
package vectors

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

// List is the canonical text of the list that all cases are decided with.
//
//go:embed list.txt
var List []byte

//go:embed list.sha256
var sum string

// BundleSHA256 is the hash, in hexadecimal, of the bundle that List compiles to.
func BundleSHA256() string { return strings.TrimSpace(sum) }

//go:embed language.json sites.json leaks.json
var files embed.FS

// A Case is a request and what becomes of it.
type Case struct {
	File string `json:"-"`    // the data file that it stands in
	Name string `json:"name"` // unique in its file
	Says string `json:"says"` // a sentence about what it shows

	URL        string `json:"url"`
	Page       string `json:"page"` // address of the top document
	Type       string `json:"type"` // as webRequest names it
	Method     string `json:"method"`
	Mode       string `json:"mode"`
	Body       string `json:"body"`       // what it carries, if that is text
	BodyBase64 []byte `json:"bodyBase64"` // or if it is not
	Referer    string `json:"referer"`

	Action string `json:"action"`
	Would  string `json:"would"` // in mode watch, what protect had done; else as Action
	Reason string `json:"reason"`
	Rule   string `json:"rule"` // in its canonical form; "" when none decided
	Leak   *Leak  `json:"leak"` // what leaks, if that is the reason

	DNR      *DNR   `json:"dnr"`      // where Chromium's own rules cannot say the same
	Browsers string `json:"browsers"` // why no page makes this request in a test; "" when one does
}

// A Leak is what a request tells of its page.
type Leak struct {
	What  string `json:"what"`  // address, path or search
	Place string `json:"place"` // url, body or referer
}

// DNR is what Chromium does by declarativeNetRequest instead of Action.
type DNR struct {
	Action string `json:"action"`
	Why    string `json:"why"`
}

// Carried is the body of the request.
func (c *Case) Carried() []byte {
	if c.BodyBase64 != nil {
		return c.BodyBase64
	}
	return []byte(c.Body)
}

// Cases reads all data files.
func Cases() ([]Case, error) {
	var all []Case
	for _, name := range []string{"language.json", "sites.json", "leaks.json"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var file struct {
			About    string            `json:"about"`
			Defaults json.RawMessage   `json:"defaults"`
			Cases    []json.RawMessage `json:"cases"`
		}
		if err := strictly(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i, raw := range file.Cases {
			c := Case{File: name, Method: "get"}
			err := strictly(file.Defaults, &c)
			if err == nil {
				err = strictly(raw, &c)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: cases[%d]: %w", name, i, err)
			}
			if c.Would == "" {
				c.Would = c.Action
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// strictly refuses fields that nobody reads: a case that says something else
// than it seems to would show nothing.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
