package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"paravent/lists/diff"
	"paravent/lists/source"
	"paravent/server/explain"
)

// longestDiff is how many lines of a section are shown unless more are asked
// for: a new version of an import changes hundreds.
const longestDiff = 20

func listDiff(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list diff", flag.ContinueOnError)
	modules := upstreamFlag(flags)
	examples := flags.String("sites", "", "source directories, between commas, whose sites' examples are decided with both lists (default: those of A and B, or lists)")
	longest := flags.Int("n", longestDiff, "lines to show of a section; 0 shows all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("list diff: want two lists, before and after: each a list.txt, a directory of a build, or source directories between commas")
	}
	var texts [2][]byte
	var sites []source.SiteFile
	for i, name := range flags.Args() {
		text, more, err := readList(name, *modules)
		if err != nil {
			return err
		}
		texts[i], sites = text, append(sites, more...)
	}
	if *examples == "" && sites == nil {
		if _, err := os.Stat("lists/sites"); err == nil {
			*examples = "lists"
		}
	}
	if *examples != "" {
		more, err := readSites(strings.Split(*examples, ","))
		if err != nil {
			return err
		}
		sites = append(sites, more...)
	}
	return writeDiff(out, texts[0], texts[1], sites, *longest)
}

// writeDiff says what changes from one canonical text to the other, and for
// which examples of sites. longest bounds the lines of a section.
func writeDiff(out io.Writer, before, after []byte, sites []source.SiteFile, longest int) error {
	changes, err := diff.Between(before, after)
	if err != nil {
		return err
	}
	changes.Write(out, longest)
	if !changes.Any() {
		return nil
	}
	p := startProgress("deciding the sites' examples with both lists")
	defer p.end()
	changed, err := explain.Decisions(before, after, sites, registrable)
	if err != nil {
		return err
	}
	explain.WriteDecisions(out, changed)
	return nil
}

// readList reads a list.txt, the list.txt of a built directory, or source
// directories between commas; of these it returns the sites too.
func readList(name, modules string) ([]byte, []source.SiteFile, error) {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		text, err := os.ReadFile(name)
		return text, nil, err
	}
	if err == nil {
		text, err := os.ReadFile(filepath.Join(name, "list.txt"))
		if !errors.Is(err, os.ErrNotExist) {
			return text, nil, err
		}
	}
	names := strings.Split(name, ",")
	list, _, err := readSources(names, modules)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	sites, err := readSites(names)
	return list.Text(), sites, err
}

// readSites reads the sites of source directories.
func readSites(names []string) (sites []source.SiteFile, err error) {
	directories, err := openSources(names)
	if err != nil {
		return nil, err
	}
	for _, d := range directories {
		more, err := source.Sites(d)
		if err != nil {
			return nil, err
		}
		sites = append(sites, more...)
	}
	return sites, nil
}
