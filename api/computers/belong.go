package computers

import (
	"context"
	"database/sql"
	"errors"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const findTerms = `
SELECT computer_programme.per_household, computer_programme.target_days, computer_programme.months
  FROM computer_programme
 WHERE computer_programme.residence_id = $1
   AND computer_programme.from_date <= $3
   AND (computer_programme.until_date IS NULL OR computer_programme.until_date > $3)
   AND EXISTS (SELECT 1
                 FROM tenancy
                 JOIN dwelling ON dwelling.id = tenancy.dwelling_id
                WHERE dwelling.residence_id = $1
                  AND tenancy.household_id = $2
                  AND tenancy.moved_in <= $3
                  AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3))`

// terms are what the programme says of a sale.
type terms struct{ perHousehold, targetDays, months int }

func scanTerms(rows *sql.Rows) (t terms, err error) {
	return t, rows.Scan(&t.perHousehold, &t.targetDays, &t.months)
}

// programmeOn returns the terms for a household that lives in the residence on a
// day of its programme, or fails with [ErrProgramme].
func programmeOn(ctx context.Context, tx *sql.Tx, r metering.SiteID, household premises.HouseholdID, on civil.Date) (terms, error) {
	t, err := one(ctx, tx, scanTerms, findTerms, string(r), string(household), on.String())
	if errors.Is(err, ErrNone) {
		err = ErrProgramme
	}
	return t, err
}

const livesThere = `
SELECT tenancy.id
  FROM tenancy
  JOIN dwelling ON dwelling.id = tenancy.dwelling_id
 WHERE tenancy.household_id = $1
   AND dwelling.residence_id = $2
   AND tenancy.moved_in <= $3
   AND (tenancy.moved_out IS NULL OR tenancy.moved_out > $3)`

const isMember = `
SELECT membership.person_id
  FROM membership
 WHERE membership.household_id = $1
   AND membership.person_id = $2
   AND membership.from_date <= $3
   AND (membership.to_date IS NULL OR membership.to_date > $3)`

// belongs holds that the household lives in the residence on a day, and that the
// buyer is of it. Where neither is so, the larger reason is told.
func (h *hand) belongs(ctx context.Context, o Offer, on civil.Date) error {
	for _, asked := range []struct {
		query, subject string
		refused        error
	}{{livesThere, string(h.Residence), ErrProgramme}, {isMember, string(o.Buyer), ErrBuyer}} {
		_, err := one(ctx, h.tx, text, asked.query, string(o.Household), asked.subject, on.String())
		if errors.Is(err, ErrNone) {
			err = asked.refused
		}
		if err != nil {
			return err
		}
	}
	return nil
}
