package main

import (
	"context"
	"encoding/json"
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
	"paravent/server/witness"
)

const logUsage = `paravent log watches the log that all releases stand in.

  paravent log monitor [-trust FILE] [-state FILE] URL
      Reads what came into the log since the last time, and prints each
      release. Fails, and says ALARM, when the log shows another past than it
      did or than its witnesses have seen, when an entry is not signed by those
      whom the entries before it made trusted, or when readers are served what
      the log does not hold. After an alarm the state stays as it was.
        -trust FILE   a trust text that was in force once (lists/trust.txt); it
                      is needed the first time
        -state FILE   what was read (paravent-log.json)
      Run it every hour by cron or a timer, on a machine that is not the
      server's, and let it mail what it prints when it fails.
`

// errAlarm is for what can only be a damaged or a lying server.
var errAlarm = errors.New("ALARM")

// runLog is the verb "log".
func runLog(args []string, stdout, stderr io.Writer) error {
	verb := "help"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(stdout, logUsage)
		return err
	case "monitor":
	default:
		return fmt.Errorf("log: unknown verb %q; \"paravent log help\" lists them", verb)
	}
	flags := flag.NewFlagSet("log monitor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { io.WriteString(stderr, logUsage) }
	err := logMonitor(flags, args, stdout)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return nil
	case errors.Is(err, reader.ErrInconsistent), errors.Is(err, reader.ErrUnsound):
		err = fmt.Errorf("%w: %w", errAlarm, err)
	}
	return fmt.Errorf("log monitor: %w", err)
}

// A monitorState is what the state file holds.
type monitorState struct {
	Checkpoint string    `json:"checkpoint"` // the last one, as the log signed it
	Trust      string    `json:"trust"`      // the trust text in force after it
	Since      uint64    `json:"since"`      // the release that put it in force
	Issued     time.Time `json:"issued"`     // of the last release
}

func logMonitor(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	trustName := flags.String("trust", "lists/trust.txt", "")
	stateName := flags.String("state", "paravent-log.json", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("needs the URL of a list server, and nothing after it")
	}
	server, err := reader.New(flags.Arg(0))
	if err != nil {
		return err
	}
	m := monitor{ctx: context.Background(), server: server, out: stdout}
	if err := m.load(*stateName, *trustName); err != nil {
		return err
	}
	if err := m.run(); err != nil {
		if errors.Is(err, reader.ErrInconsistent) && m.state.Checkpoint != "" {
			fmt.Fprintf(stdout, "the checkpoint that was seen before, to keep as evidence:\n%s\n", m.state.Checkpoint)
			fmt.Fprintf(stdout, "the checkpoint that is shown now:\n%s\n", m.signed)
		}
		return err
	}
	state, err := json.MarshalIndent(m.state, "", "\t")
	if err != nil {
		return err
	}
	return replace(*stateName, append(state, '\n'), 0o644)
}

type monitor struct {
	ctx    context.Context
	server *reader.Server
	out    io.Writer
	state  monitorState
	known  reader.Known
	anchor release.Trust
	signed []byte // the checkpoint that the server shows
}

// load reads the state, or the trust text to begin with.
func (m *monitor) load(stateName, trustName string) error {
	text, err := os.ReadFile(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		m.anchor, err = readTrust(trustName)
		return err
	}
	if err != nil {
		return err
	}
	if err = json.Unmarshal(text, &m.state); err == nil {
		m.known.Since, m.known.Issued = m.state.Since, m.state.Issued
		if m.known.Trust, err = release.ParseTrust(m.state.Trust); err == nil {
			_, m.known.Tree, err = reader.Claimed([]byte(m.state.Checkpoint))
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w: remove it to read the log from its beginning", stateName, err)
	}
	return nil
}

func (m *monitor) run() error {
	// What is in force is read first, so that the checkpoint is not older.
	answer, err := m.server.Answer(m.ctx)
	if err != nil && !errors.Is(err, reader.ErrNone) {
		return err
	}
	if m.signed, err = m.server.Checkpoint(m.ctx); err != nil {
		return err
	}
	_, tree, err := reader.Claimed(m.signed)
	if err != nil {
		return fmt.Errorf("%s/checkpoint: %w", m.server, err)
	}
	p := startProgress("reads the log")
	log := m.server.Log(m.ctx, tree)
	next, err := log.Follow(m.known, m.anchor, m.print)
	p.end()
	if err != nil {
		return err
	}
	if tree.Size == 0 {
		next.Trust = m.anchor
	}
	seen, err := next.Trust.Checkpoint(m.signed)
	if err != nil {
		return fmt.Errorf("%s/checkpoint: %v: %w", m.server, err, reader.ErrUnsound)
	}
	if answer != nil {
		served, err := log.Serves(answer)
		if err != nil {
			return fmt.Errorf("%s/v1/release: %w", m.server, err)
		}
		fmt.Fprintf(m.out, "release %d is in force; ", served.Index)
	}
	fmt.Fprintf(m.out, "the log %s is of size %d\n", seen.Origin, tree.Size)
	if err := m.askWitnesses(next.Trust, seen, log); err != nil {
		return err
	}
	m.state = monitorState{string(m.signed), next.Trust.Text(), next.Since, next.Issued}
	return nil
}

func (m *monitor) print(e reader.Entry) error {
	r := e.Release
	fmt.Fprintf(m.out, "release %d  issued %s  list %d bytes %.12s…  commit %.12s  signed by %s\n", r.Index,
		r.Issued.Format(time.RFC3339), r.List.Size, r.List.SHA256, r.Source, strings.Join(e.Signers, ", "))
	if e.NewKeys {
		fmt.Fprintf(m.out, "release %d  changes the keys: trust text %s\n", r.Index, r.Trust.SHA256)
	}
	return nil
}

// askWitnesses compares the log with what its witnesses have cosigned: a server
// that shows this monitor another log than the witnesses is found out.
func (m *monitor) askWitnesses(trust release.Trust, seen release.Seen, log *reader.Log) error {
	asked := false
	for _, w := range trust.Witnesses() {
		if w.URL == "" {
			continue
		}
		asked = true
		cosigned, err := witness.Latest(m.ctx, w.URL, seen.Origin)
		if err != nil {
			fmt.Fprintf(m.out, "the witness %s cannot be asked: %v\n", w.Name, err)
			continue
		}
		theirs, err := trust.Checkpoint(cosigned)
		if err != nil {
			fmt.Fprintf(m.out, "the witness %s shows what is no checkpoint of this log: %v\n", w.Name, err)
			continue
		}
		if theirs.Tree.Size > seen.Tree.Size {
			// It may have grown since; what the witness saw must be in it.
			if log, err = m.newer(trust, seen.Tree); err != nil {
				return err
			}
		}
		if err := log.Contains(theirs.Tree); err != nil {
			return fmt.Errorf("the witness %s has cosigned this:\n%s\n%w", w.Name, cosigned, err)
		}
		fmt.Fprintf(m.out, "the witness %s has seen the same log of size %d\n", w.Name, theirs.Tree.Size)
	}
	if !asked {
		fmt.Fprintln(m.out, "no witness can be asked: whether others are shown another log is not known")
	}
	return nil
}

// newer is the log as it is now.
func (m *monitor) newer(trust release.Trust, before release.Tree) (*reader.Log, error) {
	signed, err := m.server.Checkpoint(m.ctx)
	if err != nil {
		return nil, err
	}
	seen, err := trust.Checkpoint(signed)
	if err != nil {
		return nil, fmt.Errorf("%s/checkpoint: %v: %w", m.server, err, reader.ErrUnsound)
	}
	log := m.server.Log(m.ctx, seen.Tree)
	return log, log.Contains(before)
}
