package programme

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A MoneySide says whether money came in or went out.
type MoneySide string

// The sides of the ledger.
const (
	Revenue MoneySide = "revenue"
	Cost    MoneySide = "cost"
)

// A Category is what a free entry is about.
type Category string

// Categories lists what free entries are about.
var Categories = []Category{"computers", "grant", "internet", "training", "communication", "staff", "other"}

// An Entry is money that no sale, purchase or service of the workshop tells of.
type Entry struct {
	Record
	On       civil.Date `json:"on"`
	Side     MoneySide  `json:"side"`
	Category Category   `json:"category"`
	Cents    int64      `json:"cents"` // above 0, on either side
	Label    string     `json:"label"`
	Source   string     `json:"source"` // the paper it stands on
}

// Check implements [Noun].
func (e *Entry) Check() []problem.Field {
	var f faults
	f.date("on", e.On)
	oneOf(&f, "side", e.Side, []MoneySide{Revenue, Cost})
	oneOf(&f, "category", e.Category, Categories)
	f.number("cents", e.Cents, 1, 100_000_000_000)
	f.text("label", &e.Label, 1, 200)
	f.text("source", &e.Source, 1, 300)
	return f
}

func (*Entry) table() string { return "ledger_entry" }

func (e *Entry) columns() []column {
	return []column{
		{"on_date", e.On.String(), day{&e.On}}, {"side", string(e.Side), &e.Side}, {"category", string(e.Category), &e.Category},
		{"cents", e.Cents, &e.Cents}, {"label", e.Label, &e.Label}, {"source", e.Source, &e.Source},
	}
}

// A Ledger is the money of the days [From, Until), in cents: from sales, purchases
// and the workshop's services as they were recorded, and from free entries.
type Ledger struct {
	From  civil.Date `json:"from"`
	Until civil.Date `json:"until"`

	SoldUsed      int   `json:"sold_used"` // purchases by households, exchanges apart
	SoldNew       int   `json:"sold_new"`
	SoldUsedCents int64 `json:"sold_used_cents"`
	SoldNewCents  int64 `json:"sold_new_cents"`
	RefundCents   int64 `json:"refund_cents"` // given back to households
	OtherRevenue  int64 `json:"other_revenue_cents"`

	BoughtUsed      int   `json:"bought_used"` // machines taken in
	BoughtNew       int   `json:"bought_new"`
	BoughtUsedCents int64 `json:"bought_used_cents"`
	BoughtNewCents  int64 `json:"bought_new_cents"`
	ServiceCents    int64 `json:"service_cents"` // what the workshop's services cost
	Unpriced        int   `json:"unpriced"`      // services without a price that day
	OtherCost       int64 `json:"other_cost_cents"`
}

// RevenueCents is all that came in, less what was given back.
func (l Ledger) RevenueCents() int64 {
	return l.SoldUsedCents + l.SoldNewCents - l.RefundCents + l.OtherRevenue
}

// CostCents is all that went out.
func (l Ledger) CostCents() int64 {
	return l.BoughtUsedCents + l.BoughtNewCents + l.ServiceCents + l.OtherCost
}

// Ledger sums the money of a residence, or of all that an advisor, manager or
// administrator may read where residence is empty. It fails with [ErrNoResidence].
func (s *Store) Ledger(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, from, until civil.Date) (Ledger, error) {
	all, err := places(ctx, s.db, readerRoles, staff, residence)
	if err != nil {
		return Ledger{}, err
	}
	l := Ledger{From: from, Until: until}
	for _, p := range all {
		if err := s.addLedger(ctx, staff, p.ID, &l); err != nil {
			return Ledger{}, fmt.Errorf("ledger of %s: %w", p.ID, err)
		}
	}
	return l, nil
}

const sumEntries = `
SELECT COALESCE(SUM(CASE WHEN side = 'revenue' THEN cents ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN side = 'cost' THEN cents ELSE 0 END), 0)
  FROM ledger_entry
 WHERE residence_id = $1
   AND on_date >= $2
   AND on_date < $3`

func (s *Store) addLedger(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, l *Ledger) error {
	machines := computers.NewStore(s.db, nil)
	m, err := machines.Ledger(ctx, staff, residence, l.From, l.Until)
	if err != nil {
		return err
	}
	l.SoldUsed += m.SoldUsed
	l.SoldNew += m.SoldNew
	l.SoldUsedCents += m.RevenueUsed
	l.SoldNewCents += m.RevenueNew
	l.RefundCents += m.RefundCents
	l.BoughtUsed += m.BoughtUsed
	l.BoughtNew += m.BoughtNew
	l.BoughtUsedCents += m.BoughtUsedCents
	l.BoughtNewCents += m.BoughtNewCents
	var revenue, cost int64
	if err := s.db.QueryRowContext(ctx, sumEntries, string(residence), l.From.String(), l.Until.String()).Scan(&revenue, &cost); err != nil {
		return err
	}
	l.OtherRevenue += revenue
	l.OtherCost += cost
	return s.addServices(ctx, machines, staff, residence, l)
}

// Months in which the workshop did something that may be paid for.
const busyMonths = `
SELECT DISTINCT SUBSTR(on_date, 1, 7)
  FROM (SELECT machine_event.on_date AS on_date
          FROM machine_event
          JOIN machine ON machine.id = machine_event.machine_id
         WHERE machine.residence_id = $1
           AND machine_event.what = 'moved'
           AND machine_event.state IN ('ready', 'recycled')
           AND machine_event.on_date >= $2
           AND machine_event.on_date < $3
         UNION
        SELECT repair_step.on_date
          FROM repair_step
          JOIN repair_ticket ON repair_ticket.id = repair_step.ticket_id
          JOIN machine ON machine.id = repair_ticket.machine_id
         WHERE machine.residence_id = $1
           AND repair_step.state IN ('repaired', 'replaced')
           AND repair_step.on_date >= $2
           AND repair_step.on_date < $3) AS busy
 ORDER BY 1`

// addServices adds the workshop's monthly statements; of a month that the period
// cuts, only the lines of its days.
func (s *Store) addServices(ctx context.Context, machines *computers.Store, staff accounts.PersonID, residence metering.SiteID, l *Ledger) error {
	months, err := several(ctx, s.db, scanText, busyMonths, string(residence), l.From.String(), l.Until.String())
	if err != nil {
		return err
	}
	for _, text := range months {
		month, err := civil.ParseMonth(text)
		if err != nil {
			return err
		}
		st, err := machines.Statement(ctx, staff, residence, month)
		if err != nil {
			return err
		}
		for _, line := range st.Lines {
			switch {
			case line.On.Before(l.From) || !line.On.Before(l.Until):
			case line.Priced:
				l.ServiceCents += line.Cents
			default:
				l.Unpriced++
			}
		}
	}
	return nil
}

// stockOf is what the workshop of a residence has on the shelf today, or false
// where the residence has no workshop that the person may read.
func (s *Store) stockOf(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, now time.Time) (computers.Stock, bool, error) {
	stock, err := computers.NewStore(s.db, nil).Stock(ctx, staff, residence, now)
	if errors.Is(err, computers.ErrNone) {
		return computers.Stock{}, false, nil
	}
	return stock, err == nil, err
}
