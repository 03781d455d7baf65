package source_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"paravent/lists/compile"
	"paravent/lists/source"
)

func ExampleImport() {
	list, report, err := source.Import("hosts", []byte("0.0.0.0 tracker.example  # says who\n127.0.0.1 localhost\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list.Rules[0].Rule, report.Used)
	// Output: ||tracker.example^ map[hosts:1]
}

// imports reads a text and wants these rules in the list, and these counts of
// what is left out.
func imports(t *testing.T, format, text string, rules []string, leftOut map[string]int) *source.Report {
	t.Helper()
	list, report, err := source.Import(format, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list.Rules {
		got = append(got, r.Rule.String())
	}
	if !slices.Equal(got, rules) {
		t.Errorf("rules\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(rules, "\n"))
	}
	if !maps.Equal(report.LeftOut, leftOut) {
		t.Errorf("left out %v\nwant %v", report.LeftOut, leftOut)
	}
	accounted(t, report)
	if _, err := compile.Compile(list.Text()); err != nil {
		t.Error(err)
	}
	return report
}

func TestEasyList(t *testing.T) {
	report := imports(t, "easylist", "\ufeff[Adblock Plus 2.0]\r\n! Title: a list\r\n# a comment\r\n#\r\n\r\n"+strings.Join([]string{
		"||a.example^",
		"  ||b.example^$third-party ",
		"/pixel.gif?$~script",
		"@@||a.example/ok.js",
		"||münchen.example/straße/$domain=Bücher.example|~ü.bücher.example,to=ö.example",
		"@@||MÜNCHEN.example^$script",
		"/straße-",
		"/[а-я]{3}/$script",
		`/^https:\/\/[a-z]+\.example\/$/$match-case`,
		"!#if env_chromium",
		"||c.example^",
		"!#if adguard",
		"||c.example/x",
		"!#endif",
		"!#else",
		"||c.example/y",
		"!#endif",
		"!#endif",
		"!#include other.txt",
		"!#safari_cb_affinity(general)",
		"||d.example^",
		"||d.example^$badfilter",
		"||a.example^",
		"example.com##.ad",
		"[$path=/x]example.com##.ad",
		"###ad",
		"||r.example^$redirect=noopjs",
		"@@||r.example^$redirect=noopjs",
		"||a.example/a b",
		`/(?!a)b/`,
		`/(?<=a)b/`,
		`/(?<!a)b/`,
		`/(a)\1/`,
		`/a{2000}/`,
		`/(a{30}){40}/`,
		`/a(/`,
		"||bad..example^",
	}, "\r\n"), []string{
		"||a.example^",
		"||b.example^$third-party",
		"/pixel.gif?$~script",
		"@@||a.example/ok.js",
		"||xn--mnchen-3ya.example/stra%c3%9fe/$domain=xn--bcher-kva.example|~xn--tda.xn--bcher-kva.example,to=xn--nda.example",
		"@@||xn--mnchen-3ya.example^$script",
		"/stra%c3%9fe-",
		`/^https:\/\/[a-z]+\.example\/$/$match-case`,
		"||r.example^",
	}, map[string]int{
		"rule under a condition (!#if)": 3, "another file (!#include)": 1, "element hiding rule": 3, "option redirect=": 1,
		"regular expression with look-around": 3, "regular expression with a back-reference": 1,
		"regular expression that is too large": 2, "not readable": 4,
	})
	if report.Cancelled != 2 || report.Repeats != 1 {
		t.Errorf("%d cancelled, %d repeats", report.Cancelled, report.Repeats)
	}
	if got := report.Examples["not readable"]; len(got) != 3 || got[1] != "||a.example/a b" {
		t.Errorf("examples %q", got)
	}
}

func TestHosts(t *testing.T) {
	imports(t, "hosts", strings.Join([]string{
		"# a comment",
		"! another",
		"127.0.0.1 localhost localhost.localdomain",
		"::1 ip6-localhost ip6-loopback",
		"255.255.255.255 broadcasthost",
		"0.0.0.0 0.0.0.0",
		"0.0.0.0 a.example   # why",
		"0.0.0.0\tB.example  c.example",
		":: d.example",
		"127.0.0.1 a.example",
		"e.example",
		"0.0.0.0 bücher.example",
		"0.0.0.0 10.0.0.1",
		"93.184.216.34 f.example",
		"0.0.0.0 com",
		"g.example h.example",
		"*.i.example",
		"j.example/x",
		"0.0.0.0 k.example^",
		"||l.example^",
	}, "\n"), []string{
		"||a.example^", "||b.example^", "||c.example^", "||d.example^", "||e.example^", "||xn--bcher-kva.example^", "||10.0.0.1^",
	}, map[string]int{"name that is given an address of its own": 1, "name without a dot": 1, "not readable": 5})
}

func TestDisconnect(t *testing.T) {
	imports(t, "disconnect", `{
		"license": "any",
		"categories": {
			"Advertising": [
				{"A": {"https://a.example/": ["a.example", "ads.a.example"], "performance": "true"}},
				{"B": {"https://b.example/": ["b.example", "not a host"], "session-replay": "true", "https://b2.example/": ["a.example"]}}
			],
			"Content": [{"C": {"https://c.example/": ["c.example"]}}],
			"Nothing": "yet"
		}
	}`, []string{
		"||a.example^$third-party", "||ads.a.example^$third-party", "||b.example^$third-party",
	}, map[string]int{"category Content": 1, "not readable": 1})
}

func TestDNR(t *testing.T) {
	rule := func(action, condition string) string {
		return `{"id":1,"action":{"type":"` + action + `"},"condition":{` + condition + `}}`
	}
	imports(t, "dnr", "["+strings.Join([]string{
		rule("block", `"urlFilter":"||a.example^"`),
		rule("block", `"urlFilter":"||b.example^","domainType":"thirdParty","resourceTypes":["script","image"]`),
		rule("block", `"urlFilter":"||b.example/x","domainType":"firstParty","excludedResourceTypes":["main_frame","script"]`),
		rule("allow", `"urlFilter":"||a.example/ok.js","initiatorDomains":["fine.example"],"excludedInitiatorDomains":["x.fine.example"]`),
		rule("allow", `"urlFilter":"||a.example/frame","resourceTypes":["main_frame","sub_frame"]`),
		rule("block", `"urlFilter":"/pixel.gif"`),
		rule("block", `"urlFilter":"/banner/"`),
		rule("block", `"urlFilter":"|https://a.example/|"`),
		rule("block", `"urlFilter":"||ads.*/x"`),
		rule("block", `"urlFilter":"a$script"`),
		rule("block", `"urlFilter":"/Track","isUrlFilterCaseSensitive":true`),
		rule("block", `"regexFilter":"^https://[a-z]+\\.example/$","isUrlFilterCaseSensitive":true`),
		rule("block", `"regexFilter":"a/b"`),
		rule("block", `"urlFilter":"||d.example^","requestMethods":["post","put"]`),
		rule("block", `"urlFilter":"||d.example/x","excludedRequestMethods":["get"]`),
		rule("block", `"requestDomains":["e.example","f.example"],"excludedRequestDomains":["x.e.example"]`),
		rule("block", `"urlFilter":"/collect","requestDomains":["e.example"],"excludedRequestDomains":["x.e.example"]`),
		rule("block", `"initiatorDomains":["g.example"],"resourceTypes":["websocket"]`),
		rule("block", `"urlFilter":"||münchen.example^"`),
		`{"id":1,"priority":1000001,"action":{"type":"block"},"condition":{"urlFilter":"||always.example^"}}`,
		`{"id":1,"priority":999999,"action":{"type":"block"},"condition":{"urlFilter":"||often.example^"}}`,

		rule("block", `"urlFilter":"mail.example.com","resourceTypes":["xmlhttprequest"]`),
		`{"id":1,"priority":1,"action":{"type":"redirect","redirect":{"extensionPath":"/noop.js"}},"condition":{"urlFilter":"||r.example^"}}`,
		rule("redirect", `"urlFilter":"||c.example^"`),
		rule("modifyHeaders", `"urlFilter":"||c.example^"`),
		rule("allowAllRequests", `"urlFilter":"||c.example^"`),
		`{"id":1,"priority":1100000,"action":{"type":"allow"},"condition":{"urlFilter":"||c.example^"}}`,
		rule("allow", `"urlFilter":"||c.example^","resourceTypes":["main_frame"]`),
		rule("block", `"urlFilter":"||c.example^","tabIds":[1]`),
		rule("block", `"urlFilter":"||c.example^","domainType":"fourthParty"`),
		rule("block", `"urlFilter":"||c.example^","resourceTypes":["webbundle"]`),
		rule("block", `"urlFilter":"||c.example^","requestMethods":["trace"]`),
		rule("block", `"regexFilter":"(?!a)"`),
		rule("block", ``),
		rule("block", `"urlFilter":"a","regexFilter":"b"`),
		rule("block", `"urlFilter":"||c.example^","resourceTypes":["script"],"excludedResourceTypes":["image"]`),
		rule("block", `"urlFilter":"||c.example^","resourceTypes":[]`),
		rule("block", `"urlFilter":"||c.example^","initiatorDomains":[1,null]`),
		rule("block", `"urlFilter":"||c.example^","excludedRequestMethods":["connect","delete","get","head","options","patch","post","put","other"]`),
		rule("block", `"requestDomains":[]`),
		rule("block", `"requestDomains":["c.example/x y"]`),
		rule("block", `"urlFilter":"*"`),
		rule("block", `"urlFilter":"a\nb"`),
		`1`,
	}, ",")+"]", []string{
		"||a.example^",
		"||b.example^$third-party,script,image",
		"||b.example/x$first-party,~script",
		"@@||a.example/ok.js$domain=fine.example|~x.fine.example",
		"@@||a.example/frame$subdocument",
		"/pixel.gif",
		"/banner/*",
		"|https://a.example/|",
		"||ads.*/x",
		"a$script$_",
		"/Track$match-case",
		`/^https://[a-z]+\.example/$/$match-case`,
		"/a/b/",
		"||d.example^$method=post|put",
		"||d.example/x$method=~get",
		"||e.example^$to=~x.e.example",
		"||f.example^$to=~x.e.example",
		"/collect$to=e.example|~x.e.example",
		"*$websocket,domain=g.example",
		"||xn--mnchen-3ya.example^",
		"||always.example^$important",
		"||often.example^",
		"||r.example^",
	}, map[string]int{
		"mail-open pixel (a bare name with types)": 1, "action redirect": 1, "action modifyHeaders": 1, "action allowAllRequests": 1,
		"action ": 1, "important exception": 1, "exception for the page itself": 1, "condition tabIds": 1, "domainType fourthParty": 1,
		"type webbundle": 1, "method trace": 1, "regular expression with look-around": 1, "not readable": 10,
	})
}

func TestImportRefused(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"text", "||a.example^", `format "text": want easylist, dnr, hosts or disconnect`},
		{"easylist", "! nothing", "no rules that can be used: is the format right?"},
		{"hosts", "<html>", "no rules that can be used: is the format right?"},
		{"dnr", "[", "not valid JSON"},
		{"dnr", "{}", "want a JSON array of rules"},
		{"dnr", strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20), "not valid JSON"},
		{"disconnect", "[]", `want an object with "categories"`},
		{"disconnect", `{"categories":{"Advertising":[{"A":1}, 2]}}`, "no rules that can be used: is the format right?"},
	} {
		if _, _, err := source.Import(c.format, []byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s %.20s: %v\nwant %s", c.format, c.text, err, c.want)
		}
	}
}

// fuzzImport checks that whatever is imported compiles.
func fuzzImport(f *testing.F, format string) {
	f.Fuzz(func(t *testing.T, text []byte) {
		list, report, err := source.Import(format, text)
		if err != nil {
			return
		}
		accounted(t, report)
		if _, err := compile.Compile(list.Text()); err != nil {
			t.Fatalf("%v\n%s", err, list.Text())
		}
	})
}

func FuzzEasyList(f *testing.F) {
	f.Add([]byte("[Adblock Plus]\n||ä.example^$domain=ö.example\n!#if a\n/a/\n!#endif\n@@*$script,badfilter"))
	fuzzImport(f, "easylist")
}

func FuzzDNR(f *testing.F) {
	f.Add([]byte(imported))
	f.Add([]byte(`[{"priority":2e6,"action":{"type":"block"},"condition":{"regexFilter":"a","requestDomains":["b"],"requestMethods":["get"]}}]`))
	f.Add([]byte(`[{"action":{"type":"block"},"condition":{"urlFilter":"||a^","initiatorDomains":[1,null]}}]`))
	fuzzImport(f, "dnr")
}

func FuzzHosts(f *testing.F) {
	f.Add([]byte("0.0.0.0 a.example b.example # c\nd.example\n::1 localhost"))
	fuzzImport(f, "hosts")
}

func FuzzDisconnect(f *testing.F) {
	f.Add([]byte(`{"categories":{"A":[{"B":{"c":["d.example","e/f"],"g":"true"}}]}}`))
	fuzzImport(f, "disconnect")
}
