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
	shift   int    // of a hash to its bucket
	index   []byte // offsets of the buckets and of their end, 4 bytes each
	entries []byte
}

func (t *table) open(data []byte) (problem string) {
	if len(data) < 8 {
		return "no room for its counts"
	}
	t.keys = binary.LittleEndian.Uint32(data)
	buckets := uint64(binary.LittleEndian.Uint32(data[4:]))
	if buckets == 0 || buckets&(buckets-1) != 0 {
		return "buckets: want a power of two"
	}
	if (buckets+1)*4 > uint64(len(data)-8) {
		return "index is longer than the section"
	}
	t.shift = 64 - bits.TrailingZeros64(buckets)
	t.index, t.entries = data[8:8+(buckets+1)*4], data[8+(buckets+1)*4:]
	return ""
}

// bucket returns the entries of bucket i.
func (t *table) bucket(i int) ([]byte, bool) {
	from, to := binary.LittleEndian.Uint32(t.index[4*i:]), binary.LittleEndian.Uint32(t.index[4*i+4:])
	if from > to || uint64(to) > uint64(len(t.entries)) {
		return nil, false
	}
	return t.entries[from:to], true
}

// entry reads the first entry of a bucket.
func entry(data []byte) (key []byte, v Value, rest []byte, ok bool) {
	value, data, ok := uvarint(data)
	if !ok {
		return nil, 0, nil, false
	}
	length, data, ok := uvarint(data)
	if !ok || length > uint64(len(data)) {
		return nil, 0, nil, false
	}
	return data[:length], Value(value), data[length:], true
}

// uvarint reads one number off the front of data. Nearly all in a bundle have
// one byte, and reading those without a loop halves the time of a look-up.
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

func (t *table) find(key []byte, hash uint64) (Value, bool, error) {
	data, ok := t.bucket(int(hash >> t.shift))
	for ok && len(data) > 0 {
		var k []byte
		var v Value
		if k, v, data, ok = entry(data); ok && string(k) == string(key) {
			return v, true, nil
		}
	}
	if !ok {
		return 0, false, ErrCorrupt
	}
	return 0, false, nil
}

func (t *table) each(f func(key []byte, v Value) error) error {
	for i := range len(t.index)/4 - 1 {
		data, ok := t.bucket(i)
		for ok && len(data) > 0 {
			var k []byte
			var v Value
			if k, v, data, ok = entry(data); ok {
				if err := f(k, v); err != nil {
					return err
				}
			}
		}
		if !ok {
			return ErrCorrupt
		}
	}
	return nil
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
	buckets := 1
	for buckets*keysInBucket < len(entries) {
		buckets *= 2
	}
	shift := 64 - bits.TrailingZeros(uint(buckets))
	bucket := func(e Entry) int { return int(hashOf([]byte(e.Key)) >> shift) }
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), strings.Compare(a.Key, b.Key))
	})
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(buckets))
	var data []byte
	next := 0
	for i := range buckets {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
		for ; next < len(entries) && bucket(entries[next]) == i; next++ {
			e := entries[next]
			data = binary.AppendUvarint(data, uint64(e.Value))
			data = binary.AppendUvarint(data, uint64(len(e.Key)))
			data = append(data, e.Key...)
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	return append(dst, data...)
}
