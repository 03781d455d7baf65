package demo

import (
	"cmp"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed room
var roomFiles embed.FS

// roomDomain is where the hosts of a room stand: RFC 2606 keeps it from ever
// being given to anybody, and to browsers a.test and b.test are two sites.
const roomDomain = ".test"

// What a room keeps is bounded, whoever sends it: the seat that was quiet for
// longest is given away.
const maxSeats = 96

var seatLimits = limits{requests: 300, bytes: 256 << 10}

// RoomAddresses are what a room's people are told, such as
// http://192.168.1.10:8500/.
type RoomAddresses struct {
	Start   string `json:"start"`   // for participants: how to take part
	PAC     string `json:"pac"`     // the proxy auto-configuration
	Trainer string `json:"trainer"` // the overview; knowing it is what lets in
}

// A Seat is a browser in the room: an address on the network, and a kind of
// browser, so that two on one computer are told apart.
type Seat struct {
	Number  int    `json:"number"` // in the order of coming
	Address string `json:"address"`
	Browser string `json:"browser"` // "Firefox", "Chromium" or ""
}

// A room serves the demo to a room of laptops from one TCP address, without
// touching their hosts files. It is
//
//	GET  /                   how to take part, for participants
//	GET  /proxy.pac          a proxy auto-configuration: the demo's names come
//	                         here, everything else goes its own way
//	GET  /paravent-…         the extension's packages
//	GET  /trainer/SECRET/    what the recipients learnt, browser by browser
//
// and an HTTP proxy for the demo's names below .test, on port 80, and for
// nothing else: it dials nobody, ever, and refuses CONNECT. Every seat has a
// whole town of its own, so that nothing that one participant's browser sends
// can stand on another's board. Seats live in memory only.
//
// The names are reached by plain http, which to browsers is no secure context:
// there is no service worker, no Sec-Fetch header and no cookie that comes
// along from other sites. Recipients still know a browser by the numbers that
// their scripts keep in the booking site's own cookies.
type room struct {
	keys     map[string]string // host name → key
	packages fs.FS
	secret   string

	mu    sync.Mutex
	count int // of seats, ever
	towns map[Seat]*sitting
}

// A sitting is a seat's town. The map's key has the number zero.
type sitting struct {
	*town
	last time.Time
}

// packageNames are the files that participants may download.
var packageNames = []string{"paravent-chromium.zip", "paravent-firefox.xpi"}

func newRoom(packages fs.FS) *room {
	rm := &room{keys: map[string]string{}, packages: packages, secret: rand.Text(), towns: map[Seat]*sitting{}}
	for _, h := range newTown(nil, roomDomain, seatLimits).hosts {
		if h.key != "lists" {
			rm.keys[h.name] = h.key
		}
	}
	return rm
}

func (rm *room) server(log *slog.Logger) *http.Server {
	direct := rm.direct()
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			if r.Method == http.MethodConnect || r.URL.Host != "" {
				rm.proxy(w, r)
			} else {
				direct.ServeHTTP(w, r)
			}
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// proxy answers for one of the room's names, and refuses all others.
func (rm *room) proxy(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(strings.ToLower(r.URL.Host), ":80")
	key := rm.keys[name]
	if r.Method == http.MethodConnect || r.URL.Scheme != "http" || r.URL.User != nil || key == "" {
		http.Error(w, "This proxy carries the demo's made-up names by http, such as http://booking.test/, and nothing else.", http.StatusForbidden)
		return
	}
	t := rm.town(r)
	// From here on the request is one that was made to the host itself.
	inner := *r
	at := *r.URL
	at.Scheme, at.Host = "", ""
	inner.URL, inner.Host, inner.RequestURI = &at, name, at.RequestURI()
	t.host(key).serve.ServeHTTP(w, &inner)
}

// town finds the seat of a request.
func (rm *room) town(r *http.Request) *town {
	seat := Seat{Browser: browserOf(r.UserAgent())}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		seat.Address = at.Addr().Unmap().WithZone("").String()
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	s := rm.towns[seat]
	if s == nil {
		if len(rm.towns) >= maxSeats {
			rm.giveAway()
		}
		s = &sitting{town: newTown(nil, roomDomain, seatLimits)}
		for _, h := range s.hosts {
			h.origin = "http://" + h.name
		}
		rm.count++
		s.seat = &Seat{rm.count, seat.Address, seat.Browser}
		s.settle()
		rm.towns[seat] = s
	}
	s.last = time.Now()
	return s.town
}

// giveAway forgets the seat that was quiet for longest.
func (rm *room) giveAway() {
	var oldest Seat
	for seat, s := range rm.towns {
		if o := rm.towns[oldest]; o == nil || s.last.Before(o.last) {
			oldest = seat
		}
	}
	delete(rm.towns, oldest)
}

// browserOf is as much of a User-Agent as tells two browsers of one computer
// apart.
func browserOf(agent string) string {
	switch {
	case strings.Contains(agent, "Firefox/"):
		return "Firefox"
	case strings.Contains(agent, "Edg/"):
		return "Edge"
	case strings.Contains(agent, "Chrome/"):
		return "Chromium"
	}
	return ""
}

// seats are copied in the order of coming.
func (rm *room) seats() []*town {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	all := make([]*town, 0, len(rm.towns))
	for _, s := range rm.towns {
		all = append(all, s.town)
	}
	slices.SortFunc(all, func(a, b *town) int { return cmp.Compare(a.seat.Number, b.seat.Number) })
	return all
}

func (rm *room) reset() {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	clear(rm.towns)
	rm.count = 0
}

// direct serves what the room's address is asked for as itself.
func (rm *room) direct() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", rm.page("start", func(r *http.Request) any {
		return map[string]any{"PAC": "http://" + reached(r) + "/proxy.pac", "Packages": rm.offered()}
	}))
	mux.HandleFunc("GET /proxy.pac", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, rm.pac(reached(r)))
	})
	for _, name := range []string{"room.css", "start.js", "trainer.js"} {
		mux.Handle("GET /"+name, fresh(file(roomFiles, "room/"+name)))
	}
	mux.Handle("GET /favicon.ico", fresh(file(siteFiles, "site/icon.svg")))
	for _, name := range rm.offered() {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			// As a file: Firefox would otherwise install it, and refuse it unsigned.
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
			http.ServeFileFS(w, r, rm.packages, name)
		})
	}
	at := "/trainer/" + rm.secret
	mux.Handle("GET "+at+"/{$}", rm.page("trainer", func(r *http.Request) any {
		return map[string]any{"Start": "http://" + reached(r) + "/"}
	}))
	mux.HandleFunc("GET "+at+"/api/record", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(rm.overview(langOf(r)))
	})
	mux.HandleFunc("POST "+at+"/api/reset", func(w http.ResponseWriter, r *http.Request) {
		rm.reset()
		w.WriteHeader(http.StatusNoContent)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

var roomPages = template.Must(template.ParseFS(roomFiles, "room/*.html"))

// page serves a page of the room's own, in two languages.
func (rm *room) page(name string, data func(*http.Request) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := langOf(r)
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer") // the trainer's address is a secret
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' http://board"+roomDomain+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		roomPages.ExecuteTemplate(w, name+".html", map[string]any{
			"Lang": l, "OtherLang": map[lang]lang{"en": "fr", "fr": "en"}[l], "Say": l.say,
			"Site": "http://booking" + roomDomain + "/", "Board": "http://board" + roomDomain + "/", "Of": data(r),
		})
	})
}

// offered are the packages that are there.
func (rm *room) offered() []string {
	out := []string{}
	for _, name := range packageNames {
		if rm.packages == nil {
			break
		}
		if info, err := fs.Stat(rm.packages, name); err == nil && info.Mode().IsRegular() {
			out = append(out, name)
		}
	}
	return out
}

// pac is the proxy auto-configuration for browsers that reach the room at
// host. A name that is not the demo's never comes here, and no other name is
// ever looked up because of it.
func (rm *room) pac(host string) string {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range rm.keys {
			if !yield(name) {
				return
			}
		}
	})
	var b strings.Builder
	b.WriteString("// Sends the made-up names of Paravent's demo to the trainer's computer.\n// Everything else goes its own way, as if this file were not there.\nvar names = [")
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", name)
	}
	fmt.Fprintf(&b, "];\n\nfunction FindProxyForURL(url, host) {\n  host = host.toLowerCase();\n  for (var i = 0; i < names.length; i++) if (host === names[i]) return \"PROXY %s\";\n  return \"DIRECT\";\n}\n", host)
	return b.String()
}

// hostAndPort is what may stand in the auto-configuration, whatever a request
// calls its host.
var hostAndPort = regexp.MustCompile(`^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$`)

// reached is the room's host and port as the client of r wrote them.
func reached(r *http.Request) string {
	host := r.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host += ":80"
	}
	if hostAndPort.MatchString(host) {
		return host
	}
	l, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if l == nil {
		return "127.0.0.1:80"
	}
	return l.String()
}

// addresses names the room as the network reaches it.
func (rm *room) addresses(at *net.TCPAddr) *RoomAddresses {
	ip, _ := netip.AddrFromSlice(at.IP)
	if ip = ip.Unmap(); ip.IsUnspecified() {
		ip = networkAddress()
	}
	u := url.URL{Scheme: "http", Host: netip.AddrPortFrom(ip, uint16(at.Port)).String(), Path: "/"}
	return &RoomAddresses{Start: u.String(), PAC: u.JoinPath("proxy.pac").String(), Trainer: u.JoinPath("trainer", rm.secret, "/").String()}
}

// networkAddress is this machine's on the local network, as far as it can be
// told; its own if there is none.
func networkAddress() netip.Addr {
	best := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	all, err := net.InterfaceAddrs()
	if err != nil {
		return best
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if p.Addr().IsPrivate() {
			return p.Addr()
		}
		best = p.Addr()
	}
	return best
}

// An Overview is the answer of the trainer's api/record.
type Overview struct {
	Seats []SeatStanding `json:"seats"`
}

// A SeatStanding is what the recipients learnt from one browser. What the
// booking needs is not in it.
type SeatStanding struct {
	Seat
	Recipients []SeatRecipient `json:"recipients"`
}

// A SeatRecipient is one line of a SeatStanding.
type SeatRecipient struct {
	Key      string   `json:"key"`
	Name     string   `json:"name"`
	Requests int      `json:"requests"`
	Learnt   []string `json:"learnt"`
}

func (rm *room) overview(l lang) Overview {
	o := Overview{Seats: []SeatStanding{}}
	for _, t := range rm.seats() {
		s := SeatStanding{Seat: *t.seat, Recipients: []SeatRecipient{}}
		for _, x := range t.board(l).Recipients {
			s.Recipients = append(s.Recipients, SeatRecipient{x.Key, x.Name, len(x.Requests) + x.Dropped, x.Learnt})
		}
		o.Seats = append(o.Seats, s)
	}
	return o
}
