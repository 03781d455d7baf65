package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"paravent/lists/bundle"
	"paravent/wasm/audit"
	"paravent/wasm/export"
	"paravent/wasm/har"
	"paravent/wasm/match"
)

// runAudit is the verb "audit".
func runAudit(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	file := flags.String("bundle", "dist/lists/list.bundle", "the built list")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	asHAR := flags.String("har", "", "write the visit as an HTTP archive, without answers and cookies' values, to this `file`")
	inspection := flags.String("inspection", "", "write the visit as the Website Evidence Collector does to this `file`")
	table := flags.String("csv", "", "write a line for each request to this `file`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	name := flags.Arg(0)
	if name != "" { // flags may stand behind it, too
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return err
		}
	}
	if name == "" || flags.NArg() > 0 {
		return errors.New("audit: want one recorded visit, FILE.har")
	}
	data, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("%w: build the list first (paravent list build)", err)
	}
	list, err := bundle.Open(data)
	if err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	matcher, err := match.Open(data)
	if err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	matcher.Registrable = registrable
	recorded, err := os.Open(name)
	if err != nil {
		return err
	}
	defer recorded.Close()
	archive, err := har.Read(recorded)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	result, err := audit.Visit(archive, matcher, list.Recipients())
	if err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	for _, wanted := range []struct {
		file  string
		write func() ([]byte, error)
	}{
		{*asHAR, func() ([]byte, error) { return har.Write(archive) }},
		{*inspection, func() ([]byte, error) { return export.Inspection(result) }},
		{*table, func() ([]byte, error) { return export.Table(result) }},
	} {
		if wanted.file == "" {
			continue
		}
		data, err := wanted.write()
		if err == nil {
			// What a patient did is for the one who asked for it.
			err = os.WriteFile(wanted.file, data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "\t")
		return encoder.Encode(result.Report)
	}
	_, err = io.WriteString(out, result.Report.Text())
	return err
}
