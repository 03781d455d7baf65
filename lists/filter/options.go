package filter

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// cutOptions splits a rule in front of its options. They begin behind the
// last "$" that an option's name follows and no backslash precedes. In a line
// between slashes, a regular expression by its looks, a "$" is more likely the
// expression's own, unless the option is one with such values.
func cutOptions(line string) (pattern, options string) {
	regexp := looksRegexp(strings.TrimPrefix(line, "@@"))
	for i := len(line) - 1; i >= 0; i-- {
		if line[i] != '$' || i > 0 && line[i-1] == '\\' {
			continue
		}
		if n := nameLength(line[i+1:]); n > 0 && (!regexp || takesRegexp(line[i+1:i+1+n])) {
			return line[:i], line[i+1:]
		}
	}
	return line, ""
}

// takesRegexp reports whether an option's value can be a regular expression.
func takesRegexp(name string) bool {
	switch strings.ToLower(name) {
	case "domain", "from", "to", "removeparam", "queryprune", "replace", "uritransform", "urltransform",
		"header", "cookie", "ipaddress":
		return true
	}
	return false
}

// nameLength is the length of an option's name, with its "~", at the start of
// s: letters, digits, "-" and "_", not digits alone, up to "=", "," or the end.
// It is 0 when s does not begin with one.
func nameLength(s string) int {
	i, named := 0, false
	if strings.HasPrefix(s, "~") {
		i = 1
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c), c == '_':
			named = true
		case isDigit(c), c == '-':
		case named && (c == '=' || c == ','):
			return i
		default:
			return 0
		}
	}
	if !named {
		return 0
	}
	return i
}

// An option is one part of a rule's options, as written.
type option struct {
	name  string // in lower case, with its "~" and its "=" if it has them
	value string // behind the "="
}

// cutOption cuts the first option off. A comma ends a value only where a name
// follows it, since policies and regular expressions have commas of their
// own. more says that a comma follows the option.
func cutOption(text string) (o option, rest string, more bool, err error) {
	n := nameLength(text)
	if n == 0 {
		return o, "", false, errors.New("option " + strconv.Quote(text) + `: want names between ",", such as script,third-party`)
	}
	o.name, text = strings.ToLower(text[:n]), text[n:]
	if strings.HasPrefix(text, "=") {
		end := 1
		for end < len(text) && (text[end] != ',' || nameLength(text[end+1:]) == 0) {
			end++
		}
		o.name, o.value, text = o.name+"=", text[1:end], text[end:]
	}
	rest, more = strings.CutPrefix(text, ",")
	return o, rest, more, nil
}

func (r *Rule) parseOptions(text string) error {
	var yes, no Types
	var noRequest string // an option about something that is no request
	var seen []string    // options with a value
	var instead bool     // something else is to be put in the request's place
	for more := text != ""; more; {
		var o option
		var err error
		if o, text, more, err = cutOption(text); err != nil {
			return err
		}
		if o.name == "from=" {
			o.name = "domain="
		}
		if slices.Contains(seen, o.name) {
			return errors.New("option " + o.name + " twice: write one list")
		}
		if strings.HasSuffix(o.name, "=") {
			seen = append(seen, o.name)
		}
		bare, not := strings.CutPrefix(o.name, "~")
		if set, ok := typeOption(bare); ok {
			if not {
				no |= set
			} else {
				yes |= set
			}
			continue
		}
		switch o.name {
		case "third-party", "3p", "~first-party", "~1p":
			err = r.setParty(ThirdParty)
		case "first-party", "1p", "~third-party", "~3p":
			err = r.setParty(FirstParty)
		case "all":
			yes = allTypes
		case "popup", "popunder", "inline-script", "inline-font", "webrtc":
			noRequest = o.name
		case "~popup", "~popunder", "~inline-script", "~inline-font", "~webrtc":
			// What a rule is not about anyway.
		case "match-case":
			r.MatchCase = true
		case "important":
			r.Important = true
		case "badfilter":
			r.Bad = true
		case "redirect=":
			// The request is stopped, which is what protects; what a page would
			// get instead is beyond a filter. An exception from the redirection
			// lets nothing pass.
			instead = true
		case "domain=":
			err = addList(o.value, r.AddDomains)
		case "to=":
			err = addList(o.value, r.AddTo)
		case "denyallow=":
			if strings.Contains(o.value, "~") {
				return errors.New(`option denyallow=: its names take no "~"`)
			}
			err = r.AddTo(strings.Split(strings.ToLower(o.value), "|"), true)
		case "method=":
			err = r.parseMethods(o.value)
		default:
			if strings.Trim(o.name, "_") != "" { // "_" stands for nothing
				err = unsupported(o.name)
			}
		}
		if err != nil {
			return err
		}
	}
	if instead && (r.Allow || r.Bad) {
		return unsupported("redirect=")
	}
	if r.Allow && r.Important {
		return &Unsupported{"important exception", "exceptions give way to important rules: leave the option out"}
	}
	return r.setTypes(yes, no, noRequest)
}

func (r *Rule) setTypes(yes, no Types, noRequest string) error {
	switch {
	case yes == 0 && noRequest != "":
		return unsupported(noRequest)
	case yes == 0 && no != 0:
		yes = allTypes &^ documentType
	case r.Allow && yes&documentType != 0:
		return &Unsupported{"exception for whole pages", "turn protection off for the site, or name the types that shall pass"}
	}
	if no != 0 && yes&^no == 0 {
		return errors.New("types: none is left: take out those with \"~\"")
	}
	r.SetTypes(yes &^ no)
	return nil
}

func (r *Rule) setParty(party Party) error {
	if r.Party != AnyParty && r.Party != party {
		return errors.New("options third-party and first-party exclude each other: keep one")
	}
	r.Party = party
	return nil
}

func addList(list string, add func(names []string, not bool) error) error {
	var yes, no []string
	for _, name := range strings.Split(strings.ToLower(list), "|") {
		if name, not := strings.CutPrefix(name, "~"); not {
			no = append(no, name)
		} else {
			yes = append(yes, name)
		}
	}
	if err := add(yes, false); err != nil {
		return err
	}
	return add(no, true)
}

func (r *Rule) parseMethods(list string) error {
	var yes, no Methods
	for _, name := range strings.Split(list, "|") {
		name, not := strings.CutPrefix(name, "~")
		method, ok := MethodNamed(name)
		if !ok {
			return errors.New("option method=: " + strconv.Quote(name) + " is none: want " + strings.Join(methodNames[:], " ") + ` between "|"`)
		}
		if not {
			no |= 1 << method
		} else {
			yes |= 1 << method
		}
	}
	if yes == 0 {
		yes = allMethods
	}
	if yes&^no == 0 {
		return errors.New("option method=: none is left: take out those with \"~\"")
	}
	r.SetMethods(yes &^ no)
	return nil
}

// unsupported is the error of a rule with an option that is not read.
func unsupported(name string) error {
	remedy := "known are third-party, first-party, domain=, to=, denyallow=, method=, match-case, important, badfilter, all and the types, such as script"
	switch strings.TrimSuffix(name, "=") {
	case "strict1p", "strict3p":
		remedy = "write first-party or third-party, which go by the page's whole site"
	case "popup", "popunder", "inline-script", "inline-font", "webrtc":
		remedy = "a rule is about what a page loads: name the types of that, such as script"
	case "redirect", "redirect-rule", "rewrite", "empty", "mp4":
		remedy = "a request is stopped, and nothing is put in its place: leave the option out"
	}
	return &Unsupported{"option " + name, remedy}
}
