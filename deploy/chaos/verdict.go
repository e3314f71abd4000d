package main

import (
	"context"
	"errors"
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

// judge compares what meters showed, what gateways wrote and sent, what was
// imported, what is stored and what it was rolled up to. Where one part of that
// cannot be done the others are, and it is an error.
func (s *site) judge(ctx context.Context, o outcome, began, until time.Time) (outcome, error) {
	before := began.Add(-time.Minute) // what is older was imported
	wanted, live, verdict, err := s.wanted(before)
	entries, logged := served.Read(s.path("served.csv"))
	shown := ledger.Shown{Served: entries, Gateways: s.compared(), Kills: s.kills(), Cycle: slowest, Timeout: busTimeout, Until: until,
		Steps: s.steps, Excused: s.excused}.Compare(live)
	stored, asked := s.stored(ctx)
	exact := ledger.Exact(wanted, stored, before)
	o.Fsynced, o.Stored = exact.Compared, exact.Kept
	verdict.Add(exact)
	verdict.Add(shown)
	s.tell(shown, verdict)
	differences, rolled := s.rollups(ctx, stored)
	if differences > 0 {
		rolled = errors.Join(rolled, fmt.Errorf("%d hours, days or months differ from those computed from scratch", differences))
	}
	o.Missing, o.Wrong, o.Double = verdict.Missing, verdict.Wrong, verdict.Double
	return o, errors.Join(err, logged, asked, rolled)
}

// wanted is what has to be stored: all that the gateways sent or were seen to
// write, and what was imported; live is what they read themselves, since before.
// The verdict holds what should not have been sent at all.
func (s *site) wanted(before time.Time) (wanted, live []metering.Reading, v ledger.Verdict, err error) {
	sent := s.recorder.Sent()
	wanted = sent.Readings
	for _, fault := range sent.Faults {
		v.Fault("%s", fault)
	}
	seen, packs, missed := []metering.Reading(nil), 0, 0
	for _, g := range s.gateways {
		w, failed := g.watcher.Written()
		err = errors.Join(err, failed)
		seen, packs, missed = append(seen, w.Readings...), packs+w.Packs, missed+w.Missed
	}
	unsent := ledger.Lacking(seen, sent.Readings)
	for _, r := range slices.Concat(sent.Readings, unsent) {
		if r.At.After(before) {
			live = append(live, r)
		}
	}
	wanted = append(wanted, seen...)
	for _, g := range s.gateways {
		wanted = append(wanted, g.imported...)
	}
	s.say("the gateways sent %d readings in %s, %d packs again; seen on their disks: %d packs, of which %d readings never came by, %d segments unseen",
		len(sent.Readings), perGateway(sent.Packs), sent.Again, packs, len(unsent), missed)
	if len(unsent) > 0 {
		err = errors.Join(err, fmt.Errorf("%d readings were on the gateways' disks and never came by", len(unsent)))
	}
	return wanted, live, v, err
}

func perGateway(packs map[metering.GatewayID]int) string {
	all := 0
	for _, n := range packs {
		all += n
	}
	return fmt.Sprintf("%d packs of %d gateways", all, len(packs))
}

func (s *site) kills() (all []ledger.Kill) {
	for _, g := range s.gateways {
		all = append(all, g.kills...)
	}
	return all
}

// tell prints what people want to know of the comparison.
func (s *site) tell(shown, verdict ledger.Verdict) {
	s.say("indexes shown and to be kept %d; cut off by kills before their fsync %d, in %d kills of gateways", shown.Compared, shown.Cut, len(s.kills()))
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
