// Package page is what a list server shows to people: the release in force,
// who signed it and which witnesses saw its log, what it changed, and for any
// host whether it is listed, by which rule, and who receives its requests.
//
//	GET /                        the release in force
//	GET /search?q=tracker.example
//
// in French or English, by Accept-Language (RFC 9110, 12.5.4) or "lang=fr". The pages
// are HTML without a script, a cookie or anything from elsewhere, and say
// nothing about who reads them: there is nothing in the answer or on the server
// that depends on the reader but the language and the question.
//
// What is shown is read out of the objects that the server publishes anyway:
//
//	mux.Handle("/", page.New(dir, logger))
//
// Reasons and sources stand in the list's sources and not in the list, so the
// page names the commit in which they are.
package page

import (
	"context"
	"crypto/sha256"
	_ "embed" // for the page's look
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"paravent/lists/diff"
	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/store"
)

// Objects are what the server publishes; a store.Store is one.
type Objects interface {
	Get(ctx context.Context, name string) (data []byte, v store.Version, err error)
}

// New answers GET / and GET /search. What cannot be read of the objects is said
// to log, and to readers only that it is so.
func New(objects Objects, log *slog.Logger) http.Handler {
	return &handler{objects: objects, log: log, now: time.Now}
}

type handler struct {
	objects Objects
	log     *slog.Logger
	now     func() time.Time

	mu      sync.Mutex
	current *edition
}

// An edition is a release with what the page says of it. It never changes.
type edition struct {
	answer    string // /v1/release that it was made of
	Release   release.Release
	Signers   []string
	Needed    int // signatures
	Keys      int // of maintainers
	Log       string
	Witnesses []release.Cosignature
	NewKeys   bool          // it changed whose signatures count
	Changes   *diff.Changes // since the release before; nil if this is the first
	Past      []past        // releases before, the newest first
	list      *list
}

// A past release is one that stands in the log.
type past struct {
	Index  uint64
	Issued time.Time
	Source string
	Keys   bool // it changed the keys
}

// mostPast is how many earlier releases are shown.
const mostPast = 10

var errEmpty = errors.New("no release is in force yet")

// edition is what is in force. It is made once a release: a list of a hundred
// thousand rules takes a moment to read.
func (h *handler) edition(ctx context.Context) (*edition, error) {
	answer, _, err := h.objects.Get(ctx, "v1/release")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errEmpty
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil && h.current.answer == string(answer) {
		return h.current, nil
	}
	e, err := h.read(ctx, answer)
	if err == nil {
		h.current = e
	}
	return e, err
}

func (h *handler) read(ctx context.Context, answer []byte) (*edition, error) {
	note, proof, err := release.Split(answer)
	if err != nil {
		return nil, err
	}
	e := &edition{answer: string(answer)}
	if e.Release, err = release.Read(note); err != nil {
		return nil, err
	}
	text, err := h.blob(ctx, "trust text", e.Release.Trust)
	if err != nil {
		return nil, err
	}
	trust, err := release.ParseTrust(string(text))
	if err != nil {
		return nil, err
	}
	if _, e.Signers, err = trust.Signers(note); err != nil {
		return nil, err
	}
	seen, err := trust.Checkpoint(proof.Checkpoint)
	if err != nil {
		return nil, err
	}
	e.Needed, e.Keys, e.Log, e.Witnesses = trust.Threshold(), len(trust.Maintainers()), seen.Origin, seen.Witnesses
	data, err := h.blob(ctx, "list", e.Release.List)
	if err != nil {
		return nil, err
	}
	if e.list, err = readList(data); err != nil {
		return nil, err
	}
	return e, h.readPast(ctx, e, seen.Tree.Size, data)
}

// readPast reads the releases before out of the log, and what the last of them
// is different in.
func (h *handler) readPast(ctx context.Context, e *edition, size uint64, data []byte) error {
	if e.Release.Index == 0 {
		return nil
	}
	var before, after release.Release // the release before this one, and the one after the one that is read
	after = e.Release
	for index := e.Release.Index; index > 0 && len(e.Past) < mostPast; {
		index--
		entry, err := h.entry(ctx, index, size)
		if err != nil {
			return err
		}
		r, err := release.Read(entry)
		if err != nil {
			return err
		}
		changed := r.Trust != after.Trust
		if len(e.Past) == 0 {
			before, e.NewKeys = r, changed
		} else {
			e.Past[len(e.Past)-1].Keys = changed
		}
		e.Past = append(e.Past, past{Index: r.Index, Issued: r.Issued, Source: r.Source})
		after = r
	}
	old, err := h.blob(ctx, "list before", before.List)
	if err != nil {
		return err
	}
	e.Changes, err = diff.Between(old, data)
	return err
}

// entry reads one entry of the log, which has so many.
func (h *handler) entry(ctx context.Context, index, size uint64) ([]byte, error) {
	const width = 256
	n := index / width
	name := log.EntriesPath(n, int(min(size-n*width, width)))
	bundle, _, err := h.objects.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	entries, err := log.Entries(bundle)
	if err != nil || uint64(len(entries)) <= index%width {
		return nil, fmt.Errorf("%s: no entry %d: %w", name, index, err)
	}
	return entries[index%width], nil
}

func (h *handler) blob(ctx context.Context, what string, d release.Digest) ([]byte, error) {
	data, _, err := h.objects.Get(ctx, "v1/blob/"+d.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return data, d.Check(what, data)
}

//go:embed page.css
var styleText string

// policy lets a page show itself and its own style, and ask this server.
var policy = func() string {
	sum := sha256.Sum256([]byte(styleText))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// A view is what a page shows.
type view struct {
	*edition           // nil if nothing is published
	Lang, Other string // of the page, and the one to switch to
	Base        string // address of the server, as the reader sees it
	Now         time.Time
	Query       string // what was searched for, with the answer
	Found       *found
	Failed      bool // what is published cannot be read
}

// longestQuery bounds what is searched for: no host is longer, and few
// addresses are.
const longestQuery = 1000

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := view{Lang: languageOf(r), Base: base(r), Now: h.now()}
	v.Other = map[string]string{"en": "fr", "fr": "en"}[v.Lang]
	status := http.StatusOK
	var err error
	switch v.edition, err = h.edition(r.Context()); {
	case errors.Is(err, errEmpty):
	case err != nil:
		h.log.Error("page: what is published cannot be read", "error", err)
		v.Failed, status = true, http.StatusInternalServerError
	case r.URL.Path == "/search":
		v.Query = strings.TrimSpace(r.URL.Query().Get("q"))
		if len(v.Query) > longestQuery {
			v.Query = strings.ToValidUTF8(v.Query[:longestQuery], "")
		}
		v.Found = v.list.search(v.Query)
	}
	out := writer{language: languages[v.Lang]}
	out.page(&v)
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(out.Len()))
	header.Set("Content-Language", v.Lang)
	header.Set("Vary", "Accept-Language")
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(out.String())) // whoever is gone does not read it
	}
}

// base is the server's address for commands to copy. On this computer it has no
// TLS in front of it.
func base(r *http.Request) string {
	name, _, _ := strings.Cut(r.Host, ":")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || name == "127.0.0.1" || strings.HasPrefix(r.Host, "[::1]") {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}
