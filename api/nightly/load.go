package nightly

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// historyDays is how far back days are read: a year, and the month before it.
const historyDays = 396

// A home is a dwelling with meters, with who lives there on the morning of a run.
type home struct {
	dwelling  premises.Dwelling
	household premises.HouseholdID // empty: nobody
	tenancy   string
	present   string               // the tenancy of today, which may be another where the run is of an earlier day
	lives     premises.HouseholdID // there today; empty: nobody
	movedIn   civil.Date           // or when the last household left; zero: nobody ever did
	occupants int
	consents  []consent.Purpose
	points    []meters.Fitted
	fitted    []fitted // the meters that hang there now

	lived    consumption.Home
	quiet    map[metering.MeterID]quiet
	rooms    map[metering.MeterID][]metering.Reading
	hours    []metering.IntervalConsumption                   // of the electricity
	curves   map[metering.Kind][]metering.IntervalConsumption // where this morning's tips want them
	inDetail bool                                             // the curves were read
	history  []tips.Kept                                      // what it was told before
	house    tips.House                                       // what it said about itself
	budget   *tips.Budget                                     // nil where nothing honest can be said

	// What the morning came to, to be stored.
	counts  Counts
	fresh   []kept // quiet days
	judged  []alerts.Judged
	changed []tips.Kept
	failed  bool
}

// past reports whether who lived there on the day of the run does so no more, or
// somebody does now: what was then is not to be told today.
func (h *home) past() bool { return h.tenancy != h.present }

// A fitted is a meter that hangs at a point of a home.
type fitted struct {
	meters.Hanging
	verified bool
	silent   time.Time // since when nobody reads it, as the survey found; zero: it is read
}

// stay is the household's, up to the morning's day.
func (h *home) stay(n *night) premises.Stay {
	return premises.Stay{Household: h.household, Dwelling: h.dwelling, Zone: n.zone, MovedIn: h.movedIn,
		From: latest(h.movedIn, n.date.AddDays(-historyDays)), To: n.date}
}

func latest(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// since is the instant from which on the household's days count.
func (h *home) since(n *night) time.Time {
	if h.movedIn.IsZero() {
		return time.Time{}
	}
	return h.movedIn.Start(n.zone)
}

const countHomes = `
SELECT COUNT(*)
  FROM dwelling
 WHERE residence_id = $1
   AND EXISTS (SELECT 1
                 FROM point
                WHERE point.dwelling_id = dwelling.id)`

func (r *Runner) homeCount(ctx context.Context, residence metering.SiteID) (count int, err error) {
	return count, r.DB.QueryRowContext(ctx, countHomes, string(residence)).Scan(&count)
}

const someHomes = `
SELECT dwelling.id, dwelling.building, dwelling.staircase, dwelling.label, dwelling.area_m2, dwelling.heating_kind, dwelling.hot_water_kind,
       COALESCE(tenancy.household_id, ''), COALESCE(tenancy.id, ''),
       COALESCE(tenancy.moved_in, (SELECT MAX(before.moved_out)
                                     FROM tenancy AS before
                                    WHERE before.dwelling_id = dwelling.id
                                      AND before.moved_out <= $3), ''),
       COALESCE(household.occupants, 0), COALESCE(present.id, ''), COALESCE(present.household_id, '')
  FROM dwelling
  LEFT JOIN tenancy ON tenancy.dwelling_id = dwelling.id
                   AND tenancy.moved_in <= $3
                   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
  LEFT JOIN household ON household.id = tenancy.household_id
  LEFT JOIN tenancy AS present ON present.dwelling_id = dwelling.id
                              AND present.moved_in <= $5
                              AND (present.moved_out IS NULL OR present.moved_out > $5)
 WHERE dwelling.residence_id = $1
   AND dwelling.id > $2
   AND EXISTS (SELECT 1
                 FROM point
                WHERE point.dwelling_id = dwelling.id)
 ORDER BY dwelling.id
 LIMIT $4`

// load reads the next homes after one, with their meters and consents.
func (r *Runner) load(ctx context.Context, n *night, after premises.DwellingID) ([]*home, error) {
	rows, err := r.DB.QueryContext(ctx, someHomes, string(n.residence.ID), string(after), n.date.String(), homesAtOnce, n.today.String())
	if err != nil {
		return nil, fmt.Errorf("homes: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (*home, error) {
		h := &home{quiet: map[metering.MeterID]quiet{}, rooms: map[metering.MeterID][]metering.Reading{}, curves: map[metering.Kind][]metering.IntervalConsumption{}}
		var movedIn string
		d := &h.dwelling
		err := rows.Scan(&d.ID, &d.Building, &d.Staircase, &d.Label, &d.AreaM2, &d.Heating, &d.HotWater, &h.household, &h.tenancy, &movedIn, &h.occupants, &h.present, &h.lives)
		if err == nil && movedIn != "" {
			h.movedIn, err = civil.ParseDate(movedIn)
		}
		d.Residence = n.residence.ID
		return h, err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	byID := map[premises.DwellingID]*home{}
	for _, h := range all {
		byID[h.dwelling.ID] = h
	}
	if err := r.loadMeters(ctx, n, byID, all[0].dwelling.ID, all[len(all)-1].dwelling.ID); err != nil {
		return nil, fmt.Errorf("meters of homes: %w", err)
	}
	if err := r.loadConsents(ctx, n, byID, all[0].dwelling.ID, all[len(all)-1].dwelling.ID); err != nil {
		return nil, fmt.Errorf("consents of homes: %w", err)
	}
	return all, nil
}

const metersOf = `
SELECT point.dwelling_id, point.id, point.kind, meter.id, meter.gateway_id, meter.kind, meter.index_modulus, meter.max_per_hour,
       meter.interval_s, meter.resolution, meter.pulse, binding.from_ms, COALESCE(binding.to_ms, 0), binding.first_index, binding.last_index,
       COALESCE(meter_check.state, ''), COALESCE(incident.from_ms, 0)
  FROM dwelling
  JOIN point ON point.dwelling_id = dwelling.id
  JOIN binding ON binding.point_id = point.id
  JOIN meter ON meter.id = binding.meter_id
  LEFT JOIN meter_check ON meter_check.meter_id = binding.meter_id
                       AND meter_check.point_id = binding.point_id
                       AND meter_check.bound_ms = binding.from_ms
  LEFT JOIN incident ON incident.meter_id = meter.id
                    AND incident.gateway_id = meter.gateway_id
                    AND incident.residence_id = dwelling.residence_id
                    AND incident.kind = 'meter_silent'
                    AND incident.to_ms IS NULL
 WHERE dwelling.residence_id = $1
   AND dwelling.id >= $2
   AND dwelling.id <= $3
 ORDER BY point.dwelling_id, point.kind, point.id, binding.from_ms`

func (r *Runner) loadMeters(ctx context.Context, n *night, byID map[premises.DwellingID]*home, first, last premises.DwellingID) error {
	rows, err := r.DB.QueryContext(ctx, metersOf, string(n.residence.ID), string(first), string(last))
	if err != nil {
		return err
	}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		dwelling, point, f, err := scanFitted(rows)
		if h := byID[dwelling]; err == nil && h != nil {
			h.hang(n, point, f)
		}
		return struct{}{}, err
	})
	return err
}

func scanFitted(rows *sql.Rows) (dwelling premises.DwellingID, point meters.Point, f fitted, err error) {
	var intervalS, fromMs, toMs, silentMs int64
	var state check.State
	m := &f.Meter
	err = rows.Scan(&dwelling, &point.ID, &point.Kind, &m.ID, &m.Gateway, (*string)(&m.Kind), &m.IndexModulus, &m.MaxPerHour, &intervalS,
		(*string)(&m.Resolution), &m.Pulse, &fromMs, &toMs, &f.FirstIndex, &f.LastIndex, &state, &silentMs)
	m.Interval = time.Duration(intervalS) * time.Second
	f.Binding.Meter, f.Point, f.From = m.ID, point.ID, sqldb.Time(fromMs)
	if toMs > 0 {
		f.To = sqldb.Time(toMs)
	}
	f.verified = state == check.Verified
	if silentMs > 0 {
		f.silent = sqldb.Time(silentMs)
	}
	point.Dwelling = dwelling
	return dwelling, point, f, err
}

// hang adds a meter to a home's points, and to those that hang there now.
func (h *home) hang(n *night, point meters.Point, f fitted) {
	last := len(h.points) - 1
	if last < 0 || h.points[last].ID != point.ID {
		h.points, last = append(h.points, meters.Fitted{Point: point}), last+1
	}
	h.points[last].Hangings = append(h.points[last].Hangings, f.Hanging)
	if f.From.Before(n.morning) && (f.To.IsZero() || f.To.After(n.morning)) {
		h.fitted = append(h.fitted, f)
	}
}

// of lists the meters of a kind that hang there now.
func (h *home) of(kinds ...metering.Kind) []fitted {
	var found []fitted
	for _, f := range h.fitted {
		if slices.Contains(kinds, f.Meter.Kind) {
			found = append(found, f)
		}
	}
	return found
}

const consentsOf = `
SELECT tenancy.dwelling_id, consent.purpose
  FROM consent
  JOIN tenancy ON tenancy.id = consent.tenancy_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND dwelling.id >= $2
   AND dwelling.id <= $3
   AND tenancy.moved_in <= $4
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
   AND consent.ended_ms IS NULL
   AND consent.from_ms <= $5
   AND consent.to_ms > $5`

// loadConsents reads what holds now, and not on the morning of the run: a run that
// makes up for a day must not use what was taken back since.
func (r *Runner) loadConsents(ctx context.Context, n *night, byID map[premises.DwellingID]*home, first, last premises.DwellingID) error {
	rows, err := r.DB.QueryContext(ctx, consentsOf, string(n.residence.ID), string(first), string(last), n.date.String(), sqldb.Ms(r.Now()))
	if err != nil {
		return err
	}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (struct{}, error) {
		var dwelling premises.DwellingID
		var purpose consent.Purpose
		err := rows.Scan(&dwelling, &purpose)
		if h := byID[dwelling]; err == nil && h != nil {
			h.consents = append(h.consents, purpose)
		}
		return struct{}{}, err
	})
	return err
}

func (h *home) agreed(p consent.Purpose) bool { return slices.Contains(h.consents, p) }

// readDays reads what the homes used by day and month.
func (r *Runner) readDays(ctx context.Context, n *night, all []*home) error {
	lodgings := make([]consumption.Lodging, len(all))
	for i, h := range all {
		lodgings[i] = consumption.Lodging{Stay: h.stay(n), Points: h.points}
	}
	lived, err := n.reader.Together(ctx, n.date.Start(n.zone), lodgings)
	if err != nil {
		return err
	}
	for i, h := range all {
		h.lived = lived[i]
	}
	return nil
}

const roomDays = 9

// readRooms reads the room sensors of households that agreed to the fine curve.
func (r *Runner) readRooms(ctx context.Context, n *night, all []*home) error {
	var ids []metering.MeterID
	for _, h := range all {
		for _, f := range h.of(metering.Temperature) {
			if h.readsFinely(f) {
				ids = append(ids, f.Meter.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.Influx.Readings(ctx, ids, metering.Celsius, n.date.AddDays(-roomDays).Start(n.zone), n.morning)
	if err != nil {
		return err
	}
	for _, h := range all {
		for _, f := range h.of(metering.Temperature) {
			h.rooms[f.Meter.ID] = after(found[f.Meter.ID], laterOf(h.since(n), f.From))
		}
	}
	return nil
}

// readsFinely reports whether each reading of a meter may be looked at.
func (h *home) readsFinely(f fitted) bool {
	return f.Meter.Resolution.Allows(metering.Fine) && (h.household == "" || h.agreed(consent.FineCurve))
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// after leaves out what was read before an instant.
func after(rs []metering.Reading, at time.Time) []metering.Reading {
	i, _ := slices.BinarySearchFunc(rs, at, func(r metering.Reading, at time.Time) int { return r.At.Compare(at) })
	return rs[i:]
}

// nightsRead is how far back the nights' power is looked at.
const nightsRead = 91

// readNights reads the hours of the electricity of households that agreed to the
// fine curve and to advice: their nights tell what is always on.
func (r *Runner) readNights(ctx context.Context, n *night, all []*home) error {
	var ids []metering.MeterID
	for _, h := range all {
		for _, f := range h.of(metering.Electricity) {
			if h.readsFinely(f) && h.agreed(consent.PersonalAdvice) {
				ids = append(ids, f.Meter.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.Influx.Consumption(ctx, influx.Hourly, ids, n.date.AddDays(-nightsRead).Start(n.zone), n.date.Start(n.zone))
	if err != nil {
		return err
	}
	for _, h := range all {
		mine := h.of(metering.Electricity)
		if len(mine) != 1 { // of two meters the nights are not one figure
			continue
		}
		for _, c := range found[mine[0].Meter.ID] {
			if !c.Start.Before(laterOf(h.since(n), mine[0].From)) {
				h.hours = append(h.hours, metering.IntervalConsumption{Start: c.Start, End: c.Start.Add(time.Hour), Used: c.Used, Quality: c.Quality})
			}
		}
	}
	return nil
}
