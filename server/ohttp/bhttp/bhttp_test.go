package bhttp_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"paravent/server/ohttp/bhttp"
)

// fields are fields as testdata has them.
type fields []bhttp.Field

func (f *fields) UnmarshalJSON(text []byte) error {
	var pairs [][2]string
	err := json.Unmarshal(text, &pairs)
	for _, p := range pairs {
		*f = append(*f, bhttp.Field{Name: p[0], Value: p[1]})
	}
	return err
}

// An example is a message of RFC 9292, section 5. The extension is held to the
// same file.
type example struct {
	Name    string
	Known   bool
	Spare   int
	Hex     []string
	Request *struct {
		Method, Scheme, Authority, Path string
		Header                          fields
		Content                         string
		Trailer                         fields
	}
	Response *struct {
		Status  int
		Header  fields
		Content string
		Trailer fields
	}
}

func (e *example) bytes(t testing.TB) []byte {
	message, err := hex.DecodeString(strings.Join(e.Hex, ""))
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	return message
}

// message returns what the example says, how it is read and how it is written.
func (e *example) message() (want any, decode func([]byte) (any, error), encode func() ([]byte, error)) {
	if q := e.Request; q != nil {
		r := bhttp.Request{Method: q.Method, Scheme: q.Scheme, Authority: q.Authority, Path: q.Path, Header: q.Header, Content: []byte(q.Content), Trailer: q.Trailer}
		return flat(r), func(b []byte) (any, error) { r, err := bhttp.DecodeRequest(b); return flat(r), err }, r.Encode
	}
	s := e.Response
	r := bhttp.Response{Status: s.Status, Header: s.Header, Content: []byte(s.Content), Trailer: s.Trailer}
	return flat(r), func(b []byte) (any, error) { r, err := bhttp.DecodeResponse(b); return flat(r), err }, r.Encode
}

// flat is a message as text: no content is the same as empty content.
func flat(message any) string { return fmt.Sprintf("%+v", message) }

func examples(t testing.TB) []example {
	text, err := os.ReadFile("testdata/rfc9292.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Examples []example }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Examples) != 4 {
		t.Fatalf("the RFC has 4 examples, and testdata %d", len(file.Examples))
	}
	return file.Examples
}

func TestExamplesOfTheRFC(t *testing.T) {
	for _, e := range examples(t) {
		message := e.bytes(t)
		want, decode, encode := e.message()
		for cut := range e.Spare + 1 {
			if got, err := decode(message[:len(message)-cut]); err != nil || got != want {
				t.Errorf("%s without %d bytes: got %v, %v; want %v", e.Name, cut, got, err, want)
			}
		}
		if got, err := decode(message[:len(message)-e.Spare-1]); err == nil {
			t.Errorf("%s without %d bytes: got %v", e.Name, e.Spare+1, got)
		}
		written, err := encode()
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if e.Known {
			// What may be cut off is padding.
			if padded, err := bhttp.Pad(written, len(written)+e.Spare); err != nil || !bytes.Equal(padded, message) {
				t.Errorf("%s: written as\n%x, %v, not\n%x", e.Name, padded, err, message)
			}
		} else if got, err := decode(written); err != nil || got != want {
			t.Errorf("%s: written with a known length, reads as %v, %v; want %v", e.Name, got, err, want)
		}
	}
}

func TestNumbersOfEachLength(t *testing.T) {
	for _, size := range []int{0, 63, 64, 1<<14 - 1, 1 << 14, 1 << 17} {
		for _, padding := range []int{0, 1, 1000} {
			want := bhttp.Response{Status: 200, Content: bytes.Repeat([]byte("x"), size)}
			written, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			padded, err := bhttp.Pad(written, len(written)+padding)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := bhttp.DecodeResponse(padded); err != nil || flat(got) != flat(want) {
				t.Errorf("%d bytes: got %d, %v", size, len(got.Content), err)
			}
		}
	}
	// 0 in two, four and eight bytes: a request, no authority, no header.
	long := unhex(t, "4000"+"80000003474554"+"c000000000000005"+hex.EncodeToString([]byte("https"))+"80000000"+"4001"+"2f"+"c000000000000000")
	if r, err := bhttp.DecodeRequest(long); err != nil || r.Method != "GET" || r.Scheme != "https" || r.Authority != "" || r.Path != "/" {
		t.Errorf("numbers in more bytes than they need: %+v, %v", r, err)
	}
	if _, err := bhttp.Pad(make([]byte, 513), 512); err == nil || err.Error() != "the message has 513 bytes, more than the 512 to pad it to" {
		t.Errorf("Pad: %v", err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// part is a length below 64 and what has it.
func part(s string) string { return fmt.Sprintf("%02x%x", len(s), s) }

func TestDecodeRequestRefuses(t *testing.T) {
	get := func(method, scheme, authority, path string) string {
		return "00" + part(method) + part(scheme) + part(authority) + part(path)
	}
	good := get("GET", "https", "a.example", "/")
	if _, err := bhttp.DecodeRequest(unhex(t, good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ message, want string }{
		{"", "request: the message ends too early"},
		{"01", "framing indicator 1, want 0 or 2"},
		{"ff ffffffffffffff", "framing indicator 4611686018427387903, want 0 or 2"},
		{"00", "method: the message ends"},
		{"00 04 474554", "method: the message ends"},
		{"00 c0", "method: the message ends"},
		{"00 ff ffffffffffffff 47", "method: has 4611686018427387903 bytes, more than 16384"},
		{good[:len(good)-4], "path: the message ends"},
		{get("", "https", "a", "/"), "method: is no word of HTTP"},
		{get("G T", "https", "a", "/"), "method: is no word of HTTP"},
		{get("GET", "", "a", "/"), "scheme: is none"},
		{get("GET", "https:", "a", "/"), "scheme: is none"},
		{get("GET", "https", "ann@a", "/"), "authority: is none"},
		{get("GET", "https", "a/b", "/"), "authority: is none"},
		{get("GET", "https", "a b", "/"), "authority: is none"},
		{get("GET", "https", "a", ""), "path: is none"},
		{get("GET", "https", "a", "b"), "path: is none"},
		{get("GET", "https", "a", "/\r\nb"), "path: is none"},
		{get("GET", "https", "a", "/\xc3\xa9"), "path: is none"},
		{get("GET", "https", "a", "/#b"), "path: is none"},
		{good + "01", "header: the message ends"},
		{good + "01 01", "header: field 1: the message ends"},
		{good + "02 01 61", "header: field 1: the message ends"},
		{good + "02 0161", "header: field 1: the message ends"},
		{good + "02 0000", "header: field 1: the name is no word"},
		{good + "03 012000", "header: field 1: the name is no word"},
		{good + "09 07 3a6d6574686f64 00", "header: field 1: the name is no word"}, // :method
		{good + "04 0161 010a", "header: field 1: the value has a line end"},
		{good + "04 0161 0100", "header: field 1: the value has a line end"},
		{good + "04 0161 0120", "header: field 1: the value has a line end or zero in it, or space around it"},
		{good + "80004001" + strings.Repeat("00", 1<<14+1), "header: has 16385 bytes, more than 16384"},
		{good + "40c3" + strings.Repeat("016100", 65), "header: field 65: more than 64 fields"},
		{good + "00 02 61", "content: the message ends"},
		{good + "00 00 01", "trailer: the message ends"},
		{good + "00 00 03 012000", "trailer: field 1: the name is no word"},
		{good + "00 00 00 00 01", "padding: is not all zeros"},
		{"02" + good[2:] + "0161", "header: field 1: the message ends"},
		{"02" + good[2:] + "016100", "header: field 2: the message ends"},
		{"02" + good[2:] + strings.Repeat("016100", 65) + "00", "header: field 65: more than 64 fields"},
		{"02" + good[2:] + strings.Repeat("01615fff"+strings.Repeat("61", 0x1fff), 2) + "00", "header: field 2: has 8191 bytes, more than 8189"},
		{"02" + good[2:] + "00 01", "content: the message ends"},
		{"02" + good[2:] + "00 0161", "content: the message ends"},
		{"02" + good[2:] + "00 00 00 01", "padding: is not all zeros"},
	} {
		_, err := bhttp.DecodeRequest(unhex(t, c.message))
		refused(t, c.message, err, c.want)
	}
}

func TestDecodeResponseRefuses(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{"00", "response: framing indicator 0, want 1 or 3"},
		{"01", "status: the message ends"},
		{"01 4063", "status 99 is not one of 100 to 599"},
		{"01 4258", "status 600 is not one"},
		{"01 ffffffffffffffff", "status 4611686018427387903 is not one"},
		{"01 4064", "status: the message ends"},
		{"01 4064 03 012000", "header of the response with status 100: field 1: the name"},
		{"01 " + strings.Repeat("4064 00", 9), "more than 8 responses with a status below 200"},
		{"03 40c8 00 01", "content: the message ends"},
	} {
		_, err := bhttp.DecodeResponse(unhex(t, c.message))
		refused(t, c.message, err, c.want)
	}
	got, err := bhttp.DecodeResponse(unhex(t, "03 40c8 01 41 01 62 00 02 6869 01 21 00"))
	want := bhttp.Response{Status: 200, Header: []bhttp.Field{{Name: "a", Value: "b"}}, Content: []byte("hi!")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("chunks: got %+v, %v", got, err)
	}
	if bhttp.Get(got.Header, "a") != "b" || bhttp.Get(got.Header, "b") != "" {
		t.Errorf("Get: %q", got.Header)
	}
}

func TestEncodeRefuses(t *testing.T) {
	long := strings.Repeat("a", bhttp.MaxSection)
	for want, r := range map[string]interface{ Encode() ([]byte, error) }{
		"request: method: is no word":                                            bhttp.Request{Scheme: "https", Path: "/"},
		"request: method, scheme, authority and path have more than 16384 bytes": bhttp.Request{Method: "GET", Scheme: "https", Path: "/" + long},
		"request: header: field 2: the name is no word":                          bhttp.Request{Method: "GET", Scheme: "https", Path: "/", Header: []bhttp.Field{{Name: "A"}, {Name: ":a"}}},
		"request: trailer: field 1: the value":                                   bhttp.Request{Method: "GET", Scheme: "https", Path: "/", Trailer: []bhttp.Field{{Name: "A", Value: "a\n"}}},
		"response: status 199 is not one of 200 to 599":                          bhttp.Response{Status: 199},
		"response: status 600 is not one of 200 to 599":                          bhttp.Response{Status: 600},
		"response: header: more than 64 fields":                                  bhttp.Response{Status: 200, Header: make([]bhttp.Field, 65)},
		"response: header: its fields have 16390 bytes, more than 16384":         bhttp.Response{Status: 200, Header: []bhttp.Field{{Name: "a", Value: long}}},
	} {
		_, err := r.Encode()
		refused(t, want, err, want)
	}
}

func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%.200s: got %v, want an error with %q", what, err, want)
	}
}

// Whatever reads, reads alike when it is written again and padded.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		before := bytes.Clone(message)
		r, err := bhttp.DecodeRequest(message)
		if !bytes.Equal(before, message) {
			t.Fatalf("reading changes %x", before)
		}
		if err == nil {
			again(t, r, bhttp.DecodeRequest)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, message []byte) {
		if r, err := bhttp.DecodeResponse(message); err == nil {
			again(t, r, bhttp.DecodeResponse)
		}
	})
}

func seeds(f *testing.F) {
	for _, e := range examples(f) {
		f.Add(e.bytes(f))
	}
}

func again[M interface{ Encode() ([]byte, error) }](t *testing.T, m M, decode func([]byte) (M, error)) {
	written, err := m.Encode()
	if err != nil {
		t.Fatalf("%+v was read and is not written: %v", m, err)
	}
	padded, err := bhttp.Pad(written, len(written)+3)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decode(padded); err != nil || flat(got) != flat(m) {
		t.Fatalf("%+v is written as %x and reads as %+v, %v", m, padded, got, err)
	}
}

func ExampleRequest() {
	request := bhttp.Request{Method: "GET", Scheme: "https", Authority: "example.com", Path: "/"}
	message, err := request.Encode()
	fmt.Printf("%x %v\n", message, err)
	read, err := bhttp.DecodeRequest(append(message, 0, 0, 0, 0))
	fmt.Println(read.Authority, err)
	// Output:
	// 00034745540568747470730b6578616d706c652e636f6d012f <nil>
	// example.com <nil>
}
