// Package check holds a meter against its dial and its tap, which finds what
// nothing else does: meters of two flats that were swapped, and pulse weights
// that are wrong.
//
// The dial: what a person reads on the meter must be what the gateway reads over
// the bus. Where it is not, [Suspect] names what would explain it. The tap: when
// water is drawn in the flat, or something strong is switched on, this meter has
// to show it and not another one; see [Watch].
package check

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/modbus"
	"github.com/xnetroseraie/xnet/gateway/registers"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Meter is a configured meter that has an index to check.
type Meter struct {
	Config  firmwareconfig.Meter
	Bus     string // name
	URL     string // of the bus
	Slave   byte
	Profile string
	// Count is the smallest step of the index, in mL or Wh: a pulse's weight,
	// or what the register resolves; 1 where it does not say.
	Count metering.Amount

	bus      *modbus.Bus
	register firmwareconfig.Register
	index    registers.Request
	power    *registers.Request // nil where the meter shows none
}

// Meters are the meters of a gateway that can be checked. Its methods are for
// one goroutine.
type Meters struct {
	all   []*Meter
	buses []*modbus.Bus
}

// Open prepares the meters of a configuration. Lines are opened at the first
// read.
func Open(c *firmwareconfig.Gateway) (*Meters, error) {
	ms := &Meters{}
	for _, b := range c.Buses {
		bus, err := modbus.Open(b)
		if err != nil {
			return nil, errors.Join(err, ms.Close())
		}
		ms.buses = append(ms.buses, bus)
		for _, d := range b.Devices {
			if err := ms.add(bus, b, d); err != nil {
				return nil, errors.Join(fmt.Errorf("bus %s: %w", b.Name, err), ms.Close())
			}
		}
	}
	return ms, nil
}

func (ms *Meters) add(bus *modbus.Bus, b firmwareconfig.Bus, d firmwareconfig.Device) error {
	profile, err := d.Map()
	if err != nil {
		return err
	}
	for _, m := range d.Meters {
		meter := &Meter{Config: m, Bus: b.Name, URL: b.URL, Slave: d.Slave, Profile: profile.Name, bus: bus}
		for _, r := range profile.Of(m.Channel, d.DoubtfulRegisters) {
			if err := meter.take(d, profile, r); err != nil {
				return err
			}
		}
		if meter.index.Quantity > 0 {
			ms.all = append(ms.all, meter)
		}
	}
	return nil
}

// take plans a request for the index or the power alone.
func (m *Meter) take(d firmwareconfig.Device, p firmwareconfig.Profile, r firmwareconfig.Register) error {
	if r.Quantity != metering.Index && r.Quantity != metering.Power {
		return nil
	}
	d.Meters, p.Registers = []firmwareconfig.Meter{m.Config}, []firmwareconfig.Register{r}
	plan, err := registers.Plan(d, p)
	if err != nil || len(plan) != 1 {
		return err
	}
	if r.Quantity == metering.Power {
		m.power = &plan[0]
		return nil
	}
	m.register, m.index = r, plan[0]
	m.Count, err = m.countOf(r)
	return err
}

func (m *Meter) countOf(r firmwareconfig.Register) (metering.Amount, error) {
	factor, err := m.factor(r)
	if err != nil || r.Type == "f32" || r.Type == "f64" {
		return 1, err
	}
	count, _ := factor.Float64()
	return metering.Amount(max(1, count)), nil
}

// factor is how many base units one count of a register stands for.
func (m *Meter) factor(r firmwareconfig.Register) (*big.Rat, error) {
	factor, err := r.Factor()
	if err == nil && r.Weighed() {
		factor.Mul(factor, new(big.Rat).SetInt64(m.Config.Pulse()))
	}
	return factor, err
}

// Close closes the lines.
func (ms *Meters) Close() error {
	var errs []error
	for _, b := range ms.buses {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}

// ByID returns the meter of that id, nil where the configuration has none with an
// index.
func (ms *Meters) ByID(id metering.MeterID) *Meter {
	for _, m := range ms.all {
		if m.Config.ID == id {
			return m
		}
	}
	return nil
}

// Rivals returns the other meters that a dial or tap of m might belong to: those
// that count in the same unit.
func (ms *Meters) Rivals(m *Meter) (rivals []*Meter) {
	for _, other := range ms.all {
		if other != m && other.Config.Kind.IndexUnit() == m.Config.Kind.IndexUnit() {
			rivals = append(rivals, other)
		}
	}
	return rivals
}

// A Shown is what a meter's index register shows.
type Shown struct {
	Index metering.Amount
	Raw   []byte // as it stood on the wire
}

// Read reads a meter's index, twice where the line hiccups.
func (m *Meter) Read(ctx context.Context) (Shown, error) {
	answer, err := m.ask(ctx, m.index)
	if err != nil {
		return Shown{}, err
	}
	field := m.index.Fields[0]
	amount, err := field.Amount(m.index, answer)
	if err != nil {
		return Shown{}, err
	}
	raw, err := field.Raw(m.index, answer)
	return Shown{amount, raw}, err
}

// Power reads what a meter's power register shows, in W; false where it has
// none or shows nothing.
func (m *Meter) Power(ctx context.Context) (metering.Amount, bool) {
	if m.power == nil {
		return 0, false
	}
	answer, err := m.ask(ctx, *m.power)
	if err != nil {
		return 0, false
	}
	amount, err := m.power.Fields[0].Amount(*m.power, answer)
	return amount, err == nil
}

func (m *Meter) ask(ctx context.Context, r registers.Request) ([]byte, error) {
	answer, err := m.bus.Read(ctx, r.Slave, r.Function, r.Address, r.Quantity)
	if err != nil && ctx.Err() == nil {
		answer, err = m.bus.Read(ctx, r.Slave, r.Function, r.Address, r.Quantity)
	}
	if err != nil {
		return nil, fmt.Errorf("read meter %s on bus %s: %w", m.Config.ID, m.Bus, err)
	}
	return answer, nil
}
