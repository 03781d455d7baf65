package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"paravent/server/publish"
	"paravent/server/store"
)

func export(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	dir := flags.String("store", "", "")
	if done, err := parse(flags, args, stderr, "-store DIR and, last, OUT"); done || err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("export: needs -store DIR and, last, OUT")
	}
	// store.Open would make a store of a name that is mistyped.
	if _, err := os.Stat(*dir); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	s, err := store.Open(*dir)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	written, err := publish.Export(ctx, s, flags.Arg(0))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d files are new in %s\n", written, flags.Arg(0))
	return err
}
