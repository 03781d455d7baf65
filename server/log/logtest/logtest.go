// Package logtest checks a whole log from the outside, for tests of whatever
// writes one.
//
//	size := logtest.Check(t, key, func(name string) ([]byte, error) { … })
package logtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/log"
)

// Check reads the checkpoint of a log and, from its entries alone, computes
// every tile and every bundle of entries that the log must serve for a tree of
// that size, also the partial ones of all sizes before. They must be there bit
// by bit. It returns the entries.
func Check(t testing.TB, key note.Verifier, read func(name string) ([]byte, error)) (entries [][]byte) {
	t.Helper()
	get := func(name string) []byte {
		t.Helper()
		data, err := read(name)
		if err != nil {
			t.Fatalf("log: %s: %v", name, err)
		}
		return data
	}
	n, err := note.Open(get(log.CheckpointName), note.VerifierList(key))
	if err != nil {
		t.Fatalf("log: checkpoint: %v", err)
	}
	origin, tree, err := release.ParseCheckpoint(n.Text)
	if err != nil || origin != key.Name() {
		t.Fatalf("log: checkpoint of %q: %v", origin, err)
	}
	for from := uint64(0); from < tree.Size; from += 256 {
		width := min(tree.Size-from, 256)
		more, err := log.Entries(get(log.EntriesPath(from/256, int(width))))
		if err != nil || uint64(len(more)) != width {
			t.Fatalf("log: entries from %d: %d, %v", from, len(more), err)
		}
		entries = append(entries, more...)
	}

	want := func(name string, data []byte) {
		t.Helper()
		if !bytes.Equal(get(name), data) {
			t.Fatalf("log: %s is not what follows from the entries", name)
		}
	}
	var bundle []byte
	level := []tlog.Hash{}
	for i, e := range entries {
		if i%256 == 0 {
			bundle = nil
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(e))), e...)
		want(log.EntriesPath(uint64(i/256), i%256+1), bundle)
		level = append(level, tlog.RecordHash(e))
	}
	if root := rootOf(level); len(entries) > 0 && root != tlog.Hash(tree.Root) {
		t.Fatalf("log: the entries have the root %v, the checkpoint says %v", root, tlog.Hash(tree.Root))
	}
	for l := 0; len(level) > 0; l++ {
		var above []tlog.Hash
		for from := 0; from < len(level); from += 256 {
			tile := level[from:min(from+256, len(level))]
			var data []byte
			for w, h := range tile {
				data = append(data, h[:]...)
				want(log.TilePath(l, uint64(from/256), w+1), data)
			}
			if len(tile) == 256 {
				above = append(above, rootOf(tile))
			}
		}
		level = above
	}
	return entries
}

// rootOf is the hash of RFC 6962, 2.1, over leaf hashes, by its definition.
func rootOf(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(rootOf(leaves[:k]), rootOf(leaves[k:]))
}
