package dnr_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/wasm/dnr"
)

// open compiles a list of the sections' lines.
func open(t testing.TB, sections map[string][]string) *bundle.Bundle {
	t.Helper()
	text := "paravent list 1\n"
	for _, name := range []string{"sites", "recipients", "needs", "exceptions", "photos", "hosts", "rules"} {
		text += "[" + name + "]\n"
		for _, line := range sections[name] {
			text += line + "\n"
		}
	}
	data, err := compile.Compile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var settings = &dnr.Settings{
	Sites: []dnr.Site{
		{Domain: "booking.example", Own: "booking.example", Mode: "protect"},
		{Domain: "clinic.city.test", Own: "city.test", Mode: "protect"},
	},
	Placeholder: "/p.svg",
	Inline:      "data:image/svg+xml,",
}

func Example() {
	data, _ := compile.Compile([]byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\na.example\nb.example\n[rules]\n"))
	list, _ := bundle.Open(data)
	rules, _, _ := dnr.Large(list, &dnr.Settings{
		Sites:       []dnr.Site{{Domain: "booking.example", Own: "booking.example", Mode: "protect"}},
		Placeholder: "/p.svg",
		Inline:      "data:image/svg+xml,",
	})
	text, _ := json.Marshal(rules[len(rules)-1])
	fmt.Println(string(text))
	// Output: {"id":1005,"priority":3,"action":{"type":"block"},"condition":{"requestDomains":["a.example","b.example"],"topDomains":["booking.example"]}}
}

// say writes a rule as "priority action condition".
func say(r dnr.Rule) string {
	condition, _ := json.Marshal(r.Condition)
	return fmt.Sprintf("%d %s %s", r.Priority, r.Action.Type, strings.Trim(string(condition), "{}"))
}

// Every row is one rule of a list and what Chromium is told, a line a rule.
func TestRules(t *testing.T) {
	const all = `"topDomains":["booking.example","clinic.city.test"]`
	fixed, _, err := dnr.Large(open(t, nil), settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ section, rule, want string }{
		{"needs", "||a.example^$domain=booking.example", `7 allow "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"exceptions", "@@||a.example/ok.js$script", `5 allow "urlFilter":"||a.example/ok.js",` + all + `,"resourceTypes":["script"]`},
		{"exceptions", "@@||a.example^$domain=elsewhere.example", ``},
		{"photos", "||a.example/img/*.jpg|", `4 redirect "urlFilter":"||a.example/img/*.jpg|",` + all + `,"resourceTypes":["image"]` + "\n" +
			`4 redirect "urlFilter":"||a.example/img/*.jpg|",` + all + `,"resourceTypes":["xmlhttprequest"]` + "\n" + `3 block "urlFilter":"||a.example/img/*.jpg|",` + all},

		// Where a pattern begins and ends.
		{"rules", "/pixel.gif?", `3 block "urlFilter":"/pixel.gif?",` + all},
		{"rules", "-ad^*^id=", `3 block "urlFilter":"-ad^*^id=",` + all},
		{"rules", "|https://cdn.", `3 block "urlFilter":"|https://cdn.",` + all},
		{"rules", "||adservice.google.", `3 block "urlFilter":"||adservice.google.",` + all},
		{"rules", "||a.example:8080/x", `3 block "urlFilter":"||a.example:8080/x",` + all},
		{"rules", ".php?track|", `3 block "urlFilter":".php?track|",` + all},
		{"rules", "*$ping,domain=booking.example", `3 block "topDomains":["booking.example"],"resourceTypes":["ping"]`},
		{"rules", "||a.localhost/x", `3 block "urlFilter":"||a.localhost/x",` + all + "\n" + `3 block "urlFilter":"||a.localhost:*/x",` + all},
		{"rules", `/^https:\/\/[a-z]{8}\.example\//`, `3 block "regexFilter":"^https:\\/\\/[a-z]{8}\\.example\\/",` + all},
		{"rules", "/Track.js$match-case", `3 block "urlFilter":"/Track.js","isUrlFilterCaseSensitive":true,` + all},
		{"rules", "/[A-Z]{9}/$match-case", `3 block "regexFilter":"[A-Z]{9}","isUrlFilterCaseSensitive":true,` + all},

		// Parties. A block of third parties stands below the site's own hosts.
		{"rules", "||a.example^$third-party", `1 block "requestDomains":["a.example"],` + all},
		{"rules", "/pixel.gif?$third-party", `1 block "urlFilter":"/pixel.gif?",` + all},
		{"rules", "||t.city.test^$first-party", `3 block "requestDomains":["t.city.test"],"topDomains":["clinic.city.test"]`},
		{"rules", "||a.example^$first-party", ``},
		{"rules", "/log?$first-party", `3 block "urlFilter":"/log?","requestDomains":["booking.example"],"topDomains":["booking.example"]` + "\n" + `3 block "urlFilter":"/log?","requestDomains":["city.test"],"topDomains":["clinic.city.test"]`},
		{"rules", "/log?$first-party,to=t.city.test", `3 block "urlFilter":"/log?","requestDomains":["t.city.test"],"topDomains":["clinic.city.test"]`},
		{"exceptions", "@@/ok.js$third-party,domain=booking.example", `5 allow "urlFilter":"/ok.js","excludedRequestDomains":["booking.example"],"topDomains":["booking.example"]`},
		{"exceptions", "@@||t.city.test^$third-party", `5 allow "requestDomains":["t.city.test"],"topDomains":["booking.example"]`},
		{"rules", "||t.city.test^$third-party,important", `6 block "requestDomains":["t.city.test"],"topDomains":["booking.example"]`},

		// Options.
		{"rules", "||a.example^$important", `6 block "requestDomains":["a.example"],` + all},
		{"rules", "||a.example^$~image", `3 block "requestDomains":["a.example"],` + all + `,"resourceTypes":["sub_frame","stylesheet","script","font","object","xmlhttprequest","ping","media","websocket","webtransport","csp_report","other"]`},
		{"rules", "||a.example^$document", ``},
		{"rules", "||a.example^$method=post|put", `3 block "requestDomains":["a.example"],` + all + `,"requestMethods":["post","put"]`},
		{"rules", "||a.example^$method=get|head", `3 block "requestDomains":["a.example"],` + all + `,"excludedRequestMethods":["connect","delete","options","patch","post","put","other"]`},

		// Pages.
		{"rules", "||a.example^$domain=a.booking.example|~b.a.booking.example|~other.example", `3 block "requestDomains":["a.example"],"topDomains":["a.booking.example"],"excludedTopDomains":["b.a.booking.example"]`},
		{"rules", "||a.example^$domain=example", `3 block "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"rules", "||a.example^$domain=~booking.example", `3 block "requestDomains":["a.example"],"topDomains":["clinic.city.test"]`},
		{"rules", "||a.example^$domain=booking.*", `3 block "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"rules", "||a.example^$domain=city.*|forum.booking.*", `3 block "requestDomains":["a.example"],"topDomains":["clinic.city.test","forum.booking.example"]`},
		{"rules", "||a.example^$domain=~clinic.city.*", `3 block "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"rules", "||a.example^$domain=king.*", ``},

		// Hosts of requests.
		{"rules", "/track?$to=a.example|b.example|~c.b.example", `3 block "urlFilter":"/track?","requestDomains":["a.example","b.example"],"excludedRequestDomains":["c.b.example"],` + all},
		{"rules", "/track?$to=~a.example", `3 block "urlFilter":"/track?","excludedRequestDomains":["a.example"],` + all},
		{"rules", "||a.example^$to=~cdn.a.example", `3 block "requestDomains":["a.example"],"excludedRequestDomains":["cdn.a.example"],` + all},
		{"rules", "||a.example/x$to=cdn.a.example", `3 block "urlFilter":"||a.example/x","requestDomains":["cdn.a.example"],` + all},
		{"rules", "||a.example^$to=b.example", ``},
		{"rules", "/track?$to=google.*", `to= with a name that ends in .*`},
	} {
		made, counts, err := dnr.Large(open(t, map[string][]string{c.section: {c.rule}}), settings)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range made[len(fixed):] {
			got = append(got, say(r))
		}
		unsaid := slices.Sorted(maps.Keys(counts.Unsaid))
		if s := strings.Join(append(got, unsaid...), "\n"); s != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.rule, s, c.want)
		}
		if total := counts.Rules + counts.Elsewhere + len(unsaid); total != 1 || (counts.Elsewhere == 1) != (c.want == "") {
			t.Errorf("%s: counted as %+v", c.rule, counts)
		}
	}
}

// Whatever the list says, some rules hold on every protected site.
func TestEverySite(t *testing.T) {
	rules, _, err := dnr.Large(open(t, nil), settings)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		got = append(got, say(r))
	}
	want := []string{
		`1 block "topDomains":["booking.example","clinic.city.test"],"resourceTypes":["websocket","webtransport"]`,
		`2 allow "requestDomains":["booking.example"],"topDomains":["booking.example"]`,
		`9 modifyHeaders "initiatorDomains":["booking.example"],"excludedRequestDomains":["booking.example"],"topDomains":["booking.example"]`,
		`2 allow "requestDomains":["city.test"],"topDomains":["clinic.city.test"]`,
		`9 modifyHeaders "initiatorDomains":["clinic.city.test"],"excludedRequestDomains":["city.test"],"topDomains":["clinic.city.test"]`,
		`9 modifyHeaders "requestDomains":["booking.example","clinic.city.test"],"topDomains":["booking.example","clinic.city.test"],"resourceTypes":["main_frame","sub_frame","stylesheet","script"],"responseHeaders":[{"header":"referrer-policy","values":["*unsafe-url","*no-referrer-when-downgrade","origin-when-cross-origin","* origin-when-cross-origin","*,origin-when-cross-origin"]}]`,
		`9 modifyHeaders "requestDomains":["booking.example","clinic.city.test"],"topDomains":["booking.example","clinic.city.test"],"resourceTypes":["main_frame","sub_frame","stylesheet","script"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if rules[0].ID != 1000 {
		t.Errorf("the first large rule has id %d", rules[0].ID)
	}
}

func TestHostsWithTheSameConditionsShareARule(t *testing.T) {
	fixed, _, _ := dnr.Large(open(t, nil), settings)
	rules, _, err := dnr.Large(open(t, map[string][]string{
		"hosts": {"x.example"},
		"rules": {"||a.example^$third-party", "||b.example^$third-party", "||c.example^$script"},
	}), settings)
	if err != nil || len(rules) != len(fixed)+3 {
		t.Fatalf("%d rules, %v", len(rules), err)
	}
	shared := false
	ids := map[int]bool{}
	for _, r := range rules {
		if ids[r.ID] || r.ID < 1000 {
			t.Errorf("id %d is taken", r.ID)
		}
		ids[r.ID] = true
		shared = shared || fmt.Sprint(r.Condition.RequestDomains) == "[a.example b.example]"
	}
	if !shared {
		t.Error("a.example and b.example stand in two rules")
	}
}

func TestSmall(t *testing.T) {
	for _, c := range []struct {
		mode  string
		allow []string
		want  string
	}{
		{"protect", nil, `[]`},
		{"off", nil, `[{"id":1,"priority":11,"action":{"type":"allow"},"condition":{"topDomains":["city.test"]}}]`},
		{"watch", nil, `[{"id":1,"priority":11,"action":{"type":"allow"},"condition":{"topDomains":["city.test"]}}]`},
		{"strict", nil, `[{"id":2,"priority":1,"action":{"type":"block"},"condition":{"topDomains":["city.test"]}}]`},
		{"protect", []string{"a.example", "b.example"}, `[{"id":4,"priority":8,"action":{"type":"allow"},"condition":{"requestDomains":["a.example","b.example"],"topDomains":["city.test"]}}]`},
	} {
		rules, err := dnr.Small(&dnr.Settings{Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{
			{Domain: "booking.example", Own: "booking.example", Mode: "protect"},
			{Domain: "city.test", Own: "city.test", Mode: c.mode, Allow: c.allow},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if text, _ := json.Marshal(rules); string(text) != c.want {
			t.Errorf("%s %v: %s", c.mode, c.allow, text)
		}
	}
}

// A site can lie below another one, in another mode.
func TestSmallBelow(t *testing.T) {
	rules, err := dnr.Small(&dnr.Settings{Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{
		{Domain: "booking.city.test", Own: "city.test", Mode: "protect", Listed: true},
		{Domain: "city.test", Own: "city.test", Mode: "off"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"id":1,"priority":11,"action":{"type":"allow"},"condition":{"topDomains":["city.test"],"excludedTopDomains":["booking.city.test"]}}]`
	if text, _ := json.Marshal(rules); string(text) != want {
		t.Errorf("%s", text)
	}
}

var everywhere = &dnr.Settings{
	Everywhere: "protect",
	Sites: []dnr.Site{
		{Domain: "booking.example", Own: "booking.example", Mode: "protect", Listed: true},
		{Domain: "mine.example", Own: "mine.example", Mode: "strict"},
	},
	Placeholder: "/p.svg",
	Inline:      "data:image/svg+xml,",
}

func TestRulesEverywhere(t *testing.T) {
	fixed, _, err := dnr.Large(open(t, nil), everywhere)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range fixed {
		got = append(got, strings.Split(say(r), `,"resp`)[0])
	}
	if want := []string{
		`1 block "topDomains":["booking.example"],"resourceTypes":["websocket","webtransport"]`,
		`2 allow "requestDomains":["booking.example"],"topDomains":["booking.example"]`,
		`9 modifyHeaders "initiatorDomains":["booking.example"],"excludedRequestDomains":["booking.example"],"topDomains":["booking.example"]`,
		`9 modifyHeaders "domainType":"thirdParty","excludedTopDomains":["booking.example"]`,
		`1 block "domainType":"thirdParty","excludedTopDomains":["booking.example"],"resourceTypes":["websocket","webtransport"]`,
		`9 modifyHeaders "resourceTypes":["main_frame","sub_frame","stylesheet","script"]`,
		`9 modifyHeaders "resourceTypes":["main_frame","sub_frame","stylesheet","script"]`,
	}; !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	for _, c := range []struct{ section, rule, want string }{
		{"hosts", "a.example", `3 block "requestDomains":["a.example"]`},
		{"needs", "||a.example^$domain=booking.example", `7 allow "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"exceptions", "@@||a.example/ok.js$domain=else.test|~b.else.test", `5 allow "urlFilter":"||a.example/ok.js","topDomains":["else.test"],"excludedTopDomains":["b.else.test"]`},
		{"exceptions", "@@||a.example^$domain=~else.test", `5 allow "requestDomains":["a.example"],"excludedTopDomains":["else.test"]`},
		{"photos", "||a.example/img/", `4 redirect "urlFilter":"||a.example/img/","resourceTypes":["image"]` + "\n" + `4 redirect "urlFilter":"||a.example/img/","resourceTypes":["xmlhttprequest"]` + "\n" + `3 block "urlFilter":"||a.example/img/"`},
		{"rules", "||a.example^$third-party", `1 block "requestDomains":["a.example"],"topDomains":["booking.example"]` + "\n" +
			`1 block "domainType":"thirdParty","requestDomains":["a.example"],"excludedTopDomains":["booking.example"]`},
		{"rules", "/x?$third-party,domain=booking.example", `1 block "urlFilter":"/x?","topDomains":["booking.example"]`},
		{"rules", "/x?$third-party,domain=else.test", `1 block "urlFilter":"/x?","domainType":"thirdParty","topDomains":["else.test"]`},
		{"rules", "/x?$first-party", `3 block "urlFilter":"/x?","requestDomains":["booking.example"],"topDomains":["booking.example"]` + "\n" +
			`3 block "urlFilter":"/x?","domainType":"firstParty","excludedTopDomains":["booking.example"]`},
		{"rules", "/x?$domain=booking.*|else.test", `3 block "urlFilter":"/x?","topDomains":["booking.example"]` + "\n" +
			`3 block "urlFilter":"/x?","topDomains":["else.test"]`},
		{"rules", "/x?$domain=~booking.*", ``},
		{"rules", "/x?$domain=else.*", ``},
	} {
		rules, _, err := dnr.Large(open(t, map[string][]string{c.section: {c.rule}}), everywhere)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rules[len(fixed):] {
			got = append(got, say(r))
		}
		if text := strings.Join(got, "\n"); text != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.rule, text, c.want)
		}
	}
	// What a user chooses for a site is no reason to write them again.
	other := *everywhere
	other.Sites = append(slices.Clone(everywhere.Sites), dnr.Site{Domain: "quiet.example", Own: "quiet.example", Mode: "off"})
	list := open(t, map[string][]string{"hosts": {"a.example"}, "rules": {"||b.example^$third-party"}})
	one, _, _ := dnr.Large(list, everywhere)
	two, _, _ := dnr.Large(list, &other)
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("%v\n%v", one, two)
	}
}

func TestSmallEverywhere(t *testing.T) {
	s := *everywhere
	s.Everywhere = "strict"
	s.Sites = append(slices.Clone(s.Sites), dnr.Site{Domain: "quiet.example", Own: "quiet.example", Mode: "off", Allow: []string{"a.example"}})
	rules, err := dnr.Small(&s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		got = append(got, fmt.Sprint(r.ID, " ", say(r)))
	}
	if want := []string{
		`4 2 allow "requestDomains":["mine.example"],"topDomains":["mine.example"]`,
		`5 8 allow "requestDomains":["a.example"],"topDomains":["quiet.example"]`,
		`1 11 allow "topDomains":["quiet.example"]`,
		`2 1 block "topDomains":["mine.example"]`,
		`3 1 block "domainType":"thirdParty","excludedTopDomains":["booking.example","mine.example","quiet.example"]`,
	}; !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	s.Everywhere = "nonsense"
	if _, err := dnr.Small(&s); err == nil || !strings.Contains(err.Error(), "everywhere") {
		t.Errorf("a mode that there is none of gave %v", err)
	}
}

// With no protected page there is no rule: one without topDomains would hold
// everywhere.
func TestNoPagesNoRules(t *testing.T) {
	s := &dnr.Settings{Placeholder: "/p.svg", Inline: "data:image/svg+xml,"}
	large, _, err := dnr.Large(open(t, map[string][]string{"hosts": {"x.example"}, "rules": {"/ad?"}}), s)
	if err != nil || len(large) != 0 {
		t.Errorf("%v %v", large, err)
	}
	small, err := dnr.Small(s)
	if err != nil || len(small) != 0 {
		t.Errorf("%v %v", small, err)
	}
}

func TestNoRuleWithoutPages(t *testing.T) {
	rules, _, err := dnr.Large(open(t, map[string][]string{
		"needs": {"||n.example^$domain=booking.example"}, "exceptions": {"@@/ok^"}, "photos": {"||p.example/"},
		"hosts": {"x.example"}, "rules": {"/ad?", "||a.example^$third-party"},
	}), settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if len(r.Condition.TopDomains) == 0 {
			t.Errorf("holds everywhere: %s", say(r))
		}
	}
}

// What does not fit is left out, blocks first, and counted. A rule about what
// is a site's own becomes one a site.
func TestLimits(t *testing.T) {
	s := &dnr.Settings{Placeholder: "/p.svg", Inline: "data:image/svg+xml,"}
	for i := range 600 {
		domain := fmt.Sprintf("s%03d.example", i)
		s.Sites = append(s.Sites, dnr.Site{Domain: domain, Own: domain, Mode: "protect"})
	}
	sections := map[string][]string{
		"exceptions": {"@@/needed.js"}, "hosts": {"x.example"}, "rules": {"/[0-9]x/$first-party", "/[0-9]y/$first-party"},
	}
	for i := range 50 {
		sections["rules"] = append(sections["rules"], fmt.Sprintf("/z%02d.$first-party", i))
	}
	for i := range 6000 {
		sections["photos"] = append(sections["photos"], fmt.Sprintf("||p.example/%04d/", i))
	}
	rules, counts, err := dnr.Large(open(t, sections), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) != 29_000 {
		t.Errorf("%d rules", len(rules))
	}
	unsafe, regexps, exceptions, hosts := 0, 0, 0, 0
	for _, r := range rules {
		if r.Action.Type == "redirect" || r.Action.Type == "modifyHeaders" {
			unsafe++
		}
		if r.Condition.RegexFilter != "" {
			regexps++
		}
		if r.Condition.URLFilter == "/needed.js" {
			exceptions++
		}
		if slices.Contains(r.Condition.RequestDomains, "x.example") {
			hosts++
		}
	}
	if unsafe != 5000 || regexps != 1000 || exceptions != 1 || hosts != 1 {
		t.Errorf("%d unsafe, %d regular expressions, %d exceptions, %d of hosts", unsafe, regexps, exceptions, hosts)
	}
	if counts.Unsaid["beyond the number of redirects that the browser takes"] != 2*6000+602-5000 {
		t.Errorf("%v", counts.Unsaid)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for want, s := range map[string]dnr.Settings{
		`dnr: placeholder: want the path of a packaged file`: {},
		`dnr: inline: want a picture as a data: URL`:         {Placeholder: "/p.svg", Inline: "https://a.example/p.svg"},
		`dnr: sites[0].mode: "": want off, watch, protect or strict`: {
			Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{{Domain: "a.example", Own: "a.example"}}},
		`dnr: sites[0].domain: "*.a.example": want a host, such as example.com`: {
			Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{{Domain: "*.a.example", Own: "a.example", Mode: "off"}}},
		`dnr: sites[0].own: "b.example": want the registrable domain of a.example`: {
			Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{{Domain: "a.example", Own: "b.example", Mode: "off"}}},
		`dnr: sites[0].allow[1]: "é.example": want a host, such as example.com`: {
			Placeholder: "/p.svg", Inline: "data:image/svg+xml,", Sites: []dnr.Site{{Domain: "a.example", Own: "a.example", Mode: "off", Allow: []string{"b.example", "é.example"}}}},
	} {
		if _, err := dnr.Small(&s); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if _, _, err := dnr.Large(open(t, nil), &s); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
