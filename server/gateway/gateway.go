// Package gateway fetches photos for readers, so that a photo host sees a
// gateway and never a patient.
//
//	POST /gateway   {"url":"https://…"}  →  200 and the picture's bytes, or
//	                                         4xx or 5xx and {"error":"…"}
//
// It fetches only what the caller's rule allows, over https, from port 443 of
// global unicast addresses, which are checked after the name is resolved and
// right before they are dialled (addr.go). Of the patient's request nothing
// goes on but the address of the picture: every fetch carries the same few
// headers. Of the answer nothing comes back but a picture: PNG, JPEG, GIF or
// WebP, told by its content.
package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxRequest is the longest request body, in bytes.
	MaxRequest = 8 << 10
	// MaxPicture is the largest picture, in bytes.
	MaxPicture = 8 << 20
	// MaxRedirects is how many redirects one fetch follows.
	MaxRedirects = 2
	// MaxTime is how long one fetch may take with all its redirects.
	MaxTime = 10 * time.Second
	// MaxAtOnce is how many fetches run at once; others wait for their turn,
	// for MaxTime in all. It bounds memory to MaxAtOnce × MaxPicture.
	MaxAtOnce = 32
)

// Options says what a gateway fetches.
type Options struct {
	// Allow says whether an address (absolute, as it will be sent) is a
	// photo's. It is asked again for every redirect, by many goroutines.
	Allow func(url string) bool
	// Log receives the reasons of failed fetches, without their addresses.
	Log *slog.Logger
	// DemoLoopback also allows http, any port and the address 127.0.0.1 for
	// hosts below ".localhost", which it resolves itself. For the demo only:
	// it opens what runs on this machine to whoever reaches the gateway.
	DemoLoopback bool
}

// New returns the handler for POST /gateway.
func New(o Options) http.Handler { return newGateway(o, net.DefaultResolver) }

func newGateway(o Options, resolver *net.Resolver) http.Handler {
	guarded := &net.Dialer{Timeout: 5 * time.Second, Control: globalOnly, Resolver: resolver}
	dial := guarded.DialContext
	if o.DemoLoopback {
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && isLocalhost(host) {
				return (&net.Dialer{}).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
			}
			return guarded.DialContext(ctx, network, address)
		}
	}
	g := &gateway{Options: o, slots: make(chan struct{}, MaxAtOnce), transport: &http.Transport{
		Proxy:                  nil, // not even from the environment: a proxy would dial what it likes
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
	}}
	if o.DemoLoopback {
		// The demo counts connections: a spare one, dialled and never used,
		// would look like a browser's preconnect.
		g.transport.MaxIdleConnsPerHost = -1
	}
	mux := http.NewServeMux()
	mux.Handle("POST /gateway", g)
	return mux
}

type gateway struct {
	Options
	slots     chan struct{}
	transport *http.Transport
}

// refusal is why no picture comes back. Its text goes to the client and the
// log: it names no address.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	picture, contentType, err := g.answer(r)
	if err != nil {
		why := &refusal{http.StatusBadGateway, "the photo host could not be reached"}
		errors.As(err, &why)
		g.Log.Info("no picture", "status", why.status, "why", why.text)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(why.status)
		json.NewEncoder(w).Encode(map[string]string{"error": why.text})
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(picture)))
	w.Write(picture)
}

func (g *gateway) answer(r *http.Request) (picture []byte, contentType string, err error) {
	target, err := readRequest(r.Body)
	if err != nil {
		return nil, "", err
	}
	if err := g.check(target); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(r.Context(), MaxTime)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return nil, "", &refusal{http.StatusServiceUnavailable, "the gateway is busy; try later"}
	}
	picture, contentType, err = g.fetch(ctx, target)
	if err != nil && ctx.Err() != nil {
		err = &refusal{http.StatusGatewayTimeout, fmt.Sprintf("the photo host took longer than %v", MaxTime)}
	}
	return picture, contentType, err
}

// readRequest reads {"url":"…"}, and nothing more or less.
func readRequest(body io.Reader) (*url.URL, error) {
	text, err := io.ReadAll(io.LimitReader(body, MaxRequest+1))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "the request ended early"}
	}
	if len(text) > MaxRequest {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is longer than %d bytes", MaxRequest)}
	}
	var asked struct {
		URL *string `json:"url"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil || asked.URL == nil {
		return nil, &refusal{http.StatusBadRequest, `the request is not {"url":"…"}`}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &refusal{http.StatusBadRequest, `something follows {"url":"…"}`}
	}
	target, err := url.Parse(*asked.URL)
	if err != nil || target.Host == "" {
		return nil, &refusal{http.StatusBadRequest, "url: is not an absolute address"}
	}
	return target, nil
}

// check says whether target may be fetched. It leaves target as it will be
// sent, and asks the rule about exactly that text, so that no two readings of
// an address can come apart.
func (g *gateway) check(target *url.URL) error {
	target.Fragment, target.RawFragment = "", ""
	host := target.Hostname()
	demo := g.DemoLoopback && isLocalhost(host)
	switch {
	case target.Scheme != "https" && !(demo && target.Scheme == "http"):
		return &refusal{http.StatusForbidden, "url: only https is fetched"}
	case target.User != nil:
		return &refusal{http.StatusForbidden, "url: carries a user name"}
	case !demo && target.Port() != "" && target.Port() != "443":
		return &refusal{http.StatusForbidden, "url: only port 443 is fetched"}
	case !isName(host):
		return &refusal{http.StatusForbidden, "url: the host is not a plain domain name in small letters"}
	case hasDots(target.Path):
		return &refusal{http.StatusForbidden, "url: the path has . or .. in it"}
	case !g.Allow(target.String()):
		return &refusal{http.StatusForbidden, "url: no photo rule of the list allows it"}
	}
	return nil
}

// isName says whether host is a domain name as browsers write it. No form of
// an IP address is one.
func isName(host string) bool {
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	// A last label that is a number, decimal or hex, makes it an IPv4 address.
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(host) <= 253 && (last[0] < '0' || last[0] > '9')
}

func isLocalhost(host string) bool { return strings.HasSuffix(host, ".localhost") }

// hasDots says whether a decoded path has a segment that a server may resolve.
func hasDots(path string) bool {
	for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// fetch gets a picture from a checked address.
func (g *gateway) fetch(ctx context.Context, target *url.URL) (picture []byte, contentType string, err error) {
	for redirects := 0; ; redirects++ {
		response, err := g.get(ctx, target)
		if err != nil {
			return nil, "", err
		}
		switch response.StatusCode {
		case http.StatusOK:
			defer response.Body.Close()
			return readPicture(response)
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			response.Body.Close()
			if redirects == MaxRedirects {
				return nil, "", &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host redirects more than %d times", MaxRedirects)}
			}
			target, err = response.Location()
			if err != nil {
				return nil, "", &refusal{http.StatusBadGateway, "the photo host redirects to no address"}
			}
			if err := g.check(target); err != nil {
				return nil, "", &refusal{http.StatusBadGateway, "the photo host redirects elsewhere: " + err.Error()}
			}
		default:
			response.Body.Close()
			return nil, "", &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host answered %d", response.StatusCode)}
		}
	}
}

// get sends one request, the same for whoever asks.
func (g *gateway) get(ctx context.Context, target *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "url: is not an absolute address"}
	}
	request.Header.Set("User-Agent", "Paravent gateway")
	request.Header.Set("Accept", "image/webp,image/png,image/jpeg,image/gif")
	response, err := g.transport.RoundTrip(request)
	if notGlobal := (*addressError)(nil); errors.As(err, &notGlobal) {
		return nil, &refusal{http.StatusForbidden, "url: the host has no global address"}
	}
	return response, err
}

func readPicture(response *http.Response) (picture []byte, contentType string, err error) {
	tooLarge := &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host sent more than %d bytes", MaxPicture)}
	if response.ContentLength > MaxPicture {
		return nil, "", tooLarge
	}
	picture, err = io.ReadAll(io.LimitReader(response.Body, MaxPicture+1))
	if err != nil {
		return nil, "", &refusal{http.StatusBadGateway, "the photo host's answer ended early"}
	}
	if len(picture) > MaxPicture {
		return nil, "", tooLarge
	}
	switch contentType = http.DetectContentType(picture); contentType {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return picture, contentType, nil
	}
	return nil, "", &refusal{http.StatusBadGateway, "the photo host sent no PNG, JPEG, GIF or WebP picture"}
}
