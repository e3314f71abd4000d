package installer

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// pageOf is how many lines a list shows at once, fewGateways up to how many are
// all shown.
const (
	pageOf      = 50
	fewGateways = 6
)

type listView struct {
	web.Chrome
	Residence  string
	Residences []choice
	MayWrite   bool
	Number     string // that was looked for; empty for none
	NotFound   bool
	Stray      string // the gateway that reads it though nobody registered it
	Matches    []line
	Gateways   []line // those to look at, or all where they are few
	Well       []line // the others
	Down       bool   // one of the gateways is silent or stopped
	Unread     []group
	Unchecked  []group
	Unknown    section
}

type choice struct {
	ID, Name string
	Chosen   bool
}

// A line is one device: what it is, where, and what is wrong with it.
type line struct {
	Link, Name, Where, State, Since string
	Wrong, Idle                     bool
}

// A section is a list with the way to its rest.
type section struct {
	Lines []line
	Next  string
}

var listPage = web.MustPage[listView](templates, "templates/list.html", "templates/lines.html")

// list serves GET /equipements: gateways first, then what is to be done about
// meters, and with ?liste= the whole list of one of these.
func (h *Handler) list(c echo.Context) error {
	if slug := c.QueryParam("liste"); slug != "" {
		return h.whole(c, slug)
	}
	view, err := h.listView(c)
	if err != nil {
		return err
	}
	return listPage.Render(c, http.StatusOK, view)
}

// frame is what all lists share.
func (h *Handler) frame(c echo.Context) (listView, error) {
	view := listView{Chrome: h.Site.Chrome(c, "equipment.title"), Residence: c.QueryParam("residence"), MayWrite: mayWrite(c)}
	residences, err := h.Meters.Residences(c.Request().Context(), who(c))
	for _, r := range residences {
		view.Residences = append(view.Residences, choice{string(r.ID), r.Name, string(r.ID) == view.Residence})
	}
	return view, err
}

func (h *Handler) listView(c echo.Context) (listView, error) {
	view, err := h.frame(c)
	if err != nil {
		return view, err
	}
	if err := h.fillGateways(c, &view); err != nil {
		return view, err
	}
	if view.Unread, err = h.groups(c, view, toRead, watch.FareFilter{Trouble: true, Heard: true}); err != nil {
		return view, err
	}
	if view.Unchecked, err = h.groups(c, view, toVerify, watch.FareFilter{Unchecked: true}); err != nil {
		return view, err
	}
	view.Unknown, err = h.strangers(c, view, shown)
	return view, err
}

// fillGateways shows those in trouble first, and folds the others away where they
// are many.
func (h *Handler) fillGateways(c echo.Context, view *listView) error {
	all, err := h.Watch.Gateways(c.Request().Context(), who(c), metering.SiteID(view.Residence), resource.Page{Limit: 1000})
	for _, g := range all {
		l := gatewayLine(view.Language, g, h.Now())
		l.Where = joined(l.Where, view.of(g.Residence))
		view.Down = view.Down || g.Registered && g.Down(h.Now())
		if l.Wrong {
			view.Gateways = append(view.Gateways, l)
		} else {
			view.Well = append(view.Well, l)
		}
	}
	if len(all) <= fewGateways {
		view.Gateways, view.Well = append(view.Gateways, view.Well...), nil
	}
	return err
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

// gatewayLine says how a gateway fares: of several faults the worst.
func gatewayLine(l web.Language, g watch.GatewayStanding, now time.Time) line {
	made := line{Link: path + "/passerelles/" + string(g.ID), Name: string(g.ID), Where: joined(g.Name, g.Place), Wrong: true}
	switch {
	case !g.Registered:
		made.State, made.Link = l.T("equipment.gateway_unknown"), ""
	case g.Heard.IsZero():
		made.State = l.T("equipment.gateway_never")
	case g.Silent(now):
		made.State = l.T("equipment.gateway_silent")
	case !g.Online: // it said so before it went, or the broker did
		made.State = l.T("equipment.gateway_off")
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

func fareLine(l web.Language, m watch.Fare, now time.Time) line {
	made := line{Link: path + "/compteurs/" + string(m.Meter), Name: meterName(l, m.Kind, m.Serial, string(m.Meter)), Wrong: true,
		State: standingOf(l, m)}
	if m.Point != "" {
		made.Where = place(l, m.Dwelling, m.Building, m.Staircase, m.Label)
	}
	if !m.LastGood.IsZero() {
		made.Since = l.T("equipment.read", l.Moment(m.LastGood, now, m.Zone))
	} else if m.Standing != watch.Unbound { // a spare one has nothing to be read
		made.Since = l.T("equipment.read_none")
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

// strangers lists at most limit meters that nobody registered.
func (h *Handler) strangers(c echo.Context, view listView, limit int) (section, error) {
	all, err := h.Watch.Strangers(c.Request().Context(), who(c), metering.SiteID(view.Residence), "", resource.Page{After: c.QueryParam("apres"), Limit: limit})
	if err != nil {
		return section{}, err
	}
	var s section
	if len(all) > limit {
		all = all[:limit]
		s.Next = view.address(strangersOf, all[limit-1].Key())
	}
	for _, m := range all {
		s.Lines = append(s.Lines, line{Name: meterName(view.Language, m.Kind, m.Serial, string(m.Meter)), Wrong: true,
			Where: joined(view.T("equipment.by_gateway", m.Gateway), view.of(m.Residence)),
			State: view.T("equipment.is_unknown")})
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
