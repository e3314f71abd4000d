package consumption

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A CompareHandler serves what a home's consumption is compared with.
type CompareHandler struct {
	Reader *Reader
	Around *Neighbourhood
	Now    func() time.Time
}

// Register adds the routes below /api/v1.
func (h *CompareHandler) Register(g *echo.Group) {
	g.GET("/consumption/compare", h.compare, accounts.Anyone(accounts.ConsumptionRead))
	g.PUT("/residences/:id/temperatures", h.temperatures, accounts.Staff(accounts.PremisesWrite, accounts.Manager, accounts.Administrator))
	g.GET("/residences/:id/temperatures", h.outdoors, accounts.Staff(accounts.PremisesRead, accounts.Manager, accounts.Administrator))
}

// A Compared is what a kind used on the days that were asked for, by every measure
// and beside every basis.
type Compared struct {
	figure
	Explanation metering.Explanation `json:"explanation"`
	// Resolution is how finely the home's meters of the kind may be read: of
	// [metering.Off] there are no figures because the household has not agreed.
	Resolution     metering.Resolution `json:"-"`
	PerPersonDay   *metering.Amount    `json:"per_person_day,omitempty"`
	PerSquareMetre *metering.Amount    `json:"per_m2,omitempty"`
	Comparisons    []Comparison        `json:"comparisons"`
	// Similar is what similar homes used in the last whole month of the days, and
	// Own what the home itself did then; nil where nothing may be told.
	Similar *Typical         `json:"similar,omitempty"`
	Own     *metering.Amount `json:"own,omitempty"`
}

// Kind is the kind that the figures are of.
func (c Compared) Kind() metering.Kind { return c.Explanation.Kind }

// mostCompared is the longest range that one request may compare.
const mostCompared = 366

// compare serves GET /consumption/compare: the days [from, to) of the caller's home,
// or with ?week= or ?year= those of the date's week or of the year.
func (h *CompareHandler) compare(c echo.Context) error {
	from, to, err := askedDays(c)
	if err != nil {
		return err
	}
	session, ok := accounts.Who(c)
	if !ok {
		return &problem.Error{Kind: problem.SignedOut, Message: "session.none"}
	}
	viewer := premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam("household"))}
	kinds, err := h.Compare(c.Request().Context(), viewer, from, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"from": from, "to": to, "kinds": kinds})
}

func askedDays(c echo.Context) (from, to civil.Date, err error) {
	if week := c.QueryParam("week"); week != "" {
		day, err := civil.ParseDate(week)
		if err != nil {
			return from, to, malformed("range.malformed", err)
		}
		from, to = Week(day)
		return from, to, nil
	}
	if year := c.QueryParam("year"); year != "" {
		january, err := civil.ParseMonth(year + "-01")
		if err != nil {
			return from, to, malformed("range.malformed", err)
		}
		from, to = Year(january.Year)
		return from, to, nil
	}
	if from, err = civil.ParseDate(c.QueryParam("from")); err == nil {
		to, err = civil.ParseDate(c.QueryParam("to"))
	}
	if err != nil || !from.Before(to) || from.AddDays(mostCompared).Before(to) {
		return from, to, malformed("range.malformed", err)
	}
	return from, to, nil
}

// Compare returns each kind's consumption of the viewer's home on the days [from,
// to), and what it is compared with: of the one home moved to last. It fails as
// [Reader.Lived].
func (h *CompareHandler) Compare(ctx context.Context, v premises.Viewer, from, to civil.Date) ([]Compared, error) {
	now := h.Now()
	home, err := h.Reader.Lived(ctx, v, now, Since(from), from, to)
	if err != nil {
		return nil, err
	}
	stay := home.Stays[len(home.Stays)-1]
	people, err := h.Around.Occupants(ctx, stay.Household)
	if err != nil {
		return nil, err
	}
	all := []Compared{}
	for _, s := range home.Series {
		one := comparedOf(s, stay, people, from, to)
		for _, b := range []Basis{LastYear, Habit} {
			c, err := h.Around.Against(ctx, home, s, b, from, to)
			if err != nil {
				return nil, err
			}
			one.Comparisons = append(one.Comparisons, c)
		}
		if err := h.similar(ctx, &one, s, stay, people, to, now); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func comparedOf(s Series, stay premises.Stay, people int, from, to civil.Date) Compared {
	why := s.Over(from, to)
	if why.Parts == nil {
		why.Parts = []metering.Part{}
	}
	one := Compared{figure: newFigure(s.Kind, why.Used, why.Quality, why.Coverage), Explanation: why, Resolution: s.Resolution}
	if why.Quality == metering.Missing {
		one.EnergyWh, one.VolumeML = nil, nil // none is not nothing
	}
	if each, ok := PerPersonDay(why, daysBetween(from, to), people); ok {
		one.PerPersonDay = &each
	}
	if each, ok := PerSquareMetre(why, stay.Dwelling.AreaM2); ok {
		one.PerSquareMetre = &each
	}
	return one
}

// similar sets the last month that ends within the days beside the neighbours'.
func (h *CompareHandler) similar(ctx context.Context, one *Compared, s Series, stay premises.Stay, people int, to civil.Date, now time.Time) error {
	month := to.MonthOf().Prev()
	own, ok := s.ByMeasure(month, stay.Dwelling.AreaM2, people)
	if !ok || month.First().Before(stay.From) || stay.To.Before(month.Next().First()) {
		return nil
	}
	typical, ok, err := h.Around.Typical(ctx, stay.Dwelling.Residence, stay.Zone, s.Kind, month, people, now)
	if err != nil {
		return err
	}
	if ok {
		one.Similar, one.Own = &typical, &own
	}
	return nil
}

// ByMeasure is what the home used in a month by [MeasureFor], comparable
// with a [Typical]; false where less than nine tenths of the month are known.
func (s Series) ByMeasure(month civil.Month, areaM2 float64, people int) (metering.Amount, bool) {
	why := s.Over(month.First(), month.Next().First())
	if why.Coverage < leastCoverage {
		return 0, false
	}
	if MeasureFor(s.Kind, people) == PerM2 {
		return PerSquareMetre(why, areaM2)
	}
	return PerPersonDay(why, month.Days(), people)
}

// temperatures serves PUT /residences/{id}/temperatures: a CSV of outdoor days.
func (h *CompareHandler) temperatures(c echo.Context) error {
	session, _ := accounts.Who(c)
	days, err := h.NoteTemperatures(c.Request().Context(), session.Person.ID, metering.SiteID(c.Param("id")), c.Request().Body)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]int{"days": days})
}

// outdoors serves GET /residences/{id}/temperatures: how well the weather is known.
func (h *CompareHandler) outdoors(c echo.Context) error {
	session, _ := accounts.Who(c)
	state, err := h.Around.Outdoors(c.Request().Context(), session.Person.ID, metering.SiteID(c.Param("id")))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, state)
}

// NoteTemperatures keeps the days of a file as [ReadTemperatures] reads it, all or
// none, and returns how many they are. It fails with the problem Invalid, a field
// for each faulty line, and as [Neighbourhood.NoteWeather].
func (h *CompareHandler) NoteTemperatures(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, file io.Reader) (int, error) {
	text, err := io.ReadAll(file) // what ends it, such as too large a body, is its own problem
	if err != nil {
		return 0, err
	}
	days, err := ReadTemperatures(bytes.NewReader(text))
	if err != nil {
		return 0, problem.OfFields(lineFields(err))
	}
	return len(days), h.Around.NoteWeather(ctx, staff, residence, days)
}
