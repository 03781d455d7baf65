package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/publish"
	"paravent/server/store"
)

const releaseUsage = `paravent release puts lists in force.

  paravent release publish -store DIR -key FILE [-wait SECONDS] [-days N] LISTDIR
      Signs the list that "paravent list build -o LISTDIR" made as the next
      release of the store, and prints its number, sizes and hashes. Readers
      are asked to wait SECONDS between two polls (900) and call the list stale
      after N days (30). If anything fails, the last release stays in force.

  paravent release verify -trust FILE NOTEFILE
      Prints what a note says and who of the trust text signed it, and fails
      unless readers with that trust text would believe it.
`

// runRelease is the verb "release".
func runRelease(args []string, stdout, stderr io.Writer) error {
	verb := "help"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var run func(*flag.FlagSet, []string, io.Writer) error
	switch verb {
	case "publish":
		run = releasePublish
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

func releasePublish(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	storeDir := flags.String("store", "", "")
	keyFile := flags.String("key", "", "")
	wait := flags.Int("wait", 900, "")
	days := flags.Int("days", 30, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *storeDir == "" || *keyFile == "" || flags.NArg() != 1 {
		return errors.New("needs -store DIR, -key FILE and, last, LISTDIR")
	}
	if *days < 1 || *days > 3660 {
		return fmt.Errorf("-days %d: want 1 to 3660", *days)
	}
	secret, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return fmt.Errorf("%s: is not a key made by \"paravent key new\": %w", *keyFile, err)
	}
	s, err := store.Open(*storeDir)
	if err != nil {
		return err
	}
	r, err := publish.Publish(s, flags.Arg(0), signer, time.Now(), publish.Options{
		WaitSeconds: *wait,
		Valid:       time.Duration(*days) * 24 * time.Hour,
	})
	if err != nil {
		return err
	}
	printRelease(stdout, r)
	return nil
}

func releaseVerify(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	trustFile := flags.String("trust", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *trustFile == "" || flags.NArg() != 1 {
		return errors.New("needs -trust FILE and, last, NOTEFILE")
	}
	trustText, err := os.ReadFile(*trustFile)
	if err != nil {
		return err
	}
	trust, err := release.ParseTrust(string(trustText))
	if err != nil {
		return fmt.Errorf("%s: %w", *trustFile, err)
	}
	noteFile := flags.Arg(0)
	noteBytes, err := os.ReadFile(noteFile)
	if err != nil {
		return err
	}
	if err := trust.Signed(noteBytes); err != nil {
		return fmt.Errorf("%s: %w", noteFile, err)
	}
	r, err := release.Read(noteBytes)
	if err != nil {
		return fmt.Errorf("%s: %w", noteFile, err)
	}
	_, names, err := trust.Signers(noteBytes)
	if err != nil {
		return fmt.Errorf("%s: %w", noteFile, err)
	}
	printRelease(stdout, r)
	fmt.Fprintf(stdout, "signed by %s (%d needed)\n", strings.Join(names, ", "), trust.Threshold())
	if time.Now().After(r.Expires) {
		fmt.Fprintln(stdout, "expired: readers go on using it and call it stale")
	}
	if name := trust.DemoKey(); name != "" {
		fmt.Fprintf(stdout, "%s trusts the demo key %s: it is not for patients\n", *trustFile, name)
	}
	return nil
}

func printRelease(w io.Writer, r release.Release) {
	fmt.Fprintf(w, "release %d\nissued  %s\nexpires %s\nwait    %d s\nlist    %9d bytes %s\nbundle  %9d bytes %s\n",
		r.Index, r.Issued.Format(time.RFC3339), r.Expires.Format(time.RFC3339), r.WaitSeconds,
		r.List.Size, r.List.SHA256, r.Bundle.Size, r.Bundle.SHA256)
}
