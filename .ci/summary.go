//go:build ignore

// Summary reads what "go test -json" writes and prints it for people: a line a
// package, all that a failed test said, then every skipped test with its reason
// and whether the tests on real measurements ran. It exits with status 1 where
// anything failed.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// An event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// A summary collects the events of a run.
type summary struct {
	out     io.Writer
	said    map[string][]string // by package and test
	skipped []string
	passed  int
	failed  int
	broken  bool   // a package failed: a test of it, its build, or a panic
	real    string // how the tests on real measurements ended, "" for no such test
}

func main() {
	s := summary{out: os.Stdout, said: map[string][]string{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(s.out, lines.Text()) // the go tool speaks plainly of what it cannot run
			continue
		}
		s.add(e)
	}
	s.close()
	if lines.Err() != nil || s.broken || s.failed > 0 || s.passed == 0 {
		os.Exit(1)
	}
}

func (s *summary) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		s.said[key] = append(s.said[key], e.Output)
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "build-fail":
		s.broken = true
	case "pass", "skip", "fail":
		s.end(e, key)
	}
}

// end prints what the package said, or the test where it failed.
func (s *summary) end(e event, key string) {
	said := s.said[key]
	delete(s.said, key)
	switch {
	case e.Test == "" || e.Action == "fail":
		for _, text := range said {
			if shown(text) {
				fmt.Fprint(s.out, text)
			}
		}
	case e.Action == "skip":
		s.skipped = append(s.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(said)))
	}
	switch {
	case e.Action == "fail" && e.Test == "":
		s.broken = true
	case e.Action == "fail":
		s.failed++
	case e.Action == "pass" && e.Test != "":
		s.passed++
	}
	if strings.HasSuffix(e.Package, "/deploy/e2e") && strings.HasPrefix(e.Test, "TestReal") && s.real != "fail" {
		s.real = cmp.Or(map[string]string{"fail": "fail", "pass": "pass"}[e.Action], s.real, "skip")
	}
}

// shown leaves out what repeats the events, and packages without tests.
func shown(text string) bool {
	return text != "PASS\n" && !strings.HasPrefix(text, "=== ") && !strings.Contains(text, "[no test files]")
}

// reason is what a skipped test said, on one line.
func reason(said []string) string {
	var words []string
	for _, text := range said {
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "=== ") && !strings.HasPrefix(text, "--- ") && text != "" {
			words = append(words, text)
		}
	}
	return cmp.Or(strings.Join(words, " "), "no reason given")
}

func (s *summary) close() {
	slices.Sort(s.skipped)
	fmt.Fprintf(s.out, "\ntests: %d passed, %d failed, %d skipped\n", s.passed, s.failed, len(s.skipped))
	for _, line := range s.skipped {
		fmt.Fprintln(s.out, "SKIP", line)
	}
	switch s.real {
	case "pass":
		fmt.Fprintln(s.out, "real-input: RAN and passed")
	case "fail":
		fmt.Fprintln(s.out, "real-input: RAN and failed")
	case "skip":
		fmt.Fprintln(s.out, "real-input: NOT RUN ("+missing()+")")
	default:
		fmt.Fprintln(s.out, "real-input: NOT RUN (no such test among these)")
	}
}

// missing says why a test on real measurements was skipped.
func missing() string {
	if _, err := os.Stat(cmp.Or(os.Getenv("XNET_DATA"), "../shared/data")); err != nil {
		return "no data folder"
	}
	return "skipped, see above"
}
