package publish

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/log"
)

// MaxDeltas is how many deltas a push may bring.
const MaxDeltas = 30

// A refusal is an answer that is not 200, with the text that says why.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return r.body }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...) + "\n"}
}

// A push is a tar that is being read.
type push struct {
	*publisher
	tar   *tar.Reader
	entry *tar.Header // the file that is next, nil at the end
	note  []byte
	release.Release
}

// push takes a release. judged is called once the note is good, before the
// rest of the body is read.
func (p *publisher) push(ctx context.Context, body io.Reader, judged func()) (release.Proof, error) {
	u := &push{publisher: p, tar: tar.NewReader(body)}
	if err := u.readNote(); err != nil {
		return release.Proof{}, err
	}
	v, err := u.judge(ctx)
	if err != nil || v.logged {
		return v.proof, err
	}
	judged()
	trust, err := u.stage(ctx, v.keys)
	if err != nil {
		return release.Proof{}, err
	}
	for {
		next, err := p.log.Append(ctx, v.head, u.note)
		if err == nil {
			return next.Proof, p.publish(ctx, next, trust)
		}
		if !errors.Is(err, log.ErrConflict) {
			return release.Proof{}, err
		}
		if v, err = u.judge(ctx); err != nil || v.logged {
			return v.proof, err
		}
	}
}

// next goes to the next file of the tar.
func (u *push) next() error {
	entry, err := u.tar.Next()
	if err == io.EOF {
		u.entry = nil
		return nil
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the body is not a whole tar: %v", err)
	}
	if entry.Typeflag != tar.TypeReg {
		return refuse(http.StatusBadRequest, "%.80q in the tar is not a plain file", entry.Name)
	}
	u.entry = entry
	return nil
}

func (u *push) read() ([]byte, error) {
	data := make([]byte, u.entry.Size)
	if _, err := io.ReadFull(u.tar, data); err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is not a whole tar: %s: %v", u.entry.Name, err)
	}
	return data, nil
}

func (u *push) readNote() error {
	if err := u.next(); err != nil {
		return err
	}
	if u.entry == nil || u.entry.Name != "note" {
		return refuse(http.StatusBadRequest, "the first file of the tar must be \"note\"")
	}
	if u.entry.Size > release.MaxNote {
		return refuse(http.StatusRequestEntityTooLarge, "the note has %d bytes, more than %d", u.entry.Size, release.MaxNote)
	}
	var err error
	if u.note, err = u.read(); err != nil {
		return err
	}
	if u.Release, err = release.Read(u.note); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	return nil
}

// A verdict is what the log says about a note.
type verdict struct {
	head   log.Head
	keys   keysInForce
	logged bool          // the note is in the log already
	proof  release.Proof // of that
}

// judge holds the note against the log as it is now.
func (u *push) judge(ctx context.Context) (v verdict, err error) {
	if v.head, err = u.settled(ctx); err != nil {
		return verdict{}, err
	}
	if v.keys, err = u.inForce(ctx, v.head); err != nil {
		return verdict{}, err
	}
	next := v.head.Tree.Size
	if u.Index < next {
		winner, err := u.log.Entry(ctx, v.head, u.Index)
		if err != nil {
			return verdict{}, err
		}
		if !bytes.Equal(winner, u.note) {
			return verdict{}, &refusal{http.StatusConflict, string(winner)}
		}
		v.logged = true
		if v.proof, err = u.log.Prove(ctx, v.head, u.Index); err != nil {
			return verdict{}, err
		}
		// Who pushed it first may have been killed before it was in force.
		return v, u.publish(ctx, v.head, v.keys.trust)
	}
	last := v.keys.newest
	switch {
	case u.Index > next:
		return verdict{}, refuse(http.StatusBadRequest, "release %d is not the next: that is %d", u.Index, next)
	case u.KeysSince != v.keys.since:
		return verdict{}, refuse(http.StatusBadRequest, "keys-since %d: the keys in force came with release %d", u.KeysSince, v.keys.since)
	case last == nil && u.Trust != v.keys.trust.Digest():
		return verdict{}, refuse(http.StatusForbidden, "release 0 must bring the trust text that this server was started with")
	case last != nil && u.Issued.Before(last.Issued):
		return verdict{}, refuse(http.StatusBadRequest, "issued %s: before release %d, which was issued %s",
			u.Issued.Format(time.RFC3339), last.Index, last.Issued.Format(time.RFC3339))
	}
	if err := v.keys.trust.Signed(u.note); err != nil {
		return verdict{}, refuse(http.StatusForbidden, "%v", err)
	}
	return v, nil
}

// stage reads the rest of the push, checks it, and stores it under names that
// nobody is told before the release is in the log. It returns the trust text
// that the release brings.
func (u *push) stage(ctx context.Context, keys keysInForce) (release.Trust, error) {
	blobs, err := u.blobs(ctx)
	if err != nil {
		return release.Trust{}, err
	}
	trust, err := release.ParseTrust(string(blobs[trustBlob].data))
	if err != nil {
		return release.Trust{}, refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	if u.Trust != keys.trust.Digest() {
		if err := trust.Signed(u.note); err != nil {
			return release.Trust{}, refuse(http.StatusForbidden, "by the trust text that it brings: %v", err)
		}
	}
	if !u.logs(trust) {
		return release.Trust{}, refuse(http.StatusUnprocessableEntity, "trust: names no log %q with the key of this server: readers would not believe it", u.key.Name())
	}
	if err := checkList(blobs[listBlob].data, blobs[bundleBlob].data, blobs[filtersBlob].data); err != nil {
		return release.Trust{}, refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	for _, b := range blobs {
		if err := u.store.Put(ctx, blobPrefix+b.SHA256, b.data); err != nil {
			return release.Trust{}, err
		}
	}
	return trust, u.deltas(ctx)
}

// A blob is what a note names.
type blob struct {
	what string
	release.Digest
	data []byte
}

const (
	trustBlob = iota
	listBlob
	bundleBlob
	filtersBlob
)

// blobs reads the blobs of a push; those that it leaves out come from the
// store.
func (u *push) blobs(ctx context.Context) ([]blob, error) {
	blobs := []blob{{what: "trust", Digest: u.Trust}, {what: "list", Digest: u.List}, {what: "bundle", Digest: u.Bundle}, {what: "filters", Digest: u.Filters}}
	if err := u.next(); err != nil {
		return nil, err
	}
	for u.entry != nil && strings.HasPrefix(u.entry.Name, blobPrefix) {
		i := slices.IndexFunc(blobs, func(b blob) bool { return u.entry.Name == blobPrefix+b.SHA256 })
		if i < 0 {
			return nil, refuse(http.StatusUnprocessableEntity, "%.80q is not named by the note", u.entry.Name)
		}
		b := &blobs[i]
		if u.entry.Size != b.Size {
			return nil, refuse(http.StatusUnprocessableEntity, "%s: its size is %d bytes, not the %d that the release names", b.what, u.entry.Size, b.Size)
		}
		var err error
		if b.data, err = u.read(); err != nil {
			return nil, err
		}
		if err := b.Check(b.what, b.data); err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, "%v", err)
		}
		if err := u.next(); err != nil {
			return nil, err
		}
	}
	for i := range blobs {
		b := &blobs[i]
		if b.data != nil {
			continue
		}
		var err error
		if b.data, err = ReadBlob(ctx, u.store, b.Digest); err != nil {
			// Also if the store's is damaged: a push that brings it heals it.
			return nil, refuse(http.StatusUnprocessableEntity, "%s: the push leaves out %s%s, and the server does not have it", b.what, blobPrefix, b.SHA256)
		}
	}
	return blobs, nil
}

// checkList refuses a list that readers could not rebuild, or that would
// switch protection off.
func checkList(text, want, wantFilters []byte) error {
	list, err := compile.Parse(text)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list.Rules, func(r bundle.KindedRule) bool { return r.Kind.Stops() }) {
		return errors.New("list: holds no rule that stops a request: readers would be left without protection")
	}
	compiled, err := list.Bundle()
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if !bytes.Equal(compiled, want) {
		return errors.New("bundle: is not what the list compiles to on this server: build both with the same version")
	}
	filters, err := compile.Filters(compiled)
	if err != nil {
		return err
	}
	if !bytes.Equal(filters, wantFilters) {
		return errors.New("filters: are not those of the bundle")
	}
	return nil
}

// deltas reads the deltas at the end of a push, applies each once, and stores
// it.
func (u *push) deltas(ctx context.Context) error {
	for count := 0; u.entry != nil; count++ {
		name := u.entry.Name
		from, to, ok := strings.Cut(strings.TrimPrefix(name, deltaPrefix), "/")
		if !ok || !strings.HasPrefix(name, deltaPrefix) || !release.IsSHA256(from) {
			return refuse(http.StatusBadRequest, "%.80q does not belong into a push, or not there: note, blobs, deltas", name)
		}
		if to != u.List.SHA256 {
			return refuse(http.StatusUnprocessableEntity, "%s does not lead to the list of the release", name)
		}
		if count == MaxDeltas {
			return refuse(http.StatusRequestEntityTooLarge, "the push brings more than %d deltas", MaxDeltas)
		}
		if u.entry.Size > u.List.Size {
			return refuse(http.StatusRequestEntityTooLarge, "%s: has %d bytes, more than the list itself", name, u.entry.Size)
		}
		delta, err := u.read()
		if err != nil {
			return err
		}
		old, _, err := u.store.Get(ctx, blobPrefix+from)
		if errors.Is(err, fs.ErrNotExist) {
			return refuse(http.StatusUnprocessableEntity, "%s: begins at a list that the server does not have", name)
		} else if err != nil {
			return err
		}
		if _, err := release.ApplyDelta(old, delta, u.List); err != nil {
			return refuse(http.StatusUnprocessableEntity, "%s: %v", name, err)
		}
		if err := u.store.Put(ctx, name, delta); err != nil {
			return err
		}
		if err := u.next(); err != nil {
			return err
		}
	}
	return nil
}

// cosign takes the cosignatures of a checkpoint and returns the checkpoint with
// all that it has.
func (p *publisher) cosign(ctx context.Context, signed []byte) ([]byte, error) {
	h, err := p.settled(ctx)
	if err != nil {
		return nil, err
	}
	if h.Tree.Size == 0 {
		return nil, refuse(http.StatusNotFound, "the log is empty: push release 0 first")
	}
	keys, err := p.inForce(ctx, h)
	if err != nil {
		return nil, err
	}
	var witnesses []note.Verifier
	for _, w := range keys.trust.Witnesses() {
		witnesses = append(witnesses, w.Verifier)
	}
	n, err := note.Open(signed, note.VerifierList(witnesses...))
	if wrong, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return nil, refuse(http.StatusForbidden, "the signature of %.80q is wrong", wrong.Name)
	} else if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n = unverified.Note
	} else if err != nil {
		return nil, refuse(http.StatusBadRequest, "not a signed checkpoint: %v", err)
	}
	if n.Text == release.FormatCheckpoint(p.key.Name(), h.Tree) {
		if len(n.Sigs) == 0 {
			return nil, refuse(http.StatusForbidden, "no signature is that of a witness that the trust text in force names")
		}
		merged, err := p.log.Cosign(ctx, h, n.Sigs)
		if err == nil {
			return merged, p.publish(ctx, h, keys.trust)
		}
		if !errors.Is(err, log.ErrConflict) {
			return nil, err
		}
	}
	now, _, err := p.store.Get(ctx, log.CheckpointName)
	if err != nil {
		return nil, err
	}
	return nil, &refusal{http.StatusConflict, string(now)}
}
