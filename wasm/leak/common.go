package leak

import "strings"

// common are the words that addresses have everywhere, so that they tell
// nothing about a page: machinery of URLs and file names, what sites call
// their pages in several languages, what every booking has, languages. What a
// patient looks for is never among them: no specialty, illness or place.
const common = `` +
	// machinery
	`http https www html htm php asp aspx jsp cgi index default home homepage main page pages site sites web app apps ` +
	`api ajax json xml rss feed amp mobile desktop static assets asset cdn img image images photo photos ` +
	`video videos media file files css script scripts font fonts svg png jpg jpeg gif webp ico ` +
	`com net org true false null undefined none yes view views show content contents item items node detail details ` +
	`includes uploads upload download downloads theme themes plugin plugins widget widgets embed frame iframe ` +
	`type url uri src ref referer referrer utm source medium campaign channel event events track tracking ` +
	`pixel ads adserver click redirect callback sync user users uid ` +
	// pages
	`search find result results list category categories tag tags topic topics archive archives ` +
	`product products shop store cart checkout order orders account login logout signin signup register profile ` +
	`about contact help support faq terms privacy legal imprint cookie cookies ` +
	`news blog article articles story stories post posts press magazine ` +
	`suche recherche buscar cerca szukaj ara startseite accueil inicio ` +
	// bookings
	`doctor doctors patient patients practitioner practitioners book booking bookings appointment appointments ` +
	`reservation reserve rdv termin termine agenda calendar slot slots ` +
	`confirm confirmed confirmation payment pay paid return ` +
	// languages
	`english french german spanish italian francais deutsch espanol italiano `

// isCommon reports whether a folded word is a common one.
func isCommon(word []byte) bool {
	if len(word) > len("practitioners") {
		return false
	}
	for rest := common; rest != ""; {
		end := strings.IndexByte(rest, ' ')
		if rest[:end] == string(word) {
			return true
		}
		rest = rest[end+1:]
	}
	return false
}
