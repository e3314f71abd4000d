package tenant

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	gesturesPath = "/gestes"
	gestureField = "geste" // which one was asked for
	timesField   = "fois"  // how often a week
)

// allDay is the gesture that lasts all day, and so has no times.
const allDay = "standby_or_off"

// How often a week a gesture is reckoned with.
const (
	usualTimes = 7
	mostTimes  = 70
	weeksAYear = 52
)

type gesturesView struct {
	web.Chrome
	whose
	Cards    []gestureCard
	Heated   string // what heats the water here, as far as it is known
	Heat     string // what the charges count for it; empty where they tell nothing
	NoPrices bool
	HomeLink string
	Most     int
}

// A gestureCard compares the ways of one gesture.
type gestureCard struct {
	ID, Name, Unit string
	Ways           []wayLine
	Times          int
	Fault          string
	YearOf         string     // how often the year is reckoned with
	Instead        string     // which way beside which; empty where none spares anything
	Verdict        []string   // what the better way spares in a year
	Prices         []pricedBy // those that the euros were reckoned with
	Rough          bool       // the numbers are only typical
	Daily          bool       // days are counted rather than times
	Water          bool       // whether its column has any number
	Warm           bool       // hot water is drawn
	Bills          []string   // the columns of euros: one for each bill
	Household      string     // of the home that is looked at; empty at home
}

// A pricedBy is a price and who says it, in the landlord's own words.
type pricedBy struct{ Price, Lead, Source string }

// A wayLine is one way of doing it: once, and in a year.
type wayLine struct {
	Name           string
	Litres, Energy string // once
	Year, Source   string
	Euros          []string // in a year, one for each of Bills
	Share          int      // of the greatest, 0 to 100, for the bar
}

var gesturesPage = web.MustPage[gesturesView](templates, "templates/gestures.html", "templates/whose.html")

// gestures serves GET /gestes: what a bath takes and what a shower, and so on. It
// needs no meter.
func (h *Handler) gestures(c echo.Context) error {
	view := gesturesView{Chrome: h.Site.Chrome(c, "gestures.title"), Most: mostTimes}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	home, known, err := h.simply(c, view.Viewer)
	if err != nil {
		return err
	}
	view.NoPrices = !known.known(home.Today)
	view.HomeLink, view.Heated = view.link("/"), heatedBy(view.Language, home.Water)
	if home.Water == tips.SharedHotWater && home.HeatOfM3 > 0 {
		view.Heat = view.T("gestures.billed_heat", teller{Language: view.Language}.few(float64(home.HeatOfM3)/1000, 0))
	}
	for _, g := range h.Gestures {
		card, err := view.compare(c, home, known, g)
		if err != nil {
			return err
		}
		card.Household = string(view.Viewer.Household)
		view.Cards = append(view.Cards, card)
	}
	return gesturesPage.Render(c, http.StatusOK, view)
}

// simply is what the comparison has to know of a home: what heats its water, and
// what its residence pays. Who has no home yet compares too.
func (h *Handler) simply(c echo.Context, v premises.Viewer) (tips.Home, prices, error) {
	ctx, now := c.Request().Context(), h.Now()
	zone, err := h.Homes.Zone(ctx, v)
	if isNone(err) {
		return tips.Home{Today: civil.DateOf(now.UTC())}, prices{}, nil
	}
	if err != nil {
		return tips.Home{}, prices{}, err
	}
	home := tips.Home{Today: civil.DateIn(now, zone), Zone: zone}
	stays, err := h.Homes.During(ctx, v, now, home.Today, home.Today.AddDays(1))
	if isNone(err) {
		return home, prices{}, nil
	}
	if err != nil {
		return tips.Home{}, prices{}, err
	}
	dwelling := stays[len(stays)-1].Dwelling
	if home.Water = tips.HeatedBy(dwelling.HotWater); home.Water == "" {
		said, err := h.Tips.House(ctx, v, now)
		if err != nil && !isNone(err) {
			return tips.Home{}, prices{}, err
		}
		home.Water = said.HeatedBy()
	}
	tariffs, err := h.Charges.Of(ctx, dwelling.Residence)
	if hot, _, ok := tariffs.On(metering.HotWater, home.Today); ok && hot.HeatMicroEUR > 0 {
		home.HeatOfM3 = hot.WhPerM3
	}
	return home, prices{tariffs}, err
}

func heatedBy(l web.Language, w tips.WaterHeating) string {
	switch w {
	case tips.SharedHotWater:
		return l.T("gestures.shared")
	case tips.ElectricTank:
		return l.T("gestures.electric")
	case tips.GasBoiler:
		return l.T("gestures.gas")
	default:
		return l.T("gestures.unknown")
	}
}

// compare reckons a gesture once and for a year.
func (v gesturesView) compare(c echo.Context, home tips.Home, known prices, g tips.Gesture) (gestureCard, error) {
	card := gestureCard{ID: g.ID, Name: v.in(g.Name), Unit: v.in(g.Unit), Times: usualTimes, Rough: g.Known == tips.Unfounded, Daily: g.ID == allDay}
	if c.QueryParam(gestureField) == g.ID {
		times, err := strconv.Atoi(c.QueryParam(timesField))
		if err != nil || times < 1 || times > mostTimes {
			card.Fault = v.T("gestures.times_fault", mostTimes)
		} else {
			card.Times = times
		}
	}
	if card.Rough { // euros of a number that nobody measured would be made up
		known = prices{}
	}
	once, err := g.Compare(home, 1, known)
	if err != nil {
		return gestureCard{}, fmt.Errorf("compare: %w", err)
	}
	year, err := g.Compare(home, float64(card.Times*weeksAYear), known)
	if err != nil {
		return gestureCard{}, fmt.Errorf("compare: %w", err)
	}
	card.YearOf = v.T("gestures.a_year", card.Times)
	if card.Daily {
		card.YearOf = v.T("gestures.a_year_days", card.Times)
	}
	card.fill(v, once, year)
	card.Prices = v.pricesOf(home.Today, once)
	return card, nil
}

// in returns a text of the catalogue in the reader's language.
func (v gesturesView) in(t tips.Text) string {
	if v.Code() == "en" {
		return t.English
	}
	return t.French
}

// fill writes a line for each way. The bar is of energy where there is any, else
// of water.
func (g *gestureCard) fill(v gesturesView, once, year []tips.Cost) {
	greatest, least := 0, 0
	for i, cost := range once {
		if weight(cost) > weight(once[greatest]) {
			greatest = i
		}
		if weight(cost) < weight(once[least]) {
			least = i
		}
		g.Water, g.Warm = g.Water || cost.Litres > 0, g.Warm || cost.Way.Mixed > 0
	}
	on := billsOf(year)
	for _, bill := range on {
		g.Bills = append(g.Bills, v.headOf(bill))
	}
	for i, cost := range once {
		line := wayLine{Name: v.in(cost.Way.Name), Energy: v.KWh(cost.KWh), Source: cost.Way.Source}
		if g.Water {
			line.Litres = v.WholeLitres(cost.Litres)
			line.Year = v.Cubic(year[i].Litres) + ", " + v.KWh(year[i].KWh)
		} else {
			line.Year = v.KWh(year[i].KWh)
		}
		line.Euros = v.perBill(year[i], on)
		if most := weight(once[greatest]); most > 0 {
			line.Share = int(100 * weight(cost) / most)
		}
		g.Ways = append(g.Ways, line)
	}
	g.verdict(v, year[greatest], year[least])
}

// weight orders ways: by energy, which most of the cost is, and by water where
// none needs any.
func weight(c tips.Cost) float64 {
	const kWhOfLitre = 0.001 // decides only between ways of the same energy
	return c.KWh + kWhOfLitre*c.Litres
}

// verdict says what the leanest way spares beside the one that takes most: the
// difference of the two lines as they are written, so that who subtracts finds the
// same.
func (g *gestureCard) verdict(v gesturesView, most, least tips.Cost) {
	if m3 := cubicWritten(most.Litres) - cubicWritten(least.Litres); m3 > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_water", v.Cubic(1000*m3)))
	}
	if kwh := kWhWritten(most.KWh) - kWhWritten(least.KWh); kwh > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_energy", teller{Language: v.Language}.few(kwh, 0)+"\u00a0kWh"))
	}
	charged, supplied := wholeEuros(most.ChargesCents)-wholeEuros(least.ChargesCents), wholeEuros(most.SupplierCents)-wholeEuros(least.SupplierCents)
	// What one bill spares and the other takes would have to be added.
	priced := most.Priced && least.Priced && min(charged, supplied) >= 0
	if priced && charged > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_charges", v.Euros(charged)))
	}
	if priced && supplied > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_supplier", v.Euros(supplied)))
	}
	if len(g.Verdict) > 0 {
		g.Instead = v.T("gestures.instead", v.in(least.Way.Name), v.in(most.Way.Name))
	}
}

// cubicWritten is a volume in litres as [web.Language.Cubic] writes it, in m³.
func cubicWritten(litres float64) float64 { return asWritten(litres/1000, 1) }

// kWhWritten is an energy as [web.Language.KWh] writes it.
func kWhWritten(kwh float64) float64 {
	switch {
	case kwh >= 100:
		return asWritten(kwh, 0)
	case kwh < 1:
		return asWritten(kwh, 2)
	default:
		return asWritten(kwh, 1)
	}
}

// asWritten rounds as [web.Language.Number] does.
func asWritten(x float64, decimals int) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', decimals, 64), 64)
	if err != nil { // of what is no number
		return x
	}
	return rounded
}

// headOf names the column of a bill.
func (v gesturesView) headOf(bill metering.Bill) string {
	if bill == metering.Supplier {
		return v.T("gestures.supplier")
	}
	return v.T("gestures.charges")
}

// billsOf lists the bills on which any of the ways costs something.
func billsOf(year []tips.Cost) []metering.Bill {
	return slices.DeleteFunc(slices.Clone(bills), func(bill metering.Bill) bool {
		return !slices.ContainsFunc(year, func(c tips.Cost) bool { return c.Priced && centsOn(bill, c.ChargesCents, c.SupplierCents) > 0 })
	})
}

// perBill writes what a way costs on each bill.
func (v gesturesView) perBill(c tips.Cost, on []metering.Bill) (all []string) {
	for _, bill := range on {
		if !c.Priced {
			all = append(all, "–")
			continue
		}
		all = append(all, teller{Language: v.Language}.about(centsOn(bill, c.ChargesCents, c.SupplierCents)))
	}
	return all
}

// pricesOf writes each price once, with its date and where it stands.
func (v gesturesView) pricesOf(today civil.Date, costs []tips.Cost) (all []pricedBy) {
	t := teller{Language: v.Language, home: consumption.Home{Today: today}}
	for _, c := range costs {
		for _, r := range c.Rates {
			one := pricedBy{Price: v.T("gestures.price_of", t.onBill(metering.Bill(r.Bill), t.price(r.Price)), t.since(r.From))}
			if r.Source != "" {
				one.Lead, one.Source = v.T("why.source"), r.Source
			}
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}
