package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const firefoxAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
const chromiumAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

// laptop is a client that asks the room as a browser does whose proxy it is,
// from a loopback address of its own.
func laptop(t *testing.T, proxy, from string) *http.Client {
	t.Helper()
	at, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	at.Path = ""
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	if l, err := net.Listen("tcp", net.JoinHostPort(from, "0")); err != nil {
		t.Skipf("this machine has no %s: %v", from, err)
	} else {
		l.Close()
	}
	transport := &http.Transport{Proxy: http.ProxyURL(at), DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func ask(t *testing.T, c *http.Client, method, address, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func boardOf(t *testing.T, c *http.Client, agent string) map[string]Standing {
	t.Helper()
	status, body := ask(t, c, "GET", "http://board.test/api/record?lang=en", "", "User-Agent", agent)
	if status != http.StatusOK {
		t.Fatalf("the board answers %d: %s", status, body)
	}
	var b Board
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	all := map[string]Standing{}
	for _, s := range append(b.Recipients, b.Needs...) {
		all[s.Key] = s
	}
	return all
}

func TestRoomTellsParticipantsApart(t *testing.T) {
	v := start(t, Options{Room: "127.0.0.1:0"})
	anna, ben := laptop(t, v.Room.Start, "127.0.0.2"), laptop(t, v.Room.Start, "127.0.0.3")
	// Anna looks for an oncologist; on the same computer, another browser for
	// a psychiatrist; Ben only looks at his board.
	q := url.QueryEscape
	ask(t, anna, "POST", "http://analytics.test/collect?dl="+q("http://booking.test/oncologist/paris"), "", "User-Agent", firefoxAgent, "Referer", "http://booking.test/")
	ask(t, anna, "POST", "http://analytics.test/collect?dl="+q("http://booking.test/psychiatrist/lyon"), "", "User-Agent", chromiumAgent)
	for _, x := range []struct {
		who   string
		c     *http.Client
		agent string
		want  []string
	}{
		{"Anna's Firefox", anna, firefoxAgent, []string{"looked for an oncologist in Paris"}},
		{"Anna's Chromium", anna, chromiumAgent, []string{"looked for a psychiatrist in Lyon"}},
		{"Ben", ben, firefoxAgent, []string{}},
	} {
		if got := boardOf(t, x.c, x.agent)["analytics"].Learnt; !slices.Equal(got, x.want) {
			t.Errorf("%s: learnt %q, want %q", x.who, got, x.want)
		}
	}
	// The board says whose it is.
	if _, body := ask(t, ben, "GET", "http://board.test/?lang=en", "", "User-Agent", firefoxAgent); !strings.Contains(body, "Participant 3 · Firefox · 127.0.0.3") {
		t.Error("Ben's board does not say that it is his")
	}
	// The trainer sees all of them.
	var o Overview
	if err := json.Unmarshal([]byte(v.get(v.Room.Trainer+"api/record?lang=en")), &o); err != nil {
		t.Fatal(err)
	}
	var seats []string
	for _, s := range o.Seats {
		seats = append(seats, fmt.Sprintf("%d %s %s %d", s.Number, s.Address, s.Browser, len(s.Recipients[2].Learnt)))
	}
	if want := []string{"1 127.0.0.2 Firefox 1", "2 127.0.0.2 Chromium 1", "3 127.0.0.3 Firefox 0"}; !slices.Equal(seats, want) {
		t.Errorf("the overview has %q, want %q", seats, want)
	}
	// Ben starts again: Anna's record stays. The trainer starts again: nobody's does.
	if status, _ := ask(t, ben, "POST", "http://board.test/api/reset", "", "User-Agent", firefoxAgent); status != http.StatusNoContent {
		t.Errorf("Ben's reset: %d", status)
	}
	if len(boardOf(t, anna, firefoxAgent)["analytics"].Learnt) == 0 {
		t.Error("Ben's reset wiped Anna's board")
	}
	if resp, _ := v.send("POST", v.Room.Trainer+"api/reset", ""); resp.StatusCode != http.StatusNoContent {
		t.Error("the trainer's reset:", resp.Status)
	}
	if got := boardOf(t, anna, firefoxAgent)["analytics"]; len(got.Learnt) > 0 || len(got.Requests) > 0 {
		t.Error("the trainer's reset left Anna's record")
	}
	// The demo on this machine itself has seen nothing of it.
	if got := v.standing("analytics", "en"); len(got.Requests) > 0 {
		t.Errorf("%d requests of the room stand on the machine's own board", len(got.Requests))
	}
}

func TestRoomServesTheWholeDemo(t *testing.T) {
	v := start(t, Options{Room: "127.0.0.1:0"})
	c := laptop(t, v.Room.Start, "127.0.0.2")
	status, html := ask(t, c, "GET", "http://booking.test/oncologist/paris?insurance=private", "")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	for _, host := range []string{"photos", "analytics", "metrics.booking", "ads", "errors", "stream", "widgets"} {
		if !strings.Contains(html, "http://"+host+".test/") {
			t.Errorf("the page of results does not ask %s.test", host)
		}
	}
	if strings.Contains(html, "localhost") || !strings.Contains(html, "referer=http://booking.test/oncologist/paris?insurance=private") && !strings.Contains(html, "referer=http%3a%2f%2fbooking.test%2foncologist%2fparis%3finsurance%3dprivate") {
		t.Error("the page does not know its own address")
	}
	for _, address := range []string{"http://captcha.test/challenge", "http://pay.test/frame", "http://consent.test/sdk/loader.js", "http://video.test/client.js", "http://map.test/tiles/15/16599/11272.png", "http://widgets.test/widget.css"} {
		if status, _ := ask(t, c, "GET", address, ""); status != http.StatusOK {
			t.Errorf("%s: %d", address, status)
		}
	}
}

// The room is a proxy for the demo's names, and for nothing else.
func TestRoomIsNoOpenProxy(t *testing.T) {
	victim, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	asked := make(chan struct{}, 64)
	go http.Serve(victim, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	v := start(t, Options{Room: "127.0.0.1:0"})
	at, err := url.Parse(v.Room.Start)
	if err != nil {
		t.Fatal(err)
	}
	other := victim.Addr().String()
	for _, line := range []string{
		"GET http://" + other + "/ HTTP/1.1",
		"POST http://" + other + "/ HTTP/1.1",
		"CONNECT " + other + " HTTP/1.1",
		"CONNECT booking.test:443 HTTP/1.1",
		"CONNECT booking.test:80 HTTP/1.1",
		"GET https://booking.test/ HTTP/1.1",
		"GET ftp://booking.test/ HTTP/1.1",
		"GET http://booking.test:8080/ HTTP/1.1",
		"GET http://user@booking.test/ HTTP/1.1",
		"GET http://booking.test./ HTTP/1.1",
		"GET http://example.com/ HTTP/1.1",
		"GET http://booking.test.example.com/ HTTP/1.1",
		"GET http://evil.booking.test/ HTTP/1.1",
		"GET http://lists.test/ HTTP/1.1",
		"GET http://localhost/ HTTP/1.1",
		"GET http://169.254.169.254/ HTTP/1.1",
		"GET http://[::1]/ HTTP/1.1",
	} {
		t.Run(line, func(t *testing.T) {
			c, err := net.Dial("tcp", at.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "%s\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", line, other)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode < 400 {
				t.Errorf("answered %s", resp.Status)
			}
		})
	}
	if len(asked) > 0 {
		t.Error("the room asked somebody else")
	}
}

func TestRoomsOwnPages(t *testing.T) {
	packages := fstest.MapFS{"paravent-chromium.zip": {Data: []byte("PK")}, "secret.key": {Data: []byte("no")}}
	v := start(t, Options{Room: "127.0.0.1:0", Packages: packages})
	resp, pac := v.send("GET", v.Room.PAC, "")
	if got := resp.Header.Get("Content-Type"); got != "application/x-ns-proxy-autoconfig" {
		t.Errorf("the proxy auto-configuration is %q", got)
	}
	at, err := url.Parse(v.Room.PAC)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(pac, `"PROXY `+at.Host+`"`) || !strings.Contains(pac, `"metrics.booking.test"`) || strings.Contains(pac, "lists.test") {
		t.Errorf("the proxy auto-configuration is %s", pac)
	}
	// Whatever a request calls its host, no text of its own gets into the script.
	for _, host := range []string{`x";alert(1);"`, "a b:1", "evil.example:99999999", "'", "[::1"} {
		c, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET /proxy.pac HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
		b, err := io.ReadAll(c)
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "FindProxyForURL") && !strings.Contains(string(b), `"PROXY `+at.Host+`"`) {
			t.Errorf("Host: %s: %s", host, b)
		}
	}
	for _, l := range []string{"en", "fr"} {
		for _, page := range []string{v.Room.Start, v.Room.Trainer} {
			html := v.get(page + "?lang=" + l)
			if strings.Contains(html, "ZgotmplZ") || strings.Contains(html, ">room.") || strings.Contains(html, ">trainer.") {
				t.Errorf("%s in %s lacks a sentence", page, l)
			}
		}
	}
	if html := v.get(v.Room.Start); !strings.Contains(html, v.Room.PAC) || !strings.Contains(html, "/paravent-chromium.zip") || strings.Contains(html, "/paravent-firefox.xpi") {
		t.Error("the start page does not offer what is there")
	}
	if strings.Contains(v.get(v.Room.Start), "/trainer/") {
		t.Error("the start page tells where the trainer is")
	}
	for path, want := range map[string]int{
		"paravent-chromium.zip": 200, "paravent-firefox.xpi": 404, "secret.key": 404,
		"trainer/": 404, "trainer/x/": 404, "trainer/x/api/record": 404, "api/record": 404, "room/start.html": 404,
	} {
		if resp, _ := v.send("GET", v.Room.Start+path, ""); resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	if resp, _ := v.send("POST", v.Room.Trainer+"api/reset", "", "Origin", "http://ads.test"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("another page may reset the room: %d", resp.StatusCode)
	}
}

// Whoever comes, the room keeps no more than it has seats.
func TestRoomIsBounded(t *testing.T) {
	rm := newRoom(nil)
	for i := range 3 * maxSeats {
		r, err := http.NewRequestWithContext(context.Background(), "GET", "http://booking.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:9", i/256, i%256)
		rm.town(r)
	}
	seats := rm.seats()
	if len(seats) != maxSeats || seats[0].seat.Number != 2*maxSeats+1 {
		t.Errorf("%d seats, the first is number %d", len(seats), seats[0].seat.Number)
	}
	rm.reset()
	if len(rm.seats()) != 0 {
		t.Error("a reset leaves seats")
	}
}

func TestRoomAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = Run(t.Context(), Options{Room: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name the address", err)
	}
}

// The list names the room's hosts as it names the machine's own.
func TestListKnowsTheRoom(t *testing.T) {
	for _, name := range []string{"telemetry.txt", "photos.txt", "sites/demo.json", "recipients.json"} {
		b, err := os.ReadFile(listsDir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range append(slices.Clone(recipientKeys), needKeys...) {
			if key == "metrics" {
				key = "metrics.booking"
			}
			if a, b := strings.Count(string(b), key+".localhost"), strings.Count(string(b), key+".test"); (a > 0) != (b > 0) {
				t.Errorf("%s names %s.localhost %d times, %s.test %d times", name, key, a, key, b)
			}
		}
	}
}
