package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/wasm/audit"
	"paravent/wasm/export"
	"paravent/wasm/har"
	"paravent/wasm/match"
)

const list = `paravent list 1
[sites]
booking.example	Booking
[recipients]
ads.example	US	Plaza Ads	advertising
metrics.booking.example	FR	Sillage	analytics
[needs]
||pay.example^$domain=booking.example
[exceptions]
[photos]
||photos.example/doctors/
[hosts]
ads.example
metrics.booking.example
[rules]
`

// recorded is a visit as the extension keeps it, with a body in base64.
const recorded = `{"domain": "booking.example", "mode": "protect", "started": 1795366486344, "dropped": 3,
	"carriers": [{"name": "Cloudflare", "country": "US", "evidence": "cf-ray"}],
	"pages": [
		{"url": "https://www.booking.example/oncologist/paris?insurance=private#list", "mode": "protect", "at": 0},
		{"url": "https://www.booking.example/doctor/martin", "mode": "watch", "at": 5000, "allow": ["fine.example"]}],
	"requests": [
		{"page": 0, "at": 0, "url": "https://www.booking.example/oncologist/paris?insurance=private", "type": "main_frame", "method": "GET", "outcome": "allow", "reason": "document", "rule": "", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 10, "url": "https://www.booking.example/site.js", "type": "script", "method": "GET", "outcome": "allow", "reason": "unlisted", "rule": "", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 20, "url": "https://ads.example/p?q=oncologist%20paris&id=1", "type": "image", "method": "GET", "outcome": "block", "reason": "listed", "rule": "||ads.example^",
			"told": [{"what": "path", "place": "url", "encoding": "percent", "field": "q", "text": "oncologist paris"}], "body": "", "referer": ""},
		{"page": 0, "at": 21, "url": "https://ads.example/p?id=2&id=3", "type": "image", "method": "GET", "outcome": "block", "reason": "listed", "rule": "||ads.example^", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 30, "url": "https://metrics.booking.example/e", "type": "beacon", "method": "POST", "outcome": "block", "reason": "listed", "rule": "||metrics.booking.example^",
			"told": [{"what": "address", "place": "body", "encoding": "plain", "field": "", "text": "www.booking.example/oncologist/paris?insurance=private"}],
			"body": "aHR0cHM6Ly93d3cuYm9va2luZy5leGFtcGxlL29uY29sb2dpc3QvcGFyaXM/aW5zdXJhbmNlPXByaXZhdGU=", "referer": ""},
		{"page": 0, "at": 40, "url": "https://photos.example/doctors/1.jpg", "type": "image", "method": "GET", "outcome": "relay", "reason": "photo", "rule": "||photos.example/doctors/", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 41, "url": "https://photos.example/doctors/1.jpg", "type": "xmlhttprequest", "method": "GET", "outcome": "block", "reason": "photo", "rule": "||photos.example/doctors/", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 50, "url": "https://new.example/oncologist/paris", "type": "image", "method": "GET", "outcome": "allow", "reason": "unlisted", "rule": "", "told": [], "body": "", "referer": ""},
		{"page": 0, "at": 60, "url": "https://pay.example/frame", "type": "sub_frame", "method": "GET", "outcome": "allow", "reason": "needed", "rule": "||pay.example^$domain=booking.example", "told": [], "body": "", "referer": ""},
		{"page": 1, "at": 5000, "url": "https://www.booking.example/doctor/martin", "type": "main_frame", "method": "GET", "outcome": "allow", "reason": "document", "rule": "", "told": [], "body": "", "referer": ""},
		{"page": 1, "at": 5010, "url": "https://ads.example/p?dl=https%3A%2F%2Fwww.booking.example%2Fdoctor%2Fmartin", "type": "image", "method": "GET", "outcome": "would", "reason": "listed", "rule": "||ads.example^",
			"told": [{"what": "address", "place": "url", "encoding": "percent", "field": "dl", "text": "www.booking.example/doctor/martin"}], "body": "", "referer": ""},
		{"page": 1, "at": 5020, "url": "https://photos.example/doctors/2.jpg", "type": "imageset", "method": "GET", "outcome": "would", "reason": "photo", "rule": "||photos.example/doctors/", "told": [], "body": "", "referer": ""},
		{"page": 1, "at": 5030, "url": "https://fine.example/a.css", "type": "stylesheet", "method": "GET", "outcome": "allow", "reason": "allowed", "rule": "", "told": [], "body": "", "referer": ""},
		{"page": 1, "at": 5040, "url": "https://errors.example/e?page=%2Fdoctor%2Fmartin", "type": "xmlhttprequest", "method": "GET", "outcome": "would", "reason": "leak", "rule": "",
			"told": [{"what": "path", "place": "url", "encoding": "percent", "field": "page", "text": "doctor/martin"}], "body": "", "referer": ""}]}`

func opened(t testing.TB) (*match.Matcher, []bundle.Recipient) {
	t.Helper()
	data, err := compile.Compile([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := match.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	m.Registrable = func(host []byte) int {
		site, _ := publicsuffix.EffectiveTLDPlusOne(string(host))
		return len(site)
	}
	return m, b.Recipients()
}

// happened is the visit with what the extension saw.
func happened(t testing.TB) (*audit.Recorded, *audit.Result) {
	t.Helper()
	visit, err := audit.ReadRecorded([]byte(recorded))
	if err != nil {
		t.Fatal(err)
	}
	m, organisations := opened(t)
	result, err := visit.Result(m, organisations)
	if err != nil {
		t.Fatal(err)
	}
	return visit, result
}

func text(t testing.TB, value any) string {
	t.Helper()
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A visit that is saved as an archive and opened again gives the report that it
// gave before, though it is judged by its requests alone.
func TestSavedAndOpenedAgain(t *testing.T) {
	visit, want := happened(t)
	saved, err := har.Write(visit.Archive)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := har.Read(bytes.NewReader(saved))
	if err != nil {
		t.Fatal(err)
	}
	m, organisations := opened(t)
	got, err := audit.Visit(archive, m, organisations)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, got), text(t, want); got != want {
		gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(gots), len(wants)) {
			if gots[i] != wants[i] {
				t.Errorf("line %d: %s, want %s, after\n%s", i, gots[i], wants[i], strings.Join(gots[max(0, i-12):i], "\n"))
			}
		}
	}
	if r := want.Report; len(r.Recipients) != 8 || r.Requests != 14 || r.Recipients[0].Name != "Plaza Ads" || r.Recipients[0].Counts != (audit.Counts{Block: 2, Would: 1}) {
		t.Errorf("%s", text(t, r))
	}
	for _, r := range want.Report.Recipients {
		if r.Name == "photos.example" && (r.Photos != 2 || r.Counts != (audit.Counts{Block: 1, Relay: 1, Would: 1})) {
			t.Errorf("%+v", r)
		}
		if r.Name == "Sillage" && (r.Party != "third" || len(r.Learnt) != 1) {
			t.Errorf("%+v", r)
		}
	}
}

func TestInspection(t *testing.T) {
	_, result := happened(t)
	data, err := export.Inspection(result)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems(got) {
		t.Error(problem)
	}
	want, err := os.ReadFile("testdata/inspection.json")
	if err != nil || string(want) != string(data) {
		t.Errorf("%v\n%s\nwant\n%s", err, data, want)
	}
}

func TestInspectionOfNothing(t *testing.T) {
	m, organisations := opened(t)
	result, err := audit.Visit(&har.Archive{}, m, organisations)
	if err != nil {
		t.Fatal(err)
	}
	data, err := export.Inspection(result)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems(got) {
		t.Error(problem)
	}
}

// keys are those of an inspection.json that the Website Evidence Collector
// publishes as a sample, with what stands under each: "" for a text, nil for a
// time, and of an array the first element stands for all.
var keys = map[string]any{
	"title": "", "uri_ins": "", "uri_refs": []any{""}, "uri_dest": "", "uri_redirects": []any{""},
	"secure_connection": map[string]any{}, "script": map[string]any{}, "browser": map[string]any{},
	"localStorage": map[string]any{}, "cookies": []any{map[string]any{"name": "", "domain": ""}},
	"beacons": []any{map[string]any{
		"url": "", "query": map[string]any{}, "filter": "", "listName": "", "log": map[string]any{"stack": []any{""}, "timestamp": nil}, "occurrances": 1.0,
	}},
	"hosts": map[string]any{
		"requests": parties, "beacons": parties, "cookies": parties, "localStorage": parties, "links": parties, "contentSecurityPolicy": parties,
	},
	"browsing_history": []any{""}, "start_time": nil, "end_time": nil,
}

var parties = map[string]any{"firstParty": []any{""}, "thirdParty": []any{""}}

// problems validates an inspection.
func problems(inspection map[string]any) []string {
	return differences("inspection.json", inspection, keys)
}

func differences(at string, got, want any) (all []string) {
	switch want := want.(type) {
	case nil:
		if s, ok := got.(string); ok {
			if _, err := time.Parse(time.RFC3339, s); err == nil {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s: %v is no time", at, got)}
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: %v is no object", at, got)}
		}
		for key, value := range want {
			if _, ok := object[key]; !ok {
				all = append(all, at+": lacks "+key)
				continue
			}
			all = append(all, differences(at+"."+key, object[key], value)...)
		}
		for key := range object {
			if _, ok := want[key]; !ok && len(want) > 0 {
				all = append(all, at+": has "+key)
			}
		}
	case []any:
		array, ok := got.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s: %v is no array", at, got)}
		}
		for i, element := range array {
			all = append(all, differences(fmt.Sprintf("%s[%d]", at, i), element, want[0])...)
		}
	default:
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			all = append(all, fmt.Sprintf("%s: %v is no %T", at, got, want))
		}
	}
	return all
}

func TestTable(t *testing.T) {
	_, result := happened(t)
	data, err := export.Table(result)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(lines) != 15 || !slices.Equal(lines[0], export.Columns) {
		t.Fatalf("%v in\n%s", err, data)
	}
	want := []string{
		"2026-11-22T16:54:46.364Z", "https://www.booking.example/oncologist/paris?insurance=private#list", "https://ads.example/p?q=oncologist%20paris&id=1",
		"ads.example", "Plaza Ads", "US", "advertising", "third", "image", "GET", "block", "block", "listed", "||ads.example^",
		`words of the page's address in the request's URL ("q", percent): oncologist paris`,
	}
	if !slices.Equal(lines[3], want) {
		t.Errorf("%q\nwant %q", lines[3], want)
	}
}

// FuzzTable: whatever a request carries is a cell that reads as a text and
// nothing else, in one line.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "a\"b", "a,b", "a\r\nb", "\xff=", "\u00a0=1", "plain", ""} {
		f.Add(seed)
	}
	m, organisations := opened(f)
	f.Fuzz(func(t *testing.T, odd string) {
		archive := &har.Archive{
			Pages:   []har.Page{{Address: "https://booking.example/" + odd, Mode: odd}},
			Entries: []har.Entry{{URL: odd + "https://ads.example/", Page: "https://booking.example/" + odd, Method: odd, Outcome: odd, Rule: odd}, {URL: "https://ads.example/?q=" + odd, On: -1}},
		}
		result, err := audit.Visit(archive, m, organisations)
		if err != nil {
			t.Fatal(err)
		}
		data, err := export.Table(result)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := export.Table(result); err != nil || !bytes.Equal(again, data) {
			t.Error("not the same twice")
		}
		lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || len(lines) != len(result.Entries)+1 || bytes.Count(data, []byte("\r\n")) != len(lines) {
			t.Fatalf("%v in %q", err, data)
		}
		for _, line := range lines {
			for _, cell := range line {
				if c, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " \u00a0")); strings.ContainsRune("=+-@＝＋－＠", c) && c != utf8.RuneError {
					t.Errorf("a formula: %q", cell)
				}
			}
		}
		inspection, err := export.Inspection(result)
		var got map[string]any
		if err != nil || json.Unmarshal(inspection, &got) != nil {
			t.Fatalf("%v in %s", err, inspection)
		}
		for _, problem := range problems(got) {
			t.Error(problem)
		}
	})
}

// FuzzRecorded: what storage or a page of the extension hands over is judged and
// written in every format, or refused by its field.
func FuzzRecorded(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"started": -9e18, "pages": [{"url": "x", "at": 9e18}], "requests": [{"page": 0, "at": -9e18, "url": "\u0000", "type": "?", "told": null}]}`))
	m, organisations := opened(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		visit, err := audit.ReadRecorded(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "visit: ") {
				t.Error(err)
			}
			return
		}
		result, err := visit.Result(m, organisations)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := export.Table(result); err != nil {
			t.Error(err)
		}
		if _, err := export.Inspection(result); err != nil {
			t.Error(err)
		}
		saved, err := har.Write(visit.Archive)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := har.Read(bytes.NewReader(saved)); err != nil && !strings.Contains(err.Error(), "request.url: is missing") {
			t.Errorf("%v in %s", err, saved)
		}
	})
}

func TestRecordedRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"pages": [{}], "requests": [{"page": 1}]}`:              "visit: requests[0]: page: there is no page 1",
		`{"pages": [{}], "requests": [{"page": -1}]}`:             "visit: requests[0]: page: there is no page -1",
		`{"pages": [{}], "requests": [{"page": 0, "body": "!"}]}`: "visit: requests[0]: body: illegal base64",
		`{"pages": {}}`:              "visit: json: cannot unmarshal object into Go struct field",
		`{"requests": [{"at": ""}]}`: "visit: json: cannot unmarshal string into Go struct field",
	} {
		if _, err := audit.ReadRecorded([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func ExampleTable() {
	data, err := export.Table(&audit.Result{
		Report: &audit.Report{},
		Entries: []audit.Judged{{
			Page: -1, At: 16, URL: "https://ads.example/p", Host: "ads.example", Recipient: "ads.example", Party: "third",
			Type: "image", Method: "GET", Outcome: "block", Action: "block", Reason: "listed", Rule: "||ads.example^",
		}},
	})
	fmt.Println(strings.ReplaceAll(string(data), "\r", ""), err)
	// Output:
	// time,page,url,host,recipient,country,purposes,party,type,method,outcome,action,reason,rule,learnt
	// 1970-01-01T00:00:00.016Z,,https://ads.example/p,ads.example,ads.example,,,third,image,GET,block,block,listed,||ads.example^,
	//  <nil>
}
