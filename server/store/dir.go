package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"
)

// Dir is a store in a directory that survives a kill, a crash or a full disk
// at any moment. An object is a file of its name. It is written under another
// name below private/new, synced, renamed over its own, and the directory
// synced, so that a reader, and whoever comes after a crash, finds the old
// bytes or the new ones. Swap holds private/lock with flock(2), which a kill
// gives back.
type Dir struct {
	root string
	disk Disk

	mu      sync.Mutex
	durable map[string]bool // directories that a crash cannot take away
}

// A Disk does to files what Dir needs. Tests put one below it that forgets
// what was not synced.
type Disk interface {
	Open(path string) (Object, error)
	Create(path string) (File, error) // the file must not exist
	Rename(from, to string) error
	Remove(path string) error
	Mkdir(path string) error // no error if it exists
	SyncDir(path string) error
	// Lock waits for the exclusive lock of a file, which it makes if need be.
	Lock(path string) (unlock func(), err error)
}

// File is a new file of a Disk.
type File interface {
	io.WriteCloser
	Sync() error
}

const (
	newDir   = "private/new"
	lockName = "private/lock"
	// A file below private/new that is older than this belongs to nobody: a
	// writer has all bytes in memory before it begins.
	abandonedAfter = time.Hour
)

// Open uses the directory dir as a store and makes what is missing of it. It
// sweeps what interrupted writers have left behind.
func Open(dir string) (*Dir, error) {
	d, err := OpenOn(osDisk{}, dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.path(newDir))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < abandonedAfter {
			continue // taken away in the meantime, or perhaps in use
		}
		if err := os.Remove(filepath.Join(d.path(newDir), e.Name())); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
	}
	return d, nil
}

// OpenOn uses the directory dir of another disk as a store. Nothing is swept.
func OpenOn(disk Disk, dir string) (*Dir, error) {
	if err := makeAll(disk, filepath.Clean(dir)); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &Dir{root: dir, disk: disk, durable: map[string]bool{".": true}}
	if err := d.mkdir(newDir); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return d, nil
}

// makeAll makes a directory and the parents that it lacks, all durable.
func makeAll(disk Disk, dir string) error {
	err := disk.Mkdir(dir)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeAll(disk, parent); err != nil {
			return err
		}
		err = disk.Mkdir(dir)
	}
	if err != nil {
		return err
	}
	// A parent that may not be read is not one that was made just now.
	if err := disk.SyncDir(filepath.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Root is the directory.
func (d *Dir) Root() string { return d.root }

func (d *Dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Get is Store's.
func (d *Dir) Get(_ context.Context, name string) ([]byte, Version, error) {
	if err := CheckName(name); err != nil {
		return nil, "", err
	}
	data, err := d.read(name)
	if err != nil {
		return nil, "", fmt.Errorf("store: %w", err)
	}
	return data, version(data), nil
}

func (d *Dir) read(name string) ([]byte, error) {
	f, err := d.disk.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// The version is what the object holds: a state that comes back is the same
// state.
func version(data []byte) Version {
	sum := sha256.Sum256(data)
	return Version(hex.EncodeToString(sum[:]))
}

// Open is Opener's.
func (d *Dir) Open(name string) (Object, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	f, err := d.disk.Open(d.path(name))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return f, nil
}

// Put is Store's.
func (d *Dir) Put(_ context.Context, name string, data []byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if kept, err := d.read(name); err == nil && bytes.Equal(kept, data) {
		// It was synced before it got its name, but who wrote it may have been
		// killed before the name was.
		err := d.mkdir(path.Dir(name))
		if err == nil {
			err = d.disk.SyncDir(filepath.Dir(d.path(name)))
		}
		return writeError(d.path(name), err)
	}
	return d.write(name, data)
}

// Swap is Store's.
func (d *Dir) Swap(_ context.Context, name string, data []byte, old Version) error {
	if err := CheckName(name); err != nil {
		return err
	}
	unlock, err := d.disk.Lock(d.path(lockName))
	if err != nil {
		return fmt.Errorf("store: lock %s: %w", d.path(lockName), err)
	}
	defer unlock()
	var now Version
	switch kept, err := d.read(name); {
	case err == nil:
		now = version(kept)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: %w", err)
	}
	if now != old {
		return fmt.Errorf("%s: %w", d.path(name), ErrConflict)
	}
	return d.write(name, data)
}

// write replaces the file of an object, or leaves it as it was.
func (d *Dir) write(name string, data []byte) error {
	if err := d.mkdir(path.Dir(name)); err != nil {
		return writeError(d.path(name), err)
	}
	temporary := d.path(newDir + "/" + rand.Text())
	f, err := d.disk.Create(temporary)
	if err != nil {
		return writeError(d.path(name), err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = d.disk.Rename(temporary, d.path(name))
	}
	if err != nil {
		d.disk.Remove(temporary)
		return writeError(d.path(name), err)
	}
	return writeError(d.path(name), d.disk.SyncDir(filepath.Dir(d.path(name))))
}

func writeError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: cannot write %s: %w", path, err)
}

// mkdir makes a directory of the store, with its parents, and sees to it that
// a crash cannot take it away, also when it was there before: who made it may
// have been killed too early.
func (d *Dir) mkdir(name string) error {
	d.mu.Lock()
	known := d.durable[name]
	d.mu.Unlock()
	if known {
		return nil
	}
	if err := d.mkdir(path.Dir(name)); err != nil {
		return err
	}
	if err := d.disk.Mkdir(d.path(name)); err != nil {
		return err
	}
	if err := d.disk.SyncDir(filepath.Dir(d.path(name))); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.durable[name] = true
	return nil
}

// osDisk is the disk of the operating system.
type osDisk struct{}

func (osDisk) Open(path string) (Object, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // not a nil *os.File in an interface
	}
	return f, nil
}

func (osDisk) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) Remove(path string) error     { return os.Remove(path) }

func (osDisk) Mkdir(path string) error {
	err := os.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

func (osDisk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (osDisk) Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
