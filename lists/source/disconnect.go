package source

import (
	"errors"

	"github.com/tidwall/gjson"

	"paravent/lists/filter"
)

// disconnect imports the JSON in which Disconnect writes its lists
// (https://github.com/disconnectme/disconnect-tracking-protection):
//
//	{"license": "…", "categories": {"Advertising": [
//		{"Organisation": {"https://organisation.example/": ["tracker.example"], "session-replay": "true"}}
//	]}}
//
// What is no list of hosts says something about the organisation. The lists
// are made for requests to third parties, and so are the rules.
func (b *builder) disconnect(text []byte) error {
	root, err := readJSONText(text)
	if err != nil {
		return err
	}
	categories := root.Get("categories")
	if !categories.IsObject() {
		return errors.New(`want an object with "categories"`)
	}
	categories.ForEach(func(category, organisations gjson.Result) bool {
		organisations.ForEach(func(_, organisation gjson.Result) bool {
			organisation.ForEach(func(_, about gjson.Result) bool {
				about.ForEach(func(_, hosts gjson.Result) bool {
					if hosts.IsArray() {
						b.disconnectHosts(category.String(), hosts)
					}
					return true
				})
				return true
			})
			return true
		})
		return true
	})
	return nil
}

func (b *builder) disconnectHosts(category string, hosts gjson.Result) {
	for _, host := range hosts.Array() {
		r, err := hostRule(host.String())
		if err == nil && spared[category] {
			err = &filter.Unsupported{Kind: "category " + category}
		}
		if err != nil {
			b.leaveOut(err, host.Raw)
			continue
		}
		r.Party = filter.ThirdParty
		b.take(r)
	}
}

// spared are the categories of hosts that pages do not work without. The
// lists have them so that programs can tell them from the rest.
var spared = map[string]bool{"Content": true, "Anti-fraud": true, "ConsentManagers": true}
