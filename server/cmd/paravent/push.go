package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"paravent/lists/release"
	"paravent/server/reader"
	"paravent/server/witness"
)

func releasePush(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	url := flags.String("server", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" || flags.NArg() != 1 {
		return errors.New("needs -server URL and, last, DRAFT")
	}
	server, err := reader.New(*url)
	if err != nil {
		return err
	}
	d, err := readDraft(flags.Arg(0))
	if err != nil {
		return err
	}
	if d.note == nil {
		return fmt.Errorf("%s: nobody has signed it yet: %d must (paravent release sign)", flags.Arg(0), d.trust.Threshold())
	}
	// The server knows whose signatures it takes: before, a changed trust text
	// could not be judged here, and after, the log proves what was published.
	p := pusher{ctx: context.Background(), server: server, draft: &d, out: stdout}
	if err := p.commit(); err != nil {
		return err
	}
	return p.cosign()
}

type pusher struct {
	ctx    context.Context
	server *reader.Server
	draft  *draft
	out    io.Writer
}

// commit brings the draft into the log, unless it is there.
func (p *pusher) commit() error {
	d := p.draft
	there, err := p.logged()
	if err != nil {
		return err
	}
	if there {
		fmt.Fprintf(p.out, "release %d is in the log already\n", d.Index)
		return nil
	}
	body, err := p.body()
	if err != nil {
		return err
	}
	progress := startProgress("uploads " + counted(len(body), "byte"))
	status, answer, err := p.server.Post(p.ctx, "v1/release", "application/x-tar", body)
	progress.end()
	if err != nil {
		// A server may refuse a note and hang up before the rest has arrived:
		// the note alone then brings the reason back.
		status, answer, err = p.postNote(err)
	}
	if err != nil {
		return err
	}
	switch status {
	case http.StatusOK:
		return p.proved(answer)
	case http.StatusConflict:
		return p.taken(answer)
	}
	return fmt.Errorf("%s: %w", p.server, reader.Refusal(status, answer))
}

func (p *pusher) postNote(failed error) (int, []byte, error) {
	var body bytes.Buffer
	if err := writeTar(&body, file{"note", p.draft.note}); err != nil {
		return 0, nil, err
	}
	status, answer, err := p.server.Post(p.ctx, "v1/release", "application/x-tar", body.Bytes())
	if err != nil || status == http.StatusOK || status == http.StatusUnprocessableEntity {
		return 0, nil, failed // the note is not what it fails at
	}
	return status, answer, nil
}

// logged says whether the log has the draft's note at its place.
func (p *pusher) logged() (bool, error) {
	_, _, log, err := p.checkpoint()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errUnknownLog) {
		// An empty server, or one whose keys this release is to change: the
		// push will tell.
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if log.Size() <= p.draft.Index {
		return false, nil
	}
	entry, err := log.Entry(p.draft.Index)
	if err != nil {
		return false, err
	}
	return bytes.Equal(entry, p.draft.note), nil
}

var errUnknownLog = errors.New("the draft's trust text does not know the log")

// checkpoint reads the newest checkpoint and what the draft's trust text says
// of it.
func (p *pusher) checkpoint() (signed []byte, seen release.Seen, log *reader.Log, err error) {
	if signed, err = p.server.Checkpoint(p.ctx); err != nil {
		return nil, seen, nil, err
	}
	if seen, err = p.draft.trust.Checkpoint(signed); err != nil {
		return nil, seen, nil, fmt.Errorf("%s: %v: %w", p.server, err, errUnknownLog)
	}
	return signed, seen, p.server.Log(p.ctx, seen.Tree), nil
}

// body is what is pushed: the note, and what it names that the server lacks.
func (p *pusher) body() ([]byte, error) {
	d := p.draft
	files := []file{{"note", d.note}}
	for _, blob := range []struct {
		release.Digest
		data []byte
	}{{d.Trust, []byte(d.trust.Text())}, {d.List, d.made.list}, {d.Bundle, d.made.bundle}, {d.Filters, d.made.filters}} {
		path := "v1/blob/" + blob.SHA256
		there, err := p.server.Has(p.ctx, path)
		if err != nil {
			return nil, err
		}
		if !there {
			files = append(files, file{path, blob.data})
		}
	}
	for _, from := range slices.Sorted(maps.Keys(d.deltas)) {
		files = append(files, file{"v1/delta/" + from + "/" + d.List.SHA256, d.deltas[from]})
	}
	var body bytes.Buffer
	err := writeTar(&body, files...)
	return body.Bytes(), err
}

func writeTar(out io.Writer, files ...file) error {
	w := tar.NewWriter(out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	return w.Close()
}

// proved checks the proof that a server answers an accepted push with.
func (p *pusher) proved(answer []byte) error {
	d := p.draft
	proof, err := release.ParseProof(answer)
	if err != nil {
		return fmt.Errorf("%s: accepted release %d, but its proof cannot be read: %w", p.server, d.Index, err)
	}
	seen, err := d.trust.Checkpoint(proof.Checkpoint)
	if err != nil {
		return fmt.Errorf("%s: accepted release %d, but: %w", p.server, d.Index, err)
	}
	err = tlog.CheckRecord(proof.Hashes, int64(seen.Tree.Size), seen.Tree.Root, int64(d.Index), tlog.RecordHash(d.note))
	if err != nil || proof.Index != d.Index {
		return fmt.Errorf("%s: accepted release %d, but cannot prove that its log holds it", p.server, d.Index)
	}
	_, names, err := d.trust.Signers(d.note)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "release %d is in the log %s, signed by %s\n", d.Index, seen.Origin, strings.Join(names, ", "))
	return nil
}

// taken explains whose note has the draft's place in the log.
func (p *pusher) taken(winner []byte) error {
	d := p.draft
	text, err := release.Text(winner)
	if err != nil {
		return fmt.Errorf("%s: release %d is taken by another, which cannot be read: %w", p.server, d.Index, err)
	}
	if text == d.text {
		// Two maintainers pushed the same draft, each with the signatures that
		// they had: it is the same release.
		fmt.Fprintf(p.out, "release %d is in the log already, with other signatures\n", d.Index)
		return nil
	}
	r, err := release.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: release %d is taken by another, which cannot be read: %w", p.server, d.Index, err)
	}
	return fmt.Errorf("%s: release %d is taken by another, issued %s from commit %s: draft yours again", p.server, r.Index, r.Issued.Format(time.RFC3339), r.Source)
}

// cosign brings the newest checkpoint to the witnesses, and their cosignatures
// back, until the release is in force.
func (p *pusher) cosign() error {
	d := p.draft
	var failures []error
	// Another release may come in meanwhile: its checkpoint counts for this one,
	// too.
	for again, rounds := true, 3; again && rounds > 0; rounds-- {
		signed, seen, log, err := p.checkpoint()
		if err != nil {
			return err
		}
		progress := startProgress("asks the witnesses")
		var lines []byte
		lines, failures = p.ask(signed, seen, log)
		progress.end()
		again = errors.Is(errors.Join(failures...), witness.ErrAhead)
		if len(lines) == 0 {
			continue
		}
		status, answer, err := p.server.Post(p.ctx, "v1/cosignatures", "text/plain; charset=utf-8", slices.Concat(signed, lines))
		if err != nil {
			return err
		}
		if status != http.StatusOK && status != http.StatusConflict {
			return fmt.Errorf("%s: %w", p.server, reader.Refusal(status, answer))
		}
		again = again || status == http.StatusConflict
	}
	_, seen, _, err := p.checkpoint()
	if err != nil {
		return err
	}
	for _, c := range seen.Witnesses {
		fmt.Fprintf(p.out, "cosigned by %s at %s\n", c.Name, c.Time.UTC().Format(time.RFC3339))
	}
	if !seen.Quorum {
		return fmt.Errorf("release %d is in the log, but not in force: more witnesses must have seen it (%w); push it again when they can be reached", d.Index, errors.Join(failures...))
	}
	for _, failure := range failures {
		fmt.Fprintf(p.out, "a witness is missing, and not needed: %v\n", failure)
	}
	taken, err := p.server.Verify(p.ctx, release.Client{Trust: d.trust, Next: d.Index})
	if err != nil {
		return fmt.Errorf("release %d is in the log and cosigned, but readers do not get it: %w", d.Index, err)
	}
	if taken.Release.Index > d.Index {
		fmt.Fprintf(p.out, "release %d has replaced it already\n", taken.Release.Index)
		return nil
	}
	fmt.Fprintf(p.out, "release %d is in force at %s\n", d.Index, p.server)
	return nil
}

// ask lets every witness with an address that has not cosigned a checkpoint do
// so, and returns their signature lines.
func (p *pusher) ask(signed []byte, seen release.Seen, log *reader.Log) (lines []byte, failures []error) {
	for _, w := range p.draft.trust.Witnesses() {
		if slices.ContainsFunc(seen.Witnesses, func(c release.Cosignature) bool { return c.Name == w.Name }) {
			continue
		}
		if w.URL == "" {
			failures = append(failures, fmt.Errorf("%s: the trust text does not say where it is", w.Name))
			continue
		}
		answer, err := witness.Ask(p.ctx, w.URL, signed, seen.Tree, log)
		if err == nil {
			_, err = note.Open(slices.Concat(signed, answer), note.VerifierList(w.Verifier))
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", w.Name, err))
			continue
		}
		lines = append(lines, answer...)
	}
	return lines, failures
}
