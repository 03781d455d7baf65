// Package relay is the relay of Oblivious HTTP (RFC 9458, section 6.2): it
// carries sealed requests from readers to one gateway, and sealed answers back.
//
//	POST /relay   message/ohttp-req  →  the gateway's status and bytes:
//	                                    message/ohttp-res, or
//	                                    application/problem+json (RFC 9457)
//
// A page has many photos, and every request of a browser is dear to it. So
// several sealed requests may come in one, each as it would come alone, and
// their answers go back in one, as they come (batch.go). To the gateway all
// requests go one by one.
//
// The relay knows who asks, and cannot read what for. The gateway reads what
// for, and must not learn who asks. So nothing of a reader's request goes on
// but its sealed bytes, under the same few headers for everybody, over
// connections that everybody shares. A reader who leaves or who reads slowly is
// not felt at the gateway either: requests that break off at the same moment
// would tell it that one page had asked for them all.
//
//	h, err := relay.New(relay.Options{To: "https://gateway.example/gateway", Log: log})
//
// It speaks plain HTTP: in front of it stands the operator's own proxy for TLS.
// Let that speak HTTP/2 too, for over HTTP/1.1 a browser has no more than six
// requests under way.
//
// The two must be run by parties that do not tell each other what they know.
// The relay itself keeps no record: to slow down who asks too much it holds a
// keyed hash of each address for at most a minute (limit.go).
package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxRequest is the longest sealed request, in bytes: 2 KB, a header of 7,
	// a share of 32 and a tag of 16, and room.
	MaxRequest = 4 << 10
	// MaxAnswer is the longest sealed answer, in bytes: the largest photo is
	// padded to 16 MB.
	MaxAnswer = 16<<20 + 4<<10
	// MaxTime is how long the gateway may take for one answer. It gives up
	// fetching after 10 seconds itself.
	MaxTime = 30 * time.Second
	// MaxAtOnce is how many requests are under way at once.
	MaxAtOnce = 1024
	// PerMinute is how many requests one client may send in a minute, if nothing
	// else is said: a page has fifty photos, and behind one address there may be a
	// whole clinic.
	PerMinute = 1200
	// held is how much of an answer is taken from the gateway whether the
	// reader takes it or not. Nearly all answers are shorter, so that a slow
	// line is not felt at the gateway. MaxAtOnce × held bounds memory.
	held = 128 << 10
	// maxProblem is the longest problem of the gateway that is passed on.
	maxProblem = 4 << 10
)

// The types of what passes.
const (
	typeRequest = "message/ohttp-req"
	typeAnswer  = "message/ohttp-res"
	typeProblem = "application/problem+json"
)

// Options says what a relay is.
type Options struct {
	// To is the gateway's address. It is https; http only on this machine: a
	// name below .localhost, or a loopback address.
	To string
	// PerMinute is how many requests one client may send in a minute, at most
	// half of them at once. 0 means the constant PerMinute.
	PerMinute int
	// ClientHeader is the header in which the operator's own TLS proxy in front
	// of the relay names its peer, such as "X-Forwarded-For"; its last value
	// counts. Empty: the peer of the connection is the client.
	ClientHeader string
	// Log receives what goes wrong at the gateway, and nothing of any client.
	Log *slog.Logger
}

// New returns the handler for POST /relay.
func New(o Options) (http.Handler, error) {
	to, err := url.Parse(o.To)
	if err != nil || to.Host == "" || to.User != nil || to.RawQuery != "" || to.Fragment != "" {
		return nil, fmt.Errorf("%q is no address of a gateway: want one such as https://gateway.example/gateway", o.To)
	}
	if to.Scheme != "https" && !(to.Scheme == "http" && isLoopback(to.Hostname())) {
		return nil, fmt.Errorf("%q: the gateway must be reached by https, or by http on this machine", o.To)
	}
	if o.PerMinute == 0 {
		o.PerMinute = PerMinute
	}
	r := &relay{
		Options: o, to: to.String(),
		limit: newLimiter(o.PerMinute),
		slots: make(chan struct{}, MaxAtOnce),
		transport: &http.Transport{
			Proxy:                  nil, // not even from the environment: a third party would see both sides
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // or an Accept-Encoding is added
			MaxResponseHeaderBytes: 16 << 10,
			ResponseHeaderTimeout:  MaxTime,
			MaxIdleConns:           MaxAtOnce,
			MaxIdleConnsPerHost:    MaxAtOnce,
			// Before the gateway does, which waits a minute.
			IdleConnTimeout: 30 * time.Second,
		},
	}
	mux := http.NewServeMux()
	mux.Handle("POST /relay", r)
	return mux, nil
}

func isLoopback(host string) bool {
	if strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// dial reaches names below .localhost, which not every resolver knows.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
		return d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	}
	return d.DialContext(ctx, network, address)
}

type relay struct {
	Options
	to        string
	limit     *limiter
	slots     chan struct{}
	transport *http.Transport
}

// problem is what the relay itself says.
type problem struct {
	status int
	title  string
}

func (p *problem) Error() string { return p.title }

func (r *relay) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if err := r.relay(w, request); err != nil {
		p, text := said(err)
		if p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "10")
		}
		send(w, p.status, typeProblem, int64(len(text)))
		w.Write(text)
	}
}

// said is what a reader gets to hear of an error.
func said(err error) (p *problem, text []byte) {
	p = &problem{http.StatusBadGateway, "the gateway could not be reached"}
	errors.As(err, &p)
	text, _ = json.Marshal(map[string]any{"title": p.title, "status": p.status})
	return p, text
}

func send(w http.ResponseWriter, status int, contentType string, size int64) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
}

// relay answers a request, or returns why it could not begin to.
func (r *relay) relay(w http.ResponseWriter, request *http.Request) error {
	client := r.client(request)
	if !r.limit.take(client, time.Now()) {
		return errTooOften
	}
	contentType, _, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err == nil && contentType == typeBatch {
		return r.batch(w, request, client)
	}
	if err != nil || contentType != typeRequest {
		return &problem{http.StatusUnsupportedMediaType, "the content type is not " + typeRequest}
	}
	sealed, err := readBody(w, request, MaxRequest)
	if err != nil {
		return err
	}
	a, err := r.exchange(request.Context(), sealed)
	if err != nil {
		return err
	}
	defer a.close()
	// A reader who never reads must not keep a slot.
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(MaxTime))
	send(w, a.status, a.contentType, a.size)
	if _, err := w.Write(a.first); err != nil {
		return nil // the reader has left
	}
	if _, err := io.Copy(w, a.rest); err != nil && request.Context().Err() == nil {
		// The size is said already. The reader must see that less came.
		panic(http.ErrAbortHandler)
	}
	return nil
}

var errTooOften = &problem{http.StatusTooManyRequests, "this address asks too often; wait a little"}

func readBody(w http.ResponseWriter, request *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, limit))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return nil, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is longer than %d bytes", limit)}
	} else if err != nil {
		return nil, &problem{http.StatusBadRequest, "the request ended early"}
	}
	return body, nil
}

// reply is what the gateway says: its beginning, which is nearly always all,
// and what is still on its way.
type reply struct {
	status      int
	contentType string
	size        int64
	first       []byte
	rest        io.Reader
	close       func()
}

// exchange has a sealed request answered, or returns why that could not begin.
func (r *relay) exchange(reader context.Context, sealed []byte) (*reply, error) {
	select {
	case r.slots <- struct{}{}:
	default:
		return nil, &problem{http.StatusServiceUnavailable, "the relay is busy; try later"}
	}
	// The reader's context is not the gateway's: see the package comment.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(reader), MaxTime)
	closing := func() { cancel(); <-r.slots }
	response, err := r.ask(ctx, sealed)
	if err != nil {
		closing()
		r.Log.Warn("the gateway does not answer", "err", err)
		return nil, err
	}
	a := &reply{
		status: response.StatusCode, contentType: response.Header.Get("Content-Type"), size: response.ContentLength, rest: response.Body,
		close: func() { response.Body.Close(); closing() },
	}
	switch {
	case a.contentType == typeAnswer && a.status == http.StatusOK && 0 <= a.size && a.size <= MaxAnswer:
	case a.contentType == typeProblem && a.status >= 400 && 0 <= a.size && a.size <= maxProblem:
	default:
		a.close()
		r.Log.Warn("the gateway answers what is no Oblivious HTTP", "status", a.status)
		return nil, &problem{http.StatusBadGateway, "the gateway gave an answer that cannot be passed on"}
	}
	a.first = make([]byte, min(held, a.size))
	if _, err := io.ReadFull(response.Body, a.first); err != nil {
		a.close()
		r.Log.Warn("the gateway's answer ended early", "err", err)
		return nil, &problem{http.StatusBadGateway, "the gateway's answer ended early"}
	}
	return a, nil
}

// ask sends sealed bytes to the gateway, the same for whoever asks.
func (r *relay) ask(ctx context.Context, sealed []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.to, bytes.NewReader(sealed))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", typeRequest)
	request.Header["User-Agent"] = nil // else net/http names itself and its version
	// Not sent. Tells net/http that this may go out a second time, when the gateway
	// hangs up on an idle connection just as the request comes: what is sealed
	// asks for a photo, and changes nothing.
	request.Header["Idempotency-Key"] = nil
	return r.transport.RoundTrip(request)
}

// client is whom the limit counts a request to: an address, or the zero one if
// the proxy in front named none.
func (r *relay) client(request *http.Request) netip.Addr {
	text := request.RemoteAddr
	if r.ClientHeader != "" {
		values := strings.Split(strings.Join(request.Header.Values(r.ClientHeader), ","), ",")
		text = strings.TrimSpace(values[len(values)-1])
	}
	if peer, err := netip.ParseAddrPort(text); err == nil {
		return peer.Addr()
	}
	a, _ := netip.ParseAddr(text)
	return a
}
