package watch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Tally is what a survey changed.
type Tally struct{ Standings, Opened, Closed int }

// Survey finds how every meter and gateway fares at now, keeps it, and opens and
// closes incidents accordingly. While attentive is false nobody listened to the
// gateways for long enough to call one silent: no silence begins or ends.
func (s *Store) Survey(ctx context.Context, now time.Time, attentive bool) (Tally, error) {
	residences, err := s.homes.Residences(ctx)
	if err != nil {
		return Tally{}, err
	}
	var all Tally
	var faults []error
	for _, r := range residences {
		one, err := s.survey(ctx, r, now, attentive)
		all.Standings, all.Opened, all.Closed = all.Standings+one.Standings, all.Opened+one.Opened, all.Closed+one.Closed
		if err != nil {
			faults = append(faults, fmt.Errorf("survey of %s: %w", r.ID, err))
		}
	}
	return all, errors.Join(faults...)
}

func (s *Store) survey(ctx context.Context, r premises.Residence, now time.Time, attentive bool) (Tally, error) {
	gateways, err := s.gatewaysOf(ctx, r.ID)
	if err != nil {
		return Tally{}, err
	}
	quiet := map[metering.GatewayID]bool{}
	var wanted []Incident
	for _, g := range gateways {
		quiet[g.ID] = g.Silent(now)
		wanted = append(wanted, g.incidents(now)...)
	}
	found, err := s.facts(ctx, r, now)
	if err != nil {
		return Tally{}, err
	}
	var changed []standingChange
	for _, f := range found {
		f.Quiet = quiet[f.Gateway]
		standing, since := f.Standing(now)
		if since.IsZero() {
			since = now
		}
		if kind, is := standing.incident(); is {
			wanted = append(wanted, Incident{Residence: r.ID, Kind: kind, Gateway: f.Gateway, Meter: f.Meter, From: since})
		}
		if standing != f.before {
			changed = append(changed, standingChange{f.Meter, standing, since})
		}
	}
	for part := range slices.Chunk(changed, changesAtOnce) {
		if err := s.keep(ctx, part); err != nil {
			return Tally{}, err
		}
	}
	tally := Tally{Standings: len(changed)}
	held := func(i Incident) bool {
		silence := i.Kind == Quiet || i.Kind == MeterSilent
		return silence && !attentive || i.Meter != "" && i.Kind != MeterWrongPlace && quiet[i.Gateway]
	}
	tally.Opened, tally.Closed, err = s.reconcile(ctx, r.ID, wanted, held, now)
	return tally, err
}

// incidents are those of a gateway by what it said last.
func (g GatewayStanding) incidents(now time.Time) []Incident {
	if !g.Registered {
		return nil
	}
	var all []Incident
	for kind, is := range map[IncidentKind]bool{Quiet: g.Silent(now), SpoolAlarm: g.SpoolAlarm, ConfigFault: g.Fault != ""} {
		if is {
			all = append(all, Incident{Residence: g.Residence, Kind: kind, Gateway: g.ID, From: g.Heard})
		}
	}
	return all
}

const gatewaysOfResidence = `
SELECT gateway_report.residence_id, gateway_report.gateway_id, COALESCE(gateway.name, ''), COALESCE(gateway.place, ''),
       CASE WHEN gateway.id IS NULL THEN 0 ELSE 1 END, residence.zone,
       gateway_report.heard_ms, gateway_report.online, gateway_report.program, gateway_report.clock, gateway_report.spool_packs,
       gateway_report.spool_alarm, gateway_report.config, gateway_report.config_fault
  FROM gateway_report
  JOIN residence ON residence.id = gateway_report.residence_id
  LEFT JOIN gateway ON gateway.id = gateway_report.gateway_id AND gateway.residence_id = gateway_report.residence_id
 WHERE gateway_report.residence_id = $1`

func (s *Store) gatewaysOf(ctx context.Context, residence metering.SiteID) ([]GatewayStanding, error) {
	rows, err := s.db.QueryContext(ctx, gatewaysOfResidence, string(residence))
	if err != nil {
		return nil, fmt.Errorf("gateways: %w", err)
	}
	return sqldb.Collect(rows, scanGateway)
}

func scanGateway(rows *sql.Rows) (GatewayStanding, error) {
	var g GatewayStanding
	var registered, heardMs, online, alarm int64
	var zone string
	err := rows.Scan(&g.Residence, &g.ID, &g.Name, &g.Place, &registered, &zone, &heardMs, &online, &g.Program, &g.ClockState, &g.SpoolPacks,
		&alarm, &g.Config, &g.Fault)
	g.Registered, g.Online, g.SpoolAlarm = registered == 1, online == 1, alarm == 1
	g.Heard = instant(heardMs)
	if err != nil {
		return g, err
	}
	g.Zone, err = zoneOf(g.Residence, zone)
	return g, err
}

func zoneOf(residence metering.SiteID, name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("residence %s: zone %q: %w", residence, name, err)
	}
	return zone, nil
}

// instant is zero for 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return sqldb.Time(ms)
}

const factsOfResidence = `
SELECT meter.id, meter.gateway_id, meter.interval_s, COALESCE(binding.from_ms, 0),
       CASE WHEN own.meter_id IS NULL THEN 0 ELSE 1 END, COALESCE(own.last_good_ms, 0),
       COALESCE((SELECT MIN(other.gateway_id)
                   FROM meter_report AS other
                  WHERE other.meter_id = meter.id
                    AND NOT (other.gateway_id = meter.gateway_id AND other.residence_id = gateway.residence_id)), ''),
       COALESCE(meter_still.since_ms, 0),
       CASE WHEN EXISTS (SELECT 1
                           FROM tenancy
                          WHERE tenancy.dwelling_id = point.dwelling_id
                            AND tenancy.moved_in <= $3
                            AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)) THEN 1 ELSE 0 END,
       COALESCE(meter_standing.standing, '')
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  LEFT JOIN binding ON binding.meter_id = meter.id AND binding.to_ms IS NULL
  LEFT JOIN point ON point.id = binding.point_id
  LEFT JOIN meter_report AS own ON own.residence_id = gateway.residence_id
                               AND own.gateway_id = meter.gateway_id
                               AND own.meter_id = meter.id
  LEFT JOIN meter_still ON meter_still.meter_id = meter.id
  LEFT JOIN meter_standing ON meter_standing.meter_id = meter.id
 WHERE gateway.residence_id = $1`

// known is what is known of a meter, and its standing before.
type known struct {
	Facts
	before Standing
}

func (s *Store) facts(ctx context.Context, r premises.Residence, now time.Time) ([]known, error) {
	today := civil.DateIn(now, r.Zone)
	rows, err := s.db.QueryContext(ctx, factsOfResidence, string(r.ID), today.String(), today.AddDays(-7).String())
	if err != nil {
		return nil, fmt.Errorf("meters: %w", err)
	}
	return sqldb.Collect(rows, scanFacts)
}

func scanFacts(rows *sql.Rows) (known, error) {
	var f known
	var intervalS, hungMs, reported, goodMs, stillMs, occupied int64
	err := rows.Scan(&f.Meter, &f.Gateway, &intervalS, &hungMs, &reported, &goodMs, &f.Elsewhere, &stillMs, &occupied, (*string)(&f.before))
	f.Interval = time.Duration(intervalS) * time.Second
	f.Reported, f.Occupied = reported == 1, occupied == 1
	f.Hung, f.LastGood, f.Still = instant(hungMs), instant(goodMs), instant(stillMs)
	return f, err
}

const putStanding = `
INSERT INTO meter_standing (meter_id, standing, from_ms)
VALUES ($1, $2, $3)
    ON CONFLICT (meter_id) DO UPDATE
   SET standing = excluded.standing,
       from_ms = excluded.from_ms`

// A standingChange is a meter that fares otherwise than before.
type standingChange struct {
	meter    metering.MeterID
	standing Standing
	since    time.Time
}

// changesAtOnce is how many are written in one transaction, so that nobody waits
// long for the database.
const changesAtOnce = 1000

func (s *Store) keep(ctx context.Context, changed []standingChange) error {
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, c := range changed {
			if _, err := tx.ExecContext(ctx, putStanding, string(c.meter), string(c.standing), sqldb.Ms(c.since)); err != nil {
				return fmt.Errorf("standing of meter %s: %w", c.meter, err)
			}
		}
		return nil
	})
}

const watchedMeters = `
SELECT meter.id
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  JOIN binding ON binding.meter_id = meter.id AND binding.to_ms IS NULL
 WHERE gateway.residence_id = $1
   AND meter.kind IN ('cold_water', 'hot_water', 'electricity')
   AND meter.resolution IN ('fine', 'hour', 'day')
   AND binding.from_ms <= $2
 ORDER BY meter.id`

const dropStill = `
DELETE FROM meter_still
 WHERE meter_id IN (SELECT meter.id
                      FROM meter
                      JOIN gateway ON gateway.id = meter.gateway_id
                     WHERE gateway.residence_id = $1)`

// metersAtOnce is how many meters one query of InfluxDB asks for.
const metersAtOnce = 500

// Stillness finds the meters whose index has not moved on the last seven whole
// days, by the daily consumption: what is read by the month or not at all cannot
// be told. Heat and gas stand still all summer and are left out.
func (s *Store) Stillness(ctx context.Context, now time.Time) error {
	residences, err := s.homes.Residences(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, r := range residences {
		if err := s.stillness(ctx, r, now); err != nil {
			faults = append(faults, fmt.Errorf("still meters of %s: %w", r.ID, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Store) stillness(ctx context.Context, r premises.Residence, now time.Time) error {
	today := civil.DateIn(now, r.Zone)
	from, to := today.AddDays(-stillDays).Start(r.Zone), today.Start(r.Zone)
	rows, err := s.db.QueryContext(ctx, watchedMeters, string(r.ID), sqldb.Ms(from))
	if err != nil {
		return err
	}
	ids, err := sqldb.Collect(rows, func(rows *sql.Rows) (id metering.MeterID, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return err
	}
	var still []metering.MeterID
	for chunk := range slices.Chunk(ids, metersAtOnce) {
		days, err := s.influx.Consumption(ctx, influx.Daily, chunk, from, to)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if stands(days[id]) {
				still = append(still, id)
			}
		}
	}
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, dropStill, string(r.ID)); err != nil {
			return err
		}
		for _, id := range still {
			if _, err := tx.ExecContext(ctx, `INSERT INTO meter_still (meter_id, since_ms) VALUES ($1, $2)`, string(id), sqldb.Ms(from)); err != nil {
				return err
			}
		}
		return nil
	})
}

const stillDays = 7

// stands reports whether every day is known and none counted anything.
func stands(days []influx.Consumption) bool {
	return len(days) == stillDays && !slices.ContainsFunc(days, func(c influx.Consumption) bool {
		return c.Used != 0 || c.Quality == metering.Missing
	})
}
