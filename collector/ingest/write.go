package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// Waits between attempts to write, doubled each time.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// write stores batches and answers them, until the channel is closed.
func (in *Ingester) write(ctx context.Context, batches <-chan *batch) {
	for b := range batches {
		begun := time.Now()
		if in.store(ctx, b) {
			in.figures.seconds.Observe(time.Since(begun).Seconds())
		}
	}
}

// store writes a batch until it is durable, marks it for the rollup, and only
// then answers. It reports whether it did; what is not answered is sent again.
// Packs that InfluxDB rejects are told apart by halving.
func (in *Ingester) store(ctx context.Context, b *batch) bool {
	err := in.insist(ctx, b)
	switch {
	case errors.Is(err, influx.ErrRejected) && len(b.packs) > 1:
		left, right := b.halves()
		in.store(ctx, left)
		return in.store(ctx, right)
	case errors.Is(err, influx.ErrRejected):
		// What it did not reject of the pack is stored, and counts.
		in.mark(b)
		in.refuse(b.packs[0], rejected, err.Error())
		return true
	case err != nil:
		return false // the end came first
	case !in.mark(b):
		return false
	}
	in.figures.stored.Add(float64(len(b.readings)))
	in.answerAll(b)
	return true
}

// insist writes the batch again and again while the fault is temporary.
func (in *Ingester) insist(ctx context.Context, b *batch) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		in.figures.erased.Add(float64(b.forget(in.Sites.Now())))
		err := in.Store.WriteReadings(ctx, b.readings)
		if err == nil || errors.Is(err, influx.ErrRejected) {
			in.failing.Store(0)
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if in.failing.CompareAndSwap(0, time.Now().UnixMilli()) {
			in.Log.Warn("influxdb does not take readings, trying on", "packs", len(b.packs), "error", err)
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

func (in *Ingester) mark(b *batch) bool {
	if err := in.Rollup.Mark(b.readings); err != nil {
		in.Log.Error("packs stay unanswered: look at the disk of the rollup journal", "packs", len(b.packs), "error", err)
		return false
	}
	return true
}

// halves cuts the batch between packs.
func (b *batch) halves() (left, right *batch) {
	mid := len(b.packs) / 2
	cut := b.ends[mid-1]
	left = &batch{packs: b.packs[:mid], readings: b.readings[:cut:cut], ends: b.ends[:mid], seen: b.seen}
	right = &batch{packs: b.packs[mid:], readings: b.readings[cut:], seen: b.seen}
	for _, end := range b.ends[mid:] {
		right.ends = append(right.ends, end-cut)
	}
	return left, right
}

// answerAll sends one message a gateway and spool.
func (in *Ingester) answerAll(b *batch) {
	type spool struct {
		source wire.Source
		id     wire.SpoolID
	}
	stored := map[spool][]wire.Seq{}
	for _, m := range b.packs {
		key := spool{m.source, m.pack.Spool}
		stored[key] = append(stored[key], m.pack.Seq)
	}
	for key, seqs := range stored {
		in.answer(key.source, wire.Stored{Spool: key.id, Stored: seqs})
	}
}
