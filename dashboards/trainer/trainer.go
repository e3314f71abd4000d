// Package trainer serves the pages of trainings: who bought a computer and is not
// trained, for the advisor; the sessions; and the sheet of who was there, for the
// trainer.
package trainer

import (
	"embed"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

//go:embed templates/*.html
var templates embed.FS

// Paths of the pages.
const (
	buyersPath   = "/formations"
	sessionsPath = "/seances"
)

// A Handler serves the pages.
type Handler struct {
	Site  *web.Site
	Store *training.Store
	Clerk *training.Clerk
	Homes *premises.Store
	Now   func() time.Time
}

// Register adds the pages' routes. Who may open a page stands here; what of it
// they see is in the queries.
func (h *Handler) Register(e *echo.Echo) {
	workers := accounts.Staff(accounts.NoScope, training.Workers...)
	holders := accounts.Staff(accounts.NoScope, training.Holders...)
	readers := accounts.Staff(accounts.NoScope, training.Readers...)
	e.GET(buyersPath, h.buyers, workers)
	e.POST(buyersPath+"/inscrire", h.enrol, workers)
	e.POST(buyersPath+"/inviter", h.invite, workers)
	e.POST(buyersPath+"/appels", h.called, workers)
	e.POST(buyersPath+"/lettres", h.print, workers)
	e.GET(buyersPath+"/:duty", h.buyer, workers)
	e.POST(buyersPath+"/:duty/excuse", h.change("excuse", h.excuse), workers)
	e.POST(buyersPath+"/:duty/dispense", h.change("dispense", h.exempt), workers)
	e.POST(buyersPath+"/:duty/reprise", h.change("reprise", h.reopen), workers)
	e.POST(buyersPath+"/:duty/niveau", h.change("niveau", h.position), workers)
	e.POST(buyersPath+"/:duty/suivi", h.change("suivi", h.followUp), workers)
	e.GET(buyersPath+"/:duty/attestation.pdf", h.certificate, workers)
	e.GET(sessionsPath, h.sessions, readers)
	e.POST(sessionsPath, h.createSession, workers)
	e.POST(sessionsPath+"/cours", h.createCourse, workers)
	e.GET(sessionsPath+"/:session", h.sheet, holders)
	e.POST(sessionsPath+"/:session/presences", h.record, holders)
	e.POST(sessionsPath+"/:session/annulation", h.callOff, workers)
	e.GET(sessionsPath+"/:session/feuille.pdf", h.sheetPDF, holders)
}

func whoOf(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

// works reports whether the sender may do more than hold sessions.
func works(c echo.Context) bool {
	session, _ := accounts.Who(c)
	return session.Has(training.Workers...)
}

func seeOther(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }

// refusal says in a sentence why something was not done, with the status; it
// returns the error where no person can mend it.
func refusal(l web.Language, err error) (string, int, error) {
	p := problem.Of(err)
	switch {
	case p.Kind != problem.Invalid && p.Kind != problem.Conflict:
		return "", 0, err
	case len(p.Fields) == 0:
		return web.Sentence(l, p), p.StatusCode(), nil
	}
	var all []string
	for _, f := range p.Fields {
		all = append(all, l.T(f.Message, f.Args...))
	}
	return strings.Join(all, " "), p.StatusCode(), nil
}

// dial is a number as a telephone wants it.
func dial(telephone string) string { return web.Advisor{Telephone: telephone}.Dial() }

// moment writes the day and the hour at which a session begins.
func moment(l web.Language, at time.Time, zone *time.Location, now time.Time) string {
	return l.T("trainer.moment", l.Date(civil.DateIn(at, zone), civil.DateIn(now, zone)), l.Clock(at.In(zone)))
}

// stateKeys say how far a buyer has come.
var stateKeys = map[training.State]string{
	training.Invited: "trainer.state_invited", training.Waiting: "trainer.state_waiting", training.Enrolled: "trainer.state_enrolled",
	training.Reminded: "trainer.state_reminded", training.Attended: "trainer.state_attended", training.Absent: "trainer.state_absent",
	training.Excused: "trainer.state_excused", training.Withdrawn: "trainer.state_withdrawn",
}

// A Choice is one of a form.
type Choice struct {
	ID, Name string
	Chosen   bool
}

// A form reads what was typed.
type form struct{ echo.Context }

func (f form) text(name string) string { return strings.TrimSpace(f.FormValue(name)) }

// number reads a whole number; what is none is below every bound.
func (f form) number(name string) int {
	n, err := strconv.Atoi(f.text(name))
	if err != nil {
		return -1
	}
	return n
}
