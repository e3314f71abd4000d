package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/check"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type dialCommand struct {
	Meter string        `help:"Meter that is to be in this flat." required:"" placeholder:"ID"`
	Dial  string        `help:"What its dial shows, all digits, as in 123.456." required:"" placeholder:"INDEX"`
	Unit  string        `help:"What the dial counts in: m3, L, kWh, Wh, …; m3 or kWh where left out." placeholder:"UNIT"`
	Quiet time.Duration `help:"How long nothing may be drawn before the tap is opened." default:"10s"`
	Wait  time.Duration `help:"How long to wait for the tap; 0 checks the dial alone." default:"2m"`
}

// Help is the longer text of --help.
func (*dialCommand) Help() string {
	return "Stand in the flat. First the meter's index is held against its dial; where they differ the command says what would explain it. " +
		"Then it asks you to open a tap, or for electricity to switch on a kettle: this meter has to move, and not another one. " +
		"Exit status 0 when both agree, 1 otherwise. Stop the gateway first where the meter hangs on a serial line."
}

// A checking is one run of the command.
type checking struct {
	*dialCommand
	*environment
	meters *check.Meters
	meter  *check.Meter
}

// Run checks dial and tap.
func (c *dialCommand) Run(e *environment) error {
	config, err := e.load()
	if err != nil {
		return err
	}
	meters, err := check.Open(config)
	if err != nil {
		return err
	}
	k := &checking{dialCommand: c, environment: e, meters: meters, meter: meters.ByID(metering.MeterID(c.Meter))}
	return errors.Join(k.run(config), meters.Close())
}

func (k *checking) run(config *firmwareconfig.Gateway) error {
	if k.meter == nil {
		return fmt.Errorf("meter %s is not on a bus of the configuration, or has no index", k.Meter)
	}
	if strings.HasPrefix(k.meter.URL, "rtu:") && spool.InUse(config.Spool.Dir) {
		return fmt.Errorf("the gateway runs and owns the line %s: stop it, check, and start it again", k.meter.URL)
	}
	if err := k.checkDial(); err != nil {
		return fmt.Errorf("dial of meter %s: %w", k.Meter, err)
	}
	if k.Wait <= 0 {
		return nil
	}
	if err := k.checkTap(); err != nil {
		return fmt.Errorf("tap of meter %s: %w", k.Meter, err)
	}
	return nil
}

// unit is what the dial counts in.
func (k *checking) unit() string {
	if k.Unit != "" {
		return k.Unit
	}
	return check.UnitOf(k.meter.Config.Kind)
}

func (k *checking) checkDial() error {
	dial, err := check.ParseDial(k.Dial, k.unit(), k.meter.Config.Kind)
	if err != nil {
		return err
	}
	shown, err := k.meter.Read(k.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(k.stdout, "meter %s, slave %d of bus %s: %s\n", k.Meter, k.meter.Slave, k.meter.Bus, k.amount(shown.Index))
	if dial.Fits(shown.Index, k.meter.Count) {
		fmt.Fprintf(k.stdout, "dial: %s agrees\n", k.amount(dial.Index))
		return nil
	}
	var fault strings.Builder
	fmt.Fprintf(&fault, "it shows %s, the gateway reads %s", k.amount(dial.Index), k.amount(shown.Index))
	suspicions := check.Suspect(k.meter, shown, dial, k.readRivals())
	for _, s := range suspicions {
		fmt.Fprintf(&fault, "\n  %s", k.explain(s))
	}
	if len(suspicions) == 0 {
		fault.WriteString("\n  nothing that is known explains it: read all digits again, then compare the serial number on the meter, its wiring and start_index")
	}
	return errors.New(fault.String())
}

// readRivals reads the meters that the dial might belong to. Dead ones are left
// out.
func (k *checking) readRivals() map[*check.Meter]check.Shown {
	rivals := k.meters.Rivals(k.meter)
	fmt.Fprintf(k.stderr, "the dial differs: reading the %d other meters that count alike\n", len(rivals))
	others := map[*check.Meter]check.Shown{}
	for _, r := range rivals {
		if shown, err := r.Read(k.ctx); err == nil {
			others[r] = shown
		}
	}
	return others
}

// explain says what a suspicion means and what to do.
func (k *checking) explain(s check.Suspicion) string {
	switch s.Cause {
	case check.OtherMeter:
		return fmt.Sprintf("the dial fits meter %s: the two are probably swapped; check the wiring, or exchange the two in the list of flats", s.Meter)
	case check.WrongFactor:
		if pulse := k.meter.Config.Pulse(); pulse > 0 {
			right, _ := s.Factor.Float64()
			return fmt.Sprintf("a pulse is probably worth %g, not %d, in pulse_ml or pulse_wh: the dial is %s times what was counted", float64(pulse)*right, pulse, s.Factor.RatString())
		}
		return fmt.Sprintf("the dial is %s times what was read: profile %s is probably not this meter's, or its unit differs", s.Factor.RatString(), k.meter.Profile)
	default:
		return fmt.Sprintf("with the byte order %s the dial would fit: profile %s has another one", s.Order, k.meter.Profile)
	}
}

// tapPause is the pause between two looks at the meters.
const tapPause = time.Second

func (k *checking) checkTap() error {
	electric := k.meter.Config.Kind == metering.Electricity
	if !electric {
		if err := k.checkQuiet(); err != nil {
			return err
		}
	}
	watch, err := check.Begin(k.ctx, k.meter, k.meters.Rivals(k.meter))
	if err != nil {
		return err
	}
	if electric {
		fmt.Fprintln(k.stdout, "now switch on a kettle or an oven in this flat")
	} else {
		fmt.Fprintln(k.stdout, "now open a tap in this flat, fully, and leave it open")
	}
	moved, err := check.Until(k.ctx, k.Wait, tapPause, func(left time.Duration) (bool, error) {
		move, ok, err := watch.Moved(k.ctx)
		if ok {
			fmt.Fprintf(k.stdout, "tap: meter %s moved by %s\n", k.Meter, k.move(move))
		} else if err == nil {
			k.waiting(left)
		}
		return ok, err
	})
	if err != nil || moved {
		return err
	}
	return k.unmoved(watch)
}

// checkQuiet demands that nothing is counted while all taps are closed: what
// moves then would be taken for the tap.
func (k *checking) checkQuiet() error {
	fmt.Fprintf(k.stdout, "close all taps of this flat, for %s\n", k.Quiet)
	watch, err := check.Begin(k.ctx, k.meter, nil)
	if err != nil {
		return err
	}
	moved, err := check.Until(k.ctx, k.Quiet, tapPause, func(time.Duration) (bool, error) {
		_, ok, err := watch.Moved(k.ctx)
		return ok, err
	})
	if err != nil || !moved {
		return err
	}
	return errors.New("it counts while all taps of the flat are closed: something leaks or runs, or the meter is another flat's")
}

// unmoved says which others moved instead.
func (k *checking) unmoved(watch *check.Watch) error {
	others := watch.Others(k.ctx)
	if len(others) == 0 {
		return fmt.Errorf("it did not move within %s, nor did another of %d: was enough drawn? one step is %s", k.Wait, watch.Rivals(), k.amount(k.meter.Count))
	}
	var fault strings.Builder
	fmt.Fprintf(&fault, "it did not move within %s", k.Wait)
	for _, o := range others[:min(len(others), 3)] {
		fmt.Fprintf(&fault, "\n  meter %s moved by %s instead: the two are probably swapped", o.Meter.Config.ID, k.move(o))
	}
	return errors.New(fault.String())
}

func (k *checking) waiting(left time.Duration) {
	end := "\r"
	if !terminal(k.stderr) {
		if end = "\n"; left.Truncate(tapPause)%(10*time.Second) != 0 {
			return
		}
	}
	fmt.Fprintf(k.stderr, "it has not moved yet, %s left %s", left.Round(time.Second), end)
}

func (k *checking) move(m check.Move) string {
	if m.Power {
		return fmt.Sprintf("%d W", m.By)
	}
	return k.amount(m.By)
}

// amount writes an amount in m3 or kWh, to the last digit that counts.
func (k *checking) amount(a metering.Amount) string {
	unit, decimals := check.UnitOf(k.meter.Config.Kind), 3
	if unit == "m3" {
		decimals = 6
	}
	digits := fmt.Sprintf("%0*d", decimals+1, int64(max(a, -a)))
	text := digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
	text = text[:slices.Max([]int{len(strings.TrimRight(text, "0")), len(text) - decimals + 3})]
	if a < 0 {
		text = "-" + text
	}
	return text + " " + unit
}
