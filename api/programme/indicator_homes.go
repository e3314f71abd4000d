package programme

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const countActive = `
SELECT COUNT(*), COALESCE((SELECT MIN(first.month) FROM active_month AS first WHERE first.residence_id = $1), '')
  FROM active_month
 WHERE residence_id = $1
   AND month >= $2
   AND month < $3`

// activity counts whole months since the first that was counted, the running one
// included.
func (g gathering) activity(ctx context.Context) error {
	var n int
	var text string
	from, until := g.from.MonthOf(), g.until.AddDays(-1).MonthOf().Next()
	err := g.db.QueryRowContext(ctx, countActive, string(g.at.ID), from.String(), until.String()).Scan(&n, &text)
	if err != nil || text == "" {
		return err
	}
	first, err := civil.ParseMonth(text)
	if err != nil {
		return err
	}
	if now := civil.DateIn(g.now, g.at.Zone).MonthOf().Next(); now.First().Before(until.First()) {
		until = now
	}
	months := 0
	for m := from; m.First().Before(until.First()); m = m.Next() {
		if !m.First().Before(first.First()) {
			months++
		}
	}
	g.active += n
	g.activeMonths = max(g.activeMonths, months)
	return nil
}

const listMended = `
SELECT COALESCE(alert_case.household_id, point.dwelling_id), alert_case.finding,
       COALESCE((SELECT MAX(alert_step.at_ms)
                   FROM alert_step
                  WHERE alert_step.case_id = alert_case.id
                    AND alert_step.state = 'repaired'), alert_case.ended_ms)
  FROM alert_case
  JOIN point ON point.id = alert_case.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
 WHERE dwelling.residence_id = $1
   AND alert_case.subject = 'water'
   AND alert_case.state = 'verified'
   AND alert_case.ended_ms >= $2
   AND alert_case.ended_ms < $3`

func (g gathering) leaksMended(ctx context.Context) error {
	type mended struct {
		home   string
		lostMl float64
	}
	all, err := several(ctx, g.db, func(rows *sql.Rows) (m mended, err error) {
		var text string
		var untilMs int64
		if err = rows.Scan(&m.home, &text, &untilMs); err != nil {
			return m, err
		}
		var f alerts.Finding
		err = json.Unmarshal([]byte(text), &f)
		least, most := f.Lost(sqldb.Time(untilMs))
		m.lostMl = float64(least+most) / 2
		return m, err
	}, listMended, g.instants()...)
	for _, m := range all {
		g.leaks++
		g.leakMl += m.lostMl
		g.leakHomes[m.home] = true
	}
	return err
}

const listTips = `
SELECT tip_instance.household_id, COALESCE(tip_instance.observed, '')
  FROM tip_instance
  JOIN tenancy ON tenancy.id = tip_instance.tenancy_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND tip_instance.committed_date >= $2
   AND tip_instance.committed_date < $3
   AND tip_instance.state <> 'not_for_me'`

func (g gathering) tipsTaken(ctx context.Context) error {
	type taken struct {
		home    string
		outcome tips.Outcome
	}
	all, err := several(ctx, g.db, func(rows *sql.Rows) (t taken, err error) {
		var text string
		if err = rows.Scan(&t.home, &text); err == nil && text != "" {
			err = json.Unmarshal([]byte(text), &t.outcome)
		}
		return t, err
	}, listTips, g.dates()...)
	for _, t := range all {
		g.adopted++
		if v := t.outcome.Verdict; v == tips.Visible || v == tips.NotVisible {
			g.results = append(g.results, logChange(t.outcome.Change))
			g.resultHomes[t.home] = true
		}
	}
	return err
}
