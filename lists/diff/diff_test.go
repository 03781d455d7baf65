package diff_test

import (
	"strings"
	"testing"

	"paravent/lists/diff"
)

const before = `paravent list 1
[sites]
booking.example	Booking
[recipients]
other.example	FR	Other
tracker.example	US	Tracker
[needs]
||consent.example^$domain=booking.example
[exceptions]
[photos]
[hosts]
ads.tracker.example
gone.example
[rules]
/pixel.gif?
||other.example/log^$image
`

const after = `paravent list 1
[sites]
booking.example	Booking
[recipients]
other.example	FR	Other
tracker.example	US	Tracker
[needs]
[exceptions]
[photos]
[hosts]
[::1]
a.tracker.example
ads.tracker.example
b.tracker.example
consent.example
[rules]
||other.example/log^$third-party
`

func TestBetween(t *testing.T) {
	changes, err := diff.Between([]byte(before), []byte(after))
	if err != nil {
		t.Fatal(err)
	}
	for longest, want := range map[int]string{
		0: `[needs] 0 more, 1 fewer
  - ||consent.example^$domain=booking.example
[hosts] 4 more, 1 fewer
  - gone.example
  + [::1]
  + a.tracker.example   Tracker (US)
  + b.tracker.example   Tracker (US)
  + consent.example
[rules] 1 more, 2 fewer
  - /pixel.gif?
  - ||other.example/log^$image   Other (FR)
  + ||other.example/log^$third-party   Other (FR)
for whom
  Other (FR)   1 more, 1 fewer
  Tracker (US)   2 more, 0 fewer
`,
		1: `[needs] 0 more, 1 fewer
  - ||consent.example^$domain=booking.example
[hosts] 4 more, 1 fewer
  - gone.example
  + … and 4 more of these
[rules] 1 more, 2 fewer
  - /pixel.gif?
  - … and 1 more of these
  + … and 1 more of these
for whom
  Other (FR)   1 more, 1 fewer
  … and 1 more organisations
`,
	} {
		var out strings.Builder
		changes.Write(&out, longest)
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", out.String(), want)
		}
	}
	same, err := diff.Between([]byte(before), []byte(before))
	if err != nil || same.Any() {
		t.Errorf("%+v, %v", same, err)
	}
	if _, err := diff.Between([]byte(before), []byte("paravent list 1")); err == nil || err.Error() != "after: want a whole list.txt, which begins with \"paravent list 1\"" {
		t.Error(err)
	}
}
