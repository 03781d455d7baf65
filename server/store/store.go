// Package store keeps releases and their blobs in a directory that survives a
// kill, a crash or a full disk at any moment:
//
//	head               the note in force, the same bytes as releases/<its index>
//	releases/<index>   every note that was in force
//	blobs/<sha256>     bytes by the lowercase hex of their SHA-256
//	lock               held with flock(2) by whoever publishes
//
// Every file is written under a temporary name (".new-…") in its own
// directory, synced, renamed over its name, and the directory synced. A
// release is stored blobs first, then its note, then the head: one rename puts
// it in force, and until then the last release is whole and untouched. What an
// interrupted publish leaves is never served as a release and is swept or
// replaced by the next.
package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"paravent/lists/release"
)

const (
	headName     = "head"
	lockName     = "lock"
	releasesName = "releases"
	blobsName    = "blobs"
	tempPrefix   = ".new-"
)

// ErrEmpty is the error for a store in which no release is in force yet.
var ErrEmpty = errors.New("no release has been published")

// A Corrupt error says that a file does not hold what its name promises.
type Corrupt struct {
	Path string // the file
	Why  string // what is wrong with it, and what to do
}

func (e *Corrupt) Error() string { return e.Path + ": " + e.Why }

// Store is a directory of releases. Any number of processes may read it while
// one publishes.
type Store struct{ dir string }

// Open uses the directory dir as a store and makes what is missing of it.
func Open(dir string) (*Store, error) {
	for _, d := range []string{dir, filepath.Join(dir, releasesName), filepath.Join(dir, blobsName)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	return &Store{dir}, nil
}

// Head returns the note in force and what it says. The error is ErrEmpty before
// the first release, a *Corrupt when the head is missing, cut short or differs
// from the history.
func (s *Store) Head() (noteBytes []byte, r release.Release, err error) {
	path := filepath.Join(s.dir, headName)
	noteBytes, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		// The first publish may have been killed before its head was written,
		// so release 1 alone means empty; any more means that the head is lost.
		last, err := s.lastInHistory()
		if err != nil {
			return nil, release.Release{}, err
		}
		if last > 1 {
			return nil, release.Release{}, &Corrupt{path, fmt.Sprintf("is missing; copy %s over it to restore the last release", s.releasePath(last))}
		}
		return nil, release.Release{}, ErrEmpty
	}
	if err != nil {
		return nil, release.Release{}, fmt.Errorf("store: %w", err)
	}
	r, err = release.Read(noteBytes)
	if err != nil {
		return nil, release.Release{}, &Corrupt{path, fmt.Sprintf("%v; copy the last good note from %s over it", err, filepath.Join(s.dir, releasesName))}
	}
	if kept, err := s.Release(r.Index); err != nil {
		return nil, release.Release{}, &Corrupt{path, fmt.Sprintf("is in force without its copy in the history: %v", err)}
	} else if !bytes.Equal(kept, noteBytes) {
		return nil, release.Release{}, &Corrupt{path, fmt.Sprintf("differs from %s; keep the one whose signature holds in both places", s.releasePath(r.Index))}
	}
	return noteBytes, r, nil
}

// Release returns the note of a release that is or was in force.
func (s *Store) Release(index uint64) ([]byte, error) {
	noteBytes, err := os.ReadFile(s.releasePath(index))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return noteBytes, nil
}

// BlobPath returns the file that holds the blob of this SHA-256, if the store
// has it. The name must be one that release.IsSHA256 accepts.
func (s *Store) BlobPath(sha256 string) string {
	return filepath.Join(s.dir, blobsName, sha256)
}

// Blob returns the bytes whose SHA-256, in lowercase hex, is sum. The error
// is a *Corrupt when the file holds other bytes, fs.ErrNotExist when the store
// has no such blob.
func (s *Store) Blob(sum string) ([]byte, error) {
	if !release.IsSHA256(sum) {
		return nil, fmt.Errorf("store: blob %.80q: not 64 digits of lowercase hex: %w", sum, fs.ErrNotExist)
	}
	data, err := os.ReadFile(s.BlobPath(sum))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if got := Sum(data); got != sum {
		return nil, &Corrupt{s.BlobPath(sum), fmt.Sprintf("its bytes have the SHA-256 %s; publish the list again to repair it", got)}
	}
	return data, nil
}

// Sum returns the SHA-256 of data in lowercase hex, the name of a blob.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Locked is a store held by the one publisher that may write to it.
type Locked struct {
	*Store
	lock *os.File
}

// Lock waits until no other process publishes, sweeps what interrupted ones
// left, and returns the right to write. Unlock it; a kill does as well.
func (s *Store) Lock() (*Locked, error) {
	path := filepath.Join(s.dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	l := &Locked{s, f}
	if err := l.sweep(); err != nil {
		l.Unlock()
		return nil, err
	}
	return l, nil
}

// Unlock gives the right to write back.
func (l *Locked) Unlock() { l.lock.Close() }

func (l *Locked) sweep() error {
	for _, dir := range []string{l.dir, filepath.Join(l.dir, releasesName), filepath.Join(l.dir, blobsName)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), tempPrefix) {
				continue
			}
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("store: %w", err)
			}
		}
	}
	return nil
}

// PutBlob stores data and returns its name. A blob that is there already stays
// as it is; a corrupt one is written anew.
func (l *Locked) PutBlob(data []byte) (sum string, err error) {
	sum = Sum(data)
	if _, err := l.Blob(sum); err == nil {
		// A publish killed between rename and sync may have left it.
		return sum, syncDir(filepath.Join(l.dir, blobsName))
	}
	return sum, write(l.BlobPath(sum), data)
}

// PutHead puts a note in force. Its index must be the one after the head's,
// and its blobs must be stored.
func (l *Locked) PutHead(noteBytes []byte) error {
	r, err := release.Read(noteBytes)
	if err != nil {
		return err
	}
	next, err := l.Next()
	if err != nil {
		return err
	}
	if r.Index != next {
		return fmt.Errorf("store: %s: release %d cannot follow release %d", l.dir, r.Index, next-1)
	}
	for _, blob := range []release.Digest{r.Bundle, r.List} {
		data, err := l.Blob(blob.SHA256)
		if err != nil {
			return err
		}
		if int64(len(data)) != blob.Size {
			return fmt.Errorf("store: %s: has %d bytes, the note says %d", l.BlobPath(blob.SHA256), len(data), blob.Size)
		}
	}
	if err := write(l.releasePath(r.Index), noteBytes); err != nil {
		return err
	}
	return write(filepath.Join(l.dir, headName), noteBytes)
}

// Next returns the index that the next release has. It refuses a head that
// lies behind the history: readers have seen a later one.
func (l *Locked) Next() (uint64, error) {
	_, head, err := l.Head()
	if err != nil && err != ErrEmpty {
		return 0, err
	}
	last, err := l.lastInHistory()
	if err != nil {
		return 0, err
	}
	if last > head.Index+1 {
		return 0, &Corrupt{filepath.Join(l.dir, headName), fmt.Sprintf("holds release %d though %s exists; copy that over it", head.Index, l.releasePath(last))}
	}
	return head.Index + 1, nil
}

func (s *Store) releasePath(index uint64) string {
	return filepath.Join(s.dir, releasesName, strconv.FormatUint(index, 10))
}

// lastInHistory returns the highest index below releases/, 0 if there is none.
func (s *Store) lastInHistory() (uint64, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, releasesName))
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	var last uint64
	for _, e := range entries {
		if n, err := strconv.ParseUint(e.Name(), 10, 64); err == nil {
			last = max(last, n)
		}
	}
	return last, nil
}

// write replaces the file at path by data, or leaves it as it was.
func write(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("store: cannot write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("store: cannot write %s: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
