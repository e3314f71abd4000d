package firmwareconfig

import (
	"errors"
	"fmt"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// Map returns the device's profile: the one that [Gateway.Validate] found, or
// for a configuration that was not validated the shipped one of that name.
func (d *Device) Map() (Profile, error) {
	if d.Resolved != nil {
		return *d.Resolved, nil
	}
	return LoadProfile(d.Profile)
}

func (d *Device) validate(library *Library) error {
	fault := func(err error) error { return fmt.Errorf("slave %d: %w", d.Slave, err) }
	if d.Slave < 1 || d.Slave > 247 {
		return fault(errors.New("want a slave from 1 to 247"))
	}
	profile, err := library.ByName(d.Profile)
	if err != nil {
		return fault(err)
	}
	d.Resolved = &profile
	if len(d.Meters) == 0 {
		return fault(errors.New("no meters: name at least one"))
	}
	var errs []error
	for i := range d.Meters {
		m := &d.Meters[i]
		if err := m.validate(d.Profile, profile.KindOf(m.Channel)); err != nil {
			errs = append(errs, fault(err))
		} else if err := m.checkRegisters(profile, d.DoubtfulRegisters); err != nil {
			errs = append(errs, fault(fmt.Errorf("meter %s: %w", m.ID, err)))
		}
	}
	return errors.Join(errs...)
}

func (m *Meter) validate(profile string, kind metering.Kind) error {
	if err := metering.CheckID("meter", m.ID); err != nil {
		return err
	}
	if m.Kind == "" {
		m.Kind = kind
	}
	if m.Kind == "" {
		return fmt.Errorf("meter %s: nothing says what it counts: say it with kind", m.ID)
	}
	if kind != "" && m.Kind != kind {
		return fmt.Errorf("meter %s: kind %q: profile %s counts %q", m.ID, m.Kind, profile, kind)
	}
	if m.Resolution == "" {
		m.Resolution = metering.DefaultResolution(m.Kind)
	}
	if m.IndexModulus < 0 || m.PulseML < 0 || m.PulseWh < 0 {
		return fmt.Errorf("meter %s: index_modulus and pulse weights must not be negative", m.ID)
	}
	return nil
}

// checkRegisters demands that the profile has registers for the meter's channel
// in units of its kind, and that counts have a weight. It fills the modulus of
// the index where the profile knows it.
func (m *Meter) checkRegisters(p Profile, doubtful bool) error {
	registers := p.Of(m.Channel, doubtful)
	if len(registers) == 0 {
		return fmt.Errorf("profile %s has no channel %d", p.Name, m.Channel)
	}
	for _, r := range registers {
		if !r.fits(m.Kind) {
			return fmt.Errorf("profile %s shows %s in %s, which is no unit of kind %s", p.Name, r.Quantity, r.Unit, m.Kind)
		}
		if r.Weighed() && m.Pulse() <= 0 {
			return fmt.Errorf("profile %s counts pulses: say what one is worth, pulse_ml or pulse_wh", p.Name)
		}
		if r.Quantity == metering.Index && m.IndexModulus == 0 {
			modulus, err := r.amounts(*m, r.Modulus)
			if err != nil {
				return err
			}
			m.IndexModulus = modulus
		}
	}
	return nil
}

// Pulse is what one pulse or count is worth in the base unit of the meter's
// kind, 0 where the configuration does not say.
func (m *Meter) Pulse() int64 {
	if m.Kind.IndexUnit() == metering.WattHour {
		return m.PulseWh
	}
	return m.PulseML
}
