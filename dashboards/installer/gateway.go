package installer

import (
	"errors"
	"html/template"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/enrolment"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type gatewayView struct {
	web.Chrome
	ID, Where      string
	Line           line
	Down           bool // it has spoken, and is silent or stopped
	Program, Clock string
	Spool          int64
	Done, Fault    string
	Meters         section
	Config         *configView // nil for who may not see it
	Code           *codeView   // nil unless one was just made
}

// A codeView is a code that is shown once. File is what the board's boot partition
// wants, to be saved without asking for anything more.
type codeView struct {
	Code, Until, API string
	File             template.URL
}

type configView struct {
	Path, Document, Digest string
	Left                   []metering.MeterID
	DraftFault             string
	CanPublish, Same       bool
	OwnServer              bool   // the reader looks after the server too
	Enrol                  string // where a code is asked for; empty: not set up
	Hang, Replace          string // the steps, with drawings: of a gateway that has never spoken, or of one that has
	Meters                 int
	Count                  string // of the meters, in words
	Published, PublishedAt string
	Applied, Refusal       string
	Pending                bool
}

var gatewayPage = web.MustPage[gatewayView](templates, "templates/gateway.html", "templates/lines.html", "templates/code.html")

// unreleased is what a program says of itself that was built without a version: to
// people it says nothing.
const unreleased = "(devel)"

// gateway serves GET /equipements/passerelles/gw-a.
func (h *Handler) gateway(c echo.Context) error { return h.showGateway(c, nil, nil) }

// enrol serves POST …/raccordement: the page with a new code. Another press makes
// another one, and the first works no more.
func (h *Handler) enrol(c echo.Context) error {
	if err := accounts.CheckForm(c); err != nil {
		return err
	}
	offer, err := h.Enrolments.Offer(c)
	if err != nil {
		return err
	}
	return h.showGateway(c, nil, &offer)
}

func (h *Handler) showGateway(c echo.Context, p *problem.Error, offer *enrolment.Offer) error {
	ctx, id, now := c.Request().Context(), metering.GatewayID(c.Param("id")), h.Now()
	g, err := h.Watch.GatewayByID(ctx, who(c), id)
	if err != nil {
		return err
	}
	if !g.Registered {
		return meters.ErrNone
	}
	view := gatewayView{Chrome: h.Site.Chrome(c, "equipment.gateway", string(id)), ID: string(id), Where: joined(g.Name, g.Place),
		Program: g.Program, Clock: g.ClockState, Spool: g.SpoolPacks}
	if view.Program == unreleased {
		view.Program = ""
	}
	view.Line, view.Down = gatewayLine(view.Language, g, now), g.Down(now)
	view.Done, view.Fault = doneText(c, view.Language), sentence(view.Language, p)
	all, err := h.Watch.Fares(ctx, who(c), watch.FareFilter{Gateway: id}, now, resource.Page{After: c.QueryParam("apres"), Limit: pageOf})
	if err != nil {
		return err
	}
	if len(all) > pageOf {
		all = all[:pageOf]
		view.Meters.Next = path + "/passerelles/" + string(id) + "?apres=" + string(all[pageOf-1].Meter)
	}
	write := mayWrite(c)
	for _, m := range all {
		l := fareLine(view.Language, m, now)
		l.Idle = m.Standing == watch.Unbound // spare, or replaced: nothing is wrong with it
		l.Wrong = m.Standing != watch.Bound && !l.Idle
		if !write {
			l.Link = ""
		}
		view.Meters.Lines = append(view.Meters.Lines, l)
	}
	view.Code = h.codeOf(view.Language, offer, g.Zone)
	if write {
		if view.Config, err = h.config(c, view.Language, g); err != nil {
			return err
		}
	}
	return gatewayPage.Render(c, statusOf(p), view)
}

// until writes the end of a code, as in "lundi 24 mars, 14 h 03".
func until(l web.Language, end time.Time) string {
	return l.Day(civil.DateIn(end, end.Location())) + ", " + l.Clock(end)
}

// config is the part of the page on the configuration: nothing for who may change
// things elsewhere only.
func (h *Handler) config(c echo.Context, l web.Language, g watch.GatewayStanding) (*configView, error) {
	ctx, id := c.Request().Context(), g.ID
	if _, err := h.Meters.WritableGateway(ctx, who(c), id); err != nil {
		if errors.Is(err, meters.ErrNone) {
			err = nil
		}
		return nil, err
	}
	s, err := h.Configs.Status(ctx, who(c), id)
	if err != nil {
		return nil, err
	}
	view := &configView{Path: path + "/passerelles/" + string(id) + "/configuration", Document: s.Draft.Document, Digest: s.Draft.Digest(),
		Left: s.Draft.Left, DraftFault: s.Draft.Fault, CanPublish: h.Configs.CanPublish(), Same: s.Same, Meters: s.Draft.Meters, Count: countText(l, s.Draft.Meters, false),
		Applied: s.Applied, Refusal: s.Refusal, Pending: s.Pending()}
	session, _ := accounts.Who(c)
	view.OwnServer = session.Has(accounts.Administrator)
	if g.Heard.IsZero() {
		view.Hang = path + "/passerelles/" + string(id) + "/pose"
	} else {
		view.Replace = path + "/passerelles/" + string(id) + "/remplacement"
	}
	if h.Enrolments.Possible() {
		view.Enrol = path + "/passerelles/" + string(id) + "/raccordement"
	}
	if s.Published > 0 {
		view.Published, view.PublishedAt = strconv.FormatInt(s.Published, 10), l.Moment(s.PublishedAt, h.Now(), g.Zone)
	}
	return view, nil
}

// publish serves POST …/configuration. The hidden field names the document that
// the person has looked at.
func (h *Handler) publish(c echo.Context) (string, error) {
	id := metering.GatewayID(c.Param("id"))
	_, fresh, err := h.Configs.Publish(c.Request().Context(), who(c), id, c.FormValue("version"), h.Now())
	told := "inchangee"
	if fresh {
		told = "publication"
	}
	return path + "/passerelles/" + string(id) + "?fait=" + told, err
}
