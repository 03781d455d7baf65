package demo

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A visit is a running demo and a client that resolves .localhost to loopback,
// as browsers do.
type visit struct {
	*testing.T
	Addresses
	client *http.Client
	line   string
}

func start(t *testing.T, o Options) *visit {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	o.Ready = w
	done := make(chan error, 1)
	go func() {
		err := Run(ctx, o)
		w.CloseWithError(fmt.Errorf("Run ended: %w", err))
		done <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{T: t, line: line}
	if err := json.Unmarshal([]byte(line), &v.Addresses); err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	v.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error("Run:", err)
		}
	})
	return v
}

// send makes a request; headers come in pairs.
func (v *visit) send(method, address, body string, headers ...string) (*http.Response, string) {
	v.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.Fatal(err)
	}
	return resp, string(b)
}

func (v *visit) get(address string, headers ...string) string {
	v.Helper()
	resp, body := v.send("GET", address, "", headers...)
	if resp.StatusCode != http.StatusOK {
		v.Fatalf("GET %s: %s", address, resp.Status)
	}
	return body
}

func (v *visit) standing(key, lang string) Standing {
	v.Helper()
	var b Board
	if err := json.Unmarshal([]byte(v.get(v.Board+"/api/record?lang="+lang)), &b); err != nil {
		v.Fatal(err)
	}
	for _, s := range append(b.Recipients, b.Needs...) {
		if s.Key == key {
			return s
		}
	}
	v.Fatalf("the board has no %q", key)
	return Standing{}
}

func (v *visit) reset() {
	v.Helper()
	if resp, _ := v.send("POST", v.Board+"/api/reset", ""); resp.StatusCode != http.StatusNoContent {
		v.Fatal("reset:", resp.Status)
	}
	v.client.CloseIdleConnections() // the demo hung up on them
}

func TestReadyLine(t *testing.T) {
	v := start(t, Options{Lists: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the list") })})
	if strings.Count(v.line, "\n") != 1 {
		t.Errorf("not one line: %q", v.line)
	}
	want := map[string]string{"site": v.Site, "lists": v.Addresses.Lists, "board": v.Board}
	hosts := map[string]string{"site": "booking.localhost", "lists": "lists.localhost", "board": "board.localhost"}
	for _, key := range recipientKeys {
		want[key], hosts[key] = v.Recipients[key], key+".localhost"
	}
	for _, key := range needKeys {
		want[key], hosts[key] = v.Needs[key], key+".localhost"
	}
	hosts["metrics"] = "metrics.booking.localhost"
	ports := map[string]bool{}
	for key, origin := range want {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" || u.Hostname() != hosts[key] || u.Port() == "" {
			t.Errorf("%s: origin %q, want http://%s:PORT", key, origin, hosts[key])
		}
		ports[u.Port()] = true
	}
	if len(ports) != len(want) {
		t.Errorf("%d hosts share %d ports", len(want), len(ports))
	}
	if got := v.get(v.Addresses.Lists + "/v1/release"); got != "the list" {
		t.Errorf("lists answered %q", got)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	err = Run(t.Context(), Options{Port: port})
	if err == nil || !strings.Contains(err.Error(), "booking.localhost") || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("error %v does not name the host and the port", err)
	}
}

// Each leak in the shape in which a page makes it, and the sentence that its
// recipient makes of it.
func TestLeaks(t *testing.T) {
	v := start(t, Options{})
	page := v.Site + "/oncologist/paris?insurance=private&motive=breast-lump"
	doctor := v.Site + "/doctor/camille-aubert"
	q := url.QueryEscape
	at := v.Recipients
	stream, err := json.Marshal(map[string]any{"DeliveryStreamName": "live", "Record": map[string]any{
		"Data": base64.StdEncoding.EncodeToString([]byte(`{"page_url":"` + page + `","session_id":"S1","user_agent":"Mozilla"}`))}})
	if err != nil {
		t.Fatal(err)
	}
	search := []string{"looked for an oncologist in Paris", "chose private insurance", "gave as reason: A lump in the breast"}
	tests := []struct {
		name, host, method, url, body string
		headers                       []string
		want                          []string
	}{
		{"referer", "analytics", "GET", at["analytics"] + "/tag.js?id=1", "", []string{"Referer", page}, search},
		{"dl= by beacon", "analytics", "POST", at["analytics"] + "/collect?v=2&dl=" + q(page), "", nil, search},
		{"page_location= by fetch", "analytics", "POST", at["analytics"] + "/g/collect?page_location=" + q(page), "", nil, search},
		{"strict page", "analytics", "POST", at["analytics"] + "/collect?dl=" + q(v.Site+"/strict/psychiatrist/lyon"), "", nil, []string{"looked for a psychiatrist in Lyon"}},
		{"form under the site's name", "metrics", "POST", at["metrics"] + "/e", "url=" + q(page), []string{"Content-Type", "application/x-www-form-urlencoded"}, search},
		{"the site's session", "metrics", "GET", at["metrics"] + "/t.js", "", []string{"Cookie", "session=S1"}, []string{"has the booking site's own session number"}},
		{"base64 in a stream", "stream", "POST", at["stream"] + "/live", string(stream), nil, search},
		{"insurance and motive", "ads", "GET", at["ads"] + "/p/obtp?insuranceSector=private&motiveKey=hiv-test", "", nil, []string{"chose private insurance", "gave as reason: HIV test"}},
		{"search term", "ads", "GET", at["ads"] + "/p/obtp?search_term=psychiatrist+lyon", "", nil, []string{"looked for a psychiatrist in Lyon"}},
		{"button and name", "ads", "GET", at["ads"] + "/tr?cd%5BbuttonText%5D=Book+now&cd%5Bdoctor%5D=Dr+X", "", nil, []string{"looked at Dr X by name", "pressed “Book now”"}},
		{"breadcrumbs", "errors", "POST", at["errors"] + "/api/42/envelope/", "{}\n{\"type\":\"event\"}\n" + `{"breadcrumbs":[{"category":"navigation","data":{"from":"/","to":"/book/camille-aubert"}}]}`, nil,
			[]string{"began to book with Dr Camille Aubert, an oncologist in Paris", "has every step before, in order"}},
		{"replay", "errors", "POST", at["errors"] + "/api/42/replay/", `{"events":[{"type":"input","field":"message","value":"I am afraid"}]}`, nil, []string{"typed “I am afraid” into “Message to the doctor”"}},
		{"widget", "widgets", "GET", at["widgets"] + "/doctor/widget?doctor=camille-aubert&referer=" + q(doctor), "", nil, []string{"opened the page of Dr Camille Aubert, an oncologist in Paris"}},
		{"photo", "photos", "GET", at["photos"] + bySlug["camille-aubert"].photo(160), "", nil, []string{"saw this doctor: Dr Camille Aubert"}},
		{"bucket", "bucket", "GET", at["bucket"] + bySlug["camille-aubert"].bucketPhoto(), "", nil, []string{"saw this doctor: Dr Camille Aubert"}},
		{"cookie", "ads", "GET", at["ads"] + "/tr", "", []string{"Cookie", "visitor=V1"}, []string{"recognises this browser when it comes back"}},
		{"origin alone", "photos", "GET", at["photos"] + "/", "", []string{"Referer", v.Site + "/"}, []string{"knows that somebody at this address visits booking.localhost, but not which page"}},
		{"tiles", "map", "GET", v.Needs["map"] + "/tiles/15/16599/11272.png", "", nil, []string{"looked at a map of Paris"}},
		{"gateway", "photos", "GET", at["photos"] + bySlug["camille-aubert"].photo(160), "", []string{"User-Agent", "Paravent gateway"}, []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := &visit{t, v.Addresses, v.client, ""}
			v.reset()
			v.send(test.method, test.url, test.body, test.headers...)
			s := v.standing(test.host, "en")
			if !slices.Equal(s.Learnt, test.want) {
				t.Errorf("learnt %q, want %q", s.Learnt, test.want)
			}
			if len(s.Requests) != 1 || s.Requests[0].URL != test.url || s.Requests[0].Body != test.body {
				t.Errorf("recorded %+v", s.Requests)
			}
			for _, other := range append(slices.Clone(recipientKeys), needKeys...) {
				if other != test.host && len(v.standing(other, "en").Learnt) > 0 {
					t.Errorf("%s learnt of what %s received", other, test.host)
				}
			}
		})
	}
}

func TestPhotoHostRebuildsTheSearch(t *testing.T) {
	v := start(t, Options{})
	html := v.get(v.Site + "/rheumatologist/strasbourg")
	found := regexp.MustCompile(regexp.QuoteMeta(v.Recipients["photos"])+`/\S+?w_160\S+?\.jpg`).FindAllString(html, -1)
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) != perPage {
		t.Fatalf("the page names %d photos of 160 pixels, want %d", len(found), perPage)
	}
	for _, address := range found {
		img, _, err := image.Decode(strings.NewReader(v.get(address)))
		if err != nil || img.Bounds().Dx() != 160 {
			t.Fatalf("%s: %v", address, err)
		}
	}
	fr := v.standing("photos", "fr").Learnt
	if len(fr) != 2 || !strings.HasPrefix(fr[0], "a vu ces huit médecins") || fr[1] != "a donc cherché un rhumatologue à Strasbourg" {
		t.Errorf("learnt %q", fr)
	}
	for _, way := range []string{"<picture>", `loading="lazy"`, "srcset=", "data-late=", "sizes="} {
		if !strings.Contains(html, way) {
			t.Errorf("no photo is loaded by %s", way)
		}
	}
}

func TestPhotoGrammar(t *testing.T) {
	v := start(t, Options{})
	d := bySlug["camille-aubert"]
	other := strings.Replace(d.publicID, d.publicID[:1], "-", 1)
	photos, bucket := v.Recipients["photos"], v.Recipients["bucket"]
	for address, want := range map[string]int{
		photos + d.photo(80):  200,
		photos + d.photo(320): 200,
		photos + d.photo(81):  404,
		photos + "/clinic/image/upload/w_160,h_80,c_fill/" + d.publicID + ".jpg":               404,
		photos + "/clinic/image/upload/w_160,h_160,c_fill/" + other + ".jpg":                   404,
		photos + "/clinic/image/upload/w_160,h_160,c_fill/" + strings.Repeat("a", 20) + ".jpg": 404,
		photos + strings.ReplaceAll(d.photo(160), "c_fill", "%63_fill"):                        404,
		photos + d.photo(160) + "/": 404,
		photos + d.bucketPhoto():    404,
		photos + "/":                404,
		bucket + d.bucketPhoto():    200,
		bucket + d.photo(160):       404,
		bucket + strings.Replace(d.bucketPhoto(), "_220_", "_140_", 1): 404,
	} {
		resp, body := v.send("GET", address, "")
		if resp.StatusCode != want {
			t.Errorf("GET %s: %s, want %d", address, resp.Status, want)
		}
		if want == 200 && (resp.Header.Get("Content-Type") != "image/jpeg" || len(body) < 2000 || len(body) > 40000) {
			t.Errorf("GET %s: %s, %d bytes", address, resp.Header.Get("Content-Type"), len(body))
		}
	}
	seen := map[string]string{}
	for _, d := range search("oncologist", "paris") {
		b := string(portrait(d, 80))
		if twin := seen[b]; twin != "" {
			t.Errorf("%s and %s have the same photo", d.slug, twin)
		}
		seen[b] = d.slug
	}
}

// answers asks the needed third parties as their scripts do.
func (v *visit) answers() url.Values {
	v.Helper()
	form := func(address string, values url.Values) map[string]any {
		_, body := v.send("POST", address, values.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", v.Site)
		var m map[string]any
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			v.Fatalf("POST %s: %q", address, body)
		}
		return m
	}
	var challenge struct{ Nonce string }
	if err := json.Unmarshal([]byte(v.get(v.Needs["captcha"]+"/challenge")), &challenge); err != nil {
		v.Fatal(err)
	}
	proof := 0
	for !proven(challenge.Nonce, strconv.Itoa(proof)) {
		proof++
	}
	consent := form(v.Needs["consent"]+"/api/choice", url.Values{"choice": {"refused"}})
	captcha := form(v.Needs["captcha"]+"/answer", url.Values{"nonce": {challenge.Nonce}, "proof": {strconv.Itoa(proof)}})
	pay := form(v.Needs["pay"]+"/authorise", url.Values{"card": {"4242"}})
	return url.Values{
		"consent": {consent["receipt"].(string)}, "captcha": {captcha["token"].(string)}, "pay": {pay["receipt"].(string)},
		"motive": {"breast-lump"}, "insurance": {"private"}, "lastname": {"Martin"},
	}
}

func TestBookingChecksReceipts(t *testing.T) {
	v := start(t, Options{})
	whole := v.answers()
	post := func(base string, change func(url.Values)) *http.Response {
		form := url.Values{}
		for k, x := range whole {
			form[k] = x
		}
		change(form)
		resp, _ := v.send("POST", v.Site+base+"/book/camille-aubert", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		return resp
	}
	if resp := post("", func(url.Values) {}); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "/confirmed?") {
		t.Fatalf("the whole form: %s", resp.Status)
	} else if !strings.Contains(v.get(v.Site+resp.Header.Get("Location")), "data-confirmed") {
		t.Error("the page after booking is not marked as confirmed")
	}
	expired := "captcha.1.X"
	for name, change := range map[string]func(url.Values){
		"no consent":        func(f url.Values) { f.Del("consent") },
		"no captcha":        func(f url.Values) { f.Del("captcha") },
		"no payment":        func(f url.Values) { f.Del("pay") },
		"another's receipt": func(f url.Values) { f["captcha"] = f["pay"] },
		"changed captcha":   func(f url.Values) { f.Set("captcha", f.Get("captcha")+"A") },
		"made-up captcha":   func(f url.Values) { f.Set("captcha", expired+".AAAA") },
		"nonsense":          func(f url.Values) { f.Set("captcha", "...") },
		"unknown motive":    func(f url.Values) { f.Set("motive", "x") },
		"no name":           func(f url.Values) { f.Set("lastname", " ") },
	} {
		if resp := post("", change); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s, want 422", name, resp.Status)
		}
	}
	if resp := post("/strict", func(f url.Values) { f.Del("consent"); f.Del("captcha"); f.Del("pay") }); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("strict, where no third party can be asked: %s", resp.Status)
	}
	r := newReceipts()
	if old := expired + "." + r.mac(expired); r.verify("captcha", old) {
		t.Error("an expired receipt holds")
	}
	if newReceipts().verify("pay", r.issue("pay")) {
		t.Error("a receipt of another run holds")
	}
	if resp, _ := v.send("POST", v.Needs["captcha"]+"/answer", "nonce="+r.issue("challenge")+"&proof=1", "Content-Type", "application/x-www-form-urlencoded"); resp.StatusCode != 422 {
		t.Errorf("captcha took a nonce that is not its own: %s", resp.Status)
	}
}

// Under the policy no page may hold code of its own, so no page in any variant does.
func TestNoInlineCode(t *testing.T) {
	v := start(t, Options{})
	policy := "default-src 'self'; img-src 'self' " + v.Recipients["photos"] + " " + v.Recipients["bucket"]
	inline := map[string]*regexp.Regexp{
		"a script without src": regexp.MustCompile(`<script(?:>| [^>]*>)[^<]`),
		"a style element":      regexp.MustCompile(`(?i)<style`),
		"a style attribute":    regexp.MustCompile(`(?i)<[^>]+\sstyle\s*=`),
		"a handler":            regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
		"a javascript: link":   regexp.MustCompile(`(?i)javascript:`),
	}
	for _, base := range []string{"", "/strict", "/offline"} {
		seen, queue := map[string]bool{}, []string{base + "/", base + "/nowhere", base + "/confirmed?doctor=camille-aubert&lang=fr"}
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			resp, html := v.send("GET", v.Site+path, "")
			if got := resp.Header.Get("Content-Security-Policy"); base == "/strict" && got != policy || base != "/strict" && got != "" {
				t.Fatalf("%s: policy %q", path, got)
			}
			for what, re := range inline {
				if m := re.FindString(html); m != "" {
					t.Errorf("%s has %s: %q", path, what, m)
				}
			}
			if base == "/strict" && strings.Contains(html, v.Needs["pay"]) {
				t.Errorf("%s embeds what its policy forbids", path)
			}
			for _, m := range regexp.MustCompile(`<a [^>]*href="([^"]+)"`).FindAllStringSubmatch(html, -1) {
				path, _, _ := strings.Cut(m[1], "?") // slots and choices make no other page
				if !strings.HasPrefix(path, base+"/") {
					t.Errorf("a link leaves the variant: %s", m[1])
				}
				if !seen[path] && len(seen) < 60 {
					seen[path] = true
					queue = append(queue, path)
				}
			}
		}
		if len(seen) < 60 {
			t.Errorf("%s: only %d pages are linked", base, len(seen))
		}
	}
}

func TestConnections(t *testing.T) {
	v := start(t, Options{})
	u, err := url.Parse(v.Recipients["analytics"])
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", "127.0.0.1:"+u.Port())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := []string{"opened a connection: knows that this address is about to visit"}
	var s Standing
	for range 100 {
		if s = v.standing("analytics", "en"); s.Connections == 1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s.Connections != 1 || s.Silent != 1 || !slices.Equal(s.Learnt, want) {
		t.Fatalf("after a preconnect: %d connections, %d silent, learnt %q", s.Connections, s.Silent, s.Learnt)
	}
	v.reset()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("reset did not hang up: %v", err)
	}
	if s := v.standing("analytics", "en"); s.Connections != 0 || len(s.Learnt) != 0 {
		t.Errorf("after the reset: %d connections, learnt %q", s.Connections, s.Learnt)
	}

	photo := v.Recipients["photos"] + bySlug["camille-aubert"].photo(160)
	v.get(photo, "User-Agent", "Paravent gateway")
	s = v.standing("photos", "en")
	if s.Connections != 0 || len(s.Learnt) != 0 || s.Requests[0].From != "gateway" || s.Relayed == "" {
		t.Errorf("the gateway counts as a browser: %+v", s)
	}
}

func TestRecordIsBounded(t *testing.T) {
	rec := newRecord(limits{maxRequests, maxRecordBytes})
	body := strings.Repeat("x", maxBody)
	for i := range 3 * maxRequests {
		r := Request{URL: strconv.Itoa(i), From: "browser"}
		if i%2 == 0 {
			r.Body = body
		}
		rec.add(r, nil)
	}
	got := rec.received()
	size := 0
	for i := range got.requests {
		size += got.requests[i].size()
	}
	if len(got.requests) > maxRequests || size > maxRecordBytes || rec.bytes != size {
		t.Errorf("%d requests of %d bytes, counted as %d", len(got.requests), size, rec.bytes)
	}
	if got.dropped+len(got.requests) != 3*maxRequests {
		t.Errorf("%d dropped and %d kept of %d", got.dropped, len(got.requests), 3*maxRequests)
	}
	if last := got.requests[len(got.requests)-1].URL; last != strconv.Itoa(3*maxRequests-1) {
		t.Errorf("the newest is %s", last)
	}

	v := start(t, Options{})
	v.send("POST", v.Recipients["stream"]+"/live?"+strings.Repeat("é", maxText), strings.Repeat("y", 2*maxBody))
	if r := v.standing("stream", "en").Requests[0]; len(r.Body) > maxBody || len(r.URL) > 2*maxText {
		t.Errorf("kept a body of %d and an address of %d bytes", len(r.Body), len(r.URL))
	}
}

func TestBoard(t *testing.T) {
	v := start(t, Options{})
	v.get(v.Recipients["analytics"] + "/tag.js")
	if resp, _ := v.send("POST", v.Board+"/api/reset", "", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site resets the board: %s", resp.Status)
	}
	if n := len(v.standing("analytics", "en").Requests); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	v.reset()
	var b Board
	raw := v.get(v.Board + "/api/record")
	if err := json.Unmarshal([]byte(raw), &b); err != nil || strings.Contains(raw, "null") {
		t.Fatalf("%v in %s", err, raw)
	}
	if len(b.Recipients) != len(recipientKeys) || len(b.Needs) != len(needKeys) {
		t.Errorf("%d recipients, %d needs", len(b.Recipients), len(b.Needs))
	}
	for _, s := range append(b.Recipients, b.Needs...) {
		if len(s.Requests) != 0 || len(s.Learnt) != 0 {
			t.Errorf("%s still knows something", s.Key)
		}
	}
	for lang, title := range map[string]string{"en": "What the others have learnt", "fr": "Ce que les autres ont appris"} {
		if html := v.get(v.Board + "/?lang=" + lang); !strings.Contains(html, title) {
			t.Errorf("the board does not speak %s", lang)
		}
	}
}

var verb = regexp.MustCompile(`%[sd]`)

func TestWords(t *testing.T) {
	for key, en := range words["en"] {
		if fr, ok := words["fr"][key]; !ok {
			t.Errorf("%s is missing in French", key)
		} else if a, b := verb.FindAllString(en, -1), verb.FindAllString(fr, -1); !slices.Equal(a, b) {
			t.Errorf("%s has the slots %v in English and %v in French", key, a, b)
		}
	}
	for key := range words["fr"] {
		if _, ok := words["en"][key]; !ok {
			t.Errorf("%s is missing in English", key)
		}
	}
	for _, test := range []struct {
		accept, query string
		want          lang
	}{{"", "", "en"}, {"fr-CH,de;q=0.8", "", "fr"}, {"de,fr;q=0.8,en;q=0.7", "", "fr"}, {"fr", "en", "en"}, {"en", "xx", "en"}, {"it", "", "en"}} {
		r, err := http.NewRequest("GET", "/?lang="+test.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", test.accept)
		if got := langOf(r); got != test.want {
			t.Errorf("Accept-Language %q, lang=%q: %s, want %s", test.accept, test.query, got, test.want)
		}
	}

	// A key without a sentence would show as itself.
	v := start(t, Options{})
	key := regexp.MustCompile(`>\s*(home|results|doctor|book|confirmed|site|specialty|motive|insurance|day|month|tag|any)\.[a-z.-]+\s*<|!\(|%!`)
	for _, path := range []string{"/", "/oncologist/paris?motive=breast-lump", "/doctor/camille-aubert", "/book/camille-aubert", "/confirmed?doctor=camille-aubert", "/nowhere"} {
		for _, lang := range []string{"en", "fr"} {
			_, html := v.send("GET", v.Site+path, "", "Accept-Language", lang)
			if m := key.FindString(html); m != "" {
				t.Errorf("%s in %s shows %q", path, lang, m)
			}
		}
	}
}

func TestDirectory(t *testing.T) {
	if n := len(specialties) * len(cities) * perPage; len(doctors) != n || len(bySlug) != n || len(byPublicID) != n || len(byBucket) != n {
		t.Errorf("%d doctors with %d slugs, %d public ids, %d bucket paths; want %d each", len(doctors), len(bySlug), len(byPublicID), len(byBucket), n)
	}
	for i := range cities {
		if x, y := cities[i].tile(); cityAt(x, y) != &cities[i] {
			t.Errorf("the tile of %s lies elsewhere", cities[i].id)
		}
	}
}

// FuzzLearn feeds what strangers may send.
func FuzzLearn(f *testing.F) {
	f.Add("http://ads.localhost/tr?q=oncologist+paris", `{"a":[{"field":"x","value":"y"}]}`, "http://booking.localhost/oncologist/paris")
	f.Add("/tiles/15/16599/11272.png", "{}\n[1", "")
	f.Add(":", "url=%zz", "session=1")
	f.Fuzz(func(t *testing.T, address, body, header string) {
		got := received{requests: []Request{{URL: address, Body: body, From: "browser", Headers: map[string]string{"referer": header, "cookie": header}}}}
		for _, l := range []lang{"en", "fr"} {
			for _, s := range got.sentences(l) {
				if s == "" || strings.HasPrefix(s, "learnt.") {
					t.Errorf("sentence %q", s)
				}
			}
		}
		decodedBody(body)
	})
}
