package audit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"paravent/lists/bundle"
	"paravent/lists/filter"
	"paravent/wasm/har"
	"paravent/wasm/match"
)

// recorded is a visit as the extension keeps it, see
// extension/background/visits.js.
type recorded struct {
	Header
	Requests []struct {
		Page    int     `json:"page"`
		At      int64   `json:"at"`
		URL     string  `json:"url"`
		Type    string  `json:"type"`
		Method  string  `json:"method"`
		Outcome string  `json:"outcome"`
		Reason  string  `json:"reason"`
		Rule    string  `json:"rule"`
		Told    []Found `json:"told"`
		Body    string  `json:"body"`
		Referer string  `json:"referer"`
	} `json:"requests"`
}

// A Recorded is a visit of the extension, of which it is known what happened.
type Recorded struct {
	Archive *har.Archive
	told    [][]Found
}

// ReadRecorded reads a visit as the extension keeps it: a JSON object
//
//	{"domain": "booking.example", "mode": "protect", "started": 1795366486344, "dropped": 0, "carriers": [],
//	 "pages": [{"url": "https://booking.example/oncologist", "mode": "protect", "at": 0}],
//	 "requests": [{"page": 0, "at": 146, "url": "https://ads.example/?q=oncologist", "type": "image", "method": "GET",
//	   "outcome": "block", "reason": "listed", "rule": "||ads.example^", "body": "", "referer": "",
//	   "told": [{"what": "path", "place": "url", "encoding": "plain", "field": "q", "text": "oncologist"}]}]}
//
// An error names the field.
func ReadRecorded(data []byte) (*Recorded, error) {
	var v recorded
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("visit: %w", err)
	}
	a := &har.Archive{
		Domain: v.Domain, Mode: v.Mode, Dropped: v.Dropped, Carriers: v.Carriers, Started: time.UnixMilli(v.Started).UTC(),
		Entries: make([]har.Entry, len(v.Requests)),
	}
	for _, p := range v.Pages {
		a.Pages = append(a.Pages, har.Page{Address: p.URL, Mode: p.Mode, Allow: p.Allow, At: p.At})
	}
	told := make([][]Found, len(v.Requests))
	for i := range v.Requests {
		r := &v.Requests[i]
		if r.Page < 0 || r.Page >= len(a.Pages) {
			return nil, fmt.Errorf("visit: requests[%d]: page: there is no page %d", i, r.Page)
		}
		body, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			return nil, fmt.Errorf("visit: requests[%d]: body: %w", i, err)
		}
		kind, ok := filter.TypeNamed(r.Type)
		if !ok {
			kind = filter.Other
		}
		a.Entries[i] = har.Entry{
			URL: r.URL, Page: a.Pages[r.Page].Address, On: r.Page, Type: kind, Method: r.Method, Referer: r.Referer, Body: body, At: r.At,
			Outcome: r.Outcome, Reason: r.Reason, Rule: r.Rule,
		}
		told[i] = append([]Found{}, r.Told...)
	}
	return &Recorded{a, told}, nil
}

// Result is the visit with what happened.
func (r *Recorded) Result(matcher *match.Matcher, organisations []bundle.Recipient) (*Result, error) {
	return visit(r.Archive, r.told, matcher, organisations)
}
