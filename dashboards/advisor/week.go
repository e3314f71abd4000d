package advisor

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type weekView struct {
	web.Chrome
	Done, Lead, Monday string
	Residence, Name    string
	Places             []choice
	Lines              []lineView
	SheetLink          string
	Empty              bool
}

// A lineView is a line of the list: whom to call and why, and the form that closes
// it.
type lineView struct {
	ID                       string // of the line
	Number                   int
	Door, Names, Limit       string
	Since                    string
	Urgent, Late             bool
	Sheet                    string // link to the household's sheet; empty for none
	Reasons                  []reasonView
	Outcomes                 []choice
	Words, Again, Least      string
	Open                     bool // its form was refused
	Fault                    string
	OutcomeFault, WordsFault string
	AgainFault               string
	HasNote                  bool
}

// A reasonView is one matter with the page on which it is dealt with.
type reasonView struct {
	Text, Link, Name string
	Urgent           bool
}

var weekPage = web.MustPage[weekView](templates, "templates/week.html", "templates/hidden.html")

// A trouble is what was refused of a line; the zero value is none.
type trouble struct {
	line   string
	faults map[string]string
	status int
}

// week serves GET /semaine: at most twelve lines, the most pressing first.
func (h *Handler) week(c echo.Context) error { return h.showWeek(c, trouble{status: http.StatusOK}) }

// asked is the week of the residence that is asked for, else of the first.
func (h *Handler) asked(c echo.Context) (programme.Queue, []programme.Place, error) {
	ctx, asked := c.Request().Context(), said(c, "residence")
	places, err := h.Programme.Places(ctx, whoOf(c))
	if err != nil {
		return programme.Queue{}, nil, err
	}
	if asked == "" {
		asked = string(places[0].ID)
	}
	if len(asked) > 100 {
		return programme.Queue{}, nil, &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	q, err := h.Programme.Week(ctx, whoOf(c), metering.SiteID(asked), h.Now())
	return q, places, err
}

func (h *Handler) showWeek(c echo.Context, t trouble) error {
	q, places, err := h.asked(c)
	if err != nil {
		return err
	}
	view := weekView{Chrome: h.Site.Chrome(c, "advisor.week"), Residence: string(q.Residence), Name: q.Name, Empty: len(q.Lines) == 0}
	view.Done = done(c, view.Language)
	view.Monday = view.T("advisor.week_of", view.Date(q.Monday, q.Today))
	view.Lead = view.T("advisor.week_lead", len(q.Lines), q.Closed, q.Waiting)
	view.SheetLink = weekPath + "/feuille.pdf?" + url.Values{"residence": {view.Residence}}.Encode()
	for _, p := range places {
		view.Places = append(view.Places, choice{string(p.ID), p.Name, p.ID == q.Residence})
	}
	words := h.Printer.SheetLines(view.Code(), q)
	for i, l := range q.Lines {
		one := lineOf(view.Language, l, words[i])
		one.Least = q.Today.AddDays(1).String()
		one.Since = view.T("advisor.since", view.Date(l.Since, q.Today))
		if one.Limit = view.T("advisor.limit", view.Date(l.Limit, q.Today)); l.Limit.Before(q.Today) {
			one.Limit, one.Late = view.T("advisor.late", view.Date(l.Limit, q.Today)), true
		}
		if l.ID == t.line {
			one.refused(c, t.faults)
		}
		view.Lines = append(view.Lines, one)
	}
	return weekPage.Render(c, t.status, view)
}

func lineOf(l web.Language, line programme.Line, words programme.SheetLine) lineView {
	one := lineView{ID: line.ID, Number: words.Number, Door: words.Door, Names: words.Names, Urgent: line.Urgent, HasNote: line.Household != ""}
	if line.Household != "" {
		one.Sheet = SheetPath(line.Household)
	}
	seen := map[programme.Matter]bool{}
	for _, r := range line.Reasons {
		if seen[r.Matter] {
			continue
		}
		seen[r.Matter] = true
		reason := reasonView{Text: l.T(programme.MatterText(r.Matter)), Urgent: r.Urgent}
		reason.Link, reason.Name = place(l, r)
		one.Reasons = append(one.Reasons, reason)
	}
	for _, o := range programme.Outcomes {
		one.Outcomes = append(one.Outcomes, choice{ID: string(o), Name: l.T(programme.OutcomeText(o))})
	}
	return one
}

// place is the page on which a matter is dealt with; empty where the household's
// sheet is that.
func place(l web.Language, r programme.Reason) (link, name string) {
	switch r.Matter {
	case programme.Leak:
		return "/suivi/fuites", l.T("advisor.go_leaks")
	case programme.Repair:
		return "/atelier/reparations/" + url.PathEscape(r.Subject), l.T("advisor.go_repair")
	case programme.Untaught:
		return "/formations/" + url.PathEscape(r.Subject), l.T("advisor.go_training")
	case programme.FollowUp:
		return "/formations", l.T("advisor.go_training")
	case programme.Expiry:
		return "/suivi/conventions", l.T("advisor.go_conventions")
	default:
		return "", ""
	}
}

// refused puts what was typed back into the line's form, with words beside each
// field.
func (v *lineView) refused(c echo.Context, faults map[string]string) {
	v.Open, v.Words, v.Again = true, c.FormValue("mots"), c.FormValue("revenir")
	for i := range v.Outcomes {
		v.Outcomes[i].Chosen = v.Outcomes[i].ID == said(c, "issue")
	}
	v.Fault, v.OutcomeFault, v.WordsFault, v.AgainFault = faults[""], faults["outcome"], faults["words"], faults["again"]
}

// close serves POST /semaine/fait: a line is dealt with. Sent twice it is done once.
func (h *Handler) close(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	line, residence := said(c, "ligne"), metering.SiteID(said(c, "residence"))
	closing := programme.Closing{Outcome: programme.Outcome(said(c, "issue")), Words: said(c, "mots")}
	again, err := day(c, "revenir", "again")
	if err == nil {
		closing.Again = again
		err = h.Programme.Close(c.Request().Context(), whoOf(c), residence, line, closing, h.Now())
	}
	if err == nil {
		return seeOther(c, weekPath+"?"+url.Values{"residence": {string(residence)}, "fait": {"ligne"}}.Encode())
	}
	l := web.LanguageOf(c)
	faults, status, err := refusal(l, err)
	if err != nil {
		return err
	}
	if faults["outcome"] != "" && closing.Outcome == "" {
		faults["outcome"] = l.T("advisor.choose_outcome")
	}
	return h.showWeek(c, trouble{line, faults, status})
}

// sheetPDF serves GET /semaine/feuille.pdf: the list on one A4 page.
func (h *Handler) sheetPDF(c echo.Context) error {
	q, _, err := h.asked(c)
	if err != nil {
		return err
	}
	page, err := h.Printer.SheetPDF(web.LanguageOf(c).Code(), q)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `inline; filename="semaine-`+q.Monday.String()+`.pdf"`)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(http.StatusOK, "application/pdf", page)
}

// Key names a line's form on the page.
func (v lineView) Key() string { return "l" + strconv.Itoa(v.Number) }

// Who is the line in a few words, for who hears the page.
func (v lineView) Who() string { return strings.TrimSpace(v.Door + " " + v.Names) }
