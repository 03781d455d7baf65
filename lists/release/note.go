package release

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
)

// MaxNote is the longest note, in bytes: what fits into the log as one entry.
const MaxNote = 1<<16 - 1

// Text returns the part of a note that is signed. Whoever hands a note on can
// add signature lines of unknown keys to it, a set of its own for every
// reader, but cannot touch the text: a hash that a reader shows to a server is
// therefore made of this part, or it would tell readers apart.
func Text(noteBytes []byte) (string, error) {
	n, err := open(noteBytes, nil)
	if err != nil {
		return "", err
	}
	return n.Text, nil
}

// Read returns what a note says without asking who signed it: enough for a
// server, which hands notes on, never for a reader.
func Read(noteBytes []byte) (Release, error) {
	text, err := Text(noteBytes)
	if err != nil {
		return Release{}, err
	}
	return Parse(text)
}

// keys finds a verifier among those that it lists. It is a note.Verifiers.
type keys []note.Verifier

func (k keys) Verifier(name string, hash uint32) (note.Verifier, error) {
	for _, v := range k {
		if v.Name() == name && v.KeyHash() == hash {
			return v, nil
		}
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}

// open is note.Open with limits: a note is short, and its signatures are in
// the one base64 that encodes them, so that no bit of a note can change
// unseen. A note without any known signature is no error here.
func open(noteBytes []byte, known keys) (*note.Note, error) {
	if len(noteBytes) > MaxNote {
		return nil, fmt.Errorf("note: its %d bytes are more than %d", len(noteBytes), MaxNote)
	}
	n, err := note.Open(noteBytes, known)
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n = unverified.Note
	} else if wrong, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return nil, fmt.Errorf("note: the signature of %s is wrong", quote(wrong.Name))
	} else if err != nil {
		return nil, fmt.Errorf("note: not a whole signed note of text, blank line and signatures: %w", err)
	}
	for _, sig := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return nil, fmt.Errorf("note: the signature of %s is not written in canonical base64", quote(sig.Name))
		}
	}
	return n, nil
}
