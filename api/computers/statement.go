package computers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Statement is what a workshop did in a month and what the landlord owes it.
type Statement struct {
	Residence  metering.SiteID
	Month      civil.Month
	Lines      []StatementLine // by date and tag
	TotalCents int64           // of the lines that have a price
	Unpriced   int             // lines without a price that day
}

// A StatementLine is one service on one machine.
type StatementLine struct {
	On     civil.Date
	Tag    string
	What   Priced
	Cents  int64
	Priced bool // false where no price held that day
}

// A service is done when a machine becomes ready the first time in a cycle, when a
// repair has an outcome, when a machine ends. $1 is the residence.
const services = `
SELECT machine_event.on_date AS on_date, machine.tag AS tag, 'refurbish' AS what, machine_event.at_ms AS at_ms
  FROM machine_event
  JOIN machine ON machine.id = machine_event.machine_id
 WHERE machine.residence_id = $1
   AND machine_event.what = 'moved'
   AND machine_event.state = 'ready'
   AND NOT EXISTS (SELECT 1
                     FROM machine_event AS earlier
                    WHERE earlier.machine_id = machine_event.machine_id
                      AND earlier.number < machine_event.number
                      AND earlier.what = 'moved'
                      AND earlier.state = 'ready'
                      AND NOT EXISTS (SELECT 1
                                        FROM machine_event AS back
                                       WHERE back.machine_id = machine_event.machine_id
                                         AND back.number > earlier.number
                                         AND back.number < machine_event.number
                                         AND back.what IN ('taken_back', 'exchanged_for')))
 UNION ALL
SELECT repair_step.on_date, machine.tag, 'repair', repair_step.at_ms
  FROM repair_step
  JOIN repair_ticket ON repair_ticket.id = repair_step.ticket_id
  JOIN machine ON machine.id = repair_ticket.machine_id
 WHERE machine.residence_id = $1
   AND repair_step.state IN ('repaired', 'replaced')
 UNION ALL
SELECT machine_event.on_date, machine.tag, 'recycle', machine_event.at_ms
  FROM machine_event
  JOIN machine ON machine.id = machine_event.machine_id
 WHERE machine.residence_id = $1
   AND machine_event.what = 'moved'
   AND machine_event.state = 'recycled'`

// A month that is over has been issued and does not change: what is written down
// after it stands in the statement of the month in which it was written.
const statementLines = `
SELECT done.on_date, done.tag, done.what
  FROM (` + services + `) AS done
 WHERE done.on_date < $3
   AND done.at_ms < $5
   AND (done.on_date >= $2 OR done.at_ms >= $4)
 ORDER BY 1, 2, 3`

// Statement works out a month, or fails with [ErrNone]. Once the month is over it
// stays as it is, but for lines that had no price: see [Store.SetPrice].
func (s *Store) Statement(ctx context.Context, who accounts.PersonID, residence metering.SiteID, month civil.Month) (Statement, error) {
	st := Statement{Residence: residence, Month: month}
	r, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{})
	if err == nil {
		first, next := month.First(), month.Next().First()
		st.Lines, err = several(ctx, s.db, scanLine, statementLines, string(residence), first.String(), next.String(),
			sqldb.Ms(first.Start(r.zone)), sqldb.Ms(next.Start(r.zone)))
	}
	if err != nil {
		return Statement{}, fmt.Errorf("statement of %s for %s: %w", residence, month, err)
	}
	for i := range st.Lines {
		line := &st.Lines[i]
		line.Cents, err = priceOn(ctx, s.db, residence, line.What, line.On)
		switch {
		case errors.Is(err, ErrNoPrice):
			st.Unpriced++
		case err != nil:
			return Statement{}, fmt.Errorf("statement of %s for %s: %w", residence, month, err)
		default:
			line.Priced = true
			st.TotalCents += line.Cents
		}
	}
	return st, nil
}

func scanLine(rows *sql.Rows) (l StatementLine, err error) {
	var on string
	if err = rows.Scan(&on, &l.Tag, &l.What); err != nil {
		return l, err
	}
	return l, dates(dated{on, &l.On})
}

// A Ledger is the money of the days [From, To), from sales alone. It names nobody.
type Ledger struct {
	Residence                       metering.SiteID
	From, To                        civil.Date
	SoldUsed, SoldNew               int   // purchases, exchanges apart
	RevenueUsed, RevenueNew         int64 // cents
	Subsidised                      int   // of those sold
	Exchanges, Returns              int
	RefundCents                     int64 // given back, on the day of return
	BoughtUsed, BoughtNew           int   // machines taken in
	BoughtUsedCents, BoughtNewCents int64 // paid for them
}

const findLedger = `
SELECT COALESCE(SUM(CASE WHEN exchange_of IS NULL AND kind = 'used' AND sold_on >= $2 AND sold_on < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN exchange_of IS NULL AND kind = 'new' AND sold_on >= $2 AND sold_on < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN kind = 'used' AND sold_on >= $2 AND sold_on < $3 THEN price_cents ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN kind = 'new' AND sold_on >= $2 AND sold_on < $3 THEN price_cents ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN exchange_of IS NULL AND sold_on >= $2 AND sold_on < $3 THEN subsidised ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN exchange_of IS NOT NULL AND sold_on >= $2 AND sold_on < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN ended_why = 'returned' AND ended_on >= $2 AND ended_on < $3 THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN ended_on >= $2 AND ended_on < $3 THEN refund_cents + exchange_refund_cents ELSE 0 END), 0)
  FROM machine_sale
 WHERE residence_id = $1`

const findBought = `
SELECT COALESCE(SUM(CASE WHEN kind = 'used' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN kind = 'new' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN kind = 'used' THEN cost_cents ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN kind = 'new' THEN cost_cents ELSE 0 END), 0)
  FROM machine
 WHERE residence_id = $1
   AND received_on >= $2
   AND received_on < $3`

// Ledger sums the money of a residence's machines, or fails with [ErrNone].
func (s *Store) Ledger(ctx context.Context, who accounts.PersonID, residence metering.SiteID, from, to civil.Date) (Ledger, error) {
	l := Ledger{Residence: residence, From: from, To: to}
	_, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{})
	if err == nil {
		err = s.db.QueryRowContext(ctx, findLedger, string(residence), from.String(), to.String()).Scan(&l.SoldUsed, &l.SoldNew,
			&l.RevenueUsed, &l.RevenueNew, &l.Subsidised, &l.Exchanges, &l.Returns, &l.RefundCents)
	}
	if err == nil {
		err = s.db.QueryRowContext(ctx, findBought, string(residence), from.String(), to.String()).Scan(&l.BoughtUsed, &l.BoughtNew,
			&l.BoughtUsedCents, &l.BoughtNewCents)
	}
	if err != nil {
		return Ledger{}, fmt.Errorf("ledger of %s: %w", residence, err)
	}
	return l, nil
}

// A RegisterLine is one machine in the register of intakes.
type RegisterLine struct {
	RegisterNo string
	On         civil.Date
	Donor, Lot string
	CostCents  int64
	Tag        string
	Kind       Kind
	Maker      string
	Model      string
	Serial     string
}

const registerLines = `
SELECT register_no, received_on, donor, lot, cost_cents, tag, kind, maker, model, serial
  FROM machine
 WHERE residence_id = $1
   AND received_on >= $2
   AND received_on < $3
 ORDER BY received_on, register_no`

// Register lists what was taken in on the days [from, to), for the register that
// the law asks for; or fails with [ErrNone]. Lines are never changed once made.
func (s *Store) Register(ctx context.Context, who accounts.PersonID, residence metering.SiteID, from, to civil.Date) ([]RegisterLine, error) {
	_, err := reached(ctx, s.db, reachOverseers, who, string(residence), time.Time{})
	var all []RegisterLine
	if err == nil {
		all, err = several(ctx, s.db, func(rows *sql.Rows) (l RegisterLine, err error) {
			var on string
			if err = rows.Scan(&l.RegisterNo, &on, &l.Donor, &l.Lot, &l.CostCents, &l.Tag, &l.Kind, &l.Maker, &l.Model, &l.Serial); err != nil {
				return l, err
			}
			return l, dates(dated{on, &l.On})
		}, registerLines, string(residence), from.String(), to.String())
	}
	if err != nil {
		return nil, fmt.Errorf("register of %s: %w", residence, err)
	}
	return all, nil
}
