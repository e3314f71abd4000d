package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var _ computers.Obliger = (*Store)(nil)

const putDuty = `
INSERT INTO training_duty (id, sale_id, household_id, person_id, residence_id, since_date, due_date, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')
    ON CONFLICT (sale_id) DO NOTHING`

// Oblige makes the buyer of a subsidised machine owe a training, until so many
// days after the sale as the terms say. For a sale
// that is known nothing changes. It works within the sale's transaction: what it
// fails with undoes the sale.
func (s *Store) Oblige(ctx context.Context, tx *sql.Tx, sale computers.Sale) error {
	id := DutyID(newID())
	done, err := tx.ExecContext(ctx, putDuty, string(id), string(sale.ID), string(sale.Household), string(sale.Buyer),
		string(sale.Residence), sale.SoldOn.String(), sale.SoldOn.AddDays(s.terms.DueDays).String())
	if err != nil {
		return fmt.Errorf("duty of sale %s: %w", sale.ID, err)
	}
	if _, err := done.RowsAffected(); err != nil {
		return fmt.Errorf("duty of sale %s: %w", sale.ID, err)
	}
	return nil
}

const dutyColumns = `
SELECT training_duty.id, training_duty.sale_id, training_duty.household_id, training_duty.person_id,
       person.name, household.language, household.telephone, household.contact_by,
       COALESCE(home.id, ''), COALESCE(home.building, ''), COALESCE(home.staircase, ''), COALESCE(home.label, ''),
       training_duty.residence_id, residence.name, residence.zone,
       training_duty.since_date, training_duty.due_date, training_duty.state, COALESCE(training_duty.done_date, ''),
       training_duty.reason, COALESCE(training_duty.asked_ms, 0), training_duty.asked, training_duty.version,
       COALESCE(way.id, ''), COALESCE(way.session_id, ''), COALESCE(way.seat, 0), COALESCE(way.state, ''), COALESCE(way.reason, ''),
       COALESCE(way.changed_ms, 0), COALESCE(training_session.starts_ms, 0)
  FROM training_duty
  JOIN person ON person.id = training_duty.person_id
  JOIN household ON household.id = training_duty.household_id
  JOIN residence ON residence.id = training_duty.residence_id
  LEFT JOIN tenancy AS stay ON stay.id = (SELECT last.id
                                            FROM tenancy AS last
                                           WHERE last.household_id = training_duty.household_id
                                           ORDER BY last.moved_in DESC, last.id DESC
                                           LIMIT 1)
  LEFT JOIN dwelling AS home ON home.id = stay.dwelling_id
  LEFT JOIN training_enrolment AS way ON way.id = (SELECT latest.id
                                                     FROM training_enrolment AS latest
                                                    WHERE latest.duty_id = training_duty.id
                                                    ORDER BY CASE WHEN latest.state = 'attended' THEN 0 ELSE 1 END, latest.id DESC
                                                    LIMIT 1)
  LEFT JOIN training_session ON training_session.id = way.session_id`

func scanDuty(rows *sql.Rows) (d Duty, err error) {
	var zone, since, due, done string
	var askedMs, changedMs, startsMs int64
	w := &d.Now
	err = rows.Scan(&d.ID, &d.Sale, &d.Household, &d.Person, &d.Name, &d.Language, &d.Telephone, &d.ContactBy,
		&d.Door.ID, &d.Door.Building, &d.Door.Staircase, &d.Door.Label, &d.Residence, &d.ResidenceName, &zone,
		&since, &due, &d.State, &done, &d.Reason, &askedMs, &d.Wish, &d.Version,
		&w.ID, &w.Session, &w.Seat, &w.State, &w.Reason, &changedMs, &startsMs)
	if err != nil {
		return Duty{}, err
	}
	d.Asked, w.Since, w.Starts = timeOrNone(askedMs), timeOrNone(changedMs), timeOrNone(startsMs)
	var errs [4]error
	d.Zone, errs[0] = time.LoadLocation(zone)
	d.Since, errs[1] = civil.ParseDate(since)
	d.Due, errs[2] = civil.ParseDate(due)
	if done != "" {
		d.Done, errs[3] = civil.ParseDate(done)
	}
	return d, errors.Join(errs[:]...)
}

// timeOrNone is the zero time for 0.
func timeOrNone(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return sqldb.Time(ms)
}

// A Filter is which duties are asked for.
type Filter struct {
	Residence metering.SiteID // empty for all of the asker's
	State     DutyState       // empty for open ones
	resource.Page
}

// Who asked for another date comes first, then who is due first.
const listDuties = dutyColumns + `
 WHERE training_duty.state = $3
   AND NOT EXISTS (SELECT 1
                     FROM returned_sale
                    WHERE returned_sale.id = training_duty.sale_id)
   AND ($4 = '' OR training_duty.residence_id = $4)
   AND ($5 = '' OR (CASE WHEN training_duty.asked_ms IS NULL THEN 1 ELSE 0 END, training_duty.due_date, training_duty.id) >
                   (SELECT CASE WHEN before.asked_ms IS NULL THEN 1 ELSE 0 END, before.due_date, before.id
                      FROM training_duty AS before
                     WHERE before.id = $5))
   AND` + mayWork + `
 ORDER BY CASE WHEN training_duty.asked_ms IS NULL THEN 1 ELSE 0 END, training_duty.due_date, training_duty.id
 LIMIT $6`

// Duties lists the duties that advisors and administrators may work on, one more
// than the page holds where the list goes on. The open ones are the buyers who
// are not trained; who brought the machine back for good is none.
func (s *Store) Duties(ctx context.Context, staff accounts.PersonID, f Filter, now time.Time) ([]Duty, error) {
	if f.State == "" {
		f.State = Open
	}
	rows, err := s.db.QueryContext(ctx, listDuties, string(staff), today(now), string(f.State), string(f.Residence), f.After, f.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("duties that are %s: %w", f.State, err)
	}
	return sqldb.Collect(rows, scanDuty)
}

const dutyToWork = dutyColumns + `
 WHERE training_duty.id = $3
   AND` + mayWork

// Duty returns one duty that staff may work on; it fails with [ErrNoDuty].
func (s *Store) Duty(ctx context.Context, staff accounts.PersonID, id DutyID, now time.Time) (Duty, error) {
	return dutyFor(ctx, s.db, dutyToWork, string(staff), today(now), string(id))
}

func dutyFor(ctx context.Context, q sqldb.Querier, query string, args ...any) (Duty, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return Duty{}, fmt.Errorf("duty: %w", err)
	}
	all, err := sqldb.Collect(rows, scanDuty)
	return only(all, err, ErrNoDuty)
}

// A Story is all that is kept of one duty.
type Story struct {
	Ways     []Told // the last first
	Position Position
	FollowUp FollowUp
}

// A Told way has the words of its session.
type Told struct {
	Way
	Title string // of the course; empty for no session
	Place string
}

const waysOf = `
SELECT way.id, COALESCE(way.session_id, ''), COALESCE(way.seat, 0), way.state, way.reason, way.changed_ms,
       COALESCE(training_session.starts_ms, 0), COALESCE(training_course.title, ''), COALESCE(training_session.place, '')
  FROM training_enrolment AS way
  LEFT JOIN training_session ON training_session.id = way.session_id
  LEFT JOIN training_course ON training_course.id = training_session.course_id
 WHERE way.duty_id = $1
 ORDER BY way.id DESC`

// Story returns what is kept of a duty. Its duty must have been found for who
// asks: this looks at no right.
func (s *Store) Story(ctx context.Context, d Duty) (Story, error) {
	rows, err := s.db.QueryContext(ctx, waysOf, string(d.ID))
	if err != nil {
		return Story{}, fmt.Errorf("ways of duty %s: %w", d.ID, err)
	}
	var story Story
	if story.Ways, err = sqldb.Collect(rows, scanTold); err != nil {
		return Story{}, fmt.Errorf("ways of duty %s: %w", d.ID, err)
	}
	if story.Position, err = s.position(ctx, d.ID); err != nil {
		return Story{}, fmt.Errorf("position of duty %s: %w", d.ID, err)
	}
	if story.FollowUp, err = s.followUp(ctx, d.ID); err != nil {
		return Story{}, fmt.Errorf("follow-up of duty %s: %w", d.ID, err)
	}
	return story, nil
}

func scanTold(rows *sql.Rows) (t Told, err error) {
	var changedMs, startsMs int64
	err = rows.Scan(&t.ID, &t.Session, &t.Seat, &t.State, &t.Reason, &changedMs, &startsMs, &t.Title, &t.Place)
	t.Since, t.Starts = timeOrNone(changedMs), timeOrNone(startsMs)
	return t, err
}

const findPosition = `
SELECT at_ms, computer, internet, mail, forms, safety
  FROM training_position
 WHERE duty_id = $1`

func (s *Store) position(ctx context.Context, id DutyID) (p Position, err error) {
	var atMs int64
	err = s.db.QueryRowContext(ctx, findPosition, string(id)).Scan(&atMs, &p.Computer, &p.Internet, &p.Mail, &p.Forms, &p.Safety)
	if errors.Is(err, sql.ErrNoRows) {
		return Position{}, nil
	}
	p.At = timeOrNone(atMs)
	return p, err
}

const findFollowUp = `
SELECT asked.due_date, COALESCE(asked.answered_ms, 0), COALESCE(asked.still_used, ''), COALESCE(asked.job_search, ''), asked.blocked
  FROM training_follow_up AS asked
  JOIN training_enrolment AS way ON way.id = asked.enrolment_id
 WHERE way.duty_id = $1`

func (s *Store) followUp(ctx context.Context, id DutyID) (f FollowUp, err error) {
	var answeredMs int64
	err = s.db.QueryRowContext(ctx, findFollowUp, string(id)).Scan(&f.Due, &answeredMs, &f.StillUsed, &f.JobSearch, &f.Blocked)
	if errors.Is(err, sql.ErrNoRows) {
		return FollowUp{}, nil
	}
	f.Answered = timeOrNone(answeredMs)
	return f, err
}
