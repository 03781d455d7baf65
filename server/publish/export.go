package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"paravent/server/log"
	"paravent/server/store"
)

// Export copies what a server serves of a store in a directory to the empty or
// older copy out, for any web server to serve as it is: a file for every path.
// Partial tiles that a full one has replaced are left out. What changes is read
// first and written last, so that at any time all is there that it names. It
// returns the number of files that are new.
func Export(ctx context.Context, from *store.Dir, out string) (written int, err error) {
	newest, err := ReadNewest(ctx, from)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	filters, err := ReadBlob(ctx, from, newest.Filters)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	checkpoint, _, err := from.Get(ctx, log.CheckpointName)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	write := func(name string, data []byte) error {
		to := filepath.Join(out, filepath.FromSlash(name))
		if old, err := os.ReadFile(to); err == nil && bytes.Equal(old, data) {
			return nil
		}
		written++
		return replaceFile(to, data)
	}
	root := os.DirFS(from.Root())
	for _, folder := range []string{"tile", "v1"} {
		err := fs.WalkDir(root, folder, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir():
				if full, partial := strings.CutSuffix(name, ".p"); partial {
					if _, err := fs.Stat(root, full); err == nil {
						return fs.SkipDir
					}
				}
				return nil
			case name == filtersName || name == releaseName:
				return nil
			}
			data, _, err := from.Get(ctx, name)
			if err != nil {
				return err
			}
			return write(name, data)
		})
		if err != nil {
			return written, fmt.Errorf("export: %w", err)
		}
	}
	for _, object := range []struct {
		name string
		data []byte
	}{{log.CheckpointName, checkpoint}, {filtersName, filters}, {releaseName, newest.Answer}} {
		if err := write(object.name, object.data); err != nil {
			return written, fmt.Errorf("export: %w", err)
		}
	}
	return written, nil
}

// replaceFile writes a file that a web server may be reading.
func replaceFile(to string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), "."+path.Base(to)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
