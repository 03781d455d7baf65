package release_test

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
)

// The checkpoint in c2sp.org/tlog-checkpoint.
const specified = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

func TestCheckpointText(t *testing.T) {
	origin, tree, err := release.ParseCheckpoint(specified)
	if err != nil || origin != "example.com/behind-the-sofa" || tree.Size != 20852163 || tree.Root[0] != 0x0a {
		t.Errorf("got %q, %+v, %v", origin, tree, err)
	}
	if got := release.FormatCheckpoint(origin, tree); got != specified {
		t.Errorf("got %q", got)
	}
	for _, c := range []struct{ old, new, want string }{
		{"I=\n", "I=\nextension\n", ""},
		{"20852163", "0", ""},
		{specified, "", "want three whole lines"},
		{"I=\n", "I=", "want three whole lines"},
		{"example.com/behind-the-sofa", "", "line 1: is empty"},
		{"20852163", "020852163", "line 2: size"},
		{"20852163", "-1", "line 2: size"},
		{"20852163", "9007199254740993", "line 2: size"},
		{"I=\n", "J=\n", "line 3: root"},
		{"I=\n", "I\n", "line 3: root"},
		{"I=\n", "I=\n\n", "line 4: is empty"},
	} {
		_, _, err := release.ParseCheckpoint(strings.Replace(specified, c.old, c.new, 1))
		refused(t, c.new+" for "+c.old, err, c.want)
	}
}

// The cosignature of a key and a time that are known.
func TestCosignature(t *testing.T) {
	signer := must(release.NewCosigner("PRIVATE+KEY+witness.example+3c436f90+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB", func() time.Time { return time.Unix(1679315147, 0) }))
	skey, vkey, err := release.GenerateCosigner(bytes.NewReader(bytes.Repeat([]byte{1}, 32)), "witness.example")
	if err != nil || skey != "PRIVATE+KEY+witness.example+3c436f90+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB" ||
		vkey != "witness.example+3c436f90+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c" {
		t.Errorf("got %s %s, %v", skey, vkey, err)
	}
	verifier := must(release.NewCosignerVerifier(vkey))
	msg := must(note.Sign(&note.Note{Text: specified}, signer))
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil || n.Text != specified {
		t.Fatalf("got %+v, %v", n, err)
	}
	when, err := release.CosignedAt(n.Sigs[0])
	if err != nil || when.Unix() != 1679315147 || when.Location() != time.UTC {
		t.Errorf("signed at %v, %v", when, err)
	}
	// The bytes that were signed are those of c2sp.org/tlog-cosignature.
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	sig := must(signer.Sign([]byte(specified)))
	want := ed25519.Sign(private, []byte("cosignature/v1\ntime 1679315147\n"+specified))
	if !bytes.Equal(sig[8:], want) || !bytes.Equal(sig[:8], []byte{0, 0, 0, 0, 0x64, 0x18, 0x50, 0xcb}) {
		t.Errorf("got %x, want %x", sig, want)
	}
	for _, bad := range [][]byte{nil, sig[:71], append(bytes.Clone(sig), 0), flip(sig, 0, 7), flip(sig, 7, 0), flip(sig, 70, 0)} {
		if verifier.Verify([]byte(specified), bad) {
			t.Errorf("%x passes", bad)
		}
	}
	if verifier.Verify([]byte(specified+"more\n"), sig) {
		t.Error("the cosignature passes for another checkpoint")
	}
	if _, err := signer.Sign([]byte(goodText)); err == nil {
		t.Error("a witness signs what is no checkpoint")
	}
	if _, err := release.CosignedAt(note.Signature{Name: "x", Base64: "AAAA"}); err == nil {
		t.Error("a short signature has a time")
	}
}

func TestCosignerKeys(t *testing.T) {
	good := "PRIVATE+KEY+witness.example+3c436f90+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
	for _, c := range []struct{ old, new, want string }{
		{"PRIVATE", "PUBLIC", "no secret key: want"},
		{"3c436f90", "3c436f91", "hash"},
		{"3c436f90", "3c436f9", "no secret key of a witness"},
		{"3c436f90", "3c436f9g", "no secret key of a witness"},
		{"+BAEB", "+AQEB", "no secret key of a witness"},
		{"+BAEB", "+BAE", "no secret key of a witness"},
		{"witness.example", "witness example", "no secret key of a witness"},
		{"witness.example", "", "no secret key of a witness"},
	} {
		_, err := release.NewCosigner(strings.Replace(good, c.old, c.new, 1), time.Now)
		refused(t, c.new, err, c.want)
		if err != nil && strings.Contains(err.Error(), "AQEB") {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\n", "\xff"} {
		if _, _, err := release.GenerateCosigner(seeded("x"), name); err == nil {
			t.Errorf("%q names a key", name)
		}
	}
	if _, _, err := release.GenerateCosigner(bytes.NewReader(nil), "a"); err == nil {
		t.Error("a key without chance")
	}
}

func TestTrustCheckpoint(t *testing.T) {
	w, trust := history(), trusting(trust0)
	text := release.FormatCheckpoint("demo.log.example", w.tree(3))
	seen, err := trust.Checkpoint(signed(text, logKey, east, eve, west))
	if err != nil || seen.Origin != "demo.log.example" || seen.Tree != w.tree(3) || !seen.Quorum ||
		!slices.Equal(seen.Witnesses, []release.Cosignature{{Name: "east", Time: noon}, {Name: "west", Time: noon}}) {
		t.Errorf("got %+v, %v", seen, err)
	}
	seen, err = trust.Checkpoint(signed(text, logKey))
	if err != nil || seen.Quorum || seen.Witnesses != nil {
		t.Errorf("got %+v, %v", seen, err)
	}
	for _, c := range []struct {
		name string
		note []byte
		want string
	}{
		{"no log", signed(text, west, east), "not signed by a trusted log"},
		{"a maintainer", signed(text, ann, west, east), "not signed by a trusted log"},
		{"another log", signed(text, logTwo, west, east), "not signed by a trusted log"},
		{"another origin", signed("x"+text, logKey), "not signed by a trusted log with the name of its origin, \"xdemo.log.example\""},
		{"a wrong cosignature", append(signed(text, logKey), lastLine(signed(release.FormatCheckpoint("demo.log.example", w.tree(2)), west))...), "the signature of \"demo.west.example\" is wrong"},
		{"no checkpoint", signed(goodText, logKey), "line 2: size"},
		{"no note", []byte(text), "not a whole signed note"},
	} {
		_, err := trust.Checkpoint(c.note)
		refused(t, c.name, err, c.want)
	}
	if _, err := (release.Trust{}).Checkpoint(signed(text, logKey)); err == nil {
		t.Error("the zero trust trusts a log")
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(specified)
	f.Add(specified + "extension\n")
	f.Fuzz(func(t *testing.T, text string) {
		origin, tree, err := release.ParseCheckpoint(text)
		if err != nil {
			return
		}
		if again := release.FormatCheckpoint(origin, tree); !strings.HasPrefix(text, again) {
			t.Fatalf("%q is written as %q", text, again)
		}
	})
}
