package release_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
)

// A trust text and a whole answer to GET /v1/release, byte for byte: the note,
// then its proof with the cosigned checkpoint.
const (
	exampleTrust = `# Whoever reads this knows the secret keys: "demo." says so.
threshold 2
maintainer demo.ann+0268c2bf+AVWsjZlnO7ZH/qHFZEru8DIIAxN6RGjQX+gip679QWso
maintainer demo.bob+a346b0c7+Aa7heZel0PWkSAoae2KmdwKecXc4hzdj92PNUakoOMTQ
log demo.log.example+f448a57f+AQ4v4QL0SQmpBsgJetPgx8NTsoGBd5y9B4IR+Zff6nOf https://lists.example
witness west demo.west.example+61442b20+BCxawD8XD4e0RQJ2BG4b6wJfUnV6fxlJtMUopVATkcPs https://west.example
quorum west
`
	exampleAnswer = `paravent release 2
index 1
issued 2026-11-22T13:00:00Z
expires 2026-12-23T12:00:00Z
wait 900
source c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0
keys-since 0
trust 436 d0495599c83e9a274f2f2f1a89ed42e29ad55b360e6858d584bd672d7749d4ef
list 40 b4d490a5c0008da9226737cbf0478e20612ae52012a93ab94d7f7367456d24b8
bundle 50 b2a32b98f249a7950beb94b716c24dec9a20fdf5275aa8a093d26b78689aaa2c
filters 51 7522bf5f40f9ea08323659bd7b73f68c5de9b40c6f44eae254404a2b6d8b2e8e

— demo.ann AmjCv1AUkuWNKkfdhU5PuxVJ0/WBS0VDCcYyiyUHG5YFzZtXdw5zZGdB6cqt0c2/zgEfy7863UJw/Cn0hXHZJ+dLfQg=
— demo.bob o0awxwPyviYVSOSa6kz/B8dx2WeFakzl5W6+Z6hC3m9z3gaeix2F9sfPg4mvuK1ID29GIPoz+h519s/rW/YlfDqG+gE=
c2sp.org/tlog-proof@v1
index 1
MgHgVfBnW1UPxOVdaSIGtcApCQrXb0Rg+sgIsxuNObs=

demo.log.example
2
Joa0Wiia3Qb5wUVKj7wKehVd0DQTGVPqMMwap7DxXeM=

— demo.log.example 9Eilf8k+UP/uhbksNLpLKzfIo+RH8Lcwqs2Z4iTH/fjmc6FY1t1G7Ts7z+GKgXWmskJ85Zb+wSLaSySOulHBcZoO0As=
— demo.west.example YUQrIAAAAABrAtlAKo4odQYTz1Ffo2zH3DbQppogpxc5pl/OJ+jkur1h5PCI5Xi7FJ+2iHp6eVrheoStLkX0nxV9HAbB974FgKnkDw==
`
)

func ExampleVerify() {
	trust, err := release.ParseTrust(exampleTrust)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(exampleAnswer)
	taken, err := release.Verify([]byte(exampleAnswer), release.Client{Trust: trust}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println()
	fmt.Println("index", taken.Release.Index, "in a log of", taken.Tree.Size)
	fmt.Println("signed by", taken.Signers, "seen by", taken.Witnesses)
	_, err = release.Verify([]byte(exampleAnswer), release.Client{Trust: trust, Next: 2, Tree: taken.Tree}, nil)
	fmt.Println(err)
	// Output:
	// paravent release 2
	// index 1
	// issued 2026-11-22T13:00:00Z
	// expires 2026-12-23T12:00:00Z
	// wait 900
	// source c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0
	// keys-since 0
	// trust 436 d0495599c83e9a274f2f2f1a89ed42e29ad55b360e6858d584bd672d7749d4ef
	// list 40 b4d490a5c0008da9226737cbf0478e20612ae52012a93ab94d7f7367456d24b8
	// bundle 50 b2a32b98f249a7950beb94b716c24dec9a20fdf5275aa8a093d26b78689aaa2c
	// filters 51 7522bf5f40f9ea08323659bd7b73f68c5de9b40c6f44eae254404a2b6d8b2e8e
	//
	// — demo.ann AmjCv1AUkuWNKkfdhU5PuxVJ0/WBS0VDCcYyiyUHG5YFzZtXdw5zZGdB6cqt0c2/zgEfy7863UJw/Cn0hXHZJ+dLfQg=
	// — demo.bob o0awxwPyviYVSOSa6kz/B8dx2WeFakzl5W6+Z6hC3m9z3gaeix2F9sfPg4mvuK1ID29GIPoz+h519s/rW/YlfDqG+gE=
	// c2sp.org/tlog-proof@v1
	// index 1
	// MgHgVfBnW1UPxOVdaSIGtcApCQrXb0Rg+sgIsxuNObs=
	//
	// demo.log.example
	// 2
	// Joa0Wiia3Qb5wUVKj7wKehVd0DQTGVPqMMwap7DxXeM=
	//
	// — demo.log.example 9Eilf8k+UP/uhbksNLpLKzfIo+RH8Lcwqs2Z4iTH/fjmc6FY1t1G7Ts7z+GKgXWmskJ85Zb+wSLaSySOulHBcZoO0As=
	// — demo.west.example YUQrIAAAAABrAtlAKo4odQYTz1Ffo2zH3DbQppogpxc5pl/OJ+jkur1h5PCI5Xi7FJ+2iHp6eVrheoStLkX0nxV9HAbB974FgKnkDw==
	//
	// index 1 in a log of 2
	// signed by [demo.ann demo.bob] seen by [{west 2026-11-22 12:00:00 +0000 UTC}]
	// release: line 2: index: 1 is below 2, the next to take
}

// The example is what the package itself writes.
func TestExampleIsWritten(t *testing.T) {
	w := &world{}
	for range 2 {
		w.add(signed(body(w.next(exampleTrust, 0)), ann, bob))
	}
	if got := w.answer(1, 2, logKey, west); string(got) != exampleAnswer {
		t.Errorf("got %s", got)
	}
}

// small is the least that a reader needs: one of each.
func small() (answer []byte, c release.Client) {
	trust := "threshold 1\nmaintainer " + ann.public + "\nlog " + logKey.public + "\nwitness west " + west.public + "\nquorum west\n"
	w := &world{blobs: make(map[string]string)}
	for range 3 {
		w.add(signed(body(w.next(trust, 0)), ann))
	}
	return w.answer(2, 3, logKey, west), release.Client{Trust: trusting(trust), Next: 2, Tree: w.tree(2)}
}

// Whatever is missing from its end or flipped in it, no part of an answer
// passes.
func TestVerifyRefusesEveryTruncationAndEveryFlip(t *testing.T) {
	answer, c := small()
	if _, err := release.Verify(answer, c, release.Among(nil)); err != nil {
		t.Fatal(err)
	}
	for n := range answer {
		if _, err := release.Verify(answer[:n], c, release.Among(nil)); err == nil {
			t.Errorf("the first %d of %d bytes pass", n, len(answer))
		}
		for bit := range 8 {
			if _, err := release.Verify(flip(answer, n, bit), c, release.Among(nil)); err == nil {
				t.Errorf("byte %d, bit %d flipped: passes", n, bit)
			}
		}
	}
	if _, err := release.Verify(append(answer, '\n'), c, release.Among(nil)); err == nil {
		t.Error("a line too many passes")
	}
}

// A reader that slept asks for what it lacks, one object after the other, and
// for nothing else.
func TestVerifySaysWhatItLacks(t *testing.T) {
	w := history()
	answer := w.answer(6, 7, logTwo, west)
	c := release.Client{Trust: trusting(trust0), Next: 2, Tree: w.tree(2)}
	have, all := make(map[string][]byte), w.objects(7)
	var asked []string
	for {
		taken, err := release.Verify(answer, c, release.Among(have))
		var missing *release.Missing
		if !errors.As(err, &missing) {
			if err != nil || taken.Rotations != 3 {
				t.Errorf("got %+v, %v", taken, err)
			}
			break
		}
		data, ok := all[missing.Path]
		if !ok || int64(len(data)) > missing.Limit || have[missing.Path] != nil {
			t.Fatalf("asks for %s, %d bytes", missing.Path, missing.Limit)
		}
		have[missing.Path] = data
		asked = append(asked, missing.Path)
	}
	want := []string{"tile/entries/000.p/7", "v1/blob/" + digest(trust1).SHA256, "v1/blob/" + digest(trust2).SHA256, "v1/blob/" + digest(trust3).SHA256, "tile/0/000.p/7"}
	if fmt.Sprint(asked) != fmt.Sprint(want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

func TestVerifyTellsAll(t *testing.T) {
	w := history()
	taken, err := release.Verify(w.answer(6, 7, logTwo, west, north), release.Client{Trust: trusting(trust1)}, release.Among(w.objects(7)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(taken.Release, w.next7()) || !bytes.Equal(taken.Note, w.notes[6]) || taken.Trust.Text() != trust3 || taken.Log != "demo.log2.example" ||
		taken.Tree != w.tree(7) || fmt.Sprint(taken.Signers) != "[demo.dot]" || taken.Rotations != 2 ||
		fmt.Sprint(taken.Witnesses) != fmt.Sprint([]release.Cosignature{{Name: "west", Time: noon}, {Name: "north", Time: noon}}) {
		t.Errorf("got %+v", taken)
	}
}

// next7 is what the newest note of the history says.
func (w *world) next7() release.Release {
	return must(release.Read(w.notes[6]))
}

// A log of more than one tile.
func TestVerifyInALargeLog(t *testing.T) {
	trust := "threshold 1\nmaintainer " + ann.public + "\nlog " + logKey.public + "\nquorum none\n"
	w := &world{blobs: map[string]string{digest(trust).SHA256: trust}}
	later := strings.Replace(trust, "none", "none ", 1)
	w.blobs[digest(later).SHA256] = later
	for i := range 600 {
		r := w.next(trust, 0)
		if i >= 300 {
			r = w.next(later, 300)
		}
		if i == 300 {
			r.KeysSince = 0
		}
		w.add(signed(body(r), ann))
	}
	for _, before := range []int{0, 1, 255, 256, 257, 512, 598, 599} {
		for _, text := range []string{trust, later} {
			c := release.Client{Trust: trusting(text)}
			if before > 0 {
				c.Tree, c.Next = w.tree(before), uint64(before)
			}
			if _, err := release.Verify(w.answer(599, 600, logKey), c, release.Among(w.objects(600))); err != nil {
				t.Errorf("from %d: %v", before, err)
			}
			c.Tree.Size, c.Tree.Root[0] = max(1, c.Tree.Size), c.Tree.Root[0]+1
			_, err := release.Verify(w.answer(599, 600, logKey), c, release.Among(w.objects(600)))
			refused(t, fmt.Sprint("from a fork at ", before), err, "the log was forked")
		}
	}
}

// A chain of keys without end is not followed.
func TestVerifyFollowsNoEndlessChain(t *testing.T) {
	w := &world{blobs: make(map[string]string)}
	trust := func(n int) string {
		return fmt.Sprintf("# %d\nthreshold 1\nmaintainer %s\nlog %s\nquorum none\n", n, ann.public, logKey.public)
	}
	for n := range 67 {
		w.blobs[digest(trust(n)).SHA256] = trust(n)
		w.add(signed(body(w.next(trust(n), uint64(max(0, n-1)))), ann))
	}
	answer := w.answer(66, 67, logKey)
	_, err := release.Verify(answer, release.Client{Trust: trusting(trust(2))}, release.Among(w.objects(67)))
	refused(t, "64 changes", err, "")
	_, err = release.Verify(answer, release.Client{Trust: trusting(trust(1))}, release.Among(w.objects(67)))
	refused(t, "65 changes", err, "changed more than 64 times")
}

func TestTilePath(t *testing.T) {
	for want, tile := range map[string]tlog.Tile{
		"tile/0/000":                  {H: 8, W: 256},
		"tile/1/x001/x234/067.p/5":    {H: 8, L: 1, N: 1234067, W: 5},
		"tile/entries/x001/000.p/255": {H: 8, L: -1, N: 1000, W: 255},
		"tile/entries/999":            {H: 8, L: -1, N: 999, W: 256},
		"tile/8/008.p/8":              {H: 8, L: 8, N: 8, W: 8},
	} {
		if got := release.TilePath(tile); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestParseEntries(t *testing.T) {
	got, err := release.ParseEntries([]byte("\x00\x01a\x00\x00\x00\x02bc"))
	if err != nil || fmt.Sprintf("%q", got) != `["a" "" "bc"]` {
		t.Errorf("got %q, %v", got, err)
	}
	for _, short := range []string{"\x00", "\x00\x01", "\x00\x01a\x01\x00b"} {
		_, err := release.ParseEntries([]byte(short))
		refused(t, fmt.Sprintf("%q", short), err, "ends within entry")
	}
}

// Nothing signed by nobody trusted gets through, and nothing panics.
func FuzzVerify(f *testing.F) {
	w := history()
	objects := w.objects(7)
	f.Add(w.answer(6, 7, logTwo, west), trust0, uint64(0), uint64(2), []byte("tile"))
	f.Add(w.answer(1, 2, logKey, west, east), trust1, uint64(1), uint64(0), objects["tile/0/000.p/7"])
	f.Add(w.answer(6, 7, logTwo, west), trust3, uint64(0), uint64(2), objects["tile/entries/000.p/7"])
	stranger := trusting("threshold 1\nmaintainer " + signing("nobody.example", "never used").public + "\nlog " + logThree.public + "\nquorum none")
	f.Fuzz(func(t *testing.T, answer []byte, trustText string, next, size uint64, object []byte) {
		read := func(path string, limit int64) ([]byte, error) {
			if data := objects[path]; data != nil && int64(len(data)) <= limit {
				return data, nil
			}
			return object[:min(int64(len(object)), limit)], nil
		}
		seen := release.Tree{Size: size}
		if taken, err := release.Verify(answer, release.Client{Trust: stranger, Next: next, Tree: seen}, read); err == nil {
			t.Fatalf("%q passes as %+v", answer, taken)
		}
		trust, err := release.ParseTrust(trustText)
		if err != nil {
			return
		}
		taken, err := release.Verify(answer, release.Client{Trust: trust, Next: next, Tree: seen}, read)
		if err != nil {
			return
		}
		if err := taken.Trust.Signed(taken.Note); err != nil || taken.Release.Index < next || taken.Tree.Size <= taken.Release.Index {
			t.Fatalf("%q passes as %+v: %v", answer, taken, err)
		}
	})
}
