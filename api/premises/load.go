package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// ErrElsewhere is the reason why a file may not speak of a thing: it belongs to
// another residence.
var ErrElsewhere = errors.New("belongs to another residence: ids are unique over all residences")

// A row's version grows where the file changes something.
const putResidence = `
INSERT INTO residence (id, name, zone, earliest_ms, street, postcode, town, heat_individual_percent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (id) DO UPDATE
   SET name = excluded.name,
       zone = excluded.zone,
       earliest_ms = excluded.earliest_ms,
       street = excluded.street,
       postcode = excluded.postcode,
       town = excluded.town,
       heat_individual_percent = excluded.heat_individual_percent,
       version = residence.version +
                 CASE WHEN (residence.name, residence.zone, residence.earliest_ms, residence.street,
                            residence.postcode, residence.town, residence.heat_individual_percent) =
                           (excluded.name, excluded.zone, excluded.earliest_ms, excluded.street,
                            excluded.postcode, excluded.town, excluded.heat_individual_percent) THEN 0
                      ELSE 1 END`

const putDwelling = `
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2, heating_kind, hot_water_kind)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (id) DO UPDATE
   SET building = excluded.building,
       staircase = excluded.staircase,
       label = excluded.label,
       floor = excluded.floor,
       rooms = excluded.rooms,
       area_m2 = excluded.area_m2,
       heating_kind = excluded.heating_kind,
       hot_water_kind = excluded.hot_water_kind,
       version = dwelling.version +
                 CASE WHEN (dwelling.building, dwelling.staircase, dwelling.label, dwelling.floor, dwelling.rooms,
                            dwelling.area_m2, dwelling.heating_kind, dwelling.hot_water_kind) =
                           (excluded.building, excluded.staircase, excluded.label, excluded.floor, excluded.rooms,
                            excluded.area_m2, excluded.heating_kind, excluded.hot_water_kind) THEN 0
                      ELSE 1 END
 WHERE dwelling.residence_id = excluded.residence_id`

const putHousehold = `
INSERT INTO household (id, occupants, language, contact_by, telephone, email)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE
   SET occupants = excluded.occupants,
       language = excluded.language,
       contact_by = excluded.contact_by,
       telephone = excluded.telephone,
       email = excluded.email,
       version = household.version +
                 CASE WHEN (household.occupants, household.language, household.contact_by, household.telephone, household.email) =
                           (excluded.occupants, excluded.language, excluded.contact_by, excluded.telephone, excluded.email) THEN 0
                      ELSE 1 END`

const dropMemberships = `
DELETE FROM membership
 WHERE household_id IN (SELECT tenancy.household_id
                          FROM tenancy
                          JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                         WHERE dwelling.residence_id = $1)`

const dropTenancies = `
DELETE FROM tenancy
 WHERE dwelling_id IN (SELECT id
                         FROM dwelling
                        WHERE residence_id = $1)`

const putTenancy = `
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in, moved_out)
VALUES ($1, $2, $3, $4, $5)`

const putMembership = `
INSERT INTO membership (person_id, household_id, from_date, to_date)
VALUES ($1, $2, $3, $4)`

// Replace makes the residence's premises what the roster says, within the
// transaction of a load. Tenancies and memberships that it does not name end to
// exist, and with them the access; dwellings and households stay, empty.
func Replace(ctx context.Context, tx *sql.Tx, r Roster) error {
	if err := putPlace(ctx, tx, r.Residence); err != nil {
		return fmt.Errorf("residence %s: %w", r.Residence.ID, err)
	}
	for _, d := range r.Dwellings {
		if err := PutOwned(ctx, tx, putDwelling, string(d.ID), string(d.Residence), d.Building, d.Staircase,
			d.Label, d.Floor, d.Rooms, d.AreaM2, string(orUnknown(d.Heating)), string(orUnknown(d.HotWater))); err != nil {
			return fmt.Errorf("dwelling %s: %w", d.ID, err)
		}
	}
	for _, h := range r.Households {
		if _, err := tx.ExecContext(ctx, putHousehold, string(h.ID), h.Occupants, h.Language,
			string(orLetter(h.Contact.By)), h.Contact.Telephone, h.Contact.Email); err != nil {
			return fmt.Errorf("household %s: %w", h.ID, err)
		}
	}
	return replaceStays(ctx, tx, r.Residence.ID, r)
}

func putPlace(ctx context.Context, tx *sql.Tx, r Residence) error {
	_, err := tx.ExecContext(ctx, putResidence, string(r.ID), r.Name, r.Zone.String(), max(0, r.Earliest.UnixMilli()),
		r.Street, r.Postcode, r.Town, r.HeatIndividualPercent)
	return err
}

func replaceStays(ctx context.Context, tx *sql.Tx, residence metering.SiteID, r Roster) error {
	for _, drop := range []string{dropMemberships, dropTenancies} {
		if _, err := tx.ExecContext(ctx, drop, string(residence)); err != nil {
			return fmt.Errorf("residence %s: %w", residence, err)
		}
	}
	for _, t := range r.Tenancies {
		_, err := tx.ExecContext(ctx, putTenancy, t.ID, string(t.Household), string(t.Dwelling), t.MovedIn.String(), orNull(t.MovedOut))
		if err != nil {
			return fmt.Errorf("dwelling %s: household %s from %s: %w", t.Dwelling, t.Household, t.MovedIn, err)
		}
	}
	for _, m := range r.Memberships {
		_, err := tx.ExecContext(ctx, putMembership, string(m.Person), string(m.Household), m.From.String(), orNull(m.To))
		if err != nil {
			return fmt.Errorf("household %s: person %s: %w", m.Household, m.Person, err)
		}
	}
	return nil
}

// PutOwned runs an upsert that changes nothing where the row belongs to another
// residence, and fails with [ErrElsewhere] then.
func PutOwned(ctx context.Context, tx *sql.Tx, upsert string, args ...any) error {
	done, err := tx.ExecContext(ctx, upsert, args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrElsewhere, err)
	}
	return nil
}

func orNull(d civil.Date) sql.NullString {
	return sql.NullString{String: d.String(), Valid: !d.IsZero()}
}
