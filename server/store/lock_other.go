//go:build !unix

package store

import (
	"errors"
	"os"
)

// lock refuses: without flock(2) nothing keeps two writers apart, and a
// lock that outlives a kill would need a hand to remove it.
func lock(*os.File) error {
	return errors.New("a store in a directory needs a system with flock(2)")
}
