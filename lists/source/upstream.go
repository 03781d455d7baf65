package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/tidwall/gjson"

	"paravent/lists/compile"
)

// An Upstream is a list by others that is imported when building.
type Upstream struct {
	Name     string
	Package  string // npm package that carries it
	Version  string // pinned in extension/package.json as well
	Path     string // of the file in the package
	Format   string // see Import
	Licence  string // SPDX
	Homepage string
	SHA256   string // of the file: another one is refused
}

// Import reads one list by others. The formats are
//
//	easylist     rules as text, see package filter
//	dnr          rules of declarativeNetRequest as a JSON array
//	hosts        a hosts file, or names a line
//	disconnect   JSON with categories of organisations and their hosts
//
// What it cannot use it counts by kind in the report.
func Import(format string, text []byte) (*compile.List, *Report, error) {
	b := newBuilder()
	if err := b.importAs(format, text); err != nil {
		return nil, nil, err
	}
	b.finish()
	if len(b.list.Rules) == 0 {
		return nil, nil, errors.New("no rules that can be used: is the format right?")
	}
	return &b.list, b.report, nil
}

func (b *builder) importAs(format string, text []byte) error {
	switch format {
	case "easylist":
		return b.easylist(text)
	case "dnr":
		return b.dnr(text)
	case "hosts":
		return b.hosts(text)
	case "disconnect":
		return b.disconnect(text)
	}
	return fmt.Errorf("format %q: want easylist, dnr, hosts or disconnect", format)
}

func (b *builder) upstream(u Upstream, modules fs.FS) error {
	name := path.Join(u.Package, u.Path)
	text, err := fs.ReadFile(modules, name)
	if err != nil {
		return fmt.Errorf("%w: install the npm packages first (./build.sh build does)", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != u.SHA256 {
		return fmt.Errorf("sha256: %s is %x: look at what changed and write the new hash", name, sum)
	}
	return b.importAs(u.Format, text)
}

// readJSONText opens a JSON text. encoding/json checks it, since it bounds how
// deep a text nests.
func readJSONText(text []byte) (gjson.Result, error) {
	if !json.Valid(text) {
		return gjson.Result{}, errors.New("not valid JSON")
	}
	return gjson.ParseBytes(text), nil
}

// readArray opens a JSON array.
func readArray(text []byte) (gjson.Result, error) {
	root, err := readJSONText(text)
	if err == nil && !root.IsArray() {
		err = errors.New("want a JSON array of rules")
	}
	return root, err
}
