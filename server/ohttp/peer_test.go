package ohttp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudflare/circl/hpke"
	peer "github.com/openpcc/ohttp"

	"paravent/server/ohttp"
	"paravent/server/ohttp/bhttp"
)

// post is what a relay does.
func post(t *testing.T, url string, sealed []byte) (status int, mediaType string, answer []byte) {
	t.Helper()
	response, err := http.Post(url, ohttp.RequestType, bytes.NewReader(sealed))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), answer
}

var photo = bytes.Repeat([]byte("photo "), 10_000)

// peersGateway starts the peer's gateway for photos.example, with a key that the
// peer made and of two suites, the second of which is ours.
func peersGateway(t *testing.T) (url string, pair peer.KeyPair) {
	t.Helper()
	public, secret, err := hpke.KEM_X25519_HKDF_SHA256.Scheme().GenerateKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	pair = peer.KeyPair{SecretKey: secret, KeyConfig: peer.KeyConfig{
		KeyID: 9, KemID: hpke.KEM_X25519_HKDF_SHA256, PublicKey: public,
		SymmetricAlgorithms: []peer.SymmetricAlgorithm{
			{KDFID: hpke.KDF_HKDF_SHA256, AEADID: hpke.AEAD_ChaCha20Poly1305}, {KDFID: hpke.KDF_HKDF_SHA256, AEADID: hpke.AEAD_AES128GCM},
		},
	}}
	gateway, err := peer.NewGateway(pair, peer.WithRequestValidator(peer.NewHostnameAllowlist("photos.example")))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(peer.Middleware(gateway, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.Host != "photos.example" || r.URL.RequestURI() != "/ann.jpg?size=9" {
			http.Error(w, fmt.Sprint("asked for ", r.Method, r.Host, r.URL), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", fmt.Sprint(len(photo)))
		w.Write(photo)
	})))
	t.Cleanup(server.Close)
	return server.URL, pair
}

// The extension's client at the peer's gateway.
func TestExtensionAtPeersGateway(t *testing.T) {
	extension := filepath.Join("..", "..", "extension")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	if _, err := os.Stat(filepath.Join(extension, "node_modules", "hpke")); err != nil {
		t.Skip("the extension's npm packages are not installed")
	}
	url, pair := peersGateway(t)
	config, err := pair.KeyConfig.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status  int
		content string
	}{
		"/ann.jpg?size=9": {200, string(photo)},
		"/bob.jpg":        {404, "asked for GETphotos.example/bob.jpg\n"},
	} {
		command := exec.Command(node, "tools/ask.js", url, base64.StdEncoding.EncodeToString(config), "https://photos.example"+path)
		command.Dir = extension
		var failure bytes.Buffer
		command.Stderr = &failure
		said, err := command.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, &failure)
		}
		var answer struct {
			Status  int
			Content []byte
		}
		if err := json.Unmarshal(said, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Status != want.status || string(answer.Content) != want.content {
			t.Errorf("%s: %d and %d bytes, %.100q", path, answer.Status, len(answer.Content), answer.Content)
		}
	}
}

// Our client at the peer's gateway.
func TestClientAtPeersGateway(t *testing.T) {
	url, pair := peersGateway(t)
	list, err := peer.KeyConfigs{pair.KeyConfig}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	configs, err := ohttp.ParseKeyConfigs(list)
	if err != nil || len(configs) != 1 {
		t.Fatalf("the peer's list reads as %+v, %v", configs, err)
	}
	if again := ohttp.FormatKeyConfigs(configs); !bytes.Equal(again, list) {
		t.Errorf("the peer's list is written as %x, not %x", again, list)
	}
	ask := func(path string) bhttp.Response {
		t.Helper()
		asked, err := bhttp.Request{Method: "GET", Scheme: "https", Authority: "photos.example", Path: path}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		padded, err := ohttp.PadRequest(asked)
		if err != nil {
			t.Fatal(err)
		}
		sealed, opener, err := configs[0].Seal(padded)
		if err != nil {
			t.Fatal(err)
		}
		status, mediaType, answer := post(t, url, sealed)
		if status != 200 || mediaType != ohttp.ResponseType {
			t.Fatalf("the peer answers %d %s %.200q", status, mediaType, answer)
		}
		opened, err := opener.Open(answer)
		if err != nil {
			t.Fatal(err)
		}
		response, err := bhttp.DecodeResponse(opened)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if r := ask("/ann.jpg?size=9"); r.Status != 200 || bhttp.Get(r.Header, "content-type") != "image/jpeg" || !bytes.Equal(r.Content, photo) {
		t.Errorf("got %d %q and %d bytes", r.Status, r.Header, len(r.Content))
	}
	if r := ask("/bob.jpg"); r.Status != 404 || !strings.HasPrefix(string(r.Content), "asked for GET") {
		t.Errorf("got %d %q", r.Status, r.Content)
	}
}

// The peer's client at a gateway of ours.
func TestPeersClientAtGateway(t *testing.T) {
	key, err := ohttp.GenerateKey(3)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ohttp.NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sealed, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		opened, responder, err := keys.Open(sealed)
		if errors.Is(err, ohttp.ErrKey) {
			ohttp.WriteProblem(w)
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		request, err := bhttp.DecodeRequest(opened)
		if err != nil {
			t.Error(err)
			return
		}
		answer := bhttp.Response{Status: 200, Header: []bhttp.Field{{Name: "Content-Type", Value: "image/jpeg"}}, Content: photo}
		if request.Method == "POST" {
			answer = bhttp.Response{Status: 404, Content: append([]byte(request.Path+" "), request.Content...)}
		} else if request.Scheme != "https" || request.Authority != "photos.example" || request.Path != "/ann.jpg?size=9" {
			t.Errorf("asked for %+v", request)
		}
		message, err := answer.Encode()
		if err != nil {
			t.Error(err)
		}
		sealed, err = responder.Seal(ohttp.PadAnswer(message))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", ohttp.ResponseType)
		w.Write(sealed)
	}))
	defer gateway.Close()
	client := func(key ohttp.Key) *http.Client {
		t.Helper()
		var config peer.KeyConfig
		if err := config.UnmarshalBinary(key.Config().Bytes()); err != nil {
			t.Fatal(err)
		}
		transport, err := peer.NewTransport(config, gateway.URL)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Client{Transport: transport}
	}
	asked := client(key)
	response, err := asked.Get("https://photos.example/ann.jpg?size=9")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Type") != "image/jpeg" || !bytes.Equal(got, photo) {
		t.Errorf("got %d %v and %d bytes, %v", response.StatusCode, response.Header, len(got), err)
	}
	// With content.
	response, err = asked.Post("https://photos.example/known", "text/plain", strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	got, err = io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != 404 || string(got) != "/known content" {
		t.Errorf("got %d %q, %v", response.StatusCode, got, err)
	}

	// A key that the gateway no longer has.
	gone, err := ohttp.GenerateKey(4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(gone).Get("https://photos.example/ann.jpg?size=9"); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("with a key that the gateway does not have: %v", err)
	}
}
