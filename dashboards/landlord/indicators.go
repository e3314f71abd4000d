package landlord

import (
	"math"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

type indicatorsView struct {
	frame
	From, Until           string // as in fields; until is the last day
	FromFault, UntilFault string
	Period                string
	Themes                []themeView
	Files                 []option // link and name
}

// A themeView is the indicators of a theme.
type themeView struct {
	ID, Name   string
	Indicators []indicatorView
}

// An indicatorView is a figure with what explains it.
type indicatorView struct {
	Name, Computed, Declared, Gap string
	HasGap                        bool // declared and computed differ
	Formula, Source               string
	Said, Notes                   []string
}

var indicatorsPage = overviewPage[indicatorsView]("indicators")

// indicators serves GET /suivi/indicateurs: what records tell beside what was
// declared, and the gap between the two.
func (o *Overview) indicators(c echo.Context) error {
	f, err := o.frame(c, indicatorsPath, "landlord.indicators")
	if err != nil {
		return err
	}
	view := indicatorsView{frame: f}
	if !f.HasPlace() {
		return indicatorsPage.Render(c, http.StatusOK, view)
	}
	status := http.StatusOK
	from, until, wrong := o.askedDays(c, f)
	view.From, view.Until = from.String(), until.AddDays(-1).String()
	for _, w := range wrong {
		status = http.StatusUnprocessableEntity
		text := view.T(w.Message, w.Args...)
		if w.Name == "du" {
			view.From, view.FromFault = c.QueryParam("du"), text
		} else {
			view.Until, view.UntilFault = c.QueryParam("au"), text
		}
	}
	if len(wrong) == 0 {
		all, err := o.Programme.Indicators(c.Request().Context(), staffOf(c), programme.Period{Residence: f.place.ID, From: from, Until: until}, o.Now())
		if err != nil {
			return err
		}
		view.fill(o.Printer, all)
		view.files(from, until)
	}
	return indicatorsPage.Render(c, status, view)
}

// mostYears is the longest period that indicators are worked out for.
const mostYears = 50

// askedDays reads ?du= and ?au=, the last day; without them it is the last five
// years.
func (o *Overview) askedDays(c echo.Context, f frame) (from, until civil.Date, wrong []problem.Field) {
	from, until = programme.FiveYears(f.today)
	last := until.AddDays(-1)
	for name, into := range map[string]*civil.Date{"du": &from, "au": &last} {
		if typed := strings.TrimSpace(c.QueryParam(name)); typed != "" {
			var err error
			if *into, err = civil.ParseDate(typed); err != nil {
				wrong = append(wrong, problem.Field{Name: name, Message: "field.no_date"})
			}
		}
	}
	if until = last.AddDays(1); len(wrong) > 0 {
		return from, until, wrong
	}
	switch {
	case !from.Before(until):
		wrong = append(wrong, problem.Field{Name: "au", Message: "programme.before_start"})
	case from.Year+mostYears < until.Year:
		wrong = append(wrong, problem.Field{Name: "au", Message: "landlord.too_long", Args: []any{mostYears}})
	}
	return from, until, wrong
}

func (v *indicatorsView) fill(p programme.Printer, all []programme.Indicator) {
	code := v.Code()
	for _, theme := range programme.Themes {
		t := themeView{ID: string(theme), Name: v.T(themeKeys[theme])}
		for _, i := range all {
			if i.Theme != theme {
				continue
			}
			one := indicatorView{Name: v.T(i.Name), Computed: p.Figure(code, i.Unit, i.Computed), Declared: p.Figure(code, i.Unit, i.Declared),
				Gap: p.Gap(code, i), HasGap: i.Gap != nil && *i.Gap != 0, Formula: v.T(i.Formula), Source: v.T(i.Source)}
			if i.About && i.Declared != nil {
				one.Declared = v.T("programme.about_figure", one.Declared)
			}
			if i.Computed != nil && programme.Fraction(i.Unit, *i.Computed) {
				one.rounded(v.Language, p, i)
			}
			for _, n := range i.Notes {
				one.Notes = append(one.Notes, v.T(n.Key, n.Args...))
			}
			for _, d := range i.Said {
				one.Said = append(one.Said, v.said(p, i.Unit, d))
			}
			t.Indicators = append(t.Indicators, one)
		}
		v.Themes = append(v.Themes, t)
	}
}

// rounded writes a computed count, as of households, without the fraction that a
// share of a sample leaves; the fraction stands in what explains it.
func (one *indicatorView) rounded(l web.Language, p programme.Printer, i programme.Indicator) {
	whole := func(f programme.Figure) *programme.Figure {
		rounded := programme.Figure(math.Round(float64(f)/1000) * 1000)
		return &rounded
	}
	one.Notes = append(one.Notes, l.T("landlord.before_rounding", one.Computed))
	one.Computed = l.T("programme.about_figure", p.Figure(l.Code(), i.Unit, whole(*i.Computed)))
	if i.Gap != nil && programme.Fraction(i.Unit, *i.Gap) {
		i.Gap = whole(*i.Gap)
		one.Gap = l.T("programme.about_figure", p.Gap(l.Code(), i))
	}
}

// said is a word of what was declared, with where it stands.
func (v *indicatorsView) said(p programme.Printer, u programme.Unit, d programme.Declared) string {
	text := v.T("landlord.declared", p.Figure(v.Code(), u, &d.Figure), d.Source)
	if d.SourceDate != nil {
		text = v.T("landlord.declared_on", p.Figure(v.Code(), u, &d.Figure), d.Source, v.Date(*d.SourceDate, civil.Date{}))
	}
	return strings.TrimSpace(text + " " + d.Note)
}

var themeKeys = map[programme.Theme]string{
	programme.Equipment: "programme.theme_equipment", programme.Teaching: "programme.theme_training", programme.Money: "programme.theme_money",
	programme.Workshop: "programme.theme_workshop", programme.Homes: "programme.theme_homes", programme.Work: "programme.theme_work",
}

func (v *indicatorsView) files(from, until civil.Date) {
	v.Period = v.T("landlord.days_from", v.Date(from, civil.Date{}), v.Date(until.AddDays(-1), civil.Date{}))
	v.Files = v.indicatorFiles(from, until)
}

// filesPath is where the programme's own routes write indicators as files.
const filesPath = "/api/v1/programme/indicators/file"

// indicatorFiles are links to the indicators of the days [from, until) as files.
func (f frame) indicatorFiles(from, until civil.Date) (links []option) {
	for _, format := range formats {
		links = append(links, option{ID: f.link(filesPath, "format", format.ending, "from", from.String(), "until", until.String()), Name: f.T(format.key)})
	}
	return links
}
