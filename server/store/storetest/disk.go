package storetest

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"time"

	"paravent/server/store"
)

// Disk is a disk in memory that records what is done to it, and can say what
// a loss of power after any step might have left. It is as unkind as POSIX
// allows: the bytes of a file are safe once it was synced, a name once its
// directory was, and of everything else any part may be there or not.
type Disk struct {
	mu      sync.Mutex
	lock    sync.Mutex
	journal []step
	now     state
	room    int // steps until the disk is full, -1 for never
}

// A state is what a disk holds.
type state struct {
	files       map[string]*inode // by path
	directories map[string]bool
}

// An inode is a file, whatever its name.
type inode struct{ data []byte }

type step struct {
	what     verb
	path, to string // to: of a rename
	file     *inode // of a create, write, sync and rename
	data     []byte // of a write
}

type verb int

const (
	create verb = iota
	write
	syncFile
	rename
	remove
	mkdir
	syncDir
)

// NewDisk returns an empty disk.
func NewDisk() *Disk {
	return &Disk{now: state{map[string]*inode{}, map[string]bool{"/": true, ".": true}}, room: -1}
}

// ErrFull is the error of a full disk.
var ErrFull = errors.New("no space left on device")

// FullAfter makes the disk full after so many more steps, -1 for never again.
func (d *Disk) FullAfter(steps int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = steps
}

// full counts a step that needs room.
func (d *Disk) full() bool {
	if d.room == 0 {
		return true
	}
	d.room = max(d.room-1, -1)
	return false
}

// Steps is the number of steps recorded so far.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.journal)
}

// A Loss says what a loss of power does to what was not synced.
type Loss struct {
	Keep float64 // the share of it that is on the disk nevertheless: 0 none, 1 all
	Seed uint64  // chooses which
}

// After returns the disk as it may be after so many steps and a loss of power.
func (d *Disk) After(steps int, loss Loss) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	journal := d.journal[:steps]
	random := rand.New(rand.NewPCG(loss.Seed, uint64(steps)))
	syncedFile := map[*inode]int{} // the last step that synced it
	syncedDir := map[string]int{}
	for i, s := range journal {
		switch s.what {
		case syncFile:
			syncedFile[s.file] = i + 1
		case syncDir:
			syncedDir[s.path] = i + 1
		}
	}
	kept := func(i, synced int) bool {
		return i < synced || loss.Keep == 1 || loss.Keep > 0 && random.Float64() < loss.Keep
	}
	left := NewDisk()
	copies := map[*inode]*inode{}
	copyOf := func(f *inode) *inode {
		if copies[f] == nil {
			copies[f] = &inode{}
		}
		return copies[f]
	}
	for i, s := range journal {
		keptIn := func(name string) bool { return kept(i, syncedDir[path.Dir(name)]) }
		switch s.what {
		case create:
			if keptIn(s.path) {
				left.now.files[s.path] = copyOf(s.file)
			}
		case write:
			f, data := copyOf(s.file), s.data
			if !kept(i, syncedFile[s.file]) {
				// Lost, cut short, or its blocks never written.
				data = bytes.Clone(data[:random.IntN(len(data)+1)])
				if random.IntN(2) == 0 {
					clear(data)
				}
				if loss.Keep == 0 {
					data = nil
				}
			}
			f.data = append(f.data, data...)
		case rename:
			if keptIn(s.to) {
				left.now.files[s.to] = copyOf(s.file)
			}
			if keptIn(s.path) && left.now.files[s.path] == copyOf(s.file) {
				delete(left.now.files, s.path)
			}
		case remove:
			if keptIn(s.path) {
				delete(left.now.files, s.path)
			}
		case mkdir:
			if keptIn(s.path) {
				left.now.directories[s.path] = true
			}
		}
	}
	// What lies in a directory that is gone is gone.
	reached := func(name string) bool {
		for name = path.Dir(name); ; name = path.Dir(name) {
			if !left.now.directories[name] {
				return false
			}
			if name == "/" || name == "." {
				return true
			}
		}
	}
	for name := range left.now.directories {
		if !reached(name) {
			delete(left.now.directories, name)
		}
	}
	for name := range left.now.files {
		if !reached(name) {
			delete(left.now.files, name)
		}
	}
	left.remember()
	return left
}

// remember makes the state the first, durable steps of the journal.
func (d *Disk) remember() {
	add := func(s step) { d.journal = append(d.journal, s) }
	for name := range d.now.directories {
		if name != "/" && name != "." {
			add(step{what: mkdir, path: name})
		}
	}
	for name, f := range d.now.files {
		add(step{what: create, path: name, file: f})
		add(step{what: write, path: name, file: f, data: f.data})
		add(step{what: syncFile, path: name, file: f})
	}
	for name := range d.now.directories {
		add(step{what: syncDir, path: name})
	}
}

// Files returns the contents of all files below a directory, by their names in
// it.
func (d *Disk) Files(dir string) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string][]byte{}
	for name, f := range d.now.files {
		if rest, below := strings.CutPrefix(name, dir+"/"); below {
			all[rest] = f.data
		}
	}
	return all
}

func (d *Disk) record(s step) { d.journal = append(d.journal, s) }

func fail(operation, name string, err error) error {
	return &fs.PathError{Op: operation, Path: name, Err: err}
}

// Open is store.Disk's.
func (d *Disk) Open(name string) (store.Object, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.now.files[name]
	if f == nil {
		return nil, fail("open", name, fs.ErrNotExist)
	}
	return &reading{bytes.NewReader(f.data), path.Base(name)}, nil
}

// Create is store.Disk's.
func (d *Disk) Create(name string) (store.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full() {
		return nil, fail("create", name, ErrFull)
	}
	if d.now.files[name] != nil || d.now.directories[name] {
		return nil, fail("create", name, fs.ErrExist)
	}
	if !d.now.directories[path.Dir(name)] {
		return nil, fail("create", name, fs.ErrNotExist)
	}
	f := &inode{}
	d.now.files[name] = f
	d.record(step{what: create, path: name, file: f})
	return &writing{d, name, f}, nil
}

// Rename is store.Disk's.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full() {
		return fail("rename", from, ErrFull)
	}
	f := d.now.files[from]
	if f == nil || !d.now.directories[path.Dir(to)] {
		return fail("rename", from, fs.ErrNotExist)
	}
	if d.now.directories[to] {
		return fail("rename", to, fs.ErrExist)
	}
	delete(d.now.files, from)
	d.now.files[to] = f
	d.record(step{what: rename, path: from, to: to, file: f})
	return nil
}

// Remove is store.Disk's.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now.files[name] == nil {
		return fail("remove", name, fs.ErrNotExist)
	}
	delete(d.now.files, name)
	d.record(step{what: remove, path: name})
	return nil
}

// Mkdir is store.Disk's.
func (d *Disk) Mkdir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.now.directories[name]:
		return nil
	case d.full():
		return fail("mkdir", name, ErrFull)
	case d.now.files[name] != nil:
		return fail("mkdir", name, fs.ErrExist)
	case !d.now.directories[path.Dir(name)]:
		return fail("mkdir", name, fs.ErrNotExist)
	}
	d.now.directories[name] = true
	d.record(step{what: mkdir, path: name})
	return nil
}

// SyncDir is store.Disk's.
func (d *Disk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full() {
		return fail("sync", name, ErrFull)
	}
	if !d.now.directories[name] {
		return fail("sync", name, fs.ErrNotExist)
	}
	d.record(step{what: syncDir, path: name})
	return nil
}

// Lock is store.Disk's. There is one lock, whatever the file.
func (d *Disk) Lock(string) (unlock func(), err error) {
	d.lock.Lock()
	return d.lock.Unlock, nil
}

type writing struct {
	disk *Disk
	name string
	file *inode
}

func (w *writing) Write(p []byte) (int, error) {
	w.disk.mu.Lock()
	defer w.disk.mu.Unlock()
	if w.disk.full() {
		return 0, fail("write", w.name, ErrFull)
	}
	// Whoever reads the file has the bytes before this.
	w.file.data = append(w.file.data[:len(w.file.data):len(w.file.data)], p...)
	w.disk.record(step{what: write, path: w.name, file: w.file, data: bytes.Clone(p)})
	return len(p), nil
}

func (w *writing) Sync() error {
	w.disk.mu.Lock()
	defer w.disk.mu.Unlock()
	if w.disk.full() {
		return fail("sync", w.name, ErrFull)
	}
	w.disk.record(step{what: syncFile, path: w.name, file: w.file})
	return nil
}

func (w *writing) Close() error { return nil }

type reading struct {
	*bytes.Reader
	name string
}

func (r *reading) Close() error               { return nil }
func (r *reading) Stat() (fs.FileInfo, error) { return r, nil }
func (r *reading) Name() string               { return r.name }
func (r *reading) Mode() fs.FileMode          { return 0o644 }
func (r *reading) ModTime() time.Time         { return time.Time{} }
func (r *reading) IsDir() bool                { return false }
func (r *reading) Sys() any                   { return nil }
