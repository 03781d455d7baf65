package reader

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
)

const (
	hashSize   = tlog.HashSize
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxEntry   = 2 + release.MaxNote // with its length in front
)

// A Log is the log of a server as one checkpoint shows it. Whatever it returns
// was checked against the checkpoint's root hash.
type Log struct {
	server *Server
	ctx    context.Context
	tree   release.Tree
	tiles  map[string][]byte // checked ones, by path: proofs ask for the same again
}

// Log is the server's log as far as tree, which somebody has vouched for.
func (s *Server) Log(ctx context.Context, tree release.Tree) *Log {
	return &Log{server: s, ctx: ctx, tree: tree, tiles: map[string][]byte{}}
}

// Size is how many entries the log has.
func (l *Log) Size() uint64 { return l.tree.Size }

// Height is for tlog.TileHashReader.
func (l *Log) Height() int { return tileHeight }

// ReadTiles is for tlog.TileHashReader, which checks what it returns.
func (l *Log) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, t := range tiles {
		p := release.TilePath(t)
		data, known := l.tiles[p]
		if !known {
			var err error
			if data, err = l.server.Read(l.ctx, p, int64(t.W)*hashSize); err != nil {
				return nil, &unread{err}
			}
			if len(data) != t.W*hashSize {
				return nil, fmt.Errorf("%s has %d bytes, want %d", p, len(data), t.W*hashSize)
			}
		}
		all[i] = data
	}
	return all, nil
}

// SaveTiles is for tlog.TileHashReader, which calls it with what it checked.
func (l *Log) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, t := range tiles {
		l.tiles[release.TilePath(t)] = data[i]
	}
}

// hashes reads hashes of the tree, checked against its root.
func (l *Log) hashes() tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: int64(l.tree.Size), Hash: l.tree.Root}, l)
}

// Contains says whether old, seen before, is an earlier state of this log. An
// error other than ErrInconsistent says that the server did not show enough.
func (l *Log) Contains(old release.Tree) error {
	if old.Size == 0 {
		return nil
	}
	now, err := l.Earlier(old.Size)
	if err == nil && now != old {
		err = fmt.Errorf("%s: the log's first %d entries are not those that were seen before: %w", l.server, old.Size, ErrInconsistent)
	}
	return err
}

// Earlier is the log when it had so many entries, 1 or more.
func (l *Log) Earlier(size uint64) (release.Tree, error) {
	if size > l.tree.Size {
		return release.Tree{}, fmt.Errorf("%s: the log has %d entries and had %d before: %w", l.server, l.tree.Size, size, ErrInconsistent)
	}
	root, err := tlog.TreeHash(int64(size), l.hashes())
	return release.Tree{Size: size, Root: root}, l.explain(err)
}

// ErrInconsistent is the error of a log that shows another past than before:
// proof that somebody is being deceived.
var ErrInconsistent = errors.New("the log contradicts itself")

// Consistency is the proof (RFC 6962, section 2.1.2) that this log's first old
// entries are the log that old entries made.
func (l *Log) Consistency(old uint64) ([]tlog.Hash, error) {
	if old == 0 || old == l.tree.Size {
		return nil, nil
	}
	proof, err := tlog.ProveTree(int64(l.tree.Size), int64(old), l.hashes())
	return proof, l.explain(err)
}

// Entries calls each with the entries from index from up to before index to.
func (l *Log) Entries(from, to uint64, each func(index uint64, entry []byte) error) error {
	if to > l.tree.Size {
		return fmt.Errorf("%s: entry %d is not in the log, which has %d", l.server, to-1, l.tree.Size)
	}
	for from < to {
		bundle := from / tileWidth
		first := bundle * tileWidth
		tile := tlog.Tile{H: tileHeight, L: -1, N: int64(bundle), W: int(min(tileWidth, l.tree.Size-first))}
		p := release.TilePath(tile)
		data, err := l.server.Read(l.ctx, p, int64(tile.W)*maxEntry)
		if err != nil {
			return err
		}
		entries, err := release.ParseEntries(data)
		if err == nil && len(entries) != tile.W {
			err = fmt.Errorf("has %d entries, want %d", len(entries), tile.W)
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %v: %w", l.server, p, err, ErrInconsistent)
		}
		end := min(to, first+uint64(tile.W))
		wanted := make([]int64, 0, end-from)
		for index := from; index < end; index++ {
			wanted = append(wanted, tlog.StoredHashIndex(0, int64(index)))
		}
		hashes, err := l.hashes().ReadHashes(wanted)
		if err != nil {
			return l.explain(err)
		}
		for index := from; index < end; index++ {
			entry := entries[index-first]
			if tlog.RecordHash(entry) != hashes[index-from] {
				return fmt.Errorf("%s/%s: entry %d is not what the log's tree has at its place: %w", l.server, p, index, ErrInconsistent)
			}
			if err := each(index, entry); err != nil {
				return err
			}
		}
		from = end
	}
	return nil
}

// Entry returns one entry.
func (l *Log) Entry(index uint64) (entry []byte, err error) {
	err = l.Entries(index, index+1, func(_ uint64, e []byte) error {
		entry = e
		return nil
	})
	return entry, err
}

// An unread tile says nothing about the log: the line broke, or the server did.
type unread struct{ error }

func (u *unread) Unwrap() error { return u.error }

// explain tells a tile that is wrong from one that could not be read.
func (l *Log) explain(err error) error {
	if u, ok := errors.AsType[*unread](err); err == nil || ok {
		if ok {
			return u.error
		}
		return nil
	}
	return fmt.Errorf("%s: the log's tiles do not make the tree of its checkpoint (%v): %w", l.server, err, ErrInconsistent)
}
