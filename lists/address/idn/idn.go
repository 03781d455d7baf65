// Package idn lets lists/address read hosts with letters of all scripts. It
// is imported for its effect, as image formats are:
//
//	import _ "paravent/lists/address/idn"
//
//	https://Bücher.example/   →   https://xn--bcher-kva.example/
//
// The rules are those of the URL standard's "domain to ASCII"
// (https://url.spec.whatwg.org/#concept-domain-to-ascii): Unicode Technical
// Standard 46, nontransitional, with the bidi and joiner rules, without the
// limits of the domain name system, which lists/address keeps itself. Their
// tables are larger than the rest of the engine, and a browser has followed
// them before the engine is asked; so only programs that read what people and
// other programs wrote import this.
package idn

import (
	"golang.org/x/net/idna"

	"paravent/lists/address"
)

func init() {
	address.ToASCII = idna.New(
		idna.MapForLookup(),
		idna.BidiRule(),
		idna.CheckJoiners(true),
		idna.CheckHyphens(false),
		idna.StrictDomainName(false),
		idna.Transitional(false),
		idna.VerifyDNSLength(false),
	).ToASCII
}
