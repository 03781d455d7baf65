package publish_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/log/logtest"
	"paravent/server/publish"
	"paravent/server/store"
	"paravent/server/store/storetest"
)

// direct asks a world's server without a socket.
func (w *world) direct(method, path, contentType string, body []byte) (int, string) {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	answer := httptest.NewRecorder()
	publish.Handler(w.options).ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

const storeDir = "/store"

// onDisk is a world whose server has its store on a disk.
func onDisk(t *testing.T, disk *storetest.Disk) *world {
	t.Helper()
	d, err := store.OpenOn(disk, storeDir)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, d)
}

// After a loss of power at any step of pushes and cosignatures, whatever the
// disk kept of what was not synced: what the store shows holds at once and
// without repair; after the start everything is finished; nothing that was
// acknowledged is lost; and the same push again succeeds.
func TestPushLosesPower(t *testing.T) {
	disk := storetest.NewDisk()
	w := onDisk(t, disk)
	first, second := build(t, "a.tracker.example"), build(t, "a.tracker.example", "b.tracker.example")
	delta, err := release.Delta(first.list, second.list)
	if err != nil {
		t.Fatal(err)
	}
	deltaName := "v1/delta/" + release.DigestOf(first.list).SHA256 + "/" + release.DigestOf(second.list).SHA256

	// acknowledged is what somebody was told, and after which step.
	type acknowledged struct{ steps, logged, inForce int }
	told := []acknowledged{{0, 0, 0}}
	var notes, pushes [][]byte
	push := func(index uint64, l lists, more ...file) {
		n := w.sign(w.draft(index, l), w.a, w.b)
		body := pack(t, w.pushFiles(n, l, more...)...)
		notes, pushes = append(notes, n), append(pushes, body)
		if status, answer := w.direct("POST", "/v1/release", "application/x-tar", body); status != 200 {
			t.Fatalf("release %d: %d %s", index, status, answer)
		}
		told = append(told, acknowledged{disk.Steps(), len(notes), told[len(told)-1].inForce})
		_, checkpoint := w.direct("GET", "/checkpoint", "", nil)
		cosigned, err := note.Open([]byte(checkpoint), note.VerifierList(w.log.Verifier))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(cosigned, w.w1.Signer)
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := w.direct("POST", "/v1/cosignatures", "text/plain", signed); status != 200 {
			t.Fatalf("release %d: %d %s", index, status, answer)
		}
		told = append(told, acknowledged{disk.Steps(), len(notes), len(notes)})
	}
	push(0, first)
	push(1, second, file{deltaName, delta})

	// inForce checks v1/release as a reader does, and returns how many releases
	// there have been.
	inForce := func(when string, files map[string][]byte) int {
		answer := files["v1/release"]
		if answer == nil {
			return 0
		}
		taken, err := release.Verify(answer, release.Client{Trust: w.trust}, release.Among(files))
		if err != nil {
			t.Fatalf("%s: v1/release: %v", when, err)
		}
		r := taken.Release
		for _, d := range []release.Digest{r.Trust, r.List, r.Bundle, r.Filters} {
			if err := d.Check("v1/blob/"+d.SHA256, files["v1/blob/"+d.SHA256]); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
		return int(r.Index) + 1
	}
	// logged checks the whole log and returns the number of its entries.
	logged := func(when string, files map[string][]byte) int {
		if files["checkpoint"] == nil {
			return 0
		}
		entries := logtest.Check(t, w.log.Verifier, func(name string) ([]byte, error) {
			if data, found := files[name]; found {
				return data, nil
			}
			return nil, fmt.Errorf("%s: %w", when, fs.ErrNotExist)
		})
		for i, e := range entries {
			if !bytes.Equal(e, notes[i]) {
				t.Fatalf("%s: entry %d is another", when, i)
			}
		}
		return len(entries)
	}

	states := 0
	for steps := range disk.Steps() + 1 {
		var last acknowledged
		for _, a := range told {
			if a.steps <= steps {
				last = a
			}
		}
		for seed, keep := range []float64{0, 1, 0.2, 0.5, 0.8} {
			states++
			when := fmt.Sprintf("after step %d of %d, keeping %v", steps, disk.Steps(), keep)
			left := disk.After(steps, storetest.Loss{Keep: keep, Seed: uint64(seed)})
			files := left.Files(storeDir)
			if n := logged(when+", before the start", files); n < last.logged {
				t.Fatalf("%s, before the start: %d entries, %d acknowledged", when, n, last.logged)
			}
			if n := inForce(when+", before the start", files); n < last.inForce {
				t.Fatalf("%s, before the start: %d in force, %d acknowledged", when, n, last.inForce)
			}
			again := onDisk(t, left)
			if err := publish.Replay(context.Background(), again.options); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			files = left.Files(storeDir)
			n := logged(when, files)
			if head := files["private/head"]; n < last.logged || n > 0 != (head != nil) || n > 0 && !bytes.HasPrefix(head, notes[n-1]) {
				t.Fatalf("%s: %d entries, %d acknowledged, head %.60q", when, n, last.logged, head)
			}
			inForce(when, files)
			// Whoever pushed did not hear an answer, and pushes again.
			next := min(n, len(pushes)-1)
			if n > last.logged {
				next = n - 1
			}
			if status, answer := again.direct("POST", "/v1/release", "application/x-tar", pushes[next]); status != 200 || !strings.HasPrefix(answer, "c2sp.org/tlog-proof@v1\n") {
				t.Fatalf("%s: release %d again: %d %s", when, next, status, answer)
			}
			logged(when+", pushed again", left.Files(storeDir))
			if lines := again.lines.String(); lines != "" {
				t.Fatalf("%s: logged %s", when, lines)
			}
		}
	}
	t.Logf("%d states after %d steps", states, disk.Steps())
}

// A disk that is full after any step of a push makes the push fail, and
// nothing else: what was in force stays, and the same push succeeds once there
// is room.
func TestPushToAFullDisk(t *testing.T) {
	disk := storetest.NewDisk()
	w := onDisk(t, disk)
	l := build(t, "a.tracker.example")
	push := func(index uint64) (int, string) {
		return w.direct("POST", "/v1/release", "application/x-tar", pack(t, w.pushFiles(w.sign(w.draft(index, l), w.a, w.b), l)...))
	}
	failed := 0
	for index := uint64(0); index < 2; index++ {
		for room := 0; ; room++ {
			disk.FullAfter(room)
			status, answer := push(index)
			disk.FullAfter(-1)
			if status == 200 {
				break
			}
			failed++
			if status != 500 || answer != "the server failed; its log says why. Push the same again\n" {
				t.Fatalf("release %d with room for %d steps: %d %s", index, room, status, answer)
			}
			files := disk.Files(storeDir)
			for name := range files {
				if strings.HasPrefix(name, "private/new/") {
					t.Fatalf("release %d with room for %d steps: leaves %s", index, room, name)
				}
			}
		}
		if status, answer := push(index); status != 200 {
			t.Fatalf("release %d with room: %d %s", index, status, answer)
		}
		if entries := w.wholeLog(); len(entries) != int(index)+1 {
			t.Fatalf("release %d: %d entries", index, len(entries))
		}
	}
	if lines := w.lines.String(); failed < 20 || !strings.Contains(lines, "store: cannot write /store/private/head: ") || !strings.Contains(lines, "no space left on device") {
		t.Errorf("%d failed, logged %s", failed, lines)
	}
}
