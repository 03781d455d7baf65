package page

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paravent/lists/filter"
)

// A language is one that the page speaks.
type language struct {
	comma     string // between thousands
	months    [12]string
	at        string // between day and hour
	words     map[string]string
	countries map[string]string
}

// languageOf follows ?lang=, then what Accept-Language likes best, else
// English.
func languageOf(r *http.Request) string {
	if name := r.URL.Query().Get("lang"); languages[name] != nil {
		return name
	}
	best, weight := "en", 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(part), ";")
		name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil {
				q = 0
			}
		}
		if languages[name] != nil && q > weight {
			best, weight = name, q
		}
	}
	return best
}

// say is a sentence with its slots filled.
func (l *language) say(key string, args ...any) string {
	text, ok := l.words[key]
	if !ok {
		return key
	}
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			args[i] = l.number(n)
		}
	}
	if !strings.Contains(text, "%s") {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// many is the sentence "key.one" or "key".
func (l *language) many(key string, n int) string {
	if n == 1 {
		return l.say(key + ".one")
	}
	return l.say(key, n)
}

func (l *language) number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + l.comma + text[i:]
	}
	return text
}

func (l *language) day(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%d %s %d%s%s UTC", t.Day(), l.months[t.Month()-1], t.Year(), l.at, t.Format("15:04"))
}

// country names one of those that organisations mostly have their seat in, and
// others by their code.
func (l *language) country(code string) string {
	if name := l.countries[code]; name != "" {
		return name
	}
	return code
}

// conditions say when a rule holds, a phrase each.
func (l *language) conditions(r filter.Rule) (phrases []string) {
	if r.Pattern != "" {
		phrases = append(phrases, l.say("if.address", r.Host+r.Pattern))
	}
	switch r.Party {
	case filter.ThirdParty:
		phrases = append(phrases, l.say("if.third"))
	case filter.FirstParty:
		phrases = append(phrases, l.say("if.first"))
	}
	if r.Types != 0 {
		var types []string
		for _, name := range r.Types.DNR() {
			types = append(types, l.say("type."+name))
		}
		phrases = append(phrases, l.say("if.types", strings.Join(types, ", ")))
	}
	if r.Methods != 0 {
		phrases = append(phrases, l.say("if.methods", strings.ToUpper(strings.Join(r.Methods.Names(), ", "))))
	}
	for _, list := range []struct {
		domains []filter.Domain
		key     string
	}{{r.Domains, "if.pages"}, {r.To, "if.to"}} {
		var yes, no []string
		for _, d := range list.domains {
			if d.Not {
				no = append(no, d.Name)
			} else {
				yes = append(yes, d.Name)
			}
		}
		for _, names := range []struct {
			list []string
			key  string
		}{{yes, list.key}, {no, list.key + ".not"}} {
			if n := len(names.list); n > mostNamed {
				phrases = append(phrases, l.say(names.key, strings.Join(names.list[:mostNamed], ", ")+l.say("others", n-mostNamed)))
			} else if n > 0 {
				phrases = append(phrases, l.say(names.key, strings.Join(names.list, ", ")))
			}
		}
	}
	if r.Important {
		phrases = append(phrases, l.say("if.important"))
	}
	return phrases
}

// mostNamed is how many hosts of a condition are named.
const mostNamed = 6
