// Package law says which law an organisation answers to where it has its seat,
// as far as that decides what becomes of a patient's data. It follows from the
// country alone, so that nobody has to write it down for each organisation, and
// nobody can write down the wrong one. A law of the patient's own country may
// hold beside it: the GDPR does for whoever watches people in the Union
// (article 3).
//
//	l, ok := law.Of("US")
//	fmt.Println(l.Name) // CLOUD Act, 18 U.S.C. § 2713
//
// Countries are ISO 3166-1 alpha-2 codes in capitals. Those of which the
// recipients' file names none are left out: no law is guessed.
package law

// A Law is a statute. Key is what sentences about it are filed under.
type Law struct {
	Key    string // stable: small letters and "-"
	Name   string // as it is cited, in its own language or in English
	Source string // where its text stands
}

var (
	gdpr     = Law{"gdpr", "GDPR, Regulation (EU) 2016/679", "https://eur-lex.europa.eu/eli/reg/2016/679/oj"}
	ukGDPR   = Law{"uk-gdpr", "UK GDPR and Data Protection Act 2018", "https://www.legislation.gov.uk/ukpga/2018/12/contents"}
	cloudAct = Law{"cloud-act", "CLOUD Act, 18 U.S.C. § 2713", "https://uscode.house.gov/view.xhtml?req=granuleid:USC-prelim-title18-section2713"}

	others = map[string]Law{
		"GB": ukGDPR,
		"US": cloudAct,
		"CA": {"pipeda", "PIPEDA, S.C. 2000, c. 5", "https://laws-lois.justice.gc.ca/eng/acts/P-8.6/"},
		"CH": {"fadp", "FADP, SR 235.1", "https://www.fedlex.admin.ch/eli/cc/2022/491/en"},
		"NZ": {"nz-privacy", "Privacy Act 2020", "https://www.legislation.govt.nz/act/public/2020/0031/latest/whole.html"},
	}
)

// union are the states of the European Economic Area, in which the GDPR holds
// (EEA Joint Committee decision 154/2018).
var union = map[string]bool{
	"AT": true, "BE": true, "BG": true, "CY": true, "CZ": true, "DE": true, "DK": true, "EE": true,
	"ES": true, "FI": true, "FR": true, "GR": true, "HR": true, "HU": true, "IE": true, "IS": true,
	"IT": true, "LI": true, "LT": true, "LU": true, "LV": true, "MT": true, "NL": true, "NO": true,
	"PL": true, "PT": true, "RO": true, "SE": true, "SI": true, "SK": true,
}

// Of returns the law of a country. ok is false where none is known here.
func Of(country string) (l Law, ok bool) {
	if union[country] {
		return gdpr, true
	}
	l, ok = others[country]
	return l, ok
}
