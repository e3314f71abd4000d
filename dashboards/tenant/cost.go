package tenant

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A cost is what a figure costs, or why that is not said.
type cost struct {
	Lines []billed
	None  string // why there is no amount; empty where there is one

	cents map[metering.Bill]int64 // as shown: in whole euros
}

// A billed is an amount on one bill, as in "environ 7 €" and "depuis le 1er mars,
// dans vos charges". Amounts on different bills are never added.
type billed struct{ Euros, Where string }

// bills are in the order of the page: first what the landlord asks for.
var bills = []metering.Bill{metering.Charges, metering.Supplier}

// cost says what an explained figure costs; when is the time it is of. It is nil
// where nothing is to be said of euros.
func (t teller) cost(e metering.Explanation, when string) *cost {
	if e.Cost == nil {
		if none := t.noCost(e); none != "" {
			return &cost{None: none}
		}
		return nil
	}
	c := &cost{cents: map[metering.Bill]int64{}}
	for _, bill := range bills {
		if !billedOn(e.Cost, bill) {
			continue
		}
		cents := centsOn(bill, e.Cost.ChargesCents, e.Cost.SupplierCents)
		c.cents[bill] = wholeEuros(cents)
		c.Lines = append(c.Lines, billed{t.about(cents), t.onBill(bill, when)})
	}
	return c
}

func billedOn(c *metering.Cost, bill metering.Bill) bool {
	return slices.ContainsFunc(c.Lines, func(line metering.CostLine) bool { return line.Bill == bill })
}

// centsOn picks the cents of a bill.
func centsOn(bill metering.Bill, charges, supplier int64) int64 {
	if bill == metering.Supplier {
		return supplier
	}
	return charges
}

func wholeEuros(cents int64) int64 { return 100 * int64(math.Round(float64(cents)/100)) }

// about writes cents as people are told of costs: to the euro, and never nothing
// for something.
func (t teller) about(cents int64) string {
	if cents > 0 && wholeEuros(cents) == 0 {
		return t.T("cost.below")
	}
	return t.T("cost.about", t.Euros(cents))
}

// onBill says where an amount stands. What a supplier bills is never called
// charges.
func (t teller) onBill(bill metering.Bill, when string) string {
	if bill == metering.Supplier {
		return t.T("cost.supplier", when)
	}
	return t.T("cost.charges", when)
}

// noCost says why a figure has no euros; empty where that needs no word, because
// there is no figure or nobody sells what is measured.
func (t teller) noCost(e metering.Explanation) string {
	if e.NoCost == nil {
		return ""
	}
	switch e.NoCost.Reason {
	case metering.NotVerified:
		return t.T("cost.not_verified")
	case metering.NotPlausible:
		return t.T("cost.not_plausible")
	case metering.PriceMissing:
		return t.missingPrice(e)
	default:
		return ""
	}
}

// missingPrice names the days without a price where others have one.
func (t teller) missingPrice(e metering.Explanation) string {
	start, stop := spanned(e.Parts)
	first, end := civil.DateIn(start, t.home.Zone), civil.DateIn(stop.Add(-time.Nanosecond), t.home.Zone).AddDays(1)
	from, wrong := civil.ParseDate(e.NoCost.From)
	to, alsoWrong := civil.ParseDate(e.NoCost.To)
	if wrong != nil || alsoWrong != nil || !first.Before(from) && !to.Before(end) {
		return t.T("cost.no_price")
	}
	return t.T("cost.price_gap", t.DayOfMonth(from), t.DayOfMonth(to.AddDays(-1)))
}

// A whyCost shows how an amount was reckoned: a table for each price.
type whyCost struct {
	Prices  []whyPrice
	Totals  []string // one for each bill
	Caution string   // what the amount leaves out, and that it is no bill
}

// A whyPrice is one price, what it was for and what came of it.
type whyPrice struct {
	Name        string // of what, and of which days
	Rows        []whyRow
	Title, Cost string   // what came of it
	Soft        []string // that days share evenly
	Lead        string   // before the source
	Source      string   // who says the price, in the landlord's own words, which are French
}

// A whyRow is one factor. Since is when it began; empty for none.
type whyRow struct{ Name, Since, Factor string }

// whyCost is nil where there is no amount.
func (t teller) whyCost(e metering.Explanation) *whyCost {
	if e.Cost == nil {
		return nil
	}
	w := &whyCost{Caution: t.T("why.caution")}
	for _, line := range e.Cost.Lines {
		w.Prices = append(w.Prices, t.whyPrice(e.Kind, line))
	}
	for _, bill := range bills {
		if billedOn(e.Cost, bill) {
			cents := centsOn(bill, e.Cost.ChargesCents, e.Cost.SupplierCents)
			w.Totals = append(w.Totals, t.onBill(bill, t.rounded(cents)))
		}
	}
	return w
}

const (
	microPerCent = 10_000
	// leastRounded is from how many cents on a sum is also told in whole euros: of
	// a smaller one everybody sees what it comes to.
	leastRounded = 1000
)

// rounded writes a sum to the cent, and beside it the whole euros that stand above.
func (t teller) rounded(cents int64) string {
	exact := t.exactly(cents * microPerCent)
	if cents < leastRounded {
		return exact
	}
	return t.T("why.rounded", exact, t.about(cents))
}

func (t teller) whyPrice(k metering.Kind, line metering.CostLine) whyPrice {
	p := whyPrice{Name: t.priceOf(line), Title: t.T("why.cost"), Cost: t.exactly(line.Cents() * microPerCent)}
	p.Rows = append(p.Rows, whyRow{Name: t.T("why.counted"), Factor: t.counter(k, line.Used)})
	if line.WhPerM3 > 0 {
		p.Rows = append(p.Rows, whyRow{Name: t.T("why.heat_of_m3"), Factor: "×\u00a0" + t.few(float64(line.WhPerM3)/1000, 0) + "\u00a0kWh/m³"})
	}
	p.Rows = append(p.Rows, whyRow{t.T("why.price"), t.since(line.Price.From), "×\u00a0" + t.price(line.Price)})
	if line.SharePercent != 100 {
		p.Rows = append(p.Rows, whyRow{Name: t.T("why.share"), Factor: "×\u00a0" + t.Percent(float64(line.SharePercent))})
	}
	if line.Estimated {
		p.Soft = append(p.Soft, t.T("why.shared_days"))
	}
	if line.Source != "" {
		p.Lead, p.Source = t.T("why.source"), line.Source
	}
	return p
}

// priceOf names what a price is for, with its days.
func (t teller) priceOf(line metering.CostLine) string {
	name := t.T("why.of_use")
	switch line.Of {
	case metering.CostOfWater:
		name = t.T("why.of_water")
	case metering.CostOfHeat:
		name = t.T("why.of_heat")
	}
	from, wrong := civil.ParseDate(line.From)
	to, alsoWrong := civil.ParseDate(line.To)
	if wrong != nil || alsoWrong != nil {
		return name
	}
	if last := to.AddDays(-1); last != from {
		return name + ", " + t.T("month.part", t.DayOfMonth(from), t.DayOfMonth(last))
	}
	return name + ", " + t.T("period.on", t.DayOfMonth(from))
}

// since writes the day from which a price holds, with its year and no weekday: it
// may be long ago. The year may stand on a line of its own, beside a long price on a
// narrow screen.
func (t teller) since(text string) string {
	date, err := civil.ParseDate(text)
	if err != nil {
		return ""
	}
	return t.T("home.since", t.DayOfMonth(date)+" "+strconv.Itoa(date.Year))
}

// counter writes what was used so that the reckoning can be done again: to the
// watt-hour and the litre.
func (t teller) counter(k metering.Kind, used metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return t.few(float64(used)/1000, 1) + "\u00a0kWh"
	}
	return t.Number(float64(used)/1e6, 3) + "\u00a0m³"
}

// price writes a price with all its digits, and at least two, as in "0,194 €/kWh".
func (t teller) price(p metering.Price) string {
	return t.Money(t.few(float64(p.MicroEUR)/1e6, 2)) + "/" + strings.Replace(p.Per, "m3", "m³", 1)
}

// exactly writes millionths of a euro to the cent.
func (t teller) exactly(micro int64) string { return t.Money(t.Number(float64(micro)/1e6, 2)) }

// few writes a number with the digits that it has, at least so many.
func (t teller) few(x float64, least int) string {
	const most = 6
	for digits := least; digits < most; digits++ {
		if scaled := x * math.Pow10(digits); math.Abs(scaled-math.Round(scaled)) < 1e-6 {
			return t.Number(x, digits)
		}
	}
	return t.Number(x, most)
}

// sums are the amounts of a home since the month began, one for each bill, with
// the kinds that they are of.
type sums struct {
	cents map[metering.Bill]int64
	of    map[metering.Bill][]string
	whens map[metering.Bill][]string // of each of these
}

// add counts a card's amounts as they are shown, so that a reader who adds them
// up finds the same.
func (s *sums) add(c card) {
	if c.Cost == nil || c.Big == "" {
		return
	}
	if s.cents == nil {
		s.cents, s.of, s.whens = map[metering.Bill]int64{}, map[metering.Bill][]string{}, map[metering.Bill][]string{}
	}
	for bill, cents := range c.Cost.cents {
		s.cents[bill] += cents
		s.of[bill] = append(s.of[bill], strings.ToLower(c.Title))
		s.whens[bill] = append(s.whens[bill], c.When)
	}
}

// since is the time of a bill's kinds: of the first, which the others are mostly of.
func (s sums) since(bill metering.Bill) string { return s.whens[bill][0] }

// parts names the kinds of a bill, each with its time where that is another than the
// first's, as of a meter that began later.
func (s sums) parts(bill metering.Bill) []string {
	parts := slices.Clone(s.of[bill])
	for i, when := range s.whens[bill] {
		if when != s.since(bill) {
			parts[i] += " (" + when + ")"
		}
	}
	return parts
}

// told writes the sums for the first words of the page.
func (t teller) told(s sums) (all []billed) {
	for _, bill := range bills {
		if len(s.of[bill]) == 0 {
			continue
		}
		euros := t.T("cost.about", t.Euros(s.cents[bill]))
		if s.cents[bill] == 0 {
			euros = t.T("cost.below")
		}
		all = append(all, billed{euros, t.T("cost.for", t.onBill(bill, s.since(bill)), strings.Join(s.parts(bill), ", "))})
	}
	return all
}
