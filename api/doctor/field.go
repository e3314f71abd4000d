package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Database checks that the database is there, answers, and has the schema of this
// program. It makes and migrates nothing.
func Database(dsn string) Check {
	return Check{"database", func(ctx context.Context) (string, error) {
		db, is, err := sqldb.OpenAsIs(ctx, dsn)
		if err != nil {
			return "", fault("start xnet-api, which makes it, or correct database in the configuration; where it was lost, xnet-api restore-all", "%v", err)
		}
		defer db.Close()
		switch {
		case len(is.Unknown) > 0:
			return "", fault("install the newer package again: a database is never taken back", "its schema is newer than this program's: it has versions %d", is.Unknown)
		case len(is.Pending) > 0:
			return "", fault("systemctl restart xnet-api, which migrates it", "its schema lacks versions %d of this program", is.Pending)
		}
		return fmt.Sprintf("answers, schema of version %d", is.Newest), nil
	}}
}

// A Standing is what SQL knows of the field and of what waits to leave.
type Standing struct {
	Gateways []Gateway
	Waiting  []Queue
	Erasures int       // that are not done
	Oldest   time.Time // of these, zero for none
}

// A Gateway is what a registered gateway last told of itself.
type Gateway struct {
	Site        metering.SiteID
	ID          metering.GatewayID
	Heard       time.Time // zero where it never was
	Online      bool
	SpoolOldest time.Time // zero where nothing waits in its spool
	Fault       string    // why its configuration does not count
}

// A Queue is what waits to leave by one channel.
type Queue struct {
	Channel string // email or letter
	Waiting int
	Failed  int
	Oldest  time.Time // zero where nothing waits
}

const gatewaysNow = `
SELECT gateway.residence_id, gateway.id,
       COALESCE(gateway_report.heard_ms, 0), COALESCE(gateway_report.online, 0),
       COALESCE(gateway_report.spool_oldest_ms, 0), COALESCE(gateway_report.config_fault, '')
  FROM gateway
  LEFT JOIN gateway_report ON gateway_report.gateway_id = gateway.id
                          AND gateway_report.residence_id = gateway.residence_id
 ORDER BY gateway.residence_id, gateway.id`

const waitingNow = `
SELECT channel,
       SUM(CASE WHEN state = 'failed' THEN 0 ELSE 1 END),
       SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END),
       COALESCE(MIN(CASE WHEN state = 'failed' THEN NULL ELSE created_ms END), 0)
  FROM outbox
 WHERE state IN ('waiting', 'leaving')
    OR state = 'failed' AND done_ms > $1
 GROUP BY channel
 ORDER BY channel`

const erasuresNow = `
SELECT COUNT(*), COALESCE(MIN(asked_ms), 0)
  FROM erasure
 WHERE done_ms IS NULL`

// failedFor is how long a message that could not be sent is told of.
const failedFor = 7 * 24 * time.Hour

// StandingAt reads the standing.
func StandingAt(ctx context.Context, db sqldb.Querier, now time.Time) (s Standing, err error) {
	rows, err := db.QueryContext(ctx, gatewaysNow)
	if err != nil {
		return s, fmt.Errorf("gateways: %w", err)
	}
	if s.Gateways, err = sqldb.Collect(rows, scanGateway); err != nil {
		return s, fmt.Errorf("gateways: %w", err)
	}
	if rows, err = db.QueryContext(ctx, waitingNow, sqldb.Ms(now.Add(-failedFor))); err != nil {
		return s, fmt.Errorf("outbox: %w", err)
	}
	s.Waiting, err = sqldb.Collect(rows, func(rows *sql.Rows) (q Queue, err error) {
		var oldestMs int64
		err = rows.Scan(&q.Channel, &q.Waiting, &q.Failed, &oldestMs)
		q.Oldest = instant(oldestMs)
		return q, err
	})
	if err != nil {
		return s, fmt.Errorf("outbox: %w", err)
	}
	var oldestMs int64
	if err := db.QueryRowContext(ctx, erasuresNow).Scan(&s.Erasures, &oldestMs); err != nil {
		return s, fmt.Errorf("erasures: %w", err)
	}
	s.Oldest = instant(oldestMs)
	return s, nil
}

func scanGateway(rows *sql.Rows) (g Gateway, err error) {
	var heardMs, oldestMs int64
	var online int
	err = rows.Scan(&g.Site, &g.ID, &heardMs, &online, &oldestMs, &g.Fault)
	g.Heard, g.Online, g.SpoolOldest = instant(heardMs), online == 1, instant(oldestMs)
	return g, err
}

// instant is the zero time for 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return sqldb.Time(ms)
}

// Bounds past which somebody must look.
const (
	silentAfter  = time.Hour // a gateway tells of itself every minute
	spoolAfter   = time.Hour
	emailAfter   = time.Hour
	letterAfter  = 7 * 24 * time.Hour
	erasureAfter = time.Hour
	readingAfter = 26 * time.Hour // a meter of resolution day is read once a day
)

// Silent reports whether nothing is heard of the gateway.
func (g Gateway) Silent(now time.Time) bool { return !g.Online || now.Sub(g.Heard) > silentAfter }

// A Field checks what the database knows: gateways, spools, last readings,
// letters and erasures.
type Field struct {
	DSN    string
	Influx influx.Config
	Now    func() time.Time
}

func (f Field) open(ctx context.Context) (*sql.DB, error) {
	db, is, err := sqldb.OpenAsIs(ctx, f.DSN)
	if err == nil && len(is.Unknown)+len(is.Pending) > 0 {
		return nil, errors.Join(fault("see to the database first", "its schema is not this program's"), db.Close())
	}
	if err != nil {
		return nil, fault("see to the database first", "it does not answer")
	}
	return db, nil
}

// with looks at the standing.
func (f Field) with(part string, judge func(s Standing, now time.Time) (string, []error)) Check {
	return Check{part, func(ctx context.Context) (string, error) {
		db, err := f.open(ctx)
		if err != nil {
			return "", err
		}
		defer db.Close()
		s, err := StandingAt(ctx, db, f.Now())
		if err != nil {
			return "", err
		}
		well, faults := judge(s, f.Now())
		return well, errors.Join(faults...)
	}}
}

// Checks returns the checks of the field.
func (f Field) Checks() []Check {
	return []Check{f.with("gateways", gateways), f.with("spools", spools), f.lastReading(), f.with("letters and e-mails", letters), f.with("erasures", erasures)}
}

func gateways(s Standing, now time.Time) (string, []error) {
	var faults []error
	for _, g := range s.Gateways {
		const look = "look at its lamp, its power and its network; the page « Équipements » tells where it hangs"
		switch {
		case g.Heard.IsZero():
			faults = append(faults, fault("enrol it: the page « Équipements » gives the code", "%s of %s has never been heard", g.ID, g.Site))
		case g.Silent(now):
			faults = append(faults, fault(look, "%s of %s is silent since %s", g.ID, g.Site, g.Heard.Format("2006-01-02 15:04 MST")))
		case g.Fault != "":
			faults = append(faults, fault("correct its meters on the page « Équipements » and publish them again", "%s of %s does not take its configuration: %.200s", g.ID, g.Site, g.Fault))
		}
	}
	return fmt.Sprintf("%d, all heard within the hour", len(s.Gateways)), faults
}

func spools(s Standing, now time.Time) (string, []error) {
	var faults []error
	for _, g := range s.Gateways {
		if age := now.Sub(g.SpoolOldest); !g.SpoolOldest.IsZero() && age > spoolAfter {
			faults = append(faults, fault("see to broker and collector first; then xnet-gateway check on the gateway", "%s of %s keeps readings that have waited %s to be stored", g.ID, g.Site, age.Round(time.Minute)))
		}
	}
	return "no reading waits for more than an hour", faults
}

func letters(s Standing, now time.Time) (string, []error) {
	var faults []error
	for _, q := range s.Waiting {
		age := now.Sub(q.Oldest)
		switch {
		case q.Channel == "email" && q.Waiting > 0 && age > emailAfter:
			faults = append(faults, fault("look at mail in the configuration and at the mail server; journalctl -u xnet-api tells its answer", "%d e-mails wait, the oldest for %s", q.Waiting, age.Round(time.Minute)))
		case q.Channel == "letter" && q.Waiting > 0 && age > letterAfter:
			faults = append(faults, fault("tell the advisor: her pages have them ready to print", "%d letters wait to be printed, the oldest for %d days", q.Waiting, int(age.Hours()/24)))
		}
		if q.Failed > 0 {
			faults = append(faults, fault("correct the addresses on the page « Personnes », or print letters instead", "%d messages (%s) could not be sent this week", q.Failed, q.Channel))
		}
	}
	return "nothing waits for too long", faults
}

func erasures(s Standing, now time.Time) (string, []error) {
	if s.Erasures > 0 && now.Sub(s.Oldest) > erasureAfter {
		return "", []error{fault("see to InfluxDB first; the API repeats them by itself", "%d wait, the oldest for %s", s.Erasures, now.Sub(s.Oldest).Round(time.Minute))}
	}
	return "what people asked to be erased is erased", nil
}

const latelyReported = `
SELECT meter.id
  FROM meter
  LEFT JOIN meter_report ON meter_report.meter_id = meter.id
                        AND meter_report.gateway_id = meter.gateway_id
 ORDER BY COALESCE(meter_report.heard_ms, 0) DESC, meter.id
 LIMIT 100`

// lastReading checks the end of the way: that what the meters
// heard of last showed lies in InfluxDB.
func (f Field) lastReading() Check {
	return Check{"last reading", func(ctx context.Context) (string, error) {
		db, err := f.open(ctx)
		if err != nil {
			return "", err
		}
		defer db.Close()
		rows, err := db.QueryContext(ctx, latelyReported)
		if err != nil {
			return "", fmt.Errorf("meters: %w", err)
		}
		meters, err := sqldb.Collect(rows, func(rows *sql.Rows) (m metering.MeterID, err error) { return m, rows.Scan(&m) })
		if err != nil || len(meters) == 0 {
			return "no meter is registered yet", err
		}
		client, err := influx.Open(f.Influx)
		if err != nil {
			return "", fault("see to InfluxDB first", "%v", err)
		}
		defer client.Close()
		now := f.Now()
		found, err := client.Latest(ctx, meters, metering.Index, now.Add(-31*24*time.Hour))
		if err != nil {
			return "", fault("see to InfluxDB first", "%v", strings.ReplaceAll(err.Error(), "\n", " "))
		}
		var newest time.Time
		for _, r := range found {
			newest = slices.MaxFunc([]time.Time{newest, r.At}, time.Time.Compare)
		}
		if now.Sub(newest) > readingAfter {
			return "", fault("see to gateways, broker and collector, in this order", "the newest of %d meters is %s", len(meters), since(newest))
		}
		return "read on " + newest.Format("2006-01-02 15:04 MST"), nil
	}}
}

func since(at time.Time) string {
	if at.IsZero() {
		return "older than a month, or none is stored"
	}
	return "of " + at.Format("2006-01-02 15:04 MST")
}
