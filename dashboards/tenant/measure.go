package tenant

import (
	"math"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A measure is what the bars of a kind's page count.
type measure string

// The measures, as an address bears them.
const (
	counted measure = ""    // litres and m³, or kWh: as the meter counts
	euros   measure = "eur" // what it costs on one bill
	warmth  measure = "kwh" // the heat of hot water
)

// measureField names the measure in a page's address.
const measureField = "unite"

// page is the address of another period of the sheet, in the same measure.
func (s *sheet) page(p period) string { return s.in(p, s.measure) }

func (s *sheet) in(p period, m measure) string {
	link := s.whose.link(kindLink(s.kind, p))
	if m == counted {
		return link
	}
	return with(link, measureField, string(m))
}

// measures are those that the page offers for an explained figure.
func (s *sheet) measures(e metering.Explanation) []measure {
	all := []measure{counted}
	if e.Cost == nil {
		return all
	}
	if _, one := onlyBill(e.Cost); one {
		all = append(all, euros)
	}
	if s.kind == metering.HotWater && whPerM3(e.Cost) > 0 {
		all = append(all, warmth)
	}
	return all
}

// onlyBill is the bill on which a cost stands, where it is a single one.
func onlyBill(c *metering.Cost) (metering.Bill, bool) {
	found := bills[:0:0]
	for _, bill := range bills {
		if billedOn(c, bill) {
			found = append(found, bill)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// whPerM3 is what warms a cubic metre of water, as the price of its heat has it; 0
// where none does.
func whPerM3(c *metering.Cost) int64 {
	for _, line := range c.Lines {
		if line.WhPerM3 > 0 {
			return line.WhPerM3
		}
	}
	return 0
}

// name is what a link to the measure says.
func (s *sheet) nameOf(m measure) string {
	switch {
	case m == euros:
		return s.T("measure.euros")
	case m == warmth:
		return s.T("measure.warmth")
	case s.kind.IndexUnit() == metering.WattHour:
		return s.T("measure.kwh")
	default:
		return s.T("measure.water")
	}
}

// measured returns the slots in the sheet's measure: millionths of a euro in whole
// cents, as the slot's own page has them, each at its own day's price, or Wh. What cannot be told in it is not known there.
func (s *sheet) measured() []slot {
	if s.measure == counted {
		return s.slots
	}
	all := make([]slot, len(s.slots))
	var perM3 int64 // of the last slot that has a price; those to come have none
	for i, one := range s.slots {
		e := s.priced.Cost(s.series, one.first, s.after(one))
		switch {
		case e.Cost == nil:
			one.known = false
			one.before, one.beforeKnown = heatOf(one.before, perM3), one.beforeKnown && perM3 > 0
		case s.measure == euros:
			one.used = metering.Amount((e.Cost.ChargesCents + e.Cost.SupplierCents) * microPerCent) // of a single bill
		default:
			perM3 = whPerM3(e.Cost)
			one.used, one.before = heatOf(one.used, perM3), heatOf(one.before, perM3)
		}
		if s.measure == euros {
			one.beforeKnown = false // what it cost then says more of prices than of people
		}
		all[i] = one
	}
	return all
}

// heatOf is what warms a volume in mL, in Wh.
func heatOf(ml metering.Amount, perM3 int64) metering.Amount {
	return metering.Amount(math.Round(float64(ml) / 1e6 * float64(perM3)))
}

// in gives words the unit of a measure.
func (w words) in(m measure) words {
	w.measure = m
	switch {
	case m == euros && w.months:
		w.unit = "chart.unit.eur_month"
	case m == euros:
		w.unit = "chart.unit.eur"
	case m == warmth && w.months:
		w.unit = "chart.unit.Wh_month"
	case m == warmth:
		w.unit = "chart.unit.Wh"
	}
	return w
}

// onScale writes what stands beside a line of a chart.
func (t teller) onScale(k metering.Kind, a metering.Amount, of words) string {
	switch {
	case of.measure == euros:
		return t.few(float64(a)/1e6, 0)
	case of.measure == warmth:
		return t.OnScale(metering.Electricity, a)
	case of.months:
		return t.OnMonthScale(k, a)
	default:
		return t.OnScale(k, a)
	}
}

// after is the day after a slot.
func (s *sheet) after(one slot) civil.Date {
	if s.period.span == aYear {
		return one.first.MonthOf().Next().First()
	}
	return one.first.AddDays(1)
}
