package har

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"paravent/lists/filter"
)

// A visit is what is known of a page of the archive while its entries are
// walked through in the order in which they were asked for.
type visit struct {
	address string          // of the top document; "" before it is known
	index   int             // of the page, if it is known for sure; else -1
	loaded  bool            // the top document has come
	asked   map[string]bool // what its documents have loaded
}

// maxSpan is how many milliseconds a visit may last: longer ones have a clock
// that was wrong.
const maxSpan = 1000 * 60 * 60 * 24 * 366

// resolve finds out for each entry which page it came from and what it was
// for.
func (a *archive) resolve() (*Archive, error) {
	result := &Archive{
		Domain: a.about.Domain, Mode: a.about.Mode, Dropped: max(0, a.about.Dropped), Carriers: a.about.Carriers,
		Started: a.started(), Entries: make([]Entry, len(a.entries)),
	}
	visits := map[string]*visit{}
	for _, page := range a.pages {
		v := &visit{index: -1, asked: map[string]bool{}}
		// Browsers write the address of a page in place of its title.
		if origin(page.Title) != "" {
			v.address = page.Title
		}
		if page.Own != nil {
			v.index, v.address = len(result.Pages), page.Title
			result.Pages = append(result.Pages, Page{
				Address: page.Title, Mode: page.Own.Mode, Allow: page.Own.Allow, At: since(result.Started, page.Started),
			})
		}
		visits[page.ID] = v
	}
	known := map[string]int{} // pages by their addresses
	for i := range a.entries {
		r := &a.entries[i]
		v := visits[r.Pageref]
		if v == nil {
			v = &visit{index: -1, asked: map[string]bool{}}
			visits[r.Pageref] = v
		}
		body, err := r.body()
		if err != nil {
			return nil, fmt.Errorf("entries[%d]: %w", i, err)
		}
		e := Entry{
			URL:     r.Request.URL,
			Type:    v.typeOf(r),
			Method:  r.Request.Method,
			Referer: r.Request.Headers.referer,
			Cookies: r.cookies(),
			Body:    body,
			At:      since(result.Started, r.Started),
			Status:  r.Response.Status,
			Unsent:  r.unsent(),
		}
		if own := r.Own; own != nil {
			if slices.Contains(outcomes, own.Outcome) {
				e.Outcome = own.Outcome
			}
			e.Reason, e.Rule = own.Reason, own.Rule
		}
		if v.index >= 0 {
			e.Page, e.On = v.address, v.index
		} else {
			v.follow(r, &e)
			e.On = -1
			if e.Page != "" {
				on, ok := known[e.Page]
				if !ok {
					on = len(result.Pages)
					known[e.Page] = on
					result.Pages = append(result.Pages, Page{Address: e.Page, At: e.At})
				}
				e.On = on
			}
		}
		result.Entries[i] = e
	}
	return result, nil
}

var outcomes = []string{"allow", "block", "relay", "would", "missed"}

// started is when the first page or entry began, or 1970 when none tells.
func (a *archive) started() time.Time {
	first := time.Time{}
	take := func(text string) {
		if t, err := time.Parse(time.RFC3339, text); err == nil && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	take(a.about.Started)
	for i := range a.pages {
		take(a.pages[i].Started)
	}
	for i := range a.entries {
		take(a.entries[i].Started)
	}
	if first.Unix() < 0 {
		return time.Unix(0, 0).UTC()
	}
	return first.UTC().Truncate(time.Millisecond)
}

// since is how many milliseconds after a time another one is.
func since(start time.Time, text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return min(max(0, t.UTC().Truncate(time.Millisecond).Sub(start).Milliseconds()), maxSpan)
}

// follow sets the entry's page, and the visit's address to where the entry
// shows it to be.
func (v *visit) follow(r *record, e *Entry) {
	if e.Type == filter.MainFrame {
		v.address = withoutFragment(e.URL)
		v.loaded = r.Response.Status/100 != 3
		e.Page = v.address
		return
	}
	// A script that rewrites the address bar, as search forms do, shows in
	// the Referer of what it fetches: an address of the same origin that was
	// never loaded as anything but a page. A frame or a worker was loaded, and
	// other origins are mostly told of no more than the origin.
	switch e.Type {
	case filter.XMLHTTPRequest, filter.Ping, filter.Beacon:
		from := origin(e.Referer)
		if from != "" && from == origin(v.address) && (from != e.Referer || from == origin(e.URL)) && !v.asked[e.Referer] {
			v.address = e.Referer
		}
	}
	v.asked[withoutFragment(e.URL)] = true
	e.Page = v.address
	if e.Page == "" {
		e.Page = e.Referer
	}
}

// origin is the part of a serialized web address before its path, with a
// slash; "" for any other text.
func origin(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return ""
	}
	host, _, ok := strings.Cut(rest, "/")
	if !ok || host == "" {
		return ""
	}
	return address[:len(scheme)+len("://")+len(host)+len("/")]
}

func withoutFragment(address string) string {
	address, _, _ = strings.Cut(address, "#")
	return address
}

// typeOf tells what a request was for, by what its browser says best: what
// Chromium calls its type, what both tell servers it is for (Fetch Metadata,
// https://www.w3.org/TR/fetch-metadata/), and at last what came back.
func (v *visit) typeOf(r *record) filter.Type {
	if r.Own != nil {
		if t, ok := filter.TypeNamed(r.Own.Type); ok {
			return t
		}
	}
	h := &r.Request.Headers
	named := strings.ToLower(string(r.Type))
	scheme, _, _ := strings.Cut(r.Request.URL, ":")
	switch {
	case h.destination == "document":
		return filter.MainFrame
	case named == "document" && h.destination == "":
		return v.document()
	case h.mode == "websocket", scheme == "ws", scheme == "wss":
		return filter.WebSocket
	}
	if t, ok := types[named]; ok {
		return t
	}
	if t, ok := destinations[h.destination]; ok {
		// sendBeacon posts without asking leave; scripts hardly ever do.
		if t == filter.XMLHTTPRequest && h.mode == "no-cors" && r.Request.Method == "POST" {
			return filter.Beacon
		}
		return t
	}
	return v.typeOfContent(r)
}

// document tells a page from a frame: the page comes first.
func (v *visit) document() filter.Type {
	if !v.loaded && len(v.asked) == 0 {
		return filter.MainFrame
	}
	return filter.SubFrame
}

// types are Chromium's names.
var types = map[string]filter.Type{
	"stylesheet":           filter.Stylesheet,
	"image":                filter.Image,
	"media":                filter.Media,
	"texttrack":            filter.Media,
	"font":                 filter.Font,
	"script":               filter.Script,
	"xhr":                  filter.XMLHTTPRequest,
	"fetch":                filter.XMLHTTPRequest,
	"eventsource":          filter.XMLHTTPRequest,
	"preflight":            filter.XMLHTTPRequest,
	"prefetch":             filter.Speculative,
	"websocket":            filter.WebSocket,
	"webtransport":         filter.WebTransport,
	"manifest":             filter.WebManifest,
	"ping":                 filter.Ping,
	"csp-violation-report": filter.CSPReport,
}

// destinations are those of Sec-Fetch-Dest.
var destinations = map[string]filter.Type{
	"iframe":        filter.SubFrame,
	"frame":         filter.SubFrame,
	"fencedframe":   filter.SubFrame,
	"object":        filter.Object,
	"embed":         filter.Object,
	"style":         filter.Stylesheet,
	"script":        filter.Script,
	"worker":        filter.Script,
	"sharedworker":  filter.Script,
	"serviceworker": filter.Script,
	"audioworklet":  filter.Script,
	"paintworklet":  filter.Script,
	"image":         filter.Image,
	"font":          filter.Font,
	"audio":         filter.Media,
	"video":         filter.Media,
	"track":         filter.Media,
	"manifest":      filter.WebManifest,
	"report":        filter.CSPReport,
	"xslt":          filter.XSLT,
	"json":          filter.JSON,
	"webtransport":  filter.WebTransport,
	"empty":         filter.XMLHTTPRequest,
}

// typeOfContent goes by what came back, for what was asked for without
// encryption: servers are told nothing there.
func (v *visit) typeOfContent(r *record) filter.Type {
	mime, _, _ := strings.Cut(strings.ToLower(r.Response.Content.MimeType), ";")
	mime = strings.TrimSpace(mime)
	group, _, _ := strings.Cut(mime, "/")
	switch {
	case mime == "text/html", mime == "application/xhtml+xml":
		return v.document()
	case mime == "text/css":
		return filter.Stylesheet
	case strings.HasSuffix(mime, "javascript"), strings.HasSuffix(mime, "ecmascript"):
		return filter.Script
	case mime == "application/manifest+json":
		return filter.WebManifest
	case strings.HasSuffix(mime, "json"), r.Request.Method == "POST":
		return filter.XMLHTTPRequest
	case group == "image":
		return filter.Image
	case group == "font", strings.HasPrefix(mime, "application/font-"):
		return filter.Font
	case group == "audio", group == "video":
		return filter.Media
	case len(v.asked) == 0 && r.Response.Status/100 == 3:
		return filter.MainFrame // a redirect of the page has no content
	}
	return filter.Other
}
