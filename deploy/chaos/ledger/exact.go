package ledger

import (
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

type register struct {
	meter    metering.MeterID
	quantity metering.Quantity
	ms       int64
}

func registerOf(r metering.Reading) register { return register{r.Meter, r.Quantity, r.At.UnixMilli()} }

// Lacking returns what of some readings is not among others, each reading once:
// another amount at the same instant is another reading.
func Lacking(some, others []metering.Reading) (lacking []metering.Reading) {
	type reading struct {
		register
		amount metering.Amount
	}
	known := map[reading]bool{}
	for _, r := range others {
		known[reading{registerOf(r), r.Amount}] = true
	}
	for _, r := range some {
		k := reading{registerOf(r), r.Amount}
		if !known[k] {
			known[k] = true
			lacking = append(lacking, r)
		}
	}
	return lacking
}

// Exact holds what is stored against what had to be, reading by reading: meter,
// quantity, instant and amount. A reading that had to be stored and is not is
// missing; one with another amount is wrong, and so is one that nobody wrote. An
// index that a meter showed once, at or after since, and that is stored at two
// instants is double.
func Exact(wanted, stored []metering.Reading, since time.Time) Verdict {
	var v Verdict
	want := map[register]metering.Amount{}
	for _, r := range wanted {
		k := registerOf(r)
		if before, twice := want[k]; twice && before != r.Amount {
			v.fault(&v.Wrong, "%s/%s at %s was written as %d and as %d", r.Meter, r.Quantity, stamp(r.At), before, r.Amount)
		}
		want[k] = r.Amount
	}
	v.Compared = len(want)
	found := map[register]bool{}
	at := map[sight]time.Time{}
	for _, r := range stored {
		k := registerOf(r)
		amount, known := want[k]
		switch {
		case !known:
			v.fault(&v.Wrong, "%s/%s %d at %s is stored and nobody wrote it", r.Meter, r.Quantity, r.Amount, stamp(r.At))
		case amount != r.Amount:
			v.fault(&v.Wrong, "%s/%s at %s is stored as %d, it was written as %d", r.Meter, r.Quantity, stamp(r.At), r.Amount, amount)
		}
		found[k] = true
		if r.Quantity != metering.Index || r.At.Before(since) {
			continue
		}
		s := sight{r.Meter, r.Amount}
		if before, twice := at[s]; twice {
			v.fault(&v.Double, "%s %d is stored twice, at %s and %s", r.Meter, r.Amount, stamp(before), stamp(r.At))
		}
		at[s] = r.At
	}
	v.Kept = len(found)
	for k, amount := range want {
		if !found[k] {
			v.fault(&v.Missing, "%s/%s %d, written to a spool with the instant %s, is missing", k.meter, k.quantity, amount, stamp(time.UnixMilli(k.ms)))
		}
	}
	return v
}
