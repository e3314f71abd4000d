package programme

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A NoteID names a note: a UUID of version 7.
type NoteID string

// A Note is what was noted about a household on a day. The household may read it,
// so it tells facts. It is never changed, only struck.
type Note struct {
	ID        NoteID
	Household premises.HouseholdID
	Author    string     // name of who wrote it; empty for who is no more known
	On        civil.Date // the day it speaks of
	Written   time.Time
	Words     string
	Due       civil.Date // day on which the author means to come back to it; zero for none
	Done      time.Time  // when she did; zero for not yet
}

// A Draft is a note that is to be written.
type Draft struct {
	On    civil.Date  `json:"on"`
	Words string      `json:"words"` // 1 to 1000 characters
	Due   *civil.Date `json:"due,omitempty"`
}

// mostDueDays is how far ahead a note may be taken up again.
const mostDueDays = 366

// Check returns a fault for each field that is out of bounds.
func (d *Draft) Check() []problem.Field {
	var f faults
	f.date("on", d.On)
	f.text("words", &d.Words, 1, 1000)
	if d.Due != nil && (d.Due.Before(d.On) || d.On.AddDays(mostDueDays).Before(*d.Due)) {
		f.add("due", "programme.due_range", mostDueDays)
	}
	return f
}

const putNote = `
INSERT INTO household_note (id, household_id, author_id, on_date, written_ms, words, due_date)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

// WriteNote notes something about a household that an advisor or administrator may
// see. The same words of the same author for the same day are one note, whose id is
// returned again. It fails with faults of "on", "words" and "due", and with
// "household.none".
func (s *Store) WriteNote(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, d Draft, now time.Time) (NoteID, error) {
	wrong := faults(d.Check())
	if civil.DateIn(now, time.UTC).AddDays(1).Before(d.On) {
		wrong.add("on", "programme.future")
	}
	if err := problem.OfFields(wrong); err != nil {
		return "", err
	}
	if err := s.works(ctx, staff, household, premises.LookedAtSheet, now); err != nil {
		return "", err
	}
	id := NoteID(newID())
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		same, err := sameNote(ctx, tx, staff, household, d)
		if err != nil || same != "" {
			id = same
			return err
		}
		_, err = tx.ExecContext(ctx, putNote, string(id), string(household), string(staff), d.On.String(), sqldb.Ms(now), d.Words, dateOrNull(d.Due))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("note about household %s: %w", household, err)
	}
	return id, nil
}

const findSameNote = `
SELECT id
  FROM household_note
 WHERE household_id = $1
   AND author_id = $2
   AND on_date = $3
   AND words = $4
   AND struck_ms IS NULL`

func sameNote(ctx context.Context, tx *sql.Tx, staff accounts.PersonID, household premises.HouseholdID, d Draft) (NoteID, error) {
	all, err := several(ctx, tx, func(rows *sql.Rows) (id NoteID, err error) { return id, rows.Scan(&id) }, findSameNote,
		string(household), string(staff), d.On.String(), d.Words)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

const noteColumns = `
SELECT household_note.id, household_note.household_id, COALESCE(person.name, ''), household_note.on_date, household_note.written_ms,
       household_note.words, COALESCE(household_note.due_date, ''), COALESCE(household_note.done_ms, 0)
  FROM household_note
  LEFT JOIN person ON person.id = household_note.author_id
 WHERE household_note.struck_ms IS NULL
   AND `

const notesOf = noteColumns + `household_note.household_id = $1
 ORDER BY household_note.on_date DESC, household_note.id DESC
 LIMIT $2`

// mostNotes bounds what one list shows.
const mostNotes = 500

func scanNote(rows *sql.Rows) (n Note, err error) {
	var writtenMs, doneMs int64
	err = rows.Scan(&n.ID, &n.Household, &n.Author, day{&n.On}, &writtenMs, &n.Words, day{&n.Due}, &doneMs)
	n.Written = sqldb.Time(writtenMs)
	if doneMs > 0 {
		n.Done = sqldb.Time(doneMs)
	}
	return n, err
}

// Notes lists at most 500 notes about a household, the latest first, for an advisor
// or administrator who may see it; the look is written down. It fails with
// "household.none".
func (s *Store) Notes(ctx context.Context, staff accounts.PersonID, household premises.HouseholdID, now time.Time) ([]Note, error) {
	if err := s.works(ctx, staff, household, premises.LookedAtSheet, now); err != nil {
		return nil, err
	}
	all, err := several(ctx, s.db, scanNote, notesOf, string(household), mostNotes)
	if err != nil {
		return nil, fmt.Errorf("notes about household %s: %w", household, err)
	}
	return all, nil
}

// A viewer reads the notes of the days since they belong to the household, as long
// as they may look ($3, a day of asking). A helper reads what the giver may.
const notesSeen = noteColumns + `EXISTS (SELECT 1
                 FROM sight
                WHERE sight.viewer_id = $1
                  AND (sight.household_id = $2 OR ($2 = '' AND sight.scope = 'own'))
                  AND sight.household_id = household_note.household_id
                  AND sight.since_date <= $3
                  AND (sight.until_date IS NULL OR sight.until_date > $3)
                  AND sight.shown_from <= household_note.on_date)
 ORDER BY household_note.on_date DESC, household_note.id DESC
 LIMIT $4`

// SeenNotes lists at most 500 notes that the viewer may read, the latest first: of
// their own household, or of the one that they help by mandate. It is empty where
// there is none and for who may see none. The day is that of the instant in UTC.
func (s *Store) SeenNotes(ctx context.Context, v premises.Viewer, now time.Time) ([]Note, error) {
	all, err := several(ctx, s.db, scanNote, notesSeen, string(v.Person), string(v.Household), civil.DateIn(now, time.UTC).String(), mostNotes)
	if err != nil {
		return nil, fmt.Errorf("notes for person %s: %w", v.Person, err)
	}
	return all, nil
}

// Whoever writes about a household must have a role where it lives or lived.
const ofWorker = ` EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE tenancy.household_id = household_note.household_id
                  AND `

const strikeNote = `
UPDATE household_note
   SET struck_ms = COALESCE(struck_ms, $3)
 WHERE id = $2
   AND` + ofWorker

const finishNote = `
UPDATE household_note
   SET done_ms = COALESCE(done_ms, $3)
 WHERE id = $2
   AND due_date IS NOT NULL
   AND struck_ms IS NULL
   AND` + ofWorker

// StrikeNote takes a note away that was wrong: nobody reads it any more. Struck
// again, nothing changes. It fails with [ErrNone] where the advisor or
// administrator may not see the household.
func (s *Store) StrikeNote(ctx context.Context, staff accounts.PersonID, id NoteID, now time.Time) error {
	return s.touchNote(ctx, strikeNote, staff, id, now)
}

// FinishNote notes that what was to be done is done. It fails with [ErrNone] where
// nothing was to be done, or the advisor or administrator may not see the
// household.
func (s *Store) FinishNote(ctx context.Context, staff accounts.PersonID, id NoteID, now time.Time) error {
	return s.touchNote(ctx, finishNote, staff, id, now)
}

func (s *Store) touchNote(ctx context.Context, query string, staff accounts.PersonID, id NoteID, now time.Time) error {
	err := changed(s.db.ExecContext(ctx, query+has(writerRoles, "dwelling.residence_id")+`)`, string(staff), string(id), sqldb.Ms(now)))
	if err != nil {
		return fmt.Errorf("note %s: %w", id, err)
	}
	return nil
}
