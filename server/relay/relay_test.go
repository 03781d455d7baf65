package relay

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// server runs a handler until the test ends.
func server(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func start(t testing.TB, o Options) string {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return server(t, h)
}

// answer is a gateway that always says this.
func answer(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
}

func post(t testing.TB, relay, contentType, body string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest("POST", relay+"/relay", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// What reaches the gateway is the same text for every client but for the sealed
// bytes, whatever the client sends along.
func TestGatewayHearsNothingOfTheClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard := make(chan string, 3)
	var connections atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					var text strings.Builder
					for !strings.HasSuffix(text.String(), "\r\n\r\n") {
						line, err := r.ReadString('\n')
						if err != nil {
							return
						}
						text.WriteString(line)
					}
					io.CopyN(&text, r, 6)
					heard <- text.String()
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: message/ohttp-res\r\nContent-Length: 2\r\nX-More: 1\r\n\r\nok")
				}
			}()
		}
	}()
	relay := start(t, Options{To: "http://" + l.Addr().String() + "/gateway"})
	want := "POST /gateway HTTP/1.1\r\nHost: " + l.Addr().String() + "\r\nContent-Length: 6\r\nContent-Type: message/ohttp-req\r\n\r\nsealed"
	for _, header := range [][]string{
		nil,
		{"Cookie", "id=1", "Referer", "https://booking.example/oncologist", "X-Forwarded-For", "203.0.113.7", "Forwarded", "for=203.0.113.7", "User-Agent", "mine", "Accept-Encoding", "br", "Accept-Language", "fr", "Origin", "chrome-extension://abc", "Via", "1.1 me", "Priority", "u=1", "traceparent", "00-1"},
		{"Origin", "https://evil.example", "Connection", "close", "TE", "trailers", "Cache-Control", "no-cache"},
	} {
		response, body := post(t, relay, "message/ohttp-req", "sealed", header...)
		if got := <-heard; got != want {
			t.Errorf("the gateway heard %q, want %q", got, want)
		}
		names := map[string]bool{"Content-Type": true, "Content-Length": true, "Cache-Control": true, "X-Content-Type-Options": true, "Date": true}
		for name := range response.Header {
			if !names[name] {
				t.Errorf("the reader got the header %s", name)
			}
		}
		if response.StatusCode != 200 || body != "ok" || response.Header.Get("Content-Type") != "message/ohttp-res" {
			t.Errorf("%d %s %v", response.StatusCode, body, response.Header)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("three clients, one after the other, took %d connections to the gateway", n)
	}
}

// A gateway closes connections that nobody has used for a while, and may do so
// just when a request is on its way. That costs nobody a photo: the request goes
// out again, as it was.
func TestGatewayHangsUpOnAnIdleConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard := make(chan string, 3)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for i := range 2 {
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					body, _ := io.ReadAll(request.Body)
					heard <- fmt.Sprintf("%s %v", body, request.Header)
					if i == 0 {
						io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: message/ohttp-res\r\nContent-Length: 2\r\n\r\nok")
					}
				}
			}()
		}
	}()
	relay := start(t, Options{To: "http://" + l.Addr().String() + "/gateway"})
	for range 2 {
		if response, body := post(t, relay, "message/ohttp-req", "sealed"); response.StatusCode != 200 || body != "ok" {
			t.Fatalf("%d %s", response.StatusCode, body)
		}
	}
	// The second request on the first connection, and again on another.
	for range 3 {
		if got, want := <-heard, "sealed map[Content-Length:[6] Content-Type:[message/ohttp-req]]"; got != want {
			t.Errorf("the gateway heard %q, want %q", got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	const req, res, problem = "message/ohttp-req", "message/ohttp-res", "application/problem+json"
	key := `{"type":"https://iana.org/assignments/http-problem-types#ohttp-key"}`
	large := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		gateway      http.Handler
		contentType  string
		body         string
		status       int
		answer, want string
	}{
		"sealed":        {answer(200, res, "abc"), req, "a", 200, res, "abc"},
		"long":          {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveSized(w, 200, res, large) }), req, "a", 200, res, large},
		"key":           {answer(400, problem, key), req, "a", 400, problem, key},
		"longest":       {answer(200, res, "abc"), req, strings.Repeat("a", MaxRequest), 200, res, "abc"},
		"too long":      {answer(200, res, "abc"), req, strings.Repeat("a", MaxRequest+1), 413, problem, "longer than 4096 bytes"},
		"other type":    {answer(200, res, "abc"), "application/json", "a", 415, problem, "the content type is not message/ohttp-req"},
		"parameter":     {answer(200, res, "abc"), req + "; v=1", "a", 200, res, "abc"},
		"error page":    {answer(502, "text/html", "<h1>nginx"), req, "a", 502, problem, "cannot be passed on"},
		"sealed error":  {answer(500, res, "abc"), req, "a", 502, problem, "cannot be passed on"},
		"redirect":      {http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect), req, "a", 502, problem, "cannot be passed on"},
		"good problem":  {answer(200, problem, key), req, "a", 502, problem, "cannot be passed on"},
		"large problem": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveSized(w, 400, problem, large) }), req, "a", 502, problem, "cannot be passed on"},
		"huge": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", res)
			w.Header().Set("Content-Length", fmt.Sprint(MaxAnswer+1))
			io.WriteString(w, "abc")
		}), req, "a", 502, problem, "cannot be passed on"},
		"endless": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", res)
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
		}), req, "a", 502, problem, "cannot be passed on"},
		"cut": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", res)
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "abc")
		}), req, "a", 502, problem, "ended early"},
	} {
		t.Run(name, func(t *testing.T) {
			relay := start(t, Options{To: server(t, c.gateway) + "/gateway"})
			response, body := post(t, relay, c.contentType, c.body)
			if response.StatusCode != c.status || response.Header.Get("Content-Type") != c.answer || !strings.Contains(body, c.want) {
				t.Errorf("got %d %s %.200s", response.StatusCode, response.Header.Get("Content-Type"), body)
			}
		})
	}
	relay := start(t, Options{To: "http://127.0.0.1:1/gateway"})
	if response, body := post(t, relay, req, "a"); response.StatusCode != 502 || !strings.Contains(body, "the gateway could not be reached") {
		t.Errorf("no gateway: %d %s", response.StatusCode, body)
	}
	if response, err := http.Get(relay + "/relay"); err != nil || response.StatusCode != 405 {
		t.Errorf("GET: %v %v", response, err)
	}
}

func serveSized(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// An answer that breaks off after its head was passed on breaks off for the
// reader too.
func TestAnswerThatBreaksOff(t *testing.T) {
	gateway := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "message/ohttp-res")
		w.Header().Set("Content-Length", fmt.Sprint(2*held))
		w.Write(make([]byte, held+1))
		panic(http.ErrAbortHandler)
	})
	relay := start(t, Options{To: server(t, gateway) + "/gateway"})
	response, err := http.Post(relay+"/relay", "message/ohttp-req", strings.NewReader("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("the reader takes %d bytes for the answer", len(got))
	}
}

// A reader who leaves is not felt at the gateway.
func TestReaderLeaves(t *testing.T) {
	asked, ended := make(chan bool), make(chan error, 1)
	leave := make(chan bool)
	gateway := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-leave
		select {
		case <-r.Context().Done():
		case <-time.After(200 * time.Millisecond):
		}
		ended <- r.Context().Err()
	})
	relay := start(t, Options{To: server(t, gateway) + "/gateway"})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, "POST", relay+"/relay", strings.NewReader("a"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "message/ohttp-req")
	go http.DefaultClient.Do(request)
	<-asked
	cancel()
	close(leave)
	if err := <-ended; err != nil {
		t.Errorf("the gateway's request ended: %v", err)
	}
}

func TestGatewaysAddress(t *testing.T) {
	for to, want := range map[string]string{
		"https://gateway.example/gateway":         "",
		"http://gateway.localhost:8490/gateway":   "",
		"http://127.0.0.1:8490/gateway":           "",
		"http://[::1]:8490/gateway":               "",
		"http://gateway.example/gateway":          "by https",
		"http://192.168.0.1/gateway":              "by https",
		"https://user@gateway.example/":           "no address",
		"https://gateway.example/gateway?to=this": "no address",
		"gateway.example":                         "no address",
		"file:///etc/passwd":                      "no address",
		"":                                        "no address",
		":":                                       "no address",
	} {
		_, err := New(Options{To: to})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", to, err, want)
		}
	}
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(120) // 60 at once, one more a second
		take := func(client string, n int) (taken int) {
			for range n {
				if l.take(netip.MustParseAddr(client), time.Now()) {
					taken++
				}
			}
			return taken
		}
		for _, c := range []struct {
			client string
			wait   time.Duration
			want   int // of 100
		}{
			{"192.0.2.1", 0, 60},
			{"::ffff:192.0.2.1", 0, 0}, // the same
			{"192.0.2.2", 0, 60},
			{"2001:db8::1", 0, 60},
			{"2001:db8::ffff:1", 0, 0}, // of the same network
			{"2001:db8:0:1::1", 0, 60},
			{"192.0.2.1", 10*time.Second + time.Millisecond, 10},
			{"192.0.2.1", 40 * time.Second, 40},
		} {
			time.Sleep(c.wait)
			if got := take(c.client, 100); got != c.want {
				t.Errorf("%s after %v: %d of 100, want %d", c.client, c.wait, got, c.want)
			}
		}
		// A minute after the first request nothing is left, though nobody came.
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if l.now != nil {
			t.Errorf("%d clients are remembered after a minute", len(l.now.buckets))
		}
		if got := take("192.0.2.1", 100); got != 60 {
			t.Errorf("in the next minute: %d of 100", got)
		}
	})
}

// A flood of clients starts the minute anew, and the memory stays bounded.
func TestLimitOfManyClients(t *testing.T) {
	l := newLimiter(10)
	now := time.Now()
	for i := range maxClients + 10 {
		l.take(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := len(l.now.buckets); n != 10 {
		t.Errorf("%d clients are remembered", n)
	}
}

func TestTooOften(t *testing.T) {
	gateway := server(t, answer(200, "message/ohttp-res", "abc"))
	var log bytes.Buffer
	relay := start(t, Options{To: gateway + "/gateway", PerMinute: 4, ClientHeader: "X-Forwarded-For", Log: slog.New(slog.NewTextHandler(&log, nil))})
	statuses := func(forwarded string) (got []int) {
		for range 3 {
			response, body := post(t, relay, "message/ohttp-req", "a", "X-Forwarded-For", forwarded)
			if got = append(got, response.StatusCode); response.StatusCode == 429 && (response.Header.Get("Retry-After") == "" || !strings.Contains(body, "too often")) {
				t.Errorf("%v %s", response.Header, body)
			}
		}
		return got
	}
	for _, c := range []struct{ forwarded, want string }{
		{"198.51.100.1", "[200 200 429]"},
		{"203.0.113.9, 198.51.100.1", "[429 429 429]"}, // what the client says itself does not count
		{"198.51.100.2", "[200 200 429]"},
		{"[2001:db8::1]:4711", "[200 200 429]"},
		{"who knows", "[200 200 429]"},
		{"nobody", "[429 429 429]"},
	} {
		if got := fmt.Sprint(statuses(c.forwarded)); got != c.want {
			t.Errorf("%s: %s, want %s", c.forwarded, got, c.want)
		}
	}
	if log.Len() != 0 {
		t.Errorf("the log says %s", log.String())
	}
}

// When the gateway hangs, readers are told so at once, and memory is bounded.
func TestBusy(t *testing.T) {
	release := make(chan bool)
	gateway := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		answer(200, "message/ohttp-res", "abc").ServeHTTP(w, r)
	}))
	h, err := New(Options{To: gateway + "/gateway", PerMinute: 1 << 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/relay", strings.NewReader("a"))
		r.Header.Set("Content-Type", "message/ohttp-req")
		h.ServeHTTP(w, r)
		return w.Code
	}
	var all sync.WaitGroup
	var good, busy atomic.Int32
	for range MaxAtOnce + 100 {
		all.Go(func() {
			switch ask() {
			case 200:
				good.Add(1)
			case 503:
				busy.Add(1)
			}
		})
	}
	for deadline := time.Now().Add(20 * time.Second); busy.Load() < 100 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	close(release)
	all.Wait()
	if good.Load() != MaxAtOnce || busy.Load() != 100 {
		t.Errorf("%d answered, %d told to come later", good.Load(), busy.Load())
	}
}

// A Worker can be neither: its requests carry the client's address, and it
// cannot dial an address that it checked.
func TestNotInTheWorker(t *testing.T) {
	command := exec.Command("go", "list", "-deps", "paravent/server/cmd/worker")
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	packages, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(packages), "paravent/server/publish\n") {
		t.Fatalf("no list of packages: %s", packages)
	}
	for _, name := range []string{"relay", "gateway", "ohttp"} {
		if strings.Contains(string(packages), "paravent/server/"+name) {
			t.Errorf("the Worker has %s in it", name)
		}
	}
}
