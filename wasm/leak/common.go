package leak

import "strings"

// common are the words that addresses are made of everywhere, after which
// nobody can tell one page from another: the machinery of URLs and file names,
// the vocabulary of sites in several languages, languages and countries. A
// medical word is never among them.
const common = ` ` +
	// machinery
	`http https www html htm php asp aspx jsp cgi index default home main page pages site sites web app apps ` +
	`api ajax json xml rss feed amp mobile desktop static assets asset cdn img image images photo photos video videos media ` +
	`file files css script scripts fonts font svg png jpg jpeg gif webp ico ` +
	`com net org true false null undefined none yes view views show content contents item items node detail details ` +
	`wp includes uploads upload download downloads themes theme plugins plugin widget widgets embed frame iframe ` +
	`type id url uri src ref referer referrer utm source medium campaign ` +
	`event events track tracking pixel ads adserver click redirect callback sync user users uid ` +
	// vocabulary
	`search find result results list category categories tag tags topic topics archive archives ` +
	`product products shop store cart checkout order orders account login logout signin signup register profile ` +
	`about contact help support faq terms privacy legal imprint cookie cookies ` +
	`news blog article articles story stories post posts press magazine ` +
	`suche recherche buscar cerca szukaj ara startseite accueil inicio ` +
	// booking
	`doctor doctors patient patients practitioner practitioners book booking bookings appointment appointments ` +
	`reservation reserve rdv termin termine agenda calendar slot slots confirm confirmed confirmation payment pay paid return ` +
	// languages and countries
	`english french german spanish italian en_us de_de fr_fr ` +
	// time
	`2017 2018 2019 2020 2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 `

func isCommon(word []byte) bool {
	if len(word) > 12 {
		return false
	}
	spaced := append(make([]byte, 0, 16), ' ')
	for _, c := range word {
		spaced = append(spaced, c|0x20)
	}
	return strings.Contains(common, string(append(spaced, ' ')))
}
