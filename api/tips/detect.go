package tips

import (
	"maps"
	"slices"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A detector looks for one thing in a home's series. It finds nothing where it
// knows too little.
type detector struct {
	with    []string // its parameters, all of them positive
	figures []string // what it finds
	find    func(h Home, k metering.Kind, with numbers) (Finding, bool)
}

// detectors are the detectors by name.
var detectors = map[string]detector{
	"continuous_flow": {[]string{"min_l_per_h", "max_l_per_h", "nights"},
		[]string{"flow_l_per_h", "l_per_day", "m3_per_year"}, continuousFlow},
	"burst": {[]string{"min_l_per_h", "hours", "times_median"},
		[]string{"flow_l_per_h", "l_per_day", "m3_per_year"}, burst},
	"away_flow":   {[]string{"min_l_per_day"}, []string{"days", "litres", "l_per_day"}, awayFlow},
	"level_shift": {[]string{"days", "base_days", "rise_percent"}, []string{"rise_percent", "l_per_day", "usual_l_per_day"}, levelShift},
	"large_draws": {[]string{"min_l", "max_l", "weeks", "min_per_week"}, []string{"per_week", "per_year"}, largeDraws},
	"water_above_similar": {[]string{"days"},
		[]string{"l_per_person_day", "similar_l_per_person_day", "people", "people_days_per_year"}, waterAboveSimilar},
	"water_below_similar": {[]string{"days", "floor_l_per_person_day"},
		[]string{"l_per_person_day", "similar_l_per_person_day"}, waterBelowSimilar},
	"night_flush": {[]string{"min_l", "max_l", "days", "min_count", "modern_l"},
		[]string{"flush_l", "saved_l", "count", "per_year"}, nightFlush},
	"hot_share":  {[]string{"days", "min_percent"}, []string{"hot_percent"}, hotShare},
	"night_base": {[]string{"nights", "rise_w"}, []string{"watts", "excess_w", "kwh_per_year"}, nightBase},
	"base_at_least": {[]string{"nights", "min_w"},
		[]string{"watts", "kwh_per_year"}, baseAtLeast},
	"plateau": {[]string{"min_w", "max_w", "minutes", "weeks", "min_per_week"},
		[]string{"per_week", "kwh_per_year"}, plateau},
	"base_after_computer": {[]string{"nights", "rise_w", "most_w"},
		[]string{"rise_w", "counted_w", "kwh_per_year"}, baseAfterComputer},
	"power_follows_cold":  {[]string{"days", "min_wh_per_degree"}, []string{"wh_per_degree", "cold_days"}, powerFollowsCold},
	"warm_room":           {[]string{"days", "above_c", "min_degrees"}, []string{"room_c"}, warmRoom},
	"cold_room":           {[]string{"days", "below_c"}, []string{"room_c"}, coldRoom},
	"heat_when_mild":      {[]string{"days", "min_days", "min_wh"}, []string{"days", "kwh"}, heatWhenMild},
	"heat_above_habit":    {[]string{"days", "base_days", "rise_percent", "min_degrees"}, []string{"rise_percent", "excess_kwh", "kwh"}, heatAboveHabit},
	"heat_above_similar":  {[]string{"days", "min_degrees"}, []string{"wh_per_m2_degree", "similar_wh_per_m2_degree"}, heatAboveSimilar},
	"provision_too_small": {[]string{"over_percent", "months"}, []string{"eur_per_month"}, provisionTooSmall},
	"season":              {[]string{"from_month", "to_month"}, nil, season},
}

// figureUnits are the units of the findings' figures.
var figureUnits = map[string]string{
	"flow_l_per_h": "L/h", "l_per_day": "L", "m3_per_year": "m³", "days": "d", "litres": "L",
	"rise_percent": "%", "usual_l_per_day": "L", "per_week": "", "per_year": "",
	"l_per_person_day": "L", "similar_l_per_person_day": "L", "people": "", "people_days_per_year": "",
	"flush_l": "L", "saved_l": "L", "count": "", "hot_percent": "%",
	"watts": "W", "excess_w": "W", "kwh_per_year": "kWh", "rise_w": "W", "counted_w": "W",
	"wh_per_degree": "Wh", "cold_days": "d", "room_c": "°C", "kwh": "kWh", "excess_kwh": "kWh",
	"wh_per_m2_degree": "Wh", "similar_wh_per_m2_degree": "Wh", "eur_per_month": "€",
}

// FigureUnit is the unit of a finding's figure, "" for a plain number, and false
// for a figure that no detector finds.
func FigureUnit(name string) (string, bool) {
	unit, ok := figureUnits[name]
	return unit, ok
}

// Detectors lists the detectors' names in order.
func Detectors() []string { return slices.Sorted(maps.Keys(detectors)) }

// Detect returns why the tip is due in the home, or false where it is not or
// where too little is known. It holds what the tip needs: resolutions, consents,
// answers, the floor of the room's temperature, and for leaks a checked meter.
func (e Entry) Detect(h Home) (Finding, bool) {
	d, ok := detectors[e.Trigger.Detector]
	if !ok || h.Zone == nil || !e.allowed(h) || !e.answered(h) {
		return Finding{}, false
	}
	if coldest, known := h.leastRoom(); known && coldest < e.RoomFloorC {
		return Finding{}, false
	}
	f, ok := d.find(h, e.Trigger.Kind, e.Trigger.With)
	if !ok || e.Use == leaks && !h.checked(f.Kinds) {
		return Finding{}, false
	}
	return f, true
}

// leaks is the use whose tips want a checked meter: the leak may be a
// neighbour's.
const leaks UseID = "leak"

func (e Entry) allowed(h Home) bool {
	for _, purpose := range e.Consents {
		if !slices.Contains(h.Consents, purpose) {
			return false
		}
	}
	for _, n := range e.Needs {
		if m, ok := h.Meters[n.Kind]; !ok || !m.Resolution.Allows(n.Resolution) {
			return false
		}
	}
	return true
}

func (e Entry) answered(h Home) bool {
	for _, a := range e.Trigger.Answers {
		if !h.Answers[a] {
			return false
		}
	}
	for _, a := range e.Trigger.Refused {
		if no, given := h.Answers[a]; !given || no { // unanswered is not refused
			return false
		}
	}
	return true
}

// checked reports whether every meter of these kinds passed the dial and tap
// check.
func (h Home) checked(kinds []metering.Kind) bool {
	for _, k := range kinds {
		if m, ok := h.Meters[k]; !ok || !m.Checked {
			return false
		}
	}
	return true
}

func season(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	month, from, to := float64(h.Today.Month), with["from_month"], with["to_month"]
	inside := month >= from && month <= to
	if from > to { // over the new year
		inside = month >= from || month <= to
	}
	if !inside {
		return Finding{}, false
	}
	return Finding{From: h.Today, To: h.Today.AddDays(1), Quality: metering.Measured, Coverage: 1}, true
}

// provisionTooSmall compares with the lower end of the projection, so that it
// speaks only where the whole range lies above.
func provisionTooSmall(h Home, _ metering.Kind, with numbers) (Finding, bool) {
	b := h.Budget
	if b == nil || float64(b.MonthsOfReading) < with["months"] || b.Provision <= 0 {
		return Finding{}, false
	}
	if float64(b.ProjectedLow) <= float64(b.Provision)*(1+with["over_percent"]/100) {
		return Finding{}, false
	}
	gap := float64(b.ProjectedLow+b.ProjectedHigh)/2 - float64(b.Provision)
	f := Finding{Figures: numbers{"eur_per_month": gap / 100 / 12}, Quality: metering.Estimated,
		From: h.Today.AddDays(-daysOfYear), To: h.Today, Coverage: min(1, float64(b.MonthsOfReading)/12)}
	return f, true
}

// lastNights are the dates of the n days before today.
func lastNights(today civil.Date, n int) []civil.Date {
	dates := make([]civil.Date, n)
	for i := range n {
		dates[i] = today.AddDays(i - n)
	}
	return dates
}
