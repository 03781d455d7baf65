package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// MaxRequest is the longest JSON request, in bytes.
const MaxRequest = 8 << 10

// openly answers a request that is not sealed: {"url":"https://…"}. It fetches
// each time, past the cache.
func (g *gateway) openly(w http.ResponseWriter, r *http.Request) {
	p, err := g.answerOpenly(r)
	if err != nil {
		why := errUnreachable
		errors.As(err, &why)
		g.Log.Info("no picture", "status", why.status, "why", why.text)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(why.status)
		json.NewEncoder(w).Encode(map[string]string{"error": why.text})
		return
	}
	w.Header().Set("Content-Type", p.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(p.data)))
	w.Write(p.data)
}

func (g *gateway) answerOpenly(r *http.Request) (picture, error) {
	target, err := readRequest(r.Body)
	if err != nil {
		return picture{}, err
	}
	if err := g.check(target); err != nil {
		return picture{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), MaxTime)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return picture{}, errBusy
	}
	p, err := g.fetch(ctx, target)
	if err != nil && ctx.Err() != nil {
		err = errSlow
	}
	return p, err
}

// readRequest reads {"url":"…"}, and nothing more or less.
func readRequest(body io.Reader) (*url.URL, error) {
	text, err := io.ReadAll(io.LimitReader(body, MaxRequest+1))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "the request ended early"}
	}
	if len(text) > MaxRequest {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is longer than %d bytes", MaxRequest)}
	}
	var asked struct {
		URL *string `json:"url"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil || asked.URL == nil {
		return nil, &refusal{http.StatusBadRequest, `the request is not {"url":"…"}`}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, &refusal{http.StatusBadRequest, `something follows {"url":"…"}`}
	}
	target, err := url.Parse(*asked.URL)
	if err != nil || target.Host == "" {
		return nil, &refusal{http.StatusBadRequest, "url: is not an absolute address"}
	}
	return target, nil
}
