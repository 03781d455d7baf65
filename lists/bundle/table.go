package bundle

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// A table is a sorted, front-coded map from keys to values, read in place.
type table struct {
	keys   uint32
	index  []byte // offsets of the blocks, 4 bytes each
	blocks []byte
}

func (t *table) open(data []byte) (problem string) {
	if len(data) < 8 {
		return "no room for its counts"
	}
	t.keys = binary.LittleEndian.Uint32(data)
	blocks := uint64(binary.LittleEndian.Uint32(data[4:]))
	if blocks != (uint64(t.keys)+blockKeys-1)/blockKeys {
		return "number of blocks does not fit the number of keys"
	}
	if blocks*4 > uint64(len(data)-8) {
		return "index is longer than the section"
	}
	t.index, t.blocks = data[8:8+blocks*4], data[8+blocks*4:]
	return ""
}

// A walker reads the keys of a block one after another.
type walker struct {
	data   []byte // what is left to read
	shared int    // bytes that the next key shares with the one before
	rest   []byte // the bytes behind them
	value  Value
}

// next reads one more key; false means corruption.
func (w *walker) next() bool {
	shared, data, ok := uvarint(w.data)
	if !ok {
		return false
	}
	length, data, ok := uvarint(data)
	if !ok || length > uint64(len(data)) || shared > 1<<16 {
		return false
	}
	w.shared, w.rest = int(shared), data[:length]
	value, data, ok := uvarint(data[length:])
	w.value, w.data = Value(value), data
	return ok
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

// block returns a walker at the start of block i.
func (t *table) block(i int) (w walker, ok bool) {
	offset := binary.LittleEndian.Uint32(t.index[4*i:])
	if uint64(offset) > uint64(len(t.blocks)) {
		return w, false
	}
	w.data = t.blocks[offset:]
	return w, true
}

// inBlock is the number of keys in block i.
func (t *table) inBlock(i int) int {
	return min(blockKeys, int(t.keys)-i*blockKeys)
}

func (t *table) find(key []byte) (Value, bool, error) {
	// The last block whose first key is not behind the wanted one.
	low, high := 0, len(t.index)/4
	for low < high {
		middle := int(uint(low+high) / 2)
		w, ok := t.block(middle)
		if !ok || !w.next() || w.shared != 0 {
			return 0, false, ErrCorrupt
		}
		if bytes.Compare(w.rest, key) <= 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0, false, nil
	}
	w, _ := t.block(low - 1)
	// matched is how many leading bytes of key the key before agrees with; the
	// table is sorted, so a key that shares more with its neighbour than that
	// differs from ours where its neighbour did.
	matched := 0
	for i := range t.inBlock(low - 1) {
		if !w.next() || i == 0 && w.shared != 0 {
			return 0, false, ErrCorrupt
		}
		switch {
		case w.shared > matched:
			continue
		case w.shared < matched:
			return 0, false, nil // now behind the wanted key
		}
		rest := key[matched:]
		same := common(w.rest, rest)
		matched += same
		switch {
		case same == len(w.rest) && same == len(rest):
			return w.value, true, nil
		case same == len(rest), same < len(w.rest) && w.rest[same] > rest[same]:
			return 0, false, nil
		}
	}
	return 0, false, nil
}

func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (t *table) each(f func(key []byte, v Value) error) error {
	var key []byte
	for i := range len(t.index) / 4 {
		w, ok := t.block(i)
		if !ok {
			return ErrCorrupt
		}
		key = key[:0]
		for range t.inBlock(i) {
			if !w.next() || w.shared > len(key) {
				return ErrCorrupt
			}
			key = append(key[:w.shared], w.rest...)
			if err := f(key, w.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// An Entry is a key of a table with its value.
type Entry struct {
	Key   string
	Value Value
}

// appendTable writes entries, which it sorts.
func appendTable(dst []byte, entries []Entry) []byte {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	count := (len(entries) + blockKeys - 1) / blockKeys
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entries)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(count))
	var blocks []byte
	for i, e := range entries {
		shared := 0
		if i%blockKeys == 0 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(blocks)))
		} else {
			shared = common([]byte(entries[i-1].Key), []byte(e.Key))
		}
		blocks = binary.AppendUvarint(blocks, uint64(shared))
		blocks = binary.AppendUvarint(blocks, uint64(len(e.Key)-shared))
		blocks = append(blocks, e.Key[shared:]...)
		blocks = binary.AppendUvarint(blocks, uint64(e.Value))
	}
	return append(dst, blocks...)
}
