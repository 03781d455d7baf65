// Package ohttp seals requests for a gateway, and its answers, so that a relay
// in between sees neither: Oblivious HTTP, RFC 9458, with crypto/hpke. What is
// sealed are messages of package bhttp.
//
// It knows one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, which
// browsers have as well.
//
// # Key configuration
//
// A key configuration (section 3.1) says how to seal for a gateway. It is
//
//	identifier of the key   1 byte
//	KEM                     2 bytes, 0020: X25519
//	public key              32 bytes
//	size of the suites      2 bytes
//	for each suite          KDF and AEAD, 2 bytes each; 0001 0001 is ours
//
// such as 01 0020 31e1…8155 0004 00010001, 41 bytes. A list of them
// (application/ohttp-keys, section 3.2) has the length of each in 2 bytes before it.
//
// # Encapsulated request
//
// It is what a client posts to a relay, and a relay to its gateway
// (message/ohttp-req, section 4.3):
//
//	identifier, KEM, KDF, AEAD   1 + 2 + 2 + 2 bytes, the head
//	encapsulated key             32 bytes
//	sealed request               the request and 16 bytes
//
// The request is sealed with HPKE in base mode for the info "message/bhttp
// request", a zero byte, and the head.
//
// # Encapsulated response
//
// The way back (message/ohttp-res, section 4.4) is
//
//	nonce             16 random bytes
//	sealed response   the response and 16 bytes
//
// Key and nonce of its AES-128-GCM are expanded with HKDF ("key", "nonce") from
// what the HPKE context exports for "message/bhttp response", with the
// encapsulated key and the nonce in front as salt.
//
// # Change of keys
//
// A gateway has all keys at once that clients may still use or use already
// (Keys), each under an identifier of its own. For one it does not know, or that
// does not open the request, it answers with a problem (WriteProblem, section
// 5.3). A request can be sent twice by whoever saw it go by; nothing here
// prevents that, so a gateway should do nothing but reads for it.
//
// # Sizes
//
// A length tells much, so both ways are padded inside the seal: see PadRequest
// and PadAnswer.
package ohttp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// The media types.
const (
	RequestType  = "message/ohttp-req"
	ResponseType = "message/ohttp-res"
	KeysType     = "application/ohttp-keys"
	ProblemType  = "application/problem+json"
)

const (
	kem  = 0x0020 // DHKEM(X25519, HKDF-SHA256)
	kdf  = 0x0001 // HKDF-SHA256
	aead = 0x0001 // AES-128-GCM

	publicSize = 32 // of a public key, and of an encapsulated one
	headSize   = 1 + 2 + 2 + 2
	keySize    = 16 // of AES-128-GCM; the nonce before a sealed response is as long
	tagSize    = 16
)

const (
	// RequestOverhead is how much longer sealing makes a request.
	RequestOverhead = headSize + publicSize + tagSize
	// ResponseOverhead is how much longer sealing makes a response.
	ResponseOverhead = keySize + tagSize
)

// ErrKey is the error of a request that none of a gateway's keys opens.
var ErrKey = errors.New("the key configuration that it was sealed with is unknown or out of date")

// WriteProblem answers a request that failed with ErrKey.
func WriteProblem(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ProblemType)
	w.WriteHeader(http.StatusBadRequest)
	w.Write([]byte(`{"type":"https://iana.org/assignments/http-problem-types#ohttp-key","title":"` + ErrKey.Error() + `"}` + "\n"))
}

// head is how an encapsulated request begins that is sealed for a key.
func head(id byte) []byte {
	h := []byte{id}
	for _, n := range []uint16{kem, kdf, aead} {
		h = binary.BigEndian.AppendUint16(h, n)
	}
	return h
}

func requestInfo(head []byte) []byte {
	return append([]byte("message/bhttp request\x00"), head...)
}

// An exchange is what both sides keep of a request to seal or open its answer.
type exchange struct{ encapsulated, secret []byte }

func newExchange(encapsulated []byte, export func(string, int) ([]byte, error)) (exchange, error) {
	secret, err := export("message/bhttp response", keySize)
	return exchange{encapsulated, secret}, err
}

// cipher returns what seals or opens the response with this nonce, and the
// nonce to use it with.
func (x exchange) cipher(nonce []byte) (cipher.AEAD, []byte, error) {
	prk, err := hkdf.Extract(sha256.New, x.secret, slices.Concat(x.encapsulated, nonce))
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Expand(sha256.New, prk, "key", keySize)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, nil, err
	}
	iv, err := hkdf.Expand(sha256.New, prk, "nonce", gcm.NonceSize())
	return gcm, iv, err
}

// Seal seals a request for the key of a gateway. The opener is for its answer.
func (c KeyConfig) Seal(request []byte) (sealed []byte, answer *Opener, err error) {
	if err := c.usable(); err != nil {
		return nil, nil, err
	}
	public, err := hpke.DHKEM(curve).NewPublicKey(c.Public)
	if err != nil {
		return nil, nil, fmt.Errorf("key configuration: %w", err)
	}
	h := head(c.ID)
	encapsulated, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), requestInfo(h))
	if err != nil {
		return nil, nil, fmt.Errorf("key configuration: %w", err)
	}
	text, err := sender.Seal(nil, request)
	if err != nil {
		return nil, nil, err
	}
	x, err := newExchange(encapsulated, sender.Export)
	if err != nil {
		return nil, nil, err
	}
	return slices.Concat(h, encapsulated, text), &Opener{x}, nil
}

// Opener opens the answer to one request.
type Opener struct{ exchange }

// Open opens an encapsulated response.
func (o *Opener) Open(sealed []byte) (response []byte, err error) {
	if len(sealed) < ResponseOverhead {
		return nil, fmt.Errorf("encapsulated response: has %d bytes, less than the %d of an empty one", len(sealed), ResponseOverhead)
	}
	nonce, text := sealed[:keySize], sealed[keySize:]
	gcm, iv, err := o.cipher(nonce)
	if err != nil {
		return nil, err
	}
	if response, err = gcm.Open(nil, iv, text, nil); err != nil {
		return nil, errors.New("encapsulated response: is not the gateway's answer to this request")
	}
	return response, nil
}

// Open opens an encapsulated request with the key that it names. An error that
// is ErrKey calls for WriteProblem; any other says that the request is malformed.
// The responder is for the answer.
func (k *Keys) Open(sealed []byte) (request []byte, answer *Responder, err error) {
	if len(sealed) < RequestOverhead {
		return nil, nil, fmt.Errorf("encapsulated request: has %d bytes, less than the %d of an empty one", len(sealed), RequestOverhead)
	}
	h, encapsulated, text := sealed[:headSize], sealed[headSize:headSize+publicSize], sealed[headSize+publicSize:]
	key, known := k.byID[h[0]]
	if !known || string(h) != string(head(h[0])) {
		return nil, nil, fmt.Errorf("encapsulated request: %w", ErrKey)
	}
	recipient, err := hpke.NewRecipient(encapsulated, key.private, hpke.HKDFSHA256(), hpke.AES128GCM(), requestInfo(h))
	if err != nil {
		return nil, nil, fmt.Errorf("encapsulated request: the encapsulated key is none: %w", err)
	}
	if request, err = recipient.Open(nil, text); err != nil {
		return nil, nil, fmt.Errorf("encapsulated request: %w", ErrKey)
	}
	x, err := newExchange(slices.Clone(encapsulated), recipient.Export)
	return request, &Responder{x}, err
}

// Responder seals the answer to one request.
type Responder struct{ exchange }

// Seal seals a response.
func (r *Responder) Seal(response []byte) ([]byte, error) {
	nonce := make([]byte, keySize)
	rand.Read(nonce)
	return r.seal(response, nonce)
}

func (r *Responder) seal(response, nonce []byte) ([]byte, error) {
	gcm, iv, err := r.cipher(nonce)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, len(nonce), len(response)+ResponseOverhead)
	copy(sealed, nonce)
	return gcm.Seal(sealed, iv, response, nil), nil
}
