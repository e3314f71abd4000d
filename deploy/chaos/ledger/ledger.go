// Package ledger holds what was stored against what had to be: every index that
// simulated meters showed, each one another, and every reading that gateways had
// written to their spools.
//
// Nothing of it asks the programs that are judged. What meters showed is the
// simulator's log, what gateways sent is taken from their connections ([Record]),
// what they wrote is read from the bytes of their spools ([Watch]), what is stored
// is asked of InfluxDB.
package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Kill is the sudden end of a gateway: the signal was sent after From, and the
// process was gone before Gone.
type Kill struct {
	Gateway    metering.GatewayID
	From, Gone time.Time
}

// grace is how long a request that a killed gateway had sent may stand in the
// meters' socket before it is read.
const grace = time.Second

// Shown is what meters showed, and what else decides which of it must be kept.
type Shown struct {
	Served []served.Entry
	// Gateways are those of the meters that are compared; others are left out.
	Gateways map[metering.MeterID]metering.GatewayID
	Kills    []Kill
	// Cycle is how long before a kill an index may have been shown that was not
	// written yet: the time between two polls, or what one takes on a busy machine.
	// Timeout is that of a request.
	Cycle, Timeout time.Duration
	// Until is an instant after which what was shown need not be kept yet.
	Until time.Time
	// Steps are by what a gateway's clock may have been wrong, on purpose, about
	// an instant; nil where none ever is.
	Steps func(metering.GatewayID, time.Time) []time.Duration
	// Excused says why what was shown need not be kept, "" for no reason; nil
	// where a kill is the only one.
	Excused func(metering.GatewayID, served.Entry) string
}

// A Verdict is the outcome of a comparison. Missing, Wrong and Double are faults,
// and each has a sentence in Faults, for the first of them.
type Verdict struct {
	Compared               int // that had to be kept
	Kept                   int
	Missing, Wrong, Double int
	// Cut is what a kill cut off before its fsync: at most one index a meter and
	// kill.
	Cut int
	// Excused is what was not kept for another reason, by reason.
	Excused map[string]int
	Faults  []string
}

// Fault adds a fault for which there is no reading to name: it counts as wrong.
func (v *Verdict) Fault(format string, args ...any) { v.fault(&v.Wrong, format, args...) }

// Sound reports whether there is no fault.
func (v *Verdict) Sound() bool { return v.Missing+v.Wrong+v.Double == 0 }

const mostFaults = 30

func (v *Verdict) fault(count *int, format string, args ...any) {
	*count++
	if len(v.Faults) < mostFaults {
		v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
	}
}

// Add takes over the faults of another comparison.
func (v *Verdict) Add(other Verdict) {
	v.Missing, v.Wrong, v.Double = v.Missing+other.Missing, v.Wrong+other.Wrong, v.Double+other.Double
	v.Faults = append(v.Faults, other.Faults...)
}

type sight struct {
	meter metering.MeterID
	index metering.Amount
}

// Compare holds the indexes that were kept against those that meters showed. A
// different index at every read makes an index the name of its reading: one that
// is kept at two instants is double, one at an instant at which it was not shown
// is wrong, and so is one that never was.
func (s Shown) Compare(kept []metering.Reading) Verdict {
	v := Verdict{Excused: map[string]int{}}
	shown := s.sights(&v)
	at := map[sight]time.Time{}
	for _, r := range kept {
		gateway, compared := s.Gateways[r.Meter]
		if !compared || r.Quantity != metering.Index {
			continue
		}
		k := sight{r.Meter, r.Amount}
		e, ever := shown[k]
		before, twice := at[k]
		switch {
		case !ever:
			v.fault(&v.Wrong, "%s %d is kept at %s and was never shown", k.meter, k.index, stamp(r.At))
		case twice:
			v.fault(&v.Double, "%s %d is kept twice, at %s and %s", k.meter, k.index, stamp(before), stamp(r.At))
		case !s.fits(gateway, e, r.At):
			v.fault(&v.Wrong, "%s %d is kept at %s, it was shown from %s to %s", k.meter, k.index, stamp(r.At), stamp(e.Received), stamp(e.Answered))
		}
		at[k] = r.At
	}
	v.Kept = len(at)
	s.absent(&v, at)
	return v
}

// sights are the indexes of the meters that are compared.
func (s Shown) sights(v *Verdict) map[sight]served.Entry {
	shown := map[sight]served.Entry{}
	for _, e := range s.Served {
		if _, compared := s.Gateways[e.Meter]; !compared || e.Quantity != metering.Index {
			continue
		}
		k := sight{e.Meter, e.Index}
		if _, twice := shown[k]; twice {
			v.fault(&v.Wrong, "%s showed %d twice: the simulator is at fault", e.Meter, e.Index)
		}
		shown[k] = e
	}
	return shown
}

// fits reports whether an instant is one at which the gateway can have read the
// entry: its request lasts from before the meter has it whole to the answer's
// arrival, at most a timeout later.
func (s Shown) fits(gateway metering.GatewayID, e served.Entry, at time.Time) bool {
	steps := []time.Duration{0}
	if s.Steps != nil {
		steps = s.Steps(gateway, e.Received)
	}
	return slices.ContainsFunc(steps, func(step time.Duration) bool {
		read := at.Add(-step)
		return !read.Before(e.Received.Add(-time.Millisecond)) && !read.After(e.Received.Add(s.Timeout))
	})
}

// absent judges what was shown and is not kept. Each kill excuses one index a
// meter: the cycle that was not fsynced yet.
func (s Shown) absent(v *Verdict, at map[sight]time.Time) {
	used := map[string]bool{}
	for _, e := range s.Served {
		gateway, compared := s.Gateways[e.Meter]
		if !compared || e.Quantity != metering.Index || e.Received.After(s.Until) {
			continue
		}
		v.Compared++
		if _, ok := at[sight{e.Meter, e.Index}]; ok {
			continue
		}
		v.Compared--
		reason := ""
		if s.Excused != nil {
			reason = s.Excused(gateway, e)
		}
		switch {
		case s.cut(e, gateway, used):
			v.Cut++
		case reason != "":
			v.Excused[reason]++
		default:
			v.Compared++
			v.fault(&v.Missing, "%s %d, shown at %s to %s, is missing", e.Meter, e.Index, stamp(e.Received), gateway)
		}
	}
}

func (s Shown) cut(e served.Entry, gateway metering.GatewayID, used map[string]bool) bool {
	for i, k := range s.Kills {
		name := fmt.Sprint(i, e.Meter)
		if k.Gateway == gateway && !used[name] && e.Received.Before(k.Gone.Add(grace)) && k.From.Sub(e.Received) < s.Cycle {
			used[name] = true
			return true
		}
	}
	return false
}

func stamp(at time.Time) string { return at.UTC().Format("15:04:05.000") }
