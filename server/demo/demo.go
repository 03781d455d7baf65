// Package demo is a booking site that leaks, and everybody who listens.
//
// It shows on one machine what a patient's browser tells third parties while
// booking a doctor, in the shapes that real booking sites and trackers used
// from 2021 on. Run starts one loopback listener per host name, so that each
// party's TCP connections can be told apart:
//
//	booking           the site: search, results, doctor, form, confirmation
//	lists             the list server, a handler given by the caller
//	board             what every recipient learnt, in plain words
//	photos, bucket    the doctors' photos (Cloudinary-like, S3-like)
//	analytics … widgets   recipients of telemetry
//	consent … map     third parties that the form needs in order to work
//
// A recipient knows what it received and the public directory of doctors, and
// nothing else: its sentences are derived from its own record alone. The
// booking site keeps no state.
//
// Names end in .localhost, which browsers resolve to loopback by themselves
// and treat as different sites (a.localhost is a third party to b.localhost).
// For a room of laptops the same hosts also stand below .test, behind one
// address on the local network: see room.
// Files under site, recipients, needs and board are served as they are, so
// what a party runs can be read there.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Options says where the demo listens and what it is given from outside.
type Options struct {
	// Port is the first host's TCP port; the others count up from it in the
	// order of the package comment. 0 lets the system choose each.
	Port int
	// Lists answers lists.localhost. If nil, that host answers 404 with a
	// sentence.
	Lists http.Handler
	// Room is the TCP address on which a room of laptops is served as well,
	// such as ":8500"; empty: none is.
	Room string
	// Packages holds what the room's participants may download, by the names
	// in packageNames; nil: nothing.
	Packages fs.FS
	// Ready receives one line of JSON, an Addresses, when every host listens.
	Ready io.Writer
	// Log receives the few events that are not a request; nil discards them.
	Log *slog.Logger
}

// Addresses is the line that Run writes to Options.Ready: origins, such as
// http://booking.localhost:8480.
type Addresses struct {
	Site       string            `json:"site"`
	Lists      string            `json:"lists"`
	Board      string            `json:"board"`
	Recipients map[string]string `json:"recipients"`
	Needs      map[string]string `json:"needs"`
	Room       *RoomAddresses    `json:"room,omitempty"`
}

// A host is one party: a name, a listener of its own, and what it received.
type host struct {
	key    string // its word in the JSON line, such as "photos"
	name   string // its host name, such as "photos.localhost"
	origin string // set once it listens
	serve  http.Handler
	record *record // nil for the parts that belong to the demo itself
}

// Keys of the hosts that keep a record, in the order in which they listen and
// stand on the board.
var (
	recipientKeys = []string{"photos", "bucket", "analytics", "metrics", "stream", "ads", "errors", "widgets"}
	needKeys      = []string{"consent", "captcha", "pay", "video", "map"}
)

// Run serves the demo until ctx is done, and then returns nil. An error names
// the host and the port that could not be listened on.
func Run(ctx context.Context, o Options) error {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := newTown(o.Lists, ".localhost", limits{maxRequests, maxRecordBytes})
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	for i, h := range t.hosts {
		port := 0
		if o.Port != 0 {
			port = o.Port + i
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("demo: %s: %w; choose another first port, %d in a row must be free", h.name, err, len(t.hosts))
		}
		listeners = append(listeners, l)
		h.origin = fmt.Sprintf("http://%s:%d", h.name, l.Addr().(*net.TCPAddr).Port)
	}
	t.settle()

	failed := make(chan error, len(t.hosts)+1)
	var servers []*http.Server
	defer func() {
		for _, s := range servers {
			s.Close()
		}
	}()
	addresses := t.addresses()
	if o.Room != "" {
		l, err := net.Listen("tcp", o.Room)
		if err != nil {
			return fmt.Errorf("demo: the room's address %s: %w", o.Room, err)
		}
		room := newRoom(o.Packages)
		addresses.Room = room.addresses(l.Addr().(*net.TCPAddr))
		log.Info("demo: a room is open", "participants", addresses.Room.Start, "trainer", addresses.Room.Trainer)
		s := room.server(log)
		servers = append(servers, s)
		go func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("demo: the room: %w", err)
			}
		}()
	}
	for i, h := range t.hosts {
		s := &http.Server{
			Handler:           h.serve,
			ReadHeaderTimeout: 10 * time.Second,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
		if h.record != nil {
			s.ConnContext, s.ConnState = h.record.connContext, h.record.connState
		}
		servers = append(servers, s)
		go func() {
			if err := s.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("demo: %s: %w", h.name, err)
			}
		}()
	}
	if o.Ready != nil {
		line, err := json.Marshal(addresses)
		if err != nil {
			return fmt.Errorf("demo: writing the addresses: %w", err)
		}
		if _, err := o.Ready.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("demo: writing the addresses: %w", err)
		}
	}
	log.Info("demo: listening", "site", t.host("booking").origin, "board", t.host("board").origin)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// A town is the hosts together. Nobody in it reads another's record but the
// board.
type town struct {
	hosts []*host
	byKey map[string]*host
	seat  *Seat // whose town it is, if it is one of a room's
}

// newTown makes the hosts below a top-level domain, such as ".localhost".
func newTown(lists http.Handler, domain string, max limits) *town {
	t := &town{byKey: map[string]*host{}}
	add := func(key, name string, recorded bool) {
		h := &host{key: key, name: name}
		if recorded {
			h.record = newRecord(max)
		}
		t.hosts = append(t.hosts, h)
		t.byKey[key] = h
	}
	for _, key := range []string{"booking", "lists", "board"} {
		add(key, key+domain, false)
	}
	for _, key := range recipientKeys {
		name := key + domain
		if key == "metrics" {
			name = "metrics.booking" + domain // as a CNAME to the tracker's own host would do
		}
		add(key, name, true)
	}
	for _, key := range needKeys {
		add(key, key+domain, true)
	}
	if lists == nil {
		lists = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "This demo was started without a list server.", http.StatusNotFound)
		})
	}
	t.host("lists").serve = lists
	return t
}

// settle gives every host its handler, now that all origins are known.
func (t *town) settle() {
	receipts := newReceipts()
	for key, h := range recipientHandlers() {
		t.host(key).serve = h
	}
	for key, h := range needHandlers(receipts) {
		t.host(key).serve = h
	}
	for _, h := range t.hosts {
		if h.record != nil {
			h.serve = h.record.keep(h.origin, h.serve)
		}
	}
	t.host("booking").serve = newSite(t.origins(), receipts)
	t.host("board").serve = newBoard(t)
}

func (t *town) host(key string) *host { return t.byKey[key] }

func (t *town) origins() map[string]string {
	m := map[string]string{}
	for _, h := range t.hosts {
		m[h.key] = h.origin
	}
	return m
}

func (t *town) addresses() Addresses {
	a := Addresses{
		Site:       t.host("booking").origin,
		Lists:      t.host("lists").origin,
		Board:      t.host("board").origin,
		Recipients: map[string]string{},
		Needs:      map[string]string{},
	}
	for _, key := range recipientKeys {
		a.Recipients[key] = t.host(key).origin
	}
	for _, key := range needKeys {
		a.Needs[key] = t.host(key).origin
	}
	return a
}
