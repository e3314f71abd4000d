// Package doctor looks at the whole chain, from the gateways to the letters, and
// says of each part in a line that it is well, or what is wrong and what to do.
// It changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Fault is something wrong, with its remedy: what somebody can do at once.
type Fault struct {
	Wrong  string
	Remedy string
}

// Error implements error.
func (f *Fault) Error() string { return f.Wrong + ": " + f.Remedy }

func fault(remedy, format string, args ...any) error {
	return &Fault{Wrong: fmt.Sprintf(format, args...), Remedy: remedy}
}

// A Check looks at one part. Look returns in a few words how it is, or an error
// that is a [*Fault] or several joined.
type Check struct {
	Part string // as in "disk"
	Look func(ctx context.Context) (well string, err error)
}

// ErrIll: something is wrong. Test with errors.Is.
var ErrIll = errors.New("something is wrong: do what the lines say, and look again")

// lookWait is how long one look may take.
const lookWait = 20 * time.Second

// Run looks at every part in turn and writes a line for each, two for each fault:
// what is wrong, and what to do. It fails with [ErrIll] where anything is wrong.
func Run(ctx context.Context, w io.Writer, checks []Check) error {
	faults := 0
	for _, c := range checks {
		well, wrong := look(ctx, c)
		if len(wrong) == 0 {
			fmt.Fprintf(w, "well   %s: %s\n", c.Part, well)
		}
		for _, f := range wrong {
			fmt.Fprintf(w, "WRONG  %s: %s\n       do: %s\n", c.Part, strings.ReplaceAll(f.Wrong, "\n", " "), f.Remedy)
		}
		faults += len(wrong)
	}
	if faults > 0 {
		return fmt.Errorf("%d of %d: %w", faults, len(checks), ErrIll)
	}
	return nil
}

func look(ctx context.Context, c Check) (well string, wrong []*Fault) {
	ctx, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	well, err := c.Look(ctx)
	if err == nil {
		return well, nil
	}
	return "", faultsOf(err)
}

// faultsOf returns what is joined in err, each as a fault.
func faultsOf(err error) (faults []*Fault) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // what was joined here, not below
		for _, e := range joined.Unwrap() {
			faults = append(faults, faultsOf(e)...)
		}
		return faults
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return []*Fault{f}
	}
	return []*Fault{{Wrong: err.Error(), Remedy: "read what the programs say: journalctl -u xnet-api -u xnet-collector --since today"}}
}
