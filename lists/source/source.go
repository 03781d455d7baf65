// Package source reads what maintainers write and makes a list of it: the
// hand-kept rules, the protected sites, the recipients, and the lists by
// others that are imported when building.
//
// A source directory holds any of
//
//	telemetry.txt photos.txt exceptions.txt   rules, see package filter
//	sites/*.json                              a protected site a file, see SiteFile
//	recipients.json                           who stands behind a host, see RecipientEntry
//	upstream.json                             imports, see Upstream
//	trust.txt                                 who signs releases, see package release
//
// Rules stand in paragraphs. The comment lines of a paragraph say why its
// rules are there, where that is written, and when it was read:
//
//	! reason: The search result is rebuilt from the photos that it shows.
//	! source: https://example.org/report
//	! date: 2026-08-14
//	||res.cloudinary.com/doctolib/image/upload/
//
// A rule without the three is refused: a list in a health tool accuses
// somebody of something. Every mistake names the file and the line, and says
// what to do:
//
//	lists/telemetry.txt:9: date "last week": want the day it was read, such as 2026-08-14
//
// Read makes a list and stops at the first mistake; Lint finds them all, also
// those with which a list can be built but that nobody can have meant.
package source

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// A Report counts what a build took and what it left out. Every rule read is
// in exactly one of the counts.
type Report struct {
	In        int                 // rules read
	Used      map[string]int      // by where they went
	LeftOut   map[string]int      // by kind
	Examples  map[string][]string // of each kind left out the first three, as they are written
	Repeats   int                 // rules that another source has already
	Cancelled int                 // rules with badfilter, and those that they took away
}

// Read reads source directories, imports their upstreams from the npm folder
// modules, and returns the list. The error is the first mistake that it finds;
// Lint finds them all. progress hears what takes long; it may be nil.
func Read(directories []Directory, modules fs.FS, progress func(string)) (*compile.List, *Report, error) {
	if progress == nil {
		progress = func(string) {}
	}
	sources := Load(directories)
	for _, m := range sources.Mistakes {
		return nil, nil, m
	}
	b := newBuilder()
	for i := range sources.Rules {
		b.add(sources.Rules[i].Kind, sources.Rules[i].Rule)
	}
	for i := range sources.Sites {
		if err := b.site(&sources.Sites[i]); err != nil {
			return nil, nil, err
		}
	}
	for _, e := range sources.Recipients {
		for _, host := range e.Hosts {
			b.list.Recipients = append(b.list.Recipients, bundle.Recipient{
				Host: host, Country: e.Country, Name: e.Name, Purposes: strings.Join(e.Purposes, ","),
			})
		}
	}
	for i := range sources.Upstreams {
		u := &sources.Upstreams[i]
		progress("importing " + u.Name)
		if err := b.upstream(u, modules); err != nil {
			return nil, nil, err
		}
	}
	b.finish()
	if len(b.list.Rules) == 0 {
		return nil, nil, errors.New("no rules: name a source directory such as lists")
	}
	return &b.list, b.report, nil
}

type builder struct {
	list   compile.List
	report *Report
	seen   map[string]bool // rules of the list, by key
	bad    map[string]bool // rules to take away, by key
}

func newBuilder() *builder {
	return &builder{
		report: &Report{Used: map[string]int{}, LeftOut: map[string]int{}, Examples: map[string][]string{}},
		seen:   map[string]bool{},
		bad:    map[string]bool{},
	}
}

// finish takes away what rules with badfilter name, wherever either was read,
// and counts what is left.
func (b *builder) finish() {
	all := len(b.list.Rules)
	b.list.Rules = slices.DeleteFunc(b.list.Rules, func(r bundle.KindedRule) bool {
		return len(b.bad) > 0 && b.bad[key(r.Kind, &r.Rule)]
	})
	b.report.Cancelled += all - len(b.list.Rules)
	for _, r := range b.list.Rules {
		b.report.Used[usedAs(r.Kind, &r.Rule)]++
	}
}

// add takes a rule unless the list has it.
func (b *builder) add(kind bundle.Kind, r filter.Rule) {
	b.report.In++
	if r.Important {
		kind = bundle.Important
	}
	if r.Bad {
		r.Bad = false
		b.bad[key(kind, &r)] = true
		b.report.Cancelled++
		return
	}
	k := key(kind, &r)
	if b.seen[k] {
		b.report.Repeats++
		return
	}
	b.seen[k] = true
	b.list.Rules = append(b.list.Rules, bundle.KindedRule{Kind: kind, Rule: r})
}

func key(kind bundle.Kind, r *filter.Rule) string {
	return string('0'+rune(kind)) + r.String()
}

// take adds a rule of an import.
func (b *builder) take(r filter.Rule) {
	if r.Allow {
		b.add(bundle.Exception, r)
	} else {
		b.add(bundle.Block, r)
	}
}

// leaveOut counts a rule of an import that cannot be used.
func (b *builder) leaveOut(err error, written string) {
	b.report.In++
	kind := "not readable"
	var unsupported *filter.Unsupported
	if errors.As(err, &unsupported) {
		kind = unsupported.Kind
	}
	b.report.LeftOut[kind]++
	if examples := b.report.Examples[kind]; len(examples) < 3 {
		b.report.Examples[kind] = append(examples, strings.Clone(strings.TrimSpace(written)))
	}
}

// parse is filter.Parse that looks into regular expressions too.
func parse(line string) (filter.Rule, error) {
	r, err := filter.Parse(line)
	if err == nil {
		err = checkRegexp(&r)
	}
	return r, err
}

// usedAs says where a rule went.
func usedAs(kind bundle.Kind, r *filter.Rule) string {
	switch kind {
	case bundle.Need:
		return "needs"
	case bundle.Exception:
		return "exceptions"
	case bundle.Photo:
		return "photos"
	}
	switch {
	case r.Plain():
		return "hosts"
	case r.Regexp:
		return "regular expressions"
	case r.Host == "" && r.Anchor == filter.AtLabel:
		return "parts of hosts"
	case r.Host == "":
		return "patterns"
	case r.Pattern == "":
		return "hosts with options"
	case r.Pattern[0] != '/':
		return "hosts with patterns"
	}
	return "host + path"
}

// site takes a protected site, whose needs hold on its own pages.
func (b *builder) site(s *SiteFile) error {
	for _, domain := range s.Domains {
		b.list.Sites = append(b.list.Sites, bundle.Site{Domain: domain, Name: s.Name})
	}
	for _, n := range s.Needs {
		r, err := filter.Parse(n.Rule)
		if err != nil {
			return err
		}
		if err := r.AddDomains(s.Domains, false); err != nil {
			return err
		}
		b.add(bundle.Need, r)
	}
	return nil
}
