package release

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// MaxRelays is how many relays a release may name.
	MaxRelays = 8
	// maxRelayName and maxRelayURL keep a note with all relays short.
	maxRelayName = 64
	maxRelayURL  = 200
	// maxSuites is how many suites a key configuration may offer.
	maxSuites = 8
)

// Relay is a way to the photos: a relay, and the gateway behind it by the keys
// that requests are sealed for.
type Relay struct {
	Name string   // letters, digits, "." and "-", at most 64
	URL  string   // where sealed requests are posted: https, or http below .localhost
	Keys [][]byte // key configurations (RFC 9458, section 3.1): the current one and, before a change, the next
}

// ParseRelays reads lines such as a note has for its relays. They need not be
// sorted. An error names the line and the field.
func ParseRelays(text string) ([]Relay, error) {
	relays, err := parseRelays(text, 1)
	if err != nil {
		return nil, fmt.Errorf("relays: %w", err)
	}
	return relays, nil
}

// parseRelays reads relay lines up to the end of text. The first has the number
// line.
func parseRelays(text string, line int) (relays []Relay, err error) {
	for ; text != ""; line++ {
		value, rest, whole := strings.Cut(text, "\n")
		if !whole {
			return nil, fmt.Errorf("line %d: relay: the text ends before the end of this line", line)
		}
		text = rest
		if len(relays) == MaxRelays {
			return nil, fmt.Errorf("line %d: more than %d relays, found %s", line, MaxRelays, quote(value))
		}
		value, found := strings.CutPrefix(value, "relay ")
		if !found {
			return nil, fmt.Errorf("line %d: want \"relay\" and a value, or the end, found %s", line, quote(value))
		}
		relay, err := parseRelay(value)
		if err != nil {
			return nil, fmt.Errorf("line %d: relay: %w", line, err)
		}
		relays = append(relays, relay)
	}
	return relays, nil
}

func parseRelay(value string) (Relay, error) {
	words := strings.Split(value, " ")
	if len(words) != 3 && len(words) != 4 {
		return Relay{}, errors.New("want a name, a URL, a key configuration and perhaps the next one, with single spaces")
	}
	r := Relay{Name: words[0], URL: words[1]}
	for _, word := range words[2:] {
		key, err := base64.StdEncoding.DecodeString(word)
		// The decoder skips line ends and lets stray bits pass.
		if err != nil || base64.StdEncoding.EncodeToString(key) != word {
			return Relay{}, fmt.Errorf("key %d: %s is not base64", len(r.Keys)+1, quote(word))
		}
		r.Keys = append(r.Keys, key)
	}
	return r, r.check()
}

// line is the relay as a note has it, once it is checked.
func (r Relay) line() string {
	words := []string{"relay", r.Name, r.URL}
	for _, key := range r.Keys {
		words = append(words, base64.StdEncoding.EncodeToString(key))
	}
	return strings.Join(words, " ") + "\n"
}

func (r Relay) check() error {
	if r.Name == "" || len(r.Name) > maxRelayName || strings.Trim(r.Name, letters+digits+".-") != "" {
		return fmt.Errorf("name: %s is not made of 1 to %d letters, digits, \".\" and \"-\"", quote(r.Name), maxRelayName)
	}
	if !isRelayURL(r.URL) {
		return fmt.Errorf("URL: %s is not one such as https://relay.example/relay, of at most %d letters", quote(r.URL), maxRelayURL)
	}
	if len(r.Keys) != 1 && len(r.Keys) != 2 {
		return fmt.Errorf("%d key configurations, want the current one and perhaps the next", len(r.Keys))
	}
	for i, key := range r.Keys {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("key %d: %w", i+1, err)
		}
	}
	if len(r.Keys) == 2 && r.Keys[0][0] == r.Keys[1][0] {
		return fmt.Errorf("key 2: has the identifier of key 1, %d: the gateway could not tell them apart", r.Keys[1][0])
	}
	return nil
}

// unsorted finds the first relay that stands where it may not in a note: sorted
// by name, each name once.
func unsorted(relays []Relay) (int, error) {
	for i := 1; i < len(relays); i++ {
		if relays[i-1].Name >= relays[i].Name {
			return i, fmt.Errorf("name: %s stands after %s: sort the relays by name, each name once", quote(relays[i].Name), quote(relays[i-1].Name))
		}
	}
	return 0, nil
}

const (
	digits  = "0123456789"
	small   = "abcdefghijklmnopqrstuvwxyz"
	letters = small + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// isRelayURL knows fewer URLs than browsers do, and those are read alike by
// everyone: no user, query, fragment or escape.
func isRelayURL(s string) bool {
	if len(s) > maxRelayURL {
		return false
	}
	scheme, rest, _ := strings.Cut(s, "://")
	authority, path, _ := strings.Cut(rest, "/")
	host, port, hasPort := strings.Cut(authority, ":")
	if scheme != "https" && (scheme != "http" || !strings.HasSuffix(host, ".localhost")) {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, small+digits+"-") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0 || strconv.FormatUint(n, 10) != port) {
		return false
	}
	return strings.Trim(path, letters+digits+"/-._~") == ""
}

// The one suite that both sides speak, with its numbers of RFC 9180.
const (
	kemX25519  = 0x0020 // DHKEM(X25519, HKDF-SHA256)
	publicSize = 32     // bytes of its public keys
	kdfSHA256  = 0x0001 // HKDF-SHA256
	aeadAES128 = 0x0001 // AES-128-GCM
)

// checkKey looks at the shape of a key configuration: whether a client will
// find a key and a suite in it. It needs no cryptography, which would be heavy
// in the extension.
func checkKey(config []byte) error {
	const head = 1 + 2 + publicSize + 2 // identifier, KEM, public key, size of the suites
	if len(config) < head+4 || len(config) > head+4*maxSuites {
		return fmt.Errorf("%d bytes are not a key configuration of RFC 9458", len(config))
	}
	if kem := binary.BigEndian.Uint16(config[1:]); kem != kemX25519 {
		return fmt.Errorf("KEM 0x%04x is not the one known here, X25519 (0x%04x)", kem, kemX25519)
	}
	suites := config[head:]
	if size := int(binary.BigEndian.Uint16(config[head-2:])); size != len(suites) || size%4 != 0 {
		return fmt.Errorf("says that its suites have %d bytes, and has %d", size, len(suites))
	}
	for suite := range slices.Chunk(suites, 4) {
		if binary.BigEndian.Uint16(suite) == kdfSHA256 && binary.BigEndian.Uint16(suite[2:]) == aeadAES128 {
			return nil
		}
	}
	return errors.New("does not offer the suite known here, HKDF-SHA256 with AES-128-GCM")
}
