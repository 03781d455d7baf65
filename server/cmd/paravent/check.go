package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/publicsuffix"

	"paravent/lists/address"
	_ "paravent/lists/address/idn" // people write hosts as they read them
	"paravent/lists/filter"
	"paravent/wasm/explain"
	"paravent/wasm/match"
)

// longestLine bounds a line of check's input: a URL of 2 MB, the longest that
// a browser takes, and as much again around it.
const longestLine = 4 << 20

// A question is a line of check's input. Unknown fields are ignored, so that
// recorded visits can be fed as they are.
type question struct {
	URL     *string `json:"url"`
	Page    *string `json:"page"`
	Type    *string `json:"type"`
	Method  string  `json:"method"` // GET
	Body    string  `json:"body"`
	Referer string  `json:"referer"`
	Mode    string  `json:"mode"`  // protect
	Leaks   *bool   `json:"leaks"` // true: look for leaks
}

// An answer is a line of its output.
type answer struct {
	Action  string `json:"action,omitempty"`
	Would   string `json:"would,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Explain string `json:"explain,omitempty"`
	Error   string `json:"error,omitempty"`
}

func runCheck(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	file := flags.String("bundle", "dist/lists/list.bundle", "the built list")
	why := flags.Bool("explain", false, "say of each decision in words why it was made")
	if err := flags.Parse(args); err != nil {
		return err
	}
	matcher, err := openBundle(*file)
	if err != nil {
		return err
	}
	matcher.Registrable = registrable
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
		} else if a, err = check(matcher, line, *why); err != nil {
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

func check(matcher *match.Matcher, line []byte, why bool) (answer, error) {
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
			return answer{}, fmt.Errorf("mode %q: want one of %s", q.Mode, strings.Join(match.ModeNames, " "))
		}
	}
	method := filter.Get
	if q.Method != "" {
		method, _ = filter.MethodNamed(q.Method)
	}
	d, err := matcher.Decide(&match.Request{
		URL: address.Serialized(*q.URL), Page: []byte(*q.Page), Type: kind, Method: method, Mode: mode,
		Leaks: q.Leaks == nil || *q.Leaks, Body: []byte(q.Body), Referer: []byte(q.Referer),
	})
	if err != nil {
		return answer{}, err
	}
	a := answer{Action: d.Action.String(), Reason: d.Reason.String(), Rule: matcher.Rule()}
	if d.Would != d.Action {
		a.Would = d.Would.String()
	}
	if why {
		found, _ := matcher.Leak()
		a.Explain = explain.Decision(d, a.Rule, found)
	}
	return a, nil
}

// registrable is how many bytes at the end of a host are its registrable
// domain, 0 if it has none.
func registrable(host []byte) int {
	site, err := publicsuffix.EffectiveTLDPlusOne(string(host))
	if err != nil {
		return 0
	}
	return len(site)
}
