package page

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"paravent/lists/diff"
	"paravent/lists/law"
)

// A writer writes a page. The formats are HTML with "%s" in text and in values
// of attributes between double quotes, and whatever is put there is escaped.
// html/template would do it too, and would make a Worker half as large again:
// as it finds methods by their names, every one of the program stays in it.
type writer struct {
	strings.Builder
	*language
}

func (w *writer) put(format string, values ...string) {
	escaped := make([]any, len(values))
	for i, value := range values {
		escaped[i] = html.EscapeString(value)
	}
	fmt.Fprintf(w, format, escaped...)
}

// line writes an element around a sentence: line("p", "lead").
func (w *writer) line(element, key string, args ...any) {
	w.put("<"+element+">%s</"+element+">\n", w.say(key, args...))
}

// instant writes a time for people and programs.
func (w *writer) instant(t time.Time) {
	w.put(`<time datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339), w.day(t))
}

// page writes a whole page.
func (w *writer) page(v *view) {
	title := w.say("title")
	if v.Query != "" {
		title = v.Query + " · " + title
	}
	w.put("<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n", v.Lang)
	w.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n", title)
	w.WriteString("<style>" + styleText + "</style>\n</head>\n<body>\n")
	other := "/?lang=" + v.Other
	current := ` aria-current="page"`
	if v.Found != nil {
		other, current = "/search?q="+url.QueryEscape(v.Query)+"&lang="+v.Other, ""
	}
	w.put("<header>\n<p>%s</p>\n<nav>\n", w.say("title"))
	w.put("<a href=\"/?lang=%s\""+current+">%s</a>\n", v.Lang, w.say("home"))
	w.put("<a href=\"%s\" lang=\"%s\" hreflang=\"%s\">%s</a>\n</nav>\n</header>\n<main>\n", other, v.Other, v.Other, w.say("switch"))
	switch {
	case v.Failed:
		w.state("bad", w.say("failed"), w.say("failed.more"))
	case v.edition == nil:
		w.state("care", w.say("empty"), w.say("empty.more"))
	case v.Found != nil:
		w.form(v)
		w.found(v)
	default:
		w.put("<p class=\"lead\">%s</p>\n", w.say("lead"))
		w.form(v)
		w.release(v)
	}
	w.put("</main>\n<footer><p>%s</p></footer>\n</body>\n</html>\n", w.say("foot"))
}

// state writes what a page says first, in the colour of "", "care" or "bad".
func (w *writer) state(tone, headline string, more ...string) {
	w.put("<div class=\"%s\">\n<h1>%s</h1>\n", strings.TrimSpace("state "+tone), headline)
	for _, text := range more {
		w.put("<p>%s</p>\n", text)
	}
	w.WriteString("</div>\n")
}

func (w *writer) form(v *view) {
	w.put(`<form action="/search" role="search">
<label for="q">%s</label>
<p class="hint" id="hint">%s</p>
<div>
<input id="q" name="q" value="%s" aria-describedby="hint" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1000" required>
<input type="hidden" name="lang" value="%s">
<button>%s</button>
</div>
</form>
`, w.say("search"), w.say("search.hint"), v.Query, v.Lang, w.say("search.go"))
}

// release writes what is in force.
func (w *writer) release(v *view) {
	r, index := v.Release, fmt.Sprint(v.Release.Index)
	if v.Now.After(r.Expires) {
		w.state("care", w.say("stale", index), w.say("stale.more"))
	} else {
		w.state("", w.say("inforce", index))
	}
	w.put("<dl class=\"facts\">\n<dt>%s</dt><dd>", w.say("issued"))
	w.instant(r.Issued)
	w.put("</dd>\n<dt>%s</dt><dd>", w.say("expires"))
	w.instant(r.Expires)
	w.put("</dd>\n<dt>%s</dt><dd><ul>", w.say("signed"))
	for _, name := range v.Signers {
		w.put("<li>%s</li>", name)
	}
	w.put("</ul><span class=\"quiet\">%s</span>", w.say("needed", v.Needed, v.Keys))
	if v.NewKeys {
		w.put("<br>%s", w.say("newkeys"))
	}
	w.put("</dd>\n<dt>%s</dt><dd>", w.say("witnesses"))
	if len(v.Witnesses) == 0 {
		w.put("%s", w.say("nowitness"))
	} else {
		w.WriteString("<ul>")
		for _, c := range v.Witnesses {
			w.put("<li>%s</li>", w.say("seen", c.Name, w.day(c.Time)))
		}
		w.WriteString("</ul>")
	}
	w.put("</dd>\n<dt>%s</dt><dd><code>%s</code></dd>\n</dl>\n", w.say("source"), r.Source)

	w.line("h2", "counts")
	w.WriteString("<ul class=\"numbers\">\n")
	for _, count := range []struct {
		n   int
		key string
	}{
		{len(v.list.Hosts), "count.hosts"}, {v.list.Rules, "count.rules"}, {len(v.list.Sites), "count.sites"}, {v.list.Names, "count.names"},
	} {
		w.put("<li><strong>%s</strong> %s</li>\n", w.number(count.n), w.many(count.key, count.n))
	}
	w.WriteString("</ul>\n")
	w.changes(v)
	w.line("h2", "protected")
	w.WriteString("<ul class=\"sites\">\n")
	for _, s := range v.list.Sites {
		w.put("<li>%s <span class=\"quiet\">%s</span></li>\n", s.Name, strings.Join(s.Domains, " "))
	}
	w.WriteString("</ul>\n")
	w.past(v)
	w.verify(v)
}

// changes writes what is different from the release before.
func (w *writer) changes(v *view) {
	if v.Changes == nil {
		w.put("<p class=\"quiet\">%s</p>\n", w.say("changed.first"))
		return
	}
	w.line("h2", "changed", fmt.Sprint(v.Past[0].Index))
	if !v.Changes.Any() {
		w.line("p", "changed.none")
	}
	for _, s := range v.Changes.Sections {
		if len(s.Added)+len(s.Removed) == 0 {
			continue
		}
		w.summary(w.say("section."+s.Name), "+"+w.number(len(s.Added))+" −"+w.number(len(s.Removed)))
		w.WriteString("<ul class=\"lines\">\n")
		w.lines("−", w.say("removed"), s.Removed)
		w.lines("+", w.say("added"), s.Added)
		w.WriteString("</ul>\n</details>\n")
	}
	if n := len(v.Changes.Organisations); n > 0 {
		w.summary(w.say("for"), w.number(n))
		w.WriteString("<ul class=\"lines\">\n")
		for _, o := range v.Changes.Organisations {
			w.put("<li>%s <span class=\"who\">%s</span></li>\n", o.Name, w.say("for.more", o.Added, o.Removed))
		}
		w.WriteString("</ul>\n</details>\n")
	}
}

func (w *writer) summary(what, tally string) {
	w.put("<details>\n<summary>%s <span class=\"tally\">%s</span></summary>\n", what, tally)
}

// lines writes the first lines that were added or removed.
func (w *writer) lines(sign, means string, lines []diff.Line) {
	shown, more := cut(lines)
	for _, l := range shown {
		w.put("<li><span class=\"sign\" role=\"img\" aria-label=\"%s\">%s</span>%s", means, sign, strings.ReplaceAll(l.Text, "\t", " · "))
		if l.Organisation != "" {
			w.put(" <span class=\"who\">%s</span>", l.Organisation)
		}
		w.WriteString("</li>\n")
	}
	w.more(more)
}

// more says how many lines of a list are not shown.
func (w *writer) more(n int) {
	if n > 0 {
		w.put("<li class=\"who\">%s</li>\n", w.say("more", n))
	}
}

// past writes the releases before.
func (w *writer) past(v *view) {
	if len(v.Past) == 0 {
		return
	}
	w.put("<h2 id=\"past\">%s</h2>\n<div class=\"scroll\" role=\"region\" aria-labelledby=\"past\" tabindex=\"0\">\n<table aria-labelledby=\"past\">\n<thead><tr>", w.say("past"))
	for _, key := range []string{"past.index", "issued", "past.source", "past.note"} {
		w.put("<th scope=\"col\">%s</th>", w.say(key))
	}
	w.WriteString("</tr></thead>\n<tbody>\n")
	for _, p := range v.Past {
		w.put("<tr><td>%s</td><td>", fmt.Sprint(p.Index))
		w.instant(p.Issued)
		note := ""
		if p.Keys {
			note = w.say("past.keys")
		}
		w.put("</td><td><code>%s</code></td><td>%s</td></tr>\n", p.Source[:12], note)
	}
	w.WriteString("</tbody>\n</table>\n</div>\n")
}

// verify says how to check all this.
func (w *writer) verify(v *view) {
	w.line("h2", "verify")
	w.line("p", "verify.lead")
	w.WriteString("<ul>\n")
	for _, link := range []struct{ path, key string }{
		{"/v1/release", "verify.note"}, {"/checkpoint", "verify.point"},
		{"/v1/blob/" + v.Release.List.SHA256, "verify.list"}, {"/v1/blob/" + v.Release.Trust.SHA256, "verify.trust"},
	} {
		w.put("<li><a href=\"%s\">%s</a></li>\n", link.path, w.say(link.key))
	}
	w.WriteString("</ul>\n")
	w.line("p", "verify.run")
	for _, command := range []struct{ key, text string }{
		{"verify.once", "paravent release verify -trust lists/trust.txt "}, {"verify.watch", "paravent log monitor -trust lists/trust.txt -state log.json "},
	} {
		w.put("<p class=\"quiet\">%s</p>\n<pre><code>%s</code></pre>\n", w.say(command.key), command.text+v.Base)
	}
}

// found writes the answer to a search.
func (w *writer) found(v *view) {
	f := v.Found
	if v.Query == "" {
		w.line("p", "q.empty")
		return
	}
	if f.Host == "" {
		w.state("care", w.say("q.none", v.Query), w.say("q.none.more"))
		return
	}
	tone, more := "", []string(nil)
	if f.Verdict == "unlisted" {
		tone, more = "care", []string{w.say("q.unlisted.why", fmt.Sprint(v.Release.Index))}
	}
	if f.Site != "" {
		more = append(more, w.say("q.site", f.Site))
	}
	w.state(tone, w.say("q."+f.Verdict, f.Host), more...)

	w.line("h2", "q.who")
	if f.Recipient == nil {
		w.line("p", "q.who.none")
	} else {
		w.line("p", "q.who.in", f.Recipient.Name, w.country(f.Recipient.Country))
		if l, ok := law.Of(f.Recipient.Country); ok && l.Key == "cloud-act" {
			w.line("p", "q.law.cloud-act", l.Name)
		} else if ok {
			w.line("p", "q.law", l.Name)
		}
	}
	if len(f.Rules) > 0 {
		w.line("h2", "q.rules")
		w.rules(f.Rules, f.MoreRules)
	}
	if len(f.Elsewhere) > 0 {
		w.put("<details>\n<summary>%s</summary>\n", w.many("q.elsewhere", len(f.Elsewhere)+f.MoreElse))
		w.rules(f.Elsewhere, f.MoreElse)
		w.WriteString("</details>\n")
	}
	if f.Signs() {
		w.put("<p class=\"quiet\">%s</p>\n", w.say("if.signs"))
	}
	if len(f.Below) > 0 {
		w.put("<details>\n<summary>%s</summary>\n<ul class=\"lines\">\n", w.many("q.below", len(f.Below)+f.MoreBelow))
		for _, host := range f.Below {
			w.put("<li><a href=\"%s\">%s</a></li>\n", "/search?q="+url.QueryEscape(host)+"&lang="+v.Lang, host)
		}
		w.more(f.MoreBelow)
		w.WriteString("</ul>\n</details>\n")
	}
	if len(f.Rules) > 0 {
		w.line("h2", "q.why")
		w.line("p", "q.why.more", v.Release.Source)
	}
	w.put("<p class=\"quiet\">%s</p>\n", w.say("q.nameless", v.list.Nameless))
}

// rules writes rules with what they do.
func (w *writer) rules(rules []Rule, more int) {
	for _, r := range rules {
		w.put("<div class=\"rule\">\n<p><code>%s</code></p>\n<p>%s", r.Text, w.say("do."+r.Section, r.Host))
		conditions := w.conditions(r.Rule)
		if len(conditions) == 0 {
			w.WriteString(".</p>\n</div>\n")
			continue
		}
		w.put("%s</p>\n<ul>", w.say("if"))
		for _, text := range conditions {
			w.put("<li>%s</li>", text)
		}
		w.WriteString("</ul>\n</div>\n")
	}
	if more > 0 {
		w.line("p", "more", more)
	}
}
