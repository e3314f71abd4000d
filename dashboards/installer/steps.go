package installer

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// stepsView is what somebody with a screwdriver does, with drawings: from the card
// at the desk to the first reading.
type stepsView struct {
	web.Chrome
	ID, Where   string
	Path        string // of this page and its form
	First       bool   // no gateway hangs there yet
	Possible    bool   // codes can be had
	Unpublished bool   // no configuration would come by itself
	CanPublish  bool
	Code        *codeView // nil unless one was just made
	Arrival     arrivalView
}

// An arrivalView is how far the new gateway has come.
type arrivalView struct {
	Text        string
	Well, Wrong bool
	Since       string // when its code was used
	Heard       string
	Meters      string // how many it has read
	Hung        int    // how many there are
	Spool       int64
	Waits       bool // more is to come: the page looks again by itself
	Again       string
}

var stepsPage = web.MustPage[stepsView](templates, "templates/steps.html", "templates/drawings.html", "templates/code.html")

// lookAgainAfter is how soon the page looks again, in seconds: a gateway tells of
// itself every minute.
const lookAgainAfter = "30"

// steps serves GET …/pose, which is for a first gateway, and GET …/remplacement.
func (h *Handler) steps(first bool) echo.HandlerFunc {
	return func(c echo.Context) error { return h.showSteps(c, first, nil) }
}

// stepsCode serves POST …/pose and …/remplacement: the steps with a new code.
func (h *Handler) stepsCode(first bool) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := accounts.CheckForm(c); err != nil {
			return err
		}
		offer, err := h.Enrolments.Offer(c)
		if err != nil {
			return err
		}
		return h.showSteps(c, first, &offer)
	}
}

func (h *Handler) showSteps(c echo.Context, first bool, offer *enrolment.Offer) error {
	ctx, id, now := c.Request().Context(), metering.GatewayID(c.Param("id")), h.Now()
	if _, err := h.Meters.WritableGateway(ctx, who(c), id); err != nil {
		return err
	}
	g, err := h.Watch.GatewayByID(ctx, who(c), id)
	if err != nil {
		return err
	}
	if !g.Registered {
		return meters.ErrNone
	}
	title, address := "equipment.replace_gateway", path+"/passerelles/"+string(id)+"/remplacement"
	if first {
		title, address = "equipment.hang_gateway", path+"/passerelles/"+string(id)+"/pose"
	}
	view := stepsView{Chrome: h.Site.Chrome(c, title, string(id)), ID: string(id), Where: joined(g.Name, g.Place), Path: address,
		First: first, Possible: h.Enrolments.Possible(), CanPublish: h.Configs.CanPublish(), Code: h.codeOf(web.LanguageOf(c), offer, g.Zone)}
	status, err := h.Configs.Status(ctx, who(c), id)
	if err != nil {
		return err
	}
	view.Unpublished = status.Published == 0
	if view.Arrival, err = h.arrival(c, view.Language, g); err != nil {
		return err
	}
	view.Arrival.Again = address + "?vu=" + strconv.FormatInt(now.Unix(), 10) + "#arrivee" // another address each time, so that browsers ask
	if view.Arrival.Waits && offer == nil {
		c.Response().Header().Set("Refresh", lookAgainAfter)
	}
	return stepsPage.Render(c, http.StatusOK, view)
}

// codeOf is what a page shows of a code that was just made; nil where none was.
func (h *Handler) codeOf(l web.Language, offer *enrolment.Offer, zone *time.Location) *codeView {
	if offer == nil {
		return nil
	}
	v := &codeView{Code: string(offer.Code), Until: until(l, offer.Until.In(zone)), API: h.Enrolments.Reach.Pages}
	slip := "api: " + v.API + "\ncode: " + v.Code + "\n"
	v.File = template.URL("data:application/yaml;base64," + base64.StdEncoding.EncodeToString([]byte(slip)))
	return v
}

// arrival finds how far the new gateway has come, and how many meters it has read.
func (h *Handler) arrival(c echo.Context, l web.Language, g watch.GatewayStanding) (arrivalView, error) {
	ctx, now := c.Request().Context(), h.Now()
	var p enrolment.Progress
	var err error
	if h.Enrolments.Possible() {
		if p, err = h.Enrolments.Store.Progress(ctx, g.ID, now); err != nil {
			return arrivalView{}, err
		}
	}
	all, err := h.Watch.Fares(ctx, who(c), watch.FareFilter{Gateway: g.ID}, now, resource.Page{Limit: counted})
	if err != nil {
		return arrivalView{}, err
	}
	read, hung := 0, 0
	for _, m := range all {
		if m.Point == "" {
			continue
		}
		hung++
		if !p.Since.IsZero() && m.LastGood.After(p.Since) {
			read++
		}
	}
	return arrivalOf(l, g, p, read, hung, now), nil
}

// arrivalOf says in words how far it has come, that has read so many of the meters
// that hang. What was told before the code was used, the gateway before it told.
func arrivalOf(l web.Language, g watch.GatewayStanding, p enrolment.Progress, read, hung int, now time.Time) arrivalView {
	v := arrivalView{Hung: hung}
	if !g.Heard.IsZero() {
		v.Heard = l.T("equipment.heard", l.Moment(g.Heard, now, g.Zone))
	}
	if !p.Until.IsZero() {
		v.Text, v.Waits = l.T("equipment.arrival_code", until(l, p.Until.In(g.Zone))), true
		return v
	}
	if p.Since.IsZero() || now.Sub(p.Since) > enrolment.Works {
		v.Text = l.T("equipment.arrival_none")
		return v
	}
	v.Since = l.T("equipment.arrival_since", l.Moment(p.Since, now, g.Zone))
	if !g.Heard.After(p.Since) {
		v.Text, v.Waits = l.T("equipment.arrival_silent"), true
		return v
	}
	v.Meters, v.Spool = l.T("equipment.arrival_meters", read, hung), g.SpoolPacks
	switch {
	case !g.Online || g.Silent(now):
		v.Text, v.Wrong = l.T("equipment.arrival_gone"), true
	case g.Fault != "":
		v.Text, v.Wrong, v.Waits = l.T("equipment.arrival_refuses"), true, true
	case read == 0:
		v.Text, v.Waits = l.T("equipment.arrival_spoken"), true
	default:
		v.Text, v.Well = l.T("equipment.arrival_done"), true
	}
	return v
}
