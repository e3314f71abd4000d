package watch

import (
	"context"
	"database/sql"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Store keeps reports, standings and incidents. It may be used from several
// goroutines, and by several servers at once.
type Store struct {
	db     *sql.DB
	homes  *premises.Store
	meters *meters.Store
	influx *influx.Client
}

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB, homes *premises.Store, m *meters.Store, client *influx.Client) *Store {
	return &Store{db: db, homes: homes, meters: m, influx: client}
}

// mostStrangers is how many gateways that are not registered are remembered of a
// residence, so that nobody fills the database with names.
const mostStrangers = 100

// Only gateways of a residence that exists are kept, and only so many of those
// that nobody registered.
const putState = `
INSERT INTO gateway_report (residence_id, gateway_id, heard_ms, online, program, boot, clock, spool_packs, spool_oldest_ms, spool_alarm, config, config_fault)
SELECT residence.id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
  FROM residence
 WHERE residence.id = $1
   AND (EXISTS (SELECT 1 FROM gateway WHERE gateway.id = $2 AND gateway.residence_id = residence.id)
        OR (SELECT COUNT(*)
              FROM gateway_report
             WHERE gateway_report.residence_id = $1
               AND NOT EXISTS (SELECT 1 FROM gateway WHERE gateway.id = gateway_report.gateway_id)) < $13)
    ON CONFLICT (residence_id, gateway_id) DO UPDATE
   SET heard_ms = CASE WHEN excluded.heard_ms > gateway_report.heard_ms THEN excluded.heard_ms ELSE gateway_report.heard_ms END,
       online = excluded.online,
       program = excluded.program,
       boot = excluded.boot,
       clock = excluded.clock,
       spool_packs = excluded.spool_packs,
       spool_oldest_ms = excluded.spool_oldest_ms,
       spool_alarm = excluded.spool_alarm,
       config = excluded.config,
       config_fault = excluded.config_fault`

// State keeps what a gateway says of itself, heard at that instant. A last will
// says only that the gateway is gone: it was not heard then.
func (s *Store) State(ctx context.Context, from wire.Source, st wire.State, heard time.Time) error {
	if !st.Online {
		heard = time.UnixMilli(0)
	}
	_, err := s.db.ExecContext(ctx, putState, string(from.Site), string(from.Gateway), sqldb.Ms(heard), bit(st.Online), cut(st.Version, 100),
		cut(st.Boot, 100), cut(string(st.Clock), 20), st.SpoolPacks, st.SpoolOldestMs, bit(st.SpoolAlarm), cut(st.Config, 100),
		cut(st.ConfigFault, 1000), mostStrangers)
	if err != nil {
		return fmt.Errorf("state of gateway %s: %w", from, err)
	}
	return nil
}

const noteHeard = `
UPDATE gateway_report
   SET heard_ms = $3
 WHERE residence_id = $1
   AND gateway_id = $2
   AND heard_ms < $3`

// A gateway that has restarted knows no last reading; what it said before still
// holds.
const putMeter = `
INSERT INTO meter_report (residence_id, gateway_id, meter_id, serial, kind, resolution, last_good_ms, faults, heard_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (residence_id, gateway_id, meter_id) DO UPDATE
   SET serial = excluded.serial,
       kind = excluded.kind,
       resolution = excluded.resolution,
       last_good_ms = CASE WHEN excluded.last_good_ms > 0 THEN excluded.last_good_ms ELSE meter_report.last_good_ms END,
       faults = excluded.faults,
       heard_ms = excluded.heard_ms`

const dropMeters = `
DELETE FROM meter_report
 WHERE residence_id = $1
   AND gateway_id = $2
   AND heard_ms <> $3`

// mostMeters is how many meters of one report are kept.
const mostMeters = 5000

// Meters keeps what a gateway says of its meters, and forgets those that it does
// not name any more. Of a gateway that has not told of itself yet nothing is
// kept, and kept is false.
func (s *Store) Meters(ctx context.Context, from wire.Source, m wire.Meters, heard time.Time) (kept bool, err error) {
	all := m.Meters[:min(len(m.Meters), mostMeters)]
	site, gateway, ms := string(from.Site), string(from.Gateway), sqldb.Ms(heard)
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		var known int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM gateway_report WHERE residence_id = $1 AND gateway_id = $2`, site, gateway).Scan(&known); err != nil || known == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, noteHeard, site, gateway, ms); err != nil {
			return err
		}
		put, err := tx.PrepareContext(ctx, putMeter)
		if err != nil {
			return err
		}
		defer func() { _ = put.Close() }()
		for _, r := range all {
			if _, err := put.ExecContext(ctx, site, gateway, string(r.Meter), cut(r.Serial, 100), string(r.Kind), string(r.Resolution),
				max(0, r.LastGoodMs), faults(r), ms); err != nil {
				return fmt.Errorf("meter %s: %w", r.Meter, err)
			}
		}
		kept = true
		_, err = tx.ExecContext(ctx, dropMeters, site, gateway, ms)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("meters of gateway %s: %w", from, err)
	}
	return kept, nil
}

// faults is the number of failed reads, as far as it fits.
func faults(r wire.MeterReport) int64 {
	const most = 1 << 53
	sum := uint64(0)
	for _, n := range r.Errors {
		sum = min(sum+min(n, most), most)
	}
	return int64(sum)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cut keeps what a gateway says within the column, in whole characters.
func cut(text string, most int) string {
	if !utf8.ValidString(text) {
		return ""
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// heardAt is when a message speaks of: now, or for one that the broker had kept
// the instant it bears.
func heardAt(retained bool, atMs int64, now time.Time) time.Time {
	if at := time.UnixMilli(max(0, atMs)); retained && at.Before(now) {
		return at
	}
	return now
}

// A GatewayStanding is a gateway with what it said last. Registered is false for
// one that only reports.
type GatewayStanding struct {
	Residence  metering.SiteID
	ID         metering.GatewayID
	Name       string
	Place      string
	Registered bool
	Zone       *time.Location // of the residence
	Heard      time.Time      // zero: never
	Online     bool
	Program    string
	ClockState string
	SpoolPacks int64
	SpoolAlarm bool
	Config     string // version that it applies; empty: its own file
	Fault      string // why it does not apply the last one
}

// Silent reports whether the gateway has been heard and is not any more.
func (g GatewayStanding) Silent(now time.Time) bool {
	return !g.Heard.IsZero() && now.Sub(g.Heard) > GatewayAfter
}

// Down reports whether the gateway has been heard, and now is silent or has stopped.
func (g GatewayStanding) Down(now time.Time) bool {
	return !g.Heard.IsZero() && (!g.Online || g.Silent(now))
}
