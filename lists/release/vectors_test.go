package release_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/compile"
	"paravent/lists/release"
)

// testdata/vectors.json holds named cases that every implementation must
// decide alike: this package here, the extension's WebAssembly in Node and in
// the browsers. PARAVENT_WRITE_VECTORS=1 writes it anew.
const vectorsName = "testdata/vectors.json"

// A vector is one case: an answer to verify, or a delta to apply, or a
// downloaded list to check and to compile.
type vector struct {
	Name string `json:"name"`
	Why  string `json:"why"`

	// An answer of GET /v1/release, and what the reader has who gets it.
	Have      *have             `json:"have,omitempty"`
	Answer    string            `json:"answer,omitempty"`
	Resources map[string][]byte `json:"resources,omitempty"` // path → base64
	Taken     *taken            `json:"taken,omitempty"`     // if it is accepted

	// A delta and the list it is applied to, or a list as downloaded.
	Old   string    `json:"old,omitempty"`
	Delta []byte    `json:"delta,omitempty"` // base64
	List  *[]byte   `json:"list,omitempty"`  // base64
	Want  *digestOf `json:"want,omitempty"`  // of the list
	// What the release names as the bundle of the list, where that is wrong.
	// In all other cases it is what the list compiles to.
	Bundle *digestOf `json:"bundle,omitempty"`

	// "" if the case is accepted; else words that stand in the error.
	Expect string `json:"expect"`
}

type have struct {
	Trust string `json:"trust"`
	Next  uint64 `json:"next"`
	Size  uint64 `json:"size"` // of the tree that was seen last
	Root  []byte `json:"root"` // base64
}

type taken struct {
	Index     uint64   `json:"index"`
	Trust     string   `json:"trust"` // SHA-256 of the trust text in force afterwards
	Size      uint64   `json:"size"`
	Rotations int      `json:"rotations"`
	Signers   []string `json:"signers"`
	Witnesses []string `json:"witnesses"`
	Expires   string   `json:"expires"`
}

type digestOf struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func named(d release.Digest) *digestOf { v := digestOf(d); return &v }

func (h have) client() release.Client {
	return release.Client{Trust: trusting(h.Trust), Next: h.Next, Tree: release.Tree{Size: h.Size, Root: [32]byte(h.Root)}}
}

func having(trust string, next int, t release.Tree) *have {
	return &have{trust, uint64(next), t.Size, t.Root[:]}
}

// seen is having, of one who took the release at index from a tree that ended
// with it.
func (w *world) seen(trust string, index int) *have {
	return having(trust, index+1, w.tree(index+1))
}

// vectors makes all cases.
func vectors() []vector {
	w := history()
	all := []vector{}
	add := func(name, why string, h *have, answer []byte, objects map[string][]byte, expect string) {
		all = append(all, vector{Name: name, Why: why, Have: h, Answer: string(answer), Resources: objects, Expect: expect})
	}
	nothing := release.Tree{}
	// early is a world with so many releases of the history.
	early := func(n int) *world {
		short := &world{blobs: w.blobs}
		for _, entry := range w.notes[:n] {
			short.add(entry)
		}
		return short
	}
	// second is the history's release 1 as changed by spoil and signed by these,
	// in a log of its own that has it.
	second := func(spoil func(*release.Release), text func(string) string, by ...key) *world {
		v := early(1)
		r := v.next(trust0, 0)
		spoil(&r)
		v.add(signed(text(body(r)), by...))
		return v
	}
	as := func(*release.Release) {}
	is := func(text string) string { return text }
	// Whoever has taken release 0 is asked to take release 1.
	first := w.seen(trust0, 0)
	plain := w.answer(1, 2, logKey, west, east)

	add("the next release", "Signed by two of three, logged, seen by both witnesses.", first, plain, nil, "")
	add("the first release", "A fresh install has seen no log.", having(trust0, 0, nothing), w.answer(0, 1, logKey, west, east), nil, "")
	add("a release that skips one", "Who slept asks the log for a tile to see that it only grew.",
		first, early(4).answer(1, 4, logKey, west, east), pick(w.objects(4), "tile/0/000.p/4"), "")
	add("three changes of keys behind", "The chain from release 6 back to the keys of release 0 is walked, each link signed by old and new.",
		w.seen(trust0, 1), w.answer(6, 7, logTwo, west), pick(w.objects(7), "tile/", "v1/blob/"), "")
	add("a package two changes of keys old", "A fresh install whose package carries the second trust text.",
		having(trust1, 3, nothing), w.answer(6, 7, logTwo, north), pick(w.objects(7), "tile/", "v1/blob/"), "")
	add("the release that changes the keys", "It is signed by the old and by the new threshold.",
		w.seen(trust0, 1), w.answer(2, 3, logKey, west, east), pick(w.objects(3), "tile/", "v1/blob/"+digest(trust1).SHA256), "")
	expired := second(func(r *release.Release) {
		r.Issued, r.Expires = noon.AddDate(-2, 0, 0), noon.AddDate(-1, 0, 0)
	}, is, ann, bob)
	add("an expired release", "It is still the best there is: it is taken, and shown as stale.", first, expired.answer(1, 2, logKey, west, east), nil, "")
	relays := second(func(r *release.Release) { r.Relays = []release.Relay{relayNorth, relaySouth} }, is, ann, bob)
	add("a release with relays", "Their lines stand behind those that every release has.", first, relays.answer(1, 2, logKey, west, east), nil, "")
	stranger := second(as, is, ann, bob, eve)
	add("a stranger's signature beside", "Unknown keys are nobody's business.", first, stranger.answer(1, 2, logKey, west, east), nil, "")

	add("one signature", "Two of three must sign.", first, second(as, is, ann).answer(1, 2, logKey, west, east), nil, "signed by 1 trusted keys of the 2 needed")
	add("a wrong key", "A stranger's signature counts for nothing.", first, second(as, is, ann, eve).answer(1, 2, logKey, west, east), nil, "signed by 1 trusted keys of the 2 needed")
	add("a wrong key under a trusted name", "The name and the hash of the key must both be known.", first, second(as, is, bob, notAnn).answer(1, 2, logKey, west, east), nil, "signed by 1 trusted keys of the 2 needed")
	twice := strings.Replace(trust0, "maintainer "+cid.public, "maintainer "+alias.public, 1)
	twoNames := &world{blobs: w.blobs}
	twoNames.add(signed(body(twoNames.next(twice, 0)), ann, alias))
	add("one key under two names", "Distinct keys are counted, not names.", having(twice, 0, nothing), twoNames.answer(0, 1, logKey, west, east), nil, "signed by 1 trusted keys of the 2 needed")
	add("a signature taken from another note", "Both keys are trusted; one did not sign this.", first,
		func() []byte {
			v := early(1)
			own, other := signed(body(v.next(trust0, 0)), ann), lastLine(w.notes[0])
			v.add(append(own, other...))
			return v.answer(1, 2, logKey, west, east)
		}(), nil, "the signature of \"demo.bob\" is wrong")

	add("no log's signature", "Witnesses alone do not make a checkpoint.", first, release.Join(w.notes[1], unsigned(w.proof(1, 2, logKey, west, east), logKey)), nil, "not signed by a trusted log")
	add("another log", "It would be a good log, but nobody here trusts it.", first, w.answer(1, 2, logThree, west, east), nil, "not signed by a trusted log")
	add("a log under another's origin", "The origin must be the name of the key.", first, func() []byte {
		p := w.proof(1, 2, logKey, west, east)
		p.Checkpoint = signed(release.FormatCheckpoint("demo.other.example", w.tree(2)), logKey, west, east)
		return release.Join(w.notes[1], p)
	}(), nil, "not signed by a trusted log")
	add("missing witness quorum", "Both witnesses must have cosigned.", first, w.answer(1, 2, logKey, west), nil, "not the quorum")
	add("no witness", "Both witnesses must have cosigned.", first, w.answer(1, 2, logKey), nil, "not the quorum")
	add("one witness twice", "The same cosignature again is no second witness.", first, append(w.answer(1, 2, logKey, west), lastLine(w.answer(1, 2, logKey, west))...), nil, "not the quorum")
	add("an unknown witness", "Only those of the trust text count.", first, w.answer(1, 2, logKey, west, north), nil, "not the quorum")
	add("a witness of another tree", "Its cosignature is for a larger tree.", first, func() []byte {
		p := w.proof(1, 2, logKey, west)
		p.Checkpoint = append(p.Checkpoint, lastLine(w.proof(1, 3, logKey, west, east).Checkpoint)...)
		return release.Join(w.notes[1], p)
	}(), nil, "the signature of \"demo.east.example\" is wrong")

	add("a lower index", "What is in force is never replaced by something older.", w.seen(trust0, 1), w.answer(0, 2, logKey, west, east), nil, "index: 0 is below 2, the next to take")
	add("the same index", "It is in force already.", w.seen(trust0, 1), plain, nil, "index: 1 is below 2, the next to take")
	other := second(func(r *release.Release) { r.WaitSeconds = 901 }, is, ann, bob)
	add("a fork", "A tree of the same size with another root was seen before.", having(trust0, 1, w.tree(2)), other.answer(1, 2, logKey, west, east), nil, "the log was forked")
	add("a checkpoint that does not continue the one before", "Its first entries are not those that were seen.",
		having(trust0, 1, w.tree(2)), grown(other, 4).answer(2, 4, logKey, west, east), pick(grown(other, 4).objects(4), "tile/0/"), "the log was forked")
	add("a next release in a forked log", "The proof itself shows another tree before it.",
		having(trust0, 2, w.tree(2)), grown(other, 3).answer(2, 3, logKey, west, east), nil, "the log was forked")
	add("a smaller tree", "A log never shrinks.", having(trust0, 1, w.tree(3)), plain, nil, "is smaller than that of 3 seen before")
	add("a wrong tile", "Tiles must hash to the root of the checkpoint.", first, early(4).answer(1, 4, logKey, west, east),
		map[string][]byte{"tile/0/000.p/4": flip(w.objects(4)["tile/0/000.p/4"], 70, 3)}, "downloaded inconsistent tile")
	add("a short tile", "A tile has 32 bytes for each of its hashes.", first, early(4).answer(1, 4, logKey, west, east),
		map[string][]byte{"tile/0/000.p/4": w.objects(4)["tile/0/000.p/4"][:96]}, "a tile of this width has 128")

	at := func(words string) int { return bytes.Index(plain, []byte(words)) + len(words) }
	add("a flipped bit in the note", "wait 900 becomes wait 800.", first, flip(plain, at("wait "), 0), nil, "the signature of")
	add("a flipped bit in a signature", "It is no signature of this text any more.", first, flip(plain, at("— demo.bob ")+20, 1), nil, "the signature of \"demo.bob\" is wrong")
	add("a flipped bit in the proof", "The hashes no longer lead to the root.", first, flip(plain, at("proof@v1\nindex 1\n"), 0), nil, "proof")
	add("another index in the proof", "The log's index is the release's number.", first, bytes.Replace(plain, []byte("proof@v1\nindex 1"), []byte("proof@v1\nindex 0"), 1), nil, "index: 0 is not that of the release, 1")
	add("a flipped bit in the checkpoint", "The root is signed.", first, flip(plain, at("demo.log.example\n2\n"), 1), nil, "the signature of \"demo.log.example\" is wrong")
	add("an empty proof", "Without hashes nothing leads to the root.", first, release.Join(w.notes[1], release.Proof{Index: 1, Checkpoint: w.proof(1, 2, logKey, west, east).Checkpoint}), nil, "does not lead from the note to the root")
	add("a note that the log does not have", "It is signed well, but another was logged.", first, release.Join(other.notes[1], w.proof(1, 2, logKey, west, east)), nil, "does not lead from the note to the root")

	add("the note alone", "A proof must follow.", first, w.notes[1], nil, "no proof follows")
	add("cut off in the note", "What is left is not a note.", first, plain[:200], nil, "no proof follows")
	add("cut off in the proof", "The checkpoint is missing.", first, plain[:at("proof@v1\nindex 1\n")+20], nil, "ends before the checkpoint")
	add("cut off in the checkpoint", "A line without its end is no signature.", first, plain[:len(plain)-1], nil, "not a whole signed note")
	add("nothing", "An empty answer.", first, []byte{}, nil, "no proof follows")
	add("a page instead", "A web server's own answer.", first, []byte("<!doctype html>\n<title>Not found</title>\n"), nil, "no proof follows")

	size := fmt.Sprintf("list %d ", w.next(trust0, 0).List.Size)
	for _, absurd := range []struct{ name, why, old, new, expect string }{
		{"an absurd size of the list", "A reader would allocate 64 GB.", size, "list 68719476736 ", "line 9: list: size"},
		{"a size that is no number", "Sizes are decimal numbers.", size, "list 1e9 ", "line 9: list: size"},
		{"a negative size", "Sizes are decimal numbers.", size, "list -1 ", "line 9: list: size"},
		{"an empty list", "A list of no bytes protects nobody.", size, "list 0 ", "line 9: list: size"},
		{"an absurd index", "JavaScript could not hold it.", "index 1\n", "index 9007199254740992\n", "line 2: index"},
		{"an absurd size of the trust text", "A trust text has 64 KB at most.", "\ntrust ", "\ntrust 999", "line 8: trust: size"},
		{"keys of the future", "A release is judged by keys before it.", "keys-since 0", "keys-since 1", "line 7: keys-since"},
		{"a format of the past", "Its text says less than is checked here.", "paravent release 2", "paravent release 1", "line 1: paravent"},
		{"a line too many", "There is one way to write a release.", "\nbundle ", "\nmore 1\nbundle ", "line 10: want \"bundle\""},
	} {
		v := second(as, func(text string) string { return strings.Replace(text, absurd.old, absurd.new, 1) }, ann, bob)
		add(absurd.name, absurd.why, first, v.answer(1, 2, logKey, west, east), nil, absurd.expect)
	}
	for _, relay := range []struct{ name, why, line, expect string }{
		{"a relay in the clear", "Whoever is on the way would see who asks.", "relay north http://relay.example " + two64 + "\n", "line 12: relay: URL"},
		{"a relay without a key", "Nothing could be sealed for its gateway.", "relay north https://relay.example\n", "line 12: relay: want"},
		{"a line behind the relays", "Nothing else may follow.", southLine + "more 1\n", "line 13: want \"relay\""},
	} {
		v := second(as, func(text string) string { return text + relay.line }, ann, bob)
		add(relay.name, relay.why, first, v.answer(1, 2, logKey, west, east), nil, relay.expect)
	}
	add("an absurd size of the tree", "No log has so many entries.", first, func() []byte {
		p := w.proof(1, 2, logKey, west, east)
		p.Checkpoint = signed("demo.log.example\n9223372036854775807\n"+tlog.Hash(w.tree(2).Root).String()+"\n", logKey)
		return release.Join(w.notes[1], p)
	}(), nil, "checkpoint: line 2: size")
	add("an endless proof", "No tree is so high.", first, release.Join(w.notes[1], release.Proof{Index: 1, Hashes: make([]tlog.Hash, 64), Checkpoint: w.proof(1, 2, logKey, west, east).Checkpoint}), nil, "more than 63 hashes")

	// Changes of keys that must not happen: release 2 takes trust1, as signed by
	// these.
	change := func(name, why, trust string, spoil func(map[string][]byte), expect string, by ...key) {
		v := early(2)
		r := v.next(trust, 0)
		v.add(signed(body(r), by...))
		objects := pick(v.objects(3), "tile/")
		objects["v1/blob/"+digest(trust).SHA256] = []byte(trust)
		spoil(objects)
		add(name, why, w.seen(trust0, 1), v.answer(2, 3, logKey, west, east), objects, expect)
	}
	leave := func(map[string][]byte) {}
	change("keys changed by the new ones alone", "The old threshold must sign too.", trust1, leave, "release 2: note: signed by 1 trusted keys of the 2 needed", ann, dot)
	change("keys changed by the old ones alone", "The new threshold must sign too.", trust1, leave, "by its own trust text: note: signed by 1 trusted keys of the 2 needed", ann, cid)
	change("keys changed by a stranger", "Neither old nor new keys signed.", trust1, leave, "release 2: note: signed by 0 trusted keys of the 2 needed", eve)
	blob := "v1/blob/" + digest(trust1).SHA256
	change("another trust text than that of the release", "It must have the size and the hash that were signed.", trust1,
		func(o map[string][]byte) { o[blob] = []byte(strings.Replace(trust1, "threshold 2", "threshold 1", 1)) }, "its SHA-256 is", ann, bob)
	change("a trust text cut off", "It must have the size and the hash that were signed.", trust1,
		func(o map[string][]byte) { o[blob] = o[blob][:100] }, "its size is 100 bytes", ann, bob)
	change("a trust text that trusts no log", "It is signed, but nobody could ever believe a release again.", strings.Replace(trust1, "log "+logKey.public, "# log "+logKey.public, 1), leave, "no line \"log\"", ann, bob)
	change("a forged entry in the chain", "What was read of the log must be in the tree.", trust1, func(o map[string][]byte) {
		o["tile/entries/000.p/3"] = bytes.Replace(o["tile/entries/000.p/3"], []byte("wait 900"), []byte("wait 901"), 1)
	}, "log: entry 0 is not the release 0", ann, bob)
	change("an entry cut off", "Each entry has its length in front of it.", trust1, func(o map[string][]byte) {
		o["tile/entries/000.p/3"] = o["tile/entries/000.p/3"][:500]
	}, "ends within entry 0", ann, bob)
	foreign := strings.Replace(trust0, "threshold 2", "threshold 3", 1)
	add("keys that this log never had", "The chain ends at release 0 without meeting them.", having(foreign, 0, nothing), w.answer(6, 7, logTwo, west), pick(w.objects(7), "tile/", "v1/blob/"), "was never in force in this log")
	broken := early(4)
	broken.add(signed(body(broken.next(trust2, 2)), bob, eve))
	broken.add(w.notes[5])
	broken.add(w.notes[6])
	add("a chain with a link signed by too few", "Release 4 was pushed by new keys alone, and all that follows stands on it.",
		w.seen(trust0, 1), broken.answer(6, 7, logTwo, west), pick(broken.objects(7), "tile/", "v1/blob/"), "release 4: note: signed by 1 trusted keys of the 2 needed")

	for i, v := range all {
		if v.Expect == "" {
			t, err := release.Verify([]byte(v.Answer), v.Have.client(), release.Among(v.Resources))
			if err != nil {
				panic(fmt.Errorf("%s: %w", v.Name, err))
			}
			said := taken{t.Release.Index, t.Trust.Digest().SHA256, t.Tree.Size, t.Rotations, t.Signers, nil, t.Release.Expires.Format("2006-01-02T15:04:05Z")}
			for _, w := range t.Witnesses {
				said.Witnesses = append(said.Witnesses, w.Name)
			}
			all[i].Taken = &said
		}
	}
	return append(all, listVectors()...)
}

// grown is a world with more releases behind it, up to a number of them.
func grown(from *world, to int) *world {
	v := &world{blobs: from.blobs}
	for _, entry := range from.notes {
		v.add(entry)
	}
	for len(v.notes) < to {
		v.add(signed(body(v.next(trust0, 0)), ann, bob))
	}
	return v
}

// pick returns the objects whose paths begin with one of these.
func pick(objects map[string][]byte, prefixes ...string) map[string][]byte {
	picked := make(map[string][]byte)
	for path, data := range objects {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) }) {
			picked[path] = data
		}
	}
	return picked
}

// lastLine returns the last line of a note: a signature.
func lastLine(data []byte) []byte {
	return data[bytes.LastIndexByte(data[:len(data)-1], '\n')+1:]
}

// unsigned is a proof without the signature of that key.
func unsigned(p release.Proof, k key) release.Proof {
	var lines []byte
	for line := range bytes.Lines(p.Checkpoint) {
		if !bytes.HasPrefix(line, []byte("— "+k.Name()+" ")) {
			lines = append(lines, line...)
		}
	}
	p.Checkpoint = lines
	return p
}

const (
	oldList = "paravent list 1\n[sites]\nbooking.example\tBooking\n[recipients]\n[needs]\n[exceptions]\n@@||consent.example/consent.js\n[photos]\n[hosts]\nads.example\nmetrics.example\npixel.example\n[rules]\n||cdn.example/collect?\n"
	newList = "paravent list 1\n[sites]\nbooking.example\tBooking\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\nads.example\nmetrics.example\nnew-metrics.example\npixel.example\nreplay.example\n[rules]\n||cdn.example/collect/v2?\n||cdn.example/collect?\n"
	noRules = "paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n[rules]\n"
)

func listVectors() []vector {
	want, delta := named(digest(newList)), must(release.Delta([]byte(oldList), []byte(newList)))
	all := []vector{}
	apply := func(name, why, old string, delta []byte, want *digestOf, expect string) {
		all = append(all, vector{Name: name, Why: why, Old: old, Delta: delta, Want: want, Expect: expect})
	}
	apply("a delta", "Two hosts and a rule are added, an exception is gone.", oldList, delta, want, "")
	apply("a flipped bit in the delta", "The list that it makes is another.", oldList, flip(delta, 5, 2), want, "delta")
	apply("a flipped bit in the last byte of the delta", "The list might be the same, but nobody wrote this delta.", oldList, flip(delta, len(delta)-1, 0), want, "delta")
	apply("a delta cut off", "Its end is missing.", oldList, delta[:len(delta)/2], want, "delta")
	apply("a delta with something behind it", "Nobody wrote this delta.", oldList, append(bytes.Clone(delta), 0), want, "delta")
	apply("no delta", "An empty answer is no delta between these lists.", oldList, []byte{}, want, "delta")
	apply("a delta for another list", "It was made for the list that it leads to.", newList, delta, want, "delta")
	apply("a delta to a longer list", "The release names fewer bytes than it makes.", oldList, delta, &digestOf{want.Size - 1, want.SHA256}, "delta: makes more than")
	apply("a delta to a shorter list", "The release names more bytes than it makes.", oldList, delta, &digestOf{want.Size + 1, want.SHA256}, "its size is")
	apply("a delta to an absurd list", "Nothing is allocated for it.", oldList, delta, &digestOf{1 << 40, want.SHA256}, "is not to be had")
	apply("a delta that is noise", "Whatever it says, no more than the named bytes are made.", oldList, bytes.Repeat([]byte{0xa5, 0x17, 0xe3}, 300), want, "delta")

	whole := func(name, why, list string, want, bundle *digestOf, expect string) {
		data := []byte(list)
		all = append(all, vector{Name: name, Why: why, List: &data, Want: want, Bundle: bundle, Expect: expect})
	}
	whole("a list", "It has the size and the hash that are signed.", newList, want, nil, "")
	whole("a flipped bit in the list", "Its hash is another.", strings.Replace(newList, "ads.", "ads/", 1), want, nil, "its SHA-256 is")
	whole("a list cut off", "Its size is another.", newList[:100], want, nil, "its size is 100 bytes")
	whole("no list", "An empty answer.", "", want, nil, "its size is 0 bytes")
	whole("a bundle whose hash differs", "The list is the one that was signed, but compiles to something else than was signed.", newList, want, named(digest("another bundle")), "bundle")
	whole("a list without rules", "It has the size and the hash that are signed, but stops nothing.", noRules, named(digest(noRules)), nil, "no rule")
	return all
}

func vectorsJSON(t *testing.T) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(vectors()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestVectorsAreUpToDate(t *testing.T) {
	made := vectorsJSON(t)
	if os.Getenv("PARAVENT_WRITE_VECTORS") != "" {
		if err := os.WriteFile(vectorsName, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	held, err := os.ReadFile(vectorsName)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(held, made) {
		t.Errorf("%s is out of date: see what changed with PARAVENT_WRITE_VECTORS=1 go test ./lists/release", vectorsName)
	}
}

func TestVectors(t *testing.T) {
	data, err := os.ReadFile(vectorsName)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, v := range all {
		if names[v.Name] {
			t.Errorf("%s: stands there twice", v.Name)
		}
		names[v.Name] = true
		switch {
		case v.Have != nil:
			refused(t, v.Name, checkAnswer(v), v.Expect)
		case v.List == nil:
			made, err := release.ApplyDelta([]byte(v.Old), v.Delta, release.Digest(*v.Want))
			refused(t, v.Name, err, v.Expect)
			if err != nil && made != nil {
				t.Errorf("%s: a list beside the error", v.Name)
			}
		default:
			refused(t, v.Name, checkList(v), v.Expect)
		}
	}
}

func checkAnswer(v vector) error {
	t, err := release.Verify([]byte(v.Answer), v.Have.client(), release.Among(v.Resources))
	if err != nil {
		var missing *release.Missing
		if errors.As(err, &missing) {
			return fmt.Errorf("the vector lacks a resource: %s", missing.Path)
		}
		return err
	}
	if v.Taken == nil {
		return nil
	}
	switch {
	case t.Release.Index != v.Taken.Index, t.Tree.Size != v.Taken.Size, t.Rotations != v.Taken.Rotations,
		t.Trust.Digest().SHA256 != v.Taken.Trust, !slices.Equal(t.Signers, v.Taken.Signers):
		return fmt.Errorf("took %+v, want %+v", t, *v.Taken)
	}
	return nil
}

// checkList does what a reader does with a downloaded list. What compiles to
// nothing that stops a request is for the reader to refuse: this package cannot
// know.
func checkList(v vector) error {
	if err := release.Digest(*v.Want).Check("list", *v.List); err != nil {
		return err
	}
	list, err := compile.Parse(*v.List)
	if err != nil {
		return err
	}
	if len(list.Rules) == 0 {
		return errors.New("list: has no rule that would stop anything")
	}
	bundle, err := compile.Compile(*v.List)
	if err != nil || v.Bundle == nil {
		return err
	}
	return release.Digest(*v.Bundle).Check("bundle", bundle)
}
