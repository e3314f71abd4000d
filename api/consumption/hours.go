package consumption

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Hour is what all meters of a kind counted in one hour of the clock.
type Hour struct {
	Start   time.Time // in UTC
	Used    metering.Amount
	Quality metering.Quality
	// Coverage is the share of the home's meters of the kind of which the hour is
	// known, 0 to 1.
	Coverage float64
}

// NoHours is why a kind has no hours.
type NoHours string

// The reasons.
const (
	// HoursNotAllowed: what the household agreed to does not reach to hours.
	HoursNotAllowed NoHours = "not_allowed"
	HoursNotKnown   NoHours = "not_known" // no hour of the day has been read
)

// A DayOfHours is a day of a kind by its hours.
type DayOfHours struct {
	Kind  metering.Kind
	Hours []Hour // those that are known, in order of time; at most 25
	// Refused says why there is no hour; empty where there is one.
	Refused NoHours
	// Why explains what was used from the first hour that is known to the last: its
	// coverage is the share of the day's 23, 24 or 25 hours that they span.
	Why metering.Explanation
}

// Hours returns what the viewer's homes used on a date, hour by hour, as known at
// now: by kind, in the order of [metering.Kinds]. Only meters that may be read by
// the hour have any, and only hours that lie wholly within the viewer's stay and
// the time that the meter hung there. An hour of which one of two meters of a kind
// is not known says so by its coverage. It fails as [Reader.Between].
func (r *Reader) Hours(ctx context.Context, v premises.Viewer, now time.Time, date civil.Date) (zone *time.Location, days []DayOfHours, err error) {
	stays, err := r.homes.During(ctx, v, now, date, date.AddDays(1))
	if err != nil {
		return nil, nil, err
	}
	var spans []span
	for _, stay := range stays {
		points, err := r.meters.Fitted(ctx, stay.Dwelling.ID)
		if err != nil {
			return nil, nil, err
		}
		spans = append(spans, spansOf(stay, points)...)
	}
	zone = stays[len(stays)-1].Zone
	start, end := date.Bounds(zone)
	// What a household takes back is not asked for a moment longer: nothing of the
	// fine curve is kept in memory.
	found, err := r.hourly(ctx, spans, start, end)
	if err != nil {
		return nil, nil, err
	}
	for _, kind := range metering.Kinds {
		if day, ok := hoursOf(kind, spans, found, start, end); ok {
			days = append(days, day)
		}
	}
	return zone, days, nil
}

func (r *Reader) hourly(ctx context.Context, spans []span, from, to time.Time) (map[metering.MeterID][]influx.Consumption, error) {
	ids := idsOf(spans, func(s span) bool { return s.hanging.Meter.Resolution.Allows(metering.Hour) })
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	found, err := r.influx.Consumption(ctx, influx.Hourly, ids, from, to)
	return found, away(err)
}

// hoursOf adds up the meters of a kind; it is false where the home has none.
func hoursOf(kind metering.Kind, spans []span, found map[metering.MeterID][]influx.Consumption, start, end time.Time) (DayOfHours, bool) {
	day := DayOfHours{Kind: kind, Refused: HoursNotAllowed}
	byHour := map[int64]*Hour{}
	var pieces []piece
	fitted := false
	for i, s := range spans {
		if s.hanging.Meter.Kind != kind {
			continue
		}
		fitted = true
		if !s.hanging.Meter.Resolution.Allows(metering.Hour) {
			continue
		}
		day.Refused = HoursNotKnown
		s.number = i
		for _, p := range s.hours(found[s.hanging.Meter.ID]) {
			pieces = append(pieces, p)
			at := p.part.From.At
			h := byHour[at.Unix()]
			if h == nil {
				h = &Hour{Start: at}
				byHour[at.Unix()] = h
			}
			h.Used += p.part.Used()
			h.Quality = h.Quality.Worse(p.part.From.Quality)
			h.Coverage = min(1, h.Coverage+p.weight)
		}
	}
	for at := start.UTC().Truncate(time.Hour); at.Before(end); at = at.Add(time.Hour) { // the rollup's hours are of UTC
		if h := byHour[at.Unix()]; h != nil {
			day.Hours, day.Refused = append(day.Hours, *h), ""
		}
	}
	day.Why = totalOf(kind, pieces, start, end)
	return day, fitted
}

// hours returns the pieces of the hours that lie wholly within the span.
func (s span) hours(stored []influx.Consumption) (pieces []piece) {
	for _, c := range stored {
		end := c.Start.Add(time.Hour)
		if c.Start.Before(s.start) || end.After(s.end) || c.Used < 0 || c.Quality == metering.Missing {
			continue
		}
		part := metering.Part{
			From: metering.Boundary{Meter: c.Meter, At: c.Start, Index: c.Index - c.Used, Quality: c.Quality},
			To:   metering.Boundary{Meter: c.Meter, At: end, Index: c.Index, Quality: c.Quality}}
		pieces = append(pieces, piece{part: part, coverage: 1, weight: s.weight, span: s.number})
	}
	return pieces
}
