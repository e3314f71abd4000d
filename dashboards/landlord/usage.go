package landlord

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// shownMonths are those of the chart, each beside the same one a year before.
const shownMonths = 12

type usageView struct {
	frame
	Kinds  []web.Link
	Kind   metering.Kind
	Name   string // of what the chart and the months show
	Chart  web.Chart
	Months []usageMonth
	Groups []usageGroup
	// Corrected says that months are compared by how cold they were, NoWeather that
	// it is not known of all.
	Corrected, NoWeather, HasBefore bool
	// MonthsLack and GroupsLack say that a line of the table has no year before to be
	// compared with.
	MonthsLack, GroupsLack bool
	// GroupsPart says that a total in the table of groups is not of all dwellings.
	GroupsPart bool
	Period     string
}

// HasFigures reports whether one of the months is told.
func (v usageView) HasFigures() bool {
	return slices.ContainsFunc(v.Months, func(m usageMonth) bool { return m.Used != "" })
}

// A usageMonth is one of the table; Used is empty where nothing is told, and None
// says why.
type usageMonth struct {
	Name, Used, PerM2, PerPerson, Corrected, Change, Note, None string
	Trend                                                       string
	lacksBefore                                                 bool // the year before is not known
}

// A usageGroup is buildings that are told together.
type usageGroup struct {
	Name, Link                               string
	Here                                     bool
	Year, YearPerM2, Last, LastPerM2, Change string
	Trend                                    string
	// YearPart and LastPart say how much of the dwellings and days the totals are of;
	// empty for all. LastEstimated says that a part of the last month is estimated.
	YearPart, LastPart string
	LastEstimated      bool
}

var usagePage = overviewPage[usageView]("usage")

// usage serves GET /suivi: what the homes of a residence used together, by kind and
// month, and those of each building.
func (o *Overview) usage(c echo.Context) error {
	f, err := o.frame(c, usagePath, "landlord.usage")
	if err != nil {
		return err
	}
	view := usageView{frame: f}
	if f.HasPlace() {
		if err := o.fillUsage(c, &view); err != nil {
			return err
		}
	}
	return usagePage.Render(c, http.StatusOK, view)
}

// lastYears is the scope of the two years up to the last whole month.
func (f frame) lastYears() consumption.Scope {
	to := f.today.MonthOf().First()
	from := civil.Date{Year: to.Year - 2, Month: to.Month, Day: 1}
	return consumption.Scope{Residence: f.place.ID, By: consumption.OfResidence, Step: consumption.StepMonth, From: from, To: to}
}

func (o *Overview) fillUsage(c echo.Context, v *usageView) error {
	ctx, who, s := c.Request().Context(), staffOf(c), v.lastYears()
	all, err := o.Totals.EveryKind(ctx, who, s, o.Now())
	if err != nil {
		return err
	}
	chosen := chooseKind(all, c.QueryParam("compteur"))
	if chosen < 0 {
		return nil
	}
	v.Kind = all[chosen].Kind
	for i, k := range all {
		v.Kinds = append(v.Kinds, web.Link{Path: v.link(usagePath, "compteur", string(k.Kind)), Name: v.T("kind." + string(k.Kind)), Here: i == chosen})
	}
	s.Kind, s.By = v.Kind, consumption.OfBuilding
	buildings, err := o.Totals.During(ctx, who, s, o.Now())
	if err != nil {
		return err
	}
	year := s
	year.From, year.Step = civil.Date{Year: s.To.Year - 1, Month: s.To.Month, Day: 1}, consumption.StepWhole
	whole, err := o.Totals.During(ctx, who, year, o.Now())
	if err != nil {
		return err
	}
	weather, err := o.heating(ctx, v, s)
	if err != nil {
		return err
	}
	v.groups(c.QueryParam("batiment"), all[chosen], buildings, whole, weather)
	return nil
}

// chooseKind is the place of the kind that is asked for, the first where none is; −1
// where there is no kind at all.
func chooseKind(all []consumption.KindTotals, asked string) int {
	for i, k := range all {
		if string(k.Kind) == asked {
			return i
		}
	}
	return min(0, len(all)-1)
}

// heating returns how cold the days were, where what is shown follows it.
func (o *Overview) heating(ctx context.Context, v *usageView, s consumption.Scope) (consumption.Weather, error) {
	v.Corrected = v.Kind == metering.Heat
	if !v.Corrected {
		return consumption.Weather{}, nil
	}
	return o.Around.Weather(ctx, s.Residence, s.From, s.To)
}

// keyOf names a group in an address.
func keyOf(g consumption.Group) string { return strings.Join(g.Members, "+") }

// nameOf is a group in words.
func nameOf(l web.Language, g consumption.Group) string {
	switch {
	case g.Level == consumption.OfResidence:
		return l.T("landlord.whole_residence")
	case len(g.Members) == 1 && g.Members[0] == "":
		return l.T("landlord.building_unnamed")
	case len(g.Members) == 1:
		return l.T("landlord.building", g.Members[0])
	default:
		return l.T("landlord.buildings", strings.Join(g.Members, ", "))
	}
}

// groups fills in the buildings, and the chart of the one that is chosen.
func (v *usageView) groups(asked string, residence, buildings, whole consumption.KindTotals, weather consumption.Weather) {
	shown := consumption.GroupTotals{Group: consumption.Group{Level: consumption.OfResidence}}
	if len(residence.Groups) > 0 {
		shown = residence.Groups[0]
		v.Groups = append(v.Groups, v.group(shown, whole, weather, asked == ""))
		v.fillYear(&v.Groups[0], residence)
	}
	for _, g := range buildings.Groups {
		here := asked != "" && keyOf(g.Group) == asked
		if here {
			shown = g
		}
		v.Groups = append(v.Groups, v.group(g, whole, weather, here))
	}
	v.Name = nameOf(v.Language, shown.Group)
	v.months(shown.Periods, weather)
}

// fillYear sums the last year of the residence, which the groups of the year do not
// have.
func (v *usageView) fillYear(g *usageGroup, k consumption.KindTotals) {
	var sum, square metering.Amount
	var share float64 // of days, each by the share of its homes
	periods := k.Groups[0].Periods
	periods = periods[max(0, len(periods)-shownMonths):]
	days := 0
	for _, p := range periods {
		if p.Quality == metering.Missing {
			return
		}
		if p.PerM2 == nil {
			square = -1
		} else if square >= 0 {
			square += *p.PerM2
		}
		sum += p.Used
		share += p.Coverage * float64(p.From.MonthOf().Days())
		days += p.From.MonthOf().Days()
	}
	if days == 0 {
		return
	}
	if square >= 0 {
		g.YearPerM2 = perM2Of(v.Language, v.Kind, &square)
	}
	g.Year, g.YearPart = sumOf(v.Language, v.Kind, sum), v.part(share/float64(days))
	v.GroupsPart = v.GroupsPart || g.YearPart != ""
}

// part says how much of the dwellings and days a total is of; empty for all of them.
func (v *usageView) part(coverage float64) string {
	if coverage >= 0.995 {
		return ""
	}
	return v.T("landlord.coverage", v.Number(100*coverage, 0))
}

func (v *usageView) group(g consumption.GroupTotals, whole consumption.KindTotals, weather consumption.Weather, here bool) usageGroup {
	made := usageGroup{Name: nameOf(v.Language, g.Group), Here: here, Link: v.link(usagePath, "compteur", string(v.Kind), "batiment", keyOf(g.Group))}
	if g.Level == consumption.OfResidence {
		made.Link = v.link(usagePath, "compteur", string(v.Kind))
	}
	for _, w := range whole.Groups {
		if keyOf(w.Group) == keyOf(g.Group) && w.Level == g.Level && w.Periods[0].Quality != metering.Missing {
			made.Year, made.YearPerM2 = sumOf(v.Language, v.Kind, w.Periods[0].Used), perM2Of(v.Language, v.Kind, w.Periods[0].PerM2)
			made.YearPart = v.part(w.Periods[0].Coverage)
		}
	}
	if n := len(g.Periods); n > 0 && g.Periods[n-1].Quality != metering.Missing {
		last := v.month(g.Periods, n-1, weather)
		made.Last, made.LastPerM2, made.Change, made.Trend = last.Used, last.PerM2, last.Change, last.Trend
		made.LastPart, made.LastEstimated = last.Note, g.Periods[n-1].Quality == metering.Estimated
		v.GroupsLack = v.GroupsLack || last.lacksBefore
	}
	v.GroupsPart = v.GroupsPart || made.YearPart+made.LastPart != ""
	return made
}

// months fills in the chart and the table of the last year.
func (v *usageView) months(all []consumption.Total, weather consumption.Weather) {
	var bars []web.Bar
	first := max(0, len(all)-shownMonths)
	for i := first; i < len(all); i++ {
		one := v.month(all, i, weather)
		v.Months, v.MonthsLack = append(v.Months, one), v.MonthsLack || one.lacksBefore
		bars = append(bars, v.bar(all, i))
	}
	if len(bars) == 0 {
		return
	}
	v.Period = v.T("landlord.period", v.Month(all[first].From.MonthOf()), v.Month(all[len(all)-1].From.MonthOf()))
	unit := v.T("chart.unit." + string(v.Kind.IndexUnit()) + "_month")
	v.Chart = web.NewChart("mois", string(v.Kind), v.T("landlord.chart", v.T("kind."+string(v.Kind)), v.Name), v.Period, bars,
		web.Scale{Unit: unit, Number: func(a metering.Amount) string { return v.OnMonthScale(v.Kind, a) }})
	v.HasBefore = v.Chart.HasBefore
	slices.Reverse(v.Months)
}

func (v *usageView) bar(all []consumption.Total, i int) web.Bar {
	p := all[i]
	b := web.Bar{Label: v.ShortMonth(p.From.MonthOf()), Name: v.Month(p.From.MonthOf()), Used: p.Used, Known: p.Quality != metering.Missing,
		Estimated: p.Quality == metering.Estimated, Written: sumOf(v.Language, v.Kind, p.Used)}
	if !b.Known {
		b.Written = v.T("chart.unknown")
	}
	if before, ok := yearBefore(all, i); ok {
		b.Before, b.BeforeWritten = before.Used, v.T("chart.before_of", sumOf(v.Language, v.Kind, before.Used))
	}
	return b
}

// yearBefore is the same month of the year before, where it is told.
func yearBefore(all []consumption.Total, i int) (consumption.Total, bool) {
	if i < 12 || all[i-12].Quality == metering.Missing {
		return consumption.Total{}, false
	}
	return all[i-12], true
}

// month writes one month. It is compared with the same of the year before; heating
// as if both had been as cold.
func (v *usageView) month(all []consumption.Total, i int, weather consumption.Weather) usageMonth {
	p := all[i]
	m := usageMonth{Name: v.Month(p.From.MonthOf())}
	if p.Quality == metering.Missing {
		m.None = v.T(silenceKeys[p.Refused])
		return m
	}
	m.Used, m.PerM2 = sumOf(v.Language, v.Kind, p.Used), perM2Of(v.Language, v.Kind, p.PerM2)
	if p.PerPersonDay != nil {
		m.PerPerson = v.OfDay(v.Kind, *p.PerPersonDay)
	}
	m.Note = v.part(p.Coverage)
	before, ok := yearBefore(all, i)
	if m.lacksBefore = !ok; !ok {
		return m
	}
	ratio := 1.0
	if v.Corrected {
		var known bool
		if ratio, known = weather.Ratio(p.From, p.To, before.From, before.To); !known {
			v.NoWeather = true
			return m
		}
		m.Corrected = sumOf(v.Language, v.Kind, metering.Amount(math.Round(float64(p.Used)/ratio)))
	}
	m.Change, m.Trend = change(v.Language, float64(p.Used)/ratio, float64(before.Used))
	return m
}

// change says how one figure is beside another, and in a word for the arrow.
func change(l web.Language, now, before float64) (text, trend string) {
	if before <= 0 {
		return "", ""
	}
	percent := 100 * (now/before - 1)
	switch {
	case percent > 5:
		return l.T("landlord.more", l.Number(percent, 0)), "more"
	case percent < -5:
		return l.T("landlord.less", l.Number(-percent, 0)), "less"
	default:
		return l.T("landlord.same"), "same"
	}
}

var silenceKeys = map[consumption.Silence]string{
	"": "chart.unknown", consumption.NotOver: "landlord.not_over", consumption.TooFewHomes: "landlord.too_few", consumption.DaysNotTold: "landlord.days_not_told",
}

// sumOf writes what many homes used: m³ or kWh.
func sumOf(l web.Language, k metering.Kind, a metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return l.Number(float64(a)/1000, 0) + "\u00a0kWh"
	}
	cubic, decimals := float64(a)/1e6, 0
	if math.Abs(cubic) < 100 {
		decimals = 1
	}
	return l.Number(cubic, decimals) + "\u00a0m³"
}

// perM2Of writes what was used a square metre: litres or kWh; empty where not known.
func perM2Of(l web.Language, k metering.Kind, a *metering.Amount) string {
	if a == nil {
		return ""
	}
	number, decimals := float64(*a)/1000, 0
	if number < 100 {
		decimals = 1
	}
	unit := l.T("unit.litres")
	if k.IndexUnit() == metering.WattHour {
		unit = "kWh"
	}
	return l.Number(number, decimals) + "\u00a0" + unit
}
