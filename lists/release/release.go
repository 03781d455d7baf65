// Package release reads and writes what puts a list in force: signed notes, the
// trust texts that say whom to believe, the log's proofs, and the deltas between
// lists. Verify decides whether a note is to be believed.
//
// The package does no I/O, asks no clock and needs no JSON, because it also
// runs inside the extension. The example of Verify shows a whole answer of a
// list server, byte for byte.
//
// # Note
//
// A release is a signed note as c2sp.org/signed-note and
// golang.org/x/mod/sumdb/note define it: a text, a blank line, then one line a
// signature ("— name base64"; Ed25519, type 0x01). It has at most 65535 bytes.
// The text is exactly these eleven lines and up to eight for relays, each ending
// in a newline, with single spaces and nothing before, between or after:
//
//		paravent release 2
//		index 12
//		issued 2026-11-22T07:00:00Z
//		expires 2026-12-22T07:00:00Z
//		wait 900
//		source 9fceb02d0ae598e95dc970b74767f19372d61af8
//		keys-since 4
//		trust 702 5f1b…64 digits of lowercase hex
//		list 1234567 9c40…
//		bundle 2345678 77ab…
//		filters 345678 e01d…
//		relay north https://relay.example/relay AQAgMeHwWnQBAhFS…
//
//	  - index: the number of the release, from 0 to 2⁵³−1, without leading zeros.
//	    It is the index of the note in the log.
//	  - issued, expires: UTC, to the second. A release does not end when it
//	    expires: readers go on protecting and say that the list is stale.
//	  - wait: the seconds that a reader should let pass between two polls, from
//	    1 to 86400. Readers clamp it to bounds of their own.
//	  - source: the commit that the list was built from.
//	  - keys-since: the index of the release whose trust text the signatures are
//	    judged by. It is below index; only release 0 names itself.
//	  - trust: size in bytes (1 to 64 KiB) and SHA-256 of the trust text in force
//	    from this release on.
//	  - list: the same (1 to 64 MiB) of the canonical text, which is downloaded.
//	  - bundle: the same of the compiled list that everyone gets from that text.
//	  - filters: the same of the Bloom filters of the bundle by themselves.
//
// There is one way to write a release and no other text reads as one, so that
// Body(Parse(text)) is text.
//
// # Trust text
//
// The trust text says whom a reader believes. It is a policy as
// c2sp.org/tlog-policy defines it, with two more kinds of lines for the
// maintainers:
//
//	# comments and blank lines are skipped
//	threshold 2
//	maintainer ann.example+b932d347+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
//	maintainer bob.example+…
//	log lists.example+… https://lists.example
//	witness west witness.west.example+…
//	witness east witness.east.example+…
//	group abroad any west east
//	quorum abroad
//
//	  - threshold stands once. So many distinct public keys of maintainers must
//	    have signed a release; one key under two names counts once.
//	  - log, at least once: a verifier key whose name is the origin of the log's
//	    checkpoints, and the URL of the list server.
//	  - witness: a name for the lines below, a verifier key for cosignatures
//	    (type 0x04), and the URL at which it is asked (c2sp.org/tlog-witness).
//	  - group: a name, how many of its members are needed ("all", "any" or a
//	    number), and the members: witnesses and groups from lines above.
//	  - quorum stands once: a witness, a group, or none.
//
// No public key has two roles. A key whose name starts with "demo." is one whose
// private half is no secret; no package for patients may trust one
// (Trust.DemoKey).
//
// # Change of keys
//
// A release changes the keys if its trust text is another than that of the
// release keys-since. It must then be signed by the threshold of the old and of
// the new text; the releases that follow name it in keys-since. Release 0 is
// signed by its own. A reader that knows an older trust text walks back from
// the newest release by keys-since, at most 64 times, until it meets a release
// that names the text it knows, and forward again: each release on the way must
// be signed by the text before it and by its own, and must be in the log. A
// release between two changes is not looked at: that none was signed by keys no
// longer in force is for those to watch who read the whole log.
//
// # Log
//
// The entries of the log are the notes, with their signatures; the index of an
// entry is that of the release. Hashes are those of RFC 6962, and the formats
// those of c2sp.org: tlog-tiles for what the log serves, tlog-checkpoint for
// its signed word, tlog-cosignature (Ed25519) for that of a witness, tlog-proof
// for all that belongs to one entry. The answer to GET /v1/release is the note
// with its proof directly behind it; the proof has no line "extra".
//
// Verify takes an answer if
//
//   - the index is not below the one the reader wants next;
//   - the maintainers signed, as described above;
//   - the checkpoint is signed by a log of the trust text, under its own name as
//     origin, and cosigned by the quorum;
//   - the proof leads from the note to the root of the checkpoint;
//   - the tree is not smaller than the one seen before, and begins with it. That
//     the reader finds out from tiles, or, if it has missed no release, from the
//     proof itself.
//
// # Delta
//
// A delta turns one canonical text (see package compile) into another. A text is
// taken as sections: the first line is a section without lines, and so on from
// each line that starts with "[" and has no ":"; the lines of a section are
// sorted by their bytes. Both texts have the same sections. For each in its
// order, a delta holds
//
//	number of edits
//	for each edit, from the first line on:
//	        gap     lines of the old section that stay since the last edit
//	        kind    0 for an insertion, 1 for a deletion of the next old line
//	        line    of an insertion, letter by letter, and a line feed
//
// as one arithmetic code. An edit's insertion stands before a deletion only if
// its line is the lower one. Each symbol has a share of the whole, of at most
// 65536 parts, and these lie in the order of the symbols:
//
//   - A number n is the length of n+1 in bits less one, and then the bits below
//     the highest, from the top, each with one of two parts. A length that came
//     up k times has 8k+1 parts, counted apart for edits and gaps; when a count
//     exceeds 200, all are halved.
//   - A kind has one part and one more for each time that it followed the kind
//     before, up to 16384. The kind before the first edit is 0.
//   - A letter that cannot stand here has none: a control character other than a
//     tab; what would put the line before or at the old line or insertion in
//     front of it, or behind or at the old line that follows. The others share
//     65280 parts as they are expected, rounded down, and get one more each.
//
// What is expected is counted in the text so far: all lines of the old text,
// and of the insertions, each as the number of its section (the first line's is
// 0), the line, a line feed. Behind each place where the last three to sixteen
// letters of the line so far (with the number in front) stood, the next letter
// is counted: for each length of agreement n short of the longest that can be,
// once for each letter before the agreement; every different letter counted for
// n+1 counts once more for n. From the longest n down, with d different letters
// counted, s times in sum, one that was counted c times gets c/(s+3d) of what is
// left, and 3d/(s+3d) is left. What is left at the end goes by the one letter
// before, where s+d+1 stands for s+3d and each letter gets its 256th of what
// remains; and 1 is added for all. What is left is a whole number, 2³² at first,
// and divisions round down. The places of one hash of three letters a, b, c are
// looked at from the newest, at most 8192 of them (the hash is the upper half of
// (2¹⁶a+2⁸b+c)·0x9e3779b1 modulo 2³²); but where twelve letters agree at a
// place that eight letters lead to, only the places of those eight count; what is
// counted for fewer then comes from there. After 2²⁶ places the delta is given
// up. The file guess.go says all this in Go.
//
// The code is a number in base 256, most significant byte first, in an interval
// [low, low+width) that starts as [0, 2³²−1): a symbol of s parts behind p parts
// of w sets u to width/w rounded down, low to low+u·p, width to u·s; while width
// is below 2²⁴, both move up by a byte. The delta ends with the fewest bytes
// that lead into the interval, in their lowest number, and nothing follows: no
// two deltas read alike.
package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxIndex is the highest number of a release: the largest integer that
	// JavaScript holds exactly.
	MaxIndex = 1<<53 - 1
	// MaxSize is the largest list, bundle or filters, in bytes, that a release
	// may name: a reader allocates what the release says.
	MaxSize = 64 << 20
	// MaxTrust is the longest trust text, in bytes.
	MaxTrust = 64 << 10
	// MaxWait is the longest wait between two polls, in seconds.
	MaxWait = 86400
)

// firstRelay is the line after those that every note has.
const firstRelay = 12

// timeLayout is RFC 3339 in UTC, to the second.
const timeLayout = "2006-01-02T15:04:05Z"

// Digest names bytes by their number and their SHA-256.
type Digest struct {
	Size   int64  // bytes, 1 to MaxSize (a trust text: to MaxTrust)
	SHA256 string // 64 digits of lowercase hex
}

// DigestOf returns the digest of data.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest{int64(len(data)), hex.EncodeToString(sum[:])}
}

// Check says whether data is what d names; what is its name in the error.
func (d Digest) Check(what string, data []byte) error {
	if int64(len(data)) != d.Size {
		return fmt.Errorf("%s: its size is %d bytes, not the %d that the release names", what, len(data), d.Size)
	}
	if got := DigestOf(data).SHA256; got != d.SHA256 {
		return fmt.Errorf("%s: its SHA-256 is %s, not the %s that the release names", what, got, d.SHA256)
	}
	return nil
}

// Release is what a note says, without its signatures.
type Release struct {
	Index       uint64    // 0 to MaxIndex
	Issued      time.Time // UTC, whole seconds
	Expires     time.Time // UTC, whole seconds, after Issued
	WaitSeconds int       // between two polls, 1 to MaxWait
	Source      string    // commit that the list was built from, 40 or 64 digits of lowercase hex
	KeysSince   uint64    // index of the release whose trust text judges this one; below Index unless both are 0
	Trust       Digest    // the trust text in force from here on
	List        Digest    // the canonical text, which is downloaded
	Bundle      Digest    // what the text compiles to
	Filters     Digest    // the Bloom filters of the bundle by themselves
	Relays      []Relay   // ways to the photos, sorted by name; at most MaxRelays
}

// Body returns the text to sign. It refuses a release that Parse would refuse,
// with Parse's error.
func (r Release) Body() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "paravent release 2\nindex %d\nissued %s\nexpires %s\nwait %d\nsource %s\nkeys-since %d\n",
		r.Index, r.Issued.UTC().Format(timeLayout), r.Expires.UTC().Format(timeLayout), r.WaitSeconds, r.Source, r.KeysSince)
	fmt.Fprintf(&b, "trust %d %s\nlist %d %s\nbundle %d %s\nfilters %d %s\n",
		r.Trust.Size, r.Trust.SHA256, r.List.Size, r.List.SHA256,
		r.Bundle.Size, r.Bundle.SHA256, r.Filters.Size, r.Filters.SHA256)
	for i, relay := range r.Relays {
		// Checked before it is written: a line end in a name would make two lines.
		if err := relay.check(); err != nil {
			return "", fmt.Errorf("release: line %d: relay: %w", firstRelay+i, err)
		}
		b.WriteString(relay.line())
	}
	body := b.String()
	if _, err := Parse(body); err != nil {
		return "", err
	}
	return body, nil
}

// Parse reads the text of a note. It says nothing about who signed it: that is
// Verify's work. An error names the line and the field.
func Parse(text string) (Release, error) {
	var r Release
	fields := []struct {
		name string
		read func(value string) error
	}{
		{"paravent", func(v string) error {
			if v != "release 2" {
				return fmt.Errorf("%s is not a format known here, which is \"release 2\"", quote(v))
			}
			return nil
		}},
		{"index", func(v string) (err error) { r.Index, err = number(v, 0, MaxIndex); return }},
		{"issued", func(v string) (err error) { r.Issued, err = instant(v); return }},
		{"expires", func(v string) (err error) {
			r.Expires, err = instant(v)
			if err == nil && !r.Expires.After(r.Issued) {
				err = errors.New("is not later than issued")
			}
			return
		}},
		{"wait", func(v string) error {
			n, err := number(v, 1, MaxWait)
			r.WaitSeconds = int(n)
			return err
		}},
		{"source", func(v string) error {
			if r.Source = v; !isHex(v, 40) && !isHex(v, 64) {
				return fmt.Errorf("%s is not a commit of 40 or 64 digits of lowercase hex", quote(v))
			}
			return nil
		}},
		{"keys-since", func(v string) (err error) {
			r.KeysSince, err = number(v, 0, MaxIndex)
			if err == nil && r.KeysSince >= r.Index && r.Index > 0 {
				err = fmt.Errorf("%d is not below the index, %d", r.KeysSince, r.Index)
			} else if err == nil && r.KeysSince > r.Index {
				err = errors.New("release 0 can name no other than 0")
			}
			return
		}},
		{"trust", func(v string) (err error) { r.Trust, err = digest(v, MaxTrust); return }},
		{"list", func(v string) (err error) { r.List, err = digest(v, MaxSize); return }},
		{"bundle", func(v string) (err error) { r.Bundle, err = digest(v, MaxSize); return }},
		{"filters", func(v string) (err error) { r.Filters, err = digest(v, MaxSize); return }},
	}
	for i, f := range fields {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole {
			return Release{}, fmt.Errorf("release: line %d: %s: the text ends before the end of this line", i+1, f.name)
		}
		value, found := strings.CutPrefix(line, f.name+" ")
		if !found {
			return Release{}, fmt.Errorf("release: line %d: want %q and a value, found %s", i+1, f.name, quote(line))
		}
		if err := f.read(value); err != nil {
			return Release{}, fmt.Errorf("release: line %d: %s: %w", i+1, f.name, err)
		}
		text = rest
	}
	var err error
	if r.Relays, err = parseRelays(text, firstRelay); err != nil {
		return Release{}, fmt.Errorf("release: %w", err)
	}
	if i, err := unsorted(r.Relays); err != nil {
		return Release{}, fmt.Errorf("release: line %d: relay: %w", firstRelay+i, err)
	}
	return r, nil
}

// number reads a decimal, written in the only way there is.
func number(v string, least, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n < least || n > most || strconv.FormatUint(n, 10) != v {
		return 0, fmt.Errorf("%s is not a number from %d to %d", quote(v), least, most)
	}
	return n, nil
}

func instant(v string) (time.Time, error) {
	t, err := time.Parse(timeLayout, v)
	// time.Parse also takes fractions of a second, which the layout lacks.
	if err != nil || t.Format(timeLayout) != v {
		return time.Time{}, fmt.Errorf("%s is not a time like 2026-11-22T07:00:00Z", quote(v))
	}
	return t, nil
}

func digest(v string, most uint64) (Digest, error) {
	size, sum, _ := strings.Cut(v, " ")
	n, err := number(size, 1, most)
	if err != nil {
		return Digest{}, fmt.Errorf("size: %w", err)
	}
	if !IsSHA256(sum) {
		return Digest{}, fmt.Errorf("sha256: %s is not 64 digits of lowercase hex", quote(sum))
	}
	return Digest{int64(n), sum}, nil
}

// IsSHA256 says whether s is a SHA-256 as releases write it: 64 digits of
// lowercase hex.
func IsSHA256(s string) bool { return isHex(s, 64) }

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

// quote shows a stranger's text in an error without letting it fill a screen.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
