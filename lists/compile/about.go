package compile

import (
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// About is what people and user interfaces want to know of a bundle without
// looking anything up in it. It is written as JSON beside every built list.
type About struct {
	Sites      []AboutSite      `json:"sites"`
	Recipients []AboutRecipient `json:"recipients"`
	Counts     Counts           `json:"counts"`
}

// AboutSite is a protected domain.
type AboutSite struct {
	Domain string `json:"domain"`
	Name   string `json:"name"`
}

// AboutRecipient is the organisation behind a host and its subdomains.
type AboutRecipient struct {
	Host     string   `json:"host"`
	Name     string   `json:"name"`
	Country  string   `json:"country"`
	Purposes []string `json:"purposes,omitempty"` // keys of what it receives requests for
}

// Counts are numbers of rules.
type Counts struct {
	Hosts int `json:"hosts"` // hosts blocked without conditions
	Rules int `json:"rules"` // all others: needs, exceptions, photos, conditions
}

// Describe reads a bundle through.
func Describe(b *bundle.Bundle) (*About, error) {
	about := &About{Sites: []AboutSite{}, Recipients: []AboutRecipient{}}
	for _, s := range b.Sites() {
		about.Sites = append(about.Sites, AboutSite(s))
	}
	for _, r := range b.Recipients() {
		one := AboutRecipient{Host: r.Host, Name: r.Name, Country: r.Country}
		if r.Purposes != "" {
			one.Purposes = strings.Split(r.Purposes, ",")
		}
		about.Recipients = append(about.Recipients, one)
	}
	err := b.EachRule(func(kind bundle.Kind, r filter.Rule) error {
		if kind == bundle.Block && r.Plain() {
			about.Counts.Hosts++
		} else {
			about.Counts.Rules++
		}
		return nil
	})
	return about, err
}
