package programme

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Records are what the programme holds of households: for who writes their archive,
// and who erases what they want erased.
type Records struct{ Store *Store }

var (
	_ consent.Holder    = Records{}
	_ consent.Forgetter = Records{}
)

// heldJSON is the file of the archive.
type heldJSON struct {
	Notes    []heldNoteJSON `json:"notes"`
	Internet []Connection   `json:"internet"`
	Active   []string       `json:"active_months"` // in which the household opened its pages
}

type heldNoteJSON struct {
	ID      NoteID     `json:"id"`
	On      civil.Date `json:"on"`
	Author  string     `json:"author"`
	Words   string     `json:"words"`
	Written string     `json:"written"` // an instant of RFC 3339
	Struck  bool       `json:"struck"`
}

const heldNotes = `
SELECT household_note.id, household_note.on_date, COALESCE(person.name, ''), household_note.words, household_note.written_ms,
       CASE WHEN household_note.struck_ms IS NULL THEN 0 ELSE 1 END
  FROM household_note
  LEFT JOIN person ON person.id = household_note.author_id
 WHERE household_note.household_id = $1
   AND household_note.on_date >= $2
 ORDER BY household_note.on_date, household_note.id`

// What the household had on the day stays in, though it began before.
const heldInternet = `
SELECT from_date, has, COALESCE(offer_id, '')
  FROM household_internet
 WHERE household_id = $1
   AND (from_date >= $2
     OR NOT EXISTS (SELECT 1
                      FROM household_internet AS later
                     WHERE later.household_id = household_internet.household_id
                       AND later.from_date > household_internet.from_date
                       AND later.from_date <= $2))
 ORDER BY from_date`

const heldActive = `
SELECT DISTINCT month
  FROM active_month
 WHERE household_id = $1
   AND month >= $2
 ORDER BY month`

// Held implements [consent.Holder]: notes about the household of that day or later,
// those that were struck too, what internet it had, and in which months it opened its
// pages.
func (r Records) Held(ctx context.Context, household premises.HouseholdID, since civil.Date) (map[string]any, error) {
	var held heldJSON
	var err error
	held.Notes, err = several(ctx, r.Store.db, func(rows *sql.Rows) (n heldNoteJSON, err error) {
		var writtenMs int64
		err = rows.Scan(&n.ID, day{&n.On}, &n.Author, &n.Words, &writtenMs, &n.Struck)
		n.Written = sqldb.Time(writtenMs).UTC().Format("2006-01-02T15:04:05Z")
		return n, err
	}, heldNotes, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("notes about household %s: %w", household, err)
	}
	held.Internet, err = several(ctx, r.Store.db, func(rows *sql.Rows) (c Connection, err error) {
		return c, rows.Scan(day{&c.From}, &c.Has, &c.Offer)
	}, heldInternet, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("internet of household %s: %w", household, err)
	}
	held.Active, err = several(ctx, r.Store.db, scanText, heldActive, string(household), since.MonthOf().String())
	if err != nil {
		return nil, fmt.Errorf("active months of household %s: %w", household, err)
	}
	return map[string]any{"suivi.json": held}, nil
}

// What an erasure takes. The sums of the programme stay: they name nobody.
var forgetOf = []string{
	`DELETE FROM household_note WHERE household_id = $1`,
	`DELETE FROM household_internet WHERE household_id = $1`,
	`DELETE FROM queue_closing WHERE household_id = $1`,
	`DELETE FROM active_month WHERE household_id = $1`,
}

// Forget implements [consent.Forgetter]: where a household has all of its data
// erased, what was noted about it goes too.
func (r Records) Forget(ctx context.Context, e consent.Erasure) error {
	if e.What != consent.All {
		return nil
	}
	return sqldb.InTx(ctx, r.Store.db, func(tx *sql.Tx) error {
		for _, statement := range forgetOf {
			if _, err := tx.ExecContext(ctx, statement, string(e.Household)); err != nil {
				return fmt.Errorf("erase notes about household %s: %w", e.Household, err)
			}
		}
		return nil
	})
}
