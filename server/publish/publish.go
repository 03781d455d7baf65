// Package publish is the list server: it takes releases that maintainers push,
// puts them into the log, collects the witnesses' cosignatures, and serves
// what is in force. It believes no more than it must: whoever reads a release
// checks everything again.
//
//	POST /v1/release               push a release
//	POST /v1/cosignatures          hand in the checkpoint as witnesses cosigned it
//	GET  /v1/release               the newest note, followed by its proof (c2sp.org/tlog-proof)
//	GET  /v1/blob/{sha256}         what a note names: trust text, list, bundle, filters
//	GET  /v1/delta/{from}/{to}     from one list to another, by their SHA-256
//	GET  /v1/filters               the filters of the newest release
//	GET  /checkpoint, /tile/…      the log (c2sp.org/tlog-tiles)
//	GET  /healthz, /metrics        for who runs the server
//
// # Pushing
//
// The body is a tar (application/x-tar) with these files in this order:
//
//	note                           at most 65,535 bytes
//	v1/blob/<sha256>               trust, list, bundle, filters; what the server has may be left out
//	v1/delta/<sha256>/<sha256>     for up to 30 earlier lists, to the new one
//
// The note is judged before a byte of the rest is read: whether the maintainers
// that are trusted now have signed it, whether it is the next of the log, not
// older than the last, and by whose keys it says it is to be judged. Then every
// blob must be what the note names, the list must compile to the bundle and
// stop something, and every delta is applied once. The answers, as plain text
// but for the first two:
//
//	200   the release is in the log, now or since an earlier push: its
//	      c2sp.org/tlog-proof, which no witness has cosigned yet
//	409   another note has this number: that note
//	400   not a push: the tar or the note is malformed, or not the next release
//	403   not signed by enough maintainers
//	413   a note or a delta is too large
//	415   not a tar
//	422   a blob or a delta is missing or not what the note names
//
// A release is served once the quorum of witnesses that its trust text asks
// for has cosigned the checkpoint. Nobody but the pusher asks the witnesses:
// this server makes no request of its own. It answers 200 to cosignatures that
// it takes, 409 with its checkpoint if they are for another, and 403 if none
// is by a witness of the trust text.
//
// # What it tells about readers
//
// Nothing. The ETag of a release is the SHA-256 of the text that is signed, so
// that it is the same for all; counters are by route and status; the log names
// files and never an address.
//
//	h := publish.Handler(publish.Options{Store: dir, Trust: trust, LogKey: key, Log: logger})
package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/store"
)

// Options are what a list server is made of.
type Options struct {
	Store store.Store
	// Trust judges release 0, and no other: later ones are judged by what the
	// log says.
	Trust release.Trust
	// LogKey signs the log's checkpoints. Without it the server reads only.
	LogKey note.Signer
	Log    *slog.Logger
	// Page answers GET / and GET /search, if there is one.
	Page http.Handler
	// Now is the clock of the metrics, time.Now if nil.
	Now func() time.Time
}

// Names of objects; those of blobs and deltas begin so.
const (
	releaseName = "v1/release"
	filtersName = "v1/filters"
	blobPrefix  = "v1/blob/"
	deltaPrefix = "v1/delta/"
)

// ErrEmpty is the error when no release is in force yet.
var ErrEmpty = errors.New("no release is in force yet")

// Newest is the release in force.
type Newest struct {
	release.Release
	Note   []byte
	Proof  release.Proof
	Answer []byte // both, as they are served
}

// ReadNewest reads the release in force out of a store.
func ReadNewest(ctx context.Context, s store.Store) (Newest, error) {
	data, _, err := s.Get(ctx, releaseName)
	if errors.Is(err, fs.ErrNotExist) {
		return Newest{}, ErrEmpty
	}
	if err != nil {
		return Newest{}, err
	}
	return parseNewest(data)
}

func parseNewest(data []byte) (n Newest, err error) {
	n.Answer = data
	if n.Note, n.Proof, err = release.Split(data); err == nil {
		n.Release, err = release.Read(n.Note)
	}
	if err != nil {
		return Newest{}, fmt.Errorf("%s: %w; restore it from a copy", releaseName, err)
	}
	return n, nil
}

// ReadBlob reads what a release names out of a store, and checks that it is
// that.
func ReadBlob(ctx context.Context, s store.Store, d release.Digest) ([]byte, error) {
	data, _, err := s.Get(ctx, blobPrefix+d.SHA256)
	if err != nil {
		return nil, err
	}
	return data, d.Check(blobPrefix+d.SHA256, data)
}

// publisher is the half of a server that writes.
type publisher struct {
	store store.Store
	log   *log.Log
	key   note.Signer
	first release.Trust
}

func newPublisher(o Options) *publisher {
	return &publisher{store: o.Store, log: log.New(o.Store, o.LogKey), key: o.LogKey, first: o.Trust}
}

// Replay finishes what a server that was killed had begun: all that the head
// of the log promises is written, and its release is in force if the witnesses
// have seen it. It refuses a log key that readers would not believe.
func Replay(ctx context.Context, o Options) error {
	p := newPublisher(o)
	h, err := p.log.Head(ctx)
	if err != nil {
		return err
	}
	trust, err := p.trust(ctx, h)
	if err != nil {
		return err
	}
	if !p.logs(trust) {
		return fmt.Errorf("the trust text in force names no log %q with the key that this server has: start it with the key of the log", p.key.Name())
	}
	if err := p.log.Settle(ctx, h); err != nil {
		return err
	}
	return p.publish(ctx, h, trust)
}

// settled returns the head of the log, with all written that it promises.
func (p *publisher) settled(ctx context.Context) (log.Head, error) {
	h, err := p.log.Head(ctx)
	if err != nil {
		return log.Head{}, err
	}
	return h, p.log.Settle(ctx, h)
}

// keysInForce is by whose keys the next release is judged.
type keysInForce struct {
	trust  release.Trust
	since  uint64           // the release that brought them
	newest *release.Release // nil before release 0
}

// trust returns the trust text that the newest release of the log brought.
func (p *publisher) trust(ctx context.Context, h log.Head) (release.Trust, error) {
	if h.Tree.Size == 0 {
		return p.first, nil
	}
	newest, err := release.Read(h.Note)
	if err != nil {
		return release.Trust{}, fmt.Errorf("the newest entry of the log: %w", err)
	}
	text, err := ReadBlob(ctx, p.store, newest.Trust)
	if err != nil {
		return release.Trust{}, fmt.Errorf("the trust text of release %d: %w", newest.Index, err)
	}
	return release.ParseTrust(string(text))
}

// inForce needs a settled head.
func (p *publisher) inForce(ctx context.Context, h log.Head) (keysInForce, error) {
	trust, err := p.trust(ctx, h)
	if err != nil || h.Tree.Size == 0 {
		return keysInForce{trust: trust}, err
	}
	newest, err := release.Read(h.Note)
	if err != nil {
		return keysInForce{}, err
	}
	entry, err := p.log.Entry(ctx, h, newest.KeysSince)
	if err != nil {
		return keysInForce{}, err
	}
	judge, err := release.Read(entry)
	if err != nil {
		return keysInForce{}, fmt.Errorf("entry %d of the log: %w", newest.KeysSince, err)
	}
	k := keysInForce{trust, newest.KeysSince, &newest}
	if judge.Trust != newest.Trust {
		k.since = newest.Index // it changed the keys
	}
	return k, nil
}

// logs says whether readers who trust t believe this server's checkpoints.
func (p *publisher) logs(t release.Trust) bool {
	for _, l := range t.Logs() {
		if l.Name == p.key.Name() && l.Verifier.KeyHash() == p.key.KeyHash() {
			return true
		}
	}
	return false
}

// publish puts the release of a settled head in force, if the witnesses that
// its trust text asks for have cosigned. Of the same release, the answer with
// the later cosignatures stays.
func (p *publisher) publish(ctx context.Context, h log.Head, trust release.Trust) error {
	if h.Tree.Size == 0 {
		return nil
	}
	for {
		data, v, err := p.store.Get(ctx, releaseName)
		if err == nil {
			now, err := parseNewest(data)
			if err != nil {
				return err
			}
			if now.Index > h.Proof.Index {
				return nil
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		proof := h.Proof
		if proof.Checkpoint, err = p.log.Cosigned(ctx, h); errors.Is(err, log.ErrConflict) {
			return nil // a later release is on its way
		} else if err != nil {
			return err
		}
		seen, err := trust.Checkpoint(proof.Checkpoint)
		if err != nil {
			return err
		}
		if !seen.Quorum {
			return nil
		}
		answer := release.Join(h.Note, proof)
		if !bytes.Equal(answer, data) {
			if err := p.store.Swap(ctx, releaseName, answer, v); errors.Is(err, store.ErrConflict) {
				continue
			} else if err != nil {
				return err
			}
		}
		return p.publishFilters(ctx)
	}
}

// publishFilters makes v1/filters those of the release in force. Whoever puts
// a later one in force calls it after that, so the last call finds the last.
func (p *publisher) publishFilters(ctx context.Context) error {
	for {
		old, v, err := p.store.Get(ctx, filtersName)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		newest, err := ReadNewest(ctx, p.store)
		if err != nil {
			return err
		}
		if newest.Filters.Check(filtersName, old) == nil {
			return nil
		}
		filters, err := ReadBlob(ctx, p.store, newest.Filters)
		if err != nil {
			return err
		}
		if err := p.store.Swap(ctx, filtersName, filters, v); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
