package demo

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// The directory is public, as on a real booking site: anybody who crawls its
// pages knows which photo belongs to which doctor. Everything in it is made
// up and the same in every run.

// A specialty's and a motive's names are in the words, under their ids.
type specialty struct {
	id      string
	motives []string
}

var specialties = []specialty{
	{"oncologist", []string{"after-diagnosis", "chemotherapy-follow-up", "breast-lump", "second-opinion"}},
	{"rheumatologist", []string{"joint-pain", "arthritis-follow-up", "back-pain", "injection"}},
	{"psychiatrist", []string{"depression", "anxiety", "burn-out", "addiction"}},
	{"gynaecologist", []string{"pregnancy-follow-up", "abortion", "contraception", "infertility"}},
	{"dermatologist", []string{"mole-check", "acne", "infection", "psoriasis"}},
	{"general-practitioner", []string{"consultation", "vaccination", "hiv-test", "sick-note"}},
}

type city struct {
	id, name, postcode string
	lat, lon           float64
	streets            []string
}

var cities = []city{
	{"paris", "Paris", "75011", 48.8590, 2.3780, []string{"rue Oberkampf", "boulevard Voltaire", "rue de Charonne", "avenue Parmentier"}},
	{"lyon", "Lyon", "69003", 45.7580, 4.8420, []string{"cours Lafayette", "rue Moncey", "avenue de Saxe", "rue de Bonnel"}},
	{"strasbourg", "Strasbourg", "67000", 48.5830, 7.7480, []string{"quai des Bateliers", "rue du Dôme", "allée de la Robertsau", "rue des Juifs"}},
	{"marseille", "Marseille", "13006", 43.2890, 5.3790, []string{"rue Paradis", "rue de Rome", "cours Lieutaud", "boulevard Baille"}},
	{"lille", "Lille", "59000", 50.6340, 3.0630, []string{"rue Nationale", "rue de Béthune", "boulevard Vauban", "rue Solférino"}},
	{"bordeaux", "Bordeaux", "33000", 44.8400, -0.5800, []string{"cours Victor-Hugo", "rue Fondaudège", "quai des Chartrons", "rue Judaïque"}},
}

var (
	firstNames = strings.Fields("Camille Amina Louis Éloïse Karim Juliette Thomas Inès Mathis Awa Antoine Léa Bastien Chloé Rachid Manon Hugo Salomé Étienne Nour Gabriel Margaux Idris Clémence Victor Maïa Olivier Yasmine Simon Apolline Mehdi Florence Paul Sarah Nicolas Agathe Rémi")
	lastNames  = strings.Fields("Aubert Benali Carpentier Delmas Evrard Fontaine Garnier Haddad Imbert Jacquet Keller Lefort Marchal Nguyen Ollivier Perrin Quentin Rousseau Saidi Tessier Urbain Vasseur Weber Xavier Yilmaz Zimmer Blanchard Chevalier Dufour Faure Guillot Hubert Lacroix Meunier Noël Poirier Renaud Schmitt Traoré Vidal Moreau")
)

const perPage = 8 // doctors of one specialty in one city, one page of results

type doctor struct {
	slug, name      string
	specialty, city string // ids
	street          string
	video           bool
	private         bool   // also takes patients with private insurance at their own rate
	publicID        string // its photo at the photo host, 20 of a-z and 0-9
	bucketPath      string // its photo in the bucket: 6 hex, a slash, an MD5
	seed            [sha256.Size]byte
}

var (
	doctors    []*doctor // by specialty, then city
	bySlug     = map[string]*doctor{}
	byPublicID = map[string]*doctor{}
	byBucket   = map[string]*doctor{}
)

func init() {
	for _, s := range specialties {
		for _, c := range cities {
			for range perPage {
				n := len(doctors)
				// Both lists have a prime length, so no pair comes twice.
				first, last := firstNames[n*5%len(firstNames)], lastNames[n*7%len(lastNames)]
				d := &doctor{
					name:      "Dr " + first + " " + last,
					slug:      slugOf(first + "-" + last),
					specialty: s.id,
					city:      c.id,
					street:    fmt.Sprintf("%d %s", 3+n*13%140, c.streets[n%len(c.streets)]),
					video:     n%3 != 1,
					private:   n%2 == 0,
				}
				d.seed = sha256.Sum256([]byte(d.slug))
				d.publicID = lettersOf(d.seed[:20])
				sum := md5.Sum([]byte(d.slug))
				d.bucketPath = hex.EncodeToString(d.seed[:3]) + "/" + hex.EncodeToString(sum[:])
				doctors = append(doctors, d)
				bySlug[d.slug], byPublicID[d.publicID], byBucket[d.bucketPath] = d, d, d
			}
		}
	}
}

var accents = strings.NewReplacer("é", "e", "ë", "e", "ï", "i", "è", "e", "É", "e")

func slugOf(name string) string { return strings.ToLower(accents.Replace(name)) }

func lettersOf(b []byte) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, len(b))
	for i, x := range b {
		out[i] = letters[int(x)%len(letters)]
	}
	return string(out)
}

func specialtyOf(id string) *specialty {
	for i := range specialties {
		if specialties[i].id == id {
			return &specialties[i]
		}
	}
	return nil
}

func cityOf(id string) *city {
	for i := range cities {
		if cities[i].id == id {
			return &cities[i]
		}
	}
	return nil
}

func knownMotive(id string) bool {
	for _, s := range specialties {
		for _, m := range s.motives {
			if m == id {
				return true
			}
		}
	}
	return false
}

func knownInsurance(id string) bool { return id == "public" || id == "private" }

// search returns the doctors on the page of results for a specialty in a city.
func search(specialty, city string) []*doctor {
	var found []*doctor
	for _, d := range doctors {
		if d.specialty == specialty && d.city == city {
			found = append(found, d)
		}
	}
	return found
}

// The two photo hosts serve these paths and no others.
var (
	photoPath  = regexp.MustCompile(`^/clinic/image/upload/w_(80|160|320),h_(80|160|320),c_fill/([a-z0-9]{20})\.jpg$`)
	bucketPath = regexp.MustCompile(`^/rendezvous\.example/doctor/([0-9a-f]{6}/[0-9a-f]{32})_220_square\.jpg$`)
)

func (d *doctor) photo(size int) string {
	return fmt.Sprintf("/clinic/image/upload/w_%d,h_%d,c_fill/%s.jpg", size, size, d.publicID)
}

func (d *doctor) bucketPhoto() string {
	return "/rendezvous.example/doctor/" + d.bucketPath + "_220_square.jpg"
}

// pictured returns the doctor and the size in pixels that a path at a photo
// host asks for, or nil.
func pictured(path string) (*doctor, int) {
	if m := photoPath.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		var size int
		fmt.Sscan(m[1], &size)
		return byPublicID[m[3]], size
	}
	if m := bucketPath.FindStringSubmatch(path); m != nil {
		return byBucket[m[1]], 220
	}
	return nil, 0
}

// mapZoom is the zoom of every tile on the site (Web Mercator, as OpenStreetMap
// numbers its tiles).
const mapZoom = 15

// tile returns the numbers of the tile that holds the city's centre.
func (c *city) tile() (x, y int) {
	n := math.Exp2(mapZoom)
	lat := c.lat * math.Pi / 180
	x = int(n * (c.lon + 180) / 360)
	y = int(n * (1 - math.Log(math.Tan(lat)+1/math.Cos(lat))/math.Pi) / 2)
	return x, y
}

// cityAt returns the city that a tile at mapZoom lies in, or nil.
func cityAt(x, y int) *city {
	for i := range cities {
		cx, cy := cities[i].tile()
		if abs(x-cx) <= 16 && abs(y-cy) <= 16 {
			return &cities[i]
		}
	}
	return nil
}

func abs(n int) int { return max(n, -n) }
