package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
)

// encoded is a small picture.
func encoded(t testing.TB, encode func(io.Writer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) }
func encodeGIF(w io.Writer, m image.Image) error  { return gif.Encode(w, m, nil) }

// webp is a lossless WebP of one pixel.
const webp = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

// ask asks the gateway for a photo as a reader does, by a sealed request over a
// real socket, and returns what was sealed to it. The answer's size must say
// no more than the power of two above it.
func ask(t testing.TB, gateway, address string, header http.Header) (status int, contentType, answer string) {
	t.Helper()
	return opened(t, gateway, rawRequest("GET", address), header)
}

// opened sends a message to the gateway, sealed, and opens the answer to it.
func opened(t testing.TB, gateway string, message []byte, header http.Header) (status int, contentType, answer string) {
	t.Helper()
	sealed, opener, err := testKey.Config().Seal(message)
	if err != nil {
		t.Fatal(err)
	}
	status, contentType, answer = send(t, gateway, ohttp.RequestType, string(sealed), header)
	if status != 200 || contentType != ohttp.ResponseType {
		return status, contentType, answer
	}
	plain, err := opener.Open([]byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := bhttp.DecodeResponse(plain)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(plain); n < 16<<10 || n&(n-1) != 0 || n > 16<<10 && len(inner.Content) < n/2-64 {
		t.Errorf("the answer with %d bytes of content is padded to %d", len(inner.Content), n)
	}
	return inner.Status, bhttp.Get(inner.Header, "content-type"), string(inner.Content)
}

// rawRequest is a request in Binary HTTP, padded, for an address that need not
// be one.
func rawRequest(method, address string) []byte {
	scheme, rest, _ := strings.Cut(address, ":")
	authority, path := "", rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexAny(after+"/", "/?#")
		authority, path = after[:end], after[end:]
	}
	message := []byte{0}
	for _, part := range []string{method, scheme, authority, path} {
		message = append(message, 0x40|byte(len(part)>>8), byte(len(part)))
		message = append(message, part...)
	}
	if padded, err := ohttp.PadRequest(message); err == nil {
		return padded
	}
	return message
}

// send sends a body to the gateway over a real socket.
func send(t testing.TB, gateway, mediaType, body string, header http.Header) (status int, contentType, answer string) {
	t.Helper()
	request, err := http.NewRequest("POST", gateway+"/gateway", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// testKey is the key of the tests' gateways.
var testKey = func() ohttp.Key {
	key, err := ohttp.GenerateKey(7)
	if err != nil {
		panic(err)
	}
	return key
}()

// complete fills in what a gateway needs that a test does not care for.
func complete(t testing.TB, o Options) Options {
	t.Helper()
	if o.Keys == nil {
		keys, err := ohttp.NewKeys(testKey)
		if err != nil {
			t.Fatal(err)
		}
		o.Keys = func() *ohttp.Keys { return keys }
	}
	if o.Cache == nil {
		cache, err := OpenCache(t.TempDir(), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		o.Cache = cache
	}
	if o.Allow == nil {
		o.Allow = anything
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func run(t testing.TB, h http.Handler) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// photoHost starts a host below .localhost and returns its origin.
func photoHost(t testing.TB, h http.Handler) string {
	return strings.Replace(run(t, h), "127.0.0.1", "photos.localhost", 1)
}

func anything(string) bool { return true }

func TestPhotoHostSeesTheGatewayAndNothingElse(t *testing.T) {
	png := encoded(t, png.Encode)
	var seen http.Header
	var uri, method string
	photos := photoHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, uri, method = r.Header, r.RequestURI, r.Method
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "patient"})
		w.Header().Set("ETag", `"patient"`)
		w.Header().Set("Content-Type", "text/html")
		w.Write(png)
	}))
	gateway := run(t, New(complete(t, Options{DemoLoopback: true})))
	const path = "/w_120,c_fill/doctors/a%20b.jpg?v="
	patient := http.Header{
		"Cookie": {"id=1"}, "Referer": {"https://www.doctolib.fr/oncologue"}, "Accept-Language": {"fr"},
		"User-Agent": {"Firefox"}, "If-None-Match": {`"1"`}, "If-Modified-Since": {"Sun, 22 Nov 2026 07:00:00 GMT"},
		"Range": {"bytes=0-1"}, "X-Forwarded-For": {"203.0.113.9"}, "Origin": {"null"}, "Accept": {"*/*"},
	}
	// The second fetch must not bring the cookie that the first one was given.
	for v := range 2 {
		path := path + fmt.Sprint(v)
		status, contentType, answer := ask(t, gateway, photos+path, patient)
		if status != 200 || contentType != "image/png" || answer != string(png) {
			t.Fatalf("answer: %d %s %q", status, contentType, answer)
		}
		want := http.Header{"User-Agent": {"Paravent gateway"}, "Accept": {"image/webp,image/png,image/jpeg,image/gif"}}
		if !reflect.DeepEqual(seen, want) || uri != path || method != "GET" {
			t.Errorf("the photo host got %s %s %v, want GET %s %v", method, uri, seen, path, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	jpg := string(encoded(t, encodeJPEG))
	sends := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, body)
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	mux := http.NewServeMux()
	photos := photoHost(t, mux)
	var listed = map[string]bool{}
	gateway := run(t, New(complete(t, Options{
		Allow:        func(url string) bool { return listed[strings.TrimPrefix(url, photos)] },
		DemoLoopback: true,
	})))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, jpg)
	z.Close()

	const cut = "the photo host's answer ended early"
	const noPicture = "the photo host sent no PNG, JPEG, GIF or WebP picture"
	const large = "the photo host sent more than 8388608 bytes"
	const pixels = "the photo host sent a picture of more than 16777216 pixels"
	for _, c := range []struct {
		path   string
		host   http.HandlerFunc
		status int
		want   string // a content type, or the error
	}{
		{"/a.jpg", sends("image/jpeg", jpg), 200, "image/jpeg"},
		{"/a.png", sends("image/png", string(encoded(t, png.Encode))), 200, "image/png"},
		{"/a.gif", sends("image/gif", string(encoded(t, encodeGIF))), 200, "image/gif"},
		{"/a.webp", sends("image/webp", webp), 200, "image/webp"},
		{"/no-extension", sends("application/octet-stream", jpg), 200, "image/jpeg"},
		{"/a.svg", sends("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`), 502, noPicture},
		{"/svg-as.png", sends("image/png", `<?xml version="1.0"?><svg/>`), 502, noPicture},
		{"/html-as.png", sends("image/png", "<!doctype html><script>"), 502, noPicture},
		{"/a.bmp", sends("image/bmp", "BM______________"), 502, noPicture},
		{"/a.avif", sends("image/avif", "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00"), 502, noPicture},
		{"/empty", sends("image/png", ""), 502, noPicture},
		{"/zipped", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped.Bytes())
		}, 502, noPicture},
		{"/missing", http.NotFound, 502, "the photo host answered 404"},
		{"/error", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500); io.WriteString(w, jpg) }, 502, "the photo host answered 500"},
		{"/not-modified", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) }, 502, "the photo host answered 304"},
		{"/largest", sends("image/jpeg", jpg+strings.Repeat("x", MaxPicture-len(jpg))), 200, "image/jpeg"},
		{"/large", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(MaxPicture+1))
			io.WriteString(w, jpg)
		}, 502, large},
		{"/endless", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, jpg)
			for block := strings.Repeat("x", 1<<16); r.Context().Err() == nil; {
				io.WriteString(w, block)
			}
		}, 502, large},
		{"/5mb.jpg", sends("image/jpeg", jpg+strings.Repeat("x", 5<<20)), 200, "image/jpeg"},
		{"/bomb.png", sends("image/png", pngOf(100_000, 100_000)), 502, pixels},
		{"/flat.png", sends("image/png", pngOf(1<<24+1, 1)), 502, pixels},
		{"/most.png", sends("image/png", pngOf(1<<12, 1<<12)), 200, "image/png"},
		{"/bomb.gif", sends("image/gif", string(encoded(t, encodeGIF))[:6]+"\xff\xff\xff\xff"+string(encoded(t, encodeGIF))[10:]), 502, pixels},
		{"/bomb.jpg", sends("image/jpeg", strings.Replace(jpg, "\xff\xc0\x00\x0b\x08\x00\x08\x00\x08", "\xff\xc0\x00\x0b\x08\xff\xff\xff\xff", 1)), 502, pixels},
		{"/bomb.webp", sends("image/webp", "RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x7f\x00\xff\x7f\x00"), 502, pixels},
		{"/to-metadata", redirect("http://169.254.169.254/latest/meta-data/"), 502, "the photo host redirects elsewhere: url: only https is fetched"},
		{"/to-metadata-by-https", redirect("https://169.254.169.254/latest/meta-data/"), 502, "the photo host redirects elsewhere: url: the host is not a plain domain name in small letters"},
		{"/cut", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(jpg)+1))
			io.WriteString(w, jpg)
		}, 502, cut},
		{"/never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504, "the photo host took longer than 10s"},
		{"/drips", func(w http.ResponseWriter, r *http.Request) {
			for io.WriteString(w, jpg); r.Context().Err() == nil; time.Sleep(100 * time.Millisecond) {
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		}, 504, "the photo host took longer than 10s"},
		{"/once", redirect("/a.jpg"), 200, "image/jpeg"},
		{"/twice", redirect("once"), 200, "image/jpeg"},
		{"/thrice", redirect(photos + "/twice"), 502, "the photo host redirects more than 2 times"},
		{"/round", redirect("/round"), 502, "the photo host redirects more than 2 times"},
		{"/off", redirect("/unlisted.jpg"), 502, "the photo host redirects elsewhere: url: no photo rule of the list allows it"},
		{"/off-host", redirect("https://evil.example/a.jpg"), 502, "the photo host redirects elsewhere: url: no photo rule of the list allows it"},
		{"/to-loopback", redirect(strings.Replace(photos, "photos.localhost", "127.0.0.1", 1) + "/a.jpg"), 502, "the photo host redirects elsewhere: url: only https is fetched"},
		{"/to-file", redirect("file:///etc/passwd"), 502, "the photo host redirects elsewhere: url: only https is fetched"},
		{"/nowhere", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }, 502, "the photo host redirects to no address"},
	} {
		mux.HandleFunc(c.path, c.host)
		listed[c.path] = true
		t.Run(c.path, func(t *testing.T) {
			t.Parallel()
			status, contentType, answer := ask(t, gateway, photos+c.path, nil)
			switch {
			case status != c.status:
				t.Errorf("got %d %.200s, want %d %s", status, answer, c.status, c.want)
			case status == 200 && contentType != c.want:
				t.Errorf("got %s, want %s", contentType, c.want)
			case status != 200 && answer != c.want || status != 200 && contentType != "text/plain":
				t.Errorf("got %s, want the error %q", answer, c.want)
			}
		})
	}
	mux.HandleFunc("/unlisted.jpg", func(w http.ResponseWriter, r *http.Request) { t.Error("an unlisted photo was fetched") })
}

// pngOf is the head of a PNG of so many pixels.
func pngOf(width, height uint32) string {
	chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	chunk = append(binary.BigEndian.AppendUint32(chunk, height), 8, 0, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return string(binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk)))
}

// listen returns the address of a loopback listener and the count of
// connections that anyone made to it.
func listen(t *testing.T) (address string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	connections = new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c.Close()
		}
	}()
	return l.Addr().String(), connections
}

// Every form of an address that has ever led a fetcher astray, with a rule
// that allows them all.
//
//go:embed testdata/ssrf.txt
var ssrf string

func TestRefusedAddresses(t *testing.T) {
	inside, connections := listen(t)
	_, port, _ := net.SplitHostPort(inside)
	stock := run(t, New(complete(t, Options{})))
	demo := run(t, New(complete(t, Options{DemoLoopback: true})))

	forms := 0
	for line := range strings.Lines(ssrf) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		address, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		address = strings.NewReplacer("{inside}", inside, "{port}", port).Replace(address)
		forms++
		for name, gateway := range map[string]string{"stock": stock, "demo": demo} {
			status, _, answer := ask(t, gateway, address, nil)
			if (status != 400 && status != 403) || !strings.HasPrefix(answer, "url: ") && answer != "the sealed request is no Binary HTTP" {
				t.Errorf("%s, %q: got %d %s", name, address, status, answer)
			}
		}
	}
	for _, address := range []string{"http://photos.localhost:" + port + "/", "https://photos.localhost:" + port + "/"} {
		if status, _, answer := ask(t, stock, address, nil); status != 403 {
			t.Errorf("stock, %q: got %d %s", address, status, answer)
		}
	}
	if n := connections.Load(); n != 0 || forms < 60 {
		t.Errorf("%d connections reached the inside, of %d forms", n, forms)
	}
	// The listener does count: the demo's gateway may reach it by this name.
	if ask(t, demo, "http://photos.localhost:"+port+"/", nil); connections.Load() == 0 {
		t.Error("the listener counts no connections")
	}
}

// Names are refused for what they resolve to, by a real resolver over UDP.
func TestRefusedByWhatTheNameResolvesTo(t *testing.T) {
	proxy, throughProxy := listen(t)
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://"+proxy)
	}
	names := map[string][]string{
		"loopback.example.": {"127.0.0.1"}, "loopback6.example.": {"::1"}, "private.example.": {"10.1.2.3", "192.168.0.1"},
		"metadata.example.": {"169.254.169.254"}, "mapped.example.": {"::ffff:127.0.0.1"}, "nat64.example.": {"64:ff9b::7f00:1"},
		"sixtofour.example.": {"2002:7f00:1::"}, "unique.example.": {"fd00::1"}, "link.example.": {"fe80::1"}, "zero.example.": {"0.0.0.0"},
		"carrier.example.": {"100.64.0.1"}, "multicast.example.": {"224.0.0.1", "ff02::1"}, "broadcast.example.": {"255.255.255.255"},
		"photos.localhost.": {"127.0.0.1"},
	}
	gateway := run(t, newGateway(complete(t, Options{}), guarded(resolverOf(t, func(name string) []string { return names[name] }))))
	for name, addresses := range names {
		status, _, answer := ask(t, gateway, "https://"+strings.TrimSuffix(name, ".")+"/a.jpg", nil)
		if status != 403 || answer != "url: the host has no global address" {
			t.Errorf("%s, which resolves to %v: got %d %s", name, addresses, status, answer)
		}
	}
	if status, _, answer := ask(t, gateway, "https://unknown.example/a.jpg", nil); status != 502 || answer != "the photo host could not be reached" {
		t.Errorf("a name that does not exist: got %d %s", status, answer)
	}
	if n := throughProxy.Load(); n != 0 {
		t.Errorf("%d connections went to the environment's proxy", n)
	}
}

// resolverOf asks a name server on loopback that says for each name what
// addresses does.
func resolverOf(t *testing.T, addresses func(name string) []string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, client, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buffer[:n]); err != nil || len(m.Questions) != 1 {
				t.Errorf("name server: %v", err)
				return
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			all := addresses(q.Name.String())
			if all == nil {
				m.RCode = dnsmessage.RCodeNameError
			}
			for _, text := range all {
				a := netip.MustParseAddr(text)
				header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
				switch {
				case q.Type == dnsmessage.TypeA && a.Is4():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
				case q.Type == dnsmessage.TypeAAAA && !a.Is4():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			answer, err := m.Pack()
			if err != nil {
				t.Errorf("name server: %v", err)
				return
			}
			server.WriteTo(answer, client)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func TestGlobalAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "172.15.255.255": true, "172.32.0.0": true, "223.255.255.255": true, "100.128.0.0": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.255.255.255": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.254": false,
		"169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.8": false, "192.0.2.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.1.1.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "192.88.99.1": false,
		"::": false, "::1": false, "::ffff:10.0.0.1": false, "::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b:1::808:808": false,
		"2002:a00:1::1": false, "2002:c0a8:101::1": false, "2001::1": false, "2001:db8::1": false, "3fff::1": false, "100::1": false,
		"fc00::1": false, "fd12:3456::1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "4000::1": false,
		"2606:4700::1111%eth0": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "5f00::1": false,
	} {
		if got := isGlobal(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	for address, want := range map[string]bool{"8.8.8.8:443": true, "8.8.8.8:80": false, "8.8.8.8:22": false, "127.0.0.1:443": false, "[::1]:443": false, "example.com:443": false, "": false} {
		if err := globalOnly("tcp", address, nil); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestLogNamesNoAddress(t *testing.T) {
	var log bytes.Buffer
	gateway := run(t, New(complete(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), DemoLoopback: true})))
	closed, _ := listen(t)
	_, port, _ := net.SplitHostPort(closed)
	for _, address := range []string{"http://secret.example/secret", "http://secret.localhost:1/secret", "http://secret.localhost:" + port + "/secret"} {
		ask(t, gateway, address, nil)
	}
	if text := log.String(); strings.Count(text, "no picture") != 3 || strings.Contains(text, "secret") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("log: %s", text)
	}
}

// What checks an address must never take one for something it is not.
func FuzzCheck(f *testing.F) {
	f.Add("https://photos.example/a.jpg?x#y")
	f.Add("http://photos.localhost:8484/a")
	f.Add("https://[::1]:443/%2e%2e")
	f.Fuzz(func(t *testing.T, address string) {
		target, err := addressIn(rawRequest("GET", address))
		if err != nil {
			return
		}
		asked := ""
		g := &gateway{Options: Options{Allow: func(url string) bool { asked = url; return true }}}
		if g.check(target) != nil {
			return
		}
		request, err := http.NewRequest("GET", target.String(), nil)
		if err != nil {
			t.Fatalf("%q passes but cannot be asked for: %v", address, err)
		}
		if asked != request.URL.String() || request.URL.Scheme != "https" || request.URL.User != nil || request.URL.Fragment != "" {
			t.Fatalf("%q: the rule saw %q, the host gets %q", address, asked, request.URL)
		}
		if _, err := netip.ParseAddr(request.URL.Hostname()); err == nil {
			t.Fatalf("%q: an IP address passes", address)
		}
	})
}
