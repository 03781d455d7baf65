package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/diff"
	"paravent/lists/source"
)

// mostRows is how many countries, organisations and old entries are shown.
const mostRows = 12

func listStats(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list stats", flag.ContinueOnError)
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
	list, report, err := readSources(names, *modules)
	if err != nil {
		return err
	}
	sources := source.Load(directories)
	text, data, err := compiled(list)
	if err != nil {
		return err
	}
	writeOrigins(out, sources, report)
	writeKinds(out, report)
	writeRecipients(out, list)
	writeSites(out, sources)
	writeAges(out, sources)
	return writeSizes(out, text, data)
}

// writeOrigins says what of the list was written here.
func writeOrigins(out io.Writer, s *source.Sources, report *source.Report) {
	written := map[string]int{}
	for _, r := range s.Rules {
		written[path.Base(r.Place.File)]++
	}
	needs, requests := 0, 0
	for _, site := range s.Sites {
		needs, requests = needs+len(site.Needs), requests+len(site.Requests)
	}
	fmt.Fprintln(out, "written here")
	for _, name := range slices.Sorted(maps.Keys(written)) {
		fmt.Fprintf(out, "  %9d  rules in %s\n", written[name], name)
	}
	fmt.Fprintf(out, "  %9d  needs of %d sites, held to %d requests\n", needs, len(s.Sites), requests)
	imported := report.In - len(s.Rules) - needs
	fmt.Fprintf(out, "imported from %d lists by others\n  %9d  rules, of which %d are left out, %d are repeats and %d cancelled\n",
		len(s.Upstreams), imported, total(report.LeftOut), report.Repeats, report.Cancelled)
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// writeKinds says where the rules went.
func writeKinds(out io.Writer, report *source.Report) {
	fmt.Fprintln(out, "rules in the list, by kind")
	for _, kind := range byCount(report.Used) {
		fmt.Fprintf(out, "  %9d  %s\n", report.Used[kind], kind)
	}
}

// writeRecipients says who receives what the list stops.
func writeRecipients(out io.Writer, list *compile.List) {
	recipients := diff.RecipientsOf(list)
	countries := map[string]map[string]bool{}
	for _, r := range list.Recipients {
		if countries[r.Country] == nil {
			countries[r.Country] = map[string]bool{}
		}
		countries[r.Country][r.Name] = true
	}
	stopped, byCountry, nobody := map[string]int{}, map[string]int{}, 0
	for _, r := range list.Rules {
		if !r.Kind.Stops() {
			continue
		}
		if who, ok := recipients.Behind(r.Rule.Host); ok {
			stopped[who.Name+" ("+who.Country+")"]++
			byCountry[who.Country]++
		} else {
			nobody++
		}
	}
	organisations := 0
	for _, names := range countries {
		organisations += len(names)
	}
	fmt.Fprintf(out, "%d organisations with %d hosts, by the country of their seat\n", organisations, len(list.Recipients))
	order := slices.SortedFunc(maps.Keys(countries), func(a, b string) int {
		return cmp.Or(len(countries[b])-len(countries[a]), strings.Compare(a, b))
	})
	for _, country := range order[:min(len(order), mostRows)] {
		fmt.Fprintf(out, "  %9d  %s, to whom %d rules stop requests\n", len(countries[country]), country, byCountry[country])
	}
	more(out, len(order)-mostRows, "countries")
	fmt.Fprintln(out, "rules that stop requests, by who would receive them")
	who := byCount(stopped)
	for _, name := range who[:min(len(who), mostRows)] {
		fmt.Fprintf(out, "  %9d  %s\n", stopped[name], name)
	}
	more(out, len(who)-mostRows, "organisations")
	fmt.Fprintf(out, "  %9d  of hosts that nobody is known to stand behind, or of any host\n", nobody)
}

func more(out io.Writer, n int, what string) {
	if n > 0 {
		fmt.Fprintf(out, "             and %d more %s\n", n, what)
	}
}

func byCount(m map[string]int) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], strings.Compare(a, b)) })
}

func writeSites(out io.Writer, s *source.Sources) {
	fmt.Fprintln(out, "protected sites")
	for _, site := range s.Sites {
		fmt.Fprintf(out, "  %s: %s, %s, %s\n", site.Name, counted(len(site.Domains), "domain"), counted(len(site.Needs), "need"), counted(len(site.Requests), "request"))
	}
}

// writeAges says how old it is what shows that the entries are right.
func writeAges(out io.Writer, s *source.Sources) {
	type entry struct {
		date, what string
		at         source.Place
	}
	var entries []entry
	for _, r := range s.Rules {
		entries = append(entries, entry{r.Date, r.Rule.String(), r.Place})
	}
	for i := range s.Sites {
		site := &s.Sites[i]
		entries = append(entries, entry{site.Date, site.Name, site.At("date")})
		for j, n := range site.Needs {
			entries = append(entries, entry{n.Date, site.Name + " needs " + n.Rule, site.At(fmt.Sprintf("needs[%d].date", j))})
		}
	}
	for i := range s.Recipients {
		entries = append(entries, entry{s.Recipients[i].Date, s.Recipients[i].Name, s.Recipients[i].At("date")})
	}
	years := map[string]int{}
	for _, e := range entries {
		year, _, _ := strings.Cut(e.date, "-")
		years[year]++
	}
	fmt.Fprintf(out, "%d entries with evidence, by the year in which it was read\n", len(entries))
	for _, year := range slices.Sorted(maps.Keys(years)) {
		fmt.Fprintf(out, "  %9d  %s\n", years[year], year)
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.date, b.date) })
	fmt.Fprintln(out, "the oldest")
	for _, e := range entries[:min(len(entries), mostRows)] {
		fmt.Fprintf(out, "  %s  %s  %s\n", e.date, e.at, e.what)
	}
}

func writeSizes(out io.Writer, text, data []byte) error {
	fmt.Fprintln(out, "bytes")
	for _, f := range []struct {
		name string
		data []byte
	}{{"list.txt", text}, {"list.bundle", data}} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(f.data); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		fmt.Fprintf(out, "  %9d  %s, %d in gzip\n", len(f.data), f.name, packed.Len())
	}
	b, err := bundle.Open(data)
	if err != nil {
		return err
	}
	hosts, paths := b.Stats()
	fmt.Fprintf(out, "  %9d  of it the filter for %d hosts, and %d their table\n", hosts.M/8, hosts.Keys, hosts.TableBytes)
	fmt.Fprintf(out, "  %9d  of it the filter for %d directories, and %d their table\n", paths.M/8, paths.Keys, paths.TableBytes)
	return nil
}
