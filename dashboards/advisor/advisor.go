// Package advisor serves the pages of the one whom households call: the list of the
// week, and a household's sheet with all that she can do for it.
package advisor

import (
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

//go:embed templates/*.html
var templates embed.FS

// Paths of the pages.
const (
	weekPath  = "/semaine"
	sheetPath = "/foyers"
)

// A Handler serves the pages.
type Handler struct {
	Site      *web.Site
	Programme *programme.Store
	Printer   programme.Printer
	Homes     *premises.Store
	Cases     *alerts.Store
	Training  *training.Store
	Machines  *computers.Store
	Now       func() time.Time
}

// Register adds the pages' routes. Who may open a page stands here; what of it
// they see is in the queries.
func (h *Handler) Register(e *echo.Echo) {
	workers := accounts.Staff(accounts.NoScope, programme.Writers...)
	e.GET(weekPath, h.week, workers)
	e.GET(weekPath+"/feuille.pdf", h.sheetPDF, workers)
	e.POST(weekPath+"/fait", h.close, workers)
	e.GET(sheetPath+"/:household", h.household, workers)
	e.POST(sheetPath+"/:household/notes", h.change("note", h.writeNote), workers)
	e.POST(sheetPath+"/:household/faite", h.change("faite", h.finishNote), workers)
	e.POST(sheetPath+"/:household/retirer", h.change("retiree", h.strikeNote), workers)
	e.POST(sheetPath+"/:household/internet", h.change("internet", h.setInternet), workers)
}

// SheetPath is the page of a household.
func SheetPath(id premises.HouseholdID) string { return sheetPath + "/" + url.PathEscape(string(id)) }

func whoOf(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

func seeOther(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }

// A choice is one of a form.
type choice struct {
	ID, Name string
	Chosen   bool
}

// doneKeys say what ?fait= means.
var doneKeys = map[string]string{
	"ligne": "advisor.done_line", "note": "advisor.done_note", "faite": "advisor.done_finished", "retiree": "advisor.done_struck", "internet": "advisor.done_internet",
}

func done(c echo.Context, l web.Language) string {
	if key, ok := doneKeys[c.QueryParam("fait")]; ok {
		return l.T(key)
	}
	return ""
}

// said is what was typed into a field, without spaces around.
func said(c echo.Context, name string) string { return strings.TrimSpace(c.FormValue(name)) }

// day reads a date that may be left out; what is none is a fault of the field.
func day(c echo.Context, name, field string) (*civil.Date, error) {
	typed := said(c, name)
	if typed == "" {
		return nil, nil //nolint:nilnil // no date was typed, which is allowed
	}
	d, err := civil.ParseDate(typed)
	if err != nil {
		return nil, problem.OfFields([]problem.Field{{Name: field, Message: "field.no_date"}})
	}
	return &d, nil
}

// refusal says in words why something was not done, by field, "" for the whole; it
// returns the error where no person can mend it.
func refusal(l web.Language, err error) (map[string]string, int, error) {
	p := problem.Of(err)
	switch {
	case p.Kind != problem.Invalid && p.Kind != problem.Conflict && p.Kind != problem.Stale:
		return nil, 0, err
	case len(p.Fields) == 0:
		return map[string]string{"": web.Sentence(l, p)}, p.StatusCode(), nil
	}
	faults := map[string]string{}
	for _, f := range p.Fields {
		faults[f.Name] = l.T(f.Message, f.Args...)
	}
	return faults, p.StatusCode(), nil
}
