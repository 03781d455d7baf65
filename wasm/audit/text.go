package audit

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"paravent/wasm/explain"
	"paravent/wasm/match"
)

// Of a recipient no more than so many hosts, names of cookies and ways in
// which it learnt something are printed.
const maxListed = 4

// Text writes the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	others, toOthers := 0, 0
	width := 0
	for i := range r.Recipients {
		one := &r.Recipients[i]
		if one.Party == "third" {
			others++
			toOthers += one.Requests
		}
		width = max(width, utf8.RuneCountInString(one.title()))
	}
	fmt.Fprintf(&b, "Visited %s with %s, %d of them to %s.", count(len(r.Pages), "page"), count(r.Requests, "request"), toOthers, count(others, "recipient"))
	if r.Unsent > 0 {
		fmt.Fprintf(&b, " %d more never left the browser.", r.Unsent)
	}
	b.WriteString("\n\n")
	for i := range r.Recipients {
		r.Recipients[i].text(&b, width)
	}
	if len(r.Recipients) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Of the %s, Paravent would have %s.\n", count(r.Requests, "request"), whatBecame(r.Outcomes))
	return b.String()
}

func (r *Recipient) title() string {
	switch {
	case r.Party == "first":
		return r.Name + ", visited"
	case r.Country != "":
		return r.Name + " (" + r.Country + ")"
	}
	return r.Name
}

func (r *Recipient) text(b *strings.Builder, width int) {
	fmt.Fprintf(b, "%-*s %6d  %s\n", width, r.title(), r.Requests, whatBecame(r.Outcomes))
	if len(r.Hosts) > 1 || r.Hosts[0].Host != r.Name {
		hosts := make([]string, len(r.Hosts))
		for i, h := range r.Hosts {
			hosts[i] = h.Host
		}
		fmt.Fprintf(b, "    at %s\n", list(hosts))
	}
	for i, l := range r.Learnt {
		if i == maxListed {
			fmt.Fprintf(b, "    learnt in %s more\n", count(len(r.Learnt)-i, "way"))
			break
		}
		fmt.Fprintf(b, "    learnt %s, %s: %q\n", explain.Leak(l.finding), times(l.Requests), l.Text)
	}
	if r.Cookies.Requests > 0 {
		fmt.Fprintf(b, "    was sent cookies, %s: %s\n", times(r.Cookies.Requests), list(r.Cookies.Names))
	}
}

// whatBecame writes "blocked 3 (2 listed, 1 leak), allowed 1 (unlisted)".
func whatBecame(outcomes []Outcome) string {
	var parts []string
	for _, action := range []match.Action{match.Block, match.Relay, match.Allow} {
		total := 0
		var reasons []string
		for _, o := range outcomes {
			if o.Action == action.String() {
				total += o.Requests
				reasons = append(reasons, fmt.Sprint(o.Requests, " ", o.Reason))
			}
		}
		if total == 0 {
			continue
		}
		if len(reasons) == 1 {
			_, reasons[0], _ = strings.Cut(reasons[0], " ")
		}
		verb := [...]string{match.Block: "blocked", match.Relay: "relayed", match.Allow: "allowed"}[action]
		parts = append(parts, fmt.Sprintf("%s %d (%s)", verb, total, strings.Join(reasons, ", ")))
	}
	if len(parts) == 0 {
		return "stopped none"
	}
	return strings.Join(parts, ", ")
}

func list(names []string) string {
	if more := len(names) - maxListed; more > 1 {
		names = append(slices.Clone(names[:maxListed]), fmt.Sprint(more, " others"))
	}
	return strings.Join(names, ", ")
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return count(n, "time")
}
