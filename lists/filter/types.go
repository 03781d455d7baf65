package filter

import "math/bits"

// A Type says what a request is for. The names are webRequest's resource
// types (https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/API/webRequest/ResourceType),
// of both browsers.
type Type uint8

// The types, in the order of their numbers.
const (
	MainFrame Type = iota
	SubFrame
	Stylesheet
	Script
	Image
	Imageset
	Font
	Object
	ObjectSubrequest
	XMLHTTPRequest
	Ping
	Beacon
	Media
	WebSocket
	WebTransport
	CSPReport
	Speculative
	XSLT
	XMLDTD
	WebManifest
	JSON
	Other
)

var typeNames = [...]string{
	"main_frame", "sub_frame", "stylesheet", "script", "image", "imageset", "font",
	"object", "object_subrequest", "xmlhttprequest", "ping", "beacon", "media",
	"websocket", "webtransport", "csp_report", "speculative", "xslt", "xml_dtd",
	"web_manifest", "json", "other",
}

// TypeNames lists webRequest's names in the order of their numbers.
func TypeNames() []string { return typeNames[:] }

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

// TypeNamed finds a type by webRequest's name.
func TypeNamed(name string) (Type, bool) {
	for i, n := range typeNames {
		if n == name {
			return Type(i), true
		}
	}
	return 0, false
}

// Types is a set of the groups in which filter lists speak of types: a rule
// for images holds for image and imageset alike. The zero set means all.
type Types uint16

// groups pairs the option of a filter rule with what it covers and with
// declarativeNetRequest's one name for it.
var groups = [...]struct {
	option, dnr string
	covers      []Type
}{
	{"document", "main_frame", []Type{MainFrame}},
	{"subdocument", "sub_frame", []Type{SubFrame}},
	{"stylesheet", "stylesheet", []Type{Stylesheet}},
	{"script", "script", []Type{Script}},
	{"image", "image", []Type{Image, Imageset}},
	{"font", "font", []Type{Font}},
	{"object", "object", []Type{Object, ObjectSubrequest}},
	{"xmlhttprequest", "xmlhttprequest", []Type{XMLHTTPRequest}},
	{"ping", "ping", []Type{Ping, Beacon}},
	{"media", "media", []Type{Media}},
	{"websocket", "websocket", []Type{WebSocket}},
	{"webtransport", "webtransport", []Type{WebTransport}},
	{"csp_report", "csp_report", []Type{CSPReport}},
	{"other", "other", []Type{Speculative, XSLT, XMLDTD, WebManifest, JSON, Other}},
}

const (
	allTypes     = Types(1<<len(groups) - 1)
	documentType = Types(1) // the first group
)

var groupOf = func() (set [len(typeNames)]Types) {
	for i, g := range groups {
		for _, t := range g.covers {
			set[t] = 1 << i
		}
	}
	return set
}()

// TypesOf is the group that a type belongs to, none for an unknown one.
func TypesOf(t Type) Types {
	if int(t) < len(groupOf) {
		return groupOf[t]
	}
	return 0
}

// Has reports whether a rule for these types holds for t.
func (s Types) Has(t Type) bool {
	return s == 0 || int(t) < len(groupOf) && s&groupOf[t] != 0
}

// DNR lists declarativeNetRequest's names of the types in s, none when s
// holds for all.
func (s Types) DNR() (names []string) {
	for i, g := range groups {
		if s&(1<<i) != 0 {
			names = append(names, g.dnr)
		}
	}
	return names
}

// TypesNamed makes a set of declarativeNetRequest's names. The second result
// is a name that it does not know.
func TypesNamed(dnr []string) (s Types, unknown string) {
next:
	for _, name := range dnr {
		for i, g := range groups {
			if g.dnr == name {
				s |= 1 << i
				continue next
			}
		}
		return 0, name
	}
	return s, ""
}

// Except is the set of all types that are not in s.
func (s Types) Except() Types { return allTypes &^ s }

// OnlyDocument reports whether a rule for these types is about the page
// itself and nothing that it loads.
func (s Types) OnlyDocument() bool { return s == documentType }

// typeOption finds the group that a rule's option names, by its aliases too.
func typeOption(name string) (Types, bool) {
	switch name {
	case "xhr":
		name = "xmlhttprequest"
	case "css":
		name = "stylesheet"
	case "frame":
		name = "subdocument"
	case "doc":
		name = "document"
	case "object-subrequest":
		name = "object"
	case "beacon":
		name = "ping"
	}
	for i, g := range groups {
		if g.option == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// appendOptions writes the shorter of the set and its complement.
func (s Types) appendOptions(options []string) []string {
	not := ""
	if bits.OnesCount16(uint16(s)) > len(groups)/2 {
		s, not = s.Except()&^documentType, "~"
	}
	for i, g := range groups {
		if s&(1<<i) != 0 {
			options = append(options, not+g.option)
		}
	}
	return options
}
