package computers

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// mostLate is how long after its day a sale may be written down, in days.
const mostLate = 31

// mostReserved is how far ahead a reservation may reach, in days.
const mostReserved = 60

// Reserve keeps a ready machine for a household of the programme, until the end of
// a day. It fails with [ErrNone], [ErrStep], [ErrProgramme] or a fault of
// "until"; where there is no such household for the seller, with
// "household.none".
func (s *Store) Reserve(ctx context.Context, who accounts.PersonID, id MachineID, household premises.HouseholdID, until civil.Date, now time.Time) error {
	if err := s.look(ctx, who, household, ReservedForHousehold, now); err != nil {
		return err
	}
	return s.change(ctx, holdBySellers, "reserve machine", who, id, now, func(h *hand) error {
		if until.Before(h.today) || h.today.AddDays(mostReserved).Before(until) {
			return fault("until", "computers.until_range", mostReserved)
		}
		if _, err := programmeOn(ctx, h.tx, h.Residence, household, h.today); err != nil {
			return err
		}
		h.reservedFor, h.ReservedUntil = household, until
		return h.step(ctx, ReservedFor, Reserved, h.today, "", "")
	})
}

// look writes down what somebody is about to do for the household, which must be
// one that the seller may see.
func (s *Store) look(ctx context.Context, who accounts.PersonID, household premises.HouseholdID, what premises.What, now time.Time) error {
	return s.homes.Look(ctx, premises.Look{At: now, Staff: who, Household: household, What: what})
}

// Release gives a reservation up. It fails with [ErrNone] or [ErrStep].
func (s *Store) Release(ctx context.Context, who accounts.PersonID, id MachineID, now time.Time) error {
	return s.change(ctx, holdBySellers, "release machine", who, id, now, func(h *hand) error {
		if h.State != Reserved {
			return ErrStep
		}
		h.reservedFor, h.ReservedUntil = "", civil.Date{}
		return h.step(ctx, ReleasedHold, Ready, h.today, "", "")
	})
}

const takenSlots = `
SELECT machine_sale.slot
  FROM machine_sale
 WHERE machine_sale.household_id = $1
   AND machine_sale.ended_on IS NULL
   AND machine_sale.slot IS NOT NULL`

const lastEnd = `
SELECT COALESCE(MAX(machine_sale.ended_on), '')
  FROM machine_sale
 WHERE machine_sale.machine_id = $1`

const putSale = `
INSERT INTO machine_sale (id, machine_id, residence_id, household_id, buyer_id, kind, exchange_of, price_cents, list_cents, subsidised,
                          slot, payment, receipt_no, sold_on, sold_by, programme_from, programme_months, handed_on, accessories,
                          signed_by, return_reason, refund_cents)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, '', 0)`

const endWait = `
UPDATE machine_wait
   SET ended_ms = $3,
       ended_why = $4
 WHERE household_id = $1
   AND residence_id = $2
   AND ended_ms IS NULL`

// Sell sells a ready machine, or one that is reserved for the household, to a
// household of the programme. At the list price of the day it is subsidised, whatever
// the offer says, and obliges the buyer; otherwise it costs more. The day is at
// most 31 days back, and the buyer is of the household on it and today. It fails with [ErrNone],
// "household.none", [ErrStep], [ErrReserved], [ErrProgramme], [ErrBuyer],
// [ErrSecond], [ErrNoPrice], [ErrPrice], what the machine lacks, a fault of
// "sold_on", or what the obliger says; then nothing is stored.
func (s *Store) Sell(ctx context.Context, who accounts.PersonID, id MachineID, o Offer, now time.Time) (Sale, error) {
	if err := s.look(ctx, who, o.Household, SoldToHousehold, now); err != nil {
		return Sale{}, err
	}
	var sold Sale
	err := s.change(ctx, holdBySellers, "sell machine", who, id, now, func(h *hand) error {
		var err error
		if o.SoldOn, err = h.day(ctx, "sold_on", o.SoldOn); err != nil {
			return err
		}
		if o.SoldOn.Before(h.today.AddDays(-mostLate)) {
			return fault("sold_on", "computers.sale_too_late", mostLate)
		}
		if err := s.sellable(ctx, h, o); err != nil {
			return err
		}
		if sold, err = h.priced(ctx, o); err != nil {
			return err
		}
		return s.conclude(ctx, h, &sold)
	})
	sold.Guarantee = GuaranteeOf(sold.ProgrammeFrom, sold.ProgrammeMonths, civil.Date{}, 0)
	return sold, err
}

// sellable holds that the machine may be sold to the household on that day.
func (s *Store) sellable(ctx context.Context, h *hand, o Offer) error {
	switch {
	case !Leads(SoldTo, h.State, Sold):
		return ErrStep
	case h.State == Reserved && h.reservedFor != o.Household:
		return ErrReserved
	}
	sh := Sheet{Machine: h.Machine}
	if err := s.fill(ctx, &sh, h.tx); err != nil {
		return err
	}
	if err := guard(sh, Ready); err != nil {
		return err
	}
	ended, err := one(ctx, h.tx, text, lastEnd, string(h.ID))
	if err != nil {
		return err
	}
	if o.SoldOn.String() < ended {
		return fault("sold_on", "computers.before_return")
	}
	if err := provenBy(sh, "sold_on", o.SoldOn); err != nil {
		return err
	}
	if err := noTicket(ctx, h); err != nil {
		return err
	}
	if err := h.belongs(ctx, o, o.SoldOn); err != nil {
		return err
	}
	return h.belongs(ctx, o, h.today)
}

// priced makes a sale of an offer at the prices and terms of its day.
func (h *hand) priced(ctx context.Context, o Offer) (Sale, error) {
	t, err := programmeOn(ctx, h.tx, h.Residence, o.Household, o.SoldOn)
	if err != nil {
		return Sale{}, err
	}
	list, err := priceOn(ctx, h.tx, h.Residence, PriceOf(h.Kind), o.SoldOn)
	if err != nil {
		return Sale{}, err
	}
	if o.Subsidised && o.PriceCents != list || o.PriceCents < list {
		return Sale{}, ErrPrice
	}
	o.Subsidised = o.PriceCents == list // whatever is ticked: the share and the training are owed for the price
	sold := Sale{ID: SaleID(newID()), Machine: h.ID, Residence: h.Residence, Household: o.Household, Buyer: o.Buyer, Kind: h.Kind,
		PriceCents: o.PriceCents, ListCents: list, Subsidised: o.Subsidised, Payment: o.Payment, SoldOn: o.SoldOn, SoldBy: h.who,
		ProgrammeFrom: o.SoldOn, ProgrammeMonths: t.months}
	if sold.Subsidised {
		sold.slot, err = freeSlot(ctx, h.tx, o.Household, t.perHousehold)
	}
	return sold, err
}

func freeSlot(ctx context.Context, tx *sql.Tx, household premises.HouseholdID, most int) (int64, error) {
	taken, err := several(ctx, tx, func(rows *sql.Rows) (slot int64, err error) { return slot, rows.Scan(&slot) }, takenSlots, string(household))
	if err != nil {
		return 0, err
	}
	for slot := int64(1); slot <= int64(most); slot++ {
		if !slices.Contains(taken, slot) {
			return slot, nil
		}
	}
	return 0, ErrSecond
}

// conclude writes the sale with its receipt and its duties.
func (s *Store) conclude(ctx context.Context, h *hand, sold *Sale) error {
	h.reservedFor, h.ReservedUntil = "", civil.Date{}
	if err := h.putSale(ctx, sold); err != nil {
		return err
	}
	if _, err := h.tx.ExecContext(ctx, endWait, string(sold.Household), string(sold.Residence), sqldb.Ms(h.now), "sold"); err != nil {
		return err
	}
	if err := h.step(ctx, SoldTo, Sold, sold.SoldOn, string(sold.ID), ""); err != nil {
		return err
	}
	if s.obliger == nil || !sold.Subsidised {
		return nil
	}
	if err := s.obliger.Oblige(ctx, h.tx, *sold); err != nil {
		return fmt.Errorf("oblige the buyer: %w", err)
	}
	return nil
}

// putSale writes a sale and gives it the next receipt of its year.
func (h *hand) putSale(ctx context.Context, sold *Sale) error {
	n, err := number(ctx, h.tx, fmt.Sprintf("receipt-%04d", sold.SoldOn.Year))
	if err != nil {
		return err
	}
	sold.ReceiptNo = fmt.Sprintf("%04d-%04d", sold.SoldOn.Year, n)
	subsidised := 0
	if sold.Subsidised {
		subsidised = 1
	}
	_, err = h.tx.ExecContext(ctx, putSale, string(sold.ID), string(sold.Machine), string(sold.Residence), string(sold.Household),
		string(sold.Buyer), string(sold.Kind), nullText(string(sold.Exchange)), sold.PriceCents, sold.ListCents, subsidised,
		sql.NullInt64{Int64: sold.slot, Valid: sold.slot > 0}, string(sold.Payment), sold.ReceiptNo, sold.SoldOn.String(), string(sold.SoldBy),
		sold.ProgrammeFrom.String(), sold.ProgrammeMonths, nullDate(sold.HandedOn), sold.Accessories, sold.SignedBy)
	return err
}
