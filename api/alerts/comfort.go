package alerts

import (
	"time"

	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	// comfortLimit is the temperature below which a flat is too cold for health,
	// 18 °C: the threshold of the World Health Organization.
	comfortLimit metering.Amount = 18_000 // m°C
	// coldDays is for how many days in a row.
	coldDays = 2
	// leastHours is how many hours of a day have to be known.
	leastHours = 12
)

// ColdFlat judges the readings of a room sensor, in m°C and in order of time, up
// to now: a flat is cold where the mean of each of the last two full days of the
// zone is below 18 °C. It is a message about comfort and never asks anybody to
// save. Days of which fewer than 12 hours are known are refused.
func ColdFlat(m Meter, readings []metering.Reading, now time.Time) Verdict {
	if m.Kind != metering.Temperature {
		return refused(m.refusal(ErrNotSensor))
	}
	today := civil.DateIn(now, m.Zone)
	f := Finding{Cause: Cause{Subject: Cold, Point: m.Point}, Source: FromTemperature, Last: today.Start(m.Zone)}
	for ; ; f.Nights++ {
		start, end := today.AddDays(-1 - f.Nights).Bounds(m.Zone)
		mean, ok := meanOf(within(readings, start, end.Add(-1)))
		if !ok && f.Nights < coldDays {
			return refused(m.refusal(ErrTooFewDays))
		}
		if !ok || mean >= comfortLimit {
			break
		}
		if f.Nights == 0 {
			f.MilliCelsius = mean
		}
		f.Since = Since{Earliest: start.Add(-24 * time.Hour), Latest: start}
	}
	if f.Nights < coldDays {
		return Verdict{Outcome: Nothing}
	}
	return Verdict{Outcome: Alarm, Finding: f}
}

// meanOf is the mean over the hours that have readings, or false for too few:
// hours count alike, however often each was read.
func meanOf(readings []metering.Reading) (metering.Amount, bool) {
	sums, counts := map[int64]metering.Amount{}, map[int64]metering.Amount{}
	for _, r := range readings {
		hour := r.At.Unix() / 3600
		sums[hour] += r.Amount
		counts[hour]++
	}
	if len(counts) < leastHours {
		return 0, false
	}
	var sum metering.Amount
	for hour, n := range counts {
		sum += sums[hour] / n
	}
	return sum / metering.Amount(len(counts)), true
}

// Silent returns a finding for each meter that has not been read for a day, and
// one for a whole gateway that is silent: its meters then have none of their own.
// Points are of the facts with the same index.
func Silent(facts []watch.Facts, points []metering.PointID, now time.Time) []Finding {
	var found []Finding
	told := map[metering.GatewayID]bool{}
	for i, f := range facts {
		standing, since := f.Standing(now)
		finding := Finding{Source: FromStanding, Since: Since{Earliest: since, Latest: since}, Last: now}
		switch {
		case standing == watch.GatewaySilent && !told[f.Gateway]:
			told[f.Gateway] = true
			finding.Cause = Cause{Subject: Silence, Gateway: f.Gateway}
		case standing == watch.Silent:
			finding.Cause = Cause{Subject: Silence, Point: points[i]}
		default:
			continue
		}
		found = append(found, finding)
	}
	return found
}
