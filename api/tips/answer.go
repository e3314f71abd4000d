package tips

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// errNoWay is an answer that a tip has come too far for.
var errNoWay = &problem.Error{Kind: problem.Conflict, Message: "tips.no_way"}

// Answer notes what the viewer says to a tip of their home. The same answer again
// changes nothing, whatever the version, so that a form may be sent twice. It
// fails with NotFound "error.not_found" for a tip that the viewer may not see or
// not answer for, with [resource.ErrStale] where it was changed since that version
// was read, and with the problem Conflict "tips.no_way" where it has come too far
// for that answer.
func (s *Store) Answer(ctx context.Context, v premises.Viewer, now time.Time, id InstanceID, version int64, a Answered) error {
	k, err := s.one(ctx, v, now, id, true)
	if err != nil {
		return err
	}
	state, known := leadsTo[a]
	switch {
	case !known:
		return problem.OfFields([]problem.Field{{Name: "answer", Message: "field.malformed"}})
	case k.state() == state, a == Doing && !k.Committed.IsZero(): // it was said before
		return nil
	case k.Version != version:
		return resource.ErrStale
	}
	moved, err := k.to(state, later(civil.DateIn(now, k.Zone), k.Since))
	if err != nil {
		return errNoWay
	}
	return s.write(ctx, []Kept{moved}, now, string(v.Person))
}

func later(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// to moves the instance and remembers the step.
func (k Kept) to(state State, on civil.Date) (Kept, error) {
	was := k.state()
	var err error
	if k.Instance, err = k.Move(state, on); err != nil {
		return k, err
	}
	if k.State != was {
		k.moved = append(k.moved[:len(k.moved):len(k.moved)], k.State)
	}
	return k, nil
}

// write stores changed instances and their steps, all or none. It fails with
// [resource.ErrStale] where one was changed since it was read, or erased.
func (s *Store) write(ctx context.Context, changed []Kept, at time.Time, by string) error {
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for i, k := range changed {
			if i == 0 || changed[i-1].Household != k.Household {
				if gone, err := s.lookout.Erased(ctx, tx, k.Household); err != nil {
					return err
				} else if gone {
					return resource.ErrStale
				}
			}
			if err := k.write(ctx, tx, at, by); err != nil {
				return fmt.Errorf("tip %s %s: %w", k.Tip, k.ID, err)
			}
		}
		return nil
	})
}

const insertInstance = `
INSERT INTO tip_instance (id, household_id, tenancy_id, tip, state, since_date, committed_date, proposed_date, chosen_date,
                          place, score, finding, saving, observed, first_date, last_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT DO NOTHING`

const updateInstance = `
UPDATE tip_instance
   SET state = $3,
       since_date = $4,
       committed_date = $5,
       chosen_date = $6,
       place = $7,
       score = $8,
       finding = $9,
       saving = $10,
       observed = $11,
       first_date = $12,
       last_date = $13,
       version = version + 1
 WHERE id = $1
   AND version = $2`

func (k Kept) write(ctx context.Context, tx *sql.Tx, at time.Time, by string) error {
	finding, saving, observed, err := k.texts()
	if err != nil {
		return err
	}
	first, last := k.Finding.From, k.Finding.To.AddDays(-1)
	if last.Before(first) {
		last = first
	}
	var done sql.Result
	if k.ID == "" {
		k.ID = InstanceID(uuid.Must(uuid.NewV7()).String())
		done, err = tx.ExecContext(ctx, insertInstance, string(k.ID), string(k.Household), k.tenancy, string(k.Tip), string(k.state()),
			k.Since.String(), orNull(k.Committed), k.Proposed.String(), k.Chosen.String(), k.Rank, k.Score, finding, saving, observed,
			first.String(), last.String())
	} else {
		done, err = tx.ExecContext(ctx, updateInstance, string(k.ID), k.Version, string(k.state()), k.Since.String(), orNull(k.Committed),
			k.Chosen.String(), k.Rank, k.Score, finding, saving, observed, first.String(), last.String())
	}
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return resource.ErrStale
	}
	if err := k.writeNeeds(ctx, tx); err != nil {
		return err
	}
	return k.writeSteps(ctx, tx, at, by)
}

func orNull(d civil.Date) sql.NullString {
	return sql.NullString{String: d.String(), Valid: !d.IsZero()}
}

// texts are the JSON of the finding, the saving and the result.
func (k Kept) texts() (finding string, saving, observed sql.NullString, err error) {
	text, err := json.Marshal(k.Finding)
	if err != nil {
		return "", saving, observed, err
	}
	if k.Saving != nil {
		written, err := json.Marshal(k.Saving)
		if err != nil {
			return "", saving, observed, err
		}
		saving = sql.NullString{String: string(written), Valid: true}
	}
	if k.Observed.Verdict != "" {
		written, err := json.Marshal(k.Observed)
		if err != nil {
			return "", saving, observed, err
		}
		observed = sql.NullString{String: string(written), Valid: true}
	}
	return string(text), saving, observed, nil
}

const insertNeed = `
INSERT INTO tip_need (instance_id, purpose)
VALUES ($1, $2)
    ON CONFLICT DO NOTHING`

func (k Kept) writeNeeds(ctx context.Context, tx *sql.Tx) error {
	for _, purpose := range k.Entry.Consents {
		if _, err := tx.ExecContext(ctx, insertNeed, string(k.ID), string(purpose)); err != nil {
			return err
		}
	}
	return nil
}

const insertStep = `
INSERT INTO tip_step (instance_id, number, state, at_ms, on_date, by_whom)
SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5
  FROM tip_step
 WHERE instance_id = $1`

func (k Kept) writeSteps(ctx context.Context, tx *sql.Tx, at time.Time, by string) error {
	for _, state := range k.moved {
		_, err := tx.ExecContext(ctx, insertStep, string(k.ID), string(state), sqldb.Ms(at), civil.DateIn(at, k.Zone).String(), by)
		if err != nil {
			return err
		}
	}
	return nil
}

// A Step is one change of a tip.
type Step struct {
	State State     `json:"state"`
	At    time.Time `json:"at"`
	By    string    `json:"by"` // a person's id, or what else made it
}

const stepsOf = `
SELECT state, at_ms, by_whom
  FROM tip_step
 WHERE instance_id = $1
 ORDER BY number`

// Steps lists what became of a tip of the viewer's home, the first first. It fails
// as [Store.ByID] does.
func (s *Store) Steps(ctx context.Context, v premises.Viewer, now time.Time, id InstanceID) ([]Step, error) {
	if _, err := s.ByID(ctx, v, now, id); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, stepsOf, string(id))
	if err != nil {
		return nil, fmt.Errorf("steps of tip %s: %w", id, err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (step Step, err error) {
		var atMs int64
		err = rows.Scan(&step.State, &atMs, &step.By)
		step.At = sqldb.Time(atMs)
		return step, err
	})
}

// stale reports whether somebody was quicker.
func stale(err error) bool { return errors.Is(err, resource.ErrStale) }
