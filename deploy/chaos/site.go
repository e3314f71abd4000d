package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/bench/peer"
	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	cycle = 2 * time.Second
	// slowest is how long a poll of all meters and its fsync may take where the
	// machine is busy; an answer may take busTimeout.
	slowest     = 3 * cycle
	busTimeout  = 4 * time.Second
	resendAfter = 5 * time.Second
	collectors  = 2
	// baud is slow enough that a cycle on the serial line takes a good part of
	// the time between two, and kills fall into it.
	baud = 19200
	// historyDays is enough that one whole civil month lies in it.
	historyDays = 63
	// historyStep falls on few boundaries of hours, so that most of them have to
	// be interpolated.
	historyStep = 50 * time.Minute
)

// A site is the whole system and everything that can be done to it.
type site struct {
	dir       string
	apart     bool
	say       func(format string, args ...any)
	residence *household.Residence
	simulator *program
	broker    *program
	influxd   *program
	store     *front
	recorder  *ledger.Recorder // between all gateways' roads and the broker
	registrar *registrar
	gateways  []*gateway
	collects  []*collector
	programs  []*program

	addr addresses
}

// addresses are where the servers themselves listen.
type addresses struct{ broker, influx string }

// A gateway is one of the residence's with its spool, clock and road.
type gateway struct {
	household.Gateway
	program *program
	config  string // path
	figures string // host:port
	modbus  string // host:port, or the path of a line
	disk    *disk
	clock   *wallClock
	road    *road // to the broker
	watcher *ledger.Watcher

	history  []row
	pending  [][]row // parts of it that are still to be brought
	imported []metering.Reading
	kills    []ledger.Kill
	full     []span // when its disk was full
}

func (g *gateway) id() string { return string(g.ID) }

// A span is a time that something lasted.
type span struct{ from, to time.Time }

// A collector is one of those that share the work.
type collector struct {
	program            *program
	config             string
	figures            string
	quarantine         string
	toBroker, toInflux *road
}

func (s *site) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *site) bin(name string) string { return s.path("bin", name) }

// newSite builds the programs and lays everything out; nothing runs yet but the
// proxies.
func newSite(ctx context.Context, dir string, apart bool, seed uint64, say func(string, ...any)) (*site, error) {
	s := &site{dir: dir, apart: apart, say: say}
	s.residence = household.New(seed, civil.DateOf(time.Now().UTC()).AddDays(-historyDays))
	for _, folder := range []string{"bin", "log", "etc", "broker"} {
		if err := os.MkdirAll(s.path(folder), 0o755); err != nil {
			return s, err
		}
	}
	if err := s.build(ctx); err != nil {
		return s, err
	}
	if err := s.layOut(ctx); err != nil {
		return s, err
	}
	return s, s.write()
}

// build compiles the programs: the gateway with a clock that can be stepped, the
// others as they ship.
func (s *site) build(ctx context.Context) error {
	list, err := overlay(s.path("etc"))
	if err != nil {
		return err
	}
	s.say("building gateway, collector and simulator")
	var group errgroup.Group
	compile := func(args ...string) func() error {
		return func() error {
			command := exec.CommandContext(ctx, "go", append([]string{"build", "-o", s.path("bin") + "/"}, args...)...)
			command.Env = append(os.Environ(), "CGO_ENABLED=0")
			if said, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("build: %w: run this in the repository's root\n%s", err, said)
			}
			return nil
		}
	}
	group.Go(compile("-overlay", list, "./gateway"))
	group.Go(compile("./collector", "./deploy/simulator"))
	return group.Wait()
}

// layOut chooses addresses, opens the roads and prepares the programs.
func (s *site) layOut(ctx context.Context) (err error) {
	influx, err := peer.Influxd(ctx, os.Stderr)
	if err != nil {
		return err
	}
	mosquitto, err := peer.Mosquitto()
	if err != nil {
		return err
	}
	for _, addr := range []*string{&s.addr.broker, &s.addr.influx} {
		if *addr, err = influxd.FreeAddr(); err != nil {
			return err
		}
	}
	server := influxd.Server{Path: influx, Data: s.path("influxdb"), Addr: s.addr.influx}
	s.influxd = s.program("influxd", func() (*exec.Cmd, error) { return server.Command(context.Background()) })
	if err := peer.MosquittoConfig(s.path("etc", "mosquitto.conf"), s.addr.broker, s.path("broker")); err != nil {
		return err
	}
	s.broker = s.program("broker", plain(mosquitto, "-c", s.path("etc", "mosquitto.conf")))
	if s.store, err = newFront(s.addr.influx); err != nil {
		return err
	}
	if s.recorder, err = ledger.Record(s.addr.broker); err != nil {
		return err
	}
	crossing := newCrossing()
	for n := range collectors {
		if err := s.addCollector(crossing, fmt.Sprintf("collector-%d", n+1)); err != nil {
			return err
		}
	}
	for _, g := range s.residence.Gateways {
		if err := s.addGateway(crossing, g); err != nil {
			return err
		}
	}
	s.simulator = s.program("simulator", plain(s.bin("simulator"), s.simulated()...))
	return nil
}

func (s *site) addCollector(crossing *crossing, name string) (err error) {
	c := &collector{config: s.path("etc", name+".yaml"), quarantine: s.path("quarantine", name)}
	if c.figures, err = influxd.FreeAddr(); err != nil {
		return err
	}
	if c.toBroker, err = crossing.road(name+" to the broker", s.addr.broker); err != nil {
		return err
	}
	if c.toInflux, err = crossing.road(name+" to influxdb", s.store.addr); err != nil {
		return err
	}
	c.program = s.program(name, plain(s.bin("collector"), "run", "--config", c.config))
	s.collects = append(s.collects, c)
	return nil
}

func (s *site) addGateway(crossing *crossing, from household.Gateway) (err error) {
	g := &gateway{Gateway: from, config: s.path("etc", string(from.ID)+".yaml")}
	if g.disk, err = newDisk(s.path("disk", g.id()), s.apart); err != nil {
		return err
	}
	if g.clock, err = newWallClock(s.path("etc", g.id()+".clock")); err != nil {
		return err
	}
	if g.figures, err = influxd.FreeAddr(); err != nil {
		return err
	}
	if g.modbus, err = influxd.FreeAddr(); err != nil {
		return err
	}
	if from.Buses[0].Transport == household.RTU {
		g.modbus = s.path(g.id() + ".line")
	}
	if g.road, err = crossing.road(g.id()+" to the broker", s.recorder.Addr()); err != nil {
		return err
	}
	if g.watcher, err = ledger.Watch(g.disk.spool()); err != nil {
		return err
	}
	g.program = s.program(g.id(), func() (*exec.Cmd, error) {
		command := exec.Command(s.bin("gateway"), "run", "--config", g.config)
		command.Env = append(os.Environ(), clockVariable+"="+g.clock.path)
		return command, nil
	})
	s.gateways = append(s.gateways, g)
	return nil
}

// simulated is the simulator's command line.
func (s *site) simulated() []string {
	args := []string{"run", "--seed", fmt.Sprint(s.residence.Seed), "--epoch", s.residence.Epoch.String(),
		"--unique", "--baud", fmt.Sprint(baud), "--served", s.path("served.csv")}
	for _, g := range s.gateways {
		if g.Buses[0].Transport == household.RTU {
			args = append(args, "--rtu", g.id()+"="+g.modbus)
		} else {
			args = append(args, "--tcp", g.id()+"="+g.modbus)
		}
	}
	return args
}

// start runs everything and returns when every gateway has been heard.
func (s *site) start(ctx context.Context) (err error) {
	if err := errors.Join(s.influxd.start(), s.broker.start(), s.simulator.start()); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := influxd.WaitHealthy(waiting, s.addr.influx); err != nil {
		return err
	}
	if err := within(ctx, 20*time.Second, func() error { return dial(s.addr.broker) }); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if s.registrar, err = newRegistrar(s.addr.broker, registryOf(s.residence, cycle)); err != nil {
		return err
	}
	for _, c := range s.collects {
		err = errors.Join(err, c.program.start())
	}
	for _, g := range s.gateways {
		err = errors.Join(err, g.program.start())
	}
	return err
}

func dial(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// stop ends everything at once.
func (s *site) stop() {
	if s.registrar != nil {
		s.registrar.close()
	}
	for _, p := range s.programs {
		p.kill()
	}
	for _, g := range s.gateways {
		_ = g.watcher.Close()
		_ = g.disk.close()
	}
	if s.recorder != nil {
		_ = s.recorder.Close()
	}
	if s.store != nil {
		s.store.close()
	}
}

// once runs a program to its end and returns what it printed.
func (s *site) once(name, path string, args ...string) (string, error) {
	command := exec.Command(path, args...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", name, err, errs.String())
	}
	return out.String(), nil
}
