package ohttp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"paravent/server/ohttp/bhttp"
)

// vector is the example of RFC 9458. The extension is held to the same file.
type vector map[string][]byte

func readVector(t testing.TB) vector {
	text, err := os.ReadFile("testdata/rfc9458.json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]string
	if err := json.Unmarshal(text, &words); err != nil {
		t.Fatal(err)
	}
	delete(words, "source")
	v := vector{}
	for name, digits := range words {
		if v[name], err = hex.DecodeString(digits); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return v
}

func (v vector) keys(t testing.TB) *Keys {
	t.Helper()
	key, err := NewKey(1, v["gatewayPrivate"])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestVector(t *testing.T) {
	v := readVector(t)
	same := func(what string, got []byte) {
		t.Helper()
		if want := v[what]; len(want) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%x, want\n%x", what, got, want)
		}
	}
	config, err := ParseKeyConfig(v["keyConfiguration"])
	if err != nil {
		t.Fatal(err)
	}
	same("keyConfiguration", config.Bytes())
	keys := v.keys(t)
	if ours := keys.Configs()[0]; ours.ID != config.ID || !bytes.Equal(ours.Public, config.Public) {
		t.Errorf("the key has the configuration %x", ours.Bytes())
	}
	request, answer, err := keys.Open(v["encapsulatedRequest"])
	if err != nil {
		t.Fatal(err)
	}
	same("request", request)
	same("ephemeralPublic", answer.encapsulated)
	same("secret", answer.secret)
	same("salt", slices.Concat(answer.encapsulated, v["responseNonce"]))
	_, iv, err := answer.cipher(v["responseNonce"])
	if err != nil {
		t.Fatal(err)
	}
	same("nonce", iv)
	sealed, err := answer.seal(v["response"], v["responseNonce"])
	if err != nil {
		t.Fatal(err)
	}
	same("encapsulatedResponse", sealed)
	same("info", requestInfo(head(config.ID)))
	opened, err := (&Opener{exchange{v["ephemeralPublic"], v["secret"]}}).Open(sealed)
	if err != nil {
		t.Fatal(err)
	}
	same("response", opened)

	// crypto/hpke takes no ephemeral key from outside, so the sender of the
	// example is made by hand.
	encapsulated, text := sealByHand(t, v["ephemeralPrivate"], config.Public, requestInfo(head(config.ID)), v["request"])
	same("ephemeralPublic", encapsulated)
	same("encapsulatedRequest", slices.Concat(head(config.ID), encapsulated, text))

	if r, err := bhttp.DecodeRequest(request); err != nil || r.Method != "GET" || r.Authority != "example.com" {
		t.Errorf("the request reads as %+v, %v", r, err)
	}
	if r, err := bhttp.DecodeResponse(opened); err != nil || r.Status != 200 {
		t.Errorf("the response reads as %+v, %v", r, err)
	}
}

// sealByHand is RFC 9180's Seal in base mode with a given ephemeral key.
func sealByHand(t *testing.T, ephemeral, public, info, text []byte) (encapsulated, sealed []byte) {
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	extract := func(suite, salt, label string, material []byte) []byte {
		return must(hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), material...), []byte(salt)))
	}
	expand := func(suite string, key []byte, label string, info []byte, size int) []byte {
		labeled := string(binary.BigEndian.AppendUint16(nil, uint16(size))) + "HPKE-v1" + suite + label + string(info)
		return must(hkdf.Expand(sha256.New, key, labeled, size))
	}
	private, err := ecdh.X25519().NewPrivateKey(ephemeral)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	encapsulated = private.PublicKey().Bytes()
	const kemSuite, suite = "KEM\x00\x20", "HPKE\x00\x20\x00\x01\x00\x01"
	shared := expand(kemSuite, extract(kemSuite, "", "eae_prk", must(private.ECDH(other))), "shared_secret", slices.Concat(encapsulated, public), 32)
	context := slices.Concat([]byte{0}, extract(suite, "", "psk_id_hash", nil), extract(suite, "", "info_hash", info))
	secret := extract(suite, string(shared), "secret", nil)
	block, err := aes.NewCipher(expand(suite, secret, "key", context, keySize))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return encapsulated, gcm.Seal(nil, expand(suite, secret, "base_nonce", context, gcm.NonceSize()), text, nil)
}

func newKey(t testing.TB, id byte) Key {
	t.Helper()
	key, err := GenerateKey(id)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Clients that still have the old key and those that have the new one are
// answered alike, until the old one is gone.
func TestChangeOfKeys(t *testing.T) {
	old, next := newKey(t, 255), newKey(t, 0)
	both, err := NewKeys(old, next)
	if err != nil {
		t.Fatal(err)
	}
	after, err := NewKeys(next)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		keys *Keys
		of   Key
		fail bool
	}{{"old of both", both, old, false}, {"new of both", both, next, false}, {"new", after, next, false}, {"old", after, old, true}} {
		sealed, answer, err := c.of.Config().Seal([]byte("question"))
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len("question")+RequestOverhead {
			t.Errorf("%s: sealing adds %d bytes, not %d", c.name, len(sealed)-len("question"), RequestOverhead)
		}
		request, responder, err := c.keys.Open(sealed)
		if c.fail {
			if !errors.Is(err, ErrKey) {
				t.Errorf("%s: got %q, %v", c.name, request, err)
			}
			continue
		}
		if err != nil || string(request) != "question" {
			t.Errorf("%s: got %q, %v", c.name, request, err)
			continue
		}
		first, err := responder.Seal([]byte("answer"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := responder.Seal([]byte("answer"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(first, second) || len(first) != len("answer")+ResponseOverhead {
			t.Errorf("%s: sealed as %x and %x", c.name, first, second)
		}
		if got, err := answer.Open(first); err != nil || string(got) != "answer" {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
}

func TestProblem(t *testing.T) {
	w := httptest.NewRecorder()
	WriteProblem(w)
	var problem struct{ Type, Title string }
	if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
		t.Fatal(err)
	}
	if w.Code != 400 || w.Header().Get("Content-Type") != "application/problem+json" ||
		problem.Type != "https://iana.org/assignments/http-problem-types#ohttp-key" || problem.Title != ErrKey.Error() {
		t.Errorf("got %d %v %+v", w.Code, w.Header(), problem)
	}
}

// Every byte counts, on both ways.
func TestSpoiledMessages(t *testing.T) {
	v := readVector(t)
	keys := v.keys(t)
	sealed := v["encapsulatedRequest"]
	for i := range sealed {
		spoiled := bytes.Clone(sealed)
		spoiled[i] ^= 0x55
		_, _, err := keys.Open(spoiled)
		if err == nil || !errors.Is(err, ErrKey) {
			t.Errorf("byte %d of the request changed: %v", i, err)
		}
	}
	for n := range sealed {
		if _, _, err := keys.Open(sealed[:n]); err == nil || n < RequestOverhead && errors.Is(err, ErrKey) {
			t.Errorf("the first %d bytes of the request: %v", n, err)
		}
	}
	// A point of small order: everyone knows what would be agreed on.
	low := bytes.Clone(sealed)
	clear(low[headSize : headSize+publicSize])
	if _, _, err := keys.Open(low); err == nil || errors.Is(err, ErrKey) {
		t.Errorf("an encapsulated key of zeros: %v", err)
	}
	opener := Opener{exchange{v["ephemeralPublic"], v["secret"]}}
	answer := v["encapsulatedResponse"]
	for i := range answer {
		spoiled := bytes.Clone(answer)
		spoiled[i] ^= 0x55
		if got, err := opener.Open(spoiled); err == nil {
			t.Errorf("byte %d of the response changed: %x", i, got)
		}
		if got, err := opener.Open(answer[:i]); err == nil {
			t.Errorf("the first %d bytes of the response: %x", i, got)
		}
	}
}

func TestParseKeyConfig(t *testing.T) {
	good := hex.EncodeToString(readVector(t)["keyConfiguration"])
	for _, c := range []struct{ config, want string }{
		{"", "key configuration: its 0 bytes have no identifier and KEM"},
		{"0100", "its 2 bytes have no identifier"},
		{"010010" + good[6:], "key configuration: 0x0010 is not the KEM known here"},
		{good[:72], "its 36 bytes end before the suites"},
		{good[:74], "says that its suites have 8 bytes, which are not 4 each, and has 0"},
		{good[:70] + "0000", "says that its suites have 0 bytes"},
		{good[:70] + "0002" + "0001", "says that its suites have 2 bytes"},
		{good + "00", "have 8 bytes, which are not 4 each, and has 9"},
	} {
		b, err := hex.DecodeString(c.config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseKeyConfig(b)
		refused(t, c.config, err, c.want)
	}
	config := newKey(t, 7).Config()
	config.Suites = []Suite{{1, 3}, {2, 1}}
	_, _, err := config.Seal(nil)
	refused(t, "other suites", err, "does not offer the suite")
	config.Suites, config.Public = []Suite{{1, 3}, {1, 1}}, make([]byte, 31)
	_, _, err = config.Seal(nil)
	refused(t, "a short public key", err, "key configuration: ")
	config.Public = make([]byte, 32)
	_, _, err = config.Seal(nil)
	refused(t, "a public key of zeros", err, "key configuration: ")
}

func TestKeyConfigs(t *testing.T) {
	want := []KeyConfig{newKey(t, 9).Config(), newKey(t, 3).Config()}
	list := FormatKeyConfigs(want)
	if got, err := ParseKeyConfigs(list); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	// One that is for others is passed over.
	other := append([]byte{0, 8, 1, 0, 0x10, 4, 5, 6, 7, 8}, list...)
	if got, err := ParseKeyConfigs(other); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, c := range []struct {
		list []byte
		want string
	}{
		{list[:len(list)-1], "key configuration 2: the list ends before its end"},
		{append(list[:len(list):len(list)], 0), "key configuration 3: the list ends"},
		{[]byte{0, 2, 1, 0}, "key configuration 1: its 2 bytes"},
	} {
		_, err := ParseKeyConfigs(c.list)
		refused(t, fmt.Sprintf("%x", c.list), err, c.want)
	}
}

func TestKeysAreKept(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := ReadKeys(dir)
	refused(t, "nothing there", err, `has no key in it: make one with "paravent key new -gateway NAME `)
	now, next := newKey(t, 8), newKey(t, 200)
	for name, key := range map[string]Key{"now.key": now, "next.key": next} {
		text, err := key.Text()
		if err != nil {
			t.Fatal(err)
		}
		write(name, text)
	}
	write("README", "not a key")
	keys, err := ReadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys.Configs(), []KeyConfig{now.Config(), next.Config()}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	text, err := now.Text()
	if err != nil {
		t.Fatal(err)
	}
	write("again.key", text)
	_, err = ReadKeys(dir)
	refused(t, "one twice", err, dir+": two keys have the identifier 8")
	for _, c := range []struct{ text, want string }{
		{"", "again.key: is not a key made by"},
		{"PRIVATE+KEY+a+b+c", "again.key: is not a key made by"},
		{"ohttp-key 8 AAAA BBBB\n", "is not a key made by"},
		{"ohttp-key 256 AAAA\n", "the identifier of the key is not a number from 0 to 255"},
		{"ohttp-key 08 AAAA\n", "the identifier of the key is not a number"},
		{"ohttp-key 8 A\n", "the key is not in base64"},
		{"ohttp-key 8 " + base64.StdEncoding.EncodeToString(make([]byte, 31)) + "\n", "key of a gateway: "},
	} {
		write("again.key", c.text)
		_, err := ReadKeys(dir)
		refused(t, c.text, err, c.want)
	}
	_, err = ReadKeys(dir + "/none")
	refused(t, "no folder", err, "no such file")
}

func TestPadding(t *testing.T) {
	for _, c := range []struct{ size, want int }{{0, 512}, {1, 512}, {512, 512}, {513, 2048}, {2048, 2048}} {
		message := bytes.Repeat([]byte{7}, c.size)
		got, err := PadRequest(message)
		if err != nil || len(got) != c.want || !bytes.HasPrefix(got, message) || strings.Trim(string(got[c.size:]), "\x00") != "" {
			t.Errorf("a request of %d bytes has %d, %v", c.size, len(got), err)
		}
	}
	_, err := PadRequest(make([]byte, 2049))
	refused(t, "long", err, "the request has 2049 bytes, more than the 2048 that all requests are padded to")
	for _, c := range []struct{ size, want int }{
		{0, 16384}, {1, 16384}, {16384, 16384}, {16385, 32768}, {32768, 32768}, {32769, 65536}, {100_000, 131072}, {1<<23 + 1, 1 << 24},
	} {
		message := bytes.Repeat([]byte{7}, c.size)
		if got := PadAnswer(message); len(got) != c.want || AnswerSize(c.size) != c.want ||
			!bytes.HasPrefix(got, message) || strings.Trim(string(got[c.size:]), "\x00") != "" {
			t.Errorf("an answer of %d bytes has %d", c.size, len(got))
		}
	}
}

func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%.200s: got %v, want an error with %q", what, err, want)
	}
}

func FuzzParseKeyConfig(f *testing.F) {
	config := readVector(f)["keyConfiguration"]
	f.Add(config)
	f.Add(config[:37])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseKeyConfig(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Bytes(), b) {
			t.Fatalf("%x reads as %+v and is written as %x", b, c, c.Bytes())
		}
		if list, err := ParseKeyConfigs(FormatKeyConfigs([]KeyConfig{c, c})); err != nil || !reflect.DeepEqual(list, []KeyConfig{c, c}) {
			t.Fatalf("%x stands in a list as %+v, %v", b, list, err)
		}
		c.Seal(b)
	})
}

func FuzzParseKeyConfigs(f *testing.F) {
	config, err := ParseKeyConfig(readVector(f)["keyConfiguration"])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(FormatKeyConfigs([]KeyConfig{config, config}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseKeyConfigs(b)
		if err != nil {
			return
		}
		if again, err := ParseKeyConfigs(FormatKeyConfigs(list)); err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%x reads as %+v and then as %+v, %v", b, list, again, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	v := readVector(f)
	keys := v.keys(f)
	f.Add(v["encapsulatedRequest"], v["encapsulatedResponse"])
	f.Fuzz(func(t *testing.T, sealed, answer []byte) {
		before := bytes.Clone(sealed)
		if request, _, err := keys.Open(sealed); err == nil && !bytes.Equal(before, v["encapsulatedRequest"]) {
			t.Fatalf("%x opens as %x", before, request)
		}
		if !bytes.Equal(before, sealed) {
			t.Fatalf("opening changes %x", before)
		}
		opener := Opener{exchange{v["ephemeralPublic"], v["secret"]}}
		if response, err := opener.Open(answer); err == nil && !bytes.Equal(answer, v["encapsulatedResponse"]) {
			t.Fatalf("%x opens as %x", answer, response)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("ohttp-key 7 PBaJdWdLL6jkZZcLecjc8J8cdBYmSAvUxhYvxbapjho=\n")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			return
		}
		written, err := key.Text()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseKey(written); err != nil || !reflect.DeepEqual(again.Config(), key.Config()) {
			t.Fatalf("%q is written as %q, which reads as %v, %v", text, written, again.Config(), err)
		}
	})
}
