package trainer

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// A rowItem is a line of the sheet: a name, and what was ticked.
type rowItem struct {
	ID, Name, State string
	Present, Absent bool
}

type sheetView struct {
	web.Chrome
	Done, Fault                string
	Path, When, Where, Partner string
	Childcare, Transport       string
	Places, Off                string
	Rows                       []rowItem
	Begun, MayCallOff          bool
}

var sheetPage = web.MustPage[sheetView](templates, "templates/sheet.html", "templates/hidden.html")

// sheet serves GET /seances/{session}: names, and nothing else of who comes.
func (h *Handler) sheet(c echo.Context) error { return h.showSheet(c, trouble{status: http.StatusOK}) }

func (h *Handler) showSheet(c echo.Context, t trouble) error {
	s, rows, err := h.Store.Sheet(c.Request().Context(), whoOf(c), training.SessionID(c.Param("session")))
	if err != nil {
		return err
	}
	view := sheetView{Chrome: h.Site.Chrome(c, "trainer.sheet", s.Course.Title), Fault: t.text, Path: sessionsPath + "/" + url.PathEscape(string(s.ID)),
		Where: s.Place, Partner: s.Partner, Childcare: s.Childcare, Transport: s.Transport}
	view.Done = done(c, view.Language)
	view.When = view.T("trainer.from_to", moment(view.Language, s.Starts, s.Zone, h.Now()), view.Clock(s.Ends.In(s.Zone)))
	view.Places = view.T("trainer.taken", s.Taken, s.Capacity)
	view.Begun = !s.Starts.After(h.Now()) && s.CalledOff.IsZero()
	view.MayCallOff = works(c) && s.Starts.After(h.Now()) && s.CalledOff.IsZero()
	if !s.CalledOff.IsZero() {
		view.Off = view.T("trainer.off")
	}
	for _, r := range rows {
		item := rowItem{ID: string(r.ID), Name: r.Name, State: view.T(stateKeys[r.State]),
			Present: r.State == training.Attended, Absent: r.State == training.Absent}
		if typed := c.FormValue("presence-" + item.ID); t.text != "" && typed != "" {
			item.Present, item.Absent = typed == "oui", typed == "non"
		}
		view.Rows = append(view.Rows, item)
	}
	return sheetPage.Render(c, t.status, view)
}

// record serves POST /seances/{session}/presences. Rows that nobody ticked stay
// as they are.
func (h *Handler) record(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	ctx, id := c.Request().Context(), training.SessionID(c.Param("session"))
	_, rows, err := h.Store.Sheet(ctx, whoOf(c), id)
	if err != nil {
		return err
	}
	var marks []training.Mark
	for _, r := range rows {
		if typed := c.FormValue("presence-" + string(r.ID)); typed == "oui" || typed == "non" {
			marks = append(marks, training.Mark{Enrolment: r.ID, Present: typed == "oui"})
		}
	}
	return h.afterSheet(c, id, "presences", h.Store.Record(ctx, whoOf(c), id, marks, h.Now()))
}

// callOff serves POST /seances/{session}/annulation.
func (h *Handler) callOff(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	id := training.SessionID(c.Param("session"))
	return h.afterSheet(c, id, "annulation", h.Store.CallOff(c.Request().Context(), whoOf(c), id, h.Now()))
}

func (h *Handler) afterSheet(c echo.Context, id training.SessionID, done string, err error) error {
	if err == nil {
		return seeOther(c, sessionsPath+"/"+url.PathEscape(string(id))+"?fait="+done)
	}
	text, status, err := refusal(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showSheet(c, trouble{text: text, status: status})
}

// sheetPDF serves GET /seances/{session}/feuille.pdf: to be signed.
func (h *Handler) sheetPDF(c echo.Context) error {
	file, err := h.Clerk.SheetPDF(c.Request().Context(), whoOf(c), training.SessionID(c.Param("session")), web.LanguageOf(c).Code())
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/pdf", file)
}
