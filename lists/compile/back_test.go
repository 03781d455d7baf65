package compile_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// back compiles a canonical text and takes the bundle apart again.
func back(t *testing.T, text []byte) []byte {
	t.Helper()
	data, err := compile.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	list, err := compile.Back(b)
	if err != nil {
		t.Fatal(err)
	}
	return list.Text()
}

func TestBundlesGiveTheirTextBack(t *testing.T) {
	vectors, err := os.ReadFile("../../wasm/vectors/list.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]byte{[]byte(text), vectors} {
		if got := back(t, want); !bytes.Equal(got, want) {
			t.Errorf("came back as\n%s\nwant\n%s", got, want)
		}
	}
}

// Rules made at random of everything that a rule can say.
func TestAnyRuleComesBack(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 12))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	option := func() string {
		return pick("third-party", "~third-party", "match-case", "important", "script,image", "~stylesheet", "method=post|get",
			"domain=a.example|b.example", "domain=~c.example", "domain=shop.*|d.example", "domain="+pick("e", "f", "g", "h", "i")+".example",
			"to=x.example|~y.x.example")
	}
	list := &compile.List{Sites: []bundle.Site{{Domain: "a.example", Name: "Å & b"}}}
	for range 20000 {
		rule := pick("", "@@") + pick("||"+pick("t", "u", "v.w")+".example", "|https://", "/", "-ad", "/^https?:\\/\\/[a-z]{3}\\.example\\/x/")
		if !strings.HasSuffix(rule, "x/") {
			rule += pick("", "/", "/p/", "/p/q?r=", "*/s", "^", "^t", "/u|", ".js")
		}
		if r.IntN(3) > 0 {
			rule += "$" + option()
			if r.IntN(3) == 0 {
				rule += "," + option()
			}
		}
		parsed, err := filter.Parse(rule)
		if err != nil {
			continue
		}
		kind := bundle.Block
		switch {
		case parsed.Allow:
			kind = bundle.Exception
		case parsed.Important:
			kind = bundle.Important
		case parsed.Host != "":
			kind = []bundle.Kind{bundle.Block, bundle.Photo, bundle.Need}[r.IntN(3)]
		}
		list.Rules = append(list.Rules, bundle.KindedRule{Kind: kind, Rule: parsed})
	}
	want := list.Text()
	if lines := bytes.Count(want, []byte("\n")); lines < 2000 {
		t.Fatalf("only %d different rules", lines)
	}
	got := back(t, want)
	if bytes.Equal(got, want) {
		return
	}
	lines := map[string]int{}
	for line := range strings.Lines(string(want)) {
		lines[line]++
	}
	for line := range strings.Lines(string(got)) {
		lines[line]--
	}
	for line, n := range lines {
		if n != 0 {
			t.Errorf("%+d %s", -n, line)
		}
	}
}
