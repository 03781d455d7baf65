package export

import (
	"bytes"
	"encoding/csv"
	"strings"

	"paravent/wasm/audit"
	"paravent/wasm/explain"
)

// Columns are those of a table, in their order.
var Columns = []string{
	"time", "page", "url", "host", "recipient", "country", "purposes", "party", "type", "method", "outcome", "action", "reason", "rule", "learnt",
}

// Table writes a line for each request as comma-separated values (RFC 4180,
// UTF-8), the names of the columns first:
//
//	time,page,url,host,recipient,country,…
//	2026-11-22T08:10:02.160Z,https://www.booking.example/,https://ads.example/p,ads.example,Plaza Ads,US,…
//
// What a spreadsheet would take for a formula has an apostrophe in front.
func Table(r *audit.Result) ([]byte, error) {
	type key struct{ name, party string }
	known := map[key]*audit.Recipient{}
	for i := range r.Report.Recipients {
		one := &r.Report.Recipients[i]
		known[key{one.Name, one.Party}] = one
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(Columns); err != nil {
		return nil, err
	}
	for i := range r.Entries {
		e := &r.Entries[i]
		page, country, purposes := "", "", ""
		if e.Page >= 0 {
			page = r.Visit.Pages[e.Page].URL
		}
		if one := known[key{e.Recipient, e.Party}]; one != nil {
			country, purposes = one.Country, strings.Join(one.Purposes, " ")
		}
		var learnt []string
		for _, f := range e.Learnt {
			if found, ok := f.Finding(); ok {
				learnt = append(learnt, explain.Leak(found)+": "+f.Text)
			}
		}
		line := []string{
			moment(r, e.At), page, e.URL, e.Host, e.Recipient, country, purposes, e.Party, e.Type, e.Method, e.Outcome, e.Action, e.Reason, e.Rule,
			strings.Join(learnt, "; "),
		}
		for i := range line {
			line[i] = guarded(line[i])
		}
		if err := w.Write(line); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// guarded makes sure that a cell is a text: a spreadsheet calculates what begins
// with one of these (https://owasp.org/www-community/attacks/CSV_Injection). A
// line's end within a cell would be one of another kind for each reader.
func guarded(cell string) string {
	cell = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(cell, "\ufffd"))
	if strings.IndexAny(strings.TrimLeft(cell, " \u00a0"), "=+-@＝＋－＠") == 0 {
		return "'" + cell
	}
	return cell
}
