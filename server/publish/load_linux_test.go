package publish_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paravent/lists/release"
	"paravent/server/publish"
)

const (
	rounds      = 11 // of each server in turn; the median counts
	roundTime   = time.Second
	connections = 32
	slowReaders = 2000
	// slowShare is what a reader that has been sent a part and takes no more may
	// cost the server: its goroutines, buffers and connection, and not its body.
	slowShare = 64 << 10
	wanted    = 0.6 // of nginx's answers a second
)

// BenchmarkBesideNginx runs the program paravent-server and nginx on the same
// files, in turns, on loopback, and fails if it answers fewer than 0.6 times as
// many requests, or if slow readers make it keep their bodies in memory:
//
//	go test -run '^$' -bench BesideNginx -benchtime 1x ./server/publish
func BenchmarkBesideNginx(b *testing.B) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			b.Skip("needs nginx (on Debian: apt-get install nginx-light)")
		}
	}
	dir, out := newDir(b), b.TempDir()
	w := newWorld(b, dir).serve()
	var hosts []string
	size := 0
	for i := 0; size < 400_000; i++ {
		hosts = append(hosts, fmt.Sprintf("h%07d.tracker.example", i))
		size += len(hosts[i]) + 1
	}
	l := build(b, hosts...)
	w.release(0, l)
	w.cosign(w.w1)
	if _, err := publish.Export(b.Context(), dir, out); err != nil {
		b.Fatal(err)
	}
	// nginx drops its rights and could not read the test's own folder.
	for folder := out; folder != "/" && folder != os.TempDir(); folder = filepath.Dir(folder) {
		os.Chmod(folder, 0o755)
	}
	ours, pid := runServer(b, dir.Root())
	theirs := runNginx(b, nginx, out)

	blob := "/v1/blob/" + release.DigestOf(l.list).SHA256
	for _, c := range []struct{ name, path, tags string }{
		{"304", "/v1/release", "If-None-Match: %s\r\n"},
		{fmt.Sprintf("%d-bytes", len(l.list)), blob, ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			// Each round is compared with the one next to it: what else the
			// machine does changes more slowly.
			var a, n, ratios []float64
			for i := range rounds {
				n = append(n, rate(b, theirs, c.path, c.tags))
				a = append(a, rate(b, ours, c.path, c.tags))
				ratios = append(ratios, a[i]/n[i])
			}
			for _, of := range [][]float64{a, n, ratios} {
				slices.Sort(of)
			}
			b.ReportMetric(a[rounds/2], "ours/s")
			b.ReportMetric(n[rounds/2], "nginx/s")
			b.ReportMetric(ratios[rounds/2], "ratio")
			b.ReportMetric(0, "ns/op")
			if ratios[rounds/2] < wanted {
				b.Errorf("%.2f times as many answers as nginx, want %.1f: %.2f", ratios[rounds/2], wanted, ratios)
			}
		})
	}
	b.Run("slow-readers", func(b *testing.B) {
		before := resident(b, pid)
		var slow []net.Conn
		defer func() {
			for _, c := range slow {
				c.Close()
			}
		}()
		for range slowReaders {
			c, err := net.Dial("tcp", ours)
			if err != nil {
				b.Fatal(err)
			}
			slow = append(slow, c)
			c.(*net.TCPConn).SetReadBuffer(4 << 10)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: lists.example\r\n\r\n", blob)
		}
		// All have their first bytes, and then take one now and then.
		for range 5 {
			for _, c := range slow {
				if _, err := c.Read(make([]byte, 64)); err != nil {
					b.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		after := resident(b, pid)
		each := float64(after-before) / slowReaders
		b.ReportMetric(float64(before)/(1<<20), "MiB-before")
		b.ReportMetric(float64(after)/(1<<20), "MiB-with-2000")
		b.ReportMetric(each/1024, "KiB/reader")
		b.ReportMetric(0, "ns/op")
		if each > slowShare {
			b.Errorf("a slow reader costs %.0f bytes, want at most %d", each, slowShare)
		}
	})
}

// runServer builds and starts the program, and returns its address.
func runServer(b *testing.B, store string) (address string, pid int) {
	b.Helper()
	program := filepath.Join(b.TempDir(), "paravent-server")
	if out, err := exec.Command("go", "build", "-o", program, "paravent/server/cmd/paravent-server").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	command := exec.Command(program, "serve", "-store", store, "-listen", "127.0.0.1:0")
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	var ready struct{ Lists string }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		b.Fatalf("%s: %v", line, err)
	}
	return strings.TrimPrefix(ready.Lists, "http://"), command.Process.Pid
}

// runNginx starts nginx on a folder, as its manual says for static files.
func runNginx(b *testing.B, program, root string) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		b.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	dir := b.TempDir()
	configuration := fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 100000000;
	default_type application/octet-stream;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s; root %[3]s; }
}
`, dir, address, root)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(configuration), 0o644); err != nil {
		b.Fatal(err)
	}
	command := exec.Command(program, "-c", path)
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		command.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return address
		}
		time.Sleep(20 * time.Millisecond)
	}
	said, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	b.Fatalf("nginx does not answer: %s", said)
	return ""
}

// rate asks over and over on some connections and returns answers a second.
// tags, if not "", takes the ETag of a first answer.
func rate(b *testing.B, address, path, tags string) float64 {
	b.Helper()
	request := "GET " + path + " HTTP/1.1\r\nHost: lists.example\r\n"
	status := "HTTP/1.1 200 "
	if tags != "" {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		request += fmt.Sprintf(tags, response.Header.Get("ETag"))
		status = "HTTP/1.1 304 "
	}
	request += "\r\n"
	var answers atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	end := begin.Add(roundTime)
	for range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			defer c.Close()
			r := bufio.NewReaderSize(c, 64<<10)
			for time.Now().Before(end) {
				if _, err := io.WriteString(c, request); err != nil {
					b.Error(err)
					return
				}
				if err := readAnswer(r, status); err != nil {
					b.Error(err)
					return
				}
				answers.Add(1)
			}
		})
	}
	all.Wait()
	return float64(answers.Load()) / time.Since(begin).Seconds()
}

// readAnswer reads an answer at as little cost as it can: who asks shares the
// processors with who answers.
func readAnswer(r *bufio.Reader, status string) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte(status)) {
		return fmt.Errorf("%q, want %s", line, status)
	}
	length := 0
	for len(line) > 2 {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}

// resident is how much memory a process has.
func resident(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	kilobytes, err := strconv.Atoi(fields[0])
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes << 10
}
