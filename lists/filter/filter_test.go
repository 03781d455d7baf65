package filter

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func ExampleParse() {
	r, err := Parse("||Example.com/pixel.gif?*$3p,image,domain=b.example|~c.b.example")
	fmt.Println(r, err)
	_, err = Parse("@@||example.com^$document")
	fmt.Println(err)
	// Output:
	// ||example.com/pixel.gif?$third-party,image,domain=b.example|~c.b.example <nil>
	// unsupported: exception for whole pages: turn protection off for the site, or name the types that shall pass
}

func typesOf(names ...string) Types {
	s, unknown := TypesNamed(names)
	if unknown != "" {
		panic(unknown)
	}
	return s
}

func allBut(names ...string) Types { return typesOf(append(names, "main_frame")...).Except() }

// at is a rule for example.com.
func at(r Rule) Rule {
	r.Host = "example.com"
	return r
}

// What a line is read as, and how that prints; "" is as the line stands.
func TestParse(t *testing.T) {
	script, image := typesOf("script"), typesOf("image")
	for _, c := range []struct {
		line, canonical string
		want            Rule
	}{
		// Hosts, and what follows them.
		{"||example.com^", "", at(Rule{})},
		{"@@||example.com^", "", at(Rule{Allow: true})},
		{"||EXAMPLE.com/A/b*", "||example.com/a/b", at(Rule{Pattern: "/a/b"})},
		{"||example.com^*", "||example.com^", at(Rule{})},
		{"||example.com^**^*", "||example.com^", at(Rule{})},
		{"||example.com^*|", "||example.com^", at(Rule{})},
		{"||example.com/a^|", "", at(Rule{Pattern: "/a^", End: true})},
		{"||example.com^|", "", at(Rule{Pattern: "^", End: true})},
		{"||example.com/*.js|", "", at(Rule{Pattern: "/*.js", End: true})},
		{"||example.com/a*|", "||example.com/a", at(Rule{Pattern: "/a"})},
		{"||example.com/a***b", "||example.com/a*b", at(Rule{Pattern: "/a*b"})},
		{"||example.com^*/track/", "", at(Rule{Pattern: "^*/track/"})},
		{"||example.com/a|b", "", at(Rule{Pattern: "/a|b"})},
		{"||example.com/a|*", "", at(Rule{Pattern: "/a|"})},
		{"||10.0.0.1/x", "", Rule{Host: "10.0.0.1", Pattern: "/x"}},
		{"||[::]^", "", Rule{Host: "[::]"}},
		{"||localhost^", "", Rule{Host: "localhost"}},

		// Parts of hosts, and ports.
		{"||example.com", "", Rule{Anchor: AtLabel, Pattern: "example.com"}},
		{"||ads.", "", Rule{Anchor: AtLabel, Pattern: "ads."}},
		{"||ads*.Example.com^", "||ads*.example.com^", Rule{Anchor: AtLabel, Pattern: "ads*.example.com^"}},
		{"||adservice.google.*/x", "", Rule{Anchor: AtLabel, Pattern: "adservice.google.*/x"}},
		{"||1.2.3.4*", "||1.2.3.4", Rule{Anchor: AtLabel, Pattern: "1.2.3.4"}},
		{"||example.com|", "", Rule{Anchor: AtLabel, Pattern: "example.com", End: true}},
		{"||example.com:8080/x", "", Rule{Anchor: AtLabel, Pattern: "example.com:8080/x"}},
		{"||[::1]:8080/x", "", Rule{Anchor: AtLabel, Pattern: "[::1]:8080/x"}},
		{"||_dmarc.", "", Rule{Anchor: AtLabel, Pattern: "_dmarc."}},
		{"||.example.com^", ".example.com^", Rule{Pattern: ".example.com^"}},
		{"||*.example.com^", ".example.com^", Rule{Pattern: ".example.com^"}},

		// Patterns anywhere, and at the start.
		{"/pixel.gif?", "", Rule{Pattern: "/pixel.gif?"}},
		{"*/pixel.gif?*", "/pixel.gif?", Rule{Pattern: "/pixel.gif?"}},
		{"-tracker.js|", "", Rule{Pattern: "-tracker.js", End: true}},
		{"example.com", "", Rule{Pattern: "example.com"}},
		{"|https://cdn.", "", Rule{Anchor: AtStart, Pattern: "https://cdn."}},
		{"|https://Example.com/|", "|https://example.com/|", Rule{Anchor: AtStart, Pattern: "https://example.com/", End: true}},
		{"|*xy", "xy", Rule{Pattern: "xy"}},
		{"*$script", "", Rule{Types: script}},
		{"$script", "*$script", Rule{Types: script}},
		{"|$script", "*$script", Rule{Types: script}},
		{"||$script", "*$script", Rule{Types: script}},
		{"^$script", "*$script", Rule{Types: script}},
		{"||^$script", "*$script", Rule{Types: script}},
		{"*|$script", "*$script", Rule{Types: script}},
		{"@@*$domain=a.com", "", Rule{Allow: true, Domains: []Domain{{Name: "a.com"}}}},

		// Patterns that look like something else.
		{"/banner/*", "", Rule{Pattern: "/banner/"}},
		{"/banner/*$script", "", Rule{Pattern: "/banner/", Types: script}},
		{"/banner/|", "", Rule{Pattern: "/banner/", End: true}},
		{"//", "", Rule{Pattern: "//"}},
		{"*|a", "", Rule{Pattern: "|a"}},
		{"a|*", "", Rule{Pattern: "a|"}},
		{"*@@a", "", Rule{Pattern: "@@a"}},
		{"*!a", "", Rule{Pattern: "!a"}},
		{"*[a", "", Rule{Pattern: "[a"}},

		// Regular expressions.
		{"/track[0-9]+/", "", Rule{Regexp: true, Pattern: "track[0-9]+"}},
		{`/^https?:\/\/A\.com\/$/$script`, "", Rule{Regexp: true, Pattern: `^https?:\/\/A\.com\/$`, Types: script}},
		{"@@/a{1,2}/$~script", "", Rule{Allow: true, Regexp: true, Pattern: "a{1,2}", Types: allBut("script")}},
		{"/A/$match-case", "", Rule{Regexp: true, Pattern: "A", MatchCase: true}},
		{`/a\$domain=x/`, "", Rule{Regexp: true, Pattern: `a\$domain=x`}},
		{"/api/$a/", "", Rule{Regexp: true, Pattern: "api/$a"}},
		{"/a$b=c/", "", Rule{Regexp: true, Pattern: "a$b=c"}},
		{"/a$to=b/$_", "", Rule{Regexp: true, Pattern: "a$to=b"}},
		{"/a b#/", "", Rule{Regexp: true, Pattern: "a b#"}},

		// "$" in patterns.
		{"||example.com/a$b/c", "", at(Rule{Pattern: "/a$b/c"})},
		{"||example.com/$", "", at(Rule{Pattern: "/$"})},
		{"||example.com/?cost=$5", "", at(Rule{Pattern: "/?cost=$5"})},
		{"||example.com/?cost=$5$script", "", at(Rule{Pattern: "/?cost=$5", Types: script})},
		{"||example.com/a$script/b$image", "", at(Rule{Pattern: "/a$script/b", Types: image})},
		{"||example.com/a$script*", "||example.com/a$script$_", at(Rule{Pattern: "/a$script"})},
		{"||example.com/a$_", "||example.com/a", at(Rule{Pattern: "/a"})},
		{"||example.com/a$*$script", "", at(Rule{Pattern: "/a$", Types: script})},
		{`||example.com/a\*$script`, "", at(Rule{Pattern: `/a\`, Types: script})},
		{`||example.com/a\$script`, "", at(Rule{Pattern: `/a\$script`})},

		// Types and their other names.
		{"||example.com^$xhr,css,frame,doc,beacon,object-subrequest",
			"||example.com^$subdocument,stylesheet,object,xmlhttprequest,ping",
			at(Rule{Types: typesOf("sub_frame", "stylesheet", "object", "xmlhttprequest", "ping")})},
		{"||example.com^$script,image,font,media,other,websocket", "||example.com^$script,image,font,media,websocket,other",
			at(Rule{Types: typesOf("script", "image", "font", "media", "other", "websocket")})},
		{"||example.com^$csp_report,webtransport", "||example.com^$webtransport,csp_report",
			at(Rule{Types: typesOf("csp_report", "webtransport")})},
		{"||example.com^$~image", "", at(Rule{Types: allBut("image")})},
		{"||example.com^$~css,~script", "||example.com^$~stylesheet,~script", at(Rule{Types: allBut("stylesheet", "script")})},
		{"||example.com^$script,image,~image", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com^$all", "||example.com^", at(Rule{})},
		{"||example.com^$all,~document", "||example.com^", at(Rule{})},
		{"||example.com^$all,~script", "||example.com^$~script", at(Rule{Types: allBut("script")})},
		{"||example.com^$document", "", at(Rule{Types: typesOf("main_frame")})},
		{"||example.com^$document,script", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com^$Script", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com^$popup,script", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com^$inline-script,inline-font,webrtc,popunder,script", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com^$~popup,~inline-script", "||example.com^", at(Rule{})},
		{"@@||example.com^$~script", "", at(Rule{Allow: true, Types: allBut("script")})},
		{"@@||example.com^$~document", "@@||example.com^", at(Rule{Allow: true})},

		// Parties.
		{"||example.com^$third-party", "", at(Rule{Party: ThirdParty})},
		{"||example.com^$3p", "||example.com^$third-party", at(Rule{Party: ThirdParty})},
		{"||example.com^$~1p", "||example.com^$third-party", at(Rule{Party: ThirdParty})},
		{"||example.com^$~first-party,3p", "||example.com^$third-party", at(Rule{Party: ThirdParty})},
		{"||example.com^$~third-party", "||example.com^$first-party", at(Rule{Party: FirstParty})},
		{"||example.com^$~3p,1p", "||example.com^$first-party", at(Rule{Party: FirstParty})},

		// Hosts of pages and of requests.
		{"||example.com^$domain=b.com|A.com|~x.a.com|b.com", "||example.com^$domain=a.com|b.com|~x.a.com",
			at(Rule{Domains: []Domain{{Name: "a.com"}, {Name: "b.com"}, {"x.a.com", true}}})},
		{"||example.com^$from=google.*", "||example.com^$domain=google.*", at(Rule{Domains: []Domain{{Name: "google.*"}}})},
		{"||example.com^$domain=~[::1]|~localhost", "", at(Rule{Domains: []Domain{{"[::1]", true}, {"localhost", true}}})},
		{"*$to=b.com|~a.b.com|shop.*", "*$to=b.com|shop.*|~a.b.com", Rule{To: []Domain{{Name: "b.com"}, {Name: "shop.*"}, {"a.b.com", true}}}},
		{"*$denyallow=b.com|a.com,domain=x.com", "*$domain=x.com,to=~a.com|~b.com",
			Rule{Domains: []Domain{{Name: "x.com"}}, To: []Domain{{"a.com", true}, {"b.com", true}}}},
		{"*$to=com,denyallow=a.com", "*$to=com|~a.com", Rule{To: []Domain{{Name: "com"}, {"a.com", true}}}},

		// Methods.
		{"||example.com^$method=post|GET", "||example.com^$method=get|post", at(Rule{Methods: 1<<Get | 1<<Post})},
		{"||example.com^$method=~get", "", at(Rule{Methods: Methods(1 << Get).Except()})},
		{"||example.com^$method=~put|~head", "||example.com^$method=~head|~put", at(Rule{Methods: Methods(1<<Put | 1<<Head).Except()})},
		{"||example.com^$method=post|put|~put", "||example.com^$method=post", at(Rule{Methods: 1 << Post})},
		{"||example.com^$method=connect|delete|get|head|options|patch|post|put|other", "||example.com^", at(Rule{})},

		// The others.
		{"||Example.com/Track$match-case", "||example.com/Track$match-case", at(Rule{Pattern: "/Track", MatchCase: true})},
		{"||Example.com^$match-case", "||example.com^", at(Rule{})},
		{"/Track-$match-case", "", Rule{Pattern: "/Track-", MatchCase: true}},
		{"||example.com^$important", "", at(Rule{Important: true})},
		{"||example.com^$badfilter", "", at(Rule{Bad: true})},
		{"@@||example.com^$badfilter", "", at(Rule{Allow: true, Bad: true})},
		{"||example.com^$_,___,script,_", "||example.com^$script", at(Rule{Types: script})},
		{"||example.com/A$badfilter,important,match-case,method=post,to=a.com,domain=b.com,script,3p",
			"||example.com/A$third-party,script,domain=b.com,to=a.com,method=post,match-case,important,badfilter",
			at(Rule{Pattern: "/A", Bad: true, Important: true, MatchCase: true, Methods: 1 << Post, To: []Domain{{Name: "a.com"}},
				Domains: []Domain{{Name: "b.com"}}, Types: script, Party: ThirdParty})},
	} {
		if c.canonical == "" {
			c.canonical = c.line
		}
		r, err := Parse(c.line)
		if err != nil || !reflect.DeepEqual(r, c.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", c.line, r, err, c.want)
			continue
		}
		if r.String() != c.canonical {
			t.Errorf("%s: prints as %s, want %s", c.line, r, c.canonical)
		}
		if again, err := Parse(r.String()); err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%s: %s came back as %+v, %v", c.line, r, again, err)
		}
	}
}

const knownOptions = "known are third-party, first-party, domain=, to=, denyallow=, method=, match-case, important, badfilter, all and the types, such as script"

func TestRefused(t *testing.T) {
	const (
		everything = "this rule holds for every request: name a host or a path, or give it options"
		wholePages = "unsupported: exception for whole pages: turn protection off for the site, or name the types that shall pass"
		noRequest  = ": a rule is about what a page loads: name the types of that, such as script"
		noAnswers  = ": a request is stopped, and nothing is put in its place: leave the option out"
	)
	for line, want := range map[string]string{
		// About the page and not its requests.
		"example.com##.ad":                        "unsupported: element hiding rule",
		"##.ad":                                   "unsupported: element hiding rule",
		"example.com,~a.example.com#@#.ad":        "unsupported: element hiding rule",
		"example.*#?#div:has(> .ad)":              "unsupported: element hiding rule",
		"example.com#@?#.ad":                      "unsupported: element hiding rule",
		`/^https:\/\/example\.com\/.*/##.ad`:      "unsupported: element hiding rule",
		"[$path=/a]example.com##.ad":              "unsupported: element hiding rule",
		"example.com##+js(set, a, b)":             "unsupported: script rule",
		"example.com#@#+js(set, a, b)":            "unsupported: script rule",
		"example.com#%#//scriptlet('a')":          "unsupported: script rule",
		"#@%#//scriptlet('a')":                    "unsupported: script rule",
		"example.com##^script:has-text(a)":        "unsupported: HTML rule",
		`example.com$$script[tag-content="a"]`:    "unsupported: HTML rule",
		"example.com$@$script":                    "unsupported: HTML rule",
		"example.com#$#body { margin: 0 }":        "unsupported: style or snippet rule",
		"example.com#@$#abort-on-property-read":   "unsupported: style or snippet rule",
		"example.com#$?#div:has(a) { margin: 0 }": "unsupported: style or snippet rule",

		// Patterns.
		"":                 everything,
		"*":                everything,
		"a":                everything,
		"||":               everything,
		"|":                everything,
		"||^":              everything,
		"@@*":              everything,
		"*$important":      everything,
		"/a b":             `character ' ': write a host in punycode and a path in %-escapes`,
		"||münchen.de^":    `character 'ü': write a host in punycode and a path in %-escapes`,
		"||a.com/\xff":     `character '�': write a host in punycode and a path in %-escapes`,
		"||a.com/a#b":      `unsupported: fragment: the part of an address behind "#" is never sent: leave it out`,
		"/ü/":              `character 'ü': an address is plain ASCII, and so is what matches it`,
		"/a\tb/":           `character '\t': an address is plain ASCII, and so is what matches it`,
		"||example..com^":  `host "example..com": want a whole host name, such as example.com`,
		"||example.com./x": `host "example.com.": want a whole host name, such as example.com`,
		"||example.com?a":  `a query right after the host never matches: write "/?"`,
		"||*a$$b$_":        `pattern "a$$b": reads as a rule about the page: begin it with "||" or "|"`,

		// Types.
		"||a.com^$popup":            "unsupported: option popup" + noRequest,
		"||a.com^$popup,3p,~script": "unsupported: option popup" + noRequest,
		"||a.com^$popunder":         "unsupported: option popunder" + noRequest,
		"||a.com^$inline-script":    "unsupported: option inline-script" + noRequest,
		"||a.com^$inline-font":      "unsupported: option inline-font" + noRequest,
		"||a.com^$webrtc":           "unsupported: option webrtc" + noRequest,
		"@@||a.com^$document":       wholePages,
		"@@||a.com^$doc,script":     wholePages,
		"@@||a.com^$all":            wholePages,
		"||a.com^$script,~script":   `types: none is left: take out those with "~"`,
		"@@||a.com^$important":      "unsupported: important exception: exceptions give way to important rules: leave the option out",

		// Lists.
		"||a.com^$3p,1p":                   "options third-party and first-party exclude each other: keep one",
		"||a.com^$domain":                  "unsupported: option domain: " + knownOptions,
		"||a.com^$domain=":                 `domain=: want host names between "|"`,
		"||a.com^$domain=a.com|":           `domain=: want host names between "|"`,
		"||a.com^$domain=a.com,from=b.com": "option domain= twice: write one list",
		"||a.com^$domain=bücher.de":        `domain=bücher.de: want host names between "|"`,
		"||a.com^$domain=*.a.com":          "unsupported: domain= with a wildcard or a regular expression: name the hosts one by one, or as name.*",
		`||a.com^$domain=/a\.com/`:         "unsupported: domain= with a wildcard or a regular expression: name the hosts one by one, or as name.*",
		"||a.com^$to=*":                    "unsupported: to= with a wildcard or a regular expression: name the hosts one by one, or as name.*",
		"||a.com^$to=.*":                   "unsupported: to= with a wildcard or a regular expression: name the hosts one by one, or as name.*",
		"||a.com^$to=a b":                  `to=a b: want host names between "|"`,
		"*$denyallow=~a.com":               `option denyallow=: its names take no "~"`,
		"||a.com^$method=trace":            `option method=: "trace" is none: want get connect delete head options patch post put other between "|"`,
		"||a.com^$method=":                 `option method=: "" is none: want get connect delete head options patch post put other between "|"`,
		"||a.com^$method=get|~get":         `option method=: none is left: take out those with "~"`,

		// Other options.
		"||a.com^$strict1p":                           "unsupported: option strict1p: write first-party or third-party, which go by the page's whole site",
		"||a.com^$strict3p":                           "unsupported: option strict3p: write first-party or third-party, which go by the page's whole site",
		"@@||a.com^$redirect=noopjs":                  "unsupported: option redirect=" + noAnswers,
		"||a.com^$redirect=noopjs,badfilter":          "unsupported: option redirect=" + noAnswers,
		"@@||a.com^$redirect-rule":                    "unsupported: option redirect-rule" + noAnswers,
		"||a.com^$rewrite=abp-resource:blank-js":      "unsupported: option rewrite=" + noAnswers,
		"||a.com^$empty":                              "unsupported: option empty" + noAnswers,
		"||a.com^$mp4":                                "unsupported: option mp4" + noAnswers,
		"||a.com^$csp=script-src 'self' *, img-src b": "unsupported: option csp=: " + knownOptions,
		"||a.com^$replace=/a$/b/":                     "unsupported: option replace=: " + knownOptions,
		"/path/$replace=/a/b/":                        "unsupported: option replace=: " + knownOptions,
		"||a.com^$removeparam":                        "unsupported: option removeparam: " + knownOptions,
		"||a.com^$removeparam=/^a$/":                  "unsupported: option removeparam=: " + knownOptions,
		"||a.com^$foo":                                "unsupported: option foo: " + knownOptions,
		"||a.com^$~important":                         "unsupported: option ~important: " + knownOptions,
		"||a.com^$script=1":                           "unsupported: option script=: " + knownOptions,
		"||a.com^$script,":                            `option "": want names between ",", such as script,third-party`,
		"||a.com^$script,,image":                      `option ",image": want names between ",", such as script,third-party`,
	} {
		r, err := Parse(line)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", line, err, want)
		}
		if !reflect.DeepEqual(r, Rule{}) {
			t.Errorf("%s: an error and %+v", line, r)
		}
	}
	for _, name := range strings.Fields("permissions= header= removeheader= queryprune urlskip= uritransform= urltransform= ipaddress= cname " +
		"genericblock elemhide ehide generichide ghide specifichide shide sitekey= cookie= stealth app= network") {
		var u *Unsupported
		if _, err := Parse("@@||a.com^$" + name); !errors.As(err, &u) || u.Kind != "option "+name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDirectory(t *testing.T) {
	for line, want := range map[string][2]string{
		"||a.com^":                {"", ""},
		"||a.com^*/x":             {"", "^*/x"},
		"||a.com/":                {"", "/"},
		"||a.com/x.gif":           {"", "/x.gif"},
		"||a.com/x/y":             {"/x/", "y"},
		"||a.com/x*/y":            {"", "/x*/y"},
		"||a.com/x/^y":            {"/x/", "^y"},
		"||a.com/x/y?u=/z/":       {"/x/", "y?u=/z/"},
		"||a.com/1/2/3/4/5/6/7/8": {"/1/2/3/4/5/", "6/7/8"},
		"||a.com/X/y$match-case":  {"", "/X/y"},
		"||ads.*/x/y":             {"", "ads.*/x/y"},
		"/x/y":                    {"", "/x/y"},
	} {
		r, err := Parse(line)
		if d, rest := r.Directory(); err != nil || d != want[0] || rest != want[1] {
			t.Errorf("%s: %q %q %v", line, d, rest, err)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		end, want     bool
	}{
		{"", "", false, true},
		{"", "x", false, true},
		{"", "x", true, false},
		{"abc", "abcd", false, true},
		{"abc", "abcd", true, false},
		{"abc", "ab", false, false},
		{"a*c", "abbbc", true, true},
		{"a*c", "abcbd", false, true},
		{"a*c", "abcbd", true, false},
		{"a*c*e", "a-c-c-e", true, true},
		{"*x", "aax", true, true},
		{"*x", "aaxb", true, false},
		{"a^", "a/", true, true},
		{"a^", "a", true, true},
		{"a^", "a?x", false, true},
		{"a^", "ab", false, false},
		{"a^", "a%", false, false},
		{"a^b", "a/b", true, true},
		{"*^", "abc", true, true},
	} {
		if got := Match([]byte(c.pattern), []byte(c.text), c.end); got != c.want {
			t.Errorf("%q against %q (end %v): %v", c.pattern, c.text, c.end, got)
		}
	}
}

func TestEveryTypeHasAGroup(t *testing.T) {
	for i, name := range TypeNames() {
		if groupOf[i] == 0 {
			t.Errorf("no rule option covers %s", name)
		}
		if back, ok := TypeNamed(name); !ok || int(back) != i {
			t.Errorf("%s came back as %v", name, back)
		}
	}
}

func TestMethods(t *testing.T) {
	for i, name := range MethodNames() {
		if m, ok := MethodNamed(strings.ToUpper(name)); !ok || int(m) != i || m.String() != name {
			t.Errorf("%s came back as %v", name, m)
		}
	}
	if m, ok := MethodNamed("PROPFIND"); ok || m != OtherMethod {
		t.Errorf("PROPFIND: %v %v", m, ok)
	}
	if !Methods(0).Has(Get) || !Methods(0).Has(OtherMethod) {
		t.Error("the empty set is not all")
	}
	s, unknown := MethodsNamed([]string{"post", "get"})
	if unknown != "" || !s.Has(Post) || !s.Has(Get) || s.Has(Put) || strings.Join(s.Names(), " ") != "get post" {
		t.Errorf("%v %q", s.Names(), unknown)
	}
	if _, unknown := MethodsNamed([]string{"post", "trace"}); unknown != "trace" {
		t.Errorf("unknown %q", unknown)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"||a.com^", "@@||a.com/x*y^|$3p,~image,domain=b|~c.*", "/x/", "||a.com/$b", "a##b", "||a*/b|", "|https://a", "*$to=a,denyallow=b",
		"/A$/$match-case,method=~post", "a$b$_", `a\*$script`, "*[a|*$important,badfilter", "||[::1]:1/", "a$$b", "/a/*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := Parse(line)
		if err != nil {
			return
		}
		again, err := Parse(r.String())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q → %q %+v → %q %+v, %v", line, r.String(), r, again.String(), again, err)
		}
		if d, rest := r.Directory(); d+rest != r.Pattern {
			t.Fatalf("%q: %q + %q is not %q", line, d, rest, r.Pattern)
		}
		Match([]byte(r.Pattern), []byte(line), r.End)
	})
}
