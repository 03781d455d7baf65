package source

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Checks are what Lint must be told.
type Checks struct {
	Today   time.Time // no page was read after it
	Reasons []string  // package match's names of them
}

// Lint finds every mistake in the sources: those that Load found, what
// evidence cannot be, entries that say twice the same, rules that meet what a
// site needs, and rules that stop more than anybody can have meant. modules
// is the npm folder that carries the imports.
func (s *Sources) Lint(modules fs.FS, checks Checks) []Mistake {
	l := linter{Sources: s, Checks: checks, mistakes: slices.Clone(s.Mistakes)}
	l.dates()
	l.reasons()
	l.repeats()
	l.broad()
	l.needs()
	l.important()
	l.sites()
	l.recipients()
	for i := range s.Upstreams {
		if u := &s.Upstreams[i]; !u.broken() {
			if _, mistake := u.open(modules); mistake != nil {
				l.mistakes = append(l.mistakes, *mistake)
			}
		}
	}
	slices.SortStableFunc(l.mistakes, func(a, b Mistake) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(l.mistakes)
}

type linter struct {
	*Sources
	Checks
	mistakes []Mistake
}

func (l *linter) say(at Place, format string, args ...any) {
	l.mistakes = append(l.mistakes, Mistake{Place: at, Text: fmt.Sprintf(format, args...)})
}

func (l *linter) warn(at Place, format string, args ...any) {
	l.mistakes = append(l.mistakes, Mistake{Place: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

// dates refuses days that are still to come.
func (l *linter) dates() {
	look := func(at Place, date string) {
		if day, err := time.Parse(time.DateOnly, date); err == nil && day.After(l.Today) {
			l.say(at, "date %q: lies in the future: write the day on which the source was read", date)
		}
	}
	for i := range l.Rules {
		look(l.comment(&l.Rules[i], "date"), l.Rules[i].Date)
	}
	for i := range l.Sites {
		look(l.Sites[i].At("date"), l.Sites[i].Date)
		for j, n := range l.Sites[i].Needs {
			look(l.Sites[i].At(fmt.Sprintf("needs[%d].date", j)), n.Date)
		}
	}
	for i := range l.Recipients {
		look(l.Recipients[i].At("date"), l.Recipients[i].Date)
	}
}

// comment is where a field of a rule's paragraph stands.
func (l *linter) comment(r *Rule, field string) Place {
	for _, f := range l.files {
		for line := r.Place.Line - 1; f.name == r.Place.File && line > 0; line-- {
			text, ok := strings.CutPrefix(strings.TrimSpace(f.lines[line-1]), "!")
			if ok && strings.HasPrefix(strings.TrimSpace(text), field+":") {
				return Place{f.name, line}
			}
		}
	}
	return r.Place
}

// reasons refuses those that say nothing, and those of a draft.
func (l *linter) reasons() {
	for i := range l.Rules {
		r := &l.Rules[i]
		switch at := l.comment(r, "reason"); {
		case strings.ContainsAny(r.Reason, "<>"):
			l.say(at, "reason %q: still a draft: write in its place what the host receives", r.Reason)
		case r.Reason != "" && len(strings.Fields(r.Reason)) < 3:
			l.say(at, "reason %q: want a sentence that says what the host receives", r.Reason)
		}
	}
}

// repeats finds rules that another one of the same file kind makes pointless.
func (l *linter) repeats() {
	for i := range l.Rules {
		r := &l.Rules[i]
		for j := range l.Rules {
			other := &l.Rules[j]
			if i == j || kindOf(r) != kindOf(other) || r.Bad || other.Bad {
				continue
			}
			switch same := r.Rule.String() == other.Rule.String(); {
			case same && j < i:
				l.say(r.Place, "%s: stands in %s already: keep one", r.Rule, other.Place)
			case !same && covers(&other.Rule, &r.Rule):
				l.say(r.Place, "%s: %s covers it (%s): take it out", r.Rule, other.Rule, other.Place)
			default:
				continue
			}
			break
		}
	}
	for i := range l.Sites {
		site := &l.Sites[i]
		needs := site.rules()
		for j := range needs {
			for k := range needs {
				if same := needs[j].Rule.String() == needs[k].Rule.String(); j != k && needs[j].For == needs[k].For && (same && k < j || !same && covers(&needs[k].Rule, &needs[j].Rule)) {
					l.say(needs[j].Place, "%s: %s covers it (%s): take it out", needs[j].Rule, needs[k].Rule, needs[k].Place)
					break
				}
			}
		}
	}
}

func kindOf(r *Rule) bundle.Kind {
	if r.Important {
		return bundle.Important
	}
	return r.Kind
}

// covers reports whether a holds for whatever b holds for. It may miss some.
func covers(a, b *filter.Rule) bool {
	if a.Regexp || b.Regexp || a.End || a.MatchCase && !b.MatchCase ||
		a.Party != filter.AnyParty && a.Party != b.Party ||
		a.Types != 0 && (b.Types == 0 || b.Types&^a.Types != 0) ||
		a.Methods != 0 && (b.Methods == 0 || b.Methods&^a.Methods != 0) ||
		len(a.Domains) > 0 && !slices.Equal(a.Domains, b.Domains) ||
		len(a.To) > 0 && !slices.Equal(a.To, b.To) {
		return false
	}
	if a.Host == "" {
		return a.Anchor == b.Anchor && b.Host == "" && strings.HasPrefix(b.Pattern, a.Pattern)
	}
	return b.Host != "" && address.Within([]byte(b.Host), []byte(a.Host)) && strings.HasPrefix(b.Pattern, a.Pattern)
}

// shortest is how many letters and digits a pattern without a host has at
// least: shorter ones stand in addresses of all kinds.
const shortest = 4

// ordinary are addresses that no rule can mean to stop everywhere.
var ordinary = []string{"https://www.example.com/", "https://example.org/index.html", "https://cdn.example.net/js/main.js"}

// broad finds rules that hold for more than anybody can have meant.
func (l *linter) broad() {
	look := func(at Place, r *filter.Rule) {
		if text, ok := tooBroad(r); ok {
			l.say(at, "%s: %s", r, text)
		}
	}
	for i := range l.Rules {
		r := &l.Rules[i]
		look(r.Place, &r.Rule)
		if suffix, icann := publicsuffix.PublicSuffix(r.Pattern); r.Anchor == filter.AtLabel && checkHost(r.Pattern) == nil && icann && suffix != r.Pattern {
			l.warn(r.Place, "%s: holds for every host that begins like this too, such as %s.example.com: write \"^\" behind the host", r.Rule, r.Pattern)
		}
	}
	for i := range l.Sites {
		for _, n := range l.Sites[i].rules() {
			look(n.Place, &n.Rule)
		}
	}
}

func tooBroad(r *filter.Rule) (string, bool) {
	pages := slices.ContainsFunc(r.Domains, func(d filter.Domain) bool { return !d.Not })
	switch {
	case r.Host != "" && r.Pattern == "":
		if suffix, icann := publicsuffix.PublicSuffix(r.Host); suffix == r.Host && !address.IsIP([]byte(r.Host)) {
			if icann || !strings.Contains(r.Host, ".") {
				return fmt.Sprintf("holds for every host under %s: name the host that is meant", r.Host), true
			}
			return fmt.Sprintf("holds for everybody who is hosted at %s: name one host there, or a path", r.Host), true
		}
	case r.Host != "" || pages:
	case r.Pattern == "":
		return "holds for every address: name a host, or the pages with domain=", true
	case signs(r.Pattern) < shortest:
		return fmt.Sprintf("so short a pattern stands in addresses of all kinds: want at least %d letters or digits, a host, or domain=", shortest), true
	case r.Regexp:
		expression, err := regexp.Compile("(?i)" + r.Pattern)
		for _, address := range ordinary {
			if err == nil && expression.MatchString(address) {
				return fmt.Sprintf("holds for %s, and so for nearly everything: name a host or more of the address", address), true
			}
		}
	}
	return "", false
}

// signs counts a pattern's letters and digits.
func signs(pattern string) (n int) {
	for _, c := range strings.TrimPrefix(pattern, "https://") {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '%' {
			n++
		}
	}
	return n
}

// A need is one that could be read, with its place.
type need struct {
	filter.Rule
	Place Place
	For   string
}

func (s *SiteFile) rules() (needs []need) {
	for i, n := range s.Needs {
		if r, err := parse(n.Rule); err == nil {
			needs = append(needs, need{r, s.At(fmt.Sprintf("needs[%d].rule", i)), n.For})
		}
	}
	return needs
}

// needs warns of rules that meet what a site needs. The need wins on the
// site's pages, which may not be what the rule's author had in mind.
func (l *linter) needs() {
	for i := range l.Rules {
		r := &l.Rules[i]
		if !r.Kind.Stops() || r.Host == "" {
			continue
		}
		for j := range l.Sites {
			site := &l.Sites[j]
			if !holdsOn(&r.Rule, site.Domains) {
				continue
			}
			for _, n := range site.rules() {
				switch {
				case covers(&n.Rule, &r.Rule):
					l.warn(r.Place, "%s: does nothing on %s, which needs %s (%s): narrow the need, or say with domain=~%s that this is meant",
						r.Rule, site.Name, n.Rule, n.Place, first(site.Domains))
				case covers(&r.Rule, &n.Rule):
					l.warn(r.Place, "%s: loses on %s to the need %s (%s): narrow the rule, or say with domain=~%s that this is meant",
						r.Rule, site.Name, n.Rule, n.Place, first(site.Domains))
				}
			}
		}
	}
}

// holdsOn reports whether a rule holds on pages of any of these domains, as
// far as its domain= goes.
func holdsOn(r *filter.Rule, domains []string) bool {
	return slices.ContainsFunc(domains, func(domain string) bool {
		yes, named := true, false
		for _, d := range r.Domains {
			within := address.Within([]byte(domain), []byte(d.Name))
			switch {
			case d.Not && within:
				return false
			case !d.Not:
				yes, named = named && yes || within, true
			}
		}
		return yes
	})
}

// important finds exceptions that an important rule overrules.
func (l *linter) important() {
	for i := range l.Rules {
		for j := range l.Rules {
			r, e := &l.Rules[i], l.Rules[j].Rule
			e.Allow = false
			if r.Important && l.Rules[j].Kind == bundle.Exception && covers(&r.Rule, &e) {
				l.say(l.Rules[j].Place, "%s: loses to the important rule %s (%s): take one of them out", l.Rules[j].Rule, r.Rule, r.Place)
			}
		}
	}
}

func (l *linter) sites() {
	for i := range l.Sites {
		site := &l.Sites[i]
		if site.broken() {
			continue
		}
		for j, domain := range site.Domains {
			at := site.At(fmt.Sprintf("domains[%d]", j))
			if suffix, icann := publicsuffix.PublicSuffix(domain); suffix == domain && (icann || !strings.Contains(domain, ".")) {
				l.say(at, "domain %s: is a public suffix: name the site's own domain", domain)
			}
			if other, name := l.above(domain); other != "" {
				l.say(at, "domain %s: lies under %s of %s, which is protected with its subdomains: take it out", domain, other, name)
			}
		}
		if len(site.Requests) == 0 {
			l.warn(site.At("requests"), "no requests: write at least one that must pass and one that must not, so that list test can hold the site to them")
		}
		seen := map[string]int{}
		for j, r := range site.Requests {
			l.request(site, j, r)
			key := r.Type + " " + r.URL + " " + r.Page
			if before, ok := seen[key]; ok {
				l.say(site.At(fmt.Sprintf("requests[%d]", j)), "requests[%d]: the same as requests[%d]: keep one", j, before)
			}
			seen[key] = j
		}
	}
}

// above is a protected domain that another one lies under, with its site.
func (l *linter) above(domain string) (other, name string) {
	for _, site := range l.Sites {
		for _, other := range site.Domains {
			if other != domain && address.Within([]byte(domain), []byte(other)) {
				return other, site.Name
			}
		}
	}
	return "", ""
}

// request looks at an example.
func (l *linter) request(site *SiteFile, i int, r Request) {
	field := fmt.Sprintf("requests[%d].", i)
	switch {
	case r.Reason == "":
		l.say(site.At(field+"reason"), "%sreason: missing: write why the decision is right: one of %s", field, strings.Join(l.Reasons, ", "))
	case !slices.Contains(l.Reasons, r.Reason):
		l.say(site.At(field+"reason"), "%sreason %q: want one of %s", field, r.Reason, strings.Join(l.Reasons, ", "))
	}
	var u address.URL
	if err := u.Parse(address.Serialized(r.URL)); err != nil {
		l.say(site.At(field+"url"), "%surl %q: cannot be read as an address: %v", field, r.URL, err)
	}
	if err := u.Parse(address.Serialized(r.Page)); err != nil {
		l.say(site.At(field+"page"), "%spage %q: cannot be read as an address: %v", field, r.Page, err)
	} else if !slices.ContainsFunc(site.Domains, func(d string) bool { return address.Within(u.Host(), []byte(d)) }) {
		l.say(site.At(field+"page"), "%spage %q: lies on no domain of the site: want one of %s", field, r.Page, strings.Join(site.Domains, ", "))
	}
}

func (l *linter) recipients() {
	for i := range l.Recipients {
		e := &l.Recipients[i]
		for j, host := range e.Hosts {
			at := e.At(fmt.Sprintf("hosts[%d]", j))
			// A private suffix, such as cloudfront.net, is its owner's: whoever
			// is hosted there, the owner receives the request.
			if suffix, icann := publicsuffix.PublicSuffix(host); suffix == host && icann {
				l.say(at, "%s: host %s: is a public suffix, and nobody's own: name the hosts that are", e.Name, host)
			}
			for _, other := range e.Hosts {
				if other != host && address.Within([]byte(host), []byte(other)) {
					l.warn(at, "%s: host %s: lies under %s, which says the same: take it out", e.Name, host, other)
				}
			}
		}
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
