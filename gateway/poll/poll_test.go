package poll_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave/slavetest"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/gateway/poll"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// meters are four slaves: 1 and 2 are pulse counters, 3 is dead, 4 knows no
// register.
type meters struct{}

func (meters) Read(unit, _ byte, address, quantity uint16) ([]uint16, error) {
	switch unit {
	case 3:
		return nil, slave.ErrSilent
	case 4:
		return nil, slave.IllegalAddress
	}
	registers := make([]uint16, quantity)
	for i := range registers {
		if (address+uint16(i))%2 == 1 {
			registers[i] = uint16(unit)*1000 + address + uint16(i)
		}
	}
	return registers, nil
}

func serve(t *testing.T, source slave.Source) string {
	t.Helper()
	return slavetest.TCP(t, source, slave.Options{})
}

func counter(unit byte) firmwareconfig.Device {
	meter := func(name string, channel int) firmwareconfig.Meter {
		return firmwareconfig.Meter{ID: metering.MeterID(fmt.Sprintf("%s-%d", name, unit)), Kind: metering.ColdWater,
			Channel: channel, PulseML: 1000}
	}
	return firmwareconfig.Device{Slave: unit, Profile: "pulse-counter-4", Meters: []firmwareconfig.Meter{meter("CW", 1), meter("HW", 2)}}
}

// A log keeps what the sink was given.
type log struct {
	mu       sync.Mutex
	cycles   int
	readings []wire.UnitReading
}

func (l *log) keep(readings []wire.UnitReading) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cycles++
	l.readings = append(l.readings, readings...)
	return nil
}

func options(t *testing.T, sink poll.Sink) poll.Options {
	t.Helper()
	return optionsWith(t, sink, prometheus.NewRegistry())
}

func optionsWith(t *testing.T, sink poll.Sink, r *prometheus.Registry) poll.Options {
	t.Helper()
	clk, err := clock.New("always")
	if err != nil {
		t.Fatal(err)
	}
	return poll.Options{Clock: clk, Sink: sink, Figures: poll.NewFigures(r), Log: testkit.Logger(t)}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	source := meters{}
	var kept log
	config := firmwareconfig.Bus{Name: "b", URL: serve(t, source), Timeout: 50 * time.Millisecond, Interval: time.Second,
		Devices: []firmwareconfig.Device{counter(1), counter(2), counter(3), counter(4)}}
	p, err := poll.New(config, options(t, kept.keep))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = p.Run(ctx) })
	testkit.Eventually(t, 20*time.Second, func() error {
		kept.mu.Lock()
		defer kept.mu.Unlock()
		if kept.cycles < 4 {
			return fmt.Errorf("%d cycles", kept.cycles)
		}
		return nil
	})
	cancel()
	group.Wait()

	want := map[metering.MeterID]metering.Amount{"CW-1": 1_001_000, "HW-1": 1_003_000, "CW-2": 2_001_000, "HW-2": 2_003_000}
	for _, r := range kept.readings {
		if r.Amount != want[r.Meter] || r.Unit != metering.Millilitre || r.Quantity != metering.Index {
			t.Errorf("%s reads %d %s of %s, want %d mL of the index", r.Meter, r.Amount, r.Unit, r.Quantity, want[r.Meter])
		}
		if r.At.Before(start.Add(-time.Second)) || r.At.After(time.Now()) || r.At.Sub(r.At.Truncate(time.Second)) > 500*time.Millisecond {
			t.Errorf("%s was read at %s, off the grid of whole seconds", r.Meter, r.At)
		}
	}
	if len(kept.readings) != 4*kept.cycles {
		t.Errorf("%d readings in %d cycles, want 4 each", len(kept.readings), kept.cycles)
	}
	checkReports(t, p.Report())
}

func checkReports(t *testing.T, reports []wire.MeterReport) {
	t.Helper()
	for _, r := range reports {
		kind := map[byte]string{'3': "timeout", '4': "exception_2"}[r.Meter[3]]
		if kind == "" && (r.LastGoodMs == 0 || len(r.Errors) > 0) {
			t.Errorf("%s: last good %d, errors %v, want none", r.Meter, r.LastGoodMs, r.Errors)
		}
		if kind != "" && (r.LastGoodMs != 0 || r.Errors[kind] == 0) {
			t.Errorf("%s: last good %d, errors %v, want %s", r.Meter, r.LastGoodMs, r.Errors, kind)
		}
	}
}

func TestLineThatIsDownCondemnsNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "tcp://" + listener.Addr().String()
	listener.Close()
	var kept log
	config := firmwareconfig.Bus{Name: "b", URL: url, Timeout: 50 * time.Millisecond, Interval: time.Second,
		Devices: []firmwareconfig.Device{counter(1), counter(2)}}
	p, err := poll.New(config, options(t, kept.keep))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = p.Run(ctx) })
	defer group.Wait()
	defer cancel()
	testkit.Eventually(t, 10*time.Second, func() error {
		if p.Report()[0].Errors["line"] < 3 {
			return errors.New("the line's faults are not counted")
		}
		return nil
	})
	if listener, err = net.Listen("tcp", url[len("tcp://"):]); err != nil {
		t.Fatal(err)
	}
	group.Go(func() {
		_ = slave.New(meters{}, slave.Options{}).ServeTCP(ctx, listener)
	})
	testkit.Within(t, 3*time.Second, func() error { // the very next cycle, no back-off
		if p.Report()[1].LastGoodMs == 0 {
			return errors.New("not read again")
		}
		return nil
	})
}
