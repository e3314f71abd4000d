package computers

import (
	"context"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// The years in which a day of this area may lie: what is outside was typed wrong.
const (
	firstYear = 1990
	lastYear  = 2100
)

// soundDay refuses a day that nobody can mean; none is let by.
func soundDay(field string, on civil.Date) error {
	if !on.IsZero() && (on.Year < firstYear || on.Year > lastYear) {
		return fault(field, "computers.day_range", firstYear, lastYear)
	}
	return nil
}

// Days of the cycle that the machine is in: of its events, and of the repairs of
// the sale that stands, whose close is no event of the machine.
const (
	eventsOfCycle = `
  FROM machine_event
 WHERE machine_event.machine_id = $1
   AND machine_event.number >= (SELECT COALESCE(MAX(first.number), 1)
                                  FROM machine_event AS first
                                 WHERE first.machine_id = $1
                                   AND first.what IN ('taken_in', 'taken_back', 'exchanged_for'))`
	cycleBegan = `
SELECT COALESCE(MIN(machine_event.on_date), '')` + eventsOfCycle
	lastDay = `
SELECT COALESCE(MAX(seen.on_date), '')
  FROM (SELECT machine_event.on_date AS on_date` + eventsOfCycle + `
         UNION ALL
        SELECT repair_step.on_date
          FROM repair_step
          JOIN repair_ticket ON repair_ticket.id = repair_step.ticket_id
          JOIN machine_sale ON machine_sale.id = repair_ticket.sale_id
         WHERE repair_ticket.machine_id = $1
           AND machine_sale.ended_on IS NULL) AS seen`
)

// day is the day that a step speaks of: today where none is named. It refuses the
// future, what was before the machine came, and what was before its last step in
// this cycle: money follows these days, and who types must not choose the order.
func (h *hand) day(ctx context.Context, field string, on civil.Date) (civil.Date, error) {
	return h.dayAfter(ctx, lastDay, "computers.before_step", field, on)
}

// evidenceDay is the day of a wipe or a test, which may be written down later than
// what followed it; it belongs to this cycle.
func (h *hand) evidenceDay(ctx context.Context, on civil.Date) (civil.Date, error) {
	return h.dayAfter(ctx, cycleBegan, "computers.before_return", "on", on)
}

func (h *hand) dayAfter(ctx context.Context, first, message, field string, on civil.Date) (civil.Date, error) {
	switch {
	case on.IsZero():
		return h.today, nil
	case h.today.Before(on):
		return on, fault(field, "computers.future")
	case on.Before(h.Intake.On):
		return on, fault(field, "computers.before_intake")
	}
	earliest, err := one(ctx, h.tx, text, first, string(h.ID))
	if err == nil && on.String() < earliest {
		err = fault(field, message)
	}
	return on, err
}

// provenBy refuses a day on which the machine was not ready yet: before its last
// wipe or test of this cycle.
func provenBy(sh Sheet, field string, on civil.Date) error {
	for _, w := range sh.Wipes {
		if w.Cycle == sh.Cycle && on.Before(w.On) {
			return fault(field, "computers.before_evidence")
		}
	}
	for _, r := range sh.Tests {
		if r.Cycle == sh.Cycle && on.Before(r.On) {
			return fault(field, "computers.before_evidence")
		}
	}
	return nil
}
