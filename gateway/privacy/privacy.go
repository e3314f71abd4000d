// Package privacy decides which readings may leave the dwelling: what need not
// leave it stays.
//
// Each meter has a resolution. The site's registry says which; until the first
// registry has come, the gateway's own configuration does, which defaults to
// what the law allows without consent.
package privacy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Filter lets readings pass as finely as their meters' resolutions allow. Its
// methods may be called from several goroutines.
type Filter struct {
	mu          sync.Mutex
	zone        *time.Location
	file        string // keeps the last registry over restarts
	resolutions map[metering.MeterID]metering.Resolution
	left        map[key]time.Time // the last reading that left
}

type key struct {
	meter    metering.MeterID
	quantity metering.Quantity
}

const registryFile = "registry.json"

// Open returns the filter of a gateway's configuration, together with the last
// registry that was kept in dir.
func Open(c *firmwareconfig.Gateway, dir string) (*Filter, error) {
	zone, err := c.Location()
	if err != nil {
		return nil, err
	}
	f := &Filter{zone: zone, file: filepath.Join(dir, registryFile),
		resolutions: map[metering.MeterID]metering.Resolution{}, left: map[key]time.Time{}}
	for _, m := range c.Meters() {
		f.resolutions[m.ID] = m.Resolution
	}
	return f, f.load()
}

func (f *Filter) load() error {
	payload, err := os.ReadFile(f.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kept registry: %w", err)
	}
	registry, err := wire.DecodeRegistry(payload)
	if err != nil {
		return nil // torn by a power cut: the broker will send it again
	}
	f.apply(registry)
	return nil
}

// Apply takes over the resolutions of a registry and keeps it for the next
// start.
func (f *Filter) Apply(registry wire.Registry) error {
	f.apply(registry)
	payload, err := registry.Encode()
	if err != nil {
		return err
	}
	temporary := f.file + ".new"
	if err := os.WriteFile(temporary, payload, 0o600); err != nil {
		return fmt.Errorf("keep registry: %w", err)
	}
	return os.Rename(temporary, f.file)
}

func (f *Filter) apply(registry wire.Registry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range registry.Meters {
		if _, ours := f.resolutions[m.Meter]; ours {
			f.resolutions[m.Meter] = m.Resolution
		}
	}
}

// Resolution returns how finely a meter may be read at the moment; Off for one
// that the configuration does not name.
func (f *Filter) Resolution(meter metering.MeterID) metering.Resolution {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.resolutions[meter]; ok {
		return r
	}
	return metering.Off
}

// Pass reports whether a reading may leave, and counts it as left. Readings of
// one meter are to be passed in order of time. Coarser than fine, only the index
// and the temperature leave: a power would show what the index hides.
func (f *Filter) Pass(r metering.Reading) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	resolution, ok := f.resolutions[r.Meter]
	if !ok {
		return false
	}
	if resolution != metering.Fine && r.Quantity != metering.Index && r.Quantity != metering.Celsius {
		return false
	}
	k := key{r.Meter, r.Quantity}
	if !resolution.Due(f.left[k], r.At, f.zone) {
		return false
	}
	f.left[k] = r.At
	return true
}
