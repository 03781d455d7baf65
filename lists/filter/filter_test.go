package filter

import (
	"errors"
	"fmt"
	"testing"
)

func ExampleParse() {
	r, err := Parse("||Example.com/pixel.gif?*$3p,image,domain=b.example|~c.b.example")
	fmt.Println(r, err)
	_, err = Parse("/banner/*/img^")
	fmt.Println(err)
	// Output:
	// ||example.com/pixel.gif?$third-party,image,domain=b.example|~c.b.example <nil>
	// unsupported: pattern without a host: begin with "||" and a host
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ line, canonical string }{
		{"||example.com^", "||example.com^"},
		{"@@||example.com^", "@@||example.com^"},
		{"||EXAMPLE.com/A/b*", "||example.com/a/b"},
		{"||example.com^*", "||example.com^*"[:len("||example.com^")]},
		{"||example.com/a^|", "||example.com/a^|"},
		{"||example.com^|", "||example.com^|"},
		{"||example.com/*.js|", "||example.com/*.js|"},
		{"||example.com^*/track/", "||example.com^*/track/"},
		{"||example.com^$third-party", "||example.com^$third-party"},
		{"||example.com^$~3p", "||example.com^$first-party"},
		{"||example.com^$~1p,script,xhr", "||example.com^$third-party,script,xmlhttprequest"},
		{"||example.com^$~image", "||example.com^$~image"},
		{"||example.com^$domain=b.com|a.com|~x.a.com|b.com", "||example.com^$domain=a.com|b.com|~x.a.com"},
		{"||example.com/a$b/c", "||example.com/a"}, // see below: "$b/c" is read as options
		{"||example.com/?cost=$5", ""},
		{"||10.0.0.1/x", "||10.0.0.1/x"},
	} {
		r, err := Parse(c.line)
		if c.line == "||example.com/a$b/c" || c.canonical == "" {
			if err == nil {
				t.Errorf("%s: accepted as %s", c.line, r)
			}
			continue
		}
		if err != nil || r.String() != c.canonical {
			t.Errorf("%s: %s, %v, want %s", c.line, r, err, c.canonical)
		}
	}
}

func TestRefused(t *testing.T) {
	for line, want := range map[string]string{
		"example.com##.ad":               "unsupported: cosmetic or script rule",
		"/track[0-9]+/":                  "unsupported: regular expression: write \"||\", the host, and its path with \"*\"",
		"/track[0-9]+/$script":           "unsupported: regular expression: write \"||\", the host, and its path with \"*\"",
		"/pixel.gif?":                    "unsupported: pattern without a host: begin with \"||\" and a host",
		"|https://example.com":           "unsupported: pattern without a host: begin with \"||\" and a host",
		"||example.":                     "unsupported: part of a host: write the whole host and end it with \"^\" or a path",
		"||ads*.example.com^":            "unsupported: part of a host: write the whole host and end it with \"^\" or a path",
		"||example.com":                  "unsupported: part of a host: write the whole host and end it with \"^\" or a path",
		"||example.com:8080/x":           "unsupported: port: leave it out: a rule holds for every port",
		"||example.com^$redirect=noopjs": "unsupported: option redirect=",
		"||example.com^$popup":           "unsupported: option popup: known are third-party, first-party, domain= and the types, such as script",
		"||example.com^$domain=a.*":      "unsupported: domain= with a wildcard or a regular expression: name the hosts one by one",
		"||exa mple.com^":                `character ' ': write a host in punycode and a path in %-escapes`,
		"||münchen.de^":                  `character 'Ã': write a host in punycode and a path in %-escapes`,
		"||example..com^":                `host "example..com": want a whole host name, such as example.com`,
		"||^":                            `host "": want a whole host name, such as example.com`,
		"||example.com/a|b":              `pattern "/a|b": "|" may stand at the end only`,
		"||example.com?a":                `a query right after the host never matches: write "/?"`,
		"||example.com^$3p,1p":           "options third-party and first-party exclude each other: keep one",
		"||example.com^$script,~image":   `types with and without "~": keep one kind`,
		"||example.com^$domain=":         `domain=: want host names between "|"`,
		"||example.com^$domain=a.com|":   `domain=: want host names between "|"`,
	} {
		if _, err := Parse(line); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	var u *Unsupported
	if _, err := Parse("||a^$csp=x"); !errors.As(err, &u) || u.Kind != "option csp=" {
		t.Errorf("kind %v", u)
	}
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
