// Package dnr says a list in the browser's own words: rules of
// declarativeNetRequest, for Chromium, where an extension from the store may
// not decide requests itself
// (https://developer.chrome.com/docs/extensions/reference/api/declarativeNetRequest).
//
// Rules are scoped to the pages of protected sites by topDomains. A rule of a
// filter list that holds on other pages only is left out and counted.
// Priorities follow package match: what a site needs, then exceptions, then
// photos, then blocks; above them all stands the switch, one allow rule for
// the sites that the user has set to off or watch, so that a change of mode
// rewrites nothing else.
//
//	id 1   the switch
//	id 2   all hosts that are blocked without conditions
//	id 10… the others; hosts with the same conditions share a rule
//
// "Third party" is said by the pages a rule holds on, not by DNR's domainType:
// that compares with the frame that asks, so that a tracker's own frame would
// be free to call home.
package dnr

import (
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Ids of rules, and the first of those that are numbered as they come.
const (
	SwitchID = 1
	hostsID  = 2
	firstID  = 10
)

// Chromium's limits for dynamic rules: all, and those that redirect.
const (
	maxRules     = 30_000
	maxRedirects = 5_000
)

// Priorities, by package match's order.
const (
	blockPriority = iota + 1
	photoPriority
	redirectPriority
	exceptionPriority
	needPriority
	switchPriority
)

// Settings are what rules depend on besides the list.
type Settings struct {
	Protected   []string `json:"protected"`   // protected domains, in whatever mode
	Allowed     []string `json:"allowed"`     // those in mode off or watch
	Placeholder string   `json:"placeholder"` // path in the extension of what stands for a photo
}

// A Rule is one rule of declarativeNetRequest.
type Rule struct {
	ID        int       `json:"id"`
	Priority  int       `json:"priority"`
	Action    Action    `json:"action"`
	Condition Condition `json:"condition"`
}

// An Action is block, allow or redirect.
type Action struct {
	Type     string    `json:"type"`
	Redirect *Redirect `json:"redirect,omitempty"`
}

// A Redirect names a file of the extension.
type Redirect struct {
	ExtensionPath string `json:"extensionPath"`
}

// A Condition holds what a request must be.
type Condition struct {
	URLFilter          string   `json:"urlFilter,omitempty"`
	RequestDomains     []string `json:"requestDomains,omitempty"`
	TopDomains         []string `json:"topDomains,omitempty"`
	ExcludedTopDomains []string `json:"excludedTopDomains,omitempty"`
	ResourceTypes      []string `json:"resourceTypes,omitempty"`
}

// Counts tells what became of the list's rules.
type Counts struct {
	Hosts     int `json:"hosts"`     // blocked by the one large rule
	Rules     int `json:"rules"`     // said by others
	Elsewhere int `json:"elsewhere"` // hold on no protected page, left out
}

// Switch makes the switch: one rule, or none when no site is off or in watch.
func Switch(s *Settings) []Rule {
	if len(s.Allowed) == 0 {
		return []Rule{}
	}
	return []Rule{{
		ID: SwitchID, Priority: switchPriority, Action: Action{Type: "allow"},
		Condition: Condition{TopDomains: s.Allowed},
	}}
}

// Rules makes all rules but the switch.
func Rules(list *bundle.Bundle, s *Settings) ([]Rule, Counts, error) {
	rules := []Rule{}
	var counts Counts
	if len(s.Protected) == 0 {
		return rules, counts, nil
	}
	var hosts []string
	shared := map[string]int{} // conditions → index in rules
	err := list.Each(func(key []byte, v bundle.Value) error {
		if v.Plain() {
			hosts = append(hosts, bundle.PlainRule(key).Host)
			counts.Hosts++
		}
		group := list.Rules(v)
		var record bundle.Record
		for group.Next(&record) {
			rule := record.Rule(key)
			said := say(record.Kind, &rule, s)
			if len(said) == 0 {
				counts.Elsewhere++
				continue
			}
			counts.Rules++
			for _, made := range said {
				if made.Condition.URLFilter == "" {
					same := fmt.Sprint(made.Priority, made.Action.Type, made.Condition)
					made.Condition.RequestDomains = []string{rule.Host}
					if i, ok := shared[same]; ok {
						rules[i].Condition.RequestDomains = append(rules[i].Condition.RequestDomains, rule.Host)
						continue
					}
					shared[same] = len(rules)
				}
				rules = append(rules, made)
			}
		}
		return group.Err()
	})
	if err != nil {
		return nil, counts, err
	}
	redirects := 0
	for i := range rules {
		rules[i].ID = firstID + i
		if rules[i].Action.Redirect != nil {
			redirects++
		}
	}
	if len(hosts) > 0 {
		slices.Sort(hosts)
		rules = append(rules, Rule{
			ID: hostsID, Priority: blockPriority, Action: Action{Type: "block"},
			Condition: Condition{RequestDomains: hosts, TopDomains: s.Protected},
		})
	}
	if len(rules)+1 > maxRules || redirects > maxRedirects {
		return nil, counts, fmt.Errorf("dnr: %d rules with %d redirects: Chromium takes %d with %d", len(rules)+1, redirects, maxRules, maxRedirects)
	}
	return rules, counts, nil
}

// say gives the rules for one rule of the list, none when it holds on no
// protected page. Those without a urlFilter are about the whole host.
func say(kind bundle.Kind, r *filter.Rule, s *Settings) []Rule {
	c, ok := scope(r, s.Protected)
	if !ok {
		return nil
	}
	// A page is the user's choice, never a rule's. An empty list would mean
	// all types: a rule for nothing but pages has none to say.
	c.ResourceTypes = slices.DeleteFunc(r.Types.DNR(), func(name string) bool { return name == "main_frame" })
	if r.Types != 0 && len(c.ResourceTypes) == 0 {
		return nil
	}
	var rules []Rule
	add := func(priority int, action Action, c Condition) {
		for _, f := range urlFilters(r) {
			c.URLFilter = f
			rules = append(rules, Rule{Priority: priority, Action: action, Condition: c})
		}
	}
	switch kind {
	case bundle.Need:
		add(needPriority, Action{Type: "allow"}, c)
	case bundle.Exception:
		add(exceptionPriority, Action{Type: "allow"}, c)
	case bundle.Block:
		add(blockPriority, Action{Type: "block"}, c)
	case bundle.Photo:
		add(photoPriority, Action{Type: "block"}, c)
		if r.Types == 0 || r.Types.Has(filter.Image) {
			// A page's service worker asks for its images by fetch: an error
			// there would reach detached images, which no content script sees.
			c.ResourceTypes = []string{"image", "xmlhttprequest"}
			add(redirectPriority, Action{Type: "redirect", Redirect: &Redirect{s.Placeholder}}, c)
		}
	}
	return rules
}

// urlFilters writes the rule's pattern. DNR's "||host/path" does not match an
// address with a port, ours does; ports are met under localhost only, where
// demos and developers live, and a second rule names them there.
func urlFilters(r *filter.Rule) []string {
	if r.Pattern == "" {
		return []string{""}
	}
	end := ""
	if r.End {
		end = "|"
	}
	filters := []string{"||" + r.Host + r.Pattern + end}
	if address.Within([]byte(r.Host), []byte("localhost")) {
		filters = append(filters, "||"+r.Host+":*"+r.Pattern+end)
	}
	return filters
}

// scope finds the pages on which a rule holds: those of protected domains
// that its domain= and its party leave. False means none.
func scope(r *filter.Rule, protected []string) (c Condition, ok bool) {
	named := false
	for _, d := range r.Domains {
		for _, p := range protected {
			narrower, meet := both(d.Name, p)
			switch {
			case !meet:
			case d.Not:
				c.ExcludedTopDomains = append(c.ExcludedTopDomains, narrower)
			default:
				c.TopDomains = append(c.TopDomains, narrower)
			}
		}
		named = named || !d.Not
	}
	if !named {
		c.TopDomains = slices.Clone(protected)
	}
	if r.Party != filter.AnyParty {
		c.TopDomains = slices.DeleteFunc(c.TopDomains, func(page string) bool {
			_, same := both(r.Host, page)
			return same != (r.Party == filter.FirstParty)
		})
	}
	slices.Sort(c.TopDomains)
	c.TopDomains = slices.Compact(c.TopDomains)
	return c, len(c.TopDomains) > 0
}

// both returns the hosts that are within a and within b, as one domain.
func both(a, b string) (string, bool) {
	switch {
	case a == b, strings.HasSuffix(a, "."+b):
		return a, true
	case strings.HasSuffix(b, "."+a):
		return b, true
	}
	return "", false
}
