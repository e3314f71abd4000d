package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/gateway/uplink"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

var source = wire.Source{Site: "bench", Gateway: "gw"}

// A measurement is what a replay gave.
type measurement struct {
	readings int           // stored in all
	backlog  time.Duration // from the broker's return to the last answer for the outage
	live     int           // packs that were read meanwhile
	latest   time.Duration // from reading one of them to its answer, at most
}

// cycle is what the meters show at an instant.
func (s *system) cycle(at time.Time, meters int) []wire.UnitReading {
	readings := make([]wire.UnitReading, meters)
	for i := range readings {
		readings[i] = wire.UnitReading{Unit: metering.WattHour, Reading: metering.Reading{Meter: s.meter(i), Quantity: metering.Index,
			At: at.UTC().Truncate(time.Millisecond), Amount: metering.Amount(1_000_000*i) + metering.Amount(at.Unix()-1_700_000_000)}}
	}
	return readings
}

func (s *system) meter(i int) metering.MeterID { return metering.MeterID(fmt.Sprintf("EL-%03d", i)) }

func (s *system) cycles() int { return int(s.Outage / time.Minute) }

// begin is the first instant of the outage.
func (s *system) begin() time.Time { return time.Now().Add(-s.Outage).Truncate(time.Minute) }

// bare writes the same readings straight into InfluxDB, in batches as the
// collector's, and returns how long that took.
func (s *system) bare(ctx context.Context) (time.Duration, error) {
	config := s.store
	config.Prefix = "bare"
	store, err := influx.Open(config)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	if err := store.SetUp(ctx); err != nil {
		return 0, err
	}
	const batch = 50_000
	var readings []metering.Reading
	begin, start := s.begin(), time.Now()
	for n := range s.cycles() {
		for _, r := range s.cycle(begin.Add(time.Duration(n)*time.Minute), s.Meters) {
			readings = append(readings, r.Reading)
		}
		if len(readings) < batch && n < s.cycles()-1 {
			continue
		}
		if err := store.WriteReadings(ctx, readings); err != nil {
			return 0, err
		}
		readings = readings[:0]
	}
	return time.Since(start), nil
}

// replay takes the broker away from a gateway and a collector that were connected
// to it, fills the spool with the outage, lets the broker return, and goes on
// reading until the outage is stored.
func (s *system) replay(ctx context.Context) (m measurement, err error) {
	box, err := spool.Open(filepath.Join(s.dir, "spool"), spool.Options{Log: s.log})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	up := uplink.New(uplink.Options{Source: source, URL: "tcp://" + s.broker,
		State:    func() wire.State { return wire.State{Online: true, Boot: "bench"} },
		Meters:   func() wire.Meters { return wire.Meters{} },
		Registry: func(wire.Registry) error { return nil }}, box, uplink.NewFigures(prometheus.NewRegistry()), s.log)
	running, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { _ = up.Run(running) })
	defer func() { cancel(); group.Wait() }()
	if err := s.outage(ctx, up); err != nil {
		return m, err
	}
	begin := s.begin()
	for n := range s.cycles() {
		if err := box.Append(s.cycle(begin.Add(time.Duration(n)*time.Minute), s.Meters)); err != nil {
			return m, err
		}
	}
	last := box.Last()
	s.say("%d packs of %d readings wait; the broker returns", s.cycles(), s.Meters)
	start := time.Now()
	if err := s.startBroker(ctx); err != nil {
		return m, err
	}
	if m, err = s.readOn(ctx, box, last, start); err != nil {
		return m, err
	}
	m.readings, err = s.countStored(ctx, begin, m.live)
	return m, err
}

// outage lets everybody connect to a broker, ends it, and waits.
func (s *system) outage(ctx context.Context, up *uplink.Uplink) error {
	if err := s.startBroker(ctx); err != nil {
		return err
	}
	if err := s.publishRegistry(); err != nil {
		return err
	}
	err := bench.Within(ctx, time.Minute, func() error {
		if !up.Connected() {
			return errors.New("the gateway does not connect to the broker")
		}
		return answers("http://" + s.figures + "/readyz")
	})
	if err != nil {
		return err
	}
	s.Kill()
	s.say("the broker is away for %s", s.Away)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.Away):
		return nil
	}
}

// readOn appends a pack each second, as the same meters' readings would come if
// they were spread over the minute, and waits until the outage is answered and
// so is every pack read meanwhile.
func (s *system) readOn(ctx context.Context, box *spool.Spool, last wire.Seq, start time.Time) (m measurement, err error) {
	open := map[wire.Seq]time.Time{}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	next := start
	for {
		now := time.Now()
		oldest := box.Waiting(0, 1)
		if m.backlog == 0 && (len(oldest) == 0 || oldest[0] > last) {
			m.backlog = now.Sub(start)
			s.say("backlog stored after %s", m.backlog.Round(time.Millisecond))
		}
		// Five seconds more: what comes after a replay must get through too.
		reading := m.backlog == 0 || now.Sub(start) < m.backlog+5*time.Second
		if reading && !now.Before(next) {
			next = next.Add(time.Second)
			if err := box.Append(s.cycle(now, s.liveMeters())); err != nil {
				return m, err
			}
			open[box.Last()] = now
			m.live++
		}
		for seq, at := range open {
			if waiting := box.Waiting(seq-1, 1); len(waiting) == 0 || waiting[0] != seq {
				m.latest = max(m.latest, now.Sub(at))
				delete(open, seq)
			}
		}
		if !reading && len(open) == 0 {
			return m, nil
		}
		if now.Sub(start) > 4*s.Within {
			return m, fmt.Errorf("after %s %d packs wait still", now.Sub(start), box.Counts().Packs)
		}
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-tick.C:
		}
	}
}

// liveMeters is how many meters a second are read.
func (s *system) liveMeters() int { return (s.Meters + 59) / 60 }

// publishRegistry tells the collector of the meters, so that it does all that it
// does for real ones: validate, keep to the resolution, roll up.
func (s *system) publishRegistry() error {
	registry := wire.Registry{Site: source.Site, Zone: "Europe/Paris", EarliestMs: time.Now().Add(-2 * s.Outage).UnixMilli()}
	for i := range s.Meters {
		registry.Meters = append(registry.Meters, wire.RegistryMeter{Meter: s.meter(i), Gateway: source.Gateway, Kind: metering.Electricity,
			IntervalS: 60, Resolution: metering.Fine, FromMs: registry.EarliestMs})
	}
	payload, err := registry.Encode()
	if err != nil {
		return err
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.broker).SetClientID("registry"))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return fmt.Errorf("publish the registry: %w", token.Error())
	}
	defer client.Disconnect(250)
	token := client.Publish(wire.RegistryTopic(source.Site), 1, true, payload)
	token.Wait()
	return token.Error()
}

// countStored demands every reading of the outage and of the time after it.
func (s *system) countStored(ctx context.Context, begin time.Time, live int) (int, error) {
	store, err := influx.Open(s.store)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	var ids []metering.MeterID
	for i := range s.Meters {
		ids = append(ids, s.meter(i))
	}
	found, err := store.Readings(ctx, ids, metering.Index, begin, time.Now().Add(time.Minute))
	if err != nil {
		return 0, err
	}
	stored := 0
	for _, readings := range found {
		stored += len(readings)
	}
	if want := s.cycles()*s.Meters + live*s.liveMeters(); stored != want {
		return stored, fmt.Errorf("%d readings are stored, %d were spooled", stored, want)
	}
	return stored, nil
}
