package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"paravent/server/publish"
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
