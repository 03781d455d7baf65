package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/source"
	"paravent/wasm/match"
)

// mostDrafts bounds what one report gives: nobody looks for evidence of more
// in one go.
const mostDrafts = 40

// A Draft is what may be added to the lists because of a report.
type Draft struct {
	Report *Report
	Site   *source.SiteFile // that the report is about; nil if no list protects it
	Parts  []Part
	Notes  []string // of requests that nothing is drafted for, and why
}

// A Part is about one host.
type Part struct {
	Host      string
	Why       string // what became of its requests
	Stop      string // a rule for telemetry.txt; "" for none
	Need      string // a rule for the site's needs; "" for none
	Requests  []source.Request
	Recipient string // who stands behind the host, "" if the lists do not say
	registry  string // the host's registrable domain
	own       bool   // the host is of the page's own site
}

// drafter is what is known while drafting.
type drafter struct {
	matcher     *match.Matcher
	registrable func([]byte) int
	rules       map[string]bool // of the list, as it writes them
	draft       *Draft
}

// Make drafts from a report. list is what the sources of sites say now, and
// registrable is as in match.Matcher.
func Make(r *Report, list *compile.List, sites []source.SiteFile, registrable func(host []byte) int) (*Draft, error) {
	matcher, err := open(list, registrable)
	if err != nil {
		return nil, err
	}
	d := drafter{matcher, registrable, map[string]bool{}, &Draft{Report: r}}
	for _, rule := range list.Rules {
		d.rules[rule.Rule.String()] = true
	}
	d.draft.Site = siteOf(r, sites)
	for i := range r.Requests {
		if err := d.request(i); err != nil {
			return nil, err
		}
	}
	for i := range d.draft.Parts {
		p := &d.draft.Parts[i]
		for _, recipient := range list.Recipients {
			if address.Within([]byte(p.Host), []byte(recipient.Host)) {
				p.Recipient = recipient.Name + " (" + recipient.Country + ")"
			}
		}
	}
	return d.draft, d.try(list)
}

func open(list *compile.List, registrable func([]byte) int) (*match.Matcher, error) {
	data, err := list.Bundle()
	if err != nil {
		return nil, err
	}
	m, err := match.Open(data)
	if err != nil {
		return nil, err
	}
	m.Registrable = registrable
	return m, nil
}

// siteOf finds the protected site that a report is about.
func siteOf(r *Report, sites []source.SiteFile) *source.SiteFile {
	host := strings.ToLower(r.Site)
	if p, err := readPlace(r.Site); err == nil {
		host = p.host
	}
	for i := range sites {
		for _, domain := range sites[i].Domains {
			if address.Within([]byte(host), []byte(domain)) {
				return &sites[i]
			}
		}
	}
	return nil
}

func (d *drafter) note(i int, format string, args ...any) {
	text := fmt.Sprintf("requests[%d]: ", i) + fmt.Sprintf(format, args...)
	if !slices.Contains(d.draft.Notes, text) {
		d.draft.Notes = append(d.draft.Notes, text)
	}
}

// request drafts for one request, or notes why not.
func (d *drafter) request(i int) error {
	q := d.draft.Report.Requests[i]
	kind, ok := filter.TypeNamed(q.Type)
	if !ok {
		d.note(i, "type %.40q is none of webRequest's", q.Type)
		return nil
	}
	to, err := readPlace(q.URL)
	if err != nil {
		d.note(i, "url: %v", err)
		return nil
	}
	page, err := readPlace(q.Page)
	if err != nil {
		d.note(i, "page: %v", err)
		return nil
	}
	// Which page of the site it was is the patient's own business.
	page.path = "/"
	now, err := d.matcher.Decide(&match.Request{
		URL: []byte(to.String()), Page: []byte(page.String()), Type: kind, Mode: match.ModeProtect, Leaks: true,
	})
	if err != nil {
		return err
	}
	stopped := q.Decision == match.Block.String() || q.Decision == match.Relay.String()
	said := fmt.Sprintf("%s (%s)", now.Action, now.Reason)
	if rule := d.matcher.Rule(); rule != "" {
		said += " by " + rule
	}
	leak := q.Reason == match.Leak.String()
	// An address that was cut off may have lost what a rule is about.
	if stopped && now.Action == match.Allow && d.rules[q.Rule] {
		d.add(i, to, page, true, leak, "by "+q.Rule)
		return nil
	}
	switch {
	case q.Decision != match.Allow.String() && !stopped:
		d.note(i, "decision %.40q is none of %s", q.Decision, strings.Join(match.ActionNames, ", "))
	case now.Reason == match.Document || now.Reason == match.Local || now.Reason == match.Own || q.Reason == match.Off.String():
		d.note(i, "%s %s: no list decides it", q.Type, to)
	case stopped && !leak && now.Action == match.Allow:
		by := ""
		if q.Rule != "" {
			by = fmt.Sprintf(" by %.200q", q.Rule)
		}
		d.note(i, "%s %s: was stopped%s, and this list lets it pass, %s: the patient's list is older", q.Type, to, by, said)
	case !stopped && now.Action != match.Allow:
		d.note(i, "%s %s: passed, and this list stops it, %s: the patient's list is older", q.Type, to, said)
	case !stopped && now.Reason != match.Unlisted:
		d.note(i, "%s %s: passes on purpose, %s", q.Type, to, said)
	default:
		d.add(i, to, page, stopped, leak, said)
	}
	return nil
}

// add drafts a part, or adds to the one that is there.
func (d *drafter) add(i int, to, page place, stopped, leak bool, said string) {
	q := d.draft.Report.Requests[i]
	part := Part{Host: to.host, registry: to.host}
	if n := d.registrable([]byte(to.host)); n > 0 {
		part.registry = to.host[len(to.host)-n:]
	}
	part.own = address.Within([]byte(page.host), []byte(part.registry))
	rule := "||" + to.host + "^"
	switch {
	case to.host != page.host:
	case to.directory == "/":
		d.note(i, "%s %s: of the page's own host, and no path says which part of it: write a rule by hand", q.Type, to)
		return
	default:
		rule = "||" + to.host + to.directory
	}
	part.Why = "passes: " + said
	if stopped {
		part.Why = "is stopped: " + said
		part.Need = rule
	}
	if leak {
		part.Why = "was told the page's address or what was searched, and stopped for that: no rule names it"
	}
	if !stopped || leak {
		part.Stop = rule
		if !part.own {
			part.Stop += "$third-party"
		}
	}
	expect, reason := match.Block, match.Listed
	if part.Stop == "" {
		expect, reason = match.Allow, match.Needed
	}
	example := source.Request{URL: to.String(), Page: page.String(), Type: q.Type, Expect: expect.String(), Reason: reason.String()}
	for j := range d.draft.Parts {
		p := &d.draft.Parts[j]
		if p.Stop == part.Stop && p.Need == part.Need {
			if !slices.Contains(p.Requests, example) {
				p.Requests = append(p.Requests, example)
			}
			return
		}
	}
	if len(d.draft.Parts) == mostDrafts {
		d.note(i, "%s %s: left out: %d hosts are enough for one report", q.Type, to, mostDrafts)
		return
	}
	part.Requests = []source.Request{example}
	d.draft.Parts = append(d.draft.Parts, part)
}

// try builds the list with what was drafted and decides the examples. What is
// still not decided as it should is noted.
func (d *drafter) try(list *compile.List) error {
	with := *list
	with.Rules = slices.Clone(list.Rules)
	for _, p := range d.draft.Parts {
		kind, text := bundle.Block, p.Stop
		if text == "" {
			kind, text = bundle.Need, p.Need
		}
		r, err := filter.Parse(text)
		if err != nil {
			return fmt.Errorf("draft %s (please report this): %w", text, err)
		}
		if kind == bundle.Need && d.draft.Site != nil {
			if err := r.AddDomains(d.draft.Site.Domains, false); err != nil {
				return err
			}
		}
		with.Rules = append(with.Rules, bundle.KindedRule{Kind: kind, Rule: r})
	}
	matcher, err := open(&with, d.registrable)
	if err != nil {
		return err
	}
	for _, p := range d.draft.Parts {
		for _, q := range p.Requests {
			kind, _ := filter.TypeNamed(q.Type)
			decision, err := matcher.Decide(&match.Request{URL: []byte(q.URL), Page: []byte(q.Page), Type: kind, Mode: match.ModeProtect})
			if err != nil {
				return err
			}
			if decision.Action.String() != q.Expect {
				d.draft.Notes = append(d.draft.Notes, fmt.Sprintf("%s: also with the draft it is decided %s (%s), by %q: another rule is stronger",
					q.URL, decision.Action, decision.Reason, matcher.Rule()))
			}
		}
	}
	return nil
}

// Write writes the draft, to be pasted by hand. directory is the folder of the
// sources, such as lists.
func (d *Draft) Write(out io.Writer, directory string) {
	fmt.Fprintf(out, "Report about %.200q, %d requests. The patient says: %.4000q\n", d.Report.Site, len(d.Report.Requests), d.Report.Says)
	site := directory + "/sites/NAME.json"
	if d.Site != nil {
		site = d.Site.At("").File
	} else {
		fmt.Fprintf(out, `
No list protects this site. If patients book there, begin %s with

  {
    "name": "<as its patients know it>",
    "domains": ["<its domain>"],
    "source": "<https address of the page that says that patients book there>",
    "date": "<YYYY-MM-DD, the day you read it>",
    "needs": [],
    "requests": []
  }
`, site)
	}
	for i, p := range d.Parts {
		fmt.Fprintf(out, "\n%d. %s %s\n", i+1, p.Host, p.Why)
		if p.Stop != "" {
			fmt.Fprintf(out, `
If it is told what a patient looks for, add to %s/telemetry.txt

  ! reason: <what %s receives, in one sentence>
  ! source: <https address of the page that shows it>
  ! date: <YYYY-MM-DD, the day you read it>
  %s
`, directory, p.Host, p.Stop)
		}
		if p.Need != "" {
			fmt.Fprintf(out, `
If the site does not work without it, add to "needs" in %s

  {"rule": %s, "for": "<one of %s>", "source": "<https address of the page that shows it>", "date": "<YYYY-MM-DD, the day you read it>"}
`, site, quoted(p.Need), strings.Join(source.Purposes, ", "))
		}
		fmt.Fprintf(out, "\nand to \"requests\" in %s", site)
		if p.Stop != "" && p.Need != "" {
			fmt.Fprint(out, ` (with "allow" and "needed" if you chose the need)`)
		}
		fmt.Fprint(out, "\n\n")
		for j, q := range p.Requests {
			comma := ","
			if j == len(p.Requests)-1 {
				comma = ""
			}
			fmt.Fprintf(out, "  {\"url\": %s, \"page\": %s, \"type\": %s, \"expect\": %s, \"reason\": %s}%s\n",
				quoted(q.URL), quoted(q.Page), quoted(q.Type), quoted(q.Expect), quoted(q.Reason), comma)
		}
		if p.Recipient != "" {
			fmt.Fprintf(out, "\nWho receives it: %s\n", p.Recipient)
		}
		if p.Recipient != "" || p.own {
			continue
		}
		fmt.Fprintf(out, `
Nobody is known to stand behind it. If you find out who, add to %s/recipients.json

  {"name": "<the organisation>", "country": "<two capital letters>", "hosts": [%s], "source": "<https address of the page that says so>", "date": "<YYYY-MM-DD, the day you read it>"}
`, directory, quoted(p.registry))
	}
	if len(d.Notes) > 0 {
		fmt.Fprint(out, "\nNothing is drafted for these:\n")
	}
	for _, note := range d.Notes {
		fmt.Fprintf(out, "  %s\n", note)
	}
	if len(d.Parts) > 0 {
		fmt.Fprintf(out, `
Nothing was written into a file. Look through the addresses first: no name and
nothing else of the patient's belongs into a list. Put in what stands in < >,
then run

  paravent list lint %[1]s && paravent list test %[1]s
`, directory)
	}
}

// quoted is a text as JSON.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""` // no text fails
	}
	return strings.TrimSpace(b.String())
}
