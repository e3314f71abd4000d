package computers

import (
	"context"
	"database/sql"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Payment is how a household paid.
type Payment string

// The payments.
const (
	Cash     Payment = "cash"
	Card     Payment = "card"
	Transfer Payment = "transfer"
	Cheque   Payment = "cheque"
	NoMoney  Payment = "none" // an exchange, or a price of nothing
)

// Payments lists the payments of a sale.
var Payments = []Payment{Cash, Card, Transfer, Cheque}

// A Sale is a machine that a household bought, or was given in exchange for one
// it had bought.
type Sale struct {
	ID        SaleID
	Machine   MachineID
	Residence metering.SiteID
	Household premises.HouseholdID
	Buyer     accounts.PersonID // a member of the household on that day
	Kind      Kind              // of the machine
	Exchange  SaleID            // the sale whose machine it replaces; empty for a purchase
	// PriceCents was paid; ListCents was the list price of that day. Both are 0
	// for an exchange.
	PriceCents, ListCents int64
	Subsidised            bool // at the programme's list price; a household has a share of these
	Payment               Payment
	ReceiptNo             string // of a year without gaps, as in "2026-0001"
	SoldOn                civil.Date
	SoldBy                accounts.PersonID
	ProgrammeFrom         civil.Date // first day of the programme's guarantee
	ProgrammeMonths       int
	HandedOn              civil.Date // zero where it has not been handed over
	Accessories           string     // handed over with it
	SignedBy              string     // name under the receipt; empty before handover
	Ended                 civil.Date // day of return or exchange; zero where it stands
	EndedWhy              string     // "returned" or "exchanged"; empty where it stands
	ReturnReason          string
	RefundCents           int64
	Guarantee             Guarantee // as of now, repairs included; that of a sale that ended is what it was

	slot int64 // which of the household's subsidised ones it is; 0 for none
}

// An Obliger makes a buyer owe what the programme asks for a subsidised price: a
// training.
type Obliger interface {
	// Oblige is called within the transaction of a subsidised purchase, after the
	// sale is written, and not for an exchange. An error undoes the sale. It must use
	// tx alone, and may be called again for the same machine where the transaction
	// was repeated: what it wrote then was undone.
	Oblige(ctx context.Context, tx *sql.Tx, s Sale) error
}

// An Offer is a sale that is asked for.
type Offer struct {
	Household  premises.HouseholdID
	Buyer      accounts.PersonID
	PriceCents int64
	Subsidised bool
	Payment    Payment
	SoldOn     civil.Date
}

// A Handover is what happens when a machine is given to its buyer.
type Handover struct {
	On          civil.Date
	Accessories string // as in "alimentation, souris"
	SignedBy    string // name under the receipt with the mention of the legal guarantee
}

// A Giveback is a return: the household brings the machine back for good.
type Giveback struct {
	On          civil.Date
	Reason      string
	RefundCents int64 // at most the price
}
