// Package compile turns the canonical text of a list, which is what is
// published and signed, into the bundle that browsers look things up in. The
// same text gives the same bundle, byte for byte, everywhere: on a
// maintainer's machine, and as WebAssembly inside the extension.
//
// # Canonical text
//
//	paravent list 1
//	[sites]
//	doctolib.fr<TAB>Doctolib
//	[recipients]
//	google-analytics.com<TAB>US<TAB>Google<TAB>analytics,advertising
//	[needs]
//	||api.tanker.io^$domain=doctolib.fr
//	[exceptions]
//	@@||example.com/consent.js
//	[photos]
//	||res.cloudinary.com/doctolib/image/upload/
//	[hosts]
//	doubleclick.net
//	[rules]
//	||example.com/pixel.gif$third-party
//
// All seven sections stand there in this order, also when empty. Lines end
// with one line feed and are sorted by their bytes within a section, without
// repeats. Rules are in the canonical form of package filter; a rule that is
// nothing but a host stands in [hosts] without its "||" and "^".
package compile

import (
	"fmt"
	"slices"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Header is the first line of a canonical text.
const Header = "paravent list 1"

var sectionNames = [...]string{"sites", "recipients", "needs", "exceptions", "photos", "hosts", "rules"}

// Sections are the names of a canonical text's sections, in their order.
func Sections() []string { return sectionNames[:] }

// A List is what a canonical text says.
type List struct {
	Sites      []bundle.Site
	Recipients []bundle.Recipient
	Rules      []bundle.KindedRule
}

// Text writes the list in its canonical form.
func (l *List) Text() []byte {
	var lines [len(sectionNames)][]string
	for _, s := range l.Sites {
		lines[0] = append(lines[0], s.Domain+"\t"+s.Name)
	}
	for _, r := range l.Recipients {
		lines[1] = append(lines[1], r.Line())
	}
	for _, r := range l.Rules {
		text := r.Rule.String()
		switch {
		case r.Kind == bundle.Need:
			lines[2] = append(lines[2], text)
		case r.Kind == bundle.Exception:
			lines[3] = append(lines[3], text)
		case r.Kind == bundle.Photo:
			lines[4] = append(lines[4], text)
		case r.Rule.Plain():
			lines[5] = append(lines[5], r.Rule.Host)
		default:
			lines[6] = append(lines[6], text)
		}
	}
	var b strings.Builder
	b.WriteString(Header + "\n")
	for i, section := range lines {
		slices.Sort(section)
		b.WriteString("[" + sectionNames[i] + "]\n")
		for _, line := range slices.Compact(section) {
			b.WriteString(line + "\n")
		}
	}
	return []byte(b.String())
}

// Parse reads a canonical text. The error names the line.
func Parse(text []byte) (*List, error) {
	var l List
	number, section, previous := 0, -1, ""
	for line := range strings.Lines(string(text)) {
		number++
		fail := func(format string, args ...any) error {
			return fmt.Errorf("list: line %d: "+format, append([]any{number}, args...)...)
		}
		line, ended := strings.CutSuffix(line, "\n")
		switch {
		case !ended:
			return nil, fail("cut off: want a line feed at the end")
		case number == 1:
			if line != Header {
				return nil, fail("want %q", Header)
			}
			continue
		case strings.HasPrefix(line, "[") && !strings.Contains(line, ":"): // an IPv6 address has one
			section++
			if section == len(sectionNames) || line != "["+sectionNames[section]+"]" {
				return nil, fail("section %s: want the sections %s, in this order", line, strings.Join(sectionNames[:], " "))
			}
			previous = ""
			continue
		case section < 0:
			return nil, fail("want [%s]", sectionNames[0])
		case line <= previous:
			return nil, fail("not in order, or a repeat: build the list again")
		}
		previous = line
		if err := l.add(section, line); err != nil {
			return nil, fail("%w", err)
		}
	}
	if section != len(sectionNames)-1 {
		return nil, fmt.Errorf("list: line %d: ends before section [%s]", number, sectionNames[section+1])
	}
	return &l, nil
}

func (l *List) add(section int, line string) error {
	switch sectionNames[section] {
	case "sites":
		domain, name, ok := strings.Cut(line, "\t")
		if !ok || !isHost(domain) || name == "" || strings.ContainsAny(name, "\t\r") {
			return fmt.Errorf("want a domain, a tab and a name")
		}
		l.Sites = append(l.Sites, bundle.Site{Domain: domain, Name: name})
		return nil
	case "recipients":
		r, ok := bundle.ParseRecipient(line)
		if !ok || !isHost(r.Host) {
			return fmt.Errorf("want a host, a tab, a country of two letters, a tab and a name, and a tab and purposes if any are known")
		}
		l.Recipients = append(l.Recipients, r)
		return nil
	case "hosts":
		if !isHost(line) {
			return fmt.Errorf("host %q: want a host name in lower case", line)
		}
		l.Rules = append(l.Rules, bundle.KindedRule{Rule: filter.Rule{Host: line}})
		return nil
	}
	rule, err := filter.Parse(line)
	if err != nil {
		return err
	}
	if rule.String() != line {
		return fmt.Errorf("rule %s: its canonical form is %s", line, rule)
	}
	kind := map[string]bundle.Kind{
		"needs": bundle.Need, "exceptions": bundle.Exception, "photos": bundle.Photo, "rules": bundle.Block,
	}[sectionNames[section]]
	if rule.Bad {
		return fmt.Errorf("rule %s: badfilter takes rules away while a list is built: build it again", line)
	}
	if rule.Host == "" && (kind == bundle.Need || kind == bundle.Photo) {
		return fmt.Errorf("rule %s: in this section want \"||\" and a whole host", line)
	}
	if rule.Important {
		if kind != bundle.Block {
			return fmt.Errorf("rule %s: \"important\" belongs into [rules] and nowhere else", line)
		}
		kind = bundle.Important
	}
	if rule.Regexp {
		if _, err := Machine(&rule); err != nil {
			return fmt.Errorf("rule %s: %w", line, err)
		}
	}
	if rule.Allow != (kind == bundle.Exception) {
		return fmt.Errorf("rule %s: \"@@\" belongs into [exceptions] and nowhere else", line)
	}
	if kind == bundle.Block && rule.Plain() {
		return fmt.Errorf("rule %s: belongs into [hosts]", line)
	}
	l.Rules = append(l.Rules, bundle.KindedRule{Kind: kind, Rule: rule})
	return nil
}

func isHost(s string) bool {
	var u address.URL
	return u.Parse([]byte("https://"+s)) == nil && string(u.Host()) == s
}
