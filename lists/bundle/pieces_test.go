package bundle

import (
	"bytes"
	"testing"

	"paravent/lists/address"
)

// A packed key is the key, and nothing else is: not a byte less, more or
// another, also where a piece ends behind it.
func TestPackedKeys(t *testing.T) {
	keys := []string{"a", "com", "metrics.example.com", "xn--80ak6aa92e.com.br", "track.example/a.b/C_d-e~/%7B/", "....", "load.sst.load.sst."}
	for _, name := range pieceNames {
		keys = append(keys, name, name+name, "x"+name+"x", name[1:], name[:len(name)-1])
	}
	for _, key := range keys {
		packed := pack(nil, key)
		if got := unpack(nil, packed); string(got) != key || len(packed) > len(key) {
			t.Errorf("%q packed to %q, unpacked to %q", key, packed, got)
		}
		text := append([]byte(key), bytes.Repeat([]byte{address.Beyond}, address.Slack)...)
		if !packs(packed, text, len(key)) {
			t.Errorf("%q: not found", key)
		}
		if packs(packed, text, len(key)-1) || packs(packed, append([]byte(key), text...), len(key)+1) {
			t.Errorf("%q: found in another length", key)
		}
		for i := range key {
			text[i] ^= 1
			if packs(packed, text, len(key)) {
				t.Errorf("%q: found in %q", key, text[:len(key)])
			}
			text[i] ^= 1
		}
	}
	if len(pieceNames) != len(pieces) {
		t.Errorf("%d pieces, want %d", len(pieceNames), len(pieces))
	}
}
