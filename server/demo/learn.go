package demo

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A fact is one thing that a recipient can tell about a patient. kind is the
// key of its sentence in the words, after "learnt."; a and b are ids from the
// directory, or text as it was received.
type fact struct{ kind, a, b string }

// facts keeps the order in which things were learnt, each once.
type facts struct {
	list []fact
	seen map[fact]bool
	// What is said in one sentence, however often it came.
	saw     []string          // doctors whose photos were served
	buttons []string          // their texts
	typed   map[string]string // field → the longest text seen in it
}

func (f *facts) add(kind, a, b string) {
	x := fact{kind, a, b}
	if !f.seen[x] {
		f.seen[x] = true
		f.list = append(f.list, x)
	}
}

// learn reads a record as a curious recipient would. It knows nothing but the
// record and the public directory.
func learn(requests []Request) *facts {
	f := &facts{seen: map[fact]bool{}, typed: map[string]string{}}
	for i := range requests {
		r := &requests[i]
		if r.From != "browser" {
			continue
		}
		f.fromAddress(r.URL)
		f.clue("referer", r.Headers["referer"])
		f.fromBody(r.Body)
		if c := r.Headers["cookie"]; c != "" {
			if strings.Contains(c, "session=") {
				f.add("session", "", "")
			}
			if strings.Contains(c, visitorCookie+"=") {
				f.add("cookie", "", "")
			}
		}
		for _, h := range []string{"referer", "origin"} {
			if u, err := url.Parse(r.Headers[h]); err == nil && u.Host != "" {
				f.add("visitor", u.Hostname(), "")
			}
		}
	}
	return f
}

// fromAddress reads the request's own address.
func (f *facts) fromAddress(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	if d, _ := pictured(u.Path); d != nil {
		f.addSaw(d.slug)
	}
	if city := tileCity(u.Path); city != nil {
		f.add("map", city.id, "")
	}
	f.fromQuery(u.Query())
}

// fromPage reads an address of the booking site: the address is the diagnosis.
func (f *facts) fromPage(u *url.URL) {
	path := strings.Trim(u.Path, "/")
	path = strings.TrimPrefix(strings.TrimPrefix(path, "strict/"), "offline/")
	a, b, _ := strings.Cut(path, "/")
	q := u.Query()
	switch {
	case specialtyOf(a) != nil && cityOf(b) != nil:
		f.add("search", a, b)
	case a == "doctor" && bySlug[b] != nil:
		f.add("doctor", b, "")
	case a == "book" && bySlug[b] != nil:
		f.add("book", b, "")
	case a == "confirmed" && bySlug[q.Get("doctor")] != nil:
		f.add("booked", q.Get("doctor"), "")
	}
	f.fromQuery(q)
}

func (f *facts) fromQuery(q url.Values) {
	for _, key := range sortedKeys(q) {
		for _, v := range q[key] {
			f.clue(key, v)
		}
	}
}

// fromBody reads JSON, lines of JSON, or a form.
func (f *facts) fromBody(body string) {
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		dec := json.NewDecoder(strings.NewReader(body))
		for {
			var v any
			if dec.Decode(&v) != nil {
				return
			}
			f.fromJSON("", v)
		}
	}
	if q, err := url.ParseQuery(body); err == nil {
		f.fromQuery(q)
	}
}

func (f *facts) fromJSON(key string, v any) {
	switch v := v.(type) {
	case string:
		f.clue(key, v)
	case []any:
		if key == "breadcrumbs" && len(v) > 0 {
			f.add("steps", "", "")
		}
		for _, x := range v {
			f.fromJSON(key, x)
		}
	case map[string]any:
		if field, ok := v["field"].(string); ok {
			if text, ok := v["value"].(string); ok {
				f.addTyped(field, text)
			}
		}
		for _, k := range sortedKeys(v) {
			f.fromJSON(k, v[k])
		}
	}
}

// clue reads one named value, wherever it stood.
func (f *facts) clue(key, value string) {
	if value == "" {
		return
	}
	if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
		if u, err := url.Parse(value); err == nil {
			f.fromPage(u)
		}
		return
	}
	switch key {
	case "Data":
		if text := decoded(value); text != "" {
			f.fromBody(text)
		}
	case "insurance", "insuranceSector":
		if knownInsurance(value) {
			f.add("insurance", value, "")
		}
	case "motive", "motiveKey":
		if knownMotive(value) {
			f.add("motive", value, "")
		}
	case "q", "search_term":
		if specialty, city, _ := strings.Cut(value, " "); specialtyOf(specialty) != nil && cityOf(city) != nil {
			f.add("search", specialty, city)
		}
	case "cd[buttonText]":
		if !slices.Contains(f.buttons, value) {
			f.buttons = append(f.buttons, value)
		}
	case "cd[doctor]":
		f.add("named", value, "")
	case "cid": // a number that a script keeps in the site's own cookies
		f.add("cookie", "", "")
	case "choice":
		f.add("choice", value, "")
	case "card":
		f.add("card", "", "")
	case "proof":
		f.add("human", "", "")
	case "device":
		f.add("device", "", "")
	case "from", "to": // breadcrumbs leave the site's own origin out
		if u, err := url.Parse(value); err == nil && strings.HasPrefix(value, "/") {
			f.fromPage(u)
		}
	}
}

func (f *facts) addSaw(slug string) {
	if slices.Contains(f.saw, slug) {
		return
	}
	f.saw = append(f.saw, slug)
	// The same photos come with every search: who sees them sees the search.
	d, same := bySlug[slug], 0
	for _, s := range f.saw {
		if bySlug[s].specialty == d.specialty && bySlug[s].city == d.city {
			same++
		}
	}
	if same >= 3 {
		f.add("deduced", d.specialty, d.city)
	}
}

func (f *facts) addTyped(field, text string) {
	if len(text) > len(f.typed[field]) {
		if f.typed[field] == "" {
			f.add("typed", field, "")
		}
		f.typed[field] = text
	}
}

// sentences says in lang what was learnt from a record.
func (got received) sentences(l lang) []string {
	f := learn(got.requests)
	out := []string{}
	if len(f.saw) > 0 {
		names := make([]string, len(f.saw))
		for i, slug := range f.saw {
			names[i] = bySlug[slug].name
		}
		out = append(out, l.say("learnt.saw", l.doctors(len(names)), strings.Join(names, ", ")))
	}
	var last []string // the weaker ones
	for _, x := range f.list {
		switch x.kind {
		case "search", "deduced":
			out = append(out, l.say("learnt."+x.kind, l.say("specialty."+x.a+".one"), cityOf(x.b).name))
		case "doctor", "book", "booked":
			if x.kind == "book" && f.seen[fact{"booked", x.a, ""}] {
				continue // the rest of the story is known
			}
			d := bySlug[x.a]
			out = append(out, l.say("learnt."+x.kind, d.name, l.say("specialty."+d.specialty+".one"), cityOf(d.city).name))
		case "insurance", "motive", "choice":
			out = append(out, l.say("learnt."+x.kind, l.say(x.kind+"."+x.a)))
		case "map":
			out = append(out, l.say("learnt.map", cityOf(x.a).name))
		case "typed":
			out = append(out, l.say("learnt.typed", f.typed[x.a], l.field(x.a)))
		case "named":
			out = append(out, l.say("learnt.named", x.a))
		case "visitor":
			// Worth a sentence only if nothing more is known.
		case "cookie", "session", "steps":
			last = append(last, l.say("learnt."+x.kind))
		default:
			out = append(out, l.say("learnt."+x.kind))
		}
	}
	if len(f.buttons) > 0 {
		quoted := make([]string, len(f.buttons))
		for i, text := range f.buttons {
			quoted[i] = l.say("quote", text)
		}
		out = append(out, l.say("learnt.buttons", strings.Join(quoted, ", ")))
	}
	if len(out) == 0 {
		for _, x := range f.list {
			if x.kind == "visitor" {
				out = append(out, l.say("learnt.visitor", x.a))
			}
		}
	}
	out = append(out, last...)
	if len(out) == 0 && got.silent > 0 {
		out = append(out, l.say("learnt.connection"))
	}
	return out
}

// relayed says what the gateway asked for, which is nothing about anybody.
func (got received) relayed(l lang) string {
	n := 0
	for i := range got.requests {
		if got.requests[i].From == "gateway" {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return l.say("board.relayed", strconv.Itoa(n))
}

// tileCity returns the city that a map tile's path shows, or nil.
func tileCity(path string) *city {
	x, y, ok := tileNumbers(path)
	if !ok {
		return nil
	}
	return cityAt(x, y)
}

// decodedBody returns what a stream record's Data carries, or "".
func decodedBody(body string) string {
	var envelope struct {
		Record struct{ Data string }
	}
	if json.Unmarshal([]byte(body), &envelope) != nil {
		return ""
	}
	return decoded(envelope.Record.Data)
}

func decoded(data string) string {
	text, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}
