package programme

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Closing is what the advisor did about a line.
type Closing struct {
	Outcome Outcome `json:"outcome"`
	// Words become a note about the household, which it may read; may be empty.
	Words string `json:"words"`
	// Again is when the line comes back where its cause still stands; nil for what
	// is usual. At most 180 days ahead.
	Again *civil.Date `json:"again,omitempty"`
}

// Check returns a fault for each field that is out of bounds.
func (c *Closing) Check() []problem.Field {
	var f faults
	oneOf(&f, "outcome", c.Outcome, Outcomes)
	f.text("words", &c.Words, 0, 1000)
	return f
}

const putClosing = `
INSERT INTO queue_closing (action_id, residence_id, matter, subject_id, household_id, outcome, closed_ms, closed_on, closed_by, again_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// Close closes a line with all of its reasons: nothing of them is lost, because a
// matter comes back as long as its cause stands. Closed twice in the same way on
// one day, nothing changes. It fails with faults of fields, [ErrNoResidence], and
// [ErrNone] where no such line waits.
func (s *Store) Close(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, line string, c Closing, now time.Time) error {
	at, err := s.place(ctx, writerRoles, staff, residence)
	if err != nil {
		return err
	}
	today := civil.DateIn(now, at.Zone)
	wrong := faults(c.Check())
	if c.Again != nil && (!today.Before(*c.Again) || today.AddDays(mostAgainDays).Before(*c.Again)) {
		wrong.add("again", "programme.again_range", mostAgainDays)
	}
	if err := problem.OfFields(wrong); err != nil {
		return err
	}
	all, err := s.waitingLines(ctx, at, now)
	if err != nil {
		return fmt.Errorf("close line %s: %w", line, err)
	}
	i := slices.IndexFunc(all, func(l Line) bool { return l.ID == line })
	if i < 0 {
		return s.closedAlready(ctx, at.ID, staff, line, c.Outcome, today)
	}
	if c.Words != "" && all[i].Household != "" {
		if _, err := s.WriteNote(ctx, staff, all[i].Household, Draft{On: today, Words: c.Words}, now); err != nil {
			return fmt.Errorf("close line %s: %w", line, err)
		}
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error { return putClosings(ctx, tx, at.ID, staff, all[i], c, today, now) })
	if err != nil {
		return fmt.Errorf("close line %s: %w", line, err)
	}
	return nil
}

func putClosings(ctx context.Context, tx *sql.Tx, residence metering.SiteID, staff accounts.PersonID, l Line, c Closing, today civil.Date, now time.Time) error {
	action := newID()
	for _, r := range l.Reasons {
		again := r.Matter.again(c.Outcome, today)
		if c.Again != nil {
			again = *c.Again
		}
		_, err := tx.ExecContext(ctx, putClosing, action, string(residence), string(r.Matter), r.Subject,
			sql.NullString{String: string(l.Household), Valid: l.Household != ""}, string(c.Outcome), sqldb.Ms(now), today.String(),
			string(staff), dateOrNull(&again))
		if err != nil {
			return err
		}
		if r.Matter == NoteDue && again.IsZero() {
			if _, err := tx.ExecContext(ctx, `UPDATE household_note SET done_ms = $2 WHERE id = $1 AND done_ms IS NULL`, r.Subject, sqldb.Ms(now)); err != nil {
				return err
			}
		}
	}
	return nil
}

const sameClosing = `
SELECT COUNT(*)
  FROM queue_closing
 WHERE residence_id = $1
   AND matter = $2
   AND subject_id = $3
   AND closed_by = $4
   AND outcome = $5
   AND closed_on = $6`

// closedAlready is nil where the line was closed the same way today, as by a post
// that is sent twice.
func (s *Store) closedAlready(ctx context.Context, residence metering.SiteID, staff accounts.PersonID, line string, o Outcome, today civil.Date) error {
	matter, subject, _ := strings.Cut(line, ".")
	var n int
	err := s.db.QueryRowContext(ctx, sameClosing, string(residence), matter, subject, string(staff), string(o), today.String()).Scan(&n)
	if err == nil && n == 0 {
		err = ErrNone
	}
	if err != nil && !errors.Is(err, ErrNone) {
		err = fmt.Errorf("line %s: %w", line, err)
	}
	return err
}

const restingMatters = `
SELECT queue_closing.matter, queue_closing.subject_id
  FROM queue_closing
 WHERE queue_closing.residence_id = $1
   AND (queue_closing.again_date IS NULL OR queue_closing.again_date > $2)`

// resting returns what was closed and does not come back on the day.
func (s *Store) resting(ctx context.Context, residence metering.SiteID, today civil.Date) (map[string]bool, error) {
	all, err := several(ctx, s.db, func(rows *sql.Rows) (key string, err error) {
		var matter, subject string
		err = rows.Scan(&matter, &subject)
		return matter + "." + subject, err
	}, restingMatters, string(residence), today.String())
	if err != nil {
		return nil, fmt.Errorf("closed lines: %w", err)
	}
	rests := make(map[string]bool, len(all))
	for _, key := range all {
		rests[key] = true
	}
	return rests, nil
}

const closedLines = `
SELECT COUNT(DISTINCT CASE WHEN matter IN ('leak', 'cold', 'repair') THEN action_id END), COUNT(DISTINCT action_id)
  FROM queue_closing
 WHERE residence_id = $1
   AND closed_on >= $2`

func (s *Store) closedSince(ctx context.Context, residence metering.SiteID, from civil.Date) (t tally, err error) {
	err = s.db.QueryRowContext(ctx, closedLines, string(residence), from.String()).Scan(&t.urgent, &t.plain)
	t.plain -= t.urgent
	return t, err
}
