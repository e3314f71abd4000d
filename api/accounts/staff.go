package accounts

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Post is a role and where it holds.
type Post struct {
	Role      Role
	Residence string // its id; empty for every residence
}

// A Member is somebody of the staff in one of their posts.
type Member struct {
	Person Person
	Post   Post
	Name   string // to sign in with; empty for who was never invited
}

// Key places the member in the list of [Store.Staff].
func (m Member) Key() string {
	return string(m.Person.ID) + " " + string(m.Post.Role) + " " + m.Post.Residence
}

// covers holds that the administrator $1 may give and take the role of a row
// named held: an administrator of every residence any, of one its own.
const covers = `EXISTS (SELECT 1
                 FROM staff_role mine
                WHERE mine.person_id = $1
                  AND mine.role = 'administrator'
                  AND (mine.residence_id IS NULL OR mine.residence_id = held.residence_id))`

// isBelow holds that the row named person is of the staff and that the
// administrator $1 covers all of its roles. Whoever could invite somebody above
// would get the code, and with it the rights.
const isBelow = `EXISTS (SELECT 1
                 FROM staff_role held
                WHERE held.person_id = person.id)
   AND NOT EXISTS (SELECT 1
                     FROM staff_role held
                    WHERE held.person_id = person.id
                      AND NOT ` + covers + `)`

const listStaff = `
SELECT person.id, person.name, person.language, person.version, held.role, COALESCE(held.residence_id, ''),
       COALESCE(way_in.name, '')
  FROM staff_role held
  JOIN person ON person.id = held.person_id
  LEFT JOIN way_in ON way_in.person_id = person.id
 WHERE ` + covers + `
   AND held.person_id || ' ' || held.role || ' ' || COALESCE(held.residence_id, '') > $2
 ORDER BY held.person_id || ' ' || held.role || ' ' || COALESCE(held.residence_id, '')
 LIMIT $3`

// Staff lists at most limit of the posts that an administrator may take, after
// the one whose key is after, person by person.
func (s *Store) Staff(ctx context.Context, by PersonID, after string, limit int) ([]Member, error) {
	rows, err := s.db.QueryContext(ctx, listStaff, string(by), after, limit)
	if err != nil {
		return nil, fmt.Errorf("staff: %w", err)
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (m Member, err error) {
		return m, rows.Scan(&m.Person.ID, &m.Person.Name, &m.Person.Language, &m.Person.Version,
			&m.Post.Role, &m.Post.Residence, &m.Name)
	})
}

// A Place is a residence by name.
type Place struct{ ID, Name string }

const listPlaces = `
SELECT held.residence_id, held.name
  FROM (SELECT id AS residence_id, name
          FROM residence) AS held
 WHERE ` + covers + `
 ORDER BY held.name, held.residence_id
 LIMIT 1000`

const isEverywhere = `
SELECT COUNT(*)
  FROM staff_role
 WHERE person_id = $1
   AND role = 'administrator'
   AND residence_id IS NULL`

// Places lists the residences where an administrator may give roles, by name, and
// whether roles for every residence are among what may be given.
func (s *Store) Places(ctx context.Context, by PersonID) (places []Place, everywhere bool, err error) {
	rows, err := s.db.QueryContext(ctx, listPlaces, string(by))
	if err != nil {
		return nil, false, fmt.Errorf("residences of administrator %s: %w", by, err)
	}
	places, err = sqldb.Collect(rows, func(rows *sql.Rows) (p Place, err error) { return p, rows.Scan(&p.ID, &p.Name) })
	if err != nil {
		return nil, false, fmt.Errorf("residences of administrator %s: %w", by, err)
	}
	var rights int
	err = s.db.QueryRowContext(ctx, isEverywhere, string(by)).Scan(&rights)
	return places, rights > 0, err
}
