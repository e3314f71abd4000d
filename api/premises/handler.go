package premises

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Handler serves premises as JSON.
type Handler struct {
	store    *Store
	importer *Importer
	once     *resource.Once
	now      func() time.Time
}

// NewHandler returns a handler.
func NewHandler(s *Store, i *Importer, once *resource.Once, now func() time.Time) *Handler {
	return &Handler{store: s, importer: i, once: once, now: now}
}

// FileLimit bounds the requests that bear a file of dwellings, in place of the
// limit of all others.
func FileLimit() echo.MiddlewareFunc {
	return middleware.BodyLimit("17M") // the largest file, and what a form adds
}

// Register adds the routes below /api/v1. Who may call a route stands here; what
// of it they see is in the queries.
func (h *Handler) Register(g *echo.Group) {
	stockRead := accounts.Staff(accounts.PremisesRead, accounts.Advisor, accounts.Manager, accounts.Installer, accounts.Administrator)
	stockWrite := accounts.Staff(accounts.PremisesWrite, accounts.Manager, accounts.Administrator)
	sites := accounts.Staff(accounts.PremisesWrite, accounts.Administrator)
	people := accounts.Staff(accounts.PeopleWrite, accounts.Advisor, accounts.Manager, accounts.Administrator)
	peopleWrite := accounts.Staff(accounts.PeopleWrite, accounts.Manager, accounts.Administrator)
	anyone := accounts.Anyone(accounts.PeopleWrite)
	once := h.once.Middleware

	g.GET("/residences", h.residences, stockRead)
	g.POST("/residences", h.createResidence, sites, once)
	g.GET("/residences/:id", h.residence, stockRead)
	g.PATCH("/residences/:id", h.updateResidence, sites)
	g.GET("/residences/:id/buildings", h.buildings, stockRead)
	g.GET("/dwellings", h.dwellings, stockRead)
	g.POST("/dwellings", h.createDwelling, stockWrite, once)
	g.GET("/dwellings/:id", h.dwelling, stockRead)
	g.PATCH("/dwellings/:id", h.updateDwelling, stockWrite)
	g.GET("/dwellings/:id/tenancies", h.tenancies, people)

	g.POST("/tenancies/move", h.move, peopleWrite, once)
	g.GET("/households", h.households, people)
	g.POST("/households", h.createHousehold, peopleWrite, once)
	g.GET("/households/:id", h.household, people)
	g.PATCH("/households/:id", h.updateHousehold, people)
	g.POST("/households/:id/departures", h.leave, peopleWrite, once)
	g.GET("/persons", h.persons, people)
	g.POST("/persons", h.createPerson, peopleWrite, once)
	g.GET("/persons/:id", h.person, people)
	g.PATCH("/persons/:id", h.updatePerson, peopleWrite)
	g.GET("/mandates", h.mandates, anyone)
	g.POST("/mandates", h.createMandate, anyone, once)
	g.PATCH("/mandates/:id", h.updateMandate, anyone)

	g.POST("/stock-imports", h.startImport, stockWrite, FileLimit(), once)
	g.GET("/stock-imports/:id", h.stockImport, stockWrite)
	g.POST("/stock-imports/:id/confirmation", h.confirmImport, stockWrite, once)
	g.GET("/stock-template.csv", Template(stock.TemplateCSV, "logements.csv", "text/csv; charset=utf-8"), stockRead)
	g.GET("/stock-template.xlsx", Template(stock.TemplateXLSX, "logements.xlsx", XLSX), stockRead)
}

// XLSX is the media type of a workbook.
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Template serves an empty file of dwellings to be filled in.
func Template(made func() ([]byte, error), name, mediaType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		file, err := made()
		if err != nil {
			return err
		}
		c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		return c.Blob(http.StatusOK, mediaType, file)
	}
}

func staffOf(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

// look is what is written down of a request; the reason is the sender's.
func (h *Handler) look(c echo.Context, what What, id HouseholdID) Look {
	return Look{At: h.now(), Staff: staffOf(c), Household: id, What: what, Reason: c.QueryParam("reason")}
}

// filterOf reads what part of a list is wanted.
func filterOf(c echo.Context) (Filter, error) {
	page, err := resource.PageOf(c)
	if err != nil {
		return Filter{}, err
	}
	f := Filter{Residence: metering.SiteID(c.QueryParam("residence")), Building: c.QueryParam("building"), Search: c.QueryParam("search"), Page: page}
	var wrong faults
	for _, field := range []struct{ name, text string }{{"residence", string(f.Residence)}, {"building", f.Building}, {"search", f.Search}} {
		wrong.text(field.name, &field.text, 0, longestDoor)
	}
	return f, problem.OfFields(wrong)
}

// day reads a date as sent; empty is none.
func (f *faults) day(name, text string) civil.Date {
	if text == "" {
		return civil.Date{}
	}
	d, err := civil.ParseDate(text)
	if err != nil {
		f.add(name, "field.no_date")
	}
	return d
}

// orNone is nil for no date, so that JSON leaves it out.
func orNone(d civil.Date) *civil.Date {
	if d.IsZero() {
		return nil
	}
	return &d
}

// put changes into where something was sent.
func put[T any](into *T, sent *T) {
	if sent != nil {
		*into = *sent
	}
}
