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
