package tenant

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
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
	Verdict        []string // what the better way spares in a year
	Rough          bool     // the numbers are only typical
	Daily          bool     // days are counted rather than times
	Water, Euros   bool     // whether a column has any number
	Household      string   // of the home that is looked at; empty at home
}

// A wayLine is one way of doing it: once, and in a year.
type wayLine struct {
	Name                string
	Litres, Energy      string // once
	Year, Euros, Source string
	Share               int // of the greatest, 0 to 100, for the bar
}

var gesturesPage = web.MustPage[gesturesView](templates, "templates/gestures.html", "templates/whose.html")

// gestures serves GET /gestes: what a bath takes and what a shower, and so on. It
// needs no meter.
func (h *Handler) gestures(c echo.Context) error {
	view := gesturesView{Chrome: h.Site.Chrome(c, "gestures.title"), Most: mostTimes, NoPrices: h.Prices == nil}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	home, err := h.simply(c, view.Viewer)
	if err != nil {
		return err
	}
	view.HomeLink, view.Heated = view.link("/"), heatedBy(view.Language, home.Water)
	for _, g := range h.Gestures {
		card, err := h.compare(c, view, home, g)
		if err != nil {
			return err
		}
		card.Household = string(view.Viewer.Household)
		view.Cards = append(view.Cards, card)
	}
	return gesturesPage.Render(c, http.StatusOK, view)
}

// simply is what the comparison has to know of a home: what heats its water. Who
// has no home yet compares too.
func (h *Handler) simply(c echo.Context, v premises.Viewer) (tips.Home, error) {
	ctx, now := c.Request().Context(), h.Now()
	zone, err := h.Homes.Zone(ctx, v)
	if isNone(err) {
		return tips.Home{Today: civil.DateOf(now.UTC())}, nil
	}
	if err != nil {
		return tips.Home{}, err
	}
	home := tips.Home{Today: civil.DateIn(now, zone), Zone: zone}
	stays, err := h.Homes.During(ctx, v, now, home.Today, home.Today.AddDays(1))
	if isNone(err) {
		return home, nil
	}
	if err != nil {
		return tips.Home{}, err
	}
	home.Water = waterOf(stays[len(stays)-1].Dwelling.HotWater)
	return home, nil
}

// waterOf says in the words of tips what heats a dwelling's water; empty where
// nobody said or nobody knows its efficiency.
func waterOf(w premises.Warmth) tips.WaterHeating {
	switch w {
	case premises.Collective:
		return tips.SharedHotWater
	case premises.Electric:
		return tips.ElectricTank
	case premises.Gas:
		return tips.GasBoiler
	default:
		return ""
	}
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
func (h *Handler) compare(c echo.Context, v gesturesView, home tips.Home, g tips.Gesture) (gestureCard, error) {
	card := gestureCard{ID: g.ID, Name: v.in(g.Name), Unit: v.in(g.Unit), Times: usualTimes, Rough: g.Known == tips.Unfounded, Daily: g.ID == allDay}
	if c.QueryParam(gestureField) == g.ID {
		times, err := strconv.Atoi(c.QueryParam(timesField))
		if err != nil || times < 1 || times > mostTimes {
			card.Fault = v.T("gestures.times_fault", mostTimes)
		} else {
			card.Times = times
		}
	}
	prices := h.Prices
	if prices == nil || card.Rough { // euros of a number that nobody measured would be made up
		prices = noPrices{}
	}
	once, err := g.Compare(home, 1, prices)
	if err != nil {
		return gestureCard{}, fmt.Errorf("compare: %w", err)
	}
	year, err := g.Compare(home, float64(card.Times*weeksAYear), prices)
	if err != nil {
		return gestureCard{}, fmt.Errorf("compare: %w", err)
	}
	card.fill(v, once, year)
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
		g.Water = g.Water || cost.Litres > 0
		g.Euros = g.Euros || year[i].Priced && year[i].Cents() > 0
	}
	for i, cost := range once {
		line := wayLine{Name: v.in(cost.Way.Name), Energy: v.KWh(cost.KWh), Source: cost.Way.Source}
		if g.Water {
			line.Litres = v.WholeLitres(cost.Litres)
			line.Year = v.Cubic(year[i].Litres) + ", " + v.KWh(year[i].KWh)
		} else {
			line.Year = v.KWh(year[i].KWh)
		}
		if year[i].Priced {
			line.Euros = v.T("gestures.about", v.Euros(year[i].Cents()))
		}
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

// verdict says what the leanest way spares beside the one that takes most.
func (g *gestureCard) verdict(v gesturesView, most, least tips.Cost) {
	name := v.in(least.Way.Name)
	if litres := most.Litres - least.Litres; litres > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_water", name, v.Cubic(litres)))
	}
	if kwh := most.KWh - least.KWh; kwh > 0 {
		g.Verdict = append(g.Verdict, v.T("gestures.spares_energy", name, v.KWh(kwh)))
	}
	if most.Priced && least.Priced {
		if euros := tips.RoundEuros(most.Cents() - least.Cents()); euros > 0 {
			g.Verdict = append(g.Verdict, v.T("gestures.spares_euros", name, v.Euros(100*euros)))
		}
	}
}
