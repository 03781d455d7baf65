package law_test

import (
	"fmt"
	"strings"
	"testing"

	"paravent/lists/law"
)

func ExampleOf() {
	for _, country := range []string{"FR", "GB", "US", "NO", "KY"} {
		l, ok := law.Of(country)
		fmt.Println(country, ok, l.Name)
	}
	// Output:
	// FR true GDPR, Regulation (EU) 2016/679
	// GB true UK GDPR and Data Protection Act 2018
	// US true CLOUD Act, 18 U.S.C. § 2713
	// NO true GDPR, Regulation (EU) 2016/679
	// KY false
}

func TestEveryLawIsNamedAndCited(t *testing.T) {
	keys := map[string]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			l, ok := law.Of(string([]rune{a, b}))
			if !ok {
				continue
			}
			if l.Key == "" || l.Name == "" || !strings.HasPrefix(l.Source, "https://") {
				t.Errorf("%c%c: %+v", a, b, l)
			}
			if name, found := keys[l.Key]; found && name != l.Name {
				t.Errorf("%s is the key of %s and of %s", l.Key, name, l.Name)
			}
			keys[l.Key] = l.Name
		}
	}
	if len(keys) < 3 {
		t.Errorf("only %v", keys)
	}
}
