package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func openCache(t *testing.T, dir string, limit int64) *Cache {
	t.Helper()
	c, err := OpenCache(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pictureOf is a picture as the cache sees it, of so many bytes.
func pictureOf(size int, fill byte) picture {
	return picture{"image/webp", bytes.Repeat([]byte{fill}, size)}
}

// keep puts a picture under a name.
func keep(t *testing.T, c *Cache, name string, p picture) {
	t.Helper()
	if err := c.put(keyOf(name), p); err != nil {
		t.Fatal(err)
	}
}

// there names the pictures of a to z that the cache has, whole.
func there(c *Cache) (names string) {
	for name := 'a'; name <= 'z'; name++ {
		if c.size(keyOf(string(name))) > 0 {
			if _, ok := c.get(keyOf(string(name))); ok {
				names += string(name)
			}
		}
	}
	return names
}

func TestCacheDropsWhatIsLookedAtLeast(t *testing.T) {
	dir := t.TempDir()
	c := openCache(t, dir, 40<<10)
	for _, name := range []string{"a", "b", "c", "d"} {
		keep(t, c, name, pictureOf(10_000, name[0])) // 12 KB on the disk
		c.size(keyOf("a"))
	}
	if got := there(c); got != "acd" {
		t.Errorf("%s is there", got)
	}
	p, ok := c.get(keyOf("d"))
	if want := pictureOf(10_000, 'd'); !ok || p.contentType != want.contentType || !bytes.Equal(p.data, want.data) {
		t.Errorf("%v %s, %d bytes", ok, p.contentType, len(p.data))
	}
	keep(t, c, "e", pictureOf(50_000, 'e'))
	if got := there(c); got != "" {
		t.Errorf("%s is there beside what is larger than all the cache", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 || c.bytes != 0 {
		t.Errorf("%d files, %d bytes", len(files), c.bytes)
	}
}

func TestCacheAfterARestart(t *testing.T) {
	dir := t.TempDir()
	c := openCache(t, dir, 1<<20)
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		keep(t, c, name, pictureOf(10_000, name[0]))
		fetched := time.Now().Add(time.Duration(i-10) * time.Minute)
		if name == "f" {
			fetched = time.Now().Add(-MaxAge - time.Minute)
		}
		if err := os.Chtimes(c.path(keyOf(name)), fetched, fetched); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(c.path(keyOf("b")), 9_000); err != nil { // a crash tore it
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, partial+"1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.path(keyOf("c"))); err != nil {
		t.Fatal(err)
	}
	c = openCache(t, dir, 1<<20)
	if got := there(c); got != "ade" {
		t.Errorf("%s is there", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	// A smaller limit than before holds at once, and what is oldest goes.
	if got := there(openCache(t, dir, 25<<10)); got != "de" {
		t.Errorf("%s is there", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(dir, 1<<20); err == nil || !strings.Contains(err.Error(), "notes.txt: is no file of a cache") {
		t.Errorf("a directory that holds something else: %v", err)
	}
}

func TestCacheUnderManyHands(t *testing.T) {
	c := openCache(t, t.TempDir(), 64<<10)
	var all sync.WaitGroup
	for hand := range 8 {
		all.Go(func() {
			for i := range 200 {
				name := fmt.Sprint((i * (hand + 1)) % 20)
				want := pictureOf(5_000, byte(i*(hand+1)%20))
				if c.size(keyOf(name)) == 0 {
					if err := c.put(keyOf(name), want); err != nil {
						t.Error(err)
					}
				}
				if got, ok := c.get(keyOf(name)); ok && !bytes.Equal(got.data, want.data) {
					t.Errorf("%s holds another's picture", name)
				}
			}
		})
	}
	all.Wait()
	files, _ := os.ReadDir(c.dir)
	if len(files) != len(c.known) || len(files) > 8 {
		t.Errorf("%d files, %d known", len(files), len(c.known))
	}
}

// A cache that cannot be written says so, in words that name no photo.
func TestCacheThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	c := openCache(t, dir, 1<<20)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.put(keyOf("a"), pictureOf(1, 'a')); err == nil || err.Error() != dir+": no such file or directory" {
		t.Errorf("%v", err)
	}
	gateway := run(t, New(complete(t, Options{Cache: c, DemoLoopback: true})))
	if status, _, answer := ask(t, gateway, photoHost(t, servesPicture(t))+"/a.jpg", nil); status != 503 || answer != "the gateway's cache does not work" {
		t.Errorf("%d %s", status, answer)
	}
}

func target(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A decoder that trips over a picture does not take the gateway down.
func TestPanicOfAFetch(t *testing.T) {
	d := newDesk(openCache(t, t.TempDir(), 1<<20), func(context.Context, *url.URL) (picture, error) { panic("at the disco") })
	for range 2 {
		if _, err := d.bring(t.Context(), target(t, "https://a.example/1.jpg")); !errors.Is(err, errNoPicture) {
			t.Errorf("%v", err)
		}
	}
	if d.waiting.Load() != 0 || len(d.slots) != 0 || len(d.hosts.byName) != 0 {
		t.Error("the fetch holds its place for ever")
	}
}

// A host that hangs keeps its own photos waiting, and nobody else's.
func TestSlowHostKeepsNobodyElseWaiting(t *testing.T) {
	hang := make(chan bool)
	var atSlow, most atomic.Int32
	d := newDesk(openCache(t, t.TempDir(), 1<<20), func(_ context.Context, u *url.URL) (picture, error) {
		if u.Host == "slow.example" {
			most.Store(max(most.Load(), atSlow.Add(1)))
			<-hang
			atSlow.Add(-1)
		}
		return pictureOf(1, 'a'), nil
	})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() { d.bring(t.Context(), target(t, fmt.Sprintf("https://slow.example/%d.jpg", i))) })
	}
	for deadline := time.Now().Add(10 * time.Second); atSlow.Load() < MaxPerHost && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	start := time.Now()
	if _, err := d.bring(t.Context(), target(t, "https://quick.example/1.jpg")); err != nil || time.Since(start) > 5*time.Second {
		t.Errorf("another host's photo: %v after %v", err, time.Since(start))
	}
	close(hang)
	all.Wait()
	if most.Load() != MaxPerHost || len(d.hosts.byName) != 0 {
		t.Errorf("%d at once at the slow host, %d hosts left over", most.Load(), len(d.hosts.byName))
	}
}

// What comes together leaves together and in another order; who comes later
// does not wait for longer than the window either.
func TestMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m mix
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		start := time.Now()
		for i := range 40 {
			all.Go(func() {
				m.wait()
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait() // in the queue
		}
		mu.Lock()
		early := len(order)
		mu.Unlock()
		if early != 0 {
			t.Fatalf("%d left at once", early)
		}
		all.Wait()
		if took := time.Since(start); took < window/2 || took >= window {
			t.Errorf("the group left after %v", took)
		}
		if slices.IsSorted(order) {
			t.Errorf("they left in the order in which they came: %v", order)
		}
		m.wait()
		if took := time.Since(start); took >= 2*window {
			t.Errorf("the next one left after %v", took)
		}
	})
}

// Failures are remembered for a while, and no more of them than memory allows.
func TestRegrets(t *testing.T) {
	r := regrets{byKey: map[key]regretted{}}
	for i := range maxRegrets + 100 {
		r.put(keyOf(fmt.Sprint(i)), errSlow)
	}
	if len(r.byKey) != maxRegrets || r.get(keyOf("1")) != errSlow || r.get(keyOf("never")) != nil {
		t.Errorf("%d are remembered", len(r.byKey))
	}
	for k := range r.byKey {
		r.byKey[k] = regretted{errSlow, time.Now().Add(-time.Second)}
	}
	r.put(keyOf("new"), errCut)
	if len(r.byKey) != 1 || r.get(keyOf("1")) != nil || r.get(keyOf("new")) != errCut {
		t.Errorf("%d are remembered when all are old", len(r.byKey))
	}
}

// Many large photos at once, to readers who do not read: the answers wait for
// their turn, and memory stays within its bound.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	jpg := encoded(t, encodeJPEG)
	large := append(jpg, make([]byte, 7<<20)...)
	photos := photoHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(large) }))
	gateway := run(t, New(complete(t, Options{DemoLoopback: true})))
	done := make(chan bool)
	var peak uint64
	go func() {
		defer close(done)
		for range 400 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-t.Context().Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			sealed, _, err := testKey.Config().Seal(rawRequest("GET", photos+"/a.jpg"))
			if err != nil {
				t.Error(err)
				return
			}
			response, err := http.Post(gateway+"/gateway", "message/ohttp-req", bytes.NewReader(sealed))
			if err != nil {
				t.Error(err)
				return
			}
			// Read the head alone, and leave after a while.
			time.Sleep(time.Second)
			response.Body.Close()
		})
	}
	all.Wait()
	<-done
	// Twice the bound: the collector lets as much again pile up.
	if limit := uint64(2*maxMemory + 128<<20); peak > limit {
		t.Errorf("%d MB at the most, more than %d MB", peak>>20, limit>>20)
	}
	t.Logf("%d MB at the most", peak>>20)
}
