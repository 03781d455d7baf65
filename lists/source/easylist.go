package source

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"paravent/lists/filter"
)

// easylist imports a list as text, a rule a line:
//
//	[Adblock Plus 2.0]
//	! Title: a list
//	||tracker.example^$third-party
//
// Rules between "!#if" and "!#endif" are meant for some programs and not for
// others. None of the conditions is about this one, so they are left out.
func (b *builder) easylist(text []byte) error {
	depth := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "!#if"):
			depth++
		case strings.HasPrefix(line, "!#endif"):
			depth = max(depth-1, 0)
		case strings.HasPrefix(line, "!#include"):
			b.leaveOut(&filter.Unsupported{Kind: "another file (!#include)"}, line)
		case line == "" || line[0] == '!' || line == "#" || strings.HasPrefix(line, "# "):
		case line[0] == '[' && line[len(line)-1] == ']' && !strings.HasPrefix(line, "[$"):
			// The header.
		case depth > 0:
			b.leaveOut(&filter.Unsupported{Kind: "rule under a condition (!#if)"}, line)
		default:
			if r, err := parse(asciiRule(line)); err != nil {
				b.leaveOut(err, line)
			} else {
				b.take(r)
			}
		}
	}
	return nil
}

// asciiRule writes a rule as filter.Parse wants it, as browsers write
// addresses: hosts in punycode and the rest in %-escapes. A regular expression
// stays as it is.
func asciiRule(rule string) string {
	if isASCII(rule) || strings.HasPrefix(strings.TrimPrefix(rule, "@@"), "/") && (strings.HasSuffix(rule, "/") || strings.Contains(rule, "/$")) {
		return rule
	}
	options := ""
	if i := strings.LastIndexByte(rule, '$'); i >= 0 {
		rule, options = rule[:i], rule[i:]
	}
	if before, after, ok := strings.Cut(rule, "||"); ok && (before == "" || before == "@@") {
		end := strings.IndexAny(after, "/^?*|:")
		if end < 0 {
			end = len(after)
		}
		rule = before + "||" + asciiHost(after[:end]) + after[end:]
	}
	var b strings.Builder
	for i := range len(rule) {
		if rule[i] < 0x80 {
			b.WriteByte(rule[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", rule[i])
		}
	}
	for options != "" {
		end := strings.IndexAny(options, "$,=|~")
		switch end {
		case -1:
			end = len(options)
			fallthrough
		default:
			b.WriteString(asciiHost(options[:end]))
			options = options[end:]
		case 0:
			b.WriteByte(options[0])
			options = options[1:]
		}
	}
	return b.String()
}

// asciiHost is host in punycode, or host itself if that cannot be.
func asciiHost(host string) string {
	if !isASCII(host) {
		if ascii, err := idna.ToASCII(strings.ToLower(host)); err == nil {
			return ascii
		}
	}
	return host
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
