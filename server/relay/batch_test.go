package relay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// batchOf is several sealed requests in one.
func batchOf(all ...string) string {
	var b []byte
	for _, sealed := range all {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(sealed))), sealed...)
	}
	return string(b)
}

// answersIn takes the answers to a batch apart, by the number of the request.
func answersIn(t *testing.T, body string) map[int]string {
	t.Helper()
	all := map[int]string{}
	for body != "" {
		if len(body) < 7 {
			t.Fatalf("%d bytes are left", len(body))
		}
		head := []byte(body[:7])
		size := int(binary.BigEndian.Uint32(head[3:]))
		if len(body) < 7+size {
			t.Fatalf("an answer of %d bytes has %d", size, len(body)-7)
		}
		all[int(head[0])] = fmt.Sprint(binary.BigEndian.Uint16(head[1:]), " ", body[7:7+size])
		body = body[7+size:]
	}
	return all
}

// Each request of a batch goes to the gateway by itself, and its answer comes
// back as it would alone, whatever the others do.
func TestBatch(t *testing.T) {
	long := strings.Repeat("x", held+1000)
	later := make(chan struct{})
	gateway := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		say := func(status int, contentType, text string) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			w.WriteHeader(status)
			io.WriteString(w, text)
		}
		switch string(body) {
		case "slow":
			<-later
			say(200, typeAnswer, "slow")
		case "long":
			say(200, typeAnswer, long)
		case "key":
			say(400, typeProblem, "{}")
		case "html":
			say(200, "text/html", "hello")
		default:
			say(200, typeAnswer, string(body))
		}
	}))
	relay := start(t, Options{To: gateway + "/gateway"})
	request, err := http.NewRequest("POST", relay+"/relay", strings.NewReader(batchOf("slow", "fast", "long", "key", "html")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeBatch)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != typeBatch {
		t.Fatal(response.StatusCode, response.Header)
	}
	// The others are there before the slow one is.
	var got bytes.Buffer
	const slow = 7 + 4
	noGateway := `{"status":502,"title":"the gateway gave an answer that cannot be passed on"}`
	others := 4*7 + len("fast") + len(long) + len("{}") + len(noGateway)
	if _, err := io.CopyN(&got, response.Body, int64(others)); err != nil {
		t.Fatal(err)
	}
	close(later)
	if n, err := io.Copy(&got, response.Body); n != slow || err != nil {
		t.Fatal(n, err)
	}
	want := map[int]string{0: "200 slow", 1: "200 fast", 2: "200 " + long, 3: "400 {}", 4: "502 " + noGateway}
	if all := answersIn(t, got.String()); fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("got %.300v", all)
	}
}

func TestWhatIsNoBatch(t *testing.T) {
	gateway := server(t, answer(200, typeAnswer, "ok"))
	relay := start(t, Options{To: gateway + "/gateway", PerMinute: 1000})
	many := make([]string, MaxBatch+1)
	for i := range many {
		many[i] = "a"
	}
	for name, body := range map[string]string{
		"nothing":          "",
		"half a length":    "\x00",
		"cut off":          "\x00\x03ab",
		"an empty request": "\x00\x00",
		"a long request":   batchOf(strings.Repeat("a", MaxRequest+1)),
		"too many":         batchOf(many...),
	} {
		if response, text := post(t, relay, typeBatch, body); response.StatusCode != 400 || response.Header.Get("Content-Type") != typeProblem {
			t.Errorf("%s: %d %s", name, response.StatusCode, text)
		}
	}
	if response, text := post(t, relay, typeBatch, batchOf(many[:MaxBatch]...)); response.StatusCode != 200 || len(answersIn(t, text)) != MaxBatch {
		t.Errorf("%d requests: %d", MaxBatch, response.StatusCode)
	}
}

// A batch counts for as many requests as are in it.
func TestBatchesTooOften(t *testing.T) {
	gateway := server(t, answer(200, typeAnswer, "ok"))
	relay := start(t, Options{To: gateway + "/gateway", PerMinute: 20})
	if response, text := post(t, relay, typeBatch, batchOf("a", "b", "c", "d", "e", "f")); response.StatusCode != 200 {
		t.Error(response.StatusCode, text)
	}
	if response, _ := post(t, relay, typeBatch, batchOf("a", "b", "c", "d", "e", "f")); response.StatusCode != 429 || response.Header.Get("Retry-After") == "" {
		t.Error(response.StatusCode, response.Header)
	}
}

// An answer that breaks off when its size is said already breaks off the batch:
// the reader must see it.
func TestBatchThatBreaksOff(t *testing.T) {
	gateway := server(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", typeAnswer)
		w.Header().Set("Content-Length", fmt.Sprint(held+1000))
		w.Write(make([]byte, held+10))
		http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
		panic(http.ErrAbortHandler)
	}))
	relay := start(t, Options{To: gateway + "/gateway"})
	request, err := http.NewRequest("POST", relay+"/relay", strings.NewReader(batchOf("a", "b")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeBatch)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("the answer seems whole")
	}
}

func FuzzParts(f *testing.F) {
	f.Add([]byte(batchOf("a", "bc")))
	f.Add([]byte{0, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		all, ok := parts(body)
		if !ok {
			return
		}
		again := make([]string, len(all))
		for i, sealed := range all {
			again[i] = string(sealed)
		}
		if batchOf(again...) != string(body) {
			t.Errorf("%x is taken apart into %x", body, again)
		}
	})
}
