package log

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight // hashes in a full tile, entries in a full bundle
)

// TilePath names a tile of hashes: the n-th of its level, with so many hashes,
// 1 to 256.
func TilePath(level int, n uint64, width int) string {
	return release.TilePath(tlog.Tile{H: tileHeight, L: level, N: int64(n), W: width})
}

// EntriesPath names a bundle of entries: the n-th, with so many, 1 to 256.
func EntriesPath(n uint64, width int) string { return TilePath(-1, n, width) }

// at says where the leaf (or hash of a level) of this number stands.
func at(number uint64) (n uint64, within int) { return number / tileWidth, int(number % tileWidth) }

// A grown log is what one more entry adds to it.
type grown struct {
	size    uint64            // with that entry
	names   []string          // of the objects, in the order of writing
	objects map[string][]byte // tiles and entry bundle
}

// grow makes the tiles and the bundle of entries that the log of so many
// entries has with one more. It reads those of the right edge only.
func (l *Log) grow(ctx context.Context, size uint64, entry []byte) (*grown, error) {
	if len(entry) > maxEntry {
		return nil, fmt.Errorf("log: an entry of %d bytes is more than %d", len(entry), maxEntry)
	}
	g := &grown{size: size + 1, objects: map[string][]byte{}}
	add := func(name string, data []byte) {
		g.names = append(g.names, name)
		g.objects[name] = data
	}
	hash, count := tlog.RecordHash(entry), size
	var leaves []byte // of the bundle before
	for level := 0; ; level++ {
		n, within := at(count)
		tile, err := l.tile(ctx, level, n, within)
		if err != nil {
			return nil, err
		}
		if level == 0 {
			leaves = tile
		}
		tile = append(tile, hash[:]...)
		add(TilePath(level, n, within+1), tile)
		if within+1 < tileWidth {
			break
		}
		hash, count = treeOf(tile), count/tileWidth
	}
	n, within := at(size)
	var bundle []byte
	if within > 0 {
		name := EntriesPath(n, within)
		var err error
		if bundle, _, err = l.store.Get(ctx, name); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
		entries, err := Entries(bundle)
		if err != nil {
			return nil, fmt.Errorf("log: %s: %w", name, err)
		}
		var hashes []byte
		for _, e := range entries {
			h := tlog.RecordHash(e)
			hashes = append(hashes, h[:]...)
		}
		if string(hashes) != string(leaves) {
			return nil, fmt.Errorf("log: %s: does not hold the entries of %s; restore both from a copy", name, TilePath(0, n, within))
		}
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
	add(EntriesPath(n, within+1), append(bundle, entry...))
	return g, nil
}

// tile reads a tile. One of width 0 is none.
func (l *Log) tile(ctx context.Context, level int, n uint64, width int) ([]byte, error) {
	if width == 0 {
		return nil, nil
	}
	name := TilePath(level, n, width)
	data, _, err := l.store.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if len(data) != width*sha256.Size {
		return nil, fmt.Errorf("log: %s: has %d bytes, want %d; restore it from a copy", name, len(data), width*sha256.Size)
	}
	return data, nil
}

// treeOf is the RFC 6962 hash over a full tile.
func treeOf(tile []byte) tlog.Hash {
	if len(tile) == sha256.Size {
		return tlog.Hash(tile)
	}
	half := len(tile) / 2
	return tlog.NodeHash(treeOf(tile[:half]), treeOf(tile[half:]))
}

// Entries takes a bundle of entries apart: each is two bytes of length,
// big-endian, and so many bytes.
func Entries(bundle []byte) (entries [][]byte, err error) {
	for len(bundle) > 0 {
		if len(bundle) < 2 {
			return nil, errors.New("ends within the length of an entry")
		}
		length := int(binary.BigEndian.Uint16(bundle))
		if len(bundle) < 2+length {
			return nil, errors.New("ends within an entry")
		}
		entries = append(entries, bundle[2:2+length:2+length])
		bundle = bundle[2+length:]
	}
	return entries, nil
}

// hashes reads single hashes of the tree of some size out of its tiles. fresh
// are tiles that are not written yet. Nothing here is proven: whoever uses it
// compares the root.
func (l *Log) hashes(ctx context.Context, size uint64, fresh map[string][]byte) tlog.HashReader {
	read := map[string][]byte{}
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(tileHeight, index)
			inLevel := int64(size>>(tileHeight*t.L)) - t.N*tileWidth
			t.W = int(min(inLevel, tileWidth))
			name := TilePath(t.L, uint64(t.N), t.W)
			data, found := fresh[name]
			if !found {
				data, found = read[name]
			}
			if !found {
				var err error
				if data, err = l.tile(ctx, t.L, uint64(t.N), t.W); err != nil {
					return nil, err
				}
				read[name] = data
			}
			var err error
			if hashes[i], err = tlog.HashFromTile(t, data, index); err != nil {
				return nil, fmt.Errorf("log: %s: %w", name, err)
			}
		}
		return hashes, nil
	})
}

// IsTilePath says whether a name is one that TilePath or EntriesPath writes.
func IsTilePath(name string) bool {
	rest, ok := strings.CutPrefix(name, "tile/entries/")
	if ok {
		rest = "0/" + rest
	} else if rest, ok = strings.CutPrefix(name, "tile/"); !ok {
		return false
	}
	// Ours lack the height that x/mod's paths have.
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, rest))
	return err == nil && t.L >= 0 && t.L < 64
}
