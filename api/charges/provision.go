package charges

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	seenDwelling = `
SELECT 1
  FROM dwelling
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE dwelling.id = $2
   AND` + mayRead

	changedDwelling = `
SELECT 1
  FROM dwelling
  JOIN residence ON residence.id = dwelling.residence_id
 WHERE dwelling.id = $2
   AND` + mayChange
)

// errNoDwelling looks the same whether there is none or it is not the sender's.
var errNoDwelling = &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}

func (s *Store) may(ctx context.Context, question string, staff accounts.PersonID, dwelling premises.DwellingID) error {
	var one int
	err := s.db.QueryRowContext(ctx, question, string(staff), string(dwelling)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoDwelling
	}
	if err != nil {
		return fmt.Errorf("dwelling %s: %w", dwelling, err)
	}
	return nil
}

// ProvisionsFor is [Store.Provisions] for staff; it fails with the problem NotFound
// where the dwelling is not in their residences.
func (s *Store) ProvisionsFor(ctx context.Context, staff accounts.PersonID, dwelling premises.DwellingID) ([]Provision, error) {
	if err := s.may(ctx, seenDwelling, staff, dwelling); err != nil {
		return nil, err
	}
	return s.Provisions(ctx, dwelling)
}

// SetProvision keeps what a dwelling pays in advance from a day on; the same again
// changes nothing. It fails with the problem NotFound where staff may not change
// the dwelling.
func (s *Store) SetProvision(ctx context.Context, staff accounts.PersonID, p Provision) error {
	if err := s.may(ctx, changedDwelling, staff, p.Dwelling); err != nil {
		return err
	}
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error { return putProvision(ctx, tx, p) })
}

const removeProvision = `
DELETE FROM provision
 WHERE dwelling_id = $1
   AND from_date = $2`

// RemoveProvision takes back what was set by mistake: what held before holds on. It
// fails with the problem NotFound where staff may not change the dwelling, or where
// nothing begins on that day.
func (s *Store) RemoveProvision(ctx context.Context, staff accounts.PersonID, dwelling premises.DwellingID, from civil.Date) error {
	if err := s.may(ctx, changedDwelling, staff, dwelling); err != nil {
		return err
	}
	done, err := s.db.ExecContext(ctx, removeProvision, string(dwelling), from.String())
	if err != nil {
		return fmt.Errorf("remove provision of dwelling %s from %s: %w", dwelling, from, err)
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNone
	}
	return err
}

const setProvision = `
INSERT INTO provision (dwelling_id, from_date, monthly_cents)
VALUES ($1, $2, $3)
    ON CONFLICT (dwelling_id, from_date) DO UPDATE
   SET monthly_cents = excluded.monthly_cents`

func putProvision(ctx context.Context, tx *sql.Tx, p Provision) error {
	if _, err := tx.ExecContext(ctx, setProvision, string(p.Dwelling), p.From.String(), p.MonthlyCents); err != nil {
		return fmt.Errorf("provision of dwelling %s from %s: %w", p.Dwelling, p.From, err)
	}
	return nil
}

const provisionsOf = `
SELECT from_date, monthly_cents
  FROM provision
 WHERE dwelling_id = $1
 ORDER BY from_date`

// Provisions returns what a dwelling pays in advance, in order of time. The caller
// has found it among somebody's stays, or among those of staff.
func (s *Store) Provisions(ctx context.Context, dwelling premises.DwellingID) ([]Provision, error) {
	rows, err := s.db.QueryContext(ctx, provisionsOf, string(dwelling))
	if err != nil {
		return nil, fmt.Errorf("provisions of dwelling %s: %w", dwelling, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Provision, error) {
		p := Provision{Dwelling: dwelling}
		var from string
		if err := rows.Scan(&from, &p.MonthlyCents); err != nil {
			return p, err
		}
		var err error
		p.From, err = civil.ParseDate(from)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("provisions of dwelling %s: %w", dwelling, err)
	}
	return all, nil
}

// A verifiedTime is when a meter hung somewhere with its check passed.
type verifiedTime struct {
	meter    metering.MeterID
	from, to time.Time // to is zero while it hangs there
}

const verifiedOf = `
SELECT binding.meter_id, binding.from_ms, binding.to_ms
  FROM binding
  JOIN meter_check ON meter_check.meter_id = binding.meter_id
                  AND meter_check.point_id = binding.point_id
                  AND meter_check.bound_ms = binding.from_ms
 WHERE meter_check.state = 'verified'
   AND binding.meter_id IN (%s)`

// Verified returns a function that says whether the meter of a part had passed its
// dial and tap check at the point where it counted then: until it has, nothing of
// it is turned into euros. The function knows the meters that are named.
func (s *Store) Verified(ctx context.Context, meters []metering.MeterID) (func(metering.Part) bool, error) {
	if len(meters) == 0 {
		return func(metering.Part) bool { return false }, nil
	}
	places, args := make([]string, len(meters)), make([]any, len(meters))
	for i, m := range meters {
		places[i], args[i] = fmt.Sprintf("$%d", i+1), string(m)
	}
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf(verifiedOf, strings.Join(places, ", ")), args...)
	if err != nil {
		return nil, fmt.Errorf("checks of %d meters: %w", len(meters), err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (verifiedTime, error) {
		var v verifiedTime
		var from int64
		var to sql.NullInt64
		err := rows.Scan(&v.meter, &from, &to)
		v.from = sqldb.Time(from)
		if to.Valid {
			v.to = sqldb.Time(to.Int64)
		}
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("checks of %d meters: %w", len(meters), err)
	}
	return func(p metering.Part) bool {
		return slices.ContainsFunc(all, func(v verifiedTime) bool {
			return v.meter == p.From.Meter && !p.From.At.Before(v.from) && (v.to.IsZero() || !p.To.At.After(v.to))
		})
	}, nil
}
