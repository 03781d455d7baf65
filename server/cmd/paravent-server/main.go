// Paravent-server serves a list's releases over HTTP and takes new ones, writes
// them out for any web server, cosigns the logs of others, carries or fetches photos
// for readers, and runs the demo: a booking site that leaks and the recipients
// that watch.
// "paravent-server help" lists its verbs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
)

const usage = `paravent-server serves releases of the list and runs the demo.

  paravent-server serve -store DIR -listen ADDR [-trust FILE -log-key FILE]
      Serves the releases in DIR and the log they stand in, at /v1/…,
      /checkpoint and /tile/…, with /healthz and /metrics, and at / a page for
      people, where hosts can be searched. With -trust and -log-key it also
      takes new ones from "paravent release push": release 0 by the maintainers
      of the trust text FILE, later ones by those that the log names; it signs
      the log's checkpoints with the key FILE, made by "paravent key new".
      Prints one line of JSON with its address when it is ready.

  paravent-server export -store DIR OUT
      Writes all that serve would serve of DIR as files below OUT, for any web
      server or CDN. Run it again after a release: it writes what is new.

  paravent-server witness -store DIR -listen ADDR -key FILE -trust FILE
      Cosigns the checkpoints of the logs that the trust text FILE names, each
      only if it continues the one that it cosigned before (c2sp.org
      tlog-witness: POST /add-checkpoint, GET /<origin hash>/checkpoint). The
      key is made by "paravent key new -witness". Run it where the list server
      is not, and never with an older copy of DIR, which is its memory. Prints
      one line of JSON with its address when it is ready.

  paravent-server relay -listen ADDR -to URL [-per-minute N] [-client-header NAME]
      Carries sealed requests for photos to the gateway at URL, and the sealed
      answers back: POST /relay. It sees who asks and not what for, and must be
      run by somebody else than the gateway. A client that asks more than N times
      a minute (1200) is told to wait; for that the relay holds a hash of its
      address for at most a minute, and writes down nothing of it. Where a TLS
      proxy of the same operator stands in front, NAME is the header in which
      it names its peer, such as X-Forwarded-For; the last value counts. Prints
      one line of JSON with its address when it is ready.

  paravent-server gateway -listen ADDR -keys DIR -cache DIR
                          (-store DIR | -lists URL -trust FILE) [-demo-loopback]
      Opens sealed requests and fetches the photos that the list's release in
      force names, and nothing else: POST /gateway. The release is the one in
      the store DIR, or the one of the list server at URL, if a reader who
      trusts FILE would take it. It opens with all keys "….key" in DIR, made by
      "paravent key new -gateway", and looks again every half minute: to change
      keys, add a file, let releases name it, and remove the old file when no
      reader has an older release any more. The cache is a directory of its own
      of at most 1 GB. Fetches are only made from public addresses, but with
      -demo-loopback also by http from hosts below .localhost: for the demo
      only. Prints one line of JSON with its address when it is ready.

  paravent-server demo [-port N] [-store DIR [-trust FILE -log-key FILE]]
                       [-room ADDR [-packages DIR]]
      Runs a booking site that leaks and the recipients that watch it, on
      loopback, from port N on (8480; 0 takes free ones). With -store it also
      serves that store's releases, and takes new ones, as serve does. With
      -room it serves the same to a room of laptops, from one address on the
      local network such as :8500: participants open that address, which tells
      them how to take part; their browsers reach the demo under names below
      .test by a proxy auto-configuration, and each has a board of its own. It
      is a proxy for these names alone and contacts nobody. Everyone on that
      network can reach it. DIR holds the extension's packages for them to
      download, paravent-chromium.zip and paravent-firefox.xpi; without it they
      are looked for beside this program. Prints one line of JSON with all
      addresses when it is ready; the trainer's is for the trainer alone.

  paravent-server version
  paravent-server help
`

// version is told by build.sh, which has it from the extension's manifest.
var version = "of no release"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "paravent-server:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb := "help"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "serve":
		return serve(ctx, args, stdout, stderr)
	case "export":
		return export(ctx, args, stdout, stderr)
	case "witness":
		return runWitness(ctx, args, stdout, stderr)
	case "relay":
		return runRelay(ctx, args, stdout, stderr)
	case "gateway":
		return runGateway(ctx, args, stdout, stderr)
	case "demo":
		return runDemo(ctx, args, stdout, stderr)
	case "version":
		_, err := fmt.Fprintln(stdout, "paravent-server", version)
		return err
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	}
	return fmt.Errorf("unknown verb %q; \"paravent-server help\" lists them", verb)
}

// parse reads a verb's flags and its further arguments, of which it takes as
// many as wanted are named. done says that the flags asked for help only.
func parse(flags *flag.FlagSet, args []string, stderr io.Writer, wanted ...string) (done bool, err error) {
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, usage) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	if n := flags.NArg(); n > len(wanted) {
		return false, fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(len(wanted)))
	} else if n < len(wanted) {
		return false, fmt.Errorf("%s: needs %s", flags.Name(), wanted[n])
	}
	return false, nil
}

// readTrust reads a file with a trust text.
func readTrust(path string) (release.Trust, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return release.Trust{}, err
	}
	trust, err := release.ParseTrust(string(text))
	if err != nil {
		return release.Trust{}, fmt.Errorf("%s: %w", path, err)
	}
	return trust, nil
}

// readLogKey reads the file with the key that signs a log's checkpoints.
func readLogKey(path string) (note.Signer, error) {
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return nil, fmt.Errorf("%s: is not a key made by \"paravent key new\": %w", path, err)
	}
	return key, nil
}

// A part is what a verb serves: its word in the line of JSON, and the path
// that others are given of it.
type part struct {
	key, path string
	handler   http.Handler
}

// listenAndServe prints a part's address when it is ready, and answers until
// ctx ends.
func listenAndServe(ctx context.Context, verb, address string, p part, log *slog.Logger, stdout io.Writer) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	if _, err := fmt.Fprintf(stdout, "{%q:\"http://%s%s\"}\n", p.key, l.Addr(), p.path); err != nil {
		return err
	}
	return serveUntilDone(ctx, l, p.handler, log)
}

// serveUntilDone answers on l until ctx ends, then lets running answers finish
// for a few seconds. The time limits keep slow or silent peers from piling up;
// writing may take long because a blob may go over a slow line.
func serveUntilDone(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	// What lives is a few megabytes, for which Go would collect garbage many
	// times a second under load. GOGC still decides if it is set.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      10 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		// net/http names the peer in some of its messages: drop them.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		log.Warn("stopped while answers were under way")
		return server.Close()
	}
	return nil
}
