package match_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/match"
	"paravent/wasm/vectors"
)

// compiled is the bundle of the vectors' list.
func compiled(t testing.TB) []byte {
	t.Helper()
	data, err := compile.Compile(vectors.List)
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum != vectors.BundleSHA256() {
		t.Errorf("list.txt compiles to %s, list.sha256 says %s", sum, vectors.BundleSHA256())
	}
	return data
}

func open(t testing.TB) *match.Matcher {
	t.Helper()
	m, err := match.Open(compiled(t))
	if err != nil {
		t.Fatal(err)
	}
	m.Registrable = registrable
	return m
}

func TestEveryVector(t *testing.T) {
	m := open(t)
	cases, err := vectors.Cases()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range cases {
		t.Run(strings.TrimSuffix(c.File, ".json")+"/"+c.Name, func(t *testing.T) {
			if names[c.File+c.Name] {
				t.Fatal("this name stands twice")
			}
			names[c.File+c.Name] = true
			if !strings.HasSuffix(c.Says, ".") {
				t.Error("says: want a sentence")
			}
			kind, isType := filter.TypeNamed(c.Type)
			mode, isMode := match.ModeNamed(c.Mode)
			method, isMethod := filter.MethodNamed(c.Method)
			if !isType || !isMode || !isMethod {
				t.Fatalf("type %s, mode %s, method %s", c.Type, c.Mode, c.Method)
			}
			d, err := m.Decide(&match.Request{
				URL: []byte(c.URL), Page: []byte(c.Page), Type: kind, Method: method, Mode: mode,
				Leaks: true, Body: c.Carried(), Referer: []byte(c.Referer),
			})
			if err != nil {
				t.Fatal(err)
			}
			if d.Action.String() != c.Action || d.Would.String() != c.Would || d.Reason.String() != c.Reason || m.Rule() != c.Rule {
				t.Errorf("%s (would %s) %s %q", d.Action, d.Would, d.Reason, m.Rule())
			}
			found, leaks := m.Leak()
			if leaks != (c.Leak != nil) || leaks && (found.What.String() != c.Leak.What || found.Place.String() != c.Leak.Place) {
				t.Errorf("leaks: %v %s %s", leaks, found.What, found.Place)
			}
		})
	}
}
