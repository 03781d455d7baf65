// Package log keeps the releases in a transparency log: a tree of hashes
// (RFC 6962) that only grows, written as tiles that any web server can serve
// (c2sp.org/tlog-tiles), with a checkpoint signed by the log's key
// (c2sp.org/tlog-checkpoint) that witnesses cosign (c2sp.org/tlog-cosignature).
// An entry is the exact signed note of a release, and its index is the number
// of the release.
//
// What the log holds is decided by one object, private/head, and by one Swap
// of it. It is the newest note followed by its proof, as a reader gets them,
// but with a checkpoint that only the log has signed:
//
//	paravent release 2
//	index 12
//	…
//
//	— maintainer.example kKxK…
//	c2sp.org/tlog-proof@v1
//	index 12
//	fGxbnJAb97ivztlq5EyEUE3i7x+nDW/g9zoHl49jHzc=
//	8MHvcz8BnAOE9INuIBsmVjgRJ2VIXi+JwK5Qka2EXrs=
//
//	lists.example
//	13
//	nMSUhvuh+MPhgs2YEBSHpEcJM0LKxoy4yjnwgtp/7r4=
//
//	— lists.example Az3g…
//
// All else follows from the head and from the tiles before it. Settle writes
// it: the tiles and entries of the new tree under names that the old tree does
// not use, then the checkpoint. Whoever finds a head whose checkpoint is
// missing, because its writer was killed or is slow, writes the same bytes:
//
//	l := log.New(store, key)
//	head, err := l.Head(ctx)                 // what the log holds
//	err = l.Settle(ctx, head)                // all of it is written
//	head, err = l.Append(ctx, head, note)    // ErrConflict: somebody was faster
//
// The head is swapped before anything of the new tree can be seen, and the
// checkpoint appears after everything that it promises: no witness cosigns a
// tree that the log then loses.
package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/store"
)

const (
	headName = "private/head"
	// CheckpointName is the object that holds the newest checkpoint.
	CheckpointName = "checkpoint"
	maxEntry       = release.MaxNote
)

// ErrConflict is the error when the log is not as the caller knows it.
var ErrConflict = errors.New("log: it has grown in the meantime")

// Log is a log in a store. Any number of processes may append to it at once.
type Log struct {
	store store.Store
	key   note.Signer
}

// New returns the log in a store. Its origin is the name of the key, which
// signs its checkpoints and must be an Ed25519 key of sumdb/note.
func New(s store.Store, key note.Signer) *Log { return &Log{s, key} }

// Head is what a log holds.
type Head struct {
	Tree    release.Tree
	Note    []byte        // the newest entry, nil if there is none
	Proof   release.Proof // that it is one; only the log has signed the checkpoint
	version store.Version
}

// Head reads what the log holds. One that holds nothing has the zero Tree.
func (l *Log) Head(ctx context.Context) (Head, error) {
	data, v, err := l.store.Get(ctx, headName)
	if errors.Is(err, fs.ErrNotExist) {
		// A head that was lost must not become a second log of the same name.
		if _, _, err := l.store.Get(ctx, CheckpointName); err == nil {
			return Head{}, fmt.Errorf("log: there is a %s but no %s; restore the store from a copy", CheckpointName, headName)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return Head{}, fmt.Errorf("log: %w", err)
		}
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("log: %w", err)
	}
	h, err := l.parseHead(data)
	if err != nil {
		return Head{}, fmt.Errorf("log: %s: %w; restore the store from a copy", headName, err)
	}
	h.version = v
	return h, nil
}

func (l *Log) parseHead(data []byte) (h Head, err error) {
	if h.Note, h.Proof, err = release.Split(data); err != nil {
		return Head{}, err
	}
	c, err := parseCheckpoint(h.Proof.Checkpoint)
	if err != nil {
		return Head{}, err
	}
	if c.origin != l.key.Name() {
		return Head{}, fmt.Errorf("is that of the log %.80q, but the key is that of %.80q", c.origin, l.key.Name())
	}
	h.Tree = c.tree
	if h.Proof.Index+1 != h.Tree.Size {
		return Head{}, fmt.Errorf("entry %d is not the last of %d", h.Proof.Index, h.Tree.Size)
	}
	err = tlog.CheckRecord(h.Proof.Hashes, int64(h.Tree.Size), h.Tree.Root, int64(h.Proof.Index), tlog.RecordHash(h.Note))
	if err != nil {
		return Head{}, fmt.Errorf("its proof does not hold: %w", err)
	}
	// The key may be a new one since, under the same name.
	h.Proof.Checkpoint, err = l.sign(h.Tree)
	return h, err
}

func (l *Log) sign(t release.Tree) ([]byte, error) {
	return note.Sign(&note.Note{Text: release.FormatCheckpoint(l.key.Name(), t)}, l.key)
}

// Append adds an entry behind a head, which must be settled. When it returns
// without an error the entry is in the log for good and can be read; with
// ErrConflict it is not. With any other error it may be: Head tells.
func (l *Log) Append(ctx context.Context, h Head, entry []byte) (Head, error) {
	next, _, err := l.next(ctx, h.Tree, entry)
	if err != nil {
		return Head{}, err
	}
	err = l.store.Swap(ctx, headName, release.Join(next.Note, next.Proof), h.version)
	if errors.Is(err, store.ErrConflict) {
		return Head{}, ErrConflict
	}
	if err != nil {
		return Head{}, fmt.Errorf("log: %w", err)
	}
	// Read back, because the version is the store's to give. Somebody may have
	// appended since; then the entry's own tree is settled already.
	now, err := l.Head(ctx)
	if err != nil {
		return Head{}, err
	}
	if now.Tree != next.Tree {
		return next, nil
	}
	return now, l.Settle(ctx, now)
}

// next is the head with one more entry, and what has to be written for it.
func (l *Log) next(ctx context.Context, t release.Tree, entry []byte) (Head, *grown, error) {
	if t.Size > 0 {
		root, err := tlog.TreeHash(int64(t.Size), l.hashes(ctx, t.Size, nil))
		if err != nil {
			return Head{}, nil, err
		}
		if root != tlog.Hash(t.Root) {
			return Head{}, nil, fmt.Errorf("log: the tiles of size %d do not have the root of %s; restore the store from a copy", t.Size, headName)
		}
	}
	g, err := l.grow(ctx, t.Size, entry)
	if err != nil {
		return Head{}, nil, err
	}
	hashes := l.hashes(ctx, g.size, g.objects)
	root, err := tlog.TreeHash(int64(g.size), hashes)
	if err != nil {
		return Head{}, nil, err
	}
	proof, err := tlog.ProveRecord(int64(g.size), int64(t.Size), hashes)
	if err != nil {
		return Head{}, nil, err
	}
	h := Head{Tree: release.Tree{Size: g.size, Root: root}, Note: bytes.Clone(entry)}
	h.Proof = release.Proof{Index: t.Size, Hashes: proof}
	h.Proof.Checkpoint, err = l.sign(h.Tree)
	return h, g, err
}

// Settle writes what a head promises and is not written yet: its tiles, its
// entries, and then its checkpoint. It does nothing when a later head is
// settled already.
func (l *Log) Settle(ctx context.Context, h Head) error {
	if h.Tree.Size == 0 {
		return nil
	}
	written := false
	return l.swapCheckpoint(ctx, func(old *checkpoint) ([]byte, error) {
		switch {
		case old != nil && old.tree.Size > h.Tree.Size:
			return nil, nil
		case old != nil && old.tree.Size == h.Tree.Size:
			if old.tree != h.Tree {
				return nil, fmt.Errorf("log: %s has another root than %s; restore the store from a copy", CheckpointName, headName)
			}
			return l.merge(old, nil)
		}
		if !written {
			if err := l.write(ctx, h); err != nil {
				return nil, err
			}
			written = true
		}
		return h.Proof.Checkpoint, nil
	})
}

func (l *Log) write(ctx context.Context, h Head) error {
	g, err := l.grow(ctx, h.Tree.Size-1, h.Note)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(int64(g.size), l.hashes(ctx, g.size, g.objects))
	if err != nil {
		return err
	}
	if root != tlog.Hash(h.Tree.Root) {
		return fmt.Errorf("log: the tiles of size %d do not lead to the root of %s; restore the store from a copy", h.Tree.Size-1, headName)
	}
	for _, name := range g.names {
		if err := l.store.Put(ctx, name, g.objects[name]); err != nil {
			return fmt.Errorf("log: %w", err)
		}
	}
	return nil
}

// Entry returns an entry of the log that has this head, which must be settled.
func (l *Log) Entry(ctx context.Context, h Head, index uint64) ([]byte, error) {
	if index >= h.Tree.Size {
		return nil, fmt.Errorf("log: no entry %d in a log of %d", index, h.Tree.Size)
	}
	if index == h.Proof.Index {
		return h.Note, nil
	}
	n, within := at(index)
	name := EntriesPath(n, int(min(h.Tree.Size-n*tileWidth, tileWidth)))
	bundle, _, err := l.store.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	entries, err := Entries(bundle)
	if err != nil || within >= len(entries) {
		return nil, fmt.Errorf("log: %s: entry %d is not in it; restore it from a copy", name, index)
	}
	return entries[within], nil
}

// Prove proves that an entry is in the log that has this head, which must be
// settled. Only the log has signed the checkpoint.
func (l *Log) Prove(ctx context.Context, h Head, index uint64) (release.Proof, error) {
	if index == h.Proof.Index {
		return h.Proof, nil
	}
	hashes, err := tlog.ProveRecord(int64(h.Tree.Size), int64(index), l.hashes(ctx, h.Tree.Size, nil))
	return release.Proof{Index: index, Hashes: hashes, Checkpoint: h.Proof.Checkpoint}, err
}

// Cosigned returns the checkpoint of a head with the cosignatures that it has.
// The error is ErrConflict when the log has grown.
func (l *Log) Cosigned(ctx context.Context, h Head) ([]byte, error) {
	return l.Cosign(ctx, h, nil)
}

// Cosign adds cosignatures, which the caller has verified, to the checkpoint
// of a settled head, and returns it. The error is ErrConflict when the log has
// grown.
func (l *Log) Cosign(ctx context.Context, h Head, cosignatures []note.Signature) (signed []byte, err error) {
	err = l.swapCheckpoint(ctx, func(old *checkpoint) ([]byte, error) {
		if old == nil || old.tree != h.Tree {
			return nil, ErrConflict
		}
		var err error
		signed, err = l.merge(old, cosignatures)
		return signed, err
	})
	return signed, err
}

// swapCheckpoint replaces the checkpoint by what change makes of the one that
// is there, nil if none is. Nothing is written when that is nil or the same.
func (l *Log) swapCheckpoint(ctx context.Context, change func(old *checkpoint) ([]byte, error)) error {
	for {
		var old *checkpoint
		data, v, err := l.store.Get(ctx, CheckpointName)
		if err == nil {
			if old, err = parseCheckpoint(data); err != nil {
				return fmt.Errorf("log: %s: %w; restore it from a copy, or remove it", CheckpointName, err)
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("log: %w", err)
		}
		changed, err := change(old)
		if err != nil || changed == nil || bytes.Equal(changed, data) {
			return err
		}
		if err := l.store.Swap(ctx, CheckpointName, changed, v); err == nil {
			return nil
		} else if !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("log: %w", err)
		}
	}
}

// merge adds the log's own signature and others to those of a checkpoint. A
// later signature of the same key takes the place of the one before.
func (l *Log) merge(c *checkpoint, more []note.Signature) ([]byte, error) {
	own, err := l.sign(c.tree)
	if err != nil {
		return nil, err
	}
	parsed, err := parseCheckpoint(own)
	if err != nil {
		return nil, err
	}
	var all []note.Signature
	for _, s := range slices.Concat(parsed.signatures, c.signatures, more, parsed.signatures) {
		i := slices.IndexFunc(all, func(a note.Signature) bool { return a.Name == s.Name && a.Hash == s.Hash })
		if i < 0 {
			all = append(all, s)
		} else {
			all[i] = s
		}
	}
	var b strings.Builder
	b.WriteString(c.text + "\n")
	for _, s := range all {
		fmt.Fprintf(&b, "— %s %s\n", s.Name, s.Base64)
	}
	return []byte(b.String()), nil
}

// A checkpoint of the store, whose signatures nobody verifies again.
type checkpoint struct {
	text       string
	origin     string
	tree       release.Tree
	signatures []note.Signature
}

func parseCheckpoint(signed []byte) (*checkpoint, error) {
	_, err := note.Open(signed, note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return nil, fmt.Errorf("is no signed checkpoint: %w", err)
	}
	c := &checkpoint{text: unverified.Note.Text, signatures: unverified.Note.UnverifiedSigs}
	c.origin, c.tree, err = release.ParseCheckpoint(c.text)
	return c, err
}
