// Package explain says which examples of protected sites two lists decide
// differently, for the maintainers who are about to publish one of them.
package explain

import (
	"fmt"
	"io"

	"paravent/lists/address"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/source"
	"paravent/wasm/match"
)

// A Changed is an example of a protected site that two lists decide
// differently.
type Changed struct {
	Site          string
	Request       source.Request
	Before, After string // "block (listed) by ||tracker.example^"
}

// Decisions decides the sites' examples with two lists, and returns those that
// they decide differently. registrable is as in match.Matcher.
func Decisions(before, after []byte, sites []source.SiteFile, registrable func(host []byte) int) ([]Changed, error) {
	var matchers [2]*match.Matcher
	for i, text := range [][]byte{before, after} {
		data, err := compile.Compile(text)
		if err != nil {
			return nil, err
		}
		if matchers[i], err = match.Open(data); err != nil {
			return nil, err
		}
		matchers[i].Registrable = registrable
	}
	var changed []Changed
	type example struct{ url, page, kind string }
	seen := map[example]bool{}
	for _, site := range sites {
		for _, r := range site.Requests {
			if e := (example{r.URL, r.Page, r.Type}); seen[e] {
				continue
			} else {
				seen[e] = true
			}
			kind, _ := filter.TypeNamed(r.Type)
			request := match.Request{URL: address.Serialized(r.URL), Page: []byte(r.Page), Type: kind, Mode: match.ModeProtect}
			var decided [2]match.Decision
			var said [2]string
			for i, m := range matchers {
				var err error
				if decided[i], err = m.Decide(&request); err != nil {
					return nil, err
				}
				said[i] = fmt.Sprintf("%s (%s)", decided[i].Action, decided[i].Reason)
				if rule := m.Rule(); rule != "" {
					said[i] += " by " + rule
				}
			}
			if decided[0] != decided[1] {
				changed = append(changed, Changed{site.Name, r, said[0], said[1]})
			}
		}
	}
	return changed, nil
}

// WriteDecisions writes what the sites' patients will notice.
func WriteDecisions(out io.Writer, changed []Changed) {
	if len(changed) == 0 {
		fmt.Fprintln(out, "no example of a protected site is decided otherwise")
		return
	}
	fmt.Fprintf(out, "examples of protected sites that are decided otherwise: %d\n", len(changed))
	for _, d := range changed {
		fmt.Fprintf(out, "  %s: %s %s\n    on %s\n    was  %s\n    now  %s\n", d.Site, d.Request.Type, d.Request.URL, d.Request.Page, d.Before, d.After)
	}
}
