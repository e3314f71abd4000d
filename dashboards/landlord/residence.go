package landlord

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// today is the date in the residence.
func (h *Handler) today(r premises.Residence) civil.Date { return civil.DateIn(h.now(), r.Zone) }

type residenceView struct {
	web.Chrome
	Faults    []string
	New       bool
	Residence premises.Residence
	ZoneName  string
}

var residencePage = web.MustPage[residenceView](templates, "templates/residence.html", "templates/faults.html")

// residenceForm serves GET /logements/residence?id=R, or an empty form.
func (h *Handler) residenceForm(c echo.Context) error {
	id := c.QueryParam("id")
	if id == "" {
		return h.showResidence(c, http.StatusOK, residenceView{New: true, ZoneName: "Europe/Paris",
			Residence: premises.Residence{HeatIndividualPercent: premises.UsualHeatPercent}})
	}
	r, err := h.store.Residence(c.Request().Context(), staffOf(c), metering.SiteID(id))
	if err != nil {
		return err
	}
	return h.showResidence(c, http.StatusOK, residenceView{Residence: r, ZoneName: r.Zone.String()})
}

func (h *Handler) showResidence(c echo.Context, status int, v residenceView) error {
	title := "stock.residence_change"
	if v.New {
		title = "stock.residence_new"
	}
	v.Chrome = h.site.Chrome(c, title)
	return residencePage.Render(c, status, v)
}

// saveResidence serves POST /logements/residence.
func (h *Handler) saveResidence(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	f := form{c: c}
	view := residenceView{New: f.text("nouvelle") != "", ZoneName: f.text("fuseau")}
	view.Residence = premises.Residence{ID: metering.SiteID(f.text("identifiant")), Name: f.text("nom"), Street: f.text("rue"),
		Postcode: f.text("code_postal"), Town: f.text("ville"), HeatIndividualPercent: f.number("chaleur", "heat_individual_percent"),
		Version: f.version(), Earliest: time.UnixMilli(0).UTC(), Zone: time.UTC}
	f.faults = append(f.faults, view.Residence.Faults()...)
	err := h.storeResidence(c, &f, view.New, view.ZoneName, view.Residence)
	if err == nil {
		return seeOther(c, "/logements?fait=residence&residence="+url.QueryEscape(string(view.Residence.ID)))
	}
	var p *problem.Error
	if view.Faults, p, err = faultsOf(web.LanguageOf(c), err); err != nil {
		return err
	}
	return h.showResidence(c, p.StatusCode(), view)
}

func (h *Handler) storeResidence(c echo.Context, f *form, isNew bool, zone string, r premises.Residence) error {
	ctx := c.Request().Context()
	if !isNew {
		if err := f.err(); err != nil {
			return err
		}
		return h.store.UpdateResidence(ctx, staffOf(c), r)
	}
	if !metering.ValidID(string(r.ID)) {
		f.fault("id", "field.no_id")
	}
	var err error
	if r.Zone, err = time.LoadLocation(zone); err != nil || zone == "" || strings.EqualFold(zone, "local") {
		f.fault("zone", "field.no_zone")
	}
	if err := f.err(); err != nil {
		return err
	}
	return h.store.CreateResidence(ctx, staffOf(c), r)
}
