// Command paravent is the maintainers' tool: it builds lists, checks requests
// against them, drafts, signs, pushes and verifies releases, and watches the
// log that they stand in.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

const help = `paravent keeps the lists that stand between a patient and those who watch.

  paravent list build [-o DIR] [-upstream DIR] SOURCE...
        make the canonical text, the bundle and about.json of source directories
  paravent list lint [-upstream DIR] [SOURCE...]
        find every mistake in the sources, with its line and what to do
  paravent list test [-upstream DIR] SOURCE...
        build in memory, decide every request that the sites expect, and compare
  paravent list diff [-sites DIRS] [-n LINES] BEFORE AFTER
        what changed between two lists, built or not, for whom and on which sites
  paravent list stats [-upstream DIR] [SOURCE...]
        count what the sources say, and how old what shows it is
  paravent list from-report [-upstream DIR] REPORT.json [SOURCE...]
        draft a rule and its test from a patient's saved report
  paravent list import [-v] [-format easylist|dnr|hosts|disconnect] [-o DIR] FILE
        make a list of somebody else's alone, and count what is left out
  paravent check [-bundle FILE] [-explain]
        read requests on standard input, a JSON object a line, and print decisions
  paravent audit [-bundle FILE] [-json] VISIT.har
        report what a recorded visit told whom, and what Paravent would have done
  paravent key new [-witness|-gateway] NAME DIR
        make a key of a maintainer, a log, a witness or a gateway
  paravent release draft|sign|push|verify
        put a list in force: draft it, let several sign it, push it to a list
        server; check what a server has in force ("paravent release" says more)
  paravent log monitor [-trust FILE] [-state FILE] URL
        check that a server's log only grows, and print what came into it
  paravent version
`

// version is told by build.sh, which has it from the extension's manifest.
var version = "of no release"

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], os.Stdin, out)
	if flushError := out.Flush(); err == nil {
		err = flushError
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "paravent:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch args[0] {
	case "list":
		return runList(args[1:], out)
	case "check":
		return runCheck(args[1:], in, out)
	case "audit":
		return runAudit(args[1:], out)
	case "key":
		return runKey(args[1:], out, os.Stderr)
	case "release":
		return runRelease(args[1:], out, os.Stderr)
	case "log":
		return runLog(args[1:], out, os.Stderr)
	case "version":
		_, err := fmt.Fprintln(out, "paravent", version)
		return err
	case "help", "-h", "--help":
		_, err := io.WriteString(out, help)
		return err
	}
	return fmt.Errorf("%s: unknown verb; paravent help lists them", args[0])
}
