package main

import (
	"context"
	"flag"
	"io"
	"log/slog"

	"paravent/server/demo"
	"paravent/server/gateway"
	"paravent/server/publish"
	"paravent/server/store"
)

// runDemo is the verb "demo". Only here does a gateway fetch from loopback.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	port := flags.Int("port", 8480, "")
	dir := flags.String("store", "", "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	o := demo.Options{Port: *port, Ready: stdout, Log: log}
	if *dir != "" {
		s, err := store.Open(*dir)
		if err != nil {
			return err
		}
		o.Lists = publish.Handler(s, log)
		o.Gateway = gateway.New(gateway.Options{Allow: photoRules(s, log), Log: log, DemoLoopback: true})
	}
	return demo.Run(ctx, o)
}
