package gateway

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Cache keeps photos in a directory, so that the second patient who sees one
// causes no fetch. It holds at most so many bytes and drops first what was not
// looked at for longest; and it drops everything that was fetched more than a
// day ago, so that a photo that its host took away goes away here too.
//
// A file is named by the SHA-256 of the photo's address, and holds the SHA-256
// of what follows, the content type's number, and the picture. Nothing is
// written when a photo is looked at: the order of looking is in memory only,
// and after a restart files count as looked at when they were fetched. Files
// of an interrupted write, and those that a crash tore, are not believed. One
// process at a time may have the directory.
type Cache struct {
	dir   string
	limit int64

	mu    sync.Mutex
	known map[key]*list.Element // of *entry
	order *list.List            // the one looked at last is at the front
	bytes int64
}

// MaxAge is how long a photo stays in a cache.
const MaxAge = 24 * time.Hour

type key [sha256.Size]byte

func keyOf(url string) key { return sha256.Sum256([]byte(url)) }

type entry struct {
	key     key
	size    int64 // of the file
	fetched time.Time
}

// cost is what an entry counts: what it takes on the disk, nearly, which also
// bounds how many there are.
func (e *entry) cost() int64 { return (e.size + 4095) &^ 4095 }

// A picture is a photo as its host sent it.
type picture struct {
	contentType string
	data        []byte
}

// contentTypes are those of a picture; a file holds the index.
var contentTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

const cacheHeader = sha256.Size + 1

// partial begins the name of a file that is not whole yet.
const partial = "partial-"

// OpenCache returns the cache in a directory, which it makes if there is none.
func OpenCache(dir string, limit int64) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, limit: limit, known: map[key]*list.Element{}, order: list.New()}
	var entries []*entry
	for _, f := range files {
		if strings.HasPrefix(f.Name(), partial) {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return nil, err
			}
			continue
		}
		name, err := hex.DecodeString(f.Name())
		if err != nil || len(name) != len(key{}) || !f.Type().IsRegular() {
			return nil, fmt.Errorf("%s: is no file of a cache: give the cache a directory of its own", filepath.Join(dir, f.Name()))
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		entries = append(entries, &entry{key(name), info.Size(), info.ModTime()})
	}
	slices.SortFunc(entries, func(a, b *entry) int { return a.fetched.Compare(b.fetched) })
	for _, e := range entries {
		c.add(e)
	}
	return c, c.shrink()
}

func (c *Cache) path(k key) string { return filepath.Join(c.dir, hex.EncodeToString(k[:])) }

func (c *Cache) add(e *entry) {
	c.known[e.key] = c.order.PushFront(e)
	c.bytes += e.cost()
}

// drop forgets an entry and removes its file.
func (c *Cache) drop(at *list.Element) error {
	e := c.order.Remove(at).(*entry)
	delete(c.known, e.key)
	c.bytes -= e.cost()
	if err := os.Remove(c.path(e.key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// shrink drops what is looked at least, until the rest is within the limit.
func (c *Cache) shrink() error {
	for c.bytes > c.limit {
		if err := c.drop(c.order.Back()); err != nil {
			return err
		}
	}
	return nil
}

// size returns how large a picture is that is there, and 0 if it is not.
func (c *Cache) size(k key) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.known[k]
	if !ok {
		return 0
	}
	e := at.Value.(*entry)
	// A clock that went back must not keep a photo for ever.
	if age := time.Since(e.fetched); age > MaxAge || age < -MaxAge {
		c.drop(at)
		return 0
	}
	c.order.MoveToFront(at)
	return e.size - cacheHeader
}

// get returns a picture; ok is false if it is not there any more or not whole.
func (c *Cache) get(k key) (p picture, ok bool) {
	data, err := os.ReadFile(c.path(k))
	if err == nil && len(data) > cacheHeader {
		sum := sha256.Sum256(data[sha256.Size:])
		kind := int(data[sha256.Size])
		if bytes.Equal(sum[:], data[:sha256.Size]) && kind < len(contentTypes) {
			return picture{contentTypes[kind], data[cacheHeader:]}, true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, known := c.known[k]; known {
		c.drop(at)
	}
	return picture{}, false
}

// put keeps a picture. Its errors do not name the file, which is named by the
// photo.
func (c *Cache) put(k key, p picture) error {
	err := c.write(k, p)
	if inPath := (*fs.PathError)(nil); errors.As(err, &inPath) {
		return fmt.Errorf("%s: %w", c.dir, inPath.Err)
	}
	if inLink := (*os.LinkError)(nil); errors.As(err, &inLink) {
		return fmt.Errorf("%s: %w", c.dir, inLink.Err)
	}
	return err
}

func (c *Cache) write(k key, p picture) (err error) {
	f, err := os.CreateTemp(c.dir, partial)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	kind := []byte{byte(slices.Index(contentTypes, p.contentType))}
	hash := sha256.New()
	hash.Write(kind)
	hash.Write(p.data)
	for _, part := range [][]byte{hash.Sum(nil), kind, p.data} {
		if _, err := f.Write(part); err != nil {
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.known[k]; ok {
		if err := c.drop(at); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), c.path(k)); err != nil {
		return err
	}
	c.add(&entry{k, int64(cacheHeader + len(p.data)), time.Now()})
	return c.shrink()
}
