package demo

import (
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

//go:embed recipients
var recipientFiles embed.FS

// visitorCookie is what every recipient calls its cookie.
const visitorCookie = "visitor"

// recipientHandlers returns what each recipient serves. They answer as real
// ones do: the least that keeps the browser sending.
func recipientHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"photos":    withCookie(photoHost(photoPath)),
		"bucket":    withCookie(photoHost(bucketPath)),
		"analytics": withCookie(routes(map[string]http.Handler{"GET /tag.js": file(recipientFiles, "recipients/analytics.js"), "POST /collect": empty, "POST /g/collect": empty})),
		"metrics":   withCookie(routes(map[string]http.Handler{"GET /t.js": file(recipientFiles, "recipients/metrics.js"), "POST /e": empty})),
		"stream":    withCookie(routes(map[string]http.Handler{"POST /live": json200(func(*http.Request) any { return map[string]string{"RecordId": rand.Text()} })})),
		"ads":       withCookie(routes(map[string]http.Handler{"GET /pixel.js": file(recipientFiles, "recipients/ads.js"), "GET /tr": pixel, "GET /p/obtp": pixel})),
		"errors":    withCookie(routes(map[string]http.Handler{"GET /sdk.js": file(recipientFiles, "recipients/errors.js"), "POST /api/42/envelope/": empty, "POST /api/42/replay/": empty})),
		"widgets": withCookie(routes(map[string]http.Handler{
			"GET /doctor/widget": http.HandlerFunc(widget),
			"GET /widget.css":    file(recipientFiles, "recipients/widget.css"),
			"GET /widget.js":     file(recipientFiles, "recipients/widget.js"),
		})),
	}
}

// routes is a mux whose answers any page may read and none may keep: a cached
// answer would hide the next request from the record.
func routes(by map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range by {
		mux.Handle(pattern, h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		if origin := r.Header.Get("Origin"); origin != "" {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Allow-Headers", "Content-Type")
			h.Add("Vary", "Origin")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// withCookie gives a browser that has none a cookie to be known by. Only over a
// secure way may that be one that comes along from other sites, and to browsers
// .localhost is one.
func withCookie(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(visitorCookie); err != nil {
			c := http.Cookie{Name: visitorCookie, Value: rand.Text(), Path: "/", MaxAge: 365 * 24 * 3600}
			if name, _, _ := strings.Cut(r.Host, ":"); strings.HasSuffix(name, ".localhost") {
				c.Secure, c.SameSite = true, http.SameSiteNoneMode
			}
			http.SetCookie(w, &c)
		}
		next.ServeHTTP(w, r)
	})
}

// photoHost serves the photos whose paths follow the grammar exactly.
func photoHost(grammar *regexp.Regexp) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		d, size := pictured(path)
		if d == nil || !grammar.MatchString(path) || r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "There is no such photo.", http.StatusNotFound)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(portrait(d, size))
	})
}

func file(from embed.FS, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, from, name)
	})
}

var empty = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusNoContent)
})

// pixel is the smallest transparent GIF.
var pixel = func() http.Handler {
	gif, err := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/gif")
		w.Write(gif)
	})
}()

var widgetPage = template.Must(template.ParseFS(recipientFiles, "recipients/widget.html"))

// widget shows a doctor's reviews, which follow from the name.
func widget(w http.ResponseWriter, r *http.Request) {
	d := bySlug[r.URL.Query().Get("doctor")]
	if d == nil {
		http.Error(w, "There is no such doctor.", http.StatusNotFound)
		return
	}
	l := langOf(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	widgetPage.Execute(w, map[string]any{
		"Lang":    l,
		"Title":   l.say("widget.title", d.name),
		"Rating":  fmt.Sprintf("%.1f", 4.3+float64(d.seed[13]%7)/10),
		"Reviews": l.say("widget.reviews", 40+int(d.seed[14])),
		"Quote":   l.say(fmt.Sprintf("widget.quote.%d", d.seed[15]%3)),
	})
}
