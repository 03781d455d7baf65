package bundle

import (
	"encoding/binary"
	"math/bits"
)

// A membership is a Bloom filter as github.com/bits-and-blooms/bloom/v3
// fills it, read in place. The package itself builds the filter; it is not
// used here because it imports encoding/json, which every wake of the
// extension's worker would pay for, and because it hashes a key twice before
// the first probe. A test holds both implementations against each other.
type membership struct {
	m    uint64
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
	case f.m == 0 || f.m > maxBits:
		return "m: want 1 to 2^31 bits"
	case f.k == 0 || f.k > maxProbes:
		return "k: want 1 to 40 probes"
	case uint64(len(f.bits)) != (f.m+63)/64*8:
		return "m: does not fit the number of bytes"
	}
	return ""
}

// has reports whether key may be a member; false is certain.
func (f *membership) has(key []byte) bool {
	// The first probe needs the first hash alone, and half of all keys end
	// there: hash the second half only for those that go on.
	h0, h1 := murmur3(key, false)
	if !f.bit(h0) {
		return false
	}
	if f.k == 1 {
		return true
	}
	h2, h3 := murmur3(key, true)
	h := [4]uint64{h0, h1, h2, h3}
	for i := uint64(1); i < uint64(f.k); i++ {
		if !f.bit(h[i%2] + i*h[2+((i+i%2)%4)/2]) {
			return false
		}
	}
	return true
}

func (f *membership) bit(hash uint64) bool {
	i := hash % f.m
	return f.bits[i>>3]&(1<<(i&7)) != 0
}

func (f *membership) ones() (n int) {
	for _, b := range f.bits {
		n += bits.OnesCount8(b)
	}
	return n
}

const (
	c1 = 0x87c37b91114253d5
	c2 = 0x4cf5ad432745937f
)

// murmur3 is MurmurHash3_x64_128 by Austin Appleby with seed 0, of key or of
// key followed by a byte 1, the way the bloom package gets four hashes of one
// key.
func murmur3(key []byte, one bool) (h1, h2 uint64) {
	length := len(key)
	for len(key) >= 16 {
		h1, h2 = mix(h1, h2, binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:]))
		key = key[16:]
	}
	var tail [16]byte
	n := copy(tail[:], key)
	if one {
		tail[n] = 1
		n++
		length++
	}
	k1, k2 := binary.LittleEndian.Uint64(tail[:]), binary.LittleEndian.Uint64(tail[8:])
	if n == 16 {
		h1, h2 = mix(h1, h2, k1, k2)
	} else {
		if n > 8 {
			h2 ^= bits.RotateLeft64(k2*c2, 33) * c1
		}
		if n > 0 {
			h1 ^= bits.RotateLeft64(k1*c1, 31) * c2
		}
	}
	h1 ^= uint64(length)
	h2 ^= uint64(length)
	h1 += h2
	h2 += h1
	h1, h2 = final(h1), final(h2)
	h1 += h2
	h2 += h1
	return h1, h2
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
