package release_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/lists/source"
)

// canonical writes a text with these lines in its last section.
func canonical(lines ...string) string {
	slices.Sort(lines)
	text := "paravent list 1\n[sites]\nbooking.example\tBooking\n[hosts]\n"
	for _, line := range slices.Compact(lines) {
		text += line + "\n"
	}
	return text
}

func TestDelta(t *testing.T) {
	var many []string
	for i := range 400 {
		many = append(many, fmt.Sprintf("metrics%d.example", i*7919%1000))
	}
	for _, c := range []struct {
		name, old, new string
		most           int // bytes
	}{
		{"nothing", oldList, oldList, 4},
		{"some of each", oldList, newList, 40},
		{"back", newList, oldList, 40},
		{"from nothing", canonical(), canonical("a.example", "b.example", "é.example", "\xff"), 40},
		{"to nothing", canonical("a.example", "b.example"), canonical(), 8},
		{"all others", canonical("a", "c", "e"), canonical("b", "d", "f"), 20},
		{"before and behind all", canonical("m"), canonical("a", "m", "z"), 12},
		{"beginnings of others", canonical("a", "aaa"), canonical("a", "aa", "aaa", "aaaa", "aaab"), 16},
		{"a tab and a space", canonical("a"), canonical("a", "a\tb", "a b"), 16},
		{"one of many", canonical(many...), canonical(append(many, "metrics1000.example")...), 12},
		{"many", canonical(many...), canonical(many[100:]...), 160},
		{"the first line alone", "paravent list 1\n", "paravent list 1\n", 4},
	} {
		delta, err := release.Delta([]byte(c.old), []byte(c.new))
		if err != nil || len(delta) > c.most {
			t.Errorf("%s: %d bytes, at most %d were expected, %v", c.name, len(delta), c.most, err)
		}
		got, err := release.ApplyDelta([]byte(c.old), delta, digest(c.new))
		if err != nil || string(got) != c.new {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

// The bytes of a delta are part of the format.
func TestDeltaIsWritten(t *testing.T) {
	delta := must(release.Delta([]byte(oldList), []byte(newList)))
	if got, want := fmt.Sprintf("%x", delta), "002594048cb51d09c6d7592a0afd9cc0838e14748745c871638a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDeltaRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing old", "", oldList, "the old list is no canonical text"},
		{"nothing new", oldList, "", "the new list is no canonical text"},
		{"cut off", oldList, newList[:len(newList)-1], "the new list: line 16: cut off"},
		{"not in order", canonical("b") + "a\n", canonical(), "the old list: line 6: empty, not in order, or a repeat"},
		{"a repeat", canonical(), canonical("b") + "b\n", "the new list: line 6: empty, not in order, or a repeat"},
		{"an empty line", canonical(), canonical("b") + "\n", "the new list: line 6: empty"},
		{"a control character", canonical(), canonical("b\r"), "the new list: line 5: holds a control character"},
		{"a section more", canonical(), canonical() + "[rules]\n", "the old list has 3 sections, the new one 4"},
		{"another section", canonical(), strings.Replace(canonical(), "[hosts]", "[ghosts]", 1), "\"[hosts]\" in the old list, with \"[ghosts]\" in the new"},
		{"too many sections", strings.Repeat("[x]\n", 10), canonical(), "it has 10 sections"},
	} {
		_, err := release.Delta([]byte(c.old), []byte(c.new))
		refused(t, c.name, err, c.want)
	}
}

// A delta that makes more than is named stops there, one that would take long
// is given up, and no bit of any delta can change.
func TestApplyDeltaRefuses(t *testing.T) {
	delta := must(release.Delta([]byte(oldList), []byte(newList)))
	for n := range delta {
		if _, err := release.ApplyDelta([]byte(oldList), delta[:n], digest(newList)); err == nil {
			t.Errorf("the first %d of %d bytes pass", n, len(delta))
		}
		for bit := range 8 {
			if _, err := release.ApplyDelta([]byte(oldList), flip(delta, n, bit), digest(newList)); err == nil {
				t.Errorf("byte %d, bit %d flipped: passes", n, bit)
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		noise := make([]byte, random.IntN(200))
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		want := release.Digest{Size: 1 + random.Int64N(4000), SHA256: strings.Repeat("0", 64)}
		if _, err := release.ApplyDelta([]byte(oldList), noise, want); err == nil || !strings.HasPrefix(err.Error(), "delta: ") {
			t.Fatalf("%x for %d bytes: %v", noise, want.Size, err)
		}
	}
	for _, c := range []struct {
		name string
		old  string
		want release.Digest
		err  string
	}{
		{"no size", oldList, release.Digest{SHA256: digest(newList).SHA256}, "0 bytes is not to be had"},
		{"an absurd size", oldList, release.Digest{Size: release.MaxSize + 1, SHA256: digest(newList).SHA256}, "is not to be had"},
		{"too small a size", oldList, release.Digest{Size: 20, SHA256: digest(newList).SHA256}, "makes more than the 20 bytes"},
		{"another hash", oldList, release.Digest{Size: digest(newList).Size, SHA256: digest(oldList).SHA256}, "its SHA-256 is"},
		{"no text", "<!doctype html>", digest(newList), "the old list: line 1: cut off"},
	} {
		_, err := release.ApplyDelta([]byte(c.old), delta, c.want)
		refused(t, c.name, err, c.err)
	}
}

// Lists between which a delta would take too long have none.
func TestDeltaGivesUp(t *testing.T) {
	var old, other []string
	for i := range 12000 {
		old = append(old, fmt.Sprintf("metrics%05d.example", 2*i))
		other = append(other, fmt.Sprintf("metrics%05d.example", 2*i+1))
	}
	if _, err := release.Delta([]byte(canonical(old...)), []byte(canonical(other...))); !errors.Is(err, release.ErrTooFar) {
		t.Errorf("got %v", err)
	}
}

// Deltas between real lists are as small as promised. EasyPrivacy as it stood on
// some days is not part of this repository: easyprivacy-2026-08-14.txt.gz and so
// on are looked for in the folder that PARAVENT_CORPUS names, or beside the file
// of requests that it names for other tests.
func TestDeltasOfRealLists(t *testing.T) {
	corpus := os.Getenv("PARAVENT_CORPUS")
	info, err := os.Stat(corpus)
	if err != nil {
		t.Skip("PARAVENT_CORPUS names no folder of filter lists")
	}
	if !info.IsDir() {
		corpus = filepath.Dir(corpus)
	}
	list := func(day string) []byte {
		f, err := os.Open(filepath.Join(corpus, "easyprivacy-"+day+".txt.gz"))
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
		unpacked, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		imported, _, err := source.Import("easylist", data)
		if err != nil {
			t.Fatal(err)
		}
		return imported.Text()
	}
	for _, c := range []struct {
		what, from, to string
		most           int
	}{
		{"four days", "2026-08-10", "2026-08-14", 260},
		{"six weeks", "2026-07-01", "2026-08-14", 1900},
		{"a year", "2025-08-13", "2026-08-14", 18000},
	} {
		old, new := list(c.from), list(c.to)
		delta, err := release.Delta(old, new)
		if err != nil || len(delta) > c.most {
			t.Errorf("%s: %d bytes, at most %d are promised, %v", c.what, len(delta), c.most, err)
		}
		got, err := release.ApplyDelta(old, delta, release.DigestOf(new))
		if err != nil || !bytes.Equal(got, new) {
			t.Errorf("%s: %v", c.what, err)
		}
		if !bytes.Equal(must(compile.Compile(got)), must(compile.Compile(new))) {
			t.Errorf("%s: compiles to another bundle", c.what)
		}
		t.Logf("%s: %d bytes from a list of %d to one of %d", c.what, len(delta), len(old), len(new))
	}
}

func FuzzApplyDelta(f *testing.F) {
	f.Add([]byte(oldList), must(release.Delta([]byte(oldList), []byte(newList))), uint16(len(newList)))
	f.Add([]byte(newList), must(release.Delta([]byte(newList), []byte(oldList))), uint16(len(oldList)))
	f.Add([]byte(canonical()), []byte("\xff\xff\xff\xff\xff"), uint16(1000))
	f.Fuzz(func(t *testing.T, old, delta []byte, size uint16) {
		if made, err := release.ApplyDelta(old, delta, release.Digest{Size: int64(size), SHA256: strings.Repeat("0", 64)}); err == nil {
			t.Fatalf("makes %q, whose hash nobody knows", made)
		}
		// What reads as a text is also what a delta can lead to, and from.
		var headers []byte
		for line := range bytes.Lines(old) {
			if len(headers) == 0 || line[0] == '[' && !bytes.Contains(line, []byte(":")) {
				headers = append(headers, line...)
			}
		}
		for _, way := range [][2][]byte{{headers, old}, {old, headers}} {
			delta, err := release.Delta(way[0], way[1])
			if err != nil {
				return
			}
			if made, err := release.ApplyDelta(way[0], delta, release.DigestOf(way[1])); err != nil || !bytes.Equal(made, way[1]) {
				t.Fatalf("%q for %q: %v", made, way[1], err)
			}
		}
	})
}
