package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"paravent/lists/release"
)

// ErrUnsound is the error of a log that holds what is no good release.
var ErrUnsound = errors.New("no reader would believe this")

// Known is what a monitor remembers of a log that it has read. The zero Known
// has read nothing.
type Known struct {
	Tree   release.Tree
	Trust  release.Trust // in force after the last entry
	Since  uint64        // index of the entry that put it in force
	Issued time.Time     // of the last entry
}

// An Entry is a release in the log.
type Entry struct {
	Release release.Release
	Signers []string // under the trust text that judges it
	NewKeys bool     // it changes the trust text
}

// Checkpoint returns the newest checkpoint of the server's log, unchecked.
func (s *Server) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.get(ctx, "checkpoint", release.MaxNote)
}

// Claimed returns what a checkpoint says, whoever signed it.
func Claimed(checkpoint []byte) (origin string, tree release.Tree, err error) {
	text, err := release.Text(checkpoint)
	if err != nil {
		return "", release.Tree{}, err
	}
	return release.ParseCheckpoint(text)
}

// Follow reads what came into the log after known, and calls each with every
// release. It checks that the log still holds what was known, that the number
// of a release is its place, that each is signed by those whom the releases
// before it made trusted, and that none is older than the one before. A log
// that is read for the first time must have put the trust text anchor in force
// somewhere: its first release is signed by whom it names itself.
func (l *Log) Follow(known Known, anchor release.Trust, each func(Entry) error) (Known, error) {
	if err := l.Contains(known.Tree); err != nil {
		return known, err
	}
	anchored := known.Tree.Size > 0
	next := known
	err := l.Entries(known.Tree.Size, l.tree.Size, func(index uint64, note []byte) error {
		entry, trust, err := l.judge(next, index, note)
		if err != nil {
			return fmt.Errorf("%s: entry %d: %w", l.server, index, err)
		}
		if entry.NewKeys || index == 0 {
			next.Trust, next.Since = trust, index
		}
		next.Issued = entry.Release.Issued
		anchored = anchored || trust.Digest() == anchor.Digest()
		return each(entry)
	})
	if err != nil {
		return known, err
	}
	if !anchored && l.tree.Size > 0 {
		return known, fmt.Errorf("%s: the trust text that was given was never in force here, so nothing of this log can be believed: %w", l.server, ErrUnsound)
	}
	next.Tree = l.tree
	return next, nil
}

func (l *Log) judge(known Known, index uint64, note []byte) (entry Entry, trust release.Trust, err error) {
	unsound := func(format string, args ...any) (Entry, release.Trust, error) {
		return Entry{}, release.Trust{}, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrUnsound)
	}
	r, err := release.Read(note)
	if err != nil {
		return unsound("%v", err)
	}
	trust = known.Trust
	if index == 0 || r.Trust != trust.Digest() {
		if trust, err = l.server.Trust(l.ctx, r.Trust); err != nil {
			return Entry{}, release.Trust{}, err
		}
	}
	judges := known.Trust
	if index == 0 {
		judges = trust
	}
	entry = Entry{Release: r, NewKeys: index > 0 && r.Trust != judges.Digest()}
	if r.Index != index {
		return unsound("calls itself release %d", r.Index)
	}
	if r.KeysSince != known.Since {
		return unsound("says that its keys are in force since release %d, and they are since %d", r.KeysSince, known.Since)
	}
	if err := judges.Signed(note); err != nil {
		return unsound("%v", err)
	}
	if err := trust.Signed(note); err != nil {
		return unsound("by the trust text that it puts in force: %v", err)
	}
	if r.Issued.Before(known.Issued) {
		return unsound("was issued %s, before the release that it follows", r.Issued.Format(time.RFC3339))
	}
	_, entry.Signers, err = judges.Signers(note)
	return entry, trust, err
}

// Trust returns the trust text that d names, read.
func (s *Server) Trust(ctx context.Context, d release.Digest) (release.Trust, error) {
	text, err := s.Blob(ctx, "trust text", d)
	if err != nil {
		return release.Trust{}, err
	}
	return release.ParseTrust(string(text))
}

// Serves checks that an answer to GET /v1/release is an entry of this log, and
// that its proof stands on the same log with enough witnesses. The log's
// entries are those that Follow has read.
func (l *Log) Serves(answer []byte) (release.Release, error) {
	note, proof, err := release.Split(answer)
	if err != nil {
		return release.Release{}, err
	}
	r, err := release.Read(note)
	if err != nil {
		return release.Release{}, err
	}
	entry, err := l.Entry(r.Index)
	if err != nil {
		return release.Release{}, err
	}
	if !bytes.Equal(entry, note) {
		return release.Release{}, fmt.Errorf("release %d is not what the log has at its place: %w", r.Index, ErrInconsistent)
	}
	trust, err := l.server.Trust(l.ctx, r.Trust)
	if err != nil {
		return release.Release{}, err
	}
	seen, err := trust.Checkpoint(proof.Checkpoint)
	if err != nil {
		return release.Release{}, fmt.Errorf("release %d: %v: %w", r.Index, err, ErrUnsound)
	}
	if !seen.Quorum {
		return release.Release{}, fmt.Errorf("release %d is served without the witnesses that its trust text asks for: %w", r.Index, ErrUnsound)
	}
	return r, l.Contains(seen.Tree)
}
