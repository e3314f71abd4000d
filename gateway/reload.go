package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
)

// lookEvery is how often the configuration file is looked at.
const lookEvery = 2 * time.Second

// A stamp tells one state of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

func stampOf(path string) stamp {
	at, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{at.ModTime(), at.Size()}
}

// settings are the configuration of the board's file, and what counts: the same,
// or with the meters that come from afar.
type settings struct{ local, counts *firmwareconfig.Gateway }

// watch takes the configuration over when its file changes, at SIGHUP, or when
// one comes from afar. A file that is being written is taken when it has stood
// still from one look to the next. A configuration with a fault is logged and
// changes nothing.
func (g *gateway) watch(ctx context.Context, path string, load func() (*firmwareconfig.Gateway, error)) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	taken := stampOf(path)
	last, current := taken, settings{g.local, g.config}
	for {
		select {
		case <-ctx.Done():
			return nil
		case payload := <-g.remote.coming:
			current = g.receive(current, payload)
			continue
		case <-hangup:
			last = stampOf(path)
		case at := <-ticker.C:
			current = g.judgeTrial(current, at)
			now := stampOf(path)
			moving := now != last
			if last = now; moving || now == taken || now == (stamp{}) {
				continue
			}
		}
		taken = last
		current = g.reload(current, load)
	}
}

// reload takes the meters of a new configuration file over, as far as those from
// afar leave them, and returns the settings that count then; the rest of the file
// needs a restart.
func (g *gateway) reload(current settings, load func() (*firmwareconfig.Gateway, error)) settings {
	c, err := load()
	if err != nil {
		g.log.Error("new configuration refused: the one before stays", "err", err)
		return current
	}
	if fixed := needRestart(current.local, c); len(fixed) > 0 {
		g.log.Warn("changed settings count after a restart", "settings", fixed)
	}
	local := *current.local
	local.ProfilesDir, local.Buses, local.Imported = c.ProfilesDir, c.Buses, c.Imported
	next := settings{&local, g.remote.over(&local)}
	if err := g.takeOver(current.counts, next.counts); err != nil {
		g.log.Error("new configuration refused: the one before stays", "err", err)
		g.remote.over(current.local)
		return current
	}
	g.log.Info("new configuration taken over", "buses", len(next.counts.Buses), "meters", len(next.counts.Meters()))
	if g.remote.refused != nil && g.remote.key != nil {
		g.remote.failed = nil
		return g.receive(next, g.remote.refused) // what it lacked may be there now
	}
	g.uplink.Tell()
	return next
}

// receive takes a configuration from afar over, and returns the settings that
// count then.
func (g *gateway) receive(current settings, payload []byte) settings {
	defer g.uplink.Tell()
	c, next, err := g.remote.judge(payload, current.local)
	if err == nil && next != nil {
		err = g.takeOver(current.counts, next)
	}
	switch {
	case err != nil:
		g.remote.refuse(payload, err)
		return current
	case next == nil:
		g.remote.confirm(c, payload)
		return current
	}
	g.remote.accept(c, payload, trialOf(next), g.answeredLately(current.counts))
	g.log.Info("configuration from afar taken over", "version", c.Version, "buses", len(next.Buses), "meters", len(next.Meters()))
	return settings{current.local, next}
}

// answeredLately reports whether any meter of a configuration still answers.
func (g *gateway) answeredLately(c *firmwareconfig.Gateway) bool {
	return g.answeredSince(time.Now().Add(-trialOf(c)))
}

// takeOver lets the filter know new meters before they are read.
func (g *gateway) takeOver(current, c *firmwareconfig.Gateway) error {
	if err := g.filter.Configure(c); err != nil {
		return err
	}
	if err := g.pollers.Reload(c.Buses); err != nil {
		return errors.Join(err, g.filter.Configure(current))
	}
	return nil
}

// needRestart names the settings that differ and cannot be taken over.
func needRestart(a, b *firmwareconfig.Gateway) []string {
	var names []string
	x, y := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range x.NumField() {
		field := x.Type().Field(i)
		switch field.Name {
		case "ProfilesDir", "Buses", "Imported":
			continue
		}
		if key, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); field.IsExported() && key != "-" &&
			!reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, key)
		}
	}
	return names
}
