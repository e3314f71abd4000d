package computers

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Stock is what a residence's workshop has on the shelf. It names nobody.
type Stock struct {
	Residence metering.SiteID
	On        civil.Date
	ByState   map[State]int // every state
	ReadyUsed int           // used machines that are free to be sold
	ReadyNew  int
	Waiting   int // households on the waiting list
	// SoldWeeks are the weeks that sales are counted over, SoldUsed the used machines
	// sold in them.
	SoldWeeks, SoldUsed int
	// CoverTenths says how long the free used machines last at that pace, in tenths
	// of a week; -1 where none was sold, so that no pace is known.
	CoverTenths int
	// Alert: they last less than a month, or fewer are free than households wait.
	Alert bool
	// SoldEver and UsedEver tell how many of all sales were of used machines; Failed
	// how many machines were brought for repair or back within 3 months.
	SoldEver, UsedEver, Failed int
}

// EnoughTenths is for how long the machines on the shelf are to last, a month, in
// tenths of a week.
const EnoughTenths = 43

const stockWeeks = 13 // a quarter: shorter, one busy week would hide the next empty shelf

const countStates = `
SELECT machine.state, machine.kind, COUNT(*)
  FROM machine
 WHERE machine.residence_id = $1
 GROUP BY machine.state, machine.kind`

const countStock = `
SELECT (SELECT COUNT(*)
          FROM machine_sale
         WHERE residence_id = $1
           AND exchange_of IS NULL
           AND kind = 'used'
           AND sold_on > $2
           AND sold_on <= $3),
       (SELECT COUNT(*)
          FROM machine_sale
         WHERE residence_id = $1
           AND exchange_of IS NULL),
       (SELECT COUNT(*)
          FROM machine_sale
         WHERE residence_id = $1
           AND exchange_of IS NULL
           AND kind = 'used'),
       (SELECT COUNT(*)
          FROM machine_wait
         WHERE residence_id = $1
           AND ended_ms IS NULL)`

// Whether something came back within 3 months is a matter of days of the month,
// which is reckoned in Go.
const earlyTrouble = `
SELECT machine_sale.sold_on, COALESCE(machine_sale.handed_on, ''),
       COALESCE(CASE WHEN machine_sale.ended_why = 'returned' THEN machine_sale.ended_on END, ''),
       COALESCE((SELECT MIN(repair_ticket.opened_on)
                   FROM repair_ticket
                  WHERE repair_ticket.sale_id = machine_sale.id), '')
  FROM machine_sale
 WHERE machine_sale.residence_id = $1
   AND (machine_sale.ended_why = 'returned'
    OR EXISTS (SELECT 1
                 FROM repair_ticket
                WHERE repair_ticket.sale_id = machine_sale.id))`

// Stock counts what a residence's workshop has, or fails with [ErrNone].
func (s *Store) Stock(ctx context.Context, who accounts.PersonID, residence metering.SiteID, now time.Time) (Stock, error) {
	r, err := reached(ctx, s.db, reachOverseers, who, string(residence), now)
	if err == nil {
		err = s.ExpireHolds(ctx, now)
	}
	if err != nil {
		return Stock{}, fmt.Errorf("stock of %s: %w", residence, err)
	}
	st := Stock{Residence: residence, On: r.today, ByState: map[State]int{}, SoldWeeks: stockWeeks}
	if err := s.countStates(ctx, &st); err != nil {
		return Stock{}, fmt.Errorf("stock of %s: %w", residence, err)
	}
	since := r.today.AddDays(-7 * stockWeeks)
	err = s.db.QueryRowContext(ctx, countStock, string(residence), since.String(), r.today.String()).Scan(&st.SoldUsed, &st.SoldEver, &st.UsedEver, &st.Waiting)
	if err == nil {
		st.Failed, err = s.failedEarly(ctx, residence)
	}
	if err != nil {
		return Stock{}, fmt.Errorf("stock of %s: %w", residence, err)
	}
	st.CoverTenths, st.Alert = cover(st.ReadyUsed, st.SoldUsed), st.ReadyUsed < st.Waiting
	if st.CoverTenths >= 0 && st.CoverTenths < EnoughTenths {
		st.Alert = true
	}
	return st, nil
}

// cover is how long ready machines last, in tenths of a week.
func cover(ready, sold int) int {
	if sold == 0 {
		return -1
	}
	return int(math.Floor(float64(10*ready*stockWeeks) / float64(sold)))
}

func (s *Store) countStates(ctx context.Context, st *Stock) error {
	for _, state := range States {
		st.ByState[state] = 0
	}
	rows, err := s.db.QueryContext(ctx, countStates, string(st.Residence))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state State
		var kind Kind
		var n int
		if err := rows.Scan(&state, &kind, &n); err != nil {
			return err
		}
		st.ByState[state] += n
		switch {
		case state == Ready && kind == Used:
			st.ReadyUsed = n
		case state == Ready:
			st.ReadyNew = n
		}
	}
	return rows.Err()
}

// earlyMonths is within how many months a repair or a return speaks of the
// workshop's quality.
const earlyMonths = 3

func (s *Store) failedEarly(ctx context.Context, residence metering.SiteID) (int, error) {
	type trouble struct{ since, back, ticket civil.Date }
	all, err := several(ctx, s.db, func(rows *sql.Rows) (t trouble, err error) {
		var sold, handed, back, ticket string
		if err = rows.Scan(&sold, &handed, &back, &ticket); err != nil {
			return t, err
		}
		if handed == "" {
			handed = sold
		}
		return t, dates(dated{handed, &t.since}, dated{back, &t.back}, dated{ticket, &t.ticket})
	}, earlyTrouble, string(residence))
	failed := 0
	for _, t := range all {
		end := addMonths(t.since, earlyMonths)
		early := func(d civil.Date) bool { return !d.IsZero() && !end.Before(d) }
		if early(t.back) || early(t.ticket) {
			failed++
		}
	}
	return failed, err
}
