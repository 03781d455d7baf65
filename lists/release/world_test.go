package release_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
)

// A key made of a known seed: the SHA-256 of its name, or of another word.
type key struct {
	note.Signer
	public string
}

func seeded(word string) *bytes.Reader {
	seed := sha256.Sum256([]byte(word))
	return bytes.NewReader(seed[:ed25519.SeedSize])
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// signing makes the key of a maintainer or of a log.
func signing(name, word string) key {
	secret, public, err := note.GenerateKey(seeded(word), name)
	return key{must(note.NewSigner(must(secret, err))), public}
}

// witnessing makes the key of a witness whose clock stands still.
func witnessing(name string) key {
	secret, public, err := release.GenerateCosigner(seeded(name), name)
	return key{must(release.NewCosigner(must(secret, err), func() time.Time { return noon })), public}
}

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

	ann = signing("demo.ann", "demo.ann")
	bob = signing("demo.bob", "demo.bob")
	cid = signing("demo.cid", "demo.cid")
	dot = signing("demo.dot", "demo.dot")
	eve = signing("demo.eve", "demo.eve") // whom nobody trusts
	// other names for the key of ann, and another key for her name
	alias  = signing("demo.alias", "demo.ann")
	notAnn = signing("demo.ann", "demo.eve")

	logKey   = signing("demo.log.example", "demo.log.example")
	logTwo   = signing("demo.log2.example", "demo.log2.example")
	logThree = signing("demo.log3.example", "demo.log3.example")

	west  = witnessing("demo.west.example")
	east  = witnessing("demo.east.example")
	north = witnessing("demo.north.example")
)

// The trust texts of the history, in their order.
var (
	trust0 = strings.Join([]string{
		"# two of three maintainers, two witnesses",
		"threshold 2",
		"maintainer " + ann.public,
		"maintainer " + bob.public,
		"maintainer " + cid.public,
		"log " + logKey.public + " https://lists.example",
		"witness west " + west.public + " https://west.example",
		"witness east " + east.public,
		"group both all west east",
		"quorum both",
		"",
	}, "\n")
	trust1 = strings.Replace(trust0, "maintainer "+cid.public, "maintainer "+dot.public, 1)
	trust2 = strings.Replace(trust1, "log "+logKey.public, "log "+logTwo.public, 1)
	trust3 = strings.NewReplacer("threshold 2", "threshold 1", "maintainer "+ann.public+"\n", "",
		"witness east "+east.public, "witness north "+north.public, "all west east", "any west north").Replace(trust2)
)

func trusting(text string) release.Trust { return must(release.ParseTrust(text)) }

func digest(text string) release.Digest { return release.DigestOf([]byte(text)) }

// A world is a log with everything beside it that its server has.
type world struct {
	notes  [][]byte
	hashes []tlog.Hash // as tlog stores them
	blobs  map[string]string
}

func (w *world) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, i := range indexes {
		all = append(all, w.hashes[i])
	}
	return all, nil
}

// next is the release that would come next, under the same keys.
func (w *world) next(trust string, keysSince uint64) release.Release {
	n := uint64(len(w.notes))
	list := fmt.Sprintf("paravent list 1\n[hosts]\nnumber%d.example\n", n)
	return release.Release{
		Index:       n,
		Issued:      noon.Add(time.Duration(n) * time.Hour),
		Expires:     noon.AddDate(0, 1, int(n)),
		WaitSeconds: 900,
		Source:      strings.Repeat("c0", 20),
		KeysSince:   keysSince,
		Trust:       digest(trust),
		List:        digest(list),
		Bundle:      digest("bundle of " + list),
		Filters:     digest("filters of " + list),
	}
}

func signed(text string, keys ...key) []byte {
	var signers []note.Signer
	for _, k := range keys {
		signers = append(signers, k.Signer)
	}
	return must(note.Sign(&note.Note{Text: text}, signers...))
}

func body(r release.Release) string { return must(r.Body()) }

// add appends an entry to the log.
func (w *world) add(entry []byte) {
	stored := must(tlog.StoredHashes(int64(len(w.notes)), entry, w))
	w.hashes = append(w.hashes, stored...)
	w.notes = append(w.notes, entry)
}

func (w *world) tree(size int) release.Tree {
	return release.Tree{Size: uint64(size), Root: must(tlog.TreeHash(int64(size), w))}
}

// answer is the server's for the note at index in the tree of that size, its
// checkpoint signed by these.
func (w *world) answer(index, size int, by ...key) []byte {
	return release.Join(w.notes[index], w.proof(index, size, by...))
}

func (w *world) proof(index, size int, by ...key) release.Proof {
	return release.Proof{
		Index:      uint64(index),
		Hashes:     must(tlog.ProveRecord(int64(size), int64(index), w)),
		Checkpoint: signed(release.FormatCheckpoint(by[0].Name(), w.tree(size)), by...),
	}
}

// objects are the server's for the tree of that size: its tiles and entries,
// and all trust texts.
func (w *world) objects(size int) map[string][]byte {
	at := make(map[string][]byte)
	for _, t := range tlog.NewTiles(8, 0, int64(size)) {
		at[release.TilePath(t)] = must(tlog.ReadTileData(t, w))
		if t.L == 0 {
			var bundle []byte
			for _, entry := range w.notes[t.N<<8 : t.N<<8+int64(t.W)] {
				bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
			}
			t.L = -1
			at[release.TilePath(t)] = bundle
		}
	}
	for sum, text := range w.blobs {
		at["v1/blob/"+sum] = []byte(text)
	}
	return at
}

// history is a log of seven releases, in which the keys changed three times:
// with release 2 to trust1, 4 to trust2, 5 to trust3.
func history() *world {
	w := &world{blobs: make(map[string]string)}
	for _, text := range []string{trust0, trust1, trust2, trust3} {
		w.blobs[digest(text).SHA256] = text
	}
	for _, r := range []struct {
		trust     string
		keysSince uint64
		by        []key
	}{
		{trust0, 0, []key{ann, bob}},
		{trust0, 0, []key{bob, cid}},
		{trust1, 0, []key{ann, bob}},
		{trust1, 2, []key{ann, dot}},
		{trust2, 2, []key{ann, bob, dot}},
		{trust3, 4, []key{bob, dot}},
		{trust3, 5, []key{dot}},
	} {
		w.add(signed(body(w.next(r.trust, r.keysSince)), r.by...))
	}
	return w
}

// flip returns a copy of data with one bit changed.
func flip(data []byte, at, bit int) []byte {
	flipped := bytes.Clone(data)
	flipped[at] ^= 1 << bit
	return flipped
}

// refused says whether err holds the words.
func refused(t testing.TB, name string, err error, words string) {
	t.Helper()
	switch {
	case words == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case words != "" && (err == nil || !strings.Contains(err.Error(), words)):
		t.Errorf("%s: got %v, want an error with %q", name, err, words)
	}
}
