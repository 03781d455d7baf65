//go:build js && wasm

// Package memory is the linear memory that a WebAssembly module of ours
// shares with its JavaScript: room for what a call is given, and the bytes
// that it answers. It exports two functions to JavaScript,
//
//	input(n)   the address of at least n bytes of room, or 0; it is always the
//	           same for up to 64 KB
//	output()   the address of the last answer; the call told its length
//
// and every call writes its answer with Say. No call goes through syscall/js,
// which costs a hundred times as much as an export.
package memory

import (
	"errors"
	"unsafe"
)

const (
	smallRoom = 64 << 10
	largeRoom = 256 << 20 // more is refused before it is allocated

	smallAnswer = 4 << 10 // that fits without allocating
)

var (
	small  = make([]byte, smallRoom)
	room   []byte // for more, until it is taken
	answer = make([]byte, 0, smallAnswer)
)

// Reserve makes room for n bytes before JavaScript asks for it.
func Reserve(n int) { room = make([]byte, n) }

//go:wasmexport input
func input(n int32) int32 {
	to := small
	switch {
	case n < 0 || n > largeRoom:
		return 0
	case n > smallRoom:
		if int(n) > len(room) {
			room = make([]byte, n)
		}
		to = room
	}
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(to))))
}

//go:wasmexport output
func output() int32 { return int32(uintptr(unsafe.Pointer(unsafe.SliceData(answer)))) }

// Read returns the first n bytes that JavaScript wrote, with all of the room
// behind them as capacity, or false when it made no room for so many. They are
// valid until the next call.
func Read(n int32) ([]byte, bool) {
	from := small
	if n > smallRoom {
		from = room
	}
	if n < 0 || int(n) > len(from) {
		return nil, false
	}
	return from[:n], true
}

// Take is Read for bytes that are kept: room is made anew for the next call.
func Take(n int32) ([]byte, bool) {
	data, ok := Read(n)
	if ok && n <= smallRoom {
		return append([]byte(nil), data...), true
	}
	room = nil
	return data, ok
}

// Say keeps text as the answer and returns its length.
func Say(text string) int32 {
	answer = append(answer[:0], text...)
	return int32(len(answer))
}

// Answer keeps data, which it takes over, and returns its length.
func Answer(data []byte) int32 {
	answer = data
	return int32(len(data))
}

// Failed keeps an error's text and returns its negative length.
func Failed(err error) int32 { return -Say(err.Error()) }

// ErrRoom says that JavaScript names more bytes than it asked room for.
var ErrRoom = errors.New("more bytes than input made room for")
