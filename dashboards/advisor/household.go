package advisor

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Sizes of the lists.
const (
	mostDuties  = 1000
	shownForBuy = 5
	mostOffers  = 50
)

type householdView struct {
	web.Chrome
	Done, Path                   string
	Doors                        []string
	Telephone, Dial, Email       string
	By, People                   string
	FullSheet                    string
	Members                      []memberView
	Cases                        []caseView
	Notes                        []noteView
	Duties                       []dutyView
	ForSale                      []linkView
	Bought                       []string // what the household has already, and since when
	NoShare                      bool     // it may not buy another at the reduced price
	Internet                     string
	Kinds, Offers                []choice
	Today                        string
	Faults                       map[string]string // of the form in Part, by field; "" of the whole
	Part                         string
	Words, Due, On, InternetFrom string // as typed
	Advises                      bool   // the reader is an advisor: alerts are shown to nobody else
	residence                    metering.SiteID
	sheet                        premises.Sheet
}

// Fault is what is wrong with a field of a form.
func (v householdView) Fault(part, field string) string {
	if v.Part != part {
		return ""
	}
	return v.Faults[field]
}

type memberView struct{ ID, Name, Access string }

// A dutyView is a training that a member owes, with the page on which it is seen
// to and what is to be done there.
type dutyView struct {
	linkView
	Do string
}

// A linkView leads to a page.
type linkView struct{ Link, Name, More string }

// A caseView is an open case: the only consumption that the sheet tells.
type caseView struct {
	Title, Flow, Since, Lost, State string
	Water, Urgent                   bool
}

type noteView struct {
	ID, When, Words, Due string
	Open                 bool // something is still to be done
}

var householdPage = web.MustPage[householdView](templates, "templates/household.html", "templates/hidden.html")

// household serves GET /foyers/{household}; each look is written down, and the
// household may read it.
func (h *Handler) household(c echo.Context) error {
	return h.showHousehold(c, "", trouble{status: http.StatusOK})
}

func (h *Handler) showHousehold(c echo.Context, part string, t trouble) error {
	ctx, id := c.Request().Context(), premises.HouseholdID(c.Param("household"))
	sheet, err := h.Homes.Sheet(ctx, premises.Look{At: h.Now(), Staff: whoOf(c), Household: id, What: premises.LookedAtSheet})
	if err != nil {
		return err
	}
	view := householdView{Chrome: h.Site.Chrome(c, "advisor.household"), Path: SheetPath(id), FullSheet: "/personnes/" + url.PathEscape(string(id)), sheet: sheet, Part: part, Faults: t.faults, Today: sheet.Today.String()}
	session, _ := accounts.Who(c)
	view.Done, view.Advises = done(c, view.Language), session.Has(accounts.Advisor)
	view.people()
	view.On, view.InternetFrom = view.Today, view.Today
	if part == "note" {
		view.Words, view.Due, view.On = c.FormValue("mots"), c.FormValue("revenir"), c.FormValue("le")
	}
	for _, fill := range []func(context.Context, echo.Context, *householdView) error{h.cases, h.notes, h.duties, h.internet, h.forSale} {
		if err := fill(ctx, c, &view); err != nil {
			return err
		}
	}
	return householdPage.Render(c, t.status, view)
}

var contactKeys = map[premises.Channel]string{
	"": "advisor.by_letter", premises.Letter: "advisor.by_letter", premises.Telephone: "advisor.by_telephone", premises.Email: "advisor.by_email",
}

// people fills in who lives there and how they are reached.
func (v *householdView) people() {
	var names []string
	for _, m := range v.sheet.Members {
		if !m.To.IsZero() && !v.sheet.Today.Before(m.To) {
			continue
		}
		one := memberView{ID: string(m.ID), Name: m.Name, Access: v.T("people.has_no_access")}
		if m.Invited {
			one.Access = v.T("people.has_access")
		}
		names = append(names, m.Name)
		v.Members = append(v.Members, one)
	}
	if v.Title = strings.Join(names, ", "); v.Title == "" {
		v.Title = v.T("people.nobody_named")
	}
	for _, s := range v.sheet.Stays {
		if s.MovedOut.IsZero() || v.sheet.Today.Before(s.MovedOut) {
			v.Doors = append(v.Doors, v.Door(s.Door.Label, s.Door.Building, s.Door.Staircase)+", "+s.Residence.Name)
			v.residence = s.Residence.ID
		}
	}
	contact := v.sheet.Household.Contact
	v.Telephone, v.Dial, v.Email = contact.Telephone, web.Advisor{Telephone: contact.Telephone}.Dial(), contact.Email
	v.By, v.People = v.T(contactKeys[contact.By]), v.T("advisor.occupants", v.sheet.Household.Occupants)
}

// cases fills in what the home used, while a case is open and never else; the look
// is written down as one at consumption.
func (h *Handler) cases(ctx context.Context, c echo.Context, v *householdView) error {
	id := v.sheet.Household.ID
	open, err := h.Cases.OpenFor(ctx, whoOf(c), id, h.Now())
	if p := problem.Of(err); err != nil && p.Kind == problem.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if err := h.Homes.Look(ctx, premises.Look{At: h.Now(), Staff: whoOf(c), Household: id, What: premises.LookedAtUse}); err != nil {
		return err
	}
	for _, k := range open {
		v.Cases = append(v.Cases, v.caseOf(k, h))
	}
	return nil
}

var stateKeys = map[alerts.State]string{
	alerts.Opened: "advisor.case_opened", alerts.Told: "advisor.case_told", alerts.Confirmed: "advisor.case_confirmed", alerts.Repaired: "advisor.case_repaired",
}

func (v *householdView) caseOf(k alerts.Kept, h *Handler) caseView {
	f := k.Finding
	since := v.Date(civil.DateIn(f.Since.Latest, k.Zone), v.sheet.Today)
	one := caseView{Title: v.T("advisor.case_cold"), State: v.T(stateKeys[k.State])}
	if k.Cause.Subject != alerts.Water {
		one.Flow = v.T("advisor.cold_seen", v.Number(float64(f.MilliCelsius)/1000, 1), since)
		return one
	}
	litres := func(ml metering.Amount) string { return v.Number(math.Round(float64(ml)/1000), 0) }
	least, most := f.Lost(h.Now())
	one.Title, one.Water, one.Urgent = v.T("advisor.case_water", v.T(alerts.ClassText(f.Class)), strings.ToLower(v.T("kind."+string(f.Why.Kind)))), true, f.Class.Urgent()
	one.Since, one.Flow = v.T("landlord.since", since, f.Nights), v.T("landlord.flow", litres(f.Flow.Low), litres(f.Flow.High))
	if litres(f.Flow.Low) == litres(f.Flow.High) {
		one.Flow = v.T("landlord.flow_about", litres(f.Flow.High))
	}
	one.Lost = v.T("landlord.leak_lost", v.Number(float64(least)/1e6, 1), v.Number(float64(most)/1e6, 1))
	return one
}

// notes fills in what was noted, the latest first.
func (h *Handler) notes(ctx context.Context, c echo.Context, v *householdView) error {
	all, err := h.Programme.Notes(ctx, whoOf(c), v.sheet.Household.ID, h.Now())
	if err != nil {
		return err
	}
	for _, n := range all {
		one := noteView{ID: string(n.ID), When: v.T("advisor.noted", v.Date(n.On, v.sheet.Today), n.Author), Words: n.Words}
		if n.Author == "" {
			one.When = v.Date(n.On, v.sheet.Today)
		}
		if !n.Due.IsZero() {
			one.Due, one.Open = v.T("advisor.note_due", v.Date(n.Due, v.sheet.Today)), n.Done.IsZero()
			if !one.Open {
				one.Due = v.T("advisor.note_done")
			}
		}
		v.Notes = append(v.Notes, one)
	}
	return nil
}

// duties fills in the trainings that members owe, with the page to enrol who has
// no place yet.
func (h *Handler) duties(ctx context.Context, c echo.Context, v *householdView) error {
	all, err := h.Training.Duties(ctx, whoOf(c), training.Filter{Residence: v.residence, Page: resource.Page{Limit: mostDuties}}, h.Now())
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.Household == v.sheet.Household.ID {
			v.Duties = append(v.Duties, v.duty(d))
		}
	}
	return nil
}

// placedKeys say how far somebody is who has a place, or waits for one.
var placedKeys = map[training.State]string{
	training.Waiting: "trainer.state_waiting", training.Enrolled: "trainer.state_enrolled", training.Reminded: "trainer.state_reminded",
}

func (v *householdView) duty(d training.Duty) dutyView {
	due := v.T("advisor.duty_due", v.Date(d.Due, v.sheet.Today))
	one := dutyView{linkView{"/formations/" + url.PathEscape(string(d.ID)), d.Name, due}, v.T("advisor.enrol")}
	if key, placed := placedKeys[d.Now.State]; placed {
		one.Do, one.More = v.T("advisor.go_training"), v.T(key)
		if !d.Now.Starts.IsZero() {
			one.More = v.placed(d.Now.State, key, v.Date(civil.DateIn(d.Now.Starts, d.Zone), v.sheet.Today))
		}
	}
	return one
}

// placed says how far somebody is, with the day of the session: it is not that of the
// enrolment.
func (v *householdView) placed(state training.State, key, day string) string {
	switch state {
	case training.Enrolled:
		return v.T("trainer.place_at", day)
	case training.Reminded:
		return v.T("trainer.reminded_at", day)
	default:
		return v.T("trainer.state_at", v.T(key), day)
	}
}

var internetKeys = map[programme.InternetKind]string{
	programme.ByOffer: "advisor.internet_offer", programme.ByOwn: "advisor.internet_own", programme.NoInternet: "advisor.internet_none",
}

// internet fills in what internet the household has, and the form to change it.
func (h *Handler) internet(ctx context.Context, c echo.Context, v *householdView) error {
	had, err := h.Programme.Connections(ctx, whoOf(c), v.sheet.Household.ID, h.Now())
	if err != nil {
		return err
	}
	offers, err := programme.List[programme.InternetOffer](ctx, h.Programme, whoOf(c), programme.Filter{Residence: v.residence, Page: resource.Page{Limit: mostOffers}})
	if err != nil {
		return err
	}
	kind, offer := programme.InternetKind(c.FormValue("internet")), c.FormValue("offre")
	v.Internet = v.T("advisor.internet_unknown")
	if len(had) > 0 {
		v.Internet = v.T("advisor.internet_since", v.T(internetKeys[had[0].Has]), v.Date(had[0].From, v.sheet.Today))
		if v.Part != "internet" {
			kind, offer = had[0].Has, had[0].Offer
		}
	}
	for _, k := range programme.InternetKinds {
		if k != programme.ByOffer || len(offers) > 0 {
			v.Kinds = append(v.Kinds, choice{string(k), v.T(internetKeys[k]), k == kind})
		}
	}
	for _, o := range offers {
		v.Offers = append(v.Offers, choice{o.ID, v.T("advisor.offer", o.Operator, o.Title, v.Number(float64(o.MonthlyCents)/100, 2)), o.ID == offer})
	}
	if v.Part == "internet" {
		v.InternetFrom = c.FormValue("depuis")
	}
	return nil
}

// change serves the POST of a form of the sheet: it does what the form asks and
// leads back, or shows what is wrong beside the field. Sent twice it is done once.
func (h *Handler) change(part string, do func(context.Context, echo.Context, premises.HouseholdID) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		id := premises.HouseholdID(c.Param("household"))
		err := do(c.Request().Context(), c, id)
		if err == nil {
			return seeOther(c, SheetPath(id)+"?fait="+part)
		}
		faults, status, err := refusal(web.LanguageOf(c), err)
		if err != nil {
			return err
		}
		return h.showHousehold(c, part, trouble{faults: faults, status: status})
	}
}

func (h *Handler) writeNote(ctx context.Context, c echo.Context, id premises.HouseholdID) error {
	on, err := day(c, "le", "on")
	if err != nil {
		return err
	}
	due, err := day(c, "revenir", "due")
	if err != nil {
		return err
	}
	draft := programme.Draft{Words: said(c, "mots"), Due: due}
	if on != nil {
		draft.On = *on
	}
	_, err = h.Programme.WriteNote(ctx, whoOf(c), id, draft, h.Now())
	return err
}

func (h *Handler) finishNote(ctx context.Context, c echo.Context, _ premises.HouseholdID) error {
	return h.Programme.FinishNote(ctx, whoOf(c), programme.NoteID(said(c, "note")), h.Now())
}

func (h *Handler) strikeNote(ctx context.Context, c echo.Context, _ premises.HouseholdID) error {
	return h.Programme.StrikeNote(ctx, whoOf(c), programme.NoteID(said(c, "note")), h.Now())
}

func (h *Handler) setInternet(ctx context.Context, c echo.Context, id premises.HouseholdID) error {
	from, err := day(c, "depuis", "from")
	if err != nil {
		return err
	}
	now := programme.Connection{Has: programme.InternetKind(said(c, "internet"))}
	if from != nil {
		now.From = *from
	}
	if now.Has == programme.ByOffer {
		now.Offer = said(c, "offre")
	}
	return h.Programme.SetConnection(ctx, whoOf(c), id, now, h.Now())
}
