package reader_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paravent/lists/release"
	"paravent/server/reader"
)

func newServer(t *testing.T, h http.HandlerFunc) *reader.Server {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	server, err := reader.New(web.URL + "/lists/")
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"", "lists.example", "ftp://lists.example", "https://", "https://me@lists.example", "https://lists.example/?a", "https://lists.example/#a", "http://%"} {
		if _, err := reader.New(address); err == nil || err.Error() != fmt.Sprintf("%q is no address of a server: want one such as https://lists.example", address) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if server, err := reader.New("https://lists.example/under/"); err != nil || server.String() != "https://lists.example/under" {
		t.Errorf("%v, %v", server, err)
	}
}

// A server gets nothing back of what it sent, so that it cannot tell one
// reader from another.
func TestNothingIsEchoed(t *testing.T) {
	var seen []http.Header
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Clone())
		w.Header().Set("ETag", `"you"`)
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 07:00:00 GMT")
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		fmt.Fprint(w, "x")
	})
	for range 2 {
		if _, err := server.Read(t.Context(), "checkpoint", 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, header := range seen {
		if len(header) != 2 || header.Get("User-Agent") != "paravent" || header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("sent %v", header)
		}
	}
}

func TestRead(t *testing.T) {
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/lists/here":
			fmt.Fprint(w, "0123456789")
		case "/lists/moved":
			http.Redirect(w, r, "/lists/here", http.StatusFound)
		case "/lists/broken":
			http.Error(w, "the disk is gone\nat /dev/sda", http.StatusInternalServerError)
		case "/lists/silent":
			w.WriteHeader(http.StatusBadGateway)
		case "/lists/cut":
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "012")
		default:
			http.NotFound(w, r)
		}
	})
	for _, c := range []struct {
		path  string
		limit int64
		data  string
		err   string
	}{
		{"here", 10, "0123456789", ""},
		{"here", 9, "", "/here: is longer than the 9 bytes that it may have"},
		{"moved", 10, "", `/moved: redirects to "/lists/here", which is not followed: give the server's own address`},
		{"broken", 10, "", "/broken: 500 Internal Server Error: the disk is gone"},
		{"silent", 10, "", "/silent: 502 Bad Gateway"},
		{"cut", 10, "", "/cut: unexpected EOF"},
		{"gone", 10, "", "/gone: file does not exist"},
	} {
		data, err := server.Read(t.Context(), c.path, c.limit)
		if string(data) != c.data || (err == nil) != (c.err == "") || err != nil && err.Error() != server.String()+c.err {
			t.Errorf("%s: %q, %v; want %q, %s", c.path, data, err, c.data, c.err)
		}
	}
	if _, err := server.Answer(t.Context()); !errors.Is(err, reader.ErrNone) {
		t.Errorf("no release: %v", err)
	}
	good, bad := release.DigestOf([]byte("0123456789")), release.DigestOf([]byte("9876543210"))
	if _, err := server.Blob(t.Context(), "list", good); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no blob: %v", err)
	}
	lying := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "0123456789") })
	if data, err := lying.Blob(t.Context(), "list", good); err != nil || string(data) != "0123456789" {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := lying.Blob(t.Context(), "list", bad); err == nil || !strings.Contains(err.Error(), "list: "+lying.String()+"/v1/blob/"+bad.SHA256+": its SHA-256 is "+good.SHA256) {
		t.Errorf("another blob: %v", err)
	}
}

// A partial tile or bundle that the server dropped is the beginning of the
// full one.
func TestDroppedPartials(t *testing.T) {
	bundle := "\x00\x01a\x00\x02bc\x00\x00\x00\x01d"
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/lists/tile/0/000":
			fmt.Fprint(w, strings.Repeat("h", 256*32))
		case "/lists/tile/entries/000":
			fmt.Fprint(w, bundle)
		case "/lists/tile/entries/001":
			fmt.Fprint(w, bundle[:4])
		default:
			http.NotFound(w, r)
		}
	})
	for path, want := range map[string]string{
		"tile/0/000.p/3":       strings.Repeat("h", 96),
		"tile/entries/000.p/2": bundle[:7],
		"tile/entries/000.p/3": bundle[:9],
	} {
		if data, err := server.Read(t.Context(), path, 96); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	for path, want := range map[string]string{
		"tile/entries/001.p/2": "/tile/entries/001: ends within entry 1 of the bundle",
		"tile/0/001.p/3":       "/tile/0/001.p/3: file does not exist",
		"other/000.p/3":        "/other/000.p/3: file does not exist",
	} {
		if _, err := server.Read(t.Context(), path, 96); err == nil || err.Error() != server.String()+want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
