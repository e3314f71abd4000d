package landlord

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// doneStock says what was done to the stock.
var doneStock = map[string]string{
	"cree": "stock.done_created", "change": "stock.done_changed", "demenage": "move.done", "residence": "stock.done_residence",
}

// A search is the form above a list.
type search struct {
	Path      string
	Places    []option
	Buildings []option
	Words     string
	Next      string // link to what follows; empty at the end
	First     string // link to the beginning; empty there
}

type item struct{ Link, Name, More string }

type dwellingsView struct {
	web.Chrome
	search
	Done        string
	Items       []item
	NewLink     string
	PlaceLink   string // to change the residence; empty for who may not
	NewPlace    bool
	HasNoPlaces bool
}

var dwellingsPage = web.MustPage[dwellingsView](templates, "templates/dwellings.html", "templates/search.html")

// dwellings serves GET /logements: the dwellings of a residence.
func (h *Handler) dwellings(c echo.Context) error {
	view := dwellingsView{Chrome: h.site.Chrome(c, "stock.title")}
	view.Done = done(c, view.Language, doneStock)
	session, _ := accounts.Who(c)
	view.NewPlace = session.Has(accounts.Administrator)
	f, err := h.search(c, &view.search, "/logements")
	if err != nil {
		return err
	}
	if view.HasNoPlaces = len(view.Places) == 0; view.HasNoPlaces {
		return dwellingsPage.Render(c, http.StatusOK, view)
	}
	view.NewLink = "/logements/nouveau?residence=" + url.QueryEscape(string(f.Residence))
	if view.NewPlace {
		view.PlaceLink = "/logements/residence?id=" + url.QueryEscape(string(f.Residence))
	}
	all, err := h.store.Dwellings(c.Request().Context(), staffOf(c), f)
	if err != nil {
		return err
	}
	if len(all) > f.Limit {
		all = all[:f.Limit]
		view.Next = view.page(f, string(all[f.Limit-1].ID))
	}
	for _, d := range all {
		view.Items = append(view.Items, item{ficheOf(d.ID), doorOf(view.Language, d), factsOf(view.Language, d)})
	}
	return dwellingsPage.Render(c, http.StatusOK, view)
}

// search reads what a list is asked for and fills its form.
func (h *Handler) search(c echo.Context, s *search, path string) (premises.Filter, error) {
	f := premises.Filter{Building: c.QueryParam("batiment"), Search: strings.TrimSpace(c.QueryParam("recherche")),
		Page: resource.Page{After: c.QueryParam("apres"), Limit: pageLength}}
	if len(f.Building)+len(f.Search)+len(f.After) > 400 {
		return f, &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	var err error
	if s.Places, f.Residence, err = h.places(c, c.QueryParam("residence")); err != nil {
		return f, err
	}
	s.Path, s.Words = path, f.Search
	if len(s.Places) == 0 {
		return f, nil
	}
	all, err := h.store.Buildings(c.Request().Context(), staffOf(c), f.Residence)
	if err != nil {
		return f, err
	}
	for _, b := range all {
		if b.Name != "" {
			s.Buildings = append(s.Buildings, option{b.Name, b.Name, b.Name == f.Building})
		}
	}
	if f.After != "" {
		s.First = s.page(f, "")
	}
	return f, nil
}

// page is the address of the list's page after an item.
func (s search) page(f premises.Filter, after string) string {
	query := url.Values{"residence": {string(f.Residence)}}
	for name, text := range map[string]string{"batiment": f.Building, "recherche": f.Search, "apres": after} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return s.Path + "?" + query.Encode()
}

func ficheOf(id premises.DwellingID) string { return "/logements/fiche/" + url.PathEscape(string(id)) }

// doorOf is a dwelling as people look for it.
func doorOf(l web.Language, d premises.Dwelling) string {
	return l.Door(d.Label, d.Building, d.Staircase)
}

func factsOf(l web.Language, d premises.Dwelling) string {
	parts := []string{string(d.ID), floorOf(l, d.Floor)}
	if d.Rooms > 0 {
		parts = append(parts, l.T("stock.rooms_are", d.Rooms))
	}
	if d.AreaM2 > 0 {
		parts = append(parts, areaOf(l, d.AreaM2)+"\u00a0m²")
	}
	return strings.Join(parts, " · ")
}

func floorOf(l web.Language, floor int) string {
	if floor == 0 {
		return l.T("stock.ground")
	}
	return l.T("stock.floor_is", strconv.Itoa(floor))
}

func areaOf(l web.Language, m2 float64) string {
	decimals := 0
	if m2 != float64(int(m2)) {
		decimals = 1
	}
	if m2*10 != float64(int(m2*10)) {
		decimals = 2
	}
	return l.Number(m2, decimals)
}

type tenant struct{ Link, Name string }

type dwellingView struct {
	web.Chrome
	Done      string
	Faults    []string
	Path      string // where the form goes
	New       bool
	Dwelling  premises.Dwelling
	Area      string
	Floor     string // as in the field; empty on a new dwelling
	Rooms     string // empty where not known
	Places    []option
	Heating   []option
	HotWater  []option
	Tenants   []tenant // who lived there, the last first
	MoveLink  string
	BackLink  string
	Residence string
}

var dwellingPage = web.MustPage[dwellingView](templates, "templates/dwelling.html", "templates/faults.html")

// dwelling serves GET /logements/fiche/A-12.
func (h *Handler) dwelling(c echo.Context) error {
	d, err := h.store.Dwelling(c.Request().Context(), staffOf(c), premises.DwellingID(c.Param("id")))
	if err != nil {
		return err
	}
	return h.showDwelling(c, http.StatusOK, d, d, nil)
}

// showDwelling fills the page in: kept is the dwelling as it is stored, which
// names the page, d as it stands in the form.
func (h *Handler) showDwelling(c echo.Context, status int, kept, d premises.Dwelling, faults []string) error {
	ctx := c.Request().Context()
	view := dwellingView{Chrome: h.site.Chrome(c, "stock.title"), Faults: faults, Dwelling: d, Path: ficheOf(d.ID)}
	view.Title, view.Floor = doorOf(view.Language, kept), strconv.Itoa(d.Floor)
	if len(faults) > 0 {
		view.Floor = c.FormValue("etage")
	}
	view.Done = done(c, view.Language, doneStock)
	view.choices()
	place, err := h.store.Residence(ctx, staffOf(c), d.Residence)
	if err != nil {
		return err
	}
	view.Residence, view.BackLink = place.Name, "/logements?residence="+url.QueryEscape(string(d.Residence))
	view.MoveLink = view.Path + "/demenagement"
	all, err := h.store.Tenancies(ctx, staffOf(c), d.ID)
	if err != nil {
		return err
	}
	today := h.today(place)
	for _, t := range all {
		text := view.T("people.since", view.Date(t.MovedIn, today))
		if !t.MovedOut.IsZero() {
			text = view.T("people.from_to", view.Date(t.MovedIn, today), view.Date(t.MovedOut.AddDays(-1), today))
		}
		view.Tenants = append(view.Tenants, tenant{householdLink(t.Household), text})
	}
	return dwellingPage.Render(c, status, view)
}

// warmthNames say how a dwelling is heated.
var warmthNames = map[premises.Warmth]string{
	premises.WarmthUnknown: "stock.warmth_unknown", premises.Collective: "stock.warmth_collective", premises.Gas: "stock.warmth_gas",
	premises.Electric: "stock.warmth_electric", premises.HeatPump: "stock.warmth_heat_pump", premises.Wood: "stock.warmth_wood",
	premises.OtherWarmth: "stock.warmth_other", premises.NoWarmth: "stock.warmth_none",
}

// choices fills the form's selections.
func (v *dwellingView) choices() {
	v.Area, v.Rooms = "", ""
	if v.Dwelling.Rooms > 0 {
		v.Rooms = strconv.Itoa(v.Dwelling.Rooms)
	}
	if v.Dwelling.AreaM2 > 0 {
		v.Area = strings.ReplaceAll(areaOf(v.Language, v.Dwelling.AreaM2), "\u202f", "")
	}
	for _, w := range premises.Warmths {
		name := v.T(warmthNames[w])
		v.Heating = append(v.Heating, option{string(w), name, w == v.Dwelling.Heating})
		v.HotWater = append(v.HotWater, option{string(w), name, w == v.Dwelling.HotWater})
	}
}

// read reads the form of a dwelling.
func readDwelling(c echo.Context, d *premises.Dwelling) error {
	f := form{c: c}
	d.Building, d.Staircase, d.Label = f.text("batiment"), f.text("escalier"), f.text("porte")
	d.Floor, d.Rooms = f.number("etage", "floor"), f.number("pieces", "rooms")
	if f.text("etage") == "" { // else it would be the ground floor
		f.fault("floor", "field.missing")
	}
	d.AreaM2 = f.decimal("surface", "area_m2")
	d.Heating, d.HotWater = premises.Warmth(f.text("chauffage")), premises.Warmth(f.text("eau_chaude"))
	d.Version = f.version()
	f.faults = append(f.faults, d.Faults()...)
	return f.err()
}

// updateDwelling serves POST /logements/fiche/A-12.
func (h *Handler) updateDwelling(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	d, err := h.store.Dwelling(ctx, staffOf(c), premises.DwellingID(c.Param("id")))
	if err != nil {
		return err
	}
	kept := d
	if err = readDwelling(c, &d); err == nil {
		err = h.store.UpdateDwelling(ctx, staffOf(c), d)
	}
	if err == nil {
		return seeOther(c, ficheOf(d.ID)+"?fait=change")
	}
	texts, p, err := faultsOf(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showDwelling(c, p.StatusCode(), kept, d, texts)
}

// newDwelling serves GET /logements/nouveau.
func (h *Handler) newDwelling(c echo.Context) error {
	d := premises.Dwelling{Residence: metering.SiteID(c.QueryParam("residence")), Heating: premises.WarmthUnknown, HotWater: premises.WarmthUnknown}
	return h.showNew(c, http.StatusOK, d, nil)
}

func (h *Handler) showNew(c echo.Context, status int, d premises.Dwelling, faults []string) error {
	view := dwellingView{Chrome: h.site.Chrome(c, "stock.new"), Faults: faults, Dwelling: d, New: true, Path: "/logements/nouveau", BackLink: "/logements"}
	view.Floor = c.FormValue("etage") // as typed: no floor is not the ground floor
	var err error
	if view.Places, _, err = h.places(c, string(d.Residence)); err != nil {
		return err
	}
	view.choices()
	return dwellingPage.Render(c, status, view)
}

// createDwelling serves POST /logements/nouveau.
func (h *Handler) createDwelling(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	d := premises.Dwelling{ID: premises.DwellingID(strings.TrimSpace(c.FormValue("identifiant"))), Residence: metering.SiteID(c.FormValue("residence"))}
	err := readDwelling(c, &d)
	if err == nil {
		err = h.store.CreateDwelling(c.Request().Context(), staffOf(c), d)
	}
	if err == nil {
		return seeOther(c, ficheOf(d.ID)+"?fait=cree")
	}
	texts, p, err := faultsOf(web.LanguageOf(c), err)
	if err != nil {
		return err
	}
	return h.showNew(c, p.StatusCode(), d, texts)
}
