package consumption

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A KindTotals is what the groups of a residence used of one kind.
type KindTotals struct {
	Kind   metering.Kind
	Groups []GroupTotals // by building and members
	// Refused says why there is no group: nothing may be told of any of the days.
	Refused Silence
}

// During returns what the groups of the scope used, period by period, as known at
// now. Only a manager of the residence gets it: others get the problem NotFound
// "residence.none". A month is told from its third day after on, once and for good:
// see [Group]. It fails with Invalid "range.malformed" where [Scope.Validate] does,
// and with Unavailable "service.away" where InfluxDB does not answer and something
// is not told yet.
func (t *Totals) During(ctx context.Context, staff accounts.PersonID, s Scope, now time.Time) (KindTotals, error) {
	if err := s.Validate(); err != nil {
		return KindTotals{}, malformed("range.malformed", err)
	}
	zone, err := t.zone(ctx, staff, s.Residence)
	if err != nil {
		return KindTotals{}, err
	}
	return t.during(ctx, s, zone, now)
}

const kindsOfResidence = `
SELECT DISTINCT point.kind
  FROM point
  JOIN dwelling ON dwelling.id = point.dwelling_id
 WHERE dwelling.residence_id = $1
   AND point.kind <> 'temperature'`

// EveryKind is [Totals.During] of each kind that the dwellings of the residence
// have, in the order of [metering.Kinds].
func (t *Totals) EveryKind(ctx context.Context, staff accounts.PersonID, s Scope, now time.Time) ([]KindTotals, error) {
	if err := s.Validate(); err != nil {
		return nil, malformed("range.malformed", err)
	}
	zone, err := t.zone(ctx, staff, s.Residence)
	if err != nil {
		return nil, err
	}
	kinds, err := t.kinds(ctx, s.Residence)
	if err != nil {
		return nil, err
	}
	all := make([]KindTotals, len(kinds))
	tasks, ctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		of := s
		of.Kind = k
		tasks.Go(func() (err error) {
			all[i], err = t.during(ctx, of, zone, now)
			return err
		})
	}
	return all, tasks.Wait()
}

func (t *Totals) kinds(ctx context.Context, residence metering.SiteID) (kinds []metering.Kind, err error) {
	rows, err := t.db.QueryContext(ctx, kindsOfResidence, string(residence))
	if err != nil {
		return nil, fmt.Errorf("kinds of %s: %w", residence, err)
	}
	there, err := sqldb.Collect(rows, func(rows *sql.Rows) (k metering.Kind, err error) { return k, rows.Scan((*string)(&k)) })
	if err != nil {
		return nil, fmt.Errorf("kinds of %s: %w", residence, err)
	}
	for _, k := range metering.Kinds {
		for _, other := range there {
			if k == other {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds, nil
}

func (t *Totals) during(ctx context.Context, s Scope, zone *time.Location, now time.Time) (KindTotals, error) {
	if err := t.tell(ctx, s, zone, now); err != nil {
		return KindTotals{}, err
	}
	rows, err := t.groups(ctx, s)
	if err != nil {
		return KindTotals{}, err
	}
	months, err := t.told(ctx, s)
	if err != nil {
		return KindTotals{}, err
	}
	answer := KindTotals{Kind: s.Kind, Groups: []GroupTotals{}}
	for _, named := range inOrder(rows) {
		g := GroupTotals{Group: named.Group, Kind: s.Kind, Periods: s.periods()}
		for i := range g.Periods {
			g.Periods[i].fill(s, named.months, func(m civil.Month) Silence { return why(m, months, zone, now) })
		}
		answer.Groups = append(answer.Groups, g)
	}
	if len(answer.Groups) == 0 {
		answer.Refused = why(s.months()[0], months, zone, now)
	}
	return answer, nil
}

// why is the reason for which a group has no figure of a month.
func why(m civil.Month, months map[civil.Month]told, zone *time.Location, now time.Time) Silence {
	if _, ok := months[m]; !ok && !settled(m, zone, now, false) {
		return NotOver
	}
	return TooFewHomes
}

// A groupMonth is a row of told_group.
type groupMonth struct {
	month civil.Month
	sum
	days groupDays
}

type groupRow struct {
	Group
	groupMonth
}

// A groupMonths is a group with the months in which it was told.
type groupMonths struct {
	Group
	months map[civil.Month]groupMonth
}

const toldGroups = `
SELECT month, level, building, members, homes, metered, dwellings, used, empty_used, quality, whole, person_days, area_m2, by_day
  FROM told_group
 WHERE residence_id = $1
   AND kind = $2
   AND level = $3
   AND month >= $4
   AND month < $5
 ORDER BY building, members, month`

func (t *Totals) groups(ctx context.Context, s Scope) ([]groupRow, error) {
	months := s.months()
	rows, err := t.db.QueryContext(ctx, toldGroups, string(s.Residence), string(s.Kind), string(s.By), months[0].String(), months[len(months)-1].Next().String())
	if err != nil {
		return nil, fmt.Errorf("totals of %s: %w", s.Residence, err)
	}
	all, err := sqldb.Collect(rows, scanGroup)
	if err != nil {
		return nil, fmt.Errorf("totals of %s: %w", s.Residence, err)
	}
	return all, nil
}

func scanGroup(rows *sql.Rows) (g groupRow, err error) {
	var month, members, byDay string
	if err = rows.Scan(&month, (*string)(&g.Level), &g.Building, &members, &g.homes, &g.metered, &g.dwellings, &g.used, &g.emptyUsed,
		(*int8)(&g.quality), &g.whole, &g.personDays, &g.areaM2, &byDay); err != nil {
		return g, err
	}
	if g.month, err = civil.ParseMonth(month); err != nil {
		return g, err
	}
	if err = json.Unmarshal([]byte(members), &g.Members); err == nil && byDay != "" {
		err = json.Unmarshal([]byte(byDay), &g.days)
	}
	return g, err
}

// inOrder gathers the rows of each group, which follow each other.
func inOrder(rows []groupRow) (all []groupMonths) {
	for i, r := range rows {
		if i == 0 || r.key() != rows[i-1].key() {
			all = append(all, groupMonths{r.Group, map[civil.Month]groupMonth{}})
		}
		all[len(all)-1].months[r.month] = r.groupMonth
	}
	return all
}

func (g Group) key() string {
	return string(g.Level) + "\n" + g.Building + "\n" + strings.Join(g.Members, "\n")
}

// fill adds up what was told of the period's months.
func (p *Total) fill(s Scope, months map[civil.Month]groupMonth, why func(civil.Month) Silence) {
	all := adding{days: daysBetween(p.From, p.To), people: true, area: true}
	p.Why.Months, p.whole = []ToldMonth{}, true
	for m := p.From.MonthOf(); m.First().Before(p.To); m = m.Next() {
		from, to := later(p.From, m.First()), m.Next().First()
		if p.To.Before(to) {
			to = p.To
		}
		g, ok := months[m]
		switch part := g.part(from, to, s.Step == StepDay || s.Step == StepWeek); {
		case !ok:
			p.Refused, p.whole = why(m), false
		case part.Days == 0:
			p.Refused = DaysNotTold
		default:
			all.add(p, g, part)
		}
	}
	all.finish(p, s.Kind)
}

// A monthPart is days of a month of a group.
type monthPart struct {
	ToldMonth
	quality    metering.Quality
	personDays float64
	areaM2     float64
}

// part is what the group used on the days [from, to) of its month; of none where
// these are not told.
func (g groupMonth) part(from, to civil.Date, byDay bool) monthPart {
	days, whole := daysBetween(from, to), g.month.Days()
	part := monthPart{ToldMonth: ToldMonth{Month: g.month, Days: days, Homes: g.homes, Metered: g.metered, Dwellings: g.dwellings, Used: g.used},
		quality: g.quality, personDays: float64(g.personDays), areaM2: g.areaM2}
	if days == whole && !byDay {
		return part
	}
	if len(g.days.Days) < to.AddDays(-1).Day {
		return monthPart{}
	}
	part.Homes, part.Used, part.quality, part.areaM2 = g.days.Homes, 0, metering.Measured, g.days.AreaM2
	part.personDays = float64(g.days.PersonDays) * float64(days) / float64(whole)
	for _, use := range g.days.Days[from.Day-1 : to.AddDays(-1).Day] {
		part.Used += metering.Amount(use[0])
		part.quality = part.quality.Worse(metering.Quality(use[1]))
	}
	return part
}

// An adding is a total in the making.
type adding struct {
	days                 int // of the period
	known                int
	share                float64 // of days, each by the share of its homes
	personDays, areaDays float64
	quality              metering.Quality
	people, area         bool
}

func (a *adding) add(p *Total, g groupMonth, part monthPart) {
	p.Used += part.Used
	p.emptyUsed += g.emptyUsed
	p.whole = p.whole && g.whole
	p.Why.Months = append(p.Why.Months, part.ToldMonth)
	a.known += part.Days
	a.share += float64(part.Days) * float64(part.Homes) / float64(part.Metered)
	a.quality = a.quality.Worse(part.quality)
	a.personDays += part.personDays
	a.areaDays += part.areaM2 * float64(part.Days)
	a.people, a.area = a.people && part.personDays > 0, a.area && part.areaM2 > 0
}

// finish says what the sum is by person and by square metre, how well it is known,
// and what it is made of.
func (a *adding) finish(p *Total, k metering.Kind) {
	p.daysKnown = a.known
	if a.known == 0 {
		p.whole = false
		return
	}
	p.Refused, p.Quality = "", a.quality
	p.Coverage = a.share / float64(a.days)
	var terms []string
	for _, m := range p.Why.Months {
		terms = append(terms, inUnit(k, m.Used))
	}
	p.Why.Formula = strings.Join(terms, " + ")
	if len(terms) > 1 {
		p.Why.Formula += " = " + inUnit(k, p.Used)
	}
	if a.people {
		each := metering.Amount(math.Round(float64(p.Used) / a.personDays))
		p.PerPersonDay = &each
		p.Why.Formula += fmt.Sprintf("; / %.0f person-days", a.personDays)
	}
	if a.area {
		each := metering.Amount(math.Round(float64(p.Used) / a.areaDays * float64(a.days)))
		p.PerM2 = &each
		p.Why.Formula += fmt.Sprintf("; / %.2f m2", a.areaDays/float64(a.known))
	}
}
