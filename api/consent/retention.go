package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// A Rule says how long something is kept in SQL. InfluxDB keeps to its own
// policies, which are only looked at.
type Rule struct {
	Name string
	// Years and Days are how long rows are kept after the instant in their
	// column.
	Years, Days int
	drop        string
}

// Rules is the table of what is kept for how long. The log of erasures is kept:
// it is what a restored back-up is held against, and names nobody.
var Rules = []Rule{
	{"sessions", 0, 0, `DELETE FROM session WHERE expires_ms <= $1`},
	{"e-mail codes", 0, 0, `DELETE FROM email_code WHERE expires_ms <= $1`},
	{"sign-in codes", 0, 30, `DELETE FROM sign_in WHERE expires_ms <= $1`},
	{"tokens", 0, 30, `DELETE FROM api_token WHERE expires_ms <= $1`},
	{"idempotency keys", 0, 1, `DELETE FROM idempotency WHERE created_ms <= $1`},
	{"sent messages", 0, 90, `DELETE FROM outbox WHERE done_ms <= $1`},
	{"stock imports", 0, 90, `DELETE FROM stock_import WHERE moved_ms <= $1`},
	{"access log", 3, 0, `DELETE FROM access_log WHERE at_ms <= $1`},
	{"consents", 3, 0, `DELETE FROM consent WHERE ended_ms <= $1`},
	{"departures", 3, 0, `DELETE FROM move_event WHERE handled_ms <= $1`},
	{"former mandates", 3, 0, `DELETE FROM mandate WHERE revoked_ms <= $1`},
}

// formerHouseholds is the rule that erases who left long ago; see
// [Store.Forget].
const (
	formerHouseholds      = "former households"
	formerHouseholdsYears = 3
)

// before is the instant up to which the rule drops at now.
func (r Rule) before(now time.Time) time.Time { return now.AddDate(-r.Years, 0, -r.Days) }

// A Dropped is what one rule did.
type Dropped struct {
	Rule string
	Rows int64
}

// Retain drops what is older than its rule allows, and returns what each rule
// dropped. A rule that fails does not keep the others from their work; the error
// joins what failed.
func (s *Store) Retain(ctx context.Context, now time.Time) ([]Dropped, error) {
	var all []Dropped
	var faults []error
	for _, r := range Rules {
		n, err := s.drop(ctx, r, now)
		faults = append(faults, err)
		all = append(all, Dropped{r.Name, n})
	}
	n, err := s.forgetFormer(ctx, now)
	all = append(all, Dropped{formerHouseholds, n})
	return all, errors.Join(append(faults, err)...)
}

const noteRun = `
INSERT INTO retention_run (rule, ran_ms, dropped)
VALUES ($1, $2, $3)
    ON CONFLICT (rule) DO UPDATE
   SET ran_ms = excluded.ran_ms,
       dropped = retention_run.dropped + excluded.dropped`

func (s *Store) drop(ctx context.Context, r Rule, now time.Time) (n int64, err error) {
	done, err := s.db.ExecContext(ctx, r.drop, sqldb.Ms(r.before(now)))
	if err == nil {
		n, err = done.RowsAffected()
	}
	if err == nil {
		_, err = s.db.ExecContext(ctx, noteRun, r.Name, sqldb.Ms(now), n)
	}
	if err != nil {
		return n, fmt.Errorf("retention of %s: %w", r.Name, err)
	}
	return n, nil
}

// A household whose last home ended before $1 and that was not forgotten yet.
const former = `
SELECT household.id
  FROM household
 WHERE household.erased_ms IS NULL
   AND EXISTS (SELECT 1
                 FROM tenancy
                WHERE tenancy.household_id = household.id)
   AND NOT EXISTS (SELECT 1
                     FROM tenancy
                    WHERE tenancy.household_id = household.id
                      AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $1))
 ORDER BY household.id
 LIMIT 1000`

func (s *Store) forgetFormer(ctx context.Context, now time.Time) (n int64, err error) {
	before := now.UTC().AddDate(-formerHouseholdsYears, 0, 0).Format(time.DateOnly)
	rows, err := s.db.QueryContext(ctx, former, before)
	if err != nil {
		return 0, fmt.Errorf("retention of %s: %w", formerHouseholds, err)
	}
	ids, err := sqldb.Collect(rows, func(rows *sql.Rows) (id premises.HouseholdID, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return 0, fmt.Errorf("retention of %s: %w", formerHouseholds, err)
	}
	for _, id := range ids {
		if err := s.Forget(ctx, id, ByRetention, "", now); err != nil {
			return n, fmt.Errorf("retention of %s: %w", formerHouseholds, err)
		}
		n++
	}
	_, err = s.db.ExecContext(ctx, noteRun, formerHouseholds, sqldb.Ms(now), n)
	return n, err
}

// A Keeper runs the retention each day and looks at InfluxDB's policies.
type Keeper struct {
	store  *Store
	influx *influx.Client
	log    *slog.Logger
	now    func() time.Time

	dropped *prometheus.CounterVec
	ran     prometheus.Gauge
	kept    *prometheus.GaugeVec
	wrong   prometheus.Gauge
}

// NewKeeper returns a keeper whose figures are registered.
func NewKeeper(store *Store, client *influx.Client, log *slog.Logger, figures prometheus.Registerer, now func() time.Time) (*Keeper, error) {
	k := &Keeper{store: store, influx: client, log: log, now: now,
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xnet_api_retention_dropped_total",
			Help: "Rows that were older than their rule allows, by rule."}, []string{"rule"}),
		ran: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xnet_api_retention_last_success_seconds",
			Help: "When the retention last did all of its work, in seconds since 1970."}),
		kept: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "xnet_api_influx_retention_days",
			Help: "How long InfluxDB keeps the points of a bucket, 0 for ever."}, []string{"bucket"}),
		wrong: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xnet_api_influx_retention_wrong",
			Help: "Buckets of InfluxDB that keep their points longer than the configuration says."})}
	for _, c := range []prometheus.Collector{k.dropped, k.ran, k.kept, k.wrong} {
		if err := figures.Register(c); err != nil {
			return nil, fmt.Errorf("retention: %w", err)
		}
	}
	return k, nil
}

const (
	daily       = 24 * time.Hour
	afterFailed = 10 * time.Minute
)

// Run retains now and each day until ctx ends, sooner again after a failure.
func (k *Keeper) Run(ctx context.Context) {
	for {
		wait := daily
		switch err := k.Once(ctx); {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, influx.ErrTemporary):
			k.log.Warn("retention of InfluxDB is not known yet: it is asked again", "error", err)
			wait = afterFailed
		default:
			k.log.Error("retention is not done: see the cause, it is tried again", "error", err)
			wait = afterFailed
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Once does the work of a day.
func (k *Keeper) Once(ctx context.Context) error {
	now := k.now()
	dropped, err := k.store.Retain(ctx, now)
	for _, d := range dropped {
		k.dropped.WithLabelValues(d.Rule).Add(float64(d.Rows))
		if d.Rows > 0 {
			k.log.Info("retention", "rule", d.Rule, "dropped", d.Rows)
		}
	}
	err = errors.Join(err, k.look(ctx))
	if err == nil {
		k.ran.Set(float64(now.Unix()))
	}
	return err
}

// look holds InfluxDB's policies against the configuration.
func (k *Keeper) look(ctx context.Context) error {
	buckets, err := k.influx.Retention(ctx)
	if err != nil {
		return err
	}
	wrong := 0
	for _, b := range buckets {
		k.kept.WithLabelValues(b.Bucket).Set(b.Is.Hours() / 24)
		if !b.Right() {
			wrong++
			k.log.Error("InfluxDB keeps points too long: shorten the bucket's retention by hand, after a look at influx.keep",
				"bucket", b.Bucket, "days", b.Is.Hours()/24, "wanted_days", b.Wanted.Hours()/24)
		}
	}
	k.wrong.Set(float64(wrong))
	return nil
}
