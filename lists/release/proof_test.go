package release_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"paravent/lists/release"
)

func TestProof(t *testing.T) {
	w := history()
	p := w.proof(4, 7, logTwo, west)
	if len(p.Hashes) != 3 {
		t.Fatalf("%d hashes", len(p.Hashes))
	}
	if got, err := release.ParseProof(p.Format()); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("got %+v, %v", got, err)
	}
	noteBytes, got, err := release.Split(release.Join(w.notes[4], p))
	if err != nil || !bytes.Equal(noteBytes, w.notes[4]) || !reflect.DeepEqual(got, p) {
		t.Errorf("got %q, %+v, %v", noteBytes, got, err)
	}
	text := string(p.Format())
	hash := p.Hashes[0].String()
	for _, c := range []struct{ old, new, want string }{
		{"@v1", "@v2", "line 1: want c2sp.org/tlog-proof@v1"},
		{"@v1\n", "@v1\r\n", "line 1"},
		{"@v1\n", "@v1\nextra AA==\n", "line 2: want \"index\" and a number"},
		{"index 4", "index 04", "line 2: index"},
		{"index 4", "index 9007199254740992", "line 2: index"},
		{hash, hash[:43], "line 3: \""},
		{hash, hash[:42] + "\r=", "line 3"},
		{hash, "\n" + hash, ""}, // what follows would be the checkpoint
		{hash, strings.Repeat(hash+"\n", 61) + hash, "more than 63 hashes"},
		{hash, strings.Repeat(hash+"\n", 900) + hash, "more than 63 hashes"},
		{text[strings.Index(text, "\n\n"):], "", "ends before the checkpoint"},
		{text[strings.Index(text, "\n\n"):], "\n\n", "ends before the checkpoint"},
		{"— ", strings.Repeat("a", release.MaxNote), "its checkpoint are more than 65535"},
	} {
		_, err := release.ParseProof([]byte(strings.Replace(text, c.old, c.new, 1)))
		refused(t, c.new+" for "+c.old, err, c.want)
	}
	_, _, err = release.Split(bytes.Repeat([]byte("a"), release.MaxAnswer+1))
	refused(t, "endless", err, "answer: its")
}

func FuzzSplit(f *testing.F) {
	w := history()
	f.Add(w.answer(4, 7, logTwo, west))
	f.Add(w.answer(0, 1, logKey))
	f.Fuzz(func(t *testing.T, answer []byte) {
		noteBytes, p, err := release.Split(answer)
		if err != nil {
			return
		}
		if !bytes.Equal(release.Join(noteBytes, p), answer) {
			t.Fatalf("%q is joined from %q and %+v as another", answer, noteBytes, p)
		}
	})
}
