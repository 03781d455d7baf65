package demo

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A record never grows beyond these, whatever is sent: the oldest requests are
// dropped and counted.
const (
	maxRequests    = 1000
	maxRecordBytes = 4 << 20
	maxBody        = 64 << 10
	maxText        = 8 << 10 // of one URL or header
)

// limits are how many requests a record keeps, and how many bytes of them.
type limits struct{ requests, bytes int }

// gatewayAgent begins the User-Agent of the photo gateway.
const gatewayAgent = "Paravent gateway"

// A Request is one request as its recipient saw it.
type Request struct {
	Time    time.Time         `json:"time"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Type    string            `json:"type"` // webRequest's word, guessed from Sec-Fetch-Dest
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body,omitempty"`
	Decoded string            `json:"decoded,omitempty"` // what the body carries in base64
	From    string            `json:"from"`              // browser or gateway
}

func (r *Request) size() int {
	n := len(r.Method) + len(r.URL) + len(r.Type) + len(r.Body) + len(r.Decoded) + 200
	for k, v := range r.Headers {
		n += len(k) + len(v)
	}
	return n
}

// A record is what one recipient received since the last reset.
type record struct {
	max      limits
	mu       sync.Mutex
	requests []Request
	bytes    int
	dropped  int
	open     map[net.Conn]*connection
	opened   int // by browsers; those of the gateway are not among them
	silent   int // of these, closed without any request
}

// A connection is a TCP connection that is open now.
type connection struct {
	counted bool // in opened, since the last reset
	used    bool // carried a request
	idle    bool // carries none at the moment
}

func newRecord(max limits) *record {
	return &record{max: max, open: map[net.Conn]*connection{}}
}

type connectionKey struct{}

func (rec *record) connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// connState counts connections: a preconnect is one that never carries a
// request. Until a request says that it is the gateway's, it counts as a
// browser's.
func (rec *record) connState(c net.Conn, state http.ConnState) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	switch state {
	case http.StateNew:
		rec.open[c] = &connection{counted: true, idle: true}
		rec.opened++
	case http.StateActive, http.StateIdle:
		if o := rec.open[c]; o != nil {
			o.idle = state == http.StateIdle
		}
	case http.StateClosed, http.StateHijacked:
		if o := rec.open[c]; o != nil && o.counted && !o.used {
			rec.silent++
		}
		delete(rec.open, c)
	}
}

// keep records every request before next answers it.
func (rec *record) keep(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			http.Error(w, "the body broke off", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		got := Request{
			Time:    time.Now().UTC(),
			Method:  cut(r.Method),
			URL:     cut(origin + r.URL.RequestURI()),
			Type:    typeOf(r),
			Headers: map[string]string{},
			Body:    strings.ToValidUTF8(string(body), "\uFFFD"),
			From:    "browser",
		}
		for _, name := range []string{"Cookie", "Referer", "Origin", "User-Agent", "Accept-Language", "Content-Type", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"} {
			if v := r.Header.Get(name); v != "" {
				got.Headers[strings.ToLower(name)] = cut(v)
			}
		}
		if strings.HasPrefix(r.UserAgent(), gatewayAgent) {
			got.From = "gateway"
		}
		got.Decoded = decodedBody(got.Body)
		c, _ := r.Context().Value(connectionKey{}).(net.Conn)
		rec.add(got, c)
		next.ServeHTTP(w, r)
	})
}

func (rec *record) add(got Request, c net.Conn) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if o := rec.open[c]; o != nil {
		o.used = true
		switch {
		case got.From == "gateway" && o.counted:
			o.counted = false
			rec.opened--
		case got.From == "browser" && !o.counted:
			o.counted = true
			rec.opened++
		}
	}
	rec.requests = append(rec.requests, got)
	rec.bytes += got.size()
	for len(rec.requests) > rec.max.requests || rec.bytes > rec.max.bytes {
		rec.bytes -= rec.requests[0].size()
		rec.requests = append(rec.requests[:0:0], rec.requests[1:]...)
		rec.dropped++
	}
}

// reset forgets everything and hangs up on those who have nothing under way,
// so that the next contact is counted as a connection again.
func (rec *record) reset() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.requests, rec.bytes, rec.dropped, rec.opened, rec.silent = nil, 0, 0, 0, 0
	for c, o := range rec.open {
		o.counted = false
		if o.idle {
			c.Close()
		}
	}
}

// A received is a copy of a record at one moment.
type received struct {
	requests    []Request
	dropped     int
	connections int
	silent      int // connections without a request so far
}

func (rec *record) received() received {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	silent := rec.silent
	for _, o := range rec.open {
		if o.counted && !o.used {
			silent++
		}
	}
	return received{append([]Request{}, rec.requests...), rec.dropped, rec.opened, silent}
}

func cut(s string) string {
	if len(s) <= maxText {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.ToValidUTF8(s[:n], "\uFFFD") + "…"
}

// typeOf names the request's type in webRequest's words. A beacon and a fetch
// have the same empty destination; only the beacon is a POST that does not ask
// to read the answer. To a host that is no secure context browsers do not send
// the destination: then what they accept tells images and styles.
func typeOf(r *http.Request) string {
	switch dest := r.Header.Get("Sec-Fetch-Dest"); dest {
	case "document":
		return "main_frame"
	case "iframe", "frame":
		return "sub_frame"
	case "script", "worker", "sharedworker", "serviceworker":
		return "script"
	case "style":
		return "stylesheet"
	case "audio", "video", "track":
		return "media"
	case "image", "font", "object":
		return dest
	case "empty":
		if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Mode") == "no-cors" {
			return "ping"
		}
		return "xmlhttprequest"
	}
	accept, _, _ := strings.Cut(r.Header.Get("Accept"), "/")
	switch {
	case accept == "image":
		return "image"
	case strings.HasPrefix(r.Header.Get("Accept"), "text/css"):
		return "stylesheet"
	}
	return "other"
}
