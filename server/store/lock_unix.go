//go:build unix

package store

import (
	"os"
	"syscall"
)

// lock waits for the exclusive lock on f, which the kernel takes back when the
// file is closed, also by a kill.
func lock(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}
