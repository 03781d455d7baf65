package leak

import (
	"slices"
	"testing"
)

func TestReader(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"/ --- ?", nil},
		{"/oncologist/paris", []string{"oncologist", "paris"}},
		{"Breast-Lump_2", []string{"breast", "lump", "2"}},
		{"gynécologue à Orléans", []string{"gynecologue", "a", "orleans"}},
		{"Gyne\u0301cologue", []string{"gynecologue"}},
		{"gyn\xe9cologue", []string{"gynecologue"}},
		{"«Łódź» — okulista", []string{"lodz", "okulista"}},
		{"\u2014\u2014", nil},
		{"ОНКОЛОГ", []string{"онколог"}},
		{"ΚΑΡΔΙΑ", []string{"καρδια"}},
		{"腫瘍科\u3000東京", []string{"腫瘍科", "東京"}},
	} {
		r := reader{text: []byte(c.text)}
		var got []string
		for r.next() {
			word := r.text[r.start:r.end]
			folded := appendFolded(nil, word)
			got = append(got, string(folded))
			if again := (reader{text: folded}); again.next() && hash(folded, again.classes) != hash(word, r.classes) {
				t.Errorf("%q: %q and %q differ in their hashes", c.text, word, folded)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWeigh(t *testing.T) {
	for word, want := range map[string]int8{
		"fr": 0, "search": 0, "doctor": 0, "12": 0, "2019": 1, "75011": 1, "134567": 3,
		"psy": 1, "nice": 1, "paris": 2, "dentist": 3, "oncologist": 3, "v2": 0, "id7048": 2, "5c249fde": 3,
	} {
		r := reader{text: []byte(word)}
		r.next()
		if got := weigh([]byte(word), r.classes); got != want {
			t.Errorf("%s: %d, want %d", word, got, want)
		}
	}
}

// A common word that no reader would give can never be met.
func TestCommonWordsAreWords(t *testing.T) {
	r := reader{text: []byte(common)}
	longest := 0
	for r.next() {
		word := r.text[r.start:r.end]
		if string(appendFolded(nil, word)) != string(word) || len(word) < 3 {
			t.Errorf("%q is never asked for", word)
		}
		longest = max(longest, len(word))
	}
	if longest != len("practitioners") {
		t.Errorf("the longest word has %d letters; isCommon thinks %d", longest, len("practitioners"))
	}
}
