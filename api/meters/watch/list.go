package watch

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const listGateways = `
SELECT residence.id, known.id, COALESCE(gateway.name, ''), COALESCE(gateway.place, ''),
       CASE WHEN gateway.id IS NULL THEN 0 ELSE 1 END, residence.zone,
       COALESCE(gateway_report.heard_ms, 0), COALESCE(gateway_report.online, 0), COALESCE(gateway_report.program, ''),
       COALESCE(gateway_report.clock, ''), COALESCE(gateway_report.spool_packs, 0), COALESCE(gateway_report.spool_alarm, 0),
       COALESCE(gateway_report.config, ''), COALESCE(gateway_report.config_fault, '')
  FROM (SELECT gateway.id AS id, gateway.residence_id AS residence_id FROM gateway
         UNION
        SELECT gateway_report.gateway_id, gateway_report.residence_id FROM gateway_report) AS known
  JOIN residence ON residence.id = known.residence_id
  LEFT JOIN gateway ON gateway.id = known.id AND gateway.residence_id = known.residence_id
  LEFT JOIN gateway_report ON gateway_report.gateway_id = known.id AND gateway_report.residence_id = known.residence_id
 WHERE ` + meters.ReaderClip + `
   AND ($2 = '' OR residence.id = $2)
   AND ($3 = '' OR known.id = $3)
   AND known.id > $4
 ORDER BY known.id
 LIMIT $5`

// Gateways lists the gateways that the person may see, registered or only
// heard of, by id: one more than the page holds where the list goes on.
func (s *Store) Gateways(ctx context.Context, who accounts.PersonID, residence metering.SiteID, p resource.Page) ([]GatewayStanding, error) {
	return s.gateways(ctx, string(who), string(residence), "", p.After, p.Limit+1)
}

// GatewayByID returns how a gateway fares, or [meters.ErrNone].
func (s *Store) GatewayByID(ctx context.Context, who accounts.PersonID, id metering.GatewayID) (GatewayStanding, error) {
	all, err := s.gateways(ctx, string(who), "", string(id), "", 1)
	if err != nil {
		return GatewayStanding{}, err
	}
	if len(all) == 0 {
		return GatewayStanding{}, meters.ErrNone
	}
	return all[0], nil
}

func (s *Store) gateways(ctx context.Context, args ...any) ([]GatewayStanding, error) {
	rows, err := s.db.QueryContext(ctx, listGateways, args...)
	if err != nil {
		return nil, fmt.Errorf("gateways: %w", err)
	}
	all, err := sqldb.Collect(rows, scanGateway)
	if err != nil {
		return nil, fmt.Errorf("gateways: %w", err)
	}
	return all, nil
}

// A Fare is how one registered meter fares: its standing at the last survey, and
// its check.
type Fare struct {
	Meter     metering.MeterID
	Residence metering.SiteID
	Gateway   metering.GatewayID
	Serial    string
	Kind      metering.Kind
	Standing  Standing
	Since     time.Time // of the standing; zero where it is not known
	LastGood  time.Time // when its gateway read it well last; zero: never
	Removed   bool      // it hung somewhere once, and hangs nowhere now
	Check     check.State
	Zone      *time.Location // of the residence
	// Where it hangs; empty where it hangs nowhere, and Dwelling for a building's
	// main meter.
	Point                      metering.PointID
	Dwelling                   premises.DwellingID
	Building, Staircase, Label string
}

// A FareFilter says which meters to list; empty fields let all by.
type FareFilter struct {
	Residence metering.SiteID
	Gateway   metering.GatewayID
	Standing  Standing
	Check     check.State
	Zone      *time.Location // of the residence
	// Trouble lists only meters that are not read as they should be, Unchecked
	// only those that hang and that have not passed their check, or whose second
	// reading is due: no thermometers, which have no dial to compare.
	Trouble, Unchecked bool
	// Heard leaves out meters whose own gateway has spoken and is silent or stopped:
	// nothing is to be done at the meter. One that another gateway reads stays.
	Heard bool
}

// isRemoved is 1 for a meter that hung somewhere once, and hangs nowhere now.
const isRemoved = `CASE WHEN EXISTS (SELECT 1 FROM binding AS past WHERE past.meter_id = meter.id)
                     AND NOT EXISTS (SELECT 1 FROM binding AS present WHERE present.meter_id = meter.id AND present.to_ms IS NULL)
                    THEN 1 ELSE 0 END`

// isUnheard is 1 for a meter whose gateway has spoken and is stopped, or silent since
// $11. A gateway that has never spoken is being set up: its meters are looked at too.
const isUnheard = `CASE WHEN EXISTS (SELECT 1 FROM gateway_report AS host
                                WHERE host.gateway_id = gateway.id AND host.residence_id = residence.id
                                  AND host.heard_ms > 0 AND (host.online = 0 OR host.heard_ms < $11))
                    THEN 1 ELSE 0 END`

// The state of a check as it is at $2.
const listFares = `
SELECT fare.meter_id, fare.residence_id, fare.gateway_id, fare.serial, fare.kind, fare.standing, fare.from_ms, fare.last_good_ms,
       fare.removed, fare.state, fare.point_id, fare.dwelling_id, fare.building, fare.staircase, fare.label, fare.zone
  FROM (SELECT meter.id AS meter_id, residence.id AS residence_id, residence.zone AS zone, meter.gateway_id AS gateway_id, meter.serial AS serial, meter.kind AS kind,
               CASE WHEN point_site.point_id IS NULL AND COALESCE(meter_standing.standing, '') <> 'wrong_place' THEN 'unbound'
                    ELSE COALESCE(meter_standing.standing, 'never_seen') END AS standing,
               COALESCE(meter_standing.from_ms, 0) AS from_ms,
               COALESCE(meter_report.last_good_ms, 0) AS last_good_ms, ` + isRemoved + ` AS removed, ` + isUnheard + ` AS unheard,
               CASE WHEN meter_check.state = 'verified' AND meter_check.due_ms <= $2 THEN 'second_reading_due'
                    ELSE COALESCE(meter_check.state, 'unverified') END AS state,
               COALESCE(point_site.point_id, '') AS point_id, COALESCE(point_site.dwelling_id, '') AS dwelling_id,
               COALESCE(point_site.building, '') AS building, COALESCE(point_site.staircase, '') AS staircase,
               COALESCE(point_site.label, '') AS label
          FROM meter
          JOIN gateway ON gateway.id = meter.gateway_id
          JOIN residence ON residence.id = gateway.residence_id
          LEFT JOIN binding ON binding.meter_id = meter.id AND binding.to_ms IS NULL
          LEFT JOIN point_site ON point_site.point_id = binding.point_id
          LEFT JOIN meter_standing ON meter_standing.meter_id = meter.id
          LEFT JOIN meter_report ON meter_report.meter_id = meter.id
                                AND meter_report.gateway_id = meter.gateway_id
                                AND meter_report.residence_id = residence.id
          LEFT JOIN meter_check ON meter_check.meter_id = binding.meter_id
                               AND meter_check.point_id = binding.point_id
                               AND meter_check.bound_ms = binding.from_ms
         WHERE ` + meters.ReaderClip + `
           AND ($3 = '' OR residence.id = $3)
           AND ($4 = '' OR gateway.id = $4)) AS fare
 WHERE ($5 = '' OR fare.standing = $5)
   AND ($6 = '' OR fare.state = $6)
   AND ($7 = 0 OR fare.standing IN ('late', 'silent', 'stuck', 'wrong_place', 'never_seen'))
   AND ($8 = 0 OR fare.point_id <> '' AND fare.state <> 'verified' AND fare.kind <> 'temperature')
   AND ($12 = 0 OR fare.unheard = 0 OR fare.standing = 'wrong_place')
   AND fare.meter_id > $9
 ORDER BY fare.meter_id
 LIMIT $10`

// Fares lists how the meters fare that the person may see, at now, by id: one
// more than the page holds where the list goes on.
func (s *Store) Fares(ctx context.Context, who accounts.PersonID, f FareFilter, now time.Time, p resource.Page) ([]Fare, error) {
	rows, err := s.db.QueryContext(ctx, listFares, string(who), sqldb.Ms(now), string(f.Residence), string(f.Gateway), string(f.Standing),
		string(f.Check), bit(f.Trouble), bit(f.Unchecked), p.After, p.Limit+1, sqldb.Ms(now.Add(-GatewayAfter)), bit(f.Heard))
	if err != nil {
		return nil, fmt.Errorf("meters: %w", err)
	}
	all, err := sqldb.Collect(rows, scanFare)
	if err != nil {
		return nil, fmt.Errorf("meters: %w", err)
	}
	return all, nil
}

func scanFare(rows *sql.Rows) (Fare, error) {
	var f Fare
	var fromMs, goodMs, removed int64
	var zone string
	err := rows.Scan(&f.Meter, &f.Residence, &f.Gateway, &f.Serial, (*string)(&f.Kind), (*string)(&f.Standing), &fromMs, &goodMs, &removed,
		(*string)(&f.Check), &f.Point, &f.Dwelling, &f.Building, &f.Staircase, &f.Label, &zone)
	f.Since, f.LastGood, f.Removed = instant(fromMs), instant(goodMs), removed == 1
	if err != nil {
		return f, err
	}
	f.Zone, err = zoneOf(f.Residence, zone)
	return f, err
}

// A Stranger is a meter that a gateway reads and the registry does not know.
type Stranger struct {
	Residence metering.SiteID
	Gateway   metering.GatewayID
	Meter     metering.MeterID
	Serial    string
	Kind      metering.Kind
	LastGood  time.Time // zero: never
}

const listStrangers = `
SELECT residence.id, meter_report.gateway_id, meter_report.meter_id, meter_report.serial, meter_report.kind, meter_report.last_good_ms
  FROM meter_report
  JOIN residence ON residence.id = meter_report.residence_id
 WHERE ` + meters.ReaderClip + `
   AND NOT EXISTS (SELECT 1 FROM meter WHERE meter.id = meter_report.meter_id)
   AND ($2 = '' OR residence.id = $2)
   AND ($3 = '' OR meter_report.meter_id = $3 OR meter_report.serial = $3)
   AND meter_report.gateway_id || '/' || meter_report.meter_id > $4
 ORDER BY meter_report.gateway_id || '/' || meter_report.meter_id
 LIMIT $5`

// Key names the stranger for the next page of a list.
func (s Stranger) Key() string { return string(s.Gateway) + "/" + string(s.Meter) }

// Strangers lists the meters that gateways read and nobody registered, in the
// residences that the person may see: all, or those whose id or serial number is
// the one that was typed.
func (s *Store) Strangers(ctx context.Context, who accounts.PersonID, residence metering.SiteID, typed string, p resource.Page) ([]Stranger, error) {
	rows, err := s.db.QueryContext(ctx, listStrangers, string(who), string(residence), typed, p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("unknown meters: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Stranger, error) {
		var st Stranger
		var goodMs int64
		err := rows.Scan(&st.Residence, &st.Gateway, &st.Meter, &st.Serial, (*string)(&st.Kind), &goodMs)
		st.LastGood = instant(goodMs)
		return st, err
	})
	if err != nil {
		return nil, fmt.Errorf("unknown meters: %w", err)
	}
	return all, nil
}

const fareOf = `
SELECT COALESCE(meter_standing.standing, 'never_seen'), COALESCE(meter_report.last_good_ms, 0), ` + isRemoved + `
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  LEFT JOIN meter_standing ON meter_standing.meter_id = meter.id
  LEFT JOIN meter_report ON meter_report.meter_id = meter.id
                        AND meter_report.gateway_id = meter.gateway_id
                        AND meter_report.residence_id = gateway.residence_id
 WHERE meter.id = $1`

// FareOf returns the standing of a meter that the caller has found for the
// person, when its gateway read it well last, and whether it was removed.
func (s *Store) FareOf(ctx context.Context, id metering.MeterID) (Fare, error) {
	f := Fare{Meter: id}
	var goodMs, removed int64
	if err := s.db.QueryRowContext(ctx, fareOf, string(id)).Scan((*string)(&f.Standing), &goodMs, &removed); err != nil {
		return Fare{}, fmt.Errorf("standing of meter %s: %w", id, err)
	}
	f.LastGood, f.Removed = instant(goodMs), removed == 1
	return f, nil
}
