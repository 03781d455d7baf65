package page

import (
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/diff"
	"paravent/lists/filter"
)

// A list is a canonical text that hosts can be looked up in.
type list struct {
	Hosts      []string // sorted
	Sites      []site
	Rules      int // with conditions
	Names      int // of organisations
	Nameless   int // rules that name no host
	recipients diff.Recipients
	rules      map[string][]line // by host
}

// A site is a protected one with its domains.
type site struct {
	Name    string
	Domains []string
}

// A line is a rule that was not looked into yet.
type line struct{ section, text string }

// A Rule is a line of the list about a host.
type Rule struct {
	Section string
	Text    string
	filter.Rule
}

// readList reads a canonical text, which whoever published it has compiled: so
// rules are looked into when somebody asks for them.
func readList(text []byte) (*list, error) {
	l := &list{recipients: diff.Recipients{}, rules: map[string][]line{}}
	names := map[string]bool{}
	sections, section := compile.Sections(), ""
	for i, text := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		fields := strings.Split(text, "\t")
		switch {
		case i == 0:
			if text != compile.Header {
				return nil, fmt.Errorf("list: want %q in its first line", compile.Header)
			}
		case len(sections) > 0 && text == "["+sections[0]+"]":
			section, sections = sections[0], sections[1:]
		case section == "sites" && len(fields) == 2:
			l.protect(fields[1], fields[0])
		case section == "recipients" && len(fields) >= 3:
			r, ok := bundle.ParseRecipient(text)
			if !ok {
				return nil, fmt.Errorf("list: line %d: cannot be read", i+1)
			}
			l.recipients[r.Host] = r
			names[r.Name] = true
		case section == "hosts":
			l.Hosts = append(l.Hosts, text)
		case section == "" || len(fields) != 1:
			return nil, fmt.Errorf("list: line %d: cannot be read", i+1)
		default:
			l.Rules++
			if host := hostOf(text); host != "" {
				l.rules[host] = append(l.rules[host], line{section, text})
			} else {
				l.Nameless++
			}
		}
	}
	if len(sections) > 0 {
		return nil, fmt.Errorf("list: no section [%s]", sections[0])
	}
	l.Names = len(names)
	slices.SortFunc(l.Sites, func(a, b site) int { return strings.Compare(a.Name, b.Name) })
	return l, nil
}

func (l *list) protect(name, domain string) {
	i := slices.IndexFunc(l.Sites, func(s site) bool { return s.Name == name })
	if i < 0 {
		i = len(l.Sites)
		l.Sites = append(l.Sites, site{Name: name})
	}
	l.Sites[i].Domains = append(l.Sites[i].Domains, domain)
}

// hostOf is the whole host that a rule begins with, if it does.
func hostOf(rule string) string {
	text, ok := strings.CutPrefix(strings.TrimPrefix(rule, "@@"), "||")
	if !ok {
		return ""
	}
	start := 0
	if strings.HasPrefix(text, "[") {
		start = strings.IndexByte(text, ']') + 1
	}
	end := strings.IndexAny(text[start:], "/^?*|:$")
	if end < 0 || text[start+end] != '/' && text[start+end] != '^' {
		return ""
	}
	return text[:start+end]
}

// mostShown bounds what one search shows of each kind.
const mostShown = 40

// A found is the answer to a search.
type found struct {
	Host      string // "" if what was asked for is none
	Verdict   string // stopped, partly (under conditions), passes or unlisted
	Site      string // the protected site that it belongs to
	Recipient *bundle.Recipient
	Rules     []Rule // about the host or what it is a subdomain of
	MoreRules int
	Elsewhere []Rule // those that hold on pages of sites alone that nobody protects
	MoreElse  int
	Below     []string // listed subdomains
	MoreBelow int
}

// search looks a host up, or the host of an address.
func (l *list) search(query string) *found {
	f := &found{Host: hostIn(query)}
	if f.Host == "" {
		return f
	}
	for _, s := range l.Sites {
		if slices.ContainsFunc(s.Domains, func(d string) bool { return address.Within([]byte(f.Host), []byte(d)) }) {
			f.Site = s.Name
		}
	}
	if r, ok := l.recipients.Behind(f.Host); ok {
		f.Recipient = &r
	}
	for name := f.Host; ; {
		if _, listed := slices.BinarySearch(l.Hosts, name); listed {
			r := filter.Rule{Host: name}
			f.Rules = append(f.Rules, Rule{"hosts", r.String(), r})
		}
		for _, line := range l.rules[name] {
			read, err := filter.Parse(line.text)
			if err != nil {
				continue // no list that compiles has it
			}
			r := Rule{line.section, line.text, read}
			if l.elsewhere(&r.Rule) {
				f.Elsewhere = append(f.Elsewhere, r)
			} else {
				f.Rules = append(f.Rules, r)
			}
		}
		_, above, ok := strings.Cut(name, ".")
		if !ok || address.IsIP([]byte(f.Host)) {
			break
		}
		name = above
	}
	f.Verdict = verdict(f.Rules)
	f.Rules, f.MoreRules = cut(f.Rules)
	f.Elsewhere, f.MoreElse = cut(f.Elsewhere)
	for _, host := range l.Hosts {
		if host != f.Host && address.Within([]byte(host), []byte(f.Host)) {
			f.Below = append(f.Below, host)
		}
	}
	f.Below, f.MoreBelow = cut(f.Below)
	return f
}

// elsewhere reports whether a rule names pages, and none of a protected site.
func (l *list) elsewhere(r *filter.Rule) bool {
	named := false
	for _, d := range r.Domains {
		if d.Not {
			continue
		}
		named = true
		entity, isEntity := strings.CutSuffix(d.Name, ".*")
		for _, s := range l.Sites {
			for _, domain := range s.Domains {
				if isEntity && strings.Contains("."+domain+".", "."+entity+".") ||
					address.Within([]byte(domain), []byte(d.Name)) || address.Within([]byte(d.Name), []byte(domain)) {
					return false
				}
			}
		}
	}
	return named
}

// Signs reports whether a rule that is shown has a "*" or "^" to be explained.
func (f *found) Signs() bool {
	return slices.ContainsFunc(slices.Concat(f.Rules, f.Elsewhere), func(r Rule) bool { return strings.ContainsAny(r.Pattern, "*^") })
}

// verdict sums up what rules say of a host, without knowing a request.
func verdict(rules []Rule) string {
	sum := "unlisted"
	for _, r := range rules {
		switch {
		case r.Section == "hosts":
			return "stopped"
		case r.Section == "rules" || r.Section == "photos":
			sum = "partly"
		case sum == "unlisted":
			sum = "passes"
		}
	}
	return sum
}

func cut[T any](all []T) (shown []T, more int) {
	n := min(len(all), mostShown)
	return all[:n], len(all) - n
}

// hostIn is the host that people mean by a text: a host or an address, as they
// copied it.
func hostIn(text string) string {
	text = strings.Trim(text, " \t.*^|")
	if !strings.Contains(text, "//") {
		text = "https://" + text
	}
	var u address.URL
	if u.Parse(address.Serialized(text)) != nil {
		return ""
	}
	return string(u.Host())
}
