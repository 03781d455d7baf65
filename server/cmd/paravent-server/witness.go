package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"paravent/server/store"
	"paravent/server/witness"
)

// runWitness is the verb "witness".
func runWitness(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("witness", flag.ContinueOnError)
	dir := flags.String("store", "", "")
	listen := flags.String("listen", "", "")
	keyFile := flags.String("key", "", "")
	trustFile := flags.String("trust", "", "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	if *dir == "" || *listen == "" || *keyFile == "" || *trustFile == "" {
		return errors.New("witness: needs -store DIR, -listen ADDR, -key FILE and -trust FILE")
	}
	trust, err := readTrust(*trustFile)
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	secret, err := os.ReadFile(*keyFile)
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	s, err := store.Open(*dir)
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	h, err := witness.New(s, trust, strings.TrimSpace(string(secret)), time.Now, log)
	if err != nil {
		return fmt.Errorf("witness: %s: is not a key made by \"paravent key new -witness\": %w", *keyFile, err)
	}
	return listenAndServe(ctx, flags.Name(), *listen, part{"witness", "", h}, log, stdout)
}
