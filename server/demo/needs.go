package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed needs
var needFiles embed.FS

// needHandlers returns what the third parties serve that a booking cannot do
// without. Consent, captcha and payment hand out receipts, which the booking
// site checks before it books.
func needHandlers(issue *receipts) map[string]http.Handler {
	return map[string]http.Handler{
		"consent": routes(map[string]http.Handler{
			"GET /sdk/loader.js": file(needFiles, "needs/consent.js"),
			"GET /api/notice": json200(func(r *http.Request) any {
				l := langOf(r)
				return map[string]string{
					"title": l.say("consent.title"), "text": l.say("consent.text"),
					"accept": l.say("consent.accept"), "refuse": l.say("consent.refuse"),
				}
			}),
			"POST /api/choice": json200(func(r *http.Request) any {
				if c := r.PostFormValue("choice"); c != "accepted" && c != "refused" {
					return nil
				}
				return map[string]string{"receipt": issue.issue("consent")}
			}),
		}),
		"captcha": routes(map[string]http.Handler{
			"GET /api.js":    file(needFiles, "needs/captcha.js"),
			"GET /challenge": json200(func(*http.Request) any { return map[string]any{"nonce": issue.issue("challenge"), "bits": captchaBits} }),
			"POST /answer": json200(func(r *http.Request) any {
				nonce := r.PostFormValue("nonce")
				if !issue.verify("challenge", nonce) || !proven(nonce, r.PostFormValue("proof")) {
					return nil
				}
				return map[string]string{"token": issue.issue("captcha")}
			}),
		}),
		"pay": routes(map[string]http.Handler{
			"GET /frame":     http.HandlerFunc(payFrame),
			"GET /frame.css": file(needFiles, "needs/pay.css"),
			"GET /frame.js":  file(needFiles, "needs/pay.js"),
			"POST /authorise": json200(func(r *http.Request) any {
				if r.PostFormValue("card") == "" {
					return nil
				}
				return map[string]string{"receipt": issue.issue("pay")}
			}),
		}),
		"video": routes(map[string]http.Handler{
			"GET /client.js":          file(needFiles, "needs/video.js"),
			"GET /connectivity/probe": json200(func(*http.Request) any { return map[string]any{"ok": true} }),
		}),
		"map": routes(map[string]http.Handler{
			"GET /tiles/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				x, y, ok := tileNumbers(r.URL.Path)
				if !ok {
					http.Error(w, "There is no such tile.", http.StatusNotFound)
					return
				}
				w.Header().Set("Content-Type", "image/png")
				w.Write(mapTile(x, y))
			}),
		}),
	}
}

// json200 answers with what reply returns, or refuses if that is nil.
func json200(reply func(*http.Request) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := reply(r)
		if v == nil {
			http.Error(w, "This answer is not accepted.", http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	})
}

// captchaBits is how many low bits of the hash a proof must bring to zero:
// some milliseconds of work in a browser.
const captchaBits = 12

// proven tells whether FNV-1a (32 bits) of nonce and proof ends in zero bits.
func proven(nonce, proof string) bool {
	h := fnv.New32a()
	h.Write([]byte(nonce + proof))
	return proof != "" && h.Sum32()&(1<<captchaBits-1) == 0
}

var payPage = template.Must(template.ParseFS(needFiles, "needs/pay.html"))

func payFrame(w http.ResponseWriter, r *http.Request) {
	l := langOf(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	payPage.Execute(w, map[string]any{
		"Lang": l, "Title": l.say("pay.title"), "Card": l.say("pay.card"),
		"Waiting": l.say("pay.waiting"), "Done": l.say("pay.done"),
	})
}

var tilePath = regexp.MustCompile(`^/tiles/(\d{1,2})/(\d{1,6})/(\d{1,6})\.png$`)

// tileNumbers reads the path of a tile at mapZoom.
func tileNumbers(path string) (x, y int, ok bool) {
	m := tilePath.FindStringSubmatch(path)
	if m == nil || m[1] != strconv.Itoa(mapZoom) {
		return 0, 0, false
	}
	x, _ = strconv.Atoi(m[2])
	y, _ = strconv.Atoi(m[3])
	return x, y, x < 1<<mapZoom && y < 1<<mapZoom
}

// tileAt is the path of a tile at mapZoom.
func tileAt(x, y int) string { return fmt.Sprintf("/tiles/%d/%d/%d.png", mapZoom, x, y) }

// receipts are statements of a third party that the booking site can check:
//
//	kind.expiry.random.mac
//
// expiry in Unix seconds, mac the HMAC-SHA-256 of what stands before it, in
// base64url. They are not single-use: a booking here has no effect.
type receipts struct{ key []byte }

const receiptLife = 30 * time.Minute

func newReceipts() *receipts {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return &receipts{key}
}

func (r *receipts) issue(kind string) string {
	s := kind + "." + strconv.FormatInt(time.Now().Add(receiptLife).Unix(), 10) + "." + rand.Text()
	return s + "." + r.mac(s)
}

func (r *receipts) verify(kind, receipt string) bool {
	i := strings.LastIndexByte(receipt, '.')
	if i < 0 || !hmac.Equal([]byte(receipt[i+1:]), []byte(r.mac(receipt[:i]))) {
		return false
	}
	parts := strings.Split(receipt[:i], ".")
	expiry, err := strconv.ParseInt(parts[1], 10, 64)
	return err == nil && parts[0] == kind && time.Now().Unix() < expiry
}

func (r *receipts) mac(s string) string {
	m := hmac.New(sha256.New, r.key)
	m.Write([]byte(s))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
