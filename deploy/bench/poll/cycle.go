package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/line"
	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/clock"
	"github.com/xnetroseraie/xnet/gateway/poll"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const (
	meters     = 32
	quantity   = 20 // registers of a meter
	turnaround = 20 * time.Millisecond
	timeout    = time.Second
	firstSlave = 1
)

// cycleAt measures a cycle of all meters at a baud rate.
func (c *commands) cycleAt(baud int, times float64) func(context.Context) ([]bench.Row, error) {
	return func(ctx context.Context) ([]bench.Row, error) {
		options := line.Options{Baud: baud, Turnaround: turnaround}
		limit, err := c.median(ctx, options, "the bare master", bareMaster)
		if err != nil {
			return nil, err
		}
		ours, err := c.median(ctx, options, "the gateway", ourPoller)
		if err != nil {
			return nil, err
		}
		computed := float64(meters) * options.Exchange(quantity).Seconds()
		row := bench.Row{Bench: fmt.Sprintf("poll-%d", baud), Ours: ours, Limit: &limit, Unit: "s a cycle",
			Note: fmt.Sprintf("%d x T(%d) computed: %.3f s", meters, quantity, computed)}
		row.Peer, err = c.peer(ctx, options)
		return []bench.Row{bench.New(row, bench.TimesLimit(times))}, err
	}
}

// peer is Telegraf's median, nil where it is left out.
func (c *commands) peer(ctx context.Context, o line.Options) (*float64, error) {
	if c.NoPeer {
		return nil, nil //nolint:nilnil // no peer is no fault
	}
	peer, err := c.median(ctx, o, "Telegraf", telegraf)
	return &peer, err
}

// A master reads all meters of a line, over and over, until ctx ends.
type master func(ctx context.Context, l *line.Line, o line.Options) error

// median lets a master read on a line of its own and returns the median time of
// its cycles after the first, in seconds.
func (c *commands) median(ctx context.Context, o line.Options, name string, m master) (float64, error) {
	l, err := line.Open(o)
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- m(ctx, l, o) }()
	seen, err := c.watch(ctx, l, o, ended)
	if seen.early > 0 || seen.broken > 0 {
		c.say("  %s: %d requests came within the silence that ends a frame, %d cycles were broken off and do not count",
			name, seen.early, seen.broken)
	}
	return bench.Median(seconds(seen.cycles)), err
}

// seen is what a line saw of a master.
type seen struct {
	cycles []time.Duration // that count
	early  int             // requests within the silence after an answer
	broken int             // cycles without all meters
}

// settle is how many cycles pass before those that count: dead meters become
// known in them.
func settle(o line.Options) int {
	if len(o.Dead) > 0 {
		return 4
	}
	return 1
}

// watch waits for the cycles that count.
func (c *commands) watch(ctx context.Context, l *line.Line, o line.Options, ended <-chan error) (seen, error) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var exchanges []line.Exchange
	var s seen
	bound := time.After(2 * time.Minute)
	for {
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case err := <-ended:
			return s, fmt.Errorf("the master ended before its cycles: %w", err)
		case <-bound:
			return s, fmt.Errorf("%d requests in two minutes, and not the cycles wanted", len(exchanges))
		case <-ticker.C:
		}
		more, early := l.Take()
		exchanges, s.early = append(exchanges, more...), s.early+early
		s.cycles, s.broken = line.Cycles(exchanges, firstSlave, meters-len(o.Dead))
		if len(s.cycles) >= settle(o)+c.Repeat {
			s.cycles = s.cycles[settle(o):]
			return s, nil
		}
	}
}

func seconds(all []time.Duration) []float64 {
	var s []float64
	for _, d := range all {
		s = append(s, d.Seconds())
	}
	return s
}

// bareMaster is the limit.
func bareMaster(ctx context.Context, l *line.Line, o line.Options) error {
	var slaves []byte
	for s := byte(firstSlave); s < firstSlave+meters; s++ {
		if !o.Dead[s] {
			slaves = append(slaves, s)
		}
	}
	for ctx.Err() == nil {
		if err := l.Master(ctx, slaves, quantity, 1); err != nil {
			return err
		}
	}
	return nil
}

// ourPoller is the gateway's own poller, on a grid so fine that it polls back to
// back.
func ourPoller(ctx context.Context, l *line.Line, o line.Options) error {
	clk, err := clock.New(clock.TrustAlways)
	if err != nil {
		return err
	}
	bus := firmwareconfig.Bus{Name: "bench", URL: "rtu://" + l.Path(), Baud: o.Baud, Parity: "none", StopBits: 2,
		Timeout: timeout, Interval: time.Millisecond}
	for s := byte(firstSlave); s < firstSlave+meters; s++ {
		bus.Devices = append(bus.Devices, device(s))
	}
	p, err := poll.New(bus, poll.Options{Clock: clk, Sink: func([]wire.UnitReading) error { return nil },
		Figures: poll.NewFigures(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// device is a slave of ten indexes of 32 bits: 20 registers.
func device(s byte) firmwareconfig.Device {
	profile := &firmwareconfig.Profile{Name: "bench", Function: 3, Limit: 125}
	d := firmwareconfig.Device{Slave: s, Profile: profile.Name, Resolved: profile}
	for channel := 1; channel <= quantity/2; channel++ {
		profile.Registers = append(profile.Registers, firmwareconfig.Register{Channel: channel,
			Quantity: metering.Index, Address: uint16(2 * (channel - 1)), Type: "u32", Unit: "Wh"})
		d.Meters = append(d.Meters, firmwareconfig.Meter{ID: metering.MeterID(fmt.Sprintf("M-%d-%d", s, channel)),
			Kind: metering.Electricity, Channel: channel})
	}
	return d
}

// deadMeters compares a line of which two meters are dead with one that has the
// others alone. The baud rate is that of most meters as they leave the factory.
func (c *commands) deadMeters(ctx context.Context) ([]bench.Row, error) {
	alive := line.Options{Baud: 9600, Turnaround: turnaround, Dead: map[byte]bool{10: true, 20: true}}
	limit, err := c.median(ctx, alive, "the bare master", bareMaster)
	if err != nil {
		return nil, err
	}
	ours, err := c.median(ctx, alive, "the gateway", ourPoller)
	if err != nil {
		return nil, err
	}
	lengthened := func(cycle float64) float64 { return 100 * (cycle/limit - 1) }
	row := bench.Row{Bench: "poll-dead-meters", Ours: lengthened(ours), Limit: bench.Figure(0), Unit: "% longer",
		Note: fmt.Sprintf("cycle %.3f s; the 30 others alone, bare master: %.3f s", ours, limit)}
	peer, err := c.peer(ctx, alive)
	if peer != nil {
		row.Peer = bench.Figure(lengthened(*peer))
		row.Note += fmt.Sprintf("; Telegraf: %.3f s, %.1f meters/s against our %.1f", *peer, 30 / *peer, 30/ours)
	}
	return []bench.Row{bench.New(row, bench.Below(5, "%"))}, err
}
