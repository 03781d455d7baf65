package gateway

import (
	"io"
	"net/http"
	"sync"
)

// apart is the demo's way to its hosts: every fetch has a transport to itself for
// as long as it lasts. The demo counts connections, and one that several fetches
// share dials spare ones at times: a connection without a request would look
// like a browser's preconnect.
type apart struct {
	make func() *http.Transport

	mu   sync.Mutex
	free []*http.Transport
}

func (o *apart) RoundTrip(request *http.Request) (*http.Response, error) {
	o.mu.Lock()
	var t *http.Transport
	if last := len(o.free) - 1; last >= 0 {
		t, o.free = o.free[last], o.free[:last]
	}
	o.mu.Unlock()
	if t == nil {
		t = o.make()
	}
	back := sync.OnceFunc(func() {
		o.mu.Lock()
		o.free = append(o.free, t)
		o.mu.Unlock()
	})
	response, err := t.RoundTrip(request)
	if err != nil {
		back()
		return nil, err
	}
	response.Body = &lent{response.Body, back}
	return response, nil
}

// lent gives its transport back when it is closed.
type lent struct {
	io.ReadCloser
	back func()
}

func (l *lent) Close() error {
	defer l.back()
	return l.ReadCloser.Close()
}
