package installer

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type meterView struct {
	web.Chrome
	ID, Name, Where string
	Path            string // of the meter's forms
	Done, Fault     string
	Typed           typed
	Version         int64
	Gateway         string
	Hangs           bool
	Standing        string
	Well            bool
	Signal          string // when its gateway read it well last; empty where the index says so
	Index, IndexAt  string
	Kept            bool   // the index that is kept is not that of the last signal
	Unit            string // m³ or kWh
	State           string
	Passed          bool
	DialDone        string
	TapDone         string
	Due             string
	Waiting         bool // a dial waits
	Running         bool // a tap runs
	Latest          string
	Good            bool // what came of the last step is what was hoped for
	Instead         []line
	Light           bool // it counts kilowatt-hours
	Sensor          bool // it has no dial, and nothing to be opened
	Trial           trial
	Free            []choice
	Coarse          bool // too coarse a resolution to be checked from here
	signal          time.Time
}

// A trial is what is opened or switched on, for this meter to move: what it is
// called, how, the button, and what comes before the dial is read.
type trial struct{ Name, How, Begin, Before string }

// trialOf is the trial of a kind, in a home or, for a main meter, in its building.
func trialOf(l web.Language, k metering.Kind, main bool) trial {
	in := func(home, building string) string {
		if main {
			return l.T(building)
		}
		return l.T(home)
	}
	switch k {
	case metering.Electricity:
		return trial{Name: l.T("equipment.lamp"), How: in("equipment.lamp_how", "equipment.lamp_main"), Begin: l.T("equipment.lamp_start")}
	case metering.Heat:
		return trial{Name: l.T("equipment.radiator"), How: in("equipment.radiator_how", "equipment.radiator_main"), Begin: l.T("equipment.radiator_start")}
	case metering.Gas:
		return trial{Name: l.T("equipment.burner"), How: l.T("equipment.burner_how"), Begin: l.T("equipment.lamp_start")}
	}
	made := trial{Name: l.T("equipment.tap"), How: in("equipment.tap_how", "equipment.tap_main"), Begin: l.T("equipment.tap_start")}
	if !main { // nobody closes all taps of a building
		made.Before = l.T("equipment.close_taps")
	}
	return made
}

// A typed is what stands in the forms of a page that is shown again: nobody types
// twice in a cellar.
type typed struct {
	Dial, Old, Number, New string
	Replacing              bool // the form was that of a replacement
	Doubtful               bool // and its last index is doubted
}

// typedIn returns what the sender typed into a form that was refused.
func typedIn(c echo.Context, p *problem.Error) typed {
	if p == nil {
		return typed{}
	}
	return typed{Dial: c.FormValue("cadran"), Old: c.FormValue("ancien"), Number: c.FormValue("numero"), New: c.FormValue("nouveau"),
		Replacing: strings.HasSuffix(c.Path(), "/remplacement"), Doubtful: p.Message == meters.ErrDoubtful.Message}
}

var meterPage = web.MustPage[meterView](templates, "templates/meter.html")

// refreshAfter is how soon the page looks again while a step waits.
const refreshAfter = "10"

// meter serves GET /equipements/compteurs/cw-1: the check of one meter.
func (h *Handler) meter(c echo.Context) error { return h.showMeter(c, nil) }

func (h *Handler) showMeter(c echo.Context, p *problem.Error) error {
	id := metering.MeterID(c.Param("id"))
	e, err := h.Meters.WritableMeter(c.Request().Context(), who(c), id)
	if err != nil {
		return err
	}
	view := meterView{Chrome: h.Site.Chrome(c, "equipment.title"), ID: string(e.ID), Path: path + "/compteurs/" + string(e.ID),
		Version: e.Version, Gateway: string(e.Gateway), Unit: unitOf(e.Kind), Light: e.Kind.IndexUnit() == metering.WattHour}
	view.Name = meterName(view.Language, e.Kind, e.Serial, string(e.ID))
	view.Title, view.Done, view.Fault = view.Name, doneText(c, view.Language), sentence(view.Language, p)
	view.Typed, view.Sensor = typedIn(c, p), e.Kind == metering.Temperature
	view.Trial = trialOf(view.Language, e.Kind, e.Place != nil && e.Place.Dwelling == "")
	if err := h.fillStanding(c, &view, e); err != nil {
		return err
	}
	if e.Place == nil {
		err = h.fillFree(c, &view, e)
	} else {
		err = h.fillCheck(c, &view, e)
	}
	if err != nil {
		return err
	}
	if p == nil && (view.Waiting || view.Running) {
		c.Response().Header().Set("Refresh", refreshAfter)
	}
	return meterPage.Render(c, statusOf(p), view)
}

func unitOf(k metering.Kind) string {
	if k.IndexUnit() == metering.WattHour {
		return "kWh"
	}
	return "m³"
}

func (h *Handler) fillStanding(c echo.Context, view *meterView, e meters.Equipment) error {
	fare, err := h.Watch.FareOf(c.Request().Context(), e.ID)
	if err != nil {
		return err
	}
	if e.Place == nil {
		fare.Standing = watch.Unbound
	}
	view.Standing, view.Well = standingOf(view.Language, fare), fare.Standing == watch.Bound
	if !fare.LastGood.IsZero() {
		view.signal, view.Signal = fare.LastGood, view.Moment(fare.LastGood, h.Now(), e.Zone)
	}
	return nil
}

func (h *Handler) fillFree(c echo.Context, view *meterView, e meters.Equipment) error {
	free, err := h.Meters.FreePoints(c.Request().Context(), who(c), e.Residence, e.Kind, 1000)
	for _, p := range free {
		view.Free = append(view.Free, choice{ID: string(p.ID), Name: place(view.Language, p.Dwelling, p.Building, p.Staircase, p.Label)})
	}
	return err
}

func (h *Handler) fillCheck(c echo.Context, view *meterView, e meters.Equipment) error {
	ctx, now := c.Request().Context(), h.Now()
	sh, err := h.Checks.Find(ctx, who(c), e.ID, now)
	if err != nil {
		return err
	}
	view.Hangs = true
	view.Where = place(view.Language, e.Place.Dwelling, e.Place.Building, e.Place.Staircase, e.Place.Label)
	view.Coarse = !e.Resolution.Allows(metering.Fine)
	if sh.Last != nil {
		view.Index, view.IndexAt = view.Dial(e.Kind, sh.Last.Amount), view.Moment(sh.Last.At, now, e.Zone)
		view.tellOnce(sh.Last.At)
	}
	state := sh.Progress.At(now)
	view.State, view.Passed = view.T(states[state]), state == check.Verified
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return view.Moment(at, now, e.Zone)
	}
	view.DialDone, view.TapDone, view.Waiting, view.Running = moment(sh.Progress.Dial), moment(sh.Progress.Tap), !sh.Waiting.IsZero(), !sh.Running.IsZero()
	if !sh.Due.IsZero() {
		view.Due = view.Date(civil.DateIn(sh.Due, e.Zone), civil.DateIn(now, e.Zone))
	}
	return h.fillLatest(c, view, sh)
}

// tellOnce tells the last index, of at, from the last signal: without a household's
// consent not all that a gateway reads is kept. Where no later signal is known, one
// moment is written.
func (v *meterView) tellOnce(at time.Time) {
	if v.Signal == v.IndexAt || !v.signal.After(at) {
		v.Signal = ""
	}
	v.Kept = v.Signal != ""
}

// outcomes says what came of a step.
var outcomes = map[check.Outcome]string{
	check.Agrees:     "equipment.agrees",
	check.Differs:    "equipment.differs",
	check.Moved:      "equipment.moved",
	check.OtherMoved: "equipment.other_moved",
}

func (h *Handler) fillLatest(c echo.Context, view *meterView, sh check.Sheet) error {
	if sh.Latest == nil {
		return nil
	}
	view.Latest = view.T(outcomes[sh.Latest.Outcome])
	view.Good = sh.Latest.Outcome == check.Agrees || sh.Latest.Outcome == check.Moved
	for _, id := range sh.Latest.Others {
		other, err := h.Meters.WritableMeter(c.Request().Context(), who(c), id)
		if errors.Is(err, meters.ErrNone) {
			continue
		}
		if err != nil {
			return err
		}
		l := line{Link: path + "/compteurs/" + string(id), Name: meterName(view.Language, other.Kind, other.Serial, string(id))}
		if p := other.Place; p != nil {
			l.Where = place(view.Language, p.Dwelling, p.Building, p.Staircase, p.Label)
		}
		view.Instead = append(view.Instead, l)
	}
	return nil
}

// dial serves POST …/cadran.
func (h *Handler) dial(c echo.Context) (string, error) {
	id := metering.MeterID(c.Param("id"))
	_, err := h.Checks.Typed(c.Request().Context(), who(c), id, c.FormValue("cadran"), h.Now())
	return path + "/compteurs/" + string(id) + "#controle", err
}

// tap serves POST …/robinet.
func (h *Handler) tap(c echo.Context) (string, error) {
	id, ctx := metering.MeterID(c.Param("id")), c.Request().Context()
	var err error
	if c.FormValue("action") == "fermer" {
		_, err = h.Checks.CloseTap(ctx, who(c), id, h.Now())
	} else {
		_, err = h.Checks.OpenTap(ctx, who(c), id, h.Now())
	}
	return path + "/compteurs/" + string(id) + "#controle", err
}

// hang serves POST …/pose.
func (h *Handler) hang(c echo.Context) (string, error) {
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	m, err := h.Meters.WritableMeter(ctx, who(c), id)
	if err != nil {
		return "", err
	}
	b := meters.Binding{Meter: id, Point: metering.PointID(c.FormValue("point")), From: h.now()}
	if m.Kind != metering.Temperature {
		d, err := meters.ParseDial(c.FormValue("cadran"), m.Kind)
		if err != nil {
			return "", err
		}
		b.FirstIndex = &d.Index
	}
	err = h.Meters.Hang(ctx, who(c), b)
	return path + "/compteurs/" + string(id) + "?fait=pose", err
}

func (h *Handler) now() time.Time { return h.Now().UTC().Truncate(time.Millisecond) }

// replace serves POST …/remplacement.
func (h *Handler) replace(c echo.Context) (string, error) {
	ctx, id := c.Request().Context(), metering.MeterID(c.Param("id"))
	old, err := h.Meters.WritableMeter(ctx, who(c), id)
	if err != nil {
		return "", err
	}
	version, err := strconv.ParseInt(c.FormValue("version"), 10, 64)
	if err != nil {
		return "", meters.ErrDialMalformed
	}
	last, first, err := dials(c, old.Kind)
	if err != nil {
		return "", err
	}
	serial := c.FormValue("numero")
	if err := meters.CheckSerial(serial); err != nil {
		return "", err
	}
	next, err := h.Checks.Replace(ctx, who(c), meters.Replacement{Old: id, Version: version, At: h.now(), Last: last.Index, Digit: last.Digit,
		Sure: c.FormValue("sur") != "", First: first.Index, Serial: serial})
	return path + "/compteurs/" + string(next.ID) + "?fait=remplacement", err
}

// dials returns what was typed of the old dial and of the new one; a thermometer
// has none.
func dials(c echo.Context, k metering.Kind) (last, first meters.Dial, err error) {
	if k == metering.Temperature {
		return last, first, nil
	}
	last, errLast := meters.ParseDial(c.FormValue("ancien"), k)
	first, errFirst := meters.ParseDial(c.FormValue("nouveau"), k)
	return last, first, errors.Join(errLast, errFirst)
}
