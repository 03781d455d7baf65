package source

import (
	"errors"
	"strings"

	"github.com/tidwall/gjson"

	"paravent/lists/filter"
)

// dnr imports rules of declarativeNetRequest
// (https://developer.chrome.com/docs/extensions/reference/api/declarativeNetRequest),
// as AdGuard publishes its filters:
//
//	[{"id":1,"priority":1,"action":{"type":"block"},"condition":{"urlFilter":"||tracker.example^"}}]
func (b *builder) dnr(text []byte) error {
	rules, err := readArray(text)
	if err != nil {
		return err
	}
	rules.ForEach(func(_, rule gjson.Result) bool {
		read, err := fromDNR(rule)
		if err != nil {
			b.leaveOut(err, rule.Get("condition").Raw)
		}
		for _, r := range read {
			// What cannot be written and read again has no place in a list.
			if r, err = parse(r.String()); err != nil {
				b.leaveOut(err, rule.Get("condition").Raw)
			} else {
				b.take(r)
			}
		}
		return true
	})
	return nil
}

// conditions are the fields of a DNR condition that fromDNR reads. A rule
// with any other is left out: without it the rule would hold where its
// authors did not mean it to.
var conditions = map[string]bool{
	"urlFilter": true, "regexFilter": true, "isUrlFilterCaseSensitive": true,
	"resourceTypes": true, "excludedResourceTypes": true,
	"requestMethods": true, "excludedRequestMethods": true,
	"requestDomains": true, "excludedRequestDomains": true,
	"initiatorDomains": true, "excludedInitiatorDomains": true, "domainType": true,
}

// importantPriority is the weight that "important" has in the priorities of
// AdGuard's rules (https://adguard.com/kb/general/ad-filtering/create-own-filters/#rule-priorities).
// No sum of others reaches it: an exception weighs 100,000, a list of types or
// pages some hundreds. Among rules below it, and among those above, AdGuard's
// exceptions beat its blocks, as they do here.
const importantPriority = 1_000_000

// fromDNR reads one rule. It becomes several when it lists hosts of requests
// and says nothing else of their addresses.
func fromDNR(rule gjson.Result) ([]filter.Rule, error) {
	var r filter.Rule
	switch action := rule.Get("action.type").String(); action {
	case "block":
	case "allow":
		r.Allow = true
	case "redirect":
		// What a page would get instead is a file of another extension; that the
		// request is stopped is what protects. Other redirections rewrite it.
		if !rule.Get("action.redirect.extensionPath").Exists() {
			return nil, &filter.Unsupported{Kind: "action redirect"}
		}
	default:
		return nil, &filter.Unsupported{Kind: "action " + action}
	}
	r.Important = rule.Get("priority").Float() >= importantPriority
	if r.Allow && r.Important {
		return nil, &filter.Unsupported{Kind: "important exception"}
	}
	fields := map[string]gjson.Result{}
	var unknown string
	rule.Get("condition").ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		if !conditions[name] {
			unknown = name
		}
		fields[name] = value
		return true
	})
	if unknown != "" {
		return nil, &filter.Unsupported{Kind: "condition " + unknown}
	}
	if err := setDNROptions(&r, fields); err != nil {
		return nil, err
	}
	target, regexp := fields["urlFilter"], fields["regexFilter"]
	hosts := fields["requestDomains"]
	switch {
	case target.Exists() && regexp.Exists():
		return nil, errors.New("urlFilter and regexFilter exclude each other")
	case regexp.Exists():
		if err := r.SetRegexp(regexp.String()); err != nil {
			return nil, err
		}
	case target.Exists():
		if bareName(target.String()) && fields["resourceTypes"].Exists() {
			return nil, &filter.Unsupported{Kind: "mail-open pixel (a bare name with types)"}
		}
		if err := r.SetPattern(asciiRule(target.String())); err != nil {
			return nil, err
		}
	case hosts.Exists():
		return ofHosts(r, hosts)
	}
	if err := r.AddTo(texts(hosts), false); err != nil {
		return nil, err
	}
	return []filter.Rule{r}, nil
}

// ofHosts makes a rule of r for each host.
func ofHosts(r filter.Rule, hosts gjson.Result) (rules []filter.Rule, err error) {
	for _, host := range hosts.Array() {
		if err := r.SetPattern("||" + host.String() + "^"); err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	if rules == nil {
		return nil, errors.New("requestDomains: want at least one host")
	}
	return rules, nil
}

// setDNROptions sets all of a rule but its pattern.
func setDNROptions(r *filter.Rule, fields map[string]gjson.Result) error {
	r.MatchCase = fields["isUrlFilterCaseSensitive"].Bool()
	types, err := dnrSet(fields, "resourceTypes", "excludedResourceTypes", "type", filter.TypesNamed, filter.Types.Except)
	if err != nil {
		return err
	}
	r.SetTypes(types)
	if r.Allow && r.Types.OnlyDocument() {
		return &filter.Unsupported{Kind: "exception for the page itself"}
	}
	methods, err := dnrSet(fields, "requestMethods", "excludedRequestMethods", "method", filter.MethodsNamed, filter.Methods.Except)
	if err != nil {
		return err
	}
	r.SetMethods(methods)
	if party := fields["domainType"]; party.Exists() {
		switch party.String() {
		case "thirdParty":
			r.Party = filter.ThirdParty
		case "firstParty":
			r.Party = filter.FirstParty
		default:
			return &filter.Unsupported{Kind: "domainType " + party.String()}
		}
	}
	for _, list := range []struct {
		field string
		not   bool
		add   func([]string, bool) error
	}{
		{"initiatorDomains", false, r.AddDomains},
		{"excludedInitiatorDomains", true, r.AddDomains},
		{"excludedRequestDomains", true, r.AddTo},
	} {
		if err := list.add(texts(fields[list.field]), list.not); err != nil {
			return err
		}
	}
	return nil
}

// dnrSet reads the set that one field names, or the other leaves.
func dnrSet[S ~uint16](fields map[string]gjson.Result, field, excluded, what string, named func([]string) (S, string), except func(S) S) (S, error) {
	names, not := fields[field], false
	if other := fields[excluded]; other.Exists() {
		if names.Exists() {
			return 0, errors.New(field + " and " + excluded + " exclude each other")
		}
		names, not = other, true
	}
	set, unknown := named(texts(names))
	switch {
	case unknown != "":
		return 0, &filter.Unsupported{Kind: what + " " + unknown}
	case names.Exists() && set == 0:
		return 0, errors.New(field + " and " + excluded + ": want at least one name")
	case not && except(set) == 0:
		return 0, errors.New(excluded + ": leaves none")
	case not:
		return except(set), nil
	}
	return set, nil
}

// texts are the elements of a JSON array.
func texts(array gjson.Result) (list []string) {
	for _, element := range array.Array() {
		list = append(list, element.String())
	}
	return list
}

// bareName knows the names that stand alone, without the anchors of a host
// rule: hosts of links and pixels in mails.
func bareName(s string) bool {
	return s != "" && !strings.ContainsAny(s, "|/*^?=&:") && strings.Contains(s, ".") && s[0] != '.' && s[len(s)-1] != '.'
}
