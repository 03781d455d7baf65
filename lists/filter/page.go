package filter

import "strings"

// pageRule names the kind of a rule that is about a page's content and not
// about its requests; it is "" for a network rule. Such a rule is a list of
// hosts, a marker, and what is meant:
//
//	example.com##.banner               hides elements; so do #@# #?# #@?#
//	example.com##+js(set, x, true)     runs a script; so do #%# #@%#
//	example.com##^script:has-text(x)   changes the page's text; so do $$ $@$
//	example.com#$#body { margin: 0 }   styles, or runs a snippet; so do #@$# #$?#
//
// No network rule has a marker behind what can be a list of hosts.
func pageRule(line string) (kind string) {
	// The hosts end at the first character that none has, or behind a regular
	// expression or a condition on pages that stands in place of them.
	end := strings.IndexAny(line, "/|@\"!")
	switch {
	case strings.HasPrefix(line, "[$"):
		end = len(line) - 1
	case strings.HasPrefix(line, "/"):
		end = strings.Index(line, "/#") + 1
	case end < 0:
		end = len(line) - 1
	}
	for i := 0; i <= end; i++ {
		switch line[i] {
		case '#':
			marker, rest, ok := strings.Cut(line[i+1:], "#")
			if !ok {
				return ""
			}
			switch strings.TrimPrefix(marker, "@") {
			case "%":
				return "script rule"
			case "$", "$?":
				return "style or snippet rule"
			case "?":
				return "element hiding rule"
			case "":
				switch {
				case strings.HasPrefix(rest, "+js"), strings.HasPrefix(rest, "script:inject"):
					return "script rule"
				case strings.HasPrefix(rest, "^"):
					return "HTML rule"
				}
				return "element hiding rule"
			}
		case '$':
			rest, ok := strings.CutPrefix(strings.TrimPrefix(line[i+1:], "@"), "$")
			if ok && rest != "" && isLetter(rest[0]) {
				return "HTML rule"
			}
		}
	}
	return ""
}
