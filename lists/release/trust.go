package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Trust says whom a reader believes: whose signatures put a release in force,
// which logs may hold it, and which witnesses must have seen it there. The
// zero Trust trusts nobody.
type Trust struct {
	text        string
	threshold   int
	maintainers []maintainer
	logs        []Log
	witnesses   []Witness
	groups      map[string]group
	quorum      string
}

type maintainer struct {
	note.Verifier
	public string // the bytes of the Ed25519 key
}

// A Log is one that may hold releases. Its name is the origin that its
// checkpoints begin with.
type Log struct {
	Name     string
	URL      string // "" if the trust text names none
	Verifier note.Verifier
}

// A Witness cosigns checkpoints of a log after it has seen that the log only
// grew.
type Witness struct {
	Name     string // in the trust text; its key has a name of its own
	URL      string // where it is asked for a cosignature, "" if the trust text names none
	Verifier note.Verifier
}

// A group has seen a checkpoint if at least so many of its members have.
type group struct {
	needed  int
	members []string // witnesses and groups
}

// noQuorum is the predefined name for: no witness is needed.
const noQuorum = "none"

// ParseTrust reads a trust text, whose format the package comment gives. An
// error names the line.
func ParseTrust(text string) (Trust, error) {
	if len(text) > MaxTrust {
		return Trust{}, fmt.Errorf("trust: its %d bytes are more than %d", len(text), MaxTrust)
	}
	p := trustParser{
		trust: Trust{text: text, groups: make(map[string]group)},
		roles: make(map[string]string), names: make(map[string]bool), distinct: make(map[string]bool),
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if err := p.line(strings.TrimSuffix(line, "\n")); err != nil {
			return Trust{}, fmt.Errorf("trust: line %d: %w", number, err)
		}
	}
	t := p.trust
	switch {
	case t.threshold == 0:
		return Trust{}, errors.New("trust: no line \"threshold\": say how many maintainers must sign")
	case t.threshold > len(p.distinct):
		return Trust{}, fmt.Errorf("trust: threshold %d can never be reached by %d distinct keys", t.threshold, len(p.distinct))
	case len(t.logs) == 0:
		return Trust{}, errors.New("trust: no line \"log\": say which log holds the releases")
	case t.quorum == "":
		return Trust{}, errors.New("trust: no line \"quorum\": name a witness or a group, or none")
	}
	return t, nil
}

type trustParser struct {
	trust    Trust
	roles    map[string]string // public key → the word of the line that has it
	distinct map[string]bool   // public keys of maintainers
	names    map[string]bool   // of witnesses and groups → whether a group has it as a member
}

func (p *trustParser) line(line string) error {
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			return fmt.Errorf("byte %d is the control character %#02x: only tabs and line feeds may stand here", i+1, line[i])
		}
	}
	fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(fields) == 0 || fields[0][0] == '#' {
		return nil
	}
	word, values := fields[0], fields[1:]
	for _, form := range []struct {
		word, want  string
		least, most int
		read        func(values []string) error
	}{
		{"threshold", "a number", 1, 1, p.threshold},
		{"maintainer", "a verifier key", 1, 1, p.maintainer},
		{"log", "a verifier key and, if it has one, its URL", 1, 2, p.log},
		{"witness", "a name, a verifier key and, if it has one, its URL", 2, 3, p.witness},
		{"group", "a name, a number (or all, or any) and its members", 3, MaxTrust, p.group},
		{"quorum", "the name of a witness or of a group, or none", 1, 1, p.quorum},
	} {
		if word != form.word {
			continue
		}
		if len(values) < form.least || len(values) > form.most {
			return fmt.Errorf("%s: want %s, found %d values", word, form.want, len(values))
		}
		if err := form.read(values); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
		return nil
	}
	return fmt.Errorf("%s is no word of a trust text: want threshold, maintainer, log, witness, group or quorum", quote(word))
}

func (p *trustParser) threshold(values []string) error {
	if p.trust.threshold != 0 {
		return errors.New("stands here for the second time")
	}
	n, err := number(values[0], 1, 100)
	p.trust.threshold = int(n)
	return err
}

func (p *trustParser) maintainer(values []string) error {
	v, public, err := parseKey(values[0], algEd25519)
	if err != nil {
		return err
	}
	for _, m := range p.trust.maintainers {
		if m.Name() == v.Name() && m.public == public {
			return fmt.Errorf("%s stands here for the second time", quote(v.Name()))
		}
	}
	// One key may stand under two names, and counts once.
	if role := p.roles[public]; role != "" && role != "maintainer" {
		return taken(v, role)
	}
	p.roles[public] = "maintainer"
	p.distinct[public] = true
	p.trust.maintainers = append(p.trust.maintainers, maintainer{v, public})
	return nil
}

func (p *trustParser) log(values []string) error {
	v, public, err := parseKey(values[0], algEd25519)
	if err != nil {
		return err
	}
	if role := p.roles[public]; role != "" {
		return taken(v, role)
	}
	p.roles[public] = "log"
	p.trust.logs = append(p.trust.logs, Log{v.Name(), strings.Join(values[1:], ""), v})
	return nil
}

func (p *trustParser) witness(values []string) error {
	if err := p.define(values[0]); err != nil {
		return err
	}
	v, public, err := parseKey(values[1], algCosignature)
	if err != nil {
		return err
	}
	if role := p.roles[public]; role != "" {
		return taken(v, role)
	}
	p.roles[public] = "witness"
	p.trust.witnesses = append(p.trust.witnesses, Witness{values[0], strings.Join(values[2:], ""), v})
	return nil
}

func taken(v note.Verifier, role string) error {
	return fmt.Errorf("the key of %s stands here already as that of a %s: every role needs a key of its own", quote(v.Name()), role)
}

func (p *trustParser) define(name string) error {
	if name == noQuorum {
		return errors.New("\"none\" can name neither a witness nor a group")
	}
	if _, ok := p.names[name]; ok {
		return fmt.Errorf("%s is already the name of a witness or of a group", quote(name))
	}
	p.names[name] = false
	return nil
}

func (p *trustParser) group(values []string) error {
	name, needed, members := values[0], values[1], values[2:]
	g := group{members: members}
	switch needed {
	case "all":
		g.needed = len(members)
	case "any":
		g.needed = 1
	default:
		n, err := number(needed, 1, uint64(len(members)))
		if err != nil {
			return fmt.Errorf("%s: %w, \"all\" or \"any\"", quote(name), err)
		}
		g.needed = int(n)
	}
	for _, m := range members {
		member, ok := p.names[m]
		switch {
		case !ok:
			return fmt.Errorf("%s: no line above defines the member %s", quote(name), quote(m))
		case member:
			return fmt.Errorf("%s: %s is already a member of a group, and may be of one only", quote(name), quote(m))
		}
		p.names[m] = true
	}
	if err := p.define(name); err != nil {
		return err
	}
	p.trust.groups[name] = g
	return nil
}

func (p *trustParser) quorum(values []string) error {
	if p.trust.quorum != "" {
		return errors.New("stands here for the second time")
	}
	if _, ok := p.names[values[0]]; !ok && values[0] != noQuorum {
		return fmt.Errorf("no line above defines %s", quote(values[0]))
	}
	p.trust.quorum = values[0]
	return nil
}

// Text returns the text that ParseTrust read.
func (t Trust) Text() string { return t.text }

// Digest names the trust text as a release does.
func (t Trust) Digest() Digest { return DigestOf([]byte(t.text)) }

// Threshold returns how many distinct keys must have signed a release.
func (t Trust) Threshold() int { return t.threshold }

// Maintainers returns the names of the maintainers' keys.
func (t Trust) Maintainers() []string {
	var names []string
	for _, m := range t.maintainers {
		names = append(names, m.Name())
	}
	return names
}

// Logs returns the logs that may hold releases.
func (t Trust) Logs() []Log { return slices.Clone(t.logs) }

// Witnesses returns the witnesses, also those that the quorum can do without.
func (t Trust) Witnesses() []Witness { return slices.Clone(t.witnesses) }

// Quorum says whether it is enough that these witnesses, by their names in the
// trust text, have cosigned.
func (t Trust) Quorum(cosigned []string) bool {
	return t.quorum == noQuorum || t.quorum != "" && t.seen(t.quorum, cosigned)
}

// seen ends: the members of a group are defined above it.
func (t Trust) seen(name string, cosigned []string) bool {
	g, ok := t.groups[name]
	if !ok {
		return slices.Contains(cosigned, name)
	}
	count := 0
	for _, m := range g.members {
		if t.seen(m, cosigned) {
			count++
		}
	}
	return count >= g.needed
}

// DemoKey returns the name of the first demo key among those of maintainers,
// logs and witnesses, or "" if there is none. Whoever packs an extension for
// patients refuses a trust with a demo key.
func (t Trust) DemoKey() string {
	for _, v := range slices.Concat(t.signers(), t.observers()) {
		if IsDemo(v.Name()) {
			return v.Name()
		}
	}
	return ""
}

// IsDemo says whether a key of this name is a demo key.
func IsDemo(keyName string) bool { return strings.HasPrefix(keyName, "demo.") }

// signers are the keys that sign releases.
func (t Trust) signers() keys {
	var k keys
	for _, m := range t.maintainers {
		k = append(k, m.Verifier)
	}
	return k
}

// observers are the keys that sign checkpoints.
func (t Trust) observers() keys {
	var k keys
	for _, l := range t.logs {
		k = append(k, l.Verifier)
	}
	for _, w := range t.witnesses {
		k = append(k, w.Verifier)
	}
	return k
}

// Signers returns the text of a note and the names of the maintainers' keys
// that signed it, each distinct key once. A wrong signature in the name of a
// trusted key is an error even if others would suffice: that note was
// tampered with.
func (t Trust) Signers(noteBytes []byte) (text string, names []string, err error) {
	n, err := open(noteBytes, t.signers())
	if err != nil {
		return "", nil, err
	}
	counted := make(map[string]bool)
	for _, sig := range n.Sigs {
		for _, m := range t.maintainers {
			if m.Name() == sig.Name && m.KeyHash() == sig.Hash && !counted[m.public] {
				counted[m.public] = true
				names = append(names, sig.Name)
			}
		}
	}
	return n.Text, names, nil
}

// Signed says whether enough maintainers have signed a note.
func (t Trust) Signed(noteBytes []byte) error {
	if t.threshold < 1 {
		return errors.New("note: nobody is trusted, so no note can be")
	}
	_, names, err := t.Signers(noteBytes)
	if err != nil {
		return err
	}
	if len(names) < t.threshold {
		return fmt.Errorf("note: signed by %d trusted keys of the %d needed", len(names), t.threshold)
	}
	return nil
}
