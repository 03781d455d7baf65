package address_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"paravent/lists/address"
	_ "paravent/lists/address/idn"
)

func ExampleCanonical() {
	url, err := address.Canonical(nil, []byte(`HTTP:\\User:pw@EXAMPLE.com.:80\%7Edoe/./a/../b c?q='#top`))
	fmt.Printf("%s %v\n", url, err)
	_, err = address.Canonical(nil, []byte("https://256.256.256.256/"))
	fmt.Println(err == address.ErrHost)
	// Output:
	// http://example.com/~doe/b%20c?q=%27 <nil>
	// true
}

// A text of testdata/urls.json is a string, or a list of strings and of
// {"repeat": string, "times": number} that are put together.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, (*string)(t))
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, data := range parts {
		part := struct {
			Repeat string
			Times  int
		}{Times: 1}
		into := any(&part)
		if data[0] == '"' {
			into = &part.Repeat
		}
		if err := json.Unmarshal(data, into); err != nil {
			return err
		}
		*t += text(strings.Repeat(part.Repeat, part.Times))
	}
	return nil
}

// An urlCase is a case of testdata/urls.json. What else it holds is for
// extension/tools/address.test.js, which compares with a browser's URL.
type urlCase struct {
	Name      string
	URL       text
	Canonical text
	Error     string
}

func urlCases(t testing.TB) (cases []urlCase) {
	t.Helper()
	data, err := os.ReadFile("testdata/urls.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

var errorNamed = map[string]error{
	"":          nil,
	"local":     address.ErrLocal,
	"extension": address.ErrExtension,
	"scheme":    address.ErrScheme,
	"host":      address.ErrHost,
}

func TestCanonical(t *testing.T) {
	for _, c := range urlCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			want, known := errorNamed[c.Error]
			if !known {
				t.Fatalf("error %q: want host, scheme, local or extension", c.Error)
			}
			before := []byte("before ")
			got, err := address.Canonical(before, []byte(c.URL))
			if err != want {
				t.Fatalf("error %v, want %v", err, want)
			}
			if rest, ok := strings.CutPrefix(string(got), "before "); !ok || rest != string(c.Canonical) {
				t.Errorf("%.200q\nwant %.200q", got, c.Canonical)
			}
			if err == nil {
				checkCanonical(t, []byte(c.URL), got[len(before):])
			}
		})
	}
}

// checkCanonical checks what is so of every canonical form.
func checkCanonical(t *testing.T, raw, canonical []byte) {
	t.Helper()
	if longest := 3*len(raw) + 32; len(canonical) > longest {
		t.Errorf("%d bytes of %d, want %d at most", len(canonical), len(raw), longest)
	}
	for _, c := range canonical {
		if c <= ' ' || c > '~' || c == '#' {
			t.Errorf("%.200q holds %q", canonical, c)
			break
		}
	}
	again, err := address.Canonical(nil, canonical)
	if err != nil || !bytes.Equal(again, canonical) {
		t.Errorf("the canonical form of %.200q is %.200q, %v", canonical, again, err)
	}
}

// JSON cannot hold bytes that are no UTF-8.
func TestCanonicalOfBrokenUTF8(t *testing.T) {
	got, err := address.Canonical(nil, []byte("https://a.example/\xff\xc3(?\xe2\x82"))
	if want := "https://a.example/%FF%C3(?%E2%82"; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if _, err := address.Canonical(nil, []byte("https://a\xff.example/")); err != address.ErrHost {
		t.Errorf("broken UTF-8 in a host: %v", err)
	}
}

func TestCanonicalWithoutIDN(t *testing.T) {
	defer func(f func(string) (string, error)) { address.ToASCII = f }(address.ToASCII)
	for _, toASCII := range []func(string) (string, error){
		nil,
		func(string) (string, error) { return "fine.example", errors.New("not so fine") },
		func(host string) (string, error) { return host, nil },
	} {
		address.ToASCII = toASCII
		if got, err := address.Canonical(nil, []byte("https://bücher.example/")); err != address.ErrHost {
			t.Errorf("%s, %v", got, err)
		}
		if got, err := address.Canonical(nil, []byte("https://A.example/ü")); string(got) != "https://a.example/%C3%BC" || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, c := range urlCases(f) {
		if len(c.URL) < 1000 {
			f.Add([]byte(c.URL))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		got, err := address.Canonical(nil, raw)
		if !bytes.Equal(raw, kept) {
			t.Fatal("the text was changed")
		}
		if err != nil {
			if got != nil {
				t.Errorf("%q with the error %v", got, err)
			}
			return
		}
		checkCanonical(t, raw, got)
	})
}
