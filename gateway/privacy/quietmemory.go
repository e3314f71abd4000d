package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const quietFile = "quiet.json"

// quietPause is the least time between two writings of a meter's day: a memory
// card bears only so many.
const quietPause = 5 * time.Minute

// A keptDay is the day of a [Quiet] as it is written down.
type keptDay struct {
	Window time.Duration `json:"window_ns"`
	Gap    time.Duration `json:"gap_ns"`
	Day    civil.Date    `json:"day"`
	Last   keptSample    `json:"last"`
	Starts []keptSample  `json:"starts"`
	Flow   int64         `json:"flow_ml_h"` // the smallest so far, over FlowWindow
	// FlowWindow is 0 where there is none yet.
	FlowWindow time.Duration `json:"flow_window_ns"`
	Broken     bool          `json:"broken,omitempty"`
}

// A keptSample is an instant in milliseconds since 1970 and the index in mL.
type keptSample [2]int64

func keep(s sample) keptSample { return keptSample{s.at.UnixMilli(), int64(s.index)} }

func (k keptSample) sample() sample { return sample{wire.Instant(k[0]), metering.Amount(k[1])} }

// keep is the day so far; false before the first reading.
func (q *Quiet) keep() (keptDay, bool) {
	k := keptDay{Window: q.window, Gap: q.gap, Day: q.day, Last: keep(q.last),
		Flow: int64(q.best.Flow), FlowWindow: q.best.Window, Broken: q.broken}
	for _, s := range q.starts {
		k.Starts = append(k.Starts, keep(s))
	}
	return k, !q.day.IsZero()
}

// recall goes on with a day that was kept, where it was kept for the same work and
// hangs together. The time without readings counts as any gap does.
func (q *Quiet) recall(k keptDay) {
	if k.Window != q.window || k.Gap != q.gap || len(k.Starts) == 0 || k.Day != civil.DateIn(k.Last.sample().at, q.zone) {
		return
	}
	for i, s := range k.Starts {
		if s[0] > k.Last[0] || i > 0 && s[0] <= k.Starts[i-1][0] {
			return
		}
	}
	q.begin(k.Starts[0].sample())
	if q.day != k.Day {
		q.Forget()
		return
	}
	for _, s := range k.Starts[1:] {
		q.starts = append(q.starts, s.sample())
	}
	q.last, q.broken = k.Last.sample(), k.Broken
	q.best.Flow, q.best.Window = metering.Amount(k.Flow), k.FlowWindow
}

// rememberQuiet begins with the days that were kept before a restart.
func (f *Filter) rememberQuiet() error {
	text, err := os.ReadFile(f.beside(quietFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("quiet flow so far: %w: let the gateway's user read it, or remove it, which costs the day's figure", err)
	}
	kept := map[metering.MeterID]keptDay{}
	if json.Unmarshal(text, &kept) != nil {
		return nil // damaged: the day begins anew and gives no figure
	}
	for id, k := range kept {
		if q := f.quiet[id]; q != nil && f.resolution(id).Allows(metering.Month) {
			q.recall(k)
			f.quietKept[id] = q.last.at
		}
	}
	return nil
}

// keepQuiet writes the days of all meters down where one of those that were read
// was written long ago. After a restart in good order the day goes on where the
// time between was no longer than a gap that a day bears; after a power cut the
// readings since the last writing count as such a gap too, which are none of meters
// that are read every five minutes or less often.
func (f *Filter) keepQuiet(readings []wire.UnitReading) {
	if f.memory == "" {
		return
	}
	for _, r := range readings {
		q := f.quiet[r.Meter]
		if q == nil || r.Quantity != metering.Index {
			continue
		}
		kept, ever := f.quietKept[r.Meter]
		off := q.day.IsZero()
		if off && ever || !off && (!ever || q.last.at.Sub(kept).Abs() >= quietPause) {
			_ = f.writeQuiet() // a full disk must not cost readings; the next time tries again
			return
		}
	}
}

func (f *Filter) writeQuiet() error {
	days := map[metering.MeterID]keptDay{}
	clear(f.quietKept)
	for id, q := range f.quiet {
		if day, ok := q.keep(); ok && f.resolution(id).Allows(metering.Month) {
			days[id] = day
			f.quietKept[id] = q.last.at
		}
	}
	text, err := json.Marshal(days)
	if err != nil {
		return err
	}
	return durable.Write(f.beside(quietFile), text)
}

// Close writes down what the quiet flow needs to go on after a restart. It does
// nothing where [Filter.Remember] was not called. No reading may follow.
func (f *Filter) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory == "" {
		return nil
	}
	if err := f.writeQuiet(); err != nil {
		return fmt.Errorf("keep the quiet flow so far: %w", err)
	}
	return nil
}
