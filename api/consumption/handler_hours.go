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

type hourFigure struct {
	Start time.Time `json:"start"`
	figure
}

type hoursFigure struct {
	Kind        metering.Kind        `json:"kind"`
	Refused     NoHours              `json:"refused,omitempty"`
	Hours       []hourFigure         `json:"hours"`
	Explanation metering.Explanation `json:"explanation"`
}

// hourly serves GET /consumption/hourly?date=: the hours of a day of the caller.
func (h *Handler) hourly(c echo.Context) error {
	date, err := civil.ParseDate(c.QueryParam("date"))
	if err != nil {
		return malformed("range.malformed", err)
	}
	session, ok := accounts.Who(c)
	if !ok {
		return &problem.Error{Kind: problem.SignedOut, Message: "session.none"}
	}
	viewer := premises.Viewer{Person: session.Person.ID, Household: premises.HouseholdID(c.QueryParam("household"))}
	zone, days, err := h.reader.Hours(c.Request().Context(), viewer, h.now(), date)
	if err != nil {
		return err
	}
	kinds := []hoursFigure{}
	for _, d := range days {
		one := hoursFigure{Kind: d.Kind, Refused: d.Refused, Hours: []hourFigure{}, Explanation: d.Why}
		if one.Explanation.Parts == nil {
			one.Explanation.Parts = []metering.Part{}
		}
		for _, hour := range d.Hours {
			one.Hours = append(one.Hours, hourFigure{hour.Start, newFigure(d.Kind, hour.Used, hour.Quality, hour.Coverage)})
		}
		kinds = append(kinds, one)
	}
	return c.JSON(http.StatusOK, map[string]any{"date": date, "zone": zone.String(), "kinds": kinds})
}
