package publish_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paravent/server/publish"
	"paravent/server/store"
)

// childVariable tells this test binary to be a publisher instead: its value is
// the work, the store and the directories of lists, one a line.
const childVariable = "PARAVENT_TEST_PUBLISHER"

func TestMain(m *testing.M) {
	if work := os.Getenv(childVariable); work != "" {
		args := strings.Split(work, "\n")
		if err := publisher(args[0], args[1], args[2:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// publisher publishes the lists in turn: as often as work says, or without end
// for "for ever". It prints each release's number once that is in force.
func publisher(work, storeDir string, lists []string) error {
	name, value, _ := strings.Cut(work, " ")
	times := len(lists)
	switch name {
	case "limit": // no file may grow above so many bytes
		limit, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return err
		}
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	case "disk": // the store is a disk of so many bytes, which only this process sees
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := syscall.Mount("tmpfs", storeDir, "tmpfs", 0, "size="+value); err != nil {
			return err
		}
	case "times":
		n, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		times = n
	case "for": // ever
		times = 1 << 30
	}
	s, err := store.Open(storeDir)
	if err != nil {
		return err
	}
	for i := range times {
		r, err := publish.Publish(s, lists[i%len(lists)], signer, now, options)
		if err != nil {
			if name == "disk" { // the disk is gone with this process: look at it now
				_, head, headErr := s.Head()
				_, blobErr := s.Blob(head.List.SHA256)
				fmt.Println("in force", head.Index, errors.Join(headErr, blobErr))
			}
			return err
		}
		fmt.Println(r.Index)
	}
	return nil
}

func child(work, storeDir string, lists ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join(append([]string{work, storeDir}, lists...), "\n"))
	return cmd
}

// Whenever a publisher is killed, the store holds a whole release, none that
// was in force is lost, and the next publisher goes on.
func TestKilledPublisher(t *testing.T) {
	s, dir := newStore(t)
	lists := []string{t.TempDir(), t.TempDir(), t.TempDir()}
	for i, list := range lists {
		buildList(t, list, fmt.Sprintf("kill%d", i), 500*(i+1))
	}
	if _, err := publish.Publish(s, lists[0], signer, now, options); err != nil {
		t.Fatal(err)
	}
	const kills = 60
	var last uint64 = 1
	leftBehind := 0
	for range kills {
		// Without the blobs, every publish has to write all four files.
		if err := clearBlobs(s, dir); err != nil {
			t.Fatal(err)
		}
		cmd := child("for ever", dir, lists[1], lists[2])
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		printed := make(chan uint64, 1)
		started := make(chan struct{})
		go func() {
			var index uint64
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if index == 0 {
					close(started)
				}
				n, err := strconv.ParseUint(lines.Text(), 10, 64)
				if err != nil {
					t.Errorf("the publisher says: %s", lines.Text())
				}
				index = n
			}
			printed <- index
		}()
		if rand.IntN(2) == 0 {
			// Half of the kills come while it starts and writes everything
			// for the first time, half while it goes round.
			select {
			case <-started:
			case <-time.After(20 * time.Second):
				t.Error("the publisher does not start")
			}
		}
		time.Sleep(time.Duration(rand.IntN(25_000)) * time.Microsecond)
		cmd.Process.Kill()
		index := <-printed
		cmd.Wait()

		left, err := filepath.Glob(filepath.Join(dir, "*", ".new-*"))
		if err != nil {
			t.Fatal(err)
		}
		leftBehind += len(left)
		r := holds(t, s)
		if r.Index < max(index, last) {
			t.Fatalf("release %d is in force, %d was", r.Index, max(index, last))
		}
		last = r.Index
		for i := uint64(1); i <= last; i++ {
			if _, err := s.Release(i); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d kills, %d releases, %d half-written files left behind and swept", kills, last, leftBehind)
	if r, err := publish.Publish(s, lists[0], signer, now, options); err != nil || r.Index != last+1 {
		t.Fatalf("publishing after the kills: release %d, %v", r.Index, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("not swept: %v, %v", left, err)
	}
}

// clearBlobs removes all blobs but those in force.
func clearBlobs(s *store.Store, dir string) error {
	_, head, err := s.Head()
	if err != nil {
		return err
	}
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	for _, b := range blobs {
		if b.Name() != head.List.SHA256 && b.Name() != head.Bundle.SHA256 {
			if err := os.Remove(filepath.Join(dir, "blobs", b.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// A file that cannot be written whole, at every step of a publish: the error
// names it and the last release stays in force.
func TestFileLimit(t *testing.T) {
	s, dir := newStore(t)
	first, next := t.TempDir(), t.TempDir()
	buildList(t, first, "first", 10)
	buildList(t, next, "next", 3000)
	if _, err := publish.Publish(s, first, signer, now, options); err != nil {
		t.Fatal(err)
	}
	before, _, err := s.Head()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(next, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	list, bundle := read("list.txt"), read("list.bundle")
	for _, c := range []struct {
		stored [][]byte // blobs that an earlier try has stored
		limit  int
		file   string // the first that does not fit
	}{
		{nil, 0, filepath.Join("blobs", store.Sum(list))},
		{nil, len(list) - 1, filepath.Join("blobs", store.Sum(list))},
		{[][]byte{list}, len(bundle) - 1, filepath.Join("blobs", store.Sum(bundle))},
		{[][]byte{list, bundle}, len(before) - 1, filepath.Join("releases", "2")},
	} {
		l, err := s.Lock()
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range c.stored {
			if _, err := l.PutBlob(data); err != nil {
				t.Fatal(err)
			}
		}
		l.Unlock()
		out, err := child("limit "+fmt.Sprint(c.limit), dir, next).CombinedOutput()
		if _, failed := errors.AsType[*exec.ExitError](err); !failed {
			t.Errorf("files of %d bytes: %s, %v", c.limit, out, err)
		}
		if want := "cannot write " + filepath.Join(dir, c.file) + ": "; !strings.Contains(string(out), want) || !strings.Contains(string(out), "file too large") {
			t.Errorf("files of %d bytes: %swant an error with %q", c.limit, out, want)
		}
		if after, _, err := s.Head(); err != nil || !bytes.Equal(after, before) {
			t.Fatalf("files of %d bytes: the head changed: %v", c.limit, err)
		}
		holds(t, s)
		if left, err := filepath.Glob(filepath.Join(dir, "*", ".new-*")); err != nil || len(left) > 0 {
			t.Errorf("files of %d bytes: left behind %v, %v", c.limit, left, err)
		}
	}
	if r, err := publish.Publish(s, next, signer, now, options); err != nil || r.Index != 2 || holds(t, s) != r {
		t.Errorf("with room again: %+v, %v", r, err)
	}
}

// A disk that is really full. Mounting one takes a privileged process;
// TestFileLimit shows the same to others.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	first, next := t.TempDir(), t.TempDir()
	buildList(t, first, "first", 10)
	buildList(t, next, "next", 20_000)
	cmd := child("disk 256k", dir, first, next)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		t.Log("no disk can be mounted here")
		return
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.HasPrefix(string(out), "operation not permitted") {
		t.Log("no disk can be mounted here")
		return
	}
	want := []string{"1", "in force 1 <nil>", "cannot write " + filepath.Join(dir, "blobs")}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err == nil || len(lines) != 3 || lines[0] != want[0] || lines[1] != want[1] || !strings.Contains(lines[2], want[2]) || !strings.Contains(lines[2], "no space left on device") {
		t.Errorf("%s%v", out, err)
	}
}

// Publishers at the same time wait for each other: no number is given twice,
// and readers see a whole release at every moment.
func TestPublishersAtTheSameTime(t *testing.T) {
	s, dir := newStore(t)
	lists := []string{t.TempDir(), t.TempDir()}
	for i, list := range lists {
		buildList(t, list, fmt.Sprintf("same%d", i), 300)
	}
	if _, err := publish.Publish(s, lists[0], signer, now, options); err != nil {
		t.Fatal(err)
	}
	const publishers, each = 4, 8
	var wait sync.WaitGroup
	var mu sync.Mutex
	var indexes []int
	for range publishers {
		wait.Go(func() {
			out, err := child(fmt.Sprintf("times %d", each), dir, lists...).CombinedOutput()
			if err != nil {
				t.Errorf("%s%v", out, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.FieldsSeq(string(out)) {
				n, err := strconv.Atoi(line)
				if err != nil {
					t.Error(err)
				}
				indexes = append(indexes, n)
			}
		})
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			holds(t, s)
		}
	}
	slices.Sort(indexes)
	for i, n := range indexes {
		if n != i+2 {
			t.Fatalf("releases %v", indexes)
		}
	}
	if r := holds(t, s); r.Index != 1+publishers*each || len(indexes) != publishers*each {
		t.Errorf("release %d after %d publishes", r.Index, 1+len(indexes))
	}
}
