//go:build js && wasm

// Command desk is the part of Paravent that is loaded when there is paper
// work: a release to verify, a list to compile, rules to write for Chromium.
// It is instantiated on demand and dropped afterwards, so that none of its
// weight is paid for when the background worker wakes.
//
// Every call returns the length of its answer, or the negative length of an
// error, see package memory; a result outside what memory holds means that
// the module broke.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/wasm/dnr"
	"paravent/wasm/memory"
)

func main() { select {} }

// do reads the parts of a call's input and keeps what f answers. A panic
// becomes an error like any other.
func do(name string, f func(parts [][]byte) ([]byte, error), lengths ...int32) (code int32) {
	defer func() {
		if p := recover(); p != nil {
			code = memory.Failed(fmt.Errorf("desk: %s broke: %v", name, p))
		}
	}()
	total := int32(0)
	for _, n := range lengths {
		if n < 0 || total+n < total {
			return memory.Failed(memory.ErrRoom)
		}
		total += n
	}
	rest, ok := memory.Take(total)
	if !ok {
		return memory.Failed(memory.ErrRoom)
	}
	parts := make([][]byte, len(lengths))
	for i, n := range lengths {
		parts[i], rest = rest[:n:n], rest[n:]
	}
	answer, err := f(parts)
	if err != nil {
		return memory.Failed(err)
	}
	return memory.Answer(answer)
}

type blob struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// verify takes a note, a trust text and the index of the release in force,
// and answers with what the note says.
//
//go:wasmexport verify
func verify(noteLength, trustLength, have int32) int32 {
	return do("verify", func(parts [][]byte) ([]byte, error) {
		trust, err := release.ParseTrust(string(parts[1]))
		if err != nil {
			return nil, err
		}
		r, err := release.Verify(parts[0], trust, uint64(max(have, 0)))
		if err != nil {
			return nil, err
		}
		return json.Marshal(struct {
			Index          uint64 `json:"index"`
			Issued         string `json:"issued"`
			Expires        string `json:"expires"`
			MinWaitSeconds int    `json:"minWaitSeconds"`
			Bundle         blob   `json:"bundle"`
			List           blob   `json:"list"`
		}{r.Index, r.Issued.Format(time.RFC3339), r.Expires.Format(time.RFC3339), r.WaitSeconds, blob(r.Bundle), blob(r.List)})
	}, noteLength, trustLength)
}

// compileList takes a canonical text and the SHA-256 that its bundle must
// have, in hexadecimal, and answers with the bundle.
//
//go:wasmexport compile
func compileList(listLength, sumLength int32) int32 {
	return do("compile", func(parts [][]byte) ([]byte, error) {
		data, err := compile.Compile(parts[0])
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != string(parts[1]) {
			return nil, fmt.Errorf("the compiled bundle has SHA-256 %x, the release names %s", sum, parts[1])
		}
		return data, nil
	}, listLength, sumLength)
}

// describe takes a bundle and answers with what compile.About holds.
//
//go:wasmexport describe
func describe(bundleLength int32) int32 {
	return do("describe", func(parts [][]byte) ([]byte, error) {
		list, err := bundle.Open(parts[0])
		if err != nil {
			return nil, err
		}
		about, err := compile.Describe(list)
		if err != nil {
			return nil, err
		}
		return json.Marshal(about)
	}, bundleLength)
}

// rules takes dnr.Settings and a bundle, and answers with the rules for
// Chromium, small and large, and counts.
//
//go:wasmexport rules
func rules(settingsLength, bundleLength int32) int32 {
	return do("rules", func(parts [][]byte) ([]byte, error) {
		settings, err := readSettings(parts[0])
		if err != nil {
			return nil, err
		}
		list, err := bundle.Open(parts[1])
		if err != nil {
			return nil, err
		}
		small, err := dnr.Small(settings)
		if err != nil {
			return nil, err
		}
		large, counts, err := dnr.Large(list, settings)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"small": small, "large": large, "counts": counts})
	}, settingsLength, bundleLength)
}

// smallRules takes dnr.Settings and answers with the small rules alone.
//
//go:wasmexport smallRules
func smallRules(settingsLength int32) int32 {
	return do("smallRules", func(parts [][]byte) ([]byte, error) {
		settings, err := readSettings(parts[0])
		if err != nil {
			return nil, err
		}
		small, err := dnr.Small(settings)
		if err != nil {
			return nil, err
		}
		return json.Marshal(small)
	}, settingsLength)
}

func readSettings(text []byte) (*dnr.Settings, error) {
	settings := new(dnr.Settings)
	if err := json.Unmarshal(text, settings); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return settings, nil
}
