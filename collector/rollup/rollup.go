// Package rollup turns readings into hours, days and months of consumption.
//
// Every boundary of a period has an index, read or interpolated; a period is the
// difference of its two boundaries, so that sums over any range telescope. A
// late reading recomputes the periods between its neighbours. An open period is
// not written.
//
// What must be recomputed is written to a journal and synced before a pack is
// answered, so that a kill between the write of a reading and its rollup loses
// nothing. Rolling up before the answer would be simpler, but would tie the
// answer to queries and make a back-fill of a year read that year once a batch.
package rollup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Config says when a meter's dirty range is rolled up, and where the journal is.
type Config struct {
	Journal string        // path of the journal; its folder must exist
	Quiet   time.Duration // roll up when a meter got nothing new for this long
	AtMost  time.Duration // and at the latest after this long
}

// A Rollup keeps the periods of all meters up to date with their readings. Its
// methods may be called concurrently.
type Rollup struct {
	config Config
	store  *influx.Client
	sites  *sites.Directory
	log    *slog.Logger
	lag    prometheus.Gauge

	ranges, periods, overtaken prometheus.Counter

	mu      sync.Mutex
	journal *journal
	meters  map[metering.MeterID]*meterState
	dirty   map[metering.MeterID]*dirt
	working map[metering.MeterID]time.Time // taken out of dirty, not yet rolled up: since when it waits
	bound   map[metering.MeterID]bool      // to be caught up
	seeking bool                           // a catch-up is under way
}

// meterState is what decides without a query whether a reading matters.
type meterState struct {
	meter   *sites.Meter
	asOf    *sites.Snapshot // that says so of the meter
	period  influx.Period   // its shortest
	touched []span          // by the readings in hand

	last  metering.Reading
	next  time.Time // the next boundary after last
	fell  bool      // last was lower than its predecessor: the next one explains it
	known bool
}

// dirt is the ranges of one meter whose periods must be recomputed.
type dirt struct {
	spans []span
	since time.Time // of the oldest
	until time.Time // when the newest was added
}

// New opens the journal and takes up what it holds. Only one process may use a
// journal.
func New(c Config, store *influx.Client, directory *sites.Directory, log *slog.Logger, figures prometheus.Registerer) (*Rollup, error) {
	j, left, err := openJournal(c.Journal)
	if err != nil {
		return nil, err
	}
	r := &Rollup{config: c, store: store, sites: directory, log: log, journal: j,
		lag: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xnet_collector_rollup_lag_seconds",
			Help: "How long the oldest reading has waited to be rolled up."}),
		meters: map[metering.MeterID]*meterState{}, dirty: map[metering.MeterID]*dirt{},
		working: map[metering.MeterID]time.Time{}, bound: map[metering.MeterID]bool{}}
	pending := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "xnet_collector_rollup_pending_meters",
		Help: "Meters with readings that are stored and not rolled up yet."}, func() float64 { return float64(r.Pending()) })
	if err := r.register(figures, pending); err != nil {
		return nil, fmt.Errorf("open rollup: %w", err)
	}
	for m, spans := range left {
		r.dirty[m] = &dirt{spans: spans}
	}
	if len(left) > 0 {
		log.Info("rollup takes up interrupted work", "meters", len(left))
	}
	return r, nil
}

func (r *Rollup) register(figures prometheus.Registerer, pending prometheus.Collector) error {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_collector_rollup_" + name + "_total", Help: help})
	}
	r.ranges = counter("ranges", "Ranges of one meter that were computed.")
	r.periods = counter("periods", "Hours, days and months that were written.")
	r.overtaken = counter("overtaken", "Ranges computed again because readings arrived meanwhile.")
	return errors.Join(figures.Register(r.lag), figures.Register(pending), figures.Register(r.ranges),
		figures.Register(r.periods), figures.Register(r.overtaken))
}

// Close closes the journal.
func (r *Rollup) Close() error { return r.journal.close() }

// Mark notes readings that are stored. When it returns nil their rollup is as
// sure as they are. On an error they must be marked again, as when their pack
// is sent again.
func (r *Rollup) Mark(rs []metering.Reading) error {
	meters, round := r.note(rs)
	if len(meters) == 0 {
		return nil
	}
	err := r.journal.sync(round)
	if err == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range meters {
		delete(r.meters, id) // so that the repetition matters again
	}
	return fmt.Errorf("mark %d readings for the rollup: %w", len(rs), err)
}

// note makes dirty what readings touch and returns the meters with the round of
// the journal that will tell of them. The rollup may be faster than the disk: it
// only does what must be done anyway.
func (r *Rollup) note(rs []metering.Reading) ([]metering.MeterID, *round) {
	r.mu.Lock()
	defer r.mu.Unlock()
	touched, now := r.touch(rs), time.Now()
	round := r.journal.add(touched)
	meters := make([]metering.MeterID, len(touched))
	for i, st := range touched {
		meters[i] = st.meter.Meter
		r.add(meters[i], st.touched, now)
		st.touched = st.touched[:0]
	}
	return meters, round
}

// touch returns the meters of which closed periods may change, each with what of
// it is touched.
func (r *Rollup) touch(rs []metering.Reading) []*meterState {
	var touched []*meterState
	snapshot := r.sites.Now()
	for i := range rs {
		if rs[i].Quantity != metering.Index {
			continue
		}
		st := r.state(snapshot, rs[i].Meter)
		if st == nil || !st.matters(&rs[i]) {
			continue
		}
		if len(st.touched) == 0 {
			touched = append(touched, st)
		}
		st.touched = extend(st.touched, rs[i].At)
	}
	return touched
}

// state returns what is known of the meter's readings, nil for one that is not
// rolled up.
func (r *Rollup) state(now *sites.Snapshot, id metering.MeterID) *meterState {
	st := r.meters[id]
	if st != nil && st.asOf == now {
		return st
	}
	m, known := now.Meter(id)
	if !known || len(m.Periods()) == 0 {
		delete(r.meters, id)
		return nil
	}
	if st == nil {
		st = &meterState{}
		r.meters[id] = st
	}
	st.meter, st.asOf, st.period = m, now, m.Periods()[0]
	return st
}

// matters reports whether reading x can change a closed period, and remembers
// it. A reading that follows the last within the same period does not.
func (st *meterState) matters(x *metering.Reading) bool {
	late := st.known && !x.At.After(st.last.At)
	if late {
		return *x != st.last
	}
	fell := st.known && x.Amount < st.last.Amount
	matters := !st.known || st.fell || fell || !x.At.Before(st.next)
	if matters {
		st.next = st.meter.Next(st.period, x.At)
	}
	st.last, st.fell, st.known = *x, fell, true
	return matters
}

func (r *Rollup) add(id metering.MeterID, spans []span, now time.Time) {
	d := r.dirty[id]
	if d == nil {
		d = &dirt{since: now}
		r.dirty[id] = d
	}
	d.spans, d.until = merge(append(d.spans, spans...)), now
}

// Bound asks to catch up with meters that a registry newly knows, or knows
// otherwise: from their last stored period to their latest reading.
func (r *Rollup) Bound(ids []metering.MeterID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.bound[id] = true
		delete(r.meters, id)
	}
}

// Run rolls up until ctx ends. What is left then stays in the journal.
func (r *Rollup) Run(ctx context.Context) {
	wait, waits := r.config.Quiet/4, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(wait, 10*time.Millisecond)):
		}
		wait = r.config.Quiet / 4
		err := r.round(ctx)
		if err != nil && ctx.Err() == nil {
			wait = r.config.Quiet * 2
			if !waits { // once is enough, however long it lasts
				r.log.Warn("rollup waits", "error", err)
			}
		} else if waits {
			r.log.Info("rollup goes on")
		}
		waits = err != nil
		r.lag.Set(r.Lag().Seconds())
	}
}

// Lag is how long the oldest unfinished work waits.
func (r *Rollup) Lag() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	oldest := time.Duration(0)
	for _, d := range r.dirty {
		oldest = max(oldest, waited(d.since))
	}
	for _, since := range r.working {
		oldest = max(oldest, waited(since))
	}
	return oldest
}

// waited is how long ago since was; of what a journal left nobody knows it.
func waited(since time.Time) time.Duration {
	if since.IsZero() {
		return 0
	}
	return time.Since(since)
}

// Pending is how many meters may have readings that are stored and not rolled
// up yet.
func (r *Rollup) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	meters := map[metering.MeterID]bool{} // one can wait for several reasons
	maps.Copy(meters, r.bound)
	for id := range r.dirty {
		meters[id] = true
	}
	for id := range r.working {
		meters[id] = true
	}
	n := len(meters)
	if r.seeking {
		n++
	}
	return n
}

// Idle reports whether nothing is left to roll up.
func (r *Rollup) Idle() bool { return r.Pending() == 0 }

func (r *Rollup) round(ctx context.Context) error {
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	items := r.take(time.Now())
	if len(items) == 0 {
		return nil
	}
	begun := time.Now()
	done, err := settle(ctx, r.store, r.sites, items, nil)
	for _, lost := range done.lost {
		r.log.Error("periods are not computed: see the reason, then run collector rollup", "error", lost)
	}
	r.finish(items, done, err)
	if err != nil {
		return err
	}
	r.log.Debug("rolled up", "ranges", len(items), "periods", done.periods, "seconds", time.Since(begun).Seconds())
	return nil
}

// take moves what is ripe from dirty to working. A meter that no registry knows
// stays dirty until one does.
func (r *Rollup) take(now time.Time) []*item {
	r.mu.Lock()
	defer r.mu.Unlock()
	snapshot := r.sites.Now()
	var items []*item
	for _, id := range slices.Sorted(maps.Keys(r.dirty)) {
		d := r.dirty[id]
		m, known := snapshot.Meter(id)
		ripe := now.Sub(d.until) >= r.config.Quiet || now.Sub(d.since) >= r.config.AtMost
		if known && len(m.Periods()) == 0 {
			delete(r.dirty, id) // consent was withdrawn meanwhile
			continue
		}
		if !known || !ripe {
			continue
		}
		// One range of a meter at a time: its index may carry on to the next. A
		// meter that is read once a day or less has so few readings that its
		// ranges are cheaper as one.
		if m.Periods()[0] != influx.Hourly {
			d.spans = []span{hull(d.spans)}
		}
		items = append(items, newItem(m, d.spans[0]))
		r.working[id] = d.since
		if d.spans = d.spans[1:]; len(d.spans) == 0 {
			delete(r.dirty, id)
		}
	}
	return items
}

// finish forgets what has been rolled up, or takes it back after an error, and
// shortens the journal.
func (r *Rollup) finish(items []*item, done *outcome, failed error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ranges.Add(float64(len(items)))
	r.periods.Add(float64(done.periods))
	if failed == nil {
		items = done.overtaken
		r.overtaken.Add(float64(len(items)))
	}
	for _, it := range items {
		r.add(it.meter.Meter, []span{it.dirty}, time.Now())
		d := r.dirty[it.meter.Meter]
		d.since = earlier(d.since, r.working[it.meter.Meter])
	}
	clear(r.working)
	left := make(map[metering.MeterID][]span, len(r.dirty))
	for id, d := range r.dirty {
		left[id] = d.spans
	}
	if err := r.journal.shorten(left); err != nil {
		r.log.Error("journal of the rollup cannot be shortened: look at its disk", "error", err)
	}
}
