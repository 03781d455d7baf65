package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"paravent/lists/release"
	"paravent/server/publish"
	"paravent/server/reader"
	"paravent/server/store"
	"paravent/wasm/match"
)

// photoRules returns a gateway's rule: an address is a photo's if a photo rule
// of the release in force says so. It looks at that each time, so that a new
// release counts at once. If it cannot be read, the rules of the last one that
// could be stay in force; before the first, nothing is a photo.
func photoRules(s store.Store, log *slog.Logger) func(url string) bool {
	var (
		mu     sync.Mutex
		bundle string // SHA-256 of the bundle that list was made from
		failed string // what was last logged
		list   *match.Matcher
	)
	current := func() *match.Matcher {
		mu.Lock()
		defer mu.Unlock()
		err := func() error {
			ctx := context.Background()
			newest, err := publish.ReadNewest(ctx, s)
			if err != nil || newest.Bundle.SHA256 == bundle {
				return err
			}
			data, err := publish.ReadBlob(ctx, s, newest.Bundle)
			if err != nil {
				return err
			}
			fresh, err := match.Open(data)
			if err != nil {
				return fmt.Errorf("the bundle of release %d: %w", newest.Index, err)
			}
			list, bundle = fresh, newest.Bundle.SHA256
			return nil
		}()
		if err == nil {
			failed = ""
		} else if err.Error() != failed {
			failed = err.Error()
			log.Error("the gateway keeps the photo rules it has", "err", err)
		}
		return list
	}
	return func(url string) bool {
		m := current()
		return m != nil && m.Photo(url)
	}
}

const (
	// A list server's word for how long to wait is taken within these bounds.
	minWait, maxWait = time.Second, 24 * time.Hour
	// retry is how long a gateway waits that could not get a release.
	retry = time.Minute
)

// photoRulesFrom is photoRules for a list server elsewhere, which it asks until
// ctx ends, as often as the release in force says. It takes what any reader
// would take: a release signed, logged and witnessed as trust asks for, and
// none older than the last. What it took it forgets when it ends.
func photoRulesFrom(ctx context.Context, server *reader.Server, trust release.Trust, log *slog.Logger) func(url string) bool {
	var list atomic.Pointer[match.Matcher]
	go func() {
		client := release.Client{Trust: trust}
		bundle, failed := "", ""
		for {
			wait := retry
			err := func() error {
				taken, err := server.Verify(ctx, client)
				if err != nil {
					return err
				}
				if taken.Release.Bundle.SHA256 != bundle {
					data, err := server.Blob(ctx, "bundle", taken.Release.Bundle)
					if err != nil {
						return err
					}
					fresh, err := match.Open(data)
					if err != nil {
						return fmt.Errorf("%s: the bundle of release %d: %w", server, taken.Release.Index, err)
					}
					list.Store(fresh)
					bundle = taken.Release.Bundle.SHA256
				}
				// The same release is taken again each time: nothing else is new.
				client = release.Client{Trust: taken.Trust, Next: taken.Release.Index, Tree: taken.Tree}
				wait = min(max(time.Duration(taken.Release.WaitSeconds)*time.Second, minWait), maxWait)
				return nil
			}()
			if err == nil {
				failed = ""
			} else if ctx.Err() == nil && err.Error() != failed {
				failed = err.Error()
				log.Error("the gateway keeps the photo rules it has", "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait + rand.N(wait/10)):
			}
		}
	}()
	return func(url string) bool {
		m := list.Load()
		return m != nil && m.Photo(url)
	}
}
