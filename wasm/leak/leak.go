// Package leak tells whether a request carries the page that it comes from.
package leak

// What is it that a request carries?
type What uint8

const (
	Address What = iota // the page's address
	Path                // words of its path
	Search              // a search parameter
)

// WhatNames lists the names of What in the order of their numbers.
var WhatNames = []string{"address", "path", "search"}

func (w What) String() string { return WhatNames[w] }

// Place is the part of the request in which it stands.
type Place uint8

const (
	URL Place = iota
	Body
	Referer
)

// PlaceNames lists the names of Place in the order of their numbers.
var PlaceNames = []string{"url", "body", "referer"}

func (p Place) String() string { return PlaceNames[p] }

// A Finding is what a request carries of its page.
type Finding struct {
	What     What
	Place    Place
	Encoding string // from the inside out: "plain", "percent", "base64 in JSON in base64", "sha256" …
	Text     string // what was found, decoded, at most 100 bytes
	Field    string // the parameter or JSON key with it, if there is one
}
