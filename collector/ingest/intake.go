package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A message is one payload on its way, later with the pack decoded from it.
type message struct {
	topic   string
	source  wire.Source
	payload []byte
	pack    wire.Pack
	refusal string // why a part of the pack is in the quarantine, "" for none
	room    int    // taken by it, see [room]
}

// A batch is packs that are written together, and their readings to write.
type batch struct {
	packs    []*message
	readings []metering.Reading
	ends     []int           // of each pack's readings
	seen     *sites.Snapshot // by which the first of them was sifted
	bytes    int             // of the packs' payloads
	accepted int64           // writes that InfluxDB had taken before this one
}

// full reports whether the batch takes no more packs. Payloads may be far larger
// than their readings, and packs may have none: both are bounded too.
func (b *batch) full(c *Config) bool {
	return len(b.readings)+len(b.packs) >= c.BatchReadings || b.bytes >= c.RoomBytes/6
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	clear(b.packs)
	*b = batch{packs: b.packs[:0], readings: b.readings[:0], ends: b.ends[:0]}
}

// The intake decodes, checks and batches; one goroutine.
type intake struct {
	*Ingester
	out   chan<- *batch
	keep  *keeper
	batch *batch
	born  time.Time // of the batch's first pack

	held    map[metering.SiteID][]*message // until the registry comes
	heldAt  map[metering.SiteID]time.Time
	waiting int // packs held
}

func newIntake(in *Ingester, out chan<- *batch) *intake {
	return &intake{Ingester: in, out: out, keep: newKeeper(), batch: &batch{},
		held: map[metering.SiteID][]*message{}, heldAt: map[metering.SiteID]time.Time{}}
}

// run works until ctx ends and then passes on what is left, until last ends.
func (k *intake) run(ctx, last context.Context) {
	defer close(k.out)
	defer k.beat.Store(0)
	tick := time.NewTicker(max(k.config.BatchAge/2, time.Millisecond))
	defer tick.Stop()
	for {
		k.beat.Store(time.Now().UnixMilli())
		var queue <-chan *message
		if k.waiting < max(1, k.config.Queue/2) && !k.batch.full(&k.config) {
			queue = k.queue
		}
		var out chan<- *batch
		if k.ripe() {
			out = k.out
		}
		select {
		case m := <-queue:
			k.accept(ctx, m)
		case out <- k.batch:
			k.batch = k.fresh()
		case <-k.changed:
			k.release(ctx)
		case <-tick.C:
			k.expire(ctx, time.Now())
		case <-ctx.Done():
			k.drain(last)
			return
		}
	}
}

// ripe reports whether the batch is to be written: at once where nothing else is
// being written, else when it is full or has waited for long enough. InfluxDB
// takes one large batch for less than several small ones, and while it is busy
// waiting costs nobody anything.
func (k *intake) ripe() bool {
	if len(k.batch.packs) == 0 {
		return false
	}
	age := k.config.BatchAge
	if k.writing.Load() > 0 {
		age *= patientBatches
	}
	return k.batch.full(&k.config) || time.Since(k.born) >= age
}

// patientBatches is how many times as long a batch waits while another is being
// written.
const patientBatches = 5

// fresh returns an empty batch, in the memory of a written one where there is one.
func (k *intake) fresh() *batch {
	select {
	case b := <-k.written:
		return b
	default:
		return &batch{}
	}
}

// drain empties the queue into last batches. Packs that wait for a registry are
// left to their gateways.
func (k *intake) drain(last context.Context) {
	for {
		select {
		case m := <-k.queue:
			k.accept(last, m)
			if !k.batch.full(&k.config) {
				continue
			}
		default:
		}
		if len(k.batch.packs) == 0 {
			return
		}
		select {
		case k.out <- k.batch:
			k.batch = k.fresh()
		case <-last.Done():
			return
		}
	}
}

// accept decodes a pack and holds it where its site is not known yet.
func (k *intake) accept(ctx context.Context, m *message) {
	pack, err := wire.DecodePack(m.payload)
	m.pack = pack
	if err != nil {
		k.refuse(m, undecodable, err.Error())
		k.room.give(m)
		return
	}
	site := m.source.Site
	if _, known := k.Sites.Now().Earliest(site); known {
		k.admit(ctx, m)
		return
	}
	if since, ok := k.heldAt[site]; !ok {
		k.heldAt[site] = time.Now()
	} else if time.Since(since) >= k.config.Hold {
		k.admit(ctx, m) // it has been waited for long enough
		return
	}
	k.held[site] = append(k.held[site], m)
	k.waiting++
}

// release passes on the packs of sites that are now known.
func (k *intake) release(ctx context.Context) {
	snapshot := k.Sites.Now()
	for site := range k.heldAt {
		if _, known := snapshot.Earliest(site); known {
			k.letGo(ctx, site)
			delete(k.heldAt, site)
		}
	}
}

// expire stores the packs of sites whose registry does not come: better stored
// unchecked than lost.
func (k *intake) expire(ctx context.Context, now time.Time) {
	for site, since := range k.heldAt {
		if len(k.held[site]) > 0 && now.Sub(since) >= k.config.Hold {
			k.Log.Warn("no registry of this site, its packs are stored unchecked and not rolled up",
				"site", site, "packs", len(k.held[site]))
			k.letGo(ctx, site)
		}
	}
}

func (k *intake) letGo(ctx context.Context, site metering.SiteID) {
	for _, m := range k.held[site] {
		k.admit(ctx, m)
	}
	k.waiting -= len(k.held[site])
	delete(k.held, site)
}

// admit adds to the batch what of the pack may be kept.
func (k *intake) admit(ctx context.Context, m *message) {
	defer k.room.give(m)
	snapshot := k.Sites.Now()
	if !k.sift(m, snapshot) || !k.recall(ctx, snapshot, m.pack.Readings) {
		return
	}
	if len(k.batch.packs) == 0 {
		k.born, k.batch.seen = time.Now(), snapshot
	}
	dropped, unknown := 0, 0
	for i := range m.pack.Readings {
		r := m.pack.Readings[i].Reading
		meter, known := snapshot.Meter(r.Meter)
		switch {
		case !known:
			unknown++
		case !k.keep.allows(meter, r):
			dropped++
			continue
		}
		k.batch.readings = append(k.batch.readings, r)
	}
	k.figures.readings.Add(float64(len(m.pack.Readings)))
	k.figures.dropped.Add(float64(dropped))
	k.figures.unknown.Add(float64(unknown))
	m.pack.Readings = nil // their copies travel on
	k.batch.packs = append(k.batch.packs, m)
	k.batch.ends = append(k.batch.ends, len(k.batch.readings))
	k.batch.bytes += len(m.payload)
}

// refuse keeps the pack in the quarantine and answers that it is refused. What
// cannot be kept is not answered; what bears no number cannot be.
func (in *Ingester) refuse(m *message, class class, reason string) {
	if in.quarantined(m, class, reason) {
		in.answerRefused(m, reason)
	}
}

// quarantined keeps the pack, but for what was erased, and reports whether it is
// durable.
func (in *Ingester) quarantined(m *message, class class, reason string) bool {
	in.keeping.RLock() // a sweep sees this pack, or this sees the erasure
	defer in.keeping.RUnlock()
	payload, some := unerased(in.Sites.Now(), m.payload)
	if !some {
		return true
	}
	err := in.Quarantine.Keep(quarantine.Refused{At: time.Now().UTC(), Topic: m.topic, Source: m.source,
		Spool: m.pack.Spool, Seq: m.pack.Seq, Reason: reason, Payload: payload})
	if err != nil {
		in.figures.unkept.Inc()
		text := "quarantine cannot be written: look at its disk"
		if errors.Is(err, quarantine.ErrFull) {
			text = "refused pack stays with its gateway"
		}
		in.Log.Error(text, "gateway", m.source.String(), "seq", m.pack.Seq, "error", err)
		return false
	}
	in.figures.refused.WithLabelValues(string(class)).Inc()
	// The reason itself may quote the pack, which is personal.
	in.Log.Warn("pack refused", "gateway", m.source.String(), "spool", m.pack.Spool, "seq", m.pack.Seq, "reason", string(class))
	return true
}

func (in *Ingester) answerRefused(m *message, reason string) {
	if m.pack.Spool != "" {
		in.answer(m.source, wire.Stored{Spool: m.pack.Spool, Refused: []wire.Refusal{{Seq: m.pack.Seq, Reason: reason}}})
	}
}

func (in *Ingester) answer(to wire.Source, s wire.Stored) {
	if s.Stored == nil {
		s.Stored = []wire.Seq{}
	}
	payload, err := s.Encode()
	if err != nil {
		in.Log.Error("answer not written", "gateway", to.String(), "error", err)
		return
	}
	in.answers.publish(to.Topic(wire.StoredChannel), payload)
}
