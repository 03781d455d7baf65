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
		{"https:///path", "", "", ErrHost},
		{"https://", "", "", ErrHost},
		{"https://a..b/", "", "", ErrHost},
		{"https://.a/", "", "", ErrHost},
		{"https://a../", "", "", ErrHost},
		{"https://münchen.de/", "", "", ErrHost},
		{"https://exa mple.com/", "", "", ErrHost},
		{"https://ex%61mple.com/", "", "", ErrHost},
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

func TestSuffixes(t *testing.T) {
	for host, want := range map[string]string{
		"a.b.example.com": "com com.example com.example.b com.example.b.a",
		"localhost":       "localhost",
		"10.0.0.1":        "10.0.0.1",
		"[::1]":           "[::1]",
	} {
		key := AppendKey(nil, []byte(host))
		var got []string
		for n := NextSuffix(key, 0); n > 0; n = NextSuffix(key, n) {
			got = append(got, string(key[:n]))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", host, s, want)
		}
		if back := AppendHost(nil, key); string(back) != host {
			t.Errorf("%s came back as %s", host, back)
		}
	}
}

func TestDirectories(t *testing.T) {
	path := []byte("/a/b?c/d")
	var got []string
	for n := NextDirectory(path, 0); n > 0; n = NextDirectory(path, n) {
		got = append(got, string(path[:n]))
	}
	if s := strings.Join(got, " "); s != "/ /a/ /a/b?c/" {
		t.Error(s)
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
	raw := []byte("https://user@WWW.Example.com:443/some/path?with=query#fragment")
	if n := testing.AllocsPerRun(100, func() { _, _ = u.Parse(raw), u.Path() }); n > 0 {
		t.Errorf("%v allocations a URL", n)
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
		canonical := "https://" + string(u.Host()) + string(u.Path())
		if err := again.Parse([]byte(canonical)); err != nil || string(again.Host()) != string(u.Host()) || string(again.Path()) != string(u.Path()) {
			t.Fatalf("%q: %q is not stable: %q %q, %v", raw, canonical, again.Host(), again.Path(), err)
		}
		key := AppendKey(nil, u.Host())
		if back := AppendHost(nil, key); string(back) != string(u.Host()) {
			t.Fatalf("host %q came back as %q", u.Host(), back)
		}
		for n := NextSuffix(key, 0); n > 0; n = NextSuffix(key, n) {
			if !Within(u.Host(), AppendHost(nil, key[:n])) {
				t.Fatalf("%q is no suffix of %q", key[:n], u.Host())
			}
		}
	})
}
