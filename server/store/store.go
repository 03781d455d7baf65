// Package store keeps what a list server publishes: objects under names. A
// directory (Dir), the bucket of a Worker and the memory of a test are all
// stores, so that the log and the server above them are written once.
//
// A name is a path with slashes. A public object has the name of its URL path
// without the first slash, so that any web server can serve a copy of them:
//
//	checkpoint                    the log's signed tree head
//	tile/0/000.p/5                hashes of the log's tree (c2sp.org/tlog-tiles)
//	tile/entries/000.p/5          the log's entries
//	v1/release                    the newest release with its proof
//	v1/blob/<sha256>              bytes by the SHA-256 of them
//	v1/delta/<sha256>/<sha256>    from one list to another
//	v1/filters                    the Bloom filters of the newest release
//
// Everything below "private/" is the server's own: above all "private/head",
// the one object that decides what the log holds.
//
// Immutable objects are Put: twice the same is no harm. Those that change are
// written by Swap alone, which fails when somebody else was faster:
//
//	data, version, err := s.Get(ctx, "private/head")
//	…
//	err = s.Swap(ctx, "private/head", next, version)
//	if errors.Is(err, store.ErrConflict) {
//		// Get it again: it is not what it was.
//	}
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// A Version names one state of an object. It is opaque; "" stands for an
// object that does not exist.
type Version string

// ErrConflict is the error of a Swap whose object is not at the old version.
var ErrConflict = errors.New("store: the object has been changed by somebody else")

// Store holds objects. Its methods may be called at the same time, by several
// processes as well.
type Store interface {
	// Get returns an object whole. The error is fs.ErrNotExist if there is none.
	Get(ctx context.Context, name string) (data []byte, v Version, err error)
	// Put writes an object that never changes, or that can be made again from
	// others. When it returns, a crash cannot lose it. A reader meets the whole
	// object or none.
	Put(ctx context.Context, name string, data []byte) error
	// Swap writes an object as Put does if it is at the old version, "" if it
	// must not exist yet. Of several at once one wins; the error of the others
	// is ErrConflict.
	Swap(ctx context.Context, name string, data []byte, old Version) error
}

// An Opener is a Store that can hand out an object without reading all of it
// into memory.
type Opener interface {
	// Open returns the object as it is now, whatever is written later.
	Open(name string) (Object, error)
}

// Object is an opened object. Its Stat tells the size, and by os.SameFile and
// the time whether it is the one that was opened before.
type Object interface {
	fs.File
	io.Seeker
}

// CheckName refuses names that not every store can hold: each part between
// slashes must be made of letters, digits, "-", "_" and ".", and not begin
// with ".".
func CheckName(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.ContainsFunc(part, func(c rune) bool {
			return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
		}) {
			return fmt.Errorf("store: %.80q: not a name of an object", name)
		}
	}
	return nil
}
