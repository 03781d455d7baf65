package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var out strings.Builder
	p := progressOn(&out, "building", 5*time.Millisecond)
	time.Sleep(30 * time.Millisecond)
	p.say("compiling")
	time.Sleep(30 * time.Millisecond)
	p.end()
	for _, want := range []string{"\r\x1b[Kparavent: building … 0 s", "\r\x1b[Kparavent: compiling … 0 s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q has no %q", out.String(), want)
		}
	}
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("%q is left behind", out.String())
	}
	out.Reset()
	p = progressOn(&out, "building", time.Hour)
	p.end()
	if out.String() != "" {
		t.Errorf("%q for what takes no time", out.String())
	}
}
