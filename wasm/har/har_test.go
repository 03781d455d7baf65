package har

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func ExampleRead() {
	visit, err := Read(strings.NewReader(`{"log": {"version": "1.2", "creator": {}, "entries": [
		{"request": {"method": "GET", "url": "https://booking.example/", "headers": [
			{"name": "Sec-Fetch-Dest", "value": "document"}]}, "response": {"status": 200}},
		{"request": {"method": "POST", "url": "https://tracker.example/", "headers": [
			{"name": "Sec-Fetch-Dest", "value": "empty"}, {"name": "Cookie", "value": "id=7; seen=1"}],
			"postData": {"text": "page=1"}}, "response": {"status": 200}}
	]}}`))
	for _, e := range visit.Entries {
		fmt.Printf("%s %s on %s %q %q\n", e.Type, e.URL, e.Page, e.Cookies, e.Body)
	}
	fmt.Println(err)
	// Output:
	// main_frame https://booking.example/ on https://booking.example/ [] ""
	// xmlhttprequest https://tracker.example/ on https://booking.example/ ["id" "seen"] "page=1"
	// <nil>
}

const (
	first  = "https://www.booking.example/oncologist"
	search = "https://www.booking.example/oncologist/paris?insurance=private"
	doctor = "https://www.booking.example/doctor/martin"
	site   = "https://www.booking.example/"
)

// line writes an entry for comparison.
func line(e Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", e.Type, e.Method, e.URL)
	if e.Page != e.URL {
		fmt.Fprintf(&b, " on %s", e.Page)
	}
	if e.Referer != "" {
		fmt.Fprintf(&b, " from %s", e.Referer)
	}
	if len(e.Cookies) > 0 {
		fmt.Fprintf(&b, " cookies %s", e.Cookies)
	}
	if len(e.Body) > 0 {
		fmt.Fprintf(&b, " body %s", e.Body)
	}
	if e.Unsent {
		b.WriteString(" unsent")
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for file, want := range map[string]string{
		"firefox.har": `
main_frame GET https://booking.example/oncologist
main_frame GET <first> cookies [session]
script GET <site>app.js on <first> from <first> cookies [session]
xmlhttprequest GET <site>api/search?place=paris on <search> from <search> cookies [session]
image GET https://stats.analytics.example/collect?v=2&dl=https%3A%2F%2Fwww.booking.example%2Foncologist%2Fparis%3Finsurance%3Dprivate&cid=1.2 on <search> from <site> cookies [_id _seen]
xmlhttprequest POST https://stream.cloud.example/ on <search> from <site> body {"Records": [{"Data": "eyJldmVudCI6ICJ2aWV3IiwgInBhZ2UiOiAiaHR0cHM6Ly93d3cuYm9va2luZy5leGFtcGxlL29uY29sb2dpc3QvcGFyaXM/aW5zdXJhbmNlPXByaXZhdGUifQ=="}]}
image GET https://res.photos.example/doctors/dr-martin_120.jpg on <search> from <site>
sub_frame GET https://pay.example/frame on <search> from <site>
stylesheet GET https://pay.example/frame.css on <search> from https://pay.example/frame
beacon POST https://errors.example/report on <search> from <search> body {"level":"info"}
websocket GET wss://chat.example/socket on <search>
font GET https://fonts.example/a.woff2 on <search> from <site>
`,
		"chromium.har": `
main_frame GET <search>
script GET https://tag.analytics.example/t.js on <search> from <site>
script GET https://tag.analytics.example/t.js on <search> unsent
xmlhttprequest POST https://stats.analytics.example/collect on <search> from <site> body url=https%3A%2F%2Fwww.booking.example%2Foncologist%2Fparis%3Finsurance%3Dprivate&t=view
ping POST https://stream.cloud.example/ on <search> from <site> body {"page": "<search>"}
image GET https://res.photos.example/doctors/dr-martin_120.jpg on <search> from <site>
image GET data:image/png;base64,AA on <search>
script GET https://ads.example/ads.js on <search> unsent
sub_frame GET https://pay.example/frame on <search> from <site>
main_frame GET <doctor>
sub_frame GET https://video.example/embed on <doctor> from <site>
xmlhttprequest GET <site>api/slots on <doctor> from <doctor>
websocket GET wss://chat.example/socket on <doctor>
image GET <site>favicon.ico on <doctor> from <doctor>
`,
	} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		archive, err := Read(strings.NewReader("\ufeff" + string(text)))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		entries := archive.Entries
		want := strings.NewReplacer("<first>", first, "<search>", search, "<doctor>", doctor, "<site>", site).Replace(want)
		wants := strings.Split(strings.TrimSpace(want), "\n")
		if len(entries) != len(wants) {
			t.Fatalf("%s: %d entries, want %d", file, len(entries), len(wants))
		}
		for i, want := range wants {
			if got := line(entries[i]); got != want {
				t.Errorf("%s: entries[%d]:\n     %s\nwant %s", file, i, got, want)
			}
		}
	}
}

// Without encryption servers are told nothing of what a request is for, and
// Firefox's archive does not tell either.
func TestTypeOfContent(t *testing.T) {
	entry := func(method, url string, status int, mime string) string {
		return fmt.Sprintf(`{"request":{"method":%q,"url":%q},"response":{"status":%d,"content":{"mimeType":%q}}}`, method, url, status, mime)
	}
	wants := []string{
		"main_frame GET http://a.example/1", "main_frame GET http://a.example/2", "main_frame GET http://a.example/3",
		"stylesheet", "script", "script", "image", "font", "font", "media", "web_manifest", "xmlhttprequest", "xmlhttprequest", "other", "sub_frame", "other", "websocket",
	}
	archive, err := Read(strings.NewReader(`{"log":{"pages":[{"id":"p","title":"A"}],"entries":[` + strings.Join([]string{
		entry("GET", "http://a.example/1", 301, ""),
		entry("GET", "http://a.example/2", 302, ""),
		entry("GET", "http://a.example/3", 200, "text/html; charset=utf-8"),
		entry("GET", "http://b.example/", 200, "text/css"),
		entry("GET", "http://b.example/", 200, "text/javascript"),
		entry("GET", "http://b.example/", 200, "Application/X-JavaScript"),
		entry("GET", "http://b.example/", 200, "image/svg+xml"),
		entry("GET", "http://b.example/", 200, "font/woff2"),
		entry("GET", "http://b.example/", 200, "application/font-woff"),
		entry("GET", "http://b.example/", 200, "video/mp4"),
		entry("GET", "http://b.example/", 200, "application/manifest+json"),
		entry("GET", "http://b.example/", 200, "application/json"),
		entry("POST", "http://b.example/", 204, ""),
		entry("GET", "http://b.example/", 302, ""),
		entry("GET", "http://b.example/", 200, "application/xhtml+xml"),
		entry("GET", "http://b.example/", 200, "application/pdf"),
		entry("GET", "ws://b.example/", 101, ""),
	}, ",") + `]}}`))
	if err != nil || len(archive.Entries) != len(wants) {
		t.Fatal(err)
	}
	entries := archive.Entries
	for i, want := range wants {
		if got := line(entries[i]); !strings.HasPrefix(got, want) {
			t.Errorf("entries[%d]: %s, want %s", i, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                             "ends too early",
		`{"log":{"entries":[{"req`:     "ends too early",
		`[]`:                           `want an object, {"log": {"entries": […]}}`,
		`{"log":[]}`:                   `want an object, {"log": {"entries": […]}}`,
		`{}`:                           `log.entries: is missing`,
		`{"log":{"pages":[]}}`:         `log.entries: is missing`,
		`{"log":{"entries":{}}}`:       `entries: want an array`,
		`{"log":{"pages":{}}}`:         `pages: want an array`,
		`{"log":{"pages":[1]}}`:        `pages[0]: a number does not belong here`,
		`{"log":{"pages":[{"id":1}]}}`: `pages[0]: id: a number does not belong here`,
		`{"log":{"entries":[{"request":{"url":"x"}},{}]}}`:                                          `entries[1]: request.url: is missing`,
		`{"log":{"entries":[{"request":{"url":7}}]}}`:                                               `entries[0]: request.url: a number does not belong here`,
		`{"log":{"entries":[{"request":[]}]}}`:                                                      `entries[0]: request: a array does not belong here`,
		`{"log":{"entries":[{"request":{"url":"x","headers":{}}}]}}`:                                `entries[0]: request.headers: want an array`,
		`{"log":{"entries":[{"request":{"url":"x","headers":[{},{"value":[]}]}}]}}`:                 `entries[0]: request.headers[1]: value: a array does not belong here`,
		`{"log":{"entries":[{"request":{"url":"x","cookies":["a"]}}]}}`:                             `entries[0]: request.cookies[0]: a string does not belong here`,
		`{"log":{"entries":[{"request":{"url":"x","postData":{"params":7}}}]}}`:                     `entries[0]: request.postData.params: want an array`,
		`{"log":{"entries":[{"request":{"url":"x","postData":{"text":"!","encoding":"base64"}}}]}}`: `entries[0]: request.postData.text: illegal base64`,
		`{"log":{"entries":[{"request":{"url":"x"},"response":{"status":"200"}}]}}`:                 `entries[0]: response.status: a string does not belong here`,
		`{"log":{"entries":[` + strings.Repeat("[", 100_000):                                        `entries[0]: `,
		`{"log":{"x":` + strings.Repeat("[", 100_000):                                               `exceeded max depth`,
		`{"log":{"pages":[` + strings.Repeat("{},", maxEntries+1):                                   `pages: has more than 262144 elements`,
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.100s: %v, want %s", text, err, want)
		}
	}
}

func TestTooLong(t *testing.T) {
	long := io.MultiReader(strings.NewReader(`{"log":`), io.LimitReader(spaces{}, MaxSize))
	if _, err := Read(long); err == nil || err.Error() != "longer than 200 MB: save fewer pages into one archive" {
		t.Error(err)
	}
}

// spaces is a text without an end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzHAR(f *testing.F) {
	for _, file := range []string{"firefox.har", "chromium.har"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"log":{"pages":[{"id":"p","title":"https://a.example/"}],"entries":[{"pageref":"p","_fromCache":true,"request":{"url":"x","headers":null,"cookies":[{"name":"c"}],"postData":null},"response":null}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		archive, err := Read(bytes.NewReader(text))
		if err != nil {
			if archive != nil {
				t.Fatal("an archive beside an error")
			}
			return
		}
		for i, e := range archive.Entries {
			if e.URL == "" || e.Type.String() == "unknown" || e.On >= len(archive.Pages) || e.On >= 0 && archive.Pages[e.On].Address != e.Page {
				t.Errorf("entries[%d]: %+v", i, e)
			}
			if e.Method == "" {
				archive.Entries[i].Method = "GET"
			}
		}
		written, err := Write(archive)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(written))
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if got, want := fmt.Sprintf("%+v", again), fmt.Sprintf("%+v", archive); got != want {
			t.Errorf("%s\nis read back as\n%s\nfrom\n%s", want, got, written)
		}
	})
}
