package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
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
	// At is when it is set, zero for the clock's now; lists leave it zero. Seen is the
	// version of the list that the sender saw, 0 for whichever.
	At   time.Time
	Seen int64
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
func priceOn(ctx context.Context, db sqldb.Querier, r metering.SiteID, what Priced, on civil.Date) (int64, error) {
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

const pricesVersion = `
SELECT COALESCE(MAX(number), 1)
  FROM workshop_price_change
 WHERE residence_id = $1`

// PricesVersion is the version of a residence's prices, from 1 on, or [ErrNone].
func (s *Store) PricesVersion(ctx context.Context, who accounts.PersonID, residence metering.SiteID) (int64, error) {
	_, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{})
	var version int64
	if err == nil {
		version, err = one(ctx, s.db, scanCount, pricesVersion, string(residence))
	}
	if err != nil {
		return 0, fmt.Errorf("prices of %s: %w", residence, err)
	}
	return version, nil
}

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

// A line that a price of that day has priced, on the days from $3 to the next price:
// a service, or a machine that was sold.
const pricedLine = `
SELECT line.on_date
  FROM (SELECT done.on_date AS on_date
          FROM (` + services + `) AS done
         WHERE done.what = $2
         UNION ALL
        SELECT machine_sale.sold_on
          FROM machine_sale
         WHERE machine_sale.residence_id = $1
           AND machine_sale.kind = $2
           AND machine_sale.exchange_of IS NULL) AS line
 WHERE line.on_date >= $3
   AND line.on_date < (SELECT COALESCE(MIN(later.from_date), '9999-12-31')
                         FROM workshop_price AS later
                        WHERE later.residence_id = $1
                          AND later.what = $2
                          AND later.from_date > $3)
   AND EXISTS (SELECT 1
                 FROM workshop_price AS known
                WHERE known.residence_id = $1
                  AND known.what = $2
                  AND known.from_date <= $3)
 ORDER BY 1 DESC
 LIMIT 1`

const priceFrom = `
SELECT workshop_price.price_cents
  FROM workshop_price
 WHERE workshop_price.residence_id = $1
   AND workshop_price.what = $2
   AND workshop_price.from_date = $3`

const putPriceChange = `
INSERT INTO workshop_price_change (residence_id, number, what, from_date, price_cents, was_cents, at_ms, by_whom)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

// SetPrice sets a price from a day on, which may lie ahead, and keeps who set it. A
// price that was counted with stays: the day must come after the last line that it
// would change; a line without a price gets one. To set what is set already is to
// do nothing. It fails with [ErrNone], [resource.ErrStale] or a fault of "from".
func (s *Store) SetPrice(ctx context.Context, who accounts.PersonID, residence metering.SiteID, p Price) error {
	if p.At.IsZero() {
		p.At = time.Now()
	}
	err := soundDay("from", p.From)
	if err == nil {
		err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
			if _, err := reached(ctx, tx, reachSetters, who, string(residence), time.Time{}); err != nil {
				return err
			}
			return changePrice(ctx, tx, who, residence, p)
		})
	}
	return done(err, "set a price of", string(residence))
}

func changePrice(ctx context.Context, tx *sql.Tx, who accounts.PersonID, residence metering.SiteID, p Price) error {
	version, err := one(ctx, tx, scanCount, pricesVersion, string(residence))
	if err != nil {
		return err
	}
	if p.Seen != 0 && p.Seen != version {
		return resource.ErrStale
	}
	var was sql.NullInt64
	before, err := several(ctx, tx, scanCount, priceFrom, string(residence), string(p.What), p.From.String())
	switch {
	case err != nil:
		return err
	case len(before) > 0 && before[0] == p.Cents:
		return nil
	case len(before) > 0:
		was = sql.NullInt64{Int64: before[0], Valid: true}
	}
	counted, err := several(ctx, tx, text, pricedLine, string(residence), string(p.What), p.From.String())
	switch {
	case err != nil:
		return err
	case len(counted) > 0:
		return fault("from", "computers.price_counted", counted[0])
	}
	if _, err := tx.ExecContext(ctx, putPrice, string(residence), string(p.What), p.From.String(), p.Cents); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, putPriceChange, string(residence), version+1, string(p.What), p.From.String(), p.Cents, was, sqldb.Ms(p.At), string(who))
	return err
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
	// Version is that of the terms; where they are set, the one that is to be changed,
	// 0 for whichever, -1 where there are none yet.
	Version int64
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
       version = computer_programme.version + 1
 WHERE $7 = 0
    OR computer_programme.version = $7`

// SetProgramme makes the programme of a residence, or changes it: what was sold
// keeps the terms of its day. It fails with [ErrNone], with [resource.ErrStale]
// where the terms have another version, or with faults of "from" and "until".
func (s *Store) SetProgramme(ctx context.Context, who accounts.PersonID, p Programme) error {
	_, err := reached(ctx, s.db, reachSetters, who, string(p.Residence), time.Time{})
	if err == nil {
		err = errors.Join(soundDay("from", p.From), soundDay("until", p.Until))
	}
	if err != nil {
		return fmt.Errorf("set the programme of %s: %w", p.Residence, err)
	}
	changed, err := s.db.ExecContext(ctx, putProgramme, string(p.Residence), p.From.String(), nullDate(p.Until), p.PerHousehold, p.TargetDays, p.Months, p.Version)
	if err == nil {
		var n int64
		if n, err = changed.RowsAffected(); err == nil && n == 0 {
			err = resource.ErrStale
		}
	}
	return done(err, "set the programme of", string(p.Residence))
}
