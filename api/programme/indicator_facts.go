package programme

import (
	"context"
	"database/sql"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Facts are what the records of one or more residences tell of a period.
type facts struct {
	ledger Ledger

	// Shares are of the last surveys, weighted by dwellings: thousandths of dwellings.
	dwellings, equipped           int64
	online, onlineOf              int64
	rise                          float64 // dwellings, between first and last survey of the period
	risen, sampled, onlineSampled bool

	families, offers                      int
	obliged, trained, trainedOfObliged    int
	exempted, sessions, asked, used, jobs int
	late, waiting                         int
	took                                  []int
	sold, failed                          int
	readyUsed, soldQuarter                int
	stocked                               bool
	active                                int
	activeMonths                          int
	leaks                                 int
	leakHomes                             map[string]bool
	leakMl                                float64
	adopted                               int
	results                               []float64 // logarithms of changes, a home and tip each
	resultHomes                           map[string]bool
	askedHomes                            int
	told                                  map[Key]together      // of homes together
	ragged, running                       bool                  // the period is not of whole quarters, or not over
	hours                                 map[StaffRole]float64 // tenths
	bought, connected                     bool                  // insertion hours, or a household's internet, were written down
	insertion                             float64               // tenths
}

func newFacts(p Period) *facts {
	return &facts{ledger: Ledger{From: p.From, Until: p.Until}, leakHomes: map[string]bool{}, resultHomes: map[string]bool{},
		told: map[Key]together{}, hours: map[StaffRole]float64{}}
}

// A gathering reads the facts of one residence.
type gathering struct {
	*facts
	db          *sql.DB
	at          Place
	from, until civil.Date
	now         time.Time
}

// dates are the residence and the period as queries want them.
func (g gathering) dates() []any {
	return []any{string(g.at.ID), g.from.String(), g.until.String()}
}

// instants are the residence and the period in milliseconds.
func (g gathering) instants() []any {
	return []any{string(g.at.ID), sqldb.Ms(g.from.Start(g.at.Zone)), sqldb.Ms(g.until.Start(g.at.Zone))}
}

func (s *Store) gather(ctx context.Context, staff accounts.PersonID, f *facts, at Place, p Period, now time.Time) error {
	g := gathering{f, s.db, at, p.From, p.Until, now}
	if err := s.addLedger(ctx, staff, at.ID, &f.ledger); err != nil {
		return err
	}
	if err := s.gatherStock(ctx, staff, g); err != nil {
		return err
	}
	for _, read := range []func(context.Context) error{
		g.surveys, g.households, g.trainings, g.answers, g.mending, g.failures, g.activity, g.leaksMended, g.tipsTaken, g.work,
	} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) gatherStock(ctx context.Context, staff accounts.PersonID, g gathering) error {
	stock, ok, err := s.stockOf(ctx, staff, g.at.ID, g.now)
	if ok {
		g.readyUsed += stock.ReadyUsed
		g.soldQuarter += stock.SoldUsed
		g.stocked = true
	}
	return err
}

const listSurveys = `
SELECT question, on_date, dwellings, answered, yes, tenths
  FROM survey
 WHERE residence_id = $1
   AND on_date < $2
 ORDER BY on_date, id`

func (g gathering) surveys(ctx context.Context) error {
	all, err := several(ctx, g.db, func(rows *sql.Rows) (s Survey, err error) {
		return s, rows.Scan(&s.Question, day{&s.On}, &s.Dwellings, &s.Answered, &s.Yes, &s.Tenths)
	}, listSurveys, string(g.at.ID), g.until.String())
	if err != nil {
		return err
	}
	var first, last, online *Survey
	for i := range all {
		switch s := &all[i]; {
		case s.Question == HasInternet:
			online = s
		default:
			if first == nil && !s.On.Before(g.from) {
				first = s
			}
			last = s
		}
	}
	if last != nil {
		g.dwellings += last.Dwellings
		g.equipped += last.Dwellings * last.Tenths
		g.sampled = g.sampled || last.Answered != nil
	}
	if online != nil {
		g.onlineOf += online.Dwellings
		g.online += online.Dwellings * online.Tenths
		g.onlineSampled = g.onlineSampled || online.Answered != nil
	}
	if first != nil && first != last {
		g.rise += float64(last.Dwellings*last.Tenths-first.Dwellings*first.Tenths) / 1000
		g.risen = true
	}
	return nil
}

const countFamilies = `
SELECT (SELECT COUNT(DISTINCT household_id)
          FROM machine_sale
         WHERE residence_id = $1
           AND exchange_of IS NULL
           AND sold_on >= $2
           AND sold_on < $3
           AND NOT EXISTS (SELECT 1
                             FROM returned_sale
                            WHERE returned_sale.id = machine_sale.id)),
       (SELECT COUNT(*)
          FROM household_internet
          JOIN internet_offer ON internet_offer.id = household_internet.offer_id
         WHERE internet_offer.residence_id = $1
           AND household_internet.from_date < $3
           AND NOT EXISTS (SELECT 1
                             FROM household_internet AS later
                            WHERE later.household_id = household_internet.household_id
                              AND later.from_date > household_internet.from_date
                              AND later.from_date < $3)),
       (SELECT COUNT(*)
          FROM household_internet
          JOIN tenancy ON tenancy.household_id = household_internet.household_id
          JOIN dwelling ON dwelling.id = tenancy.dwelling_id
         WHERE dwelling.residence_id = $1
           AND household_internet.from_date < $3)`

func (g gathering) households(ctx context.Context) error {
	var families, offers, noted int
	err := g.db.QueryRowContext(ctx, countFamilies, g.dates()...).Scan(&families, &offers, &noted)
	g.connected = g.connected || noted > 0
	g.families += families
	g.offers += offers
	return err
}

const countTrainings = `
SELECT COALESCE(SUM(CASE WHEN since_date >= $2 AND since_date < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN done_date >= $2 AND done_date < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN since_date >= $2 AND since_date < $3 AND done_date < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN since_date >= $2 AND since_date < $3 AND state = 'exempted' THEN 1 ELSE 0 END), 0)
  FROM training_duty
 WHERE residence_id = $1`

func (g gathering) trainings(ctx context.Context) error {
	var obliged, trained, both, exempted int
	err := g.db.QueryRowContext(ctx, countTrainings, g.dates()...).Scan(&obliged, &trained, &both, &exempted)
	g.obliged += obliged
	g.trained += trained
	g.trainedOfObliged += both
	g.exempted += exempted
	return err
}

const countAnswers = `
SELECT (SELECT COUNT(*)
          FROM training_session
         WHERE residence_id = $1
           AND called_off_ms IS NULL
           AND starts_ms >= $2
           AND starts_ms < $3
           AND ends_ms <= $4),
       COUNT(asked.answered_ms),
       COALESCE(SUM(CASE WHEN asked.still_used IN ('often', 'sometimes') THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN asked.job_search = 'yes' THEN 1 ELSE 0 END), 0),
       COUNT(DISTINCT CASE WHEN asked.answered_ms IS NULL THEN NULL ELSE training_duty.household_id END)
  FROM training_follow_up AS asked
  JOIN training_enrolment ON training_enrolment.id = asked.enrolment_id
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
 WHERE training_duty.residence_id = $1
   AND asked.answered_ms >= $2
   AND asked.answered_ms < $3`

func (g gathering) answers(ctx context.Context) error {
	var sessions, asked, used, jobs, homes int
	err := g.db.QueryRowContext(ctx, countAnswers, append(g.instants(), sqldb.Ms(g.now))...).Scan(&sessions, &asked, &used, &jobs, &homes)
	g.sessions += sessions
	g.asked += asked
	g.used += used
	g.jobs += jobs
	g.askedHomes += homes
	return err
}

func (g gathering) mending(ctx context.Context) error {
	all, err := several(ctx, g.db, scanRepair, listRepairs, g.dates()...)
	for _, r := range all {
		if r.back.IsZero() || !r.back.Before(g.until) {
			g.waiting++
			continue
		}
		g.took = append(g.took, r.days())
		if r.days() > lawDays {
			g.late++
		}
	}
	return err
}

// What was sold in the period, and when trouble began: a request for repair, or a
// return.
const listTroubles = `
SELECT COALESCE(machine_sale.handed_on, machine_sale.sold_on),
       COALESCE((SELECT MIN(repair_ticket.opened_on)
                   FROM repair_ticket
                  WHERE repair_ticket.sale_id = machine_sale.id), ''),
       COALESCE(CASE WHEN machine_sale.ended_why = 'returned' THEN machine_sale.ended_on END, '')
  FROM machine_sale
 WHERE machine_sale.residence_id = $1
   AND machine_sale.sold_on >= $2
   AND machine_sale.sold_on < $3`

// earlyDays is within how many days of handover trouble speaks of the workshop.
const earlyDays = 90

func (g gathering) failures(ctx context.Context) error {
	type trouble struct{ since, ticket, back civil.Date }
	all, err := several(ctx, g.db, func(rows *sql.Rows) (t trouble, err error) {
		return t, rows.Scan(day{&t.since}, day{&t.ticket}, day{&t.back})
	}, listTroubles, g.dates()...)
	for _, t := range all {
		early := func(d civil.Date) bool { return !d.IsZero() && daysBetween(t.since, d) <= earlyDays }
		g.sold++
		if early(t.ticket) || early(t.back) {
			g.failed++
		}
	}
	return err
}

const listStaffTimes = `
SELECT role, from_date, until_date, hour_tenths, post_thousandths
  FROM staff_time
 WHERE residence_id = $1
   AND from_date < $3
   AND until_date > $2`

const listInsertion = `
SELECT from_date, until_date, hour_tenths
  FROM insertion_hours
 WHERE residence_id = $1
   AND from_date < $3
   AND until_date > $2`

func (g gathering) work(ctx context.Context) error {
	times, err := several(ctx, g.db, func(rows *sql.Rows) (w StaffTime, err error) {
		return w, rows.Scan(&w.Role, day{&w.From}, day{&w.Until}, &w.HourTenths, &w.PostThousandths)
	}, listStaffTimes, g.dates()...)
	if err != nil {
		return err
	}
	for _, w := range times {
		g.hours[w.Role] += w.Within(g.from, g.until)
	}
	bought, err := several(ctx, g.db, func(rows *sql.Rows) (h InsertionHours, err error) {
		return h, rows.Scan(day{&h.From}, day{&h.Until}, &h.HourTenths)
	}, listInsertion, g.dates()...)
	g.bought = g.bought || len(bought) > 0
	for _, h := range bought {
		g.insertion += h.Within(g.from, g.until)
	}
	return err
}
