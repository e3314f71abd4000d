package consumption

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Balances sets the main meters of a residence's buildings against the meters of
// the dwellings behind them, for each building and kind of which a main hangs, over
// each period of the scope's step (month, year or whole; its kind and level are not
// looked at). Only months of which every dwelling is known count, those without
// tenants too, and the same ones on both sides; where they are less than 95 % of
// the days nothing is told. What homes took is what [Totals.During] tells, so that
// the two together tell no more. It fails as that does.
func (t *Totals) Balances(ctx context.Context, staff accounts.PersonID, s Scope, now time.Time) ([]Balance, error) {
	s.Kind, s.By = "", OfBuilding
	if err := s.Validate(); err != nil || s.Step == StepDay || s.Step == StepWeek {
		return nil, malformed("range.malformed", err)
	}
	zone, err := t.zone(ctx, staff, s.Residence)
	if err != nil {
		return nil, err
	}
	mains, err := t.mains(ctx, s, zone)
	if err != nil {
		return nil, err
	}
	all := []Balance{}
	if len(mains) == 0 {
		return all, nil
	}
	homes, err := t.hotWater(ctx, s.Residence)
	if err != nil {
		return nil, err
	}
	behind := map[metering.Kind]map[string]map[civil.Month]groupMonth{}
	for _, k := range []metering.Kind{metering.ColdWater, metering.HotWater, metering.Electricity, metering.Heat, metering.Gas} {
		if behind[k], err = t.buildings(ctx, s, k, zone, now); err != nil {
			return nil, err
		}
	}
	for _, m := range mains {
		for _, p := range s.periods() {
			b := Balance{Building: m.building, Kind: m.kind, From: p.From, To: p.To, Quality: metering.Missing}
			b.fill(m, homes[m.building], behind, zone, now)
			all = append(all, b)
		}
	}
	return all, nil
}

// buildings returns the months of the buildings that are told by themselves.
func (t *Totals) buildings(ctx context.Context, s Scope, k metering.Kind, zone *time.Location, now time.Time) (map[string]map[civil.Month]groupMonth, error) {
	s.Kind, s.Step = k, StepMonth
	s.From, s.To = s.From.MonthOf().First(), s.To.AddDays(-1).MonthOf().Next().First() // no days are needed
	if err := t.tell(ctx, s, zone, now); err != nil {
		return nil, err
	}
	rows, err := t.groups(ctx, s)
	if err != nil {
		return nil, err
	}
	found := map[string]map[civil.Month]groupMonth{}
	for _, g := range inOrder(rows) {
		if len(g.Members) == 1 {
			found[g.Members[0]] = g.months
		}
	}
	return found, nil
}

// A mainMeter is what hangs at a building for a kind.
type mainMeter struct {
	building string
	kind     metering.Kind
	points   map[metering.PointID][]hungMeter
	months   map[metering.MeterID]map[int64]influx.Consumption
}

const mainMeters = `
SELECT point.building, point.kind, point.id, COALESCE(meter.id, ''), COALESCE(meter.resolution, 'off'),
       COALESCE(binding.from_ms, 0), COALESCE(binding.to_ms, 0)
  FROM point
  LEFT JOIN binding ON binding.point_id = point.id
                   AND binding.from_ms < $3
                   AND (binding.to_ms IS NULL OR binding.to_ms > $2)
  LEFT JOIN meter ON meter.id = binding.meter_id
 WHERE point.residence_id = $1
   AND point.kind <> 'temperature'
 ORDER BY point.building, point.kind, point.id`

func (t *Totals) mains(ctx context.Context, s Scope, zone *time.Location) ([]*mainMeter, error) {
	start, end := s.From.MonthOf().First().Start(zone), s.To.Start(zone)
	rows, err := t.db.QueryContext(ctx, mainMeters, string(s.Residence), sqldb.Ms(start), sqldb.Ms(end))
	if err != nil {
		return nil, fmt.Errorf("main meters of %s: %w", s.Residence, err)
	}
	var mains []*mainMeter
	var ids []metering.MeterID
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var building, kind, resolution string
		var point metering.PointID
		var h hungMeter
		var fromMs, toMs int64
		if err = rows.Scan(&building, &kind, &point, &h.meter, &resolution, &fromMs, &toMs); err != nil {
			return none, err
		}
		if last := len(mains) - 1; last < 0 || mains[last].building != building || mains[last].kind != metering.Kind(kind) {
			mains = append(mains, &mainMeter{building: building, kind: metering.Kind(kind), points: map[metering.PointID][]hungMeter{}})
		}
		m := mains[len(mains)-1]
		m.points[point] = append(m.points[point], hungOf(h, resolution, fromMs, toMs)...)
		if h.meter != "" {
			ids = append(ids, h.meter)
		}
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("main meters of %s: %w", s.Residence, err)
	}
	if len(ids) == 0 {
		return mains, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	found, err := t.influx.Consumption(ctx, influx.Monthly, ids, start, end)
	if err != nil {
		return nil, away(err)
	}
	for _, m := range mains {
		m.months = byStart(found)
	}
	return mains, nil
}

// hotWaterOf is how the dwellings of a building get their hot water.
type hotWaterOf struct {
	metered                     int // dwellings with a point for it
	dwellings, shared, notKnown int
}

const hotWaterKinds = `
SELECT dwelling.building, dwelling.hot_water_kind, COUNT(*),
       COUNT(CASE WHEN EXISTS (SELECT 1
                                 FROM point
                                WHERE point.dwelling_id = dwelling.id
                                  AND point.kind = 'hot_water') THEN 1 END)
  FROM dwelling
 WHERE dwelling.residence_id = $1
 GROUP BY dwelling.building, dwelling.hot_water_kind`

func (t *Totals) hotWater(ctx context.Context, residence metering.SiteID) (map[string]hotWaterOf, error) {
	rows, err := t.db.QueryContext(ctx, hotWaterKinds, string(residence))
	if err != nil {
		return nil, fmt.Errorf("hot water of %s: %w", residence, err)
	}
	found := map[string]hotWaterOf{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var building, kind string
		var dwellings, metered int
		if err = rows.Scan(&building, &kind, &dwellings, &metered); err != nil {
			return none, err
		}
		b := found[building]
		b.dwellings += dwellings
		b.metered += metered
		switch premises.Warmth(kind) {
		case premises.Collective:
			b.shared += dwellings
		case premises.WarmthUnknown:
			b.notKnown += dwellings
		}
		found[building] = b
		return none, nil
	})
	if err != nil {
		return nil, fmt.Errorf("hot water of %s: %w", residence, err)
	}
	return found, nil
}

// behind are the kinds of which the dwellings' meters are behind the main of a kind.
// Water that the building heats comes through its main of cold water, and what heats
// it through that of heat, where it is metered nowhere else. It is false where that
// cannot be told of all dwellings.
func (b hotWaterOf) behind(k metering.Kind) ([]metering.Kind, bool) {
	none := b.shared == 0 && b.notKnown == 0
	switch k {
	case metering.ColdWater:
		switch {
		case none || b.shared == 0 && b.metered == 0:
			return []metering.Kind{k}, true
		case b.shared == b.dwellings && b.metered == b.dwellings:
			return []metering.Kind{k, metering.HotWater}, true
		}
		return nil, false
	case metering.Heat:
		return []metering.Kind{k}, none
	default:
		return []metering.Kind{k}, true
	}
}

// fill makes the balance of a main over the period.
func (b *Balance) fill(m *mainMeter, homes hotWaterOf, behind map[metering.Kind]map[string]map[civil.Month]groupMonth, zone *time.Location, now time.Time) {
	kinds, clear := homes.behind(m.kind)
	hung, only := m.only()
	switch {
	case b.From.Day != 1 || b.To.Day != 1:
		b.refuse(BalanceWholeMonth)
		return
	case !only:
		b.refuse(SeveralMains)
		return
	case len(hung) == 0:
		b.refuse(NoMain)
		return
	case !clear:
		b.refuse(HotWaterUnclear)
		return
	}
	for _, k := range kinds {
		b.Behind = append(b.Behind, Behind{Kind: k})
	}
	b.Quality = metering.Measured
	pieces, known, why := b.months(m, hung, behind, zone, now)
	b.Coverage = float64(known) / float64(daysBetween(b.From, b.To))
	if b.Coverage < balanceCoverage {
		b.refuse(why)
		return
	}
	main := totalOf(m.kind, pieces, b.From.Start(zone), b.To.Start(zone))
	b.Main, b.Quality = &main, b.Quality.Worse(main.Quality)
	b.weigh()
}

// months adds up the months of which both sides are known, and says of how many
// days they are and why another is not among them.
func (b *Balance) months(m *mainMeter, hung []hungMeter, behind map[metering.Kind]map[string]map[civil.Month]groupMonth, zone *time.Location, now time.Time) (pieces []piece, days int, why NoBalance) {
	run := 0 // months that follow each other are one difference of indexes
	for month := b.From.MonthOf(); month.First().Before(b.To); month = month.Next() {
		part, ok := m.part(hung, month, zone)
		no := MainNotKnown
		switch {
		case !settled(month, zone, now, true):
			no = BalanceNotOver
		case ok:
			no = b.add(month, behind, zone, now)
		}
		if no != "" {
			if why != BalanceNotOver {
				why = no
			}
			run++
			continue
		}
		part.span += run * len(hung)
		pieces, days = append(pieces, part), days+month.Days()
	}
	return pieces, days, why
}

// add adds what the dwellings took in a month, or says why nothing is added.
func (b *Balance) add(month civil.Month, behind map[metering.Kind]map[string]map[civil.Month]groupMonth, zone *time.Location, now time.Time) NoBalance {
	for _, h := range b.Behind {
		switch g, ok := behind[h.Kind][b.Building][month]; {
		case !ok && !settled(month, zone, now, false):
			return BalanceNotOver
		case !ok:
			return BalanceTooFew
		case !g.whole:
			return NotEveryDwelling
		}
	}
	for i, h := range b.Behind {
		g := behind[h.Kind][b.Building][month]
		b.Behind[i].Used += g.used + g.emptyUsed
		b.Behind[i].Dwellings = g.dwellings
		b.Quality = b.Quality.Worse(g.quality)
	}
	return ""
}

// only returns what hangs at the only point of the main; false where there are two.
func (m *mainMeter) only() ([]hungMeter, bool) {
	if len(m.points) != 1 {
		return nil, false
	}
	for _, hung := range m.points {
		return slices.Clone(hung), true
	}
	return nil, true
}

// part is what the main counted in a month in which it hung there all the time.
func (m *mainMeter) part(hung []hungMeter, month civil.Month, zone *time.Location) (piece, bool) {
	start, end := month.Bounds(zone)
	k := stock{months: m.months}
	c, ok := k.ofPoint(hung, start, end)
	return piece{part: metering.Part{
		From: metering.Boundary{Meter: c.Meter, At: start, Index: c.Index - c.Used, Quality: c.Quality},
		To:   metering.Boundary{Meter: c.Meter, At: end, Index: c.Index, Quality: c.Quality}}, weight: 1, span: spanOf(hung, c.Meter)}, ok
}

func spanOf(hung []hungMeter, id metering.MeterID) int {
	return slices.IndexFunc(hung, func(h hungMeter) bool { return h.meter == id })
}
