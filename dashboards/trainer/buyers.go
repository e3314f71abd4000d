package trainer

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Sizes of the list.
const (
	pageLength   = 50
	mostOffers   = 3 // sessions that one buyer is offered
	mostSessions = 100
)

// An offer is a session that a buyer can be enrolled in by one click.
type offer struct {
	Session, Name, Places string
	Wait                  bool
}

// A buyerItem is one buyer who is not trained.
type buyerItem struct {
	ID, Link, Name, Door  string
	Since, Due, Late      string
	Telephone, Dial       string
	State, Wish           string
	HasPlace, CanBeCalled bool
	Invited               bool
	Offers                []offer
	Fault                 string
}

type callItem struct{ Way, Days, Name, Telephone, Dial, What, Link string }

type buyersView struct {
	web.Chrome
	Done, Lead string
	Places     []Choice
	Residence  string
	Buyers     []buyerItem
	Calls      []callItem
	Asks       []askItem
	Letters    []string // ids
	LettersAre string
	Fault      string // of letters and calls
	Next       string
}

// An askItem is a trained buyer who is to be asked how it goes.
type askItem struct{ Link, Name, Telephone, Dial, Since string }

var buyersPage = web.MustPage[buyersView](templates, "templates/buyers.html", "templates/hidden.html")

// doneKeys say what ?fait= means.
var doneKeys = map[string]string{
	"inscrit": "trainer.done_enrolled", "invite": "trainer.done_invited", "appel": "trainer.done_called", "excuse": "trainer.done_excused",
	"dispense": "trainer.done_exempted", "reprise": "trainer.done_reopened", "niveau": "trainer.done_level", "suivi": "trainer.done_follow_up",
	"seance": "trainer.done_session", "cours": "trainer.done_course", "presences": "trainer.done_attendance", "annulation": "trainer.done_off",
	"attente": "trainer.done_waiting",
}

func done(c echo.Context, l web.Language) string {
	if key, ok := doneKeys[c.QueryParam("fait")]; ok {
		return l.T(key)
	}
	return ""
}

// A trouble is what was refused, and of which buyer; the zero value is none.
type trouble struct {
	duty   training.DutyID
	text   string
	status int
}

// buyers serves GET /formations: who bought a computer and is not trained.
func (h *Handler) buyers(c echo.Context) error {
	return h.showBuyers(c, trouble{status: http.StatusOK})
}

func (h *Handler) showBuyers(c echo.Context, t trouble) error {
	ctx, who, now := c.Request().Context(), whoOf(c), h.Now()
	view := buyersView{Chrome: h.Site.Chrome(c, "trainer.buyers"), Residence: c.FormValue("residence")}
	view.Done = done(c, view.Language)
	if t.duty == "" {
		view.Fault = t.text
	}
	f := training.Filter{Residence: metering.SiteID(view.Residence), Page: resource.Page{After: c.QueryParam("apres"), Limit: pageLength}}
	if len(view.Residence)+len(f.After) > 200 {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	all, err := h.Store.Duties(ctx, who, f, now)
	if err != nil {
		return err
	}
	coming, err := h.Store.Sessions(ctx, who, training.Span{From: now, To: now.AddDate(1, 1, 0), Page: resource.Page{Limit: mostSessions}})
	if err != nil {
		return err
	}
	if len(all) > pageLength {
		all = all[:pageLength]
		view.Next = buyersPath + "?" + url.Values{"apres": {string(all[pageLength-1].ID)}, "residence": {view.Residence}}.Encode()
	}
	for _, d := range all {
		item := h.buyerItem(view.Language, d, coming)
		if d.ID == t.duty {
			item.Fault = t.text
		}
		view.Buyers = append(view.Buyers, item)
	}
	for _, fill := range []func(echo.Context, *buyersView) error{h.summary, h.calls, h.asks, h.letters} {
		if err := fill(c, &view); err != nil {
			return err
		}
	}
	return buyersPage.Render(c, t.status, view)
}

func (h *Handler) buyerItem(l web.Language, d training.Duty, coming []training.Session) buyerItem {
	now := h.Now()
	today := civil.DateIn(now, d.Zone)
	item := buyerItem{ID: string(d.ID), Link: buyersPath + "/" + url.PathEscape(string(d.ID)), Name: d.Name,
		Since: l.T("trainer.since", l.Date(d.Since, today)), Due: l.T("trainer.due", l.Date(d.Due, today)),
		Telephone: d.Telephone, Dial: dial(d.Telephone), State: stateOf(l, d, now), HasPlace: d.Now.State.HasPlace() && d.Now.State.IsOpen(),
		Invited: d.Now.State.IsOpen()}
	if d.Door.Label != "" {
		item.Door = l.Door(d.Door.Label, d.Door.Building, d.Door.Staircase)
	}
	if d.Late(today) {
		item.Late = l.T("trainer.late", days(d.Due, today))
	}
	if !d.Asked.IsZero() {
		item.Wish = l.T("trainer.asked_another", l.Date(civil.DateIn(d.Asked, d.Zone), today))
		if d.Wish != "" {
			item.Wish = l.T("trainer.asked_words", l.Date(civil.DateIn(d.Asked, d.Zone), today), d.Wish)
		}
	}
	if !item.HasPlace {
		item.Offers = offers(l, d, coming, now)
	}
	return item
}

func days(from, to civil.Date) int {
	return int(to.Start(time.UTC).Sub(from.Start(time.UTC)) / (24 * time.Hour))
}

// stateOf says how far a buyer has come, and for which session.
func stateOf(l web.Language, d training.Duty, now time.Time) string {
	w := d.Now
	if w.State == "" {
		return l.T("trainer.state_none")
	}
	text := l.T(stateKeys[w.State])
	if w.Starts.IsZero() {
		return text
	}
	begin := moment(l, w.Starts, d.Zone, now)
	switch w.State {
	case training.Enrolled: // the day is the session's, not that of the enrolment
		return l.T("trainer.place_at", begin)
	case training.Reminded:
		return l.T("trainer.reminded_at", begin)
	default:
		return l.T("trainer.state_at", text, begin)
	}
}

// offers are the next sessions of the buyer's residence that have a place free,
// or room to wait: first those in the buyer's language.
func offers(l web.Language, d training.Duty, coming []training.Session, now time.Time) []offer {
	var own, other []offer
	for _, s := range coming {
		if s.Residence != d.Residence || !s.CalledOff.IsZero() || s.ID == d.Now.Session && d.Now.State == training.Waiting {
			continue
		}
		o := offer{Session: string(s.ID), Name: l.T("trainer.offer", moment(l, s.Starts, s.Zone, now), s.Place)}
		switch {
		case s.Free() > 0:
			o.Places = places(l, s.Free())
		case s.Waiting < s.MayWait:
			o.Places, o.Wait = l.T("trainer.full_wait"), true
		default:
			continue
		}
		if s.Language == d.Language {
			own = append(own, o)
		} else {
			o.Name = l.T("trainer.in_language", o.Name, s.Language)
			other = append(other, o)
		}
	}
	all := append(own, other...)
	return all[:min(len(all), mostOffers)]
}

func places(l web.Language, free int) string {
	if free == 1 {
		return l.T("trainer.one_place")
	}
	return l.T("trainer.places", free)
}

// summary fills in how many, and the residences to choose from.
func (h *Handler) summary(c echo.Context, view *buyersView) error {
	all, err := h.Store.Counts(c.Request().Context(), whoOf(c), h.Now())
	if err != nil {
		return err
	}
	obliged, trained, late := 0, 0, 0
	for _, n := range all {
		view.Places = append(view.Places, Choice{string(n.Residence), n.ResidenceName, string(n.Residence) == view.Residence})
		obliged, trained, late = obliged+n.Obliged, trained+n.Trained, late+n.Late
	}
	view.Lead = view.T("trainer.summary", trained, obliged, late)
	return nil
}

func (h *Handler) calls(c echo.Context, view *buyersView) error {
	all, err := h.Store.Calls(c.Request().Context(), whoOf(c), h.Now())
	if err != nil {
		return err
	}
	for _, k := range all {
		view.Calls = append(view.Calls, callItem{string(k.Enrolment), strconv.Itoa(k.Days), k.Name, k.Telephone, dial(k.Telephone),
			view.T("trainer.offer", moment(view.Language, k.Starts, k.Zone, h.Now()), k.Place), buyersPath + "/" + url.PathEscape(string(k.Duty))})
	}
	return nil
}

func (h *Handler) asks(c echo.Context, view *buyersView) error {
	all, err := h.Store.FollowUps(c.Request().Context(), whoOf(c), resource.Page{Limit: pageLength}, h.Now())
	if err != nil {
		return err
	}
	for _, d := range all[:min(len(all), pageLength)] {
		view.Asks = append(view.Asks, askItem{buyersPath + "/" + url.PathEscape(string(d.ID)) + "#suivi", d.Name, d.Telephone, dial(d.Telephone),
			view.T("trainer.trained_on", view.Date(d.Done, civil.DateIn(h.Now(), d.Zone)))})
	}
	return nil
}

func (h *Handler) letters(c echo.Context, view *buyersView) error {
	all, err := h.Clerk.Letters(c.Request().Context(), whoOf(c))
	if err != nil {
		return err
	}
	for _, l := range all {
		view.Letters = append(view.Letters, l.ID)
	}
	view.LettersAre = view.T("trainer.letters_are", len(all))
	return nil
}

// enrol serves POST /formations/inscrire.
func (h *Handler) enrol(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c}
	duty, wait := training.DutyID(f.text("acheteur")), f.text("attente") == "1"
	err := h.Store.Enrol(c.Request().Context(), whoOf(c), duty, training.SessionID(f.text("seance")), wait, h.Now())
	if err == nil && wait {
		return h.backToBuyers(c, "attente")
	}
	return h.answer(c, duty, "inscrit", err)
}

// invite serves POST /formations/inviter.
func (h *Handler) invite(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	duty := training.DutyID(form{c}.text("acheteur"))
	return h.answer(c, duty, "invite", h.Store.Invite(c.Request().Context(), whoOf(c), duty, "", h.Now()))
}

// called serves POST /formations/appels: a reminder by telephone was given.
func (h *Handler) called(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c}
	err := h.Store.Called(c.Request().Context(), whoOf(c), training.EnrolmentID(f.text("rappel")), f.number("jours"), h.Now())
	return h.answer(c, "", "appel", err)
}

// print serves POST /formations/lettres: the letters as one PDF.
func (h *Handler) print(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	file, err := h.Clerk.Print(c.Request().Context(), whoOf(c), c.Request().Form["lettre"])
	if err != nil {
		return h.answer(c, "", "", err)
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="lettres-formation.pdf"`)
	return c.Blob(http.StatusOK, "application/pdf", file)
}

// answer leads back to the list, or shows it with what was refused beside the
// buyer.
func (h *Handler) answer(c echo.Context, duty training.DutyID, done string, err error) error {
	if err == nil {
		return h.backToBuyers(c, done)
	}
	text, status, err := refusal(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showBuyers(c, trouble{duty, text, status})
}

func (h *Handler) backToBuyers(c echo.Context, done string) error {
	query := url.Values{"fait": {done}}
	if residence := c.FormValue("residence"); residence != "" {
		query.Set("residence", residence)
	}
	return seeOther(c, buyersPath+"?"+query.Encode())
}
