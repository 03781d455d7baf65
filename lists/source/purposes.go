package source

import (
	"fmt"
	"slices"
	"strings"
)

// RecipientPurposes are what an organisation can receive requests for. They
// are no accusation: a site asks for each of these things in good faith.
var RecipientPurposes = []string{
	"advertising", "analytics", "session-replay", "experiments", "error-reports", "tag-manager", "consent", "captcha",
	"anti-bot", "payment", "video", "map", "hosting", "fonts", "search", "chat", "surveys", "reviews", "messages",
	"social", "photos", "booking", "consultation", "encryption",
}

// checkPurposes looks at what an organisation is said to receive requests
// for. An entry may leave it open, where no source says it.
func (s *Sources) checkPurposes(e *RecipientEntry) {
	for i, purpose := range e.Purposes {
		at := e.At(fmt.Sprintf("purposes[%d]", i))
		switch {
		case !slices.Contains(RecipientPurposes, purpose):
			s.say(at, "%s: purposes %q: want one of %s", e.Name, purpose, strings.Join(RecipientPurposes, ", "))
		case slices.Contains(e.Purposes[:i], purpose):
			s.say(at, "%s: purposes %q twice: keep one", e.Name, purpose)
		}
	}
}
