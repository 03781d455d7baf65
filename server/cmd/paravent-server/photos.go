package main

import (
	"log/slog"
	"sync"

	"paravent/server/store"
	"paravent/wasm/match"
)

// photoRules returns a gateway's rule: an address is a photo's if a photo rule
// of the release in force says so. It looks at the head each time, so that a
// new release counts at once. If that cannot be read, the rules of the last
// one that could be stay in force; before the first, nothing is a photo.
func photoRules(s *store.Store, log *slog.Logger) func(url string) bool {
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
			_, head, err := s.Head()
			if err != nil || head.Bundle.SHA256 == bundle {
				return err
			}
			data, err := s.Blob(head.Bundle.SHA256)
			if err != nil {
				return err
			}
			fresh, err := match.Open(data)
			if err != nil {
				return &store.Corrupt{Path: s.BlobPath(head.Bundle.SHA256), Why: err.Error()}
			}
			list, bundle = fresh, head.Bundle.SHA256
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
