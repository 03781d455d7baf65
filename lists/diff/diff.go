// Package diff says what changed between two lists, and for whom: in which
// section of the canonical text (see package compile), and for which
// organisations that receive requests.
//
//	changes, err := diff.Between(before, after)
//	changes.Write(os.Stdout, 20)
//
// prints
//
//	[hosts] 1 more, 0 fewer
//	  + pixel.tracker.example   Tracker (US)
//	for whom
//	  Tracker (US)   1 more, 0 fewer
package diff

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// Changes are what two canonical texts differ in.
type Changes struct {
	Sections      []Section      // all, in their order, also those without a change
	Organisations []Organisation // that have one, those with the most first
}

// A Section is one of the canonical text's.
type Section struct {
	Name           string
	Added, Removed []Line
}

// A Line of a section. Of a rule or host, Organisation is who receives what it
// stops or lets pass, "" if the lists do not say.
type Line struct {
	Text, Organisation string
}

// An Organisation is a recipient with the number of hosts and rules about it
// that were added or removed.
type Organisation struct {
	Name           string // with its country: "Google (US)"
	Added, Removed int
}

// Any reports whether there is a change at all.
func (c *Changes) Any() bool {
	return slices.ContainsFunc(c.Sections, func(s Section) bool { return len(s.Added)+len(s.Removed) > 0 })
}

// Between compares two canonical texts. It looks into no line but those that
// differ, so that it is quick also for lists of a hundred thousand rules.
func Between(before, after []byte) (*Changes, error) {
	left, err := sections(before)
	if err != nil {
		return nil, fmt.Errorf("before: %w", err)
	}
	right, err := sections(after)
	if err != nil {
		return nil, fmt.Errorf("after: %w", err)
	}
	was, is := left.recipients(), right.recipients()
	var c Changes
	byName := map[string]*Organisation{}
	for i, section := range right {
		s := Section{Name: section.name}
		removed, added := apart(left[i].lines, section.lines)
		for _, side := range []struct {
			texts []string
			lines *[]Line
			of    func(o *Organisation) *int
		}{
			{removed, &s.Removed, func(o *Organisation) *int { return &o.Removed }},
			{added, &s.Added, func(o *Organisation) *int { return &o.Added }},
		} {
			for _, text := range side.texts {
				name := ""
				if host := hostOf(section.name, text); host != "" {
					who, ok := is.Behind(host)
					if !ok {
						who, ok = was.Behind(host)
					}
					if ok {
						name = who.Name + " (" + who.Country + ")"
					}
				}
				*side.lines = append(*side.lines, Line{text, name})
				if name == "" {
					continue
				}
				if byName[name] == nil {
					byName[name] = &Organisation{Name: name}
				}
				*side.of(byName[name])++
			}
		}
		c.Sections = append(c.Sections, s)
	}
	for _, o := range byName {
		c.Organisations = append(c.Organisations, *o)
	}
	slices.SortFunc(c.Organisations, func(a, b Organisation) int {
		return cmp.Or(b.Added+b.Removed-a.Added-a.Removed, strings.Compare(a.Name, b.Name))
	})
	return &c, nil
}

// A text is a canonical text, cut up into its sections.
type text []section

type section struct {
	name  string
	lines []string
}

// sections cuts up a canonical text.
func sections(data []byte) (all text, err error) {
	whole, ended := strings.CutSuffix(string(data), "\n")
	lines := strings.Split(whole, "\n")
	if lines[0] != compile.Header || !ended {
		return nil, fmt.Errorf("want a whole list.txt, which begins with %q", compile.Header)
	}
	for _, line := range lines[1:] {
		switch {
		case strings.HasPrefix(line, "[") && !strings.Contains(line, ":"): // an IPv6 address has one
			all = append(all, section{name: strings.Trim(line, "[]")})
		case len(all) == 0:
			return nil, fmt.Errorf("%q stands in no section: build the list again", line)
		default:
			last := &all[len(all)-1]
			last.lines = append(last.lines, line)
		}
	}
	if !slices.EqualFunc(all, compile.Sections(), func(s section, name string) bool { return s.name == name }) {
		return nil, fmt.Errorf("want the sections %s: build the list again", strings.Join(compile.Sections(), ", "))
	}
	return all, nil
}

// recipients reads the text's own.
func (t text) recipients() Recipients {
	all := Recipients{}
	for _, s := range t {
		for _, line := range s.lines {
			if r, ok := bundle.ParseRecipient(line); s.name == "recipients" && ok {
				all[r.Host] = r
			}
		}
	}
	return all
}

// apart is what only one of two sorted lists has.
func apart(left, right []string) (onlyLeft, onlyRight []string) {
	for len(left) > 0 || len(right) > 0 {
		switch {
		case len(right) == 0 || len(left) > 0 && left[0] < right[0]:
			onlyLeft, left = append(onlyLeft, left[0]), left[1:]
		case len(left) == 0 || right[0] < left[0]:
			onlyRight, right = append(onlyRight, right[0]), right[1:]
		default:
			left, right = left[1:], right[1:]
		}
	}
	return onlyLeft, onlyRight
}

// hostOf is the host that a line of a section is about, "" if it names none.
func hostOf(section, line string) string {
	switch section {
	case "sites", "recipients":
		return ""
	case "hosts":
		return line
	}
	r, err := filter.Parse(line)
	if err != nil {
		return ""
	}
	return r.Host
}

// Recipients are who stands behind which host.
type Recipients map[string]bundle.Recipient

// RecipientsOf are those that a list knows.
func RecipientsOf(l *compile.List) Recipients {
	all := make(Recipients, len(l.Recipients))
	for _, r := range l.Recipients {
		all[r.Host] = r
	}
	return all
}

// Behind is who stands behind a host, or behind what it is a subdomain of.
func (all Recipients) Behind(host string) (bundle.Recipient, bool) {
	for {
		if r, ok := all[host]; ok {
			return r, true
		}
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return bundle.Recipient{}, false
		}
		host = rest
	}
}

// Write writes the changes for people, of each section at most longest lines;
// 0 means all of them.
func (c *Changes) Write(out io.Writer, longest int) {
	if !c.Any() {
		fmt.Fprintln(out, "the lists are the same")
		return
	}
	for _, s := range c.Sections {
		if len(s.Added)+len(s.Removed) == 0 {
			continue
		}
		fmt.Fprintf(out, "[%s] %d more, %d fewer\n", s.Name, len(s.Added), len(s.Removed))
		left := longest
		for _, side := range []struct {
			sign  string
			lines []Line
		}{{"-", s.Removed}, {"+", s.Added}} {
			for i, l := range side.lines {
				if longest > 0 && left == 0 {
					fmt.Fprintf(out, "  %s … and %d more of these\n", side.sign, len(side.lines)-i)
					break
				}
				left--
				fmt.Fprintf(out, "  %s %s", side.sign, strings.ReplaceAll(l.Text, "\t", "  "))
				if l.Organisation != "" {
					fmt.Fprintf(out, "   %s", l.Organisation)
				}
				fmt.Fprintln(out)
			}
		}
	}
	if len(c.Organisations) > 0 {
		fmt.Fprintln(out, "for whom")
	}
	for i, o := range c.Organisations {
		if longest > 0 && i == longest {
			fmt.Fprintf(out, "  … and %d more organisations\n", len(c.Organisations)-i)
			break
		}
		fmt.Fprintf(out, "  %s   %d more, %d fewer\n", o.Name, o.Added, o.Removed)
	}
}
