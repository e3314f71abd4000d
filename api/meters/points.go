package meters

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Spot is a point as staff see it, with the meter that hangs there now.
type Spot struct {
	Point            // Residence is set for a dwelling's point too
	Staircase, Label string
	Meter            metering.MeterID // empty where none hangs
}

// A PointFilter says which points to list; empty fields let all by.
type PointFilter struct {
	Residence metering.SiteID
	Dwelling  premises.DwellingID
}

const pointColumns = `
SELECT point_site.point_id, COALESCE(point_site.dwelling_id, ''), residence.id, point_site.building, point_site.kind,
       point_site.version, point_site.staircase, point_site.label, COALESCE(binding.meter_id, '')
  FROM point_site
  JOIN residence ON residence.id = point_site.residence_id
  LEFT JOIN binding ON binding.point_id = point_site.point_id AND binding.to_ms IS NULL
 WHERE `

const listPoints = pointColumns + ReaderClip + `
   AND ($2 = '' OR residence.id = $2)
   AND ($3 = '' OR point_site.dwelling_id = $3)
   AND point_site.point_id > $4
 ORDER BY point_site.point_id
 LIMIT $5`

const findPoint = pointColumns + ReaderClip + `
   AND point_site.point_id = $2`

const writablePoint = pointColumns + WriterClip + `
   AND point_site.point_id = $2`

// Points lists the points that the person may see, by id: one more than the page
// holds where the list goes on.
func (s *Store) Points(ctx context.Context, who accounts.PersonID, f PointFilter, p resource.Page) ([]Spot, error) {
	rows, err := s.db.QueryContext(ctx, listPoints, string(who), string(f.Residence), string(f.Dwelling), p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	all, err := sqldb.Collect(rows, scanSpot)
	if err != nil {
		return nil, fmt.Errorf("points: %w", err)
	}
	return all, nil
}

// PointByID returns the point, or [ErrNone] where there is none that the person
// may see.
func (s *Store) PointByID(ctx context.Context, who accounts.PersonID, id metering.PointID) (Spot, error) {
	found, err := one(ctx, s.db, scanSpot, findPoint, string(who), string(id))
	if err != nil {
		return Spot{}, fmt.Errorf("point %s: %w", id, err)
	}
	return found, nil
}

func scanSpot(rows *sql.Rows) (p Spot, err error) {
	return p, rows.Scan(&p.ID, &p.Dwelling, &p.Residence, &p.Building, (*string)(&p.Kind), &p.Version, &p.Staircase, &p.Label, &p.Meter)
}

const createDwellingPoint = `
INSERT INTO point (id, dwelling_id, kind)
SELECT $2, dwelling.id, $4
  FROM dwelling
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE dwelling.id = $3
   AND ` + WriterClip

const createBuildingPoint = `
INSERT INTO point (id, residence_id, building, kind)
SELECT $2, building.residence_id, building.name, $5
  FROM building
  JOIN residence ON residence.id = building.residence_id
 WHERE residence.id = $3
   AND building.name = $4
   AND ` + WriterClip

// CreatePoint adds a point of a dwelling or of a building. It
// fails with [ErrNone] where the person may not change these, and with
// [ErrExists].
func (s *Store) CreatePoint(ctx context.Context, who accounts.PersonID, p Point) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if p.Dwelling != "" {
			return changeOne(ctx, tx, ErrNone, createDwellingPoint, string(who), string(p.ID), string(p.Dwelling), string(p.Kind))
		}
		return changeOne(ctx, tx, ErrNone, createBuildingPoint, string(who), string(p.ID), string(p.Residence), p.Building, string(p.Kind))
	})
	return named(err, "create point", string(p.ID))
}

// A ResidenceName is a residence as a list of choices shows it.
type ResidenceName struct {
	ID   metering.SiteID
	Name string
}

const (
	listResidences = `
SELECT residence.id, residence.name
  FROM residence
 WHERE ` + ReaderClip + `
 ORDER BY residence.name, residence.id`
	listWritableResidences = `
SELECT residence.id, residence.name
  FROM residence
 WHERE ` + WriterClip + `
 ORDER BY residence.name, residence.id`
)

// Residences lists the residences whose equipment the person may see, by name.
func (s *Store) Residences(ctx context.Context, who accounts.PersonID) ([]ResidenceName, error) {
	return s.residences(ctx, listResidences, who)
}

// WritableResidences is [Store.Residences] for who is to add equipment.
func (s *Store) WritableResidences(ctx context.Context, who accounts.PersonID) ([]ResidenceName, error) {
	return s.residences(ctx, listWritableResidences, who)
}

func (s *Store) residences(ctx context.Context, text string, who accounts.PersonID) ([]ResidenceName, error) {
	rows, err := s.db.QueryContext(ctx, text, string(who))
	if err != nil {
		return nil, fmt.Errorf("residences: %w", err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (r ResidenceName, err error) { return r, rows.Scan(&r.ID, &r.Name) })
	if err != nil {
		return nil, fmt.Errorf("residences: %w", err)
	}
	return all, nil
}

const freePoints = pointColumns + WriterClip + `
   AND residence.id = $2
   AND point_site.kind = $3
   AND binding.meter_id IS NULL
 ORDER BY point_site.building, point_site.staircase, point_site.label, point_site.point_id
 LIMIT $4`

// FreePoints lists the points of a residence and kind at which no meter hangs,
// for who may hang one up there.
func (s *Store) FreePoints(ctx context.Context, who accounts.PersonID, residence metering.SiteID, kind metering.Kind, most int) ([]Spot, error) {
	rows, err := s.db.QueryContext(ctx, freePoints, string(who), string(residence), string(kind), most)
	if err != nil {
		return nil, fmt.Errorf("free points of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, scanSpot)
	if err != nil {
		return nil, fmt.Errorf("free points of %s: %w", residence, err)
	}
	return all, nil
}
