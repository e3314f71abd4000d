package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/deploy/simulator/registers"
	"github.com/xnetroseraie/xnet/deploy/simulator/served"
	"github.com/xnetroseraie/xnet/deploy/simulator/slave"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type runCommand struct {
	site
	TCP     map[metering.GatewayID]string `name:"tcp" mapsep:"," placeholder:"GATEWAY=ADDRESS" help:"Serve a gateway's slaves over Modbus TCP there, as in gw-a=127.0.0.1:1502; may be given several times."`
	RTU     map[metering.GatewayID]string `name:"rtu" mapsep:"," placeholder:"GATEWAY=PATH" help:"Serve a gateway's slaves over Modbus RTU on a pseudo-terminal to which PATH will link; may be given several times."`
	Baud    int                           `placeholder:"N" help:"Delay RTU answers as a line of that speed would. Without it they come at once."`
	Served  string                        `placeholder:"FILE" help:"Append every amount that a master was shown to this CSV file."`
	Unique  bool                          `help:"Add one count at each read of an index, so that every read shows another one."`
	Figures string                        `placeholder:"ADDRESS" help:"Serve /metrics, /healthz and /readyz there."`
}

// Validate asks for something to serve.
func (c *runCommand) Validate() error {
	if len(c.TCP)+len(c.RTU) == 0 {
		return errors.New("nothing to serve: give --tcp gw-a=127.0.0.1:1502 or --rtu gw-b=/tmp/gw-b")
	}
	if c.Baud < 0 {
		return fmt.Errorf("--baud %d: must not be negative", c.Baud)
	}
	for id := range c.TCP {
		if _, both := c.RTU[id]; both {
			return fmt.Errorf("gateway %s: give either --tcp or --rtu", id)
		}
	}
	return nil
}

// Run serves until ctx ends.
func (c *runCommand) Run(ctx context.Context, log *slog.Logger) (err error) {
	station := &station{command: c, residence: c.residence(), log: log, last: map[metering.MeterID]metering.Amount{}}
	station.residence.Warm(time.Now())
	if c.Served != "" {
		if err := station.openLog(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, station.served.Close()) }()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	if err := station.figures(ctx, group); err != nil {
		return err
	}
	if err := station.open(ctx, group); err != nil {
		cancel()
		return errors.Join(err, group.Wait())
	}
	log.Info("simulator serves", "seed", c.Seed, "epoch", c.Epoch.String(), "unique", c.Unique)
	return group.Wait()
}

// A station is the running simulator.
type station struct {
	command   *runCommand
	residence *household.Residence
	log       *slog.Logger
	served    *served.Log                          // nil where nothing is logged
	last      map[metering.MeterID]metering.Amount // index shown last before a restart
	exchanges *prometheus.CounterVec
}

// openLog opens the log of served amounts; unique indexes go on after those in
// it.
func (s *station) openLog() (err error) {
	path := s.command.Served
	if s.served, err = served.Open(path); err != nil || !s.command.Unique {
		return err
	}
	entries, err := served.Read(path)
	if err != nil {
		return errors.Join(err, s.served.Close())
	}
	for _, e := range entries {
		if e.Quantity == metering.Index {
			s.last[e.Meter] = e.Index
		}
	}
	return nil
}

func (s *station) figures(ctx context.Context, group *errgroup.Group) error {
	s.exchanges = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "xnet_simulator_exchanges_total",
		Help: "Modbus requests by gateway and by what became of them: answered, exception, silent.",
	}, []string{"gateway", "outcome"})
	if s.command.Figures == "" {
		return nil
	}
	registry := figures.NewRegistry()
	registry.MustRegister(s.exchanges)
	ended, err := figures.Serve(ctx, s.command.Figures, figures.Handler(registry, s.ready))
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	group.Go(func() error { return <-ended })
	return nil
}

// ready is nil unless the log of what was served has become unwritable.
func (s *station) ready() error {
	if s.served == nil {
		return nil
	}
	return s.served.Err()
}

// open opens every listener and line, and serves them.
func (s *station) open(ctx context.Context, group *errgroup.Group) error {
	for id, address := range s.command.TCP {
		server, err := s.server(id)
		if err != nil {
			return err
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("gateway %s: listen on %s: %w: stop what uses the port or give another", id, address, err)
		}
		s.log.Info("slaves listen", "gateway", id, "tcp", listener.Addr().String())
		group.Go(func() error { return server.ServeTCP(ctx, listener) })
	}
	for id, path := range s.command.RTU {
		server, err := s.server(id)
		if err != nil {
			return err
		}
		line, err := slave.OpenPTY(path)
		if err != nil {
			return fmt.Errorf("gateway %s: %w", id, err)
		}
		s.log.Info("slaves listen", "gateway", id, "rtu", path, "terminal", line.Path())
		group.Go(func() error { return serveLine(ctx, server, line) })
	}
	return nil
}

// serveLine serves RTU until ctx ends and removes the link to the line.
func serveLine(ctx context.Context, server *slave.Server, line *slave.PTY) error {
	stop := context.AfterFunc(ctx, func() { _ = line.Close() }) // ends a write that nobody reads
	defer stop()
	err := server.ServeRTU(ctx, line)
	_ = line.Close()
	return err
}

// server makes the slaves of a gateway.
func (s *station) server(id metering.GatewayID) (*slave.Server, error) {
	source, err := registers.New(s.residence, id, time.Now, s.command.Unique)
	if err != nil {
		return nil, err
	}
	for meter, shown := range s.last {
		source.Resume(meter, shown)
	}
	return slave.New(source, slave.Options{
		Log:     s.log,
		Baud:    s.command.Baud,
		Observe: func(x slave.Exchange) { s.observe(id, source, x) },
	}), nil
}

// observe counts an exchange and logs what it showed.
func (s *station) observe(id metering.GatewayID, source *registers.Source, x slave.Exchange) {
	s.exchanges.WithLabelValues(string(id), outcome(x)).Inc()
	if s.served == nil || x.Answered.IsZero() {
		return
	}
	for _, shown := range source.Decode(x, x.Received) {
		s.log.Debug("served", "meter", shown.Meter, "quantity", shown.Quantity, "amount", shown.Amount)
		s.served.Add(served.Entry{
			Meter: shown.Meter, Quantity: shown.Quantity, Index: shown.Amount,
			Received: x.Received, Answered: x.Answered,
		})
	}
}

func outcome(x slave.Exchange) string {
	switch {
	case x.Answered.IsZero():
		return "silent"
	case x.Err != nil:
		return "exception"
	default:
		return "answered"
	}
}
