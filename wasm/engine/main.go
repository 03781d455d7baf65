//go:build js && wasm

// Command engine is the part of Paravent that wakes with the browser's
// background worker: it opens a bundle and decides requests. It is built with
// GOOS=js GOARCH=wasm and called through exports alone, never through
// syscall/js, because a call by value costs a hundredth of one by reflection.
//
// Strings cross in linear memory: the caller asks input for room, writes
// there, and calls. What a call has to say stands at output() afterwards.
// Every result that cannot be told from garbage is marked, because a Go panic
// inside an export does not throw in JavaScript: it returns whatever was
// there. A word without the mark is an engine failure, and the caller then
// stops requests on protected sites.
package main

import (
	"strings"
	"unsafe"

	"paravent/lists/filter"
	"paravent/wasm/match"
)

const (
	mark      = 0x5AA5 << 16 // upper half of a decision
	smallRoom = 64 << 10
	largeRoom = 256 << 20 // more is refused before it is allocated
)

var (
	small   = make([]byte, smallRoom)
	room    = small
	result  []byte
	matcher *match.Matcher
)

func main() { select {} }

// input returns the address of at least n bytes of room, or 0.
//
//go:wasmexport input
func input(n int32) int32 {
	switch {
	case n < 0 || n > largeRoom:
		return 0
	case n <= smallRoom:
		room = small
	default:
		room = make([]byte, n)
	}
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(room))))
}

// output returns the address of the last result.
//
//go:wasmexport output
func output() int32 { return int32(uintptr(unsafe.Pointer(unsafe.SliceData(result)))) }

// say keeps text as the result and returns its length.
func say(text string) int32 {
	result = append(result[:0], text...)
	return int32(len(result))
}

// open takes the first n bytes of the room as the bundle to decide with. It
// returns 0, or the negative length of an error.
//
//go:wasmexport open
func open(n int32) (code int32) {
	defer func() {
		if recover() != nil {
			code = -say("engine: broke while opening the bundle")
		}
	}()
	if n < 0 || int(n) > len(room) {
		return -say("engine: open: more bytes than input made room for")
	}
	data := room[:n:n]
	if len(room) == smallRoom {
		data = append([]byte(nil), data...)
	}
	room = small
	opened, err := match.Open(data)
	if err != nil {
		return -say(err.Error())
	}
	matcher = opened
	return 0
}

// names tells the words that go with the numbers: a line each of types,
// modes, actions and reasons.
//
//go:wasmexport names
func names(int32) int32 {
	return say(strings.Join([]string{
		strings.Join(filter.TypeNames(), " "),
		strings.Join(match.ModeNames, " "),
		strings.Join(match.ActionNames, " "),
		strings.Join(match.ReasonNames, " "),
	}, "\n"))
}

// covers looks for the protected domain that the host in the room is within,
// and returns its length, or 0.
//
//go:wasmexport covers
func covers(n int32) (length int32) {
	defer func() {
		if recover() != nil {
			length = -say("engine: broke while looking for the site")
		}
	}()
	if matcher == nil || n < 0 || int(n) > len(room) {
		return -say("engine: covers: no list is open, or more bytes than input made room for")
	}
	return say(matcher.Covers(room[:n]))
}

// decide answers for the request in the room: URL, page's URL, site and body,
// one after another. The body is not looked at yet.
//
//go:wasmexport decide
func decide(url, page, site, body, kind, mode int32) (word int32) {
	defer func() {
		if recover() != nil {
			word = 0
		}
	}()
	if matcher == nil || url < 0 || page < 0 || site < 0 || body < 0 ||
		int64(url)+int64(page)+int64(site)+int64(body) > int64(len(room)) ||
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
	return say(matcher.Rule())
}
