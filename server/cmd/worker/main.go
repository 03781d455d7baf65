//go:build js && wasm

// Command worker is the list server as a Cloudflare Worker, see README.md in
// this folder. It is started by entry.js for one request that is not a read,
// and ends with its answer. It finds, as bindings of the Worker:
//
//	BUCKET   the R2 bucket that is the store
//	LOG_KEY  the log's secret key
//	TRUST    the text that judges release 0
//
// What it answers is said in package publish. On one's own machine:
//
//	node dev.js --trust trust.txt --log-key lists.example.key --port 8787
//	paravent release push -server http://127.0.0.1:8787 DRAFT
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"

	"github.com/syumai/workers"
	"github.com/syumai/workers/cloudflare"
	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/page"
	"paravent/server/publish"
)

// memory is what Go may take before it collects garbage all the time. A Worker
// that takes 128 MB is ended, with every request that it is answering.
const memory = 64 << 20

func main() {
	debug.SetMemoryLimit(memory)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	handler, err := open(log)
	if err != nil {
		log.Error("cannot serve", "err", err)
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "the Worker lacks something that it needs; its log names it", http.StatusServiceUnavailable)
		})
	}
	workers.Serve(around(handler))
}

func open(log *slog.Logger) (http.Handler, error) {
	trust, err := release.ParseTrust(cloudflare.Getenv("TRUST"))
	if err != nil {
		return nil, fmt.Errorf("trust.txt: %w", err)
	}
	secret := strings.TrimSpace(cloudflare.Getenv("LOG_KEY"))
	if secret == "" {
		return nil, errors.New("there is no LOG_KEY: wrangler secret put LOG_KEY")
	}
	key, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("LOG_KEY: %w: want the file that \"paravent key new\" wrote", err)
	}
	r2 := cloudflare.GetBinding("BUCKET")
	if r2.IsUndefined() {
		return nil, errors.New("there is no bucket BUCKET: see wrangler.toml")
	}
	objects := bucket{r2}
	return publish.Handler(publish.Options{Store: objects, Trust: trust, LogKey: key, Log: log, Page: page.New(objects, log)}), nil
}

// unread is how much of a request is read before it is answered, so that its
// connection can be used again: as much as net/http reads.
const unread = 256 << 10

// around does what net/http does around a handler, and the package workers
// does not: that splits headers at their commas, answers requests that it has
// half read, and finds no type for an answer, which is text here where no
// handler says else.
func around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, parts := range r.Header {
			r.Header[name] = []string{strings.Join(parts, ",")}
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		next.ServeHTTP(&answer{w, r.Body}, r)
	})
}

type answer struct {
	http.ResponseWriter
	rest io.Reader // of the request, nil once it is read
}

func (a *answer) Write(data []byte) (int, error) {
	if a.rest != nil {
		io.CopyN(io.Discard, a.rest, unread) // the handler has met any error
		a.rest = nil
	}
	return a.ResponseWriter.Write(data)
}
