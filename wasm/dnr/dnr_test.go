package dnr_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/wasm/dnr"
)

func open(t *testing.T, needs, exceptions, photos, hosts, rules string) *bundle.Bundle {
	t.Helper()
	text := "paravent list 1\n[sites]\n[recipients]\n"
	for i, name := range []string{"needs", "exceptions", "photos", "hosts", "rules"} {
		text += "[" + name + "]\n"
		if lines := []string{needs, exceptions, photos, hosts, rules}[i]; lines != "" {
			text += strings.ReplaceAll(lines, " ", "\n") + "\n"
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

var settings = &dnr.Settings{Protected: []string{"booking.example", "clinic.test"}, Placeholder: "/content/placeholder.svg"}

func Example() {
	data, _ := compile.Compile([]byte("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\na.example\nb.example\n[rules]\n"))
	list, _ := bundle.Open(data)
	rules, _, _ := dnr.Rules(list, &dnr.Settings{Protected: []string{"booking.example"}, Placeholder: "/p.svg"})
	text, _ := json.Marshal(rules)
	fmt.Println(string(text))
	// Output: [{"id":2,"priority":1,"action":{"type":"block"},"condition":{"requestDomains":["a.example","b.example"],"topDomains":["booking.example"]}}]
}

// Every row is one rule of a list and what Chromium is told, a line a rule.
func TestRules(t *testing.T) {
	pages := `"topDomains":["booking.example","clinic.test"]`
	for _, c := range []struct{ section, rule, want string }{
		{"needs", "||a.example^$domain=booking.example", `5 allow "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"exceptions", "@@||a.example/ok.js$script", `4 allow "urlFilter":"||a.example/ok.js",` + pages + `,"resourceTypes":["script"]`},
		{"exceptions", "@@||a.example^$domain=elsewhere.example", ``},
		{"photos", "||a.example/img/*.jpg|", `2 block "urlFilter":"||a.example/img/*.jpg|",` + pages + "\n" + `3 redirect "urlFilter":"||a.example/img/*.jpg|",` + pages + `,"resourceTypes":["image","xmlhttprequest"]`},
		{"rules", "||a.example^$third-party", `1 block "requestDomains":["a.example"],` + pages},
		{"rules", "||t.booking.example^$third-party", `1 block "requestDomains":["t.booking.example"],"topDomains":["clinic.test"]`},
		{"rules", "||t.booking.example^$first-party", `1 block "requestDomains":["t.booking.example"],"topDomains":["booking.example"]`},
		{"rules", "||a.example^$first-party", ``},
		{"rules", "||a.example^$~image", `1 block "requestDomains":["a.example"],` + pages + `,"resourceTypes":["sub_frame","stylesheet","script","font","object","xmlhttprequest","ping","media","websocket","webtransport","csp_report","other"]`},
		{"rules", "||a.example^$document", ``},
		{"rules", "||a.example^$domain=a.booking.example|~b.a.booking.example|~other.example", `1 block "requestDomains":["a.example"],"topDomains":["a.booking.example"],"excludedTopDomains":["b.a.booking.example"]`},
		{"rules", "||a.example^$domain=example", `1 block "requestDomains":["a.example"],"topDomains":["booking.example"]`},
		{"rules", "||a.localhost/x", `1 block "urlFilter":"||a.localhost/x",` + pages + "\n" + `1 block "urlFilter":"||a.localhost:*/x",` + pages},
	} {
		part := map[string]string{c.section: c.rule}
		list := open(t, part["needs"], part["exceptions"], part["photos"], "", part["rules"])
		rules, counts, err := dnr.Rules(list, settings)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rules {
			condition, _ := json.Marshal(r.Condition)
			got = append(got, fmt.Sprintf("%d %s %s", r.Priority, r.Action.Type, strings.Trim(string(condition), "{}")))
		}
		if s := strings.Join(got, "\n"); s != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.rule, s, c.want)
		}
		if counts.Rules+counts.Elsewhere != 1 || (counts.Elsewhere == 1) != (c.want == "") {
			t.Errorf("%s: counted as %+v", c.rule, counts)
		}
	}
}

func TestHostsWithTheSameConditionsShareARule(t *testing.T) {
	list := open(t, "", "", "", "x.example", "||a.example^$third-party ||b.example^$third-party ||c.example^$script")
	rules, _, err := dnr.Rules(list, settings)
	if err != nil || len(rules) != 3 {
		t.Fatalf("%d rules, %v", len(rules), err)
	}
	ids := map[int]bool{}
	for _, r := range rules {
		if ids[r.ID] || r.ID == dnr.SwitchID {
			t.Errorf("id %d is taken", r.ID)
		}
		ids[r.ID] = true
	}
	if got := fmt.Sprint(rules[0].Condition.RequestDomains); got != "[a.example b.example]" {
		t.Error(got)
	}
}

func TestSwitch(t *testing.T) {
	if rules := dnr.Switch(settings); len(rules) != 0 {
		t.Errorf("nothing is allowed, yet %v", rules)
	}
	rules := dnr.Switch(&dnr.Settings{Allowed: []string{"clinic.test"}})
	text, _ := json.Marshal(rules)
	if string(text) != `[{"id":1,"priority":6,"action":{"type":"allow"},"condition":{"topDomains":["clinic.test"]}}]` {
		t.Errorf("%s", text)
	}
}

// With no protected page there is no rule: one without topDomains would hold
// everywhere.
func TestNoPagesNoRules(t *testing.T) {
	rules, _, err := dnr.Rules(open(t, "", "", "", "x.example", ""), &dnr.Settings{Placeholder: "/p.svg"})
	if err != nil || len(rules) != 0 {
		t.Errorf("%v %v", rules, err)
	}
}
