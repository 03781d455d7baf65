package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"paravent/lists/source"
	"paravent/wasm/match"
)

// listLint prints every mistake in source directories, a line each:
//
//	lists/telemetry.txt:9: date "last week": want the day it was read, such as 2026-08-14
//	lists/telemetry.txt:12: warning: ||a.example^: does nothing on Doctolib, which needs …
//
// It fails when one of them is more than a warning.
func listLint(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list lint", flag.ContinueOnError)
	modules := upstreamFlag(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	names := flags.Args()
	if len(names) == 0 {
		names = []string{"lists"}
	}
	directories, err := openSources(names)
	if err != nil {
		return err
	}
	sources := source.Load(directories)
	if len(sources.Rules)+len(sources.Sites)+len(sources.Recipients)+len(sources.Upstreams)+len(sources.Mistakes) == 0 {
		return fmt.Errorf("%s: nothing to read: name a source directory such as lists", strings.Join(names, ", "))
	}
	mistakes := sources.Lint(os.DirFS(*modules), source.Checks{Today: time.Now(), Reasons: match.ReasonNames})
	warnings := 0
	for _, m := range mistakes {
		if m.Warning {
			warnings++
			fmt.Fprintf(out, "%s: warning: %s\n", m.Place, m.Text)
		} else {
			fmt.Fprintln(out, m)
		}
	}
	fmt.Fprintf(out, "%d rules, %d sites, %d organisations read: %s, %s\n", len(sources.Rules), len(sources.Sites),
		len(sources.Recipients), counted(len(mistakes)-warnings, "mistake"), counted(warnings, "warning"))
	if len(mistakes) > warnings {
		return errors.New("list lint: put the mistakes right, each says how")
	}
	return nil
}

// counted writes a number of things: "1 mistake", "2 mistakes".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
