package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"paravent/server/report"
)

func listFromReport(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list from-report", flag.ContinueOnError)
	modules := upstreamFlag(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("list from-report: want a report, such as report.json, and then the source directories (lists)")
	}
	names := flags.Args()[1:]
	if len(names) == 0 {
		names = []string{"lists"}
	}
	data, err := readReport(flags.Arg(0))
	if err != nil {
		return err
	}
	r, err := report.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", flags.Arg(0), err)
	}
	list, _, err := readSources(names, *modules)
	if err != nil {
		return err
	}
	sites, err := readSites(names)
	if err != nil {
		return err
	}
	p := startProgress("drafting")
	draft, err := report.Make(r, list, sites, registrable)
	p.end()
	if err != nil {
		return err
	}
	draft.Write(out, names[0])
	return nil
}

// readReport reads a file, and no more of it than a report can have.
func readReport(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, report.MaxSize+1))
}
