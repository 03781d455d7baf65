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

	places
}

// Formats are what Import reads.
var Formats = []string{"easylist", "dnr", "hosts", "disconnect"}

const formatsWanted = "easylist, dnr, hosts or disconnect"

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
	return fmt.Errorf("format %q: want %s", format, formatsWanted)
}

func (b *builder) upstream(u *Upstream, modules fs.FS) error {
	text, mistake := u.open(modules)
	if mistake != nil {
		return *mistake
	}
	if err := b.importAs(u.Format, text); err != nil {
		return Mistake{Place: u.At("format"), Text: fmt.Sprintf("%s: %v", u.Name, err)}
	}
	return nil
}

// open reads the imported file and compares it with its pins. A warning says
// that the package is not installed.
func (u *Upstream) open(modules fs.FS) ([]byte, *Mistake) {
	say := func(field, format string, args ...any) *Mistake {
		return &Mistake{Place: u.At(field), Text: u.Name + ": " + fmt.Sprintf(format, args...)}
	}
	about, err := fs.ReadFile(modules, path.Join(u.Package, "package.json"))
	if err == nil {
		if installed := gjson.GetBytes(about, "version").String(); installed != u.Version {
			return nil, say("version", "version %q: %s is installed as %q: pin the same in extension/package.json and here, and look at what changed", u.Version, u.Package, installed)
		}
	}
	name := path.Join(u.Package, u.Path)
	text, err := fs.ReadFile(modules, name)
	if errors.Is(err, fs.ErrNotExist) {
		m := say("path", "%v: install the npm packages first (./build.sh build does)", err)
		m.Warning = true
		return nil, m
	}
	if err != nil {
		return nil, say("path", "%v", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != u.SHA256 {
		return nil, say("sha256", "sha256: %s is %x: look at what changed and write the new hash", name, sum)
	}
	return text, nil
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
