// Package report reads what a patient saved with "save a report" and drafts
// from it what a maintainer may add to the lists: rules, what a site needs, and
// examples that hold the list to them.
//
// A report is a JSON object, version 1:
//
//	{
//	  "paravent-report": 1,
//	  "site": "booking.example",
//	  "says": "The calendar stays empty.",
//	  "requests": [
//	    {"url": "https://calendar.example/…", "type": "script", "page": "https://booking.example/…",
//	     "decision": "block", "reason": "listed", "rule": "||calendar.example/widget/"}
//	  ]
//	}
//
// site is the host of the page, says what the patient wrote, in any language,
// and each request one that the patient's browser decided, in the words of
// package match: "type" is webRequest's, "decision" an action, "reason" a
// reason, "rule" the one that decided, if one did. What a patient does not want to tell is cut off and "…" (or "...")
// stands in its place; an address keeps its meaning as long as its host is
// whole, and its rule tells what of the path mattered. Fields that are not known are ignored.
//
// Nothing of a report goes into a list by itself. Drafts have "<…>" where
// somebody must look for evidence, which lint refuses. Of the patient's
// addresses a draft has the host and what of the path says nothing of one
// patient, as far as a program can tell.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
)

// Version is the one that Parse reads.
const Version = 1

// What a report may be at most. The extension keeps far below.
const (
	MaxSize     = 4 << 20
	MaxRequests = 2000
	maxText     = 64 << 10 // of one field
)

// A Report is what a patient saved.
type Report struct {
	Site     string    `json:"site"`
	Says     string    `json:"says"`
	Requests []Request `json:"requests"`
}

// A Request is one that was decided in the patient's browser.
type Request struct {
	URL      string `json:"url"`
	Type     string `json:"type"`
	Page     string `json:"page"`
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
	Rule     string `json:"rule,omitempty"` // that decided, as the patient's list has it
}

// Parse reads a report. It takes any bytes: the file comes from a stranger.
func Parse(data []byte) (*Report, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("report: %d bytes, and at most %d are read: ask for one of the visit on which it went wrong", len(data), MaxSize)
	}
	var r struct {
		Version *int `json:"paravent-report"`
		Report
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("report: %w: ask for the file as the extension saved it", err)
	}
	switch {
	case r.Version == nil:
		return nil, errors.New(`report: no field "paravent-report": this is no report of the extension`)
	case *r.Version != Version:
		return nil, fmt.Errorf("report: version %d, and this program reads %d: take the program of the same release as the extension", *r.Version, Version)
	case len(r.Requests) == 0:
		return nil, errors.New("report: no requests: nothing can be drafted from it")
	case len(r.Requests) > MaxRequests:
		return nil, fmt.Errorf("report: %d requests, and at most %d are read: ask for one of the visit on which it went wrong", len(r.Requests), MaxRequests)
	}
	long := len(r.Site) > maxText || len(r.Says) > maxText
	for _, q := range r.Requests {
		long = long || max(len(q.URL), len(q.Page), len(q.Type), len(q.Decision), len(q.Reason), len(q.Rule)) > maxText
	}
	if long {
		return nil, fmt.Errorf("report: a text in it is longer than %d bytes: ask for the file as the extension saved it", maxText)
	}
	return &r.Report, nil
}

// A place is what a draft keeps of an address: no query, no fragment, and
// nothing in its path that looks like a name or number of one patient's.
type place struct {
	scheme, host, port string
	path               string // begins with "/"
	directory          string // what of it is as the patient's browser asked for it, up to a "/"
}

func (p place) String() string { return p.scheme + "://" + p.host + p.port + p.path }

// readPlace reads an address that may be cut off. It fails when the host is
// not whole.
func readPlace(text string) (p place, err error) {
	for _, mark := range []string{"…", "..."} {
		before, _, cut := strings.Cut(text, mark)
		if cut && strings.Count(before, "/") < len("///") {
			return p, errors.New("its host is cut off")
		}
		text = before
	}
	canonical, err := address.Canonical(nil, []byte(text))
	if err != nil {
		return p, err
	}
	if len(canonical) > address.MaxText {
		return p, errors.New("longer than any address that a list is about")
	}
	var u address.URL
	if err := u.Parse(canonical); err != nil {
		return p, err
	}
	whole := string(u.Exact())
	p.scheme, _, _ = strings.Cut(whole, "://")
	p.host = string(u.Host())
	rest := whole[u.HostEnd():]
	path := strings.IndexByte(rest, '/')
	p.port, rest = rest[:path], rest[path:]
	rest, _, _ = strings.Cut(rest, "?")
	p.path = plainPath(rest)
	same := 0
	for same < min(len(rest), len(p.path)) && rest[same] == p.path[same] {
		same++
	}
	p.directory = rest[:strings.LastIndexByte(rest[:same], '/')+1]
	return p, nil
}

// longestName is how long a part of a path can be that is still taken for a
// name of the site's own.
const longestName = 24

// assets are the ends of names that say what is in a file and nothing else.
var assets = []string{".js", ".css", ".json", ".html", ".php", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".woff", ".woff2", ".mp4"}

// plainPath writes "example" for every part of a path that may say something
// of one patient: numbers, codes, and what is long or written in escapes. It
// cannot know names when it sees them.
func plainPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, extension := part, ""
		if dot := strings.LastIndexByte(part, '.'); dot > 0 && slices.Contains(assets, part[dot:]) {
			name, extension = part[:dot], part[dot:]
		}
		digits := 0
		for _, c := range name {
			if '0' <= c && c <= '9' {
				digits++
			}
		}
		if len(name) > longestName || digits > 2 || strings.ContainsAny(name, "%@=&;,+$*|^~") {
			parts[i] = "example" + extension
		}
	}
	return strings.Join(parts, "/")
}
