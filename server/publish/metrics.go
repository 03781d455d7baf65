package publish

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/store"
)

// counts are the requests answered, by route and status and by nothing else:
// no address, no URL of a visitor.
type counts struct{ byRoute sync.Map } // pattern → *[600]atomic.Uint64 by status

// around counts the answers of a mux.
func (c *counts) around(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countedAnswer{ResponseWriter: w, status: http.StatusOK}
		mux.ServeHTTP(counted, r)
		route, ok := c.byRoute.Load(r.Pattern)
		if !ok {
			route, _ = c.byRoute.LoadOrStore(r.Pattern, new([600]atomic.Uint64))
		}
		if counted.status < 600 {
			route.(*[600]atomic.Uint64)[counted.status].Add(1)
		}
	})
}

type countedAnswer struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (c *countedAnswer) WriteHeader(status int) {
	if !c.begun && status >= 200 {
		c.begun, c.status = true, status
	}
	c.ResponseWriter.WriteHeader(status)
}

// ReadFrom lets a file go to the socket without passing through memory.
func (c *countedAnswer) ReadFrom(r io.Reader) (int64, error) {
	c.begun = true
	return io.Copy(c.ResponseWriter, r)
}

// Unwrap is for http.ResponseController.
func (c *countedAnswer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// metrics writes the text format of Prometheus.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	type count struct {
		route  string
		status int
		n      uint64
	}
	var all []count
	h.counts.byRoute.Range(func(pattern, byStatus any) bool {
		route := cmp.Or(pattern.(string), "other")
		for status := range byStatus.(*[600]atomic.Uint64) {
			if n := byStatus.(*[600]atomic.Uint64)[status].Load(); n > 0 {
				all = append(all, count{route, status, n})
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.status, b.status))
	})
	var b strings.Builder
	b.WriteString("# HELP paravent_requests_total Requests answered, by route and status.\n# TYPE paravent_requests_total counter\n")
	for _, c := range all {
		fmt.Fprintf(&b, "paravent_requests_total{route=%q,status=\"%d\"} %d\n", c.route, c.status, c.n)
	}
	gauge := func(name, help string, value any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %v\n", name, help, name, name, value)
	}
	if data, _, err := h.store.Get(r.Context(), log.CheckpointName); err == nil {
		if text, err := release.Text(data); err == nil {
			if _, tree, err := release.ParseCheckpoint(text); err == nil {
				gauge("paravent_log_size", "Releases in the log, also those that wait for witnesses.", tree.Size)
			}
		}
	}
	if s, err := h.current(r.Context()); err == nil {
		gauge("paravent_release_index", "Number of the release in force.", s.Index)
		gauge("paravent_release_age_seconds", "Time since the release in force was issued.", int64(h.now().Sub(s.Issued).Seconds()))
		gauge("paravent_release_expires_seconds", "Time until readers call the release in force stale.", int64(s.Expires.Sub(h.now()).Seconds()))
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, b.String())
}

// health says whether the release in force and all that it names can be
// served. A server that waits for its first release is well.
func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	s, err := h.current(r.Context())
	if err == ErrEmpty {
		if _, _, err = h.store.Get(r.Context(), log.CheckpointName); err == nil || errors.Is(err, fs.ErrNotExist) {
			io.WriteString(w, "ok\nno release in force yet\n")
			return
		}
	}
	if err == nil {
		for _, d := range []release.Digest{s.Trust, s.List, s.Bundle, s.Filters} {
			if err = h.servable(r, d); err != nil {
				break
			}
		}
	}
	if err != nil {
		h.log.Error("not healthy", "err", err)
		http.Error(w, "not healthy; the log names the reason", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "ok\nrelease %d\n", s.Index)
}

func (h *handler) servable(r *http.Request, d release.Digest) error {
	opener, ok := h.store.(store.Opener)
	if !ok {
		_, err := ReadBlob(r.Context(), h.store, d)
		return err
	}
	file, err := h.open(opener, blobPrefix+d.SHA256)
	if err != nil {
		return err
	}
	return file.Close()
}
