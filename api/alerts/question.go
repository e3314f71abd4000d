package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// AskKind is the kind of message by which a household is asked; the subject of the
// message is the question's id.
const AskKind = "alert_question"

// A QuestionID names a question, for ever.
type QuestionID string

// An Owned is what a household says of water that it is asked about.
type Owned string

// The answers to a question.
const (
	Ours    Owned = "ours"     // we drew it, or know why it ran
	NotOurs Owned = "not_ours" // we know of nothing
)

// A Question asks whether a day's water was drawn on purpose, as for a pool or a
// feast. It is no case: nobody but the household sees it.
type Question struct {
	ID      QuestionID
	Finding Finding
	On      civil.Date // the morning of asking
	Zone    *time.Location
}

// askedFor is how many days a question waits for an answer, and the next one of the
// same point for it.
const askedFor = 7

const insertQuestion = `
INSERT INTO alert_question (id, point_id, household_id, on_date, first_date, last_date, finding, asked_ms)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
 WHERE NOT EXISTS (SELECT 1
                     FROM alert_question
                    WHERE point_id = $2
                      AND household_id = $3
                      AND on_date > $9)
    ON CONFLICT DO NOTHING`

// Ask keeps a question to a household on the morning of a day, and the message that
// tells of it, in one transaction. Within a week of another question about the same
// point nothing is asked, and none where nobody lives there. It reports whether
// anybody was asked.
func (s *Store) Ask(ctx context.Context, f Finding, household premises.HouseholdID, on civil.Date, zone *time.Location, at time.Time) (asked bool, err error) {
	if household == "" {
		return false, nil
	}
	finding, err := json.Marshal(f)
	if err != nil {
		return false, fmt.Errorf("question about point %s: %w", f.Cause.Point, err)
	}
	first, last := f.Days(zone)
	id := uuid.Must(uuid.NewV7()).String()
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if gone, err := s.lookout.Erased(ctx, tx, household); err != nil || gone {
			return err
		}
		done, err := tx.ExecContext(ctx, insertQuestion, id, string(f.Cause.Point), string(household), on.String(), first.String(), last.String(),
			string(finding), sqldb.Ms(at), on.AddDays(-askedFor).String())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		asked = true
		return s.enqueue(ctx, tx, AskKind, id, household, first, civil.DateIn(at, zone), at)
	})
	if err != nil {
		return false, fmt.Errorf("question about point %s: %w", f.Cause.Point, err)
	}
	return asked, nil
}

// enqueue keeps the messages to who may know of something that begins on a day.
func (s *Store) enqueue(ctx context.Context, tx *sql.Tx, kind, subject string, household premises.HouseholdID, first, today civil.Date, at time.Time) error {
	rows, err := tx.QueryContext(ctx, addressesOf, string(household), today.String(), first.String())
	if err != nil {
		return err
	}
	all, err := sqldb.Collect(rows, scanAddress)
	if err != nil || len(all) == 0 {
		return err
	}
	for _, m := range messagesTo(all, kind, subject) {
		if err := notify.Enqueue(ctx, tx, m, at); err != nil {
			return err
		}
	}
	return nil
}

const questionsOf = `
SELECT DISTINCT alert_question.id, alert_question.on_date, alert_question.finding, residence.zone
  FROM alert_question
  JOIN point ON point.id = alert_question.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
  JOIN tenancy ON tenancy.dwelling_id = dwelling.id
              AND tenancy.household_id = alert_question.household_id
  JOIN sight ON sight.household_id = tenancy.household_id
 WHERE sight.viewer_id = $1
   AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
   AND residence.zone = $3
   AND sight.since_date <= $4
   AND (sight.until_date IS NULL OR sight.until_date > $4)
   AND alert_question.first_date >= sight.shown_from
   AND alert_question.first_date >= tenancy.moved_in
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $4)
   AND ($5 = '' OR alert_question.id = $5)
   AND ($6 = 0 OR sight.scope IN ('own', 'act'))
   AND ($6 = 1 OR alert_question.said IS NULL AND alert_question.on_date > $7)
 ORDER BY alert_question.on_date DESC, alert_question.id`

// Questions lists what the viewer's homes of today are asked, the last first; empty
// where there is nothing.
func (s *Store) Questions(ctx context.Context, v premises.Viewer, now time.Time) ([]Question, error) {
	all, err := s.questions(ctx, v, now, "")
	if err != nil {
		return nil, fmt.Errorf("questions to person %s: %w", v.Person, err)
	}
	return all, nil
}

// questions reads those that wait, or one of a given id, for who may answer it.
func (s *Store) questions(ctx context.Context, v premises.Viewer, now time.Time, id QuestionID) (all []Question, err error) {
	zones, err := s.zones(ctx, v)
	if err != nil {
		return nil, err
	}
	deciding := 0
	if id != "" {
		deciding = 1
	}
	for _, zone := range zones {
		today := civil.DateIn(now, zone)
		rows, err := s.db.QueryContext(ctx, questionsOf, string(v.Person), string(v.Household), zone.String(), today.String(),
			string(id), deciding, today.AddDays(-askedFor).String())
		if err != nil {
			return nil, err
		}
		some, err := sqldb.Collect(rows, scanQuestion)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func scanQuestion(rows *sql.Rows) (q Question, err error) {
	var on, finding, zone string
	if err := rows.Scan(&q.ID, &on, &finding, &zone); err != nil {
		return q, err
	}
	if err := json.Unmarshal([]byte(finding), &q.Finding); err != nil {
		return q, fmt.Errorf("finding of question %s: %w", q.ID, err)
	}
	if q.On, err = civil.ParseDate(on); err == nil {
		q.Zone, err = time.LoadLocation(zone)
	}
	return q, err
}

const answerQuestion = `
UPDATE alert_question
   SET said = $2,
       said_ms = $3,
       said_by = $4
 WHERE id = $1
   AND said IS NULL`

// Own notes what the viewer says to a question; the first word holds, and another
// changes nothing. It fails with NotFound "error.not_found" for one that is not
// theirs to answer, and with a fault of the field answer.
func (s *Store) Own(ctx context.Context, v premises.Viewer, now time.Time, id QuestionID, said Owned) error {
	if said != Ours && said != NotOurs {
		return problem.OfFields([]problem.Field{{Name: "answer", Message: "field.malformed"}})
	}
	notFound := &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	if id == "" {
		return notFound
	}
	all, err := s.questions(ctx, v, now, id)
	if err != nil {
		return fmt.Errorf("question %s: %w", id, err)
	}
	if len(all) == 0 {
		return notFound
	}
	if _, err := s.db.ExecContext(ctx, answerQuestion, string(id), string(said), sqldb.Ms(now), string(v.Person)); err != nil {
		return fmt.Errorf("question %s: %w", id, err)
	}
	return nil
}

// A HeldQuestion is a question with what was said, for the archive of what is held.
type HeldQuestion struct {
	On      civil.Date        `json:"on"`
	Finding Finding           `json:"finding"`
	Said    Owned             `json:"said,omitempty"`
	By      accounts.PersonID `json:"by,omitempty"`
}

const heldQuestions = `
SELECT on_date, finding, COALESCE(said, ''), COALESCE(said_by, '')
  FROM alert_question
 WHERE household_id = $1
   AND first_date >= $2
 ORDER BY on_date, id`

// QuestionsOf lists the questions to a household since a day, for the archive of
// what is held on it. The caller has found the household to be the reader's.
func (s *Store) QuestionsOf(ctx context.Context, household premises.HouseholdID, since civil.Date) ([]HeldQuestion, error) {
	rows, err := s.db.QueryContext(ctx, heldQuestions, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("questions to household %s: %w", household, err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (q HeldQuestion, err error) {
		var on, finding string
		if err := rows.Scan(&on, &finding, &q.Said, &q.By); err != nil {
			return q, err
		}
		if q.On, err = civil.ParseDate(on); err != nil {
			return q, err
		}
		return q, json.Unmarshal([]byte(finding), &q.Finding)
	})
}

const openQuestion = `
SELECT alert_question.household_id, alert_question.finding, residence.zone
  FROM alert_question
  JOIN point ON point.id = alert_question.point_id
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE alert_question.id = $1
   AND alert_question.said IS NULL`

// asking is the message of a question; it fails with [notify.ErrNothing] where it
// was answered meanwhile.
func (w *Writer) asking(ctx context.Context, m notify.Message) (k Kept, err error) {
	var finding, zone string
	err = w.Store.db.QueryRowContext(ctx, openQuestion, m.Subject).Scan(&k.Household, &finding, &zone)
	if errors.Is(err, sql.ErrNoRows) {
		return k, notify.ErrNothing
	}
	if err == nil {
		err = json.Unmarshal([]byte(finding), &k.Finding)
	}
	if err == nil {
		k.Zone, err = time.LoadLocation(zone)
	}
	if err != nil {
		return k, fmt.Errorf("question %s: %w", m.Subject, err)
	}
	k.Cause = k.Finding.Cause
	k.First, k.Last = k.Finding.Days(k.Zone)
	return k, nil
}
