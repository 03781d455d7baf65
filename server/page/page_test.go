package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/log"
	"paravent/server/store"
)

// A memory holds objects, and counts how often each is read.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
	read map[string]int
}

func (m *memory) Get(_ context.Context, name string) ([]byte, store.Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read[name]++
	data, ok := m.data[name]
	if !ok {
		return nil, "", fs.ErrNotExist
	}
	return data, "", nil
}

const firstList = `paravent list 1
[sites]
booking.example	Booking
booking.test	Booking
[recipients]
tracker.example	FR	Tracker & Co
[needs]
||consent.example^$domain=booking.example
[exceptions]
@@||tracker.example/x.js$domain=elsewhere.example
[photos]
||photos.example/doctors/*.jpg
[hosts]
gone.example
tracker.example
[rules]
/pixel.gif?
||ads.example^$third-party,script,to=~ok.ads.example,method=post
`

var secondList = strings.Replace(firstList, "gone.example\ntracker.example\n", "a.tracker.example\nb.tracker.example\ntracker.example\n", 1)

var (
	issued = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	anna   = newKey("anna.example")
	chloe  = newKey("chloe.example")
	logKey = newKey("log.example")
)

type pair struct {
	note.Signer
	public string
}

func newKey(name string) pair {
	secret, public, err := note.GenerateKey(strings.NewReader(name+strings.Repeat("-", 64)), name)
	if err != nil {
		panic(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		panic(err)
	}
	return pair{signer, public}
}

// server publishes these lists one after the other; with the last, the keys
// change.
func server(t *testing.T, lists ...string) (*memory, http.Handler) {
	t.Helper()
	m := &memory{data: map[string][]byte{}, read: map[string]int{}}
	secret, witness, err := release.GenerateCosigner(strings.NewReader(strings.Repeat("w", 64)), "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := release.NewCosigner(secret, func() time.Time { return issued.Add(time.Minute) })
	if err != nil {
		t.Fatal(err)
	}
	var bundle []byte
	for i, list := range lists {
		put := func(text string) release.Digest {
			d := release.DigestOf([]byte(text))
			m.data["v1/blob/"+d.SHA256] = []byte(text)
			return d
		}
		signers := []note.Signer{anna}
		trust := "threshold 1\nmaintainer " + anna.public + "\nlog " + logKey.public + "\nwitness outside " + witness + "\nquorum outside\n"
		if i > 0 && i == len(lists)-1 {
			signers = append(signers, chloe)
			trust = "threshold 2\nmaintainer " + chloe.public + "\nmaintainer " + anna.public + "\nlog " + logKey.public + "\nwitness outside " + witness + "\nquorum outside\n"
		}
		r := release.Release{
			Index: uint64(i), Issued: issued.AddDate(0, 0, i), Expires: issued.AddDate(0, 1, i), WaitSeconds: 900, Source: strings.Repeat("ab", 20),
			Trust: put(trust), List: put(list), Bundle: put("bundle"), Filters: put("filters"),
		}
		body, err := r.Body()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(&note.Note{Text: body}, signers...)
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(signed))), signed...)
		checkpoint, err := note.Sign(&note.Note{Text: release.FormatCheckpoint("log.example", release.Tree{Size: uint64(i + 1)})}, logKey, cosigner)
		if err != nil {
			t.Fatal(err)
		}
		m.data["v1/release"] = release.Join(signed, release.Proof{Index: uint64(i), Checkpoint: checkpoint})
		m.data[log.EntriesPath(0, i+1)] = append([]byte(nil), bundle...)
	}
	return m, &handler{objects: m, log: slog.New(slog.NewTextHandler(t.Output(), nil)), now: func() time.Time { return issued.AddDate(0, 0, 2) }}
}

func get(t *testing.T, h http.Handler, target, language string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

// wants checks that a page has these texts, in this order.
func wants(t *testing.T, page string, texts ...string) {
	t.Helper()
	rest := page
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("no %q in its place in\n%s", text, page[strings.Index(page, "</style>"):])
			return
		}
		rest = after
	}
}

func TestRelease(t *testing.T) {
	_, h := server(t, firstList, secondList, secondList)
	response, body := get(t, h, "https://lists.example/", "en-GB,en;q=0.5")
	wants(t, body, `<html lang="en">`, "Release 2 is in force", "24 November 2026, 07:00 UTC",
		"<li>anna.example</li><li>chloe.example</li>", "2 of the 2 maintainers’ keys are needed", "This release changed the keys",
		"outside, on 22 November 2026, 07:01 UTC", "abababababababababababababababababababab",
		"<strong>3</strong> hosts", "<strong>5</strong> rules", "<strong>1</strong> protected site<", "<strong>1</strong> organisation that",
		"What changed since release 1", "Nothing in the list.", `Booking <span class="quiet">booking.example booking.test</span>`,
		"<td>1</td>", "<td>0</td>", "paravent release verify -trust lists/trust.txt https://lists.example<")
	for name, want := range map[string]string{
		"Content-Language": "en", "Vary": "Accept-Language", "Content-Type": "text/html; charset=utf-8", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if response.Header.Get("Set-Cookie") != "" || strings.Contains(body, "<script") {
		t.Error("a cookie or a script")
	}
	// The page's policy lets exactly its own style in.
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)
	sum := sha256.Sum256([]byte(style[1]))
	if !strings.Contains(response.Header.Get("Content-Security-Policy"), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("policy %s", response.Header.Get("Content-Security-Policy"))
	}

	_, h = server(t, firstList, secondList)
	_, body = get(t, h, "http://lists.localhost:8480/", "fr-CA")
	wants(t, body, `<html lang="fr">`, "La version 1 est en vigueur", "23 novembre 2026 à 07:00 UTC", "Ce qui a changé depuis la version 0",
		"Hôtes bloqués", "+2 −1", `aria-label="retiré">−</span>gone.example</li>`, `aria-label="ajouté">+</span>a.tracker.example <span class="who">Tracker &amp; Co (FR)</span>`,
		"Pour qui", "2 de plus, 0 de moins", "paravent release verify -trust lists/trust.txt http://lists.localhost:8480<")

	_, h = server(t, firstList)
	_, body = get(t, h, "/?lang=en", "fr")
	wants(t, body, "Release 0 is in force", "This is the first release")
	h.(*handler).now = func() time.Time { return issued.AddDate(1, 0, 0) }
	_, body = get(t, h, "/", "de")
	wants(t, body, `<div class="state care">`, "Release 0 is in force, but has expired", "go on protecting")
}

func TestSearch(t *testing.T) {
	_, h := server(t, firstList, secondList)
	for _, c := range []struct {
		query string
		wants []string
	}{
		{"tracker.example", []string{"tracker.example is listed</h1>", "Tracker &amp; Co, with its seat in France", "The law at its seat: GDPR, Regulation (EU) 2016/679.", "<code>||tracker.example^</code>",
			"Stops all requests to tracker.example and its subdomains on protected sites.", "One rule holds only on pages of sites that nobody protects",
			"@@||tracker.example/x.js$domain=elsewhere.example", "2 of its subdomains are listed by themselves", `href="/search?q=a.tracker.example&amp;lang=en"`,
			"Why it was listed", "commit abababababababababababababababababababab", "1 more rules look at the address alone"}},
		{"https://x.y.TRACKER.example:8080/path?q=1", []string{"x.y.tracker.example is listed</h1>", "||tracker.example^"}},
		{"ads.example", []string{"ads.example is listed, under conditions</h1>", "The list does not say.", "on protected sites, if:", "the page is of another site", "it is for: scripts", "it is sent with POST", "it does not go to ok.ads.example"}},
		{"photos.example", []string{"under conditions", "come the private way", "the address begins with photos.example/doctors/*.jpg", "stands for any text"}},
		{"consent.example", []string{"consent.example is let through", "because a site does not work without them, if:", "the page is on booking.example"}},
		{"www.booking.test", []string{"www.booking.test is not listed", "No rule of release 1 names it", "It belongs to Booking"}},
		{"<script>alert(1)</script>", []string{"“&lt;script&gt;alert(1)&lt;/script&gt;” is no host"}},
		{`a" onfocus="alert(1)`, []string{`value="a&#34; onfocus=&#34;alert(1)"`, "is no host"}},
		{"", []string{"Write the name of a host above."}},
		{strings.Repeat("é", 900), []string{"é” is no host"}},
		{"127.0.0.1", []string{"127.0.0.1 is not listed"}},
	} {
		r := httptest.NewRequest("GET", "/search", nil)
		r.URL.RawQuery = "lang=en&q=" + strings.NewReplacer(" ", "+", `"`, "%22", "&", "%26", "<", "%3C", ">", "%3E").Replace(c.query)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		wants(t, w.Body.String(), c.wants...)
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: status %d", c.query, w.Code)
		}
	}
}

func TestNothingAndTrouble(t *testing.T) {
	m, h := server(t)
	response, body := get(t, h, "/", "fr")
	wants(t, body, "Rien n’est encore publié ici")
	if response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
	m.data["v1/release"] = []byte("something else")
	response, body = get(t, h, "/search?q=x.example", "en")
	wants(t, body, "This page cannot be shown just now")
	if response.StatusCode != http.StatusInternalServerError {
		t.Error(response.Status)
	}
	// A blob that is not what the release names is not shown.
	m, h = server(t, firstList)
	m.data["v1/blob/"+release.DigestOf([]byte(firstList)).SHA256] = []byte(secondList)
	if response, _ = get(t, h, "/", "en"); response.StatusCode != http.StatusInternalServerError {
		t.Error(response.Status)
	}
}

// The page reads lists by itself, and as those do who compile them.
func TestReadsAsCompilers(t *testing.T) {
	const text = `paravent list 1
[sites]
[recipients]
[needs]
[exceptions]
@@||[::1]/x
[photos]
[hosts]
1.2.3.4
[::1]
tracker.example
[rules]
/a/b
|https://start.example^
||1.2.3.4/x
||[::1]/x|y
||ads.example.$script
||begin.example$domain=a.example|b.example
||host.example/x$domain=a.example
||host.example:8080^
||host.example^$script
`
	l, err := readList([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	read, err := compile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	nameless, hosts := 0, 0
	for _, r := range read.Rules {
		switch {
		case r.Kind == bundle.Block && r.Rule.Plain():
			hosts++
		case r.Rule.Host == "":
			nameless++
		case !slices.ContainsFunc(l.rules[r.Rule.Host], func(other line) bool { return other.text == r.Rule.String() }):
			t.Errorf("%s is not found by its host", r.Rule)
		}
	}
	if l.Nameless != nameless || len(l.Hosts) != hosts || l.Rules != len(read.Rules)-hosts {
		t.Errorf("%d nameless, %d hosts and %d rules, want %d, %d and %d", l.Nameless, len(l.Hosts), l.Rules, nameless, hosts, len(read.Rules)-hosts)
	}
	for _, bad := range []string{"", "paravent list 2\n", "paravent list 1\n[sites]\n", "paravent list 1\n||x^\n", strings.Replace(text, "/a/b", "a\tb", 1)} {
		if _, err := readList([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// A list is read once a release, however many ask at the same time, and a new
// release is shown at once.
func TestReadOnce(t *testing.T) {
	m, h := server(t, firstList)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { get(t, h, "/search?q=tracker.example", "en") })
	}
	all.Wait()
	name := "v1/blob/" + release.DigestOf([]byte(firstList)).SHA256
	if m.read[name] != 1 || m.read["v1/release"] != 20 {
		t.Errorf("the list was read %d times, the release %d times", m.read[name], m.read["v1/release"])
	}
	other, _ := server(t, firstList, secondList)
	m.mu.Lock()
	m.data = other.data
	m.mu.Unlock()
	_, body := get(t, h, "/", "en")
	wants(t, body, "Release 1 is in force")
}

func TestHead(t *testing.T) {
	_, h := server(t, firstList)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("HEAD", "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
	}
}

// Both languages say everything, with the same slots, and no page asks for
// anything else.
func TestLanguages(t *testing.T) {
	slots := func(text string) int { return strings.Count(text, "%s") }
	en, fr := languages["en"], languages["fr"]
	for key, text := range en.words {
		if other, ok := fr.words[key]; !ok || slots(other) != slots(text) {
			t.Errorf("%s: %q and %q", key, text, other)
		}
	}
	if len(en.words) != len(fr.words) || len(en.countries) != len(fr.countries) {
		t.Errorf("%d and %d words, %d and %d countries", len(en.words), len(fr.words), len(en.countries), len(fr.countries))
	}
	source, err := os.ReadFile("render.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, use := range regexp.MustCompile(`(?:say|many|line)\((?:"[a-z0-9]+", )?"([a-z.]+[a-z])"`).FindAllStringSubmatch(string(source), -1) {
		if en.words[use[1]] == "" {
			t.Errorf("no words for %s", use[1])
		}
	}
	for header, want := range map[string]string{"": "en", "de": "en", "fr": "fr", "fr-CH, fr;q=0.9, en;q=0.8": "fr", "en;q=0.2,fr;q=0.7": "fr", "FR;q=x,en": "en", "fr;q=0": "en"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", header)
		if got := languageOf(r); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
