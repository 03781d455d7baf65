// Paravent-server publishes a list's releases over HTTP, and runs the demo: a
// booking site that leaks and the recipients that watch. "paravent-server help"
// lists its verbs.
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
	"syscall"
	"time"

	"paravent/server/gateway"
	"paravent/server/publish"
	"paravent/server/store"
)

const usage = `paravent-server publishes releases of the list and runs the demo.

  paravent-server serve -store DIR -listen ADDR [-gateway]
      Answers GET /v1/release, /v1/blob/{sha256} and /healthz from the store
      that "paravent release publish" writes. Prints one line of JSON with its
      address when it is ready. With -gateway it also answers POST /gateway:
      it fetches photos that the list relays, and nothing else.

  paravent-server demo [-port N] [-store DIR]
      Runs a booking site that leaks and the recipients that watch it, on
      loopback, from port N on (8480; 0 takes free ones). With -store it also
      serves that store's releases and fetches photos for their readers.
      Prints one line of JSON with all addresses when it is ready.

  paravent-server help
`

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
	case "demo":
		return runDemo(ctx, args, stdout, stderr)
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	}
	return fmt.Errorf("unknown verb %q; \"paravent-server help\" lists them", verb)
}

// parse reads a verb's flags, which take no further arguments. done says that
// the flags asked for help only.
func parse(flags *flag.FlagSet, args []string, stderr io.Writer) (done bool, err error) {
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, usage) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	if flags.NArg() > 0 {
		return false, fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(0))
	}
	return false, nil
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	dir := flags.String("store", "", "")
	listen := flags.String("listen", "", "")
	withGateway := flags.Bool("gateway", false, "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	if *dir == "" || *listen == "" {
		return errors.New("serve: needs -store DIR and -listen ADDR, for example -listen 127.0.0.1:8481")
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	s, err := store.Open(*dir)
	if err != nil {
		return err
	}
	h := publish.Handler(s, log)
	if *withGateway {
		mux := http.NewServeMux()
		mux.Handle("/", h)
		mux.Handle("/gateway", gateway.New(gateway.Options{Allow: photoRules(s, log), Log: log}))
		h = mux
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "{\"lists\":\"http://%s\"}\n", l.Addr()); err != nil {
		return err
	}
	return serveUntilDone(ctx, l, h, log)
}

// serveUntilDone answers on l until ctx ends, then lets running answers finish
// for a few seconds. The time limits keep slow or silent peers from piling up;
// writing may take long because a blob may go over a slow line.
func serveUntilDone(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
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
