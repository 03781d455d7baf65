package bhttp

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

var errEnds = errors.New("the message ends too early")

// DecodeRequest reads a request. Its Content may be part of message.
func DecodeRequest(message []byte) (Request, error) {
	r, err := decodeRequest(&decoder{rest: message})
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	return r, nil
}

// DecodeResponse reads a response. Its Content may be part of message.
func DecodeResponse(message []byte) (Response, error) {
	r, err := decodeResponse(&decoder{rest: message})
	if err != nil {
		return Response{}, fmt.Errorf("response: %w", err)
	}
	return r, nil
}

func decodeRequest(d *decoder) (r Request, err error) {
	if err := d.framing(knownRequest, indeterminateRequest); err != nil {
		return r, err
	}
	for _, part := range []struct {
		name string
		to   *string
	}{{"method", &r.Method}, {"scheme", &r.Scheme}, {"authority", &r.Authority}, {"path", &r.Path}} {
		if *part.to, err = d.text(MaxSection); err != nil {
			return r, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if err := r.check(); err != nil {
		return r, err
	}
	r.Header, r.Content, r.Trailer, err = d.end()
	return r, err
}

func decodeResponse(d *decoder) (r Response, err error) {
	if err := d.framing(knownResponse, indeterminateResponse); err != nil {
		return r, err
	}
	for interim := 0; ; interim++ {
		status, err := d.number()
		if err != nil {
			return r, fmt.Errorf("status: %w", err)
		}
		if status < 100 || status > 599 {
			return r, fmt.Errorf("status %d is not one of 100 to 599", status)
		}
		if r.Status = int(status); status >= 200 {
			break
		}
		if interim == maxInterim {
			return r, fmt.Errorf("more than %d responses with a status below 200", maxInterim)
		}
		if _, err := d.fields(); err != nil {
			return r, fmt.Errorf("header of the response with status %d: %w", status, err)
		}
	}
	r.Header, r.Content, r.Trailer, err = d.end()
	return r, err
}

// A decoder reads a message from its front.
type decoder struct {
	rest          []byte
	indeterminate bool
}

func (d *decoder) framing(known, indeterminate uint64) error {
	n, err := d.number()
	if err != nil {
		return err
	}
	if n != known && n != indeterminate {
		return fmt.Errorf("framing indicator %d, want %d or %d", n, known, indeterminate)
	}
	d.indeterminate = n == indeterminate
	return nil
}

// end reads what both kinds of messages end with. A message may be cut off in
// front of each of the three parts.
func (d *decoder) end() (header []Field, content []byte, trailer []Field, err error) {
	if header, err = d.fields(); err != nil {
		return nil, nil, nil, fmt.Errorf("header: %w", err)
	}
	if content, err = d.content(); err != nil {
		return nil, nil, nil, fmt.Errorf("content: %w", err)
	}
	if trailer, err = d.fields(); err != nil {
		return nil, nil, nil, fmt.Errorf("trailer: %w", err)
	}
	for _, b := range d.rest {
		if b != 0 {
			return nil, nil, nil, errors.New("padding: is not all zeros")
		}
	}
	return header, content, trailer, nil
}

func (d *decoder) fields() (fields []Field, err error) {
	if len(d.rest) == 0 {
		return nil, nil
	}
	section := d
	if !d.indeterminate {
		data, err := d.bytes(MaxSection)
		if err != nil {
			return nil, err
		}
		section = &decoder{rest: data}
	}
	for left := int64(MaxSection); d.indeterminate || len(section.rest) > 0; {
		before := len(section.rest)
		var f Field
		if f.Name, err = section.text(uint64(max(left, 0))); err == nil && f.Name == "" && d.indeterminate {
			return fields, nil
		}
		if err == nil {
			f.Value, err = section.text(uint64(max(left, 0)))
		}
		if err == nil {
			err = f.check()
		}
		if left -= int64(before - len(section.rest)); err == nil && left < 0 {
			err = fmt.Errorf("its fields have more than %d bytes", MaxSection)
		}
		if err == nil && len(fields) == MaxFields {
			err = fmt.Errorf("more than %d fields", MaxFields)
		}
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", len(fields)+1, err)
		}
		f.Name = strings.ToLower(f.Name)
		fields = append(fields, f)
	}
	return fields, nil
}

func (d *decoder) content() ([]byte, error) {
	if len(d.rest) == 0 {
		return nil, nil
	}
	if !d.indeterminate {
		return d.bytes(math.MaxUint64)
	}
	var all []byte
	for {
		chunk, err := d.bytes(math.MaxUint64)
		if err != nil || len(chunk) == 0 {
			return all, err
		}
		all = append(all, chunk...)
	}
}

// number reads a number, which need not be written in the shortest way.
func (d *decoder) number() (uint64, error) {
	if len(d.rest) == 0 {
		return 0, errEnds
	}
	size := 1 << (d.rest[0] >> 6)
	if len(d.rest) < size {
		return 0, errEnds
	}
	n := uint64(d.rest[0] & 0x3f)
	for _, b := range d.rest[1:size] {
		n = n<<8 | uint64(b)
	}
	d.rest = d.rest[size:]
	return n, nil
}

// bytes reads a length and so many bytes, at most a number of them.
func (d *decoder) bytes(most uint64) ([]byte, error) {
	n, err := d.number()
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("has %d bytes, more than %d", n, most)
	}
	if n > uint64(len(d.rest)) {
		return nil, errEnds
	}
	data := d.rest[:n:n]
	d.rest = d.rest[n:]
	return data, nil
}

func (d *decoder) text(most uint64) (string, error) {
	data, err := d.bytes(most)
	return string(data), err
}
