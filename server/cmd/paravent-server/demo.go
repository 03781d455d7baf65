package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"paravent/server/demo"
	"paravent/server/gateway"
)

// runDemo is the verb "demo". Only here does a gateway fetch from loopback.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	lists := newListFlags(flags)
	port := flags.Int("port", 8480, "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	o := demo.Options{Port: *port, Ready: stdout, Log: log}
	if *lists.dir != "" {
		dir, h, err := lists.open(ctx, log)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		o.Lists = h
		o.Gateway = gateway.New(gateway.Options{Allow: photoRules(dir, log), Log: log, DemoLoopback: true})
	} else if *lists.trust != "" || *lists.logKey != "" {
		return errors.New("demo: -trust and -log-key need -store DIR")
	}
	return demo.Run(ctx, o)
}
