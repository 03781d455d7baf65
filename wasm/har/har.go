// Package har reads and writes recorded visits in the HTTP Archive format 1.2
// (http://www.softwareishard.com/blog/har-12-spec/), as the developer tools of
// Firefox and Chromium save them:
//
//	{"log": {"version": "1.2", …,
//	  "pages": [{"id": "page_1", "title": "https://booking.example/", …}],
//	  "entries": [{"pageref": "page_1", "_resourceType": "script",
//	    "request": {"method": "GET", "url": "https://tracker.example/t.js",
//	      "headers": [{"name": "Referer", "value": "https://booking.example/"}], …},
//	    "response": {"status": 200, "content": {"mimeType": "text/javascript", …}, …}, …}]}}
//
// A HAR says neither which document a request came from nor, in Firefox, what
// it was for. Read works both out of what the browsers do write: Chromium its
// name of the type, both the address in place of the page's title, and both
// the Fetch Metadata headers, which say what a request is for.
//
// The archives that Write writes say it in fields of their own, which other
// programs leave alone, since the format keeps names with an underscore for
// that:
//
//	"log": {…, "_paravent": {"started": "2026-11-22T08:10:00.000Z", "domain": "booking.example", "mode": "protect", "dropped": 0, "carriers": []}}
//	"pages": [{…, "_paravent": {"mode": "protect"}}]
//	"entries": [{…, "_paravent": {"type": "beacon", "outcome": "block", "reason": "listed", "rule": "||tracker.example^"}}]
//
// What Paravent stopped has status 0 and Chromium's _error for what an
// extension stopped; what it let through has status 0 as well when the answer
// was not recorded. No cookie's value is read or written.
package har

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"paravent/lists/filter"
)

// Bounds of what Read takes. A visit of an hour stays far below.
const (
	MaxSize    = 200 << 20 // bytes of an archive
	maxEntries = 1 << 18   // elements of any of its arrays
)

// An Archive is a recorded visit.
type Archive struct {
	// Domain and Mode are the protected site and how it was protected at last,
	// Dropped is how many requests were not kept, and Carriers see the pages in
	// clear; only Paravent's archives say so.
	Domain, Mode string
	Dropped      int
	Carriers     []Carrier

	Started time.Time
	Pages   []Page
	Entries []Entry
}

// A Carrier is an organisation that serves a site's pages, and so sees them.
type Carrier struct {
	Name     string `json:"name"`
	Country  string `json:"country"`
	Evidence string `json:"evidence"`
}

// A Page is a top document, or an address that a document has given itself.
type Page struct {
	Address string
	Mode    string   // how it was protected; "" in the archives of others
	Allow   []string // hosts that the user let through
	At      int64    // milliseconds since the visit's start
}

// An Entry is one recorded request.
type Entry struct {
	URL string
	// Page is the address of the top document from which the request was
	// made, "" when the archive does not tell. A document has its own.
	Page    string
	On      int // index of that page, -1 when the archive does not tell
	Type    filter.Type
	Method  string   // "" if the archive does not say
	Referer string   // as sent, "" if none was
	Cookies []string // names of those that were sent
	Body    []byte
	At      int64 // milliseconds since the visit's start
	Status  int   // of the answer, 0 if there was none or it is not known
	// Unsent says that the request reached nobody: it was answered from the
	// browser's cache, or stopped by an extension or a policy.
	Unsent bool
	// Outcome is what Paravent did: "allow", "block", "relay", "would" or
	// "missed"; "" in the archives of others. Reason and Rule say why.
	Outcome, Reason, Rule string
}

// Stopped reports whether Paravent stopped the request.
func (e *Entry) Stopped() bool { return e.Outcome == "block" || e.Outcome == "relay" }

// Read reads an archive. The entries are those of the archive in its order.
//
// It keeps nothing of the answers and of most headers, so that it needs little
// memory beyond the longest single entry. An error names the entry, counted
// from 0, and the field.
func Read(r io.Reader) (*Archive, error) {
	limited := &io.LimitedReader{R: r, N: MaxSize + 1}
	a, err := readArchive(limited)
	switch {
	case limited.N <= 0:
		return nil, fmt.Errorf("longer than %d MB: save fewer pages into one archive", MaxSize>>20)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("ends too early: save the archive again")
	case err != nil:
		return nil, err
	}
	return a.resolve()
}

// An archive is the part of the JSON text that is kept.
type archive struct {
	about   about
	pages   []pageRecord
	entries []record
}

// about is what Paravent says of a visit.
type about struct {
	Started  string    `json:"started"`
	Domain   string    `json:"domain"`
	Mode     string    `json:"mode"`
	Dropped  int       `json:"dropped"`
	Carriers []Carrier `json:"carriers"`
}

// A pageRecord is a page as the JSON text has it.
type pageRecord struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Started string   `json:"startedDateTime"`
	Own     *ownPage `json:"_paravent"`
}

// ownPage is what Paravent says of a page; its title is then its address.
type ownPage struct {
	Mode  string   `json:"mode"`
	Allow []string `json:"allow,omitempty"`
}

// ownEntry is what Paravent says of a request.
type ownEntry struct {
	Type    string `json:"type"`
	Outcome string `json:"outcome,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Unsent  bool   `json:"unsent,omitempty"`
}

// A record is an entry as the JSON text has it.
type record struct {
	Pageref string    `json:"pageref"`
	Started string    `json:"startedDateTime"`
	Type    custom    `json:"_resourceType"` // Chromium
	Cache   custom    `json:"_fromCache"`    // Chromium: memory or disk
	Own     *ownEntry `json:"_paravent"`
	Request struct {
		Method   string  `json:"method"`
		URL      string  `json:"url"`
		Headers  headers `json:"headers"`
		Cookies  names   `json:"cookies"`
		PostData struct {
			Text     string `json:"text"`
			Params   params `json:"params"`
			Encoding custom `json:"encoding"`  // Chromium
			Wrapped  custom `json:"_encoding"` // Write
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int    `json:"status"`
		Error   custom `json:"_error"` // Chromium
		Content struct {
			MimeType string `json:"mimeType"`
		} `json:"content"`
	} `json:"response"`
}

func readArchive(r io.Reader) (*archive, error) {
	text := bufio.NewReader(r)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" {
		text.Discard(len(mark))
	}
	d := json.NewDecoder(text)
	var a archive
	hasEntries := false
	err := object(d, func(key string) error {
		if key != "log" {
			return d.Decode(&skipped{})
		}
		return object(d, func(key string) error {
			switch key {
			case "pages":
				return array(d, "pages", func() error {
					var page pageRecord
					err := d.Decode(&page)
					a.pages = append(a.pages, page)
					return err
				})
			case "_paravent":
				if err := d.Decode(&a.about); err != nil {
					return fmt.Errorf("_paravent: %w", inField(err))
				}
				return nil
			case "entries":
				hasEntries = true
				return array(d, "entries", func() error {
					var e record
					err := d.Decode(&e)
					if err == nil && e.Request.URL == "" {
						err = errors.New("request.url: is missing")
					}
					a.entries = append(a.entries, e)
					return err
				})
			}
			return d.Decode(&skipped{})
		})
	})
	if err == nil && !hasEntries {
		err = errors.New(`log.entries: is missing: want an HTTP archive, {"log": {"entries": […]}}`)
	}
	return &a, err
}

// object reads an object; member reads the value of the member named key.
func object(d *json.Decoder, member func(key string) error) error {
	if err := delimiter(d, '{', `want an object, {"log": {"entries": […]}}`); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// array reads an array, of which element reads one element.
func array(d *json.Decoder, name string, element func() error) error {
	if err := delimiter(d, '[', name+": want an array"); err != nil {
		return err
	}
	for i := 0; d.More(); i++ {
		if i == maxEntries {
			return fmt.Errorf("%s: has more than %d elements: save fewer pages into one archive", name, maxEntries)
		}
		if err := element(); err != nil {
			return fmt.Errorf("%s[%d]: %w", name, i, inField(err))
		}
	}
	_, err := d.Token()
	return err
}

func delimiter(d *json.Decoder, want json.Delim, problem string) error {
	token, err := d.Token()
	if err == nil && token != want {
		err = errors.New(problem)
	}
	return err
}

// inField says of an error about a value's type which field it is about.
func inField(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		if wrong.Field == "" {
			return fmt.Errorf("a %s does not belong here", wrong.Value)
		}
		return fmt.Errorf("%s: a %s does not belong here", wrong.Field, wrong.Value)
	}
	return err
}

// skipped is a value that is read over.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// custom is a field that the format does not define: a string, or else the
// JSON text of what is there.
type custom string

func (c *custom) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(c))
	}
	if text := string(data); text != "null" && text != "false" {
		*c = custom(text)
	}
	return nil
}

// headers are those of a request that tell something.
type headers struct{ referer, cookie, destination, mode string }

func (h *headers) UnmarshalJSON(data []byte) error {
	return pairs("request.headers", data, func(name, value string) {
		switch strings.ToLower(name) {
		case "referer":
			h.referer = value
		case "cookie":
			h.cookie = value
		case "sec-fetch-dest":
			h.destination = value
		case "sec-fetch-mode":
			h.mode = value
		}
	})
}

// names are the names of name-value pairs.
type names []string

func (n *names) UnmarshalJSON(data []byte) error {
	return pairs("request.cookies", data, func(name, _ string) { *n = append(*n, name) })
}

// params is a posted form, encoded.
type params []byte

func (p *params) UnmarshalJSON(data []byte) error {
	return pairs("request.postData.params", data, func(name, value string) {
		if len(*p) > 0 {
			*p = append(*p, '&')
		}
		*p = append(*p, url.QueryEscape(name)+"="+url.QueryEscape(value)...)
	})
}

// pairs reads an array of {"name", "value"} objects one by one: as a slice,
// empty objects would take ten times the memory of their text.
func pairs(field string, data []byte, each func(name, value string)) error {
	if string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	return array(d, field, func() error {
		var pair struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		}
		err := d.Decode(&pair)
		each(pair.Name, pair.Value)
		return err
	})
}

// body is what the request carried.
func (r *record) body() ([]byte, error) {
	data := &r.Request.PostData
	switch {
	case data.Text == "":
		return data.Params, nil
	case data.Encoding == "base64", data.Wrapped == "base64":
		body, err := base64.StdEncoding.DecodeString(data.Text)
		if err != nil {
			return nil, fmt.Errorf("request.postData.text: %w", err)
		}
		return body, nil
	}
	return []byte(data.Text), nil
}

// cookies are the names of the cookies that were sent. Chromium leaves both
// fields out of an archive that is saved without sensitive data.
func (r *record) cookies() (found []string) {
	if r.Request.Headers.cookie == "" {
		return r.Request.Cookies
	}
	for pair := range strings.SplitSeq(r.Request.Headers.cookie, ";") {
		if name, _, ok := strings.Cut(pair, "="); ok {
			found = append(found, strings.TrimSpace(name))
		}
	}
	return found
}

// unsent knows what Chromium says of requests that stayed in the browser.
func (r *record) unsent() bool {
	const blocked = "net::ERR_BLOCKED_BY_"
	why, ok := strings.CutPrefix(string(r.Response.Error), blocked)
	if r.Own != nil && r.Own.Unsent {
		return true
	}
	return r.Cache != "" || ok && (strings.HasPrefix(why, "CLIENT") || why == "CSP" || why == "ADMINISTRATOR")
}
