package premises

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Filter says which part of a list is wanted; empty fields want all.
type Filter struct {
	Residence metering.SiteID
	Building  string
	Search    string // words that must all stand in the item, whatever their case and accents
	resource.Page
}

const dwellingColumns = `dwelling.id, dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.label,
       dwelling.floor, dwelling.rooms, dwelling.area_m2, dwelling.heating_kind, dwelling.hot_water_kind, dwelling.version`

func scanDwelling(scan func(...any) error) (d Dwelling, err error) {
	return d, scan(&d.ID, &d.Residence, &d.Building, &d.Staircase, &d.Label, &d.Floor, &d.Rooms, &d.AreaM2,
		&d.Heating, &d.HotWater, &d.Version)
}

const dwellingByID = `
SELECT ` + dwellingColumns + `
  FROM dwelling
 WHERE dwelling.id = $2
   AND` + mayReadStock

// Dwelling returns a dwelling that staff may read; it fails with the problem
// NotFound "dwelling.none".
func (s *Store) Dwelling(ctx context.Context, staff accounts.PersonID, id DwellingID) (Dwelling, error) {
	d, err := scanDwelling(s.db.QueryRowContext(ctx, dwellingByID, string(staff), string(id)).Scan)
	if err != nil {
		return Dwelling{}, fmt.Errorf("dwelling %s: %w", id, found(err, "dwelling.none"))
	}
	return d, nil
}

const dwellings = `
SELECT ` + dwellingColumns + `
  FROM dwelling
 WHERE ($2 = '' OR dwelling.residence_id = $2)
   AND ($3 = '' OR dwelling.building = $3)
   AND` + mayReadStock

// The page begins after one dwelling, in the list's order.
const dwellingsAfter = `
   AND (dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.floor, dwelling.label, dwelling.id) >
       (SELECT before.residence_id, before.building, before.staircase, before.floor, before.label, before.id
          FROM dwelling AS before
         WHERE before.id = $4)`

const dwellingsInOrder = `
 ORDER BY dwelling.residence_id, dwelling.building, dwelling.staircase, dwelling.floor, dwelling.label, dwelling.id`

// Dwellings lists the dwellings that staff may read by residence, building,
// staircase, floor and door: one more than the page holds where the list goes
// on.
func (s *Store) Dwellings(ctx context.Context, staff accounts.PersonID, f Filter) ([]Dwelling, error) {
	query, args := dwellings, []any{string(staff), string(f.Residence), f.Building}
	if f.After != "" {
		query, args = query+dwellingsAfter, append(args, f.After)
	}
	rows, err := s.pageOf(ctx, query+dwellingsInOrder, f, args...)
	if err != nil {
		return nil, fmt.Errorf("dwellings: %w", err)
	}
	all, err := some(rows, f, func(rows *sql.Rows) (Dwelling, error) { return scanDwelling(rows.Scan) },
		func(d Dwelling) string {
			return string(d.ID) + " " + string(d.Residence) + " " + d.Building + " " + d.Staircase + " " + d.Label
		})
	if err != nil {
		return nil, fmt.Errorf("dwellings: %w", err)
	}
	return all, nil
}

// pageOf asks for one row more than the page holds, or for all where a search is
// to choose among them.
func (s *Store) pageOf(ctx context.Context, query string, f Filter, args ...any) (*sql.Rows, error) {
	if f.Search == "" {
		args = append(args, f.Limit+1)
		query += "\n LIMIT $" + strconv.Itoa(len(args))
	}
	return s.db.QueryContext(ctx, query, args...)
}

// some reads rows until the page is full, and keeps those whose text the search
// fits.
func some[T any](rows *sql.Rows, f Filter, scan func(*sql.Rows) (T, error), text func(T) string) ([]T, error) {
	defer rows.Close()
	words := folded(f.Search)
	var all []T
	for len(all) <= f.Limit && rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if fits(text(one), words) {
			all = append(all, one)
		}
	}
	return all, rows.Err()
}

// sameDoor finds another dwelling behind the same door.
const sameDoor = `
SELECT COUNT(*)
  FROM dwelling
 WHERE residence_id = $1
   AND building = $2
   AND staircase = $3
   AND label = $4
   AND id <> $5`

// doorFree fails with the problem Conflict "dwelling.door" where another dwelling
// has the same residence, building, staircase and label.
func doorFree(ctx context.Context, tx *sql.Tx, d Dwelling) error {
	var others int
	err := tx.QueryRowContext(ctx, sameDoor, string(d.Residence), d.Building, d.Staircase, d.Label, string(d.ID)).Scan(&others)
	if err == nil && others > 0 {
		return &problem.Error{Kind: problem.Conflict, Message: "dwelling.door", Fields: []problem.Field{{Name: "label", Message: "field.taken"}}}
	}
	return err
}

const createDwelling = `
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2, heating_kind, hot_water_kind)
SELECT $2, residence.id, $4, $5, $6, $7, $8, $9, $10, $11
  FROM residence
 WHERE residence.id = $3
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))
    ON CONFLICT (id) DO NOTHING`

const dwellingTaken = `
SELECT COUNT(*)
  FROM dwelling
 WHERE id = $1`

// CreateDwelling makes a dwelling. It fails with NotFound "residence.none" where
// staff may not change the residence, and with Conflict where the id is taken or
// the door is there already.
func (s *Store) CreateDwelling(ctx context.Context, staff accounts.PersonID, d Dwelling) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, createDwelling, string(staff), string(d.ID), string(d.Residence), d.Building, d.Staircase,
			d.Label, d.Floor, d.Rooms, d.AreaM2, string(orUnknown(d.Heating)), string(orUnknown(d.HotWater)))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return joinDoor(ctx, tx, d, err)
		}
		var taken int
		if err := tx.QueryRowContext(ctx, dwellingTaken, string(d.ID)).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return &problem.Error{Kind: problem.Conflict, Message: "dwelling.taken", Fields: []problem.Field{{Name: "id", Message: "field.taken"}}}
		}
		return notFound("residence.none")
	})
	if err != nil {
		return fmt.Errorf("create dwelling %s: %w", d.ID, err)
	}
	return nil
}

func joinDoor(ctx context.Context, tx *sql.Tx, d Dwelling, err error) error {
	if err != nil {
		return err
	}
	return doorFree(ctx, tx, d)
}

const updateDwelling = `
UPDATE dwelling
   SET building = $4,
       staircase = $5,
       label = $6,
       floor = $7,
       rooms = $8,
       area_m2 = $9,
       heating_kind = $10,
       hot_water_kind = $11,
       version = version + 1
 WHERE id = $2
   AND version = $3
   AND` + mayChangeStock

const changeableDwelling = `
SELECT 1
  FROM dwelling
 WHERE dwelling.id = $2
   AND` + mayChangeStock

// UpdateDwelling changes a dwelling, which stays in its residence. It fails with
// NotFound "dwelling.none" where staff may not change it, with
// [resource.ErrStale] where d.Version is not its version, and with Conflict
// where the door is another dwelling's.
func (s *Store) UpdateDwelling(ctx context.Context, staff accounts.PersonID, d Dwelling) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, updateDwelling, string(staff), string(d.ID), d.Version, d.Building, d.Staircase,
			d.Label, d.Floor, d.Rooms, d.AreaM2, string(orUnknown(d.Heating)), string(orUnknown(d.HotWater)))
		if err != nil {
			return err
		}
		err = changedOne(done, func() error {
			var one int
			return found(tx.QueryRowContext(ctx, changeableDwelling, string(staff), string(d.ID)).Scan(&one), "dwelling.none")
		})
		return joinDoor(ctx, tx, d, err)
	})
	if err != nil {
		return fmt.Errorf("update dwelling %s: %w", d.ID, err)
	}
	return nil
}

func orUnknown(w Warmth) Warmth {
	if w == "" {
		return WarmthUnknown
	}
	return w
}

const tenancies = `
SELECT tenancy.id, tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in, COALESCE(tenancy.moved_out, ''), tenancy.version
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE tenancy.dwelling_id = $2
   AND EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('advisor', 'manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = dwelling.residence_id))
 ORDER BY tenancy.moved_in DESC`

// Tenancies lists who lived in a dwelling, the last first; it is empty where
// staff may not know.
func (s *Store) Tenancies(ctx context.Context, staff accounts.PersonID, id DwellingID) ([]Tenancy, error) {
	rows, err := s.db.QueryContext(ctx, tenancies, string(staff), string(id))
	if err != nil {
		return nil, fmt.Errorf("tenancies of dwelling %s: %w", id, err)
	}
	all, err := sqldb.Collect(rows, scanTenancy)
	if err != nil {
		return nil, fmt.Errorf("tenancies of dwelling %s: %w", id, err)
	}
	return all, nil
}

func scanTenancy(rows *sql.Rows) (Tenancy, error) {
	var t Tenancy
	var movedIn, movedOut string
	if err := rows.Scan(&t.ID, &t.Household, &t.Dwelling, &movedIn, &movedOut, &t.Version); err != nil {
		return Tenancy{}, err
	}
	return t, parseDates(dated{movedIn, &t.MovedIn}, dated{movedOut, &t.MovedOut})
}
