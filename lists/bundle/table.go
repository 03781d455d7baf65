package bundle

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// A table is a hash table from keys to values, read in place. It takes the
// hash that the filter in front of it has made already.
type table struct {
	keys    uint32
	dots    int    // the fewest in a key
	shift   int    // of a hash to its bucket
	index   []byte // offsets of the buckets and of their end, 4 bytes each
	entries []byte
}

func (t *table) open(data []byte) (problem string) {
	if len(data) < 12 {
		return "no room for its counts"
	}
	t.keys = binary.LittleEndian.Uint32(data)
	t.dots = int(binary.LittleEndian.Uint32(data[4:]))
	buckets := uint64(binary.LittleEndian.Uint32(data[8:]))
	if buckets < 2 || buckets&(buckets-1) != 0 {
		return "buckets: want a power of two from 2 on"
	}
	if (buckets+1)*4 > uint64(len(data)-12) {
		return "index is longer than the section"
	}
	t.shift = 64 - bits.TrailingZeros64(buckets)
	t.index, t.entries = data[12:12+(buckets+1)*4], data[12+(buckets+1)*4:]
	return ""
}

// An entry begins with 2 bytes length of its key, 1 byte of the key's hash and
// 1 byte of flags: the lower bits of the value, and whether 4 bytes follow that
// say where the group is.
const (
	headSize  = 4
	flagGroup = 1 << 7
)

// entry tells where the key of the entry with this head begins and ends in
// data, which begins with it.
func entry(head uint32) (start, end int) {
	start = headSize + int(head>>31)*4
	return start, start + int(head&0xffff)
}

// value reads the value of an entry.
func value(data []byte, head uint32) Value {
	v := Value(head >> 24 &^ flagGroup)
	if head>>31 != 0 {
		v |= Value(binary.LittleEndian.Uint32(data[headSize:])) << valueGroup
	}
	return v
}

// bucket returns the entries of bucket i.
func (t *table) bucket(i int) ([]byte, bool) {
	from, to := binary.LittleEndian.Uint32(t.index[4*i:]), binary.LittleEndian.Uint32(t.index[4*i+4:])
	if from > to || uint64(to) > uint64(len(t.entries)) {
		return nil, false
	}
	return t.entries[from:to], true
}

func (t *table) find(key []byte, hash uint64) (Value, bool, error) {
	slot := int(hash >> (t.shift & 63) << 2)
	from, to := binary.LittleEndian.Uint32(t.index[slot:]), binary.LittleEndian.Uint32(t.index[slot+4:])
	if from > to || int(to) > len(t.entries) {
		return 0, false, ErrCorrupt
	}
	data := t.entries[from:to]
	wanted := uint32(len(key)) | uint32(hash&0xff)<<16
	for len(data) >= headSize {
		head := binary.LittleEndian.Uint32(data)
		start, end := entry(head)
		if end > len(data) {
			return 0, false, ErrCorrupt
		}
		if head&0xffffff == wanted && string(data[start:end]) == string(key) {
			return value(data, head), true, nil
		}
		data = data[end:]
	}
	if len(data) > 0 {
		return 0, false, ErrCorrupt
	}
	return 0, false, nil
}

func (t *table) each(f func(key []byte, v Value) error) error {
	for i := range len(t.index)/4 - 1 {
		data, ok := t.bucket(i)
		for len(data) >= headSize {
			head := binary.LittleEndian.Uint32(data)
			start, end := entry(head)
			if end > len(data) {
				return ErrCorrupt
			}
			if err := f(data[start:end], value(data, head)); err != nil {
				return err
			}
			data = data[end:]
		}
		if !ok || len(data) > 0 {
			return ErrCorrupt
		}
	}
	return nil
}

// uvarint reads one number off the front of data. Nearly all in a bundle have
// one byte, and reading those without a loop is quicker.
func uvarint(data []byte) (v uint64, rest []byte, ok bool) {
	if len(data) > 0 && data[0] < 0x80 {
		return uint64(data[0]), data[1:], true
	}
	v, n := binary.Uvarint(data)
	if n <= 0 {
		return 0, nil, false
	}
	return v, data[n:], true
}

// An Entry is a key of a table with its value.
type Entry struct {
	Key   string
	Value Value
}

// keysInBucket is how many keys share a bucket, on average at most.
const keysInBucket = 4

// appendTable writes entries, which it sorts.
func appendTable(dst []byte, entries []Entry) []byte {
	buckets := 2
	for buckets*keysInBucket < len(entries) {
		buckets *= 2
	}
	shift := 64 - bits.TrailingZeros(uint(buckets))
	bucket := func(e Entry) int { return int(hashOf(e.Key) >> shift) }
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), strings.Compare(a.Key, b.Key))
	})
	dots := 0
	for i, e := range entries {
		if n := strings.Count(e.Key, "."); i == 0 || n < dots {
			dots = n
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(dots))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(buckets))
	var data []byte
	next := 0
	for i := range buckets {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
		for ; next < len(entries) && bucket(entries[next]) == i; next++ {
			e := entries[next]
			flags := byte(e.Value & (1<<valueGroup - 1))
			group := uint32(e.Value >> valueGroup)
			if group > 0 {
				flags |= flagGroup
			}
			data = binary.LittleEndian.AppendUint16(data, uint16(len(e.Key)))
			data = append(data, byte(hashOf(e.Key)), flags)
			if group > 0 {
				data = binary.LittleEndian.AppendUint32(data, group)
			}
			data = append(data, e.Key...)
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	return append(dst, data...)
}
