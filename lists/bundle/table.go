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
	dots    int    // the fewest in a key that is a name
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

// An entry begins with a uvarint of one or two bytes: the length of its packed
// key, doubled, and 1 if more than that the host is blocked is to say about it.
// Then 1 byte of flags and 4 with the offset of a group follow, and the key.
const (
	moreSize  = 1 + 4
	maxPacked = 1<<13 - 1
)

// entry tells where the packed key of the entry that data begins with begins
// and ends, behind data if that is cut off.
func entry(data []byte) (start, end int) {
	head := int(data[0])
	start = 1
	if head >= 0x80 && len(data) > 1 {
		head, start = head&0x7f|int(data[1])<<7, 2
	}
	start += head & 1 * moreSize
	return start, start + head>>1
}

// value reads the value of an entry whose key begins at a place.
func value(data []byte, start int) Value {
	if start < moreSize {
		return valuePlain
	}
	return Value(data[start-moreSize]) | Value(binary.LittleEndian.Uint32(data[start-4:]))<<valueGroup
}

// bucket returns the entries of bucket i.
func (t *table) bucket(i int) ([]byte, bool) {
	from, to := binary.LittleEndian.Uint32(t.index[4*i:]), binary.LittleEndian.Uint32(t.index[4*i+4:])
	if from > to || uint64(to) > uint64(len(t.entries)) {
		return nil, false
	}
	return t.entries[from:to], true
}

// find looks up the first n bytes of text, of which Slack more can be read.
func (t *table) find(text []byte, n int, hash uint64) (Value, bool, error) {
	data, ok := t.bucket(int(hash >> (t.shift & 63)))
	for len(data) > 0 {
		start, end := entry(data)
		if ok = start < end && end <= len(data); !ok {
			break
		}
		if begins[data[start]] == text[0] && packs(data[start:end], text, n) {
			return value(data, start), true, nil
		}
		data = data[end:]
	}
	if !ok {
		return 0, false, ErrCorrupt
	}
	return 0, false, nil
}

func (t *table) each(f func(key []byte, v Value) error) error {
	var key []byte
	for i := range len(t.index)/4 - 1 {
		data, ok := t.bucket(i)
		for len(data) > 0 {
			start, end := entry(data)
			if ok = start < end && end <= len(data); !ok {
				break
			}
			key = unpack(key[:0], data[start:end])
			if err := f(key, value(data, start)); err != nil {
				return err
			}
			data = data[end:]
		}
		if !ok {
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
const keysInBucket = 6

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
	dots := -1
	for _, e := range entries {
		// An address in brackets has no suffixes: it is looked up whole.
		if n := strings.Count(e.Key, "."); e.Key[0] != '[' && (dots < 0 || n < dots) {
			dots = n
		}
	}
	dots = max(dots, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(dots))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(buckets))
	var data, packed []byte
	next := 0
	for i := range buckets {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
		for ; next < len(entries) && bucket(entries[next]) == i; next++ {
			e := entries[next]
			packed = pack(packed[:0], e.Key)
			head := uint64(len(packed)) << 1
			if e.Value == valuePlain {
				data = binary.AppendUvarint(data, head)
			} else {
				data = append(binary.AppendUvarint(data, head|1), byte(e.Value&(1<<valueGroup-1)))
				data = binary.LittleEndian.AppendUint32(data, uint32(e.Value>>valueGroup))
			}
			data = append(data, packed...)
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	return append(dst, data...)
}
