package witness_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/store"
	"paravent/server/witness"
)

var clock = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// A tree is a log of some entries: the hashes that tlog keeps.
type tree []tlog.Hash

func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t[index]
	}
	return found, nil
}

// grow makes a log whose entries are numbered, but for those from fork on.
func grow(t testing.TB, size, fork int) tree {
	t.Helper()
	var hashes tree
	for i := range size {
		entry := fmt.Sprint("entry ", i)
		if i >= fork {
			entry = fmt.Sprint("other ", i)
		}
		more, err := tlog.StoredHashes(int64(i), []byte(entry), hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	return hashes
}

const most = 40

// A world is a log, another that looks like it up to entry 3, and a witness.
type world struct {
	t            testing.TB
	log, forked  tree
	signer       note.Signer
	trust        release.Trust
	secret, vkey string
	dir          string
	server       *httptest.Server
}

func newWorld(t testing.TB, wrap func(store.Store) store.Store) *world {
	t.Helper()
	w := &world{t: t, log: grow(t, most, most), forked: grow(t, most, 3), dir: t.TempDir()}
	secret, public, err := note.GenerateKey(rand.Reader, "lists.example")
	if err != nil {
		t.Fatal(err)
	}
	if w.signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	_, maintainer, err := note.GenerateKey(rand.Reader, "alice.example")
	if err != nil {
		t.Fatal(err)
	}
	if w.secret, w.vkey, err = release.GenerateCosigner(rand.Reader, "witness.example"); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("threshold 1\nmaintainer %s\nlog %s\nwitness w %s\nquorum w\n", maintainer, public, w.vkey)
	if w.trust, err = release.ParseTrust(text); err != nil {
		t.Fatal(err)
	}
	w.start(wrap)
	return w
}

// start starts the witness, also anew from what it left.
func (w *world) start(wrap func(store.Store) store.Store) {
	w.t.Helper()
	dir, err := store.Open(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	var s store.Store = dir
	if wrap != nil {
		s = wrap(s)
	}
	handler, err := witness.New(s, w.trust, w.secret, func() time.Time { return clock }, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	w.t.Cleanup(w.server.Close)
}

func root(t testing.TB, log tree, size int64) tlog.Hash {
	t.Helper()
	if size == 0 {
		return sha256.Sum256(nil)
	}
	hash, err := tlog.TreeHash(size, log)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func (w *world) checkpoint(log tree, size int64, signers ...note.Signer) string {
	w.t.Helper()
	text := release.FormatCheckpoint("lists.example", release.Tree{Size: uint64(size), Root: root(w.t, log, size)})
	return sign(w.t, text, slices.Concat([]note.Signer{w.signer}, signers)...)
}

func sign(t testing.TB, text string, signers ...note.Signer) string {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func proof(t testing.TB, log tree, from, to int64) string {
	t.Helper()
	if from == 0 || from > to {
		return ""
	}
	hashes, err := tlog.ProveTree(to, from, log)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, hash := range hashes {
		lines.WriteString(hash.String() + "\n")
	}
	return lines.String()
}

// body asks for a cosignature of log's tree of a size.
func (w *world) body(log tree, from, to int64) string {
	w.t.Helper()
	return fmt.Sprintf("old %d\n%s\n%s", from, proof(w.t, log, from, to), w.checkpoint(log, to))
}

func (w *world) add(body string) (status int, contentType, answer string) {
	w.t.Helper()
	return w.ask(http.MethodPost, "/add-checkpoint", body)
}

func (w *world) ask(method, path, body string) (status int, contentType, answer string) {
	w.t.Helper()
	request, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// Every status of the specification, one after the other on one witness.
func TestAddCheckpoint(t *testing.T) {
	w := newWorld(t, nil)
	stranger := key(t, "lists.example")
	other := key(t, "other.example")
	long := strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n", 64)
	empty := release.FormatCheckpoint("lists.example", release.Tree{Root: root(t, w.log, 1)})
	text, signature, _ := strings.Cut(w.checkpoint(w.log, 5), "\n\n")
	wrong := strings.Replace(text, "\n5\n", "\n6\n", 1) + "\n\n" + signature
	for _, c := range []struct {
		what, body  string
		status      int
		says        string
		contentType string
	}{
		{"nothing", "", 400, "want an old size", ""},
		{"no old size", "\n" + w.checkpoint(w.log, 5), 400, "line 1: want", ""},
		{"another word", "new 0\n\n" + w.checkpoint(w.log, 5), 400, "line 1: want", ""},
		{"a leading zero", "old 00\n\n" + w.checkpoint(w.log, 5), 400, "line 1: want", ""},
		{"a sign", "old +0\n\n" + w.checkpoint(w.log, 5), 400, "line 1: want", ""},
		{"a proof of no base64", "old 0\n!\n\n" + w.checkpoint(w.log, 5), 400, "line 2: want a hash of 32 bytes", ""},
		{"a short hash", "old 0\nAAAA\n\n" + w.checkpoint(w.log, 5), 400, "line 2: want a hash of 32 bytes", ""},
		{"64 hashes", "old 1\n" + long + "\n" + w.checkpoint(w.log, 5), 400, "the proof has 64 lines, more than 63", ""},
		{"no note", "old 0\n\nlists.example\n", 400, "checkpoint: ", ""},
		{"no checkpoint", "old 0\n\n" + sign(t, "lists.example\nfive\n", w.signer), 400, "checkpoint: ", ""},
		{"a log that is not watched", "old 0\n\n" + sign(t, "other.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", other), 404, `"other.example" is no log that this witness watches`, ""},
		{"a key that is not known", "old 0\n\n" + sign(t, release.FormatCheckpoint("lists.example", release.Tree{Size: 5, Root: root(t, w.log, 5)}), stranger), 403, "not signed by a key that this witness knows", ""},
		{"a wrong signature", "old 0\n\n" + wrong, 403, "checkpoint: ", ""},
		{"old above the size", w.body(w.log, 6, 5), 400, "old 6 is above the checkpoint's size, 5", ""},
		{"a size never seen", w.body(w.log, 3, 5), 409, "0\n", "text/x.tlog.size"},
		{"an empty log with a root", "old 0\n\n" + sign(t, empty, w.signer), 422, "root hash of another", ""},
		{"a proof from nothing", "old 0\n" + proof(t, w.log, 3, 5) + "\n" + w.checkpoint(w.log, 5), 422, "must be empty", ""},
		{"the first", w.body(w.log, 0, 5), 200, "— witness.example ", ""},
		{"the same from nothing", w.body(w.log, 0, 5), 409, "5\n", "text/x.tlog.size"},
		{"the same again", w.body(w.log, 5, 5), 200, "— witness.example ", ""},
		{"the same size of another log", w.body(w.forked, 5, 5), 422, "does not show", ""},
		{"a proof between equals", "old 5\n" + proof(t, w.log, 3, 5) + "\n" + w.checkpoint(w.log, 5), 422, "does not show", ""},
		{"a smaller one", w.body(w.log, 4, 4), 409, "5\n", "text/x.tlog.size"},
		{"another log", w.body(w.forked, 5, 9), 422, "does not show", ""},
		{"no proof", "old 5\n\n" + w.checkpoint(w.log, 9), 422, "does not show", ""},
		{"another's signature beside", "old 5\n" + proof(t, w.log, 5, 9) + "\n" + w.checkpoint(w.log, 9, stranger, other), 200, "— witness.example ", ""},
		{"all of it", w.body(w.log, 9, most), 200, "— witness.example ", ""},
		{"too long", w.body(w.log, most, most) + strings.Repeat("— x AAAAAAAA\n", 10000), 400, "cannot read the request", ""},
	} {
		if c.contentType == "" {
			c.contentType = "text/plain; charset=utf-8"
		}
		status, contentType, answer := w.add(c.body)
		if status != c.status || contentType != c.contentType || !strings.Contains(answer, c.says) || strings.Count(answer, "\n") != 1 {
			t.Errorf("%s: %d %s %q; want %d %s %q", c.what, status, contentType, answer, c.status, c.contentType, c.says)
		}
	}
	if status, _, _ := w.ask("GET", "/add-checkpoint", ""); status != 405 {
		t.Errorf("GET /add-checkpoint: %d", status)
	}
}

func key(t testing.TB, name string) note.Signer {
	t.Helper()
	secret, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// What a witness answers makes a checkpoint that readers believe, and monitors
// get the same. A restart forgets nothing.
func TestCosignatureAndMemory(t *testing.T) {
	w := newWorld(t, nil)
	sum := sha256.Sum256([]byte("lists.example"))
	monitoring := "/" + hex.EncodeToString(sum[:]) + "/checkpoint"
	for _, path := range []string{monitoring, "/" + strings.Repeat("0", 64) + "/checkpoint"} {
		if status, _, answer := w.ask("GET", path, ""); status != 404 {
			t.Errorf("%s before the first: %d %s", path, status, answer)
		}
	}
	status, _, line := w.add(w.body(w.log, 0, 5))
	if status != 200 {
		t.Fatal(status, line)
	}
	want := w.checkpoint(w.log, 5) + line
	seen, err := w.trust.Checkpoint([]byte(want))
	if err != nil || !seen.Quorum || seen.Tree.Size != 5 || !seen.Witnesses[0].Time.Equal(clock) {
		t.Errorf("%+v, %v", seen, err)
	}
	for range 2 {
		if status, contentType, answer := w.ask("GET", monitoring, ""); status != 200 || answer != want || contentType != "text/plain; charset=utf-8" {
			t.Errorf("%d %s %s\nwant\n%s", status, contentType, answer, want)
		}
		w.server.Close()
		w.start(nil)
	}
	if status, _, answer := w.add(w.body(w.log, 0, 9)); status != 409 || answer != "5\n" {
		t.Errorf("after a restart: %d %s", status, answer)
	}
}

// What the store gives back is the witness's memory only if it wrote it: a
// replaced file must not make it cosign another history.
func TestDamagedMemory(t *testing.T) {
	w := newWorld(t, nil)
	if status, _, answer := w.add(w.body(w.log, 0, 5)); status != 200 {
		t.Fatal(answer)
	}
	dir, err := store.Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("lists.example"))
	name := hex.EncodeToString(sum[:]) + "/checkpoint"
	good, _, err := dir.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := release.GenerateCosigner(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	impostor, err := release.NewCosigner(secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string]string{
		"cut":          string(good[:len(good)/2]),
		"empty":        "",
		"not cosigned": w.checkpoint(w.forked, 4),
		"another's":    w.checkpoint(w.forked, 4, impostor),
		"another size": strings.Replace(string(good), "\n5\n", "\n4\n", 1),
	} {
		if err := dir.Put(t.Context(), name, []byte(bad)); err != nil {
			t.Fatal(err)
		}
		if status, _, answer := w.add(w.body(w.forked, 4, 9)); status != 500 {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
	if err := dir.Put(t.Context(), name, good); err != nil {
		t.Fatal(err)
	}
	if status, _, answer := w.add(w.body(w.log, 5, 9)); status != 200 {
		t.Errorf("repaired: %d %s", status, answer)
	}
}

// A slow request that lost a race must not roll the witness back.
func TestLostRaceDoesNotRollBack(t *testing.T) {
	var w *world
	var raced atomic.Bool
	raced.Store(true) // the first checkpoint is not raced
	w = newWorld(t, func(s store.Store) store.Store {
		return &racing{Store: s, before: func() {
			if raced.Swap(true) {
				return
			}
			if status, _, answer := w.add(w.body(w.log, 5, 30)); status != 200 {
				t.Errorf("the fast one: %d %s", status, answer)
			}
		}}
	})
	if status, _, answer := w.add(w.body(w.log, 0, 5)); status != 200 {
		t.Fatal(answer)
	}
	raced.Store(false)
	if status, _, answer := w.add(w.body(w.log, 5, 9)); status != 409 || answer != "30\n" {
		t.Errorf("the slow one: %d %s", status, answer)
	}
	if status, _, answer := w.add(w.body(w.log, 30, 31)); status != 200 {
		t.Errorf("after it: %d %s", status, answer)
	}
}

// racing lets something happen between a request's judgement and its Swap.
type racing struct {
	store.Store
	before func()
}

func (r *racing) Swap(ctx context.Context, name string, data []byte, old store.Version) error {
	r.before()
	return r.Store.Swap(ctx, name, data, old)
}

// Of many at once, from the same size to different logs of the same size,
// only one history is ever cosigned.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	if status, _, answer := w.add(w.body(w.log, 0, 3)); status != 200 {
		t.Fatal(answer)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	cosigned := map[string]bool{}
	for i := range 16 {
		log := w.log
		if i%2 == 1 {
			log = w.forked
		}
		body := w.body(log, 3, 10)
		group.Go(func() {
			status, _, _ := w.add(body)
			mu.Lock()
			defer mu.Unlock()
			if status == 200 {
				cosigned[body] = true
			}
		})
	}
	group.Wait()
	if len(cosigned) != 1 {
		t.Errorf("%d histories were cosigned", len(cosigned))
	}
}

// A store that cannot write: nothing is given away.
func TestNothingIsCosignedThatIsNotKept(t *testing.T) {
	w := newWorld(t, func(s store.Store) store.Store { return &full{s} })
	if status, _, answer := w.add(w.body(w.log, 0, 3)); status != 500 || strings.Contains(answer, "witness.example") {
		t.Errorf("%d %s", status, answer)
	}
}

type full struct{ store.Store }

func (f *full) Swap(context.Context, string, []byte, store.Version) error {
	return errors.New("no space left")
}

func TestNewRefusesOtherKeys(t *testing.T) {
	secret, _, err := note.GenerateKey(rand.Reader, "lists.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := witness.New(nil, release.Trust{}, secret, time.Now, nil); err == nil {
		t.Error("a log's key makes a witness")
	}
}

// logOf answers Ask from a tree.
type logOf struct {
	tree
	size int64
}

func (l logOf) Consistency(old uint64) ([]tlog.Hash, error) {
	if old == 0 {
		return nil, nil
	}
	return tlog.ProveTree(l.size, int64(old), l.tree)
}

func TestAsk(t *testing.T) {
	w := newWorld(t, nil)
	ask := func(log tree, size int64) (string, error) {
		lines, err := witness.Ask(t.Context(), w.server.URL, []byte(w.checkpoint(log, size)), release.Tree{Size: uint64(size), Root: root(t, log, size)}, logOf{log, size})
		return string(lines), err
	}
	for _, size := range []int64{3, 3, 17, most} {
		if lines, err := ask(w.log, size); err != nil || !strings.HasPrefix(lines, "— witness.example ") {
			t.Errorf("%d: %q, %v", size, lines, err)
		}
	}
	if _, err := ask(w.log, 17); !errors.Is(err, witness.ErrAhead) {
		t.Errorf("an earlier tree: %v", err)
	}
	if _, err := ask(w.forked, most); err == nil || !strings.Contains(err.Error(), "/add-checkpoint: 422 Unprocessable Entity: the proof does not show") {
		t.Errorf("another tree: %v", err)
	}
	latest, err := witness.Latest(t.Context(), w.server.URL, "lists.example")
	if err != nil || !bytes.HasPrefix(latest, []byte(w.checkpoint(w.log, most))) {
		t.Errorf("%s, %v", latest, err)
	}
}

// No request whatever makes the witness fail, or cosign what the log did not
// sign.
func FuzzAddCheckpoint(f *testing.F) {
	w := newWorld(f, nil)
	f.Add(w.body(w.log, 0, 5))
	f.Add(w.body(w.log, 5, 9))
	f.Add(w.body(w.forked, 3, 9))
	f.Add("old 0\n\n")
	signed := map[string]bool{}
	for size := range int64(10) {
		for _, log := range []tree{w.log, w.forked} {
			text, _, _ := strings.Cut(w.checkpoint(log, size), "\n\n")
			signed[text] = true
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		recorder := httptest.NewRecorder()
		w.server.Config.Handler.ServeHTTP(recorder, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(body)))
		switch recorder.Code {
		case 200:
			if _, rest, _ := strings.Cut(body, "\n\n"); !signed[strings.Split(rest, "\n\n")[0]] {
				t.Errorf("%q was cosigned", body)
			}
		case 400, 403, 404, 409, 422:
		default:
			t.Errorf("%d %s", recorder.Code, recorder.Body)
		}
	})
}
