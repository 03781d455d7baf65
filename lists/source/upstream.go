package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/net/idna"

	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// An Upstream is a list by others that is imported when building.
type Upstream struct {
	Name     string
	Package  string // npm package that carries it
	Version  string // pinned in extension/package.json as well
	Path     string // of the file in the package
	Format   string // "dnr": rules of declarativeNetRequest as a JSON array
	Licence  string // SPDX
	Homepage string
	SHA256   string // of the file: another one is refused
}

func (b *builder) upstream(u Upstream, modules fs.FS) error {
	if u.Format != "dnr" {
		return fmt.Errorf("format %q: want dnr", u.Format)
	}
	name := path.Join(u.Package, u.Path)
	text, err := fs.ReadFile(modules, name)
	if err != nil {
		return fmt.Errorf("%w: install the npm packages first (./build.sh build does)", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != u.SHA256 {
		return fmt.Errorf("sha256: %s is %x: look at what changed and write the new hash", name, sum)
	}
	return b.dnr(text)
}

// dnr imports rules of declarativeNetRequest
// (https://developer.chrome.com/docs/extensions/reference/api/declarativeNetRequest),
// as AdGuard publishes its filters. What it cannot use it counts by kind.
func (b *builder) dnr(text []byte) error {
	if !gjson.ValidBytes(text) {
		return errors.New("not valid JSON")
	}
	rules := gjson.ParseBytes(text)
	if !rules.IsArray() {
		return errors.New("want a JSON array of rules")
	}
	rules.ForEach(func(_, rule gjson.Result) bool {
		b.report.In++
		kind, r, err := fromDNR(rule)
		var unsupported *filter.Unsupported
		switch {
		case errors.As(err, &unsupported):
			b.report.LeftOut[unsupported.Kind]++
		case err != nil:
			b.report.LeftOut["not readable"]++
		default:
			b.add(kind, r)
		}
		return true
	})
	return nil
}

// conditions are the fields of a DNR condition that fromDNR reads. A rule
// with any other is left out: without it the rule would hold where its
// authors did not mean it to.
var conditions = map[string]bool{
	"urlFilter": true, "resourceTypes": true, "excludedResourceTypes": true, "domainType": true,
	"initiatorDomains": true, "excludedInitiatorDomains": true,
}

func fromDNR(rule gjson.Result) (kind bundle.Kind, r filter.Rule, err error) {
	condition := rule.Get("condition")
	switch action := rule.Get("action.type").String(); action {
	case "block":
	case "allow":
		kind, r.Allow = bundle.Exception, true
	default:
		return kind, r, &filter.Unsupported{Kind: "action " + action}
	}
	if condition.Get("regexFilter").Exists() {
		return kind, r, &filter.Unsupported{Kind: "regular expression"}
	}
	condition.ForEach(func(key, _ gjson.Result) bool {
		if !conditions[key.String()] {
			err = &filter.Unsupported{Kind: "condition " + key.String()}
		}
		return err == nil
	})
	if err != nil {
		return kind, r, err
	}
	types, excluded := condition.Get("resourceTypes"), condition.Get("excludedResourceTypes")
	target := condition.Get("urlFilter").String()
	if bareName(target) && types.Exists() {
		return kind, r, &filter.Unsupported{Kind: "mail-open pixel (a bare name with types)"}
	}
	target, ok := strings.CutPrefix(target, "||")
	if !ok {
		return kind, r, &filter.Unsupported{Kind: "pattern without a host"}
	}
	if target, err = punycode(target); err != nil {
		return kind, r, err
	}
	if err = r.SetPattern("||" + target); err != nil {
		return kind, r, err
	}
	set, err := dnrTypes(types)
	if err != nil {
		return kind, r, err
	}
	not, err := dnrTypes(excluded)
	if err != nil {
		return kind, r, err
	}
	if excluded.Exists() {
		set = not.Except()
	}
	r.SetTypes(set)
	switch party := condition.Get("domainType").String(); party {
	case "":
	case "thirdParty":
		r.Party = filter.ThirdParty
	case "firstParty":
		r.Party = filter.FirstParty
	default:
		return kind, r, &filter.Unsupported{Kind: "domainType " + party}
	}
	for field, not := range map[string]bool{"initiatorDomains": false, "excludedInitiatorDomains": true} {
		for _, domain := range condition.Get(field).Array() {
			if err := r.AddDomain(domain.String(), not); err != nil {
				return kind, r, err
			}
		}
	}
	return kind, r, nil
}

// bareName knows the names that stand alone, without the anchors of a host
// rule: hosts of links and pixels in mails.
func bareName(s string) bool {
	return s != "" && !strings.ContainsAny(s, "|/*^?=&:") && strings.Contains(s, ".") && s[0] != '.' && s[len(s)-1] != '.'
}

func dnrTypes(names gjson.Result) (filter.Types, error) {
	var list []string
	for _, n := range names.Array() {
		list = append(list, n.String())
	}
	set, unknown := filter.TypesNamed(list)
	if unknown != "" {
		return 0, &filter.Unsupported{Kind: "type " + unknown}
	}
	return set, nil
}

// punycode writes the host at the start of target in ASCII.
func punycode(target string) (string, error) {
	end := strings.IndexAny(target, "/^?*|:")
	if end < 0 {
		end = len(target)
	}
	host, err := idna.ToASCII(target[:end])
	if err != nil {
		return "", &filter.Unsupported{Kind: "host that is no domain name"}
	}
	return host + target[end:], nil
}
