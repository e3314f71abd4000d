package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Benchmark gives the rows of one subject.
type Benchmark struct {
	Names []string // by which it is asked for
	Run   func(context.Context) ([]Row, error)
}

// A Suite is the benchmarks of a program.
type Suite struct {
	Benchmarks     []Benchmark
	Stdout, Stderr io.Writer // for the rows, and for how far it has come
}

// Run runs the benchmarks that were asked for by any of their names, all for none,
// and prints their rows. A goal that is not met is an error.
func (s Suite) Run(ctx context.Context, only []string) error {
	asked, err := s.asked(only)
	if err != nil {
		return err
	}
	var rows []Row
	var errs []error
	for _, b := range asked {
		if ctx.Err() != nil {
			break
		}
		more, err := s.run(ctx, b)
		rows, errs = append(rows, more...), append(errs, err)
	}
	met, err := Print(s.Stdout, rows)
	if errs = append(errs, err); !met {
		errs = append(errs, errors.New("not every goal was met"))
	}
	return errors.Join(errs...)
}

func (s Suite) asked(only []string) (asked []Benchmark, err error) {
	var known []string
	for _, b := range s.Benchmarks {
		known = append(known, b.Names...)
		if len(only) == 0 || slices.ContainsFunc(b.Names, func(name string) bool { return slices.Contains(only, name) }) {
			asked = append(asked, b)
		}
	}
	for _, name := range only {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("no benchmark %q: there are %s", name, strings.Join(known, ", "))
		}
	}
	return asked, nil
}

func (s Suite) run(ctx context.Context, b Benchmark) ([]Row, error) {
	fmt.Fprintf(s.Stderr, "%s …\n", b.Names[0])
	start := time.Now()
	rows, err := b.Run(ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w", b.Names[0], err)
		fmt.Fprintln(s.Stderr, err)
	}
	fmt.Fprintf(s.Stderr, "%s: %s\n", b.Names[0], time.Since(start).Round(time.Second))
	return rows, err
}
