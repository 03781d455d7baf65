package release_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"paravent/lists/release"
)

// The key configuration of RFC 9458, appendix A, which offers a second suite,
// and one with another identifier and one suite.
var (
	keyOne = unhex("01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003")
	keyTwo = unhex("02002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e798155000400010001")

	relayNorth = release.Relay{Name: "North-1.example", URL: "https://relay.north.example:8443/a/b~c_d.e-f", Keys: [][]byte{keyOne, keyTwo}}
	relaySouth = release.Relay{Name: "south", URL: "http://relay.localhost", Keys: [][]byte{keyTwo}}
)

const (
	one64     = "AQAgMeHwWnQBAhFSIOmvkY9zhnSuyV9U224E63Baro55gVUACAABAAEAAQAD"
	two64     = "AgAgMeHwWnQBAhFSIOmvkY9zhnSuyV9U224E63Baro55gVUABAABAAE="
	northLine = "relay North-1.example https://relay.north.example:8443/a/b~c_d.e-f " + one64 + " " + two64 + "\n"
	southLine = "relay south http://relay.localhost " + two64 + "\n"
)

func unhex(s string) []byte { return must(hex.DecodeString(s)) }

func TestRelaysInANote(t *testing.T) {
	r := good
	r.Relays = []release.Relay{relayNorth, relaySouth}
	body, err := r.Body()
	if err != nil || body != goodText+northLine+southLine {
		t.Fatalf("Body() = %q, %v", body, err)
	}
	if got, err := release.Parse(body); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("Parse = %+v, %v", got, err)
	}
	// A file of lines may be in any order.
	if got, err := release.ParseRelays(southLine + northLine); err != nil || !reflect.DeepEqual(got, []release.Relay{relaySouth, relayNorth}) {
		t.Errorf("ParseRelays = %+v, %v", got, err)
	}
	r.Relays = nil
	for i := range release.MaxRelays {
		r.Relays = append(r.Relays, release.Relay{Name: fmt.Sprint("r", i), URL: relayNorth.URL, Keys: relayNorth.Keys})
	}
	if body, err = r.Body(); err != nil {
		t.Fatal(err)
	}
	if got, err := release.Parse(body); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("Parse = %+v, %v", got, err)
	}
	_, err = release.Parse(body + southLine)
	refused(t, "a ninth", err, `line 20: more than 8 relays, found "relay south `)
}

func TestParseNamesTheRelaysLineAndField(t *testing.T) {
	key := func(spoil func(key []byte) []byte) string {
		return base64.StdEncoding.EncodeToString(spoil([]byte(string(keyTwo))))
	}
	long := strings.Repeat("n", 65)
	for _, c := range []struct{ old, new, want string }{
		{"relay N", "relays N", `line 12: want "relay" and a value, or the end, found "relays`},
		{"relay N", "\nrelay N", `line 12: want "relay" and a value, or the end, found ""`},
		{southLine, southLine[:len(southLine)-1], "line 13: relay: the text ends"},
		{southLine, southLine + "\n", `line 14: want "relay"`},
		{southLine, northLine, `line 13: relay: name: "North-1.example" stands after "North-1.example"`},
		{northLine + southLine, southLine + northLine, `line 13: relay: name: "North-1.example" stands after "south"`},
		{"relay south", "relay  south", "line 13: relay: key 1"},
		{southLine, "relay south http://relay.localhost\n", "line 13: relay: want a name, a URL"},
		{southLine, "relay south http://relay.localhost " + one64 + " " + two64 + " " + two64 + "\n", "line 13: relay: want a name"},
		{southLine, "relay south http://relay.localhost " + two64 + " \n", "line 13: relay: key 2: 0 bytes"},
		{"relay south ", "relay so_th ", "line 13: relay: name: \"so_th\""},
		{"relay south ", "relay " + long + " ", "line 13: relay: name: "},
		{"http://relay.localhost", "", "line 13: relay: URL"},
		{"http://relay.localhost", "http://relay.example", "line 13: relay: URL: \"http://relay.example\" is not one such as"},
		{"http://relay.localhost", "http://localhost", "URL"},
		{"http://relay.localhost", "HTTPS://relay.example", "URL"},
		{"http://relay.localhost", "//relay.example", "URL"},
		{"http://relay.localhost", "https://", "URL"},
		{"http://relay.localhost", "https:///relay", "URL"},
		{"http://relay.localhost", "https://Relay.example", "URL"},
		{"http://relay.localhost", "https://relay..example", "URL"},
		{"http://relay.localhost", "https://-relay.example", "URL"},
		{"http://relay.localhost", "https://relay-.example", "URL"},
		{"http://relay.localhost", "https://ann@relay.example", "URL"},
		{"http://relay.localhost", "https://relay.example:", "URL"},
		{"http://relay.localhost", "https://relay.example:0", "URL"},
		{"http://relay.localhost", "https://relay.example:0443", "URL"},
		{"http://relay.localhost", "https://relay.example:65536", "URL"},
		{"http://relay.localhost", "https://relay.example?a", "URL"},
		{"http://relay.localhost", "https://relay.example/a?b", "URL"},
		{"http://relay.localhost", "https://relay.example/a#b", "URL"},
		{"http://relay.localhost", "https://relay.example/%61", "URL"},
		{"http://relay.localhost", "https://relay.example/\\a", "URL"},
		{"http://relay.localhost", "https://[::1]/a", "URL"},
		{"http://relay.localhost", "https://relay.example/" + strings.Repeat("a", 200), "URL"},
		{one64 + " " + two64, two64 + " " + two64, "line 12: relay: key 2: has the identifier of key 1, 2"},
		{one64, "AQAg\r" + one64[4:], "line 12: relay: key 1: \"AQAg\\rMeHw"},
		{"AAE=\nrelay", "AAE\nrelay", "line 12: relay: key 2: \"AgAg"},
		{"AAE=\nrelay", "AAF=\nrelay", "is not base64"},
		{two64 + "\nrelay", key(func(k []byte) []byte { return k[:len(k)-1] }) + "\nrelay", "key 2: 40 bytes are not a key configuration"},
		{two64 + "\nrelay", key(func(k []byte) []byte { return append(k, 0) }) + "\nrelay", "key 2: says that its suites have 4 bytes, and has 5"},
		{two64 + "\nrelay", key(func(k []byte) []byte { k[36] = 5; return append(k, 0) }) + "\nrelay", "key 2: says that its suites have 5 bytes, and has 5"},
		{two64 + "\nrelay", key(func(k []byte) []byte { k[36] = 8; return k }) + "\nrelay", "key 2: says that its suites have 8 bytes, and has 4"},
		{two64 + "\nrelay", key(func(k []byte) []byte { return append(k, make([]byte, 32)...) }) + "\nrelay", "key 2: 73 bytes are not"},
		{two64 + "\nrelay", key(func(k []byte) []byte { k[2] = 0x10; return k }) + "\nrelay", "key 2: KEM 0x0010 is not the one known here"},
		{two64 + "\nrelay", key(func(k []byte) []byte { k[40] = 3; return k }) + "\nrelay", "key 2: does not offer the suite"},
	} {
		text := goodText + northLine + southLine
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("nothing is changed by %q for %q", c.new, c.old)
		}
		_, err := release.Parse(changed)
		refused(t, c.new+" for "+c.old, err, c.want)
	}
	_, err := release.ParseRelays(northLine + "south\n")
	refused(t, "a file", err, `relays: line 2: want "relay" and a value, or the end, found "south"`)
}

// What Body writes, Parse reads alike: a value with a space or a line end would
// read as something else.
func TestBodyRefusesRelays(t *testing.T) {
	for want, spoil := range map[string]func(*release.Relay){
		"line 13: relay: name":                       func(r *release.Relay) { r.Name = "z https://a.example " + two64 + "\nrelay zz" },
		"line 13: relay: URL":                        func(r *release.Relay) { r.URL = "https://a.example " + one64 },
		"line 13: relay: 0 key configurations":       func(r *release.Relay) { r.Keys = nil },
		"line 13: relay: 3 key configurations":       func(r *release.Relay) { r.Keys = [][]byte{keyOne, keyTwo, keyOne} },
		"line 13: relay: key 1: 0 bytes":             func(r *release.Relay) { r.Keys = [][]byte{nil} },
		`line 13: relay: name: "A" stands after "No`: func(r *release.Relay) { r.Name = "A" },
	} {
		r := good
		r.Relays = []release.Relay{relayNorth, relaySouth}
		spoil(&r.Relays[1])
		_, err := r.Body()
		refused(t, want, err, want)
	}
}

func FuzzParseRelays(f *testing.F) {
	f.Add(northLine + southLine)
	f.Add("relay a https://a.example " + one64 + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		relays, err := release.ParseRelays(text)
		if err != nil {
			return
		}
		// One at a time, because a note wants them sorted.
		var again strings.Builder
		for _, relay := range relays {
			r := good
			r.Relays = []release.Relay{relay}
			body, err := r.Body()
			if err != nil {
				t.Fatalf("%q reads as %+v, and no note takes it: %v", text, relay, err)
			}
			again.WriteString(strings.TrimPrefix(body, goodText))
		}
		if again.String() != text {
			t.Fatalf("%q reads as %+v and is written as %q", text, relays, again.String())
		}
	})
}
