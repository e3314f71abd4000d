package nightly

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// curveDays are what tips that look at single draws want of a curve.
const curveDays = 28

// detailed are the kinds whose curve of weeks some tips want. It is read for a
// seventh of the homes each morning: such habits do not change overnight.
var detailed = []metering.Kind{metering.ColdWater, metering.HotWater}

// inDetail reports whether it is the home's day of the week.
func (h *home) onItsDay(date civil.Date) bool {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(h.tenancy))
	return int(sum.Sum32()%7) == int(date.Start(time.UTC).Weekday())
}

// readCurves reads the curve of the weeks before for homes whose day it is.
func (r *Runner) readCurves(ctx context.Context, n *night, all []*home) error {
	for _, h := range all {
		if !h.onItsDay(n.date) || !h.agreed(consent.FineCurve) || !h.agreed(consent.PersonalAdvice) {
			continue
		}
		for _, k := range detailed {
			mine := h.of(k)
			if len(mine) != 1 || !h.readsFinely(mine[0]) {
				continue
			}
			from := laterOf(laterOf(n.date.AddDays(-curveDays).Start(n.zone), h.since(n)), mine[0].From)
			found, err := r.Influx.Readings(ctx, []metering.MeterID{mine[0].Meter.ID}, metering.Index, from, n.date.Start(n.zone).Add(time.Millisecond))
			if err != nil {
				return err
			}
			h.curves[k] = intervals(unrolled(found[mine[0].Meter.ID], mine[0].Meter.IndexModulus), mine[0].Meter.Interval)
		}
		h.inDetail = true
	}
	return nil
}

// grid is how finely tips look at a curve.
const grid = 10 * time.Minute

// intervals are a curve's steps of ten minutes or a little more. A step over a gap
// is an estimate, which tips do not look at.
func intervals(curve []metering.Reading, poll time.Duration) (all []metering.IntervalConsumption) {
	for i, last := 1, 0; i < len(curve); i++ {
		length := curve[i].At.Sub(curve[last].At)
		if length < grid-poll/2 && length < grid {
			continue
		}
		step := metering.IntervalConsumption{Start: curve[last].At, End: curve[i].At, Used: curve[i].Amount - curve[last].Amount}
		if length > max(2*grid, 3*poll/2) || step.Used < 0 {
			step.Quality = metering.Estimated
		}
		all, last = append(all, step), i
	}
	return all
}

// advise finds the tips of a home, settles them with what it was told before, and
// observes those that it took up.
func (r *Runner) advise(ctx context.Context, n *night, h *home, _ *Counts) error {
	if h.household == "" || !h.movedIn.Before(n.date) {
		return nil
	}
	known := h.tipsHome(n)
	due, err := r.Catalogue.Find(known, n.prices)
	if err != nil {
		return fmt.Errorf("tips: %w", err)
	}
	due = h.gate(n, h.hold(n, due))
	stay := tips.Stay{Tenancy: h.tenancy, Household: h.household, MovedIn: h.movedIn, Zone: n.zone}
	h.changed, err = r.observe(ctx, n, h, known, tips.Settle(stay, h.history, due, n.date))
	return err
}

// readTips reads what the homes were told before, and what they said.
func (r *Runner) readTips(ctx context.Context, n *night, all []*home) error {
	first, last := all[0].dwelling.ID, all[len(all)-1].dwelling.ID
	told, err := n.tips.Histories(ctx, n.residence.ID, first, last, n.date)
	if err != nil {
		return err
	}
	said, err := n.tips.Houses(ctx, n.residence.ID, first, last, n.date)
	for _, h := range all {
		h.history, h.house = told[h.tenancy], said[h.tenancy]
	}
	return err
}

// leakTips are those that say what an open case says.
var leakTips = []string{"continuous_flow"}

// waterHabits are the detectors that tell how a home uses its water.
var waterHabits = []string{"water_above_similar", "water_below_similar", "hot_share", "large_draws", "night_flush"}

// gate leaves out what a meter tells that may count for another flat, tips about a
// leak of which no case is open, and habits that a leak's water would be blamed on: a
// family is not told of a leak by one and not by the other, nor to shower shorter for
// a cistern that runs.
func (h *home) gate(n *night, due []tips.Proposal) []tips.Proposal {
	return slices.DeleteFunc(due, func(p tips.Proposal) bool {
		if !h.verified(p.Finding.Kinds) {
			return true // it may be a neighbour's
		}
		if slices.Contains(waterHabits, p.Entry.Trigger.Detector) {
			return h.leakedDuring(n, p.Finding)
		}
		if !slices.Contains(leakTips, p.Entry.Trigger.Detector) {
			return false
		}
		leaks := func(f fitted) bool {
			return slices.ContainsFunc(n.cases[f.Point], func(k alerts.Kept) bool {
				return k.Cause.Subject == alerts.Water && k.State != alerts.Repaired
			})
		}
		return !slices.ContainsFunc(h.of(p.Entry.Trigger.Kind), leaks)
	})
}

// leakedDuring reports whether a leak's water is among what a finding summed up: a
// case of one of its meters is open, or was on one of its days.
func (h *home) leakedDuring(n *night, f tips.Finding) bool {
	return slices.ContainsFunc(h.of(f.Kinds...), func(m fitted) bool {
		open := slices.ContainsFunc(n.cases[m.Point], func(k alerts.Kept) bool { return k.Cause.Subject == alerts.Water })
		return open || slices.ContainsFunc(n.pasts[m.Point], func(p alerts.Past) bool {
			return p.State != alerts.Dismissed && p.Household == h.household && p.First.Before(f.To) && !p.Last.Before(f.From)
		})
	})
}

// verified reports whether every meter of these kinds passed its check.
func (h *home) verified(kinds []metering.Kind) bool {
	return !slices.ContainsFunc(h.of(kinds...), func(f fitted) bool { return !f.verified })
}

// weekly are the detectors that look at single draws over weeks.
var weekly = []string{"large_draws", "night_flush", "plateau"}

// hold keeps tips due whose detectors were not asked this morning.
func (h *home) hold(n *night, due []tips.Proposal) []tips.Proposal {
	if h.inDetail || h.onItsDay(n.date) {
		return due
	}
	for _, k := range h.history {
		open := k.State == tips.Proposed || k.State == tips.Seen
		agreed := !slices.ContainsFunc(k.Entry.Consents, func(p consent.Purpose) bool { return !h.agreed(p) })
		if open && agreed && slices.Contains(weekly, k.Entry.Trigger.Detector) {
			due = append(due, tips.Proposal{Entry: k.Entry, Finding: k.Finding, Saving: k.Saving, Score: k.Score})
		}
	}
	return due
}

// tipsHome is what tips may know of the home.
func (h *home) tipsHome(n *night) tips.Home {
	known := tips.Home{
		Today: n.date, Zone: n.zone, Consents: h.consents, Occupants: h.occupants, AreaM2: int(h.dwelling.AreaM2),
		Water: tips.HeatedBy(h.dwelling.HotWater), Computer: n.computers[h.household], Answers: map[tips.Answer]bool{}, Meters: map[metering.Kind]tips.Meter{},
		DegreeDays: n.weather, SimilarWater: n.similar.water, SimilarBase: n.similar.base,
		Similar: map[metering.Kind]tips.Band{metering.Heat: n.similar.heat}, Budget: h.budget,
	}
	if h.dwelling.Heating != premises.WarmthUnknown && h.dwelling.Heating != "" {
		known.Answers[tips.SharedHeating] = h.dwelling.Heating == premises.Collective
	}
	for _, s := range h.lived.Series {
		if m, ok := h.tipsMeter(n, s); ok {
			known.Meters[s.Kind] = m
		}
	}
	for _, f := range h.of(metering.Temperature) {
		if h.readsFinely(f) {
			known.Meters[metering.Temperature] = tips.Meter{Resolution: f.Meter.Resolution, Checked: true}
			known.Rooms = roomsOf(h.rooms[f.Meter.ID], n)
		}
	}
	h.house.Tell(&known)
	return known
}

// tipsMeter is what the meters of a kind tell.
func (h *home) tipsMeter(n *night, s consumption.Series) (tips.Meter, bool) {
	mine := h.of(s.Kind)
	if len(mine) == 0 {
		return tips.Meter{}, false
	}
	m := tips.Meter{Resolution: s.Resolution, Checked: true, Days: s.Days, Curve: h.curves[s.Kind], Pulse: 1,
		Why: s.Over(latest(h.movedIn, n.date.AddDays(-curveDays)), n.date)}
	for _, f := range mine {
		m.Checked = m.Checked && f.verified
		q := h.quiet[f.Meter.ID]
		m.Pulse = max(m.Pulse, f.Meter.Pulse, q.step)
		if len(mine) == 1 { // of two meters the quietest moment is not one figure
			m.Quiet = quietOf(q, n)
		}
		if !h.readsFinely(f) && m.Resolution.Allows(metering.Fine) {
			m.Resolution = metering.Day
		}
	}
	if s.Kind == metering.Electricity {
		m.Curve = h.hours
	}
	return m, true
}

// quietOf are the quiet days by the civil day in which most of each lies, each of
// the longest window up to an hour that is known.
func quietOf(q quiet, n *night) (days []tips.QuietDay) {
	byDate := map[civil.Date]tips.QuietDay{}
	for _, about := range q.nights {
		for _, d := range about {
			if d.Window <= 0 || d.About > time.Hour && len(byDate) > 0 {
				continue
			}
			date := civil.DateIn(d.Start, n.zone)
			byDate[date] = tips.QuietDay{Date: date, Flow: d.Draw * 3600 / max(1, metering.Amount(d.Window/time.Second)), Window: d.Window}
		}
	}
	for _, d := range byDate {
		days = append(days, d)
	}
	slices.SortFunc(days, func(a, b tips.QuietDay) int { return a.Date.Start(time.UTC).Compare(b.Date.Start(time.UTC)) })
	return days
}

// roomsOf are the means of a room sensor's whole days: hours count alike, however
// often each was read.
func roomsOf(readings []metering.Reading, n *night) (days []tips.RoomDay) {
	for date := n.date.AddDays(1 - roomDays); date.Before(n.date); date = date.AddDays(1) {
		start, end := date.Bounds(n.zone)
		sums, counts := map[int64]metering.Amount{}, map[int64]metering.Amount{}
		for _, r := range after(readings, start) {
			if r.At.Before(end) {
				sums[r.At.Unix()/3600] += r.Amount
				counts[r.At.Unix()/3600]++
			}
		}
		if len(counts) == 0 {
			continue
		}
		var sum metering.Amount
		for hour, count := range counts {
			sum += sums[hour] / count
		}
		days = append(days, tips.RoomDay{Date: date, Mean: sum / metering.Amount(len(counts)),
			Coverage: float64(len(counts)) / end.Sub(start).Hours()})
	}
	return days
}
