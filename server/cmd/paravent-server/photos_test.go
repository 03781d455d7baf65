package main

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
	"paravent/server/reader"
)

// gatewayKey writes a key of a gateway into a directory.
func gatewayKey(t *testing.T, dir, name string, id byte) ohttp.KeyConfig {
	t.Helper()
	key, err := ohttp.GenerateKey(id)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return key.Config()
}

// photoHost serves one picture below .localhost and counts who fetched it.
func photoHost(t *testing.T) (photo string, fetches *atomic.Int32) {
	t.Helper()
	fetches = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		png.Encode(w, image.NewGray(image.Rect(0, 0, 8, 8)))
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "photos.localhost", 1) + "/1.jpg", fetches
}

// askSealed asks a relay for a photo, as a reader does.
func askSealed(t *testing.T, relay string, config ohttp.KeyConfig, photo string) (outer int, inner bhttp.Response) {
	t.Helper()
	u, err := url.Parse(photo)
	if err != nil {
		t.Fatal(err)
	}
	message, err := bhttp.Request{Method: "GET", Scheme: u.Scheme, Authority: u.Host, Path: u.RequestURI()}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if message, err = ohttp.PadRequest(message); err != nil {
		t.Fatal(err)
	}
	sealed, opener, err := config.Seal(message)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(relay, ohttp.RequestType, strings.NewReader(string(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		return response.StatusCode, bhttp.Response{Content: body}
	}
	plain, err := opener.Open(body)
	if err != nil {
		t.Fatal(err)
	}
	if inner, err = bhttp.DecodeResponse(plain); err != nil {
		t.Fatal(err)
	}
	return 200, inner
}

// The two verbs together, with the rules from a store and from a list server.
func TestRelayAndGateway(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	put(t, dir, "||photos.localhost/*.jpg|")
	config := gatewayKey(t, keys, "current.key", 1)
	photo, fetches := photoHost(t)
	trust, _ := trustAndKey(t)
	lists := start(t, "serve", "-store", dir, "-listen", "127.0.0.1:0")["lists"].(string)
	for name, rules := range map[string][]string{
		"store": {"-store", dir},
		"lists": {"-lists", lists, "-trust", trust},
	} {
		t.Run(name, func(t *testing.T) {
			before := fetches.Load()
			args := append([]string{"gateway", "-listen", "127.0.0.1:0", "-keys", keys, "-cache", t.TempDir(), "-demo-loopback"}, rules...)
			gateway := start(t, args...)["gateway"].(string)
			relay := start(t, "relay", "-listen", "127.0.0.1:0", "-to", gateway)["relay"].(string)
			var inner bhttp.Response
			// A list server is asked beside: the first answers may say no.
			for range 100 {
				if _, inner = askSealed(t, relay, config, photo); inner.Status == 200 {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if inner.Status != 200 || bhttp.Get(inner.Header, "content-type") != "image/png" {
				t.Errorf("%d %.100q", inner.Status, inner.Content)
			}
			if _, inner := askSealed(t, relay, config, strings.Replace(photo, "1.jpg", "2.png", 1)); inner.Status != 403 {
				t.Errorf("what is no photo: %d %.100q", inner.Status, inner.Content)
			}
			if askSealed(t, relay, config, photo); fetches.Load() != before+1 {
				t.Errorf("%d fetches for one photo", fetches.Load()-before)
			}
			// Without the flag, this machine is out of reach.
			stock := start(t, append(args[:7:7], rules...)...)["gateway"].(string)
			for range 10 {
				if outer, inner := askSealed(t, stock, config, photo); outer != 200 || inner.Status != 403 {
					t.Errorf("stock: %d %d %.100q", outer, inner.Status, inner.Content)
				}
			}
		})
	}
}

// A list server that turns bad leaves the rules as they were, and a new release
// counts after the wait that the last one said.
func TestPhotoRulesFromAListServer(t *testing.T) {
	dir := t.TempDir()
	trustFile, _ := trustAndKey(t)
	trust, err := readTrust(trustFile)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "||a.example/photo/")
	server, err := reader.New(start(t, "serve", "-store", dir, "-listen", "127.0.0.1:0")["lists"].(string))
	if err != nil {
		t.Fatal(err)
	}
	allow := photoRulesFrom(t.Context(), server, trust, slog.New(slog.DiscardHandler))
	const a, b = "https://a.example/photo/1.jpg", "https://b.example/photo/1.jpg"
	until := func(when string, wantA, wantB bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); allow(a) != wantA || allow(b) != wantB; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: a %v, b %v", when, allow(a), allow(b))
			}
		}
	}
	until("release 0", true, false)
	put(t, dir, "||b.example/photo/")
	until("release 1", false, true)
	if err := os.Truncate(filepath.Join(dir, "v1", "release"), 10); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	until("half a release", false, true)
}

func TestKeysIn(t *testing.T) {
	dir := t.TempDir()
	first := gatewayKey(t, dir, "a.key", 1)
	keys, err := keysIn(t.Context(), dir, time.Millisecond, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	until := func(when, want string) {
		t.Helper()
		ids := func() string {
			var all []byte
			for _, c := range keys().Configs() {
				all = append(all, c.ID)
			}
			return fmt.Sprint(all)
		}
		for deadline := time.Now().Add(10 * time.Second); ids() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s, want %s", when, ids(), want)
			}
		}
	}
	gatewayKey(t, dir, "b.key", 2)
	until("a second key", "[1 2]")
	if err := os.WriteFile(filepath.Join(dir, "c.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	until("a damaged one", "[1 2]")
	for _, name := range []string{"a.key", "c.key"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	until("the first is gone", "[2]")
	if sealed, _, err := first.Seal(nil); err != nil {
		t.Fatal(err)
	} else if _, _, err := keys().Open(sealed); err == nil {
		t.Error("a removed key opens")
	}
}

func TestRelayAndGatewayVerbs(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	gatewayKey(t, keys, "a.key", 1)
	trust, _ := trustAndKey(t)
	const (
		needsRelay   = "relay: needs -listen ADDR and -to URL"
		needsGateway = "gateway: needs -listen ADDR, -keys DIR and -cache DIR"
		needsRules   = "gateway: needs -store DIR, or else -lists URL and -trust FILE"
	)
	to := "gateway -listen 127.0.0.1:x -keys " + keys + " -cache " + t.TempDir()
	for args, want := range map[string]string{
		"relay":              needsRelay,
		"relay -listen a":    needsRelay,
		"relay -to http://a": needsRelay,
		"relay -listen a -to http://gateway.example/gateway":  `relay: -to: "http://gateway.example/gateway": the gateway must be reached by https`,
		"relay -listen a -to gateway.example":                 `relay: -to: "gateway.example" is no address of a gateway`,
		"relay -listen a -to https://a.example -per-minute 0": "relay: -per-minute: 0 requests",
		"relay -listen 127.0.0.1:x -to https://a.example/b":   "relay: listen tcp",
		"gateway":                                                    needsGateway,
		"gateway -listen a -keys b":                                  needsGateway,
		"gateway -listen a -keys b -cache c":                         needsRules,
		to + " -store a -lists b -trust c":                           needsRules,
		to + " -lists b":                                             needsRules,
		to + " -store " + dir + " -trust c":                          needsRules,
		to + " -store " + dir + "/no":                                "gateway: -store: stat",
		to + " -store " + dir:                                        "gateway: listen tcp",
		to + " -lists b -trust no":                                   "gateway: open no",
		to + " -lists b -trust " + trust:                             `gateway: -lists: "b" is no address of a server`,
		"gateway -listen a -keys no -cache c -store " + dir:          "gateway: -keys: open no",
		"gateway -listen a -keys " + dir + " -cache c -store " + dir: "gateway: -keys: " + dir + ": has no key in it",
		"gateway -listen a -keys " + keys + " -cache " + keys + " -store " + dir: "gateway: -cache: " + keys + "/a.key: is no file of a cache",
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
	relay := start(t, "relay", "-listen", "127.0.0.1:0", "-to", "http://127.0.0.1:1/gateway")["relay"].(string)
	outer, inner := askSealed(t, relay, gatewayKey(t, keys, "b.key", 2), "https://a.example/")
	if outer != 502 || string(inner.Content) != `{"status":502,"title":"the gateway could not be reached"}` {
		t.Errorf("no gateway: %d %s", outer, inner.Content)
	}
}
