package programme

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Queue is the advisor's list of a week in one residence.
type Queue struct {
	Residence metering.SiteID
	Name      string // of the residence
	Monday    civil.Date
	Today     civil.Date
	Lines     []Line // at most [MostLines], less what was closed this week
	Closed    int    // lines closed this week
	Waiting   int    // lines that wait for a later week
}

// Days from when on something waits until somebody is to have seen to it.
const (
	leakDays     = 7
	coldDays     = 7
	trainingDays = 21 // from when a buyer asks for another date; at the latest the last day of the training
	arrivalDays  = 30
	dialDays     = 14
	followUpDays = 30
	noteDays     = 7
	consentDays  = 60 // before a consent runs out
	dueSoonDays  = 14 // before the last day of a training
	repairDays   = 14 // after which a repair is late where no convention says otherwise
	arrivedDays  = 180
)

// Week returns the list of the week for an advisor or administrator of the
// residence; it fails with [ErrNoResidence].
func (s *Store) Week(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, now time.Time) (Queue, error) {
	at, err := s.place(ctx, writerRoles, staff, residence)
	if err != nil {
		return Queue{}, err
	}
	q := Queue{Residence: at.ID, Name: at.Name, Today: civil.DateIn(now, at.Zone)}
	q.Monday = monday(q.Today)
	all, err := s.waitingLines(ctx, at, now)
	if err != nil {
		return Queue{}, fmt.Errorf("queue of %s: %w", residence, err)
	}
	closed, err := s.closedSince(ctx, at.ID, q.Monday)
	if err != nil {
		return Queue{}, fmt.Errorf("queue of %s: %w", residence, err)
	}
	q.Lines = closed.choose(all)
	q.Closed, q.Waiting = closed.urgent+closed.plain, len(all)-len(q.Lines)
	for i := range q.Lines {
		if err := s.describe(ctx, &q.Lines[i], q.Today); err != nil {
			return Queue{}, fmt.Errorf("queue of %s: %w", residence, err)
		}
	}
	return q, nil
}

// waitingLines finds what waits in all areas, without what was closed and does not
// come back yet.
func (s *Store) waitingLines(ctx context.Context, at Place, now time.Time) ([]Line, error) {
	today := civil.DateIn(now, at.Zone)
	var all []waiting
	for _, find := range []func(context.Context, Place, civil.Date, time.Time) ([]waiting, error){
		s.findCases, s.findRepairs, s.findUntaught, s.findArrivals, s.findRenewals, s.findDials, s.findFollowUps, s.findNotes, s.findExpiries,
	} {
		some, err := find(ctx, at, today, now)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	resting, err := s.resting(ctx, at.ID, today)
	if err != nil {
		return nil, err
	}
	open := all[:0]
	for _, w := range all {
		if !resting[string(w.Matter)+"."+w.Subject] {
			open = append(open, w)
		}
	}
	return lines(open), nil
}

const openCases = `
SELECT alert_case.id, COALESCE(alert_case.household_id, ''), point.dwelling_id, alert_case.subject, alert_case.opened_ms, alert_case.finding
  FROM alert_case
  JOIN point ON point.id = alert_case.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
 WHERE dwelling.residence_id = $1
   AND alert_case.ended_ms IS NULL
   AND alert_case.state <> 'repaired'
   AND (alert_case.subject = 'water'
    OR alert_case.subject = 'cold'
   AND EXISTS (SELECT 1
                 FROM consent
                 JOIN tenancy ON tenancy.id = consent.tenancy_id
                WHERE tenancy.household_id = alert_case.household_id
                  AND tenancy.dwelling_id = dwelling.id
                  AND tenancy.moved_in <= $2
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
                  AND consent.purpose = 'personal_advice'
                  AND consent.ended_ms IS NULL
                  AND consent.from_ms <= $3
                  AND consent.to_ms > $3))`

func (s *Store) findCases(ctx context.Context, at Place, today civil.Date, now time.Time) ([]waiting, error) {
	return several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var subject alerts.Subject
		var openedMs int64
		var text string
		if err = rows.Scan(&w.Subject, &w.household, &w.dwelling, &subject, &openedMs, &text); err != nil {
			return w, err
		}
		w.Since, w.Urgent = civil.DateIn(sqldb.Time(openedMs), at.Zone), true
		w.Matter, w.Limit = Cold, w.Since.AddDays(coldDays)
		if subject != alerts.Water {
			return w, nil
		}
		w.Matter, w.Limit = Leak, w.Since.AddDays(leakDays)
		var f alerts.Finding
		if err = json.Unmarshal([]byte(text), &f); err == nil && f.Class.Urgent() {
			w.Limit = w.Since // before all others; household and landlord were told at once
		}
		return w, err
	}, openCases, string(at.ID), today.String(), sqldb.Ms(now))
}

const lateRepairs = `
SELECT repair_ticket.id, machine_sale.household_id, repair_ticket.opened_on,
       COALESCE((SELECT MIN(convention.return_days)
                   FROM convention
                  WHERE convention.residence_id = $1
                    AND convention.return_days > 0
                    AND convention.from_date <= $2
                    AND (convention.until_date IS NULL OR convention.until_date > $2)), 0)
  FROM repair_ticket
  JOIN machine_sale ON machine_sale.id = repair_ticket.sale_id
 WHERE machine_sale.residence_id = $1
   AND repair_ticket.state <> 'closed'
   AND repair_ticket.given_on IS NULL
   AND EXISTS (SELECT 1 FROM household WHERE household.id = machine_sale.household_id)`

func (s *Store) findRepairs(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var opened civil.Date
		var target int
		if err = rows.Scan(&w.Subject, &w.household, day{&opened}, &target); err != nil {
			return w, err
		}
		if target == 0 || target > repairsLate {
			target = repairDays
		}
		w.Matter, w.Since, w.Limit = Repair, opened.AddDays(target+1), opened.AddDays(lawDays)
		w.Urgent = !today.Before(opened.AddDays(repairsLate))
		return w, nil
	}, lateRepairs, string(at.ID), today.String())
	return since(all, today), err
}

// since leaves out what does not wait yet.
func since(all []waiting, today civil.Date) []waiting {
	due := all[:0]
	for _, w := range all {
		if !today.Before(w.Since) {
			due = append(due, w)
		}
	}
	return due
}

// Who gave the computer back owes no training for it any more.
const untaught = `
SELECT training_duty.id, training_duty.household_id, training_duty.due_date, COALESCE(training_duty.asked_ms, 0)
  FROM training_duty
 WHERE training_duty.residence_id = $1
   AND training_duty.state = 'open'
   AND (training_duty.due_date <= $2 OR training_duty.asked_ms IS NOT NULL)
   AND NOT EXISTS (SELECT 1
                     FROM returned_sale
                    WHERE returned_sale.id = training_duty.sale_id)
   AND NOT EXISTS (SELECT 1
                     FROM training_enrolment
                    WHERE training_enrolment.duty_id = training_duty.id
                      AND training_enrolment.state IN ('waiting', 'enrolled', 'reminded'))`

func (s *Store) findUntaught(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	return several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var due civil.Date
		var askedMs int64
		if err = rows.Scan(&w.Subject, &w.household, day{&due}, &askedMs); err != nil {
			return w, err
		}
		w.Matter, w.Since = Untaught, due.AddDays(-dueSoonDays)
		if asked := civil.DateIn(sqldb.Time(askedMs), at.Zone); askedMs > 0 && asked.Before(w.Since) {
			w.Since = asked
		}
		if w.Limit = w.Since.AddDays(trainingDays); due.Before(w.Limit) {
			w.Limit = due
		}
		return w, nil
	}, untaught, string(at.ID), today.AddDays(dueSoonDays).String())
}

// Who moves within the residence does not arrive.
const arrivals = `
SELECT tenancy.id, tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND tenancy.moved_in >= $2
   AND tenancy.moved_in <= $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)
   AND NOT EXISTS (SELECT 1
                     FROM tenancy AS earlier
                     JOIN dwelling AS home ON home.id = earlier.dwelling_id
                    WHERE earlier.household_id = tenancy.household_id
                      AND home.residence_id = $1
                      AND earlier.moved_in < tenancy.moved_in)`

func (s *Store) findArrivals(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	return several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var tenancy string
		if err = rows.Scan(&tenancy, &w.household, &w.dwelling, day{&w.Since}); err != nil {
			return w, err
		}
		// A load of a residence's file writes tenancies anew: the household is what stays.
		w.Matter, w.Subject, w.Limit = Arrival, string(w.household), w.Since.AddDays(arrivalDays)
		return w, nil
	}, arrivals, string(at.ID), today.AddDays(-arrivedDays).String(), today.String())
}

const renewals = `
SELECT consent.id, consent.household_id, tenancy.dwelling_id, consent.to_ms
  FROM consent
  JOIN tenancy ON tenancy.id = consent.tenancy_id
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE dwelling.residence_id = $1
   AND tenancy.moved_in <= $2
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
   AND consent.ended_ms IS NULL
   AND consent.to_ms > $3
   AND consent.to_ms <= $4`

func (s *Store) findRenewals(ctx context.Context, at Place, today civil.Date, now time.Time) ([]waiting, error) {
	return several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var toMs int64
		if err = rows.Scan(&w.Subject, &w.household, &w.dwelling, &toMs); err != nil {
			return w, err
		}
		end := sqldb.Time(toMs)
		w.Matter, w.Since = Renewal, civil.DateIn(end, at.Zone).AddDays(-consentDays)
		w.Limit = civil.DateIn(end.Add(-time.Millisecond), at.Zone) // the last day on which it stands
		return w, nil
	}, renewals, string(at.ID), today.String(), sqldb.Ms(now), sqldb.Ms(now.AddDate(0, 0, consentDays)))
}

const dials = `
SELECT meter_check.meter_id, COALESCE(tenancy.household_id, ''), point.dwelling_id, meter_check.due_ms
  FROM meter_check
  JOIN point ON point.id = meter_check.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN binding ON binding.meter_id = meter_check.meter_id
              AND binding.point_id = meter_check.point_id
              AND binding.from_ms = meter_check.bound_ms
              AND binding.to_ms IS NULL
  LEFT JOIN tenancy ON tenancy.dwelling_id = dwelling.id
                   AND tenancy.moved_in <= $2
                   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
 WHERE dwelling.residence_id = $1
   AND meter_check.due_ms <= $3`

func (s *Store) findDials(ctx context.Context, at Place, today civil.Date, now time.Time) ([]waiting, error) {
	return several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var dueMs int64
		if err = rows.Scan(&w.Subject, &w.household, &w.dwelling, &dueMs); err != nil {
			return w, err
		}
		w.Matter, w.Since = Dial, civil.DateIn(sqldb.Time(dueMs), at.Zone)
		w.Limit = w.Since.AddDays(dialDays)
		return w, nil
	}, dials, string(at.ID), today.String(), sqldb.Ms(now))
}

const dueFollowUps = `
SELECT training_follow_up.enrolment_id, training_duty.household_id, training_follow_up.due_date
  FROM training_follow_up
  JOIN training_enrolment ON training_enrolment.id = training_follow_up.enrolment_id
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
 WHERE training_duty.residence_id = $1
   AND training_follow_up.answered_ms IS NULL
   AND training_follow_up.due_date <= $2`

func (s *Store) findFollowUps(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	return several(ctx, s.db, dated(FollowUp, followUpDays), dueFollowUps, string(at.ID), today.String())
}

// dated reads a matter that waits from a day on.
func dated(m Matter, limitDays int) func(*sql.Rows) (waiting, error) {
	return func(rows *sql.Rows) (w waiting, err error) {
		err = rows.Scan(&w.Subject, &w.household, day{&w.Since})
		w.Matter, w.Limit = m, w.Since.AddDays(limitDays)
		return w, err
	}
}

const dueNotes = `
SELECT household_note.id, household_note.household_id, household_note.due_date
  FROM household_note
 WHERE household_note.due_date <= $2
   AND household_note.done_ms IS NULL
   AND household_note.struck_ms IS NULL
   AND EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE tenancy.household_id = household_note.household_id
                  AND dwelling.residence_id = $1
                  AND tenancy.moved_in <= $2
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2))`

func (s *Store) findNotes(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	return several(ctx, s.db, dated(NoteDue, noteDays), dueNotes, string(at.ID), today.String())
}

const endingConventions = `
SELECT convention.id, convention.title, convention.until_date, convention.notice_days
  FROM convention
 WHERE convention.residence_id = $1
   AND convention.notice_days > 0
   AND convention.until_date > $2`

func (s *Store) findExpiries(ctx context.Context, at Place, today civil.Date, _ time.Time) ([]waiting, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (w waiting, err error) {
		var until civil.Date
		var notice int
		err = rows.Scan(&w.Subject, &w.title, day{&until}, &notice)
		w.Matter, w.Since, w.Limit = Expiry, until.AddDays(-notice), until.AddDays(-1) // its last day
		return w, err
	}, endingConventions, string(at.ID), today.String())
	return since(all, today), err
}

const homeOf = `
SELECT dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label, dwelling.floor
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE tenancy.household_id = $1
   AND tenancy.moved_in <= $2
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $2)
 ORDER BY tenancy.moved_in DESC, dwelling.id
 LIMIT 1`

const dwellingByID = `
SELECT dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label, dwelling.floor
  FROM dwelling
 WHERE dwelling.id = $1`

const membersOf = `
SELECT person.name
  FROM membership
  JOIN person ON person.id = membership.person_id
 WHERE membership.household_id = $1
   AND membership.from_date <= $2
   AND (membership.to_date IS NULL OR membership.to_date > $2)
 ORDER BY membership.from_date, person.name`

// describe says whose a line is.
func (s *Store) describe(ctx context.Context, l *Line, today civil.Date) (err error) {
	scan := func(rows *sql.Rows) (d premises.Dwelling, err error) {
		return d, rows.Scan(&d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label, &d.Floor)
	}
	var homes []premises.Dwelling
	switch {
	case l.Household != "":
		if l.Names, err = several(ctx, s.db, scanText, membersOf, string(l.Household), today.String()); err != nil {
			return err
		}
		homes, err = several(ctx, s.db, scan, homeOf, string(l.Household), today.String())
	case l.Door.ID != "":
		homes, err = several(ctx, s.db, scan, dwellingByID, string(l.Door.ID))
	}
	if len(homes) > 0 {
		l.Door = homes[0]
	}
	return err
}
