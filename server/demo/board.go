package demo

import (
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
)

//go:embed board
var boardFiles embed.FS

// A Standing is what stands on the board about one third party.
type Standing struct {
	Key         string    `json:"key"`
	Name        string    `json:"name"` // fictional company, and what it does
	Role        string    `json:"role"`
	Origin      string    `json:"origin"`
	Requests    []Request `json:"requests"`
	Dropped     int       `json:"dropped"`           // older requests that the record has no room for
	Connections int       `json:"connections"`       // TCP connections since the reset, the gateway's left out
	Silent      int       `json:"silent"`            // of these, the ones without a request
	Learnt      []string  `json:"learnt"`            // about the patient, from the browser
	Relayed     string    `json:"relayed,omitempty"` // what the gateway asked for, about nobody
}

// Board is the answer of GET /api/record.
type Board struct {
	Recipients []Standing `json:"recipients"`
	Needs      []Standing `json:"needs"`
}

// newBoard serves the board's page and its API:
//
//	GET  /             the page, ?lang=en|fr
//	GET  /api/record   a Board, ?lang=en|fr
//	POST /api/reset    empties every record: 204
//	GET  /api/here     204: this browser finds the board; any page may ask
func newBoard(t *town) http.Handler {
	mux := http.NewServeMux()
	html := template.Must(template.ParseFS(boardFiles, "board/board.html"))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		l := langOf(r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		html.Execute(w, map[string]any{"Lang": l, "OtherLang": map[lang]lang{"en": "fr", "fr": "en"}[l], "Say": l.say, "Seat": t.seat})
	})
	for _, name := range []string{"board.css", "board.js"} {
		mux.Handle("GET /"+name, fresh(file(boardFiles, "board/"+name)))
	}
	mux.Handle("GET /favicon.ico", fresh(file(siteFiles, "site/icon.svg")))
	mux.HandleFunc("GET /api/here", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /api/record", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(t.board(langOf(r)))
	})
	mux.HandleFunc("POST /api/reset", func(w http.ResponseWriter, r *http.Request) {
		for _, h := range t.hosts {
			if h.record != nil {
				h.record.reset()
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	// A page that leaks must not be able to wipe the board.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (t *town) board(l lang) Board {
	standings := func(keys []string) []Standing {
		out := []Standing{}
		for _, key := range keys {
			h := t.host(key)
			got := h.record.received()
			out = append(out, Standing{
				Key: key, Name: l.say("name." + key), Role: l.say("role." + key), Origin: h.origin,
				Requests: got.requests, Dropped: got.dropped,
				Connections: got.connections, Silent: got.silent,
				Learnt: got.sentences(l), Relayed: got.relayed(l),
			})
		}
		return out
	}
	return Board{standings(recipientKeys), standings(needKeys)}
}
