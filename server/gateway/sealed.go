package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
)

const (
	// MaxSealed is the longest sealed request, in bytes.
	MaxSealed = 2048 + ohttp.RequestOverhead
	// maxOpen is how many requests are under way at once.
	maxOpen = 8192
	// maxMemory bounds the bytes of all answers that are being made or written.
	// An answer waits for its part of it before its photo is read.
	maxMemory = 256 << 20
	// writing is how long an answer may take on its way.
	writing = 30 * time.Second
)

// sealed answers a sealed request.
func (g *gateway) sealed(w http.ResponseWriter, r *http.Request) {
	select {
	case g.open <- struct{}{}:
		defer func() { <-g.open }()
	default:
		problem(w, errBusy.status, errBusy.text)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxSealed))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is longer than %d bytes", MaxSealed))
		return
	} else if err != nil {
		problem(w, http.StatusBadRequest, "the request ended early")
		return
	}
	request, responder, err := g.Keys().Open(body)
	switch {
	case errors.Is(err, ohttp.ErrKey):
		g.Log.Info("a request is sealed to a key that is not here")
		ohttp.WriteProblem(w)
		return
	case err != nil:
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	// The fetch has MaxTime, and this a little more to say that it was too short.
	ctx, cancel := context.WithTimeout(r.Context(), MaxTime+2*time.Second)
	defer cancel()
	answer, leave, err := g.answer(ctx, request)
	if err != nil {
		problem(w, errBusy.status, errBusy.text)
		return
	}
	defer leave()
	if answer, err = responder.Seal(answer); err != nil {
		g.Log.Error("an answer cannot be sealed", "err", err)
		problem(w, http.StatusInternalServerError, "the answer could not be sealed")
		return
	}
	// What an answer takes of the memory must come free again.
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writing))
	w.Header().Set("Content-Type", ohttp.ResponseType)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.Write(answer)
}

// problem says why there is no sealed answer. It must be true of any request
// that was sealed to the same key and came at the same time: the relay reads it.
func problem(w http.ResponseWriter, status int, title string) {
	text, _ := json.Marshal(map[string]any{"title": title, "status": status})
	w.Header().Set("Content-Type", ohttp.ProblemType)
	w.WriteHeader(status)
	w.Write(text)
}

// answer returns the padded answer to an opened request. leave gives back its
// memory; the error says that there was none.
func (g *gateway) answer(ctx context.Context, request []byte) (padded []byte, leave func(), err error) {
	p, leave, err := g.photo(ctx, request)
	status := http.StatusOK
	if err != nil {
		why := errUnreachable
		errors.As(err, &why)
		g.Log.Info("no picture", "status", why.status, "why", why.text)
		if errors.Is(err, errCache) {
			g.Log.Error("the cache does not work", "err", err)
		}
		status, p = why.status, picture{"text/plain", []byte(why.text)}
		if leave, err = g.take(ctx, len(p.data)); err != nil {
			return nil, nil, err
		}
	}
	message, err := bhttp.Response{
		Status:  status,
		Header:  []bhttp.Field{{Name: "content-type", Value: p.contentType}},
		Content: p.data,
	}.Encode()
	if err != nil {
		leave()
		return nil, nil, err
	}
	return ohttp.PadAnswer(message), leave, nil
}

// take waits for the memory that an answer with so much content takes: the
// content, then with a head, then padded, then sealed.
func (g *gateway) take(ctx context.Context, content int) (leave func(), err error) {
	const head = 64
	weight := 4 * int64(ohttp.AnswerSize(content+head))
	if err := g.memory.Acquire(ctx, weight); err != nil {
		return nil, errBusy
	}
	return func() { g.memory.Release(weight) }, nil
}

// photo returns the photo that an opened request asks for.
func (g *gateway) photo(ctx context.Context, request []byte) (p picture, leave func(), err error) {
	target, err := addressIn(request)
	if err != nil {
		return picture{}, nil, err
	}
	if err := g.check(target); err != nil {
		return picture{}, nil, err
	}
	// A photo can be dropped between the two looks at the cache, once.
	for range 2 {
		size, err := g.bring(ctx, target)
		if err != nil {
			return picture{}, nil, err
		}
		if leave, err = g.take(ctx, int(size)); err != nil {
			return picture{}, nil, err
		}
		if p, ok := g.cache.get(keyOf(target.String())); ok {
			return p, leave, nil
		}
		leave()
	}
	return picture{}, nil, errCache
}

// addressIn reads the address out of an opened request. Header fields and
// content are not looked at, so that none can be carried on.
func addressIn(request []byte) (*url.URL, error) {
	inner, err := bhttp.DecodeRequest(request)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "the sealed request is no Binary HTTP"}
	}
	if inner.Method != http.MethodGet {
		return nil, &refusal{http.StatusMethodNotAllowed, "only GET is answered"}
	}
	target, err := url.Parse(inner.Scheme + "://" + inner.Authority + inner.Path)
	if err != nil || target.Host == "" || target.Host != inner.Authority {
		return nil, &refusal{http.StatusBadRequest, "url: is not an absolute address"}
	}
	return target, nil
}
