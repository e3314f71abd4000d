package installer

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// pageOf is how many lines each list of the page has.
const pageOf = 50

type listView struct {
	web.Chrome
	Residence  string
	Residences []choice
	MayWrite   bool
	Number     string // that was looked for; empty for none
	NotFound   bool
	Stray      string // the gateway that reads it though nobody registered it
	Matches    []line
	Gateways   []line
	Unread     section
	Unchecked  section
	Unknown    section
}

type choice struct {
	ID, Name string
	Chosen   bool
}

// A line is one device: what it is, where, and what is wrong with it.
type line struct {
	Link, Name, Where, State, Since string
	Wrong                           bool
}

// A section is a list with the way to its rest.
type section struct {
	Lines []line
	Next  string
}

var listPage = web.MustPage[listView](templates, "templates/list.html", "templates/lines.html")

// list serves GET /equipements: gateways first, then what is silent, what is not
// verified and what nobody registered.
func (h *Handler) list(c echo.Context) error {
	view, err := h.listView(c)
	if err != nil {
		return err
	}
	return listPage.Render(c, http.StatusOK, view)
}

func (h *Handler) listView(c echo.Context) (listView, error) {
	ctx, person, now := c.Request().Context(), who(c), h.Now()
	view := listView{Chrome: h.Site.Chrome(c, "equipment.title"), Residence: c.QueryParam("residence"), MayWrite: mayWrite(c)}
	residences, err := h.Meters.Residences(ctx, person)
	if err != nil {
		return view, err
	}
	for _, r := range residences {
		view.Residences = append(view.Residences, choice{string(r.ID), r.Name, string(r.ID) == view.Residence})
	}
	residence := metering.SiteID(view.Residence)
	gateways, err := h.Watch.Gateways(ctx, person, residence, resource.Page{Limit: 1000})
	if err != nil {
		return view, err
	}
	for _, g := range gateways {
		l := gatewayLine(view.Language, g, now)
		l.Where = joined(l.Where, view.of(g.Residence))
		view.Gateways = append(view.Gateways, l)
	}
	if view.Unread, err = h.fares(c, view, watch.FareFilter{Residence: residence, Trouble: true}, "lus", false); err != nil {
		return view, err
	}
	if view.Unchecked, err = h.fares(c, view, watch.FareFilter{Residence: residence, Unchecked: true}, "verifies", true); err != nil {
		return view, err
	}
	view.Unknown, err = h.strangers(c, view, residence)
	return view, err
}

// of names a residence, where the page shows several.
func (v listView) of(residence metering.SiteID) string {
	if len(v.Residences) < 2 || v.Residence != "" {
		return ""
	}
	for _, r := range v.Residences {
		if r.ID == string(residence) {
			return r.Name
		}
	}
	return ""
}

// gatewayLine says how a gateway fares, with the worst first.
func gatewayLine(l web.Language, g watch.GatewayStanding, now time.Time) line {
	made := line{Link: path + "/passerelles/" + string(g.ID), Name: string(g.ID), Where: joined(g.Name, g.Place), Wrong: true}
	switch {
	case !g.Registered:
		made.State, made.Link = l.T("equipment.gateway_unknown"), ""
	case g.Heard.IsZero():
		made.State = l.T("equipment.gateway_never")
	case g.Silent(now):
		made.State = l.T("equipment.gateway_silent")
	case g.Fault != "":
		made.State = l.T("equipment.gateway_fault")
	case g.SpoolAlarm:
		made.State = l.T("equipment.gateway_full")
	default:
		made.State, made.Wrong = l.T("equipment.gateway_well"), false
	}
	if !g.Heard.IsZero() {
		made.Since = l.T("equipment.heard", l.Moment(g.Heard, now, g.Zone))
	}
	return made
}

func joined(parts ...string) string {
	var full []string
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, ", ")
}

// fares is one section of meters, which goes on after ?name=.
func (h *Handler) fares(c echo.Context, view listView, f watch.FareFilter, name string, checks bool) (section, error) {
	all, err := h.Watch.Fares(c.Request().Context(), who(c), f, h.Now(), resource.Page{After: c.QueryParam(name), Limit: pageOf})
	if err != nil {
		return section{}, err
	}
	var s section
	if len(all) > pageOf {
		all = all[:pageOf]
		s.Next = next(c, name, string(all[pageOf-1].Meter))
	}
	for _, m := range all {
		l := fareLine(view.Language, m, h.Now())
		l.Where = joined(l.Where, view.of(m.Residence))
		if checks {
			l.State, l.Since = view.T(states[m.Check]), ""
		}
		if !view.MayWrite {
			l.Link = ""
		}
		s.Lines = append(s.Lines, l)
	}
	return s, nil
}

func next(c echo.Context, name, after string) string {
	query := url.Values{name: {after}}
	if r := c.QueryParam("residence"); r != "" {
		query.Set("residence", r)
	}
	return path + "?" + query.Encode()
}

func fareLine(l web.Language, m watch.Fare, now time.Time) line {
	made := line{Link: path + "/compteurs/" + string(m.Meter), Name: meterName(l, m.Kind, m.Serial, string(m.Meter)), Wrong: true,
		State: l.T(standings[m.Standing])}
	if m.Point != "" {
		made.Where = place(l, m.Dwelling, m.Building, m.Staircase, m.Label)
	}
	if !m.LastGood.IsZero() {
		made.Since = l.T("equipment.read", l.Moment(m.LastGood, now, m.Zone))
	}
	return made
}

// meterName is what stands on the meter: its kind and its number.
func meterName(l web.Language, kind metering.Kind, serial, id string) string {
	if serial == "" {
		serial = id
	}
	return l.T("kind."+string(kind)) + " " + serial
}

func (h *Handler) strangers(c echo.Context, view listView, residence metering.SiteID) (section, error) {
	all, err := h.Watch.Strangers(c.Request().Context(), who(c), residence, "", resource.Page{After: c.QueryParam("inconnus"), Limit: pageOf})
	if err != nil {
		return section{}, err
	}
	var s section
	if len(all) > pageOf {
		all = all[:pageOf]
		s.Next = next(c, "inconnus", all[pageOf-1].Key())
	}
	for _, m := range all {
		l := line{Name: meterName(view.Language, m.Kind, m.Serial, string(m.Meter)), Wrong: true,
			Where: joined(view.T("equipment.by_gateway", m.Gateway), view.of(m.Residence)),
			State: view.T("equipment.is_unknown")}
		s.Lines = append(s.Lines, l)
	}
	return s, nil
}

// find serves GET /equipements/compteur?numero=: a number that was typed or
// scanned leads to its meter.
func (h *Handler) find(c echo.Context) error {
	number := strings.TrimSpace(c.QueryParam("numero"))
	if number == "" || len(number) > 64 {
		return c.Redirect(http.StatusSeeOther, path)
	}
	ctx := c.Request().Context()
	found, err := h.Meters.Meters(ctx, who(c), meters.MeterFilter{Serial: number}, resource.Page{Limit: pageOf})
	if err != nil {
		return err
	}
	if len(found) == 1 {
		return c.Redirect(http.StatusSeeOther, path+"/compteurs/"+string(found[0].ID))
	}
	view, err := h.listView(c)
	if err != nil {
		return err
	}
	view.Number, view.NotFound = number, len(found) == 0
	for _, m := range found {
		l := line{Link: path + "/compteurs/" + string(m.ID), Name: meterName(view.Language, m.Kind, m.Serial, string(m.ID))}
		if p := m.Place; p != nil {
			l.Where = joined(place(view.Language, p.Dwelling, p.Building, p.Staircase, p.Label), view.of(m.Residence))
		}
		view.Matches = append(view.Matches, l)
	}
	strays, err := h.Watch.Strangers(ctx, who(c), "", number, resource.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(strays) > 0 {
		view.Stray = string(strays[0].Gateway)
	}
	status := http.StatusOK
	if view.NotFound {
		status = http.StatusNotFound
	}
	return listPage.Render(c, status, view)
}
