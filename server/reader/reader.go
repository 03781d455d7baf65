// Package reader reads a list server over HTTP, for tools: the release in
// force, the resources it names, and the log that all releases stand in.
//
// What a server says is believed only after it was checked: releases by
// release.Verify, blobs by their size and SHA-256, the log's tiles (c2sp.org
// tlog-tiles) against the root hash of a checkpoint, entries against the
// tiles. Every answer has a size limit. Nothing is sent along that could tell
// one reader from another: no cookie, no If-None-Match, one User-Agent; and no
// redirect is followed, because a redirect could carry such a thing.
//
//	server, err := reader.New("https://lists.example")
//	taken, err := server.Verify(ctx, release.Client{Trust: trust})
//	list, err := server.Blob(ctx, "list", taken.Release.List)
//	log := server.Log(ctx, taken.Tree)
//	err = log.Entries(0, taken.Tree.Size, func(index uint64, entry []byte) error { … })
package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paravent/lists/release"
)

const (
	// maxWords bounds what a server says beside: the answer to a push, an error.
	maxWords = 64 << 10
	// patience bounds one request: a list on a slow line.
	patience = 5 * time.Minute
)

// ErrNone is the error of a server that has no release in force yet.
var ErrNone = errors.New("no release is in force yet")

// A Server is a list server, or another that speaks HTTP below one address,
// such as a witness.
type Server struct {
	base   string
	client *http.Client
}

// New names a server by its address, such as https://lists.example.
func New(address string) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no address of a server: want one such as https://lists.example", address)
	}
	return &Server{
		base: strings.TrimSuffix(u.String(), "/"),
		client: &http.Client{
			Timeout: patience,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}, nil
}

// String is the server's address.
func (s *Server) String() string { return s.base }

// Read returns the resource at a path such as "tile/0/000". A resource that
// the server does not have is fs.ErrNotExist. A partial tile or entry bundle
// that the server dropped when it grew full is cut out of the full one.
func (s *Server) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	data, err := s.get(ctx, path, limit)
	whole, width, partial := cutWidth(path)
	if !partial || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	full, fullErr := s.get(ctx, whole, tileWidth*maxEntry)
	if fullErr != nil {
		return nil, err
	}
	size := width * hashSize
	if strings.HasPrefix(path, "tile/entries/") {
		size = 0
		entries, err := release.ParseEntries(full)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", s.base, whole, err)
		}
		for _, entry := range entries[:min(len(entries), width)] {
			size += 2 + len(entry)
		}
	}
	return full[:min(len(full), size)], nil
}

// cutWidth takes "tile/0/001.p/5" apart into "tile/0/001" and 5.
func cutWidth(path string) (whole string, width int, partial bool) {
	whole, after, partial := strings.Cut(path, ".p/")
	width, err := strconv.Atoi(after)
	return whole, width, partial && err == nil && strings.HasPrefix(path, "tile/")
}

func (s *Server) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	status, data, err := s.do(ctx, http.MethodGet, path, "", nil, limit)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNotFound:
		return nil, fmt.Errorf("%s/%s: %w", s.base, path, fs.ErrNotExist)
	case status != http.StatusOK:
		return nil, fmt.Errorf("%s/%s: %s", s.base, path, describe(status, data))
	}
	return data, nil
}

// Has says whether the server has the resource at a path.
func (s *Server) Has(ctx context.Context, path string) (bool, error) {
	status, _, err := s.do(ctx, http.MethodHead, path, "", nil, maxWords)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return false, fmt.Errorf("%s/%s: %s", s.base, path, describe(status, nil))
	}
	return status == http.StatusOK, nil
}

// Post sends a body and returns the answer's status and text, whatever the
// status is.
func (s *Server) Post(ctx context.Context, path, contentType string, body []byte) (status int, answer []byte, err error) {
	return s.do(ctx, http.MethodPost, path, contentType, body, maxWords)
}

func (s *Server) do(ctx context.Context, method, path, contentType string, body []byte, limit int64) (int, []byte, error) {
	address := s.base + "/" + path
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("User-Agent", "paravent")
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := s.client.Do(request)
	if err != nil {
		// The error of net/http names method and address already.
		return 0, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		return 0, nil, fmt.Errorf("%s: redirects to %q, which is not followed: give the server's own address", address, response.Header.Get("Location"))
	}
	if response.StatusCode != http.StatusOK {
		limit = maxWords
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", address, err)
	}
	if int64(len(data)) > limit {
		return 0, nil, fmt.Errorf("%s: is longer than the %d bytes that it may have", address, limit)
	}
	return response.StatusCode, data, nil
}

// describe shows a refusal: its status, and the first line of what was said.
func describe(status int, answer []byte) string {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	line, _, _ := strings.Cut(strings.TrimSpace(string(answer)), "\n")
	if line = strings.ToValidUTF8(line, "?"); line == "" {
		return text
	}
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "") + "…"
	}
	return text + ": " + line
}

// Refusal is describe for those who post.
func Refusal(status int, answer []byte) error { return errors.New(describe(status, answer)) }

// Answer returns what the server says is in force, unchecked: a note and its
// proof. The error is ErrNone before the first release.
func (s *Server) Answer(ctx context.Context) ([]byte, error) {
	answer, err := s.get(ctx, "v1/release", release.MaxAnswer)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", s.base, ErrNone)
	}
	return answer, err
}

// Verify returns the release in force if the client c would take it.
func (s *Server) Verify(ctx context.Context, c release.Client) (release.Taken, error) {
	answer, err := s.Answer(ctx)
	if err != nil {
		return release.Taken{}, err
	}
	taken, err := release.Verify(answer, c, s.Resources(ctx))
	if err != nil {
		return release.Taken{}, fmt.Errorf("%s/v1/release: %w", s.base, err)
	}
	return taken, nil
}

// Resources is Read in the form that release.Verify asks for.
func (s *Server) Resources(ctx context.Context) release.Reader {
	return func(path string, limit int64) ([]byte, error) { return s.Read(ctx, path, limit) }
}

// Blob returns the bytes that d names, checked. what says in errors what they
// are.
func (s *Server) Blob(ctx context.Context, what string, d release.Digest) ([]byte, error) {
	path := "v1/blob/" + d.SHA256
	data, err := s.get(ctx, path, d.Size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return data, d.Check(what+": "+s.base+"/"+path, data)
}
