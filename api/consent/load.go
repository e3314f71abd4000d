package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Agreed is what a residence's file says that a household agreed to, on a
// paper that the landlord keeps.
type Agreed struct {
	Household premises.HouseholdID
	Tenancy   string
	Language  string
	Purpose   Purpose
}

// fromFile stands for the person who wrote a consent of a file down.
const fromFile = "file"

// What a household decided since the file was first loaded stands: a file must
// not undo a withdrawal.
const loadConsent = `
INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
SELECT $1, $2, $3, $4, $5, $6, 'paper', '', '` + fromFile + `', $7, $8
 WHERE NOT EXISTS (SELECT 1
                     FROM consent
                    WHERE tenancy_id = $3
                      AND purpose = $4)`

// Load writes down what a file says was agreed to, within the transaction of a
// load, and settles the resolutions. The three years begin with the first load.
// A consent that was taken back or ended stays so.
func Load(ctx context.Context, tx *sql.Tx, all []Agreed, now time.Time) error {
	for _, a := range all {
		_, err := tx.ExecContext(ctx, loadConsent, newID(), string(a.Household), a.Tenancy, string(a.Purpose), a.Purpose.TextVersion(),
			a.Language, sqldb.Ms(now), sqldb.Ms(now.AddDate(Years, 0, 0)))
		if err != nil {
			return fmt.Errorf("household %s: consent to %s: %w", a.Household, a.Purpose, err)
		}
	}
	return SettleIn(ctx, tx, now)
}

// ErrForgotten is why a file may not speak of a household: it was erased.
var ErrForgotten = errors.New("was erased: take it out of the file")

const forgotten = `
SELECT COUNT(*)
  FROM household
 WHERE id = $1
   AND erased_ms IS NOT NULL`

// CheckForgotten fails with [ErrForgotten] where a file would bring a household
// back that was erased.
func CheckForgotten(ctx context.Context, tx *sql.Tx, households []premises.Household) error {
	for _, h := range households {
		var erased int
		if err := tx.QueryRowContext(ctx, forgotten, string(h.ID)).Scan(&erased); err != nil {
			return fmt.Errorf("household %s: %w", h.ID, err)
		}
		if erased > 0 {
			return fmt.Errorf("household %s: %w", h.ID, ErrForgotten)
		}
	}
	return nil
}

const tenanciesOf = `
SELECT tenancy.id, tenancy.household_id, tenancy.dwelling_id, tenancy.moved_in, COALESCE(tenancy.moved_out, ''), residence.zone
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE residence.id = $1
 ORDER BY tenancy.id`

// A Lodging is a tenancy as it was before a load.
type Lodging struct {
	tenancy    string
	household  premises.HouseholdID
	dwelling   premises.DwellingID
	start, end time.Time
}

// Lodgings lists the tenancies of a residence within the transaction of a load,
// before it changes them; see [NoteDepartures].
func Lodgings(ctx context.Context, tx *sql.Tx, residence metering.SiteID) ([]Lodging, error) {
	rows, err := tx.QueryContext(ctx, tenanciesOf, string(residence))
	if err != nil {
		return nil, fmt.Errorf("tenancies of %s: %w", residence, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Lodging, error) {
		var l Lodging
		var movedIn, movedOut, zone string
		err := rows.Scan(&l.tenancy, &l.household, &l.dwelling, &movedIn, &movedOut, &zone)
		if err != nil {
			return Lodging{}, err
		}
		l.start, l.end, err = bounds(movedIn, movedOut, zone)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("tenancies of %s: %w", residence, err)
	}
	return all, nil
}

const noteDeparture = `
INSERT INTO move_event (id, tenancy_id, household_id, dwelling_id, from_ms, at_ms)
VALUES ($1, $2, $3, $4, $5, $6)`

const dropPlanned = `
DELETE FROM move_event
 WHERE tenancy_id = $1
   AND handled_ms IS NULL`

// NoteDepartures writes down, as a move does, which of the tenancies before a
// load the load ended, or knows no more: their fine data will be erased. Those
// that were over when the residence was first loaded are none.
func NoteDepartures(ctx context.Context, tx *sql.Tx, residence metering.SiteID, before []Lodging, now time.Time) error {
	after, err := Lodgings(ctx, tx, residence)
	if err != nil {
		return err
	}
	ends := make(map[string]time.Time, len(after))
	for _, l := range after {
		ends[l.tenancy] = l.end
	}
	for _, l := range before {
		end, known := ends[l.tenancy]
		if !known {
			end = earlier(l.end, now)
		}
		if !end.Before(l.end) && known || !l.start.Before(end) {
			continue
		}
		if _, err := tx.ExecContext(ctx, dropPlanned, l.tenancy); err != nil {
			return fmt.Errorf("departure from dwelling %s: %w", l.dwelling, err)
		}
		_, err := tx.ExecContext(ctx, noteDeparture, uuid.Must(uuid.NewV7()).String(), l.tenancy, string(l.household), string(l.dwelling),
			max(0, sqldb.Ms(l.start)), max(1, sqldb.Ms(end)))
		if err != nil {
			return fmt.Errorf("departure from dwelling %s: %w", l.dwelling, err)
		}
	}
	return nil
}
