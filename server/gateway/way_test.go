package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
	"paravent/server/relay"
)

// A wire keeps all bytes that a server receives.
type wire struct {
	mu          sync.Mutex
	received    bytes.Buffer
	connections int
	deaf        bool // counts, and keeps nothing
}

func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.received.String()
}

// serve runs a handler whose listener is tapped, and returns its address.
func (w *wire) serve(t testing.TB, h http.Handler) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Listener = tapped{s.Listener, w}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

type tapped struct {
	net.Listener
	wire *wire
}

func (l tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	l.wire.connections++
	return tappedConn{c, l.wire}, nil
}

type tappedConn struct {
	net.Conn
	wire *wire
}

func (c tappedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	if !c.wire.deaf {
		c.wire.received.Write(b[:n])
	}
	return n, err
}

// A way is a relay, a gateway and a photo host, each with a listener of its own.
type way struct {
	relay, gateway, photos wire
	relayURL, origin       string // of the photo host
	fetches                func(path string) int
}

func newWay(t testing.TB, perMinute int, o Options, photos http.Handler) *way {
	t.Helper()
	w := new(way)
	var mu sync.Mutex
	fetches := map[string]int{}
	w.fetches = func(path string) int {
		mu.Lock()
		defer mu.Unlock()
		return fetches[path]
	}
	host := w.photos.serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		fetches[r.RequestURI]++
		mu.Unlock()
		photos.ServeHTTP(rw, r)
	}))
	w.origin = "http://" + strings.Replace(host, "127.0.0.1", "photos.localhost", 1)
	o.DemoLoopback = true
	gateway := w.gateway.serve(t, New(complete(t, o)))
	h, err := relay.New(relay.Options{To: "http://" + gateway + "/gateway", PerMinute: perMinute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.relayURL = "http://" + w.relay.serve(t, h) + "/relay"
	return w
}

// A patient has an address and a browser of their own.
type patient struct {
	way    *way
	client *http.Client
	header http.Header
	key    ohttp.KeyConfig
}

func (w *way) patient(address string, header http.Header) *patient {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &patient{w, &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 6}}, header, testKey.Config()}
}

// ask asks for a photo; outer is the relay's status, inner what was sealed.
func (p *patient) ask(path string) (outer int, inner bhttp.Response, err error) {
	sealed, opener, err := p.key.Seal(rawRequest("GET", p.way.origin+path))
	if err != nil {
		return 0, inner, err
	}
	request, err := http.NewRequest("POST", p.way.relayURL, bytes.NewReader(sealed))
	if err != nil {
		return 0, inner, err
	}
	for name, values := range p.header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", ohttp.RequestType)
	response, err := p.client.Do(request)
	if err != nil {
		return 0, inner, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		return response.StatusCode, bhttp.Response{Content: body}, err
	}
	plain, err := opener.Open(body)
	if err != nil {
		return 200, inner, err
	}
	inner, err = bhttp.DecodeResponse(plain)
	return 200, inner, err
}

func servesPicture(t testing.TB) http.Handler {
	jpg := encoded(t, encodeJPEG)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(jpg) })
}

// Each of the three holds a record of all bytes that it received: the photo
// host and the gateway never met the patient, and the relay never met a photo.
func TestNobodyKnowsBothWhoAndWhat(t *testing.T) {
	w := newWay(t, 0, Options{}, servesPicture(t))
	var paths []string
	for i := range 20 {
		path := fmt.Sprintf("/w_120,c_fill/doctors/dr-curie-%06d.jpg", 471100+i)
		if i%5 == 0 {
			path += "?v=" + strings.Repeat("0123456789", 60) // a long one
		}
		paths = append(paths, path)
	}
	search := func(address, name string) {
		t.Helper()
		p := w.patient(address, http.Header{
			"User-Agent": {"Browser of " + name}, "Cookie": {"session=" + name}, "Accept-Language": {"fr-" + name}, "Origin": {"chrome-extension://" + name},
			"Referer": {"https://booking.example/oncologist?" + name}, "X-Forwarded-For": {address}, "Accept-Encoding": {"br, " + name},
		})
		var all sync.WaitGroup
		for _, path := range paths {
			all.Go(func() {
				if outer, inner, err := p.ask(path); outer != 200 || inner.Status != 200 || bhttp.Get(inner.Header, "content-type") != "image/jpeg" {
					t.Errorf("%s: %d %d %.100q %v", path, outer, inner.Status, inner.Content, err)
				}
			})
		}
		all.Wait()
	}
	search("127.0.77.1", "alice")
	atHost := len(w.photos.String())
	search("127.0.77.2", "bob")
	if n := len(w.photos.String()); n != atHost {
		t.Errorf("the second patient's search brought %d bytes to the photo host", n-atHost)
	}
	for _, path := range paths {
		if n := w.fetches(path); n != 1 {
			t.Errorf("%s: %d fetches", path, n)
		}
	}
	for who, capture := range map[string]string{"the gateway": w.gateway.String(), "the photo host": w.photos.String()} {
		for _, trace := range []string{"alice", "bob", "127.0.77", "browser of", "booking", "oncolog", "cookie", "referer", "accept-language", "origin", "forwarded", "accept-encoding", "via:"} {
			if strings.Contains(strings.ToLower(capture), trace) {
				t.Errorf("%s received %q", who, trace)
			}
		}
	}
	capture := w.relay.String()
	traces := []string{"photos.localhost", "/doctors/", "dr-curie", "w_120", ".jpg", "?v="}
	for _, path := range paths {
		traces = append(traces, path, regexp.MustCompile(`\d{6}`).FindString(path))
	}
	for _, trace := range traces {
		if strings.Contains(capture, trace) {
			t.Errorf("the relay received %q", trace)
		}
	}
	lengths := map[string]int{}
	for _, m := range regexp.MustCompile(`(?i)content-length: (\d+)`).FindAllStringSubmatch(capture, -1) {
		lengths[m[1]]++
	}
	short, long := fmt.Sprint(512+ohttp.RequestOverhead), fmt.Sprint(2048+ohttp.RequestOverhead)
	if len(lengths) != 2 || lengths[short] != 32 || lengths[long] != 8 {
		t.Errorf("sizes of requests at the relay: %v", lengths)
	}
	// The record does record: what each may know is there.
	if !strings.Contains(capture, "alice") || !strings.Contains(w.photos.String(), "dr-curie-471100") || !strings.Contains(w.gateway.String(), "message/ohttp-req") {
		t.Error("a record is empty")
	}
}

// While a gateway changes keys, requests sealed to either are answered. When
// the old key is gone, the problem says so in words that a client can act on.
func TestKeysChangeInMidPage(t *testing.T) {
	older, err := ohttp.GenerateKey(8)
	if err != nil {
		t.Fatal(err)
	}
	var keys atomic.Pointer[ohttp.Keys]
	use := func(all ...ohttp.Key) {
		k, err := ohttp.NewKeys(all...)
		if err != nil {
			t.Fatal(err)
		}
		keys.Store(k)
	}
	use(older)
	w := newWay(t, 0, Options{Keys: keys.Load}, servesPicture(t))
	p := w.patient("127.0.0.1", nil)
	ask := func(key ohttp.Key, photo int) (int, bhttp.Response) {
		t.Helper()
		p.key = key.Config()
		outer, inner, err := p.ask(fmt.Sprintf("/%d.jpg", photo))
		if err != nil {
			t.Fatal(err)
		}
		return outer, inner
	}
	for i := range 10 {
		if i == 5 {
			use(older, testKey)
		}
		if outer, inner := ask(older, i); outer != 200 || inner.Status != 200 {
			t.Errorf("photo %d: %d %d", i, outer, inner.Status)
		}
	}
	if outer, inner := ask(testKey, 1); outer != 200 || inner.Status != 200 {
		t.Errorf("the new key: %d %d", outer, inner.Status)
	}
	use(testKey)
	if outer, problem := ask(older, 1); outer != 400 || !strings.Contains(string(problem.Content), `"https://iana.org/assignments/http-problem-types#ohttp-key"`) {
		t.Errorf("the old key: %d %s", outer, problem.Content)
	}
	if outer, inner := ask(testKey, 1); outer != 200 || inner.Status != 200 {
		t.Errorf("the new key: %d %d", outer, inner.Status)
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	gateway := run(t, New(complete(t, Options{})))
	sealed, _, err := testKey.Config().Seal(make([]byte, 2048))
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(sealed)
	damaged[len(damaged)-1] ^= 1
	for name, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"nothing":     {"", 400, "has 0 bytes"},
		"half a head": {"\x07\x00\x20", 400, "has 3 bytes"},
		"damaged":     {string(damaged), 400, "#ohttp-key"},
		"too long":    {string(sealed) + "x", 413, "longer than 2103 bytes"},
	} {
		if status, contentType, answer := send(t, gateway, ohttp.RequestType, c.body, nil); status != c.status || contentType != ohttp.ProblemType || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s %s", name, status, contentType, answer)
		}
	}
	for name, c := range map[string]struct {
		message []byte
		status  int
		want    string
	}{
		"zeros":     {make([]byte, 512), 400, "no Binary HTTP"},
		"not GET":   {rawRequest("POST", "https://photos.example/a.jpg"), 405, "only GET"},
		"answer":    {[]byte("\x01\x40\xc8"), 400, "no Binary HTTP"},
		"authority": {rawRequest("GET", "https://photos.example"), 400, ""},
	} {
		if status, contentType, answer := opened(t, gateway, c.message, nil); status != c.status || contentType != "text/plain" || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s %s", name, status, contentType, answer)
		}
	}
}

// Header fields inside the seal go nowhere.
func TestSealedHeadersGoNowhere(t *testing.T) {
	var seen http.Header
	photos := photoHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		servesPicture(t).ServeHTTP(w, r)
	}))
	gateway := run(t, New(complete(t, Options{DemoLoopback: true})))
	message, err := bhttp.Request{Method: "GET", Scheme: "http", Authority: strings.TrimPrefix(photos, "http://"), Path: "/a.jpg", Header: []bhttp.Field{{Name: "cookie", Value: "id=1"}, {Name: "range", Value: "bytes=0-1"}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := opened(t, gateway, message, nil); status != 200 || len(seen) != 2 {
		t.Errorf("%d %q, the photo host got %v", status, answer, seen)
	}
}

// A hundred patients who ask at once for a photo that is in no cache cause one
// fetch, also if it fails, and also if the one who asked first leaves.
func TestOneFetchForAll(t *testing.T) {
	begun, goOn := make(chan bool, 10), make(chan bool)
	picture := servesPicture(t)
	w := newWay(t, 1<<20, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-goOn
		if r.URL.Path == "/missing.jpg" {
			http.NotFound(w, r)
			return
		}
		picture.ServeHTTP(w, r)
	}))
	p := w.patient("127.0.0.1", nil)
	for _, path := range []string{"/a.jpg", "/missing.jpg"} {
		want := 200
		if path == "/missing.jpg" {
			want = 502
		}
		ctx, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
		sealed, _, err := testKey.Config().Seal(rawRequest("GET", w.origin+path))
		if err != nil {
			t.Fatal(err)
		}
		first, err := http.NewRequestWithContext(ctx, "POST", w.relayURL, bytes.NewReader(sealed))
		if err != nil {
			t.Fatal(err)
		}
		first.Header.Set("Content-Type", ohttp.RequestType)
		if _, err := http.DefaultClient.Do(first); err == nil {
			t.Error("the first is answered")
		}
		leave()
		<-begun
		var all sync.WaitGroup
		var good atomic.Int32
		for range 100 {
			all.Go(func() {
				if _, inner, err := p.ask(path); err == nil && inner.Status == want {
					good.Add(1)
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		goOn <- true
		all.Wait()
		if _, inner, err := p.ask(path); err != nil || inner.Status != want {
			t.Errorf("%s, later: %d %v", path, inner.Status, err)
		}
		if n := w.fetches(path); n != 1 || good.Load() != 100 {
			t.Errorf("%s: %d fetches, %d of 100 answered", path, n, good.Load())
		}
	}
}

// The photo host does not see a page's photos in the page's order.
func TestFetchesAreShuffled(t *testing.T) {
	var mu sync.Mutex
	var order []string
	picture := servesPicture(t)
	photos := photoHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		order = append(order, r.URL.Path)
		mu.Unlock()
		picture.ServeHTTP(w, r)
	}))
	gateway := run(t, New(complete(t, Options{DemoLoopback: true})))
	var asked []string
	var all sync.WaitGroup
	for i := range 30 {
		path := fmt.Sprintf("/%02d.jpg", i)
		asked = append(asked, path)
		all.Go(func() { ask(t, gateway, photos+path, nil) })
		time.Sleep(200 * time.Microsecond)
	}
	all.Wait()
	inPlace := 0
	for i := range min(len(order), len(asked)) {
		if order[i] == asked[i] {
			inPlace++
		}
	}
	if len(order) != len(asked) || inPlace > len(asked)/2 {
		t.Errorf("%d of %d photos were fetched in their place: %v", inPlace, len(order), order)
	}
}

// The gateway dials the very address that it checked: a name server that says
// one thing first and another later gains nothing.
func TestNameThatChangesItsAddress(t *testing.T) {
	var asked atomic.Int32
	resolver := resolverOf(t, func(name string) []string {
		switch {
		case name == "both.example.":
			return []string{"8.8.8.8", "127.0.0.1"}
		case asked.Add(1) <= 2: // the first look-up asks for A and AAAA
			return []string{"8.8.8.8"}
		}
		return []string{"127.0.0.1"}
	})
	var mu sync.Mutex
	var allowed []string
	dialer := guarded(resolver)
	control := dialer.Control
	dialer.Control = func(network, address string, c syscall.RawConn) error {
		err := control(network, address, c)
		if err == nil {
			mu.Lock()
			allowed = append(allowed, address)
			mu.Unlock()
			return os.ErrDeadlineExceeded // a test leaves the host of others alone
		}
		return err
	}
	gateway := run(t, newGateway(complete(t, Options{}), dialer))
	for _, c := range []struct{ address, want string }{
		{"https://changes.example/1.jpg", "the photo host could not be reached"},
		{"https://changes.example/2.jpg", "url: the host has no global address"},
		{"https://both.example/3.jpg", ""}, // either, by which address comes first
	} {
		if status, _, answer := ask(t, gateway, c.address, nil); status == 200 || c.want != "" && answer != c.want {
			t.Errorf("%s: %d %s", c.address, status, answer)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, address := range allowed {
		if netip.MustParseAddrPort(address) != netip.MustParseAddrPort("8.8.8.8:443") {
			t.Errorf("%s would have been dialled", address)
		}
	}
	if len(allowed) != 2 {
		t.Errorf("allowed: %v", allowed)
	}
}

// Two hundred patients at once, each with an address of their own, through the
// relay: no error, one fetch for a photo, and memory that does not grow. It
// takes a few seconds, or as long as PARAVENT_LOAD says, such as 60s.
func TestTwoHundredPatients(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	duration := 5 * time.Second
	if text := os.Getenv("PARAVENT_LOAD"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("PARAVENT_LOAD: %v", err)
		}
	}
	const patients, photos, page = 200, 300, 20
	jpg := string(encoded(t, encodeJPEG))
	w := newWay(t, 1<<20, Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscanf(r.URL.Path, "/%d.jpg", &n)
		io.WriteString(w, jpg+strings.Repeat("x", 4<<10+n*100)) // 4 … 34 KB
	}))
	for _, wire := range []*wire{&w.relay, &w.gateway, &w.photos} {
		wire.deaf = true
	}
	end := time.Now().Add(duration)
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed atomic.Int32
	)
	for i := range patients {
		all.Go(func() {
			p := w.patient(fmt.Sprintf("127.1.%d.1", i), nil)
			defer p.client.CloseIdleConnections()
			var mine []time.Duration
			for time.Now().Before(end) {
				for range page {
					path := fmt.Sprintf("/%d.jpg", rand.N(photos))
					start := time.Now()
					if outer, inner, err := p.ask(path); err != nil || outer != 200 || inner.Status != 200 {
						if failed.Add(1) < 5 {
							t.Errorf("%s: %d %d %.100q %v", path, outer, inner.Status, inner.Content, err)
						}
					}
					mine = append(mine, time.Since(start))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	time.Sleep(duration / 3)
	early := heap()
	time.Sleep(duration / 2)
	late := heap()
	all.Wait()
	slices.Sort(took)
	t.Logf("%d answers in %v, half within %v, 99 %% within %v, all within %v; heap %d MB, later %d MB; %d connections from relay to gateway",
		len(took), duration, took[len(took)/2], took[len(took)*99/100], took[len(took)-1], early>>20, late>>20, w.gateway.connections)
	if failed.Load() != 0 {
		t.Errorf("%d of %d failed", failed.Load(), len(took))
	}
	if late > early+64<<20 {
		t.Errorf("the heap grew from %d MB to %d MB", early>>20, late>>20)
	}
	for n := range photos {
		if got := w.fetches(fmt.Sprintf("/%d.jpg", n)); got > 1 {
			t.Errorf("photo %d was fetched %d times", n, got)
		}
	}
}
