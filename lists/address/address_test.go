package address

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		raw, host, path string
		err             error
	}{
		{"https://www.example.com/a?b=c", "www.example.com", "/a?b=c", nil},
		{"https://example.com", "example.com", "/", nil},
		{"https://example.com?q", "example.com", "/?q", nil},
		{"https://example.com#top", "example.com", "/", nil},
		{"https://example.com/a#top/b", "example.com", "/a", nil},
		{"HTTPS://EXAMPLE.Com/Path?Q=A", "example.com", "/path?q=a", nil},
		{"https://example.com./x", "example.com", "/x", nil},
		{"http://example.com:8080/x", "example.com", "/x", nil},
		{"https://user:pass@example.com/", "example.com", "/", nil},
		{"https://a@b@example.com/", "example.com", "/", nil},
		{"https://example.com@evil.test/", "evil.test", "/", nil},
		{`https:\\example.com\a\b?c\d`, "example.com", `/a/b?c\d`, nil},
		{"http://[2001:DB8::1]:80/x", "[2001:db8::1]", "/x", nil},
		{"http://127.0.0.1/x", "127.0.0.1", "/x", nil},
		{"wss://socket.example.com/s", "socket.example.com", "/s", nil},
		{"https://xn--mnchen-3ya.de/", "xn--mnchen-3ya.de", "/", nil},
		{"https://under_score.example.com/", "under_score.example.com", "/", nil},
		{"data:image/png;base64,AA", "", "", ErrLocal},
		{"about:blank", "", "", ErrLocal},
		{"blob:https://example.com/1-2", "", "", ErrLocal},
		{"moz-extension://1-2/x.svg", "", "", ErrExtension},
		{"chrome-extension://abc/x.svg", "", "", ErrExtension},
		{"ftp://example.com/", "", "", ErrScheme},
		{"", "", "", ErrScheme},
		{"example.com/path", "", "", ErrScheme},
		{"https:", "", "", ErrHost},
		{"https:///path", "path", "/", nil}, // as the URL standard reads it
		{"https://", "", "", ErrHost},
		{"https://a..b/", "", "", ErrHost},
		{"https://.a/", "", "", ErrHost},
		{"https://a../", "", "", ErrHost},
		{"https://m\xfcnchen.de/", "", "", ErrHost},
		{"https://exa mple.com/", "", "", ErrHost},
		{"https://ex%61mple.com/%61?%61", "example.com", "/a?%61", nil},
		{"https://ex%00mple.com/", "", "", ErrHost},
		{"https://example.0/", "", "", ErrHost},
		{"https://[::1/", "", "", ErrHost},
		{"https://[]/", "", "", ErrHost},
		{"https://" + strings.Repeat("a", 254) + "/", "", "", ErrHost},
	} {
		var u URL
		if err := u.Parse([]byte(c.raw)); err != c.err {
			t.Errorf("%q: error %v, want %v", c.raw, err, c.err)
		}
		if string(u.Host()) != c.host || string(u.Path()) != c.path {
			t.Errorf("%q: %q %q, want %q %q", c.raw, u.Host(), u.Path(), c.host, c.path)
		}
	}
}

func TestLabels(t *testing.T) {
	for host, want := range map[string]string{
		"a.b.example.com": "a.b.example.com b.example.com example.com com",
		"localhost":       "localhost",
		"10.0.0.1":        "10.0.0.1",
		"[::1]":           "[::1]",
	} {
		for _, port := range []string{"", ":8080"} {
			var u URL
			if err := u.Parse([]byte("https://" + host + port + "/A")); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, label := range u.Labels() {
				got = append(got, string(u.Text()[label:u.HostEnd()]))
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s: %s, want %s", host, s, want)
			}
			if lower, exact := u.HostPath(); string(lower) != host+"/a" || string(exact) != host+"/A" {
				t.Errorf("%s%s: host and path are %q and %q", host, port, lower, exact)
			}
			if want := "https://" + host + port + "/a"; string(u.Text()) != want {
				t.Errorf("text %q, want %q", u.Text(), want)
			}
		}
	}
}

func TestWords(t *testing.T) {
	for _, raw := range []string{
		"https://www.example.com/a-b_c/1x%2F?q=Zz#frag",
		"https://example.com/" + strings.Repeat("x", 200) + "/" + strings.Repeat("/", 100) + "@y",
		"https://example.com/[`{@/:-~]0 9",
	} {
		var u URL
		if err := u.Parse([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		for i, c := range u.Text() {
			word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
			if got := u.Words()[i/64]>>(i%64)&1 == 1; got != word {
				t.Errorf("%s: byte %d, %q: word %v", u.Text(), i, c, got)
			}
			mark := 'a' <= c && c <= 'z' || strings.IndexByte("./?>", c) >= 0
			if got := u.Marks()[i/64]>>(i%64)&1 == 1; got != mark {
				t.Errorf("%s: byte %d, %q: mark %v", u.Text(), i, c, got)
			}
		}
		for _, bits := range [][]uint64{u.Words(), u.Marks()} {
			if last := len(u.Text()); last%64 > 0 && bits[last/64]>>(last%64) != 0 {
				t.Errorf("%s: bits behind the text", raw)
			}
			if blocks := (len(u.Text()) + 63) / 64; len(bits) != blocks+2 || bits[blocks] != 0 || bits[blocks+1] != 0 {
				t.Errorf("%s: want two words of zeros behind, has %x", raw, bits[blocks:])
			}
		}
		if padded := u.Padded(); string(padded[len(u.Text()):]) != strings.Repeat("\x7f", Slack) {
			t.Errorf("%s: padded with %q", raw, padded[len(u.Text()):])
		}
	}
}

func TestLongAddressesAreCutOff(t *testing.T) {
	var u URL
	long := "https://example.com/" + strings.Repeat("a/", MaxText)
	if err := u.Parse([]byte(long)); err != nil || u.Whole() || string(u.Text()) != long[:MaxText] {
		t.Errorf("%v, whole %v, %d bytes", err, u.Whole(), len(u.Text()))
	}
	if err := u.Parse([]byte(long[:MaxText])); err != nil || !u.Whole() {
		t.Errorf("%v, whole %v", err, u.Whole())
	}
	if err := u.Parse([]byte("https://example.com/a#" + long)); err != nil || !u.Whole() || string(u.Text()) != "https://example.com/a" {
		t.Errorf("before a long fragment: %v, whole %v, %s", err, u.Whole(), u.Text())
	}
	if err := u.Parse([]byte(long[:MaxText] + "#top")); err != nil || !u.Whole() {
		t.Errorf("before a fragment that begins where rules stop to look: %v, whole %v", err, u.Whole())
	}
	// What has to be rewritten is read so far that nothing can hide behind it.
	if err := u.Parse([]byte("https://" + strings.Repeat("x", 3*MaxText) + "@example.com/tracker")); err != ErrHost {
		t.Errorf("user information that hides an address: %v", err)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		host, domain string
		want         bool
	}{
		{"example.com", "example.com", true},
		{"a.example.com", "example.com", true},
		{"badexample.com", "example.com", false},
		{"com", "example.com", false},
		{"example.com", "", false},
	} {
		if got := Within([]byte(c.host), []byte(c.domain)); got != c.want {
			t.Errorf("%q within %q: %v", c.host, c.domain, got)
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	var u URL
	for _, s := range []string{
		"https://www.Example.com/some/path?with=query#fragment",
		"https://example.com:8443/a%2Fb?c=%70",
		"https://10.0.0.1/", "data:text/plain,x", "ftp://example.com/",
	} {
		raw := []byte(s)
		if n := testing.AllocsPerRun(100, func() { _ = u.Parse(raw) }); n > 0 {
			t.Errorf("%v allocations for %s", n, raw)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://example.com/a?b#c", "http://[::1]:80/", "data:,", "https://a@b:c@d:1/\\x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var u, again URL
		if u.Parse(raw) != nil {
			if len(u.Host()) != 0 {
				t.Fatalf("%q was refused and left %q behind", raw, u.Host())
			}
			return
		}
		canonical := string(u.Exact())
		if err := again.Parse(u.Exact()); err != nil || string(again.Text()) != string(u.Text()) || string(again.Host()) != string(u.Host()) {
			t.Fatalf("%q: %q is not stable: %q, %v", raw, canonical, again.Text(), err)
		}
		if again.ParseHost([]byte(raw)) != nil || string(again.Host()) != string(u.Host()) {
			t.Fatalf("%q: host %q alone is %q", raw, u.Host(), again.Host())
		}
		for _, label := range u.Labels() {
			if !Within(u.Host(), u.Text()[label:u.HostEnd()]) {
				t.Fatalf("%q begins at no label of %q", u.Text()[label:], u.Host())
			}
		}
	})
}
