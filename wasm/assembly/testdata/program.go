// Reads many addresses and prints what it reads.
package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"paravent/lists/address"
)

// bytes are those that tell parts of an address apart, their neighbours, and
// some that no address has.
var bytes = []byte("aAzZ`@[{m0149/:.>?%&-_~# !\"'\x00\x1f\x7e\x7f\x80\xc3\xff")

func main() {
	random := rand.New(rand.NewPCG(1, 2))
	lengths := []int{}
	for n := range 300 {
		lengths = append(lengths, n)
	}
	for n := address.MaxText - 40; n < address.MaxText+40; n++ {
		lengths = append(lengths, n)
	}
	var u address.URL
	for _, n := range lengths {
		for _, known := range []int{4, 14, 23, len(bytes)} { // with more and more odd ones
			raw := []byte("HTTPS://Www.Example.com/")
			for range n {
				raw = append(raw, bytes[random.IntN(known)])
			}
			// What lies behind an address is nobody's business.
			raw = append(raw, "Q#%?\x80Q#%?\x80Q#%?\x80Q#%?\x80"...)
			raw = raw[:len(raw)-20]
			if n%2 == 0 {
				raw = slices.Clip(raw)
			}
			err := u.Parse(raw)
			sum := fnv.New64a()
			fmt.Fprintf(sum, "%q %q %q %v %x %x", u.Padded(), u.Exact(), u.Host(), u.Labels(), u.Words(), u.Marks())
			fmt.Printf("%d bytes of %d: %v, %d, whole %v, %x\n", n, known, err, len(u.Text()), u.Whole(), sum.Sum64())
		}
	}
}
