package witness

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/reader"
)

// ErrAhead is the error of a witness that has cosigned a larger tree than the
// one that it is asked for: the log has grown meanwhile, or it shows somebody
// else another one.
var ErrAhead = errors.New("has cosigned a larger tree")

// A Log proves that it continues what it was. reader.Log is one.
type Log interface {
	// Consistency returns the proof from the first old entries to the tree.
	Consistency(old uint64) ([]tlog.Hash, error)
}

// Ask lets the witness at url cosign a checkpoint of a tree, and returns its
// signature lines, which are the caller's to verify.
func Ask(ctx context.Context, url string, checkpoint []byte, tree release.Tree, log Log) ([]byte, error) {
	server, err := reader.New(url)
	if err != nil {
		return nil, err
	}
	// The witness says what it saw last when it is asked from there, or from
	// nowhere; a few rounds are for other askers between two of this one.
	var old uint64
	for range 4 {
		proof, err := log.Consistency(old)
		if err != nil {
			return nil, err
		}
		var body strings.Builder
		fmt.Fprintf(&body, "old %d\n", old)
		for _, hash := range proof {
			body.WriteString(base64.StdEncoding.EncodeToString(hash[:]) + "\n")
		}
		body.WriteString("\n")
		body.Write(checkpoint)
		status, answer, err := server.Post(ctx, "add-checkpoint", "text/plain; charset=utf-8", []byte(body.String()))
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return answer, nil
		}
		if status != http.StatusConflict {
			return nil, fmt.Errorf("%s/add-checkpoint: %w", server, reader.Refusal(status, answer))
		}
		size, err := strconv.ParseUint(strings.TrimSuffix(string(answer), "\n"), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s/add-checkpoint: 409 without the size of a tree", server)
		}
		if size > tree.Size {
			return nil, fmt.Errorf("%s: %w, of %d entries: this one has %d", server, ErrAhead, size, tree.Size)
		}
		old = size
	}
	return nil, fmt.Errorf("%s: changes its mind too often; try again", server)
}

// Latest returns the newest checkpoint of a log that the witness at url has
// cosigned, unchecked. It is fs.ErrNotExist if there is none.
func Latest(ctx context.Context, url, origin string) ([]byte, error) {
	server, err := reader.New(url)
	if err != nil {
		return nil, err
	}
	return server.Read(ctx, name(origin), release.MaxNote)
}
