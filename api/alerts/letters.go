package alerts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/notify"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A WaitingLetter is one that tells a household of a case, or asks it, and that
// nobody has printed.
type WaitingLetter struct {
	ID    string
	Name  string    // to whom
	Asked time.Time // UTC

	message  notify.Message
	door     door
	language string
	zone     string
}

// A door is where a letter goes.
type door struct{ building, staircase, label, residence, street, postcode, town string }

// Staff see whom a letter is for, and never one that is of no use any more. Who
// prints a letter about a cold home reads it: it needs the household's yes to advice.
const waitingLetters = `
SELECT outbox.id, outbox.kind, outbox.person_id, outbox.subject, outbox.created_ms, person.name, person.language,
       dwelling.building, dwelling.staircase, dwelling.label, residence.name, residence.street, residence.postcode, residence.town, residence.zone
  FROM outbox
  JOIN person ON person.id = outbox.person_id
  LEFT JOIN alert_case ON alert_case.id = outbox.subject
                      AND outbox.kind = 'alert'
                      AND alert_case.ended_ms IS NULL
                      AND alert_case.state <> 'repaired'
  LEFT JOIN alert_question ON alert_question.id = outbox.subject
                          AND outbox.kind = 'alert_question'
                          AND alert_question.said IS NULL
  JOIN point ON point.id = COALESCE(alert_case.point_id, alert_question.point_id)
  JOIN dwelling ON dwelling.id = point.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE outbox.channel = 'letter'
   AND outbox.state = 'waiting'
   AND outbox.kind IN ('alert', 'alert_question')
   AND ($2 = '' OR outbox.id = $2)
   AND (COALESCE(alert_case.subject, 'water') <> 'cold'
     OR EXISTS (SELECT 1
                  FROM consent
                 WHERE consent.household_id = alert_case.household_id
                   AND consent.purpose = 'personal_advice'
                   AND consent.ended_ms IS NULL
                   AND consent.from_ms <= $3
                   AND consent.to_ms > $3))` + ofStaff + `
 ORDER BY outbox.id
 LIMIT $4`

// MostLetters is how many letters are listed and printed at once.
const MostLetters = 50

// ErrNoLetter is a letter that nobody has to print any more, or not this person.
var ErrNoLetter = &problem.Error{Kind: problem.NotFound, Message: "letter.none"}

// Letters lists the letters about alerts that somebody of the staff may print, the
// oldest first and at most 50: when those are printed, the next ones show.
func (w *Writer) Letters(ctx context.Context, staff accounts.PersonID) ([]WaitingLetter, error) {
	return w.letters(ctx, staff, "")
}

func (w *Writer) letters(ctx context.Context, staff accounts.PersonID, id string) ([]WaitingLetter, error) {
	rows, err := w.Store.db.QueryContext(ctx, waitingLetters, string(staff), id, sqldb.Ms(w.Now()), MostLetters)
	if err != nil {
		return nil, fmt.Errorf("letters about alerts: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (l WaitingLetter, err error) {
		var askedMs int64
		d, m := &l.door, &l.message
		err = rows.Scan(&l.ID, &m.Kind, &m.Person, &m.Subject, &askedMs, &l.Name, &l.language,
			&d.building, &d.staircase, &d.label, &d.residence, &d.street, &d.postcode, &d.town, &l.zone)
		l.Asked = sqldb.Time(askedMs)
		m.ID, m.Created = l.ID, l.Asked
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("letters about alerts: %w", err)
	}
	return w.stillOwed(ctx, all)
}

// stillOwed leaves out letters to who may not be told any more.
func (w *Writer) stillOwed(ctx context.Context, all []WaitingLetter) (owed []WaitingLetter, err error) {
	for _, l := range all {
		switch _, _, err := w.lines(ctx, l.message); {
		case errors.Is(err, notify.ErrNothing):
		case err != nil:
			return nil, err
		default:
			owed = append(owed, l)
		}
	}
	return owed, nil
}

// Print returns letters that wait as one PDF, they wait no more, and their households
// count as told. A letter that staff may not print, or that somebody printed, fails
// with [ErrNoLetter], and none is printed.
func (w *Writer) Print(ctx context.Context, staff accounts.PersonID, ids []string) ([]byte, error) {
	if len(ids) == 0 || len(ids) > MostLetters {
		return nil, problem.OfFields([]problem.Field{{Name: "letters", Message: "field.out_of_range", Args: []any{1, MostLetters}}})
	}
	var pages []document.Letter
	for _, id := range ids {
		found, err := w.letters(ctx, staff, id)
		if err != nil {
			return nil, err
		}
		if id == "" || len(found) == 0 {
			return nil, ErrNoLetter
		}
		page, err := w.letter(ctx, found[0])
		if errors.Is(err, notify.ErrNothing) {
			return nil, ErrNoLetter
		}
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	file, err := document.Letters(pages)
	if err != nil {
		return nil, fmt.Errorf("letters about alerts: %w", err)
	}
	err = sqldb.InTx(ctx, w.Store.db, func(tx *sql.Tx) error {
		for _, id := range ids {
			waited, err := notify.Printed(ctx, tx, id, w.Now())
			if err != nil {
				return err
			}
			if !waited {
				return ErrNoLetter
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return file, w.Store.NoteTold(ctx)
}

// letter is a letter's page: greeting and what was seen, what to do, where to read on.
func (w *Writer) letter(ctx context.Context, l WaitingLetter) (document.Letter, error) {
	subject, lines, err := w.lines(ctx, l.message)
	if err != nil {
		return document.Letter{}, err
	}
	zone, err := time.LoadLocation(l.zone)
	if err != nil {
		return document.Letter{}, fmt.Errorf("letter %s: %w", l.ID, err)
	}
	say := func(key string, args ...any) string { return w.Say(l.language, key, args...) }
	return document.Letter{
		Head: document.Head{Language: l.language, Sender: w.Sender, Recipient: w.envelope(l),
			Date: say("letter.date", w.Date(l.language, civil.DateIn(w.Now(), zone))), Title: subject},
		Opening: lines[:len(lines)-1], // the last is the help
		Help:    document.Help{Sentence: say("letter.help", w.Advisor), Telephone: w.Telephone},
	}, nil
}

// envelope is the block in the window.
func (w *Writer) envelope(l WaitingLetter) []string {
	var parts []string
	for _, part := range []struct{ key, text string }{
		{"letter.building", l.door.building}, {"letter.staircase", l.door.staircase}, {"letter.dwelling", l.door.label}} {
		if part.text != "" {
			parts = append(parts, w.Say(l.language, part.key, part.text))
		}
	}
	lines := []string{l.Name}
	for _, line := range []string{strings.Join(parts, ", "), l.door.residence, l.door.street, strings.TrimSpace(l.door.postcode + " " + l.door.town)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

const dropLetters = `
UPDATE outbox
   SET state = 'dropped',
       done_ms = $1
 WHERE channel = 'letter'
   AND state = 'waiting'
   AND (kind = 'alert'
        AND NOT EXISTS (SELECT 1
                          FROM alert_case
                         WHERE alert_case.id = outbox.subject
                           AND alert_case.ended_ms IS NULL
                           AND alert_case.state <> 'repaired')
     OR kind = 'alert_question'
        AND NOT EXISTS (SELECT 1
                          FROM alert_question
                         WHERE alert_question.id = outbox.subject
                           AND alert_question.said IS NULL
                           AND alert_question.asked_ms > $2)
     OR kind IN ('alert', 'alert_question')
        AND NOT EXISTS (SELECT 1
                          FROM membership
                         WHERE membership.person_id = outbox.person_id
                           AND (membership.to_date IS NULL OR membership.to_date >= $3)))`

// DropLetters drops the letters that nobody has to read any more: their case is
// over, their question answered or older than a week, or whom they are to has left.
func (s *Store) DropLetters(ctx context.Context, now time.Time) error {
	if _, err := s.db.ExecContext(ctx, dropLetters, sqldb.Ms(now), sqldb.Ms(now.AddDate(0, 0, -askedFor)), civil.DateIn(now, time.UTC).String()); err != nil {
		return fmt.Errorf("drop letters about alerts: %w", err)
	}
	return nil
}
