package consumption

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A stock is the dwellings of a residence with the meters of one kind that hung
// there, who lived there, and what the months of the meters are.
type stock struct {
	zone      *time.Location
	dwellings []fittedDwelling
	lived     map[string][]livedTime
	months    map[metering.MeterID]map[int64]influx.Consumption // by start, in s
}

type fittedDwelling struct {
	dwellingMonth
	points map[metering.PointID][]hungMeter
}

// A hungMeter is a meter at a point during [from, to); to is zero while it hangs.
type hungMeter struct {
	meter    metering.MeterID
	byDay    bool
	readable bool
	from, to time.Time
}

// A livedTime is a household's time in a dwelling; to is zero while it lasts.
type livedTime struct {
	occupants int
	from, to  civil.Date
}

const stockMeters = `
SELECT dwelling.id, dwelling.building, dwelling.staircase, dwelling.area_m2, COALESCE(point.id, ''),
       COALESCE(meter.id, ''), COALESCE(meter.resolution, 'off'), COALESCE(binding.from_ms, 0), COALESCE(binding.to_ms, 0)
  FROM dwelling
  LEFT JOIN point ON point.dwelling_id = dwelling.id AND point.kind = $2
  LEFT JOIN binding ON binding.point_id = point.id
                   AND binding.from_ms < $4
                   AND (binding.to_ms IS NULL OR binding.to_ms > $3)
  LEFT JOIN meter ON meter.id = binding.meter_id
 WHERE dwelling.residence_id = $1
 ORDER BY dwelling.id`

const stockLived = `
SELECT tenancy.dwelling_id, household.occupants, tenancy.moved_in, COALESCE(tenancy.moved_out, '')
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN household ON household.id = tenancy.household_id
 WHERE dwelling.residence_id = $1
   AND tenancy.moved_in < $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)`

// stock reads what months [first, last] of the scope's kind are made of: two
// statements, and one question to InfluxDB for all of them.
func (t *Totals) stock(ctx context.Context, s Scope, zone *time.Location, first, last civil.Month) (*stock, error) {
	k := &stock{zone: zone, lived: map[string][]livedTime{}}
	start, _ := first.Bounds(zone)
	_, end := last.Bounds(zone)
	if err := t.meters(ctx, s, k, start, end); err != nil {
		return nil, fmt.Errorf("meters of %s: %w", s.Residence, err)
	}
	rows, err := t.db.QueryContext(ctx, stockLived, string(s.Residence), first.First().String(), last.Next().First().String())
	if err == nil {
		_, err = sqldb.Collect(rows, k.scanLived)
	}
	if err != nil {
		return nil, fmt.Errorf("tenancies of %s: %w", s.Residence, err)
	}
	ids := k.ids(func(h hungMeter) bool { return h.readable })
	if len(ids) < leastHomes {
		return k, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	found, err := t.influx.Consumption(ctx, influx.Monthly, ids, start, end)
	if err != nil {
		return nil, away(err)
	}
	k.months = byStart(found)
	return k, nil
}

func byStart(found map[metering.MeterID][]influx.Consumption) map[metering.MeterID]map[int64]influx.Consumption {
	all := make(map[metering.MeterID]map[int64]influx.Consumption, len(found))
	for id, periods := range found {
		all[id] = make(map[int64]influx.Consumption, len(periods))
		for _, c := range periods {
			if c.Quality != metering.Missing && c.Used >= 0 {
				all[id][c.Start.Unix()] = c
			}
		}
	}
	return all
}

func (t *Totals) meters(ctx context.Context, s Scope, k *stock, start, end time.Time) error {
	rows, err := t.db.QueryContext(ctx, stockMeters, string(s.Residence), string(s.Kind), sqldb.Ms(start), sqldb.Ms(end))
	if err != nil {
		return err
	}
	_, err = sqldb.Collect(rows, k.scanMeter)
	return err
}

func (k *stock) scanMeter(rows *sql.Rows) (none struct{}, err error) {
	var d fittedDwelling
	var point metering.PointID
	var h hungMeter
	var resolution string
	var fromMs, toMs int64
	if err = rows.Scan(&d.id, &d.building, &d.staircase, &d.areaM2, &point, &h.meter, &resolution, &fromMs, &toMs); err != nil {
		return none, err
	}
	if last := len(k.dwellings) - 1; last < 0 || k.dwellings[last].id != d.id {
		d.points = map[metering.PointID][]hungMeter{}
		k.dwellings = append(k.dwellings, d)
	}
	at := &k.dwellings[len(k.dwellings)-1]
	if point == "" {
		return none, nil
	}
	at.metered = true
	// Noted even where no meter hangs: the dwelling is not known then.
	at.points[point] = append(at.points[point], hungOf(h, resolution, fromMs, toMs)...)
	return none, nil
}

// hungOf completes a meter that hung at a point; none where none did.
func hungOf(h hungMeter, resolution string, fromMs, toMs int64) []hungMeter {
	if h.meter == "" {
		return nil
	}
	h.readable, h.byDay = metering.Resolution(resolution).Allows(metering.Month), metering.Resolution(resolution).Allows(metering.Day)
	h.from = sqldb.Time(fromMs)
	if toMs > 0 {
		h.to = sqldb.Time(toMs)
	}
	return []hungMeter{h}
}

func (k *stock) scanLived(rows *sql.Rows) (none struct{}, err error) {
	var dwelling, in, out string
	var l livedTime
	if err = rows.Scan(&dwelling, &l.occupants, &in, &out); err != nil {
		return none, err
	}
	if l.from, err = civil.ParseDate(in); err == nil && out != "" {
		l.to, err = civil.ParseDate(out)
	}
	k.lived[dwelling] = append(k.lived[dwelling], l)
	return none, err
}

func (k *stock) ids(want func(hungMeter) bool) (ids []metering.MeterID) {
	for _, d := range k.dwellings {
		for _, hung := range d.points {
			for _, h := range hung {
				if want(h) {
					ids = append(ids, h.meter)
				}
			}
		}
	}
	return ids
}

// month is what each dwelling used in a month. A dwelling is known where one meter
// hung at each of its points all month and the month of each is known: what two
// meters counted in one month is known of the home alone.
func (k *stock) month(m civil.Month) []dwellingMonth {
	start, end := m.Bounds(k.zone)
	all := make([]dwellingMonth, 0, len(k.dwellings))
	for _, fitted := range k.dwellings {
		d := fitted.dwellingMonth
		d.known = len(fitted.points) > 0
		for _, hung := range fitted.points {
			c, ok := k.ofPoint(hung, start, end)
			d.known = d.known && ok
			d.used += c.Used
			d.quality = d.quality.Worse(c.Quality)
		}
		if !d.known {
			d.used, d.quality = 0, metering.Missing
		}
		for _, l := range k.lived[d.id] {
			days := l.daysIn(m)
			d.lived = d.lived || days > 0
			d.personDays += int64(days * l.occupants)
		}
		all = append(all, d)
	}
	return all
}

func (k *stock) ofPoint(hung []hungMeter, start, end time.Time) (influx.Consumption, bool) {
	for _, h := range hung {
		if h.readable && !h.from.After(start) && (h.to.IsZero() || !h.to.Before(end)) {
			c, ok := k.months[h.meter][start.Unix()]
			return c, ok
		}
	}
	return influx.Consumption{}, false
}

// daysIn is how many days of the month fall into the time.
func (l livedTime) daysIn(m civil.Month) int {
	from, to := m.First(), m.Next().First()
	from = later(from, l.from)
	if !l.to.IsZero() && l.to.Before(to) {
		to = l.to
	}
	return max(0, daysBetween(from, to))
}

// addDays gives the homes of a month their days: those whose meters may all be read
// by day, and of which every day is known and all of them add up to the month.
func (t *Totals) addDays(ctx context.Context, k *stock, m civil.Month, all []dwellingMonth) error {
	start, end := m.Bounds(k.zone)
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	found, err := t.influx.Consumption(ctx, influx.Daily, k.ids(func(h hungMeter) bool { return h.byDay }), start, end)
	if err != nil {
		return away(err)
	}
	daily := byStart(found)
	for i, fitted := range k.dwellings {
		if all[i].home() {
			all[i].days = fitted.days(daily, m, k.zone, all[i].used)
		}
	}
	return nil
}

// days are those of a dwelling, or none where one is not known or they do not add up
// to what it used in the month.
func (f fittedDwelling) days(daily map[metering.MeterID]map[int64]influx.Consumption, m civil.Month, zone *time.Location, used metering.Amount) []dayUse {
	start, end := m.Bounds(zone)
	var days []dayUse
	var sum metering.Amount
	for day := m.First(); day.Before(m.Next().First()); day = day.AddDays(1) {
		var use dayUse
		for _, hung := range f.points {
			for _, h := range hung {
				if h.from.After(start) || !h.to.IsZero() && h.to.Before(end) {
					continue
				}
				c, ok := daily[h.meter][day.Start(zone).Unix()]
				if !ok || !h.byDay {
					return nil
				}
				use[0] += int64(c.Used)
				use[1] = max(use[1], int64(c.Quality))
				sum += c.Used
			}
		}
		days = append(days, use)
	}
	if sum != used {
		return nil
	}
	return days
}
