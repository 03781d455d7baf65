package filter

import (
	"math/bits"
	"strings"
)

// A Method is the HTTP method of a request. The zero value is Get.
type Method uint8

// The methods, in the order of their numbers.
const (
	Get Method = iota
	Connect
	Delete
	Head
	Options
	Patch
	Post
	Put
	OtherMethod // any other, such as PROPFIND
)

// methodNames are the names of rules and of declarativeNetRequest alike.
var methodNames = [...]string{"get", "connect", "delete", "head", "options", "patch", "post", "put", "other"}

// MethodNames lists the methods' names in the order of their numbers.
func MethodNames() []string { return methodNames[:] }

func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return "unknown"
}

// MethodNamed finds a method by its name in any case. It is OtherMethod, and
// false, for a name that rules do not know.
func MethodNamed(name string) (Method, bool) {
	for i, n := range methodNames {
		if strings.EqualFold(n, name) {
			return Method(i), true
		}
	}
	return OtherMethod, false
}

// Methods is a set of methods. The zero set means all.
type Methods uint16

const allMethods = Methods(1<<len(methodNames) - 1)

// MethodsNamed makes a set of methods' names. The second result is a name
// that it does not know.
func MethodsNamed(names []string) (s Methods, unknown string) {
	for _, name := range names {
		m, ok := MethodNamed(name)
		if !ok {
			return 0, name
		}
		s |= 1 << m
	}
	return s, ""
}

// Has reports whether a rule for these methods holds for m.
func (s Methods) Has(m Method) bool { return s == 0 || s&(1<<m) != 0 }

// Names lists the names of the methods in s, none when s holds for all.
func (s Methods) Names() (names []string) {
	for i, name := range methodNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Except is the set of all methods that are not in s.
func (s Methods) Except() Methods { return allMethods &^ s }

// text is the value of method=, the shorter of the set and its complement.
func (s Methods) text() string {
	if bits.OnesCount16(uint16(s)) > len(methodNames)/2 {
		return "~" + strings.Join(s.Except().Names(), "|~")
	}
	return strings.Join(s.Names(), "|")
}
