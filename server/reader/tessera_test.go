package reader_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	serverlog "paravent/server/log"
	"paravent/server/publish"
	"paravent/server/reader"
	"paravent/server/store"
	"paravent/server/witness"
)

const origin = "lists.example"

// entries is how many releases the logs of these tests have: more than fit into
// one tile.
const entries = 260

// A cast is who takes part: a maintainer, a log and a witness.
type cast struct {
	maintainer, log note.Signer
	logKey          note.Verifier
	cosigner, vkey  string // the witness's keys
	trust           release.Trust
}

func newCast(t testing.TB, quorum string) cast {
	t.Helper()
	var c cast
	key := func(name string) (note.Signer, string) {
		secret, public, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		return signer, public
	}
	var maintainer, log string
	c.maintainer, maintainer = key("alice.example")
	c.log, log = key(origin)
	var err error
	if c.logKey, err = note.NewVerifier(log); err != nil {
		t.Fatal(err)
	}
	if c.cosigner, c.vkey, err = release.GenerateCosigner(rand.Reader, "witness.example"); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("threshold 1\nmaintainer %s\nlog %s\nwitness w %s\nquorum %s\n", maintainer, log, c.vkey, quorum)
	if c.trust, err = release.ParseTrust(text); err != nil {
		t.Fatal(err)
	}
	return c
}

// note is the signed note of a release.
func (c cast) note(t testing.TB, index int) []byte {
	t.Helper()
	issued := time.Date(2026, 1, 1, 0, 0, index, 0, time.UTC)
	nothing := release.DigestOf([]byte("nothing"))
	r := release.Release{
		Index: uint64(index), Issued: issued, Expires: issued.AddDate(0, 0, 30), WaitSeconds: 900,
		Source: strings.Repeat("a", 40), Trust: c.trust.Digest(), List: nothing, Bundle: nothing, Filters: nothing,
	}
	body, err := r.Body()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: body}, c.maintainer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Everything that transparency-dev/tessera knows to check holds for our log:
// its checkpoint, each of its states against the next, inclusion, every tile
// and every entry.
func TestTesseraReadsOurLog(t *testing.T) {
	ctx := t.Context()
	c := newCast(t, "none")
	dir, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(publish.Handler(publish.Options{Store: dir, Trust: c.trust, LogKey: c.log, Log: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	fetcher, err := client.NewHTTPFetcher(address, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	ours := serverlog.New(dir, c.log)
	head, err := ours.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var tracker *client.LogStateTracker
	for i := range entries {
		if head, err = ours.Append(ctx, head, c.note(t, i)); err != nil {
			t.Fatal(err)
		}
		if i > 3 && i < 250 && i%50 > 0 {
			continue
		}
		if tracker == nil {
			tracker, err = client.NewLogStateTracker(ctx, fetcher.ReadTile, nil, c.logKey, origin, client.UnilateralConsensus(fetcher.ReadCheckpoint))
		} else {
			_, _, _, err = tracker.Update(ctx)
		}
		if err != nil {
			t.Fatalf("after entry %d: %v", i, err)
		}
		if size := tracker.Latest().Size; size != uint64(i)+1 {
			t.Fatalf("after entry %d: the tree has %d", i, size)
		}
	}
	latest := tracker.Latest()
	builder, err := client.NewProofBuilder(ctx, latest.Size, fetcher.ReadTile)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{0, 1, 100, 255, 256, entries - 1} {
		hashes, err := builder.InclusionProof(ctx, index)
		if err != nil {
			t.Fatal(err)
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(c.note(t, int(index)))
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, latest.Size, leaf, hashes, latest.Hash); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
		bundle, err := client.GetEntryBundle(ctx, fetcher.ReadEntryBundle, index/256, latest.Size)
		if err != nil || !bytes.Equal(bundle.Entries[index%256], c.note(t, int(index))) {
			t.Errorf("entry %d is not what was added: %v", index, err)
		}
	}
	leaves := func(data []byte) (hashes [][]byte, err error) {
		var bundle api.EntryBundle
		err = bundle.UnmarshalText(data)
		for _, entry := range bundle.Entries {
			hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
		}
		return hashes, err
	}
	if err := fsck.New(origin, c.logKey, fetcher, leaves, fsck.Opts{}).Check(ctx); err != nil {
		t.Error(err)
	}
}

// tesseras makes a log with tessera's POSIX driver, and returns a server of its
// directory as any web server would serve it.
func tesseras(t *testing.T, c cast, options *tessera.AppendOptions, size int) (dir string, server *reader.Server) {
	t.Helper()
	dir = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	options = options.WithCheckpointSigner(c.log).WithBatching(64, 10*time.Millisecond).WithCheckpointInterval(100 * time.Millisecond)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		t.Fatal(err)
	}
	var last tessera.IndexFuture
	for i := range size {
		last = appender.Add(ctx, tessera.NewEntry(c.note(t, i)))
	}
	if index, err := last(); err != nil || index.Index != uint64(size)-1 {
		t.Fatal(index, err)
	}
	// Shutting down waits for a checkpoint of all that was added.
	if err := shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	blob := filepath.Join(dir, "v1", "blob", c.trust.Digest().SHA256)
	if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blob, []byte(c.trust.Text()), 0o644); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(web.Close)
	if server, err = reader.New(web.URL); err != nil {
		t.Fatal(err)
	}
	return dir, server
}

// follow reads a log as "paravent log monitor" does.
func follow(t testing.TB, server *reader.Server, known reader.Known, trust release.Trust) (reader.Known, []uint64, error) {
	t.Helper()
	checkpoint, err := server.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := trust.Checkpoint(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	var indexes []uint64
	next, err := server.Log(t.Context(), seen.Tree).Follow(known, trust, func(e reader.Entry) error {
		indexes = append(indexes, e.Release.Index)
		return nil
	})
	return next, indexes, err
}

// What verifies our log verifies one that tessera wrote, and finds every byte
// of it that is not right.
func TestOursReadsTesserasLog(t *testing.T) {
	c := newCast(t, "none")
	dir, server := tesseras(t, c, tessera.NewAppendOptions(), entries)
	known, indexes, err := follow(t, server, reader.Known{}, c.trust)
	if err != nil || len(indexes) != entries || known.Tree.Size != entries {
		t.Fatalf("%d entries of %d, %v", len(indexes), known.Tree.Size, err)
	}
	if _, indexes, err = follow(t, server, known, c.trust); err != nil || len(indexes) > 0 {
		t.Errorf("nothing new: %v, %v", indexes, err)
	}
	for _, file := range []string{"tile/0/000", "tile/1/000.p/1", fmt.Sprintf("tile/0/001.p/%d", entries-256), "tile/entries/000", fmt.Sprintf("tile/entries/001.p/%d", entries-256)} {
		path := filepath.Join(dir, file)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{2, len(good) / 2, len(good) - 1} {
			bad := bytes.Clone(good)
			bad[at] ^= 1
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if next, _, err := follow(t, server, reader.Known{}, c.trust); !errors.Is(err, reader.ErrInconsistent) || next.Tree.Size != 0 {
				t.Errorf("%s with another byte %d: %v", file, at, err)
			}
		}
		if err := os.WriteFile(path, good[:len(good)-1], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := follow(t, server, reader.Known{}, c.trust); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s cut: %v", file, err)
		}
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known.Tree.Root[0] ^= 1
	if _, _, err := follow(t, server, known, c.trust); !errors.Is(err, reader.ErrInconsistent) {
		t.Errorf("another tree of the same size: %v", err)
	}
}

// Our witness cosigns for tessera, which asks it in its own words.
func TestTesseraAsksOurWitness(t *testing.T) {
	c := newCast(t, "w")
	dir, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	handler, err := witness.New(dir, c.trust, c.cosigner, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(handler)
	defer web.Close()
	address, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := tessera.NewWitness(c.vkey, address)
	if err != nil {
		t.Fatal(err)
	}
	options := func() *tessera.AppendOptions {
		return tessera.NewAppendOptions().WithWitnesses(tessera.NewWitnessGroup(1, asked), nil)
	}
	_, server := tesseras(t, c, options(), 5)
	checkpoint, err := server.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := c.trust.Checkpoint(checkpoint)
	if err != nil || !seen.Quorum || seen.Tree.Size != 5 {
		t.Errorf("%+v, %v\n%s", seen, err, checkpoint)
	}
	latest, err := witness.Latest(t.Context(), web.URL, origin)
	if err != nil || !bytes.Equal(latest, checkpoint) {
		t.Errorf("%v: the witness shows\n%s\nand the log\n%s", err, latest, checkpoint)
	}
}
