package idn

import (
	"testing"

	"paravent/lists/address"
)

// The cases of what hosts become are in lists/address/testdata/urls.json.
func TestImportedForItsEffect(t *testing.T) {
	got, err := address.Canonical(nil, []byte("https://BÜCHER.straße。example/"))
	if want := "https://xn--bcher-kva.xn--strae-oqa.example/"; string(got) != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
