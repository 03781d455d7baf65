package leak

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/base64"
	"io"
	"runtime"
	"strings"
	"testing"
)

// home is a page of the demo's booking site, whose trackers are below.
const home = "http://booking.localhost:8080"

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func zipped(s string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, s)
	w.Close()
	return out.String()
}

func TestFind(t *testing.T) {
	const (
		results  = home + "/oncologist/paris?insurance=private&motive=breast-lump"
		doctolib = "https://www.doctolib.de/urologie/berlin?insurance_sector=private"
	)
	stream := `{"DeliveryStreamName":"live-page-views","Record":{"Data":"` + b64(`{"page_url":"`+results+`","session_id":"3f9a"}`) + `"}}`
	for _, c := range []struct {
		name, page, url, body, referer string
		want                           Finding
	}{
		// What the demo's recipients get.
		{"analytics", results, "http://analytics.localhost/collect?v=2&en=page_view&dl=http%3A%2F%2Fbooking.localhost%3A8080%2Foncologist%2Fparis%3Finsurance%3Dprivate%26motive%3Dbreast-lump&dr=", "", "",
			Finding{Address, URL, "percent", "booking.localhost:8080/oncologist/paris?insurance=private&motive=breast-lump", "dl"}},
		{"AWS stream", results, "http://stream.localhost/live", stream, "",
			Finding{Address, Body, "base64", "booking.localhost:8080/oncologist/paris?insurance=private&motive=breast-lump", "page_url"}},
		{"ads, search", results, "http://ads.localhost/p/obtp?marketerId=00d7a2&search_term=oncologist+paris&insuranceSector=private", "", "",
			Finding{Path, URL, "plain", "oncologist+paris", "search_term"}},
		{"ads, insurance", results, "http://ads.localhost/p/obtp?marketerId=00d7a2&insuranceSector=private", "", "",
			Finding{Search, URL, "plain", "private", "insuranceSector"}},
		{"ads, motive", results, "http://ads.localhost/p/obtp?motiveKey=breast-lump", "", "",
			Finding{Search, URL, "plain", "breast-lump", "motiveKey"}},
		{"ads, button", home + "/doctor/amina-benali", "http://ads.localhost/tr?ev=SubscribedButtonClick&cd%5BbuttonText%5D=Book&cd%5Bdoctor%5D=Dr+Amina+Benali", "", "",
			Finding{Path, URL, "plain", "Amina+Benali", "cd[doctor]"}},
		{"errors", results, "http://errors.localhost/api/42/envelope/", "{\"sdk\":{\"name\":\"crumbtrail\"}}\n{\"type\":\"transaction\"}\n{\"transaction\":\"/oncologist/paris\",\"breadcrumbs\":[]}", "",
			Finding{Path, Body, "plain", "oncologist/paris", "transaction"}},
		{"replay", results, "http://errors.localhost/api/42/replay/", `{"type":"replay_event","urls":["` + results + `"]}`, "",
			Finding{Address, Body, "plain", "booking.localhost:8080/oncologist/paris?insurance=private&motive=breast-lump", "urls"}},
		{"widget", home + "/doctor/amina-benali", "http://widgets.localhost/doctor/widget?doctor=amina-benali&lang=en", "", "",
			Finding{Path, URL, "plain", "doctor=amina-benali", "doctor"}},
		{"metrics", results, "http://metrics.localhost/e", "url=http%3A%2F%2Fbooking.localhost%3A8080%2Foncologist%2Fparis&tz=Europe%2FParis", "",
			Finding{Address, Body, "percent", "booking.localhost:8080/oncologist/paris", "url"}},

		// What was seen on booking sites.
		{"Outbrain", doctolib, "https://tr.outbrain.com/unifiedPixel?insuranceSector=private&motiveKey=x", "", "",
			Finding{Search, URL, "plain", "private", "insuranceSector"}},
		{"Outbrain, search", "https://www.doctolib.de/urologie/berlin", "https://tr.outbrain.com/unifiedPixel?search=Urologie", "", "",
			Finding{Path, URL, "plain", "Urologie", "search"}},
		{"Firehose, several records", "https://www.doctolib.fr/oncologue/paris", "https://events.data.doctolib.com/live", `{"Records":[{"Data":"` + b64(`{"a":1}`) + `"},{"Data":"` + b64(`{"page_url":"https://www.doctolib.fr/oncologue/paris"}`) + `"}]}`, "",
			Finding{Address, Body, "base64", "www.doctolib.fr/oncologue/paris", "page_url"}},
		{"New Relic", "https://www.doctolib.fr/oncologue/paris", "https://bam-cell.nr-data.net/1/x?ref=https://www.doctolib.fr/oncologue/paris", "", "",
			Finding{Address, URL, "plain", "www.doctolib.fr/oncologue/paris", "ref"}},
		{"Docplanner's widget", "https://www.doctoralia.com.br/ana-souza/oncologista/sao-paulo", "https://widgets.doctoralia.com.br/doctor/widget/x?referer=https%3A%2F%2Fwww.doctoralia.com.br%2Fana-souza%2Foncologista%2Fsao-paulo", "", "",
			Finding{Address, URL, "percent", "www.doctoralia.com.br/ana-souza/oncologista/sao-paulo", "referer"}},
		{"a field for each word", "https://booking.example/dentist/lille", "https://t.example/x?specialty=dentist&city=Lille", "", "",
			Finding{Path, URL, "plain", "dentist", "specialty"}},
		{"two short words in fields of their own", "https://booking.example/kardio/lille", "https://t.example/x?specialty=kardio&city=Lille", "", "",
			Finding{Path, URL, "plain", "Lille", "city"}},

		// Forms of the address.
		{"without scheme and www", "https://www.maiia.com/rhumatologue/67000-strasbourg", "https://t.example/?u=maiia.com/rhumatologue/67000-strasbourg", "", "",
			Finding{Address, URL, "plain", "maiia.com/rhumatologue/67000-strasbourg", "u"}},
		{"common path, telling query", "https://www.zocdoc.com/search?dr_specialty=oncology", "https://t.example/?u=https%3A%2F%2Fwww.zocdoc.com%2Fsearch%3Fdr_specialty%3Doncology", "", "",
			Finding{Address, URL, "percent", "www.zocdoc.com/search?dr_specialty=oncology", "u"}},
		{"in a matrix parameter", "https://booking.example/psoriasis", "https://1.fls.example/activityi;src=1;~oref=https%3A%2F%2Fbooking.example%2Fpsoriasis?", "", "",
			Finding{Address, URL, "percent", "booking.example/psoriasis", "~oref"}},
		{"in the path", "https://booking.example/oncologist/paris", "https://t.example/pv/booking.example/oncologist/paris/", "", "",
			Finding{Address, URL, "plain", "booking.example/oncologist/paris", ""}},
		{"fragment of a single page application", "https://booking.example/#/psychiatrist/paris", "https://t.example/?p=%2Fpsychiatrist%2Fparis", "", "",
			Finding{Path, URL, "percent", "psychiatrist/paris", "p"}},
		{"accents", "https://booking.example/gyn%C3%A9cologue/saint-%C3%A9tienne", "https://t.example/", `{"title":"Gynécologue – Saint-Etienne"}`, "",
			Finding{Path, Body, "plain", "Gynécologue – Saint-Etienne", "title"}},
		{"decomposed accents", "https://booking.example/gyn%C3%A9cologue/orl%C3%A9ans", "https://t.example/?q=Gyne%CC%81cologue%20Orle%CC%81ans", "", "",
			Finding{Path, URL, "percent", "Gyne\u0301cologue Orle\u0301ans", "q"}},
		{"Latin-1", "https://booking.example/gyn%C3%A9cologue/orl%C3%A9ans", "https://t.example/?q=gyn%E9cologue+orl%E9ans", "", "",
			Finding{Path, URL, "percent", "gyn\xe9cologue+orl\xe9ans", "q"}},
		{"Cyrillic", "https://booking.example/search?q=%D0%BE%D0%BD%D0%BA%D0%BE%D0%BB%D0%BE%D0%B3", "https://t.example/", `{"term":"\u041e\u041d\u041a\u041e\u041b\u041e\u0413"}`, "",
			Finding{Search, Body, "escapes", "ОНКОЛОГ", "term"}},

		// Encodings.
		{"percent twice", results, "https://t.example/?r=" + "https%253A%252F%252Ft.example%252F%253Fp%253D%25252Foncologist%25252Fparis", "", "",
			Finding{Path, URL, "percent twice", "oncologist/paris", "p"}},
		{"escape()", "https://booking.example/%C5%82%C3%B3d%C5%BA-okulista", "https://t.example/?t=%u0142%F3d%u017A%20okulista", "", "",
			Finding{Path, URL, "percent", "\u0142\xf3d\u017a okulista", "t"}},
		{"JSON escapes", results, "https://t.example/", `{"p":"\u002foncologist\u002fparis"}`, "",
			Finding{Path, Body, "escapes", "oncologist/paris", "p"}},
		{"JSON in JSON", results, "https://t.example/", `{"m":"{\"p\":\"\\/oncologist\\/paris\"}"}`, "",
			Finding{Path, Body, "escapes in JSON in escapes", "oncologist/paris", "p"}},
		{"base64 in base64", results, "https://t.example/", `{"d":"` + b64(`{"e":"`+b64("/oncologist/paris")+`"}`) + `"}`, "",
			Finding{Path, Body, "base64 in JSON in base64", "oncologist/paris", "e"}},
		{"base64 behind other digits", results, "https://t.example/v1/xY" + strings.TrimRight(b64("?path=/oncologist/paris&x=1"), "="), "", "",
			Finding{Path, URL, "base64", "oncologist/paris", "path"}},
		{"base64url", results, "https://t.example/?d=" + base64.RawURLEncoding.EncodeToString([]byte("\xff\xfe>>/oncologist/paris")), "", "",
			Finding{Path, URL, "base64", "oncologist/paris", "d"}},
		{"percent in base64", results, "https://t.example/?d=" + b64("p=%2Foncologist%2Fparis"), "", "",
			Finding{Path, URL, "percent in base64", "oncologist/paris", "p"}},
		{"hexadecimal", results, "https://t.example/?d=2F6F6E636F6C6F676973742F7061726973", "", "",
			Finding{Path, URL, "hex", "oncologist/paris", "d"}},
		{"gzip", results, "https://t.example/", zipped("p=/oncologist/paris"), "",
			Finding{Path, Body, "gzip", "oncologist/paris", "p"}},
		{"gzip behind text", results, "https://t.example/", "{\"type\":\"replay\"}\n" + zipped(`{"p":"/oncologist/paris"}`), "",
			Finding{Path, Body, "gzip", "oncologist/paris", "p"}},
		{"gzip in base64 in JSON in gzip", results, "https://t.example/", zipped(`{"b":"` + b64(zipped(`{"p":"/oncologist/paris"}`)) + `"}`), "",
			Finding{Path, Body, "gzip in base64 in JSON in gzip", "oncologist/paris", "p"}},
		{"MD5", "https://booking.example/acne", "https://t.example/?h=" + md5Hex("https://booking.example/acne"), "", "",
			Finding{Address, URL, "md5", "https://booking.example/acne", "h"}},

		// Referer.
		{"Referer", results, "https://t.example/x.js", "", results,
			Finding{Address, Referer, "plain", "booking.localhost:8080/oncologist/paris?insurance=private&motive=breast-lump", ""}},
		{"Referer of another page of the site", home + "/", "https://t.example/x.js", "", home + "/psychiatrist/lyon",
			Finding{Address, Referer, "plain", home + "/psychiatrist/lyon", ""}},
	} {
		var page Page
		page.Set([]byte(c.page))
		got, ok := page.Find([]byte(c.url), []byte(c.body), []byte(c.referer))
		if !ok || got != c.want {
			t.Errorf("%s: %+v, %t; want %+v", c.name, got, ok, c.want)
		}
	}
}

func md5Hex(s string) string {
	sum := digests[0].sum(s)
	out := ""
	for _, b := range sum[:16] {
		out += string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15])
	}
	return out
}

// What sites need says which site it is and no more.
func TestWhatSitesNeedIsNoLeak(t *testing.T) {
	pages := []string{
		"https://www.doctolib.fr/oncologue/paris?insurance_sector=private",
		"https://www.doctolib.fr/",
		"https://www.doctolib.fr/account/payment",
		"https://www.doctolib.fr/booking/confirm?lang=fr&id=12345",
		"https://www.doctolib.fr/cardiologue/75011-paris/dr-amina-benali?pid=practice-1234&speciality=2",
		"https://www.doctolib.fr/search?query=psychiatre&location=lille&page=2",
	}
	for _, need := range []struct{ url, body, referer string }{
		// Payment comes back to the site, not to a page of it.
		{"https://js.stripe.com/v3/", "", "https://www.doctolib.fr/"},
		{"https://js.stripe.com/v3/m-outer-3437aaddcdf6922d623e172c2d6f9278.html", "", "https://www.doctolib.fr/"},
		{"https://api.stripe.com/v1/payment_methods", "type=card&card%5Bnumber%5D=4242424242424242&guid=b1f1c2&muid=c33a&referrer=https%3A%2F%2Fwww.doctolib.fr&key=pk_live_x", ""},
		{"https://www.paypal.com/sdk/js?client-id=AbC1dEf2GhI3&currency=EUR&intent=capture&locale=fr_FR", "", "https://www.doctolib.fr/"},
		{"https://secure.payzen.eu/vads-payment/?vads_url_return=https%3A%2F%2Fwww.doctolib.fr&vads_amount=2500&vads_page_action=PAYMENT", "", ""},
		{"https://pay.example/frame?lang=en&origin=https://www.doctolib.fr", "", ""},
		{"https://pay.example/authorise", "card=4242&return_url=https%3A%2F%2Fwww.doctolib.fr%2Faccount%2Fpayment%2Freturn", ""},
		// Captchas and bot defence.
		{"https://www.google.com/recaptcha/api2/anchor?ar=1&k=6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI&co=aHR0cHM6Ly93d3cuZG9jdG9saWIuZnI6NDQz&hl=fr&v=9pvHvq7kSOTqqZusUzJ6ewaF&size=invisible&cb=8pe1y5ivg3oh", "", ""},
		{"https://hcaptcha.com/getcaptcha/10000000-ffff-ffff-ffff-000000000001", "v=1a2b3c4&sitekey=10000000-ffff-ffff-ffff-000000000001&host=www.doctolib.fr&hl=fr&motionData=%7B%22st%22%3A1763800000%7D", ""},
		{"https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit&onload=onTurnstile", "", "https://www.doctolib.fr/"},
		{"https://api-js.datadome.co/js/", "jsType=ch&cid=AHrlqAAAAAMA&ddk=1D42C2CA6131C526E09F294FE96F94&Referer=https%3A%2F%2Fwww.doctolib.fr%2F&request=%2F&responsePage=origin&ddv=4.6.13", ""},
		{"https://captcha.example/answer", "nonce=challenge.1763800000.JBSWY3DPEHPK3PXP.mac&proof=4711", ""},
		// Consent.
		{"https://sdk.privacy-center.org/3a59e9ac-1d26-4fcb-9a5c-4b5a7a3e5f6b/loader.js?target=www.doctolib.fr", "", ""},
		{"https://api.privacy-center.org/v1/events?data_manager_country=FR", `{"regulation":"gdpr","source":{"domain":"www.doctolib.fr","type":"app-web"},"user":{"id":"18f3c4d2-4b4e-6f4b-b5a5-9d3e2f0e5c11"},"event":{"type":"consent.asked"}}`, ""},
		{"https://consent.cookiebot.com/uc.js?cbid=00000000-0000-0000-0000-000000000000&culture=fr", "", ""},
		{"https://consent.example/api/notice?lang=fr", "", ""},
		{"https://consent.example/api/choice", "choice=accepted", ""},
		// Embeds and signing in.
		{"https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?enablejsapi=1&origin=https%3A%2F%2Fwww.doctolib.fr&widgetid=1&hl=fr", "", "https://www.doctolib.fr/"},
		{"https://accounts.google.com/gsi/iframe/select?client_id=1234-abc.apps.googleusercontent.com&ux_mode=popup&origin=https%3A%2F%2Fwww.doctolib.fr", "", ""},
		{"https://login.example/oauth/authorize?response_type=code&scope=openid%20profile&redirect_uri=https%3A%2F%2Fwww.doctolib.fr%2Faccount%2Flogin%2Fcallback&state=8f3c", "", ""},
		// Maps.
		{"https://tile.openstreetmap.org/12/2074/1409.png", "", "https://www.doctolib.fr/"},
		{"https://maps.googleapis.com/maps/vt?pb=!1m5!1m4!1i12!2i2074!3i1409!4i256!2m3!1e0!2sm!3i667!3m12!2sfr!3sFR!5e18&callback=none&token=75011", "", ""},
		{"https://maps.googleapis.com/maps/api/js?key=AIzaSyBmQ7d8w0Xo3&language=fr&libraries=places&callback=initMap", "", "https://www.doctolib.fr/"},
		{"https://api.maptiler.com/maps/streets/14/8299/5637.png?key=get_your_own", "", ""},
		// Fonts and files, the site's own on a CDN too.
		{"https://fonts.googleapis.com/css2?family=Inter:wght@400;700&display=swap", "", "https://www.doctolib.fr/"},
		{"https://fonts.gstatic.com/s/inter/v18/UcCO3FwrK3iLTeHuS_nVMrMxCp50SjIw2boKoduKmMEVuLyfAZ9hiA.woff2", "", ""},
		{"https://assets.doctolib.net/images/specialities/oncologue.svg", "", ""},
		{"https://assets.doctolib.net/packs/search-psychiatre-5f2c1a9e.chunk.js", "", ""},
		{"https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/images/marker-icon.png", "", ""},
		{"https://img.example/w_160,h_160,c_fill,g_face/q1w2e3r4t5y6u7i8o9p0.jpg", "", ""},
		// Video and encryption.
		{"https://anvil.opentok.com/session/2_MX40NTI4ODJ9?extended=true", "", "https://www.doctolib.fr/"},
		{"https://video.example/connectivity/probe?device=capable", "", ""},
		{"https://api.tanker.io/v2/apps/AhsrC9jKcWw0nLyM/users/9HXtS6", `{"public_signature_key":"k1f8Zl6dXQ3pS4lK7rT2mN8vB5cY1wE0aU9iO6jHgFd=","trustchain_id":"AhsrC9jKcWw0nLyM"}`, ""},
	} {
		for _, address := range pages {
			var page Page
			page.Set([]byte(address))
			if got, ok := page.Find([]byte(need.url), []byte(need.body), []byte(need.referer)); ok {
				t.Errorf("%s %q on %s: %+v", need.url, need.body, address, got)
			}
		}
	}
}

// Short and common words and pieces of other addresses are no leaks.
func TestFindNothing(t *testing.T) {
	for _, c := range []struct{ name, page, url, body string }{
		{"the origin", "https://booking.example/oncologist/paris", "https://t.example/?o=https%3A%2F%2Fbooking.example", ""},
		{"the origin with a slash", "https://booking.example/", "https://t.example/?o=https%3A%2F%2Fbooking.example%2F", ""},
		{"a front page", "https://booking.example/fr/index.html", "https://t.example/?o=https%3A%2F%2Fbooking.example%2Ffr%2Findex.html", ""},
		{"common words", "https://booking.example/search/results?type=doctor&lang=fr", "https://t.example/search/results?type=doctor&lang=fr", ""},
		{"a short word", "https://booking.example/oncologist/nice", "https://t.example/?mood=nice", ""},
		{"a number", "https://booking.example/x?page=2&size=800", "https://t.example/?page=2&w=800", ""},
		{"a word among others", "https://booking.example/oncologist/paris", "https://t.example/?q=ask+an+oncologist+today", ""},
		{"a file with the page's word", "https://booking.example/oncologist/paris", "https://cdn.example/img/oncologist-banner.png", ""},
		{"a file with a pair of words", "https://booking.example/en/breast-cancer/paris", "https://cdn.example/img/breast-cancer.png", ""},
		{"another page", "https://booking.example/oncologist/paris", "https://t.example/?u=https%3A%2F%2Fbooking.example%2Fdentist%2Flyon", ""},
		{"the words turned round", "https://booking.example/oncologist/paris", "https://t.example/?q=paris+for+an+oncologist", ""},
		{"a deeper page than a short one", "https://booking.example/nice", "https://t.example/?u=https%3A%2F%2Fbooking.example%2Fnice%2Fdentist", ""},
		{"a value that is a host", "https://booking.example/embed?site=www.klinik-example.de", "https://t.example/?host=www.klinik-example.de", ""},
		{"another address's MD5", "https://booking.example/acne", "https://t.example/?h=d41d8cd98f00b204e9800998ecf8427e", ""},
		{"no page", "", "https://t.example/?u=https%3A%2F%2Fbooking.example%2Fx", ""},
		{"a page without a host", "about:blank", "https://t.example/?u=about%3Ablank", ""},
		{"a page that is none", "x?https://booking.example/oncologist/paris#://", "https://booking.example/", ""},
		{"no request", "https://booking.example/oncologist/paris", "", ""},
		{"the request's host", "https://booking.example/oncologist/paris", "https://oncologist-paris.example/", ""},
		{"the request's fragment", "https://booking.example/oncologist/paris", "https://t.example/#/oncologist/paris", ""},
		{"broken escapes", "https://booking.example/oncologist/paris", "https://t.example/?q=%2&r=%u00&s=%zz&t=%", `{"a":"\`},
	} {
		var page Page
		page.Set([]byte(c.page))
		if got, ok := page.Find([]byte(c.url), []byte(c.body), nil); ok {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// One value serves one page after another.
func TestSetAgain(t *testing.T) {
	var page Page
	request := []byte("https://t.example/?p=%2Foncologist%2Fparis")
	for i, want := range []bool{true, false, true} {
		page.Set([]byte([]string{"https://booking.example/oncologist/paris", "https://booking.example/dentist/lyon"}[i%2]))
		if _, ok := page.Find(request, nil, nil); ok != want {
			t.Errorf("page %d: found is %t, want %t", i, ok, want)
		}
	}
}

func TestFindAllocatesNothingWhenThereIsNothing(t *testing.T) {
	var page Page
	page.Set([]byte(benchPage))
	url := []byte("https://ads.tiers.example/bid?u=https%3A%2F%2Fwww.example.com%2F&h=d41d8cd98f00b204e9800998ecf8427e")
	body := []byte(`{"Records":[{"Data":"` + b64(`{"n":1,"caf\u00e9":"`+b64(zipped("nothing, été"))+`"}`) + `"}]}`)
	referer := []byte("https://www.example.com/")
	if n := testing.AllocsPerRun(100, func() { page.Find(url, body, referer) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// hostile makes inputs whose layers are worth more than they look.
func hostile() map[string]string {
	nested := "/oncologist/lyon"
	for range 12 {
		nested = b64(nested)
	}
	var bomb bytes.Buffer
	w, _ := flate.NewWriter(&bomb, flate.BestCompression)
	w.Write(make([]byte, 64<<20))
	w.Close()
	gzipHead := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
	var many strings.Builder
	for many.Len() < maxText {
		many.WriteString(gzipHead + bomb.String()[:200])
	}
	quine := gzipHead + strings.Repeat("\x00\x05\x00\xfa\xff"+gzipHead[:5], 20000)
	return map[string]string{
		"escapes of escapes":      strings.Repeat("%25", maxURL/3),
		"backslashes":             strings.Repeat(`\`, maxText),
		"nested base64":           nested,
		"base64 of base64's A":    strings.Repeat("A", maxText),
		"short base64":            strings.Repeat("YWJj.ZGVm", maxText/9),
		"digits of both":          strings.Repeat("aA1+", maxText/4),
		"DEFLATE bomb":            bomb.String(),
		"gzip bomb":               gzipHead + bomb.String(),
		"base64 of a gzip bomb":   b64(gzipHead + bomb.String()),
		"many gzip heads":         many.String(),
		"stored blocks of heads":  quine,
		"zlib heads":              strings.Repeat("x\x9c", maxText/2),
		"words of the page":       strings.Repeat("oncologist ", maxText/11),
		"runs of the page":        strings.Repeat("/oncologist/oncologist/oncologist?p=", maxText/36),
		"digests":                 strings.Repeat("d41d8cd98f00b204e9800998ecf8427e.", maxText/33),
		"wide letters":            strings.Repeat("é", maxText/2),
		"what stands between":     strings.Repeat("\u2028", maxText/3),
		"nothing but a long word": strings.Repeat("o", maxText),
		"short values":            strings.Repeat(",nice", maxText/5),
		"names of short values":   strings.Repeat(`{"mood":"nice"},`, maxText/16),
		"nested JSON":             strings.Repeat(`{"a":[`, maxText/6),
		"slashes":                 strings.Repeat("/", maxText/2) + "nice" + strings.Repeat("/", maxText/2),
	}
}

// Hostile requests cost no more than the limits say.
func TestHostileRequestsAreBounded(t *testing.T) {
	for name, text := range hostile() {
		var page Page
		page.Set([]byte("https://booking.example/oncologist/oncologist/paris?q=oncologist&city=nice"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		page.Find([]byte("https://t.example/?"+text), []byte(text), []byte("https://t.example/?"+text))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
			t.Errorf("%s: %d MB allocated", name, n>>20)
		}
		if page.work < -maxText {
			t.Errorf("%s: %d bytes were read that should not have been", name, -page.work)
		}
		for _, b := range page.buffers {
			if cap(b) > 4*maxText {
				t.Errorf("%s: a buffer of %d bytes", name, cap(b))
			}
		}
	}
}
