package consumption

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Neighbourhood knows what homes are compared with: what is typical in their
// residence, and the weather. It may be used from several goroutines.
type Neighbourhood struct {
	db     *sql.DB
	influx *influx.Client
	none   untold
}

// NewNeighbourhood returns a neighbourhood on a migrated database.
func NewNeighbourhood(db *sql.DB, client *influx.Client) *Neighbourhood {
	return &Neighbourhood{db: db, influx: client}
}

// Occupants is how many people a household declared. The caller has found it among
// somebody's stays.
func (n *Neighbourhood) Occupants(ctx context.Context, id premises.HouseholdID) (people int, err error) {
	err = n.db.QueryRowContext(ctx, `SELECT occupants FROM household WHERE id = $1`, string(id)).Scan(&people)
	if err != nil {
		return 0, fmt.Errorf("occupants of household %s: %w", id, err)
	}
	return people, nil
}

const weatherOf = `
SELECT day, low_mc, high_mc
  FROM outdoor_day
 WHERE residence_id = $1
   AND day >= $2
   AND day < $3`

// Weather returns the known days of a residence's outdoors within [from, to).
func (n *Neighbourhood) Weather(ctx context.Context, residence metering.SiteID, from, to civil.Date) (Weather, error) {
	rows, err := n.db.QueryContext(ctx, weatherOf, string(residence), from.String(), to.String())
	if err != nil {
		return nil, fmt.Errorf("weather of %s: %w", residence, err)
	}
	w := Weather{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var text string
		var low, high float64
		err := rows.Scan(&text, &low, &high)
		if err == nil {
			var day civil.Date
			if day, err = civil.ParseDate(text); err == nil {
				w.Note(day, low/1000, high/1000)
			}
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("weather of %s: %w", residence, err)
	}
	return w, nil
}

const mayNoteWeather = `
SELECT COUNT(*)
  FROM residence
 WHERE residence.id = $2
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

// What somebody sent stays; a network's day takes the place of a sensor's.
const putDay = `
INSERT INTO outdoor_day (residence_id, day, low_mc, high_mc, source)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (residence_id, day) DO UPDATE
   SET low_mc = excluded.low_mc,
       high_mc = excluded.high_mc,
       source = excluded.source
 WHERE excluded.source = 'file'
    OR outdoor_day.source = 'sensor'
    OR outdoor_day.source = excluded.source`

// NoteWeather keeps days of a residence's outdoors, all or none; the same again
// changes nothing. It fails with the problem NotFound "residence.none" where staff
// may not change the residence's.
func (n *Neighbourhood) NoteWeather(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, days []Temperature) error {
	var may int
	if err := n.db.QueryRowContext(ctx, mayNoteWeather, string(staff), string(residence)).Scan(&may); err != nil {
		return fmt.Errorf("weather of %s: %w", residence, err)
	}
	if may == 0 {
		return &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	return n.keepOutdoors(ctx, residence, fromFile, days)
}

func milli(c float64) int64 { return int64(math.Round(c * 1000)) }

// settleDays is how long after its end a month is still made up: late readings come
// in, and what was told once stays.
const settleDays = 3

const toldTypical = `
SELECT homes, typical, quarter
  FROM typical_month
 WHERE residence_id = $1
   AND kind = $2
   AND month = $3
   AND band = $4`

const keepTypical = `
INSERT INTO typical_month (residence_id, kind, month, band, homes, typical, quarter)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (residence_id, kind, month, band) DO NOTHING`

// Typical returns what is typical for a household of so many in a residence in a
// month. It is false before the third day after the month and where nothing may be
// told: see [Circle]. Once told it stays, whoever comes or goes later; that nothing
// may be told is looked up again after an hour. It fails
// with the problem Unavailable "service.away" where InfluxDB does not answer.
func (n *Neighbourhood) Typical(ctx context.Context, residence metering.SiteID, zone *time.Location, k metering.Kind, month civil.Month, occupants int, now time.Time) (Typical, bool, error) {
	if _, end := month.Bounds(zone); now.Before(end.AddDate(0, 0, settleDays-1)) || k == metering.Temperature {
		return Typical{}, false, nil
	}
	t, told, err := n.told(ctx, residence, k, month, occupants)
	if err != nil || told {
		return t, t.Homes > 0, err
	}
	group := group{residence, k, month}
	if n.none.holds(group, now) {
		return Typical{}, false, nil
	}
	homes, err := n.homes(ctx, residence, zone, k, month)
	if err != nil {
		return Typical{}, false, err
	}
	some, err := n.keep(ctx, residence, k, month, homes)
	if err != nil {
		return Typical{}, false, err
	}
	if !some {
		n.none.note(group, now)
		return Typical{}, false, nil
	}
	t, _, err = n.told(ctx, residence, k, month, occupants)
	return t, t.Homes > 0, err
}

// keep writes down what is told of a month: each size of household at once, so that
// all are of the same homes. Where nothing may be told nothing is kept and some is
// false, because the readings may still be on their way.
func (n *Neighbourhood) keep(ctx context.Context, residence metering.SiteID, k metering.Kind, month civil.Month, homes map[Measure][]HomeUse) (some bool, err error) {
	made := make([]Typical, mostOccupants+1)
	for people := range made {
		m := MeasureFor(k, people)
		if t, ok := Circle(homes[m], m, month, people); ok {
			made[people], some = t, true
		}
	}
	if !some {
		return false, nil
	}
	return true, sqldb.InTx(ctx, n.db, func(tx *sql.Tx) error {
		for people, t := range made {
			_, err := tx.ExecContext(ctx, keepTypical, string(residence), string(k), month.String(), people, t.Homes, int64(t.Used), int64(t.Quarter))
			if err != nil {
				return fmt.Errorf("keep what is typical in %s: %w", residence, err)
			}
		}
		return nil
	})
}

const mostOccupants = 30

func (n *Neighbourhood) told(ctx context.Context, residence metering.SiteID, k metering.Kind, month civil.Month, people int) (Typical, bool, error) {
	t := Typical{Month: month, Measure: MeasureFor(k, people)}
	err := n.db.QueryRowContext(ctx, toldTypical, string(residence), string(k), month.String(), people).Scan(&t.Homes, &t.Used, &t.Quarter)
	if errors.Is(err, sql.ErrNoRows) {
		return Typical{}, false, nil
	}
	if err != nil {
		return Typical{}, false, fmt.Errorf("what is typical in %s: %w", residence, err)
	}
	return t, true, nil
}

// Only homes count where one household lived all of the month behind the same
// meters.
const homesOfMonth = `
SELECT point.dwelling_id, dwelling.area_m2, household.occupants, binding.meter_id
  FROM point
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN tenancy ON tenancy.dwelling_id = dwelling.id
  JOIN household ON household.id = tenancy.household_id
  JOIN binding ON binding.point_id = point.id
  JOIN meter ON meter.id = binding.meter_id
 WHERE dwelling.residence_id = $1
   AND point.kind = $2
   AND tenancy.moved_in <= $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out >= $4)
   AND binding.from_ms <= $5
   AND (binding.to_ms IS NULL OR binding.to_ms >= $6)
   AND meter.resolution <> 'off'
 ORDER BY point.dwelling_id`

type countedHome struct {
	dwelling  premises.DwellingID
	areaM2    float64
	occupants int
	meter     metering.MeterID
}

func (n *Neighbourhood) homes(ctx context.Context, residence metering.SiteID, zone *time.Location, k metering.Kind, month civil.Month) (map[Measure][]HomeUse, error) {
	start, end := month.Bounds(zone)
	rows, err := n.db.QueryContext(ctx, homesOfMonth, string(residence), string(k), month.First().String(), month.Next().First().String(),
		sqldb.Ms(start), sqldb.Ms(end))
	if err != nil {
		return nil, fmt.Errorf("homes of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (h countedHome, err error) {
		return h, rows.Scan(&h.dwelling, &h.areaM2, &h.occupants, &h.meter)
	})
	if err != nil {
		return nil, fmt.Errorf("homes of %s: %w", residence, err)
	}
	ids := make([]metering.MeterID, len(all))
	for i, h := range all {
		ids[i] = h.meter
	}
	if len(ids) < leastHomes {
		return nil, nil
	}
	found, err := n.influx.Consumption(ctx, influx.Monthly, ids, start, end)
	if err != nil {
		return nil, away(err)
	}
	return map[Measure][]HomeUse{
		PerPerson: usesOf(all, found, PerPerson, month.Days()),
		PerM2:     usesOf(all, found, PerM2, month.Days()),
	}, nil
}

// usesOf adds up the meters of each home; one of which a meter is not known is none.
func usesOf(all []countedHome, found map[metering.MeterID][]influx.Consumption, m Measure, days int) []HomeUse {
	var uses []HomeUse
	var last premises.DwellingID
	for _, h := range all {
		size := float64(h.occupants * days)
		if m == PerM2 {
			size = h.areaM2
		}
		used := math.NaN() // left out, with all that is added to it
		if c := found[h.meter]; len(c) == 1 && c[0].Quality != metering.Missing && size > 0 {
			used = float64(c[0].Used) / size
		}
		if len(uses) > 0 && h.dwelling == last {
			uses[len(uses)-1].Used += used
			continue
		}
		uses, last = append(uses, HomeUse{h.occupants, used}), h.dwelling
	}
	return uses
}
