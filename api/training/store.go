package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Terms are what the landlord settles about trainings.
type Terms struct {
	DueDays int // from the sale to the last day on which the training is in time; 1 to 730
}

// DefaultTerms are 60 days.
func DefaultTerms() Terms { return Terms{DueDays: 60} }

// Validate says which term is out of bounds, and the remedy.
func (t Terms) Validate() error {
	if t.DueDays < 1 || t.DueDays > 730 {
		return fmt.Errorf("training.due_days %d: want 1 to 730 days", t.DueDays)
	}
	return nil
}

// A Store keeps courses, sessions, duties and the ways to a training. It may be
// used from several goroutines.
type Store struct {
	db    *sql.DB
	terms Terms
}

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB, terms Terms) *Store { return &Store{db: db, terms: terms} }

// What staff may do. $1 is the person, $2 the day of asking.
const (
	// mayWork is for advisors and administrators of a residence in which the
	// buyer's household lives, or lived last.
	mayWork = `
EXISTS (SELECT 1
          FROM staff_role
          JOIN tenancy AS lived ON lived.household_id = training_duty.household_id
          JOIN dwelling AS home ON home.id = lived.dwelling_id
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = home.residence_id)
           AND (lived.moved_out IS NULL OR lived.moved_out > $2
            OR NOT EXISTS (SELECT 1
                             FROM tenancy AS later
                            WHERE later.household_id = lived.household_id
                              AND later.moved_in > lived.moved_in)))`

	// mayPlan is for advisors and administrators of the session's residence.
	mayPlan = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = training_session.residence_id))`

	// mayHold adds the trainer of the session, as long as they are one.
	mayHold = `
(` + mayPlan + `
 OR training_session.trainer_id = $1
    AND EXISTS (SELECT 1
                  FROM staff_role
                 WHERE staff_role.person_id = $1
                   AND staff_role.role = 'trainer'
                   AND (staff_role.residence_id IS NULL OR staff_role.residence_id = training_session.residence_id)))`

	// maySee adds managers, who see how many and never who.
	maySee = `
(` + mayHold + `
 OR EXISTS (SELECT 1
              FROM staff_role
             WHERE staff_role.person_id = $1
               AND staff_role.role = 'manager'
               AND (staff_role.residence_id IS NULL OR staff_role.residence_id = training_session.residence_id)))`
)

// today is the day of asking in UTC, as for all staff.
func today(now time.Time) string { return civil.DateIn(now, time.UTC).String() }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

const takeTurn = `
UPDATE training_turn
   SET number = number + 1
 WHERE turn = 1`

// change runs do in one transaction in which nobody else changes a training.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, takeTurn); err != nil {
			return fmt.Errorf("take a turn: %w", err)
		}
		return do(tx)
	})
}

// found turns what is not there into the problem.
func found(err error, none *problem.Error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return none
	}
	return err
}

// only returns the one item of a query, or none as the problem.
func only[T any](all []T, err error, none *problem.Error) (T, error) {
	if err == nil && len(all) == 0 {
		err = none
	}
	if err != nil {
		var nothing T
		return nothing, err
	}
	return all[0], nil
}

const listCourses = `
SELECT id, title, theme, about
  FROM training_course
 WHERE id > $1
 ORDER BY id
 LIMIT $2`

// Courses lists at most limit courses after the one with id after, in the order
// in which they were made.
func (s *Store) Courses(ctx context.Context, after CourseID, limit int) ([]Course, error) {
	rows, err := s.db.QueryContext(ctx, listCourses, string(after), limit)
	if err != nil {
		return nil, fmt.Errorf("courses: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (c Course, err error) {
		return c, rows.Scan(&c.ID, &c.Title, &c.Theme, &c.About)
	})
}

const putCourse = `
INSERT INTO training_course (id, title, theme, about)
SELECT $3, $4, $5, $6
 WHERE EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'administrator'))
   AND $2 <> ''
    ON CONFLICT (title) DO NOTHING`

// CreateCourse keeps a course that was checked and returns it with its id. It
// fails with [ErrCourseTaken] where one has the title.
func (s *Store) CreateCourse(ctx context.Context, staff accounts.PersonID, c Course, now time.Time) (Course, error) {
	c.ID = CourseID(newID())
	done, err := s.db.ExecContext(ctx, putCourse, string(staff), today(now), string(c.ID), c.Title, string(c.Theme), c.About)
	if err != nil {
		return Course{}, fmt.Errorf("create course %s: %w", c.ID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return Course{}, errors.Join(err, ErrCourseTaken)
	}
	return c, nil
}
