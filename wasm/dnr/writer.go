package dnr

import (
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Reasons for which rules are left out.
const (
	entityInTo  = "to= with a name that ends in .*"
	entityInOn  = "domain= with a name that ends in .*, on other pages than those of sites"
	manyRules   = "beyond the number of rules that the browser takes"
	manyUnsafe  = "beyond the number of redirects that the browser takes"
	manyRegexps = "beyond the number of regular expressions that the browser takes"
)

// A writer collects the large rules.
type writer struct {
	settings *Settings
	sites    []Site
	domains  []string // of all sites that are told from others, sorted
	groups   []group
	hosts    []string // blocked without conditions
	fixed    []Rule   // there whatever the list says
	rules    []Rule
	shared   map[string]int // a rule's text without its hosts → index in rules
	counts   Counts
}

// A group is the protected domains within one registrable domain.
type group struct {
	own     string
	domains []string
}

func newWriter(s *Settings) *writer {
	w := &writer{settings: s, shared: map[string]int{}, counts: Counts{Unsaid: map[string]int{}}}
	for _, site := range s.Sites {
		// Where every page is protected, a choice of the user's is no reason to
		// write all rules again.
		if s.everywhere() && !site.Listed {
			continue
		}
		w.sites = append(w.sites, site)
		w.domains = append(w.domains, site.Domain)
		i := slices.IndexFunc(w.groups, func(g group) bool { return g.own == site.Own })
		if i < 0 {
			i = len(w.groups)
			w.groups = append(w.groups, group{own: site.Own})
		}
		w.groups[i].domains = append(w.groups[i].domains, site.Domain)
	}
	slices.Sort(w.domains)
	w.domains = slices.Compact(w.domains)
	return w
}

// every makes the rules that hold on all pages whatever the list says.
func (w *writer) every() {
	add := func(priority int, a Action, c Condition) {
		w.fixed = append(w.fixed, Rule{Priority: priority, Action: a, Condition: c})
	}
	block := Action{Type: "block"}
	sockets := []string{"websocket", "webtransport"}
	noReferer := Action{Type: "modifyHeaders", RequestHeaders: []Header{{Header: "referer", Operation: "remove"}}}
	if len(w.domains) > 0 {
		add(thirdPriority, block, Condition{TopDomains: w.domains, ResourceTypes: sockets})
	}
	for _, g := range w.groups {
		add(ownPriority, Action{Type: "allow"}, Condition{TopDomains: g.domains, RequestDomains: []string{g.own}})
		add(refererPriority, noReferer, Condition{TopDomains: g.domains, InitiatorDomains: g.domains, ExcludedRequestDomains: []string{g.own}})
	}
	documents := Condition{
		TopDomains: w.domains, RequestDomains: w.domains,
		ResourceTypes: []string{"main_frame", "sub_frame", "stylesheet", "script"},
		// Of several policies the last one counts.
		ResponseHeaders: []HeaderMatch{{"referrer-policy", []string{
			"*unsafe-url", "*no-referrer-when-downgrade",
			"origin-when-cross-origin", "* origin-when-cross-origin", "*,origin-when-cross-origin",
		}}},
	}
	if w.settings.everywhere() {
		documents.TopDomains, documents.RequestDomains = nil, nil
		others := Condition{DomainType: "thirdParty", ExcludedTopDomains: w.domains}
		add(refererPriority, noReferer, others)
		others.ResourceTypes = sockets
		add(thirdPriority, block, others)
	}
	add(refererPriority,
		Action{Type: "modifyHeaders", ResponseHeaders: []Header{{Header: "referrer-policy", Operation: "set", Value: "strict-origin-when-cross-origin"}}},
		documents)
	documents.ResponseHeaders = nil
	add(refererPriority,
		Action{Type: "modifyHeaders", ResponseHeaders: []Header{{Header: "reporting-endpoints", Operation: "remove"}}},
		documents)
}

// add takes one rule of the list.
func (w *writer) add(kind bundle.Kind, r filter.Rule) error {
	if kind == bundle.Block && r.Plain() {
		w.hosts = append(w.hosts, r.Host)
		w.counts.Hosts++
		return nil
	}
	made, unsaid := w.say(kind, &r)
	switch {
	case unsaid != "":
		w.counts.Unsaid[unsaid]++
	case len(made) == 0:
		w.counts.Elsewhere++
	default:
		w.counts.Rules++
	}
	for _, rule := range made {
		c := &rule.Condition
		if c.URLFilter == "" && c.RegexFilter == "" && len(c.RequestDomains) == 1 {
			hosts := c.RequestDomains
			c.RequestDomains = nil
			same := fmt.Sprint(rule)
			if i, ok := w.shared[same]; ok {
				shared := &w.rules[i].Condition
				shared.RequestDomains = append(shared.RequestDomains, hosts...)
				continue
			}
			w.shared[same] = len(w.rules)
			c.RequestDomains = hosts
		}
		w.rules = append(w.rules, rule)
	}
	return nil
}

// say gives the rules for one rule of the list: none when it holds on no
// protected page, or the reason why it, or a part of it, cannot be said.
func (w *writer) say(kind bundle.Kind, r *filter.Rule) (made []Rule, unsaid string) {
	if top, _ := w.pages(r); len(top) == 0 && !w.settings.everywhere() {
		return nil, ""
	}
	var c Condition
	var meets bool
	if c.RequestDomains, c.ExcludedRequestDomains, meets, unsaid = requests(r); !meets {
		return nil, unsaid
	}
	// A page is the user's choice, never a rule's. An empty list would mean
	// all types: a rule for nothing but pages has none to say.
	c.ResourceTypes = slices.DeleteFunc(r.Types.DNR(), func(name string) bool { return name == "main_frame" })
	if r.Types != 0 && len(c.ResourceTypes) == 0 {
		return nil, ""
	}
	switch {
	case r.Methods == 0:
	case r.Methods.Has(filter.Get):
		// Said this way it holds for web sockets too, which are asked for by GET.
		c.ExcludedRequestMethods = r.Methods.Except().Names()
	default:
		c.RequestMethods = r.Methods.Names()
	}
	c.CaseSensitive = r.MatchCase
	filters := urlFilters(r)
	add := func(priority int, action Action, c Condition) {
		for _, filter := range filters {
			if r.Regexp {
				c.RegexFilter = filter
			} else {
				c.URLFilter = filter
			}
			made = append(made, Rule{Priority: priority, Action: action, Condition: c})
		}
	}
	allow, block := Action{Type: "allow"}, Action{Type: "block"}
	thirds := kind == bundle.Block && r.Party == filter.ThirdParty
	placed, unsaid := w.placed(r, c, thirds)
	for _, c := range placed {
		switch kind {
		case bundle.Need:
			add(needPriority, allow, c)
		case bundle.Important:
			add(importantPriority, block, c)
		case bundle.Exception:
			add(exceptionPriority, allow, c)
		case bundle.Block:
			if thirds {
				add(thirdPriority, block, c)
			} else {
				add(blockPriority, block, c)
			}
		case bundle.Photo:
			add(blockPriority, block, c)
			if r.Types == 0 || r.Types.Has(filter.Image) {
				c.ResourceTypes = []string{"image"}
				add(redirectPriority, Action{Type: "redirect", Redirect: &Redirect{ExtensionPath: w.settings.Placeholder}}, c)
				// A page's service worker asks for its images by fetch: an error
				// there would reach detached images, which no content script sees.
				// But a fetch is told where its answer came from, and the address of
				// the file is the same on all sites, and this browser's alone.
				c.ResourceTypes = []string{"xmlhttprequest"}
				add(redirectPriority, Action{Type: "redirect", Redirect: &Redirect{URL: w.settings.Inline}}, c)
			}
		}
	}
	return made, unsaid
}

// placed gives a rule's condition for the pages on which it holds; thirds, when
// those rules say what is a third party there that let a site's own hosts
// through.
func (w *writer) placed(r *filter.Rule, c Condition, thirds bool) (placed []Condition, unsaid string) {
	isEntity := func(d filter.Domain) bool { return strings.HasSuffix(d.Name, ".*") }
	// Whatever needs no site's name is said once for all pages.
	everywhere := w.settings.everywhere()
	apart := r.Party != filter.AnyParty || slices.ContainsFunc(r.Domains, isEntity)
	if !everywhere || apart {
		here := c
		if here.TopDomains, here.ExcludedTopDomains = w.pages(r); len(here.TopDomains) > 0 {
			if thirds {
				placed = append(placed, here)
			} else {
				placed = w.parties(r, here)
			}
		}
	}
	if !everywhere {
		return placed, ""
	}
	named := false
	for _, d := range r.Domains {
		switch {
		case isEntity(d):
			unsaid = entityInOn
			if d.Not {
				return placed, unsaid
			}
		case d.Not:
			c.ExcludedTopDomains = append(c.ExcludedTopDomains, d.Name)
		default:
			c.TopDomains = append(c.TopDomains, d.Name)
		}
		named = named || !d.Not
	}
	out := slices.Clone(c.ExcludedTopDomains)
	if apart {
		out = append(out, w.domains...)
	}
	if named {
		c.TopDomains = slices.DeleteFunc(sorted(c.TopDomains), func(name string) bool { return within(name, out) })
		if len(c.TopDomains) == 0 {
			return placed, unsaid
		}
		out = slices.DeleteFunc(out, func(name string) bool { return !within(name, c.TopDomains) })
	}
	c.ExcludedTopDomains = sorted(out)
	switch r.Party {
	case filter.ThirdParty:
		c.DomainType = "thirdParty"
	case filter.FirstParty:
		c.DomainType = "firstParty"
	}
	return append(placed, c), unsaid
}

// pages finds the pages on which a rule holds: those of protected domains
// that its domain= leaves.
func (w *writer) pages(r *filter.Rule) (top, excluded []string) {
	if len(r.Domains) == 0 {
		return w.domains, nil
	}
	named := false
	for _, d := range r.Domains {
		for _, site := range w.sites {
			name, ok := d.Name, true
			if entity, isEntity := strings.CutSuffix(name, ".*"); isEntity {
				var suffix string
				_, suffix, ok = strings.Cut(site.Own, ".")
				ok = ok && !address.IsIP([]byte(site.Own))
				name = entity + "." + suffix
			}
			narrower, meet := both(name, site.Domain)
			switch {
			case !ok || !meet:
			case d.Not:
				excluded = append(excluded, narrower)
			default:
				top = append(top, narrower)
			}
		}
		named = named || !d.Not
	}
	if !named {
		top = slices.Clone(w.domains)
	}
	top = slices.DeleteFunc(sorted(top), func(name string) bool { return within(name, excluded) })
	excluded = slices.DeleteFunc(sorted(excluded), func(name string) bool { return !within(name, top) })
	return top, excluded
}

// requests finds the hosts that a rule is about by its host and its to=. They
// meet unless the two exclude each other.
func requests(r *filter.Rule) (hosts, excluded []string, meet bool, unsaid string) {
	whole := r.Host != "" && r.Pattern == "" && !r.End
	named := false
	for _, d := range r.To {
		if strings.HasSuffix(d.Name, ".*") {
			return nil, nil, false, entityInTo
		}
		name, ok := d.Name, true
		if r.Host != "" {
			name, ok = both(d.Name, r.Host)
		}
		switch {
		case d.Not && ok:
			excluded = append(excluded, name)
		case ok:
			hosts = append(hosts, name)
		}
		named = named || !d.Not
	}
	if named {
		return sorted(hosts), sorted(excluded), len(hosts) > 0, ""
	}
	if whole {
		hosts = []string{r.Host}
	}
	return hosts, sorted(excluded), true, ""
}

// parties splits a condition by what is a third party where, for a rule that
// holds for one of the parties only.
func (w *writer) parties(r *filter.Rule, c Condition) (split []Condition) {
	if r.Party == filter.AnyParty {
		return []Condition{c}
	}
	// A rule about one host holds or not as a whole on a site's pages.
	var pages []string
	for _, g := range w.groups {
		made := c
		made.TopDomains = slices.DeleteFunc(slices.Clone(c.TopDomains), func(page string) bool {
			return !address.Within([]byte(page), []byte(g.own))
		})
		if len(made.TopDomains) == 0 {
			continue
		}
		if r.Host != "" {
			if _, same := both(r.Host, g.own); same == (r.Party == filter.FirstParty) {
				pages = append(pages, made.TopDomains...)
			}
			continue
		}
		switch {
		case r.Party == filter.ThirdParty:
			made.ExcludedRequestDomains = sorted(append(slices.Clone(c.ExcludedRequestDomains), g.own))
		case len(c.RequestDomains) == 0:
			made.RequestDomains = []string{g.own}
		default:
			made.RequestDomains = nil
			for _, host := range c.RequestDomains {
				if own, meet := both(host, g.own); meet {
					made.RequestDomains = append(made.RequestDomains, own)
				}
			}
			if len(made.RequestDomains) == 0 {
				continue
			}
		}
		split = append(split, made)
	}
	if len(pages) > 0 {
		c.TopDomains = sorted(pages)
		split = append(split, c)
	}
	return split
}

// urlFilters writes the rule's pattern; "" when there is none. DNR's
// "||host/path" does not match an address with a port, ours does; ports are
// met under localhost only, where demos and developers live, and a second rule
// names them there.
func urlFilters(r *filter.Rule) []string {
	end := ""
	if r.End {
		end = "|"
	}
	switch {
	case r.Regexp:
		return []string{r.Pattern}
	case r.Pattern == "" && !r.End:
		return []string{""}
	case r.Host != "" && address.Within([]byte(r.Host), []byte("localhost")):
		return []string{"||" + r.Host + r.Pattern + end, "||" + r.Host + ":*" + r.Pattern + end}
	case r.Host != "":
		return []string{"||" + r.Host + r.Pattern + end}
	case r.Anchor == filter.AtStart:
		return []string{"|" + r.Pattern + end}
	case r.Anchor == filter.AtLabel:
		return []string{"||" + r.Pattern + end}
	}
	return []string{r.Pattern + end}
}

// numbered gives the rules their ids, as many of them as the browser takes:
// what is most important first, blocks last.
func (w *writer) numbered() []Rule {
	if len(w.hosts) > 0 {
		c := Condition{RequestDomains: sorted(w.hosts), TopDomains: w.domains}
		if w.settings.everywhere() {
			c.TopDomains = nil
		}
		w.fixed = append(w.fixed, Rule{Priority: blockPriority, Action: Action{Type: "block"}, Condition: c})
	}
	slices.SortStableFunc(w.rules, func(a, b Rule) int { return b.Priority - a.Priority })
	rules := w.fixed
	unsafe, regexps := 0, 0
	for _, r := range w.fixed {
		if r.unsafe() {
			unsafe++
		}
	}
	for _, r := range w.rules {
		reason := ""
		switch {
		case len(rules) == maxLarge:
			reason = manyRules
		case r.unsafe() && unsafe == maxUnsafe:
			reason = manyUnsafe
		case r.Condition.RegexFilter != "" && regexps == maxRegexps:
			reason = manyRegexps
		}
		if reason != "" {
			w.counts.Unsaid[reason]++
			continue
		}
		if r.unsafe() {
			unsafe++
		}
		if r.Condition.RegexFilter != "" {
			regexps++
		}
		rules = append(rules, r)
	}
	for i := range rules {
		rules[i].ID = socketsID + i
	}
	return rules
}

// unsafe tells the actions of which the browser takes fewer.
func (r *Rule) unsafe() bool {
	return r.Action.Type == "redirect" || r.Action.Type == "modifyHeaders"
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
