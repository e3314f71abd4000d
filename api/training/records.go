package training

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Records are what is held of households: for who writes their archive, who
// erases what they want erased, and who forgets what has been kept long enough.
type Records struct {
	Store *Store
	Now   func() time.Time
}

var (
	_ consent.Holder    = Records{}
	_ consent.Forgetter = Records{}
)

const dutiesOf = dutyColumns + `
 WHERE training_duty.household_id = $1
   AND (training_duty.state = 'open' OR COALESCE(training_duty.done_date, training_duty.due_date) >= $2)
 ORDER BY training_duty.since_date, training_duty.id`

// Held implements [consent.Holder]: the trainings that the household owes, or
// ended on that day or later, with its ways and answers.
func (r Records) Held(ctx context.Context, household premises.HouseholdID, since civil.Date) (map[string]any, error) {
	rows, err := r.Store.db.QueryContext(ctx, dutiesOf, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("trainings of household %s: %w", household, err)
	}
	duties, err := sqldb.Collect(rows, scanDuty)
	if err != nil {
		return nil, fmt.Errorf("trainings of household %s: %w", household, err)
	}
	shaper, held := &Handler{Now: r.Now}, []storyBody{}
	for _, d := range duties {
		story, err := r.Store.Story(ctx, d)
		if err != nil {
			return nil, err
		}
		held = append(held, shaper.bodyOfStory(d, story))
	}
	return map[string]any{"formations.json": held}, nil
}

// What goes, of duties that are owed no more: what somebody said of themselves,
// and words that anybody wrote. That the training was, and when, stays: it is why
// the price was low. Each is followed by which duties are meant.
var forgetAnswers = []string{`
DELETE FROM training_position
 WHERE duty_id IN `, `
UPDATE training_follow_up
   SET blocked = ''
 WHERE blocked <> ''
   AND enrolment_id IN (SELECT id FROM training_enrolment WHERE duty_id IN `, `
UPDATE training_enrolment
   SET reason = ''
 WHERE reason <> ''
   AND duty_id IN `, `
UPDATE training_duty
   SET asked = '',
       reason = CASE WHEN reason = '' THEN '' ELSE '–' END
 WHERE (asked <> '' OR reason NOT IN ('', '–'))
   AND id IN `}

const (
	endedOfHousehold = `(SELECT id FROM training_duty WHERE household_id = $1 AND state <> 'open')`
	endedLongAgo     = `(SELECT id FROM training_duty WHERE state <> 'open' AND COALESCE(done_date, due_date) < $1)`
	boughtLongAgo    = `
DELETE FROM training_duty
 WHERE since_date < $1
   AND due_date < $1`
)

// Forget implements [consent.Forgetter]: where a household has all of its data
// erased, its answers about trainings that are over go too.
func (r Records) Forget(ctx context.Context, e consent.Erasure) error {
	if e.What != consent.All {
		return nil
	}
	if _, err := r.scrub(ctx, endedOfHousehold, string(e.Household)); err != nil {
		return fmt.Errorf("erase trainings of household %s: %w", e.Household, err)
	}
	return nil
}

// Retention of trainings: answers and words for a year after the training, the
// training itself as long as the receipt of the sale that it was owed for, whose
// ten years run from the end of its year.
const (
	answerYears = 1
	dutyYears   = 10
)

// Expire forgets what has been kept long enough and returns how much that was.
// Done twice, it is done once.
func (r Records) Expire(ctx context.Context) (int64, error) {
	today := civil.DateIn(r.Now(), time.UTC)
	gone, err := r.scrub(ctx, endedLongAgo, civil.DateIn(r.Now().AddDate(-answerYears, 0, 0), time.UTC).String())
	if err != nil {
		return 0, fmt.Errorf("forget answers about trainings: %w", err)
	}
	err = r.Store.change(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, boughtLongAgo, civil.Date{Year: today.Year - dutyYears, Month: time.January, Day: 1}.String())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		gone += n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget trainings of long ago: %w", err)
	}
	return gone, nil
}

// scrub empties the answers of the duties that a query names.
func (r Records) scrub(ctx context.Context, which, argument string) (gone int64, err error) {
	err = r.Store.change(ctx, func(tx *sql.Tx) error {
		gone = 0
		for i, statement := range forgetAnswers {
			if statement += which; i == 1 {
				statement += ")"
			}
			done, err := tx.ExecContext(ctx, statement, argument)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	return gone, err
}
