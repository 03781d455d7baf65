package release

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// ErrTooFar is Delta's error for two texts between which a delta would take a
// reader longer than the whole text.
var ErrTooFar = errors.New("delta: the lists differ too much: let readers take the whole list")

// Delta writes what turns one canonical text into another, in the format that
// the package comment gives.
func Delta(old, new []byte) ([]byte, error) {
	from, err := parseSections("the old list", old)
	if err != nil {
		return nil, err
	}
	to, err := parseSections("the new list", new)
	if err != nil {
		return nil, err
	}
	if len(from) != len(to) {
		return nil, fmt.Errorf("delta: the old list has %d sections, the new one %d", len(from), len(to))
	}
	c := newCoding(&encoder{width: 1<<32 - 1}, nil, from)
	for i, s := range from {
		if s.header != to[i].header {
			return nil, fmt.Errorf("delta: a section begins with %s in the old list, with %s in the new one", quote(s.header), quote(to[i].header))
		}
		if err := c.write(byte(i), s.lines, to[i].lines); err != nil {
			return nil, err
		}
	}
	return c.to.end(), nil
}

// ApplyDelta returns the canonical text that a delta makes of an older one, if
// it is the wanted one. It holds no more than what is wanted, whatever the
// delta says.
func ApplyDelta(old, delta []byte, want Digest) ([]byte, error) {
	if want.Size < 1 || want.Size > MaxSize {
		return nil, fmt.Errorf("delta: a list of %d bytes is not to be had", want.Size)
	}
	from, err := parseSections("the old list", old)
	if err != nil {
		return nil, err
	}
	c := newCoding(nil, newDecoder(delta), from)
	out := output{data: make([]byte, 0, want.Size)}
	for i, s := range from {
		if err := out.add(s.header); err != nil {
			return nil, err
		}
		if err := c.read(byte(i), s.lines, &out); err != nil {
			return nil, err
		}
	}
	if !c.from.ended() {
		return nil, errors.New("delta: goes on behind its end, or ends in another way than it was written")
	}
	if err := want.Check("delta: the list that it makes", out.data); err != nil {
		return nil, err
	}
	return out.data, nil
}

// A section of a canonical text: everything up to its first line, and the
// sorted lines.
type section struct {
	header string
	lines  []string
}

// maxSections keeps the number of a section from being a line feed.
const maxSections = 9

func parseSections(what string, text []byte) ([]section, error) {
	var all []section
	header, number := "", 0
	for line := range strings.Lines(string(text)) {
		number++
		line, ended := strings.CutSuffix(line, "\n")
		starts := number == 1 || strings.HasPrefix(line, "[") && !strings.Contains(line, ":")
		switch {
		case !ended:
			return nil, fmt.Errorf("delta: %s: line %d: cut off: want a line feed at the end", what, number)
		case starts:
			header = line
			all = append(all, section{header: header})
			continue
		}
		s := &all[len(all)-1]
		if line == "" || len(s.lines) > 0 && line <= s.lines[len(s.lines)-1] {
			return nil, fmt.Errorf("delta: %s: line %d: empty, not in order, or a repeat", what, number)
		}
		for i := range len(line) {
			if !printable(line[i]) {
				return nil, fmt.Errorf("delta: %s: line %d: holds a control character", what, number)
			}
		}
		s.lines = append(s.lines, line)
	}
	if len(all) < 1 || len(all) > maxSections {
		return nil, fmt.Errorf("delta: %s is no canonical text: it has %d sections", what, len(all))
	}
	return all, nil
}

func printable(letter byte) bool { return letter >= ' ' || letter == '\t' }

// An output is a text that must not get longer than it was made for.
type output struct{ data []byte }

func (o *output) add(line string) error {
	if len(line)+1 > cap(o.data)-len(o.data) {
		return fmt.Errorf("delta: makes more than the %d bytes that the release names", cap(o.data))
	}
	o.data = append(append(o.data, line...), '\n')
	return nil
}

// A coding writes a delta or reads one. Both ways run through the same code,
// so that they cannot disagree about what comes next.
type coding struct {
	to     *encoder // or
	from   *decoder
	text   *guesser
	edits  numbers
	gaps   numbers
	kinds  [2][2]uint32 // last kind → kind → how often, and one more
	last   int
	shares [256]uint64
}

// The kinds of an edit.
const (
	insertion = 0
	deletion  = 1
)

func newCoding(to *encoder, from *decoder, old []section) *coding {
	c := &coding{to: to, from: from, kinds: [2][2]uint32{{1, 1}, {1, 1}}}
	size := 1 << 16 // for the insertions
	for _, s := range old {
		for _, line := range s.lines {
			size += len(line) + 2
		}
	}
	c.text = newGuesser(size)
	for i, s := range old {
		for _, line := range s.lines {
			c.text.learn(byte(i), line)
		}
	}
	return c
}

// symbol writes a symbol, or returns the one it reads. How often each is
// expected stands in counts, together at most 1<<16.
func (c *coding) symbol(counts []uint32, symbol int) int {
	var whole uint32
	for _, n := range counts {
		whole += n
	}
	var before uint32
	if c.from == nil {
		for _, n := range counts[:symbol] {
			before += n
		}
		c.to.put(before, counts[symbol], whole)
		return symbol
	}
	at := c.from.where(whole)
	for i, n := range counts {
		if at < before+n {
			c.from.take(before, n, whole)
			return i
		}
		before += n
	}
	panic("delta: no symbol") // cannot be: at is below whole
}

// numbers expects numbers as long as those before.
type numbers [32]uint32

func (c *coding) number(m *numbers, n int) int {
	counts := *m
	for i := range counts {
		counts[i] = counts[i]*8 + 1
	}
	length := c.symbol(counts[:], bits.Len32(uint32(n)+1)-1)
	if m[length]++; m[length] > 200 {
		for i := range m {
			m[i] /= 2
		}
	}
	value := 1
	for i := length - 1; i >= 0; i-- {
		value = value<<1 | c.symbol([]uint32{1, 1}, (n+1)>>i&1)
	}
	return value - 1
}

func (c *coding) kind(kind int) int {
	counts := &c.kinds[c.last]
	kind = c.symbol(counts[:], kind)
	if counts[kind] < 1<<14 {
		counts[kind]++
	}
	c.last = kind
	return kind
}

// line writes a line, or returns the one it reads, which is no longer than
// most. It stands between two others, or before the end if next is "".
func (c *coding) line(section byte, before, next, line string, most int) (string, error) {
	so := []byte{section}
	low, high := true, next != "" // so far the same as before; as next
	for i := 0; ; i++ {
		c.text.guess(so, &c.shares)
		var whole uint64
		for letter := range c.shares {
			l := byte(letter)
			if l == '\n' && low || l != '\n' && (!printable(l) ||
				low && i < len(before) && l < before[i] ||
				high && (i >= len(next) || l > next[i])) {
				c.shares[letter] = 0
			}
			whole += c.shares[letter]
		}
		switch {
		case whole == 0:
			return "", errors.New("delta: a line has no place where it is to stand")
		case c.text.steps > maxSteps && c.from == nil:
			return "", ErrTooFar
		case c.text.steps > maxSteps:
			return "", errors.New("delta: would take too long to apply")
		case len(so) > most:
			return "", errors.New("delta: makes more than the bytes that the release names")
		case c.from != nil && c.from.over():
			return "", errors.New("delta: cut off")
		}
		var counts [256]uint32
		for letter, share := range c.shares {
			if share > 0 {
				counts[letter] = 1 + uint32(share*(1<<16-1<<8)/whole)
			}
		}
		letter := byte('\n')
		if i < len(line) {
			letter = line[i]
		}
		letter = byte(c.symbol(counts[:], int(letter)))
		if letter == '\n' {
			return string(so[1:]), nil
		}
		low = low && i < len(before) && letter == before[i]
		high = high && letter == next[i]
		so = append(so, letter)
	}
}

// write writes the edits of a section.
func (c *coding) write(number byte, old, new []string) error {
	type edit struct{ gap, kind, at, line int }
	var edits []edit
	gap := 0
	for i, j := 0, 0; i < len(old) || j < len(new); {
		switch {
		case i < len(old) && j < len(new) && old[i] == new[j]:
			i, j, gap = i+1, j+1, gap+1
		case j == len(new) || i < len(old) && old[i] < new[j]:
			edits = append(edits, edit{gap, deletion, i, 0})
			i, gap = i+1, 0
		default:
			edits = append(edits, edit{gap, insertion, i, j})
			j, gap = j+1, 0
		}
	}
	c.number(&c.edits, len(edits))
	before := ""
	for _, e := range edits {
		c.number(&c.gaps, e.gap)
		if e.gap > 0 {
			before = old[e.at-1]
		}
		if c.kind(e.kind) == deletion {
			before = old[e.at]
			continue
		}
		if _, err := c.line(number, before, at(old, e.at), new[e.line], len(new[e.line])+1); err != nil {
			return err
		}
		before = new[e.line]
		c.text.learn(number, before)
	}
	return nil
}

// read makes the edits of a section.
func (c *coding) read(number byte, old []string, out *output) error {
	before, i := "", 0
	for range c.number(&c.edits, 0) {
		for range c.number(&c.gaps, 0) {
			if i == len(old) {
				return errors.New("delta: keeps more lines than the old list has: it belongs to another list")
			}
			before = old[i]
			if err := out.add(before); err != nil {
				return err
			}
			i++
		}
		if c.from.over() {
			return errors.New("delta: cut off")
		}
		if c.kind(0) == deletion {
			if i == len(old) {
				return errors.New("delta: takes more lines away than the old list has: it belongs to another list")
			}
			before = old[i]
			i++
			continue
		}
		line, err := c.line(number, before, at(old, i), "", cap(out.data)-len(out.data))
		if err != nil {
			return err
		}
		if err := out.add(line); err != nil {
			return err
		}
		before = line
		c.text.learn(number, line)
	}
	for _, line := range old[i:] {
		if err := out.add(line); err != nil {
			return err
		}
	}
	return nil
}

// at returns the line at i, or "" behind the last.
func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
