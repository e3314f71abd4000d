package poll

import (
	"fmt"
	"reflect"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A plan is a configuration whose requests are worked out.
type plan struct {
	config  firmwareconfig.Bus
	bus     *modbus.Bus
	devices []*device
}

// Reload takes a new configuration of the bus over, at the latest after the
// cycle that runs. What is as it was keeps its state: the line its connection,
// devices how they fare, meters their counters. A configuration with a fault
// changes nothing.
func (p *Poller) Reload(c firmwareconfig.Bus) error {
	next, err := p.prepare(c)
	if err != nil {
		return err
	}
	p.announce(next)
	return nil
}

// announce lets Run's goroutine know of a plan.
func (p *Poller) announce(next *plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.coming = next
	select {
	case p.reloaded <- struct{}{}:
	default:
	}
}

// pending reports whether an announced plan waits for the cycle that runs.
func (p *Poller) pending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.coming != nil
}

// prepare works out a plan.
func (p *Poller) prepare(c firmwareconfig.Bus) (*plan, error) {
	next := &plan{config: c}
	for _, d := range c.Devices {
		planned, err := p.plan(d, c)
		if err != nil {
			return nil, fmt.Errorf("bus %s: %w", c.Name, err)
		}
		next.devices = append(next.devices, planned)
		next.config.Timeout = max(next.config.Timeout, planned.profile.Timeout)
	}
	var err error
	next.bus, err = modbus.Open(next.config) // opens no port before its first request
	return next, err
}

func (p *Poller) plan(d firmwareconfig.Device, c firmwareconfig.Bus) (*device, error) {
	profile, err := d.Map()
	if err != nil {
		return nil, err
	}
	reader, err := registers.NewReader(d, profile, registers.Line{Baud: c.Baud, Pause: profile.Pause})
	if err != nil {
		return nil, err
	}
	if len(reader.Requests(time.Now())) == 0 {
		return nil, fmt.Errorf("slave %d: profile %s has no register for its meters", d.Slave, d.Profile)
	}
	interval := c.Interval
	if d.Interval > 0 {
		interval = d.Interval
	}
	if interval <= 0 {
		return nil, fmt.Errorf("slave %d: interval %s: want a positive one", d.Slave, interval)
	}
	return &device{config: d, profile: profile, interval: interval, reader: reader}, nil
}

// adopt takes the plan that is coming over, if there is one.
func (p *Poller) adopt(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.reloaded:
	default:
	}
	next := p.coming
	if next == nil {
		return
	}
	p.coming = nil
	if p.bus == nil || !reflect.DeepEqual(lineOf(p.config), lineOf(next.config)) {
		if p.bus != nil {
			_ = p.bus.Close() // before the new one opens the same port
		}
		p.bus = next.bus
	}
	for i, d := range next.devices {
		d.due = gridAfter(now, d.interval)
		if old := p.same(d); old != nil {
			next.devices[i] = old
		}
	}
	p.config, p.devices = next.config, next.devices
	p.adoptMeters()
}

// lineOf is what of a configuration makes the line.
func lineOf(c firmwareconfig.Bus) firmwareconfig.Bus {
	c.Name, c.Interval, c.Devices = "", 0, nil
	return c
}

// same finds the device that is as d is.
func (p *Poller) same(d *device) *device {
	for _, old := range p.devices {
		if old.interval == d.interval && reflect.DeepEqual(old.config, d.config) && reflect.DeepEqual(old.profile, d.profile) {
			return old
		}
	}
	return nil
}

// adoptMeters makes the reports those of the configured meters.
func (p *Poller) adoptMeters() {
	before := p.reports
	p.reports, p.order = map[metering.MeterID]*wire.MeterReport{}, nil
	for _, d := range p.devices {
		for _, m := range d.config.Meters {
			r := &wire.MeterReport{Meter: m.ID, Errors: map[string]uint64{}}
			if old, known := before[m.ID]; known {
				r = old
			}
			r.Serial, r.Kind, r.Unit, r.IndexModulus = m.Serial, m.Kind, m.Kind.IndexUnit(), m.IndexModulus
			p.reports[m.ID] = r
			p.order = append(p.order, m.ID)
		}
	}
	for id := range before {
		if p.reports[id] == nil {
			p.options.Figures.forget(id)
		}
	}
}
