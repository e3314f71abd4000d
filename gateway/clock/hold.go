package clock

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// HoldLimit is how many readings are held at most while the clock is not
// believed: five hours of 150 meters a minute, in about 4 MB.
const HoldLimit = 50_000

// forget is how far a meter's last instant may lie ahead before it is held to be
// that of a clock that was wrong. Collectors refuse readings that are so far in
// the future, so that none of them can be overwritten.
const forget = 24 * time.Hour

// A Hold stands between the pollers and the spool. It places readings that were
// taken before the clock was right, keeps those that cannot be placed yet, and
// sees to it that the instants of a register only grow.
type Hold struct {
	clock *Clock
	sink  func([]wire.UnitReading) error
	limit int
	log   *slog.Logger

	mu     sync.Mutex
	after  time.Time // no instant is up to here, whatever the register
	held   []wire.UnitReading
	last   map[register]time.Time
	losses Losses
	state  wire.ClockState // as it was logged
	steps  uint64          // as they were logged
}

type register struct {
	meter    metering.MeterID
	quantity metering.Quantity
}

// Losses counts readings that never got an instant. Totals stay exact: the next
// index has them.
type Losses struct {
	Full uint64 // the oldest, because more than the limit were held
	Step uint64 // not after the register's last instant, because the clock went back
	End  uint64 // held when the process ended
}

// NewHold returns a hold that hands placed readings to sink, which returns once
// they are durable. After is an instant that all its readings must follow, such
// as that of the newest pack of the spool; zero for none. Limit is how many
// readings are held, [HoldLimit] where zero.
func NewHold(c *Clock, after time.Time, limit int, sink func([]wire.UnitReading) error, log *slog.Logger) *Hold {
	if limit <= 0 {
		limit = HoldLimit
	}
	return &Hold{clock: c, sink: sink, limit: limit, log: log, after: after,
		last: map[register]time.Time{}, state: wire.ClockTrusted}
}

// Keep takes the readings of a cycle, whose instants [Clock.Now] has given, in
// order of time. It returns once they are with the sink, or held. Where the sink
// fails, what was held stays so and the cycle's readings are lost.
func (h *Hold) Keep(readings []wire.UnitReading) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note()
	if h.state == wire.ClockUntrusted {
		readings = h.hold(readings)
	}
	return h.pass(readings)
}

// hold keeps what cannot be placed yet and returns the rest.
func (h *Hold) hold(readings []wire.UnitReading) []wire.UnitReading {
	var placed []wire.UnitReading
	for _, r := range readings {
		if Provisional(r.At) {
			h.held = append(h.held, r)
		} else {
			placed = append(placed, r)
		}
	}
	if over := len(h.held) - h.limit; over > 0 {
		h.losses.Full += uint64(over)
		h.held = append(h.held[:0], h.held[over:]...)
	}
	return placed
}

// pass hands what is held, as far as it can be placed, and then readings to the
// sink.
func (h *Hold) pass(readings []wire.UnitReading) error {
	batch := readings
	if h.state == wire.ClockTrusted && len(h.held) > 0 {
		batch = append(append(make([]wire.UnitReading, 0, len(h.held)+len(readings)), h.held...), readings...)
	}
	batch, last, dropped := h.order(batch)
	if len(batch) > 0 {
		if err := h.sink(batch); err != nil {
			return err
		}
	}
	h.losses.Step += dropped
	for k, at := range last {
		h.last[k] = at
	}
	if n := len(h.held); h.state == wire.ClockTrusted && n > 0 {
		h.log.Info("held readings placed", "readings", n)
		h.held = nil // gives the memory back
	}
	return nil
}

// order places readings and leaves out those whose register has a later one
// already. It returns each register's new last instant, and how many were left
// out.
func (h *Hold) order(batch []wire.UnitReading) ([]wire.UnitReading, map[register]time.Time, uint64) {
	kept, last, dropped := make([]wire.UnitReading, 0, len(batch)), map[register]time.Time{}, uint64(0)
	for _, r := range batch {
		k := register{r.Meter, r.Quantity}
		before, ok := last[k]
		if !ok {
			before, ok = h.last[k]
		}
		if !ok {
			before = h.after
		}
		at, placed := h.clock.Place(r.At)
		if !placed || !at.After(before) && before.Sub(at) <= forget {
			dropped++
			continue
		}
		r.At, last[k] = at, at
		kept = append(kept, r)
	}
	return kept, last, dropped
}

// note logs, once each, that the clock is believed, is not any more, or stepped.
func (h *Hold) note() {
	if s := h.clock.State(); s != h.state {
		if h.state = s; s == wire.ClockTrusted {
			h.log.Info("clock is right", "readings_held", len(h.held))
		} else {
			h.log.Warn("clock is not synchronised: readings are held until it is", "limit", h.limit)
		}
	}
	if s := h.clock.Steps(); s.Count != h.steps {
		h.steps = s.Count
		h.log.Warn("clock stepped", "by", s.Last)
	}
}

// Close hands on what can be placed by now and drops the rest: after a boot its
// time since the boot means nothing.
func (h *Hold) Close() error {
	err := h.Keep(nil)
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.held); n > 0 {
		h.losses.End += uint64(n)
		h.log.Warn("held readings dropped: the clock was never synchronised", "readings", n)
		h.held = nil
	}
	return err
}

// Held is how many readings wait for the clock.
func (h *Hold) Held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

// Losses returns what was lost so far.
func (h *Hold) Losses() Losses {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.losses
}

// Register adds the figures of clock and hold to a registry.
func (h *Hold) Register(r prometheus.Registerer) {
	gauge := func(name, help string, read func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
	}
	counter := func(name, help string, labels prometheus.Labels, read func() float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	gauge("xnet_gateway_clock_trusted", "1 while the clock is believed.", func() float64 {
		if h.clock.State() == wire.ClockTrusted {
			return 1
		}
		return 0
	})
	counter("xnet_gateway_clock_steps_total", "Steps of the believed wall clock by more than a second.", nil,
		func() float64 { return float64(h.clock.Steps().Count) })
	gauge("xnet_gateway_readings_held", "Readings that wait for the clock to be right.",
		func() float64 { return float64(h.Held()) })
	for reason, read := range map[string]func(Losses) uint64{
		"full": func(l Losses) uint64 { return l.Full },
		"step": func(l Losses) uint64 { return l.Step },
		"end":  func(l Losses) uint64 { return l.End },
	} {
		counter("xnet_gateway_readings_unplaced_total", "Readings that never got an instant, by reason.",
			prometheus.Labels{"reason": reason}, func() float64 { return float64(read(h.Losses())) })
	}
}
