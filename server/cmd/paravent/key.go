package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
)

const keyUsage = `paravent key makes the keys that a trust text names.

  paravent key new NAME DIR
  paravent key new -witness NAME DIR
      Writes DIR/NAME.key (secret, readable by its owner only) and DIR/NAME.pub,
      never over a file that is there, and prints the line for the trust text:
      a maintainer's or a log's, which are keys of the same kind but must not
      be the same key, or, with -witness, a witness's. NAME is made of small
      letters, digits, "-" and ".", such as alice.paravent.example; a log's is
      the origin of its checkpoints and cannot change later. A name that starts
      with "demo." is for demos only: no package for patients may trust it.
`

// keyName is stricter than signed notes ask for, because the name is also a
// file's.
var keyName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$`)

// runKey is the verb "key".
func runKey(args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		_, err := io.WriteString(stdout, keyUsage)
		return err
	}
	if args[0] != "new" {
		return fmt.Errorf("key: unknown verb %q; \"paravent key help\" lists them", args[0])
	}
	flags := flag.NewFlagSet("key new", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, keyUsage) }
	witness := flags.Bool("witness", false, "")
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("key new: %w", err)
	}
	if flags.NArg() != 2 {
		return errors.New("key new: needs NAME and DIR")
	}
	name, dir := flags.Arg(0), flags.Arg(1)
	if !keyName.MatchString(name) {
		return fmt.Errorf("key new: %q is no name for a key: use small letters, digits, \"-\" and \".\"", name)
	}
	generate := note.GenerateKey
	if *witness {
		generate = release.GenerateCosigner
	}
	secret, public, err := generate(rand.Reader, name)
	if err != nil {
		return fmt.Errorf("key new: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("key new: %w", err)
	}
	// The public half first: if the second file cannot be made, no secret lies
	// around without it.
	pubPath, keyPath := filepath.Join(dir, name+".pub"), filepath.Join(dir, name+".key")
	if err := create(pubPath, public+"\n", 0o644); err != nil {
		return fmt.Errorf("key new: %w", err)
	}
	if err := create(keyPath, secret+"\n", 0o600); err != nil {
		os.Remove(pubPath)
		return fmt.Errorf("key new: %w", err)
	}
	if release.IsDemo(name) {
		fmt.Fprintf(stderr, "%s is a demo key: no package for patients may trust it\n", name)
	}
	if *witness {
		// In a trust text a witness has a short name beside its key's.
		short, _, _ := strings.Cut(name, ".")
		_, err = fmt.Fprintf(stdout, "witness %s %s\n", short, public)
		return err
	}
	_, err = fmt.Fprintf(stdout, "maintainer %s\n", public)
	return err
}

// create writes a new file, or leaves none.
func create(path, text string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
	}
	return err
}
