// Package witness cosigns the checkpoints of logs, as c2sp.org/tlog-witness
// says: a witness signs a checkpoint only if it continues the one that it
// signed before, so that a log cannot show two histories to readers who ask
// for its cosignature. It looks at hashes alone, never at what the log holds.
//
//	POST /add-checkpoint             cosign a checkpoint
//	GET  /<origin hash>/checkpoint   the newest that was cosigned, for monitors
//
// A request names the size that the witness saw last, proves that the new tree
// contains that one (RFC 6962, section 2.1.2), and ends with the checkpoint:
//
//	old 1
//	GVvn+Mq4WGFA7bq93prOoXEVYvFPKoWyXJMQpP9k2GI=
//
//	lists.example
//	2
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— lists.example Az3grlgtzPICa5OS8npVmf1Myq/5IZni…
//
// The answer is 200 and the cosignature (c2sp.org/tlog-cosignature, Ed25519):
//
//	— witness.example jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/…
//
// or 409 and the size that the witness saw last; 400 for what cannot be read,
// 404 for a log that it does not know, 403 for a checkpoint that the log did
// not sign, 422 for a proof that does not hold.
//
// The newest checkpoint is kept in one object of a store, replaced by Swap
// before a cosignature is given away: of two requests at a time one wins, and
// the other is judged again by what the winner left.
package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/store"
)

const (
	// maxProof is the most hashes that a consistency proof may have.
	maxProof = 63
	// maxRequest bounds a request: the old size, a proof, and a checkpoint.
	maxRequest = 1<<10 + maxProof*45 + release.MaxNote
)

// A Witness answers add-checkpoint and hands out what it cosigned.
type Witness struct {
	store  store.Store
	logs   map[string][]note.Verifier // by origin
	secret string
	now    func() time.Time
	log    *slog.Logger
	mux    *http.ServeMux
}

// New makes a witness of the logs that trust names. secret is its key, as
// "paravent key new -witness" writes it; now is the time that cosignatures
// carry.
func New(s store.Store, trust release.Trust, secret string, now func() time.Time, log *slog.Logger) (*Witness, error) {
	if _, err := release.NewCosigner(secret, now); err != nil {
		return nil, err
	}
	w := &Witness{store: s, logs: map[string][]note.Verifier{}, secret: secret, now: now, log: log, mux: http.NewServeMux()}
	for _, l := range trust.Logs() {
		w.logs[l.Name] = append(w.logs[l.Name], l.Verifier)
	}
	w.mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	w.mux.HandleFunc("GET /{origin}/checkpoint", w.checkpoint)
	return w, nil
}

func (w *Witness) ServeHTTP(out http.ResponseWriter, r *http.Request) { w.mux.ServeHTTP(out, r) }

// name is the object that holds the newest checkpoint of a log: the path that
// monitors ask for.
func name(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:]) + "/checkpoint"
}

// A refusal is an answer that is not 200.
type refusal struct {
	status      int
	body        string
	contentType string
}

func (r *refusal) Error() string { return r.body }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...) + "\n", "text/plain; charset=utf-8"}
}

func (w *Witness) addCheckpoint(out http.ResponseWriter, r *http.Request) {
	lines, err := w.cosign(r.Context(), http.MaxBytesReader(out, r.Body, maxRequest))
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case err == nil:
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		out.Write(lines)
	case ok:
		out.Header().Set("Content-Type", refused.contentType)
		out.WriteHeader(refused.status)
		io.WriteString(out, refused.body)
	default:
		w.log.Error("cannot cosign", "err", err)
		http.Error(out, "the witness cannot read or write its memory; try again later", http.StatusInternalServerError)
	}
}

// A request is what add-checkpoint is asked.
type request struct {
	old        uint64
	proof      tlog.TreeProof
	checkpoint []byte
	origin     string
	tree       release.Tree
}

func read(body io.Reader) (request, error) {
	var q request
	all, err := io.ReadAll(body)
	if err != nil {
		return q, refuse(http.StatusBadRequest, "cannot read the request: %v", err)
	}
	head, checkpoint, found := bytes.Cut(all, []byte("\n\n"))
	if !found {
		return q, refuse(http.StatusBadRequest, "want an old size, a proof, an empty line and a checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if q.old, err = strconv.ParseUint(size, 10, 63); !found || err != nil || strconv.FormatUint(q.old, 10) != size {
		return q, refuse(http.StatusBadRequest, "line 1: want \"old\" and the size of the tree seen before, such as \"old 0\"")
	}
	if lines = lines[1:]; len(lines) > maxProof {
		return q, refuse(http.StatusBadRequest, "the proof has %d lines, more than %d", len(lines), maxProof)
	}
	for i, line := range lines {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return q, refuse(http.StatusBadRequest, "line %d: want a hash of %d bytes in base64", i+2, tlog.HashSize)
		}
		q.proof = append(q.proof, tlog.Hash(hash))
	}
	q.checkpoint = checkpoint
	// Whose checkpoint it is must be known before its signatures can be judged.
	opened, err := open(checkpoint)
	if err == nil {
		q.origin, q.tree, err = release.ParseCheckpoint(opened.Text)
	}
	if err != nil {
		return q, refuse(http.StatusBadRequest, "checkpoint: %v", err)
	}
	return q, nil
}

// open is note.Open for a note whose signatures are of those that known lists,
// if of anybody.
func open(signed []byte, known ...note.Verifier) (*note.Note, error) {
	n, err := note.Open(signed, note.VerifierList(known...))
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		return unverified.Note, nil
	}
	return n, err
}

func (w *Witness) cosign(ctx context.Context, body io.Reader) (lines []byte, err error) {
	q, err := read(body)
	if err != nil {
		return nil, err
	}
	keys := w.logs[q.origin]
	if keys == nil {
		return nil, refuse(http.StatusNotFound, "%q is no log that this witness watches", q.origin)
	}
	// Both a wrong signature of a key that is known and no signature of any are
	// refused; those of others are dropped.
	signed, err := open(q.checkpoint, keys...)
	if err != nil {
		return nil, refuse(http.StatusForbidden, "checkpoint: %v", err)
	}
	if len(signed.Sigs) == 0 {
		return nil, refuse(http.StatusForbidden, "the checkpoint is not signed by a key that this witness knows for %q", q.origin)
	}
	if q.old > q.tree.Size {
		return nil, refuse(http.StatusBadRequest, "old %d is above the checkpoint's size, %d", q.old, q.tree.Size)
	}
	for {
		seen, version, err := w.seen(ctx, q.origin)
		if err != nil {
			return nil, err
		}
		if err := judge(&q, seen); err != nil {
			return nil, err
		}
		cosigned, err := w.sign(signed.Text, signed.Sigs, w.now)
		if err != nil {
			return nil, err
		}
		err = w.store.Swap(ctx, name(q.origin), cosigned, version)
		if errors.Is(err, store.ErrConflict) {
			continue // another checkpoint was cosigned: look again at what is the newest
		}
		if err != nil {
			return nil, err
		}
		w.log.Info("cosigned", "origin", q.origin, "size", q.tree.Size)
		return lastLine(cosigned), nil
	}
}

// sign adds the witness's line to a checkpoint that its log has signed: it is
// the last one.
func (w *Witness) sign(text string, sigs []note.Signature, now func() time.Time) ([]byte, error) {
	signer, err := release.NewCosigner(w.secret, now)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: text, Sigs: sigs}, signer)
}

func lastLine(signed []byte) []byte {
	return signed[bytes.LastIndexByte(bytes.TrimSuffix(signed, []byte("\n")), '\n')+1:]
}

// seen returns the tree that was last cosigned for a log, the empty one if none
// was.
func (w *Witness) seen(ctx context.Context, origin string) (release.Tree, store.Version, error) {
	cosigned, version, err := w.store.Get(ctx, name(origin))
	if errors.Is(err, fs.ErrNotExist) {
		return release.Tree{}, "", nil
	}
	if err != nil {
		return release.Tree{}, "", err
	}
	n, err := w.remember(cosigned)
	if err != nil {
		return release.Tree{}, "", fmt.Errorf("%s: %w", name(origin), err)
	}
	known, tree, err := release.ParseCheckpoint(n.Text)
	if err == nil && known != origin {
		err = fmt.Errorf("is of the log %q", known)
	}
	if err != nil {
		return release.Tree{}, "", fmt.Errorf("%s: %w", name(origin), err)
	}
	return tree, version, nil
}

// remember opens what the store gave back. Only what this witness signed is its
// memory: anything else is a damaged store, and to start anew from it could
// cosign a second history. Ed25519 signs the same text in the same way, so that
// the signature is checked by making it again.
func (w *Witness) remember(cosigned []byte) (*note.Note, error) {
	n, err := open(cosigned)
	if err != nil {
		return nil, err
	}
	last := len(n.UnverifiedSigs) - 1
	at, err := release.CosignedAt(n.UnverifiedSigs[last])
	if err != nil {
		return nil, err
	}
	again, err := w.sign(n.Text, n.UnverifiedSigs[:last], func() time.Time { return at })
	if err == nil && !bytes.Equal(again, cosigned) {
		err = errors.New("is not what this witness wrote with its key: restore the store, or begin a witness of another name with a new key")
	}
	return n, err
}

// judge says whether a checkpoint continues the tree that was seen before.
func judge(q *request, seen release.Tree) error {
	unprocessable := func(format string, args ...any) error {
		return refuse(http.StatusUnprocessableEntity, format, args...)
	}
	if q.old != seen.Size {
		return &refusal{http.StatusConflict, fmt.Sprintf("%d\n", seen.Size), "text/x.tlog.size"}
	}
	if q.tree.Size == 0 && q.tree.Root != sha256.Sum256(nil) {
		return unprocessable("the checkpoint of an empty log has the root hash of another")
	}
	if q.old == 0 {
		if len(q.proof) > 0 {
			return unprocessable("a proof from size 0 must be empty: every log continues an empty one")
		}
		return nil
	}
	if err := tlog.CheckTree(q.proof, int64(q.tree.Size), q.tree.Root, int64(q.old), seen.Root); err != nil {
		return unprocessable("the proof does not show that this log of %d entries continues the one of %d that was cosigned", q.tree.Size, q.old)
	}
	return nil
}

// checkpoint answers monitors.
func (w *Witness) checkpoint(out http.ResponseWriter, r *http.Request) {
	for origin := range w.logs {
		if path := name(origin); path == r.PathValue("origin")+"/checkpoint" {
			cosigned, _, err := w.store.Get(r.Context(), path)
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				w.log.Error("cannot read", "err", err)
				http.Error(out, "the witness cannot read its memory; try again later", http.StatusInternalServerError)
				return
			}
			out.Header().Set("Content-Type", "text/plain; charset=utf-8")
			out.Header().Set("Cache-Control", "no-cache")
			out.Write(cosigned)
			return
		}
	}
	http.Error(out, "this witness has cosigned no checkpoint of such a log", http.StatusNotFound)
}
