// Package own reads the rules that users write for themselves, in the adblock
// network-filter syntax of package filter, and adds them to a list:
//
//	! my clinic's chat
//	||chat.example^$third-party
//	@@||cdn.example/captcha.js
//
// A line is a rule, a comment behind "!", or empty; what older lists begin
// with, "[Adblock Plus 2.0]", counts as a comment. A text with a mistake is
// refused as a whole, and every mistake names its line and what to do: a rule
// that somebody relies on is never left out in silence.
package own

import (
	"fmt"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
)

// Bounds of a text: far above what a person writes, and below what would keep
// a browser busy.
const (
	MaxBytes = 256 << 10
	MaxRules = 5000
)

// A Problem is a line that is no rule, and what to do about it.
type Problem struct {
	Line    int    `json:"line"` // from 1
	Text    string `json:"text"` // of the line, cut
	Problem string `json:"problem"`
}

// A Rule is a rule with the line that it stands in.
type Rule struct {
	bundle.KindedRule
	Line int
	Text string
}

func (p Problem) Error() string { return fmt.Sprintf("line %d: %s: %s", p.Line, p.Text, p.Problem) }

// Read reads a text. Rules are usable if there are no problems.
func Read(text string) (rules []Rule, problems []Problem) {
	say := func(line int, text, problem string) {
		problems = append(problems, Problem{line, shortened(text), problem})
	}
	if len(text) > MaxBytes {
		say(1, "", fmt.Sprintf("the text has %d bytes: %d are the most, take some rules out", len(text), MaxBytes))
		return nil, problems
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '!' || line[0] == '[' && strings.HasSuffix(line, "]") {
			continue
		}
		if len(rules) == MaxRules {
			say(number, line, fmt.Sprintf("%d rules are the most: take some out", MaxRules))
			return rules, problems
		}
		rule, problem := read(line)
		if problem != "" {
			say(number, line, problem)
			continue
		}
		rules = append(rules, Rule{rule, number, shortened(line)})
	}
	return rules, problems
}

// read reads one rule, or says what is wrong with it.
func read(line string) (rule bundle.KindedRule, problem string) {
	if strings.HasPrefix(line, "#") {
		return rule, `a comment begins with "!", and a rule about what a page shows is none about its requests`
	}
	r, err := filter.Parse(line)
	if err != nil {
		return rule, err.Error()
	}
	if r.Bad {
		return rule, `badfilter takes rules away while a list is built: write an exception, with "@@" in front`
	}
	if r.Regexp {
		if _, err := compile.Machine(&r); err != nil {
			return rule, err.Error()
		}
	}
	switch {
	case r.Allow && r.Important:
		return rule, `important belongs to rules that stop something: leave it out`
	case r.Allow:
		return bundle.KindedRule{Kind: bundle.Exception, Rule: r}, ""
	case r.Important:
		return bundle.KindedRule{Kind: bundle.Important, Rule: r}, ""
	}
	return bundle.KindedRule{Kind: bundle.Block, Rule: r}, ""
}

// shortened cuts a line to what can be shown of it.
func shortened(line string) string {
	const most = 200
	line = strings.ToValidUTF8(line, "\ufffd")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return line
}

// Add compiles a bundle anew with the rules of a text. The error names the
// first line that is wrong.
func Add(list *bundle.Bundle, text string) ([]byte, error) {
	rules, problems := Read(text)
	if len(problems) > 0 {
		return nil, fmt.Errorf("own rules: %w", problems[0])
	}
	whole, err := compile.Back(list)
	if err != nil {
		return nil, err
	}
	// What the list says already is not said twice. Few of its rules are about a
	// host of the user's, and only those need to be written out to be compared.
	about := map[string]bool{}
	for _, r := range rules {
		about[r.Rule.Host] = true
	}
	have := map[string]bool{}
	for _, r := range whole.Rules {
		if about[r.Rule.Host] {
			have[key(r)] = true
		}
	}
	for _, r := range rules {
		if k := key(r.KindedRule); !have[k] {
			have[k] = true
			whole.Rules = append(whole.Rules, r.KindedRule)
		}
	}
	return whole.Bundle()
}

func key(r bundle.KindedRule) string { return fmt.Sprintf("%d %s", r.Kind, r.Rule) }
