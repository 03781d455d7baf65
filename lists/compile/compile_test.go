package compile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

const text = `paravent list 1
[sites]
booking.example	Booking
[recipients]
tracker.example	US	Tracker
[needs]
||consent.example^$domain=booking.example
[exceptions]
@@||tracker.example/ok.js
[photos]
||photos.example/doctors/
[hosts]
tracker.example
[rules]
||example.com/pixel.gif$third-party
`

func Example() {
	data, err := compile.Compile([]byte(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	list, _ := bundle.Open(data)
	v, found, _ := list.Host([]byte("tracker.example/ and what follows"), len("tracker.example"))
	fmt.Println(found, v.Plain())
	// Output: true true
}

func TestTextComesBack(t *testing.T) {
	list, err := compile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(list.Text()); got != text {
		t.Errorf("came back as\n%s", got)
	}
}

// A host in brackets is no section.
func TestIPv6Host(t *testing.T) {
	with := strings.Replace(text, "[hosts]\n", "[hosts]\n[2001:db8::1]\n", 1)
	list, err := compile.Parse([]byte(with))
	if err != nil || string(list.Text()) != with {
		t.Errorf("%v", err)
	}
}

// Whatever order rules come in, and however often, the bytes are the same.
func TestSameBytes(t *testing.T) {
	list, err := compile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		list.Rules = append(list.Rules, bundle.KindedRule{Rule: filter.Rule{Host: fmt.Sprintf("h%d.example", i)}})
	}
	reversed := *list
	reversed.Rules = nil
	for i := len(list.Rules) - 1; i >= 0; i-- {
		reversed.Rules = append(reversed.Rules, list.Rules[i], list.Rules[i])
	}
	if !bytes.Equal(list.Text(), reversed.Text()) {
		t.Fatal("the canonical text depends on the order of the rules")
	}
	a, err := compile.Compile(list.Text())
	if err != nil {
		t.Fatal(err)
	}
	b, err := compile.Compile(reversed.Text())
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the bundles differ, %v", err)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"header":    {"list 1", "list 2", `list: line 1: want "paravent list 1"`},
		"empty":     {text, "", "list: line 0: ends before section [sites]"},
		"section":   {"[needs]\n", "", "list: line 6: want a host, a tab, a country of two letters, a tab and a name, and a tab and purposes if any are known"},
		"order":     {"[sites]", "[hosts]", "list: line 2: section [hosts]: want the sections sites recipients needs exceptions photos hosts rules, in this order"},
		"cut off":   {"third-party\n", "third", "list: line 15: cut off: want a line feed at the end"},
		"too early": {"[rules]\n||example.com/pixel.gif$third-party\n", "", "list: line 13: ends before section [rules]"},
		"repeat":    {"tracker.example\n[rules]", "tracker.example\ntracker.example\n[rules]", "list: line 14: not in order, or a repeat: build the list again"},
		"host":      {"\ntracker.example\n", "\nTracker.example\n", `list: line 13: host "Tracker.example": want a host name in lower case`},
		"plain":     {"pixel.gif$third-party", "pixel.gif\n||example.com^", "list: line 16: rule ||example.com^: belongs into [hosts]"},
		"canonical": {"$third-party", "$3p", "list: line 15: rule ||example.com/pixel.gif$3p: its canonical form is ||example.com/pixel.gif$third-party"},
		"exception": {"||photos.example", "@@||photos.example", `list: line 11: rule @@||photos.example/doctors/: "@@" belongs into [exceptions] and nowhere else`},
		"rule":      {"||photos.example/doctors/", "/doctors/img", `list: line 11: rule /doctors/img: in this section want "||" and a whole host`},
		"purpose":   {"\tTracker\n", "\tTracker\tanalytics,\n", "list: line 5: want a host, a tab, a country of two letters, a tab and a name, and a tab and purposes if any are known"},
		"country":   {"US", "USA", "list: line 5: want a host, a tab, a country of two letters, a tab and a name, and a tab and purposes if any are known"},
		"site":      {"booking.example\tBooking", "booking.example", "list: line 3: want a domain, a tab and a name"},
	} {
		_, err := compile.Compile([]byte(strings.Replace(text, c.old, c.new, 1)))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	data, err := compile.Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	list, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	about, err := compile.Describe(list)
	if err != nil || about.Counts != (compile.Counts{Hosts: 1, Rules: 4}) || about.Sites[0].Name != "Booking" || about.Recipients[0].Country != "US" {
		t.Errorf("%+v %v", about, err)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := compile.Parse(text)
		if err != nil {
			return
		}
		if !bytes.Equal(list.Text(), text) {
			t.Fatalf("accepted, but its canonical form is\n%s", list.Text())
		}
		data, err := list.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Open(data); err != nil {
			t.Fatal(err)
		}
	})
}
