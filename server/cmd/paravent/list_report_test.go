package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestListFromReport(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"telemetry.txt":   evidence + "||tracker.example^\n",
		"sites/site.json": exampleSite,
		"report.json": `{"paravent-report": 1, "site": "booking.example", "says": "It looks odd.", "requests": [
			{"url": "https://metrics.example/t.js?q=oncologist", "type": "script", "page": "https://booking.example/oncologist/…", "decision": "allow", "reason": "unlisted"}]}`,
		"other.json": "{}",
	})
	var out strings.Builder
	if err := run([]string{"list", "from-report", filepath.Join(dir, "report.json"), dir}, nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The patient says: \"It looks odd.\"\n",
		"  ! reason: <what metrics.example receives, in one sentence>\n",
		"  ||metrics.example^$third-party\n",
		"and to \"requests\" in " + dir + "/sites/site.json\n",
		`  {"url": "https://metrics.example/t.js", "page": "https://booking.example/", "type": "script", "expect": "block", "reason": "listed"}` + "\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "oncologist") {
		t.Errorf("what the patient looked for is in\n%s", out.String())
	}
	for want, args := range map[string][]string{
		"list from-report: want a report, such as report.json, and then the source directories (lists)": {},
		"open " + dir + "/no: no such file or directory":                                                {dir + "/no", dir},
		dir + "/other.json: report: no field \"paravent-report\": this is no report of the extension":   {dir + "/other.json", dir},
	} {
		if err := run(append([]string{"list", "from-report"}, args...), nil, &out); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
