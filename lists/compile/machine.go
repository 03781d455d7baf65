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
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	b := &builder{program: program, numbers: map[string]int{}}
	b.number(nil, before)
	for state := 0; state < len(b.states); state++ {
		if len(b.states) > maxStates {
			return nil, errors.New("regular expression: too large: it asks for too many repetitions")
		}
		var row [129]uint16
		for c := range row {
			row[c] = b.next(b.states[state], c)
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
}

// number is the number of a state, which it adds when it is new.
func (b *builder) number(at []uint32, previous int) uint16 {
	key := fmt.Sprint(at, previous)
	n, ok := b.numbers[key]
	if !ok {
		n = len(b.states)
		b.numbers[key] = n
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
	// An expression may begin at every byte.
	reached := map[uint32]bool{}
	matched := b.follow(uint32(b.program.Start), context, reached)
	for _, at := range s.at {
		matched = b.follow(at, context, reached) || matched
	}
	if matched {
		return bundle.Matched
	}
	if c == 128 {
		return bundle.Dead
	}
	var at []uint32
	for i := range reached {
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
// without reading; it reports whether the match is among them.
func (b *builder) follow(at uint32, context syntax.EmptyOp, reached map[uint32]bool) (matched bool) {
	seen := map[uint32]bool{}
	todo := []uint32{at}
	for len(todo) > 0 {
		at, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch i := &b.program.Inst[at]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, i.Out, i.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, i.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(i.Arg)&^context == 0 {
				todo = append(todo, i.Out)
			}
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			reached[at] = true
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
