package compile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// maxStates bounds the automaton of a regular expression. Expressions of
// filter lists need some dozens.
const maxStates = 4096

// maxSteps bounds the work that it takes to make one: instructions looked at.
const maxSteps = 1 << 22

// maxInstructions bounds the program that the automaton is made from, before it
// is written.
const maxInstructions = 2000

var errTooLarge = errors.New("regular expression: too large: it asks for too many repetitions")

// Machine makes the automaton of a rule that is a regular expression, in the
// form that package bundle runs. It reads RE2's syntax
// (https://github.com/google/re2/wiki/Syntax): what a browser's
// declarativeNetRequest takes too. Expressions ignore case unless the rule
// says otherwise.
//
// The automaton is made by the subset construction. A state is the set of
// instructions that the expression could be at before it reads the next byte,
// and what stood before that byte, which "^" and "\b" ask for.
func Machine(r *filter.Rule) ([]byte, error) {
	parsed, err := parse(r)
	if err != nil {
		return nil, err
	}
	if size(parsed) > maxInstructions {
		return nil, errTooLarge
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	b := &builder{program: program, numbers: map[string]int{}, seen: make([]int, len(program.Inst))}
	alike := b.alike()
	b.number(nil, before)
	for state := 0; state < len(b.states); state++ {
		var row [129]uint16
		for c, first := range alike {
			if row[c] = row[first]; first == c {
				row[c] = b.next(b.states[state], c)
			}
		}
		if len(b.states) > maxStates || b.steps > maxSteps {
			return nil, errTooLarge
		}
		b.rows = append(b.rows, row)
	}
	return b.encode(), nil
}

func parse(r *filter.Rule) (*syntax.Regexp, error) {
	flags := syntax.Perl
	if !r.MatchCase {
		flags |= syntax.FoldCase
	}
	parsed, err := syntax.Parse(r.Pattern, flags)
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	return parsed, nil
}

// size is about how many instructions an expression takes when its repetitions
// are written out, or more than maxInstructions.
func size(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n = min(n+size(sub), maxInstructions+1)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxInstructions+1)
}

// literals is a pattern that matches whatever the rule matches: its literal
// text, with "*" for everything else.
func literals(r *filter.Rule) string {
	parsed, err := parse(r)
	if err != nil {
		return ""
	}
	var b strings.Builder
	var write func(*syntax.Regexp)
	write = func(re *syntax.Regexp) {
		switch re.Op {
		case syntax.OpConcat:
			for _, part := range re.Sub {
				write(part)
			}
		case syntax.OpCapture:
			write(re.Sub[0])
		case syntax.OpLiteral:
			for _, c := range re.Rune {
				if c < 0x20 || c >= 0x7f || c == '*' || c == '^' {
					c = '*'
				}
				b.WriteRune(c)
			}
		case syntax.OpBeginText:
			b.WriteByte('^') // no word goes on before it
		default:
			b.WriteByte('*')
		}
	}
	write(parsed)
	return b.String()
}

// What stood before the next byte.
const (
	before = iota // nothing: the address begins
	word          // a letter, a digit or "_"
	other
)

type state struct {
	at       []uint32 // instructions, sorted
	previous int
}

type builder struct {
	program *syntax.Prog
	states  []state
	numbers map[string]int
	rows    [][129]uint16 // next state by byte; the last is the address's end

	// Of one round of next: the instructions that it has seen have its number,
	// and those that read a byte are listed.
	round   int
	seen    []int
	reached []uint32
	todo    []uint32
	steps   int // instructions seen in all rounds
}

// alike has for each byte, and for the end, the first that no instruction tells
// from it. Most expressions know few kinds of bytes.
func (b *builder) alike() (first [129]int) {
	kinds := map[string]int{}
	for c := range 128 {
		kind := make([]byte, len(b.program.Inst)+1)
		for i := range b.program.Inst {
			switch in := &b.program.Inst[i]; in.Op {
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				if in.MatchRune(rune(c)) {
					kind[i] = 1
				}
			}
		}
		switch {
		case syntax.IsWordChar(rune(c)):
			kind[len(kind)-1] = 1
		case c == '\n': // which "(?m)$" asks for
			kind[len(kind)-1] = 2
		}
		if _, ok := kinds[string(kind)]; !ok {
			kinds[string(kind)] = c
		}
		first[c] = kinds[string(kind)]
	}
	first[128] = 128
	return first
}

// number is the number of a state, which it adds when it is new.
func (b *builder) number(at []uint32, previous int) uint16 {
	key := []byte{byte(previous)}
	for _, i := range at {
		key = binary.LittleEndian.AppendUint32(key, i)
	}
	n, ok := b.numbers[string(key)]
	if !ok {
		n = len(b.states)
		b.numbers[string(key)] = n
		b.states = append(b.states, state{at, previous})
	}
	return uint16(n)
}

// next is the state behind a byte, or behind the end when c is 128.
func (b *builder) next(s state, c int) uint16 {
	left, right := rune(-1), rune(-1)
	if s.previous == word {
		left = 'a'
	} else if s.previous == other {
		left = '/'
	}
	kind := other
	if c < 128 {
		right = rune(c)
		if syntax.IsWordChar(right) {
			kind = word
		}
	}
	context := syntax.EmptyOpContext(left, right)
	b.round, b.reached = b.round+1, b.reached[:0]
	// An expression may begin at every byte.
	matched := b.follow(uint32(b.program.Start), context)
	for _, at := range s.at {
		matched = b.follow(at, context) || matched
	}
	if matched {
		return bundle.Matched
	}
	if c == 128 {
		return bundle.Dead
	}
	var at []uint32
	for _, i := range b.reached {
		if instruction := &b.program.Inst[i]; instruction.MatchRune(right) {
			at = append(at, instruction.Out)
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	if len(at) == 0 && b.anchored() {
		return bundle.Dead
	}
	return b.number(at, kind)
}

// anchored reports whether the expression can begin at the address's begin
// only.
func (b *builder) anchored() bool {
	return b.program.StartCond()&syntax.EmptyBeginText != 0
}

// follow adds the instructions that read a byte and are reached from one
// without reading, but for those that this round has seen; it reports whether
// the match is among them.
func (b *builder) follow(at uint32, context syntax.EmptyOp) (matched bool) {
	b.todo = append(b.todo[:0], at)
	for len(b.todo) > 0 {
		last := len(b.todo) - 1
		at, b.todo = b.todo[last], b.todo[:last]
		if b.seen[at] == b.round {
			continue
		}
		b.seen[at] = b.round
		b.steps++
		switch i := &b.program.Inst[at]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			b.todo = append(b.todo, i.Out, i.Arg)
		case syntax.InstCapture, syntax.InstNop:
			b.todo = append(b.todo, i.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(i.Arg)&^context == 0 {
				b.todo = append(b.todo, i.Out)
			}
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			b.reached = append(b.reached, at)
		}
	}
	return matched
}

// encode merges the bytes that every state treats alike into classes.
func (b *builder) encode() []byte {
	var class [129]int
	var columns [][]uint16
	numbers := map[string]int{}
	for c := range class {
		column := make([]uint16, len(b.rows))
		for i, row := range b.rows {
			column[i] = row[c]
		}
		key := fmt.Sprint(column)
		if c == 128 {
			key = "end" // always a class of its own, the last
		}
		n, ok := numbers[key]
		if !ok {
			n = len(columns)
			numbers[key] = n
			columns = append(columns, column)
		}
		class[c] = n
	}
	out := binary.LittleEndian.AppendUint16(nil, uint16(len(b.rows)))
	out = binary.LittleEndian.AppendUint16(out, uint16(len(columns)))
	for _, n := range class[:128] {
		out = append(out, byte(n))
	}
	for i := range b.rows {
		for _, column := range columns {
			out = binary.LittleEndian.AppendUint16(out, column[i])
		}
	}
	return out
}
