package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/diff"
	"paravent/lists/release"
	"paravent/lists/source"
	"paravent/server/explain"
)

// longestShown is how many lines of a section are shown to a signer; "paravent
// list diff" shows all.
const longestShown = 100

// clockSkew is how far ahead a drafter's clock may be of a signer's.
const clockSkew = 10 * time.Minute

func releaseSign(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	keyFile := flags.String("key", "", "")
	sources := flags.String("lists", "", "")
	modules := upstreamFlag(flags)
	trustName := flags.String("trust", "", "")
	currentName := flags.String("current", "", "")
	built := flags.String("source", "", "")
	url := flags.String("server", "", "")
	again := flags.String("contents-of", "", "")
	unwitnessed := flags.Bool("unwitnessed", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names := strings.Split(*sources, ",")
	switch {
	case *keyFile == "" || flags.NArg() != 1:
		return errors.New("needs -key FILE and, last, DRAFT")
	case (*sources == "") == (*again == ""):
		return errors.New("needs either -lists SRC, your own sources to rebuild from, or -contents-of INDEX")
	case *again != "" && (*url == "" || *trustName == ""):
		return errors.New("-contents-of asks a server's log: give -server URL and -trust FILE")
	case *url == "" && (*currentName != "" || *unwitnessed):
		return errors.New("-current and -unwitnessed ask a server: give -server URL")
	}
	if *trustName == "" {
		*trustName = filepath.Join(names[0], "trust.txt")
	}
	signer, err := readKey(*keyFile)
	if err != nil {
		return err
	}
	dir := flags.Arg(0)
	d, err := readDraft(dir)
	if err != nil {
		return err
	}
	own, err := readTrust(*trustName)
	if err != nil {
		return fmt.Errorf("%w: it is your own copy of the trust text that the draft is compared with", err)
	}
	if err := same(filepath.Join(dir, trustFile), *trustName, []byte(d.trust.Text()), []byte(own.Text())); err != nil {
		return err
	}
	if ahead := time.Until(d.Issued); ahead > clockSkew {
		return fmt.Errorf("the draft is issued %s, %s from now: one of the two clocks is wrong", d.Issued.Format(time.RFC3339), age(ahead))
	}
	var s *standing
	if *url != "" {
		if s, err = askStanding(*url, *currentName, *trustName, own, *unwitnessed); err != nil {
			return err
		}
		if err := d.follows(s); err != nil {
			return err
		}
	}
	if !counts(signer, d.trust, s) {
		return fmt.Errorf("%s: the key %s is in no trust text that judges this draft: its signature would not count", *keyFile, signer.Name())
	}
	if *again != "" {
		err = d.checkTakenBack(s, *again, stdout)
	} else {
		err = d.checkRebuilt(dir, names, *modules, *built)
	}
	if err != nil {
		return err
	}
	if err := d.checkDeltas(s); err != nil {
		return err
	}
	printRelease(stdout, d.Release)
	if err := d.printChange(stdout, s, names); err != nil {
		return err
	}
	if err := d.sign(signer); err != nil {
		return err
	}
	if err := replace(filepath.Join(dir, noteFile), d.note, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "release %d signed by %s\n", d.Index, signer.Name())
	d.printKeys(stdout, s)
	return nil
}

func readKey(file string) (note.Signer, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return nil, fmt.Errorf("%s: is not a maintainer's key made by \"paravent key new\": %w", file, err)
	}
	return signer, nil
}

// counts says whether a key is one that judges the draft, by the trust text in
// force or by the new one.
func counts(signer note.Signer, trust release.Trust, s *standing) bool {
	signed, err := note.Sign(&note.Note{Text: "is this key known?\n"}, signer)
	if err != nil {
		return false
	}
	_, names, err := trust.Signers(signed)
	if err == nil && len(names) == 0 && s != nil {
		_, names, err = s.trust.Signers(signed)
	}
	return err == nil && len(names) > 0
}

// same fails unless two files have the same bytes, and names the first line
// that differs.
func same(drafted, own string, a, b []byte) error {
	if bytes.Equal(a, b) {
		return nil
	}
	line, from := 1, 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			break
		}
		if a[i] == '\n' {
			line, from = line+1, i+1
		}
	}
	show := func(text []byte) string {
		if from >= len(text) {
			return "nothing"
		}
		text, _, _ = bytes.Cut(text[from:], []byte("\n"))
		if len(text) > longestExample {
			text = append(text[:longestExample:longestExample], "…"...)
		}
		return fmt.Sprintf("%q", text)
	}
	return fmt.Errorf("%s: line %d is %s, and %s in %s: nothing was signed", drafted, line, show(a), show(b), own)
}

// checkRebuilt builds the list from the signer's sources and compares.
func (d *draft) checkRebuilt(dir string, names []string, modules, from string) error {
	if from == "" {
		var err error
		if from, err = commit(names[0], names...); err != nil {
			return err
		}
	}
	if from != d.Source {
		return fmt.Errorf("the draft was built from commit %s and your sources are %s: check that commit out, or ask for a draft of yours", d.Source, from)
	}
	p := startProgress("builds the list from " + strings.Join(names, ", "))
	defer p.end()
	list, _, err := readSources(names, modules)
	if err != nil {
		return err
	}
	text := list.Text()
	if err := same(filepath.Join(dir, listFile), "what your sources make", d.made.list, text); err != nil {
		return err
	}
	return d.checkCompiled("your sources make")
}

// checkCompiled makes bundle and filters again.
func (d *draft) checkCompiled(who string) error {
	made, err := produce(d.made.list)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name         string
		drafted, own []byte
	}{{bundleFile, d.made.bundle, made.bundle}, {filtersFile, d.made.filters, made.filters}} {
		if !bytes.Equal(f.drafted, f.own) {
			return fmt.Errorf("%s: is not what %s from the same list (SHA-256 %s, here %s): use the version of paravent that the others use; nothing was signed",
				f.name, who, release.DigestOf(f.drafted).SHA256, release.DigestOf(f.own).SHA256)
		}
	}
	return nil
}

// checkTakenBack compares a draft with an earlier release.
func (d *draft) checkTakenBack(s *standing, number string, stdout io.Writer) error {
	old, err := s.earlier(number)
	if err != nil {
		return err
	}
	if d.List != old.List || d.Source != old.Source {
		return fmt.Errorf("the draft does not hold the list of release %d (SHA-256 %s), but another (%s): nothing was signed", old.Index, old.List.SHA256, d.List.SHA256)
	}
	fmt.Fprintf(stdout, "takes back to the list of release %d, which was issued %s\n", old.Index, old.Issued.Format(time.RFC3339))
	return d.checkCompiled("this program makes")
}

// checkDeltas applies every delta.
func (d *draft) checkDeltas(s *standing) error {
	if s == nil {
		return nil
	}
	lists, err := s.lists(d.List)
	if err != nil {
		return err
	}
	for from, delta := range d.deltas {
		i := slices.IndexFunc(lists, func(l release.Digest) bool { return l.SHA256 == from })
		if i < 0 {
			return fmt.Errorf("deltas/%s: begins with a list that is not among the last %d of the log: draft it again", from, maxDeltas)
		}
		old, err := s.Blob(s.ctx, "list", lists[i])
		if err != nil {
			return err
		}
		if _, err := release.ApplyDelta(old, delta, d.List); err != nil {
			return fmt.Errorf("deltas/%s: %w: draft it again", from, err)
		}
	}
	return nil
}

// printChange shows what the draft changes in the release in force.
func (d *draft) printChange(w io.Writer, s *standing, sources []string) error {
	if s == nil && d.Index > 0 {
		fmt.Fprintf(w, "not compared with a server: that it is release %d, its keys-since, and what it changes are the drafter's word\n", d.Index)
		return nil
	}
	if s == nil {
		fmt.Fprintln(w, "the first release: there is none to compare it with")
		return nil
	}
	old, err := s.Blob(s.ctx, "list", s.last.Release.List)
	if err != nil {
		return err
	}
	changes, err := diff.Between(old, d.made.list)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "what it changes in release %d:\n", s.last.Release.Index)
	changes.Write(w, longestShown)
	printRelays(w, s.last.Release.Relays, d.Relays)
	var sites []source.SiteFile
	for _, name := range sources {
		if name == "" {
			continue // -contents-of has no sources
		}
		more, err := source.Sites(source.Directory{Name: name, Files: os.DirFS(name)})
		if err != nil {
			return err
		}
		sites = append(sites, more...)
	}
	decisions, err := explain.Decisions(old, d.made.list, sites, registrable)
	if err != nil {
		return err
	}
	explain.WriteDecisions(w, decisions)
	return nil
}

// printRelays shows which ways to the photos a draft changes: whoever holds a
// gateway's key reads which photos are asked for.
func printRelays(w io.Writer, before, after []release.Relay) {
	same := func(a, b release.Relay) bool {
		return a.Name == b.Name && a.URL == b.URL && slices.EqualFunc(a.Keys, b.Keys, bytes.Equal)
	}
	show := func(mark string, relays, others []release.Relay) {
		for _, r := range relays {
			if slices.ContainsFunc(others, func(o release.Relay) bool { return same(r, o) }) {
				continue
			}
			fmt.Fprintf(w, "  %s relay %s at %s, for the keys", mark, r.Name, r.URL)
			for _, key := range r.Keys {
				fmt.Fprintf(w, " %.12s…", release.DigestOf(key).SHA256)
			}
			fmt.Fprintln(w)
		}
	}
	show("-", before, after)
	show("+", after, before)
}

// replace writes a file anew so that a crash leaves the old one or the new one.
func replace(path string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
