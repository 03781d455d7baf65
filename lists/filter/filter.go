// Package filter reads and writes rules in the adblock network-filter syntax
// (https://help.adblockplus.org/hc/en-us/articles/360062733293, with the
// option names of uBlock Origin's static filter syntax).
//
// The part of the language that it knows is the one a host begins:
//
//	||doubleclick.net^                        a host and its subdomains
//	||example.com/pixel.gif?                  … and what its path begins with
//	||res.example.com/img/*/photo_*.jpg|      "*" any characters, "^" a separator or the end, "|" the end
//	||example.com^$third-party,script         third-party 3p first-party 1p, and types
//	||example.com^$domain=a.com|~b.a.com      on pages of these hosts
//	@@||example.com/needed.js                 an exception
//
// Types are document subdocument stylesheet script image font object
// xmlhttprequest ping media websocket webtransport csp_report other, each
// also with "~". Everything else is refused with an *Unsupported that names
// its kind, so that an import can count what it leaves out, or with an error
// that says what is wrong with the line.
//
// Matching ignores case, so a rule is kept in lower case.
package filter

import (
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

// A Domain is one entry of a rule's domain= option.
type Domain struct {
	Name string // a host; the page's host is this or a subdomain of it
	Not  bool   // the rule does not hold there
}

// A Rule is one network filter. Two rules that mean the same print the same.
type Rule struct {
	Allow bool   // "@@": an exception
	Host  string // canonical host; subdomains are meant too
	// Pattern is what follows the host: "" for nothing but "^", else a text
	// that begins with "/" or "^", in which "*" and "^" have their
	// meaning. It need not reach the end of the address.
	Pattern string
	End     bool  // the pattern must reach the end of the address
	Types   Types // 0: all
	Party   Party
	Domains []Domain // sorted; empty: every page
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
	return !r.Allow && r.Pattern == "" && !r.End && r.Types == 0 && r.Party == AnyParty && len(r.Domains) == 0
}

// Parse reads one rule. It wants no comment and no empty line.
func Parse(line string) (Rule, error) {
	var r Rule
	if strings.Contains(line, "##") || strings.Contains(line, "#@#") || strings.Contains(line, "#?#") || strings.Contains(line, "#$#") {
		return r, &Unsupported{Kind: "cosmetic or script rule"}
	}
	text := line
	if rest, ok := strings.CutPrefix(text, "@@"); ok {
		r.Allow, text = true, rest
	}
	if strings.HasPrefix(text, "/") && len(text) > 1 && (strings.HasSuffix(text, "/") || strings.Contains(text, "/$")) {
		return r, &Unsupported{"regular expression", `write "||", the host, and its path with "*"`}
	}
	// An option list begins at the last "$" that a letter or "~" follows.
	if i := strings.LastIndexByte(text, '$'); i >= 0 && i+1 < len(text) && (text[i+1] == '~' || isLetter(text[i+1]) || isDigit(text[i+1])) {
		if err := r.parseOptions(text[i+1:]); err != nil {
			return r, err
		}
		text = text[:i]
	}
	rest, ok := strings.CutPrefix(text, "||")
	if !ok {
		return r, &Unsupported{"pattern without a host", `begin with "||" and a host`}
	}
	return r, r.SetTarget(rest)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// SetTarget sets the rule's host and pattern from the text after "||".
func (r *Rule) SetTarget(text string) error {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return errors.New("character " + strconv.QuoteRune(rune(text[i])) + ": write a host in punycode and a path in %-escapes")
		}
	}
	text = strings.ToLower(text)
	end := strings.IndexAny(text, "/^?*|:")
	if end < 0 {
		end = len(text)
	}
	host, pattern := text[:end], text[end:]
	switch {
	case pattern == "" || pattern[0] == '*' || pattern[0] == '|':
		return &Unsupported{"part of a host", `write the whole host and end it with "^" or a path`}
	case pattern[0] == '?':
		return errors.New("a query right after the host never matches: write \"/?\"")
	case pattern[0] == ':':
		return &Unsupported{"port", "leave it out: a rule holds for every port"}
	}
	var u address.URL
	if err := u.Parse([]byte("https://" + host)); err != nil || string(u.Host()) != host {
		return errors.New("host " + strconv.Quote(host) + ": want a whole host name, such as example.com")
	}
	pattern, r.End = strings.CutSuffix(pattern, "|")
	if strings.Contains(pattern, "|") {
		return errors.New("pattern " + strconv.Quote(pattern) + `: "|" may stand at the end only`)
	}
	if !r.End {
		pattern = strings.TrimRight(pattern, "*")
	}
	if pattern == "^" && !r.End {
		pattern = ""
	}
	r.Host, r.Pattern = host, pattern
	return nil
}

func (r *Rule) parseOptions(text string) error {
	var yes, no Types
	for _, name := range strings.Split(text, ",") {
		name, value, hasValue := strings.Cut(name, "=")
		bare, not := strings.CutPrefix(name, "~")
		if hasValue {
			if name != "domain" && name != "from" {
				return &Unsupported{Kind: "option " + name + "="}
			}
			if err := r.parseDomains(value); err != nil {
				return err
			}
			continue
		}
		if set, ok := option(bare); ok {
			if not {
				no |= set
			} else {
				yes |= set
			}
			continue
		}
		party := AnyParty
		switch bare {
		case "third-party", "3p":
			party = ThirdParty
		case "first-party", "1p":
			party = FirstParty
		default:
			return &Unsupported{"option " + name, "known are third-party, first-party, domain= and the types, such as script"}
		}
		if not {
			party = ThirdParty + FirstParty - party
		}
		if r.Party != AnyParty && r.Party != party {
			return errors.New("options third-party and first-party exclude each other: keep one")
		}
		r.Party = party
	}
	if yes != 0 && no != 0 {
		return errors.New("types with and without \"~\": keep one kind")
	}
	r.SetTypes(yes)
	if no != 0 {
		r.SetTypes(no.Except())
	}
	return nil
}

// SetTypes sets the rule's types; the set of all is the same as none.
func (r *Rule) SetTypes(s Types) {
	if s == allTypes {
		s = 0
	}
	r.Types = s
}

func (r *Rule) parseDomains(list string) error {
	for _, name := range strings.Split(strings.ToLower(list), "|") {
		name, not := strings.CutPrefix(name, "~")
		if strings.ContainsAny(name, "*/") {
			return &Unsupported{"domain= with a wildcard or a regular expression", "name the hosts one by one"}
		}
		if err := r.AddDomain(name, not); err != nil {
			return err
		}
	}
	return nil
}

// AddDomain adds an entry of domain=.
func (r *Rule) AddDomain(name string, not bool) error {
	var u address.URL
	if err := u.Parse([]byte("https://" + name)); err != nil || string(u.Host()) != name {
		return errors.New("domain=" + name + `: want host names between "|"`)
	}
	d := Domain{name, not}
	i, found := slices.BinarySearchFunc(r.Domains, d, compareDomains)
	if !found {
		r.Domains = slices.Insert(r.Domains, i, d)
	}
	return nil
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
	var b strings.Builder
	if r.Allow {
		b.WriteString("@@")
	}
	b.WriteString("||")
	b.WriteString(r.Host)
	if r.Pattern == "" && !r.End {
		b.WriteByte('^')
	}
	b.WriteString(r.Pattern)
	if r.End {
		b.WriteByte('|')
	}
	var options []string
	switch r.Party {
	case ThirdParty:
		options = append(options, "third-party")
	case FirstParty:
		options = append(options, "first-party")
	}
	options = r.Types.appendOptions(options)
	if len(r.Domains) > 0 {
		names := make([]string, len(r.Domains))
		for i, d := range r.Domains {
			names[i] = d.Name
			if d.Not {
				names[i] = "~" + d.Name
			}
		}
		options = append(options, "domain="+strings.Join(names, "|"))
	}
	if len(options) > 0 {
		b.WriteByte('$')
		b.WriteString(strings.Join(options, ","))
	}
	return b.String()
}

// Directory splits the pattern at its last leading directory: the literal
// text up to the last "/" before any "*" or "^", at most
// address.MaxDirectories deep. The rest is what Match wants of the address
// after that directory.
func (r *Rule) Directory() (directory, rest string) {
	literal := r.Pattern
	if i := strings.IndexAny(literal, "*^"); i >= 0 {
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
	if end == 0 || r.Pattern[0] != '/' {
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
		switch {
		case p == len(pattern) && (!end || t == len(text)):
			return true
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
			continue
		case p < len(pattern) && t < len(text) && (pattern[p] == text[t] || pattern[p] == '^' && separator(text[t])):
			p++
			t++
			continue
		case p < len(pattern) && t == len(text) && pattern[p] == '^':
			p++
			continue
		case star < 0 || mark >= len(text):
			return false
		}
		mark++
		p, t = star+1, mark
	}
}

// separator is anything but a letter, a digit and "_", "-", ".", "%".
func separator(c byte) bool {
	return !isLetter(c) && !isDigit(c) && c != '_' && c != '-' && c != '.' && c != '%'
}
