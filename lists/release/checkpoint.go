package release

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Tree is a state of the log: that of its first Size entries.
type Tree struct {
	Size uint64 // 0 to MaxIndex+1
	Root [32]byte
}

// FormatCheckpoint writes the text of a checkpoint (c2sp.org/tlog-checkpoint).
// Signed by the key of that name, it is the log's word for t.
func FormatCheckpoint(origin string, t Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, t.Size, tlog.Hash(t.Root))
}

// ParseCheckpoint reads the text of a checkpoint. Lines after the third are
// extensions, which the format allows and which mean nothing here.
func ParseCheckpoint(text string) (origin string, t Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return "", Tree{}, errors.New("checkpoint: want three whole lines: origin, size, root")
	}
	for i, line := range lines[:len(lines)-1] {
		if line == "" {
			return "", Tree{}, fmt.Errorf("checkpoint: line %d: is empty", i+1)
		}
	}
	if t.Size, err = number(lines[1], 0, MaxIndex+1); err != nil {
		return "", Tree{}, fmt.Errorf("checkpoint: line 2: size: %w", err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return "", Tree{}, fmt.Errorf("checkpoint: line 3: root: %w", err)
	}
	t.Root = root
	return lines[0], t, nil
}

// parseHash reads a hash in the one base64 that encodes it.
func parseHash(s string) (tlog.Hash, error) {
	h, err := tlog.ParseHash(s)
	if err != nil || h.String() != s {
		return tlog.Hash{}, fmt.Errorf("%s is not a hash of 32 bytes in canonical base64", quote(s))
	}
	return h, nil
}

// A Cosignature says when a witness saw a checkpoint.
type Cosignature struct {
	Name string // of the witness in the trust text
	Time time.Time
}

// Seen is what a signed checkpoint says and who stands behind it.
type Seen struct {
	Origin    string
	Tree      Tree
	Witnesses []Cosignature // of witnesses that are trusted, in the order of their signatures
	Quorum    bool          // these witnesses are enough
}

// Checkpoint reads a signed checkpoint. It must be signed by a trusted log
// whose name is the origin. Whether enough witnesses have cosigned is for the
// caller to judge by Quorum.
func (t Trust) Checkpoint(signed []byte) (Seen, error) {
	n, err := open(signed, t.observers())
	if err != nil {
		return Seen{}, fmt.Errorf("checkpoint: %w", err)
	}
	var s Seen
	if s.Origin, s.Tree, err = ParseCheckpoint(n.Text); err != nil {
		return Seen{}, err
	}
	logged := false
	var names []string
	for _, sig := range n.Sigs {
		for _, l := range t.logs {
			logged = logged || l.Name == s.Origin && l.Name == sig.Name && l.Verifier.KeyHash() == sig.Hash
		}
		for _, w := range t.witnesses {
			if w.Verifier.Name() != sig.Name || w.Verifier.KeyHash() != sig.Hash {
				continue
			}
			when, err := CosignedAt(sig)
			if err != nil {
				return Seen{}, err
			}
			s.Witnesses = append(s.Witnesses, Cosignature{w.Name, when})
			names = append(names, w.Name)
		}
	}
	if !logged {
		return Seen{}, fmt.Errorf("checkpoint: not signed by a trusted log with the name of its origin, %s", quote(s.Origin))
	}
	s.Quorum = t.Quorum(names)
	return s, nil
}

const (
	algEd25519     = 1 // signs the text of a note
	algCosignature = 4 // signs a time and the text of a checkpoint
)

// parseKey reads a verifier key of the kind that is wanted, and also returns
// the bytes of the public key, which a Verifier does not show.
func parseKey(vkey string, alg byte) (v note.Verifier, public string, err error) {
	parts := strings.SplitN(vkey, "+", 3)
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[len(parts)-1])
	if len(parts) != 3 || err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, "", fmt.Errorf("%s is not a verifier key (name+hash+base64) of Ed25519", quote(vkey))
	}
	switch {
	case raw[0] != alg && alg == algCosignature:
		return nil, "", fmt.Errorf("%s is a key of type %#02x; a witness needs type 0x04, as \"paravent key new -witness\" makes it", quote(vkey), raw[0])
	case raw[0] != alg:
		return nil, "", fmt.Errorf("%s is a key of type %#02x; here stands one of type 0x01, as \"paravent key new\" makes it", quote(vkey), raw[0])
	case alg == algCosignature:
		v, err = NewCosignerVerifier(vkey)
	default:
		v, err = note.NewVerifier(vkey)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s is not a verifier key: %w", quote(vkey), err)
	}
	return v, string(raw[1:]), nil
}

// cosigner signs or verifies cosignatures (c2sp.org/tlog-cosignature, Ed25519).
type cosigner struct {
	name    string
	hash    uint32
	public  ed25519.PublicKey
	private ed25519.PrivateKey // nil in a verifier
	now     func() time.Time   // nil in a verifier
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

// message is what is signed: the text of the checkpoint under a line that no
// other signature begins with, and the time.
func message(seconds uint64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", seconds), text...)
}

func (c *cosigner) Sign(text []byte) ([]byte, error) {
	if _, _, err := ParseCheckpoint(string(text)); err != nil {
		return nil, fmt.Errorf("cosign: %w", err)
	}
	seconds := c.now().Unix()
	if seconds < 0 {
		return nil, errors.New("cosign: the clock stands before 1970")
	}
	sig := binary.BigEndian.AppendUint64(nil, uint64(seconds))
	return append(sig, ed25519.Sign(c.private, message(uint64(seconds), text))...), nil
}

func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	return seconds <= math.MaxInt64 && ed25519.Verify(c.public, message(seconds, text), sig[8:])
}

// CosignedAt returns the time that stands in a cosignature. It says nothing
// unless the signature was verified.
func CosignedAt(sig note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+8+ed25519.SignatureSize {
		return time.Time{}, fmt.Errorf("checkpoint: the signature of %s is no Ed25519 cosignature", quote(sig.Name))
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), nil
}

// keyHash is the hash by which a signature line names its key.
func keyHash(name string, alg byte, public []byte) uint32 {
	sum := sha256.Sum256(append(append([]byte(name+"\n"), alg), public...))
	return binary.BigEndian.Uint32(sum[:])
}

// NewCosignerVerifier reads the verifier key of a witness.
func NewCosignerVerifier(vkey string) (note.Verifier, error) {
	name, hash, public, err := parseCosignatureKey(vkey)
	if err != nil {
		return nil, err
	}
	c := &cosigner{name: name, hash: keyHash(name, algCosignature, public), public: public}
	if c.hash != hash {
		return nil, errors.New("the hash in the key is not the hash of the key")
	}
	return c, nil
}

// NewCosigner reads the secret key of a witness. What it signs carries the
// time that now tells, and it signs nothing but checkpoints.
func NewCosigner(skey string, now func() time.Time) (note.Signer, error) {
	rest, ok := strings.CutPrefix(skey, "PRIVATE+KEY+")
	if !ok {
		return nil, errors.New("no secret key: want PRIVATE+KEY+name+hash+base64")
	}
	name, hash, seed, err := parseCosignatureKey(rest)
	if err != nil {
		return nil, errors.New("no secret key of a witness: want PRIVATE+KEY+name+hash+base64, of type 0x04")
	}
	private := ed25519.NewKeyFromSeed(seed)
	c := &cosigner{name: name, public: private.Public().(ed25519.PublicKey), private: private, now: now}
	if c.hash = keyHash(name, algCosignature, c.public); c.hash != hash {
		return nil, errors.New("the hash in the secret key is not the hash of its public key")
	}
	return c, nil
}

// parseCosignatureKey takes a key apart; a seed is as long as a public key.
func parseCosignatureKey(s string) (name string, hash uint32, key []byte, err error) {
	parts := strings.SplitN(s, "+", 3)
	if len(parts) != 3 || !validName(parts[0]) || len(parts[1]) != 8 {
		return "", 0, nil, errors.New("want name+hash+base64")
	}
	n, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return "", 0, nil, errors.New("want a hash of 8 digits of hex")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algCosignature {
		return "", 0, nil, errors.New("want an Ed25519 key of type 0x04")
	}
	return parts[0], uint32(n), raw[1:], nil
}

// validName says whether a name can stand in a signature line.
func validName(name string) bool {
	return name != "" && !strings.Contains(name, "+") && len(strings.Fields(name)) == 1 && strings.TrimSpace(name) == name &&
		strings.ToValidUTF8(name, "") == name
}

// GenerateCosigner makes the keys of a witness.
func GenerateCosigner(rand io.Reader, name string) (skey, vkey string, err error) {
	if !validName(name) {
		return "", "", fmt.Errorf("%s cannot name a key: want a name without spaces and \"+\"", quote(name))
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return "", "", err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	hash := keyHash(name, algCosignature, public)
	write := func(key []byte) string {
		return fmt.Sprintf("%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, key...)))
	}
	return "PRIVATE+KEY+" + write(seed), write(public), nil
}
