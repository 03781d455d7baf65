package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"paravent/server/gateway"
	"paravent/server/ohttp"
	"paravent/server/reader"
	"paravent/server/store"
)

const (
	// cacheBytes is how much of the disk a gateway's cache takes.
	cacheBytes = 1 << 30
	// keysAge is how old a gateway's keys may be: soon after a file comes or
	// goes it opens with the new key, or no more with the old one.
	keysAge = 30 * time.Second
)

// runGateway is the verb "gateway".
func runGateway(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	listen := flags.String("listen", "", "")
	keysDir := flags.String("keys", "", "")
	cacheDir := flags.String("cache", "", "")
	storeDir := flags.String("store", "", "")
	lists := flags.String("lists", "", "")
	trustFile := flags.String("trust", "", "")
	demoLoopback := flags.Bool("demo-loopback", false, "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	if *listen == "" || *keysDir == "" || *cacheDir == "" {
		return errors.New("gateway: needs -listen ADDR, -keys DIR and -cache DIR")
	}
	if (*storeDir == "") == (*lists == "") || (*lists == "") != (*trustFile == "") {
		return errors.New("gateway: needs -store DIR, or else -lists URL and -trust FILE: the photo rules of the list's releases")
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	o := gateway.Options{Log: log, DemoLoopback: *demoLoopback}
	// Anything below may go on beside the server until it ends.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var err error
	if o.Keys, err = keysIn(ctx, *keysDir, keysAge, log); err != nil {
		return fmt.Errorf("gateway: -keys: %w", err)
	}
	if o.Cache, err = gateway.OpenCache(*cacheDir, cacheBytes); err != nil {
		return fmt.Errorf("gateway: -cache: %w", err)
	}
	if *storeDir != "" {
		// store.Open would make a store of a name that is mistyped.
		if _, err := os.Stat(*storeDir); err != nil {
			return fmt.Errorf("gateway: -store: %w", err)
		}
		s, err := store.Open(*storeDir)
		if err != nil {
			return fmt.Errorf("gateway: -store: %w", err)
		}
		o.Allow = photoRules(s, log)
	} else {
		trust, err := readTrust(*trustFile)
		if err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
		server, err := reader.New(*lists)
		if err != nil {
			return fmt.Errorf("gateway: -lists: %w", err)
		}
		o.Allow = photoRulesFrom(ctx, server, trust, log)
	}
	return listenAndServe(ctx, flags.Name(), *listen, part{"gateway", "/gateway", gateway.New(o)}, log, stdout)
}

// keysIn returns the keys in a directory, and reads them again every so often
// until ctx ends. All files "….key" count alike, so keys change like this: the
// new key's file comes to the others; a release names its configuration beside
// the old one's, first as the next, a release later as the current one; when no
// reader has a release any more that names the old one, its file is removed.
// Keys that cannot be read at some moment stay what they were.
func keysIn(ctx context.Context, dir string, age time.Duration, log *slog.Logger) (func() *ohttp.Keys, error) {
	first, err := ohttp.ReadKeys(dir)
	if err != nil {
		return nil, err
	}
	var keys atomic.Pointer[ohttp.Keys]
	keys.Store(first)
	go func() {
		failed := ""
		tick := time.NewTicker(age)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			fresh, err := ohttp.ReadKeys(dir)
			if err == nil {
				keys.Store(fresh)
				failed = ""
			} else if err.Error() != failed {
				failed = err.Error()
				log.Error("the gateway keeps the keys it has", "err", err)
			}
		}
	}()
	return keys.Load, nil
}
