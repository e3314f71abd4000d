package tips

import (
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A WaterHeating says what heats a home's water.
type WaterHeating string

// The ways of heating water. The zero value means that nobody said.
const (
	SharedHotWater WaterHeating = "shared"   // by the building; a hot-water meter counts it
	ElectricTank   WaterHeating = "electric" // the home's own; the cold-water meter counts all water
	GasBoiler      WaterHeating = "gas"      // the home's own
)

// An Answer is something that a household said about its home.
type Answer string

// The answers that tips ask for.
const (
	HasBath          Answer = "bath"
	HasDryer         Answer = "dryer"
	HasSecondFreezer Answer = "second_freezer"
	HasBox           Answer = "internet_box"
	NeedsLine        Answer = "needs_line" // telecare, alarm or telephone through the box
	SharedHeating    Answer = "shared_heating"
)

// AllAnswers lists every answer.
var AllAnswers = []Answer{HasBath, HasDryer, HasSecondFreezer, HasBox, NeedsLine, SharedHeating}

// A QuietDay is a day's quiet flow, which tells a leak without the curve: the
// smallest draw over a window.
type QuietDay struct {
	Date   civil.Date
	Flow   metering.Amount // mL/h
	Window time.Duration
}

// A Meter is what the home's meters of one kind tell, in order of time.
type Meter struct {
	Resolution metering.Resolution
	// Checked says that the dial and tap check was passed. Until then nothing
	// of the meter becomes euros or a leak.
	Checked bool
	// Pulse is the smallest step of the index, in Wh or mL; 0 counts as 1.
	Pulse metering.Amount
	Days  []consumption.Day
	// Curve are the ten minutes, or shorter intervals. It is looked at only
	// where the resolution is fine.
	Curve []metering.IntervalConsumption
	Quiet []QuietDay
	// Why explains the period that the series span, for "Pourquoi ce chiffre ?".
	Why metering.Explanation
}

// A RoomDay is the mean temperature of the living room on a day.
type RoomDay struct {
	Date     civil.Date
	Mean     metering.Amount // m°C
	Coverage float64         // 0 to 1
}

// A Band is how similar homes do. With fewer than 20 homes that have data it
// says nothing of quarters and is left aside (aggregates need 10, quarters 20).
type Band struct {
	Homes               int
	Quarter, Median, Up float64 // 25th, 50th and 75th percentile
}

const leastForQuarters = 20

func (b Band) known() bool { return b.Homes >= leastForQuarters }

// An Absence is declared by the household: nobody is at home on [From, To).
type Absence struct{ From, To civil.Date }

// A Budget compares what the household pays in advance with what the year will
// cost, both for the year, in cents.
type Budget struct {
	Provision       int64
	ProjectedLow    int64 // the projection is a range
	ProjectedHigh   int64
	MonthsOfReading int
}

// A Home is all that tips may know of a household in its home. Whoever makes it
// clips every series to the household's own stay. What is not known stays zero.
type Home struct {
	Today    civil.Date // nothing of today or later is looked at
	Zone     *time.Location
	Consents []consent.Purpose // those that hold today

	Occupants int // as declared; 0 where nobody said
	AreaM2    int
	Water     WaterHeating
	// HeatOfM3 is the heat that the building bills for a cubic metre of hot water,
	// in Wh: more than is in the water at the tap. 0 where it bills none by itself.
	HeatOfM3 int64
	Answers  map[Answer]bool // an answer that is missing was not given

	Meters     map[metering.Kind]Meter
	Rooms      []RoomDay
	DegreeDays map[civil.Date]float64 // base 18 °C
	Absences   []Absence
	Computer   civil.Date // handed over by the programme; zero for none
	Budget     *Budget

	// Similar are bands of a person's use a day in Wh or mL; of heat in Wh a
	// square metre and degree-day.
	Similar map[metering.Kind]Band
	// SimilarWater is the band of cold and hot water together, in mL a person
	// and day; SimilarBase that of the night's power, in W.
	SimilarWater Band
	SimilarBase  Band
}

// meter returns the meter of a kind where it may be read by day, or false.
func (h Home) meter(k metering.Kind) (Meter, bool) {
	m, ok := h.Meters[k]
	return m, ok && m.Resolution.Allows(metering.Day)
}

// curve returns the fine curve of a kind within [from, to), nil where the
// household has not agreed to one.
func (h Home) curve(k metering.Kind, from, to civil.Date) []metering.IntervalConsumption {
	m, ok := h.Meters[k]
	if !ok || !m.Resolution.Allows(metering.Fine) {
		return nil
	}
	start, end := from.Start(h.Zone), to.Start(h.Zone)
	first, _ := slices.BinarySearchFunc(m.Curve, start, func(c metering.IntervalConsumption, at time.Time) int { return c.Start.Compare(at) })
	last, _ := slices.BinarySearchFunc(m.Curve, end, func(c metering.IntervalConsumption, at time.Time) int { return c.Start.Compare(at) })
	return m.Curve[first:last]
}

// days returns the known, whole days of a kind within [from, to) and before
// today. A day that is not measured is left out: an estimate must not trigger.
func (h Home) days(k metering.Kind, from, to civil.Date) []consumption.Day {
	m, ok := h.meter(k)
	if !ok {
		return nil
	}
	var known []consumption.Day
	for _, d := range m.Days {
		inside := !d.Date.Before(from) && d.Date.Before(to) && d.Date.Before(h.Today)
		if inside && whole(d) {
			known = append(known, d)
		}
	}
	return known
}

// fullDay is the coverage from which a day counts as whole.
const fullDay = 0.99

func whole(d consumption.Day) bool {
	return !d.Open && d.Quality == metering.Measured && d.Coverage >= fullDay
}

// last returns the whole days of a kind among the n before today.
func (h Home) last(k metering.Kind, n int) []consumption.Day {
	return h.days(k, h.Today.AddDays(-n), h.Today)
}

// away reports whether the household declared that nobody is at home on a date.
func (h Home) away(date civil.Date) bool {
	return slices.ContainsFunc(h.Absences, func(a Absence) bool {
		return !date.Before(a.From) && date.Before(a.To)
	})
}

// waterKinds are the meters through which all the home's water passes, or none
// where a part of it is not metered.
func (h Home) waterKinds() []metering.Kind {
	switch h.Water {
	case ElectricTank, GasBoiler:
		return []metering.Kind{metering.ColdWater}
	case SharedHotWater:
		return []metering.Kind{metering.ColdWater, metering.HotWater}
	default:
		return nil
	}
}

const (
	daysOfYear = 365
	// leastForCeiling is how many days a home's use must be known for, to cap a
	// saving by it.
	leastForCeiling = 28
)

// ceiling is what the home uses of a kind in a year at its present pace: a bound
// for savings, never a figure that is shown.
func (h Home) ceiling(k metering.Kind) (float64, bool) {
	days := h.last(k, daysOfYear)
	if len(days) < leastForCeiling {
		return 0, false
	}
	return mean(days) * daysOfYear, true
}

// year is what the home used of a kind in the last 365 days, false where more
// than a tenth of them are not known (the bound of CalTRACK)
func (h Home) year(k metering.Kind) (float64, bool) {
	days := h.last(k, daysOfYear)
	if 10*len(days) < 9*daysOfYear {
		return 0, false
	}
	return mean(days) * float64(len(days)), true
}

// leastRoom reports the coldest mean of the living room in the last seven days,
// in °C, or false where it was not measured.
func (h Home) leastRoom() (float64, bool) {
	coldest, known := 0.0, false
	for _, r := range h.rooms(7) {
		if c := float64(r.Mean) / 1000; !known || c < coldest {
			coldest, known = c, true
		}
	}
	return coldest, known
}

// rooms are the room's days among the n before today that were measured for the
// most part.
func (h Home) rooms(n int) []RoomDay {
	var found []RoomDay
	for _, r := range h.Rooms {
		if !r.Date.Before(h.Today.AddDays(-n)) && r.Date.Before(h.Today) && r.Coverage >= 0.9 {
			found = append(found, r)
		}
	}
	return found
}
