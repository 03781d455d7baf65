// Package filter reads and writes rules in the network-filter syntax of
// Adblock Plus (https://help.adblockplus.org/hc/en-us/articles/360062733293)
// with the options of uBlock Origin's static filters
// (https://github.com/gorhill/uBlock/wiki/Static-filter-syntax), as far as
// they mean anything for a request that a page makes:
//
//	||doubleclick.net^                        a host and its subdomains
//	||example.com/pixel.gif?                  … and what its path begins with
//	||adservice.google.                       what a label of the host begins with
//	|https://cdn.example/                     what the address begins with
//	/img/*/photo_*.jpg|                       "*" any characters, "^" a separator or the end, "|" the end
//	/^https:\/\/[a-z]{8}\.example\//          a regular expression
//	*$script,domain=a.example                 every address
//	@@||example.com/needed.js                 an exception
//	||example.com^$third-party,script         third-party 3p first-party 1p, and types
//	||example.com^$domain=a.com|~b.a.com|c.*  on pages of these hosts; c.* under any suffix
//	||example.com^$to=a.example.com|~b.*      for requests to these hosts; denyallow=x is to=~x
//	||example.com^$method=post                connect delete get head options patch post put other
//	/Track.js$match-case                      "T" is not "t"
//	||example.com^$important                  wins over exceptions
//	||example.com^$badfilter                  takes away the rule without badfilter
//	||example.com^$redirect=noop.js           the same without redirect=: nothing is put in the request's place
//
// Types are document subdocument stylesheet script image font object
// xmlhttprequest ping media websocket webtransport csp_report other; types,
// methods and names in lists can have a "~". A rule without types holds for
// all but the document. A rule that lists "popup" or another thing that is no
// request beside types holds for the types.
//
// A name that stands alone, such as ads.example, is a pattern like any other
// and no host.
//
// Everything else is refused with an *Unsupported that names its kind, so
// that an import can count what it leaves out, or with an error that says
// what is wrong with the line. Regular expressions are told from patterns and
// not looked into: that is for those who run them.
package filter

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"paravent/lists/address"
)

// A Party says from which pages a rule holds.
type Party uint8

// The parties.
const (
	AnyParty   Party = iota
	ThirdParty       // the request goes to another site than the page's
	FirstParty       // the request stays on the page's site
)

// An Anchor says where in the address a pattern without a host begins.
type Anchor uint8

// The anchors.
const (
	Anywhere Anchor = iota
	AtStart         // "|": at the address's first byte
	AtLabel         // "||": at the start of a label of the host
)

// A Domain is one entry of a rule's domain= or to= option.
type Domain struct {
	// Name is a host, and the entry means this host and its subdomains; or
	// it is an entity, "name.*", and means name under any public suffix.
	Name string
	Not  bool // "~": the rule does not hold there
}

// A Rule is one network filter. Two rules that mean the same print the same.
//
// What a rule without a host matches is the address in its canonical form,
// "scheme://host[:port]/path?query", see package address; what follows the
// host is matched from the path on, whatever the port.
type Rule struct {
	Allow     bool   // "@@": an exception
	Important bool   // block rules only: wins over exceptions
	Bad       bool   // badfilter: takes away the rule that is the same but for this
	Host      string // canonical host; subdomains are meant too. "": none, or only a part of one
	// Pattern is, with a Host, what follows it: "" for nothing but "^", else
	// a text that begins with "/" or "^". Without, it is the whole pattern,
	// "" for every address. "*" and "^" have their meaning. It need not reach
	// the end of the address.
	Pattern   string
	Anchor    Anchor // where Pattern begins; Anywhere with a Host
	End       bool   // the pattern must reach the end of the address
	Regexp    bool   // Pattern is the source of a regular expression; no Host, Anchor or End
	MatchCase bool   // else Pattern is in lower case, unless it is a Regexp
	Types     Types  // 0: all
	Party     Party
	Methods   Methods  // 0: all
	Domains   []Domain // hosts of pages, sorted; empty: every page
	To        []Domain // hosts of requests, sorted; empty: every host
}

// Unsupported is the error of a rule that may be right but that this package
// cannot use. Kind is the same for all rules of a kind, so that they can be
// counted; Remedy says how to write such a rule by hand, if there is a way.
type Unsupported struct{ Kind, Remedy string }

func (e *Unsupported) Error() string {
	if e.Remedy == "" {
		return "unsupported: " + e.Kind
	}
	return "unsupported: " + e.Kind + ": " + e.Remedy
}

// Plain reports whether the rule says nothing but a host.
func (r *Rule) Plain() bool {
	return r.Host != "" && !r.Allow && !r.Important && !r.Bad && r.Pattern == "" && !r.End &&
		r.Types == 0 && r.Party == AnyParty && r.Methods == 0 && len(r.Domains) == 0 && len(r.To) == 0
}

// Parse reads one rule. It wants no comment and no empty line.
func Parse(line string) (Rule, error) {
	var r Rule
	if kind := pageRule(line); kind != "" {
		return r, &Unsupported{Kind: kind}
	}
	text, options := cutOptions(line)
	text, r.Allow = strings.CutPrefix(text, "@@")
	if err := r.parseOptions(options); err != nil {
		return Rule{}, err
	}
	var err error
	if looksRegexp(text) {
		err = r.SetRegexp(text[1 : len(text)-1])
	} else {
		err = r.SetPattern(text)
	}
	if err == nil && r.everything() {
		err = errors.New("this rule holds for every request: name a host or a path, or give it options")
	}
	if err != nil {
		return Rule{}, err
	}
	return r, nil
}

// everything reports whether nothing, or one single character, says what the
// rule is about.
func (r *Rule) everything() bool {
	return r.Host == "" && !r.Regexp && len(r.Pattern) < 2 && r.Types == 0 && r.Party == AnyParty &&
		r.Methods == 0 && len(r.Domains) == 0 && len(r.To) == 0
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// looksRegexp knows a regular expression by the slashes around it.
func looksRegexp(text string) bool {
	return len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/'
}

// SetRegexp sets the source of a regular expression. The rule must have no
// host and no pattern.
func (r *Rule) SetRegexp(source string) error {
	for _, c := range source {
		if c < ' ' || c >= 0x7f {
			return errors.New("character " + strconv.QuoteRune(c) + ": an address is plain ASCII, and so is what matches it")
		}
	}
	r.Regexp, r.Pattern = true, source
	return nil
}

// SetPattern sets host, pattern and anchors from the text of a pattern, such
// as "||example.com/x*y|". Set MatchCase before. A declarativeNetRequest
// urlFilter is such a text.
func (r *Rule) SetPattern(text string) error {
	for _, c := range text {
		if c <= ' ' || c >= 0x7f {
			return errors.New("character " + strconv.QuoteRune(c) + ": write a host in punycode and a path in %-escapes")
		}
		if c == '#' {
			return &Unsupported{"fragment", `the part of an address behind "#" is never sent: leave it out`}
		}
	}
	if !r.MatchCase {
		text = strings.ToLower(text)
	}
	switch {
	case strings.HasPrefix(text, "||"):
		text = text[2:]
		if text == "" || !beginsLabel(text[0]) {
			break
		}
		host, rest, err := cutHost(text)
		if err != nil {
			return err
		}
		if host != "" {
			r.Host, text = host, rest
		} else {
			r.Anchor = AtLabel
		}
	case strings.HasPrefix(text, "|"):
		r.Anchor, text = AtStart, text[1:]
	}
	text, r.End = strings.CutSuffix(text, "|")
	for strings.Contains(text, "**") {
		text = strings.ReplaceAll(text, "**", "*")
	}
	// What "*" at an end makes pointless: itself, the end's anchor, and "^",
	// which holds at the end of the address.
	for {
		cut := strings.TrimSuffix(strings.TrimSuffix(text, "^"), "*")
		if !strings.HasSuffix(text, "*") && !strings.HasSuffix(text, "*^") {
			break
		}
		text, r.End = cut, false
	}
	if r.Host != "" {
		if text == "^" && !r.End {
			text = ""
		}
	} else {
		if strings.HasPrefix(text, "*") {
			r.Anchor, text = Anywhere, text[1:]
		}
		if r.Anchor == Anywhere && text == "^" || text == "" {
			r.Anchor, r.End, text = Anywhere, false, ""
		}
	}
	if r.Host == "" && r.Anchor == Anywhere && pageRule(text) != "" {
		return errors.New("pattern " + strconv.Quote(text) + ": reads as a rule about the page: begin it with \"||\" or \"|\"")
	}
	r.MatchCase = r.MatchCase && strings.ToLower(text) != strings.ToUpper(text)
	r.Pattern = text
	return nil
}

// cutHost splits the text after "||" behind a whole host. The host is empty
// when there is only a part of one, or one with a port.
func cutHost(text string) (host, rest string, err error) {
	end := 0
	if strings.HasPrefix(text, "[") {
		end = strings.IndexByte(text, ']') + 1
	}
	stop := strings.IndexAny(text[end:], "/^?*|:")
	if stop < 0 {
		return "", "", nil
	}
	end += stop
	switch text[end] {
	case '?':
		return "", "", errors.New("a query right after the host never matches: write \"/?\"")
	case '*', '|', ':':
		return "", "", nil
	}
	host = strings.ToLower(text[:end])
	if !isHost(host) {
		return "", "", errors.New("host " + strconv.Quote(host) + ": want a whole host name, such as example.com")
	}
	return host, text[end:], nil
}

func isHost(s string) bool {
	var u address.URL
	return u.Parse([]byte("https://"+s)) == nil && string(u.Host()) == s
}

// beginsLabel reports whether a label of a host can begin with c. Behind
// anything else "||" means nothing, as in uBlock Origin.
func beginsLabel(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '_' || c == '-' || c == '['
}

// SetTypes sets the rule's types. The page itself is left to the user, so
// document counts only where it stands alone; the set of all others is the
// same as none.
func (r *Rule) SetTypes(s Types) {
	if !s.OnlyDocument() {
		s &^= documentType
	}
	if s == allTypes&^documentType {
		s = 0
	}
	r.Types = s
}

// SetMethods sets the rule's methods; the set of all is the same as none.
func (r *Rule) SetMethods(s Methods) {
	if s == allMethods {
		s = 0
	}
	r.Methods = s
}

// AddDomains adds entries of domain=.
func (r *Rule) AddDomains(names []string, not bool) (err error) {
	r.Domains, err = addDomains(r.Domains, "domain=", names, not)
	return err
}

// AddTo adds entries of to=.
func (r *Rule) AddTo(names []string, not bool) (err error) {
	r.To, err = addDomains(r.To, "to=", names, not)
	return err
}

// addDomains returns a new list, sorted, of what is in list and names.
func addDomains(list []Domain, option string, names []string, not bool) ([]Domain, error) {
	list = slices.Clip(list)
	for _, name := range names {
		if !isHost(strings.TrimSuffix(name, ".*")) {
			if strings.ContainsAny(name, "*/") {
				return nil, &Unsupported{option + " with a wildcard or a regular expression", "name the hosts one by one, or as name.*"}
			}
			return nil, errors.New(option + name + `: want host names between "|"`)
		}
		list = append(list, Domain{name, not})
	}
	slices.SortFunc(list, compareDomains)
	return slices.Compact(list), nil
}

func compareDomains(a, b Domain) int {
	if a.Not != b.Not {
		if b.Not {
			return -1
		}
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

// String writes the rule in its one canonical form.
func (r Rule) String() string {
	text, options := r.target(), r.options()
	// "_" is the option that means nothing, and a "*" at the end means nothing.
	if options == "" && strings.Contains(text, "$") {
		if pattern, _ := cutOptions(text); pattern != text {
			options = "_"
		}
	}
	if options != "" && (strings.HasSuffix(text, "$") || strings.HasSuffix(text, `\`)) {
		text += "*"
	}
	if options != "" {
		text += "$" + options
	}
	if r.Allow {
		return "@@" + text
	}
	return text
}

// target writes the pattern with its anchors. Where a pattern would be read
// as something else, a "*" stands in front of it or behind it.
func (r *Rule) target() string {
	text := r.Pattern
	switch {
	case r.Regexp:
		return "/" + text + "/"
	case r.Host != "" && text == "" && !r.End:
		return "||" + r.Host + "^"
	case r.Host != "":
		text = "||" + r.Host + text
	case r.Anchor == AtLabel:
		text = "||" + text
	case r.Anchor == AtStart:
		text = "|" + text
	case text == "":
		return "*"
	case strings.IndexByte("|!@[", text[0]) >= 0:
		text = "*" + text
	}
	switch {
	case r.End:
		return text + "|"
	case strings.HasSuffix(text, "|"), looksRegexp(text):
		return text + "*"
	}
	return text
}

func (r *Rule) options() string {
	var options []string
	switch r.Party {
	case ThirdParty:
		options = append(options, "third-party")
	case FirstParty:
		options = append(options, "first-party")
	}
	options = r.Types.appendOptions(options)
	if len(r.Domains) > 0 {
		options = append(options, "domain="+domainsText(r.Domains))
	}
	if len(r.To) > 0 {
		options = append(options, "to="+domainsText(r.To))
	}
	if r.Methods != 0 {
		options = append(options, "method="+r.Methods.text())
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"match-case", r.MatchCase}, {"important", r.Important}, {"badfilter", r.Bad}} {
		if flag.set {
			options = append(options, flag.name)
		}
	}
	return strings.Join(options, ",")
}

func domainsText(list []Domain) string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Name
		if d.Not {
			names[i] = "~" + d.Name
		}
	}
	return strings.Join(names, "|")
}

// Directory splits the pattern at its last leading directory: the literal
// text up to the last "/" before any "*", "^" or "?", at most
// address.MaxDirectories deep. The rest is what Match wants of the address
// after that directory. A rule without a host has none, nor has one whose case
// matters; and "/" is none, since all of a host is in it.
func (r *Rule) Directory() (directory, rest string) {
	if r.Host == "" || r.MatchCase {
		return "", r.Pattern
	}
	literal := r.Pattern
	if i := strings.IndexAny(literal, "*^?"); i >= 0 {
		literal = literal[:i]
	}
	end := 0
	for range address.MaxDirectories {
		i := strings.IndexByte(literal[end:], '/')
		if i < 0 {
			break
		}
		end += i + 1
	}
	if end < 2 || r.Pattern[0] != '/' {
		return "", r.Pattern
	}
	return r.Pattern[:end], r.Pattern[end:]
}

// Match reports whether text begins with pattern, in which "*" stands for any
// characters and "^" for one separator or the end; with end, the pattern must
// take all of text. It allocates nothing and looks at each pair of bytes at
// most once per "*".
func Match(pattern, text []byte, end bool) bool {
	p, t := 0, 0
	star, mark := -1, 0 // where to go on after the last "*"
	for {
		if p < len(pattern) {
			c := pattern[p]
			switch {
			case c == '*':
				star, mark = p, t
				p++
				continue
			case t < len(text) && (c == text[t] || c == '^' && separator(text[t])):
				p++
				t++
				continue
			case t == len(text) && c == '^':
				p++
				continue
			}
		} else if !end || t == len(text) {
			return true
		}
		if star < 0 || mark >= len(text) {
			return false
		}
		mark++
		p, t = star+1, mark
		if p < len(pattern) && pattern[p] != '^' && pattern[p] != '*' {
			// Nothing can begin before the next such byte.
			next := bytes.IndexByte(text[mark:], pattern[p])
			if next < 0 {
				return false
			}
			mark += next
			t = mark
		}
	}
}

// separator is anything but a letter, a digit and "_", "-", ".", "%".
func separator(c byte) bool {
	return !isLetter(c) && !isDigit(c) && c != '_' && c != '-' && c != '.' && c != '%'
}
