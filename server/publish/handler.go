package publish

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"paravent/lists/release"
	"paravent/server/store"
)

// Handler serves a store's newest release:
//
//	GET /v1/release         the note; its ETag is the SHA-256 of its signed
//	                        text, so that it tells nothing about who asks
//	GET /v1/blob/{sha256}   the bytes of that name, for ever the same; gzip if accepted
//	GET /healthz            200 if the head and what it names can be served
//
// Every answer is read from the store or compared with it at the time of the
// request: bytes that do not match their name are never sent. It logs what is
// wrong with a file, and nothing about requests.
func Handler(s *store.Store, log *slog.Logger) http.Handler {
	h := &handler{store: s, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/release", h.release)
	mux.HandleFunc("GET /v1/blob/{sha256}", h.blob)
	mux.HandleFunc("GET /healthz", h.health)
	return mux
}

type handler struct {
	store *store.Store
	log   *slog.Logger

	mu   sync.Mutex
	kept []*content // most recently asked for first
}

// kept holds the list and the bundle of this release and of the last: readers
// are between the two.
const keptBlobs = 4

// content is a verified blob and the file it was read from.
type content struct {
	sum        string
	file       fs.FileInfo
	raw, gzip  []byte
	load       sync.Once
	loadFailed error
}

func (h *handler) release(w http.ResponseWriter, r *http.Request) {
	noteBytes, _, err := h.store.Head()
	if err != nil {
		h.fail(w, err)
		return
	}
	text, err := release.Text(noteBytes)
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("ETag", `"`+store.Sum([]byte(text))+`"`)
	// A header sent in several lines is one list (RFC 9110, 5.3), of which
	// ServeContent would read the first line only.
	if tags := r.Header.Values("If-None-Match"); len(tags) > 1 {
		r.Header.Set("If-None-Match", strings.Join(tags, ", "))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(noteBytes))
}

func (h *handler) blob(w http.ResponseWriter, r *http.Request) {
	c, err := h.content(r.PathValue("sha256"))
	if err != nil {
		h.fail(w, err)
		return
	}
	body := c.raw
	if c.gzip != nil && acceptsGzip(r.Header) {
		body = c.gzip
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func (h *handler) health(w http.ResponseWriter, r *http.Request) {
	_, head, err := h.store.Head()
	for _, blob := range []release.Digest{head.Bundle, head.List} {
		if err == nil {
			_, err = h.content(blob.SHA256)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		h.log.Error("not healthy", "err", err)
		http.Error(w, "not healthy; the log names the reason", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "ok\nrelease %d\n", head.Index)
}

// content returns a blob, read and verified once for as long as its file stays
// as it is.
func (h *handler) content(sum string) (*content, error) {
	if !release.IsSHA256(sum) {
		return nil, fs.ErrNotExist
	}
	file, err := os.Stat(h.store.BlobPath(sum))
	if err != nil {
		return nil, err
	}
	c := h.keep(sum, file)
	c.load.Do(func() {
		if c.raw, c.loadFailed = h.store.Blob(sum); c.loadFailed == nil {
			c.gzip = compress(c.raw)
		}
	})
	if c.loadFailed != nil {
		h.drop(c)
		return nil, c.loadFailed
	}
	return c, nil
}

func (h *handler) keep(sum string, file fs.FileInfo) *content {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &content{sum: sum, file: file}
	others := make([]*content, 1, keptBlobs+1)
	for _, k := range h.kept {
		switch {
		case k.sum != sum:
			others = append(others, k)
		case os.SameFile(k.file, file) && k.file.ModTime().Equal(file.ModTime()) && k.file.Size() == file.Size():
			c = k
		}
	}
	others[0] = c
	h.kept = others[:min(len(others), keptBlobs)]
	return c
}

func (h *handler) drop(c *content) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var others []*content
	for _, k := range h.kept {
		if k != c {
			others = append(others, k)
		}
	}
	h.kept = others
}

// fail answers for an error of the store. The log gets the file's name, the
// client whose fault it is.
func (h *handler) fail(w http.ResponseWriter, err error) {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case err == store.ErrEmpty:
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "no such blob", http.StatusNotFound)
	default:
		h.log.Error("cannot serve", "err", err)
		http.Error(w, "the server's store is damaged; its log names the file", http.StatusInternalServerError)
	}
}

// compress returns data as gzip, nil if that is not shorter.
func compress(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data) // a bytes.Buffer takes everything
	z.Close()
	if b.Len() >= len(data) {
		return nil
	}
	return bytes.Clone(b.Bytes())
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(h http.Header) bool {
	accepted := false
	for _, part := range strings.Split(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "x-gzip" && coding != "*" {
			continue
		}
		q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		value, err := strconv.ParseFloat(q, 64)
		accepted = !found || err == nil && value > 0
		if coding != "*" {
			break // named outright: this says more than a star
		}
	}
	return accepted
}
