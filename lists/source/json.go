package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// deepest bounds how deep the JSON of a source file nests.
const deepest = 16

// A node is a JSON value that knows its line.
type node struct {
	line     int
	what     string   // text, list, object, or another kind
	text     string   // of a text
	keys     []string // of an object
	keyLines []int
	parts    []*node // of a list or an object
}

// A document reads a JSON file into structs and remembers the line of every
// field, by its path, such as "needs[0].for". What does not fit it says, and
// goes on.
type document struct {
	places
	report func(at Place, format string, args ...any)
}

// say reports that a value does not fit. Whoever checks what the value says
// asks broken first: what is not there for this reason is not missing too.
func (d *document) say(line int, at, format string, args ...any) {
	d.misfits[at] = true
	d.report(Place{d.file, line}, "%s"+format, append([]any{label(at)}, args...)...)
}

// parseJSON makes nodes of a text. The error is of one place only: where JSON
// is broken, nobody knows what was meant behind it.
func parseJSON(text []byte) (*node, int, error) {
	lineAt := func(offset int64) int { return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) }
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		line := lineAt(int64(len(bytes.TrimRight(text, " \t\r\n"))))
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && syntax.Offset < int64(len(text)) {
			line = lineAt(syntax.Offset - 1)
		}
		return nil, line, fmt.Errorf("%w: %s", err, remedyJSON(err.Error()))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var read func(depth int) (*node, error)
	read = func(depth int) (*node, error) {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		n := &node{line: lineAt(decoder.InputOffset())}
		switch t := token.(type) {
		case string:
			n.what, n.text = "text", t
		case json.Delim:
			if depth == deepest {
				return nil, fmt.Errorf("nests more than %d deep: want what the package comment of lists/source shows", deepest)
			}
			n.what = "list"
			if t == '{' {
				n.what = "object"
			}
			for decoder.More() {
				if t == '{' {
					key, err := decoder.Token()
					if err != nil {
						return nil, err
					}
					n.keys = append(n.keys, fmt.Sprint(key))
					n.keyLines = append(n.keyLines, lineAt(decoder.InputOffset()))
				}
				part, err := read(depth + 1)
				if err != nil {
					return nil, err
				}
				n.parts = append(n.parts, part)
			}
			if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
		default:
			n.what = "number, true, false or null"
		}
		return n, nil
	}
	root, err := read(0)
	return root, lineAt(decoder.InputOffset()), err
}

// remedyJSON says what mistakes of this kind mostly are.
func remedyJSON(message string) string {
	switch {
	case strings.Contains(message, "after top-level value"):
		return "the file holds one value: take out what follows it"
	case strings.Contains(message, "looking for beginning of object key"):
		return "write a name in double quotes, or take out the comma before it"
	case strings.Contains(message, "looking for beginning of value"):
		return "write a value in double quotes, or take out the comma before it"
	case strings.Contains(message, "after array element"), strings.Contains(message, "after object key:value pair"):
		return "write a comma before it, or close what is open"
	case strings.Contains(message, "after object key"):
		return "write a colon between a name and its value"
	case strings.Contains(message, "in string"):
		return "close the text in double quotes on the same line"
	}
	return "close every bracket, brace and quote"
}

// into sets v, a struct, a slice or a string, to what a node says.
func (d *document) into(v reflect.Value, n *node, at string) {
	d.lines[at] = n.line
	want := map[reflect.Kind]string{reflect.String: "text", reflect.Slice: "list", reflect.Struct: "object"}[v.Kind()]
	if n.what != want {
		how := map[string]string{"text": "a text in double quotes", "list": "a list in [ ]", "object": "an object in { }"}[want]
		d.say(n.line, at, "want %s, not a %s", how, n.what)
		return
	}
	switch want {
	case "text":
		v.SetString(n.text)
	case "list":
		v.Set(reflect.MakeSlice(v.Type(), len(n.parts), len(n.parts)))
		for i, part := range n.parts {
			d.into(v.Index(i), part, fmt.Sprintf("%s[%d]", at, i))
		}
	case "object":
		d.fields(v, n, at)
	}
}

func (d *document) fields(v reflect.Value, n *node, at string) {
	var names []string
	var index []int
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			names, index = append(names, strings.ToLower(f.Name)), append(index, i)
		}
	}
	for i, key := range n.keys {
		path := strings.TrimPrefix(at+"."+key, ".")
		switch which := slices.Index(names, key); {
		case which < 0:
			d.say(n.keyLines[i], at, "unknown field %q: want one of %s", key, strings.Join(names, ", "))
		case slices.Contains(n.keys[:i], key):
			d.say(n.keyLines[i], at, "field %q twice: keep one", key)
		default:
			d.into(v.Field(index[which]), n.parts[i], path)
		}
	}
}

func label(at string) string {
	if at == "" {
		return ""
	}
	return at + ": "
}
