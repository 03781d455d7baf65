package source

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"

	"paravent/lists/compile"
	"paravent/lists/filter"
)

// checkRegexp refuses a regular expression that a list cannot carry. Filter
// lists write JavaScript's; what those can do and an automaton cannot is
// counted by kind.
func checkRegexp(r *filter.Rule) error {
	if !r.Regexp {
		return nil
	}
	large := &filter.Unsupported{Kind: "regular expression that is too large", Remedy: "ask for fewer repetitions"}
	flags := syntax.Perl
	if !r.MatchCase {
		flags |= syntax.FoldCase
	}
	_, err := syntax.Parse(r.Pattern, flags)
	var problem *syntax.Error
	if errors.As(err, &problem) {
		switch {
		case problem.Code == syntax.ErrInvalidPerlOp, strings.HasPrefix(problem.Expr, "(?<=") || strings.HasPrefix(problem.Expr, "(?<!"):
			return &filter.Unsupported{Kind: "regular expression with look-around", Remedy: "write what shall be there, without (?"}
		case problem.Code == syntax.ErrInvalidEscape && len(problem.Expr) == 2 && '1' <= problem.Expr[1] && problem.Expr[1] <= '9':
			return &filter.Unsupported{Kind: "regular expression with a back-reference", Remedy: `write the text again in place of \1`}
		case problem.Code == syntax.ErrLarge, problem.Code == syntax.ErrNestingDepth, problem.Code == syntax.ErrInvalidRepeatSize:
			return large
		}
	}
	if err != nil {
		return fmt.Errorf("regular expression: %w", err)
	}
	if _, err := compile.Machine(r); err != nil {
		return large
	}
	return nil
}
