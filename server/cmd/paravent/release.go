package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"paravent/lists/release"
	"paravent/server/reader"
)

const releaseUsage = `paravent release puts lists in force: one drafts, several sign, one pushes.

  paravent release draft -trust FILE [-server URL [-current FILE] [-unwitnessed]]
                         [-source COMMIT] [-relay FILE]… [-wait S] [-days N]
                         -o DRAFT LISTDIR
  paravent release draft -trust FILE -server URL [-current FILE] [-unwitnessed]
                         -contents-of INDEX [-relay FILE]… [-wait S] [-days N]
                         -o DRAFT
      Writes the next release of URL into the new folder DRAFT: the note to
      sign, and what it names. LISTDIR is what "paravent list build -o LISTDIR"
      left. Without -server it is release 0, the first of a new server.
        -trust FILE      the trust text that is in force with this release
        -current FILE    the trust text in force now, if FILE changes it: the
                         release must then be signed by both
        -unwitnessed     after a release that is in the log and that witnesses can
                         never see, because one is gone for good: FILE names
                         others, and the next release replaces it
        -source COMMIT   what the list was built from; as a rule the commit of
                         the checkout you are in, which must be clean
        -contents-of N   instead of LISTDIR the list of release N, to take a
                         bad list back
        -relay FILE      the ways to the photos, a line "relay …" each, instead of
                         those in force; -relay none takes them all away
        -wait S          seconds that readers let pass between two polls (900)
        -days N          until readers call the list stale (30)

  paravent release sign -key FILE -lists SRC[,SRC] [-upstream DIR] [-trust FILE]
                        [-source COMMIT] [-server URL [-current FILE] [-unwitnessed]] DRAFT
  paravent release sign -key FILE -contents-of INDEX -trust FILE -server URL
                        [-current FILE] [-unwitnessed] DRAFT
      Builds the list again from your own sources, shows what the draft changes
      in the release in force at URL, and adds your signature to the draft: but
      not if one byte of it is not what you have built. -trust is your own copy
      of the trust text (SRC/trust.txt), and the draft's must be the same.

  paravent release push -server URL DRAFT
      Publishes a draft that enough have signed, asks the witnesses that its
      trust text names, and waits until readers get it. What is published stays
      so: if a witness cannot be reached, run it again.

  paravent release verify [-trust FILE] URL
      Checks the release in force as a reader with that trust text does
      (lists/trust.txt), and more: every blob, and that the list compiles to
      what the release names. Prints who signed it and who watches its log.
`

// runRelease is the verb "release".
func runRelease(args []string, stdout, stderr io.Writer) error {
	verb := "help"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var run func(*flag.FlagSet, []string, io.Writer) error
	switch verb {
	case "draft":
		run = releaseDraft
	case "sign":
		run = releaseSign
	case "push":
		run = releasePush
	case "verify":
		run = releaseVerify
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, releaseUsage)
		return err
	default:
		return fmt.Errorf("release: unknown verb %q; \"paravent release help\" lists them", verb)
	}
	flags := flag.NewFlagSet("release "+verb, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, releaseUsage) }
	if err := run(flags, args, stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("release %s: %w", verb, err)
	}
	return nil
}

// readTrust reads a trust text.
func readTrust(file string) (release.Trust, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return release.Trust{}, err
	}
	trust, err := release.ParseTrust(string(text))
	if err != nil {
		return release.Trust{}, fmt.Errorf("%s: %w", file, err)
	}
	return trust, nil
}

func releaseVerify(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	trustFile := flags.String("trust", "lists/trust.txt", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("needs the URL of a list server, and nothing after it")
	}
	trust, err := readTrust(*trustFile)
	if err != nil {
		return err
	}
	server, err := reader.New(flags.Arg(0))
	if err != nil {
		return err
	}
	ctx := context.Background()
	taken, err := server.Verify(ctx, release.Client{Trust: trust})
	if err != nil {
		return err
	}
	if err := verifyBlobs(ctx, server, taken.Release); err != nil {
		return err
	}
	delta, err := verifyDelta(ctx, server, taken)
	if err != nil {
		return err
	}
	printRelease(stdout, taken.Release)
	if delta > 0 {
		fmt.Fprintf(stdout, "delta   %9d bytes from the list before\n", delta)
	}
	printTrusted(stdout, taken, time.Now())
	return nil
}

// verifyDelta reads the way from the list before, which most readers have, and
// returns its size: 0 if there is none, and they download the whole.
func verifyDelta(ctx context.Context, server *reader.Server, taken release.Taken) (int, error) {
	r := taken.Release
	s := standing{Server: server, ctx: ctx, log: server.Log(ctx, taken.Tree), last: taken, next: r.Index + 1}
	earlier, err := s.lists(r.List)
	if err != nil || len(earlier) == 0 {
		return 0, err
	}
	path := "v1/delta/" + earlier[0].SHA256 + "/" + r.List.SHA256
	delta, err := server.Read(ctx, path, release.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	old, err := server.Blob(ctx, "the list before", earlier[0])
	if err != nil {
		return 0, err
	}
	if _, err := release.ApplyDelta(old, delta, r.List); err != nil {
		return 0, fmt.Errorf("%s/%s: %w", server, path, err)
	}
	return len(delta), nil
}

// verifyBlobs reads everything that a release names, and makes again what the
// list is said to compile to.
func verifyBlobs(ctx context.Context, server *reader.Server, r release.Release) error {
	if _, err := server.Trust(ctx, r.Trust); err != nil {
		return err
	}
	list, err := server.Blob(ctx, "list", r.List)
	if err != nil {
		return err
	}
	bundle, err := server.Blob(ctx, "bundle", r.Bundle)
	if err != nil {
		return err
	}
	filters, err := server.Blob(ctx, "filters", r.Filters)
	if err != nil {
		return err
	}
	made, err := produce(list)
	if err != nil {
		return fmt.Errorf("%s: the list does not compile: %w", server, err)
	}
	if !bytes.Equal(made.bundle, bundle) {
		return fmt.Errorf("%s: the list compiles to another bundle here (SHA-256 %s): readers with this version would refuse it", server, release.DigestOf(made.bundle).SHA256)
	}
	if !bytes.Equal(made.filters, filters) {
		return fmt.Errorf("%s: the list's filters are others here (SHA-256 %s)", server, release.DigestOf(made.filters).SHA256)
	}
	newest, err := server.Read(ctx, "v1/filters", r.Filters.Size)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && !bytes.Equal(newest, filters) {
		return fmt.Errorf("%s/v1/filters: are not those of release %d", server, r.Index)
	}
	return nil
}

func printRelease(w io.Writer, r release.Release) {
	fmt.Fprintf(w, "release %d\nissued  %s\nexpires %s\nwait    %d s\nsource  %s\n", r.Index,
		r.Issued.Format(time.RFC3339), r.Expires.Format(time.RFC3339), r.WaitSeconds, r.Source)
	for _, named := range []struct {
		what string
		release.Digest
	}{{"trust", r.Trust}, {"list", r.List}, {"bundle", r.Bundle}, {"filters", r.Filters}} {
		fmt.Fprintf(w, "%-7s %9d bytes  sha256 %s\n", named.what, named.Size, named.SHA256)
	}
	for _, relay := range r.Relays {
		fmt.Fprintf(w, "relay   %s at %s, %s\n", relay.Name, relay.URL, counted(len(relay.Keys), "key"))
	}
}

// printTrusted says in words who stands behind a release, and how old it is.
func printTrusted(w io.Writer, taken release.Taken, now time.Time) {
	r, trust := taken.Release, taken.Trust
	fmt.Fprintf(w, "signed by %s (%d needed)\n", strings.Join(taken.Signers, ", "), trust.Threshold())
	fmt.Fprintf(w, "entry %d of %d in the log %s\n", r.Index, taken.Tree.Size, taken.Log)
	for _, c := range taken.Witnesses {
		fmt.Fprintf(w, "seen there by the witness %s at %s\n", c.Name, c.Time.UTC().Format(time.RFC3339))
	}
	if trust.Quorum(nil) {
		fmt.Fprintln(w, "no outside witness is asked for: the server together with its maintainers could show one reader another list than all others")
	}
	if taken.Rotations > 0 {
		fmt.Fprintf(w, "the keys have changed %s since your trust text: take the new one from %s\n", times(taken.Rotations), "v1/blob/"+r.Trust.SHA256)
	}
	if since := now.Sub(r.Issued); since < 0 {
		fmt.Fprintf(w, "issued %s from now: a clock is wrong, this one or the maintainers'\n", age(-since))
	} else {
		fmt.Fprintf(w, "issued %s ago\n", age(since))
	}
	if now.After(r.Expires) {
		fmt.Fprintf(w, "stale since %s: readers go on using it and say so\n", r.Expires.Format(time.RFC3339))
	}
	if name := trust.DemoKey(); name != "" {
		fmt.Fprintf(w, "the demo key %s is trusted: this is not for patients\n", name)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// age is a duration as people say it.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return counted(int(d/time.Second), "second")
	case d < 2*time.Hour:
		return counted(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return counted(int(d/time.Hour), "hour")
	}
	return counted(int(d/(24*time.Hour)), "day")
}
