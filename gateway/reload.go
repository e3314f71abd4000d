package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"reflect"
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

// watch takes the configuration over when its file changes or at SIGHUP. A file
// that is being written is taken when it has stood still from one look to the
// next. A configuration with a fault is logged and changes nothing.
func (g *gateway) watch(ctx context.Context, path string, load func() (*firmwareconfig.Gateway, error)) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	taken := stampOf(path)
	last, current := taken, g.config
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			last = stampOf(path)
		case <-ticker.C:
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

// reload takes the meters of a new configuration over, and returns the
// configuration that counts then; the rest of it needs a restart.
func (g *gateway) reload(current *firmwareconfig.Gateway, load func() (*firmwareconfig.Gateway, error)) *firmwareconfig.Gateway {
	c, err := load()
	if err != nil {
		g.log.Error("new configuration refused: the one before stays", "err", err)
		return current
	}
	if fixed := needRestart(current, c); len(fixed) > 0 {
		g.log.Warn("changed settings count after a restart", "settings", fixed)
	}
	if err := g.takeOver(current, c); err != nil {
		g.log.Error("new configuration refused: the one before stays", "err", err)
		return current
	}
	next := *current
	next.ProfilesDir, next.Buses, next.Imported = c.ProfilesDir, c.Buses, c.Imported
	g.log.Info("new configuration taken over", "buses", len(c.Buses), "meters", len(c.Meters()))
	return &next
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
		if key := field.Tag.Get("yaml"); field.IsExported() && key != "-" &&
			!reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, key)
		}
	}
	return names
}
