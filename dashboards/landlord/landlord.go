// Package landlord serves the pages of those who keep the landlord's homes: the
// stock of dwellings, its import, and who lives where. Advisors see the people
// only.
package landlord

import (
	"embed"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

//go:embed templates/*.html
var templates embed.FS

// ImportPath is where the page sends a file of dwellings; it has a limit of its
// own for what is sent.
const ImportPath = "/logements/importer"

// pageLength is how many items a list shows at once.
const pageLength = 50

// A Handler serves the pages.
type Handler struct {
	site     *web.Site
	store    *premises.Store
	importer *premises.Importer
	clerk    *accounts.Clerk
	now      func() time.Time
}

// New returns the handler.
func New(site *web.Site, s *premises.Store, i *premises.Importer, clerk *accounts.Clerk, now func() time.Time) *Handler {
	return &Handler{site: site, store: s, importer: i, clerk: clerk, now: now}
}

// Register adds the pages' routes. Who may open a page stands here; what of it
// they see is in the queries.
func (h *Handler) Register(e *echo.Echo) {
	keepers := accounts.Staff(accounts.NoScope, accounts.Manager, accounts.Administrator)
	once := web.Once()
	people := accounts.Staff(accounts.NoScope, accounts.Advisor, accounts.Manager, accounts.Administrator)
	sites := accounts.Staff(accounts.NoScope, accounts.Administrator)

	e.GET("/logements", h.dwellings, keepers)
	e.GET("/logements/nouveau", h.newDwelling, keepers)
	e.POST("/logements/nouveau", h.createDwelling, keepers)
	e.GET("/logements/fiche/:id", h.dwelling, keepers)
	e.POST("/logements/fiche/:id", h.updateDwelling, keepers)
	e.GET("/logements/fiche/:id/demenagement", h.moveForm, keepers)
	e.POST("/logements/fiche/:id/demenagement", h.move, keepers)
	e.GET("/logements/residence", h.residenceForm, sites)
	e.POST("/logements/residence", h.saveResidence, sites)
	e.GET(ImportPath, h.importForm, keepers)
	e.POST(ImportPath, h.startImport, keepers, premises.FileLimit())
	e.GET(ImportPath+"/:id", h.stockImport, keepers)
	e.POST(ImportPath+"/:id", h.confirmImport, keepers)
	e.GET("/logements/modele.csv", premises.Template(stock.TemplateCSV, "logements.csv", "text/csv; charset=utf-8"), keepers)
	e.GET("/logements/modele.xlsx", premises.Template(stock.TemplateXLSX, "logements.xlsx", premises.XLSX), keepers)

	e.GET("/personnes", h.homes, people)
	e.GET("/personnes/:household", h.household, people)
	e.GET("/personnes/:household/*", h.backToHousehold, people)
	e.POST("/personnes/:household/contact", h.change("contact", h.changeContact), people)
	e.POST("/personnes/:household/foyer", h.change("foyer", h.changeHousehold), keepers)
	e.POST("/personnes/:household/membres", h.change("membre", h.addMember), keepers, once)
	e.POST("/personnes/:household/nom", h.change("nom", h.rename), keepers)
	e.POST("/personnes/:household/depart", h.change("depart", h.leave), keepers)
	e.POST("/personnes/:household/aides", h.change("aide", h.addMandate), people, once)
	e.POST("/personnes/:household/aides/fin", h.change("aide-fin", h.endMandate), people)
	e.POST("/personnes/:household/invitation", h.invite, people, once)
}

func staffOf(c echo.Context) accounts.PersonID {
	session, _ := accounts.Who(c)
	return session.Person.ID
}

// keeps reports whether the sender keeps the stock somewhere, and not only knows
// its people.
func keeps(c echo.Context) bool {
	session, _ := accounts.Who(c)
	return session.Has(accounts.Manager, accounts.Administrator)
}

// An option is a choice of a form.
type option struct {
	ID, Name string
	Chosen   bool
}

// places lists the sender's residences; the first is chosen where none is asked
// for.
func (h *Handler) places(c echo.Context, chosen string) (options []option, id metering.SiteID, err error) {
	all, err := h.store.ResidencesOf(c.Request().Context(), staffOf(c), resource.Page{Limit: 1000})
	if err != nil {
		return nil, "", err
	}
	for i, r := range all {
		here := string(r.ID) == chosen || chosen == "" && i == 0
		if here {
			id = r.ID
		}
		options = append(options, option{string(r.ID), r.Name, here})
	}
	if id == "" && len(all) > 0 {
		return nil, "", &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	}
	return options, id, nil
}

// fieldNames are the labels of the fields that a problem may name.
var fieldNames = map[string]string{
	"id": "stock.id", "residence": "stock.residence", "building": "stock.building", "staircase": "stock.staircase",
	"label": "stock.label", "floor": "stock.floor", "rooms": "stock.rooms", "area_m2": "stock.area", "heating": "stock.heating",
	"hot_water": "stock.hot_water", "moved_out": "move.out", "moved_in": "move.in", "leaver_to": "move.leaver_to",
	"name": "stock.name", "language": "people.language", "occupants": "people.occupants", "contact_by": "people.contact",
	"telephone": "people.telephone", "email": "people.email", "from": "people.joins_on", "on": "people.leaves_on",
	"to": "people.helps_until", "helper_name": "people.helper", "giver": "people.giver", "zone": "stock.zone", "street": "stock.street",
	"postcode": "stock.postcode", "town": "stock.town", "heat_individual_percent": "stock.heat",
}

// faultsOf says what is wrong, a sentence for each field; it returns the error
// where no person can mend it.
func faultsOf(l web.Language, err error) ([]string, *problem.Error, error) {
	p := problem.Of(err)
	if p.Kind != problem.Invalid && p.Kind != problem.Conflict && p.Kind != problem.Stale {
		return nil, p, err
	}
	if len(p.Fields) == 0 {
		return []string{web.Sentence(l, p)}, p, nil
	}
	var all []string
	for _, f := range p.Fields {
		name := f.Name[strings.LastIndexByte(f.Name, '.')+1:]
		if key, ok := fieldNames[name]; ok {
			name = l.T(key)
		}
		all = append(all, l.T("stock.fault", name, l.T(f.Message, f.Args...)))
	}
	return all, p, nil
}

// done says what ?fait= means; empty for nothing.
func done(c echo.Context, l web.Language, texts map[string]string) string {
	if key, ok := texts[c.QueryParam("fait")]; ok {
		return l.T(key)
	}
	return ""
}

// A form reads what was typed and keeps what cannot be read.
type form struct {
	c      echo.Context
	faults []problem.Field
}

func (f *form) text(name string) string { return strings.TrimSpace(f.c.FormValue(name)) }

func (f *form) fault(field, message string) {
	f.faults = append(f.faults, problem.Field{Name: field, Message: message})
}

// number reads a whole number; empty is 0.
func (f *form) number(name, field string) int {
	typed := f.text(name)
	if typed == "" {
		return 0
	}
	n, err := strconv.Atoi(typed)
	if err != nil {
		f.fault(field, "field.malformed")
	}
	return n
}

// decimal reads a number with a comma or a point; empty is 0.
func (f *form) decimal(name, field string) float64 {
	typed := f.text(name)
	if typed == "" {
		return 0
	}
	x, err := strconv.ParseFloat(strings.Replace(typed, ",", ".", 1), 64)
	if err != nil {
		f.fault(field, "field.malformed")
	}
	return x
}

// day reads a date; empty is none, which is a fault where one is needed.
func (f *form) day(name, field string, needed bool) civil.Date {
	typed := f.text(name)
	if typed == "" {
		if needed {
			f.fault(field, "field.missing")
		}
		return civil.Date{}
	}
	d, err := civil.ParseDate(typed)
	if err != nil {
		f.fault(field, "field.no_date")
	}
	return d
}

func (f *form) version() int64 {
	version, err := strconv.ParseInt(f.text("version"), 10, 64)
	if err != nil {
		return 0 // of nothing: stale
	}
	return version
}

func (f *form) err() error { return problem.OfFields(f.faults) }

func seeOther(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }
