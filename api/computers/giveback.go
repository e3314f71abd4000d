package computers

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const putHandover = `
UPDATE machine_sale
   SET handed_on = $2,
       accessories = $3,
       signed_by = $4
 WHERE id = $1`

// HandOver gives a sold machine to its buyer against a signature under the
// receipt. It fails with [ErrNone], [ErrStep] or a fault of "on".
func (s *Store) HandOver(ctx context.Context, who accounts.PersonID, id MachineID, o Handover, now time.Time) error {
	return s.change(ctx, holdByReaders, "hand over machine", who, id, now, func(h *hand) error {
		if h.State != Sold {
			return ErrStep
		}
		on, err := h.day(ctx, "on", o.On)
		if err != nil {
			return err
		}
		sold, err := standing(ctx, h.tx, h.ID)
		if err != nil {
			return err
		}
		if on.Before(sold.SoldOn) {
			return fault("on", ErrHandedOn.Message)
		}
		if _, err := h.tx.ExecContext(ctx, putHandover, string(sold.ID), on.String(), o.Accessories, o.SignedBy); err != nil {
			return err
		}
		return h.step(ctx, HandedOver, InUse, on, string(sold.ID), "")
	})
}

// A refund for a machine that was given in exchange stands in a column of its own:
// its sale has no price.
const endSale = `
UPDATE machine_sale
   SET ended_on = $2,
       ended_why = $3,
       return_reason = $4,
       refund_cents = CASE WHEN exchange_of IS NULL THEN $5 ELSE 0 END,
       exchange_refund_cents = CASE WHEN exchange_of IS NULL THEN 0 ELSE $5 END
 WHERE id = $1
   AND ended_on IS NULL`

// What a household paid for a machine and for those it replaces, less what it got
// back already.
const paidFor = `
WITH RECURSIVE chain (id, exchange_of, cents) AS (
    SELECT machine_sale.id, machine_sale.exchange_of, machine_sale.price_cents - machine_sale.refund_cents - machine_sale.exchange_refund_cents
      FROM machine_sale
     WHERE machine_sale.id = $1
     UNION ALL
    SELECT machine_sale.id, machine_sale.exchange_of, machine_sale.price_cents - machine_sale.refund_cents - machine_sale.exchange_refund_cents
      FROM machine_sale
      JOIN chain ON machine_sale.id = chain.exchange_of
)
SELECT SUM(cents)
  FROM chain`

// TakeBack takes a machine back for good. Whoever gives money back must sell, and
// gives at most what the household paid: for the first of its machines, where this
// one was given in exchange. It
// fails with [ErrNone], [ErrStep], [ErrTicketOpen] or faults of "on" and
// "refund_cents".
func (s *Store) TakeBack(ctx context.Context, who accounts.PersonID, id MachineID, g Giveback, now time.Time) error {
	query := holdByReaders
	if g.RefundCents > 0 {
		query = holdBySellers
	}
	return s.change(ctx, query, "take back machine", who, id, now, func(h *hand) error {
		if !Leads(TakenBack, h.State, Returned) {
			return ErrStep
		}
		on, err := h.day(ctx, "on", g.On)
		if err != nil {
			return err
		}
		sold, err := standing(ctx, h.tx, h.ID)
		if err != nil {
			return err
		}
		paid, err := one(ctx, h.tx, scanCount, paidFor, string(sold.ID))
		switch {
		case err != nil:
			return err
		case on.Before(sold.SoldOn), on.Before(sold.HandedOn):
			return fault("on", ErrHandedOn.Message)
		case g.RefundCents > paid:
			return fault("refund_cents", "computers.refund_too_high", paid)
		}
		if err := noTicket(ctx, h); err != nil {
			return err
		}
		if err := h.endSale(ctx, sold.ID, on, "returned", g.Reason, g.RefundCents); err != nil {
			return err
		}
		h.beginCycle()
		return h.step(ctx, TakenBack, Returned, on, string(sold.ID), "")
	})
}

func (h *hand) endSale(ctx context.Context, id SaleID, on civil.Date, why, reason string, refund int64) error {
	_, err := h.tx.ExecContext(ctx, endSale, string(id), on.String(), why, reason, refund)
	return err
}

// beginCycle makes what was wiped, tested and graded count no more.
func (h *hand) beginCycle() {
	h.Cycle++
	h.GradeAppearance, h.GradeFunction = "", ""
}
