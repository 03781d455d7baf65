package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/address"
	"paravent/lists/filter"
	"paravent/wasm/match"
)

// longestLine bounds a line of check's input: a URL of 2 MB, the longest that
// a browser takes, and as much again around it.
const longestLine = 4 << 20

// A question is a line of check's input. Unknown fields are ignored, so that
// recorded visits can be fed as they are.
type question struct {
	URL  *string `json:"url"`
	Page *string `json:"page"`
	Type *string `json:"type"`
	Mode string  `json:"mode"`
}

// An answer is a line of its output.
type answer struct {
	Action string `json:"action,omitempty"`
	Would  string `json:"would,omitempty"`
	Reason string `json:"reason,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Error  string `json:"error,omitempty"`
}

func runCheck(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := flags.String("bundle", "dist/lists/list.bundle", "the built list")
	if err := flags.Parse(args); err != nil {
		return err
	}
	matcher, err := openBundle(*file)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	lines := bufio.NewReaderSize(in, 64<<10)
	for number := 1; ; number++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errTooLong) {
			return err
		}
		var a answer
		if errors.Is(err, errTooLong) {
			a.Error = fmt.Sprintf("line %d: longer than %d bytes", number, longestLine)
		} else if a, err = check(matcher, line); err != nil {
			a = answer{Error: fmt.Sprintf("line %d: %v", number, err)}
		}
		if err := encoder.Encode(a); err != nil {
			return err
		}
	}
}

var errTooLong = errors.New("line too long")

// readLine reads up to a line feed and drops what is over longestLine.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if !long {
			line = append(line, part...)
			long = len(line) > longestLine
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil && long {
			err = errTooLong
		}
		return line, err
	}
}

func check(matcher *match.Matcher, line []byte) (answer, error) {
	var q question
	decoder := json.NewDecoder(bytes.NewReader(line))
	if err := decoder.Decode(&q); err != nil {
		return answer{}, fmt.Errorf("want a JSON object: %w", err)
	}
	for _, field := range []struct {
		name  string
		value *string
	}{{"url", q.URL}, {"page", q.Page}, {"type", q.Type}} {
		if field.value == nil {
			return answer{}, fmt.Errorf("%s is missing: want {\"url\",\"page\",\"type\"}", field.name)
		}
	}
	kind, ok := filter.TypeNamed(*q.Type)
	if !ok {
		return answer{}, fmt.Errorf("type %q: want a type of webRequest, such as script", *q.Type)
	}
	mode := match.ModeProtect
	if q.Mode != "" {
		if mode, ok = match.ModeNamed(q.Mode); !ok {
			return answer{}, fmt.Errorf("mode %q: want off, watch or protect", q.Mode)
		}
	}
	d, err := matcher.Decide(&match.Request{
		URL: []byte(*q.URL), Page: []byte(*q.Page), Type: kind, Mode: mode,
	})
	if err != nil {
		return answer{}, err
	}
	a := answer{Action: d.Action.String(), Reason: d.Reason.String(), Rule: matcher.Rule()}
	if d.Would != d.Action {
		a.Would = d.Would.String()
	}
	return a, nil
}

// siteOf returns the registrable domain of an address's host, or the host
// itself when it has none.
func siteOf(page string) string {
	var u address.URL
	if u.Parse([]byte(page)) != nil {
		return ""
	}
	host := string(u.Host())
	if address.IsIP(u.Host()) {
		return host
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return site
}
