package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed words/*.json
var wordFiles embed.FS

// words holds every sentence of the demo by language and key.
var words = map[lang]map[string]string{"en": readWords("en"), "fr": readWords("fr")}

func readWords(name string) map[string]string {
	b, err := wordFiles.ReadFile("words/" + name + ".json")
	if err != nil {
		panic(err)
	}
	m := map[string]string{}
	if err := json.Unmarshal(b, &m); err != nil {
		panic(fmt.Errorf("words/%s.json: %w", name, err))
	}
	return m
}

// A lang is "en" or "fr".
type lang string

// langOf follows ?lang=, then the first of the two that Accept-Language names,
// else English.
func langOf(r *http.Request) lang {
	if l := lang(r.URL.Query().Get("lang")); words[l] != nil {
		return l
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if words[lang(primary)] != nil {
			return lang(primary)
		}
	}
	return "en"
}

// say returns the sentence of a key with its slots filled. A key without a
// sentence shows as itself.
func (l lang) say(key string, args ...any) string {
	s, ok := words[l][key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// field names a form's field in words, or by its own name if it has none.
func (l lang) field(name string) string {
	if s, ok := words[l]["field."+name]; ok {
		return s
	}
	return name
}

// doctors counts them in words: "this doctor", "these eight doctors".
func (l lang) doctors(n int) string {
	if s, ok := words[l]["doctors."+strconv.Itoa(n)]; ok {
		return s
	}
	return l.say("doctors.many", n)
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
