package har

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"paravent/lists/filter"
)

// writerVersion is that of what Write writes.
const writerVersion = "1"

// The format's objects, as far as they are written. Those of its fields that
// must be there and are not known have the values that it gives for that.
type (
	writtenPage struct {
		Started string         `json:"startedDateTime"`
		ID      string         `json:"id"`
		Title   string         `json:"title"`
		Timings map[string]int `json:"pageTimings"`
		Own     ownPage        `json:"_paravent"`
	}
	writtenEntry struct {
		Pageref  string          `json:"pageref,omitempty"`
		Started  string          `json:"startedDateTime"`
		Time     int             `json:"time"`
		Request  writtenRequest  `json:"request"`
		Response writtenResponse `json:"response"`
		Cache    struct{}        `json:"cache"`
		Timings  writtenTimings  `json:"timings"`
		Comment  string          `json:"comment,omitempty"`
		Type     string          `json:"_resourceType,omitempty"`
		Own      ownEntry        `json:"_paravent"`
	}
	writtenRequest struct {
		Method      string       `json:"method"`
		URL         string       `json:"url"`
		Version     string       `json:"httpVersion"`
		Cookies     []pair       `json:"cookies"`
		Headers     []pair       `json:"headers"`
		Query       []pair       `json:"queryString"`
		PostData    *writtenBody `json:"postData,omitempty"`
		HeadersSize int          `json:"headersSize"`
		BodySize    int          `json:"bodySize"`
	}
	writtenBody struct {
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
		Encoding string `json:"_encoding,omitempty"`
	}
	writtenResponse struct {
		Status      int            `json:"status"`
		StatusText  string         `json:"statusText"`
		Version     string         `json:"httpVersion"`
		Cookies     []pair         `json:"cookies"`
		Headers     []pair         `json:"headers"`
		Content     writtenContent `json:"content"`
		RedirectURL string         `json:"redirectURL"`
		HeadersSize int            `json:"headersSize"`
		BodySize    int            `json:"bodySize"`
		Error       string         `json:"_error,omitempty"`
	}
	writtenContent struct {
		Size     int    `json:"size"`
		MimeType string `json:"mimeType"`
	}
	writtenTimings struct {
		Send    int `json:"send"`
		Wait    int `json:"wait"`
		Receive int `json:"receive"`
	}
	pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// Write writes an archive, a line for each page and entry. The same archive
// gives the same bytes, and Read reads back what was written: entries, pages,
// and what Paravent says of them.
func Write(a *Archive) ([]byte, error) {
	var b bytes.Buffer
	about, err := text(about{a.time(0), a.Domain, a.Mode, a.Dropped, append([]Carrier{}, a.Carriers...)})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "{\"log\": {\"version\": \"1.2\", \"creator\": {\"name\": \"Paravent\", \"version\": %q},\n\"_paravent\": %s,\n\"pages\": [", writerVersion, about)
	for i := range a.Pages {
		if err := element(&b, i, a.page(i)); err != nil {
			return nil, err
		}
	}
	b.WriteString("],\n\"entries\": [")
	for i := range a.Entries {
		if err := element(&b, i, a.entry(&a.Entries[i])); err != nil {
			return nil, err
		}
	}
	b.WriteString("]}}\n")
	return b.Bytes(), nil
}

// element writes the next element of an array.
func element(b *bytes.Buffer, i int, value any) error {
	data, err := text(value)
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	b.Write(data)
	return err
}

func text(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (a *Archive) page(i int) writtenPage {
	p := &a.Pages[i]
	return writtenPage{
		Started: a.time(p.At), ID: pageID(i), Title: p.Address, Own: ownPage{p.Mode, p.Allow},
		Timings: map[string]int{"onContentLoad": -1, "onLoad": -1},
	}
}

func pageID(i int) string { return fmt.Sprint("page_", i+1) }

// time writes a moment of the visit (ISO 8601).
func (a *Archive) time(at int64) string {
	return a.Started.Add(time.Duration(at) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (a *Archive) entry(e *Entry) writtenEntry {
	w := writtenEntry{
		Started: a.time(e.At),
		Request: writtenRequest{
			Method: e.Method, URL: e.URL, Cookies: []pair{}, Headers: []pair{}, Query: query(e.URL), HeadersSize: -1, BodySize: -1,
		},
		Response: writtenResponse{
			Status: e.Status, Cookies: []pair{}, Headers: []pair{}, Content: writtenContent{MimeType: "x-unknown"}, HeadersSize: -1, BodySize: -1,
		},
		Type: resourceTypes[e.Type],
		Own:  ownEntry{e.Type.String(), e.Outcome, e.Reason, e.Rule, e.Unsent && !e.Stopped()},
	}
	if e.On >= 0 {
		w.Pageref = pageID(e.On)
	}
	if w.Request.Method == "" {
		w.Request.Method = "GET"
	}
	if e.Referer != "" {
		w.Request.Headers = append(w.Request.Headers, pair{"Referer", e.Referer})
	}
	for _, name := range e.Cookies {
		w.Request.Cookies = append(w.Request.Cookies, pair{name, ""})
	}
	if len(e.Body) > 0 {
		body := &writtenBody{MimeType: "application/octet-stream", Text: string(e.Body)}
		if !utf8.Valid(e.Body) {
			body.Text, body.Encoding = base64.StdEncoding.EncodeToString(e.Body), "base64"
		}
		w.Request.PostData, w.Request.BodySize = body, len(e.Body)
	}
	switch {
	case e.Stopped():
		w.Response.Error, w.Response.BodySize = "net::ERR_BLOCKED_BY_CLIENT", 0
		w.Comment = "Paravent stopped this request"
	case e.Status == 0 && !e.Unsent:
		w.Comment = "the answer was not recorded"
	}
	return w
}

// query splits what an address has behind its question mark. What is no escape
// stays as it is.
func query(address string) []pair {
	pairs := []pair{}
	address, _, _ = strings.Cut(address, "#")
	_, all, _ := strings.Cut(address, "?")
	for part := range strings.SplitSeq(all, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, pair{unescaped(name), unescaped(value)})
	}
	return pairs
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// resourceTypes are Chromium's names for those types that it has.
var resourceTypes = map[filter.Type]string{
	filter.MainFrame:      "document",
	filter.SubFrame:       "document",
	filter.Stylesheet:     "stylesheet",
	filter.Script:         "script",
	filter.Image:          "image",
	filter.Imageset:       "image",
	filter.Font:           "font",
	filter.XMLHTTPRequest: "xhr",
	filter.Ping:           "ping",
	filter.Beacon:         "ping",
	filter.Media:          "media",
	filter.WebSocket:      "websocket",
	filter.WebTransport:   "webtransport",
	filter.CSPReport:      "csp-violation-report",
	filter.WebManifest:    "manifest",
}
