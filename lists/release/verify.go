package release

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A Client is what a reader knows before it looks at an answer.
type Client struct {
	Trust Trust
	Next  uint64 // the lowest index it takes: 0, or one more than that in force
	Tree  Tree   // of the last checkpoint that it took; the zero Tree if it took none
}

// A Reader returns a public object of the list server by its path, without a
// leading slash, in at most so many bytes. A reader that cannot fetch by
// itself returns a *Missing, which errors.AsType finds in Verify's error. A
// log may drop a partial tile once the full one is there: a reader that gets
// no "….p/5" asks for the tile without it and returns its beginning.
type Reader func(path string, limit int64) ([]byte, error)

// Missing is an object of the server that Verify needs: ask again with it.
type Missing struct {
	Path  string
	Limit int64 // bytes
}

func (m *Missing) Error() string { return m.Path + " is needed" }

// Among returns a Reader of these objects.
func Among(objects map[string][]byte) Reader {
	return func(path string, limit int64) ([]byte, error) {
		data, ok := objects[path]
		if !ok {
			return nil, &Missing{path, limit}
		}
		return data, nil
	}
}

// Taken is a release that may be put in force, and what to remember of it.
type Taken struct {
	Release   Release
	Note      []byte
	Trust     Trust         // in force from now on
	Log       string        // the origin of the checkpoint
	Tree      Tree          // the next Client's
	Signers   []string      // the maintainers that signed, by Trust
	Witnesses []Cosignature // of the checkpoint, by Trust
	Rotations int           // how often the keys changed since Client.Trust
}

// maxLinks is how many changes of keys a reader follows that slept.
const maxLinks = 64

// Verify decides whether an answer to GET /v1/release may be put in force for
// this client, by the rules in the package comment. It asks no clock: an
// expired release is still the best there is.
func Verify(answer []byte, c Client, read Reader) (Taken, error) {
	if read == nil {
		read = Among(nil)
	}
	noteBytes, proof, err := Split(answer)
	if err != nil {
		return Taken{}, err
	}
	r, err := Read(noteBytes)
	if err != nil {
		return Taken{}, err
	}
	if r.Index < c.Next {
		return Taken{}, fmt.Errorf("release: line 2: index: %d is below %d, the next to take", r.Index, c.Next)
	}
	if proof.Index != r.Index {
		return Taken{}, fmt.Errorf("proof: line 2: index: %d is not that of the release, %d", proof.Index, r.Index)
	}
	links, err := walk(link{r, noteBytes}, proof, c.Trust, read)
	if err != nil {
		return Taken{}, err
	}
	changes := links
	if len(links) > 1 {
		changes = links[:len(links)-1]
	}
	t := Taken{Release: r, Note: noteBytes, Trust: c.Trust}
	for _, l := range slices.Backward(changes) {
		if err := t.follow(l, read); err != nil {
			return Taken{}, fmt.Errorf("release %d: %w", l.Index, err)
		}
	}
	if _, t.Signers, err = t.Trust.Signers(noteBytes); err != nil {
		return Taken{}, err
	}
	seen, err := t.Trust.Checkpoint(proof.Checkpoint)
	if err != nil {
		return Taken{}, err
	}
	if !seen.Quorum {
		return Taken{}, fmt.Errorf("checkpoint: cosigned by %d trusted witnesses, which are not the quorum %q", len(seen.Witnesses), t.Trust.quorum)
	}
	t.Log, t.Tree, t.Witnesses = seen.Origin, seen.Tree, seen.Witnesses
	if err := logged(links, proof, c.Tree, t.Tree, read); err != nil {
		return Taken{}, err
	}
	return t, nil
}

// A link is a release in the chain from a client's trust text to the newest.
type link struct {
	Release
	note []byte
}

// walk goes back from the newest release to the one that put the client's
// trust text in force, and returns all between and both, the newest first; or
// the newest alone if it has that trust text itself. Nothing is believed yet,
// neither the notes nor the size of the tree, which only names the objects to
// read.
func walk(newest link, proof Proof, trust Trust, read Reader) ([]link, error) {
	links := []link{newest}
	known := trust.Digest()
	if newest.Trust == known {
		return links, nil
	}
	text, err := Text(proof.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	_, tree, err := ParseCheckpoint(text)
	if err != nil {
		return nil, err
	}
	for {
		last := links[len(links)-1]
		if last.Index == 0 {
			return nil, errors.New("release 0: the trust text held here was never in force in this log")
		}
		if len(links) > maxLinks {
			return nil, fmt.Errorf("release %d: the keys changed more than %d times since the trust text held here", newest.Index, maxLinks)
		}
		entry, err := readEntry(last.KeysSince, tree.Size, read)
		if err != nil {
			return nil, fmt.Errorf("release %d: keys-since: %w", last.Index, err)
		}
		before, err := Read(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the log: %w", last.KeysSince, err)
		}
		if before.Index != last.KeysSince {
			return nil, fmt.Errorf("entry %d of the log: holds release %d", last.KeysSince, before.Index)
		}
		links = append(links, link{before, entry})
		if before.Trust == known {
			return links, nil
		}
	}
}

// follow takes the trust text of a release over, if those trusted so far
// signed the release, and those of the new text too.
func (t *Taken) follow(l link, read Reader) error {
	if err := t.Trust.Signed(l.note); err != nil {
		return err
	}
	if l.Trust == t.Trust.Digest() {
		return nil
	}
	path := "v1/blob/" + l.Trust.SHA256
	text, err := read(path, l.Trust.Size)
	if err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	if err := l.Trust.Check(path, text); err != nil {
		return err
	}
	next, err := ParseTrust(string(text))
	if err != nil {
		return err
	}
	if err := next.Signed(l.note); err != nil {
		return fmt.Errorf("by its own trust text: %w", err)
	}
	t.Trust = next
	t.Rotations++
	return nil
}

// logged checks that every link is in the tree, and that the tree contains the
// one that was seen before.
func logged(links []link, proof Proof, before, tree Tree, read Reader) error {
	if proof.Index >= tree.Size {
		return fmt.Errorf("proof: line 2: index: %d lies outside of a tree of %d", proof.Index, tree.Size)
	}
	leaf := tlog.RecordHash(links[0].note)
	if err := tlog.CheckRecord(proof.Hashes, int64(tree.Size), tree.Root, int64(proof.Index), leaf); err != nil {
		return errors.New("proof: does not lead from the note to the root of the checkpoint")
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: int64(tree.Size), Hash: tree.Root}, tiles(read))
	if len(links) > 1 {
		var at []int64
		for _, l := range links[1:] {
			at = append(at, tlog.StoredHashIndex(0, int64(l.Index)))
		}
		found, err := hashes.ReadHashes(at)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		for i, l := range links[1:] {
			if found[i] != tlog.RecordHash(l.note) {
				return fmt.Errorf("log: entry %d is not the release %d that was read", l.Index, l.Index)
			}
		}
	}
	switch {
	case before.Size == 0:
		return nil
	case tree.Size < before.Size:
		return fmt.Errorf("checkpoint: its tree of %d entries is smaller than that of %d seen before", tree.Size, before.Size)
	case tree.Size == before.Size:
		if tree.Root != before.Root {
			return fmt.Errorf("checkpoint: its root is not that of the same %d entries seen before: the log was forked", tree.Size)
		}
		return nil
	}
	root, err := earlier(proof, before.Size, tree.Size, hashes)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if root != before.Root {
		return fmt.Errorf("checkpoint: its first %d entries are not those seen before: the log was forked", before.Size)
	}
	return nil
}

// earlier returns the root of the first entries of a tree. The proof of the
// newest entry is made of the roots that the tree before it is made of, so that
// a reader which missed nothing needs no tile.
func earlier(proof Proof, size, of uint64, hashes tlog.HashReader) (tlog.Hash, error) {
	if proof.Index != size || of != size+1 {
		return tlog.TreeHash(int64(size), hashes)
	}
	root := proof.Hashes[0]
	for _, h := range proof.Hashes[1:] {
		root = tlog.NodeHash(h, root)
	}
	return root, nil
}

// tileHeight is that of c2sp.org/tlog-tiles.
const tileHeight = 8

// TilePath returns the path of a tile of height 8 as c2sp.org/tlog-tiles has
// it; level -1 is that of the entries.
func TilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}

// tiles reads the tiles of a log.
type tiles Reader

func (read tiles) Height() int { return tileHeight }

func (read tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range wanted {
		path, size := TilePath(t), int64(t.W)*tlog.HashSize
		data, err := read(path, size)
		if err != nil {
			return nil, err
		}
		if int64(len(data)) != size {
			return nil, fmt.Errorf("%s: has %d bytes, a tile of this width has %d", path, len(data), size)
		}
		all = append(all, data)
	}
	return all, nil
}

func (read tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// readEntry reads an entry of a log of this size. Whether it really is in the
// log is not known before its hash was found there.
func readEntry(index, size uint64, read Reader) ([]byte, error) {
	if index >= size {
		return nil, fmt.Errorf("entry %d lies outside of a log of %d", index, size)
	}
	const full = 1 << tileHeight
	bundle := index / full
	t := tlog.Tile{H: tileHeight, L: -1, N: int64(bundle), W: int(min(full, size-bundle*full))}
	path := TilePath(t)
	data, err := read(path, int64(t.W)*(2+MaxNote))
	if err != nil {
		return nil, err
	}
	entries, err := ParseEntries(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(entries) != t.W {
		return nil, fmt.Errorf("%s: has %d entries instead of %d", path, len(entries), t.W)
	}
	return entries[index%full], nil
}

// ParseEntries takes a bundle of entries apart: each has its length in front
// of it, as two bytes, the higher first.
func ParseEntries(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for rest := bundle; len(rest) > 0; {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("ends within entry %d of the bundle", len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		entries = append(entries, rest[2:end])
		rest = rest[end:]
	}
	return entries, nil
}
