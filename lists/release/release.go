// Package release reads and writes the signed note that puts a list in force,
// and decides whether a note is to be believed.
//
// A release is a signed note as golang.org/x/mod/sumdb/note defines it: a
// text, a blank line, then one line a signature ("— name base64"; Ed25519).
// The text is exactly these seven lines, each ending in a newline, with single
// spaces and nothing before, between or after:
//
//		paravent release 1
//		index 3
//		issued 2026-11-22T07:00:00Z
//		expires 2026-12-22T07:00:00Z
//		wait 900
//		bundle 2345678 5f1b…64 digits of lowercase hex
//		blob list 1234567 9c40…64 digits of lowercase hex
//
//	  - index: the number of the release, from 1 to 2⁵³−1, without leading
//	    zeros. A reader takes only an index above the one it has.
//	  - issued, expires: UTC, to the second. A release does not end when it
//	    expires: readers go on protecting and say that the list is stale.
//	  - wait: the seconds that a reader should let pass between two polls, from
//	    1 to 86400. Readers clamp it to bounds of their own.
//	  - bundle: size in bytes (1 to 64 MiB) and SHA-256 of the compiled list that
//	    everyone gets by compiling the canonical text.
//	  - blob list: size and SHA-256 of that canonical text, the blob to download.
//
// There is one way to write a release and no other text reads as one, so that
// Body(Parse(text)) is text. The example of Verify shows a whole note.
//
// The trust text says whom a reader believes:
//
//	# comments and blank lines are skipped
//	threshold 1
//	maintainer demo.example+b932d347+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c
//
// "threshold" stands once; each "maintainer" carries a verifier key of
// sumdb/note. The threshold counts distinct public keys: one key under two
// names counts once. A name that starts with "demo." marks a key whose private
// half is no secret; no package for patients may trust one (Trust.DemoKey).
//
// The package does no I/O and needs no JSON, because it also runs inside the
// extension.
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
	if text != "" {
		return Release{}, fmt.Errorf("release: line %d: nothing may follow \"filters\", found %s", len(fields)+1, quote(text))
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
