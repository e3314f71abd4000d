// Package poll reads the meters of a bus over and over, on a fixed grid of
// instants.
package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	modbuslib "github.com/goburrow/modbus"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Sink takes the readings of one cycle and returns once they are durable.
type Sink func(readings []wire.UnitReading) error

// A Poller reads the meters of one bus. Report and Requests may be called while
// Run runs.
type Poller struct {
	config  firmwareconfig.Bus
	bus     *modbus.Bus
	clock   *clock.Clock
	sink    Sink
	figures *Figures
	log     *slog.Logger
	devices []*device

	lineDown bool // of the last cycle

	mu      sync.Mutex
	reports map[metering.MeterID]*wire.MeterReport
}

// A device is one slave with its requests and how it fares.
type device struct {
	slave    byte
	pause    time.Duration
	requests []registers.Request
	failures int       // cycles in a row without an answer
	retryAt  time.Time // when a dead device is tried again
}

// New returns the poller of a bus, whose requests it plans.
func New(c firmwareconfig.Bus, clk *clock.Clock, sink Sink, figures *Figures, log *slog.Logger) (*Poller, error) {
	bus, err := modbus.Open(c)
	if err != nil {
		return nil, err
	}
	p := &Poller{config: c, bus: bus, clock: clk, sink: sink, figures: figures,
		log: log.With("bus", c.Name), reports: map[metering.MeterID]*wire.MeterReport{}}
	for _, d := range c.Devices {
		if err := p.add(d); err != nil {
			return nil, fmt.Errorf("bus %s: %w", c.Name, err)
		}
	}
	return p, nil
}

func (p *Poller) add(d firmwareconfig.Device) error {
	profile, err := firmwareconfig.LoadProfile(d.Profile)
	if err != nil {
		return err
	}
	requests, err := registers.Plan(d, profile)
	if err != nil {
		return err
	}
	p.devices = append(p.devices, &device{slave: d.Slave, pause: profile.Pause, requests: requests})
	for _, m := range d.Meters {
		p.reports[m.ID] = &wire.MeterReport{Meter: m.ID, Serial: m.Serial, Kind: m.Kind,
			Unit: m.Kind.IndexUnit(), IndexModulus: m.IndexModulus, Errors: map[string]uint64{}}
	}
	return nil
}

// Run polls until ctx ends. A cycle that takes longer than the interval skips
// the instants it missed: the grid stays fixed.
func (p *Poller) Run(ctx context.Context) error {
	defer p.bus.Close()
	for {
		next := time.Now().Truncate(p.config.Interval).Add(p.config.Interval)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		p.cycle(ctx)
	}
}

// maxLineFaults is how many devices in a row may fail because of the line before
// the cycle ends: the line is down, not they.
const maxLineFaults = 3

// cycle reads every device once and hands the readings on: one fsync a cycle.
func (p *Poller) cycle(ctx context.Context) {
	start := time.Now()
	var readings []wire.UnitReading
	lineFaults := 0
	for _, d := range p.devices {
		if ctx.Err() != nil || lineFaults == maxLineFaults {
			break
		}
		if time.Now().Before(d.retryAt) {
			continue
		}
		var err error
		if readings, err = p.device(ctx, d, readings); errors.Is(err, modbus.ErrLine) {
			lineFaults++
		} else {
			lineFaults = 0
		}
	}
	p.figures.cycle(p.config.Name, time.Since(start), p.config.Interval)
	p.noteLine(lineFaults)
	p.deliver(readings)
}

// noteLine logs when the line goes down or comes back.
func (p *Poller) noteLine(faults int) {
	down := faults > 0 && (faults == maxLineFaults || faults >= len(p.devices))
	if down != p.lineDown {
		p.log.Warn("line", "down", down, "url", p.config.URL)
	}
	p.lineDown = down
}

func (p *Poller) deliver(readings []wire.UnitReading) {
	switch {
	case len(readings) == 0:
	case p.clock.State() != wire.ClockTrusted:
		p.figures.lost("clock", len(readings))
		p.log.Warn("readings dropped: the clock is not synchronised", "readings", len(readings))
	default:
		if err := p.sink(readings); err != nil {
			p.figures.lost("spool", len(readings))
			p.log.Error("readings lost", "readings", len(readings), "err", err)
		}
	}
}

// device appends what one device answers. A device that answered nothing twice
// in a row waits longer and longer, up to ten minutes, so that the others do
// not. It returns the error that ended its turn.
func (p *Poller) device(ctx context.Context, d *device, readings []wire.UnitReading) ([]wire.UnitReading, error) {
	for _, r := range d.requests {
		answer, at, err := p.request(ctx, d, r)
		switch {
		case err == nil:
			readings = p.decode(r, answer, at, readings)
			p.answered(d)
			continue
		case errors.Is(err, modbus.ErrTimeout):
			p.silent(d)
		case !errors.Is(err, modbus.ErrLine):
			p.failed(r, err)
			p.answered(d) // an exception is an answer too
			continue
		}
		p.failed(r, err)
		return readings, err // its other registers would cost a timeout each
	}
	return readings, nil
}

const (
	patience = 2 // cycles without an answer before a device counts as dead
	maxWait  = 10 * time.Minute
)

func (p *Poller) answered(d *device) {
	if d.failures >= patience {
		p.log.Info("device answers again", "slave", d.slave)
	}
	d.failures, d.retryAt = 0, time.Time{}
}

func (p *Poller) silent(d *device) {
	d.failures++
	if d.failures < patience {
		return
	}
	if d.failures == patience {
		p.log.Warn("device does not answer", "slave", d.slave)
	}
	wait := min(maxWait, p.config.Interval<<min(d.failures-patience, 10))
	d.retryAt = time.Now().Add(wait - p.config.Interval/2)
}

// request reads once, and once more where the line hiccupped. The instant is
// that of the answer.
func (p *Poller) request(ctx context.Context, d *device, r registers.Request) ([]byte, time.Time, error) {
	for try := 0; ; try++ {
		if d.pause > 0 {
			time.Sleep(d.pause)
		}
		start := time.Now()
		answer, err := p.bus.Read(ctx, r.Slave, r.Function, r.Address, r.Quantity)
		at := p.clock.Now()
		if err == nil {
			p.figures.latency(p.config.Name, time.Since(start))
			return answer, at, nil
		}
		exception := (*modbuslib.ModbusError)(nil)
		if try > 0 || d.failures > 0 || errors.As(err, &exception) || ctx.Err() != nil {
			return nil, at, err
		}
	}
}

func (p *Poller) decode(r registers.Request, answer []byte, at time.Time, readings []wire.UnitReading) []wire.UnitReading {
	for _, f := range r.Fields {
		amount, err := f.Amount(r, answer)
		if err != nil {
			p.fieldFailed(f, err)
			continue
		}
		p.good(f.Meter.ID, at)
		p.log.Debug("read", "meter", f.Meter.ID, "quantity", f.Quantity, "slave", r.Slave)
		readings = append(readings, wire.UnitReading{Unit: f.Unit, Reading: metering.Reading{
			Meter: f.Meter.ID, Quantity: f.Quantity, At: at, Amount: amount}})
	}
	return readings
}

func (p *Poller) good(meter metering.MeterID, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports[meter].LastGoodMs = at.UnixMilli()
	p.figures.good(meter, at)
}

func (p *Poller) failed(r registers.Request, err error) {
	p.log.Debug("request", "slave", r.Slave, "err", err)
	for _, f := range r.Fields {
		p.fieldFailed(f, err)
	}
}

func (p *Poller) fieldFailed(f registers.Field, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := errorKind(err)
	p.reports[f.Meter.ID].Errors[kind]++
	p.figures.failed(f.Meter.ID, kind)
}

func errorKind(err error) string {
	exception := (*modbuslib.ModbusError)(nil)
	switch {
	case errors.As(err, &exception):
		return fmt.Sprintf("exception_%d", exception.ExceptionCode)
	case errors.Is(err, modbus.ErrTimeout):
		return "timeout"
	case errors.Is(err, modbus.ErrLine):
		return "line"
	case errors.Is(err, registers.ErrNoValue):
		return "no_value"
	default:
		return "frame"
	}
}

// Report returns how each meter of the bus fares, without its resolution.
func (p *Poller) Report() []wire.MeterReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []wire.MeterReport
	for _, d := range p.config.Devices {
		for _, m := range d.Meters {
			r := *p.reports[m.ID]
			r.Errors = make(map[string]uint64, len(r.Errors))
			for kind, n := range p.reports[m.ID].Errors {
				r.Errors[kind] = n
			}
			all = append(all, r)
		}
	}
	return all
}
