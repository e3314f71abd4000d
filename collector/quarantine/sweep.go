package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Judge says what of a kept pack may stay: the payload as it is, a shorter
// one, or nothing. It is asked once a pack. Of a file that is damaged it gets
// the source alone.
type Judge func(Refused) (payload []byte, stays bool)

// Sweep has judge look at every pack. It returns how many were dropped or
// shortened; they are so durably. A pack that cannot be swept does not keep the
// others from it.
func (q *Quarantine) Sweep(judge Judge) (changed int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	names, err := q.Names()
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, name := range names {
		done, err := q.sweep(name, judge)
		if done {
			changed++
		}
		failed = append(failed, err)
	}
	return changed, errors.Join(failed...)
}

func (q *Quarantine) sweep(name string, judge Judge) (changed bool, err error) {
	r, err := q.Read(name)
	switch {
	case errors.Is(err, ErrAbsent):
		return false, nil // a person removed it, or it is no file of ours
	case err != nil && !errors.Is(err, ErrDamaged):
		return false, err
	}
	left, stays := judge(r)
	switch {
	case !stays:
		return true, q.drop(name)
	case len(left) == len(r.Payload):
		return false, nil
	}
	class, _, _ := strings.Cut(r.Reason, ":") // the rest may speak of what went
	r.Reason, r.Payload = class+": a part, the rest was erased", left
	return true, q.replace(name, r)
}

// erasuresFile says for which erasures the folder was swept already.
const erasuresFile = "erasures"

// Erasures are instants in milliseconds since 1970 by meter: what the meter
// showed before its instant was erased.
type Erasures map[metering.MeterID]int64

// Unswept returns those of known for which the folder has not been swept yet.
func (q *Quarantine) Unswept(known Erasures) (Erasures, error) {
	swept, err := q.swept()
	if err != nil {
		return nil, err
	}
	left := Erasures{}
	for meter, until := range known {
		if until > swept[meter] {
			left[meter] = until
		}
	}
	return left, nil
}

// Swept notes durably that the folder has been swept for done. What is refused
// from now on was sent after those erasures.
func (q *Quarantine) Swept(done Erasures) error {
	swept, err := q.swept()
	if err != nil {
		return err
	}
	maps.Copy(swept, done)
	text, err := json.Marshal(swept)
	if err == nil {
		err = writeDurably(filepath.Join(q.dir, erasuresFile), text)
	}
	if err != nil {
		return fmt.Errorf("note the sweep of quarantine %s: %w", q.dir, err)
	}
	return nil
}

func (q *Quarantine) swept() (Erasures, error) {
	text, err := os.ReadFile(filepath.Join(q.dir, erasuresFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Erasures{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sweep quarantine: %w", err)
	}
	swept := Erasures{}
	if err := json.Unmarshal(text, &swept); err != nil {
		return Erasures{}, nil // written by nobody of ours: all is swept again
	}
	return swept, nil
}
