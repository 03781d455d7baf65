package release_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"paravent/lists/release"
)

func TestParseTrustNamesTheLine(t *testing.T) {
	head := "threshold 1\nmaintainer " + ann.public + "\nlog " + logKey.public + "\n"
	w, e := "witness west "+west.public+"\n", "witness east "+east.public+"\n"
	for _, c := range []struct{ text, want string }{
		{head + "quorum none\n", ""},
		{"\t # \xff\n\n" + head + w + "  quorum\twest  ", ""},
		{"", "no line \"threshold\""},
		{strings.TrimPrefix(head, "threshold 1\n"), "no line \"threshold\""},
		{"threshold 1\n", "threshold 1 can never be reached by 0 distinct keys"},
		{"threshold 2\nmaintainer " + ann.public + "\nmaintainer " + alias.public, "threshold 2 can never be reached by 1 distinct keys"},
		{"threshold 1\nmaintainer " + ann.public, "no line \"log\""},
		{head, "no line \"quorum\""},
		{"threshold 0\n", "line 1: threshold: \"0\" is not a number"},
		{"threshold\n", "line 1: threshold: want a number, found 0 values"},
		{"threshold 1 2\n", "line 1: threshold: want a number, found 2 values"},
		{head + "threshold 1\n", "line 4: threshold: stands here for the second time"},
		{head + "maintainer " + ann.public, "line 4: maintainer: \"demo.ann\" stands here for the second time"},
		{"maintainer demo.example", "line 1: maintainer: \"demo.example\" is not a verifier key"},
		{"maintainer " + strings.Replace(ann.public, "+", "+0", 1), "line 1: maintainer"},
		{"maintainer " + west.public, "is a key of type 0x04; here stands one of type 0x01"},
		{"maintainer " + logKey.public + "\nlog " + logKey.public, "line 2: log: the key of \"demo.log.example\" stands here already as that of a maintainer"},
		{head + "maintainer " + logKey.public, "line 4: maintainer: the key of \"demo.log.example\" stands here already as that of a log"},
		{head + "log " + logKey.public, "line 4: log: the key of \"demo.log.example\" stands here already as that of a log"},
		{head + w + "witness again " + west.public, "line 5: witness: the key of \"demo.west.example\" stands here already as that of a witness"},
		{head + w + "witness west " + east.public, "line 5: witness: \"west\" is already the name"},
		{head + "witness none " + east.public, "line 4: witness: \"none\" can name neither"},
		{head + "witness west " + ann.public, "is a key of type 0x01; a witness needs type 0x04"},
		{head + "witness west " + strings.Replace(west.public, "demo.west", "demo.best", 1), "the hash in the key is not the hash of the key"},
		{head + "witness west\n", "line 4: witness: want a name, a verifier key and, if it has one, its URL, found 1 values"},
		{head + w + "group g 1\n", "line 5: group: want a name, a number"},
		{head + w + "group g some west\n", "line 5: group: \"g\": \"some\" is not a number from 1 to 1, \"all\" or \"any\""},
		{head + w + "group g 2 west\n", "line 5: group: \"g\": \"2\" is not a number from 1 to 1"},
		{head + w + "group g 0 west\n", "line 5: group"},
		{head + "group g any west\n" + w, "line 4: group: \"g\": no line above defines the member \"west\""},
		{head + w + "group g any g\n", "no line above defines the member \"g\""},
		{head + w + "group g any none\n", "no line above defines the member \"none\""},
		{head + w + e + "group g any west\ngroup h any west east\n", "line 7: group: \"h\": \"west\" is already a member of a group"},
		{head + w + e + "group g any west west\n", "line 6: group: \"g\": \"west\" is already a member"},
		{head + w + "group west any west\n", "line 5: group: \"west\" is already the name"},
		{head + w + "quorum east\n", "line 5: quorum: no line above defines \"east\""},
		{head + "quorum west\n" + w, "line 4: quorum: no line above defines \"west\""},
		{head + "quorum none\nquorum none\n", "line 5: quorum: stands here for the second time"},
		{head + "mirror x\n", "line 4: \"mirror\" is no word of a trust text"},
		{head + "quorum none\r\n", "line 4: byte 12 is the control character 0x0d"},
		{"#" + strings.Repeat("a", release.MaxTrust), "its 65537 bytes are more than 65536"},
	} {
		_, err := release.ParseTrust(c.text)
		refused(t, c.text, err, c.want)
	}
}

func TestTrustSays(t *testing.T) {
	trust := trusting(trust0)
	if trust.Text() != trust0 || trust.Digest() != digest(trust0) || trust.Threshold() != 2 {
		t.Errorf("got %q, %v, %d", trust.Text(), trust.Digest(), trust.Threshold())
	}
	if got := trust.Maintainers(); !slices.Equal(got, []string{"demo.ann", "demo.bob", "demo.cid"}) {
		t.Errorf("maintainers %q", got)
	}
	logs, witnesses := trust.Logs(), trust.Witnesses()
	if len(logs) != 1 || logs[0].Name != "demo.log.example" || logs[0].URL != "https://lists.example" || logs[0].Verifier.KeyHash() != logKey.KeyHash() {
		t.Errorf("logs %+v", logs)
	}
	if len(witnesses) != 2 || witnesses[0].Name != "west" || witnesses[0].URL != "https://west.example" || witnesses[1].URL != "" ||
		witnesses[1].Verifier.Name() != "demo.east.example" {
		t.Errorf("witnesses %+v", witnesses)
	}
}

func TestQuorum(t *testing.T) {
	head := "threshold 1\nmaintainer " + ann.public + "\nlog " + logKey.public +
		"\nwitness a " + west.public + "\nwitness b " + east.public + "\nwitness c " + north.public + "\n"
	for _, c := range []struct{ rule, enough, few string }{
		{"quorum none", "", ""},
		{"quorum a", "a ab abc", "b c bc"},
		{"group g any a b\nquorum g", "a b ab ac", "c"},
		{"group g all a b\nquorum g", "ab abc", "a b ac bc"},
		{"group g 2 a b c\nquorum g", "ab ac bc abc", "a b c aa"},
		{"group g any a b\ngroup h all g c\nquorum h", "ac bc abc", "c ab a"},
	} {
		trust := trusting(head + c.rule)
		for _, cosigned := range strings.Fields(c.enough) {
			if !trust.Quorum(strings.Split(cosigned, "")) {
				t.Errorf("%s: %s is not enough", c.rule, cosigned)
			}
		}
		for _, cosigned := range strings.Fields(c.few) {
			if trust.Quorum(strings.Split(cosigned, "")) {
				t.Errorf("%s: %s is enough", c.rule, cosigned)
			}
		}
		if trust.Quorum(nil) != (c.rule == "quorum none") {
			t.Errorf("%s: nobody is enough", c.rule)
		}
	}
	if (release.Trust{}).Quorum([]string{"a", ""}) {
		t.Error("the zero trust has a quorum")
	}
}

func TestSigned(t *testing.T) {
	two := "threshold 2\nmaintainer " + ann.public + "\nmaintainer " + alias.public + "\nmaintainer " + bob.public + "\nlog " + logKey.public + "\nquorum none"
	one := strings.Replace(two, "threshold 2", "threshold 1", 1)
	whole := signed(goodText, ann)
	for _, c := range []struct {
		name  string
		trust release.Trust
		note  []byte
		want  string
	}{
		{"one of one", trusting(one), whole, ""},
		{"two of two", trusting(two), signed(goodText, ann, bob), ""},
		{"a stranger's beside", trusting(two), signed(goodText, eve, ann, bob), ""},
		{"one of two", trusting(two), whole, "signed by 1 trusted keys of the 2 needed"},
		{"one key under two names", trusting(two), signed(goodText, ann, alias), "signed by 1 trusted keys of the 2 needed"},
		{"one line twice", trusting(two), append(bytes.Clone(whole), lastLine(whole)...), "signed by 1 trusted keys of the 2 needed"},
		{"a stranger", trusting(one), signed(goodText, eve), "signed by 0 trusted keys of the 1 needed"},
		{"another key under a trusted name", trusting(one), signed(goodText, notAnn), "signed by 0 trusted keys"},
		{"a log", trusting(one), signed(goodText, logKey), "signed by 0 trusted keys"},
		{"nobody trusted", release.Trust{}, whole, "nobody is trusted"},
		{"changed", trusting(one), bytes.Replace(whole, []byte("index 12"), []byte("index 13"), 1), "the signature of \"demo.ann\" is wrong"},
		{"one of two changed", trusting(one), append(signed(goodText, ann), lastLine(signed(goodText+"x\n", bob))...), "the signature of \"demo.bob\" is wrong"},
		{"not a note", trusting(one), []byte(goodText), "not a whole signed note"},
	} {
		refused(t, c.name, c.trust.Signed(c.note), c.want)
	}
	if _, names, err := trusting(two).Signers(signed(goodText, alias, bob, ann, eve)); err != nil || !slices.Equal(names, []string{"demo.alias", "demo.bob"}) {
		t.Errorf("signers %q, %v", names, err)
	}
}

func TestDemoKey(t *testing.T) {
	m, l, w := signing("ann.example", "1"), signing("lists.example", "2"), witnessing("west.example")
	for _, c := range []struct {
		maintainer, log, witness key
		want                     string
	}{
		{m, l, w, ""},
		{ann, logKey, west, "demo.ann"},
		{m, logKey, w, "demo.log.example"},
		{m, l, west, "demo.west.example"},
		{signing("democracy.example", "3"), l, w, ""},
	} {
		trust := trusting("threshold 1\nmaintainer " + c.maintainer.public + "\nlog " + c.log.public + "\nwitness demo.name " + c.witness.public + "\nquorum none")
		if got := trust.DemoKey(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzParseTrust(f *testing.F) {
	f.Add(trust0)
	f.Add(trust3)
	f.Fuzz(func(t *testing.T, text string) {
		trust, err := release.ParseTrust(text)
		if err != nil {
			return
		}
		var all []string
		for _, w := range trust.Witnesses() {
			all = append(all, w.Name)
		}
		if trust.Text() != text || trust.Threshold() < 1 || trust.Threshold() > len(trust.Maintainers()) || len(trust.Logs()) == 0 || !trust.Quorum(all) {
			t.Fatalf("%q reads as %+v", text, trust)
		}
	})
}
