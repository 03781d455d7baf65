// Package gateway is the gateway of Oblivious HTTP (RFC 9458, section 6.3) for
// photos, and the only target that it stands for: it opens sealed requests,
// fetches photos, and seals the answers. A photo host sees a gateway and never
// a patient; the gateway sees a relay and never a patient either.
//
//	POST /gateway   message/ohttp-req  →  200 and message/ohttp-res
//
// Inside is Binary HTTP (RFC 9292): a GET of a photo's address, of which
// nothing else counts, and as answer 200 with the picture, or a status of 400
// or more with one sentence. All answers are padded to a power of two from
// 16 KB on, those with a sentence too, so that whoever carries them learns
// little from their sizes. What cannot be opened is answered by a problem
// (RFC 9457): with the type KeyProblem if it is sealed to a key that is not
// here (any more).
//
// It fetches only what the caller's rule allows, over https, from port 443 of
// global unicast addresses, which are checked after the name is resolved and
// right before they are dialled (addr.go). Every fetch carries the same few
// headers. Of the host's answer nothing comes back but a picture: PNG, JPEG,
// GIF or WebP, told by its content, of so many bytes and pixels at most
// (fetch.go). Who asks for the same photo at the same time or within a day
// gets it from one fetch (photo.go, cache.go).
//
//	cache, err := gateway.OpenCache("/var/cache/paravent", 1<<30)
//	h := gateway.New(gateway.Options{Keys: keys, Cache: cache, Allow: allow, Log: log})
package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"paravent/server/ohttp"
)

// Options says what a gateway opens and fetches.
type Options struct {
	// Keys returns the keys that open requests at the moment.
	Keys func() *ohttp.Keys
	// Cache keeps the photos.
	Cache *Cache
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
func New(o Options) http.Handler { return newGateway(o, guarded(net.DefaultResolver)) }

// guarded dials only what globalOnly lets pass.
func guarded(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: 5 * time.Second, Control: globalOnly, Resolver: resolver}
}

func newGateway(o Options, guarded *net.Dialer) http.Handler {
	dial := guarded.DialContext
	if o.DemoLoopback {
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && isLocalhost(host) {
				return (&net.Dialer{}).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
			}
			return guarded.DialContext(ctx, network, address)
		}
	}
	transport := &http.Transport{
		Proxy:                  nil, // not even from the environment: a proxy would dial what it likes
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    MaxPerHost,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
	}
	g := &gateway{Options: o, open: make(chan struct{}, maxOpen), memory: semaphore.NewWeighted(maxMemory), transport: transport}
	if o.DemoLoopback {
		g.transport = &apart{make: transport.Clone}
	}
	g.desk = newDesk(o.Cache, g.fetch)
	mux := http.NewServeMux()
	mux.Handle("POST /gateway", g)
	return mux
}

type gateway struct {
	Options
	*desk
	open      chan struct{}       // requests under way
	memory    *semaphore.Weighted // what their answers take
	transport http.RoundTripper
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if contentType != ohttp.RequestType {
		problem(w, http.StatusUnsupportedMediaType, "the content type is not "+ohttp.RequestType)
		return
	}
	g.sealed(w, r)
}
