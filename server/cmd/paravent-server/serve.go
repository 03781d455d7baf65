package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"paravent/server/page"
	"paravent/server/publish"
	"paravent/server/store"
)

// listFlags are the flags of a verb that serves a store.
type listFlags struct{ dir, trust, logKey *string }

func newListFlags(flags *flag.FlagSet) listFlags {
	return listFlags{flags.String("store", "", ""), flags.String("trust", "", ""), flags.String("log-key", "", "")}
}

// open returns the server of the store, once all is finished that an earlier
// one began.
func (f listFlags) open(ctx context.Context, log *slog.Logger) (http.Handler, error) {
	if (*f.trust == "") != (*f.logKey == "") {
		return nil, errors.New("-trust and -log-key go together: with both it takes releases, without it only serves them")
	}
	o := publish.Options{Log: log}
	if *f.trust != "" {
		var err error
		if o.Trust, err = readTrust(*f.trust); err != nil {
			return nil, err
		}
		if o.LogKey, err = readLogKey(*f.logKey); err != nil {
			return nil, err
		}
	}
	dir, err := store.Open(*f.dir)
	if err != nil {
		return nil, err
	}
	o.Store, o.Page = dir, page.New(dir, log)
	if o.LogKey != nil {
		if err := publish.Replay(ctx, o); err != nil {
			return nil, err
		}
	}
	return publish.Handler(o), nil
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	lists := newListFlags(flags)
	listen := flags.String("listen", "", "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	if *lists.dir == "" || *listen == "" {
		return errors.New("serve: needs -store DIR and -listen ADDR, for example -listen 127.0.0.1:8481")
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	h, err := lists.open(ctx, log)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return listenAndServe(ctx, flags.Name(), *listen, part{"lists", "", h}, log, stdout)
}
