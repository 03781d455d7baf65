package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func asks(url string) string {
	body, _ := json.Marshal(map[string]string{"url": url})
	return string(body)
}

// askOpenly asks for a photo without a seal.
func askOpenly(t testing.TB, gateway, address string) (status int, answer string) {
	t.Helper()
	status, _, answer = send(t, gateway, "application/json", asks(address), nil)
	return status, answer
}

func TestOpenRequests(t *testing.T) {
	gateway := run(t, New(complete(t, Options{Allow: func(string) bool { return false }})))
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{``, 400, "the request is not"},
		{`null`, 400, "the request is not"},
		{`{}`, 400, "the request is not"},
		{`{"url":null}`, 400, "the request is not"},
		{`{"url":["https://photos.example/a.jpg"]}`, 400, "the request is not"},
		{`{"url":"https://photos.example/a.jpg","headers":{}}`, 400, "the request is not"},
		{`{"url":"https://photos.example/a.jpg"}}`, 400, "something follows"},
		{`{"url":"https://photos.example/a.jpg"}{}`, 400, "something follows"},
		{`{"url":"https://photos.example/a.jpg"`, 400, "the request is not"},
		{asks("https://photos.example/" + strings.Repeat("a", MaxRequest)), 413, "longer than 8192 bytes"},
		{asks("https://photos.example/a.jpg"), 403, "no photo rule of the list allows it"},
	} {
		status, contentType, answer := send(t, gateway, "application/json", c.body, nil)
		if status != c.status || !strings.Contains(answer, c.want) || contentType != "application/json" {
			t.Errorf("%.100s: got %d %s %s, want %d %s", c.body, status, contentType, answer, c.status, c.want)
		}
	}
	if response, err := http.Get(gateway + "/gateway?url=https://photos.example/a.jpg"); err != nil || response.StatusCode != 405 {
		t.Errorf("GET: %v %v", response, err)
	}
}

func TestOpenAnswer(t *testing.T) {
	jpg := string(encoded(t, encodeJPEG))
	photos := photoHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(jpg)) }))
	gateway := run(t, New(complete(t, Options{DemoLoopback: true})))
	if status, contentType, answer := send(t, gateway, "application/json", asks(photos+"/a.jpg"), nil); status != 200 || contentType != "image/jpeg" || answer != jpg {
		t.Errorf("%d %s %q", status, contentType, answer)
	}
}
