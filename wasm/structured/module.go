package structured

import (
	"errors"
	"fmt"
)

// Numbers of sections.
const (
	customSection   = 0
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	exportSection   = 7
	codeSection     = 10
)

var head = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

var errShort = errors.New("ends too early")

// A reader reads numbers and bytes one after another. After an error it is at
// its end.
type reader struct {
	data []byte
	at   int
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.data)
}

func (r *reader) more() bool { return r.at < len(r.data) }

func (r *reader) byte() byte {
	if !r.more() {
		r.fail(errShort)
		return 0
	}
	r.at++
	return r.data[r.at-1]
}

// unsigned reads a LEB128 number of at most 32 bits.
func (r *reader) unsigned() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail(errors.New("a number has more than 32 bits"))
	return 0
}

// signed reads a LEB128 number of at most 64 bits.
func (r *reader) signed() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift += 7; shift < 64 && b&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
	}
	r.fail(errors.New("a number has more than 64 bits"))
	return 0
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.at) {
		r.fail(errShort)
		return nil
	}
	r.at += int(n)
	return r.data[r.at-int(n) : r.at]
}

// count reads how many things of at least one byte follow.
func (r *reader) count() int {
	n := r.unsigned()
	if uint64(n) > uint64(len(r.data)-r.at) {
		r.fail(errShort)
		return 0
	}
	return int(n)
}

func appendUnsigned(dst []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}

func appendSigned(dst []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v)&0x7f)
}

type section struct {
	id   byte
	body []byte
}

// A module is a WebAssembly module with its functions apart. The others of its
// sections stay bytes.
type module struct {
	sections []section
	goType   uint32 // of Go's functions, (i32) → i32
	imported int    // functions that are imported, which come first
	types    []uint32
	bodies   [][]byte // of those that are not
	names    map[uint32]string
}

func readModule(data []byte) (*module, error) {
	if len(data) < len(head) || string(data[:len(head)]) != string(head) {
		return nil, errors.New("no WebAssembly module of version 1")
	}
	m := &module{goType: noType, names: map[uint32]string{}}
	r := &reader{data: data, at: len(head)}
	for r.more() {
		s := section{id: r.byte()}
		s.body = r.take(r.unsigned())
		if r.err != nil {
			return nil, fmt.Errorf("section %d: %w", s.id, r.err)
		}
		m.sections = append(m.sections, s)
		in := &reader{data: s.body}
		switch s.id {
		case typeSection:
			m.readTypes(in)
		case importSection:
			m.readImports(in)
		case functionSection:
			for range in.count() {
				m.types = append(m.types, in.unsigned())
			}
		case codeSection:
			for range in.count() {
				m.bodies = append(m.bodies, in.take(in.unsigned()))
			}
		case customSection:
			if string(in.take(in.unsigned())) == "name" {
				m.readNames(in)
			}
			continue // such sections may say anything
		default:
			continue
		}
		if in.err == nil && in.more() {
			in.fail(errors.New("has bytes behind its end"))
		}
		if in.err != nil {
			return nil, fmt.Errorf("section %d: %w", s.id, in.err)
		}
	}
	if len(m.types) != len(m.bodies) {
		return nil, fmt.Errorf("%d functions have %d bodies", len(m.types), len(m.bodies))
	}
	return m, nil
}

const (
	noType = 1<<32 - 1

	functionForm = 0x60
	i32          = 0x7f
)

func (m *module) readTypes(r *reader) {
	for i := range r.count() {
		if r.byte() != functionForm {
			r.fail(errors.New("a type is none of a function"))
			return
		}
		params, results := r.take(r.unsigned()), r.take(r.unsigned())
		if len(params) == 1 && params[0] == i32 && len(results) == 1 && results[0] == i32 && m.goType == noType {
			m.goType = uint32(i)
		}
	}
}

func (m *module) readImports(r *reader) {
	for range r.count() {
		r.take(r.unsigned())
		r.take(r.unsigned())
		if kind := r.byte(); kind != 0 {
			r.fail(errors.New("a Go program imports functions alone"))
			return
		}
		r.unsigned()
		m.imported++
	}
}

// readNames reads those of the functions.
func (m *module) readNames(r *reader) {
	for r.more() {
		id, in := r.byte(), &reader{data: r.take(r.unsigned())}
		if id != 1 {
			continue
		}
		for range in.count() {
			index := in.unsigned()
			m.names[index] = string(in.take(in.unsigned()))
		}
	}
}

// bytes is the module as it now is, without the sections that only say how
// things are called.
func (m *module) bytes() []byte {
	out := append([]byte(nil), head...)
	for _, s := range m.sections {
		body := s.body
		switch s.id {
		case customSection:
			continue
		case functionSection:
			body = appendUnsigned(nil, uint32(len(m.types)))
			for _, t := range m.types {
				body = appendUnsigned(body, t)
			}
		case codeSection:
			body = appendUnsigned(nil, uint32(len(m.bodies)))
			for _, b := range m.bodies {
				body = append(appendUnsigned(body, uint32(len(b))), b...)
			}
		}
		out = append(appendUnsigned(append(out, s.id), uint32(len(body))), body...)
	}
	return out
}
