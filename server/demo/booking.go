package demo

import (
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed site
var siteFiles embed.FS

// site is the booking site in one of three variants that differ in base only:
// "" as most sites are, "/strict" under a Content-Security-Policy, "/offline"
// behind a service worker of its own.
type site struct {
	base    string
	origins map[string]string
	verify  func(kind, receipt string) bool
	pages   map[string]*template.Template
}

func newSite(origins map[string]string, r *receipts) http.Handler {
	pages := map[string]*template.Template{}
	for _, name := range []string{"home", "results", "doctor", "book", "confirmed", "missing"} {
		pages[name] = template.Must(template.ParseFS(siteFiles, "site/layout.html", "site/"+name+".html"))
	}
	mux := http.NewServeMux()
	for _, base := range []string{"", "/strict", "/offline"} {
		s := &site{base, origins, r.verify, pages}
		mux.Handle(base+"/", http.StripPrefix(base, s.routes()))
	}
	for _, name := range []string{"site.css", "site.js", "booking.js", "icon.svg"} {
		mux.Handle("GET /assets/"+name, fresh(file(siteFiles, "site/"+name)))
	}
	mux.Handle("GET /favicon.ico", http.RedirectHandler("/assets/icon.svg", http.StatusSeeOther))
	mux.Handle("GET /offline/sw.js", fresh(file(siteFiles, "site/sw.js")))
	return mux
}

// fresh keeps an upgraded demo from running on the files of the last one.
func fresh(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /search", s.search)
	mux.HandleFunc("GET /{specialty}/{city}", s.results)
	mux.HandleFunc("GET /doctor/{slug}", s.doctor)
	mux.HandleFunc("GET /book/{slug}", s.form)
	mux.HandleFunc("POST /book/{slug}", s.book)
	mux.HandleFunc("GET /confirmed", s.confirmed)
	mux.HandleFunc("/", s.missing)
	return mux
}

// A page is what the templates see.
type page struct {
	Lang      lang
	Base      string
	Kind      string // the template's name
	Strict    bool   // under the policy: no third party is embedded
	Address   string // of the page itself, in full
	Other     string // the same page in the other language
	OtherLang lang
	Host      map[string]string
	Session   string

	Specialties, Cities, Motives []choice
	Insurance, Motive            string
	Specialty, City              choice
	Doctor                       *card
	Doctors                      []*card
	Slot                         slot
	Video                        bool
	Tiles                        []string
	Problem                      string
	Values                       url.Values
}

// Say returns a sentence in the page's language.
func (p *page) Say(key string, args ...any) string { return p.Lang.say(key, args...) }

type choice struct{ ID, Name string }

// A card is a doctor as the pages show them.
type card struct {
	Slug, Name, Specialty, City, Street, Postcode string
	Video, Private                                bool
	Photo, PhotoLarge, Bucket                     string
	Srcset, SrcsetWide                            template.Srcset
	How                                           string // in which way the page of results loads the photo
	Days                                          []day
}

type day struct {
	Name  string
	Slots []slot
}

type slot struct{ ID, Time, Day string }

func (s *site) page(r *http.Request, kind string) *page {
	l := langOf(r)
	q := r.URL.Query()
	p := &page{
		Lang: l, Base: s.base, Kind: kind, Strict: s.base == "/strict",
		Address: s.origins["booking"] + r.RequestURI,
		Host:    s.origins,
		Values:  url.Values{},
	}
	p.OtherLang = map[lang]lang{"en": "fr", "fr": "en"}[l]
	other := r.URL.Query()
	other.Set("lang", string(p.OtherLang))
	p.Other = s.base + r.URL.EscapedPath() + "?" + other.Encode()
	if v := q.Get("insurance"); knownInsurance(v) {
		p.Insurance = v
	}
	if v := q.Get("motive"); knownMotive(v) {
		p.Motive = v
	}
	for _, sp := range specialties {
		p.Specialties = append(p.Specialties, choice{sp.id, l.say("specialty." + sp.id)})
	}
	for _, c := range cities {
		p.Cities = append(p.Cities, choice{c.id, c.name})
	}
	return p
}

func (p *page) motivesOf(specialty string) {
	for _, m := range specialtyOf(specialty).motives {
		p.Motives = append(p.Motives, choice{m, p.Say("motive." + m)})
	}
}

// show writes a page. The session cookie is for the whole domain, so a tracker
// under the site's own name gets it too.
func (s *site) show(w http.ResponseWriter, r *http.Request, p *page, status int) {
	if c, err := r.Cookie("session"); err == nil && len(c.Value) <= 64 {
		p.Session = c.Value
	} else {
		p.Session = rand.Text()
		name, _, _ := strings.Cut(r.Host, ":")
		http.SetCookie(w, &http.Cookie{Name: "session", Value: p.Session, Path: "/", Domain: name, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	if p.Strict {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' "+s.origins["photos"]+" "+s.origins["bucket"])
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	s.pages[p.Kind].ExecuteTemplate(w, "layout.html", p)
}

func (s *site) missing(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, s.page(r, "missing"), http.StatusNotFound)
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, s.page(r, "home"), http.StatusOK)
}

// search turns the form into the address that the results have.
func (s *site) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	specialty, city := q.Get("specialty"), q.Get("city")
	if specialtyOf(specialty) == nil || cityOf(city) == nil {
		s.missing(w, r)
		return
	}
	q.Del("specialty")
	q.Del("city")
	for _, key := range []string{"insurance", "motive"} {
		if q.Get(key) == "" {
			q.Del(key)
		}
	}
	to := s.base + "/" + specialty + "/" + city
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// The ways in which real pages load photos, one for each doctor on a page of
// results; the last ones lie below the fold.
var ways = [perPage]string{"src", "srcset", "picture", "detached", "sizes", "detached", "lazy", "lazy"}

func (s *site) results(w http.ResponseWriter, r *http.Request) {
	specialty, city := specialtyOf(r.PathValue("specialty")), cityOf(r.PathValue("city"))
	if specialty == nil || city == nil {
		s.missing(w, r)
		return
	}
	p := s.page(r, "results")
	p.Specialty = choice{specialty.id, p.Say("specialty." + specialty.id + ".many")}
	p.City = choice{city.id, city.name}
	p.motivesOf(specialty.id)
	for i, d := range search(specialty.id, city.id) {
		c := s.card(p.Lang, d)
		c.How = ways[i]
		p.Doctors = append(p.Doctors, c)
	}
	s.show(w, r, p, http.StatusOK)
}

func (s *site) doctor(w http.ResponseWriter, r *http.Request) {
	d := bySlug[r.PathValue("slug")]
	if d == nil {
		s.missing(w, r)
		return
	}
	p := s.page(r, "doctor")
	p.about(s, d)
	for _, other := range search(d.specialty, d.city) {
		if other != d && len(p.Doctors) < 3 {
			p.Doctors = append(p.Doctors, s.card(p.Lang, other))
		}
	}
	s.show(w, r, p, http.StatusOK)
}

// about fills what the doctor's page and the form show of the doctor.
func (p *page) about(s *site, d *doctor) {
	p.Doctor = s.card(p.Lang, d)
	p.motivesOf(d.specialty)
	p.Specialty = choice{d.specialty, p.Doctor.Specialty}
	p.City = choice{d.city, p.Doctor.City}
	p.Tiles = s.tiles(d.city)
}

func (s *site) form(w http.ResponseWriter, r *http.Request) {
	d := bySlug[r.PathValue("slug")]
	if d == nil {
		s.missing(w, r)
		return
	}
	p := s.page(r, "book")
	p.about(s, d)
	p.Slot = p.Doctor.slot(r.URL.Query().Get("slot"))
	s.show(w, r, p, http.StatusOK)
}

// book takes the form. Under the strict policy no third party can be asked, so
// none has to have answered.
func (s *site) book(w http.ResponseWriter, r *http.Request) {
	d := bySlug[r.PathValue("slug")]
	if d == nil {
		s.missing(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form is too long or broken.", http.StatusBadRequest)
		return
	}
	p := s.page(r, "book")
	p.about(s, d)
	p.Slot = p.Doctor.slot(r.PostForm.Get("slot"))
	p.Insurance, p.Motive, p.Values = r.PostForm.Get("insurance"), r.PostForm.Get("motive"), r.PostForm
	for _, name := range []string{"consent", "captcha", "pay"} {
		if !p.Strict && !s.verify(name, r.PostForm.Get(name)) {
			p.Problem = p.Say("book.problem." + name)
			s.show(w, r, p, http.StatusUnprocessableEntity)
			return
		}
	}
	if !knownMotive(p.Motive) || !knownInsurance(p.Insurance) || strings.TrimSpace(r.PostForm.Get("lastname")) == "" {
		p.Problem = p.Say("book.problem.form")
		s.show(w, r, p, http.StatusUnprocessableEntity)
		return
	}
	q := url.Values{"doctor": {d.slug}, "slot": {p.Slot.ID}, "motive": {p.Motive}, "insurance": {p.Insurance}}
	if l := r.URL.Query().Get("lang"); l != "" {
		q.Set("lang", l)
	}
	http.Redirect(w, r, s.base+"/confirmed?"+q.Encode(), http.StatusSeeOther)
}

func (s *site) confirmed(w http.ResponseWriter, r *http.Request) {
	d := bySlug[r.URL.Query().Get("doctor")]
	if d == nil {
		s.missing(w, r)
		return
	}
	p := s.page(r, "confirmed")
	p.about(s, d)
	p.Slot = p.Doctor.slot(r.URL.Query().Get("slot"))
	s.show(w, r, p, http.StatusOK)
}

func (s *site) card(l lang, d *doctor) *card {
	at := func(size int) string { return s.origins["photos"] + d.photo(size) }
	c := cityOf(d.city)
	return &card{
		Slug: d.slug, Name: d.name, Street: d.street, Postcode: c.postcode, City: c.name,
		Specialty: l.say("specialty." + d.specialty), Video: d.video, Private: d.private,
		Photo: at(160), PhotoLarge: at(320), Bucket: s.origins["bucket"] + d.bucketPhoto(),
		Srcset:     template.Srcset(at(160) + " 1x, " + at(320) + " 2x"),
		SrcsetWide: template.Srcset(at(80) + " 80w, " + at(160) + " 160w, " + at(320) + " 320w"),
		Days:       daysOf(l, d),
	}
}

// daysOf makes up the free slots of the next three weekdays.
func daysOf(l lang, d *doctor) []day {
	var out []day
	for t := time.Now().AddDate(0, 0, 1); len(out) < 3; t = t.AddDate(0, 0, 1) {
		if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
			continue
		}
		one := day{Name: dayName(l, t)}
		for k := range 3 {
			minutes := 9*60 + 10*(int(d.seed[16+3*len(out)+k])%14) + k*160
			at := time.Date(t.Year(), t.Month(), t.Day(), 0, minutes, 0, 0, t.Location())
			one.Slots = append(one.Slots, slotAt(l, at))
		}
		out = append(out, one)
	}
	return out
}

const slotLayout = "2006-01-02T15:04"

func slotAt(l lang, t time.Time) slot {
	return slot{ID: t.Format(slotLayout), Time: t.Format("15:04"), Day: dayName(l, t)}
}

func dayName(l lang, t time.Time) string {
	return l.say("day."+strings.ToLower(t.Weekday().String()[:3]), t.Day(), l.say("month."+strings.ToLower(t.Month().String()[:3])))
}

// slot returns the doctor's slot with that id, or the first.
func (c *card) slot(id string) slot {
	for _, d := range c.Days {
		for _, s := range d.Slots {
			if s.ID == id {
				return s
			}
		}
	}
	return c.Days[0].Slots[0]
}

// tiles returns the addresses of the map around a city's centre, three by two.
func (s *site) tiles(id string) []string {
	x, y := cityOf(id).tile()
	var out []string
	for dy := range 2 {
		for dx := range 3 {
			out = append(out, s.origins["map"]+tileAt(x+dx-1, y+dy))
		}
	}
	return out
}
