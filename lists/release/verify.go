package release

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// MaxNote is the largest note, in bytes, that Verify and Read look at.
const MaxNote = 64 << 10

// Trust says whose signatures put a release in force. The zero Trust trusts
// nobody.
type Trust struct {
	threshold int
	keys      []maintainer
}

type maintainer struct {
	note.Verifier
	public string // the 32 bytes of the Ed25519 key
}

// ParseTrust reads a trust text, whose format the package comment gives. An
// error names the line.
func ParseTrust(text string) (Trust, error) {
	var t Trust
	distinct := make(map[string]bool)
	lines := 0
	for line := range strings.Lines(text) {
		lines++
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value = strings.TrimSpace(value)
		switch {
		case word == "" || word[0] == '#':
		case word == "threshold":
			if t.threshold != 0 {
				return Trust{}, fmt.Errorf("trust: line %d: threshold: stands here for the second time", lines)
			}
			n, err := number(value, 100)
			if err != nil {
				return Trust{}, fmt.Errorf("trust: line %d: threshold: %w", lines, err)
			}
			t.threshold = int(n)
		case word == "maintainer":
			key, err := parseMaintainer(value)
			if err != nil {
				return Trust{}, fmt.Errorf("trust: line %d: maintainer: %w", lines, err)
			}
			for _, k := range t.keys {
				if k.Name() == key.Name() && k.KeyHash() == key.KeyHash() {
					return Trust{}, fmt.Errorf("trust: line %d: maintainer: %s stands here for the second time", lines, quote(key.Name()))
				}
			}
			t.keys = append(t.keys, key)
			distinct[key.public] = true
		default:
			return Trust{}, fmt.Errorf("trust: line %d: want \"threshold\" or \"maintainer\", found %s", lines, quote(word))
		}
	}
	switch {
	case t.threshold == 0:
		return Trust{}, errors.New("trust: no line \"threshold\"")
	case t.threshold > len(distinct):
		return Trust{}, fmt.Errorf("trust: threshold %d can never be reached by %d distinct keys", t.threshold, len(distinct))
	}
	return t, nil
}

func parseMaintainer(vkey string) (maintainer, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return maintainer{}, fmt.Errorf("%s is not a verifier key: %w", quote(vkey), err)
	}
	// The key itself is only in the text: its Verifier does not show it.
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return maintainer{}, fmt.Errorf("%s is not an Ed25519 key", quote(vkey))
	}
	return maintainer{v, string(raw[1:])}, nil
}

// Verifier finds a trusted key. It makes Trust a note.Verifiers.
func (t Trust) Verifier(name string, hash uint32) (note.Verifier, error) {
	for _, k := range t.keys {
		if k.Name() == name && k.KeyHash() == hash {
			return k, nil
		}
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}

// Threshold returns how many distinct keys must have signed.
func (t Trust) Threshold() int { return t.threshold }

// DemoKey returns the name of the first trusted demo key, or "" if there is
// none. Whoever packs an extension for patients refuses a trust with a demo
// key.
func (t Trust) DemoKey() string {
	for _, k := range t.keys {
		if IsDemo(k.Name()) {
			return k.Name()
		}
	}
	return ""
}

// IsDemo says whether a key of this name is a demo key.
func IsDemo(keyName string) bool { return strings.HasPrefix(keyName, "demo.") }

// Signers returns the text of a note and the names of the trusted keys that
// signed it, each distinct key once. A wrong signature in the name of a
// trusted key is an error even if others would suffice: that note was
// tampered with.
func (t Trust) Signers(noteBytes []byte) (text string, names []string, err error) {
	n, err := open(noteBytes, t)
	if err != nil {
		return "", nil, err
	}
	counted := make(map[string]bool)
	for _, sig := range n.Sigs {
		for _, k := range t.keys {
			if k.Name() == sig.Name && k.KeyHash() == sig.Hash && !counted[k.public] {
				counted[k.public] = true
				names = append(names, sig.Name)
			}
		}
	}
	return n.Text, names, nil
}

// Verify returns what a note says if it may be put in force: signed by enough
// distinct trusted keys, well formed, and with an index above have (0 if there
// is no release yet). It asks no clock: an expired release is still the best
// there is.
func Verify(noteBytes []byte, t Trust, have uint64) (Release, error) {
	if t.threshold < 1 {
		return Release{}, errors.New("release: nobody is trusted, so no release can be")
	}
	text, names, err := t.Signers(noteBytes)
	if err != nil {
		return Release{}, err
	}
	if len(names) < t.threshold {
		return Release{}, fmt.Errorf("release: signed by %d trusted keys of the %d needed", len(names), t.threshold)
	}
	r, err := Parse(text)
	if err != nil {
		return Release{}, err
	}
	if r.Index <= have {
		return Release{}, fmt.Errorf("release: line 2: index: %d is not above %d, which is in force", r.Index, have)
	}
	return r, nil
}

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

// open is note.Open with limits: a note is short, and its signatures are in
// the one base64 that encodes them, so that no bit of a note can change unseen.
func open(noteBytes []byte, known note.Verifiers) (*note.Note, error) {
	if len(noteBytes) > MaxNote {
		return nil, fmt.Errorf("release: a note of %d bytes is longer than %d", len(noteBytes), MaxNote)
	}
	n, err := note.Open(noteBytes, known)
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n = unverified.Note
	} else if wrong, ok := errors.AsType[*note.InvalidSignatureError](err); ok {
		return nil, fmt.Errorf("release: the signature of %s is wrong", quote(wrong.Name))
	} else if err != nil {
		return nil, fmt.Errorf("release: not a whole signed note of text, blank line and signatures: %w", err)
	}
	for _, sig := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return nil, fmt.Errorf("release: the signature of %s is not written in canonical base64", quote(sig.Name))
		}
	}
	return n, nil
}
