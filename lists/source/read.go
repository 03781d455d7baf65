package source

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"paravent/lists/bundle"
	"paravent/lists/filter"
	"paravent/lists/release"
)

// A Directory is a source directory. Name is where mistakes say a file lies.
type Directory struct {
	Name  string
	Files fs.FS
}

// A Place is a line of a source file.
type Place struct {
	File string
	Line int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// A Mistake is something in a source file that is wrong, and what to do. A
// list can be built in spite of a warning.
type Mistake struct {
	Place
	Text    string
	Warning bool
}

func (m Mistake) Error() string { return m.Place.String() + ": " + m.Text }

// Sources are what source directories say, with the mistakes that make it
// unclear. Lint finds more.
type Sources struct {
	Rules      []Rule // of the rule files
	Sites      []SiteFile
	Recipients []RecipientEntry
	Upstreams  []Upstream
	Mistakes   []Mistake

	files []file // the files with comments that Lint looks at
}

type file struct {
	name  string // with its directory
	lines []string
}

// A Rule is a rule of a rule file, with what is said of it.
type Rule struct {
	Kind bundle.Kind
	filter.Rule
	Place                Place
	Reason, Source, Date string
}

// A SiteFile is a protected site: sites/NAME.json.
type SiteFile struct {
	Name     string    // as its patients know it
	Domains  []string  // protected with their subdomains
	Source   string    // where it is written that patients book there
	Date     string    // when that was read, YYYY-MM-DD
	Needs    []Need    // what it cannot work without
	Requests []Request // what its pages may ask for, with the decision that is right

	places
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
	Name     string
	Country  string // of its seat, ISO 3166-1 alpha-2
	Hosts    []string
	Purposes []string // of RecipientPurposes; empty: no source says
	Source   string
	Date     string

	places
}

// places are the lines of a JSON value's fields.
type places struct {
	file    string
	at      string // the value's own path in the file
	lines   map[string]int
	misfits map[string]bool // paths of what is not as this package wants it
}

// broken reports whether something in the value could not be read.
func (p *places) broken() bool {
	for at := range p.misfits {
		if at == "" || strings.HasPrefix(at, p.at) {
			return true
		}
	}
	return false
}

// At is the place of a field, such as "needs[0].rule". It is the place of what
// the field would be a part of where the field is missing.
func (p *places) At(field string) Place {
	path := strings.TrimPrefix(p.at+"."+field, ".")
	for p.lines[path] == 0 && path != "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Place{p.file, max(p.lines[path], 1)}
}

// Load reads source directories as far as they can be read.
func Load(directories []Directory) *Sources {
	var s Sources
	for _, d := range directories {
		for _, file := range []struct {
			name string
			kind bundle.Kind
		}{
			{"telemetry.txt", bundle.Block}, {"photos.txt", bundle.Photo}, {"exceptions.txt", bundle.Exception},
		} {
			if text, ok := s.read(d, file.name); ok {
				s.rules(path.Join(d.Name, file.name), text, file.kind)
			}
		}
		s.sites(d)
		s.recipients(d)
		s.upstreams(d)
		if text, ok := s.read(d, "trust.txt"); ok {
			if _, err := release.ParseTrust(text); err != nil {
				s.trust(path.Join(d.Name, "trust.txt"), err)
			}
		}
	}
	s.claims()
	return &s
}

// say adds a mistake.
func (s *Sources) say(at Place, format string, args ...any) {
	s.Mistakes = append(s.Mistakes, Mistake{Place: at, Text: fmt.Sprintf(format, args...)})
}

// read reads a file that may be missing.
func (s *Sources) read(d Directory, name string) (string, bool) {
	text, err := fs.ReadFile(d.Files, name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.say(Place{path.Join(d.Name, name), 1}, "%v", err)
		}
		return "", false
	}
	return string(text), true
}

// readJSON reads a file that may be missing into v, and says what does not
// fit. Where v is a list, fields are below "[0]", "[1]" and so on.
func (s *Sources) readJSON(d Directory, name string, v any) (p places) {
	p = places{file: path.Join(d.Name, name), lines: map[string]int{}, misfits: map[string]bool{}}
	text, ok := s.read(d, name)
	if !ok {
		return p
	}
	root, line, err := parseJSON([]byte(text))
	if err != nil {
		s.say(Place{p.file, line}, "%v", err)
		p.misfits[""] = true
		return p
	}
	read := document{p, s.say}
	read.into(reflect.ValueOf(v).Elem(), root, "")
	return p
}

// aField is what a comment with a field looks like, also a misspelled one.
var aField = regexp.MustCompile(`^[a-z]+$`)

// rules reads one of the rule files.
func (s *Sources) rules(name, text string, kind bundle.Kind) {
	s.files = append(s.files, file{name, strings.Split(text, "\n")})
	fields := []string{"reason", "source", "date"}
	said := map[string]string{}
	missing := false // said already that the paragraph lacks a field
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		at := Place{name, i + 1}
		if line == "" {
			said, missing = map[string]string{}, false
			continue
		}
		if comment, ok := strings.CutPrefix(line, "!"); ok {
			field, value, ok := strings.Cut(strings.TrimSpace(comment), ":")
			value = strings.TrimSpace(value)
			switch {
			case !ok || !aField.MatchString(field):
			case !slices.Contains(fields, field):
				s.say(at, "field %q: want reason, source or date", field)
			default:
				said[field] = value
				if err := checkEvidence(field, value); value != "" && err != nil {
					s.say(at, "%v", err)
				}
			}
			continue
		}
		for _, field := range fields {
			if said[field] == "" && !missing {
				missing = true
				s.say(at, "no %s: write \"! %s: …\" above the rule, in the same paragraph", field, field)
			}
		}
		rule, err := parse(line)
		switch {
		case err != nil:
			s.say(at, "%s: %v", line, err)
			continue
		case rule.Allow != (kind == bundle.Exception):
			s.say(at, "%s: rules with \"@@\" belong into exceptions.txt, and only they", line)
			continue
		case kind == bundle.Photo && (rule.Host == "" || rule.Important):
			s.say(at, "%s: a photo rule names a whole host, and is not important: a gateway fetches what it says", line)
			continue
		}
		s.Rules = append(s.Rules, Rule{kind, rule, at, said["reason"], said["source"], said["date"]})
	}
}

// checkEvidence looks at one of the fields that say why an entry is there.
func checkEvidence(field, value string) error {
	switch field {
	case "source":
		if u, err := url.Parse(value); err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("source %q: want the address of the page that says so, beginning with https://", value)
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return fmt.Errorf("date %q: want the day it was read, such as 2026-08-14", value)
		}
	}
	return nil
}

// evidence checks source and date of a JSON object; before is its path.
func (s *Sources) evidence(p *places, before, source, date string) {
	for _, f := range []struct{ name, value string }{{"source", source}, {"date", date}} {
		if err := checkEvidence(f.name, f.value); err != nil {
			s.say(p.At(before+f.name), "%s%v", before, err)
		}
	}
}

// Sites reads the protected sites of a source directory.
func Sites(directory Directory) ([]SiteFile, error) {
	var s Sources
	s.sites(directory)
	for _, m := range s.Mistakes {
		return nil, m
	}
	return s.Sites, nil
}

func (s *Sources) sites(d Directory) {
	names, err := fs.Glob(d.Files, "sites/*.json")
	if err != nil {
		s.say(Place{path.Join(d.Name, "sites"), 1}, "%v", err)
	}
	slices.Sort(names)
	for _, name := range names {
		var site SiteFile
		site.places = s.readJSON(d, name, &site)
		if !site.broken() {
			s.site(&site)
		}
		s.Sites = append(s.Sites, site)
	}
}

func (s *Sources) site(site *SiteFile) {
	if site.Name == "" || strings.ContainsAny(site.Name, "\t\r\n<>") {
		s.say(site.At("name"), "name %q: want the name that patients know, on one line", site.Name)
	}
	if len(site.Domains) == 0 {
		s.say(site.At("domains"), "domains: want at least one")
	}
	for i, domain := range site.Domains {
		field := fmt.Sprintf("domains[%d]", i)
		if err := checkHost(domain); err != nil {
			s.say(site.At(field), "%s: %v", field, err)
		}
	}
	s.evidence(&site.places, "", site.Source, site.Date)
	for i, n := range site.Needs {
		field := fmt.Sprintf("needs[%d].", i)
		if !slices.Contains(Purposes, n.For) {
			s.say(site.At(field+"for"), "%sfor %q: want one of %s", field, n.For, strings.Join(Purposes, ", "))
		}
		s.evidence(&site.places, field, n.Source, n.Date)
		r, err := parse(n.Rule)
		switch {
		case err != nil:
		case r.Allow || r.Important || r.Bad || len(r.Domains) > 0:
			err = errors.New("want a rule without \"@@\", domain=, important and badfilter: it passes on this site's pages anyway")
		case r.Host == "":
			err = errors.New("want \"||\" and a whole host: what a site needs has a name")
		}
		if err != nil {
			s.say(site.At(field+"rule"), "%srule %s: %v", field, n.Rule, err)
		}
	}
	for i, r := range site.Requests {
		field := fmt.Sprintf("requests[%d].", i)
		if _, ok := filter.TypeNamed(r.Type); !ok {
			s.say(site.At(field+"type"), "%stype %q: want a type of webRequest, such as script", field, r.Type)
		}
		if r.Expect != "allow" && r.Expect != "block" && r.Expect != "relay" {
			s.say(site.At(field+"expect"), "%sexpect %q: want allow, block or relay", field, r.Expect)
		}
	}
}

func (s *Sources) recipients(d Directory) {
	var entries []RecipientEntry
	all := s.readJSON(d, "recipients.json", &entries)
	for i := range entries {
		e := &entries[i]
		e.places = all
		e.at = fmt.Sprintf("[%d]", i)
		if e.broken() {
			continue
		}
		if e.Name == "" || strings.ContainsAny(e.Name, "\t\r\n<>") {
			s.say(e.At("name"), "%s.name %q: want the organisation's, on one line", e.at, e.Name)
		}
		if !isCountry(e.Country) {
			s.say(e.At("country"), "%s: country %q: want the two capital letters of ISO 3166, such as US%s", e.Name, e.Country, countryInstead(e.Country))
		}
		for _, f := range []struct{ name, value string }{{"source", e.Source}, {"date", e.Date}} {
			if err := checkEvidence(f.name, f.value); err != nil {
				s.say(e.At(f.name), "%s: %v", e.Name, err)
			}
		}
		if len(e.Hosts) == 0 {
			s.say(e.At("hosts"), "%s: hosts: want at least one", e.Name)
		}
		for j, host := range e.Hosts {
			if err := checkHost(host); err != nil {
				s.say(e.At(fmt.Sprintf("hosts[%d]", j)), "%s: %v", e.Name, err)
			}
		}
		s.checkPurposes(e)
	}
	s.Recipients = append(s.Recipients, entries...)
}

func checkHost(host string) error {
	if r, err := filter.Parse("||" + host + "^"); err != nil || !r.Plain() || r.Host != host {
		return fmt.Errorf("host %q: want a host name in lower case, such as example.com", host)
	}
	return nil
}

// claims finds domains that two sites have, and hosts that two organisations
// have, or one twice.
func (s *Sources) claims() {
	domains := map[string]*SiteFile{}
	for i := range s.Sites {
		site := &s.Sites[i]
		for j, domain := range site.Domains {
			if other := domains[domain]; other != nil {
				s.say(site.At(fmt.Sprintf("domains[%d]", j)), "domain %s belongs to %s already (%s): keep it in one", domain, other.Name, other.file)
			}
			domains[domain] = site
		}
	}
	hosts := map[string]*RecipientEntry{}
	for i := range s.Recipients {
		e := &s.Recipients[i]
		for j, host := range e.Hosts {
			if other := hosts[host]; other != nil {
				s.say(e.At(fmt.Sprintf("hosts[%d]", j)), "%s: host %s belongs to %s already (%s): keep it in one", e.Name, host, other.Name, other.At("hosts"))
			}
			hosts[host] = e
		}
	}
}

var (
	exactVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
	aSHA256      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (s *Sources) upstreams(d Directory) {
	var entries []Upstream
	all := s.readJSON(d, "upstream.json", &entries)
	for i := range entries {
		u := &entries[i]
		u.places = all
		u.at = fmt.Sprintf("[%d]", i)
		if u.broken() {
			continue
		}
		for _, f := range []struct {
			name, value string
			ok          bool
			want        string
		}{
			{"name", u.Name, u.Name != "", "the list's name"},
			{"package", u.Package, u.Package != "", "the npm package that carries it"},
			{"version", u.Version, exactVersion.MatchString(u.Version), "one exact version, such as 3.3.1: the same sources must give the same list"},
			{"path", u.Path, fs.ValidPath(u.Path), "the file's path in the package"},
			{"format", u.Format, slices.Contains(Formats, u.Format), formatsWanted},
			{"licence", u.Licence, u.Licence != "", "the licence's SPDX name, such as GPL-3.0-only"},
			{"homepage", u.Homepage, checkEvidence("source", u.Homepage) == nil, "the address of its authors, beginning with https://"},
			{"sha256", u.SHA256, aSHA256.MatchString(u.SHA256), "64 hexadecimal digits, those of the file (sha256sum says them)"},
		} {
			if !f.ok {
				s.say(u.At(f.name), "%s: %s %q: want %s", u.Name, f.name, f.value, f.want)
			}
		}
	}
	s.Upstreams = append(s.Upstreams, entries...)
}

// lineOfTrust finds the line in what package release says of a trust text.
var lineOfTrust = regexp.MustCompile(`^(?:trust: )?line ([0-9]+): `)

func (s *Sources) trust(name string, err error) {
	at, text := Place{name, 1}, err.Error()
	if m := lineOfTrust.FindStringSubmatchIndex(text); m != nil {
		fmt.Sscan(text[m[2]:m[3]], &at.Line)
		text = text[m[1]:]
	}
	s.say(at, "%s", strings.TrimPrefix(text, "trust: "))
}
