package programme_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// did lets the n-th home mend a leak of 10 m³, keep a tip that changed 10 % and say
// that it looks for work, all on a day.
func (q *quarter) did(n int, on string) {
	id, at := fmt.Sprintf("%03d", n), date(q.t, on).Start(time.UTC)
	q.exec(`INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date, ended_ms)
		VALUES ($1, 'water', $2, $3, 'verified', $4, 2, $5, $6, $6, $7)`, "L-"+id, "PT-"+id, "F-"+id,
		`{"flow":{"low_ml_per_hour":100000,"high_ml_per_hour":100000},"since":{"latest":"`+at.Format(time.RFC3339)+`"}}`, at.UnixMilli(), on, at.Add(100*time.Hour).UnixMilli())
	q.exec(`INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, committed_date, proposed_date, chosen_date, place, score, finding, observed, first_date, last_date)
		VALUES ($1, $2, $3, 'shower', 'visible', $4, $4, $4, $4, 1, 0, '{}', '{"Verdict":"visible","Change":-0.1}', $4, $4)`, "TI-"+id, "F-"+id, "T-"+id, on)
	q.exec(`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state)
		VALUES ($1, $1, $2, $3, 'R', '2024-01-01', '2024-06-01', 'open')`, "TD-"+id, "F-"+id, "P-"+id)
	q.exec(`INSERT INTO training_enrolment (id, duty_id, state, created_ms, changed_ms) VALUES ($1, $2, 'invited', 1000, 1000)`, "TE-"+id, "TD-"+id)
	q.exec(`INSERT INTO training_follow_up (enrolment_id, due_date, answered_ms, still_used, job_search) VALUES ($1, '2024-06-01', $2, 'often', 'yes')`, "TE-"+id, at.UnixMilli())
}

// together reads the three figures that are told of homes together, in thousandths;
// -1 for none.
func (q *quarter) together(from, until string, at time.Time) (told [3]programme.Figure, why [3]string) {
	q.t.Helper()
	all, err := q.store.Indicators(q.t.Context(), manager, programme.Period{Residence: "R", From: date(q.t, from), Until: date(q.t, until)}, at)
	if err != nil {
		q.t.Fatal(err)
	}
	places := map[programme.Key]int{"leaks_volume": 0, "tips_result": 1, "job_search": 2}
	for _, i := range all {
		n, ok := places[i.Key]
		if !ok {
			continue
		}
		told[n], why[n] = -1, i.Notes[0].Key
		if i.Computed != nil {
			told[n] = *i.Computed
		}
	}
	return told, why
}

// What homes did is told of ten at least, of whole quarters and years that are over,
// and stays as it was told: no two periods differ by what one home did.
func TestToldTogether(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		q := &quarter{t: t, db: db, store: settle(t, db, 36), made: map[string]civil.Date{}}
		for n := range 30 { // ten in January, six each in spring and summer, eight in autumn
			switch {
			case n < 10:
				q.did(n, "2025-01-20")
			case n < 16:
				q.did(n, "2025-05-20")
			case n < 22:
				q.did(n, "2025-08-20")
			default:
				q.did(n, "2025-11-20")
			}
		}
		nothing, later := [3]programme.Figure{-1, -1, -1}, now.AddDate(1, 0, 0)
		steps := []struct {
			name, from, until string
			at                time.Time
			want              [3]programme.Figure
			why               string
		}{
			{"a quarter of ten", "2025-01-01", "2025-04-01", now, [3]programme.Figure{100_000, -10_000, 10_000}, "programme.note_few_left_out"},
			{"a day less", "2025-01-01", "2025-03-31", now, nothing, "programme.note_ragged"},
			{"a day more", "2025-01-02", "2025-04-01", now, nothing, "programme.note_ragged"},
			{"a quarter of six", "2025-04-01", "2025-07-01", now, nothing, "programme.note_too_few"},
			{"two of them are not the year", "2025-04-01", "2025-10-01", now, nothing, "programme.note_too_few"},
			{"the running quarter", "2026-01-01", "2026-04-01", now, nothing, "programme.note_running"},
			{"the year, and those of few homes with it", "2025-01-01", "2026-01-01", now, [3]programme.Figure{300_000, -10_000, 30_000}, "programme.note_few_left_out"},
			{"the programme up to today", "2021-01-01", "2026-03-19", now, [3]programme.Figure{300_000, -10_000, 30_000}, "programme.note_few_left_out"},
		}
		for _, tt := range steps {
			got, why := q.together(tt.from, tt.until, tt.at)
			if diff := cmp.Diff(tt.want, got); diff != "" || why != [3]string{tt.why, tt.why, tt.why} {
				t.Errorf("%s: %v (-want +got):\n%s", tt.name, why, diff)
			}
		}
		q.did(30, "2025-02-20")
		q.did(31, "2025-05-21")
		for _, tt := range steps[:5] {
			if got, _ := q.together(tt.from, tt.until, later); got != tt.want {
				t.Errorf("%s, a late home later: %v, want %v", tt.name, got, tt.want)
			}
		}
		if got, _ := q.together("2025-01-01", "2026-01-01", later); got != steps[6].want {
			t.Errorf("the year, two late homes later: %v", got)
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO told_figure (residence_id, figure, from_date, until_date, homes, times, total, squares, told_ms)
			VALUES ('R', 'leaks_volume', '2030-01-01', '2030-04-01', 9, 9, 1, 1, 1)`); err == nil {
			t.Error("the schema keeps a figure of nine homes")
		}
	})
}

// Who gave the computer back is not called for a training any more.
func TestReturnedOwesNoTraining(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		q := &quarter{t: t, db: db, store: settle(t, db, 2), made: map[string]civil.Date{}}
		q.repair(1, "2026-01-02", "2026-01-07") // sells a machine to the home 001
		q.exec(`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state) VALUES ('TD', 'SL-b', 'F-001', 'P-001', 'R', '2025-11-01', '2026-01-01', 'open')`)
		if list := q.week(now); len(list.Lines) != 1 || list.Lines[0].ID != "training.TD" {
			t.Fatalf("%+v", list.Lines)
		}
		q.exec(`UPDATE machine_sale SET ended_on = '2026-02-01', ended_why = 'returned' WHERE id = 'SL-b'`)
		if list := q.week(now); len(list.Lines) != 0 {
			t.Errorf("who returned the computer is still called: %+v", list.Lines)
		}
	})
}
