package tenant

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const notePath = "/note"

// A noteLink leads to a month's note.
type noteLink struct{ Link, Name, Why string }

// noteOf links the note of a month that is over, of which the reader lived some days
// there; nil for another.
func noteOf(l web.Language, w whose, month civil.Month, stays []premises.Stay, today civil.Date) *noteLink {
	if today.Before(month.Next().First()) {
		return nil
	}
	for _, s := range stays {
		if s.From.Before(month.Next().First()) && month.First().Before(s.To) {
			return &noteLink{w.link(notePath + "/" + month.String()), l.T("note.link", l.Month(month)), l.T("note.why")}
		}
	}
	return nil
}

// note serves GET /note/2026-02: a month's note as one page to be printed, in the
// language of the pages.
func (h *Handler) note(c echo.Context) error {
	month, err := civil.ParseMonth(c.Param("month"))
	if err != nil {
		return &problem.Error{Kind: problem.NotFound, Message: "month.malformed", Err: err}
	}
	l, now := web.LanguageOf(c), h.Now()
	w, err := h.whose(c, l)
	if err != nil {
		return err
	}
	writer := charges.Writer{Store: h.Charges, Reader: h.Consumption, Around: h.Around}
	n, err := writer.Monthly(c.Request().Context(), w.Viewer, month, now)
	if err != nil {
		return ofOneHome(err)
	}
	to := "" // a helper's name stands on nobody else's note
	if session, _ := accounts.Who(c); w.Helped == "" {
		to = session.Person.Name
	}
	zone, err := h.Homes.Zone(c.Request().Context(), w.Viewer)
	if err != nil {
		return err
	}
	page, err := n.Page(l.Code(), to, h.Head, civil.DateIn(now, zone))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `inline; filename="note-`+month.String()+`.pdf"`)
	return c.Blob(http.StatusOK, "application/pdf", page)
}
