package landlord

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Sizes of the lists.
const (
	mostFares     = 5000
	mostIncidents = 50
)

type silentView struct {
	frame
	Lead      string
	Gateways  []silentGateway
	Meters    []silentMeter
	Incidents []incidentLine
	checks    bool // the reader may open the check of a meter
}

// A silentGateway is one that nobody hears: one line, not one for each of its meters.
type silentGateway struct{ ID, Name, Where, State, Since, Behind, Link string }

// A silentMeter is one whose gateway is heard and that is not read as it should be.
type silentMeter struct{ ID, Name, Where, What, Since, Link string }

type incidentLine struct{ What, Who, When string }

var silentPage = overviewPage[silentView]("silent")

// silent serves GET /suivi/silence.
func (o *Overview) silent(c echo.Context) error {
	f, err := o.frame(c, silentPath, "landlord.silent")
	if err != nil {
		return err
	}
	session, _ := accounts.Who(c)
	view := silentView{frame: f, checks: session.Has(meters.Writers...)}
	if f.HasPlace() {
		for _, fill := range []func(echo.Context, *silentView) error{o.silentEquipment, o.incidents} {
			if err := fill(c, &view); err != nil {
				return err
			}
		}
	}
	return silentPage.Render(c, http.StatusOK, view)
}

func (o *Overview) silentEquipment(c echo.Context, v *silentView) error {
	ctx, now := c.Request().Context(), o.Now()
	gateways, err := o.Watch.Gateways(ctx, staffOf(c), v.place.ID, resource.Page{Limit: 1000})
	if err != nil {
		return err
	}
	fares, err := o.Watch.Fares(ctx, staffOf(c), watch.FareFilter{Residence: v.place.ID}, now, resource.Page{Limit: mostFares})
	if err != nil {
		return err
	}
	quiet := map[metering.GatewayID]bool{}
	for _, g := range gateways {
		if g.Registered && (g.Silent(now) || g.Heard.IsZero() || !g.Online) {
			quiet[g.ID] = true
			v.Gateways = append(v.Gateways, v.gateway(g, fares, now))
		}
	}
	for _, m := range fares {
		if key, wrong := standingKeys[m.Standing]; wrong && !quiet[m.Gateway] {
			v.Meters = append(v.Meters, v.meter(m, key, now))
		}
	}
	v.Lead = v.T("landlord.silent_lead", len(v.Gateways), len(gateways), len(v.Meters))
	return nil
}

var standingKeys = map[watch.Standing]string{
	watch.Late: "equipment.is_late", watch.Silent: "equipment.is_silent", watch.Stuck: "equipment.is_stuck",
	watch.WrongPlace: "equipment.is_wrong_place", watch.NeverSeen: "equipment.is_never_seen",
}

func (v *silentView) gateway(g watch.GatewayStanding, fares []watch.Fare, now time.Time) silentGateway {
	made := silentGateway{ID: string(g.ID), Name: v.T("landlord.gateway", g.ID), Where: g.Place, Since: v.T("landlord.never_heard"), Link: "/equipements/passerelles/" + string(g.ID)}
	if made.State = v.T("landlord.is_silent"); !g.Heard.IsZero() && !g.Silent(now) {
		made.State = v.T("landlord.is_off") // it said so before it went, or the broker did
	}
	if g.Name != "" {
		made.Name = v.T("landlord.gateway", g.Name)
	}
	if !g.Heard.IsZero() {
		made.Since = v.T("landlord.heard_last", v.Moment(g.Heard, now, v.place.Zone))
	}
	var buildings []string
	meters := 0
	for _, m := range fares {
		if m.Gateway != g.ID {
			continue
		}
		meters++
		if m.Building != "" {
			buildings = append(buildings, m.Building)
		}
	}
	slices.Sort(buildings)
	made.Behind = v.T("landlord.behind", meters, strings.Join(slices.Compact(buildings), ", "))
	if len(buildings) == 0 {
		made.Behind = v.T("landlord.behind_none", meters)
	}
	return made
}

// meterLink is the page of a meter's check; empty for who may not open it.
func (v *silentView) meterLink(id metering.MeterID) string {
	if !v.checks {
		return ""
	}
	return "/equipements/compteurs/" + url.PathEscape(string(id))
}

func (v *silentView) meter(m watch.Fare, key string, now time.Time) silentMeter {
	made := silentMeter{ID: string(m.Meter), Name: v.T("kind."+string(m.Kind)) + " " + string(m.Meter), What: v.T(key), Link: v.meterLink(m.Meter)}
	if m.Label != "" {
		made.Where = v.Door(m.Label, m.Building, m.Staircase)
	} else if m.Building != "" {
		made.Where = v.T("landlord.building", m.Building)
	}
	if !m.LastGood.IsZero() {
		made.Since = v.T("landlord.read_last", v.Moment(m.LastGood, now, v.place.Zone))
	} else {
		made.Since = v.T("equipment.read_none")
	}
	return made
}

var incidentKeys = map[watch.IncidentKind]string{
	watch.Quiet: "landlord.incident_gateway", watch.SpoolAlarm: "landlord.incident_spool", watch.ConfigFault: "landlord.incident_config",
	watch.MeterSilent: "landlord.incident_meter", watch.MeterStuck: "landlord.incident_stuck", watch.MeterWrongPlace: "landlord.incident_place",
}

// incidents lists the last ones, also those that are over.
func (o *Overview) incidents(c echo.Context, v *silentView) error {
	all, err := o.Watch.Incidents(c.Request().Context(), staffOf(c), watch.IncidentFilter{Residence: v.place.ID}, resource.Page{Limit: mostIncidents})
	if err != nil {
		return err
	}
	for _, i := range all[:min(len(all), mostIncidents)] {
		line := incidentLine{What: v.T(incidentKeys[i.Kind]), Who: string(i.Gateway), When: v.T("landlord.incident_lasts", v.Moment(i.From, o.Now(), v.place.Zone))}
		if i.Meter != "" {
			line.Who = string(i.Meter)
		}
		if !i.To.IsZero() {
			line.When = v.T("landlord.incident_over", v.Moment(i.From, o.Now(), v.place.Zone), v.hours(i.To.Sub(i.From)))
		}
		v.Incidents = append(v.Incidents, line)
	}
	return nil
}

// hours writes how long something lasted.
func (v *silentView) hours(d time.Duration) string {
	if d < time.Hour {
		return v.T("landlord.minutes", int(d/time.Minute))
	}
	if d < 48*time.Hour {
		return v.T("landlord.hours", int(d/time.Hour))
	}
	return v.T("landlord.days", int(d/(24*time.Hour)))
}
