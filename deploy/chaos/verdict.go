package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// compared are the meters of the residence, and which gateway reads each.
func (s *site) compared() map[metering.MeterID]metering.GatewayID {
	gateways := map[metering.MeterID]metering.GatewayID{}
	for _, m := range s.residence.Meters() {
		gateways[m.ID] = m.Gateway
	}
	return gateways
}

// judge compares what meters showed, what gateways wrote, what was imported,
// what is stored and what it was rolled up to.
func (s *site) judge(ctx context.Context, o outcome, began, until time.Time, faults int) (outcome, error) {
	var wanted, live []metering.Reading
	var kills []ledger.Kill
	for _, g := range s.gateways {
		written, _, err := g.watcher.Written()
		if err != nil {
			return o, err
		}
		wanted = append(append(wanted, written...), g.imported...)
		for _, r := range written {
			if r.At.After(began.Add(-time.Minute)) {
				live = append(live, r)
			}
		}
		kills = append(kills, g.kills...)
	}
	entries, err := served.Read(s.path("served.csv"))
	if err != nil {
		return o, err
	}
	shown := ledger.Shown{Served: entries, Gateways: s.compared(), Kills: kills, Cycle: cycle, Timeout: busTimeout, Until: until,
		Steps: s.steps, Excused: s.excused}.Compare(live)
	stored, err := s.stored(ctx)
	if err != nil {
		return o, err
	}
	verdict := ledger.Exact(wanted, stored, began.Add(-time.Minute))
	o.Fsynced, o.Stored = verdict.Compared, verdict.Kept
	verdict.Add(shown)
	s.tell(shown, verdict)
	differences, err := s.rollups(ctx, stored)
	if err != nil {
		return o, err
	}
	o.Missing, o.Wrong, o.Double = verdict.Missing, verdict.Wrong, verdict.Double
	o.Met = verdict.Sound() && differences == 0 && o.Faults >= faults && o.Stored > 0
	return o, nil
}

// tell prints what people want to know of the comparison.
func (s *site) tell(shown, verdict ledger.Verdict) {
	s.say("indexes shown and to be kept %d; cut off by kills before their fsync %d, in %d kills of gateways", shown.Compared, shown.Cut, s.killed())
	for reason, n := range shown.Excused {
		s.say("not written %s: %d", reason, n)
	}
	for _, p := range s.programs {
		if p.crashes > 0 {
			s.say("%s ended by itself %d times", p.name, p.crashes)
		}
	}
	s.say("missing %d, wrong %d, double %d", verdict.Missing, verdict.Wrong, verdict.Double)
	for _, f := range verdict.Faults {
		s.say("  %s", f)
	}
}

func (s *site) killed() (n int) {
	for _, g := range s.gateways {
		n += len(g.kills)
	}
	return n
}

func (s *site) gateway(id metering.GatewayID) *gateway {
	return s.gateways[slices.IndexFunc(s.gateways, func(g *gateway) bool { return g.ID == id })]
}

func (s *site) steps(id metering.GatewayID, at time.Time) []time.Duration {
	return s.gateway(id).clock.offsets(at)
}

// excused says why a gateway need not have written what it read at an instant:
// its disk took nothing, or its clock had gone back and not yet passed the
// instants that it had given.
func (s *site) excused(id metering.GatewayID, e served.Entry) string {
	g := s.gateway(id)
	for _, full := range g.full {
		if e.Received.After(full.from.Add(-cycle)) && e.Received.Before(full.to.Add(cycle)) {
			return "for lack of room on the disk"
		}
	}
	if g.clock.behind(e.Received) {
		return "because the clock had stepped back"
	}
	return ""
}

// stored asks InfluxDB itself for every quantity of every meter.
func (s *site) stored(ctx context.Context) ([]metering.Reading, error) {
	store, err := s.open("xnet")
	if err != nil {
		return nil, err
	}
	defer store.Close()
	var all []metering.Reading
	for _, q := range metering.Quantities {
		found, err := store.Readings(ctx, s.meters(), q, time.Unix(0, 0), time.Now().AddDate(20, 0, 0))
		if err != nil {
			return nil, fmt.Errorf("what is stored: %w", err)
		}
		for _, rs := range found {
			all = append(all, rs...)
		}
	}
	return all, nil
}

func (s *site) meters() []metering.MeterID {
	var all []metering.MeterID
	for _, m := range s.residence.Meters() {
		all = append(all, m.ID)
	}
	return all
}

// open speaks to InfluxDB without anything between.
func (s *site) open(prefix string) (*influx.Client, error) {
	c := influx.DefaultConfig()
	c.URL, c.Prefix, c.Keep = "http://"+s.addr.influx, prefix, influx.Retention{}
	return influx.Open(c)
}
