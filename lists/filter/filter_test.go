package filter

import (
	"fmt"
	"testing"
)

func ExampleParse() {
	r, err := Parse("||Example.com/pixel.gif?*$3p,image,domain=b.example|~c.b.example")
	fmt.Println(r, err)
	_, err = Parse("||example.com^$csp=script-src 'none'")
	fmt.Println(err)
	// Output:
	// ||example.com/pixel.gif?$third-party,image,domain=b.example|~c.b.example <nil>
	// unsupported: option csp=: known are third-party, first-party, domain=, to=, denyallow=, method=, match-case, important, badfilter, all and the types, such as script
}

func TestDirectory(t *testing.T) {
	for line, want := range map[string][2]string{
		"||a.com^":                {"", ""},
		"||a.com^*/x":             {"", "^*/x"},
		"||a.com/":                {"/", ""},
		"||a.com/x.gif":           {"/", "x.gif"},
		"||a.com/x/y":             {"/x/", "y"},
		"||a.com/x*/y":            {"/", "x*/y"},
		"||a.com/x/^y":            {"/x/", "^y"},
		"||a.com/1/2/3/4/5/6/7/8": {"/1/2/3/4/5/", "6/7/8"},
	} {
		r, err := Parse(line)
		if d, rest := r.Directory(); err != nil || d != want[0] || rest != want[1] {
			t.Errorf("%s: %q %q %v", line, d, rest, err)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		end, want     bool
	}{
		{"", "", false, true},
		{"", "x", false, true},
		{"", "x", true, false},
		{"abc", "abcd", false, true},
		{"abc", "abcd", true, false},
		{"abc", "ab", false, false},
		{"a*c", "abbbc", true, true},
		{"a*c", "abcbd", false, true},
		{"a*c", "abcbd", true, false},
		{"a*c*e", "a-c-c-e", true, true},
		{"*x", "aax", true, true},
		{"*x", "aaxb", true, false},
		{"a^", "a/", true, true},
		{"a^", "a", true, true},
		{"a^", "a?x", false, true},
		{"a^", "ab", false, false},
		{"a^", "a%", false, false},
		{"a^b", "a/b", true, true},
		{"*^", "abc", true, true},
	} {
		if got := Match([]byte(c.pattern), []byte(c.text), c.end); got != c.want {
			t.Errorf("%q against %q (end %v): %v", c.pattern, c.text, c.end, got)
		}
	}
}

func TestEveryTypeHasAGroup(t *testing.T) {
	for i, name := range TypeNames() {
		if groupOf[i] == 0 {
			t.Errorf("no rule option covers %s", name)
		}
		if back, ok := TypeNamed(name); !ok || int(back) != i {
			t.Errorf("%s came back as %v", name, back)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"||a.com^", "@@||a.com/x*y^|$3p,~image,domain=b|~c", "/x/", "||a.com/$b", "a##b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := Parse(line)
		if err != nil {
			return
		}
		again, err := Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q → %q → %q, %v", line, r.String(), again.String(), err)
		}
		if d, rest := r.Directory(); d+rest != r.Pattern {
			t.Fatalf("%q: %q + %q is not %q", line, d, rest, r.Pattern)
		}
		Match([]byte(r.Pattern), []byte(line), r.End)
	})
}
