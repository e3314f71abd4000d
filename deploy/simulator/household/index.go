package household

import (
	"math"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

var utilityOf = map[metering.Kind]utility{
	metering.ColdWater:   cold,
	metering.HotWater:    hot,
	metering.Electricity: power,
}

// Index is the true index of m at an instant, in Wh or mL: cumulative and never
// decreasing, to the unit, as if the register were never rounded and never
// rolled over. Before From it is FirstIndex, after To it is LastIndex; 0 for a
// meter that has none. The first call for a dwelling makes its days up to the
// instant, about 0.02 ms each; later ones take well under 1 µs.
func (r *Residence) Index(m *Meter, at time.Time) metering.Amount {
	u, counts := utilityOf[m.Kind]
	switch {
	case !counts:
		return 0
	case !at.After(m.From):
		return m.FirstIndex
	case !m.To.IsZero() && at.After(m.To):
		at = m.To
	}
	drawn := r.streams[m.Dwelling].drawn(u, at) - m.base
	return m.FirstIndex + metering.Amount(drawn/perUnit)
}

// Register is what the register of m shows at an instant: the index rounded
// down to whole counts, modulo the register's modulus, in Wh or mL; for a room
// sensor the temperature rounded down to 100 m°C.
func (r *Residence) Register(m *Meter, at time.Time) metering.Amount {
	if m.Kind == metering.Temperature {
		return r.Temperature(m, at) / 100 * 100
	}
	return Shown(m, r.Index(m, at))
}

// Shown is what the register of m shows when its index is index.
func Shown(m *Meter, index metering.Amount) metering.Amount {
	if m.IndexModulus > 0 {
		index %= m.IndexModulus
	}
	return index - index%m.Count()
}

// Power is what the dwelling of m draws at an instant, in whole watts; 0 for a
// meter that does not count electricity.
func (r *Residence) Power(m *Meter, at time.Time) metering.Amount {
	if m.Kind != metering.Electricity || !m.HangsAt(at) {
		return 0
	}
	return metering.Amount(math.Round(r.streams[m.Dwelling].watts(at)))
}

// Answers reports whether m can be read at an instant: it hangs there, it is
// not dead and its gateway is not silent.
func (r *Residence) Answers(m *Meter, at time.Time) bool {
	if !m.HangsAt(at) || !m.DeadFrom.IsZero() && !at.Before(m.DeadFrom) {
		return false
	}
	g, _ := r.Gateway(m.Gateway)
	return g.SilentFrom.IsZero() || at.Before(g.SilentFrom)
}

// Warm makes every day up to an instant in advance, on all cores, so that later
// calls are quick. It is never needed for a right answer.
func (r *Residence) Warm(until time.Time) {
	var wg sync.WaitGroup
	for _, s := range r.streams {
		wg.Go(func() { s.drawn(cold, until) })
	}
	wg.Wait()
}
