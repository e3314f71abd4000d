// Package programme knows what the landlord's programme is made of besides
// machines and trainings: partners and what was agreed with them, campaigns,
// surveys, money, working time, notes about households. It makes two things of all
// areas: the advisor's queue of a week, and the indicators with what was declared
// beside what records tell. It tells what no home used.
package programme

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
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Who may do what; in which residences is the affair of each query.
var (
	Writers = []accounts.Role{accounts.Advisor, accounts.Administrator}
	Readers = []accounts.Role{accounts.Advisor, accounts.Manager, accounts.Administrator}
	// Measured are those who may read how long repairs took: technicians for the
	// conventions of the partner they work for.
	Measured = []accounts.Role{accounts.Technician, accounts.Advisor, accounts.Manager, accounts.Administrator}
)

// What people are told. Whatever belongs to a residence that the sender has no
// role in is [ErrNone] or [ErrNoResidence].
var (
	ErrNone        = &problem.Error{Kind: problem.NotFound, Message: "programme.none"}
	ErrNoResidence = &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	ErrTaken       = &problem.Error{Kind: problem.Conflict, Message: "programme.taken"}  // the same stands already
	ErrInUse       = &problem.Error{Kind: problem.Conflict, Message: "programme.in_use"} // something else names it
)

// A Store keeps the programme of every residence. It may be used from several
// goroutines and programs at once.
type Store struct{ db *sql.DB }

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

// Roles as the clips write them.
const (
	writerRoles = `('advisor', 'administrator')`
	readerRoles = `('advisor', 'manager', 'administrator')`
)

// has is a condition: $1 has one of the roles in the residence that a column
// names.
func has(roles, column string) string {
	return `EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ` + roles + `
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = ` + column + `))`
}

// A Place is a residence as lists head it.
type Place struct {
	ID   metering.SiteID
	Name string
	Zone *time.Location // in which its days begin
}

const listPlaces = `
SELECT residence.id, residence.name, residence.zone
  FROM residence
 WHERE ($2 = '' OR residence.id = $2)
   AND `

func places(ctx context.Context, db sqldb.Querier, roles string, staff accounts.PersonID, residence metering.SiteID) ([]Place, error) {
	rows, err := db.QueryContext(ctx, listPlaces+has(roles, "residence.id")+` ORDER BY residence.name, residence.id`, string(staff), string(residence))
	if err != nil {
		return nil, fmt.Errorf("residences of person %s: %w", staff, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (p Place, err error) {
		var zone string
		if err = rows.Scan(&p.ID, &p.Name, &zone); err == nil {
			p.Zone, err = time.LoadLocation(zone)
		}
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("residences of person %s: %w", staff, err)
	}
	if len(all) == 0 {
		return nil, ErrNoResidence
	}
	return all, nil
}

// Places lists the residences whose programme an advisor, manager or administrator
// may read, by name; [ErrNoResidence] where there is none.
func (s *Store) Places(ctx context.Context, staff accounts.PersonID) ([]Place, error) {
	return places(ctx, s.db, readerRoles, staff, "")
}

// place returns one residence for who has one of the roles there.
func (s *Store) place(ctx context.Context, roles string, staff accounts.PersonID, residence metering.SiteID) (Place, error) {
	if residence == "" {
		return Place{}, ErrNoResidence
	}
	all, err := places(ctx, s.db, roles, staff, residence)
	if err != nil {
		return Place{}, err
	}
	return all[0], nil
}

// several reads rows.
func several[T any](ctx context.Context, db sqldb.Querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, scan)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// A day is a column of a civil date.
type day struct{ date *civil.Date }

// Scan reads a text of the store; null is the zero date.
func (d day) Scan(from any) (err error) {
	text, err := columnText(from)
	if err != nil || text == "" {
		*d.date = civil.Date{}
		return err
	}
	*d.date, err = civil.ParseDate(text)
	return err
}

// A maybeDay is a column of a civil date that may be null.
type maybeDay struct{ date **civil.Date }

// Scan reads a text of the store.
func (d maybeDay) Scan(from any) error {
	*d.date = nil
	if from == nil {
		return nil
	}
	var read civil.Date
	if err := (day{&read}).Scan(from); err != nil {
		return err
	}
	*d.date = &read
	return nil
}

var errColumn = errors.New("want text")

func columnText(from any) (string, error) {
	switch text := from.(type) {
	case nil:
		return "", nil
	case string:
		return text, nil
	case []byte:
		return string(text), nil
	}
	return "", fmt.Errorf("column of type %T: %w", from, errColumn)
}

func dateOrNull(d *civil.Date) sql.NullString {
	if d == nil || d.IsZero() {
		return sql.NullString{}
	}
	return sql.NullString{String: d.String(), Valid: true}
}

func numberOrNull(n *int64) sql.NullInt64 {
	if n == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: *n, Valid: true}
}
