package charges

import (
	"fmt"
	"math/big"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	whPerKWh     = 1000
	mlPerM3      = 1_000_000
	microPerCent = 10_000
)

// A Measured consumption can be asked about any of its days.
type Measured interface {
	// Over explains what was used on the days [from, to).
	Over(from, to civil.Date) metering.Explanation
}

// Cost explains what a kind cost on the days [from, to) in the zone: the figure of
// m with its Cost, or with NoCost where there is none to show. A period over a
// change of prices has a line a price, each with what was used until the change.
// Where a price is missing for a part of the days that were measured there is no
// amount at all. Verified says of a meter's part whether it may be believed.
func (ts Tariffs) Cost(m Measured, zone *time.Location, from, to civil.Date, verified func(metering.Part) bool) metering.Explanation {
	why := m.Over(from, to)
	if why.Parts == nil {
		why.Parts = []metering.Part{} // an empty list in JSON
	}
	refuse := func(reason metering.NoCostReason, first, end civil.Date) metering.Explanation {
		why.NoCost = &metering.NoCost{Reason: reason}
		if !first.IsZero() {
			why.NoCost.From, why.NoCost.To = first.String(), end.String()
		}
		return why
	}
	if why.Quality == metering.Missing || len(why.Parts) == 0 {
		return refuse(metering.NoReading, civil.Date{}, civil.Date{})
	}
	if why.Kind == metering.Temperature {
		return refuse(metering.NotPriceable, civil.Date{}, civil.Date{})
	}
	for _, p := range why.Parts {
		if !verified(p) {
			return refuse(metering.NotVerified, civil.Date{}, civil.Date{})
		}
	}
	first, end := spanned(why.Parts, zone)
	epochs, gap := ts.epochs(why.Kind, first, end)
	if gap != nil {
		return refuse(metering.PriceMissing, gap.from, gap.to)
	}
	cost, ok := epochs.cost(m, why, zone)
	if !ok {
		return refuse(metering.NotPlausible, civil.Date{}, civil.Date{})
	}
	why.Cost = &cost
	why.Price = &cost.Lines[len(cost.Lines)-1].Price
	return why
}

// spanned returns the days that the parts reach over.
func spanned(parts []metering.Part, zone *time.Location) (first, end civil.Date) {
	from, to := parts[0].From.At, parts[0].To.At
	for _, p := range parts {
		if p.From.At.Before(from) {
			from = p.From.At
		}
		if p.To.At.After(to) {
			to = p.To.At
		}
	}
	return civil.DateIn(from, zone), civil.DateIn(to.Add(-time.Nanosecond), zone).AddDays(1)
}

// An epoch is the days [from, to) in which one tariff holds.
type epoch struct {
	tariff   Tariff
	from, to civil.Date
}

type epochs []epoch

// epochs cuts the days [from, to) where prices change; gap is the first days
// without a price, nil where there are none.
func (ts Tariffs) epochs(k metering.Kind, from, to civil.Date) (all epochs, gap *epoch) {
	for day := from; day.Before(to); {
		t, end, ok := ts.On(k, day)
		if end.IsZero() || to.Before(end) {
			end = to
		}
		if !ok {
			return nil, &epoch{from: day, to: end}
		}
		all = append(all, epoch{t, day, end})
		day = end
	}
	return all, nil
}

// cost adds up what each price is for, each rounded to the cent as it is shown.
func (es epochs) cost(m Measured, why metering.Explanation, zone *time.Location) (metering.Cost, bool) {
	used, estimated := es.split(m, why, zone)
	var c metering.Cost
	for i, e := range es {
		for _, p := range e.tariff.parts() {
			line, ok := e.line(p, used[i], estimated)
			if !ok {
				return metering.Cost{}, false
			}
			c.Lines = append(c.Lines, line)
			switch line.Bill {
			case metering.Charges:
				c.ChargesCents += line.Cents()
			case metering.Supplier:
				c.SupplierCents += line.Cents()
			}
		}
	}
	return c, true
}

// cents rounds half up.
func cents(micro int64) int64 { return (micro + microPerCent/2) / microPerCent }

// split says what was used at each price. Where the indexes on the days of the
// changes are known it is exact; else each part's time shares it evenly and the
// total stays exact.
func (es epochs) split(m Measured, why metering.Explanation, zone *time.Location) (used []metering.Amount, estimated bool) {
	if len(es) == 1 {
		return []metering.Amount{why.Used}, false
	}
	var sum metering.Amount
	for _, e := range es {
		part := m.Over(e.from, e.to)
		used, sum = append(used, part.Used), sum+part.Used
		if part.Quality == metering.Missing {
			sum = -1
			break
		}
	}
	if sum == why.Used {
		return used, false
	}
	used = make([]metering.Amount, len(es))
	for _, p := range why.Parts {
		es.spread(p, zone, used)
	}
	return used, true
}

// spread shares a part among the epochs by time; what rounding leaves goes to the
// last that it reaches.
func (es epochs) spread(p metering.Part, zone *time.Location, used []metering.Amount) {
	total := p.To.At.Sub(p.From.At)
	left, last := p.Used(), len(es)-1
	for i, e := range es {
		from, to := e.from.Start(zone), e.to.Start(zone)
		if from.Before(p.From.At) {
			from = p.From.At
		}
		if to.After(p.To.At) {
			to = p.To.At
		}
		if total <= 0 || !from.Before(to) {
			continue
		}
		share := metering.Amount(float64(p.Used()) * float64(to.Sub(from)) / float64(total))
		used[i], left, last = used[i]+share, left-share, i
	}
	used[last] += left
}

// A component is one of the prices of a tariff.
type component struct {
	of       metering.CostPart
	microEUR int64
	whPerM3  int64 // turns the volume into the energy that is priced; 0 for none
}

func (t Tariff) parts() []component {
	switch {
	case t.warmed():
		return []component{{metering.CostOfWater, t.MicroEUR, 0}, {metering.CostOfHeat, t.HeatMicroEUR, t.WhPerM3}}
	case t.Kind == metering.Gas && t.Per == perKWh:
		return []component{{metering.CostOfUse, t.MicroEUR, t.WhPerM3}}
	default:
		return []component{{metering.CostOfUse, t.MicroEUR, 0}}
	}
}

func (e epoch) line(p component, used metering.Amount, estimated bool) (metering.CostLine, bool) {
	t := e.tariff
	per, divisor := t.Per, int64(whPerKWh)
	if t.Kind.IndexUnit() == metering.Millilitre {
		divisor = mlPerM3
	}
	if p.whPerM3 > 0 {
		per = perKWh
	}
	micro, ok := p.cost(used, divisor, t.IndividualPercent)
	return metering.CostLine{Of: p.of, From: e.from.String(), To: e.to.String(), Used: used, Estimated: estimated,
		Price:   metering.Price{MicroEUR: p.microEUR, Per: per, From: t.From.String()},
		WhPerM3: p.whPerM3, SharePercent: t.IndividualPercent, MicroEUR: micro, Bill: t.Bill, Source: t.Source,
		Formula: p.formula(used, divisor, per, t.IndividualPercent)}, ok
}

// cost is used × price × share in millionths of a euro, rounded half up; false
// where no household could have used that much.
func (p component) cost(used metering.Amount, divisor int64, percent int) (int64, bool) {
	n := big.NewInt(int64(used))
	over := big.NewInt(divisor)
	n.Mul(n, big.NewInt(p.microEUR))
	if p.whPerM3 > 0 {
		n.Mul(n, big.NewInt(p.whPerM3))
		over.Mul(over, big.NewInt(whPerKWh))
	}
	n.Mul(n, big.NewInt(int64(percent)))
	over.Mul(over, big.NewInt(100))
	n.Add(n, new(big.Int).Rsh(over, 1)).Div(n, over)
	const most = 1_000_000_000_000 // a million euros
	if !n.IsInt64() || n.Int64() < 0 || n.Int64() > most {
		return 0, false
	}
	return n.Int64(), true
}

func (p component) formula(used metering.Amount, divisor int64, per string, percent int) string {
	unit := perM3
	if divisor == whPerKWh {
		unit = perKWh
	}
	text := fmt.Sprintf("%.3f %s", float64(used)/float64(divisor), unit)
	if p.whPerM3 > 0 {
		text += fmt.Sprintf(" x %.3f kWh/m3", float64(p.whPerM3)/whPerKWh)
	}
	text += fmt.Sprintf(" x %d.%06d EUR/%s", p.microEUR/1_000_000, p.microEUR%1_000_000, per)
	if percent != 100 {
		text += fmt.Sprintf(" x %d %%", percent)
	}
	return text
}

// Fixed is what a kind costs on the days [from, to) whatever the meter shows, by
// bill, in cents: each month's share of the days counts. It is false where no
// price is known for a part of the days.
func (ts Tariffs) Fixed(k metering.Kind, from, to civil.Date) (byBill map[metering.Bill]int64, ok bool) {
	micro := map[metering.Bill]int64{}
	for day := from; day.Before(to); day = day.AddDays(1) {
		t, _, known := ts.On(k, day)
		if !known {
			return nil, false
		}
		micro[t.Bill] += t.FixedMonthlyCents * microPerCent / int64(day.MonthOf().Days())
	}
	byBill = map[metering.Bill]int64{}
	for bill, m := range micro {
		byBill[bill] = cents(m)
	}
	return byBill, true
}
