package release

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A Proof says that a note is an entry of the log (c2sp.org/tlog-proof).
type Proof struct {
	Index      uint64
	Hashes     []tlog.Hash // RFC 6962, from the leaf's sibling to the root's child
	Checkpoint []byte      // signed and cosigned
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1\n"
	// maxHashes is the height of the highest tree.
	maxHashes = 63
	// MaxAnswer is the longest answer to GET /v1/release, in bytes: a note, and
	// a proof whose checkpoint is a note.
	MaxAnswer = 2*MaxNote + 4<<10
)

// Format writes the proof.
func (p Proof) Format() []byte {
	b := fmt.Appendf(nil, "%sindex %d\n", proofHeader, p.Index)
	for _, h := range p.Hashes {
		b = append(append(b, h.String()...), '\n')
	}
	return append(append(b, '\n'), p.Checkpoint...)
}

// ParseProof reads a proof. It takes no line "extra", which nothing protects
// and nothing here needs. It proves nothing by itself: that is Verify's work.
func ParseProof(data []byte) (Proof, error) {
	rest, ok := bytes.CutPrefix(data, []byte(proofHeader))
	if !ok {
		return Proof{}, fmt.Errorf("proof: line 1: want %s", strings.TrimSpace(proofHeader))
	}
	head, checkpoint, ok := bytes.Cut(rest, []byte("\n\n"))
	if !ok || len(checkpoint) == 0 {
		return Proof{}, errors.New("proof: ends before the checkpoint")
	}
	if len(checkpoint) > MaxNote {
		return Proof{}, fmt.Errorf("proof: the %d bytes of its checkpoint are more than %d", len(checkpoint), MaxNote)
	}
	lines := strings.SplitN(string(head), "\n", maxHashes+3)
	value, ok := strings.CutPrefix(lines[0], "index ")
	if !ok {
		return Proof{}, fmt.Errorf("proof: line 2: want \"index\" and a number, found %s", quote(lines[0]))
	}
	if len(lines) > 1+maxHashes {
		return Proof{}, fmt.Errorf("proof: has more than %d hashes", maxHashes)
	}
	p := Proof{Checkpoint: slices.Clone(checkpoint)}
	var err error
	if p.Index, err = number(value, 0, MaxIndex); err != nil {
		return Proof{}, fmt.Errorf("proof: line 2: index: %w", err)
	}
	for i, line := range lines[1:] {
		h, err := parseHash(line)
		if err != nil {
			return Proof{}, fmt.Errorf("proof: line %d: %w", i+3, err)
		}
		p.Hashes = append(p.Hashes, h)
	}
	return p, nil
}

// Split takes an answer to GET /v1/release apart: the exact note, and the
// proof that follows it.
func Split(answer []byte) (noteBytes []byte, p Proof, err error) {
	if len(answer) > MaxAnswer {
		return nil, Proof{}, fmt.Errorf("answer: its %d bytes are more than %d", len(answer), MaxAnswer)
	}
	// No line of a note can be the header: those of the text begin with their
	// field, those of the signatures with a dash.
	at := bytes.Index(answer, []byte("\n"+proofHeader))
	if at < 0 {
		return nil, Proof{}, errors.New("answer: no proof follows the note")
	}
	if p, err = ParseProof(answer[at+1:]); err != nil {
		return nil, Proof{}, err
	}
	return slices.Clone(answer[:at+1]), p, nil
}

// Join is the answer that Split takes apart.
func Join(noteBytes []byte, p Proof) []byte {
	return slices.Concat(noteBytes, p.Format())
}
