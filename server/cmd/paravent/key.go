package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/release"
	"paravent/server/ohttp"
)

const keyUsage = `paravent key makes the keys that trust texts and releases name.

  paravent key new NAME DIR
  paravent key new -witness NAME DIR
      Writes DIR/NAME.key (secret, readable by its owner only) and DIR/NAME.pub,
      never over a file that is there, and prints the line for the trust text:
      a maintainer's or a log's, which are keys of the same kind but must not
      be the same key, or, with -witness, a witness's. NAME is made of small
      letters, digits, "-" and ".", such as alice.paravent.example; a log's is
      the origin of its checkpoints and cannot change later. A name that starts
      with "demo." is for demos only: no package for patients may trust it.

  paravent key new -gateway NAME DIR
      Writes the same two files for a gateway that fetches photos, and prints
      the key configuration. It goes into the relay line of a release (paravent
      release draft -relay FILE), behind the name and URL of a relay, or behind
      the key configuration that is in use, to take its place later:
        relay north https://relay.example/relay AQAg…
      A gateway opens requests with all keys in DIR. Add the new one before a
      release names it, and remove the old one when no release in use does.
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
	gateway := flags.Bool("gateway", false, "")
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
	switch {
	case *witness && *gateway:
		return errors.New("key new: no key is both a witness's and a gateway's: leave -witness or -gateway out")
	case *witness:
		generate = release.GenerateCosigner
	case *gateway:
		generate = func(io.Reader, string) (string, string, error) { return generateGateway(dir) }
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
	switch {
	case *gateway:
		_, err = fmt.Fprintln(stdout, public)
	case *witness:
		// In a trust text a witness has a short name beside its key's.
		short, _, _ := strings.Cut(name, ".")
		_, err = fmt.Fprintf(stdout, "witness %s %s\n", short, public)
	default:
		_, err = fmt.Fprintf(stdout, "maintainer %s\n", public)
	}
	return err
}

// generateGateway makes a key for a gateway, whose identifier no other in the
// folder has: clients name the key by it. The public half is the key
// configuration.
func generateGateway(dir string) (secret, public string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	free := make([]byte, 256)
	for id := range free {
		free[id] = byte(id)
	}
	for _, f := range files {
		// Keys of other kinds may lie there, too.
		if text, err := os.ReadFile(filepath.Join(dir, f.Name())); err == nil {
			if key, err := ohttp.ParseKey(string(text)); err == nil {
				free = slices.DeleteFunc(free, func(id byte) bool { return id == key.Config().ID })
			}
		}
	}
	if len(free) == 0 {
		return "", "", fmt.Errorf("%s: has a key for each of the 256 identifiers that there are: remove old ones", dir)
	}
	// Any of them, and not the next: an identifier that was in use lately should
	// not soon mean another key.
	key, err := ohttp.GenerateKey(free[mathrand.IntN(len(free))])
	if err != nil {
		return "", "", err
	}
	secret, err = key.Text()
	return secret, base64.StdEncoding.EncodeToString(key.Config().Bytes()), err
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
