package publish

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/store"
)

const (
	// freshFor is how long a release is served without another look: what
	// another process puts in force appears after that.
	freshFor = time.Second
	// bodyTime is how long a push may take once its note is judged good: the
	// blobs may come over a slow line.
	bodyTime = 10 * time.Minute

	plainText = "text/plain; charset=utf-8"
	forever   = "public, max-age=31536000, immutable"
)

// Handler answers for a list server. Call Replay once before.
func Handler(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &handler{store: o.Store, log: o.Log, now: o.Now, verified: map[string]fs.FileInfo{}, incompressible: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/release", h.release)
	mux.HandleFunc("GET /v1/blob/{sha256}", h.blob)
	mux.HandleFunc("GET /v1/delta/{from}/{to}", h.delta)
	mux.HandleFunc("GET /v1/filters", h.filters)
	mux.HandleFunc("GET /checkpoint", h.checkpoint)
	mux.HandleFunc("GET /tile/", h.tile)
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /metrics", h.metrics)
	if o.LogKey != nil {
		h.publisher = newPublisher(o)
		mux.HandleFunc("POST /v1/release", h.push)
		mux.HandleFunc("POST /v1/cosignatures", h.cosignatures)
	}
	if o.Page != nil {
		mux.Handle("GET /{$}", o.Page)
		mux.Handle("GET /search", o.Page)
	}
	return h.counts.around(mux)
}

type handler struct {
	store     store.Store
	log       *slog.Logger
	now       func() time.Time
	publisher *publisher // nil in a server that only reads
	counts    counts

	newest   atomic.Pointer[served]
	mu       sync.Mutex
	verified map[string]fs.FileInfo // blobs whose file was found to hold what its name says

	compressing    sync.Mutex
	incompressible map[string]bool // blobs and deltas that gzip does not shorten
}

// served is the release in force as it was read at some time.
type served struct {
	Newest
	etag string
	at   time.Time
}

// current returns the release in force.
func (h *handler) current(ctx context.Context) (*served, error) {
	if s := h.newest.Load(); s != nil && time.Since(s.at) < freshFor {
		return s, nil
	}
	s := &served{at: time.Now()}
	var err error
	if s.Newest, err = ReadNewest(ctx, h.store); err != nil {
		return nil, err
	}
	text, err := release.Text(s.Note)
	if err != nil {
		return nil, err
	}
	// A hash of all bytes would let a server hand out an ETag for each reader,
	// by signatures of keys that nobody knows.
	s.etag = `"` + release.DigestOf([]byte(text)).SHA256 + `"`
	h.newest.Store(s)
	return s, nil
}

func (h *handler) release(w http.ResponseWriter, r *http.Request) {
	s, err := h.current(r.Context())
	if err != nil {
		h.fail(w, err)
		return
	}
	h.bytes(w, r, plainText, "no-cache", s.etag, s.Answer)
}

func (h *handler) checkpoint(w http.ResponseWriter, r *http.Request) {
	data, _, err := h.store.Get(r.Context(), log.CheckpointName)
	if err != nil {
		h.fail(w, err)
		return
	}
	h.bytes(w, r, plainText, "no-cache", "", data)
}

func (h *handler) filters(w http.ResponseWriter, r *http.Request) {
	s, err := h.current(r.Context())
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("ETag", `W/"`+s.Filters.SHA256+`"`) // weak: gzip or not
	h.object(w, r, blobPrefix+s.Filters.SHA256, "no-cache")
}

func (h *handler) blob(w http.ResponseWriter, r *http.Request) {
	sum := r.PathValue("sha256")
	if !release.IsSHA256(sum) {
		h.fail(w, fs.ErrNotExist)
		return
	}
	h.object(w, r, blobPrefix+sum, forever)
}

func (h *handler) delta(w http.ResponseWriter, r *http.Request) {
	from, to := r.PathValue("from"), r.PathValue("to")
	if !release.IsSHA256(from) || !release.IsSHA256(to) {
		h.fail(w, fs.ErrNotExist)
		return
	}
	h.object(w, r, deltaPrefix+from+"/"+to, forever)
}

func (h *handler) tile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if !log.IsTilePath(name) {
		h.fail(w, fs.ErrNotExist)
		return
	}
	data, _, err := h.store.Get(r.Context(), name)
	if err != nil {
		h.fail(w, err)
		return
	}
	h.bytes(w, r, "application/octet-stream", forever, "", data)
}

// bytes answers with what is in memory.
func (h *handler) bytes(w http.ResponseWriter, r *http.Request, contentType, cache, etag string, data []byte) {
	header(w, r, contentType, cache)
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func header(w http.ResponseWriter, r *http.Request, contentType, cache string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// A header sent in several lines is one list (RFC 9110, 5.3), of which
	// ServeContent would read the first line only.
	if tags := r.Header.Values("If-None-Match"); len(tags) > 1 {
		r.Header.Set("If-None-Match", strings.Join(tags, ", "))
	}
	// Answers are whole: a part of one can be checked against nothing.
	r.Header.Del("Range")
}

// object answers with a blob or a delta, as gzip if the reader takes that. It
// goes from the file to the socket, so that many slow readers cost no memory.
func (h *handler) object(w http.ResponseWriter, r *http.Request, name, cache string) {
	header(w, r, "application/octet-stream", cache)
	opener, ok := h.store.(store.Opener)
	if !ok {
		data, _, err := h.store.Get(r.Context(), name)
		if err == nil {
			err = verify(name, bytes.NewReader(data))
		}
		if err != nil {
			h.fail(w, err)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return
	}
	file, err := h.open(opener, name)
	if err != nil {
		h.fail(w, err)
		return
	}
	defer func() { file.Close() }()
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		if packed := h.packed(r.Context(), opener, name, file); packed != nil {
			file.Close()
			file = packed
			w.Header().Set("Content-Encoding", "gzip")
		}
	}
	http.ServeContent(w, r, "", time.Time{}, file)
}

// open opens an object. A blob's bytes are held against its name when its file
// is new here or has changed.
func (h *handler) open(opener store.Opener, name string) (store.Object, error) {
	file, err := opener.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !h.known(name, info) {
		if err = verify(name, file); err == nil {
			h.mu.Lock()
			h.verified[name] = info
			h.mu.Unlock()
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (h *handler) known(name string, info fs.FileInfo) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.verified[name]
	return old != nil && os.SameFile(old, info) && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime())
}

// verify holds a blob against its name. Other objects have none to say what
// they hold.
func verify(name string, data io.Reader) error {
	want, ok := strings.CutPrefix(name, blobPrefix)
	if !ok {
		return nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, data); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("%s: its bytes have the SHA-256 %s; push a release with it again to repair it", name, got)
	}
	return nil
}

// packed returns the gzip of an object, which it makes when it is asked for
// the first time; nil if that is not shorter or cannot be kept.
func (h *handler) packed(ctx context.Context, opener store.Opener, name string, file store.Object) store.Object {
	packedName := "private/gzip/" + name
	if packed, err := opener.Open(packedName); err == nil {
		return packed
	}
	h.compressing.Lock()
	defer h.compressing.Unlock()
	if h.incompressible[name] {
		return nil
	}
	if packed, err := opener.Open(packedName); err == nil {
		return packed
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	size, err := io.Copy(z, file)
	if err != nil {
		return nil
	}
	z.Close() // a bytes.Buffer takes everything
	if int64(b.Len()) >= size {
		h.incompressible[name] = true
		return nil
	}
	if err := h.store.Put(ctx, packedName, b.Bytes()); err != nil {
		h.incompressible[name] = true // or every reader would cost a try
		h.log.Warn("serves without gzip what it cannot keep", "err", err)
		return nil
	}
	packed, err := opener.Open(packedName)
	if err != nil {
		return nil
	}
	return packed
}

func (h *handler) push(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/x-tar" {
		h.answer(w, nil, refuse(http.StatusUnsupportedMediaType, "a push is a tar: Content-Type: application/x-tar"))
		return
	}
	// Or a refusal would wait for the rest of the body.
	w.Header().Set("Connection", "close")
	proof, err := h.publisher.push(r.Context(), r.Body, func() {
		// Where there is no deadline, as in a Worker, none has to be moved.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	})
	h.answer(w, proof.Format(), err)
}

func (h *handler) cosignatures(w http.ResponseWriter, r *http.Request) {
	signed, err := io.ReadAll(io.LimitReader(r.Body, release.MaxNote+1))
	switch {
	case err != nil:
		err = refuse(http.StatusBadRequest, "the body ends early")
	case len(signed) > release.MaxNote:
		err = refuse(http.StatusRequestEntityTooLarge, "the checkpoint has more than %d bytes", release.MaxNote)
	default:
		signed, err = h.publisher.cosign(r.Context(), signed)
	}
	h.answer(w, signed, err)
}

// answer ends a request that changes something: with text, or with what is
// wrong.
func (h *handler) answer(w http.ResponseWriter, text []byte, err error) {
	h.newest.Store(nil)
	status := http.StatusOK
	if r, ok := errors.AsType[*refusal](err); ok {
		status, text = r.status, []byte(r.body)
	} else if err != nil {
		h.log.Error("cannot take it", "err", err)
		// A push that fails here may have reached the log all the same.
		status, text = http.StatusInternalServerError, []byte("the server failed; its log says why. Push the same again\n")
	}
	w.Header().Set("Content-Type", plainText)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(text)
}

// fail answers for an error of the store. The log gets the file's name, the
// client whose fault it is.
func (h *handler) fail(w http.ResponseWriter, err error) {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case err == ErrEmpty:
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "no such object", http.StatusNotFound)
	default:
		h.log.Error("cannot serve", "err", err)
		http.Error(w, "the server's store is damaged; its log names the object", http.StatusInternalServerError)
	}
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
