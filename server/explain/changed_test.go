package explain_test

import (
	"strings"
	"testing"

	"paravent/lists/source"
	"paravent/server/explain"
)

func TestDecisions(t *testing.T) {
	const before = `paravent list 1
[sites]
booking.example	Booking
[recipients]
[needs]
||consent.example^$domain=booking.example
[exceptions]
[photos]
[hosts]
ads.tracker.example
gone.example
[rules]
`
	const after = `paravent list 1
[sites]
booking.example	Booking
[recipients]
[needs]
[exceptions]
[photos]
[hosts]
ads.tracker.example
consent.example
[rules]
`
	request := source.Request{URL: "https://consent.example/x.js", Page: "https://booking.example/oncologist", Type: "script"}
	sites := []source.SiteFile{{Name: "Booking", Requests: []source.Request{
		request, request,
		{URL: "https://ads.tracker.example/", Page: "https://booking.example/", Type: "image"},
		{URL: "https://gone.example/", Page: "https://booking.example/", Type: "image"},
	}}}
	changed, err := explain.Decisions([]byte(before), []byte(after), sites, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	explain.WriteDecisions(&out, changed)
	want := `examples of protected sites that are decided otherwise: 2
  Booking: script https://consent.example/x.js
    on https://booking.example/oncologist
    was  allow (needed) by ||consent.example^$domain=booking.example
    now  block (listed) by ||consent.example^
  Booking: image https://gone.example/
    on https://booking.example/
    was  block (listed) by ||gone.example^
    now  allow (unlisted)
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
	out.Reset()
	explain.WriteDecisions(&out, nil)
	if out.String() != "no example of a protected site is decided otherwise\n" {
		t.Error(out.String())
	}
}
