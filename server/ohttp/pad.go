package ohttp

import (
	"fmt"
	"math/bits"

	"paravent/server/ohttp/bhttp"
)

// RequestSizes are the sizes, in bytes, that requests are padded to before they
// are sealed. A relay sees these two and no other, each RequestOverhead longer.
// Nearly all addresses of photos fit the first.
var RequestSizes = [...]int{512, 2048}

// MinAnswer is the least size that answers are padded to. Photos as search
// results show them mostly fit it, so most answers look alike, errors too.
const MinAnswer = 16 << 10

// PadRequest pads a binary request to the least of RequestSizes that holds it. A
// longer one is an error: it would be told by its length.
func PadRequest(message []byte) ([]byte, error) {
	for _, size := range RequestSizes {
		if len(message) <= size {
			return bhttp.Pad(message, size)
		}
	}
	return nil, fmt.Errorf("the request has %d bytes, more than the %d that all requests are padded to", len(message), RequestSizes[len(RequestSizes)-1])
}

// AnswerSize is what an answer of n bytes is padded to: the least power of two
// that holds it, from MinAnswer.
func AnswerSize(n int) int {
	if n <= MinAnswer {
		return MinAnswer
	}
	return 1 << bits.Len(uint(n-1))
}

// PadAnswer pads a binary response to its AnswerSize.
func PadAnswer(message []byte) []byte {
	padded := make([]byte, AnswerSize(len(message)))
	copy(padded, message)
	return padded
}
