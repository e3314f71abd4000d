// Package poll reads the meters of a bus over and over, on a fixed grid of
// instants.
//
// Each bus has a loop of its own. A cycle reads the devices that are due, hands
// their readings on together, and leaves the rest of the time to probes of the
// devices that are dead: a dead meter never costs the others a timeout. A new
// configuration is taken over between two cycles; what it leaves as it was keeps
// its state.
package poll

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Sink takes the readings of one cycle and returns once they are durable. It
// may be called from several goroutines, one a bus.
type Sink func(readings []wire.UnitReading) error

// Options are what pollers share. All fields are required.
type Options struct {
	Clock   *clock.Clock
	Sink    Sink
	Figures *Figures
	Log     *slog.Logger
}

// A Poller reads the meters of one bus. Make it with [New] and call Run once.
// Report and Reload may be called while Run runs.
type Poller struct {
	options Options
	log     *slog.Logger

	// Of Run's goroutine.
	config   firmwareconfig.Bus
	bus      *modbus.Bus
	devices  []*device
	heard    time.Time // end of the last request
	lineDown bool      // in the last cycle

	mu       sync.Mutex
	coming   *plan     // a configuration to take over
	nextBeat time.Time // when the loop means to go on, by the monotonic clock; zero: it has not begun
	reports  map[metering.MeterID]*wire.MeterReport
	order    []metering.MeterID // of the reports
	reloaded chan struct{}
}

// New returns the poller of a bus, whose requests it plans.
func New(c firmwareconfig.Bus, o Options) (*Poller, error) {
	p := &Poller{options: o, log: o.Log.With("bus", c.Name), reloaded: make(chan struct{}, 1),
		reports: map[metering.MeterID]*wire.MeterReport{}}
	if err := p.Reload(c); err != nil {
		return nil, err
	}
	p.adopt(time.Now())
	return p, nil
}

// Run polls until ctx ends. A cycle that takes longer than the interval skips
// the instants it missed: the grid stays fixed.
func (p *Poller) Run(ctx context.Context) error {
	defer func() { _ = p.bus.Close() }()
	for ctx.Err() == nil {
		p.adopt(time.Now())
		at := p.nextInstant(time.Now())
		for !p.idle(ctx, at) {
			if ctx.Err() != nil {
				return nil
			}
			p.adopt(time.Now()) // and keep the instant, which may be now
			if next := p.nextInstant(time.Now()); next.Before(at) {
				at = next
			}
		}
		p.cycle(ctx, at)
	}
	return nil
}

// never stands for the next instant of a bus without devices.
const never = 24 * time.Hour

// nextInstant is the first instant of any device's grid after now.
func (p *Poller) nextInstant(now time.Time) time.Time {
	next := now.Add(never)
	for _, d := range p.devices {
		if at := gridAfter(now, d.interval); at.Before(next) {
			next = at
		}
	}
	return next
}

// gridAfter is the first multiple of interval after now, counted as
// [time.Time.Truncate] does.
func gridAfter(now time.Time, interval time.Duration) time.Time {
	return now.Truncate(interval).Add(interval)
}

// maxLineFaults is how many devices in a row may fail because of the line before
// the cycle ends: the line is down, not they.
const maxLineFaults = 3

// cycle reads every device that is due and alive, and hands the readings on: one
// fsync a cycle.
func (p *Poller) cycle(ctx context.Context, at time.Time) {
	start := time.Now()
	var readings []wire.UnitReading
	lineFaults, asked := 0, 0
	for _, d := range p.devices {
		if ctx.Err() != nil || lineFaults == maxLineFaults {
			break
		}
		if !p.take(d, at) {
			continue
		}
		asked++
		var err error
		if readings, err = p.read(ctx, d, readings); errors.Is(err, modbus.ErrLine) {
			lineFaults++
		} else {
			lineFaults = 0
		}
	}
	p.options.Figures.cycle(p.config.Name, time.Since(start), p.config.Interval)
	p.noteLine(lineFaults, asked)
	p.deliver(readings)
}

// take reports whether a device's turn has come at an instant of the grid, and
// counts the turns that it missed because a cycle took too long. A device of a
// long interval that missed its instant so is read at the next of any other.
func (p *Poller) take(d *device, at time.Time) bool {
	if at.Before(d.due) {
		return false
	}
	if missed := int(at.Sub(d.due) / d.interval); missed > 0 {
		p.options.Figures.missed(p.config.Name, missed)
	}
	d.due = gridAfter(at, d.interval)
	return !d.dead()
}

// noteLine logs when the line goes down or comes back.
func (p *Poller) noteLine(faults, asked int) {
	if asked == 0 {
		return
	}
	down := faults > 0 && (faults == maxLineFaults || faults >= asked)
	if down != p.lineDown {
		p.log.Warn("line", "down", down, "url", p.config.URL)
	}
	p.lineDown = down
}

func (p *Poller) deliver(readings []wire.UnitReading) {
	if len(readings) == 0 {
		return
	}
	p.expect(0)
	if err := p.options.Sink(readings); err != nil {
		p.options.Figures.lost("spool", len(readings))
		p.log.Error("readings lost", "readings", len(readings), "err", err)
	}
}
