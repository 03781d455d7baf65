// Package bhttp reads and writes Binary HTTP, RFC 9292: one request or one
// response as bytes (message/bhttp). It is what lies inside the sealed messages
// of package ohttp.
//
// All numbers and lengths are variable-length integers of QUIC (RFC 9000,
// section 16). A message of known length is
//
//	request    0, method, scheme, authority, path        each: length, bytes
//	response   1, status                                 after any number of 1xx status with header fields
//	both       header fields, content, trailer fields    each: length, bytes
//	           zeros, as many as one likes
//
// where a field is the length and bytes of its name, then of its value. So a
// GET of https://example.com/ is, in hexadecimal,
//
//	00 03 474554 05 6874747073 0b 6578616d706c652e636f6d 01 2f
//	   3  GET    5  https      11 example.com            1  /
//
// What is empty at the end is left out, as here header fields, content and
// trailer fields: zeros that follow as padding read as their lengths. 2 and 3
// instead of 0 and 1 stand for messages of indeterminate length, which have
// zeros at the end of sections instead of lengths in front. This package writes
// messages of known length, and reads both.
//
// It is written here because the libraries that there are map messages to
// net/http's, which brings guesses about hosts, bodies and canonical names, and
// bound neither the number of fields nor their size. Reading is strict: a
// message is refused if HTTP/2 would refuse it as malformed (RFC 9113, section
// 8.2.1 and 8.3.1), if it has any pseudo-field, padding other than zeros, or more
// than MaxFields fields or MaxSection bytes in a section of them. 1xx responses
// are checked and dropped.
package bhttp

import (
	"errors"
	"fmt"
	"strings"
)

// MediaType is that of a message.
const MediaType = "message/bhttp"

const (
	// MaxFields is how many fields a section may have.
	MaxFields = 64
	// MaxSection is how many bytes a section of fields may have, and how many
	// the method, scheme, authority and path together.
	MaxSection = 16 << 10
	// maxInterim is how many 1xx responses may come before a response.
	maxInterim = 8
)

// The framing indicators.
const (
	knownRequest = iota
	knownResponse
	indeterminateRequest
	indeterminateResponse
)

// Field is a header or trailer field.
type Field struct {
	Name  string // small letters once it was read or written
	Value string
}

// Get returns the value of the first field of a name in small letters, or "".
func Get(fields []Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Request is an HTTP request.
type Request struct {
	Method, Scheme, Authority, Path string // as HTTP/2 has them; Authority may be empty
	Header                          []Field
	Content                         []byte
	Trailer                         []Field
}

// Response is an HTTP response.
type Response struct {
	Status  int // 200 to 599
	Header  []Field
	Content []byte
	Trailer []Field
}

// Encode writes a request. It refuses what DecodeRequest would refuse.
func (r Request) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	b := []byte{knownRequest}
	for _, part := range []string{r.Method, r.Scheme, r.Authority, r.Path} {
		b = appendBytes(b, part)
	}
	b, err := appendRest(b, r.Header, r.Content, r.Trailer)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return b, nil
}

// Encode writes a response. It refuses what DecodeResponse would refuse.
func (r Response) Encode() ([]byte, error) {
	if r.Status < 200 || r.Status > 599 {
		return nil, fmt.Errorf("response: status %d is not one of 200 to 599", r.Status)
	}
	b, err := appendRest(appendNumber([]byte{knownResponse}, uint64(r.Status)), r.Header, r.Content, r.Trailer)
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	return b, nil
}

// Pad lengthens a message to a size, with zeros.
func Pad(message []byte, size int) ([]byte, error) {
	if len(message) > size {
		return nil, fmt.Errorf("the message has %d bytes, more than the %d to pad it to", len(message), size)
	}
	padded := make([]byte, size)
	copy(padded, message)
	return padded, nil
}

func (r *Request) check() error {
	switch {
	case len(r.Method)+len(r.Scheme)+len(r.Authority)+len(r.Path) > MaxSection:
		return fmt.Errorf("method, scheme, authority and path have more than %d bytes", MaxSection)
	case !isToken(r.Method):
		return errors.New("method: is no word of HTTP")
	case !isScheme(r.Scheme):
		return errors.New("scheme: is none such as https")
	case !isVisible(r.Authority) || strings.ContainsAny(r.Authority, "@/?#"):
		return errors.New("authority: is none such as example.com:443")
	case !isVisible(r.Path) || strings.Contains(r.Path, "#") || r.Path != "*" && !strings.HasPrefix(r.Path, "/"):
		return errors.New("path: is none such as /a?b")
	}
	return nil
}

// appendRest writes what both kinds of messages end with.
func appendRest(b []byte, header []Field, content []byte, trailer []Field) ([]byte, error) {
	h, err := encodeFields(header)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	t, err := encodeFields(trailer)
	if err != nil {
		return nil, fmt.Errorf("trailer: %w", err)
	}
	end := len(b)
	for _, section := range [][]byte{h, content, t} {
		if b = appendBytes(b, section); len(section) > 0 {
			end = len(b)
		}
	}
	return b[:end], nil
}

func encodeFields(fields []Field) ([]byte, error) {
	if len(fields) > MaxFields {
		return nil, fmt.Errorf("more than %d fields", MaxFields)
	}
	var b []byte
	for i, f := range fields {
		f.Name = strings.ToLower(f.Name)
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("field %d: %w", i+1, err)
		}
		b = appendBytes(appendBytes(b, f.Name), f.Value)
	}
	if len(b) > MaxSection {
		return nil, fmt.Errorf("its fields have %d bytes, more than %d", len(b), MaxSection)
	}
	return b, nil
}

func (f *Field) check() error {
	if !isToken(f.Name) {
		return errors.New("the name is no word of HTTP")
	}
	if strings.ContainsAny(f.Value, "\x00\r\n") || strings.Trim(f.Value, " \t") != f.Value {
		return errors.New("the value has a line end or zero in it, or space around it")
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isToken knows the tokens of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.Trim(s, letters+"0123456789!#$%&'*+-.^_`|~") == ""
}

func isScheme(s string) bool {
	return s != "" && strings.Trim(s, letters+"0123456789+-.") == ""
}

// isVisible says whether s is made of ASCII without spaces and controls.
func isVisible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}

// appendNumber writes a number in the shortest way.
func appendNumber(b []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, 1<<6|byte(n>>8), byte(n))
	case n < 1<<30:
		return append(b, 2<<6|byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, 3<<6|byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// appendBytes writes a length and the bytes.
func appendBytes[T string | []byte](b []byte, data T) []byte {
	return append(appendNumber(b, uint64(len(data))), data...)
}
