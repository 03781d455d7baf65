package bundle

import (
	"encoding/binary"
	"math/bits"

	"paravent/lists/address"
)

// A membership is a Bloom filter as github.com/bits-and-blooms/bloom/v3
// fills it, read in place. The package itself builds the filter; it is not
// used here because it imports encoding/json, which every wake of the
// extension's worker would pay for, and because it hashes a key twice before
// the first probe. A test holds both implementations against each other.
type membership struct {
	m    uint64 // a power of two, so that a probe needs no division
	k, n uint32
	bits []byte
}

// Bounds of m and k, checked before anything is read: more than a hundred
// times what today's largest list needs.
const (
	maxBits   = 1 << 31
	maxProbes = 40
)

func (f *membership) open(data []byte) (problem string) {
	if len(data) < 16 {
		return "no room for m, k and n"
	}
	f.m = binary.LittleEndian.Uint64(data)
	f.k = binary.LittleEndian.Uint32(data[8:])
	f.n = binary.LittleEndian.Uint32(data[12:])
	f.bits = data[16:]
	switch {
	case f.m < 64 || f.m > maxBits || f.m&(f.m-1) != 0:
		return "m: want a power of two from 2^6 to 2^31 bits"
	case f.k == 0 || f.k > maxProbes:
		return "k: want 1 to 40 probes"
	case uint64(len(f.bits)) != f.m/8:
		return "m: does not fit the number of bytes"
	}
	return ""
}

// has reports whether the first n bytes of text may be a member; false is
// certain. hash is the first of the key's four, whatever the answer. Slack
// more bytes of text can be read.
func (f *membership) has(text []byte, n int) (maybe bool, hash uint64) {
	var a1, a2 uint64
	tail := text[:n+address.Slack]
	for left := n; left >= 16; left -= 16 {
		a1, a2 = mix(a1, a2, binary.LittleEndian.Uint64(tail), binary.LittleEndian.Uint64(tail[8:]))
		tail = tail[16:]
	}
	mask := &masks[n&15]
	k1, k2 := binary.LittleEndian.Uint64(tail)&mask[0], binary.LittleEndian.Uint64(tail[8:])&mask[1]
	h1 := a1 ^ bits.RotateLeft64(k1*c1, 31)*c2 ^ uint64(n)
	h2 := a2 ^ bits.RotateLeft64(k2*c2, 33)*c1 ^ uint64(n)
	h1 += h2
	h2 += h1
	h1, h2 = final(h1), final(h2)
	h1 += h2
	h2 += h1
	// Most keys end at the first probe, which needs the first hash alone.
	if i := h1 & (f.m - 1); f.bits[i>>3]>>(i&7)&1 == 0 {
		return false, h1
	}
	return f.more(n, h1, h2, a1, a2, k1, k2), h1
}

// more makes the other probes.
func (f *membership) more(n int, h1, h2, a1, a2, k1, k2 uint64) bool {
	one := &ones[n&15]
	h3, h4 := finish(a1, a2, k1|one[0], k2|one[1], n&15+1, n+1)
	h := [4]uint64{h1, h2, h3, h4}
	for i := uint64(1); i < uint64(f.k); i++ {
		if !f.bit(h[i%2] + i*h[2+((i+i%2)%4)/2]) {
			return false
		}
	}
	return true
}

// masks has, for each number of bytes below 16, those of two words that count,
// and ones the byte 1 behind them.
var masks, ones = func() (masks, ones [16][2]uint64) {
	for n := range 16 {
		for i := range n {
			masks[n][i/8] |= 0xff << (i % 8 * 8)
		}
		ones[n][n/8] = 1 << (n % 8 * 8)
	}
	return masks, ones
}()

func (f *membership) bit(hash uint64) bool {
	i := hash & (f.m - 1)
	return f.bits[i>>3]&(1<<(i&7)) != 0
}

func (f *membership) ones() (n int) {
	for _, b := range f.bits {
		n += bits.OnesCount8(b)
	}
	return n
}

// MurmurHash3_x64_128 by Austin Appleby with seed 0. The bloom package makes
// four hashes of a key: those of the key, and those of the key followed by a
// byte 1.
const (
	c1 = 0x87c37b91114253d5
	c2 = 0x4cf5ad432745937f
)

func finish(h1, h2, k1, k2 uint64, n, length int) (uint64, uint64) {
	if n == 16 {
		h1, h2 = mix(h1, h2, k1, k2)
	} else {
		// A part without bytes is zero, and zero changes nothing.
		h2 ^= bits.RotateLeft64(k2*c2, 33) * c1
		h1 ^= bits.RotateLeft64(k1*c1, 31) * c2
	}
	h1 ^= uint64(length)
	h2 ^= uint64(length)
	h1 += h2
	h2 += h1
	h1, h2 = final(h1), final(h2)
	h1 += h2
	return h1, h2 + h1
}

func mix(h1, h2, k1, k2 uint64) (uint64, uint64) {
	h1 ^= bits.RotateLeft64(k1*c1, 31) * c2
	h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
	h2 ^= bits.RotateLeft64(k2*c2, 33) * c1
	h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	return h1, h2
}

func final(k uint64) uint64 {
	k ^= k >> 33
	k *= 0xff51afd7ed558ccd
	k ^= k >> 33
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}

// hashOf is the first of a key's four hashes.
func hashOf(key string) uint64 {
	f := membership{m: 64, bits: make([]byte, 8)}
	_, h := f.has(append([]byte(key), make([]byte, address.Slack)...), len(key))
	return h
}
