package installer

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// newPath is where a gateway is registered: beside the gateways' own pages, so that
// it hides none of them, whatever it is called.
const newPath = path + "/nouvelle-passerelle"

// lineName is what the first line of meters is called in the configuration.
const lineName = "cable"

type newGatewayView struct {
	web.Chrome
	Path             string
	Typed            typedGateway
	Residences       []choice
	Speeds, Parities []choice
	Faults           map[string]string // by field of the JSON
	Fault            string            // of all of them together
}

// A typedGateway is what stands in the form.
type typedGateway struct{ ID, Residence, Name, Place, URL, Speed, Parity string }

var newGatewayPage = web.MustPage[newGatewayView](templates, "templates/create.html")

// speeds are those at which meters leave the factory, in bits a second.
var speeds = []string{"1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200"}

// create serves GET /equipements/nouvelle-passerelle. What most cables are like is
// filled in.
func (h *Handler) create(c echo.Context) error {
	return h.showNew(c, http.StatusOK, newGatewayView{Typed: typedGateway{URL: "rtu:///dev/ttyUSB0", Speed: "9600", Parity: "none"}})
}

func (h *Handler) showNew(c echo.Context, status int, view newGatewayView) error {
	view.Chrome, view.Path = h.Site.Chrome(c, "equipment.create"), newPath
	residences, err := h.Meters.WritableResidences(c.Request().Context(), who(c))
	if err != nil {
		return err
	}
	for _, r := range residences {
		view.Residences = append(view.Residences, choice{string(r.ID), r.Name, string(r.ID) == view.Typed.Residence || len(residences) == 1})
	}
	for _, s := range speeds {
		view.Speeds = append(view.Speeds, choice{s, s, s == view.Typed.Speed})
	}
	for _, p := range []choice{{ID: "none", Name: view.T("equipment.parity_none")}, {ID: "even", Name: view.T("equipment.parity_even")}, {ID: "odd", Name: view.T("equipment.parity_odd")}} {
		p.Chosen = p.ID == view.Typed.Parity
		view.Parities = append(view.Parities, p)
	}
	return newGatewayPage.Render(c, status, view)
}

// created serves POST /equipements/nouvelle-passerelle, and leads to the gateway.
func (h *Handler) created(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	text := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	typed := typedGateway{ID: text("identifiant"), Residence: text("residence"), Name: text("nom"), Place: text("endroit"),
		URL: text("prise"), Speed: text("vitesse"), Parity: text("parite")}
	g := typed.gateway()
	err := problem.OfFields(typed.faults(&g))
	if err == nil {
		err = h.Meters.CreateGateway(c.Request().Context(), who(c), g)
	}
	if err == nil {
		return c.Redirect(http.StatusSeeOther, path+"/passerelles/"+string(g.ID)+"?fait=enregistrement")
	}
	return h.refuseNew(c, typed, err)
}

func (t typedGateway) gateway() meters.Gateway {
	g := meters.Gateway{ID: metering.GatewayID(t.ID), Residence: metering.SiteID(t.Residence), Name: t.Name, Place: t.Place, Version: 1}
	if t.URL == "" {
		return g
	}
	speed, err := strconv.Atoi(t.Speed)
	if err != nil {
		speed = -1 // which no line has
	}
	g.Buses = []meters.Bus{{Name: lineName, URL: t.URL, Baud: speed, Parity: t.Parity}}
	return g
}

// faults are those of the gateway, in words for who chooses from a list.
func (t typedGateway) faults(g *meters.Gateway) []problem.Field {
	all := g.Fill()
	for i, f := range all {
		if f.Name == "residence" && t.Residence == "" {
			all[i] = problem.Field{Name: f.Name, Message: "field.missing"}
		}
	}
	return all
}

// refuseNew shows the form again, each fault beside its field.
func (h *Handler) refuseNew(c echo.Context, typed typedGateway, refused error) error {
	p := problem.Of(refused)
	if p.Kind != problem.Invalid && p.Kind != problem.Conflict {
		return refused
	}
	l, faults := web.LanguageOf(c), p.Fields
	if errors.Is(refused, meters.ErrExists) {
		faults = []problem.Field{{Name: "id", Message: meters.ErrExists.Message}}
	}
	view := newGatewayView{Typed: typed, Faults: map[string]string{}, Fault: web.Sentence(l, p)}
	for _, f := range faults {
		view.Faults[f.Name] = l.T(f.Message, f.Args...)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return h.showNew(c, p.StatusCode(), view)
}
