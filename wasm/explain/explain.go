// Package explain says in English what rules mean and why requests were
// decided as they were, for people who maintain lists and audit visits.
//
//	{"action":"block","reason":"listed","rule":"||tracker.example^$third-party"}
//	Blocked: the rule ||tracker.example^$third-party in the list's section [rules]
//	blocks the host tracker.example and its subdomains, when the page is of another site.
package explain

import (
	"strconv"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/filter"
	"paravent/wasm/leak"
	"paravent/wasm/match"
)

// Decision says in one sentence why a request was decided as it was. rule is
// the rule that decided in its canonical form, "" if none did, and found is
// the leak when the reason is that.
func Decision(d match.Decision, rule string, found leak.Finding) string {
	verb := [...]string{match.Allow: "allowed", match.Block: "blocked", match.Relay: "relayed"}[d.Would]
	if d.Would == d.Action {
		verb = strings.ToUpper(verb[:1]) + verb[1:]
	} else {
		verb = "Would be " + verb
	}
	return verb + ": " + because(d.Reason, rule, found) + "."
}

func because(reason match.Reason, rule string, found leak.Finding) string {
	switch reason {
	case match.Own:
		return "the request is an extension's own"
	case match.Off:
		return "protection is off on this site"
	case match.Document:
		return "opening a page is the user's own choice"
	case match.Local:
		return "the address never leaves the browser"
	case match.Needed:
		return "the site needs it: " + decided(rule, bundle.Need, "needs")
	case match.Exception:
		return decided(rule, bundle.Exception, "exceptions") + ", which overrules what would have stopped it"
	case match.Photo:
		return decided(rule, bundle.Photo, "photos")
	case match.Listed:
		return decided(rule, bundle.Block, "rules")
	case match.Leak:
		return "it would tell another site " + Leak(found) + ", " + strconv.Quote(found.Text)
	case match.WebSocket:
		return "nobody can see what is said through a socket to another site"
	case match.Unknown:
		return "in mode strict, other sites are reached only if this one is known to need them"
	case match.Unreadable:
		return "an address that cannot be read cannot be judged either"
	}
	return "no rule of the list stops it, and no leak was found in it"
}

func decided(rule string, kind bundle.Kind, section string) string {
	r, err := filter.Parse(rule)
	if err != nil { // no rule of a list
		return "the rule " + rule
	}
	if section == "rules" && r.Plain() {
		section = "hosts"
	}
	return "the rule " + rule + " in the list's section [" + section + "] " + Rule(kind, &r)
}

// Leak says what of the page was found, and where in the request:
//
//	the page's address in the request's body ("Data", base64 in JSON)
func Leak(f leak.Finding) string {
	what := [...]string{
		leak.Address: "the page's address",
		leak.Path:    "words of the page's address",
		leak.Search:  "what was searched",
	}[f.What]
	place := [...]string{leak.URL: "the request's URL", leak.Body: "the request's body", leak.Referer: "the Referer"}[f.Place]
	var how []string
	if f.Field != "" {
		how = append(how, strconv.Quote(f.Field))
	}
	if f.Encoding != "plain" {
		how = append(how, f.Encoding)
	}
	if len(how) > 0 {
		place += " (" + strings.Join(how, ", ") + ")"
	}
	return what + " in " + place
}
