package own_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/own"
)

const text = "\ufeff[Adblock Plus 2.0]\r\n! chat\r\n||chat.example^$third-party\n\n  @@||cdn.example/captcha.js  \n||pixel.example^\n/[0-9]{4}\\.gif/$important"

func TestRead(t *testing.T) {
	rules, problems := own.Read(text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprint(r.Line, " ", r.Kind, " ", r.Rule))
	}
	want := []string{
		"3 0 ||chat.example^$third-party", "5 2 @@||cdn.example/captcha.js", "6 0 ||pixel.example^", `7 3 /[0-9]{4}\.gif/$important`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ text, problem string }{
		{"||a.example^\nexample.com##.banner", "2 element hiding rule"},
		{"# a comment", `1 begins with "!"`},
		{"*", "1 every request"},
		{"||a.example^$nonsense", "1 nonsense"},
		{"||a.example^$badfilter", `1 "@@"`},
		{"@@||a.example^$important", "1 important"},
		{"/a{1000}{1000}/", "1 regular expression"},
		{"/(?=a)b/", "1 regular expression"},
		{"||ä.example^", "1 punycode"},
		{strings.Repeat("! comment\n", own.MaxBytes/10+1), "1 bytes"},
		{strings.Repeat("||a.example^\n", own.MaxRules+1), "5001 5000 rules"},
	} {
		_, problems := own.Read(c.text)
		line, words, _ := strings.Cut(c.problem, " ")
		if len(problems) != 1 || fmt.Sprint(problems[0].Line) != line || !strings.Contains(problems[0].Problem, words) {
			t.Errorf("%.40q: got %v, want line %s with %q", c.text, problems, line, words)
		}
	}
	_, problems := own.Read("a\x00b\xff" + strings.Repeat("x", 500))
	if len(problems) != 1 || len([]rune(problems[0].Text)) > 201 {
		t.Errorf("a long line is shown as %v", problems)
	}
}

const list = "paravent list 1\n[sites]\nclinic.example\tClinic\n[recipients]\nads.example\tUS\tAds\n[needs]\n[exceptions]\n[photos]\n[hosts]\nads.example\n[rules]\n||b.example/x$third-party\n"

func TestAdd(t *testing.T) {
	data, err := compile.Compile([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Add(b, "||c.example^\n||d.example^$nonsense"); err == nil || !strings.Contains(err.Error(), "own rules: line 2: ||d.example^$nonsense") {
		t.Errorf("a text with a mistake gave %v", err)
	}
	// What the list has already is not there twice.
	made, err := own.Add(b, text+"\n||ads.example^\n||b.example/x$third-party\n||pixel.example^")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text+"\n||pixel.example^", "\n")
	slices.Reverse(lines)
	again, err := own.Add(b, strings.Join(lines, "\n"))
	if err != nil || string(again) != string(made) {
		t.Errorf("the same rules in another order gave another bundle, or %v", err)
	}
	if got, want := fmt.Sprint(rulesOf(t, made)), "[0 ||ads.example^ 0 ||b.example/x$third-party 0 ||chat.example^$third-party 0 ||pixel.example^ 2 @@||cdn.example/captcha.js 3 /[0-9]{4}\\.gif/$important]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Without rules it is the list, byte for byte.
	if same, err := own.Add(b, "! nothing\n"); err != nil || string(same) != string(data) {
		t.Errorf("no rules gave another bundle, or %v", err)
	}
}

// The list that patients get, if it was built here.
func TestAddToWhole(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "dist", "lists", "list.bundle"))
	if err != nil {
		t.Skip("run ./build.sh build first")
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := own.Add(b, ""); err != nil || string(same) != string(data) {
		t.Errorf("no rules gave another bundle, or %v", err)
	}
	made, err := own.Add(b, text)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(rulesOf(t, made)), len(rulesOf(t, data))+4; got != want {
		t.Errorf("%d rules, want %d", got, want)
	}
}

func rulesOf(t *testing.T, data []byte) (rules []string) {
	t.Helper()
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.EachRule(func(kind bundle.Kind, r filter.Rule) error {
		rules = append(rules, fmt.Sprint(kind, " ", r))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(rules)
	return rules
}

func FuzzAdd(f *testing.F) {
	f.Add(text)
	f.Add("||a.example^$domain=b.*|~c.d,to=e.example,method=post,match-case\n/x/$1p\n|https://\n*$script")
	data, err := compile.Compile([]byte(list))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, problems := own.Read(text)
		b, err := bundle.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		made, err := own.Add(b, text)
		if (err == nil) != (len(problems) == 0) {
			t.Fatalf("%d rules, problems %v, but %v", len(rules), problems, err)
		}
		if err == nil {
			if _, err := bundle.Open(made); err != nil {
				t.Fatal(err)
			}
		}
	})
}
