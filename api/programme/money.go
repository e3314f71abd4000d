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
	m, err := computers.NewStore(s.db, nil).Ledger(ctx, staff, residence, l.From, l.Until)
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
	return s.addServices(ctx, residence, l)
}

// Services are what the workshop's monthly statements count: a machine that becomes
// ready the first time in a cycle, a repair with an outcome, a machine that ends,
// each at the price of its day. Statements are made one by one; years of them are
// summed here at once, and a test holds that both say the same.
const sumServices = `
SELECT COALESCE(SUM(priced.cents), 0), COALESCE(SUM(CASE WHEN priced.cents IS NULL THEN 1 ELSE 0 END), 0)
  FROM (SELECT (SELECT workshop_price.price_cents
                  FROM workshop_price
                 WHERE workshop_price.residence_id = $1
                   AND workshop_price.what = done.what
                   AND workshop_price.from_date <= done.on_date
                 ORDER BY workshop_price.from_date DESC
                 LIMIT 1) AS cents
          FROM (SELECT MIN(machine_event.on_date) AS on_date, 'refurbish' AS what
                  FROM machine
                  JOIN machine_event ON machine_event.machine_id = machine.id
                 WHERE machine.residence_id = $1
                   AND machine_event.what = 'moved'
                   AND machine_event.state = 'ready'
                 GROUP BY machine.id, (SELECT COUNT(*)
                                         FROM machine_event AS back
                                        WHERE back.machine_id = machine_event.machine_id
                                          AND back.number < machine_event.number
                                          AND back.what IN ('taken_back', 'exchanged_for'))
                 UNION ALL
                SELECT repair_step.on_date, 'repair'
                  FROM machine
                  JOIN repair_ticket ON repair_ticket.machine_id = machine.id
                  JOIN repair_step ON repair_step.ticket_id = repair_ticket.id
                 WHERE machine.residence_id = $1
                   AND repair_step.state IN ('repaired', 'replaced')
                 UNION ALL
                SELECT machine_event.on_date, 'recycle'
                  FROM machine
                  JOIN machine_event ON machine_event.machine_id = machine.id
                 WHERE machine.residence_id = $1
                   AND machine_event.what = 'moved'
                   AND machine_event.state = 'recycled') AS done
         WHERE done.on_date >= $2
           AND done.on_date < $3) AS priced`

func (s *Store) addServices(ctx context.Context, residence metering.SiteID, l *Ledger) error {
	var cents int64
	var unpriced int
	err := s.db.QueryRowContext(ctx, sumServices, string(residence), l.From.String(), l.Until.String()).Scan(&cents, &unpriced)
	l.ServiceCents += cents
	l.Unpriced += unpriced
	return err
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
