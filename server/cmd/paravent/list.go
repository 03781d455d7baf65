package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"paravent/lists/address"
	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/filter"
	"paravent/lists/source"
	"paravent/wasm/match"
)

func runList(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("list: want lint, test, build, import, diff, stats or from-report; paravent help says more")
	}
	switch args[0] {
	case "lint":
		return listLint(args[1:], out)
	case "build":
		return listBuild(args[1:], out)
	case "diff":
		return listDiff(args[1:], out)
	case "from-report":
		return listFromReport(args[1:], out)
	case "import":
		return listImport(args[1:], out)
	case "stats":
		return listStats(args[1:], out)
	case "test":
		return listTest(args[1:], out)
	}
	return fmt.Errorf("list %s: want lint, test, build, import, diff, stats or from-report; paravent help says more", args[0])
}

// A blob is how a built file is named in about.json and in releases.
type blob struct {
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func blobOf(data []byte) blob {
	sum := sha256.Sum256(data)
	return blob{len(data), hex.EncodeToString(sum[:])}
}

func upstreamFlag(flags *flag.FlagSet) *string {
	return flags.String("upstream", "extension/node_modules", "directory of the npm packages that carry lists by others")
}

func openSources(names []string) (directories []source.Directory, err error) {
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s: want a source directory, such as lists", name)
		}
		directories = append(directories, source.Directory{Name: name, Files: os.DirFS(name)})
	}
	return directories, nil
}

func readSources(names []string, modules string) (*compile.List, *source.Report, error) {
	directories, err := openSources(names)
	if err != nil {
		return nil, nil, err
	}
	p := startProgress("reading " + strings.Join(names, ", "))
	defer p.end()
	return source.Read(directories, os.DirFS(modules), p.say)
}

func listBuild(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list build", flag.ContinueOnError)
	to := flags.String("o", "dist/lists", "directory to write list.txt, list.bundle and about.json into")
	modules := upstreamFlag(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	list, report, err := readSources(flags.Args(), *modules)
	if err != nil {
		return err
	}
	text, data, err := compiled(list)
	if err != nil {
		return err
	}
	opened, err := bundle.Open(data)
	if err != nil {
		return err
	}
	about, err := compile.Describe(opened)
	if err != nil {
		return err
	}
	aboutJSON, err := json.MarshalIndent(struct {
		List   blob `json:"list"`
		Bundle blob `json:"bundle"`
		*compile.About
	}{blobOf(text), blobOf(data), about}, "", "\t")
	if err != nil {
		return err
	}
	if err := writeFiles(*to, file{"list.txt", text}, file{"list.bundle", data}, file{"about.json", append(aboutJSON, '\n')}); err != nil {
		return err
	}
	printReport(out, report, false)
	hosts, paths := opened.Stats()
	fmt.Fprintf(out, "\nprotected domains %d, hosts behind which a recipient is known %d\n", len(about.Sites), len(about.Recipients))
	fmt.Fprintf(out, "list.txt      %9d bytes  sha256 %s\n", len(text), blobOf(text).SHA256)
	fmt.Fprintf(out, "list.bundle   %9d bytes  sha256 %s\n", len(data), blobOf(data).SHA256)
	for _, f := range []struct {
		name string
		bundle.Stats
	}{{"hosts", hosts}, {"directories", paths}} {
		fmt.Fprintf(out, "%-12s  %9d keys   filter m=%d k=%d fill=%.3f  table %d bytes\n", f.name, f.Keys, f.M, f.K, f.Fill, f.TableBytes)
	}
	return nil
}

// compiled is a list's canonical text and what it compiles to.
func compiled(list *compile.List) (text, data []byte, err error) {
	p := startProgress("compiling")
	defer p.end()
	text = list.Text()
	if data, err = compile.Compile(text); err != nil {
		return nil, nil, fmt.Errorf("the canonical text does not compile (please report this): %w", err)
	}
	return text, data, nil
}

// A file is to be written into a directory.
type file struct {
	name string
	data []byte
}

func writeFiles(dir string, files ...file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// longestExample bounds what is shown of a rule that was left out.
const longestExample = 160

// printReport writes a report's counts, and examples of what was left out.
func printReport(out io.Writer, r *source.Report, examples bool) {
	fmt.Fprintf(out, "rules in      %9d\n", r.In)
	for _, kind := range byCount(r.Used) {
		fmt.Fprintf(out, "  used        %9d  %s\n", r.Used[kind], kind)
	}
	fmt.Fprintf(out, "  repeats     %9d\n", r.Repeats)
	fmt.Fprintf(out, "  cancelled   %9d  by badfilter\n", r.Cancelled)
	for _, kind := range byCount(r.LeftOut) {
		fmt.Fprintf(out, "  left out    %9d  %s\n", r.LeftOut[kind], kind)
		if !examples {
			continue
		}
		for _, rule := range r.Examples[kind] {
			if len(rule) > longestExample {
				rule = strings.ToValidUTF8(rule[:longestExample], "") + "…"
			}
			fmt.Fprintf(out, "                         %s\n", rule)
		}
	}
}

// longestImport bounds a list by others, unpacked.
const longestImport = 256 << 20

func listImport(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list import", flag.ContinueOnError)
	format := flags.String("format", "easylist", "what the file is: easylist, dnr, hosts or disconnect")
	to := flags.String("o", "dist/import", "directory to write list.txt and list.bundle into")
	examples := flags.Bool("v", false, "show up to three rules of each kind that is left out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("list import: want one file, such as easyprivacy.txt or easyprivacy.txt.gz")
	}
	name := flags.Arg(0)
	text, err := readFile(name)
	if err != nil {
		return err
	}
	p := startProgress("importing " + name)
	list, report, err := source.Import(*format, text)
	p.end()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	text, data, err := compiled(list)
	if err != nil {
		return err
	}
	if err := writeFiles(*to, file{"list.txt", text}, file{"list.bundle", data}); err != nil {
		return err
	}
	printReport(out, report, *examples)
	fmt.Fprintf(out, "list.txt      %9d bytes  sha256 %s\n", len(text), blobOf(text).SHA256)
	fmt.Fprintf(out, "list.bundle   %9d bytes  sha256 %s\n", len(data), blobOf(data).SHA256)
	return nil
}

// readFile reads a file, and unpacks it when its name ends in ".gz".
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	text, err := io.ReadAll(io.LimitReader(r, longestImport+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > longestImport {
		return nil, fmt.Errorf("%s: more than %d bytes: split it", name, longestImport)
	}
	return text, nil
}

func listTest(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list test", flag.ContinueOnError)
	modules := upstreamFlag(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	list, _, err := readSources(flags.Args(), *modules)
	if err != nil {
		return err
	}
	_, data, err := compiled(list)
	if err != nil {
		return err
	}
	matcher, err := match.Open(data)
	if err != nil {
		return err
	}
	matcher.Registrable = registrable
	p := startProgress("deciding")
	defer p.end()
	tested, wrong := 0, 0
	for _, name := range flags.Args() {
		sites, err := source.Sites(source.Directory{Name: name, Files: os.DirFS(name)})
		if err != nil {
			return err
		}
		for _, site := range sites {
			for i, r := range site.Requests {
				kind, _ := filter.TypeNamed(r.Type)
				d, err := matcher.Decide(&match.Request{
					URL: address.Serialized(r.URL), Page: []byte(r.Page), Type: kind, Mode: match.ModeProtect,
				})
				if err != nil {
					return err
				}
				tested++
				if d.Action.String() != r.Expect || r.Reason != "" && d.Reason.String() != r.Reason {
					wrong++
					fmt.Fprintf(out, "%s: requests[%d] %s %s: %s (%s) by %q, want %s (%s)\n",
						site.Name, i, r.Type, r.URL, d.Action, d.Reason, matcher.Rule(), r.Expect, r.Reason)
				}
			}
		}
	}
	fmt.Fprintf(out, "%d requests decided, %d not as expected\n", tested, wrong)
	if wrong > 0 {
		return fmt.Errorf("%d requests are not decided as the sites expect", wrong)
	}
	return nil
}

func openBundle(name string) (*match.Matcher, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: build the list first (paravent list build)", err)
	}
	matcher, err := match.Open(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return matcher, nil
}
