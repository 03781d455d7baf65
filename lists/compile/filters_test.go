package compile_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/bits-and-blooms/bloom/v3"

	"paravent/lists/compile"
)

func TestFiltersAreThoseOfBitsAndBlooms(t *testing.T) {
	var hosts strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&hosts, "host%04d.example\n", i)
	}
	list := strings.Replace(text, "tracker.example\n[rules]\n||example.com/pixel.gif$third-party\n",
		hosts.String()+"tracker.example\n[rules]\n||example.com/a/b/pixel.gif$third-party\n", 1)
	data, err := compile.Compile([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	filters, err := compile.Filters(data)
	if err != nil {
		t.Fatal(err)
	}
	if string(filters[:8]) != "PVFILTR1" {
		t.Fatalf("begins with %q", filters[:8])
	}
	number := binary.LittleEndian.Uint32
	length := [2]uint32{number(filters[8:]), number(filters[12:])}
	rest := filters[16:]
	if int(length[0]+length[1]) != len(rest) {
		t.Fatalf("%d + %d bytes of %d", length[0], length[1], len(rest))
	}
	read := func(length uint32) (f *bloom.BloomFilter, keys uint32) {
		m, k := binary.LittleEndian.Uint64(rest), number(rest[8:])
		words := make([]uint64, m/64)
		for i := range words {
			words[i] = binary.LittleEndian.Uint64(rest[16+8*i:])
		}
		keys = number(rest[12:])
		rest = rest[length:]
		return bloom.FromWithM(words, uint(m), uint(k)), keys
	}
	host, hostKeys := read(length[0])
	directory, directoryKeys := read(length[1])
	if hostKeys < 3001 || directoryKeys < 1 {
		t.Errorf("%d hosts, %d directories", hostKeys, directoryKeys)
	}
	for i := range 3000 {
		if !host.TestString(fmt.Sprintf("host%04d.example", i)) {
			t.Errorf("host %d is missing", i)
		}
	}
	wrong := 0
	for i := range 100_000 {
		if host.TestString(fmt.Sprintf("other%d.example", i)) {
			wrong++
		}
	}
	if wrong > 30 {
		t.Errorf("%d of 100000 are wrong", wrong)
	}
	if !directory.TestString("example.com/a/b/") || directory.TestString("example.com/b/") {
		t.Error("directories")
	}
	if _, err := compile.Filters(data[:len(data)-1]); err == nil || !strings.HasPrefix(err.Error(), "bundle: header: says ") {
		t.Errorf("half a bundle: %v", err)
	}
}
