package explain

import (
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/filter"
)

func TestRule(t *testing.T) {
	for _, c := range []struct {
		kind bundle.Kind
		rule string
		want string
	}{
		{bundle.Block, "||a.example^", `blocks the host a.example and its subdomains`},
		{bundle.Block, "||a.example^|", `blocks addresses of the host a.example and its subdomains that go on with "^" to the end ("^" stands for a separator or the end)`},
		{bundle.Block, "||a.example^*/track", `blocks addresses of the host a.example and its subdomains that go on with "^*/track" ("*" stands for any characters, "^" for a separator or the end)`},
		{bundle.Block, "||a.example/pixel.gif?", `blocks addresses of the host a.example and its subdomains whose path begins with "/pixel.gif?"`},
		{bundle.Block, "||a.example/*/b.js|", `blocks addresses of the host a.example and its subdomains whose path is "/*/b.js" ("*" stands for any characters)`},
		{bundle.Block, "||ads.", `blocks addresses with "ads." from the start of a label of the host`},
		{bundle.Block, "||ads.*/b.js|", `blocks addresses with "ads.*/b.js" from the start of a label of the host to the end ("*" stands for any characters)`},
		{bundle.Block, "|https://a.", `blocks addresses that begin with "https://a."`},
		{bundle.Block, "|https://a.example/|", `blocks the address "https://a.example/"`},
		{bundle.Block, "/b.js|", `blocks addresses that end with "/b.js"`},
		{bundle.Block, "/Track.js$match-case", `blocks addresses that contain "/Track.js" (capital letters count)`},
		{bundle.Block, "*$script,domain=a.example", `blocks every address on pages of a.example for scripts`},
		{bundle.Block, `/track\d*\.js$/$match-case`, `blocks addresses that fit the regular expression /track\d*\.js$/ (capital letters count)`},
		{bundle.Block, "||a.example^$third-party", `blocks the host a.example and its subdomains, when the page is of another site`},
		{bundle.Block, "||a.example^$first-party", `blocks the host a.example and its subdomains, when the page is of the same site`},
		{bundle.Block, "||a.example^$script,image", `blocks the host a.example and its subdomains for scripts and images`},
		{bundle.Block, "||a.example^$~script,~websocket", `blocks the host a.example and its subdomains for everything but scripts and WebSockets`},
		{bundle.Block, "||a.example^$subdocument,stylesheet,font,object,xhr,ping", `blocks the host a.example and its subdomains for frames, style sheets, fonts, plug-in content, what scripts fetch and beacons`},
		{bundle.Block, "||a.example^$media,webtransport,csp_report,other", `blocks the host a.example and its subdomains for audio and video, WebTransport, policy reports and what is of no other type`},
		{bundle.Block, "||a.example^$method=post", `blocks the host a.example and its subdomains with POST`},
		{bundle.Block, "||a.example^$method=post|put|other", `blocks the host a.example and its subdomains with POST, PUT or a rarer method`},
		{bundle.Block, "||a.example^$method=~get", `blocks the host a.example and its subdomains with any method but GET`},
		{bundle.Block, "||a.example^$domain=b.example|shop.*|~d.b.example", `blocks the host a.example and its subdomains on pages of b.example or shop.* (any ending) except on pages of d.b.example`},
		{bundle.Block, "||a.example^$domain=~b.example", `blocks the host a.example and its subdomains except on pages of b.example`},
		{bundle.Block, "||a.example^$domain=1.example|2.example|3.example|4.example|5.example|6.example", `blocks the host a.example and its subdomains on pages of 1.example, 2.example, 3.example, 4.example, 5.example or 6.example`},
		{bundle.Block, "||a.example^$domain=1.example|2.example|3.example|4.example|5.example|6.example|7.example", `blocks the host a.example and its subdomains on pages of 1.example, 2.example, 3.example, 4.example, 5.example or 2 others`},
		{bundle.Block, "/pixel$to=a.example|shop.*", `blocks addresses that contain "/pixel" at a.example or shop.* (any ending)`},
		{bundle.Block, "*$script,denyallow=a.example|b.example,domain=c.example", `blocks every address except at a.example or b.example on pages of c.example for scripts`},
		{bundle.Important, "||a.example^$important", `blocks the host a.example and its subdomains, whatever an exception says`},
		{bundle.Block, "||a.example^$badfilter", `takes away the rule that blocks the host a.example and its subdomains`},
		{bundle.Exception, "@@||a.example/b.js$script,domain=c.example", `lets pass addresses of the host a.example and its subdomains whose path begins with "/b.js" on pages of c.example for scripts`},
		{bundle.Need, "||a.example^$domain=c.example", `lets pass the host a.example and its subdomains on pages of c.example`},
		{bundle.Photo, "||a.example/photos/", `relays images and blocks all else at addresses of the host a.example and its subdomains whose path begins with "/photos/"`},
		{bundle.Block, "/a$script,third-party,method=get,to=~b.example,domain=c.example,important,match-case", `blocks addresses that contain "/a" (capital letters count) except at b.example on pages of c.example for scripts with GET, when the page is of another site, whatever an exception says`},
	} {
		r, err := filter.Parse(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got := Rule(c.kind, &r); got != c.want {
			t.Errorf("%s\n     %s\nwant %s", c.rule, got, c.want)
		}
	}
}

func TestEveryTypeAndMethodHasANoun(t *testing.T) {
	for i := range filter.TypeNames() {
		for _, name := range filter.Types(1 << i).DNR() {
			if typeNouns[name] == "" {
				t.Errorf("no noun for the type %s", name)
			}
		}
	}
	for _, name := range filter.MethodNames() {
		if methodNouns[name] == "" || strings.ToLower(name) != name {
			t.Errorf("no noun for the method %s", name)
		}
	}
}
