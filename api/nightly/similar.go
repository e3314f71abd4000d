package nightly

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A similar is how the homes of a residence do, of the last month that is told.
type similar struct {
	water tips.Band // mL a person and day, cold and hot
	base  tips.Band // W at night
	heat  tips.Band // Wh a square metre and degree-day
}

const (
	// settleDays is how long after its end a month is still made up.
	settleDays = 3
	// leastHomes is from how many homes on a band is told, as quarters are.
	leastHomes = 20
	// largestShare is what one home may use of all at the most.
	largestShare = 0.5
)

// measures are the bands by the name under which they are kept.
const (
	ofWater = "water"
	ofBase  = "base"
	ofHeat  = "heat"
)

// similarHomes returns the bands of the last whole month. They are made once, of
// whole months and of all homes that have figures, and stay as they are: so no
// difference of two tells of a home.
func (r *Runner) similarHomes(ctx context.Context, residence premises.Residence, date civil.Date) (s similar, err error) {
	month := date.AddDays(-settleDays).MonthOf().Prev()
	for _, b := range []struct {
		measure string
		into    *tips.Band
		make    func(context.Context, premises.Residence, civil.Month) ([]float64, error)
	}{{ofWater, &s.water, r.waterOf}, {ofBase, &s.base, r.basesOf}, {ofHeat, &s.heat, r.heatOf}} {
		known, err := r.keptBand(ctx, residence.ID, b.measure, month, b.into)
		if err != nil {
			return s, fmt.Errorf("similar homes by %s: %w", b.measure, err)
		}
		if known {
			continue
		}
		uses, err := b.make(ctx, residence, month)
		if err != nil {
			return s, fmt.Errorf("similar homes by %s: %w", b.measure, err)
		}
		*b.into = band(uses)
		if b.into.Homes == 0 && monthIsFresh(date) {
			continue // late readings may still make one
		}
		if err := r.keepBand(ctx, residence.ID, b.measure, month, *b.into); err != nil {
			return s, fmt.Errorf("similar homes by %s: %w", b.measure, err)
		}
	}
	return s, nil
}

// monthIsFresh reports whether the month before was over a short while ago only.
func monthIsFresh(date civil.Date) bool { return date.Day < 15 }

// band tells quarters of at least twenty homes of which none uses half of all,
// rounded to two digits.
func band(uses []float64) tips.Band {
	uses = slices.DeleteFunc(slices.Clone(uses), func(x float64) bool { return !(x >= 0) || math.IsInf(x, 0) })
	slices.Sort(uses)
	var sum float64
	for _, x := range uses {
		sum += x
	}
	if len(uses) < leastHomes || sum <= 0 || uses[len(uses)-1] >= largestShare*sum {
		return tips.Band{}
	}
	at := func(q float64) float64 {
		place := q * float64(len(uses)-1)
		low := int(place)
		high := min(low+1, len(uses)-1)
		return twoDigits(uses[low] + (place-float64(low))*(uses[high]-uses[low]))
	}
	return tips.Band{Homes: len(uses) / 10 * 10, Quarter: at(0.25), Median: at(0.5), Up: at(0.75)}
}

// twoDigits rounds to two significant digits.
func twoDigits(x float64) float64 {
	if x <= 0 {
		return 0
	}
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/scale) * scale
}

const keptBand = `
SELECT homes, quarter, middle, upper
  FROM similar_month
 WHERE residence_id = $1
   AND measure = $2
   AND month = $3`

func (r *Runner) keptBand(ctx context.Context, residence metering.SiteID, measure string, month civil.Month, b *tips.Band) (bool, error) {
	err := r.DB.QueryRowContext(ctx, keptBand, string(residence), measure, month.String()).Scan(&b.Homes, &b.Quarter, &b.Median, &b.Up)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

const keepBand = `
INSERT INTO similar_month (residence_id, measure, month, homes, quarter, middle, upper)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (residence_id, measure, month) DO NOTHING`

func (r *Runner) keepBand(ctx context.Context, residence metering.SiteID, measure string, month civil.Month, b tips.Band) error {
	_, err := r.DB.ExecContext(ctx, keepBand, string(residence), measure, month.String(), b.Homes, b.Quarter, b.Median, b.Up)
	return err
}

// Only homes count where one household lived all of the month behind the same
// checked meters, all read as finely as that kind asks for.
const metersOfMonth = `
SELECT dwelling.id, dwelling.area_m2, dwelling.hot_water_kind, household.occupants, point.kind, binding.meter_id
  FROM dwelling
  JOIN tenancy ON tenancy.dwelling_id = dwelling.id
  JOIN household ON household.id = tenancy.household_id
  JOIN point ON point.dwelling_id = dwelling.id
  JOIN binding ON binding.point_id = point.id
  JOIN meter ON meter.id = binding.meter_id
  JOIN meter_check ON meter_check.meter_id = binding.meter_id
                  AND meter_check.point_id = binding.point_id
                  AND meter_check.bound_ms = binding.from_ms
                  AND meter_check.state = 'verified'
 WHERE dwelling.residence_id = $1
   AND point.kind IN ($2, $3)
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out >= $5)
   AND binding.from_ms <= $6
   AND (binding.to_ms IS NULL OR binding.to_ms >= $7)
   AND meter.resolution <> 'off'
   AND ($8 = '' OR meter.resolution = $8)
 ORDER BY dwelling.id, point.kind, point.id`

// A member is a meter of a home of the group.
type member struct {
	dwelling  premises.DwellingID
	areaM2    float64
	hotWater  premises.Warmth
	occupants int
	kind      metering.Kind
	meter     metering.MeterID
}

func (r *Runner) members(ctx context.Context, residence premises.Residence, month civil.Month, resolution metering.Resolution, kinds [2]metering.Kind) ([]member, error) {
	start, end := month.Bounds(residence.Zone)
	rows, err := r.DB.QueryContext(ctx, metersOfMonth, string(residence.ID), string(kinds[0]), string(kinds[1]), month.First().String(),
		month.Next().First().String(), sqldb.Ms(start), sqldb.Ms(end), string(resolution))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (m member, err error) {
		return m, rows.Scan(&m.dwelling, &m.areaM2, &m.hotWater, &m.occupants, &m.kind, &m.meter)
	})
}

// monthly sums what the meters of each home counted in a month; a home of which one
// is not known is none. Wanted says whether a home's meters are all that it needs.
func (r *Runner) monthly(ctx context.Context, residence premises.Residence, month civil.Month, all []member, wanted func([]member) bool, size func(member) float64) (uses []float64, err error) {
	var ids []metering.MeterID
	for _, m := range all {
		ids = append(ids, m.meter)
	}
	start, end := month.Bounds(residence.Zone)
	found, err := r.Influx.Consumption(ctx, influx.Monthly, ids, start, end)
	if err != nil {
		return nil, err
	}
	for _, home := range byHome(all) {
		used := 0.0
		for _, m := range home {
			if c := found[m.meter]; len(c) == 1 && c[0].Quality != metering.Missing {
				used += float64(c[0].Used)
			} else {
				used = math.NaN()
			}
		}
		if per := size(home[0]); wanted(home) && per > 0 {
			uses = append(uses, used/per)
		}
	}
	return uses, nil
}

// byHome cuts the members, which are in order of their homes, into homes.
func byHome(all []member) (homes [][]member) {
	for i, m := range all {
		if i == 0 || all[i-1].dwelling != m.dwelling {
			homes = append(homes, nil)
		}
		homes[len(homes)-1] = append(homes[len(homes)-1], m)
	}
	return homes
}

// waterOf are the homes of which all water is metered, in mL a person and day.
func (r *Runner) waterOf(ctx context.Context, residence premises.Residence, month civil.Month) ([]float64, error) {
	all, err := r.members(ctx, residence, month, "", [2]metering.Kind{metering.ColdWater, metering.HotWater})
	if err != nil {
		return nil, err
	}
	wanted := func(home []member) bool {
		has := func(k metering.Kind) bool {
			return slices.ContainsFunc(home, func(m member) bool { return m.kind == k })
		}
		switch tips.HeatedBy(home[0].hotWater) {
		case tips.SharedHotWater:
			return has(metering.ColdWater) && has(metering.HotWater)
		case "":
			return false
		default:
			return has(metering.ColdWater) && !has(metering.HotWater)
		}
	}
	return r.monthly(ctx, residence, month, all, wanted, func(m member) float64 { return float64(m.occupants * month.Days()) })
}

// heatOf are the homes with a heat meter, in Wh a square metre and degree-day;
// none of a mild month, and none without the weather.
func (r *Runner) heatOf(ctx context.Context, residence premises.Residence, month civil.Month) ([]float64, error) {
	weather, err := consumption.NewNeighbourhood(r.DB, r.Influx).Weather(ctx, residence.ID, month.First(), month.Next().First())
	if err != nil {
		return nil, err
	}
	degrees, known := weather.DegreeDays(month.First(), month.Next().First())
	if !known || degrees < leastDegreeDays {
		return nil, nil
	}
	all, err := r.members(ctx, residence, month, "", [2]metering.Kind{metering.Heat, metering.Heat})
	if err != nil {
		return nil, err
	}
	every := func([]member) bool { return true }
	return r.monthly(ctx, residence, month, all, every, func(m member) float64 { return m.areaM2 * degrees })
}

// leastDegreeDays is from which cold on heat tells something of a home.
const leastDegreeDays = 100

// basesOf are the night's power of homes whose electricity may be read finely, in W:
// the middle of a month's nights.
func (r *Runner) basesOf(ctx context.Context, residence premises.Residence, month civil.Month) (uses []float64, err error) {
	all, err := r.members(ctx, residence, month, metering.Fine, [2]metering.Kind{metering.Electricity, metering.Electricity})
	if err != nil {
		return nil, err
	}
	var single []member
	for _, home := range byHome(all) {
		if len(home) == 1 { // of two meters the nights are not one figure
			single = append(single, home[0])
		}
	}
	start, end := month.Bounds(residence.Zone)
	for some := range slices.Chunk(single, 3*homesAtOnce) {
		ids := make([]metering.MeterID, len(some))
		for i, m := range some {
			ids[i] = m.meter
		}
		found, err := r.Influx.Consumption(ctx, influx.Hourly, ids, start, end)
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			var hours []metering.IntervalConsumption
			for _, c := range found[m.meter] {
				hours = append(hours, metering.IntervalConsumption{Start: c.Start, End: c.Start.Add(time.Hour), Used: c.Used, Quality: c.Quality})
			}
			if watts, nights := tips.NightPower(hours, month.First(), month.Next().First(), residence.Zone); nights >= leastNights {
				uses = append(uses, watts)
			}
		}
	}
	return uses, nil
}

// leastNights is how many nights of a month must tell.
const leastNights = 20
