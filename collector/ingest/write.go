package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Waits between attempts, doubled each time.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// write stores batches and answers them, until the channel is closed.
func (in *Ingester) write(ctx context.Context, batches <-chan *batch) {
	for b := range batches {
		begun := time.Now()
		in.writing.Add(1)
		if in.store(ctx, b) {
			in.figures.seconds.Observe(time.Since(begun).Seconds())
		}
		in.writing.Add(-1)
		b.reset()
		select {
		case in.written <- b:
		default:
		}
	}
}

// store writes a batch until it is durable, marks it for the rollup, and only
// then answers. It reports whether it did; what is not answered is sent again.
// What InfluxDB rejects is told apart from the rest and set aside.
func (in *Ingester) store(ctx context.Context, b *batch) bool {
	b.accepted = in.accepted.Load()
	err := in.insist(ctx, func(ctx context.Context) error {
		in.figures.erased.Add(float64(b.forget(in.Sites.Now())))
		return in.Store.WriteReadings(ctx, b.readings)
	})
	var bad []rejection
	if errors.Is(err, influx.ErrRejected) {
		bad, err = in.isolate(ctx, b, 0, len(b.readings), err)
	}
	if err != nil || !in.mark(b) {
		return false // the end came first
	}
	in.accepted.Add(1)
	in.figures.stored.Add(float64(len(b.readings) - len(bad)))
	in.noteArrivals(b)
	in.reject(b, bad)
	in.answerAll(b)
	return true
}

// insist does what asks InfluxDB for something until it succeeds or is rejected,
// or ctx ends. That InfluxDB is away is noted from the moment at which it was
// asked first, also while it lets the caller wait.
func (in *Ingester) insist(ctx context.Context, do func(context.Context) error) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := in.attempt(ctx, do)
		if err == nil || errors.Is(err, influx.ErrRejected) {
			in.failing.Store(0)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if in.failing.CompareAndSwap(0, time.Now().UnixMilli()) {
			in.Log.Warn("influxdb does not answer as it should, trying on", "error", err)
		}
		if errors.Is(err, influx.ErrAbsent) {
			in.setUpAgain(ctx)
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

func (in *Ingester) attempt(ctx context.Context, do func(context.Context) error) error {
	begun := time.Now()
	silent := time.AfterFunc(in.config.GiveUp, func() { in.failing.CompareAndSwap(0, begun.UnixMilli()) })
	defer silent.Stop()
	ctx, cancel := context.WithTimeout(ctx, in.config.AttemptTimeout)
	defer cancel()
	return do(ctx)
}

// setUpAgain makes the buckets anew where InfluxDB lost them.
func (in *Ingester) setUpAgain(ctx context.Context) {
	in.Log.Warn("influxdb has lost its buckets, they are made again")
	if err := in.Store.SetUp(ctx); err != nil && ctx.Err() == nil {
		in.Log.Error("buckets cannot be made", "error", err)
	}
}

// A rejection is one reading that InfluxDB does not take.
type rejection struct {
	at  int // in the batch
	err error
}

// isolate finds what InfluxDB rejects of b.readings[lo:hi], which was rejected
// for why, by halving; the rest is stored when it returns.
func (in *Ingester) isolate(ctx context.Context, b *batch, lo, hi int, why error) ([]rejection, error) {
	if hi-lo == 1 {
		return in.confirm(ctx, b, lo, why)
	}
	var bad []rejection
	mid := lo + (hi-lo)/2
	for _, part := range [][2]int{{lo, mid}, {mid, hi}} {
		err := in.writePart(ctx, b, part[0], part[1])
		if errors.Is(err, influx.ErrRejected) {
			found, failed := in.isolate(ctx, b, part[0], part[1], err)
			bad, err = append(bad, found...), failed
		} else if err == nil {
			in.accepted.Add(1)
		}
		if err != nil {
			return nil, err
		}
	}
	return bad, nil
}

// patience is how long a rejection is doubted while InfluxDB takes nothing else
// either: then it, or what stands before it, is more likely at fault than the
// reading.
const patience = 10 * time.Second

// confirm asks again about one reading before it is condemned.
func (in *Ingester) confirm(ctx context.Context, b *batch, i int, why error) ([]rejection, error) {
	begun := time.Now()
	for wait := firstRetry / 4; ; wait = min(2*wait, lastRetry) {
		if !sleep(ctx, wait) {
			return nil, ctx.Err()
		}
		err := in.writePart(ctx, b, i, i+1)
		if !errors.Is(err, influx.ErrRejected) {
			return nil, err
		}
		if in.accepted.Load() > b.accepted || time.Since(begun) > patience {
			return []rejection{{i, why}}, nil
		}
	}
}

// writePart writes b.readings[lo:hi] but for what was erased meanwhile.
func (in *Ingester) writePart(ctx context.Context, b *batch, lo, hi int) error {
	return in.insist(ctx, func(ctx context.Context) error {
		rs, now := b.readings[lo:hi], in.Sites.Now()
		if now != b.seen {
			var left []metering.Reading
			for _, r := range rs {
				if !isErased(now, r.Meter, r.At) {
					left = append(left, r)
				}
			}
			rs = left
		}
		return in.Store.WriteReadings(ctx, rs)
	})
}

// reject keeps what InfluxDB does not take in the quarantine. Packs of which it
// cannot be kept leave the batch unanswered.
func (in *Ingester) reject(b *batch, bad []rejection) {
	if len(bad) == 0 {
		return
	}
	in.figures.refusedReadings.WithLabelValues(string(rejected)).Add(float64(len(bad)))
	kept, begin := b.packs[:0], 0
	for i, m := range b.packs {
		end := b.ends[i]
		mine := 0
		for mine < len(bad) && bad[mine].at < end {
			mine++
		}
		if mine == 0 || in.rejectPart(m, b.readings, bad[:mine], mine == end-begin) {
			kept = append(kept, m)
		}
		bad, begin = bad[mine:], end
	}
	b.packs = kept
}

// rejectPart keeps the bad ones of the pack's readings.
func (in *Ingester) rejectPart(m *message, rs []metering.Reading, bad []rejection, all bool) bool {
	m.refusal = string(rejected) + ": " + bad[0].err.Error()
	if all {
		return in.quarantined(m, rejected, m.refusal)
	}
	pack, err := wire.DecodePack(m.payload) // for the units, which a batch does not carry
	if err != nil {
		return false
	}
	wanted := map[metering.Reading]bool{}
	for _, r := range bad {
		wanted[rs[r.at]] = true
	}
	part := pack.Readings[:0]
	for _, u := range pack.Readings {
		if wanted[u.Reading] {
			part = append(part, u)
		}
	}
	return in.quarantinedPart(m, part, rejected, m.refusal)
}

func (in *Ingester) noteArrivals(b *batch) {
	now, begin := time.Now(), 0
	for i, m := range b.packs {
		in.arrivals.Note(b.seen, m.source, b.readings[begin:b.ends[i]], now)
		begin = b.ends[i]
	}
}

func (in *Ingester) mark(b *batch) bool {
	if err := in.Rollup.Mark(b.readings); err != nil {
		in.Log.Error("packs stay unanswered: look at the disk of the rollup journal", "packs", len(b.packs), "error", err)
		return false
	}
	return true
}

// answerAll sends one message a gateway and spool.
func (in *Ingester) answerAll(b *batch) {
	type spool struct {
		source wire.Source
		id     wire.SpoolID
	}
	answers := map[spool]wire.Stored{}
	for _, m := range b.packs {
		key := spool{m.source, m.pack.Spool}
		a := answers[key]
		a.Spool = key.id
		if m.refusal == "" {
			a.Stored = append(a.Stored, m.pack.Seq)
		} else {
			a.Refused = append(a.Refused, wire.Refusal{Seq: m.pack.Seq, Reason: m.refusal})
		}
		answers[key] = a
	}
	for key, a := range answers {
		in.answer(key.source, a)
	}
}
