package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/influxd"
)

// demo is the whole system on one machine.
type demo struct {
	Dir  string `help:"Folder for everything that is kept between runs." default:"var" type:"path"`
	Port int    `help:"Port of the pages." default:"8080"`
	Seed uint64 `help:"Which simulated residence." default:"1"`
	Case bool   `help:"Also load the years 2006 to 2009 of the project that the product comes from, for its indicators."`

	// For tests of the whole.
	Months   int           `hidden:"" default:"13" help:"How far back history reaches."`
	Interval time.Duration `hidden:"" default:"10s" help:"Time between two polls."`
	Resend   time.Duration `hidden:"" default:"1m" help:"When a pack is sent again."`
	Unique   bool          `hidden:"" help:"Every read of a meter shows another index."`

	screen    *screen
	family    *family
	influxd   string // path of the binary
	addr      *addresses
	state     *state
	residence *household.Residence
	codes     map[string]string // sign-in code by person
	mute      []*child          // gateways that end once their history is stored
}

// Run starts everything, shows the address and the sign-ins, and ends everything
// when interrupted.
func (d *demo) Run(e *environment) error {
	d.screen = &screen{out: e.stdout, start: time.Now()}
	d.family = &family{logs: d.path("log"), pids: d.path("pid"), notice: d.screen.step}
	d.screen.say("XnetRoseraie: the whole system on this machine, everything under %s", d.Dir)
	lock, err := d.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if d.family.shared, err = d.shareLock(e.ctx); err != nil {
		return unlessInterrupted(e.ctx, err)
	}
	defer d.family.shared.Close()
	if err := d.checkRoom(); err != nil {
		return err
	}
	defer d.end()
	if err := d.start(e.ctx); err != nil {
		return unlessInterrupted(e.ctx, err)
	}
	d.welcome()
	<-e.ctx.Done()
	return nil
}

// unlessInterrupted passes an error on, but for those of an interrupt, which is
// no fault. A terminal interrupts everybody at once, and a child may end of it
// before the demo itself has heard.
func unlessInterrupted(ctx context.Context, err error) error {
	if endedByInterrupt(err) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func endedByInterrupt(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGINT
}

func (d *demo) end() {
	d.screen.step("ending")
	d.family.stopAll()
	d.screen.step("ended; what was measured is kept in %s", d.Dir)
}

func (d *demo) start(ctx context.Context) error {
	servers := inOrder(d.startStores, d.loadResidence, d.checkMeters, d.stockWorkshop, d.agree, d.loadCase, d.startServers)
	return inOrder(d.prepare, d.build, atOnce(servers, d.backfill), d.startGateways, d.settle, d.hangMains, d.judgeNights)(ctx)
}

// A step is one part of the start.
type step func(context.Context) error

func inOrder(steps ...step) step {
	return func(ctx context.Context) error {
		for _, s := range steps {
			if err := errors.Join(s(ctx), ctx.Err()); err != nil {
				return err
			}
		}
		return nil
	}
}

func atOnce(steps ...step) step {
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for _, s := range steps {
			group.Go(func() error { return s(ctx) })
		}
		return group.Wait()
	}
}

// prepare makes the folders and the residence.
func (d *demo) prepare(context.Context) (err error) {
	for _, dir := range []string{"log", "pid", "etc", "spool", "quarantine"} {
		if err := os.MkdirAll(d.path(dir), 0o700); err != nil {
			return err
		}
	}
	if d.state, err = d.loadState(time.Now()); err != nil {
		return err
	}
	d.residence = household.New(d.state.Seed, d.state.Epoch)
	names := make([]string, len(d.residence.Gateways))
	for i, g := range d.residence.Gateways {
		names[i] = string(g.ID)
	}
	if d.addr, err = d.choose(names); err != nil {
		return err
	}
	if err := d.writeFiles(); err != nil {
		return err
	}
	return d.saveState(d.state)
}

// startStores starts what the others store in and speak through.
func (d *demo) startStores(ctx context.Context) error {
	influx := influxd.Server{Path: d.influxd, Data: d.path("influxdb"), Addr: d.addr.influx}
	if _, err := d.family.start("influxd", influx.Command); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := d.family.start("broker", command(self, "broker", "--addr", d.addr.broker)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := influxd.WaitHealthy(ctx, d.addr.influx); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(d.path("log", "influxd.log")))
	}
	d.screen.step("broker and InfluxDB: running")
	return nil
}

func command(path string, args ...string) func(context.Context) (*exec.Cmd, error) {
	return func(ctx context.Context) (*exec.Cmd, error) { return exec.CommandContext(ctx, path, args...), nil }
}

// loadResidence brings the landlord's list into the API's store and makes new
// sign-in codes for those whom the demo introduces.
func (d *demo) loadResidence(ctx context.Context) error {
	config := d.path("etc", "api.yaml")
	if err := d.family.once(ctx, "api-load", nil, d.program("api"), "load", "--config", config, d.path("etc", "residence.yaml")); err != nil {
		return err
	}
	args := []string{"invite", "--config", config}
	for _, g := range d.guests() {
		args = append(args, g.person)
	}
	for _, s := range staff {
		args = append(args, s.person)
	}
	var printed strings.Builder
	if err := d.family.once(ctx, "api-invite", &printed, d.program("api"), args...); err != nil {
		return err
	}
	d.codes = map[string]string{}
	for line := range strings.Lines(printed.String()) {
		if person, code, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			d.codes[person] = strings.TrimSpace(code)
		}
	}
	d.screen.step("residence %s: %d flats, %d meters", d.residence.Name, len(d.residence.Dwellings), len(d.residence.Meters()))
	return nil
}

// startServers starts the collector, the API and the simulated meters.
func (d *demo) startServers(context.Context) error {
	_, err := d.family.start("collector", command(d.program("collector"), "run", "--config", d.path("etc", "collector.yaml")))
	if err != nil {
		return err
	}
	if _, err = d.family.start("api", command(d.program("api"), "run", "--config", d.path("etc", "api.yaml"))); err != nil {
		return err
	}
	args := []string{"run", "--seed", fmt.Sprint(d.state.Seed), "--epoch", d.state.Epoch.String(),
		"--served", d.path("served.csv")}
	if d.Unique {
		args = append(args, "--unique")
	}
	for _, g := range d.residence.Gateways {
		if silentAt(g, time.Now()) {
			continue
		}
		for _, b := range g.Buses {
			if b.Transport == household.RTU {
				args = append(args, "--rtu", string(g.ID)+"="+d.linePath(g))
			} else {
				args = append(args, "--tcp", string(g.ID)+"="+d.addr.modbus[string(g.ID)])
			}
		}
	}
	_, err = d.family.start("simulator", command(d.program("simulator"), args...))
	return err
}

// startGateways starts them for good, but not the one that is silent by now.
func (d *demo) startGateways(context.Context) error {
	for _, g := range d.residence.Gateways {
		name := string(g.ID)
		c, err := d.family.start(name, command(d.program("gateway"), "run", "--config", d.path("etc", name+".yaml")))
		if err != nil {
			return err
		}
		if silentAt(g, time.Now()) {
			d.mute = append(d.mute, c)
		}
	}
	return nil
}
