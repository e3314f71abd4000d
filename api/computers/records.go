package computers

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Records are what is held of households: for who writes their archive, who
// erases what they want erased, and who forgets what has been kept long enough.
type Records struct {
	Store *Store
	Now   func() time.Time
}

var (
	_ consent.Holder    = Records{}
	_ consent.Forgetter = Records{}
)

// receiptYears is how long the law of accounts wants receipts kept, from the end
// of the year that they belong to (code de commerce, L.123-22).
const receiptYears = 10

// heldJSON is the file of the archive.
type heldJSON struct {
	Machines []heldMachineJSON `json:"machines"`
	Waits    []waitJSON        `json:"waiting_list"`
}

// A heldMachineJSON is a machine as its household sees it, with what stands on the
// receipt.
type heldMachineJSON struct {
	ownJSON
	PriceCents  int64       `json:"price_cents"`
	Payment     Payment     `json:"payment"`
	Accessories string      `json:"accessories"`
	SignedBy    string      `json:"signed_by"`
	EndedOn     *civil.Date `json:"ended_on,omitempty"`
	Returned    string      `json:"return_reason"`
	RefundCents int64       `json:"refund_cents"`
}

const everySaleOf = saleWhole + `machine_sale.household_id = $1
   AND (machine_sale.ended_on IS NULL OR machine_sale.ended_on >= $2)
 ORDER BY machine_sale.sold_on, machine_sale.id`

const everyWaitOf = `
SELECT machine_wait.id, machine_wait.residence_id, machine_wait.household_id, machine_wait.kind, machine_wait.asked_on, '', '', '', ''
  FROM machine_wait
 WHERE machine_wait.household_id = $1
   AND (machine_wait.ended_ms IS NULL OR machine_wait.asked_on >= $2)
 ORDER BY machine_wait.asked_on, machine_wait.id`

// Held implements [consent.Holder]: the machines that the household has, or had
// on that day or later, with their receipts, guarantees and repairs, and its
// places in the waiting list.
func (r Records) Held(ctx context.Context, household premises.HouseholdID, since civil.Date) (map[string]any, error) {
	sales, err := several(ctx, r.Store.db, scanSale, everySaleOf, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("sales to household %s: %w", household, err)
	}
	held := heldJSON{Machines: []heldMachineJSON{}, Waits: []waitJSON{}}
	for _, sold := range sales {
		own, err := r.Store.own(ctx, sold, since, r.Now())
		if err != nil {
			return nil, fmt.Errorf("machine of sale %s: %w", sold.ID, err)
		}
		held.Machines = append(held.Machines, heldMachineJSON{shapeOwn(own), sold.PriceCents, sold.Payment, sold.Accessories, sold.SignedBy,
			dateOrNil(sold.Ended), sold.ReturnReason, sold.RefundCents})
	}
	waits, err := several(ctx, r.Store.db, scanWait, everyWaitOf, string(household), since.String())
	if err != nil {
		return nil, fmt.Errorf("waiting list of household %s: %w", household, err)
	}
	for _, w := range waits {
		held.Waits = append(held.Waits, shapeWait(w))
	}
	return map[string]any{"ordinateurs.json": held}, nil
}

// What an erasure takes: words that people wrote about repairs and returns that
// are over, and places in the waiting list that are. Receipts stay, and what a
// guarantee that runs or a repair that is open needs.
var forgetOf = []string{`
UPDATE repair_step
   SET note = ''
 WHERE ticket_id IN (SELECT repair_ticket.id
                       FROM repair_ticket
                       JOIN machine_sale ON machine_sale.id = repair_ticket.sale_id
                      WHERE machine_sale.household_id = $1
                        AND repair_ticket.state = 'closed')`, `
UPDATE repair_ticket
   SET problem = '–'
 WHERE state = 'closed'
   AND sale_id IN (SELECT id FROM machine_sale WHERE household_id = $1)`, `
UPDATE machine_sale
   SET return_reason = ''
 WHERE household_id = $1
   AND ended_on IS NOT NULL`, `
DELETE FROM machine_wait
 WHERE household_id = $1
   AND ended_ms IS NOT NULL`}

// Forget implements [consent.Forgetter]: where a household has all of its data
// erased, what it wrote about computers goes too, but for what must stay.
func (r Records) Forget(ctx context.Context, e consent.Erasure) error {
	if e.What != consent.All {
		return nil
	}
	return sqldb.InTx(ctx, r.Store.db, func(tx *sql.Tx) error {
		for _, statement := range forgetOf {
			if _, err := tx.ExecContext(ctx, statement, string(e.Household)); err != nil {
				return fmt.Errorf("erase computers of household %s: %w", e.Household, err)
			}
		}
		return nil
	})
}

const forgetBuyers = `
UPDATE machine_sale
   SET household_id = 'erased-' || id,
       buyer_id = 'erased',
       signed_by = CASE WHEN signed_by = '' THEN '' ELSE '–' END,
       return_reason = ''
 WHERE sold_on < $1
   AND (ended_on IS NULL OR ended_on < $1)
   AND buyer_id <> 'erased'`

const forgetChecks = `
DELETE FROM registration_check
 WHERE at_ms < $1`

// checkYears is how long a registration check stays in the log.
const checkYears = 1

// Expire forgets who bought what, ten years after the end of the year of the sale,
// and registration checks after a year; the sums of the ledger stay. It returns
// how many sales name nobody any more. Done twice, it is done once.
func (r Records) Expire(ctx context.Context) (int64, error) {
	now := r.Now().UTC()
	before := civil.Date{Year: now.Year() - receiptYears, Month: time.January, Day: 1}
	done, err := r.Store.db.ExecContext(ctx, forgetBuyers, before.String())
	if err != nil {
		return 0, fmt.Errorf("forget the buyers of before %s: %w", before, err)
	}
	if _, err := r.Store.db.ExecContext(ctx, forgetChecks, sqldb.Ms(now.AddDate(-checkYears, 0, 0))); err != nil {
		return 0, fmt.Errorf("forget old registration checks: %w", err)
	}
	return done.RowsAffected()
}
