package ohttp_test

import (
	"fmt"
	"log"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
)

// A photo's way: the client seals what it asks for, the gateway opens it and
// seals the photo.
func Example() {
	key, err := ohttp.GenerateKey(7)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := ohttp.NewKeys(key)
	if err != nil {
		log.Fatal(err)
	}

	// The client knows the key configuration from a signed release.
	config, err := ohttp.ParseKeyConfig(key.Config().Bytes())
	if err != nil {
		log.Fatal(err)
	}
	asked, err := bhttp.Request{Method: "GET", Scheme: "https", Authority: "photos.example", Path: "/ann.jpg"}.Encode()
	if err != nil {
		log.Fatal(err)
	}
	padded, err := ohttp.PadRequest(asked)
	if err != nil {
		log.Fatal(err)
	}
	sealed, opener, err := config.Seal(padded)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the relay sees", len(sealed), "bytes")

	// The gateway.
	opened, responder, err := keys.Open(sealed)
	if err != nil {
		log.Fatal(err) // if it is ErrKey, WriteProblem
	}
	request, err := bhttp.DecodeRequest(opened)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the gateway sees", request.Authority+request.Path)
	photo, err := bhttp.Response{Status: 200, Header: []bhttp.Field{{Name: "content-type", Value: "image/jpeg"}}, Content: []byte("…")}.Encode()
	if err != nil {
		log.Fatal(err)
	}
	answer, err := responder.Seal(ohttp.PadAnswer(photo))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("and answers with", len(answer), "bytes")

	// The client again.
	shown, err := opener.Open(answer)
	if err != nil {
		log.Fatal(err)
	}
	response, err := bhttp.DecodeResponse(shown)
	fmt.Println(response.Status, bhttp.Get(response.Header, "content-type"), string(response.Content), err)
	// Output:
	// the relay sees 567 bytes
	// the gateway sees photos.example/ann.jpg
	// and answers with 16416 bytes
	// 200 image/jpeg … <nil>
}
