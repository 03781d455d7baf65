//go:build !js

package match_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/AdguardTeam/urlfilter"
	"github.com/AdguardTeam/urlfilter/filterlist"
	"github.com/AdguardTeam/urlfilter/rules"

	"paravent/lists/filter"
	"paravent/wasm/match"
)

// recorded is a line of a corpus.
type recorded struct{ URL, Page, Type string }

// BenchmarkRequests decides the recorded requests of PARAVENT_CORPUS, an
// operation each: Paravent with the bundle that PARAVENT_BUNDLE names, AdGuard's
// engine with the same list as text, PARAVENT_LIST. Strings and bytes are the
// engines' own; reading addresses and telling third parties is timed for both.
//
//	PARAVENT_CORPUS=requests.jsonl.gz PARAVENT_LIST=list.txt PARAVENT_BUNDLE=list.bundle \
//	  go test -run '^$' -bench Requests -benchmem ./wasm/match
func BenchmarkRequests(b *testing.B) {
	corpus := os.Getenv("PARAVENT_CORPUS")
	if corpus == "" {
		b.Skip("PARAVENT_CORPUS names no recorded requests")
	}
	requests := readCorpus(b, corpus)
	b.Run("paravent", func(b *testing.B) {
		m := benchMatcher(b)
		var own []match.Request
		for _, r := range requests {
			kind, ok := filter.TypeNamed(r.Type)
			if !ok {
				kind = filter.Other
			}
			own = append(own, match.Request{URL: []byte(r.URL), Page: []byte(r.Page), Type: kind, Mode: match.ModeProtect})
		}
		stopped := 0
		for i := range own {
			if d, err := m.Decide(&own[i]); err != nil {
				b.Fatal(err)
			} else if d.Action != match.Allow {
				stopped++
			}
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := m.Decide(&own[i%len(own)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(stopped), "stopped")
	})
	b.Run("urlfilter", func(b *testing.B) {
		name := os.Getenv("PARAVENT_LIST")
		if name == "" {
			b.Skip("PARAVENT_LIST names no list")
		}
		storage, err := filterlist.NewRuleStorage([]filterlist.RuleList{
			&filterlist.StringRuleList{ID: 1, RulesText: readText(b, name), IgnoreCosmetic: true},
		})
		if err != nil {
			b.Fatal(err)
		}
		engine := urlfilter.NewNetworkEngine(storage)
		stops := func(r recorded) bool {
			rule, ok := engine.Match(rules.NewRequest(r.URL, r.Page, typeOf(r.Type)))
			return ok && !rule.Whitelist
		}
		stopped := 0 // and every rule that these requests need is parsed by now
		for _, r := range requests {
			if stops(r) {
				stopped++
			}
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			stops(requests[i%len(requests)])
		}
		b.ReportMetric(float64(stopped), "stopped")
	})
}

// typeOf says a type of webRequest in urlfilter's words.
func typeOf(name string) rules.RequestType {
	switch name {
	case "main_frame":
		return rules.TypeDocument
	case "sub_frame":
		return rules.TypeSubdocument
	case "script":
		return rules.TypeScript
	case "stylesheet":
		return rules.TypeStylesheet
	case "object":
		return rules.TypeObject
	case "image", "imageset":
		return rules.TypeImage
	case "xmlhttprequest":
		return rules.TypeXmlhttprequest
	case "media":
		return rules.TypeMedia
	case "font":
		return rules.TypeFont
	case "websocket":
		return rules.TypeWebsocket
	case "ping", "beacon":
		return rules.TypePing
	}
	return rules.TypeOther
}

// readText reads a file, unpacking what ends in .gz.
func readText(b *testing.B, name string) string {
	b.Helper()
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			b.Fatal(err)
		}
	}
	text, err := io.ReadAll(from)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

func readCorpus(b *testing.B, name string) (requests []recorded) {
	b.Helper()
	lines := bufio.NewScanner(strings.NewReader(readText(b, name)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			b.Fatalf("%s: line %d: %v", name, len(requests)+1, err)
		}
		requests = append(requests, r)
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	return requests
}
