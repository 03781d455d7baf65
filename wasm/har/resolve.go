package har

import (
	"fmt"
	"strings"

	"paravent/lists/filter"
)

// A visit is what is known of a page of the archive while its entries are
// walked through in the order in which they were asked for.
type visit struct {
	address string          // of the top document; "" before it is known
	loaded  bool            // the top document has come
	asked   map[string]bool // what its documents have loaded
}

// resolve finds out for each entry which page it came from and what it was
// for.
func (a *archive) resolve() ([]Entry, error) {
	entries := make([]Entry, len(a.entries))
	visits := map[string]*visit{}
	for i := range a.entries {
		r := &a.entries[i]
		v := visits[r.Pageref]
		if v == nil {
			v = &visit{asked: map[string]bool{}}
			// Browsers write the address of a page in place of its title.
			if title := a.titles[r.Pageref]; origin(title) != "" {
				v.address = title
			}
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
			Unsent:  r.unsent(),
		}
		v.follow(r, &e)
		entries[i] = e
	}
	return entries, nil
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
