package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Plan is what a session is to be. Hours are those of the residence's zone.
type Plan struct {
	Course    CourseID
	Residence metering.SiteID
	Trainer   accounts.PersonID // empty for none yet
	Date      string            // YYYY-MM-DD, from today to a year ahead
	From, To  string            // hh:mm, on the same day
	Place     string
	Partner   string
	Language  string // two or three small letters
	Childcare string
	Transport string
	Capacity  int // 1 to 100
	MayWait   int // 0 to 50
}

// Bounds of a session.
const (
	mostSeats   = 100
	mostWaiting = 50
	daysAhead   = 366
)

// Check returns what is wrong with the fields, but for what depends on the day of
// asking and on what is stored.
func (p *Plan) Check() []problem.Field {
	faults := p.Notes().check(p)
	if p.Course == "" {
		faults = append(faults, problem.Field{Name: "course", Message: "field.missing"})
	}
	if p.Residence == "" {
		faults = append(faults, problem.Field{Name: "residence", Message: "field.missing"})
	}
	if _, err := civil.ParseDate(p.Date); err != nil {
		faults = append(faults, problem.Field{Name: "date", Message: "field.no_date"})
	}
	from, err1 := time.Parse(hours, p.From)
	to, err2 := time.Parse(hours, p.To)
	if err1 != nil {
		faults = append(faults, problem.Field{Name: "from", Message: "field.no_hour"})
	}
	if err2 != nil || err1 == nil && !from.Before(to) {
		faults = append(faults, problem.Field{Name: "to", Message: "field.no_end_hour"})
	}
	return faults
}

const hours = "15:04"

// Notes are those fields of a plan that may still change when somebody is
// enrolled.
func (p *Plan) Notes() Notes {
	return Notes{p.Trainer, p.Place, p.Partner, p.Language, p.Childcare, p.Transport, p.Capacity, p.MayWait}
}

// Notes are what may change of a session; its day and hours may not: it is called
// off instead, so that everybody is told.
type Notes struct {
	Trainer                                        accounts.PersonID
	Place, Partner, Language, Childcare, Transport string
	Capacity, MayWait                              int
}

// Check returns what is wrong with the fields.
func (n *Notes) Check() []problem.Field {
	var p Plan
	faults := n.check(&p)
	*n = p.Notes()
	return faults
}

// check writes the notes in their normal form into p.
func (n Notes) check(p *Plan) []problem.Field {
	faults := checkText("place", &n.Place, 1, 200)
	faults = append(faults, checkText("partner", &n.Partner, 0, 200)...)
	faults = append(faults, checkText("childcare", &n.Childcare, 0, 200)...)
	faults = append(faults, checkText("transport", &n.Transport, 0, 200)...)
	if l := len(n.Language); l < 2 || l > 3 {
		faults = append(faults, problem.Field{Name: "language", Message: "field.no_language"})
	}
	if n.Capacity < 1 || n.Capacity > mostSeats {
		faults = append(faults, problem.Field{Name: "capacity", Message: "field.out_of_range", Args: []any{1, mostSeats}})
	}
	if n.MayWait < 0 || n.MayWait > mostWaiting {
		faults = append(faults, problem.Field{Name: "may_wait", Message: "field.out_of_range", Args: []any{0, mostWaiting}})
	}
	p.Trainer, p.Place, p.Partner, p.Language = n.Trainer, n.Place, n.Partner, n.Language
	p.Childcare, p.Transport, p.Capacity, p.MayWait = n.Childcare, n.Transport, n.Capacity, n.MayWait
	return faults
}

const zoneToPlan = `
SELECT residence.zone
  FROM residence
 WHERE residence.id = $2
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

const isTrainer = `
SELECT COUNT(*)
  FROM staff_role
 WHERE person_id = $1
   AND role = 'trainer'
   AND (residence_id IS NULL OR residence_id = $2)`

const putSession = `
INSERT INTO training_session (id, course_id, residence_id, trainer_id, starts_ms, ends_ms, place, partner, language, childcare, transport, waiting)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT DO NOTHING`

const putSeat = `
INSERT INTO training_seat (session_id, number)
VALUES ($1, $2)`

// CreateSession keeps a session that was checked. It fails with NotFound
// "residence.none" where staff may not plan there, with faults of the fields
// "date", "course" and "trainer", and with [ErrSameSession] where the same course
// is held at that time and place.
func (s *Store) CreateSession(ctx context.Context, staff accounts.PersonID, p Plan, now time.Time) (Session, error) {
	id := SessionID(newID())
	err := s.change(ctx, func(tx *sql.Tx) error {
		starts, ends, err := s.hoursOf(ctx, tx, staff, p, now)
		if err != nil {
			return err
		}
		if err := checkStored(ctx, tx, p); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, putSession, string(id), string(p.Course), string(p.Residence), orNull(string(p.Trainer)),
			sqldb.Ms(starts), sqldb.Ms(ends), p.Place, p.Partner, p.Language, p.Childcare, p.Transport, p.MayWait)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return orElse(err, ErrSameSession)
		}
		for number := 1; number <= p.Capacity; number++ {
			if _, err := tx.ExecContext(ctx, putSeat, string(id), number); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Session{}, fmt.Errorf("create session %s: %w", id, err)
	}
	return s.Session(ctx, staff, id)
}

// orElse is the error, or the reason where there is none.
func orElse(err error, reason *problem.Error) error {
	if err != nil {
		return err
	}
	return reason
}

func orNull(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }

// hoursOf places the plan in the zone of its residence and holds it against now.
func (s *Store) hoursOf(ctx context.Context, tx *sql.Tx, staff accounts.PersonID, p Plan, now time.Time) (starts, ends time.Time, err error) {
	var name string
	none := &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	if err := tx.QueryRowContext(ctx, zoneToPlan, string(staff), string(p.Residence)).Scan(&name); err != nil {
		return starts, ends, found(err, none)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return starts, ends, fmt.Errorf("zone %q: %w", name, err)
	}
	if starts, err = time.ParseInLocation(time.DateOnly+" "+hours, p.Date+" "+p.From, zone); err == nil {
		ends, err = time.ParseInLocation(time.DateOnly+" "+hours, p.Date+" "+p.To, zone)
	}
	switch {
	case err != nil:
		err = problem.OfFields([]problem.Field{{Name: "date", Message: "field.no_date"}})
	case !starts.After(now):
		err = problem.OfFields([]problem.Field{{Name: "date", Message: "field.past"}})
	case starts.After(now.AddDate(0, 0, daysAhead)):
		err = problem.OfFields([]problem.Field{{Name: "date", Message: "field.too_late", Args: []any{daysAhead}}})
	case !ends.After(starts): // an hour that the clock skips
		err = problem.OfFields([]problem.Field{{Name: "to", Message: "field.no_end_hour"}})
	}
	return starts, ends, err
}

// checkStored holds that course and trainer exist.
func checkStored(ctx context.Context, tx *sql.Tx, p Plan) error {
	var courses int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM training_course WHERE id = $1`, string(p.Course)).Scan(&courses); err != nil {
		return err
	}
	if courses == 0 {
		return problem.OfFields([]problem.Field{{Name: "course", Message: "field.not_found"}})
	}
	return checkTrainer(ctx, tx, p.Trainer, p.Residence)
}

func checkTrainer(ctx context.Context, tx *sql.Tx, trainer accounts.PersonID, residence metering.SiteID) error {
	if trainer == "" {
		return nil
	}
	var roles int
	if err := tx.QueryRowContext(ctx, isTrainer, string(trainer), string(residence)).Scan(&roles); err != nil {
		return err
	}
	if roles == 0 {
		return problem.OfFields([]problem.Field{{Name: "trainer", Message: "field.not_found"}})
	}
	return nil
}

const sessionColumns = `
SELECT training_session.id, training_course.id, training_course.title, training_course.theme, training_course.about,
       training_session.residence_id, residence.name, residence.zone,
       COALESCE(training_session.trainer_id, ''), COALESCE(trainer.name, ''),
       training_session.starts_ms, training_session.ends_ms, training_session.place, training_session.partner,
       training_session.language, training_session.childcare, training_session.transport,
       (SELECT COUNT(*) FROM training_seat WHERE training_seat.session_id = training_session.id),
       (SELECT COUNT(*) FROM training_enrolment WHERE training_enrolment.session_id = training_session.id
                                                  AND training_enrolment.seat IS NOT NULL),
       training_session.waiting,
       (SELECT COUNT(*) FROM training_enrolment WHERE training_enrolment.session_id = training_session.id
                                                  AND training_enrolment.state = 'waiting'),
       COALESCE(training_session.called_off_ms, 0), training_session.version
  FROM training_session
  JOIN training_course ON training_course.id = training_session.course_id
  JOIN residence ON residence.id = training_session.residence_id
  LEFT JOIN person AS trainer ON trainer.id = training_session.trainer_id`

func scanSession(rows *sql.Rows) (s Session, err error) {
	var zone string
	var startsMs, endsMs, calledOffMs int64
	err = rows.Scan(&s.ID, &s.Course.ID, &s.Course.Title, &s.Course.Theme, &s.Course.About, &s.Residence, &s.ResidenceName, &zone,
		&s.Trainer, &s.TrainerName, &startsMs, &endsMs, &s.Place, &s.Partner, &s.Language, &s.Childcare, &s.Transport,
		&s.Capacity, &s.Taken, &s.MayWait, &s.Waiting, &calledOffMs, &s.Version)
	if err != nil {
		return Session{}, err
	}
	s.Starts, s.Ends = sqldb.Time(startsMs), sqldb.Time(endsMs)
	if calledOffMs > 0 {
		s.CalledOff = sqldb.Time(calledOffMs)
	}
	s.Zone, err = time.LoadLocation(zone)
	return s, err
}

const listSessions = sessionColumns + `
 WHERE ($2 = '' OR training_session.residence_id = $2)
   AND training_session.starts_ms >= $3
   AND training_session.starts_ms < $4
   AND ($5 = '' OR (training_session.starts_ms, training_session.id) >
                   (SELECT before.starts_ms, before.id FROM training_session AS before WHERE before.id = $5))
   AND ` + maySee + `
 ORDER BY training_session.starts_ms, training_session.id
 LIMIT $6`

// A Span is which sessions are asked for: those that begin in [From, To), of one
// residence or, where it is empty, of all that the asker may see.
type Span struct {
	Residence metering.SiteID
	From, To  time.Time
	resource.Page
}

// Sessions lists the sessions that staff may see, the next first, one more than
// the page holds where the list goes on: advisors, managers and administrators
// those of their residences, trainers their own.
func (s *Store) Sessions(ctx context.Context, staff accounts.PersonID, span Span) ([]Session, error) {
	rows, err := s.db.QueryContext(ctx, listSessions, string(staff), string(span.Residence), sqldb.Ms(span.From), sqldb.Ms(span.To),
		span.After, span.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	return sqldb.Collect(rows, scanSession)
}

const sessionByID = sessionColumns + `
 WHERE training_session.id = $2
   AND ` + maySee

// Session returns one session that staff may see; it fails with [ErrNoSession].
func (s *Store) Session(ctx context.Context, staff accounts.PersonID, id SessionID) (Session, error) {
	return sessionFor(ctx, s.db, sessionByID, string(staff), string(id))
}

const sessionToPlan = sessionColumns + `
 WHERE training_session.id = $2
   AND ` + mayPlan

const sessionToHold = sessionColumns + `
 WHERE training_session.id = $2
   AND ` + mayHold

func sessionFor(ctx context.Context, q sqldb.Querier, query string, args ...any) (Session, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	all, err := sqldb.Collect(rows, scanSession)
	return only(all, err, ErrNoSession)
}

const listTrainers = `
SELECT DISTINCT person.id, person.name
  FROM staff_role AS trainer
  JOIN person ON person.id = trainer.person_id
 WHERE trainer.role = 'trainer'
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'administrator')
                  AND (staff_role.residence_id IS NULL OR trainer.residence_id IS NULL OR staff_role.residence_id = trainer.residence_id))
 ORDER BY person.name, person.id
 LIMIT 200`

// A Trainer may hold a session.
type Trainer struct {
	ID   accounts.PersonID
	Name string
}

// Trainers lists at most 200 persons whom staff may let hold a session.
func (s *Store) Trainers(ctx context.Context, staff accounts.PersonID) ([]Trainer, error) {
	rows, err := s.db.QueryContext(ctx, listTrainers, string(staff))
	if err != nil {
		return nil, fmt.Errorf("trainers: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (t Trainer, err error) { return t, rows.Scan(&t.ID, &t.Name) })
}
