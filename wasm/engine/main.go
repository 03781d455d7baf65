//go:build js && wasm

// Command engine is the part of Paravent that wakes with the browser's
// background worker: it opens a bundle and decides requests. It is built with
// GOOS=js GOARCH=wasm and called through exports alone, never through
// syscall/js, because a call by value costs a hundredth of one by reflection.
//
// Strings cross in linear memory, see package memory. The one function that
// the engine asks JavaScript for is paravent.registrable, see registrable.
// Every result that cannot be told from garbage is marked, because a Go panic
// inside an export does not throw in JavaScript: it returns whatever was
// there. A word without the mark is an engine failure, and the caller then
// stops requests on protected sites.
package main

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"

	"paravent/lists/filter"
	"paravent/wasm/match"
	"paravent/wasm/memory"
)

const mark = 0x5AA5 << 16 // upper half of a decision

var (
	matcher match.Matcher
	opened  bool
	request match.Request

	// words go with the numbers, see names.
	words = strings.Join([]string{
		strings.Join(filter.TypeNames(), " "),
		strings.Join(filter.MethodNames(), " "),
		strings.Join(match.ModeNames, " "),
		strings.Join(match.ActionNames, " "),
		strings.Join(match.ReasonNames, " "),
	}, "\n")
)

// reserved is room for today's bundles. The program is packaged as it is when
// main waits (extension/tools/prestart.js): what is made here, and not in
// open, does not keep the first request waiting.
const reserved = 3 << 20

// line makes one line of a text that a request carries.
var line = strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ")

const example = "https://a.host.of.many.labels.example/"

func main() {
	matcher.Registrable = siteOf
	memory.Reserve(reserved)
	// A first decision, which asks no list, makes the buffers of all others.
	request = match.Request{URL: []byte(example), Page: []byte(example)}
	matcher.Decide(&request)
	select {}
}

// registrable is JavaScript's: how many bytes at the end of the host that lies
// at an address of memory are its registrable domain, 0 when it has none. The
// browser keeps the list of public suffixes, and most requests need no look
// into it.
//
//go:wasmimport paravent registrable
func registrable(host unsafe.Pointer, length int32) int32

func siteOf(host []byte) int {
	return int(registrable(unsafe.Pointer(unsafe.SliceData(host)), int32(len(host))))
}

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
	if err := matcher.Use(data); err != nil {
		return memory.Failed(err)
	}
	opened = true
	if n > reserved {
		// So much begins a collection, which goes on in the calls that follow,
		// and while it does every pointer costs more: better at once.
		runtime.GC()
	}
	return 0
}

// names tells the words that go with the numbers: a line each of types,
// methods, modes, actions and reasons.
//
//go:wasmexport names
func names() int32 { return memory.Say(words) }

// decide answers for a request: n bytes of its URL, a body and a Referer, one
// after another, and page bytes of the top document's address, which begin at
// byte at, or behind the others when that is -1; -1 bytes when it is the page
// of the call before. what holds the type, the method above 8 bits, the mode
// above 12, and 1<<16 to look for leaks. The answer has the reason, the action
// above 5 bits, what it would be above 7, and the mark.
//
//go:wasmexport decide
func decide(n, body, referer, page, what, at int32) (word int32) {
	defer func() {
		if recover() != nil {
			word = 0
		}
	}()
	end := n + body + referer
	if at < 0 {
		at = end
	}
	room, ok := memory.Read(max(end, at+page))
	kind, method, mode := what&0xff, what>>8&0xf, what>>12&0xf
	if !ok || !opened || page < -1 || n < 0 || body < 0 || referer < 0 ||
		int(kind) >= len(filter.TypeNames()) || int(method) >= len(filter.MethodNames()) || int(mode) >= len(match.ModeNames) {
		return 0
	}
	if request.Again = page < 0; !request.Again {
		request.Page = append(request.Page[:0], room[at:at+page]...)
	}
	request.URL, request.Body, request.Referer = room[:n], room[n:n+body], room[n+body:end]
	request.Type, request.Method, request.Mode = filter.Type(kind), filter.Method(method), match.Mode(mode)
	request.Leaks = what>>16 != 0
	d, err := matcher.Decide(&request)
	if err != nil {
		return 0
	}
	return mark | int32(d.Would)<<7 | int32(d.Action)<<5 | int32(d.Reason)
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
	if !opened {
		return 0
	}
	return memory.Say(matcher.Rule())
}

// leaked tells what the last decided request tells of its page, whatever
// decided, see match.Matcher.Told: what, place, encoding, field and text in a
// line each, and a zero byte between two findings. It returns the length, or 0
// when it tells nothing.
//
//go:wasmexport leaked
func leaked() (length int32) {
	defer func() {
		if recover() != nil {
			length = 0
		}
	}()
	if !opened {
		return 0
	}
	var said []string
	for _, f := range matcher.Told(&request) {
		said = append(said, strings.Join([]string{
			f.What.String(), f.Place.String(), f.Encoding, line.Replace(f.Field), line.Replace(f.Text),
		}, "\n"))
	}
	return memory.Say(strings.Join(said, "\x00"))
}
