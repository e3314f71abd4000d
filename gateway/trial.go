package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// beforeFile keeps, while a configuration from afar is on trial, what counted
// before it; empty: the board's own file alone. A board that restarts meanwhile
// goes on with the trial.
const beforeFile = "config-before.json"

// trialMargin is how long a trial lasts beyond two intervals of the slowest meter:
// a line may be busy with meters that do not answer.
const trialMargin = 10 * time.Second

// A trial is the time in which a configuration from afar has to show that one of
// its meters at least answers.
type trial struct {
	lasts   time.Duration
	begun   time.Time // zero until all lines read by the configuration
	before  []byte    // payload of what counted before; empty: the board's own
	hopeful bool      // meters answered under that, so that it is worth going back
	overdue bool      // it is late, and there is nothing to go back to
}

// errNoAnswer is why a configuration was taken back.
var errNoAnswer = errors.New("no meter answered under it, so that the one before is back: look at lines and addresses, then publish it anew")

// trialOf returns how long a configuration is on trial; 0 where it reads no meter.
func trialOf(c *firmwareconfig.Gateway) time.Duration {
	var slowest time.Duration
	for _, b := range c.Buses {
		for _, d := range b.Devices {
			slowest = max(slowest, b.Interval, d.Interval)
		}
	}
	if slowest == 0 {
		return 0
	}
	return 2*slowest + trialMargin
}

// resume goes on with the trial that a restart interrupted.
func (r *remote) resume(c *firmwareconfig.Gateway) {
	before, err := os.ReadFile(r.beside())
	if lasts := trialOf(c); err == nil && r.counts && lasts > 0 {
		r.trial = &trial{lasts: lasts, before: before, hopeful: true}
	}
}

func (r *remote) beside() string { return filepath.Join(filepath.Dir(r.file), beforeFile) }

// try puts the configuration that is about to be kept on trial. Of one that was
// never proven nothing is kept to go back to: what counted before it is.
func (r *remote) try(lasts time.Duration, hopeful bool) error {
	if lasts == 0 {
		return r.prove()
	}
	if r.trial != nil {
		*r.trial = trial{lasts: lasts, before: r.trial.before, hopeful: r.trial.hopeful}
		return nil
	}
	before, err := os.ReadFile(r.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	r.trial = &trial{lasts: lasts, before: before, hopeful: hopeful}
	return durable.Write(r.beside(), before)
}

// prove ends the trial well.
func (r *remote) prove() error {
	r.trial = nil
	if err := os.Remove(r.beside()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// takeBack ends the trial badly: what counted before counts again, here and after
// a restart, and the payload on trial is not tried again until the board's own
// file changes or the board restarts. The caller applies what [remote.over] gives.
func (r *remote) takeBack() error {
	failed, err := os.ReadFile(r.file)
	if err != nil {
		return err
	}
	var before wire.SignedConfig
	if len(r.trial.before) > 0 {
		if before, err = r.read(r.trial.before, nil); err != nil {
			return err
		}
		err = durable.Write(r.file, r.trial.before)
	} else {
		err = os.Remove(r.file)
	}
	r.failed, r.newest, r.counts = failed, before, false
	return errors.Join(err, r.prove())
}

// judgeTrial ends the trial that is due, and returns the settings that count then.
func (g *gateway) judgeTrial(current settings, now time.Time) settings {
	t := g.remote.trial
	switch {
	case t == nil || g.pollers.Pending():
		return current
	case t.begun.IsZero():
		t.begun = now
	case g.answeredSince(t.begun):
		g.prove()
	case now.Before(t.begun.Add(t.lasts)) || t.overdue:
	case !t.hopeful:
		t.overdue = true
		version, _ := g.remote.told()
		g.remote.tell(version, "no meter answers under it, nor did any before: look at lines and addresses")
		g.uplink.Tell()
	default:
		return g.rollBack(current)
	}
	return current
}

// answeredSince reports whether any meter was read well since an instant.
func (g *gateway) answeredSince(begun time.Time) bool {
	for _, r := range g.pollers.Report() {
		if r.LastGoodMs >= begun.UnixMilli() {
			return true
		}
	}
	return false
}

func (g *gateway) prove() {
	version, _ := g.remote.told()
	fault := ""
	if err := g.remote.prove(); err != nil {
		fault = fmt.Sprintf("version %s counts, but would be on trial again after a restart: %v", version, err)
	}
	g.log.Info("configuration from afar is proven: a meter answers", "version", version)
	g.remote.tell(version, fault)
	g.uplink.Tell()
}

// rollBack takes over what counted before the configuration on trial.
func (g *gateway) rollBack(current settings) settings {
	defer g.uplink.Tell()
	failed, _ := g.remote.told()
	if err := g.remote.takeBack(); err != nil {
		g.log.Error("configuration from afar cannot be taken back", "version", failed, "err", err)
		g.remote.tell(failed, fmt.Sprintf("version %s: no meter answers under it, and it cannot be taken back: %v", failed, err))
		return current
	}
	next := settings{current.local, g.remote.over(current.local)}
	if err := g.takeOver(current.counts, next.counts); err != nil {
		g.log.Error("the configuration before cannot be taken over", "err", err)
		return current
	}
	version := g.remote.newest.Version
	g.remote.tell(version, g.remote.complain(g.remote.failed, fmt.Errorf("version %s: %w", failed, errNoAnswer)))
	return next
}
