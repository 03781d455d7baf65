package match_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/wasm/match"
	"paravent/wasm/vectors"
)

// A model decides as package match says it does, but slowly: it asks every rule
// at every place, and has no index that could miss one.
type model struct {
	rules   []bundle.KindedRule
	regexps map[string]*regexp.Regexp
}

// A target is a canonical address, taken apart.
type target struct {
	exact, lower []byte // as far as rules see it
	whole        bool
	host         string
	labels       []int // where they begin
	path         int
}

func newTarget(url string) *target {
	t := &target{exact: []byte(url[:min(len(url), address.MaxText)]), whole: len(url) <= address.MaxText, host: hostOf(url)}
	t.lower = bytes.ToLower(t.exact)
	start := bytes.Index(t.lower, []byte("://")) + 3
	t.path = start + bytes.IndexByte(t.lower[start:], '/')
	t.labels = []int{start}
	for i, c := range t.host {
		if c == '.' && !isIP(t.host) {
			t.labels = append(t.labels, start+i+1)
		}
	}
	return t
}

// hostOf is the host of an address, "" if it has none.
func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "/")
	if end := strings.IndexByte(rest, ']'); end >= 0 {
		return rest[:end+1]
	}
	host, _, _ := strings.Cut(rest, ":")
	return host
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// isName reports whether a host is one that names and addresses on the
// Internet look like; the URL standard has others.
func isName(host string) bool {
	return isIP(host) || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// site is the registrable domain of a host, or the host if it has none.
func site(host string) string {
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && !isIP(host) {
		return domain
	}
	return host
}

func within(host, domain string) bool {
	return host == domain || !isIP(host) && strings.HasSuffix(host, "."+domain)
}

// called reports whether a host is within a name of domain= or to=.
func called(host, name string) bool {
	base, isEntity := strings.CutSuffix(name, ".*")
	if !isEntity {
		return within(host, name)
	}
	suffix, _ := publicsuffix.PublicSuffix(host)
	return !isIP(host) && host != suffix && within(strings.TrimSuffix(host, "."+suffix), base)
}

func inSet(host string, set []filter.Domain) bool {
	named, any := false, false
	for _, d := range set {
		any = any || !d.Not
		if host == "" || !called(host, d.Name) {
			continue
		}
		if d.Not {
			return false
		}
		named = true
	}
	return named || !any
}

func (m *model) partyOf(page, host string) filter.Party {
	if site(page) == site(host) {
		return filter.FirstParty
	}
	return filter.ThirdParty
}

// matches asks one rule.
func (m *model) matches(r *filter.Rule, t *target, q *match.Request) bool {
	page := hostOf(string(q.Page))
	return r.Types.Has(q.Type) && r.Methods.Has(q.Method) &&
		(r.Party == filter.AnyParty || r.Party == m.partyOf(page, t.host)) &&
		inSet(page, r.Domains) && inSet(t.host, r.To) && m.matchesText(r, t)
}

func (m *model) matchesText(r *filter.Rule, t *target) bool {
	pattern, text := []byte(r.Pattern), t.lower
	if r.MatchCase {
		text = t.exact
	}
	at := func(i int) bool { return (!r.End || t.whole) && filter.Match(pattern, text[i:], r.End) }
	switch {
	case r.Regexp:
		return m.regexp(r).Match(t.exact)
	case r.Host != "":
		return within(t.host, r.Host) && at(t.path)
	case r.Anchor == filter.AtStart:
		return at(0)
	case r.Anchor == filter.AtLabel:
		return slices.ContainsFunc(t.labels, at)
	}
	for i := range len(text) + 1 {
		if at(i) {
			return true
		}
	}
	return false
}

func (m *model) regexp(r *filter.Rule) *regexp.Regexp {
	source := r.Pattern
	if !r.MatchCase {
		source = "(?i)" + source
	}
	if m.regexps[source] == nil {
		if m.regexps == nil {
			m.regexps = map[string]*regexp.Regexp{}
		}
		m.regexps[source] = regexp.MustCompile(source)
	}
	return m.regexps[source]
}

// decide also returns the rules that may be named as those which decided.
func (m *model) decide(t *target, q *match.Request) (d match.Decision, by []string) {
	var kinds [bundle.Need + 1][]string
	for i := range m.rules {
		if r := &m.rules[i]; m.matches(&r.Rule, t, q) {
			kinds[r.Kind] = append(kinds[r.Kind], r.Rule.String())
		}
	}
	third := m.partyOf(hostOf(string(q.Page)), t.host) == filter.ThirdParty
	stop := func(a match.Action, why match.Reason, by []string) (match.Decision, []string) {
		if len(kinds[bundle.Exception]) > 0 && len(kinds[bundle.Important]) == 0 {
			return match.Decision{Reason: match.Exception}, kinds[bundle.Exception]
		}
		d := match.Decision{Action: a, Would: a, Reason: why}
		if q.Mode == match.ModeWatch {
			d.Action = match.Allow
		}
		return d, by
	}
	switch {
	case q.Mode == match.ModeOff:
		return match.Decision{Reason: match.Off}, nil
	case q.Type == filter.MainFrame:
		return match.Decision{Reason: match.Document}, nil
	case len(kinds[bundle.Need]) > 0:
		return match.Decision{Reason: match.Needed}, kinds[bundle.Need]
	case len(kinds[bundle.Important]) > 0:
		return stop(match.Block, match.Listed, kinds[bundle.Important])
	case len(kinds[bundle.Photo]) > 0 && (q.Type == filter.Image || q.Type == filter.Imageset):
		return stop(match.Relay, match.Photo, kinds[bundle.Photo])
	case len(kinds[bundle.Photo]) > 0:
		return stop(match.Block, match.Photo, kinds[bundle.Photo])
	case len(kinds[bundle.Block]) > 0:
		return stop(match.Block, match.Listed, kinds[bundle.Block])
	case third && q.Leaks && (q.Type == filter.WebSocket || q.Type == filter.WebTransport):
		return stop(match.Block, match.WebSocket, nil)
	case third && q.Mode == match.ModeStrict:
		return stop(match.Block, match.Unknown, nil)
	}
	return match.Decision{Reason: match.Unlisted}, nil
}

// matcherOf compiles rules, also such as no canonical text can have.
func matcherOf(t *testing.T, rules []bundle.KindedRule) *match.Matcher {
	t.Helper()
	data, err := (&compile.List{Rules: rules}).Bundle()
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	m.Registrable = registrableInPlace
	return m
}

// kinded parses a rule; what it is for besides blocking is up to random where
// a rule could be for several things.
func kinded(line string, random *rand.Rand) (r bundle.KindedRule, ok bool) {
	rule, err := filter.Parse(line)
	if err != nil || rule.Bad {
		return r, false
	}
	r.Rule = rule
	switch {
	case rule.Allow:
		r.Kind = bundle.Exception
	case rule.Important:
		r.Kind = bundle.Important
	case rule.Host != "" && random.IntN(10) == 0:
		r.Kind = bundle.Photo
	case rule.Host != "" && len(rule.Domains) > 0 && random.IntN(3) == 0:
		r.Kind = bundle.Need
	}
	return r, true
}

// A writer writes rules and addresses of the same few words, so that they
// often meet.
type writer struct{ *rand.Rand }

func (w writer) one(of ...string) string { return of[w.IntN(len(of))] }

func (w writer) chance(percent int) bool { return w.IntN(100) < percent }

func (w writer) host() string {
	if w.chance(10) {
		return w.one("1.2.3.4", "[2001:db8::1]")
	}
	return w.one("", "", "", "ads.", "x.", "track1.", "a-b.") + w.one(
		"example.com", "ads.example.com", "a.ads.example.com", "tracker.example.co.uk", "track1.github.io", "pixel.net",
		"xn--bcher-kva.example", "example.org", "analytics.com", "localhost", "co.uk")
}

func (w writer) word() string {
	return w.one("ads", "track1", "pixel", "analytics", "collector99", "a", "b1", "js", "gif", "page", "x", "Pixel", "com", "example")
}

// text is some words with what stands between words.
func (w writer) text(between ...string) string {
	var b strings.Builder
	for range 1 + w.IntN(5) {
		b.WriteString(w.word() + w.one(between...))
	}
	return b.String()
}

func (w writer) pattern() string {
	return w.text("", "/", ".", "-", "_", "?", "=", "&", "%2F", "*", "^", "*", "^", ",", "~", "/*/", "$")
}

func (w writer) names() string {
	names := make([]string, 1+w.IntN(3))
	for i := range names {
		names[i] = w.one("", "", "~") + w.one("example.com", "ads.example.com", "page.example", "example.*", "tracker.example.*",
			"pixel.net", "booking.test", "sub.booking.test", "booking.*", "1.2.3.4", "github.io", "track1.github.io", "com", "co.uk")
	}
	return strings.Join(names, "|")
}

// rule is a line that need not be a rule.
func (w writer) rule() string {
	host := w.host()
	text := w.one(
		"||"+host+"^"+w.one("", "$image"), "||"+host+"^", "||"+host+"/"+w.pattern(), "||"+host+"^"+w.pattern(), "||"+host+"/",
		"||"+w.word(), "||"+w.word()+".", "||"+w.word()+".*/"+w.pattern(), "||"+host+":8080/"+w.pattern(), "||"+host,
		"|"+w.one("http", "https", "ws")+"://"+host+w.one("", "/"+w.pattern()), "|http*"+w.pattern(),
		w.pattern(), "/"+w.pattern(), "."+w.pattern(), w.pattern(), "/"+w.pattern(), "://"+host+"/", "*",
		`/pixel\.gif/`, `/^https?:\/\/[a-z]{3,8}\.example\.com\//`, `/ads|track[0-9]+\//`, `/\/(a|b1)\/[^\/]+js$/`,
		`/\bpixel\b/`, `/[A-Z]ixel.*x$/`, `/\/x?$/`, `/:\/\/[^\/]*analytics[^\/]*\/.*(js|gif)/`,
	)
	if w.chance(10) {
		text += "|"
	}
	var options []string
	for _, o := range []struct {
		percent int
		text    string
	}{
		{15, w.one("script", "image", "~script", "image,xmlhttprequest", "websocket", "~image,~ping", "subdocument", "other", "document,script")},
		{15, w.one("third-party", "first-party")},
		{25, "domain=" + w.names()}, {12, "to=" + w.names()}, {5, "denyallow=" + w.one("example.com", "pixel.net|example.org")},
		{8, "method=" + w.one("post", "~get", "get|head")}, {10, "match-case"}, {8, "important"},
	} {
		if w.chance(o.percent) {
			options = append(options, o.text)
		}
	}
	if len(options) > 0 {
		text += "$" + strings.Join(options, ",")
	}
	return w.one("", "", "", "@@") + text
}

// address is one in canonical form.
func (w writer) address() string {
	origin := w.one("https", "https", "http", "wss", "ws") + "://" + w.host() + w.one("", "", "", "", ":8080")
	path := "/" + w.text("", "/", ".", "-", "_", "?", "=", "&", "%2F", ",", "~", "/", "$", ":", "+")
	if w.chance(10) {
		// Around the length where rules stop to look.
		path += strings.Repeat("y", max(0, address.MaxText-len(origin+path)-w.IntN(25))) + w.text("/", "", ".")
	}
	return origin + path
}

// spelled is a canonical address as it may be written.
func (w writer) spelled(canonical string) string {
	scheme, rest, _ := strings.Cut(canonical, "://")
	host := hostOf(canonical)
	behind := strings.TrimPrefix(rest, host)
	switch w.IntN(12) {
	case 0, 1:
		return canonical + "#" + w.text("/", "?", "#") + strings.Repeat("z", w.IntN(2)*w.IntN(address.MaxText))
	case 2:
		return strings.ToUpper(scheme) + "://user:word@" + rest
	case 3:
		if strings.HasPrefix(behind, "/") {
			return scheme + "://" + host + map[string]string{"https": ":443", "http": ":80", "wss": ":443", "ws": ":80"}[scheme] + behind
		}
	case 4:
		if !isIP(host) {
			return scheme + "://" + host + "." + behind
		}
	}
	return canonical
}

// meet makes a request, most often one that a rule may be about.
func (w writer) meet(m *model) ask {
	r := &m.rules[w.IntN(len(m.rules))].Rule
	url := w.address()
	if w.chance(60) {
		near := w.addressFor(m, r)
		if canonical, err := address.Canonical(nil, []byte(near)); err == nil && string(canonical) == near && isName(hostOf(near)) {
			url = near
		}
	}
	page := w.one("", "about:blank", "https://"+w.host()+"/", "https://"+w.host()+":8443/", "https://"+w.pageFor(r, hostOf(url))+"/",
		"https://"+w.pageFor(r, hostOf(url))+"/")
	kind, ok := w.kindOf(r.Types)
	if !ok || w.chance(20) {
		kind = filter.Type(w.IntN(len(filter.TypeNames())))
	}
	return ask{newTarget(url), &match.Request{
		URL: []byte(w.spelled(url)), Page: []byte(page), Type: kind, Method: filter.Method(w.IntN(4) * w.IntN(3)), Leaks: w.chance(30),
		Mode: []match.Mode{match.ModeProtect, match.ModeProtect, match.ModeProtect, match.ModeStrict, match.ModeStrict, match.ModeWatch,
			match.ModeOff}[w.IntN(7)],
	}}
}

// The matcher says what the model says, of small random lists and addresses
// made of the same words.
func TestDecideAgreesWithTheModel(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(5, 6))}
	reasons := map[match.Reason]int{}
	for range 300 {
		m := &model{}
		for len(m.rules) < 25 {
			if r, ok := kinded(w.rule(), w.Rand); ok {
				m.rules = append(m.rules, r)
			}
		}
		list, err := compile.Parse((&compile.List{Rules: m.rules}).Text())
		if err != nil {
			t.Fatal(err)
		}
		matcher := matcherOf(t, list.Rules)
		for range 100 {
			a := w.meet(m)
			q := a.request
			want, by := m.decide(a.target, q)
			reasons[want.Reason]++
			if problem := compare(matcher, q, want, by); problem != "" {
				t.Fatalf("%s, type %s, method %s, mode %s, leaks %v, page %s: %s\nthe list: %s",
					q.URL, q.Type, q.Method, match.ModeNames[q.Mode], q.Leaks, q.Page, problem, smallest(t, m, a.target, q))
			}
		}
	}
	t.Log("by reason:", reasons)
	for why := match.Off; why < match.Unlisted; why++ {
		if reasons[why] == 0 && why != match.Local && why != match.Leak && why != match.Unreadable {
			t.Errorf("no request was decided for reason %s: the test shows less than it should", why)
		}
	}
}

// Where rules stop to look, nothing ends.
func TestAnEndIsNoCut(t *testing.T) {
	const path = "https://ads.example/"
	for _, line := range []string{"||ads.example/*.gif|", "/y*.gif|", "|https://*.gif|", "||ads.*.gif|"} {
		rule, err := filter.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		m := matcherOf(t, []bundle.KindedRule{{Rule: rule}})
		whole := path + strings.Repeat("y", address.MaxText-len(path+".gif")) + ".gif"
		for url, want := range map[string]match.Reason{
			whole: match.Listed, whole + "#top": match.Listed, whole + "more": match.Unlisted,
			path + "yy.gif#" + whole: match.Listed,
		} {
			q := &match.Request{URL: []byte(url), Page: []byte("https://page.example/"), Type: filter.Image, Mode: match.ModeProtect}
			if d, err := m.Decide(q); err != nil || d.Reason != want {
				t.Errorf("%s: …%s: %s, %v", line, url[len(url)-10:], d.Reason, err)
			}
		}
	}
}

// Words are found a block of bits at a time: it may begin anywhere in a pattern.
func TestAPatternIsFoundAtEveryPlace(t *testing.T) {
	for _, line := range []string{
		"-tracker-", "%2fsent_", "/b/ss/", ".js?tg=", "&pixels=", "_12/", "-7u7-", "_77p_", "averylongword7", "?a=1&b=", "/x^", "-17-",
	} {
		rule, err := filter.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		m := matcherOf(t, []bundle.KindedRule{{Rule: rule}})
		text := strings.ReplaceAll(strings.ToUpper(rule.Pattern), "^", "?")
		for _, filling := range []string{"/", "-", "&v=1", "2f%", "X"} {
			for n := range 200 {
				url := "https://any.example/" + strings.Repeat(filling, n)[:n] + "~" + text
				q := &match.Request{URL: []byte(url), Page: []byte("https://page.example/"), Type: filter.Image, Mode: match.ModeProtect}
				if d, err := m.Decide(q); err != nil || d.Reason != match.Listed {
					t.Fatalf("%s: %s: %s, %v", line, url, d.Reason, err)
				}
			}
		}
	}
}

// compare asks the matcher and says what is wrong with its answer.
func compare(m *match.Matcher, q *match.Request, want match.Decision, by []string) string {
	got, err := m.Decide(q)
	switch {
	case err != nil:
		return err.Error()
	case got != want:
		return fmt.Sprintf("%s (would %s) for %s by %q, want %s (would %s) for %s by %q",
			got.Action, got.Would, got.Reason, m.Rule(), want.Action, want.Would, want.Reason, by)
	case len(by) > 0 && !slices.Contains(by, m.Rule()):
		return fmt.Sprintf("%s by %q, want one of %q", got.Reason, m.Rule(), by)
	}
	return ""
}

// smallest leaves out the rules without which matcher and model still differ.
func smallest(t *testing.T, m *model, address *target, q *match.Request) (lines []string) {
	rules := m.rules
	for i := len(rules) - 1; i >= 0; i-- {
		fewer := &model{rules: slices.Delete(slices.Clone(rules), i, i+1)}
		want, by := fewer.decide(address, q)
		if compare(matcherOf(t, fewer.rules), q, want, by) != "" {
			rules = fewer.rules
		}
	}
	for _, r := range rules {
		lines = append(lines, fmt.Sprintf("%s (kind %d)", r.Rule, r.Kind))
	}
	return lines
}

// listed are the lists that every rule is looked for in: that of PARAVENT_LIST,
// a canonical text, or that of the vectors and a random one.
func listed(t *testing.T) map[string][]bundle.KindedRule {
	t.Helper()
	lists := map[string][]bundle.KindedRule{}
	add := func(name string, text []byte) {
		list, err := compile.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		lists[name] = list.Rules
	}
	if name := os.Getenv("PARAVENT_LIST"); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		add("PARAVENT_LIST", text)
		return lists
	}
	add("vectors", vectors.List)
	w := writer{rand.New(rand.NewPCG(7, 8))}
	list := &compile.List{}
	for len(list.Rules) < 1000 {
		// What holds nearly everywhere would only hide the others.
		if r, ok := kinded(w.rule(), w.Rand); ok && len(r.Rule.Pattern)+len(r.Rule.Host) > 8 {
			list.Rules = append(list.Rules, r)
		}
	}
	add("random", list.Text())
	return lists
}

// everything is a rule that no list could carry: it stops every request.
var everything = bundle.KindedRule{}

// halves are a list's rules that stop requests, and those that let them pass
// with something to pass by.
func halves(rules []bundle.KindedRule) (stops, passes []bundle.KindedRule) {
	passes = []bundle.KindedRule{everything}
	for _, r := range rules {
		if r.Kind.Stops() {
			stops = append(stops, r)
		} else {
			passes = append(passes, r)
		}
	}
	return stops, passes
}

// No rule is lost. For each a request is made that it is about, and worded in
// several ways. Something decides it as the rule says; in the whole list that
// may be another rule, or an exception, so the rule is also looked for among
// its half of the list, among few others, and alone if still another one is
// named.
func TestEveryRuleIsFound(t *testing.T) {
	// What the whole list may say of a request that a rule of a kind is about,
	// and what its half may say.
	inList := [...][]match.Reason{
		bundle.Block:     {match.Listed, match.Photo, match.Exception, match.Needed},
		bundle.Photo:     {match.Photo, match.Listed, match.Exception, match.Needed},
		bundle.Exception: {match.Exception, match.Needed, match.Listed, match.Unlisted},
		bundle.Important: {match.Listed, match.Needed},
		bundle.Need:      {match.Needed},
	}
	inHalf := [...][]match.Reason{
		bundle.Block:     {match.Listed, match.Photo},
		bundle.Photo:     {match.Photo, match.Listed},
		bundle.Exception: {match.Exception, match.Needed},
		bundle.Important: {match.Listed},
		bundle.Need:      {match.Needed},
	}
	for name, rules := range listed(t) {
		t.Run(name, func(t *testing.T) {
			w := writer{rand.New(rand.NewPCG(9, 10))}
			w.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
			m := &model{}
			list := matcherOf(t, rules)
			stops, passes := halves(rules)
			half := map[bool]*match.Matcher{true: matcherOf(t, stops), false: matcherOf(t, passes)}
			covered, requests, masked := 0, 0, 0
			left := map[string]int{}
			check := func(few map[bool]*match.Matcher, r *bundle.KindedRule) {
				first, why := w.satisfy(m, &r.Rule)
				if why != "" {
					left[why]++
					t.Logf("not looked for: %s: %s", r.Rule, why)
					return
				}
				covered++
				text := r.Rule.String()
				for _, a := range w.wordings(m, &r.Rule, first) {
					requests++
					q := a.request
					ask := func(where string, in *match.Matcher, want ...match.Reason) {
						d, err := in.Decide(q)
						if err != nil || !slices.Contains(want, d.Reason) {
							t.Errorf("%s: %s %s, method %s, from %s in %s: %s for %s by %q, %v",
								text, q.Type, q.URL, q.Method, q.Page, where, d.Action, d.Reason, in.Rule(), err)
						}
					}
					ask("the list", list, inList[r.Kind]...)
					ask("its half", half[r.Kind.Stops()], inHalf[r.Kind]...)
					ask("a part of its half", few[r.Kind.Stops()], inHalf[r.Kind]...)
					if few[r.Kind.Stops()].Rule() != text {
						masked++
						one, other := halves([]bundle.KindedRule{*r})
						if !r.Kind.Stops() {
							one = other
						}
						alone := matcherOf(t, one)
						ask("a list of its own", alone, inHalf[r.Kind]...)
						if alone.Rule() != text {
							t.Errorf("%s: alone named as %s", text, alone.Rule())
						}
					}
				}
			}
			for part := range slices.Chunk(rules, 500) {
				stops, passes := halves(part)
				few := map[bool]*match.Matcher{true: matcherOf(t, stops), false: matcherOf(t, passes)}
				for i := range part {
					check(few, &part[i])
				}
			}
			t.Logf("%d of %d rules looked for by %d requests, %d of them alone; not looked for: %v", covered, len(rules), requests, masked, left)
			if covered < len(rules)*9/10 {
				t.Error("too few to show anything")
			}
		})
	}
}

// An ask is a request with its address taken apart.
type ask struct {
	target  *target
	request *match.Request
}

// satisfy makes a request that a rule is about. Where it cannot, it says why.
func (w writer) satisfy(m *model, r *filter.Rule) (a ask, why string) {
	kind, ok := w.kindOf(r.Types)
	if !ok {
		return a, "about documents only"
	}
	method := filter.Get
	for !r.Methods.Has(method) {
		method++
	}
	why = "no canonical address has its pattern"
	for range 1000 {
		url := w.addressFor(m, r)
		if canonical, err := address.Canonical(nil, []byte(url)); err != nil || string(canonical) != url {
			continue
		}
		t := newTarget(url)
		if !isName(t.host) || !m.matchesText(r, t) || !inSet(t.host, r.To) {
			continue
		}
		why = "no page has its domains and its party"
		for range 10 {
			q := &match.Request{
				URL: []byte(url), Page: []byte("https://" + w.pageFor(r, t.host) + "/"), Type: kind, Method: method,
				Mode: match.ModeProtect,
			}
			if m.matches(r, t, q) {
				return ask{t, q}, ""
			}
		}
	}
	return a, why
}

// kindOf draws one of a rule's types that is not the document.
func (w writer) kindOf(types filter.Types) (filter.Type, bool) {
	n := len(filter.TypeNames())
	for _, i := range w.Perm(n) {
		if t := filter.Type(i); t != filter.MainFrame && types.Has(t) {
			return t, true
		}
	}
	return 0, false
}

// pageFor draws a host of a page that a rule for a host may hold on.
func (w writer) pageFor(r *filter.Rule, host string) string {
	hosts := []string{"page.example", host}
	if name := w.named(r.Domains); name != "" {
		hosts = append(hosts, name, name, name)
	}
	return w.one(hosts...)
}

// named draws a host that a list of domains names, "" when it names none.
func (w writer) named(set []filter.Domain) string {
	var names []string
	for _, d := range set {
		if !d.Not {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	name := w.one(names...)
	if base, isEntity := strings.CutSuffix(name, ".*"); isEntity {
		name = base + w.one(".com", ".co.uk")
	}
	if isIP(name) {
		return name
	}
	return w.one("", "", "www.") + name
}

// addressFor draws an address that a rule may be about.
func (w writer) addressFor(m *model, r *filter.Rule) string {
	url := w.around(r, w.fill(m, r))
	if before, behind, ok := strings.Cut(url, stretch); ok {
		behind = strings.ReplaceAll(behind, stretch, "")
		url = before + strings.Repeat("y", max(0, address.MaxText+w.IntN(3)-1-len(before+behind))) + behind
		if w.chance(50) {
			url += w.word()
		}
	}
	return url
}

// around writes an address around a text that a rule's pattern matches.
func (w writer) around(r *filter.Rule, text string) string {
	scheme := w.one("https", "https", "http", "wss") + "://"
	host := w.named(r.To)
	behind := ""
	if !r.End && !strings.HasSuffix(text, "/") {
		behind = w.one("", "", "/", "?x=1", "more", "&more")
	} else if !r.End {
		behind = w.one("", "", "x", "more/x.js?y")
	}
	if r.Host != "" {
		if host == "" || !within(host, r.Host) {
			host = r.Host
		}
		if text == "" {
			text = "/"
		}
		return scheme + host + w.one("", "", "", ":8080") + text + behind
	}
	if host == "" && r.Party == filter.FirstParty {
		host = w.named(r.Domains)
	}
	if host == "" {
		host = w.one("host.example", "www.host.example", "a.host.example:8080")
	}
	rest := w.one("", "", "/", "x.example/", ".example/", "example/", host+"/", "."+host+"/") + behind
	switch r.Anchor {
	case filter.AtStart:
		return text + rest
	case filter.AtLabel:
		return scheme + w.one("", "sub.") + text + rest
	}
	return w.one(
		scheme+host+"/"+text+behind, scheme+host+"/path"+text+behind, scheme+host+text+behind, scheme+host+"/a/"+text+behind,
		scheme+host+"/?a="+text+behind,
		scheme+text+rest, scheme+"x"+text+rest, scheme+"sub."+text+rest, scheme+host+"."+text+rest,
		"http"+text+rest, "https"+text+rest, "http"+text+host+"/", text+rest)
}

// stretch stands for as much text as makes an address just so long that rules
// see all of it, or just not.
const stretch = "<stretch>"

// fill writes a text that a rule's pattern matches, if the right things stand
// around it.
func (w writer) fill(m *model, r *filter.Rule) string {
	var b strings.Builder
	if r.Regexp {
		w.fillRegexp(&b, m.syntax(r))
		return b.String()
	}
	for i, c := range []byte(r.Pattern) {
		switch {
		case c == '*' && r.Anchor == filter.AtStart:
			b.WriteString(w.one("", "x", "://host.example/", "s://host.example/path"))
		case c == '*' && (w.chance(4) || r.End && w.chance(25)):
			b.WriteString(stretch)
		case c == '*':
			b.WriteString(w.one("", "x", "some-text", "a/b", "8080", w.text("-", "/", "")))
		case c == '^' && i == 0 && r.Host != "":
			b.WriteByte('/')
		case c == '^':
			b.WriteString(w.one("/", "/", "?", "&", "=", ":"))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (m *model) syntax(r *filter.Rule) *syntax.Regexp {
	parsed, err := syntax.Parse(m.regexp(r).String(), syntax.Perl)
	if err != nil {
		panic(err) // regexp has parsed it
	}
	return parsed
}

// fillRegexp writes a text that an expression matches, unless it asks for what
// stands around a place.
func (w writer) fillRegexp(b *strings.Builder, re *syntax.Regexp) {
	repeat := func(low, high int) {
		for range low + w.IntN(high-low+1) {
			w.fillRegexp(b, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(strings.ToLower(string(re.Rune)))
	case syntax.OpCharClass:
		var ascii []byte
		for c := byte('!'); c < 0x7f; c++ {
			for i := 0; i < len(re.Rune); i += 2 {
				if re.Rune[i] <= rune(c) && rune(c) <= re.Rune[i+1] {
					ascii = append(ascii, c)
				}
			}
		}
		// Most letters and digits stand for themselves in every address.
		if plain := slices.DeleteFunc(slices.Clone(ascii), func(c byte) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", rune(c)) }); len(plain) > 0 {
			ascii = plain
		}
		b.WriteByte(ascii[w.IntN(len(ascii))])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(w.one("x", "1", "-", "/"))
	case syntax.OpStar:
		repeat(0, 3)
	case syntax.OpPlus:
		repeat(1, 3)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		if high := re.Max; high < 0 {
			repeat(re.Min, re.Min+3)
		} else {
			repeat(re.Min, high)
		}
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			w.fillRegexp(b, sub)
		}
	case syntax.OpAlternate:
		w.fillRegexp(b, re.Sub[w.IntN(len(re.Sub))])
	}
}

// wordings are the request and the same in capitals, behind a longer query and
// for a subdomain, as far as the rule is still about it.
func (w writer) wordings(m *model, r *filter.Rule, a ask) []ask {
	all := []ask{a}
	url := string(a.request.URL)
	add := func(canonical, written string) {
		q := *a.request
		q.URL = []byte(written)
		if t := newTarget(canonical); m.matches(r, t, &q) {
			all = append(all, ask{t, &q})
		}
	}
	capitals := []byte(url)
	for i, c := range capitals {
		if 'a' <= c && c <= 'z' && w.chance(50) {
			capitals[i] -= 'a' - 'A'
		}
	}
	if !r.MatchCase && !r.Regexp {
		add(string(capitals), string(capitals))
	}
	query := "?"
	if strings.Contains(url, "?") {
		query = "&"
	}
	longer := url + query + "longer=" + w.text("=", "&", "%20") + "&u=https%3A%2F%2Fbooking.example%2F" + strings.Repeat(w.word()+"-", w.IntN(80))
	add(longer, longer)
	if scheme, rest, _ := strings.Cut(url, "://"); !isIP(a.target.host) {
		sub := scheme + "://" + w.one("sub.", "a.b.", "x1.") + rest
		add(sub, sub)
	}
	return all
}
