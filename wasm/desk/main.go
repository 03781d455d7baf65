//go:build js && wasm

// Command desk is the part of Paravent that is loaded when there is paper
// work: a release to verify, a list to compile, rules to write for Chromium, a
// visit to report on.
// It is instantiated on demand and dropped afterwards, so that none of its
// weight is paid for when the background worker wakes.
//
// Every call returns the length of its answer, or the negative length of an
// error, see package memory; a result outside what memory holds means that
// the module broke.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/own"
	"paravent/lists/release"
	"paravent/wasm/audit"
	"paravent/wasm/dnr"
	"paravent/wasm/export"
	"paravent/wasm/har"
	"paravent/wasm/match"
	"paravent/wasm/memory"
)

func main() { select {} }

// do reads the parts of a call's input and keeps what f answers. A panic
// becomes an error like any other.
func do(name string, f func(parts [][]byte) ([]byte, error), lengths ...int32) (code int32) {
	defer func() {
		if p := recover(); p != nil {
			code = memory.Failed(fmt.Errorf("desk: %s broke: %v", name, p))
		}
	}()
	total := int32(0)
	for _, n := range lengths {
		if n < 0 || total+n < total {
			return memory.Failed(memory.ErrRoom)
		}
		total += n
	}
	rest, ok := memory.Take(total)
	if !ok {
		return memory.Failed(memory.ErrRoom)
	}
	parts := make([][]byte, len(lengths))
	for i, n := range lengths {
		parts[i], rest = rest[:n:n], rest[n:]
	}
	answer, err := f(parts)
	if err != nil {
		return memory.Failed(err)
	}
	return memory.Answer(answer)
}

// A client is what a reader remembers between two releases. It passes through
// JavaScript, and lies in the browser's storage, as a text that nobody there
// looks into.
type client struct {
	Trust string `json:"trust"` // the trust text in force
	Next  uint64 `json:"next"`  // the lowest index that is taken
	Size  uint64 `json:"size"`  // of the log when it was last seen
	Root  []byte `json:"root"`  // its hash
}

// readClient reads what a reader remembers, or begins with the trust text of
// its package when it remembers nothing. Whoever has lost the list may take the
// newest release once more.
func readClient(text, trust string, again bool) (c release.Client, err error) {
	if text == "" {
		c.Trust, err = release.ParseTrust(trust)
		return c, err
	}
	var kept client
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return c, fmt.Errorf("client: %w", err)
	}
	if len(kept.Root) != len(c.Tree.Root) {
		return c, errors.New("client: root: want a hash of 32 bytes")
	}
	c.Next, c.Tree.Size = kept.Next, kept.Size
	copy(c.Tree.Root[:], kept.Root)
	if again && c.Next > 0 {
		c.Next--
	}
	c.Trust, err = release.ParseTrust(kept.Trust)
	return c, err
}

// remember is the reverse, after a release was taken.
func remember(t release.Taken) (string, error) {
	text, err := json.Marshal(client{t.Trust.Text(), t.Release.Index + 1, t.Tree.Size, t.Tree.Root[:]})
	return string(text), err
}

type blob struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type witness struct {
	Name string `json:"name"`
	Time string `json:"time"`
}

// relay is one that photos may be asked through.
type relay struct {
	Name string   `json:"name"`
	URL  string   `json:"url"`
	Keys [][]byte `json:"keys"` // of its gateway, in base64
}

// taken is what a verified release says, and what the reader is to remember.
type taken struct {
	Index          uint64    `json:"index"`
	Issued         string    `json:"issued"`
	Expires        string    `json:"expires"`
	MinWaitSeconds int       `json:"minWaitSeconds"`
	Bundle         blob      `json:"bundle"`
	List           blob      `json:"list"`
	Signers        []string  `json:"signers"`
	Witnesses      []witness `json:"witnesses"`
	Relays         []relay   `json:"relays"`
	Trust          string    `json:"trust"`
	Client         string    `json:"client"`
}

// verified is verify's answer: one of the three.
type verified struct {
	Missing *missing `json:"missing,omitempty"`
	Refused *refused `json:"refused,omitempty"`
	Taken   *taken   `json:"taken,omitempty"`
}

// missing names something that the list server has and that verify is to be
// called again with.
type missing struct {
	Path  string `json:"path"`
	Limit int64  `json:"limit"` // bytes
}

// refused says why a release is not taken: in a word, by which people are told,
// and in full.
type refused struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// verify takes an answer of GET /v1/release, the package's trust text, the
// client's text ("" at first), and what the list server has answered to earlier
// calls: their paths and lengths, as JSON, and their bytes. again is 1 when the
// list in force got lost.
//
//go:wasmexport verify
func verify(answerLength, trustLength, clientLength, namesLength, bytesLength, again int32) int32 {
	return do("verify", func(parts [][]byte) ([]byte, error) {
		c, err := readClient(string(parts[2]), string(parts[1]), again != 0)
		if err != nil {
			return nil, err
		}
		at, err := resources(parts[3], parts[4])
		if err != nil {
			return nil, err
		}
		t, err := release.Verify(parts[0], c, release.Among(at))
		if lacking, ok := errors.AsType[*release.Missing](err); ok {
			return json.Marshal(verified{Missing: &missing{lacking.Path, lacking.Limit}})
		}
		if err != nil {
			return json.Marshal(verified{Refused: &refused{code(err, parts[0], c), err.Error()}})
		}
		state, err := remember(t)
		if err != nil {
			return nil, err
		}
		said := &taken{
			Index: t.Release.Index, MinWaitSeconds: t.Release.WaitSeconds,
			Issued: t.Release.Issued.Format(time.RFC3339), Expires: t.Release.Expires.Format(time.RFC3339),
			Bundle: blob(t.Release.Bundle), List: blob(t.Release.List),
			Signers: t.Signers, Witnesses: []witness{}, Relays: []relay{}, Trust: t.Trust.Text(), Client: state,
		}
		for _, w := range t.Witnesses {
			said.Witnesses = append(said.Witnesses, witness{w.Name, w.Time.UTC().Format(time.RFC3339)})
		}
		for _, r := range t.Release.Relays {
			said.Relays = append(said.Relays, relay(r))
		}
		return json.Marshal(verified{Taken: said})
	}, answerLength, trustLength, clientLength, namesLength, bytesLength)
}

// code says in a word which check an error of Verify comes from: by it people
// are told. The vectors of package release hold it to Verify's words.
func code(err error, answer []byte, c release.Client) string {
	text := err.Error()
	for _, check := range []struct{ code, words string }{
		{"older", "the next to take"},
		{"witness", "not the quorum"},
		{"consistency", "seen before"},
	} {
		if strings.Contains(text, check.words) {
			return check.code
		}
	}
	switch word, _, _ := strings.Cut(text, ":"); word {
	case "proof", "checkpoint", "log":
		return "proof"
	}
	noteBytes, _, err := release.Split(answer)
	if err != nil {
		return "proof"
	}
	if r, err := release.Read(noteBytes); err == nil && r.Trust != c.Trust.Digest() {
		return "keys"
	}
	return "note"
}

// resources takes apart what lies one behind another.
func resources(names, data []byte) (map[string][]byte, error) {
	var lengths []struct {
		Path   string `json:"path"`
		Length int    `json:"length"`
	}
	if err := json.Unmarshal(names, &lengths); err != nil {
		return nil, fmt.Errorf("resources: %w", err)
	}
	at := make(map[string][]byte, len(lengths))
	for _, l := range lengths {
		if l.Length < 0 || l.Length > len(data) {
			return nil, fmt.Errorf("resources: %s: fewer bytes than its length", l.Path)
		}
		at[l.Path], data = data[:l.Length:l.Length], data[l.Length:]
	}
	return at, nil
}

// trust takes a trust text, or the client's that was once made from one, and
// answers whom it names.
//
//go:wasmexport trust
func trust(trustLength, clientLength int32) int32 {
	return do("trust", func(parts [][]byte) ([]byte, error) {
		c, err := readClient(string(parts[1]), string(parts[0]), false)
		if err != nil {
			return nil, err
		}
		witnesses := []string{}
		for _, w := range c.Trust.Witnesses() {
			witnesses = append(witnesses, w.Name)
		}
		return json.Marshal(struct {
			Threshold   int      `json:"threshold"`
			Maintainers []string `json:"maintainers"`
			Witnesses   []string `json:"witnesses"`
			Witnessed   bool     `json:"witnessed"` // no release is taken that no witness has seen
		}{c.Trust.Threshold(), c.Trust.Maintainers(), witnesses, !c.Trust.Quorum(nil)})
	}, trustLength, clientLength)
}

// text takes a bundle and answers with the canonical text that it was compiled
// from.
//
//go:wasmexport text
func text(bundleLength int32) int32 {
	return do("text", func(parts [][]byte) ([]byte, error) { return textOf(parts[0]) }, bundleLength)
}

func textOf(data []byte) ([]byte, error) {
	b, err := bundle.Open(data)
	if err != nil {
		return nil, err
	}
	list, err := compile.Back(b)
	if err != nil {
		return nil, err
	}
	return list.Text(), nil
}

// patch takes a bundle, a delta from its canonical text, and the digest of the
// text that it leads to, as JSON, and answers with that text.
//
//go:wasmexport patch
func patch(bundleLength, deltaLength, wantLength int32) int32 {
	return do("patch", func(parts [][]byte) ([]byte, error) {
		var want blob
		if err := json.Unmarshal(parts[2], &want); err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		old, err := textOf(parts[0])
		if err != nil {
			return nil, err
		}
		return release.ApplyDelta(old, parts[1], release.Digest(want))
	}, bundleLength, deltaLength, wantLength)
}

// compileList takes a canonical text and the SHA-256 that its bundle must
// have, in hexadecimal, and answers with the bundle. A list that stops nothing
// is none, whoever signed it.
//
//go:wasmexport compile
func compileList(listLength, sumLength int32) int32 {
	return do("compile", func(parts [][]byte) ([]byte, error) {
		list, err := compile.Parse(parts[0])
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list.Rules, func(r bundle.KindedRule) bool { return r.Kind.Stops() }) {
			return nil, errors.New("list: has no rule that would stop anything")
		}
		data, err := list.Bundle()
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != string(parts[1]) {
			return nil, fmt.Errorf("the compiled bundle has SHA-256 %x, the release names %s", sum, parts[1])
		}
		return data, nil
	}, listLength, sumLength)
}

// describe takes a bundle and answers with what compile.About holds.
//
//go:wasmexport describe
func describe(bundleLength int32) int32 {
	return do("describe", func(parts [][]byte) ([]byte, error) {
		list, err := bundle.Open(parts[0])
		if err != nil {
			return nil, err
		}
		about, err := compile.Describe(list)
		if err != nil {
			return nil, err
		}
		return json.Marshal(about)
	}, bundleLength)
}

// lintOwn takes a user's own rules and answers how many they are, with what is
// wrong with them, and with what only some browsers can be told: rules that
// Chromium has no words for, and regular expressions, which it may refuse.
//
//go:wasmexport lintOwn
func lintOwn(textLength int32) int32 {
	return do("lintOwn", func(parts [][]byte) ([]byte, error) {
		type regexp struct {
			Line          int    `json:"line"`
			Text          string `json:"text"`
			Regex         string `json:"regex"`
			CaseSensitive bool   `json:"isCaseSensitive"`
		}
		rules, problems := own.Read(string(parts[0]))
		unsaid, regexps := []own.Problem{}, []regexp{}
		for _, r := range rules {
			if why := dnr.Unsaid(&r.Rule); why != "" {
				unsaid = append(unsaid, own.Problem{Line: r.Line, Text: r.Text, Problem: why + ": this browser has no words for it, name the hosts one by one"})
			}
			if r.Rule.Regexp {
				regexps = append(regexps, regexp{r.Line, r.Text, r.Rule.Pattern, r.Rule.MatchCase})
			}
		}
		return json.Marshal(map[string]any{
			"count": len(rules), "problems": append([]own.Problem{}, problems...), "unsaid": unsaid, "regexps": regexps,
		})
	}, textLength)
}

// addOwn takes a bundle and a user's own rules, and answers with the bundle of
// both.
//
//go:wasmexport addOwn
func addOwn(bundleLength, textLength int32) int32 {
	return do("addOwn", func(parts [][]byte) ([]byte, error) {
		list, err := bundle.Open(parts[0])
		if err != nil {
			return nil, err
		}
		return own.Add(list, string(parts[1]))
	}, bundleLength, textLength)
}

// rules takes dnr.Settings and a bundle, and answers with the rules for
// Chromium, small and large, and counts.
//
//go:wasmexport rules
func rules(settingsLength, bundleLength int32) int32 {
	return do("rules", func(parts [][]byte) ([]byte, error) {
		settings, err := readSettings(parts[0])
		if err != nil {
			return nil, err
		}
		list, err := bundle.Open(parts[1])
		if err != nil {
			return nil, err
		}
		small, err := dnr.Small(settings)
		if err != nil {
			return nil, err
		}
		large, counts, err := dnr.Large(list, settings)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"small": small, "large": large, "counts": counts})
	}, settingsLength, bundleLength)
}

// smallRules takes dnr.Settings and answers with the small rules alone.
//
//go:wasmexport smallRules
func smallRules(settingsLength int32) int32 {
	return do("smallRules", func(parts [][]byte) ([]byte, error) {
		settings, err := readSettings(parts[0])
		if err != nil {
			return nil, err
		}
		small, err := dnr.Small(settings)
		if err != nil {
			return nil, err
		}
		return json.Marshal(small)
	}, settingsLength)
}

func readSettings(text []byte) (*dnr.Settings, error) {
	settings := new(dnr.Settings)
	if err := json.Unmarshal(text, settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return settings, nil
}

// registrable is JavaScript's: how many bytes at the end of the host that lies
// at an address of memory are its registrable domain, 0 when it has none.
//
//go:wasmimport paravent registrable
func registrable(host unsafe.Pointer, length int32) int32

// judge opens a bundle and has a visit judged with it.
func judge(data []byte, visit func(*match.Matcher, []bundle.Recipient) (*audit.Result, error)) (*audit.Result, error) {
	list, err := bundle.Open(data)
	if err != nil {
		return nil, err
	}
	matcher, err := match.Open(data)
	if err != nil {
		return nil, err
	}
	matcher.Registrable = func(host []byte) int {
		return int(registrable(unsafe.Pointer(unsafe.SliceData(host)), int32(len(host))))
	}
	return visit(matcher, list.Recipients())
}

// auditArchive takes an HTTP archive and a bundle, and answers with an
// audit.Result: the visit as it is to be judged by its requests alone.
//
//go:wasmexport audit
func auditArchive(archiveLength, bundleLength int32) int32 {
	return do("audit", func(parts [][]byte) ([]byte, error) {
		archive, err := har.Read(bytes.NewReader(parts[0]))
		if err != nil {
			return nil, err
		}
		result, err := judge(parts[1], func(m *match.Matcher, organisations []bundle.Recipient) (*audit.Result, error) {
			return audit.Visit(archive, m, organisations)
		})
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	}, archiveLength, bundleLength)
}

// visit takes a visit as the extension keeps it and a bundle, and answers with
// an audit.Result: what happened.
//
//go:wasmexport visit
func visit(visitLength, bundleLength int32) int32 {
	return do("visit", func(parts [][]byte) ([]byte, error) {
		recorded, err := audit.ReadRecorded(parts[0])
		if err != nil {
			return nil, err
		}
		result, err := judge(parts[1], recorded.Result)
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	}, visitLength, bundleLength)
}

// exportVisit takes the name of a format, a visit as the extension keeps it, and a
// bundle, and answers with the visit written down: "har" (see package har),
// "inspection" or "csv" (see package export).
//
//go:wasmexport export
func exportVisit(formatLength, visitLength, bundleLength int32) int32 {
	return do("export", func(parts [][]byte) ([]byte, error) {
		recorded, err := audit.ReadRecorded(parts[1])
		if err != nil {
			return nil, err
		}
		format := string(parts[0])
		if format == "har" {
			return har.Write(recorded.Archive)
		}
		result, err := judge(parts[2], recorded.Result)
		if err != nil {
			return nil, err
		}
		switch format {
		case "inspection":
			return export.Inspection(result)
		case "csv":
			return export.Table(result)
		}
		return nil, fmt.Errorf("format %q: want har, inspection or csv", format)
	}, formatLength, visitLength, bundleLength)
}
