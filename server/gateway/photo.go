package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// MaxAtOnce is how many fetches run at once; others wait for their turn,
	// for MaxTime in all. It bounds memory to MaxAtOnce × MaxPicture.
	MaxAtOnce = 32
	// MaxPerHost is how many of these go to one host, so that a slow host does
	// not keep all others waiting.
	MaxPerHost = 12
	// maxWaiting is how many fetches run or wait.
	maxWaiting = 4096
	// regret is how long a failure is remembered: long enough for the photos of
	// a page that is loaded again, short enough for a host that comes back.
	regret = 30 * time.Second
	// maxRegrets is how many failures are remembered.
	maxRegrets = 1 << 14
)

// A desk answers for photos: from its cache, else by one fetch for all who ask
// for the same photo at the same time.
type desk struct {
	cache *Cache
	fetch func(context.Context, *url.URL) (picture, error)

	flights singleflight.Group
	waiting atomic.Int64
	mix     mix
	slots   chan struct{}
	hosts   hosts
	regrets regrets
}

func newDesk(cache *Cache, fetch func(context.Context, *url.URL) (picture, error)) *desk {
	return &desk{
		cache: cache, fetch: fetch,
		slots:   make(chan struct{}, MaxAtOnce),
		hosts:   hosts{byName: map[string]*host{}},
		regrets: regrets{byKey: map[key]regretted{}},
	}
}

var (
	errBusy  = &refusal{http.StatusServiceUnavailable, "the gateway is busy; try later"}
	errCache = &refusal{http.StatusServiceUnavailable, "the gateway's cache does not work"}
	errSlow  = &refusal{http.StatusGatewayTimeout, fmt.Sprintf("the photo host took longer than %v", MaxTime)}
)

// bring sees to it that the photo at a checked address is in the cache, and
// returns its size. A fetch that has begun goes on if the one who asked leaves:
// others may wait for the same, or soon ask for it.
func (d *desk) bring(ctx context.Context, target *url.URL) (size int64, err error) {
	k := keyOf(target.String())
	if size := d.cache.size(k); size > 0 {
		return size, nil
	}
	if err := d.regrets.get(k); err != nil {
		return 0, err
	}
	done := d.flights.DoChan(string(k[:]), func() (any, error) {
		// Another flight may have landed just before this one began.
		if size := d.cache.size(k); size > 0 {
			return size, nil
		}
		return d.fly(k, target)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return 0, r.Err
		}
		return r.Val.(int64), nil
	case <-ctx.Done():
		return 0, errSlow
	}
}

func (d *desk) fly(k key, target *url.URL) (size int64, err error) {
	// Nobody above catches a panic of a flight. A decoder that trips over a
	// picture must not take the gateway down.
	defer func() {
		if recover() != nil {
			size, err = 0, errNoPicture
			d.regrets.put(k, errNoPicture)
		}
	}()
	if d.waiting.Add(1) > maxWaiting {
		d.waiting.Add(-1)
		return 0, errBusy
	}
	defer d.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(context.Background(), MaxTime)
	defer cancel()
	d.mix.wait()
	leave, ok := d.hosts.enter(ctx, target.Host)
	if !ok {
		return 0, errBusy
	}
	defer leave()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return 0, errBusy
	}
	p, err := d.fetch(ctx, target)
	if err != nil {
		why := errUnreachable
		if errors.As(err, &why); ctx.Err() != nil {
			why = errSlow
		}
		d.regrets.put(k, why)
		return 0, why
	}
	if err := d.cache.put(k, p); err != nil {
		return 0, errors.Join(errCache, err)
	}
	return int64(len(p.data)), nil
}

// hosts are the places at the hosts that are being asked.
type hosts struct {
	mu     sync.Mutex
	byName map[string]*host
}

type host struct {
	places chan struct{}
	users  int // inside or waiting
}

// enter waits for a place at a host; ok is false if ctx ended before.
func (h *hosts) enter(ctx context.Context, name string) (leave func(), ok bool) {
	h.mu.Lock()
	at := h.byName[name]
	if at == nil {
		at = &host{places: make(chan struct{}, MaxPerHost)}
		h.byName[name] = at
	}
	at.users++
	h.mu.Unlock()
	gone := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(h.byName, name)
		}
	}
	select {
	case at.places <- struct{}{}:
		return func() { <-at.places; gone() }, true
	case <-ctx.Done():
		gone()
		return nil, false
	}
}

// regrets are the failures of late.
type regrets struct {
	mu    sync.Mutex
	byKey map[key]regretted
}

type regretted struct {
	why   *refusal
	until time.Time
}

// get returns why a photo could not be had a moment ago, or nil.
func (r *regrets) get(k key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.byKey[k]; ok && time.Now().Before(was.until) {
		return was.why
	}
	return nil
}

func (r *regrets) put(k key, why *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.byKey) >= maxRegrets {
		for k, was := range r.byKey {
			if now.After(was.until) {
				delete(r.byKey, k)
			}
		}
	}
	if len(r.byKey) < maxRegrets {
		r.byKey[k] = regretted{why, now.Add(regret)}
	}
}
