package explain

import (
	"strings"
	"testing"

	"paravent/wasm/leak"
	"paravent/wasm/match"
)

func TestDecision(t *testing.T) {
	allowed := func(r match.Reason) match.Decision {
		return match.Decision{Action: match.Allow, Would: match.Allow, Reason: r}
	}
	blocked := func(r match.Reason) match.Decision {
		return match.Decision{Action: match.Block, Would: match.Block, Reason: r}
	}
	for _, c := range []struct {
		decision match.Decision
		rule     string
		found    leak.Finding
		want     string
	}{
		{allowed(match.Own), "", leak.Finding{}, `Allowed: the request is an extension's own.`},
		{allowed(match.Off), "", leak.Finding{}, `Allowed: protection is off on this site.`},
		{allowed(match.Document), "", leak.Finding{}, `Allowed: opening a page is the user's own choice.`},
		{allowed(match.Local), "", leak.Finding{}, `Allowed: the address never leaves the browser.`},
		{allowed(match.Needed), "||a.example^$domain=b.example", leak.Finding{}, `Allowed: the site needs it: the rule ||a.example^$domain=b.example in the list's section [needs] lets pass the host a.example and its subdomains on pages of b.example.`},
		{allowed(match.Exception), "@@||a.example/b.js", leak.Finding{}, `Allowed: the rule @@||a.example/b.js in the list's section [exceptions] lets pass addresses of the host a.example and its subdomains whose path begins with "/b.js", which overrules what would have stopped it.`},
		{match.Decision{Action: match.Relay, Would: match.Relay, Reason: match.Photo}, "||a.example/photos/", leak.Finding{}, `Relayed: the rule ||a.example/photos/ in the list's section [photos] relays images and blocks all else at addresses of the host a.example and its subdomains whose path begins with "/photos/".`},
		{match.Decision{Action: match.Allow, Would: match.Relay, Reason: match.Photo}, "||a.example^", leak.Finding{}, `Would be relayed: the rule ||a.example^ in the list's section [photos] relays images and blocks all else at the host a.example and its subdomains.`},
		{blocked(match.Listed), "||a.example^", leak.Finding{}, `Blocked: the rule ||a.example^ in the list's section [hosts] blocks the host a.example and its subdomains.`},
		{blocked(match.Listed), "||a.example^$important", leak.Finding{}, `Blocked: the rule ||a.example^$important in the list's section [rules] blocks the host a.example and its subdomains, whatever an exception says.`},
		{match.Decision{Action: match.Allow, Would: match.Block, Reason: match.Listed}, "||a.example^$script", leak.Finding{}, `Would be blocked: the rule ||a.example^$script in the list's section [rules] blocks the host a.example and its subdomains for scripts.`},
		{blocked(match.Leak), "", leak.Finding{What: leak.Address, Place: leak.Body, Encoding: "base64 in JSON", Field: "Data", Text: "https://b.example/c"}, `Blocked: it would tell another site the page's address in the request's body ("Data", base64 in JSON), "https://b.example/c".`},
		{blocked(match.Leak), "", leak.Finding{What: leak.Path, Place: leak.URL, Encoding: "plain", Text: "oncologist/paris"}, `Blocked: it would tell another site words of the page's address in the request's URL, "oncologist/paris".`},
		{blocked(match.Leak), "", leak.Finding{What: leak.Search, Place: leak.Referer, Encoding: "percent", Text: "q=x"}, `Blocked: it would tell another site what was searched in the Referer (percent), "q=x".`},
		{blocked(match.WebSocket), "", leak.Finding{}, `Blocked: nobody can see what is said through a socket to another site.`},
		{blocked(match.Unknown), "", leak.Finding{}, `Blocked: in mode strict, other sites are reached only if this one is known to need them.`},
		{blocked(match.Unreadable), "", leak.Finding{}, `Blocked: an address that cannot be read cannot be judged either.`},
		{allowed(match.Unlisted), "", leak.Finding{}, `Allowed: no rule of the list stops it, and no leak was found in it.`},
	} {
		if got := Decision(c.decision, c.rule, c.found); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestEveryReasonIsSaid(t *testing.T) {
	said := map[string]string{}
	for i, name := range match.ReasonNames {
		sentence := because(match.Reason(i), "||a.example^", leak.Finding{})
		if other := said[sentence]; other != "" || strings.HasSuffix(sentence, ".") {
			t.Errorf("%s is said as %s: %q", name, other, sentence)
		}
		said[sentence] = name
	}
}
