package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"paravent/lists/bundle"
	"paravent/lists/compile"
	"paravent/lists/release"
	"paravent/server/reader"
)

// maxDeltas is from how many earlier lists a release can be reached by a
// delta. Older readers download the whole.
const maxDeltas = 30

// A draft is a release before it is published, as a folder that people can
// read:
//
//	note                  the text to sign, and the signatures that it has
//	trust.txt             the trust text that the note names
//	list.txt list.bundle list.filters
//	deltas/<sha256>       from the list of this hash to list.txt
type draft struct {
	release.Release
	text   string
	note   []byte // nil until the first signature
	trust  release.Trust
	made   product
	deltas map[string][]byte // by the SHA-256 of the list that they begin with
}

const (
	noteFile    = "note"
	trustFile   = "trust.txt"
	listFile    = "list.txt"
	bundleFile  = "list.bundle"
	filtersFile = "list.filters"
	deltasDir   = "deltas"
)

// readDraft reads a draft and checks that it holds what its note names.
func readDraft(dir string) (draft, error) {
	var d draft
	signed, err := os.ReadFile(filepath.Join(dir, noteFile))
	if err != nil {
		return d, fmt.Errorf("%w: want the folder that \"paravent release draft\" wrote", err)
	}
	d.text = string(signed)
	if bytes.Contains(signed, []byte("\n\n")) {
		d.note = signed
		if d.text, err = release.Text(signed); err != nil {
			return d, fmt.Errorf("%s: %w", filepath.Join(dir, noteFile), err)
		}
	}
	if d.Release, err = release.Parse(d.text); err != nil {
		return d, fmt.Errorf("%s: %w", filepath.Join(dir, noteFile), err)
	}
	var trust []byte
	for _, f := range []struct {
		name string
		want release.Digest
		data *[]byte
	}{
		{trustFile, d.Trust, &trust}, {listFile, d.List, &d.made.list},
		{bundleFile, d.Bundle, &d.made.bundle}, {filtersFile, d.Filters, &d.made.filters},
	} {
		if *f.data, err = os.ReadFile(filepath.Join(dir, f.name)); err == nil {
			err = f.want.Check(filepath.Join(dir, f.name), *f.data)
		}
		if err != nil {
			return d, err
		}
	}
	if d.trust, err = release.ParseTrust(string(trust)); err != nil {
		return d, fmt.Errorf("%s: %w", filepath.Join(dir, trustFile), err)
	}
	d.deltas = map[string][]byte{}
	files, err := os.ReadDir(filepath.Join(dir, deltasDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	for _, f := range files {
		if !release.IsSHA256(f.Name()) {
			return d, fmt.Errorf("%s: is no delta of this draft: remove it", filepath.Join(dir, deltasDir, f.Name()))
		}
		if d.deltas[f.Name()], err = os.ReadFile(filepath.Join(dir, deltasDir, f.Name())); err != nil {
			return d, err
		}
	}
	return d, nil
}

// write makes the folder of a new draft, whole or not at all.
func (d *draft) write(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s: is there already: name a new folder, or remove it", dir)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o777); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".draft-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	files := []file{
		{noteFile, []byte(d.text)}, {trustFile, []byte(d.trust.Text())},
		{listFile, d.made.list}, {bundleFile, d.made.bundle}, {filtersFile, d.made.filters},
	}
	if err := writeFiles(temp, files...); err != nil {
		return err
	}
	for from, delta := range d.deltas {
		if err := writeFiles(filepath.Join(temp, deltasDir), file{from, delta}); err != nil {
			return err
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

// A standing is what a server has in force, verified, and what may follow it.
type standing struct {
	*reader.Server
	ctx  context.Context
	log  *reader.Log
	last release.Taken // in force
	// What the log ends with, which as a rule is the release in force.
	next  uint64        // the next release's number
	trust release.Trust // judges it
	since uint64        // its keys-since
	after time.Time     // when the one before it was issued
}

// standingOf verifies what a server has in force for a reader with this trust.
// unwitnessed allows for releases after it that its log has and no quorum of
// witnesses has seen.
func standingOf(ctx context.Context, server *reader.Server, trust release.Trust, unwitnessed bool) (*standing, error) {
	last, err := server.Verify(ctx, release.Client{Trust: trust})
	if errors.Is(err, reader.ErrNone) {
		return nil, fmt.Errorf("%w: leave -server out to draft release 0", err)
	}
	if _, broken := errors.AsType[*url.Error](err); err != nil && !broken {
		return nil, &disbelieved{err}
	}
	if err != nil {
		return nil, err
	}
	checkpoint, err := server.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := last.Trust.Checkpoint(checkpoint)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", server, err)
	}
	s := &standing{Server: server, ctx: ctx, log: server.Log(ctx, seen.Tree), last: last, next: seen.Tree.Size}
	if err := s.log.Contains(last.Tree); err != nil {
		return nil, err
	}
	known := reader.Known{Trust: last.Trust, Issued: last.Release.Issued}
	if known.Since, err = s.keysSince(); err != nil {
		return nil, err
	}
	if s.next > last.Release.Index+1 {
		if !unwitnessed {
			return nil, fmt.Errorf("%s: release %d is in the log and not in force yet: push its draft again, so that witnesses see it; if they never can, draft what replaces it with -unwitnessed", server, s.next-1)
		}
		if known.Tree, err = s.log.Earlier(last.Release.Index + 1); err != nil {
			return nil, err
		}
		if known, err = s.log.Follow(known, trust, func(reader.Entry) error { return nil }); err != nil {
			return nil, err
		}
	}
	s.trust, s.since, s.after = known.Trust, known.Since, known.Issued
	return s, nil
}

// keysSince finds out which release put the trust text of the one in force in
// force: that one itself, or the one whose keys it was judged by.
func (s *standing) keysSince() (uint64, error) {
	r := s.last.Release
	if r.Index == 0 {
		return 0, nil
	}
	judge, err := s.release(r.KeysSince)
	if err != nil || judge.Trust == r.Trust {
		return r.KeysSince, err
	}
	return r.Index, nil
}

// release returns what the log has at an index.
func (s *standing) release(index uint64) (release.Release, error) {
	entry, err := s.log.Entry(index)
	if err != nil {
		return release.Release{}, err
	}
	return release.Read(entry)
}

// lists returns the newest distinct lists before the one of this digest, the
// newest first.
func (s *standing) lists(but release.Digest) (lists []release.Digest, err error) {
	const step = 64
	seen := map[release.Digest]bool{but: true}
	for to := s.next; to > 0 && len(lists) < maxDeltas; to -= min(step, to) {
		var found []release.Digest
		err := s.log.Entries(to-min(step, to), to, func(index uint64, entry []byte) error {
			r, err := release.Read(entry)
			found = append(found, r.List)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, list := range slices.Backward(found) {
			if !seen[list] && len(lists) < maxDeltas {
				seen[list] = true
				lists = append(lists, list)
			}
		}
	}
	return lists, nil
}

func releaseDraft(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	trustName := flags.String("trust", "", "")
	currentName := flags.String("current", "", "")
	server := flags.String("server", "", "")
	source := flags.String("source", "", "")
	wait := flags.Int("wait", 900, "")
	days := flags.Int("days", 30, "")
	again := flags.String("contents-of", "", "")
	unwitnessed := flags.Bool("unwitnessed", false, "")
	var relays []string
	flags.Func("relay", "", func(file string) error {
		relays = append(relays, file)
		return nil
	})
	to := flags.String("o", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *trustName == "" || *to == "":
		return errors.New("needs -trust FILE and -o DRAFT")
	case *again == "" && flags.NArg() != 1:
		return errors.New("needs LISTDIR, last: the folder that \"paravent list build -o LISTDIR\" wrote")
	case *again != "" && flags.NArg() != 0:
		return errors.New("-contents-of takes the list from the log: leave LISTDIR out")
	case *again != "" && *source != "":
		return errors.New("-contents-of takes the commit from the log, too: leave -source out")
	case *server == "" && (*again != "" || *currentName != "" || *unwitnessed):
		return errors.New("-contents-of, -current and -unwitnessed ask a server: give -server URL")
	case *days < 1 || *days > 3660:
		return fmt.Errorf("-days %d: want 1 to 3660", *days)
	}
	d := draft{deltas: map[string][]byte{}}
	var err error
	if d.trust, err = readTrust(*trustName); err != nil {
		return err
	}
	d.Issued = time.Now().UTC().Truncate(time.Second)
	d.Expires = d.Issued.AddDate(0, 0, *days)
	d.WaitSeconds, d.Source, d.Trust = *wait, *source, d.trust.Digest()
	if *again == "" && d.Source == "" {
		if d.Source, err = commit("."); err != nil {
			return err
		}
	}
	var s *standing
	if *server != "" {
		if s, err = askStanding(*server, *currentName, *trustName, d.trust, *unwitnessed); err != nil {
			return err
		}
		d.Index, d.KeysSince, d.Relays = s.next, s.since, s.last.Release.Relays
	}
	if len(relays) > 0 {
		if d.Relays, err = readRelays(relays); err != nil {
			return err
		}
	}
	if *again != "" {
		if err = d.takeBack(s, *again); err != nil {
			return err
		}
	} else if d.made, err = readBuilt(flags.Arg(0)); err != nil {
		return err
	}
	d.List, d.Bundle, d.Filters = release.DigestOf(d.made.list), release.DigestOf(d.made.bundle), release.DigestOf(d.made.filters)
	if s != nil {
		if err := d.follows(s); err != nil {
			return err
		}
		if err := d.addDeltas(s); err != nil {
			return err
		}
	}
	if d.text, err = d.Body(); err != nil {
		return err
	}
	if err := d.write(*to); err != nil {
		return err
	}
	printRelease(stdout, d.Release)
	if s != nil {
		fmt.Fprintf(stdout, "deltas from %s\n", counted(len(d.deltas), "earlier list"))
	}
	d.printKeys(stdout, s)
	return nil
}

// readRelays reads files with relay lines, or the word none in their place.
func readRelays(files []string) (relays []release.Relay, err error) {
	if slices.Equal(files, []string{"none"}) {
		return nil, nil
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		more, err := release.ParseRelays(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		relays = append(relays, more...)
	}
	slices.SortFunc(relays, func(a, b release.Relay) int { return strings.Compare(a.Name, b.Name) })
	return relays, nil
}

// askStanding is standingOf with the trust text that is in force now: another
// file if the release changes it.
func askStanding(address, currentName, trustName string, trust release.Trust, unwitnessed bool) (*standing, error) {
	current := trust
	if currentName != "" {
		var err error
		if current, err = readTrust(currentName); err != nil {
			return nil, err
		}
	}
	server, err := reader.New(address)
	if err != nil {
		return nil, err
	}
	s, err := standingOf(context.Background(), server, current, unwitnessed)
	if _, refused := errors.AsType[*disbelieved](err); refused && currentName == "" {
		return nil, fmt.Errorf("%w (if %s is to change the keys, give the trust text that is in force with -current)", err, trustName)
	}
	return s, err
}

// A disbelieved release is one that the trust text given does not vouch for.
type disbelieved struct{ error }

func (d *disbelieved) Unwrap() error { return d.error }

// takeBack takes the list of an earlier release.
func (d *draft) takeBack(s *standing, number string) error {
	old, err := s.earlier(number)
	if err != nil {
		return err
	}
	list, err := s.Blob(s.ctx, "list of release "+number, old.List)
	if err != nil {
		return err
	}
	d.Source = old.Source
	d.made, err = produce(list)
	return err
}

// earlier returns the release of a number as -contents-of gives it.
func (s *standing) earlier(number string) (release.Release, error) {
	var index uint64
	if _, err := fmt.Sscanf(number+"\n", "%d\n", &index); err != nil || index >= s.next {
		return release.Release{}, fmt.Errorf("-contents-of %s: want the number of an earlier release, 0 to %d", number, s.next-1)
	}
	return s.release(index)
}

// follows says whether the draft may stand after the last release.
func (d *draft) follows(s *standing) error {
	if d.Index != s.next {
		return fmt.Errorf("the draft is release %d, and the next of %s is %d: draft it again", d.Index, s, s.next)
	}
	if d.KeysSince != s.since {
		return fmt.Errorf("the draft's keys-since is %d, and should be %d: draft it again", d.KeysSince, s.since)
	}
	if d.Issued.Before(s.after) {
		return fmt.Errorf("the draft is issued %s, before the last release, %s: check the clock of this machine, and draft it again",
			d.Issued.Format(time.RFC3339), s.after.Format(time.RFC3339))
	}
	if d.Trust == s.trust.Digest() {
		return nil
	}
	for _, l := range d.trust.Logs() {
		if l.Name == s.last.Log {
			return nil
		}
	}
	return fmt.Errorf("the new trust text has no line for the log %q, which the release will be in: readers would refuse it", s.last.Log)
}

func (d *draft) addDeltas(s *standing) error {
	lists, err := s.lists(d.List)
	if err != nil {
		return err
	}
	p := startProgress("reads earlier lists for their deltas")
	defer p.end()
	for _, list := range lists {
		old, err := s.Blob(s.ctx, "list", list)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a server may drop old lists: their readers download the whole
		}
		if err != nil {
			return err
		}
		if d.deltas[list.SHA256], err = release.Delta(old, d.made.list); err != nil {
			return fmt.Errorf("delta from the list %s: %w", list.SHA256, err)
		}
	}
	return nil
}

// printKeys says who has signed a draft and who must.
func (d *draft) printKeys(w io.Writer, s *standing) {
	say := func(trust release.Trust, what string) {
		var names []string
		if d.note != nil {
			_, names, _ = trust.Signers(d.note)
		}
		fmt.Fprintf(w, "signatures%s: %d of %d", what, len(names), trust.Threshold())
		if len(names) > 0 {
			fmt.Fprintf(w, ", by %s", strings.Join(names, ", "))
		}
		missing := slices.DeleteFunc(trust.Maintainers(), func(name string) bool { return slices.Contains(names, name) })
		if len(names) < trust.Threshold() {
			fmt.Fprintf(w, "; still to be asked: %s", strings.Join(missing, ", "))
		}
		fmt.Fprintln(w)
	}
	if s != nil && s.trust.Digest() != d.Trust {
		fmt.Fprintln(w, "this release changes the keys: the trust text in force and the new one must both be satisfied")
		say(s.trust, " by the trust text in force")
		say(d.trust, " by the new trust text")
		return
	}
	say(d.trust, "")
}

// commit returns the commit of the checkout that dir is in. The checkout must be
// what that commit says, or, with sources, every file in these folders.
func commit(dir string, sources ...string) (string, error) {
	git := func(dir string, args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	head, err := git(dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return "", errors.New("this folder is in no git checkout: say with -source which commit the list was built from")
	}
	// A draft may lie in the checkout: a file that git does not know counts
	// among the sources alone.
	changed, err := git(dir, "status", "--porcelain", "--untracked-files=no")
	for _, source := range sources {
		if err == nil && changed == "" {
			changed, err = git(source, "status", "--porcelain", ".")
		}
	}
	if err != nil {
		return "", fmt.Errorf("git status: %w", err)
	}
	if changed != "" {
		line, _, more := strings.Cut(changed, "\n")
		if more {
			line += " …"
		}
		return "", fmt.Errorf("the checkout is not what commit %.12s says (%s): commit first, or say with -source what the list was built from", head, strings.TrimSpace(line))
	}
	return head, nil
}

// readBuilt reads a built list and refuses one that its build did not finish,
// that readers could not rebuild, or that would switch protection off.
func readBuilt(dir string) (product, error) {
	var about struct{ List, Bundle release.Digest }
	path := filepath.Join(dir, "about.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return product{}, fmt.Errorf("%w: build the list first (paravent list build)", err)
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return product{}, fmt.Errorf("%s: %w: build the list again", path, err)
	}
	read := func(name string, want release.Digest) ([]byte, error) {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if release.DigestOf(data) != want {
			return nil, fmt.Errorf("%s: is not what about.json says: build the list again", path)
		}
		return data, nil
	}
	list, err := read("list.txt", about.List)
	if err != nil {
		return product{}, err
	}
	built, err := read("list.bundle", about.Bundle)
	if err != nil {
		return product{}, err
	}
	made, err := produce(list)
	if err != nil {
		return product{}, fmt.Errorf("%s: %w", filepath.Join(dir, "list.txt"), err)
	}
	if !bytes.Equal(made.bundle, built) {
		return product{}, fmt.Errorf("%s: is not what list.txt compiles to here: build the list again with this version", filepath.Join(dir, "list.bundle"))
	}
	return made, nil
}

// A product is what a canonical text compiles to.
type product struct{ list, bundle, filters []byte }

// produce makes a list's bundle and filters, and refuses a list that stops
// nothing: its readers would be left without protection.
func produce(list []byte) (product, error) {
	parsed, err := compile.Parse(list)
	if err != nil {
		return product{}, err
	}
	if !slices.ContainsFunc(parsed.Rules, func(r bundle.KindedRule) bool { return r.Kind.Stops() }) {
		return product{}, errors.New("holds no rule that stops a request: readers would be left without protection")
	}
	made := product{list: list}
	if made.bundle, err = parsed.Bundle(); err != nil {
		return product{}, err
	}
	made.filters, err = compile.Filters(made.bundle)
	return made, err
}

// sign adds a signature to a draft's note.
func (d *draft) sign(signer note.Signer) error {
	n := &note.Note{Text: d.text}
	if d.note != nil {
		_, err := note.Open(d.note, note.VerifierList())
		unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
		if !ok {
			return fmt.Errorf("%v: draft it again", err)
		}
		n.Sigs = unverified.Note.UnverifiedSigs
	}
	signed, err := note.Sign(n, signer)
	if err != nil {
		return err
	}
	if len(signed) > release.MaxNote {
		return fmt.Errorf("with so many signatures the note is longer than %d bytes", release.MaxNote)
	}
	d.note = signed
	return nil
}
