package registers

import (
	"fmt"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Source is what the slaves of one gateway show. It implements [slave.Source]
// and may be used from any number of goroutines.
type Source struct {
	residence *household.Residence
	slaves    map[byte]device
	clock     func() time.Time
	unique    bool

	mu    sync.Mutex
	added map[metering.MeterID]*addition
}

// An addition is what unique reads made of a meter's index, in Wh or mL.
type addition struct {
	sum  metering.Amount // of the counts added so far
	last metering.Amount // the index shown last, before any rollover
}

var (
	_ slave.Source = (*Source)(nil)
	_ slave.Roll   = (*Source)(nil)
)

// A device is one slave: a meter, or a pulse counter with the meters on it.
type device struct {
	profile profile
	meters  []*household.Meter // replaced ones too
}

// A Shown is what one register that a master read said of a meter.
type Shown struct {
	Meter    metering.MeterID
	Quantity metering.Quantity
	Amount   metering.Amount // Wh, mL, W or m°C, as the register encodes it
}

// New returns the slaves of a gateway at the instants of clock. With unique
// every read of an index adds one count to that and all later ones, so that no
// two reads of a register show the same until it rolls over. It fails where the
// residence has no such gateway.
func New(r *household.Residence, gateway metering.GatewayID, clock func() time.Time, unique bool) (*Source, error) {
	if _, known := r.Gateway(gateway); !known {
		return nil, fmt.Errorf("gateway %q is not in residence %s: it has gw-a to gw-d", gateway, r.SiteID)
	}
	s := &Source{
		residence: r, clock: clock, unique: unique,
		slaves: map[byte]device{}, added: map[metering.MeterID]*addition{},
	}
	for _, m := range r.Meters() {
		if m.Gateway == gateway {
			d := s.slaves[m.Slave]
			d.profile, d.meters = profiles[m.Profile], append(d.meters, m)
			s.slaves[m.Slave] = d
			s.added[m.ID] = &addition{last: -1}
		}
	}
	return s, nil
}

// Slaves is how many slaves the gateway has, dead ones included.
func (s *Source) Slaves() int { return len(s.slaves) }

// Answers reports whether the slave is there and alive now.
func (s *Source) Answers(address byte) bool { return s.answers(address, s.now()) }

// now is the clock in whole milliseconds, as logs write instants.
func (s *Source) now() time.Time { return s.clock().Truncate(time.Millisecond) }

func (s *Source) answers(address byte, at time.Time) bool {
	for _, m := range s.slaves[address].meters {
		if s.residence.Answers(m, at) {
			return true
		}
	}
	return false
}

// Read shows registers at the clock's instant. It returns [slave.ErrSilent] for
// a slave that is dead or absent, else an exception where the map has nothing.
func (s *Source) Read(address, function byte, from, quantity uint16) ([]uint16, error) {
	at := s.now()
	if !s.answers(address, at) {
		return nil, slave.ErrSilent
	}
	d := s.slaves[address]
	if function != d.profile.function {
		return nil, slave.IllegalFunction
	}
	covered, err := d.profile.covered(from, quantity)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, r := range covered {
		m := s.meterAt(d, r.channel, at)
		if m == nil { // an input to which nothing is wired counts nothing
			out = append(out, make([]byte, 2*r.words)...)
			continue
		}
		out = append(out, r.encode(s.amount(m, r.quantity, at), m.Count())...)
	}
	return words(out), nil
}

// meterAt is the meter that hangs on a channel at an instant, nil for none.
func (s *Source) meterAt(d device, channel int, at time.Time) *household.Meter {
	for _, m := range d.meters {
		if m.Channel == channel && m.HangsAt(at) {
			return m
		}
	}
	return nil
}

func (s *Source) amount(m *household.Meter, q metering.Quantity, at time.Time) metering.Amount {
	switch {
	case q == metering.Power:
		return s.residence.Power(m, at)
	case q != metering.Index || !s.unique:
		return s.residence.Register(m, at)
	}
	index := s.residence.Index(m, at)
	s.mu.Lock()
	defer s.mu.Unlock()
	return household.Shown(m, s.added[m.ID].next(index-index%m.Count(), m.Count()))
}

// next adds one count. It exceeds what was shown before even where two reads
// overtook each other or the clock was set back.
func (a *addition) next(index, count metering.Amount) metering.Amount {
	a.sum += count
	a.sum = max(a.sum, a.last+count-index)
	a.last = index + a.sum
	return a.last
}

// Resume tells a unique source what a register showed last before a restart, so
// that it goes on from there. It is for the time before the first read.
func (s *Source) Resume(id metering.MeterID, shown metering.Amount) {
	if !s.unique {
		return
	}
	at := s.now()
	for _, d := range s.slaves {
		for _, m := range d.meters {
			if m.ID == id {
				s.resume(m, shown, at)
			}
		}
	}
}

func (s *Source) resume(m *household.Meter, shown metering.Amount, at time.Time) {
	ahead := shown - s.residence.Register(m, at)
	if m.IndexModulus > 0 {
		ahead = (ahead + m.IndexModulus) % m.IndexModulus
		if ahead > m.IndexModulus/2 { // the register has gone past it since
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added[m.ID].sum = max(0, ahead)
}

// Decode tells what the registers that a slave sent said of which meters. It
// leaves out inputs to which nothing is wired. At is the instant of the read:
// it decides between a meter and the one that replaced it.
func (s *Source) Decode(x slave.Exchange, at time.Time) []Shown {
	d := s.slaves[x.Slave]
	covered, err := d.profile.covered(x.Address, x.Quantity)
	if err != nil || len(x.Registers) != int(x.Quantity) {
		return nil
	}
	raw := octets(x.Registers)
	var shown []Shown
	for _, r := range covered {
		if m := s.meterAt(d, r.channel, at); m != nil {
			shown = append(shown, Shown{m.ID, r.quantity, r.decode(raw[:2*r.words], m.Count())})
		}
		raw = raw[2*r.words:]
	}
	return shown
}
