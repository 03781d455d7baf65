// Package leak tells whether a request carries the page that it comes from.
//
// On a booking site the address of the page is the diagnosis. A third party
// learns it without asking when a script puts it into a URL or a body, in
// words or wrapped up:
//
//	page     https://booking.example/oncologist/paris?motive=breast-lump
//	request  https://firehose.example/live
//	body     {"Record":{"Data":"eyJwYWdlX3VybCI6Imh0dHBzOi8vYm9va2luZy…"}}
//	finding  the address, in the body, in base64, under page_url
//
// What is looked for is made of the page's address alone: the address itself,
// words of its path that follow each other, and the values of its parameters.
// Both sides are read as words, so it does not matter how words are joined, in
// which case they are and whether they have their accents.
//
// What is looked into are the request's URL behind the host, its body and its
// Referer, and what they unwrap to, up to eight layers of: %-escapes of
// addresses and escapes of JSON; base64 and base64url (RFC 4648) wherever it
// begins in a longer run of its characters; hexadecimal; gzip, zlib and
// DEFLATE (RFC 1952, 1950, 1951). MD5, SHA-1 and SHA-256 of the address, in
// hexadecimal or base64, are known by their values.
//
// What must not be mistaken for a leak: an origin or a host, which payment,
// captcha and embeds need; words that are short or that addresses have
// everywhere; and a file of the site's own on a CDN whose name happens to have
// a word of the page's. The rules are in judge.go, and why they are so.
//
// The package is linked into the module that every wake of the extension's
// worker loads, so it stands on little: see digest.go and inflate.go.
package leak

import "bytes"

// What tells what it is that a request carries of its page.
type What uint8

// The kinds of What. If a request carries several, a Finding names the first.
const (
	Address What = iota // the page's address
	Path                // words of its path, or of its fragment
	Search              // the value of one of its parameters
)

// WhatNames lists the names of What in the order of their numbers.
var WhatNames = []string{"address", "path", "search"}

func (w What) String() string { return WhatNames[w] }

// Place is the part of a request that carries it.
type Place uint8

// The places.
const (
	URL Place = iota // behind the host
	Body
	Referer
)

// PlaceNames lists the names of Place in the order of their numbers.
var PlaceNames = []string{"url", "body", "referer"}

func (p Place) String() string { return PlaceNames[p] }

// A Finding is what a request carries of its page.
type Finding struct {
	What  What
	Place Place
	// Encoding tells how it was wrapped, from the inside out: "plain",
	// "percent", "percent twice", "escapes", "base64", "hex", "gzip", "zlib",
	// "deflate", "md5", "sha1", "sha256", or several of them, as in "percent in
	// base64". "base64 in JSON in base64" is base64 in a JSON text that is in
	// base64.
	Encoding string
	Text     string // what was found, unwrapped, at most 100 bytes
	Field    string // the parameter or JSON key that has it; "" if there is none
}

// Limits. What is beyond them is not looked at.
const (
	maxText  = 1 << 20  // bytes that are looked at of a body, and of what one stream unpacks to
	maxURL   = 64 << 10 // bytes that are looked at of a URL and of a Referer
	maxDepth = 8        // layers
	maxWork  = 8 << 20  // bytes that are read in all layers together
	maxShown = 100      // bytes of Finding.Text
	maxField = 60       // bytes of Finding.Field
)

// A Page is the page whose address must not leave. Its zero value is one
// without an address, of which nothing can leak. A value is meant to be used
// for one page after another, by one goroutine at a time; it keeps what it
// works with, so that Find allocates nothing until it has found something.
type Page struct {
	address []byte
	known   bool // the needles are those of address
	needles
	search
}

// Set says which page the requests come from: the address of the top document.
// It costs little; what depends on the address is made by the next Find.
func (p *Page) Set(address []byte) {
	address = address[:min(len(address), maxAddress)]
	if !bytes.Equal(address, p.address) {
		p.address = append(p.address[:0], address...)
		p.known = false
	}
}

// Find tells what a request to a third party carries of the page. Of several
// things it tells the one that says most. The slices are read only.
//
// Of a body the first megabyte is looked at, of a URL and a Referer the first
// 64 KB. The work is bounded by the length of the three, whatever is in them.
func (p *Page) Find(url, body, referer []byte) (Finding, bool) {
	if !p.known {
		p.learn(p.address)
		p.known = true
	}
	url, body, referer = url[:min(len(url), maxURL)], body[:min(len(body), maxText)], referer[:min(len(referer), maxURL)]
	p.begin(len(url) + len(body) + len(referer))
	if p.telling {
		p.lookAtURL(url)
		p.look(Body, body, false)
	}
	if len(referer) > 0 {
		p.lookAtReferer(referer)
	}
	return p.best, p.found
}

// Each is Find for the parts of a request one by one: who is told the page's
// origin by the Referer may be told its address by the body.
func (p *Page) Each(url, body, referer []byte) (all []Finding) {
	for _, part := range [...][3][]byte{{0: url}, {1: body}, {2: referer}} {
		if found, ok := p.Find(part[0], part[1], part[2]); ok {
			all = append(all, found)
		}
	}
	return all
}
