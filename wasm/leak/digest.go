package leak

import (
	"encoding/binary"
	"math/bits"
)

// Digests are written here because those of the standard library bring FIPS
// 140 and fmt along, 600 KB of WebAssembly, and little is wanted of them: the
// digest of a short text, where neither speed nor constant time matters.

// A digest is a hash function.
type digest struct {
	name  string
	size  int // of its value, in bytes
	big   bool
	start [8]uint32
	block func(state *[8]uint32, words *[16]uint32)
}

var digests = [...]digest{
	{"md5", 16, false, [8]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}, md5Block},
	{"sha1", 20, true, [8]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, sha1Block},
	{"sha256", 32, true, [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}, sha256Block},
}

// sum is the digest of text, in the first size bytes.
func (d *digest) sum(text string) (value [32]byte) {
	// All three pad alike: a one bit, zeros, and the length in bits
	// (RFC 1321, 3.1 and 3.2; FIPS 180-4, 5.1.1).
	padded := make([]byte, (len(text)+8)/64*64+64)
	copy(padded, text)
	padded[len(text)] = 0x80
	length := uint64(len(text)) * 8
	if d.big {
		length = bits.ReverseBytes64(length)
	}
	binary.LittleEndian.PutUint64(padded[len(padded)-8:], length)

	state := d.start
	for ; len(padded) > 0; padded = padded[64:] {
		var words [16]uint32
		for i := range words {
			words[i] = d.order(binary.LittleEndian.Uint32(padded[4*i:]))
		}
		d.block(&state, &words)
	}
	for i, word := range state {
		binary.LittleEndian.PutUint32(value[4*i:], d.order(word))
	}
	return value
}

// order brings the bytes of a word, read from the lowest on, into their order.
func (d *digest) order(word uint32) uint32 {
	if d.big {
		return bits.ReverseBytes32(word)
	}
	return word
}

// md5Block is RFC 1321, 3.4.
func md5Block(state *[8]uint32, words *[16]uint32) {
	a, b, c, d := state[0], state[1], state[2], state[3]
	for i, k := range md5Constants {
		var f uint32
		var at int
		switch i / 16 {
		case 0:
			f, at = b&c|^b&d, i
		case 1:
			f, at = d&b|^d&c, 5*i+1
		case 2:
			f, at = b^c^d, 3*i+5
		default:
			f, at = c^(b|^d), 7*i
		}
		f += a + k + words[at%16]
		a, d, c = d, c, b
		b += bits.RotateLeft32(f, int(md5Shifts[i/16][i%4]))
	}
	state[0] += a
	state[1] += b
	state[2] += c
	state[3] += d
}

var md5Shifts = [4][4]uint8{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}

// The i-th is the integer part of 2^32 · |sin(i+1)|.
var md5Constants = [64]uint32{
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
}

// sha1Block is FIPS 180-4, 6.1.2.
func sha1Block(state *[8]uint32, words *[16]uint32) {
	a, b, c, d, e := state[0], state[1], state[2], state[3], state[4]
	w := *words
	for i := range 80 {
		if i >= 16 {
			w[i%16] = bits.RotateLeft32(w[(i+13)%16]^w[(i+8)%16]^w[(i+2)%16]^w[i%16], 1)
		}
		var f uint32
		switch i / 20 {
		case 0:
			f = b&c ^ ^b&d
			f += 0x5a827999
		case 1:
			f = b ^ c ^ d
			f += 0x6ed9eba1
		case 2:
			f = b&c ^ b&d ^ c&d
			f += 0x8f1bbcdc
		default:
			f = b ^ c ^ d
			f += 0xca62c1d6
		}
		f += bits.RotateLeft32(a, 5) + e + w[i%16]
		a, b, c, d, e = f, a, bits.RotateLeft32(b, 30), c, d
	}
	for i, word := range [5]uint32{a, b, c, d, e} {
		state[i] += word
	}
}

// sha256Block is FIPS 180-4, 6.2.2.
func sha256Block(state *[8]uint32, words *[16]uint32) {
	s, w := *state, *words
	for i, k := range sha256Constants {
		if i >= 16 {
			x, y := w[(i+1)%16], w[(i+14)%16]
			w[i%16] += w[(i+9)%16] +
				(bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) +
				(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
		}
		a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		t := h + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (e&f ^ ^e&g) + k + w[i%16]
		u := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
		s = [8]uint32{t + u, a, b, c, d + t, e, f, g}
	}
	for i, word := range s {
		state[i] += word
	}
}

// The first 32 bits of the fractions of the cube roots of the first 64 primes.
var sha256Constants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
