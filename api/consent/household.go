package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// ForCharges returns what stays of a meter's readings when a household has all
// erased: the months of what is split among households, which its charges may be
// questioned on for three years (fr. article 7-1 of the law of 6 July 1989), and
// nothing of what is the household's own affair.
func ForCharges(k metering.Kind) metering.Resolution {
	if Allowed(k).Allows(metering.Month) {
		return metering.Month
	}
	return metering.Off
}

const everyTenancy = `
SELECT id
  FROM tenancy
 WHERE household_id = $1
 ORDER BY moved_in, id`

const stillLives = `
SELECT residence.zone, COALESCE(tenancy.moved_out, '')
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE tenancy.household_id = $1`

// EraseReadings ends every consent of the household and asks for all readings of
// its days to be erased, but for the months that the charges need. It is for who
// lives there: people and contact stay, since the tenancy needs them. The caller
// has found the household among what the person may decide for.
func (s *Store) EraseReadings(ctx context.Context, household premises.HouseholdID, why Why, by accounts.PersonID, channel Channel, at time.Time) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		return s.eraseReadings(ctx, tx, household, why, by, channel, at, false)
	})
	if err != nil {
		return fmt.Errorf("erase readings of household %s: %w", household, err)
	}
	return nil
}

// EraseAll forgets a household that has left, and erases the readings of one that
// lives there still. It reports which it was.
func (s *Store) EraseAll(ctx context.Context, household premises.HouseholdID, why Why, by accounts.PersonID, at time.Time) (forgot bool, err error) {
	err = s.Forget(ctx, household, why, by, at)
	if errors.Is(err, ErrLives) {
		return false, s.EraseReadings(ctx, household, why, by, OnPaper, at)
	}
	return err == nil, err
}

// EraseFine asks for the single readings and the hours of the homes' days so far
// to be erased. Consents stand, and what comes is read as finely as before.
func (s *Store) EraseFine(ctx context.Context, homes []Home, by accounts.PersonID, at time.Time) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, h := range homes {
			given, err := running(ctx, tx, h.Tenancy, at)
			if err != nil {
				return err
			}
			coarse := slices.DeleteFunc(given, func(p Purpose) bool { return p == FineCurve })
			if len(coarse) < len(given) {
				coarse = append(coarse, DailyFollowUp) // who agrees to hours keeps the days
			}
			e := Erasure{ID: newID(), Household: h.Household, Tenancy: h.Tenancy, What: Fine, Why: ByRequest, Asked: at, AskedBy: by, Due: at}
			hung, err := hungDuring(ctx, tx, h.Tenancy, at)
			if err != nil {
				return err
			}
			for _, m := range hung {
				e.Parts = append(e.Parts, m.part(Allowed(m.kind, coarse...)))
			}
			if err := s.order(ctx, tx, e, Ended{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase fine readings: %w", err)
	}
	return nil
}

// ErrLives is why a household is not forgotten: it lives in one of the homes.
var ErrLives = errors.New("household lives in a dwelling: erase its readings only")

// Forget erases a household that has left: all readings as [Store.EraseReadings]
// does, and who its people were. Persons who have no other household, mandate or
// role are erased with their ways to sign in. What stays names nobody: the
// tenancies' dates, the proof of consents, the log of looks, the months of the
// charges. It fails with [ErrLives] and with [ErrLedger].
func (s *Store) Forget(ctx context.Context, household premises.HouseholdID, why Why, by accounts.PersonID, at time.Time) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		lives, err := livesSomewhere(ctx, tx, household, at)
		if err != nil {
			return err
		}
		if lives {
			return ErrLives
		}
		if err := s.eraseReadings(ctx, tx, household, why, by, OnPaper, at, true); err != nil {
			return err
		}
		return forgetPeople(ctx, tx, household, at)
	})
	if err != nil {
		return fmt.Errorf("forget household %s: %w", household, err)
	}
	return nil
}

func livesSomewhere(ctx context.Context, tx *sql.Tx, household premises.HouseholdID, at time.Time) (bool, error) {
	rows, err := tx.QueryContext(ctx, stillLives, string(household))
	if err != nil {
		return false, err
	}
	ends, err := sqldb.Collect(rows, func(rows *sql.Rows) (time.Time, error) {
		var zone, movedOut string
		if err := rows.Scan(&zone, &movedOut); err != nil {
			return time.Time{}, err
		}
		_, end, err := bounds("1970-01-01", movedOut, zone)
		return end, err
	})
	if err != nil {
		return false, err
	}
	for _, end := range ends {
		if end.After(at) {
			return true, nil
		}
	}
	return false, nil
}

func (s *Store) eraseReadings(ctx context.Context, tx *sql.Tx, household premises.HouseholdID, why Why, by accounts.PersonID, channel Channel, at time.Time, forgotten bool) error {
	rows, err := tx.QueryContext(ctx, everyTenancy, string(household))
	if err != nil {
		return err
	}
	tenancies, err := sqldb.Collect(rows, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return err
	}
	for _, tenancy := range tenancies {
		e := Erasure{ID: newID(), Household: household, Tenancy: tenancy, What: All, Why: why, Asked: at, AskedBy: by, Due: at.Add(settling)}
		hung, err := hungDuring(ctx, tx, tenancy, e.Due)
		if err != nil {
			return err
		}
		for _, m := range hung {
			e.Parts = append(e.Parts, m.part(ForCharges(m.kind)))
		}
		if err := endAll(ctx, tx, tenancy, Purposes, by, channel, at); err != nil {
			return err
		}
		if err := s.order(ctx, tx, e, Ended{Purposes: Purposes, Forgotten: forgotten}); err != nil {
			return err
		}
		if err := settleHome(ctx, tx, tenancy, at); err != nil {
			return err
		}
	}
	return nil
}

func endAll(ctx context.Context, tx *sql.Tx, tenancy string, purposes []Purpose, by accounts.PersonID, channel Channel, at time.Time) error {
	for _, p := range purposes {
		if _, err := tx.ExecContext(ctx, endConsent, tenancy, string(p), sqldb.Ms(at), string(by), string(channel)); err != nil {
			return fmt.Errorf("end consents of tenancy %s: %w", tenancy, err)
		}
	}
	return nil
}

// Who belonged to the household or helped it, and has nothing else here.
const dropPeople = `
DELETE FROM person
 WHERE (EXISTS (SELECT 1
                  FROM membership
                 WHERE membership.person_id = person.id
                   AND membership.household_id = $1)
     OR EXISTS (SELECT 1
                  FROM mandate
                 WHERE mandate.helper_id = person.id
                   AND mandate.household_id = $1))
   AND NOT EXISTS (SELECT 1
                     FROM membership
                    WHERE membership.person_id = person.id
                      AND membership.household_id <> $1)
   AND NOT EXISTS (SELECT 1
                     FROM mandate
                    WHERE (mandate.helper_id = person.id OR mandate.giver_id = person.id)
                      AND mandate.household_id <> $1)
   AND NOT EXISTS (SELECT 1
                     FROM staff_role
                    WHERE staff_role.person_id = person.id)`

const dropContact = `
UPDATE household
   SET occupants = 1,
       language = 'fr',
       contact_by = 'letter',
       telephone = '',
       email = '',
       erased_ms = $2,
       version = version + 1
 WHERE id = $1`

// What was written of the household and in whose name, at once: the sums of sales and
// repairs stay and name nobody. A dash stands where the table wants a word.
var dropWords = []string{
	`DELETE FROM household_note WHERE household_id = $1`,
	`DELETE FROM household_internet WHERE household_id = $1`,
	`DELETE FROM queue_closing WHERE household_id = $1`,
	`UPDATE machine_sale
   SET signed_by = CASE WHEN signed_by = '' THEN '' ELSE '–' END,
       return_reason = ''
 WHERE household_id = $1`,
	`UPDATE repair_ticket SET problem = '–' WHERE sale_id IN (SELECT id FROM machine_sale WHERE household_id = $1)`,
	`UPDATE repair_step
   SET note = ''
 WHERE ticket_id IN (SELECT repair_ticket.id
                       FROM repair_ticket
                       JOIN machine_sale ON machine_sale.id = repair_ticket.sale_id
                      WHERE machine_sale.household_id = $1)`,
}

// forgetPeople erases who belonged to a household, what was written of it and how it
// was reached. Ways to sign in, sessions and tokens go with their person.
func forgetPeople(ctx context.Context, tx *sql.Tx, household premises.HouseholdID, at time.Time) error {
	if _, err := tx.ExecContext(ctx, dropPeople, string(household)); err != nil {
		return err
	}
	for _, drop := range append([]string{`DELETE FROM mandate WHERE household_id = $1`, `DELETE FROM membership WHERE household_id = $1`}, dropWords...) {
		if _, err := tx.ExecContext(ctx, drop, string(household)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, dropContact, string(household), sqldb.Ms(at))
	return err
}
