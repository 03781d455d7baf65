package explain

import (
	"slices"
	"strconv"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// shown is how many hosts of a list are named; a rule may have hundreds.
const shown = 5

// Rule says in one clause, without a full stop, what a rule of this kind does:
//
//	||tracker.example^$script,third-party
//	blocks the host tracker.example and its subdomains for scripts, when the page is of another site
func Rule(kind bundle.Kind, r *filter.Rule) string {
	var b strings.Builder
	if r.Bad {
		b.WriteString("takes away the rule that ")
	}
	switch {
	case kind == bundle.Photo:
		b.WriteString("relays images and blocks all else at ")
	case r.Allow || !kind.Stops():
		b.WriteString("lets pass ")
	default:
		b.WriteString("blocks ")
	}
	b.WriteString(target(r))
	b.WriteString(hosts(r.To, " at ", "at "))
	b.WriteString(hosts(r.Domains, " on pages of ", "on pages of "))
	if r.Types != 0 {
		b.WriteString(" for ")
		// No rule that is about more than pages is about pages.
		out := slices.DeleteFunc(r.Types.Except().DNR(), func(name string) bool { return name == "main_frame" })
		b.WriteString(choice(r.Types.DNR(), out, "everything but ", "and", typeNouns))
	}
	if r.Methods != 0 {
		b.WriteString(" with ")
		b.WriteString(choice(r.Methods.Names(), r.Methods.Except().Names(), "any method but ", "or", methodNouns))
	}
	switch r.Party {
	case filter.ThirdParty:
		b.WriteString(", when the page is of another site")
	case filter.FirstParty:
		b.WriteString(", when the page is of the same site")
	}
	if r.Important || kind == bundle.Important {
		b.WriteString(", whatever an exception says")
	}
	return b.String()
}

// target says which addresses a rule's host and pattern name.
func target(r *filter.Rule) string {
	text := strconv.Quote(r.Pattern)
	var s string
	switch {
	case r.Regexp:
		s = "addresses that fit the regular expression /" + r.Pattern + "/"
	case r.Host != "" && r.Pattern == "" && !r.End:
		return "the host " + r.Host + " and its subdomains"
	case r.Host != "":
		s = "addresses of the host " + r.Host + " and its subdomains "
		switch path := strings.HasPrefix(r.Pattern, "/"); {
		case path && r.End:
			s += "whose path is " + text
		case path:
			s += "whose path begins with " + text
		case r.End:
			s += "that go on with " + text + " to the end"
		default:
			s += "that go on with " + text
		}
	case r.Pattern == "":
		return "every address"
	case r.Anchor == filter.AtLabel:
		s = "addresses with " + text + " from the start of a label of the host"
		if r.End {
			s += " to the end"
		}
	case r.Anchor == filter.AtStart && r.End:
		s = "the address " + text
	case r.Anchor == filter.AtStart:
		s = "addresses that begin with " + text
	case r.End:
		s = "addresses that end with " + text
	default:
		s = "addresses that contain " + text
	}
	var notes []string
	if !r.Regexp && strings.Contains(r.Pattern, "*") {
		notes = append(notes, `"*" stands for any characters`)
	}
	if !r.Regexp && strings.Contains(r.Pattern, "^") {
		notes = append(notes, `"^" for a separator or the end`)
		if len(notes) == 1 {
			notes[0] = `"^" stands for a separator or the end`
		}
	}
	if r.MatchCase {
		notes = append(notes, "capital letters count")
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// hosts says where a rule holds: with first at the start if it names where it
// does, and "except " and again before what it leaves out.
func hosts(domains []filter.Domain, first, again string) string {
	var in, out []string
	for _, d := range domains {
		name := d.Name
		if strings.HasSuffix(name, ".*") {
			name += " (any ending)"
		}
		if d.Not {
			out = append(out, name)
		} else {
			in = append(in, name)
		}
	}
	var s string
	if len(in) > 0 {
		s = first + join(in, "or")
	}
	if len(out) > 0 {
		s += " except " + again + join(out, "or")
	}
	return s
}

// choice names what is in a set, or what is not if that is shorter.
func choice(in, out []string, but, last string, nouns map[string]string) string {
	prefix := ""
	if len(in) > len(out) {
		in, prefix = out, but
	}
	words := make([]string, len(in))
	for i, name := range in {
		words[i] = nouns[name]
	}
	return prefix + join(words, last)
}

// join writes "a, b or c", and "a, b, c, d, e or 7 others" for many.
func join(words []string, last string) string {
	if more := len(words) - shown; more > 1 && last == "or" {
		words = append(words[:shown:shown], strconv.Itoa(more)+" others")
	}
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// typeNouns are for declarativeNetRequest's names of types.
var typeNouns = map[string]string{
	"main_frame":     "pages",
	"sub_frame":      "frames",
	"stylesheet":     "style sheets",
	"script":         "scripts",
	"image":          "images",
	"font":           "fonts",
	"object":         "plug-in content",
	"xmlhttprequest": "what scripts fetch",
	"ping":           "beacons",
	"media":          "audio and video",
	"websocket":      "WebSockets",
	"webtransport":   "WebTransport",
	"csp_report":     "policy reports",
	"other":          "what is of no other type",
}

var methodNouns = map[string]string{
	"get": "GET", "connect": "CONNECT", "delete": "DELETE", "head": "HEAD", "options": "OPTIONS",
	"patch": "PATCH", "post": "POST", "put": "PUT", "other": "a rarer method",
}
