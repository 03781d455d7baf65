package release_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
)

// Keys with known private halves: seeds of 32 bytes 1, 2 and 3.
var (
	demo   = newKey("demo.example", 1)
	second = newKey("second.example", 2)
	third  = newKey("third.example", 3)
	// alias is the demo key under another name.
	alias = newKey("alias.example", 1)
)

type key struct {
	note.Signer
	public string
}

func newKey(name string, seed byte) key {
	secret, public, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), name)
	if err != nil {
		panic(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		panic(err)
	}
	return key{signer, public}
}

func trusting(t testing.TB, threshold int, keys ...key) release.Trust {
	t.Helper()
	text := fmt.Sprintf("# who may sign\n\nthreshold %d\n", threshold)
	for _, k := range keys {
		text += "maintainer " + k.public + "\n"
	}
	trust, err := release.ParseTrust(text)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func signed(t testing.TB, text string, keys ...note.Signer) []byte {
	t.Helper()
	msg, err := note.Sign(&note.Note{Text: text}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

var good = release.Release{
	Index:       3,
	Issued:      time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC),
	Expires:     time.Date(2026, 12, 22, 7, 0, 0, 0, time.UTC),
	WaitSeconds: 900,
	Bundle:      release.Digest{Size: 2345678, SHA256: strings.Repeat("b", 64)},
	List:        release.Digest{Size: 1234567, SHA256: strings.Repeat("1", 64)},
}

const goodText = `paravent release 1
index 3
issued 2026-11-22T07:00:00Z
expires 2026-12-22T07:00:00Z
wait 900
bundle 2345678 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
blob list 1234567 1111111111111111111111111111111111111111111111111111111111111111
`

// A whole note, byte for byte, and what a reader takes from it.
func ExampleVerify() {
	body, err := good.Body()
	if err != nil {
		fmt.Println(err)
		return
	}
	msg, err := note.Sign(&note.Note{Text: body}, demo)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", msg)

	trust, err := release.ParseTrust("threshold 1\nmaintainer demo.example+b932d347+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := release.Verify(msg, trust, 2)
	fmt.Println(r.Index, r.List.Size, err)
	_, err = release.Verify(msg, trust, 3)
	fmt.Println(err)
	fmt.Println(trust.DemoKey())
	// Output:
	// paravent release 1
	// index 3
	// issued 2026-11-22T07:00:00Z
	// expires 2026-12-22T07:00:00Z
	// wait 900
	// bundle 2345678 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	// blob list 1234567 1111111111111111111111111111111111111111111111111111111111111111
	//
	// — demo.example uTLTRwbUTLngCGJHsMsRIwgUw9audXweDusSeSSxgVu1tL2KhtijPZYkhsSxrXebccnYjqLM0AVUzjdyr6dlLmn7uwE=
	//
	// 3 1234567 <nil>
	// release: line 2: index: 3 is not above 3, which is in force
	// demo.example
}

func TestBodyAndParseAreInverse(t *testing.T) {
	body, err := good.Body()
	if err != nil || body != goodText {
		t.Fatalf("Body() = %q, %v", body, err)
	}
	if r, err := release.Parse(goodText); err != nil || r != good {
		t.Fatalf("Parse = %+v, %v", r, err)
	}
}

func TestBodyRefusesWhatParseRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*release.Release){
		"index":   func(r *release.Release) { r.Index = 0 },
		"issued":  func(r *release.Release) { r.Issued = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
		"expires": func(r *release.Release) { r.Expires = r.Issued },
		"wait":    func(r *release.Release) { r.WaitSeconds = -1 },
		"bundle":  func(r *release.Release) { r.Bundle.Size = 0 },
		"list":    func(r *release.Release) { r.List.SHA256 = "1\nblob more" },
	} {
		r := good
		spoil(&r)
		if body, err := r.Body(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: Body() = %q, %v", field, body, err)
		}
	}
}

func TestParseNamesLineAndField(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{goodText, "", "line 1: paravent"},
		{"release 1", "release 2", "line 1: paravent"},
		{"release 1", "release 1 ", "line 1: paravent"},
		{"paravent", "Paravent", "line 1"},
		{"index 3", "index 03", "line 2: index"},
		{"index 3", "index +3", "line 2: index"},
		{"index 3", "index 0", "line 2: index"},
		{"index 3", "index -1", "line 2: index"},
		{"index 3", "index 9007199254740992", "line 2: index"},
		{"index 3", "index  3", "line 2: index"},
		{"index 3\n", "index 3\r\n", "line 2: index"},
		{"index 3\n", "", `line 2: want "index"`},
		{"index 3\n", "index 3\nindex 4\n", `line 3: want "issued"`},
		{"07:00:00Z\nexp", "07:00:00.5Z\nexp", "line 3: issued"},
		{"07:00:00Z\nexp", "07:00:00+00:00\nexp", "line 3: issued"},
		{"2026-11-22", "2026-11-31", "line 3: issued"},
		{"2026-12-22", "2026-11-22", "line 4: expires: is not later"},
		{"wait 900", "wait 86401", "line 5: wait"},
		{"wait 900", "wait 0", "line 5: wait"},
		{"bundle 2345678", "bundle 67108865", "line 6: bundle: size"},
		{"bundle 2345678", "bundle 0", "line 6: bundle: size"},
		{"bbbb\n", "bbb\n", "line 6: bundle: sha256"},
		{"bbbb\n", "bbbB\n", "line 6: bundle: sha256"},
		{"bbbb\n", "bbbb \n", "line 6: bundle: sha256"},
		{"blob list", "blob text", `line 7: want "blob list"`},
		{"1111\n", "1111", "line 7: blob list: the text ends"},
		{"1111\n", "1111\n\n", "line 8"},
		{"1111\n", "1111\nblob more 1 1\n", "line 8"},
	} {
		text := strings.Replace(goodText, c.old, c.new, 1)
		if r, err := release.Parse(text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: got %+v, %v; want an error with %q", c.new, c.old, r, err, c.want)
		}
	}
}

func TestParseTrustNamesTheLine(t *testing.T) {
	one, two := "maintainer "+demo.public+"\n", "maintainer "+second.public+"\n"
	for _, c := range []struct{ text, want string }{
		{"", "no line \"threshold\""},
		{one, "no line \"threshold\""},
		{"threshold 1\n", "threshold 1 can never be reached by 0 distinct keys"},
		{"threshold 2\n" + one + "maintainer " + alias.public, "threshold 2 can never be reached by 1 distinct keys"},
		{"threshold 0\n" + one, "line 1: threshold"},
		{"threshold\n" + one, "line 1: threshold"},
		{"threshold 1\n" + one + "threshold 1\n", "line 3: threshold: stands here for the second time"},
		{"threshold 1\n# comment\n" + one + two + one, "line 5: maintainer: \"demo.example\" stands here for the second time"},
		{"threshold 1\nmaintainer\n", "line 2: maintainer: \"\" is not a verifier key"},
		{"threshold 1\nmaintainer demo.example+b932d348+" + demo.public[22:], "line 2: maintainer"},
		{"threshold 1\nwitness x\n", "line 2: want \"threshold\" or \"maintainer\", found \"witness\""},
	} {
		if _, err := release.ParseTrust(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want an error with %q", c.text, err, c.want)
		}
	}
}

func TestVerify(t *testing.T) {
	tampered := func(old, new string, keys ...note.Signer) []byte {
		return bytes.Replace(signed(t, goodText, keys...), []byte(old), []byte(new), 1)
	}
	whole := signed(t, goodText, demo)
	for _, c := range []struct {
		name  string
		note  []byte
		trust release.Trust
		have  uint64
		want  string // "" if the release is to be believed
	}{
		{"one of one", whole, trusting(t, 1, demo), 0, ""},
		{"one of two", whole, trusting(t, 1, second, demo), 2, ""},
		{"two of three", signed(t, goodText, third, demo), trusting(t, 2, demo, second, third), 2, ""},
		{"a stranger's signature beside", signed(t, goodText, third, demo), trusting(t, 1, demo), 2, ""},

		{"same index", whole, trusting(t, 1, demo), 3, "index: 3 is not above 3"},
		{"older index", whole, trusting(t, 1, demo), 9, "index: 3 is not above 9"},
		{"one of the two needed", whole, trusting(t, 2, demo, second), 0, "signed by 1 trusted keys of the 2 needed"},
		{"one key twice under two names", signed(t, goodText, demo, alias), trusting(t, 2, demo, alias, second), 0, "signed by 1 trusted keys of the 2 needed"},
		{"one signature line twice", append(bytes.Clone(whole), whole[bytes.LastIndex(whole, []byte("— ")):]...), trusting(t, 2, demo, second), 0, "signed by 1 trusted keys"},
		{"a stranger only", signed(t, goodText, third), trusting(t, 1, demo), 0, "signed by 0 trusted keys of the 1 needed"},
		{"nobody trusted", whole, release.Trust{}, 0, "nobody is trusted"},
		{"another key under the trusted name", signed(t, goodText, newKey("demo.example", 7)), trusting(t, 1, demo), 0, "signed by 0 trusted keys"},
		{"changed after signing", tampered("index 3", "index 4", demo), trusting(t, 1, demo), 0, "signature of \"demo.example\" is wrong"},
		{"changed after signing, by one of two", append(signed(t, goodText, demo), tampered("index 3", "index 4", second)[len(goodText)+1:]...), trusting(t, 1, demo), 0, ""},
		{"signed, but no release", signed(t, "hello\n", demo), trusting(t, 1, demo), 0, "line 1"},
		{"signed, but with a line too many", signed(t, goodText+"more\n", demo), trusting(t, 1, demo), 0, "line 8"},
		{"empty", nil, trusting(t, 1, demo), 0, "not a whole signed note"},
		{"not a note", []byte("<!doctype html>"), trusting(t, 1, demo), 0, "not a whole signed note"},
		{"endless", bytes.Repeat([]byte("a"), release.MaxNote+1), trusting(t, 1, demo), 0, "longer than"},
	} {
		r, err := release.Verify(c.note, c.trust, c.have)
		switch {
		case c.want == "" && (err != nil || r != good):
			t.Errorf("%s: got %+v, %v", c.name, r, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || r != release.Release{}):
			t.Errorf("%s: got %+v, %v; want an error with %q", c.name, r, err, c.want)
		}
	}
}

// Whatever is missing from its end or flipped in it, no part of a note passes.
func TestVerifyRefusesEveryTruncationAndEveryFlip(t *testing.T) {
	whole, trust := signed(t, goodText, demo), trusting(t, 1, demo)
	for n := range whole {
		if _, err := release.Verify(whole[:n], trust, 0); err == nil {
			t.Errorf("the first %d of %d bytes pass", n, len(whole))
		}
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[n] ^= 1 << bit
			if r, err := release.Verify(flipped, trust, 0); err == nil {
				t.Errorf("byte %d, bit %d flipped: %+v passes", n, bit, r)
			}
		}
	}
}

func TestDemoKey(t *testing.T) {
	for _, c := range []struct {
		trust release.Trust
		want  string
	}{
		{trusting(t, 1, demo), "demo.example"},
		{trusting(t, 1, second, demo), "demo.example"},
		{trusting(t, 1, second), ""},
		{trusting(t, 1, newKey("democracy.example", 4)), ""},
	} {
		if got := c.trust.DemoKey(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(goodText)
	f.Add(strings.Replace(goodText, "3", "03", 1))
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

// No text signed by nobody trusted gets through, and nothing panics.
func FuzzVerify(f *testing.F) {
	f.Add(signed(f, goodText, third), "threshold 1\nmaintainer "+demo.public+"\n")
	f.Add(signed(f, goodText, third, second), "threshold 2\n# c\nmaintainer "+demo.public+"\nmaintainer "+alias.public+"\n")
	fixed := trusting(f, 1, newKey("nobody.example", 250))
	f.Fuzz(func(t *testing.T, msg []byte, trustText string) {
		if r, err := release.Verify(msg, fixed, 0); err == nil {
			t.Fatalf("%q passes as %+v", msg, r)
		}
		trust, err := release.ParseTrust(trustText)
		if err != nil {
			return
		}
		if _, names, err := trust.Signers(msg); err == nil && len(names) < trust.Threshold() {
			if r, err := release.Verify(msg, trust, 0); err == nil {
				t.Fatalf("%d signers of %d pass as %+v", len(names), trust.Threshold(), r)
			}
		}
	})
}
