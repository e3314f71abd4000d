package consumption

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Longest ranges that one request may ask for.
const (
	mostDays   = 400
	mostMonths = 37
)

// A Handler serves consumption as JSON.
type Handler struct {
	reader *Reader
	now    func() time.Time
}

// NewHandler returns a handler.
func NewHandler(r *Reader, now func() time.Time) *Handler { return &Handler{reader: r, now: now} }

// Register adds the routes below /api/v1; the group lets only those with a
// session through.
func (h *Handler) Register(g *echo.Group) {
	g.GET("/consumption/daily", h.daily)
	g.GET("/consumption/monthly", h.monthly)
	g.GET("/consumption/hourly", h.hourly)
}

// A figure is one consumption in JSON; energy or volume by its kind.
type figure struct {
	Kind     metering.Kind    `json:"kind"`
	EnergyWh *metering.Amount `json:"energy_wh,omitempty"`
	VolumeML *metering.Amount `json:"volume_ml,omitempty"`
	Quality  metering.Quality `json:"quality"`
	Coverage float64          `json:"coverage"`
}

type dayFigure struct {
	Date civil.Date `json:"date"`
	figure
}

type monthFigure struct {
	Month civil.Month `json:"month"`
	figure
	Explanation metering.Explanation `json:"explanation"`
}

func newFigure(k metering.Kind, used metering.Amount, q metering.Quality, coverage float64) figure {
	f := figure{Kind: k, Quality: q, Coverage: coverage}
	if k.IndexUnit() == metering.WattHour {
		f.EnergyWh = &used
	} else {
		f.VolumeML = &used
	}
	return f
}

// daily serves GET /consumption/daily: the days [from, to) of the caller.
func (h *Handler) daily(c echo.Context) error {
	from, err := civil.ParseDate(c.QueryParam("from"))
	if err != nil {
		return malformed("range.malformed", err)
	}
	to, err := civil.ParseDate(c.QueryParam("to"))
	if err != nil {
		return malformed("range.malformed", err)
	}
	if !from.Before(to) || from.AddDays(mostDays).Before(to) {
		return malformed("range.malformed", nil)
	}
	series, err := h.series(c, from, to)
	if err != nil {
		return err
	}
	days := []dayFigure{}
	for _, s := range series {
		for _, d := range s.Days {
			days = append(days, dayFigure{d.Date, newFigure(s.Kind, d.Used, d.Quality, d.Coverage)})
		}
	}
	return c.JSON(http.StatusOK, map[string][]dayFigure{"days": days})
}

// monthly serves GET /consumption/monthly: the months [from, to) of the caller.
func (h *Handler) monthly(c echo.Context) error {
	from, err := civil.ParseMonth(c.QueryParam("from"))
	if err != nil {
		return malformed("month.malformed", err)
	}
	to, err := civil.ParseMonth(c.QueryParam("to"))
	if err != nil {
		return malformed("month.malformed", err)
	}
	first, end := from.First(), to.First()
	if months := 12*(to.Year-from.Year) + int(to.Month) - int(from.Month); months < 1 || months > mostMonths {
		return malformed("month.malformed", nil)
	}
	series, err := h.series(c, first, end)
	if err != nil {
		return err
	}
	months := []monthFigure{}
	for _, s := range series {
		for _, m := range s.Months {
			months = append(months, monthFigure{m.Month, newFigure(s.Kind, m.Why.Used, m.Why.Quality, m.Why.Coverage), m.Why})
		}
	}
	return c.JSON(http.StatusOK, map[string][]monthFigure{"months": months})
}

// series returns the caller's series, of one kind where the query names it, and
// of the household that it names; else of the caller's own.
func (h *Handler) series(c echo.Context, from, to civil.Date) ([]Series, error) {
	var only metering.Kind
	if name := c.QueryParam("kind"); name != "" {
		var err error
		if only, err = metering.ParseKind(name); err != nil {
			return nil, malformed("kind.unknown", err)
		}
	}
	session, ok := accounts.Who(c)
	if !ok {
		return nil, &problem.Error{Kind: problem.SignedOut, Message: "session.none"}
	}
	viewer := premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam("household"))}
	home, err := h.reader.Between(c.Request().Context(), viewer, h.now(), from, to)
	if err != nil {
		return nil, err
	}
	var wanted []Series
	for _, s := range home.Series {
		if only == "" || s.Kind == only {
			wanted = append(wanted, s)
		}
	}
	return wanted, nil
}

func malformed(message string, err error) error {
	return &problem.Error{Kind: problem.Invalid, Message: message, Err: err}
}
