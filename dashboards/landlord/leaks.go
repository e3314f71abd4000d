package landlord

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// mostLeaks is how many open leaks of a residence the desk holds.
const mostLeaks = 500

type leaksView struct {
	frame
	Lead  string
	Leaks []leakView
}

// A leakView is an open leak: where, how much, since when, and how far it has come.
type leakView struct {
	ID, Version, Door, What, Flow, Since, Lost, Euros string
	Household                                         string // link to its sheet; empty for who has none
	Week                                              string // link to the week, where a call or a visit is noted; empty for who has none
	Urgent                                            bool
	Steps                                             []leakStep
	Answers                                           []option
	Fault                                             string
	weight                                            float64 // euros a day, or litres an hour below any euro
}

// A leakStep is one of the steps of a leak.
type leakStep struct {
	Name, When string
	Done       bool
}

var leaksPage = overviewPage[leaksView]("leaks")

// doneLeaks says what ?fait= means.
var doneLeaks = map[string]string{
	string(alerts.SaidConfirm): "landlord.said_confirm", string(alerts.SaidRepaired): "landlord.said_repaired", string(alerts.SaidNoLeak): "landlord.said_no_leak",
}

// leaks serves GET /suivi/fuites: the open leaks, the dearest first.
func (o *Overview) leaks(c echo.Context) error { return o.showLeaks(c, http.StatusOK, "", "") }

func (o *Overview) showLeaks(c echo.Context, status int, at alerts.CaseID, fault string) error {
	f, err := o.frame(c, leaksPath, "landlord.leaks")
	if err != nil {
		return err
	}
	view := leaksView{frame: f}
	view.Done = done(c, view.Language, doneLeaks)
	if !f.HasPlace() {
		return leaksPage.Render(c, status, view)
	}
	all, err := o.Leaks.Desk(c.Request().Context(), staffOf(c), f.place.ID, resource.Page{Limit: mostLeaks})
	if err != nil {
		return err
	}
	prices, err := o.Charges.Of(c.Request().Context(), f.place.ID)
	if err != nil {
		return err
	}
	contacts, err := o.Programme.Visited(c.Request().Context(), staffOf(c), f.place.ID)
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	for _, l := range all {
		one := view.leak(l, prices, o)
		one.Steps = view.steps(l, contacts[string(l.ID)])
		if session.Has(programme.Writers...) {
			one.Week = f.link(weekPath)
			if l.Household != "" {
				one.Household = sheetOf(l.Household)
			}
		}
		if l.ID == at {
			one.Fault = fault
		}
		view.Leaks = append(view.Leaks, one)
	}
	slices.SortStableFunc(view.Leaks, func(a, b leakView) int { return cmp.Compare(b.weight, a.weight) })
	view.Lead = view.T("landlord.no_leaks")
	if n := len(view.Leaks); n > 0 {
		view.Lead = view.T("landlord.open_leaks", n)
	}
	return leaksPage.Render(c, status, view)
}

// weekPath is the advisor's list, where what was done about a leak is noted.
const weekPath = "/semaine"

// sheetOf is the advisor's page of a household.
func sheetOf(id premises.HouseholdID) string { return "/foyers/" + string(id) }

func (v *leaksView) leak(l alerts.OpenLeak, prices charges.Tariffs, o *Overview) leakView {
	f := l.Finding
	one := leakView{ID: string(l.ID), Version: strconv.FormatInt(l.Version, 10), Urgent: f.Class.Urgent(), Door: v.T("landlord.building_meter"),
		What: v.T("landlord.leak_what", v.T(alerts.ClassText(f.Class)), strings.ToLower(v.T("kind."+string(l.Kind)))), Flow: flowOf(v.Language, f.Flow)}
	if l.Dwelling.Label != "" {
		one.Door = v.Door(l.Dwelling.Label, l.Dwelling.Building, l.Dwelling.Staircase)
	}
	since := civil.DateIn(f.Since.Latest, v.place.Zone)
	one.Since = v.T("landlord.since", v.Date(since, v.today), f.Nights)
	least, most := f.Lost(o.Now())
	one.Lost = v.T("landlord.leak_lost", v.Number(float64(least)/1e6, 1), v.Number(float64(most)/1e6, 1))
	one.weight = float64(f.Flow.Likely) / 1e9
	if euros, ok := perCubicMetre(prices, l, v.today); ok {
		daily := float64(f.Flow.Likely) * 24 / 1e6 * euros
		one.weight = daily
		one.Euros = v.T("landlord.leak_euros", v.Euros(int64(100*(5*math.Ceil(float64(most)/1e6*euros/5)))), v.Euros(int64(100*365*daily)))
	}
	if one.Urgent {
		one.weight += 1e6
	}
	for _, a := range answersOf(l.State) {
		one.Answers = append(one.Answers, option{ID: string(a), Name: v.T(answerKeys[a])})
	}
	return one
}

// flowOf writes a flow as a range of litres an hour.
func flowOf(l web.Language, f alerts.Flow) string {
	low, high := l.Number(math.Round(float64(f.Low)/1000), 0), l.Number(math.Round(float64(f.High)/1000), 0)
	if low == high {
		return l.T("landlord.flow_about", high)
	}
	return l.T("landlord.flow", low, high)
}

// perCubicMetre is what a cubic metre of a leak's water costs today, in euros.
func perCubicMetre(prices charges.Tariffs, l alerts.OpenLeak, today civil.Date) (float64, bool) {
	rates, ok := prices.Rates(l.Kind, today)
	var micro float64
	for _, r := range rates {
		micro += float64(r.MicroEUR) * r.Share
	}
	return micro / 1e6, ok && micro > 0
}

var answerKeys = map[alerts.Said]string{
	alerts.SaidConfirm: "landlord.say_confirm", alerts.SaidRepaired: "landlord.say_repaired", alerts.SaidNoLeak: "landlord.say_no_leak",
}

// answersOf are the words that lead somewhere from a state.
func answersOf(s alerts.State) []alerts.Said {
	switch s {
	case alerts.Confirmed:
		return []alerts.Said{alerts.SaidRepaired, alerts.SaidNoLeak}
	case alerts.Repaired:
		return []alerts.Said{alerts.SaidConfirm, alerts.SaidNoLeak}
	default:
		return []alerts.Said{alerts.SaidConfirm, alerts.SaidRepaired, alerts.SaidNoLeak}
	}
}

// steps are found, told by the program, confirmed, contacted and visited by people, repaired,
// verified, each with its day.
func (v *leaksView) steps(l alerts.OpenLeak, of programme.Contact) []leakStep {
	day := func(on civil.Date) string {
		if on.IsZero() {
			return ""
		}
		return v.Date(on, v.today)
	}
	at := func(state alerts.State) string {
		for i := len(l.Steps) - 1; i >= 0; i-- {
			if s := l.Steps[i]; s.State == state {
				return day(civil.DateIn(s.At, v.place.Zone))
			}
		}
		return ""
	}
	var steps []leakStep
	for _, s := range []struct {
		key  string
		when string
	}{
		{"landlord.step_found", at(alerts.Opened)}, {"landlord.step_told", at(alerts.Told)}, {"landlord.step_confirmed", at(alerts.Confirmed)}, {"landlord.step_contacted", day(of.Reached)},
		{"landlord.step_visited", day(of.Visited)},
		{"landlord.step_repaired", at(alerts.Repaired)}, {"landlord.step_verified", ""},
	} {
		step := leakStep{Name: v.T(s.key), When: s.when, Done: s.when != ""}
		if !step.Done {
			step.When = v.T("landlord.step_open")
		}
		steps = append(steps, step)
	}
	if l.State == alerts.Repaired {
		steps[len(steps)-1].When = v.T("landlord.step_waits", l.Quiet, 2)
	}
	return steps
}

// sayOfLeak serves POST /suivi/fuites: what somebody says of a leak. The same word
// twice changes nothing.
func (o *Overview) sayOfLeak(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c: c}
	id, said := alerts.CaseID(f.text("fuite")), alerts.Said(f.text("mot"))
	l, err := o.Leaks.SayFor(c.Request().Context(), staffOf(c), o.Now(), id, f.version(), said)
	if err == nil {
		return seeOther(c, frame{place: premises.Residence{ID: l.Residence}}.link(leaksPath, "fait", string(said)))
	}
	p := problem.Of(err)
	if p.Kind != problem.Invalid && p.Kind != problem.Conflict && p.Kind != problem.Stale {
		return err
	}
	return o.showLeaks(c, p.StatusCode(), id, web.Sentence(web.LanguageOf(c), p))
}
