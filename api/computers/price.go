package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Priced is what a price is of: machines for households, and the workshop's
// services for the landlord.
type Priced string

// What has a price.
const (
	PriceUsed      Priced = "used"
	PriceNew       Priced = "new"
	PriceRefurbish Priced = "refurbish" // a machine made ready
	PriceRepair    Priced = "repair"    // a repair done
	PriceRecycle   Priced = "recycle"   // a machine taken apart or scrapped
)

// AllPriced lists what has a price.
var AllPriced = []Priced{PriceUsed, PriceNew, PriceRefurbish, PriceRepair, PriceRecycle}

// PriceOf says by which price machines of the kind are sold.
func PriceOf(k Kind) Priced { return Priced(k) }

// A Price holds from a day on, until the next one.
type Price struct {
	What  Priced
	From  civil.Date
	Cents int64
}

const findPrice = `
SELECT workshop_price.price_cents
  FROM workshop_price
 WHERE workshop_price.residence_id = $1
   AND workshop_price.what = $2
   AND workshop_price.from_date <= $3
 ORDER BY workshop_price.from_date DESC
 LIMIT 1`

// priceOn returns the price of a day, or fails with [ErrNoPrice].
func priceOn(ctx context.Context, db querier, r metering.SiteID, what Priced, on civil.Date) (int64, error) {
	cents, err := one(ctx, db, scanCount, findPrice, string(r), string(what), on.String())
	if errors.Is(err, ErrNone) {
		err = ErrNoPrice
	}
	return cents, err
}

func scanCount(rows *sql.Rows) (n int64, err error) { return n, rows.Scan(&n) }

const listPrices = `
SELECT what, from_date, price_cents
  FROM workshop_price
 WHERE residence_id = $1
 ORDER BY what, from_date`

// Prices lists the prices of a residence by what they are of and by date, or fails
// with [ErrNone].
func (s *Store) Prices(ctx context.Context, who accounts.PersonID, residence metering.SiteID) ([]Price, error) {
	if _, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{}); err != nil {
		return nil, fmt.Errorf("prices of %s: %w", residence, err)
	}
	all, err := several(ctx, s.db, func(rows *sql.Rows) (p Price, err error) {
		var from string
		if err = rows.Scan(&p.What, &from, &p.Cents); err != nil {
			return p, err
		}
		return p, dates(dated{from, &p.From})
	}, listPrices, string(residence))
	if err != nil {
		return nil, fmt.Errorf("prices of %s: %w", residence, err)
	}
	return all, nil
}

const putPrice = `
INSERT INTO workshop_price (residence_id, what, from_date, price_cents)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (residence_id, what, from_date) DO UPDATE
   SET price_cents = excluded.price_cents`

// SetPrice sets a price from a day on, which may lie ahead. What was sold before
// keeps its price. It fails with [ErrNone].
func (s *Store) SetPrice(ctx context.Context, who accounts.PersonID, residence metering.SiteID, p Price) error {
	if _, err := reached(ctx, s.db, reachSetters, who, string(residence), time.Time{}); err != nil {
		return fmt.Errorf("set a price of %s: %w", residence, err)
	}
	_, err := s.db.ExecContext(ctx, putPrice, string(residence), string(p.What), p.From.String(), p.Cents)
	return done(err, "set a price of", string(residence))
}

// A Programme says whose households may have a computer: those who live in the
// residence on the days [From, Until).
type Programme struct {
	Residence    metering.SiteID
	From         civil.Date
	Until        civil.Date // zero for no end
	PerHousehold int        // subsidised machines that a household may have at once
	TargetDays   int        // working days that the convention gives a repair
	Months       int        // of the programme's guarantee, from the day of purchase; 0 for none
	Version      int64
}

// DefaultProgramme is what a programme starts from: one machine a household, five
// working days, and a year from the day of purchase.
func DefaultProgramme(r metering.SiteID) Programme {
	return Programme{Residence: r, PerHousehold: 1, TargetDays: 5, Months: 12}
}

const findProgramme = `
SELECT from_date, COALESCE(until_date, ''), per_household, target_days, months, version
  FROM computer_programme
 WHERE residence_id = $1`

// Programme returns the programme of a residence, or [ErrNone] where it has none
// or the person no role.
func (s *Store) Programme(ctx context.Context, who accounts.PersonID, residence metering.SiteID) (Programme, error) {
	if _, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{}); err != nil {
		return Programme{}, fmt.Errorf("programme of %s: %w", residence, err)
	}
	p, err := one(ctx, s.db, func(rows *sql.Rows) (p Programme, err error) {
		p.Residence = residence
		var from, until string
		if err = rows.Scan(&from, &until, &p.PerHousehold, &p.TargetDays, &p.Months, &p.Version); err != nil {
			return p, err
		}
		return p, dates(dated{from, &p.From}, dated{until, &p.Until})
	}, findProgramme, string(residence))
	if err != nil {
		return Programme{}, fmt.Errorf("programme of %s: %w", residence, err)
	}
	return p, nil
}

const putProgramme = `
INSERT INTO computer_programme (residence_id, from_date, until_date, per_household, target_days, months)
VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (residence_id) DO UPDATE
   SET from_date = excluded.from_date,
       until_date = excluded.until_date,
       per_household = excluded.per_household,
       target_days = excluded.target_days,
       months = excluded.months,
       version = computer_programme.version + 1`

// SetProgramme makes the programme of a residence, or changes it: what was sold
// keeps the terms of its day. It fails with [ErrNone].
func (s *Store) SetProgramme(ctx context.Context, who accounts.PersonID, p Programme) error {
	if _, err := reached(ctx, s.db, reachSetters, who, string(p.Residence), time.Time{}); err != nil {
		return fmt.Errorf("set the programme of %s: %w", p.Residence, err)
	}
	_, err := s.db.ExecContext(ctx, putProgramme, string(p.Residence), p.From.String(), nullDate(p.Until), p.PerHousehold, p.TargetDays, p.Months)
	return done(err, "set the programme of", string(p.Residence))
}
