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
// somebody of something. Every error names the file and the line or the
// field, and says what to do.
package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// A SiteFile is a protected site: sites/NAME.json.
type SiteFile struct {
	Name     string    // as its patients know it
	Domains  []string  // protected with their subdomains
	Source   string    // where it is written that patients book there
	Date     string    // when that was read, YYYY-MM-DD
	Needs    []Need    // what it cannot work without
	Requests []Request // what it asks for, with the decision that is right
}

// A Need is a rule for requests that pass on the site's pages whatever a list
// says of them.
type Need struct {
	Rule   string // a filter rule without domain=
	For    string // one of Purposes
	Source string
	Date   string
}

// Purposes are what a site can need a third party for.
var Purposes = []string{
	"encryption", "video", "consent", "anti-bot", "payment", "map", "booking", "login", "assets", "captcha",
}

// A Request is an example with its expected decision, by package match's names.
type Request struct {
	URL, Page, Type string
	Expect          string // allow, block or relay
	Reason          string // empty: any
}

// A RecipientEntry is an organisation in recipients.json.
type RecipientEntry struct {
	Name    string
	Country string // of its seat, ISO 3166-1 alpha-2
	Hosts   []string
	Source  string
	Date    string
}

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

// A Directory is a source directory. Name is where errors say a file lies.
type Directory struct {
	Name  string
	Files fs.FS
}

// Read reads source directories, imports their upstreams from the npm folder
// modules, and returns the list. progress hears what takes long; it may be nil.
func Read(directories []Directory, modules fs.FS, progress func(string)) (*compile.List, *Report, error) {
	if progress == nil {
		progress = func(string) {}
	}
	b := newBuilder()
	for _, directory := range directories {
		if err := b.directory(directory, modules, progress); err != nil {
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

func (b *builder) directory(directory Directory, modules fs.FS, progress func(string)) error {
	for _, file := range []struct {
		name string
		kind bundle.Kind
	}{
		{"telemetry.txt", bundle.Block}, {"photos.txt", bundle.Photo}, {"exceptions.txt", bundle.Exception},
	} {
		text, err := fs.ReadFile(directory.Files, file.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := b.rules(path.Join(directory.Name, file.name), string(text), file.kind); err != nil {
			return err
		}
	}
	sites, err := Sites(directory)
	if err != nil {
		return err
	}
	for _, site := range sites {
		if err := b.site(site); err != nil {
			return err
		}
	}
	if err := b.recipients(directory); err != nil {
		return err
	}
	var upstreams []Upstream
	if err := readJSON(directory, "upstream.json", &upstreams); err != nil {
		return err
	}
	for _, u := range upstreams {
		progress("importing " + u.Name)
		if err := b.upstream(u, modules); err != nil {
			return fmt.Errorf("%s: %s: %w", path.Join(directory.Name, "upstream.json"), u.Name, err)
		}
	}
	return nil
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
	directory, _ := r.Directory()
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
	case directory == "":
		return "hosts with patterns"
	}
	return "host + path"
}

// rules reads one of the rule files.
func (b *builder) rules(name, text string, kind bundle.Kind) error {
	var said map[string]string
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		fail := func(format string, args ...any) error {
			return fmt.Errorf("%s:%d: "+format, append([]any{name, i + 1}, args...)...)
		}
		switch {
		case line == "":
			said = nil
			continue
		case strings.HasPrefix(line, "!"):
			field, value, ok := strings.Cut(strings.TrimSpace(line[1:]), ":")
			if ok && (field == "reason" || field == "source" || field == "date") {
				if said == nil {
					said = map[string]string{}
				}
				said[field] = strings.TrimSpace(value)
			}
			continue
		}
		for _, field := range []string{"reason", "source", "date"} {
			if said[field] == "" {
				return fail("no %s: write \"! %s: …\" above the rule, in the same paragraph", field, field)
			}
		}
		if err := checkEvidence(said["source"], said["date"]); err != nil {
			return fail("%w", err)
		}
		rule, err := parse(line)
		if err != nil {
			return fail("%s: %w", line, err)
		}
		if rule.Allow != (kind == bundle.Exception) {
			return fail("%s: rules with \"@@\" belong into exceptions.txt, and only they", line)
		}
		if kind == bundle.Photo && (rule.Host == "" || rule.Important) {
			return fail("%s: a photo rule names a whole host, and is not important: a gateway fetches what it says", line)
		}
		b.add(kind, rule)
	}
	return nil
}

func checkEvidence(source, date string) error {
	if !strings.HasPrefix(source, "https://") && !strings.HasPrefix(source, "http://") {
		return fmt.Errorf("source %q: want the address of the page that says so", source)
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("date %q: want the day it was read, such as 2026-08-14", date)
	}
	return nil
}

// Sites reads the protected sites of a source directory.
func Sites(directory Directory) ([]SiteFile, error) {
	names, err := fs.Glob(directory.Files, "sites/*.json")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	sites := make([]SiteFile, len(names))
	for i, name := range names {
		if err := readJSON(directory, name, &sites[i]); err != nil {
			return nil, err
		}
		if err := sites[i].check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(directory.Name, name), err)
		}
	}
	return sites, nil
}

func (s *SiteFile) check() error {
	if s.Name == "" || strings.ContainsAny(s.Name, "\t\r\n") {
		return errors.New("name: want the name that patients know, on one line")
	}
	if len(s.Domains) == 0 {
		return errors.New("domains: want at least one")
	}
	for _, d := range s.Domains {
		if err := checkHost(d); err != nil {
			return fmt.Errorf("domains: %w", err)
		}
	}
	if err := checkEvidence(s.Source, s.Date); err != nil {
		return err
	}
	for i, n := range s.Needs {
		if !slices.Contains(Purposes, n.For) {
			return fmt.Errorf("needs[%d].for %q: want one of %s", i, n.For, strings.Join(Purposes, ", "))
		}
		if err := checkEvidence(n.Source, n.Date); err != nil {
			return fmt.Errorf("needs[%d].%w", i, err)
		}
		r, err := parse(n.Rule)
		if err == nil && (r.Allow || r.Important || r.Bad || len(r.Domains) > 0) {
			err = errors.New("want a rule without \"@@\", domain=, important and badfilter: it passes on this site's pages anyway")
		}
		if err != nil {
			return fmt.Errorf("needs[%d].rule %s: %w", i, n.Rule, err)
		}
	}
	for i, r := range s.Requests {
		if _, ok := filter.TypeNamed(r.Type); !ok {
			return fmt.Errorf("requests[%d].type %q: want a type of webRequest, such as script", i, r.Type)
		}
		if r.Expect != "allow" && r.Expect != "block" && r.Expect != "relay" {
			return fmt.Errorf("requests[%d].expect %q: want allow, block or relay", i, r.Expect)
		}
	}
	return nil
}

func (b *builder) site(s SiteFile) error {
	for _, domain := range s.Domains {
		for _, other := range b.list.Sites {
			if other.Domain == domain {
				return fmt.Errorf("site %s: domain %s belongs to %s already", s.Name, domain, other.Name)
			}
		}
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

func (b *builder) recipients(directory Directory) error {
	name := path.Join(directory.Name, "recipients.json")
	var entries []RecipientEntry
	if err := readJSON(directory, "recipients.json", &entries); err != nil {
		return err
	}
	for i, e := range entries {
		fail := func(err error) error { return fmt.Errorf("%s: [%d] %s: %w", name, i, e.Name, err) }
		if e.Name == "" || strings.ContainsAny(e.Name, "\t\r\n") {
			return fail(errors.New("name: want the organisation's, on one line"))
		}
		if len(e.Country) != 2 || strings.ToUpper(e.Country) != e.Country {
			return fail(fmt.Errorf("country %q: want two capital letters, such as US", e.Country))
		}
		if err := checkEvidence(e.Source, e.Date); err != nil {
			return fail(err)
		}
		if len(e.Hosts) == 0 {
			return fail(errors.New("hosts: want at least one"))
		}
		for _, host := range e.Hosts {
			if err := checkHost(host); err != nil {
				return fail(err)
			}
			for _, other := range b.list.Recipients {
				if other.Host == host {
					return fail(fmt.Errorf("host %s belongs to %s already", host, other.Name))
				}
			}
			b.list.Recipients = append(b.list.Recipients, bundle.Recipient{Host: host, Country: e.Country, Name: e.Name})
		}
	}
	return nil
}

func checkHost(host string) error {
	if r, err := filter.Parse("||" + host + "^"); err != nil || !r.Plain() || r.Host != host {
		return fmt.Errorf("host %q: want a host name in lower case, such as example.com", host)
	}
	return nil
}

// readJSON reads a file of a source directory into v and refuses fields that
// v does not have. A file that is not there leaves v as it is.
func readJSON(directory Directory, name string, v any) error {
	file, err := directory.Files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	name = path.Join(directory.Name, name)
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		at := decoder.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return fmt.Errorf("%s:%d: %w", name, 1+strings.Count(string(text[:at]), "\n"), err)
	}
	if decoder.More() {
		return fmt.Errorf("%s: more than one JSON value: keep the first", name)
	}
	return nil
}
