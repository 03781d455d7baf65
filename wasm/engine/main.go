//go:build js && wasm

// Command engine is the part of Paravent that wakes with the browser's
// background worker: it opens a bundle and decides requests. It is built with
// GOOS=js GOARCH=wasm and called through exports alone, never through
// syscall/js, because a call by value costs a hundredth of one by reflection.
//
// Strings cross in linear memory, see package memory. Every result that cannot be told from garbage is marked, because a Go panic
// inside an export does not throw in JavaScript: it returns whatever was
// there. A word without the mark is an engine failure, and the caller then
// stops requests on protected sites.
package main

import (
	"errors"
	"strings"

	"paravent/lists/filter"
	"paravent/wasm/match"
	"paravent/wasm/memory"
)

const mark = 0x5AA5 << 16 // upper half of a decision

var matcher *match.Matcher

func main() { select {} }

// open takes n bytes as the bundle to decide with. It returns 0, or the
// negative length of an error; the bundle that was open then stays.
//
//go:wasmexport open
func open(n int32) (code int32) {
	defer func() {
		if recover() != nil {
			code = memory.Failed(errors.New("engine: broke while opening the bundle"))
		}
	}()
	data, ok := memory.Take(n)
	if !ok {
		return memory.Failed(memory.ErrRoom)
	}
	opened, err := match.Open(data)
	if err != nil {
		return memory.Failed(err)
	}
	matcher = opened
	return 0
}

// names tells the words that go with the numbers: a line each of types,
// modes, actions and reasons.
//
//go:wasmexport names
func names() int32 {
	return memory.Say(strings.Join([]string{
		strings.Join(filter.TypeNames(), " "),
		strings.Join(match.ModeNames, " "),
		strings.Join(match.ActionNames, " "),
		strings.Join(match.ReasonNames, " "),
	}, "\n"))
}

// decide answers for a request: URL, page's URL and site, one after another.
//
//go:wasmexport decide
func decide(url, page, site, kind, mode int32) (word int32) {
	defer func() {
		if recover() != nil {
			word = 0
		}
	}()
	room, ok := memory.Read(url + page + site)
	if !ok || matcher == nil || url < 0 || page < 0 || site < 0 ||
		kind < 0 || int(kind) >= len(filter.TypeNames()) || mode < 0 || int(mode) >= len(match.ModeNames) {
		return 0
	}
	d, err := matcher.Decide(&match.Request{
		URL: room[:url], Page: room[url : url+page], Site: room[url+page : url+page+site],
		Type: filter.Type(kind), Mode: match.Mode(mode),
	})
	if err != nil {
		return 0
	}
	return mark | int32(d.Would)<<12 | int32(d.Action)<<8 | int32(d.Reason)
}

// explain tells the rule that made the last decision: its length, or 0 when
// none did.
//
//go:wasmexport explain
func explain() (length int32) {
	defer func() {
		if recover() != nil {
			length = 0
		}
	}()
	if matcher == nil {
		return 0
	}
	return memory.Say(matcher.Rule())
}
