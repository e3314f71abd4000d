package tenant

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/meters/check"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	verifyPath = "/verifier"
	meterField = "compteur" // which kind of meter was looked at
	dialField  = "cadran"   // what its dial shows
)

type verifyView struct {
	web.Chrome
	whose
	Meters   []dialCard
	NoMeters bool
	HomeLink string
}

// A dialCard is one meter of the home and what its dial must show.
type dialCard struct {
	Kind         metering.Kind
	Title        string
	Checked      bool
	State        string
	Read, ReadAt string // the last index and its instant
	Mark         string // that it is estimated; empty where it is measured
	Old          string // that it is too old to compare with; empty for a newer one
	Typed        string
	Verdict      string // of what was typed; empty where nothing was
	Well         bool
	Light        bool // a lamp is switched on rather than a tap opened
	Household    string
}

var verifyPage = web.MustPage[verifyView](templates, "templates/verify.html", "templates/whose.html", "templates/pictures.html")

// verify serves GET /verifier: the household's own dial and tap check. What they
// type is compared and not kept.
func (h *Handler) verify(c echo.Context) error {
	view := verifyView{Chrome: h.Site.Chrome(c, "verify.title")}
	var err error
	if view.whose, err = h.whose(c, view.Language); err != nil {
		return err
	}
	view.HomeLink = view.link("/")
	ctx, now := c.Request().Context(), h.Now()
	zone, err := h.Homes.Zone(ctx, view.Viewer)
	if err == nil {
		today := civil.DateIn(now, zone)
		var home consumption.Home
		if home, err = h.Consumption.Between(ctx, view.Viewer, now, today.MonthOf().Prev().First(), today.AddDays(1)); err == nil && livesThere(home) {
			err = h.dials(c, &view, teller{Language: view.Language, home: home, now: now})
		}
	}
	if err != nil && !isNone(err) {
		return err
	}
	view.NoMeters = len(view.Meters) == 0
	return verifyPage.Render(c, http.StatusOK, view)
}

// dials adds a card for each kind that is read.
func (h *Handler) dials(c echo.Context, v *verifyView, t teller) error {
	states, err := h.Checks.States(c.Request().Context(), t.home.Stays[len(t.home.Stays)-1].Dwelling.ID, t.now)
	if err != nil {
		return err
	}
	for _, s := range t.home.Series {
		if s.Resolution == metering.Off {
			continue
		}
		d := dialCard{Kind: s.Kind, Title: t.T("kind." + string(s.Kind)), Light: s.Kind.IndexUnit() == metering.WattHour,
			Household: string(v.Viewer.Household)}
		last, known := lastOf(s)
		if known {
			d.Checked = states[last.Meter].Passed()
			t.tellLast(&d, last)
		}
		d.State = stateOf(t.Language, d, states[last.Meter])
		if c.QueryParam(meterField) == string(s.Kind) && d.Old == "" {
			d.Typed = c.QueryParam(dialField)
			d.Verdict, d.Well = t.judgeDial(s, d.Typed)
		}
		v.Meters = append(v.Meters, d)
	}
	return nil
}

// tellLast says what the last index was, and whether a dial compares with it still.
func (t teller) tellLast(d *dialCard, last metering.Boundary) {
	d.Read, d.ReadAt, d.Mark = t.Dial(d.Kind, last.Index), t.Moment(last.At, t.now, t.home.Zone), t.mark(last.Quality)
	if t.now.Sub(last.At) > longestSince {
		d.Old = t.T("verify.too_old")
	}
}

func stateOf(l web.Language, d dialCard, s check.State) string {
	switch {
	case d.Checked:
		return l.T("verify.checked")
	case s == check.Disputed:
		return l.T("verify.disputed")
	case d.Read == "" || d.Old != "":
		return l.T("verify.unchecked_call") // nothing can be compared on the page
	default:
		return l.T("verify.unchecked")
	}
}

// lastOf is the newest index that is known of a series.
func lastOf(s consumption.Series) (last metering.Boundary, known bool) {
	for _, month := range s.Months {
		for _, p := range month.Why.Parts {
			if !known || p.To.At.After(last.At) {
				last, known = p.To, true
			}
		}
	}
	return last, known
}

// What may have been counted since the last reading: several times what is usual,
// and never less than what fills a bath or runs an oven.
const (
	generous     = 5
	leastSinceML = metering.Amount(1_000_000)
	leastSinceWh = metering.Amount(20_000)
	hoursOfADay  = 24
	// longestSince is how old the last reading may be: after more, too many numbers
	// could be the dial's, also those of a neighbour's meter.
	longestSince   = 48 * time.Hour
	shortestSample = 1
)

// judgeDial holds what somebody read on the dial against the last reading, which
// must be no older than longestSince.
func (t teller) judgeDial(s consumption.Series, typed string) (verdict string, well bool) {
	dial, err := meters.ParseDial(typed, s.Kind)
	if err != nil {
		return t.example(s.Kind), false
	}
	last, known := lastOf(s)
	if !known {
		return t.T("verify.not_read"), false
	}
	if dial.Within(last.Index, last.Index+t.sinceThen(s, last), 1) {
		return t.T("verify.agrees"), true
	}
	return t.T("verify.differs"), false
}

// example says how a number is written, for a dial of that kind.
func (t teller) example(k metering.Kind) string {
	if k.IndexUnit() == metering.WattHour {
		return t.T("verify.unreadable_kwh")
	}
	return t.T("verify.unreadable")
}

// sinceThen is the most that may have been counted since a reading.
func (t teller) sinceThen(s consumption.Series, last metering.Boundary) metering.Amount {
	var used metering.Amount
	var covered float64
	for _, month := range s.Months {
		used += month.Why.Used
		for _, p := range month.Why.Parts {
			covered += p.To.At.Sub(p.From.At).Hours() / hoursOfADay
		}
	}
	mean := float64(used) / max(shortestSample, covered)
	since := metering.Amount(generous * mean * t.now.Sub(last.At).Hours() / hoursOfADay)
	if s.Kind.IndexUnit() == metering.WattHour {
		return leastSinceWh + since
	}
	return leastSinceML + since
}
