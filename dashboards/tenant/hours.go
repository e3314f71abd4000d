package tenant

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// hoursOf reads the hours of the sheet's day, where the household lets them be read.
func (h *Handler) hoursOf(c echo.Context, s *sheet) error {
	_, days, err := h.Consumption.Hours(c.Request().Context(), s.whose.Viewer, h.Now(), s.period.from)
	if err != nil {
		return err
	}
	for _, day := range days {
		if day.Kind == s.kind {
			s.hours = day
		}
	}
	return nil
}

// hourSlots makes a slot for each hour of the day, 23 or 25 when the clocks change.
func (s *sheet) hourSlots() (all []slot) {
	start, end := s.period.from.Bounds(s.home.Zone)
	known := map[int64]consumption.Hour{}
	for _, hour := range s.hours.Hours {
		known[hour.Start.Unix()] = hour
	}
	named := map[int]bool{}
	for at := start; at.Before(end); at = at.Add(time.Hour) {
		local := at.In(s.home.Zone).Hour()
		one := slot{first: s.period.from, at: at, label: strconv.Itoa(local), name: s.T("period.hour", local, (local+1)%24)}
		if named[local] {
			one.name = s.T("period.hour_again", one.name)
		}
		named[local] = true
		if hour, ok := known[at.Unix()]; ok {
			one.used, one.known = hour.Used, true
			s.judge(&one, hour.Quality, hour.Coverage)
		}
		one.coming = !one.known && s.now.Before(at.Add(time.Hour+hourIsLate))
		all = append(all, one)
	}
	return all
}

// hourRuns reports whether a figure that counts until an instant holds an hour of today
// that is not over, and so has no place among the hours yet.
func (s *sheet) hourRuns(until time.Time) bool {
	var end time.Time // of the last hour that is known
	for _, one := range s.slots {
		if one.known {
			end = one.at.Add(time.Hour)
		}
	}
	return s.period.from == s.home.Today && !s.series.Silent && until.After(end)
}

// hourIsLate is how long after its end an hour may be on its way.
const hourIsLate = time.Hour

// noHours says why the day has no hours; empty where it has some.
func (s *sheet) noHours() string {
	switch s.hours.Refused {
	case consumption.HoursNotAllowed:
		return s.T("period.hours_not_allowed")
	case consumption.HoursNotKnown:
		return s.T("period.hours_not_known")
	default:
		return ""
	}
}

// byHour are the words for the hours of a kind.
func byHour(k metering.Kind) words {
	w := words{title: "chart.title_hours", unit: "chart.unit.mL_hour", column: "chart.hour", open: "note.open", before: "chart.before", hours: true,
		estimated: [2]string{"estimated.one_hour", "estimated.several_hours"}, missing: [2]string{"missing.one_hour", "missing.several_hours"}}
	if k.IndexUnit() == metering.WattHour {
		w.unit = "chart.unit.Wh_hour"
	}
	return w
}
