package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Eraser works off what is to be erased, until it is done: over restarts, and
// while InfluxDB is away. Several programs may run one; erasing twice is erasing
// once.
type Eraser struct {
	store  *Store
	influx *influx.Client
	log    *slog.Logger
	now    func() time.Time
	told   func() time.Time // see [Eraser.Told]; nil where nobody is to be told
	also   []Forgetter

	done    prometheus.Counter
	failed  prometheus.Counter
	pending prometheus.Gauge
	oldest  prometheus.Gauge
}

// NewEraser returns an eraser whose figures are registered.
func NewEraser(store *Store, client *influx.Client, log *slog.Logger, figures prometheus.Registerer, now func() time.Time) (*Eraser, error) {
	e := &Eraser{store: store, influx: client, log: log, now: now,
		done: prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_api_erasures_done_total",
			Help: "Erasures that were worked off."}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_api_erasure_failures_total",
			Help: "Attempts at an erasure that failed and are repeated."}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xnet_api_erasures_pending",
			Help: "Erasures that were asked for and are not done yet."}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xnet_api_erasure_oldest_seconds",
			Help: "How long the oldest erasure has waited."})}
	for _, c := range []prometheus.Collector{e.done, e.failed, e.pending, e.oldest} {
		if err := figures.Register(c); err != nil {
			return nil, fmt.Errorf("erasures: %w", err)
		}
	}
	return e, nil
}

// Told gives the eraser what says since when collectors have been told of every
// erasure, without a break; zero for not. A collector that has not heard of one
// stores what a gateway's spool still held of that time: an erasure is repeated,
// and done only when nobody can store such a thing any more.
func (e *Eraser) Told(since func() time.Time) { e.told = since }

// A Forgetter erases what another area concluded from what is erased.
type Forgetter interface {
	// Forget deletes what was concluded from the parts of an erasure. It must be
	// idempotent, and is called again as long as it fails.
	Forget(ctx context.Context, e Erasure) error
}

// Also has others forget too, at each erasure.
func (e *Eraser) Also(others ...Forgetter) { e.also = append(e.also, others...) }

// For so long after it was asked for, and after collectors were told again, what
// was erased may still come in: a look at the registry, and a write under way.
const (
	untilTold   = 30 * time.Second
	untilStored = 10 * time.Second
)

// final reports whether what was erased at an instant is erased for good.
func (e *Eraser) final(asked, erased time.Time) bool {
	if e.told == nil {
		return true
	}
	since := e.told()
	return !since.IsZero() && !erased.Before(asked.Add(untilTold)) && !erased.Before(since.Add(untilStored))
}

// heardUntil is the instant up to which a collector may have stored what a
// household had taken back, because it had not heard of it: now, as long as the
// broker is away. Zero where nobody is to be told.
func (e *Eraser) heardUntil(now time.Time) time.Time {
	if e.told == nil {
		return time.Time{}
	}
	if since := e.told(); !since.IsZero() {
		return earlier(now, since.Add(untilStored))
	}
	return now
}

// pace is how often the store is asked for something to erase.
const pace = 2 * time.Second

// Run works until ctx ends.
func (e *Eraser) Run(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := e.Round(ctx); err != nil && ctx.Err() == nil {
			e.log.Error("erasures wait: look at the database and its disk", "error", err)
		}
	}
}

// Round does once what is due: it ends consents that expired, asks for the fine
// data of those who left to be erased, and erases. What InfluxDB did not take is
// tried again later and is no error.
func (e *Eraser) Round(ctx context.Context) error {
	now := e.now()
	if err := e.store.EndExpired(ctx, now); err != nil {
		return err
	}
	moved, err := e.store.OrderMoves(ctx, now)
	if err != nil {
		return err
	}
	if moved > 0 {
		e.log.Info("departures noted: fine data will be erased", "departures", moved)
	}
	due, err := e.store.due(ctx, now)
	if err != nil {
		return err
	}
	for _, d := range due {
		if err := e.work(ctx, d); err != nil {
			return err
		}
	}
	return e.measure(ctx)
}

func (e *Eraser) work(ctx context.Context, d Erasure) error {
	begun := e.now()
	parts, failed := e.store.reach(ctx, d, e.heardUntil(begun))
	if failed == nil {
		failed = e.erase(ctx, parts)
	}
	for _, other := range e.also {
		if failed == nil {
			failed = other.Forget(ctx, d)
		}
	}
	if ctx.Err() != nil {
		return nil // it is due again at the next start
	}
	if failed != nil {
		e.failed.Inc()
		e.log.Warn("erasure waits", "erasure", d.ID, "attempts", d.Attempts+1, "error", failed)
		return e.store.postpone(ctx, d, e.now(), failed)
	}
	if !e.final(d.Asked, begun) {
		return e.store.repeat(ctx, d.ID, e.now())
	}
	e.done.Inc()
	e.log.Info("erased", "erasure", d.ID, "what", d.What, "why", d.Why, "meters", len(d.Parts))
	return e.store.finish(ctx, d.ID, e.now())
}

// erase takes what people look at first: the hours of a year go at once, while
// its readings take a minute.
func (e *Eraser) erase(ctx context.Context, parts []Part) error {
	for _, p := range parts {
		if err := e.influx.CoarsenPeriods(ctx, p.Meter, p.From, p.To, p.Keep); err != nil {
			return err
		}
	}
	for _, p := range parts {
		starts, err := p.starts()
		if err != nil {
			return err
		}
		if err := e.influx.Coarsen(ctx, p.Meter, p.From, p.To, p.Keep, starts); err != nil {
			return err
		}
	}
	return nil
}

// starts returns the instants at which the periods of the resolution that stays
// begin within the part; the first is the part's own begin.
func (p Part) starts() ([]time.Time, error) {
	zone, err := time.LoadLocation(p.ZoneName)
	if err != nil {
		return nil, fmt.Errorf("erasure of meter %s: zone %q: %w", p.Meter, p.ZoneName, err)
	}
	starts := []time.Time{p.From}
	for next := p.after(p.From, zone); next.Before(p.To); next = p.after(next, zone) {
		starts = append(starts, next)
	}
	return starts, nil
}

// after returns the begin of the next period; the part's end where it has none.
func (p Part) after(at time.Time, zone *time.Location) time.Time {
	switch p.Keep {
	case metering.Hour:
		return at.UTC().Truncate(time.Hour).Add(time.Hour)
	case metering.Day:
		return civil.DateIn(at, zone).AddDays(1).Start(zone)
	case metering.Month:
		return civil.DateIn(at, zone).MonthOf().Next().First().Start(zone)
	default:
		return p.To
	}
}

const waitingErasures = `
SELECT COUNT(*), COALESCE(MIN(asked_ms), 0)
  FROM erasure
 WHERE done_ms IS NULL`

func (e *Eraser) measure(ctx context.Context) error {
	var waiting int
	var oldestMs int64
	if err := e.store.db.QueryRowContext(ctx, waitingErasures).Scan(&waiting, &oldestMs); err != nil {
		return fmt.Errorf("count erasures: %w", err)
	}
	e.pending.Set(float64(waiting))
	e.oldest.Set(0)
	if waiting > 0 {
		e.oldest.Set(max(0, e.now().Sub(sqldb.Time(oldestMs)).Seconds()))
	}
	return nil
}

const dueErasures = erasureColumns + `
 WHERE done_ms IS NULL
   AND due_ms <= $1
 ORDER BY due_ms, id
 LIMIT 20`

const partsOf = `
SELECT meter_id, from_ms, to_ms, keep, zone
  FROM erasure_part
 WHERE erasure_id = $1
 ORDER BY meter_id, from_ms`

// due lists erasures whose time has come, with their parts.
func (s *Store) due(ctx context.Context, now time.Time) ([]Erasure, error) {
	rows, err := s.db.QueryContext(ctx, dueErasures, sqldb.Ms(now))
	if err != nil {
		return nil, fmt.Errorf("erasures that are due: %w", err)
	}
	due, err := sqldb.Collect(rows, scanErasure)
	if err != nil {
		return nil, fmt.Errorf("erasures that are due: %w", err)
	}
	for i := range due {
		if due[i].Parts, err = s.parts(ctx, due[i].ID); err != nil {
			return nil, fmt.Errorf("erasure %s: %w", due[i].ID, err)
		}
	}
	return due, nil
}

func (s *Store) parts(ctx context.Context, erasure string) ([]Part, error) {
	rows, err := s.db.QueryContext(ctx, partsOf, erasure)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (p Part, err error) {
		var fromMs, toMs int64
		err = rows.Scan(&p.Meter, &fromMs, &toMs, (*string)(&p.Keep), &p.ZoneName)
		p.From, p.To = sqldb.Time(fromMs), sqldb.Time(toMs)
		return p, err
	})
}

// A part that reached to the request goes on to a later instant, as long as the
// household still lives there, the meter still hangs there, and it has not agreed
// anew. $3 is a day on which the household must not have left.
const reachPart = `
UPDATE erasure_part
   SET to_ms = $2
 WHERE erasure_id = $1
   AND to_ms < $2
   AND EXISTS (SELECT 1
                 FROM erasure
                 JOIN tenancy ON tenancy.id = erasure.tenancy_id
                 JOIN point ON point.dwelling_id = tenancy.dwelling_id
                 JOIN binding ON binding.point_id = point.id
                WHERE erasure.id = erasure_part.erasure_id
                  AND erasure_part.to_ms > erasure.asked_ms
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
                  AND binding.meter_id = erasure_part.meter_id
                  AND binding.to_ms IS NULL
                  AND NOT EXISTS (SELECT 1
                                    FROM consent
                                   WHERE consent.tenancy_id = tenancy.id
                                     AND consent.from_ms > erasure.asked_ms))`

// reach has the parts of an erasure reach to an instant and returns them.
func (s *Store) reach(ctx context.Context, e Erasure, until time.Time) ([]Part, error) {
	if until.IsZero() {
		return e.Parts, nil
	}
	tomorrow := civil.DateIn(until, time.UTC).AddDays(1) // whatever the zone
	if _, err := s.db.ExecContext(ctx, reachPart, e.ID, sqldb.Ms(until), tomorrow.String()); err != nil {
		return nil, fmt.Errorf("erasure %s: %w", e.ID, err)
	}
	return s.parts(ctx, e.ID)
}

const finishErasure = `
UPDATE erasure
   SET done_ms = $2,
       attempts = attempts + 1,
       fault = ''
 WHERE id = $1
   AND done_ms IS NULL`

func (s *Store) finish(ctx context.Context, id string, at time.Time) error {
	if _, err := s.db.ExecContext(ctx, finishErasure, id, sqldb.Ms(at)); err != nil {
		return fmt.Errorf("finish erasure %s: %w", id, err)
	}
	return nil
}

const repeatErasure = `
UPDATE erasure
   SET due_ms = $2,
       fault = ''
 WHERE id = $1
   AND done_ms IS NULL`

// repeat has an erasure that worked done once more, a little later.
func (s *Store) repeat(ctx context.Context, id string, now time.Time) error {
	if _, err := s.db.ExecContext(ctx, repeatErasure, id, sqldb.Ms(now.Add(untilStored))); err != nil {
		return fmt.Errorf("repeat erasure %s: %w", id, err)
	}
	return nil
}

const postponeErasure = `
UPDATE erasure
   SET due_ms = $2,
       attempts = attempts + 1,
       fault = $3
 WHERE id = $1
   AND done_ms IS NULL`

// longestPause is between two attempts.
const longestPause = 10 * time.Minute

// postpone notes why, without the cause's own words, which may bear an address.
func (s *Store) postpone(ctx context.Context, e Erasure, now time.Time, why error) error {
	fault := "erasing did not work: see the log of the api"
	if errors.Is(why, influx.ErrTemporary) {
		fault = influx.ErrTemporary.Error()
	}
	pause := min(longestPause, pace<<min(e.Attempts, 10))
	if _, err := s.db.ExecContext(ctx, postponeErasure, e.ID, sqldb.Ms(now.Add(pause)), fault); err != nil {
		return fmt.Errorf("postpone erasure %s: %w", e.ID, err)
	}
	return nil
}
