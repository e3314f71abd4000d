package programme_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// A quarter is 13 simulated weeks of a residence, with everything that comes up in
// it.
type quarter struct {
	t      *testing.T
	db     *sql.DB
	store  *programme.Store
	chance *rand.Rand
	homes  int
	made   map[string]civil.Date // matters that came up, "leak.L-1", and when
	closed map[string]civil.Date // when each was first closed
}

func (q *quarter) exec(statement string, args ...any) { sqldbtest.Exec(q.t, q.db, statement, args...) }

// one is a household at random; the first 20 are left to what must not be mixed.
func (q *quarter) one() string { return fmt.Sprintf("%03d", q.chance.IntN(q.homes)) }

// comes reports whether something that happens so many times a week happens today.
func (q *quarter) comes(aWeek float64) bool { return q.chance.Float64() < aWeek/7 }

// day lets a day happen: what a residence of 600 homes gives in a bad quarter.
func (q *quarter) day(n int, at time.Time) {
	on := civil.DateOf(at)
	id := fmt.Sprintf("%d", n)
	if q.comes(2) {
		q.water("L-"+id, q.one(), at, "running_cistern")
	}
	if q.comes(0.2) {
		q.water("B-"+id, q.one(), at, "burst")
	}
	if q.comes(0.5) {
		q.cold("C-"+id, q.one(), at)
	}
	if q.comes(1.5) {
		q.buys(id, q.one(), on)
	}
	if q.comes(1) {
		home(q.t, q.db, q.homes, on.String())
		q.made[fmt.Sprintf("arrival.F-%03d", q.homes)] = on
		q.homes++
	}
	if q.comes(2) {
		flat := q.one()
		q.exec(`INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
			VALUES ($1, $2, $3, 'fine_curve', 1, 'fr', 'page', 'x', 'x', $4, $5) ON CONFLICT DO NOTHING`,
			"N-"+id, "F-"+flat, "T-"+flat, at.AddDate(-2, 0, 0).UnixMilli(), at.AddDate(0, 0, 59).UnixMilli())
	}
	if q.comes(2) {
		q.dial("M-"+id, q.one(), at)
	}
}

func (q *quarter) water(id, flat string, at time.Time, class string) {
	q.exec(`INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date)
		VALUES ($1, 'water', $2, $3, 'opened', $4, 0, $5, $6, $6) ON CONFLICT DO NOTHING`,
		id, "PT-"+flat, "F-"+flat, `{"class":"`+class+`"}`, at.UnixMilli(), civil.DateOf(at).String())
	q.made["leak."+id] = civil.DateOf(at)
}

// cold opens a case of a flat that is cold; every other household did not agree to
// be called about it.
func (q *quarter) cold(id, flat string, at time.Time) {
	q.exec(`INSERT INTO alert_case (id, subject, point_id, household_id, state, finding, quiet_nights, opened_ms, first_date, last_date)
		VALUES ($1, 'cold', $2, $3, 'opened', '{}', 0, $4, $5, $5) ON CONFLICT DO NOTHING`, id, "PT-"+flat, "F-"+flat, at.UnixMilli(), civil.DateOf(at).String())
	if q.chance.IntN(2) == 0 {
		q.exec(`INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
			VALUES ($1, $2, $3, 'personal_advice', 1, 'fr', 'page', 'x', 'x', $4, $5) ON CONFLICT DO NOTHING`,
			"A-"+id, "F-"+flat, "T-"+flat, at.AddDate(0, -1, 0).UnixMilli(), at.AddDate(1, 0, 0).UnixMilli())
		q.made["cold."+id] = civil.DateOf(at)
	}
}

// buys sells a computer whose buyer owes a training, and breaks every third one.
func (q *quarter) buys(id, flat string, on civil.Date) {
	q.exec(`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state)
		VALUES ($1, $1, $2, $3, 'R', $4, $5, 'open')`, "TD-"+id, "F-"+flat, "P-"+flat, on.AddDays(-46).String(), on.AddDays(14).String())
	q.made["training.TD-"+id] = on
	if q.chance.IntN(3) > 0 {
		return
	}
	q.exec(`INSERT INTO machine (id, residence_id, tag, serial, mac, kind, form, maker, model, processor, memory_mb, donor, lot, cost_cents, register_no, received_on, state, cycle, grade_appearance, grade_function, version)
		VALUES ($1, 'R', $2, $1, '', 'used', 'desktop', 'x', 'x', '', 0, 'x', '', 0, $1, '2025-01-01', 'in_repair', 1, 'B', 'B', 1)`, "PC-"+id, "TAG-"+id)
	q.exec(`INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, price_cents, list_cents, subsidised, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, accessories, signed_by, return_reason, refund_cents)
		VALUES ($1, $2, 'R', $3, $4, 'used', 6000, 6000, 0, 'cash', $1, $5, 'x', $5, 12, '', '', '', 0)`, "SL-"+id, "PC-"+id, "F-"+flat, "P-"+flat, on.AddDays(-46).String())
	q.exec(`INSERT INTO repair_ticket (id, machine_id, sale_id, state, problem, cover, target_days, opened_on, opened_by, version)
		VALUES ($1, $2, $3, 'diagnosed', 'x', 'legal', 5, $4, 'x', 1)`, "TK-"+id, "PC-"+id, "SL-"+id, on.AddDays(-15).String())
	q.made["repair.TK-"+id] = on
}

func (q *quarter) dial(id, flat string, at time.Time) {
	q.exec(`INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial) VALUES ($1, 'gw', 'cold_water', 0, 0, 600, 'day', '')`, id)
	q.exec(`INSERT INTO binding (meter_id, point_id, from_ms) VALUES ($1, $2, 1000)`, id, "PT-"+flat)
	q.exec(`INSERT INTO meter_check (meter_id, point_id, bound_ms, state, due_ms) VALUES ($1, $2, 1000, 'verified', $3)`, id, "PT-"+flat, at.UnixMilli())
	q.made["dial."+id] = civil.DateOf(at)
}

// works is the advisor's half day: she closes every line of the list. What was a
// cause is mended in most cases, else the line comes back.
func (q *quarter) works(at time.Time) {
	list := q.week(at)
	for _, l := range list.Lines {
		if err := q.store.Close(q.t.Context(), advisor, "R", l.ID, programme.Closing{Outcome: programme.Called}, at); err != nil {
			q.t.Fatal(err)
		}
		for _, r := range l.Reasons {
			key := string(r.Matter) + "." + r.Subject
			if _, known := q.closed[key]; !known {
				q.closed[key] = list.Today
			}
			if q.chance.IntN(10) < 8 {
				q.mend(r)
			}
		}
	}
}

func (q *quarter) mend(r programme.Reason) {
	switch r.Matter {
	case programme.Leak, programme.Cold:
		q.exec(`UPDATE alert_case SET state = 'stopped', ended_ms = opened_ms WHERE id = $1`, r.Subject)
	case programme.Repair:
		q.exec(`UPDATE repair_ticket SET state = 'closed', given_on = opened_on WHERE id = $1`, r.Subject)
	case programme.Untaught:
		q.exec(`UPDATE training_duty SET state = 'exempted', reason = 'sait' WHERE id = $1`, r.Subject)
	case programme.Dial:
		q.exec(`UPDATE meter_check SET due_ms = NULL WHERE meter_id = $1`, r.Subject)
	}
}

func (q *quarter) week(at time.Time) programme.Queue {
	q.t.Helper()
	list, err := q.store.Week(q.t.Context(), advisor, "R", at)
	if err != nil {
		q.t.Fatal(err)
	}
	return list
}

// A quarter of 600 homes, the advisor working on Tuesdays: never more than 12 lines
// a week, nothing urgent waits more than its limit, nothing is lost.
func TestQueueOverAQuarter(t *testing.T) {
	testkit.DB(t, func(t *testing.T, dsn string) {
		db := sqldbtest.Open(t, dsn)
		q := &quarter{t: t, db: db, store: settle(t, db, 600), chance: rand.New(rand.NewPCG(13, 600)), homes: 600,
			made: map[string]civil.Date{}, closed: map[string]civil.Date{}}
		q.exec(`INSERT INTO gateway (id, residence_id, name, place) VALUES ('gw', 'R', 'Cave', 'Cave')`)
		begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) // a Monday
		lines, worst := 0, 0
		for n := range 13 * 7 {
			at := begin.AddDate(0, 0, n)
			q.day(n, at)
			if at.Weekday() == time.Tuesday {
				q.works(at)
			}
			list := q.week(at)
			if got := list.Closed + len(list.Lines); got > programme.MostLines {
				t.Fatalf("week of %s: %d lines, want at most %d", list.Monday, got, programme.MostLines)
			}
			if n%7 == 6 {
				lines += list.Closed
			}
			worst = max(worst, list.Waiting)
		}
		q.late(civil.DateOf(begin.AddDate(0, 0, 13*7-1)))
		q.lost(begin.AddDate(0, 0, 13*7))
		if lines < 13*5 {
			t.Errorf("%d lines in a quarter: this tests no queue", lines)
		}
		t.Logf("%d matters came up; %d lines were closed in 13 weeks; at most %d waited for another week", len(q.made), lines, worst)
	})
}

// limits are within how many days of coming up what is urgent is to be closed: a
// repair comes up on its sixteenth day, and the law gives thirty.
var limits = map[string]int{"leak": 7, "cold": 7, "repair": 14}

// late fails where something urgent was closed, or waits, after its limit.
func (q *quarter) late(today civil.Date) {
	q.t.Helper()
	urgent, worst := 0, 0
	for key, since := range q.made {
		matter, _, _ := strings.Cut(key, ".")
		limit, is := limits[matter]
		if !is || !q.stands(key) {
			continue
		}
		closed, ok := q.closed[key]
		if !ok {
			closed = today
		}
		urgent++
		waited := int(closed.Start(time.UTC).Sub(since.Start(time.UTC)) / (24 * time.Hour))
		worst = max(worst, waited)
		if waited > limit {
			q.t.Errorf("%s came up on %s and was closed on %s: %d days, limit %d", key, since, closed, waited, limit)
		}
	}
	if urgent < 20 {
		q.t.Errorf("%d urgent matters: this tests no limit", urgent)
	}
	q.t.Logf("%d urgent matters, the longest wait %d days", urgent, worst)
}

// lost fails where a matter was neither closed nor waits: with weeks enough
// everything comes to the front.
func (q *quarter) lost(at time.Time) {
	q.t.Helper()
	for range 12 {
		q.works(at)
		at = at.AddDate(0, 0, 7)
	}
	for key := range q.made {
		if _, ok := q.closed[key]; !ok && q.stands(key) {
			q.t.Errorf("%s was lost", key)
		}
	}
}

// stands reports whether a matter was really written down: one household has one
// case of a kind at a time.
func (q *quarter) stands(key string) bool {
	matter, id, _ := strings.Cut(key, ".")
	if matter != "leak" && matter != "cold" {
		return true
	}
	var n int
	if err := q.db.QueryRowContext(q.t.Context(), `SELECT COUNT(*) FROM alert_case WHERE id = $1`, id).Scan(&n); err != nil {
		q.t.Fatal(err)
	}
	return n > 0
}

// What is closed leaves the list, and comes back where its cause stands; a post
// that is sent twice gives one result.
func TestClose(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		store := settle(t, db, 3)
		q := &quarter{t: t, db: db, store: store, chance: rand.New(rand.NewPCG(1, 1)), homes: 3, made: map[string]civil.Date{}}
		q.water("L", "001", now.AddDate(0, 0, -2), "drip")
		due := date(t, "2026-03-18")
		if _, err := store.WriteNote(t.Context(), advisor, "F-001", programme.Draft{On: date(t, "2026-03-10"), Words: "Rappeler.", Due: &due}, now); err != nil {
			t.Fatal(err)
		}
		list := q.week(now)
		if len(list.Lines) != 1 || list.Lines[0].ID != "leak.L" || len(list.Lines[0].Reasons) != 2 || list.Lines[0].Names[0] != "Habitant 001" || list.Lines[0].Door.Label != "001" {
			t.Fatalf("one household is one line: %+v", list.Lines)
		}
		closing := programme.Closing{Outcome: programme.Called, Words: "Le voisin passe demain."}
		for range 2 {
			if err := store.Close(t.Context(), advisor, "R", "leak.L", closing, now); err != nil {
				t.Fatal(err)
			}
		}
		notes, err := store.Notes(t.Context(), advisor, "F-001", now)
		if err != nil || len(notes) != 2 || notes[0].Words != closing.Words || notes[1].Done.IsZero() {
			t.Errorf("notes %+v, %v: want the words once, and the other done", notes, err)
		}
		if list = q.week(now); len(list.Lines) != 0 || list.Closed != 1 {
			t.Errorf("after closing: %d lines, %d closed", len(list.Lines), list.Closed)
		}
		if list = q.week(now.AddDate(0, 0, 15)); len(list.Lines) != 1 {
			t.Error("a leak that goes on does not come back")
		}
		for _, who := range []struct {
			name string
			err  error
		}{
			{"manager", store.Close(t.Context(), manager, "R", "leak.L", closing, now)},
			{"of another residence", store.Close(t.Context(), stranger, "R", "leak.L", closing, now)},
			{"unknown line", store.Close(t.Context(), advisor, "R", "leak.X", closing, now)},
		} {
			if !errors.Is(who.err, programme.ErrNoResidence) && !errors.Is(who.err, programme.ErrNone) {
				t.Errorf("%s: %v", who.name, who.err)
			}
		}
	})
}

// A buyer is to be trained by the last day that the buyer was told: the list names
// no later one, and says that it is late once that day is over.
func TestTrainingIsDueOnItsLastDay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		store := settle(t, db, 3)
		q := &quarter{t: t, db: db, store: store, chance: rand.New(rand.NewPCG(1, 1)), homes: 3, made: map[string]civil.Date{}}
		today := civil.DateOf(now)
		for flat, due := range map[string]civil.Date{"001": today.AddDays(-6), "002": today.AddDays(9)} {
			q.exec(`INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state)
				VALUES ($1, $1, $2, $3, 'R', $4, $5, 'open')`, "TD-"+flat, "F-"+flat, "P-"+flat, due.AddDays(-60).String(), due.String())
		}
		list := q.week(now)
		if len(list.Lines) != 2 || list.Lines[0].Limit != today.AddDays(-6) || list.Lines[1].Limit != today.AddDays(9) {
			t.Errorf("lines %+v: want the last days of both trainings, the earlier first", list.Lines)
		}
	})
}

// A convention or a consent is renewed while it stands: both are kept with the first
// day after them, and the list names the last day of each.
func TestRenewalIsDueOnTheLastDay(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		store := settle(t, db, 3)
		q := &quarter{t: t, db: db, store: store, chance: rand.New(rand.NewPCG(1, 1)), homes: 3, made: map[string]civil.Date{}}
		zone, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			t.Fatal(err)
		}
		end := civil.DateIn(now, zone).AddDays(30)
		q.exec(`INSERT INTO partner (id, residence_id, name, kind, registration, contact, telephone, email, address) VALUES ('PA', 'R', 'Atelier', 'workshop', '', '', '', '', '')`)
		q.exec(`INSERT INTO convention (id, residence_id, partner_id, title, signed_on, from_date, until_date, notice_days, return_days)
			VALUES ('CV', 'R', 'PA', 'Réparer', '2025-01-01', '2025-01-01', $1, 60, 0)`, end.String())
		q.exec(`INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
			VALUES ('CO', 'F-001', 'T-001', 'fine_curve', 1, 'fr', 'page', 'x', 'x', $1, $2)`, now.AddDate(-1, 0, 0).UnixMilli(), end.Start(zone).UnixMilli())
		due := map[programme.Matter]civil.Date{}
		for _, l := range q.week(now).Lines {
			for _, r := range l.Reasons {
				due[r.Matter] = r.Limit
			}
		}
		for _, m := range []programme.Matter{programme.Expiry, programme.Renewal} {
			if got, want := due[m], end.AddDays(-1); got != want {
				t.Errorf("%s is due on %s, want %s", m, got, want)
			}
		}
	})
}

// Twelve lines with long names and three matters each fit on one page.
func TestSheetIsOnePage(t *testing.T) {
	queue := programme.Queue{Residence: "R", Name: "La Roseraie", Monday: date(t, "2026-03-16"), Today: date(t, "2026-03-18"), Waiting: 3}
	for n := range programme.MostLines {
		l := programme.Line{Household: "F", Names: []string{"Marie-Antoinette de La Rochefoucauld-Montmorency", "Jean-Baptiste de La Rochefoucauld"}, Limit: date(t, "2026-03-20"), Urgent: n < 4}
		l.Door.Building, l.Door.Staircase, l.Door.Label = "Les Églantines", "3", fmt.Sprint(n)
		for _, m := range []programme.Matter{programme.Cold, programme.Repair, programme.FollowUp, programme.Dial} {
			l.Reasons = append(l.Reasons, programme.Reason{Matter: m})
		}
		queue.Lines = append(queue.Lines, l)
	}
	page, err := printer().SheetPDF("fr", queue)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(page, []byte("/Type /Page\n")); n != 1 {
		t.Errorf("%d pages, want 1", n)
	}
	show(t, "week.pdf", page)
}

// show keeps a paper to be looked at, where somebody asks for it.
func show(t *testing.T, name string, file []byte) {
	t.Helper()
	dir := os.Getenv("XNET_TEST_PAPERS")
	if dir == "" {
		return
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "60", "-png", path, strings.TrimSuffix(path, ".pdf")).CombinedOutput(); err != nil {
		t.Log(string(out), err)
	}
}
