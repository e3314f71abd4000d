package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
)

// Five years of a programme of 600 dwellings, more of everything than the first
// customer has.
const (
	programmeDays   = 1800
	programmeFamily = 400 // families with a computer, each with a training, a repair, a leak and a tip
	indicatorsMost  = 100 // milliseconds, 99 of 100
	indicatorsRate  = 5   // a second
)

// indicators measures GET /api/v1/programme/indicators over five years.
func (c *commands) indicators(ctx context.Context) ([]bench.Row, error) {
	l, err := c.newLandlord(ctx, perResidence)
	if err != nil {
		return nil, err
	}
	defer l.end()
	if err := l.with(ctx, func(db *sql.DB) error { return runProgramme(ctx, db) }); err != nil {
		return nil, err
	}
	c.say("  %d families bought a computer in five years", programmeFamily)
	b, stop, err := l.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	path := fmt.Sprintf("/api/v1/programme/indicators?residence=%s&from=2021-01-01&until=2026-01-01", residenceID(0))
	ask := func(int) error {
		text, err := b.send(ctx, http.MethodGet, path, "", nil, http.StatusOK)
		if err == nil && !bytes.Contains(text, fmt.Appendf(nil, `"key":"families_equipped","theme":"equipment","name":"Foyers équipés par le programme","unit":"count","computed":%d`, programmeFamily)) {
			err = fmt.Errorf("indicators: the answer is another: %.300s", text)
		}
		return err
	}
	paced.Run(ctx, indicatorsRate, warmUp, ask)
	t := paced.Run(ctx, indicatorsRate, c.Span, ask)
	if t.First != nil {
		c.say("  the first of the errors: %v", t.First)
	}
	row := bench.Row{Bench: "indicators", Ours: t.Quantile(0.99), Unit: "ms",
		Note: fmt.Sprintf("99 of 100, five years of %d dwellings; half within %.1f ms, longest %.1f ms, %d errors of %d", perResidence,
			t.Quantile(0.5), t.Quantile(1), t.Errors, len(t.Times))}
	goal := bench.All(fmt.Sprintf("at most %d ms, no error", indicatorsMost),
		func(r bench.Row) bool { return r.Ours <= indicatorsMost }, func(bench.Row) bool { return t.Errors == 0 && len(t.Times) > 0 })
	return []bench.Row{bench.New(row, goal)}, ctx.Err()
}

// familyStatements make a family with all that it leads to: $1 is its number as
// text, $2 the residence, $3 the day of its purchase, $4 a day three weeks later,
// $5 and $6 those days in milliseconds.
func familyStatements() []string {
	return []string{
		`INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2) VALUES ('D-' || $1, $2, 'A', '1', $1, 1, 3, 60)`,
		`INSERT INTO household (id, occupants, language) VALUES ('F-' || $1, 2, 'fr')`,
		`INSERT INTO person (id, name, language) VALUES ('P-' || $1, 'Tenant', 'fr')`,
		`INSERT INTO tenancy (id, household_id, dwelling_id, moved_in) VALUES ('T-' || $1, 'F-' || $1, 'D-' || $1, '2020-01-01')`,
		`INSERT INTO point (id, dwelling_id, kind) VALUES ('PT-' || $1, 'D-' || $1, 'cold_water')`,
		`INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version)
VALUES ('M-' || $1, $2, 'PC-' || $1, $1, '', 'used', 'desktop', 'HP', 'EliteDesk', '', 8192, 'Donor', '', 10550, $1, $3, 'in_use', 1, 'B', 'B', 2)`,
		`INSERT INTO machine_event (machine_id, number, at_ms, on_date, by_whom, what, state, subject, note) VALUES ('M-' || $1, 1, $5, $3, 'x', 'taken_in', 'received', '', '')`,
		`INSERT INTO machine_event (machine_id, number, at_ms, on_date, by_whom, what, state, subject, note) VALUES ('M-' || $1, 2, $5, $3, 'x', 'moved', 'ready', '', '')`,
		`INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, handed_on, accessories, signed_by, return_reason, refund_cents)
VALUES ('S-' || $1, 'M-' || $1, $2, 'F-' || $1, 'P-' || $1, 'used', 6000, 6000, 0, 'cash', $1, $3, 'x', $3, 12, $3, '', 'Tenant', '', 0)`,
		`INSERT INTO repair_ticket (id, machine_id, sale_id, state, problem, cover, outcome, target_days, opened_on, opened_by, given_on, version)
VALUES ('TK-' || $1, 'M-' || $1, 'S-' || $1, 'closed', 'x', 'legal', 'repaired', 5, $3, 'x', $4, 1)`,
		`INSERT INTO repair_step (ticket_id, number, state, at_ms, on_date, by_whom, note) VALUES ('TK-' || $1, 1, 'repaired', $6, $4, 'x', '')`,
		`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state, done_date)
VALUES ('TD-' || $1, 'S-' || $1, 'F-' || $1, 'P-' || $1, $2, $3, $4, 'done', $4)`,
		`INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date, ended_ms)
VALUES ('L-' || $1, 'water', 'PT-' || $1, 'F-' || $1, 'verified', '{"flow":{"low_ml_per_hour":24000,"likely_ml_per_hour":25000,"high_ml_per_hour":26000},"since":{"latest":"2021-01-01T00:00:00Z"}}', 2, $5, $3, $4, $6)`,
		`INSERT INTO alert_step (case_id, number, state, at_ms, on_date, by_whom) VALUES ('L-' || $1, 1, 'repaired', $6, $4, 'x')`,
		`INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, committed_date, proposed_date, chosen_date, place, score, finding, observed, first_date, last_date)
VALUES ('TI-' || $1, 'F-' || $1, 'T-' || $1, 'shower', 'visible', $4, $3, $3, $3, 1, 0, '{}', '{"Verdict":"visible","Change":-0.08}', $3, $4)`,
	}
}

const (
	putActive = `INSERT INTO active_month (month, residence_id, household_id) SELECT $1, $2, id FROM household`
	putSurvey = `INSERT INTO survey (id, residence_id, question, on_date, dwellings, answered, yes, tenths, source) VALUES ($1, $2, $3, $4, 600, 300, 200, 667, 'survey')`
	putEntry  = `INSERT INTO ledger_entry (id, residence_id, on_date, side, category, cents, label, source) VALUES ($1, $2, $3, 'cost', 'other', 100, 'x', 'x')`
)

// runProgramme writes five years of a programme.
func runProgramme(ctx context.Context, db *sql.DB) error {
	begin := time.Date(2021, 1, 4, 12, 0, 0, 0, time.UTC)
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		for n := range programmeFamily {
			sold := begin.AddDate(0, 0, n*programmeDays/programmeFamily)
			back := sold.AddDate(0, 0, 21)
			all := []any{fmt.Sprintf("%05d", n), residenceID(0), sold.Format(time.DateOnly), back.Format(time.DateOnly), sold.UnixMilli(), back.UnixMilli()}
			for _, statement := range familyStatements() {
				if _, err := tx.ExecContext(ctx, statement, all...); err != nil {
					return fmt.Errorf("family %d: %.60s: %w", n, statement, err)
				}
			}
		}
		for month := range 60 {
			at := begin.AddDate(0, month, 0)
			id := fmt.Sprintf("X-%02d", month)
			for statement, args := range map[string][]any{
				putActive: {at.Format("2006-01"), residenceID(0)},
				putSurvey: {id, residenceID(0), "computer", at.Format(time.DateOnly)},
				putEntry:  {id, residenceID(0), at.Format(time.DateOnly)},
			} {
				if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
					return fmt.Errorf("month %d: %.60s: %w", month, statement, err)
				}
			}
		}
		return nil
	})
}
