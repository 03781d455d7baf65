package main

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
)

// What a release's standing is in words, to the letter.
func TestPrintTrusted(t *testing.T) {
	const (
		head    = "signed by demo.one (1 needed)\nentry 3 of 9 in the log lists.example\n"
		nothing = "no outside witness is asked for: the server together with its maintainers could show one reader another list than all others\n"
		toy     = "the demo key demo.one is trusted: this is not for patients\n"
	)
	text := "threshold 1\n"
	for _, line := range [][2]string{{"maintainer", "demo.one"}, {"log", "lists.example"}} {
		_, public, err := note.GenerateKey(rand.Reader, line[1])
		if err != nil {
			t.Fatal(err)
		}
		text += line[0] + " " + public + "\n"
	}
	trust, err := release.ParseTrust(text + "quorum none\n")
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	taken := release.Taken{
		Release: release.Release{Index: 3, Issued: issued, Expires: issued.AddDate(0, 0, 30), Trust: trust.Digest()},
		Trust:   trust, Signers: []string{"demo.one"}, Log: "lists.example", Tree: release.Tree{Size: 9},
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{-time.Minute, "issued 60 seconds from now: a clock is wrong, this one or the maintainers'\n"},
		{time.Second, "issued 1 second ago\n"},
		{90 * time.Minute, "issued 90 minutes ago\n"},
		{30 * time.Hour, "issued 30 hours ago\n"},
		{31 * 24 * time.Hour, "issued 31 days ago\nstale since 2026-12-22T07:00:00Z: readers go on using it and say so\n"},
	} {
		var out strings.Builder
		printTrusted(&out, taken, issued.Add(c.after))
		if want := head + nothing + c.want + toy; out.String() != want {
			t.Errorf("after %s:\n%s\nwant\n%s", c.after, out.String(), want)
		}
	}
}
