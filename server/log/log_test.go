package log_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/log/logtest"
	"paravent/server/store"
	"paravent/server/store/storetest"
)

// newKey makes a key whose seed is its name.
func newKey(t testing.TB, name, seed string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(strings.NewReader(seed+strings.Repeat(".", 64)), name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// entry is a signed note, as the log wants it, though no release.
func entry(t testing.TB, i int) []byte {
	t.Helper()
	signer, _ := newKey(t, "maintainer.example", "maintainer")
	n, err := note.Sign(&note.Note{Text: fmt.Sprintf("entry %d\n%s", i, strings.Repeat("x\n", i%7))}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fill(t testing.TB, l *log.Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		h, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if h, err = l.Append(t.Context(), h, entry(t, i)); err != nil {
			t.Fatal(err)
		}
		if h.Tree.Size != uint64(i+1) {
			t.Fatalf("entry %d makes a tree of %d", i, h.Tree.Size)
		}
	}
}

func reader(t testing.TB, s store.Store) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		data, _, err := s.Get(t.Context(), name)
		return data, err
	}
}

func TestLog(t *testing.T) {
	key, verifier := newKey(t, "lists.example", "log")
	var s storetest.Memory
	l := log.New(&s, key)
	ctx := t.Context()
	empty, err := l.Head(ctx)
	if err != nil || empty.Tree != (release.Tree{}) || empty.Note != nil {
		t.Fatalf("%+v, %v", empty, err)
	}
	if err := l.Settle(ctx, empty); err != nil || len(s.Objects()) != 0 {
		t.Fatalf("settling nothing: %v, %d objects", err, len(s.Objects()))
	}
	const size = 515
	fill(t, l, 0, size)
	entries := logtest.Check(t, verifier, reader(t, &s))
	head, err := l.Head(ctx)
	if err != nil || len(entries) != size || head.Tree.Size != size {
		t.Fatalf("%d entries, %d, %v", len(entries), head.Tree.Size, err)
	}
	for _, i := range []uint64{0, 1, 254, 255, 256, 511, 512, 513, 514} {
		got, err := l.Entry(ctx, head, i)
		if err != nil || string(got) != string(entry(t, int(i))) {
			t.Errorf("entry %d: %.40q, %v", i, got, err)
		}
		p, err := l.Prove(ctx, head, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(p.Hashes, size, head.Tree.Root, int64(i), tlog.RecordHash(got)); err != nil || p.Index != i {
			t.Errorf("proof of %d: %v", i, err)
		}
		if _, err := note.Open(p.Checkpoint, note.VerifierList(verifier)); err != nil {
			t.Errorf("checkpoint of %d: %v", i, err)
		}
	}
	if e, err := l.Entry(ctx, head, size); err == nil {
		t.Errorf("entry %d: %q", size, e)
	}
	for name := range s.Objects() {
		if strings.HasPrefix(name, "tile/") != log.IsTilePath(name) {
			t.Errorf("IsTilePath(%q) = %v", name, log.IsTilePath(name))
		}
	}
	if _, err := l.Append(ctx, head, make([]byte, 1<<16)); err == nil || err.Error() != "log: an entry of 65536 bytes is more than 65535" {
		t.Errorf("a long entry: %v", err)
	}
}

func TestTilePaths(t *testing.T) {
	for got, want := range map[string]string{
		log.TilePath(0, 0, 256):              "tile/0/000",
		log.TilePath(3, 1234067, 256):        "tile/3/x001/x234/067",
		log.TilePath(1, 1000, 17):            "tile/1/x001/000.p/17",
		log.EntriesPath(7, 1):                "tile/entries/007.p/1",
		log.EntriesPath(273, 112):            "tile/entries/273.p/112",
		log.TilePath(63, 999_999_999, 255):   "tile/63/x999/x999/999.p/255",
		log.EntriesPath(1_000_000_000_0, 11): "tile/entries/x010/x000/x000/000.p/11",
	} {
		if got != want || !log.IsTilePath(got) {
			t.Errorf("%s, want %s; a path: %v", got, want, log.IsTilePath(got))
		}
	}
	for _, name := range []string{
		"tile", "tile/", "tile/0", "tile/0/", "tile/0/00", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/data/000",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p", "tile/0/x000/000", "tile/0/001/000",
		"tile/8/0/000", "tile/entries/0/000", "tile/entries/", "tile/0/000/", "tile/0/../000", "checkpoint", "tile/entries/data/000",
	} {
		if log.IsTilePath(name) {
			t.Errorf("%s passes for a tile", name)
		}
	}
}

// The head alone decides: whatever else is missing of the newest tree is
// written again, and comes out the same.
func TestSettleAfterACrash(t *testing.T) {
	key, verifier := newKey(t, "lists.example", "log")
	for _, size := range []int{1, 2, 255, 256, 257, 512} {
		var before, after storetest.Memory
		l := log.New(&before, key)
		fill(t, l, 0, size-1)
		old := before.Objects()
		fill(t, l, size-1, size)
		whole := before.Objects()
		for name, data := range old {
			if name != "private/head" {
				after.Put(t.Context(), name, data)
			}
		}
		after.Put(t.Context(), "private/head", whole["private/head"])
		l = log.New(&after, key)
		h, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := l.Settle(t.Context(), h); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
		}
		settled := after.Objects()
		for name, data := range whole {
			if string(settled[name]) != string(data) {
				t.Errorf("size %d: %s: %.60q, was %.60q", size, name, settled[name], data)
			}
		}
		logtest.Check(t, verifier, reader(t, &after))
	}
}

func TestSixteenAppendAtOnce(t *testing.T) {
	key, verifier := newKey(t, "lists.example", "log")
	dir := t.TempDir()
	const writers, times = 16, 4
	var all sync.WaitGroup
	for w := range writers {
		// Each with a store of its own, as processes have.
		d, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		l := log.New(d, key)
		all.Go(func() {
			for i := range times {
				for {
					h, err := l.Head(t.Context())
					if err == nil {
						err = l.Settle(t.Context(), h)
					}
					if err == nil {
						_, err = l.Append(t.Context(), h, entry(t, w*times+i))
					}
					if err == nil {
						break
					}
					if !errors.Is(err, log.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	d, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries := logtest.Check(t, verifier, reader(t, d))
	once := map[string]bool{}
	for _, e := range entries {
		once[string(e)] = true
	}
	if len(entries) != writers*times || len(once) != len(entries) {
		t.Errorf("%d entries, %d of them distinct, want %d", len(entries), len(once), writers*times)
	}
}

func TestCosign(t *testing.T) {
	key, verifier := newKey(t, "lists.example", "log")
	var s storetest.Memory
	l := log.New(&s, key)
	fill(t, l, 0, 3)
	h, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := release.FormatCheckpoint("lists.example", h.Tree)
	signature := func(name string) (note.Signature, note.Verifier) {
		signer, v := newKey(t, name, name)
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open(signed, note.VerifierList(v))
		if err != nil {
			t.Fatal(err)
		}
		return n.Sigs[0], v
	}
	a, verifierA := signature("a.example")
	b, verifierB := signature("b.example")
	for _, sigs := range [][]note.Signature{{a}, {b}, {a, b}, nil} {
		if _, err := l.Cosign(t.Context(), h, sigs); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := l.Cosigned(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier, verifierA, verifierB))
	if err != nil || n.Text != text || len(n.Sigs) != 3 || strings.Count(string(signed), "— ") != 3 {
		t.Errorf("%s: %v", signed, err)
	}
	if kept, _ := reader(t, &s)("checkpoint"); string(kept) != string(signed) {
		t.Errorf("kept: %s", kept)
	}
	// The log's key changes, its name stays: both signatures are there.
	key2, verifier2 := newKey(t, "lists.example", "another")
	l2 := log.New(&s, key2)
	if h, err = l2.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l2.Settle(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	signed, err = l2.Cosigned(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if n, err = note.Open(signed, note.VerifierList(verifier, verifier2, verifierA)); err != nil || len(n.Sigs) != 3 || len(n.UnverifiedSigs) != 1 {
		t.Errorf("%s: %v", signed, err)
	}
	// A tree that has grown takes no cosignature of the one before.
	fill(t, l, 3, 4)
	if _, err := l.Cosign(t.Context(), h, []note.Signature{a}); !errors.Is(err, log.ErrConflict) {
		t.Errorf("cosigning an old tree: %v", err)
	}
}

// Damage is told by the object's name, and nothing is built on it.
func TestDamage(t *testing.T) {
	key, _ := newKey(t, "lists.example", "log")
	other, _ := newKey(t, "other.example", "log")
	for _, c := range []struct {
		name  string
		key   note.Signer
		spoil func(objects map[string][]byte)
		want  string
	}{
		{"another key", other, func(map[string][]byte) {},
			`log: private/head: is that of the log "lists.example", but the key is that of "other.example"; restore the store from a copy`},
		{"no head", key, func(o map[string][]byte) { delete(o, "private/head") },
			"log: there is a checkpoint but no private/head; restore the store from a copy"},
		{"half a head", key, func(o map[string][]byte) { o["private/head"] = o["private/head"][:200] },
			"log: private/head: proof: ends before the checkpoint; restore the store from a copy"},
		{"a changed note", key, func(o map[string][]byte) { o["private/head"][0] ^= 1 },
			"log: private/head: its proof does not hold: "},
		{"a lost tile", key, func(o map[string][]byte) { delete(o, "tile/0/000.p/5") },
			"log: tile/0/000.p/5: file does not exist"},
		{"a short tile", key, func(o map[string][]byte) { o["tile/0/000.p/5"] = make([]byte, 5*sha256.Size-1) },
			"log: tile/0/000.p/5: has 159 bytes, want 160; restore it from a copy"},
		{"a wrong tile", key, func(o map[string][]byte) { o["tile/0/000.p/5"][77] ^= 1 },
			"log: the tiles of size 5 do not have the root of private/head; restore the store from a copy"},
		{"lost entries", key, func(o map[string][]byte) { delete(o, "tile/entries/000.p/5") },
			"log: tile/entries/000.p/5: file does not exist"},
		{"half the entries", key, func(o map[string][]byte) { o["tile/entries/000.p/5"] = o["tile/entries/000.p/5"][:100] },
			"log: tile/entries/000.p/5: ends within an entry"},
		{"wrong entries", key, func(o map[string][]byte) { o["tile/entries/000.p/5"][77] ^= 1 },
			"log: tile/entries/000.p/5: does not hold the entries of tile/0/000.p/5; restore both from a copy"},
		{"no checkpoint of ours", key, func(o map[string][]byte) { o["checkpoint"] = []byte("lists.example\n5\n") },
			"log: checkpoint: is no signed checkpoint: malformed note; restore it from a copy, or remove it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole, damaged storetest.Memory
			fill(t, log.New(&whole, key), 0, 5)
			objects := whole.Objects()
			c.spoil(objects)
			for name, data := range objects {
				damaged.Put(t.Context(), name, data)
			}
			l := log.New(&damaged, c.key)
			h, err := l.Head(t.Context())
			if err == nil {
				err = l.Settle(t.Context(), h)
			}
			if err == nil {
				_, err = l.Append(t.Context(), h, entry(t, 5))
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if string(damaged.Objects()["private/head"]) != string(objects["private/head"]) {
				t.Error("the head has changed")
			}
		})
	}
}
