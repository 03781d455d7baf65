package relay

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Several sealed requests in one: each behind its length in two bytes. The
// answers come in the order in which the gateway gives them, and as soon as it
// does: each behind the number of its request among the others in one byte, a
// status in two and its length in four. With status 200 it is a sealed answer,
// with any other a problem, as for a request that comes alone.
//
//	00 03 aa bb cc  00 02 dd ee   →   01 00 c8 00 00 00 04 …  00 00 c8 00 00 00 04 …
const typeBatch = "application/vnd.paravent.ohttp-batch"

const (
	// MaxBatch is how many requests come in one.
	MaxBatch   = 64
	lengthSize = 2
)

// parts takes a batch apart; ok is false if it is not one.
func parts(body []byte) (all [][]byte, ok bool) {
	for len(body) > 0 {
		if len(body) < lengthSize {
			return nil, false
		}
		end := lengthSize + int(binary.BigEndian.Uint16(body))
		if end == lengthSize || end > len(body) || end-lengthSize > MaxRequest || len(all) == MaxBatch {
			return nil, false
		}
		all = append(all, body[lengthSize:end])
		body = body[end:]
	}
	return all, len(all) > 0
}

// batch answers several requests, or returns why it could not begin to.
func (r *relay) batch(w http.ResponseWriter, request *http.Request, client netip.Addr) error {
	body, err := readBody(w, request, MaxBatch*(lengthSize+MaxRequest))
	if err != nil {
		return err
	}
	all, ok := parts(body)
	if !ok {
		return &problem{http.StatusBadRequest, "the body is no batch of sealed requests"}
	}
	// Each counts as it would alone; the first has been counted.
	for range all[1:] {
		if !r.limit.take(client, time.Now()) {
			return errTooOften
		}
	}
	w.Header().Set("Content-Type", typeBatch)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	back := &answers{w: w, control: http.NewResponseController(w)}
	var waiting sync.WaitGroup
	for i, sealed := range all {
		waiting.Go(func() {
			a, err := r.exchange(request.Context(), sealed)
			if err != nil {
				p, text := said(err)
				back.write(i, p.status, int64(len(text)), text, nil)
				return
			}
			defer a.close()
			back.write(i, a.status, a.size, a.first, a.rest)
		})
	}
	waiting.Wait()
	if back.broken {
		// The reader must see that less came.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// answers writes what comes at any time, one after the other.
type answers struct {
	w       http.ResponseWriter
	control *http.ResponseController
	mu      sync.Mutex
	broken  bool
}

func (b *answers) write(i, status int, size int64, first []byte, rest io.Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return
	}
	// A reader who never reads must not keep a slot.
	b.control.SetWriteDeadline(time.Now().Add(MaxTime))
	head := binary.BigEndian.AppendUint16([]byte{byte(i)}, uint16(status))
	head = binary.BigEndian.AppendUint32(head, uint32(size))
	_, err := b.w.Write(append(head, first...))
	if err == nil && int64(len(first)) < size {
		_, err = io.CopyN(b.w, rest, size-int64(len(first)))
	}
	if err == nil {
		err = b.control.Flush()
	}
	b.broken = err != nil
}
