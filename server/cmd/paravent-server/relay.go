package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"paravent/server/relay"
)

// runRelay is the verb "relay".
func runRelay(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	listen := flags.String("listen", "", "")
	to := flags.String("to", "", "")
	perMinute := flags.Int("per-minute", relay.PerMinute, "")
	clientHeader := flags.String("client-header", "", "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	if *listen == "" || *to == "" {
		return errors.New("relay: needs -listen ADDR and -to URL, for example -listen 127.0.0.1:8482 -to https://gateway.example/gateway")
	}
	if *perMinute < 1 {
		return fmt.Errorf("relay: -per-minute: %d requests of one client are not at least 1", *perMinute)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	h, err := relay.New(relay.Options{To: *to, PerMinute: *perMinute, ClientHeader: *clientHeader, Log: log})
	if err != nil {
		return fmt.Errorf("relay: -to: %w", err)
	}
	return listenAndServe(ctx, flags.Name(), *listen, part{"relay", "/relay", h}, log, stdout)
}
