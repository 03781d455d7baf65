// Package publish makes the next release of a built list and serves the newest
// one over HTTP.
package publish

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/store"
)

// Options are what a release says beside the list.
type Options struct {
	WaitSeconds int           // between two polls of a reader, 1 to release.MaxWait
	Valid       time.Duration // from issued to expires, a second or more
}

// Publish signs the list in listDir (list.txt, list.bundle and about.json, as
// the list's build leaves them) as the release after the store's head and puts
// it in force. Whatever goes wrong, the last release stays in force and the
// error names the file.
func Publish(s *store.Store, listDir string, signer note.Signer, now time.Time, o Options) (release.Release, error) {
	list, bundle, err := readList(listDir)
	if err != nil {
		return release.Release{}, err
	}
	l, err := s.Lock()
	if err != nil {
		return release.Release{}, err
	}
	defer l.Unlock()

	r := release.Release{
		Issued:      now.UTC().Truncate(time.Second),
		Expires:     now.UTC().Truncate(time.Second).Add(o.Valid),
		WaitSeconds: o.WaitSeconds,
		Bundle:      release.Digest{Size: int64(len(bundle)), SHA256: store.Sum(bundle)},
		List:        release.Digest{Size: int64(len(list)), SHA256: store.Sum(list)},
	}
	if r.Index, err = l.Next(); err != nil {
		return release.Release{}, err
	}
	body, err := r.Body()
	if err != nil {
		return release.Release{}, err
	}
	signed, err := note.Sign(&note.Note{Text: body}, signer)
	if err != nil {
		return release.Release{}, fmt.Errorf("sign release %d: %w", r.Index, err)
	}
	for _, blob := range [][]byte{list, bundle} {
		if _, err := l.PutBlob(blob); err != nil {
			return release.Release{}, err
		}
	}
	return r, l.PutHead(signed)
}

// listHeader is the first line of every canonical text.
const listHeader = "paravent list 1\n"

// readList reads a built list and refuses one that its build did not finish.
func readList(dir string) (list, bundle []byte, err error) {
	var about struct{ List, Bundle release.Digest }
	aboutPath := filepath.Join(dir, "about.json")
	aboutText, err := os.ReadFile(aboutPath)
	if err != nil {
		return nil, nil, fmt.Errorf("read the list: %w; build it first", err)
	}
	if err := json.Unmarshal(aboutText, &about); err != nil {
		return nil, nil, fmt.Errorf("%s: %w; build the list again", aboutPath, err)
	}
	read := func(name string, want release.Digest) []byte {
		path := filepath.Join(dir, name)
		data, e := os.ReadFile(path)
		switch {
		case err != nil:
		case e != nil:
			err = fmt.Errorf("read the list: %w", e)
		case len(data) == 0:
			err = fmt.Errorf("%s: is empty; build the list again", path)
		case int64(len(data)) != want.Size || store.Sum(data) != want.SHA256:
			err = fmt.Errorf("%s: has %d bytes with SHA-256 %s, about.json says %d and %q; build the list again",
				path, len(data), store.Sum(data), want.Size, want.SHA256)
		}
		return data
	}
	list = read("list.txt", about.List)
	bundle = read("list.bundle", about.Bundle)
	if err != nil {
		return nil, nil, err
	}
	rules, found := bytes.CutPrefix(list, []byte(listHeader))
	if !found {
		return nil, nil, fmt.Errorf("%s: line 1: is not %q", filepath.Join(dir, "list.txt"), listHeader)
	}
	if len(bytes.TrimSpace(rules)) == 0 {
		return nil, nil, errors.New(filepath.Join(dir, "list.txt") + ": holds no rule; an empty list would switch protection off")
	}
	return list, bundle, nil
}
