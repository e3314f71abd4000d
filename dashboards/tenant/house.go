package tenant

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// Paths of the page on which a household says what its home has.
const (
	housePath = "/mon-logement"
	awayPath  = housePath + "/absences"
)

// A houseView is what the household said about its home, and the forms to say more.
type houseView struct {
	web.Chrome
	whose
	TipsLink, Form, AwayForm string
	Done, Fault, NoHome      string
	SeeOnly                  string
	Version                  int64
	Questions                []houseQuestion
	Water                    string // what the landlord knows; the household is not asked
	Absences                 []awayItem
	Away                     awayForm
}

// A houseQuestion is one question with its replies.
type houseQuestion struct {
	Name, Words, Why string
	Replies          []houseReply
	Said             string // the reply that holds, in words
	Fault            string
}

type houseReply struct {
	Said, Words string
	Checked     bool
}

// An awayItem is an absence that can be taken back.
type awayItem struct{ Words, Form string }

// An awayForm is what was typed of a new absence, and what is wrong with it.
type awayForm struct{ First, Last, FirstFault, LastFault, Fault string }

var housePage = web.MustPage[houseView](templates, "templates/house.html", "templates/whose.html")

// house serves GET /mon-logement.
func (h *Handler) house(c echo.Context) error {
	return h.showHouse(c, http.StatusOK, nil)
}

// showHouse shows the page; also adds what was typed and why it was refused.
func (h *Handler) showHouse(c echo.Context, status int, also func(*houseView)) error {
	view := houseView{Chrome: h.Site.Chrome(c, "house.title")}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	view.TipsLink, view.Form, view.AwayForm = view.link(advicePath), view.link(housePath), view.link(awayPath)
	known, err := h.Tips.House(c.Request().Context(), view.Viewer, h.Now())
	if isNone(err) {
		view.NoHome = view.T("house.none")
		return housePage.Render(c, status, view)
	}
	if err != nil {
		return err
	}
	view.fill(known)
	view.Done = saidOfHouse(view.Language, c.QueryParam(doneField))
	if also != nil {
		also(&view)
	}
	return housePage.Render(c, status, view)
}

func (v *houseView) fill(known tips.House) {
	v.Version = known.Version
	if !known.May {
		v.SeeOnly = v.T("mydata.see_only")
	}
	if known.Water != "" {
		v.Water = heatedBy(v.Language, known.Water)
	}
	for _, question := range known.Asked() {
		v.Questions = append(v.Questions, newHouseQuestion(v.Language, question, known.Said[question]))
	}
	for _, a := range known.Absences {
		v.Absences = append(v.Absences, awayItem{v.T("house.away", v.Date(a.From, civil.Date{}), v.Date(a.To.AddDays(-1), civil.Date{})),
			v.link(awayPath + "/" + string(a.ID) + "/fin")})
	}
}

func newHouseQuestion(l web.Language, question tips.Answer, said tips.Reply) houseQuestion {
	if said == "" {
		said = tips.Unknown
	}
	q := houseQuestion{Name: string(question)}
	q.Words, q.Why = asked(l, question)
	for _, reply := range tips.Replies(question) {
		one := houseReply{string(reply), replied(l, reply), reply == said}
		if one.Checked {
			q.Said = one.Words
		}
		q.Replies = append(q.Replies, one)
	}
	return q
}

// asked is a question in words, and what the answer is for.
func asked(l web.Language, question tips.Answer) (words, why string) {
	switch question {
	case tips.HasBath:
		return l.T("house.bath"), l.T("house.bath_why")
	case tips.HasDryer:
		return l.T("house.dryer"), l.T("house.dryer_why")
	case tips.HasSecondFreezer:
		return l.T("house.second_freezer"), l.T("house.second_freezer_why")
	case tips.HasBox:
		return l.T("house.internet_box"), l.T("house.internet_box_why")
	case tips.NeedsLine:
		return l.T("house.needs_line"), l.T("house.needs_line_why")
	default:
		return l.T("house.water_heating"), l.T("house.water_heating_why")
	}
}

func replied(l web.Language, said tips.Reply) string {
	switch said {
	case tips.Yes:
		return l.T("house.yes")
	case tips.No:
		return l.T("house.no")
	case tips.Reply(tips.SharedHotWater):
		return l.T("house.shared")
	case tips.Reply(tips.ElectricTank):
		return l.T("house.electric")
	case tips.Reply(tips.GasBoiler):
		return l.T("house.gas")
	default:
		return l.T("house.unknown")
	}
}

// saidOfHouse says what was done; empty for nothing.
func saidOfHouse(l web.Language, done string) string {
	switch done {
	case "reponses":
		return l.T("house.done_answers")
	case "absence":
		return l.T("house.done_away")
	case "retiree":
		return l.T("house.done_back")
	default:
		return ""
	}
}

// tellHouse serves POST /mon-logement: the answers of the whole form. One that is
// left out stays as it was.
func (h *Handler) tellHouse(c echo.Context) error {
	w, err := h.formOf(c)
	if err != nil {
		return err
	}
	said := map[tips.Answer]tips.Reply{}
	for _, question := range tips.Questions {
		if reply := c.FormValue(string(question)); reply != "" {
			said[question] = tips.Reply(reply)
		}
	}
	version, unreadable := strconv.ParseInt(c.FormValue(versionField), 10, 64)
	if unreadable != nil {
		return &problem.Error{Kind: problem.Invalid, Message: "error.fields", Err: unreadable}
	}
	err = h.Tips.Reply(c.Request().Context(), w.Viewer, h.Now(), version, said)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, with(w.link(housePath), doneField, "reponses"))
	}
	p := problem.Of(err)
	if !errors.Is(err, resource.ErrStale) && len(p.Fields) == 0 {
		return err
	}
	return h.showHouse(c, p.StatusCode(), func(v *houseView) { v.refuse(p, said) })
}

// refuse keeps what was chosen and says what is wrong with it.
func (v *houseView) refuse(p *problem.Error, said map[tips.Answer]tips.Reply) {
	v.Fault = v.T("house.stale")
	for i := range v.Questions {
		q := &v.Questions[i]
		for j := range q.Replies {
			q.Replies[j].Checked = q.Replies[j].Said == string(said[tips.Answer(q.Name)])
		}
		for _, f := range p.Fields {
			if f.Name == q.Name {
				q.Fault = v.T("house.choose")
			}
		}
	}
	if len(p.Fields) > 0 {
		v.Fault = ""
	}
}

// formOf returns whose home a form that came with its token means.
func (h *Handler) formOf(c echo.Context) (whose, error) {
	if err := accounts.CheckForm(c); err != nil {
		return whose{}, err
	}
	return h.whose(c, web.LanguageOf(c))
}

// leave serves POST /mon-logement/absences: from the first day on which nobody is
// there to the last.
func (h *Handler) leave(c echo.Context) error {
	w, err := h.formOf(c)
	if err != nil {
		return err
	}
	form := awayForm{First: c.FormValue("du"), Last: c.FormValue("au")}
	l := web.LanguageOf(c)
	first, firstErr := civil.ParseDate(form.First)
	last, lastErr := civil.ParseDate(form.Last)
	if firstErr != nil {
		form.FirstFault = l.T("house.date")
	}
	if lastErr != nil {
		form.LastFault = l.T("house.date")
	}
	status := http.StatusUnprocessableEntity
	if firstErr == nil && lastErr == nil {
		err := h.Tips.Leave(c.Request().Context(), w.Viewer, h.Now(), tips.Absence{From: first, To: last.AddDays(1)})
		if err == nil {
			return c.Redirect(http.StatusSeeOther, with(w.link(housePath), doneField, "absence"))
		}
		p := problem.Of(err)
		if p.Kind != problem.Invalid && p.Kind != problem.Conflict {
			return err
		}
		status = p.StatusCode()
		form.explain(l, p)
	} else if known, err := h.Tips.House(c.Request().Context(), w.Viewer, h.Now()); err != nil || !known.May {
		return errors.Join(err, &problem.Error{Kind: problem.NotFound, Message: "error.not_found"})
	}
	return h.showHouse(c, status, func(v *houseView) { v.Away = form })
}

// explain says beside each field what is wrong with it.
func (f *awayForm) explain(l web.Language, p *problem.Error) {
	if len(p.Fields) == 0 {
		f.Fault = web.Sentence(l, p)
	}
	for _, field := range p.Fields {
		if field.Name == "from" {
			f.FirstFault = l.T("house.too_far")
		} else if field.Message == "house.too_long" {
			f.LastFault = l.T("house.too_long")
		} else {
			f.LastFault = l.T("house.ends_before")
		}
	}
}

// comeBack serves POST /mon-logement/absences/{id}/fin.
func (h *Handler) comeBack(c echo.Context) error {
	w, err := h.formOf(c)
	if err != nil {
		return err
	}
	if err := h.Tips.TakeBack(c.Request().Context(), w.Viewer, h.Now(), tips.AwayID(c.Param("id"))); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, with(w.link(housePath), doneField, "retiree"))
}
