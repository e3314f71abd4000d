package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Kinds of messages; the subject of each is a way.
const (
	kindProposal  = "training_proposal"   // come to this session, or call us
	kindMissed    = "training_missed"     // the same, to who was not there
	kindCalledOff = "training_called_off" // the same, to whose session is called off
	kindPlace     = "training_place"      // you have a place
	kindReminder  = "training_reminder"   // it is soon
)

const contactOf = `
SELECT training_duty.person_id, household.contact_by, household.email
  FROM training_enrolment
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN household ON household.id = training_duty.household_id
 WHERE training_enrolment.id = $1`

// tell keeps a message to the buyer on a way: an e-mail where their household
// wants it so, else a letter that somebody prints.
func tell(ctx context.Context, tx *sql.Tx, way EnrolmentID, kind string, now time.Time) error {
	m := notify.Message{Channel: notify.Letter, Kind: kind, Subject: string(way)}
	var by premises.Channel
	var email string
	if err := tx.QueryRowContext(ctx, contactOf, string(way)).Scan(&m.Person, &by, &email); err != nil {
		return fmt.Errorf("how to reach who is on way %s: %w", way, err)
	}
	if by == premises.Email && email != "" {
		m.Channel, m.Recipient = notify.Email, email
	}
	return notify.Enqueue(ctx, tx, m, now)
}

const dropMessages = `
DELETE FROM outbox
 WHERE subject = $1
   AND kind LIKE 'training~_%' ESCAPE '~'
   AND state = 'waiting'`

// hush drops what was to be told of a way and has not left: it holds no more.
func hush(ctx context.Context, tx *sql.Tx, way EnrolmentID) error {
	if _, err := tx.ExecContext(ctx, dropMessages, string(way)); err != nil {
		return fmt.Errorf("drop messages of way %s: %w", way, err)
	}
	return nil
}

// remindDays are how many days before a session people are reminded.
var remindDays = [...]int{7, 1}

// Reminders counts the reminders that were made.
type Reminders struct{ Letters, Mails, Calls int }

const whoHasPlace = `
SELECT training_enrolment.id, training_enrolment.state, training_enrolment.changed_ms, training_session.starts_ms, residence.zone,
       household.contact_by, household.telephone, household.email
  FROM training_enrolment
  JOIN training_session ON training_session.id = training_enrolment.session_id
  JOIN residence ON residence.id = training_session.residence_id
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN household ON household.id = training_duty.household_id
 WHERE training_enrolment.state IN ('enrolled', 'reminded')
   AND training_session.starts_ms > $1
   AND training_session.starts_ms < $2
   AND training_enrolment.id > $3
 ORDER BY training_enrolment.id
 LIMIT 100`

// A guest has a place in a session that is near.
type guest struct {
	Way
	zone             *time.Location
	by               premises.Channel
	telephone, email string
}

func scanGuest(rows *sql.Rows) (g guest, err error) {
	var zone string
	var changedMs, startsMs int64
	if err = rows.Scan(&g.ID, &g.State, &changedMs, &startsMs, &zone, &g.by, &g.telephone, &g.email); err != nil {
		return guest{}, err
	}
	g.Since, g.Starts = sqldb.Time(changedMs), sqldb.Time(startsMs)
	g.zone, err = time.LoadLocation(zone)
	return g, err
}

// daysBefore is how many midnights lie between an instant and the session.
func (g guest) daysBefore(at time.Time) int {
	day := func(t time.Time) time.Time { return civil.DateIn(t, g.zone).Start(time.UTC) }
	return int(day(g.Starts).Sub(day(at)) / (24 * time.Hour))
}

// due returns the reminder that is due, 7 or 1, or 0 for none: the nearest that
// the session has come to since the buyer got the place. Who just got one knows.
func (g guest) due(now time.Time) int {
	due := 0
	for _, days := range remindDays {
		if g.daysBefore(now) <= days && g.daysBefore(g.Since) > days {
			due = days
		}
	}
	return due
}

// channel is how a reminder travels. No letter arrives within a day: the day
// before, somebody calls where a number is known, else the letter is carried.
func (g guest) channel(days int) premises.Channel {
	switch {
	case g.by == premises.Email && g.email != "":
		return premises.Email
	case g.telephone != "" && (days == 1 || g.by == premises.Telephone):
		return premises.Telephone
	default:
		return premises.Letter
	}
}

// Remind makes the reminders that are due, each once however often it is asked:
// an e-mail, a letter to be printed, or a call to be made. It ends with the
// context; what was made until then stays.
func (s *Store) Remind(ctx context.Context, now time.Time) (Reminders, error) {
	var made Reminders
	after := EnrolmentID("")
	for {
		rows, err := s.db.QueryContext(ctx, whoHasPlace, sqldb.Ms(now), sqldb.Ms(now.AddDate(0, 0, remindDays[0]+1)), string(after))
		if err != nil {
			return made, fmt.Errorf("who is to be reminded: %w", err)
		}
		guests, err := sqldb.Collect(rows, scanGuest)
		if err != nil {
			return made, fmt.Errorf("who is to be reminded: %w", err)
		}
		for _, g := range guests {
			after = g.ID
			days := g.due(now)
			if days == 0 {
				continue
			}
			if err := s.remind(ctx, g, days, now, &made); err != nil {
				return made, fmt.Errorf("remind way %s: %w", g.ID, err)
			}
		}
		if len(guests) == 0 {
			return made, nil
		}
	}
}

// The state is looked at again: the buyer may have called meanwhile.
const putReminder = `
INSERT INTO training_reminder (enrolment_id, days_before, channel, made_ms)
SELECT id, $2, $3, $4
  FROM training_enrolment
 WHERE id = $1
   AND state IN ('enrolled', 'reminded')
    ON CONFLICT (enrolment_id, days_before) DO NOTHING`

func (s *Store) remind(ctx context.Context, g guest, days int, now time.Time, made *Reminders) error {
	channel, fresh := g.channel(days), false
	err := s.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, putReminder, string(g.ID), days, string(channel), sqldb.Ms(now))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if fresh = n > 0; err != nil || !fresh {
			return err
		}
		if g.State == Enrolled {
			if err := step(ctx, tx, g.Way, Reminded, "", byItself, now); err != nil {
				return err
			}
		}
		if channel == premises.Telephone {
			return nil
		}
		return tell(ctx, tx, g.ID, kindReminder, now)
	})
	if err != nil || !fresh {
		return err
	}
	switch channel {
	case premises.Email:
		made.Mails++
	case premises.Telephone:
		made.Calls++
	default:
		made.Letters++
	}
	return nil
}

// A Call is a reminder that somebody makes by telephone.
type Call struct {
	Enrolment EnrolmentID
	Days      int // before the session: 7 or 1
	Duty      DutyID
	Name      string
	Telephone string
	Title     string // of the course
	Place     string
	Starts    time.Time
	Zone      *time.Location
}

const callsToMake = `
SELECT training_reminder.enrolment_id, training_reminder.days_before, training_duty.id, person.name, household.telephone,
       training_course.title, training_session.place, training_session.starts_ms, residence.zone
  FROM training_reminder
  JOIN training_enrolment ON training_enrolment.id = training_reminder.enrolment_id
  JOIN training_duty ON training_duty.id = training_enrolment.duty_id
  JOIN person ON person.id = training_duty.person_id
  JOIN household ON household.id = training_duty.household_id
  JOIN training_session ON training_session.id = training_enrolment.session_id
  JOIN training_course ON training_course.id = training_session.course_id
  JOIN residence ON residence.id = training_session.residence_id
 WHERE training_reminder.channel = 'telephone'
   AND training_reminder.called_ms IS NULL
   AND training_enrolment.state = 'reminded'
   AND training_session.starts_ms > $3
   AND` + mayWork + `
 ORDER BY training_session.starts_ms, person.name, training_reminder.enrolment_id, training_reminder.days_before
 LIMIT 200`

// Calls lists at most 200 reminders that wait for a call, the next session first.
func (s *Store) Calls(ctx context.Context, staff accounts.PersonID, now time.Time) ([]Call, error) {
	rows, err := s.db.QueryContext(ctx, callsToMake, string(staff), today(now), sqldb.Ms(now))
	if err != nil {
		return nil, fmt.Errorf("calls to make: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (c Call, err error) {
		var zone string
		var startsMs int64
		if err = rows.Scan(&c.Enrolment, &c.Days, &c.Duty, &c.Name, &c.Telephone, &c.Title, &c.Place, &startsMs, &zone); err != nil {
			return Call{}, err
		}
		c.Starts = sqldb.Time(startsMs)
		c.Zone, err = time.LoadLocation(zone)
		return c, err
	})
}

const setCalled = `
UPDATE training_reminder
   SET called_ms = COALESCE(called_ms, $3)
 WHERE enrolment_id = $4
   AND days_before = $5
   AND channel = 'telephone'
   AND EXISTS (SELECT 1
                 FROM training_enrolment
                 JOIN training_duty ON training_duty.id = training_enrolment.duty_id
                WHERE training_enrolment.id = training_reminder.enrolment_id
                  AND` + mayWork + `)`

// Called notes that a call was made; noted again, nothing changes. It fails with
// [ErrNoReminder].
func (s *Store) Called(ctx context.Context, staff accounts.PersonID, way EnrolmentID, days int, now time.Time) error {
	done, err := s.db.ExecContext(ctx, setCalled, string(staff), today(now), sqldb.Ms(now), string(way), days)
	if err != nil {
		return fmt.Errorf("call about way %s: %w", way, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return orElse(err, ErrNoReminder)
	}
	return nil
}
