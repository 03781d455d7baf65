package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// A screen keeps what is written, and can be looked at meanwhile.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits until something stands on the screen.
func (s *screen) shows(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(s.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q has no %q", s, text)
		}
	}
}

func TestProgress(t *testing.T) {
	var out screen
	p := progressOn(&out, "building", time.Millisecond)
	out.shows(t, "\r\x1b[Kparavent: building … 0 s")
	p.say("compiling")
	out.shows(t, "\r\x1b[Kparavent: compiling … ")
	p.end()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("%q is left behind", &out)
	}
	out = screen{}
	p = progressOn(&out, "building", time.Hour)
	p.end()
	if out.String() != "" {
		t.Errorf("%q for what takes no time", &out)
	}
}
