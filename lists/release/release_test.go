package release_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"paravent/lists/release"
)

var good = release.Release{
	Index:       12,
	Issued:      time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC),
	Expires:     time.Date(2026, 12, 22, 7, 0, 0, 0, time.UTC),
	WaitSeconds: 900,
	Source:      strings.Repeat("c0", 20),
	KeysSince:   4,
	Trust:       release.Digest{Size: 702, SHA256: strings.Repeat("7", 64)},
	List:        release.Digest{Size: 1234567, SHA256: strings.Repeat("1", 64)},
	Bundle:      release.Digest{Size: 2345678, SHA256: strings.Repeat("b", 64)},
	Filters:     release.Digest{Size: 345678, SHA256: strings.Repeat("f", 64)},
}

const goodText = `paravent release 2
index 12
issued 2026-11-22T07:00:00Z
expires 2026-12-22T07:00:00Z
wait 900
source c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0
keys-since 4
trust 702 7777777777777777777777777777777777777777777777777777777777777777
list 1234567 1111111111111111111111111111111111111111111111111111111111111111
bundle 2345678 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
filters 345678 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
`

func TestBodyAndParseAreInverse(t *testing.T) {
	body, err := good.Body()
	if err != nil || body != goodText {
		t.Fatalf("Body() = %q, %v", body, err)
	}
	if r, err := release.Parse(goodText); err != nil || !reflect.DeepEqual(r, good) {
		t.Fatalf("Parse = %+v, %v", r, err)
	}
	first := good
	first.Index, first.KeysSince, first.Source = 0, 0, strings.Repeat("0e", 32)
	text, err := first.Body()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := release.Parse(text); err != nil || !reflect.DeepEqual(r, first) {
		t.Fatalf("Parse = %+v, %v", r, err)
	}
}

func TestBodyRefusesWhatParseRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*release.Release){
		"index":      func(r *release.Release) { r.Index = release.MaxIndex + 1 },
		"issued":     func(r *release.Release) { r.Issued = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
		"expires":    func(r *release.Release) { r.Expires = r.Issued },
		"wait":       func(r *release.Release) { r.WaitSeconds = -1 },
		"source":     func(r *release.Release) { r.Source = "main" },
		"keys-since": func(r *release.Release) { r.KeysSince = r.Index },
		"trust":      func(r *release.Release) { r.Trust.Size = release.MaxTrust + 1 },
		"list":       func(r *release.Release) { r.List.SHA256 = "1\nbundle 1" },
		"bundle":     func(r *release.Release) { r.Bundle.Size = 0 },
		"filters":    func(r *release.Release) { r.Filters = release.Digest{} },
	} {
		r := good
		spoil(&r)
		body, err := r.Body()
		refused(t, field+": "+body, err, field)
	}
}

func TestParseNamesLineAndField(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{goodText, "", "line 1: paravent"},
		{"release 2", "release 1", "line 1: paravent"},
		{"release 2", "release 2 ", "line 1: paravent"},
		{"paravent", "Paravent", "line 1"},
		{"index 12", "index 012", "line 2: index"},
		{"index 12", "index +12", "line 2: index"},
		{"index 12", "index -1", "line 2: index"},
		{"index 12", "index 9007199254740992", "line 2: index"},
		{"index 12", "index  12", "line 2: index"},
		{"index 12\n", "index 12\r\n", "line 2: index"},
		{"index 12\n", "", `line 2: want "index"`},
		{"index 12\n", "index 12\nindex 13\n", `line 3: want "issued"`},
		{"07:00:00Z\nexp", "07:00:00.5Z\nexp", "line 3: issued"},
		{"07:00:00Z\nexp", "07:00:00+00:00\nexp", "line 3: issued"},
		{"2026-11-22", "2026-11-31", "line 3: issued"},
		{"2026-12-22", "2026-11-22", "line 4: expires: is not later"},
		{"wait 900", "wait 86401", "line 5: wait"},
		{"wait 900", "wait 0", "line 5: wait"},
		{"source c0", "source C0", "line 6: source"},
		{"source c0", "source ", "line 6: source"},
		{"keys-since 4", "keys-since 12", "line 7: keys-since: 12 is not below the index, 12"},
		{"index 12", "index 0", "line 7: keys-since: release 0"},
		{"trust 702", "trust 65537", "line 8: trust: size"},
		{"list 1234567", "list 67108865", "line 9: list: size"},
		{"list 1234567", "list 0", "line 9: list: size"},
		{"bbbb\n", "bbb\n", "line 10: bundle: sha256"},
		{"bbbb\n", "bbbB\n", "line 10: bundle: sha256"},
		{"bbbb\n", "bbbb \n", "line 10: bundle: sha256"},
		{"filters", "blooms", `line 11: want "filters"`},
		{"ffff\n", "ffff", "line 11: filters: the text ends"},
		{"ffff\n", "ffff\n\n", "line 12"},
		{"ffff\n", "ffff\nblob more 1 1\n", "line 12"},
	} {
		_, err := release.Parse(strings.Replace(goodText, c.old, c.new, 1))
		refused(t, c.new+" for "+c.old, err, c.want)
	}
}

func TestDigest(t *testing.T) {
	d := release.DigestOf([]byte("abc"))
	if want := (release.Digest{Size: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}); d != want {
		t.Errorf("got %+v, want %+v", d, want)
	}
	refused(t, "itself", d.Check("list", []byte("abc")), "")
	refused(t, "longer", d.Check("list", []byte("abcd")), "list: its size is 4 bytes, not the 3")
	refused(t, "another", d.Check("list", []byte("abd")), "list: its SHA-256 is a52d")
}

func TestRead(t *testing.T) {
	whole := signed(goodText, eve)
	if r, err := release.Read(whole); err != nil || !reflect.DeepEqual(r, good) {
		t.Errorf("got %+v, %v", r, err)
	}
	if text, err := release.Text(append(whole, lastLine(signed(goodText, ann))...)); err != nil || text != goodText {
		t.Errorf("got %q, %v", text, err)
	}
	for _, c := range []struct {
		name string
		note []byte
		want string
	}{
		{"empty", nil, "not a whole signed note"},
		{"a page", []byte("<!doctype html>"), "not a whole signed note"},
		{"endless", bytes.Repeat([]byte("a"), release.MaxNote+1), "its 65536 bytes are more than 65535"},
		{"no release", signed("hello\n", ann), "line 1"},
		{"base64 of another kind", bytes.Replace(whole, lastLine(whole)[len(lastLine(whole))-3:], []byte("Z=\n"), 1), "canonical base64"},
	} {
		_, err := release.Read(c.note)
		refused(t, c.name, err, c.want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(goodText)
	f.Add(strings.Replace(goodText, "3", "03", 1))
	f.Add(goodText + northLine + southLine)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := release.Parse(text)
		if err != nil {
			return
		}
		if body, err := r.Body(); err != nil || body != text {
			t.Fatalf("%q reads as %+v and is written as %q, %v", text, r, body, err)
		}
	})
}
