package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"paravent/server/demo"
)

// runDemo is the verb "demo".
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
		var err error
		if o.Lists, err = lists.open(ctx, log); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	} else if *lists.trust != "" || *lists.logKey != "" {
		return errors.New("demo: -trust and -log-key need -store DIR")
	}
	return demo.Run(ctx, o)
}
