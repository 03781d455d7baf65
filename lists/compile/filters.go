package compile

import (
	"encoding/binary"
	"errors"

	"paravent/lists/bundle"
)

// filtersMagic begins the filters of a list.
const filtersMagic = "PVFILTR1"

// Filters returns the two Bloom filters of a bundle by themselves, for whoever
// wants to know membership alone: "false" is certain, "true" is wrong for one
// key in ten thousand, and for keys that somebody made up to be. All numbers
// are little-endian:
//
//	offset  bytes
//	0       8      "PVFILTR1"
//	8       4      length of the hosts filter
//	12      4      length of the directories filter
//	16      …      the two filters, each
//	               8 m (bits, a power of two, 64 or more)   4 k (probes, 1 to 40)
//	               4 n (keys)   m/8 bytes
//
// A filter's bytes are the words of a filter of m and k as
// github.com/bits-and-blooms/bloom/v3 fills it (murmur3, 128 bits, seed 0), so
// that bloom.FromWithM(words, m, k) reads it. Check m, k and the length before
// making room for anything. The keys of the first are hosts
// ("www.example.com"; ask also for every parent domain), those of the second a
// host with a leading directory of the path but "/" ("www.example.com/a/").
func Filters(data []byte) ([]byte, error) {
	b, err := bundle.Open(data)
	if err != nil {
		return nil, err
	}
	hostStats, directoryStats := b.Stats()
	hosts, err := section(data, 0, hostStats)
	if err != nil {
		return nil, err
	}
	directories, err := section(data, 1, directoryStats)
	if err != nil {
		return nil, err
	}
	filters := []byte(filtersMagic)
	filters = binary.LittleEndian.AppendUint32(filters, uint32(len(hosts)))
	filters = binary.LittleEndian.AppendUint32(filters, uint32(len(directories)))
	return append(append(filters, hosts...), directories...), nil
}

// section returns the filter in a section of an opened bundle, by the index
// that the bundle's header has of it.
func section(data []byte, i int, want bundle.Stats) ([]byte, error) {
	const header = 16
	offset := binary.LittleEndian.Uint32(data[header+8*i:])
	length := binary.LittleEndian.Uint32(data[header+8*i+4:])
	filter := data[offset : offset+length]
	if binary.LittleEndian.Uint64(filter) != want.M || binary.LittleEndian.Uint32(filter[8:]) != want.K ||
		binary.LittleEndian.Uint32(filter[12:]) != uint32(want.Keys) || uint64(length) != header+want.M/8 {
		return nil, errors.New("bundle: its first two sections are not its filters")
	}
	return filter, nil
}
