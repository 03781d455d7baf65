package release

import (
	"errors"
	"fmt"
)

// A Client is what a reader knows before it looks at an answer.
type Client struct {
	Trust Trust
	Next  uint64 // the lowest index it takes: 0, or one more than that in force
	Tree  Tree   // of the last checkpoint that it has seen; the zero Tree if it has seen none
}

// A Reader returns a public object of the list server by its path, without a
// leading slash, in at most so many bytes. A reader that cannot fetch by
// itself returns a *Missing, which errors.AsType finds in Verify's error.
type Reader func(path string, limit int64) ([]byte, error)

// Missing is an object of the server that Verify needs: ask again with it.
type Missing struct {
	Path  string
	Limit int64 // bytes
}

func (m *Missing) Error() string { return fmt.Sprintf("%s is needed", m.Path) }

// Among returns a Reader of these objects.
func Among(objects map[string][]byte) Reader {
	return func(path string, limit int64) ([]byte, error) {
		data, ok := objects[path]
		if !ok {
			return nil, &Missing{path, limit}
		}
		return data, nil
	}
}

// Taken is a release that may be put in force, and what to remember of it.
type Taken struct {
	Release   Release
	Note      []byte
	Trust     Trust    // in force from now on
	Log       string   // the origin of the checkpoint
	Tree      Tree     // the next Client's
	Signers   []string // maintainers that signed, under Trust
	Witnesses []Cosignature
	Rotations int // how often the keys changed since Client.Trust
}

// Verify decides whether an answer to GET /v1/release may be put in force.
func Verify(answer []byte, c Client, read Reader) (Taken, error) {
	return Taken{}, errors.New("release: not verified")
}
