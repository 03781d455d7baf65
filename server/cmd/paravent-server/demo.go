package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"paravent/server/demo"
)

// runDemo is the verb "demo".
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	lists := newListFlags(flags)
	port := flags.Int("port", 8480, "")
	room := flags.String("room", "", "")
	packages := flags.String("packages", "", "")
	if done, err := parse(flags, args, stderr); done || err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	o := demo.Options{Port: *port, Room: *room, Ready: stdout, Log: log}
	if *packages != "" && *room == "" {
		return errors.New("demo: -packages needs -room ADDR, whose participants download them")
	}
	if *room != "" {
		dir, err := packagesDir(*packages)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		o.Packages = os.DirFS(dir)
	}
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

// packagesDir is where the extension's packages lie: the folder that was
// named, else that of this program, as they are released together.
func packagesDir(named string) (string, error) {
	if named == "" {
		program, err := os.Executable()
		return filepath.Dir(program), err
	}
	if info, err := os.Stat(named); err != nil || !info.IsDir() {
		return "", fmt.Errorf("-packages %s: is no folder", named)
	}
	return named, nil
}
