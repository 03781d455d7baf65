// Package publish makes the next release of a built list and serves the newest
// one over HTTP.
package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	bundles "paravent/lists/bundle"
	"paravent/lists/compile"
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

// readList reads a built list and refuses one that its build did not finish,
// that readers could not rebuild, or that would switch protection off.
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
	listPath, bundlePath := filepath.Join(dir, "list.txt"), filepath.Join(dir, "list.bundle")
	parsed, err := compile.Parse(list)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", listPath, err)
	}
	stops := func(r bundles.KindedRule) bool { return r.Kind.Stops() }
	if !slices.ContainsFunc(parsed.Rules, stops) {
		return nil, nil, fmt.Errorf("%s: holds no rule that stops a request; readers would be left without protection", listPath)
	}
	compiled, err := parsed.Bundle()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", listPath, err)
	}
	if !bytes.Equal(compiled, bundle) {
		return nil, nil, fmt.Errorf("%s: is not what %s compiles to here; build the list again with this version", bundlePath, listPath)
	}
	return list, bundle, nil
}
