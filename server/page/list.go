package page

import (
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
	rules      map[string][]Rule // by host
}

// A site is a protected one with its domains.
type site struct {
	Name    string
	Domains []string
}

// A Rule is a line of the list about a host.
type Rule struct {
	Section string
	Text    string
	filter.Rule
}

// readList reads a canonical text.
func readList(text []byte) (*list, error) {
	read, err := compile.Parse(text)
	if err != nil {
		return nil, err
	}
	l := &list{recipients: diff.RecipientsOf(read), rules: map[string][]Rule{}}
	for _, s := range read.Sites {
		i := slices.IndexFunc(l.Sites, func(other site) bool { return other.Name == s.Name })
		if i < 0 {
			i = len(l.Sites)
			l.Sites = append(l.Sites, site{Name: s.Name})
		}
		l.Sites[i].Domains = append(l.Sites[i].Domains, s.Domain)
	}
	slices.SortFunc(l.Sites, func(a, b site) int { return strings.Compare(a.Name, b.Name) })
	names := map[string]bool{}
	for _, r := range read.Recipients {
		names[r.Name] = true
	}
	l.Names = len(names)
	for _, r := range read.Rules {
		section := "rules"
		switch {
		case r.Kind == bundle.Block && r.Rule.Plain():
			l.Hosts = append(l.Hosts, r.Rule.Host)
			continue
		case r.Kind == bundle.Need:
			section = "needs"
		case r.Kind == bundle.Exception:
			section = "exceptions"
		case r.Kind == bundle.Photo:
			section = "photos"
		}
		l.Rules++
		if r.Rule.Host == "" {
			l.Nameless++
			continue
		}
		l.rules[r.Rule.Host] = append(l.rules[r.Rule.Host], Rule{section, r.Rule.String(), r.Rule})
	}
	slices.Sort(l.Hosts)
	return l, nil
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
		for _, r := range l.rules[name] {
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
