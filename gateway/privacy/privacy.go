// Package privacy decides which readings may leave the dwelling: what need not
// leave it stays.
//
// Each meter has a resolution. The site's registry says which; until the first
// registry has come, the gateway's own configuration does, which defaults to
// what the law allows without consent.
//
// Leaks are seen without the curve: of each water meter that may be read at all
// the gateway works out the day's quiet flow from every poll, and lets that one
// figure out, whatever the resolution but off; see [Quiet]. It leaves with
// "month" too: a tap that drips for a month before anybody may know wastes what
// the household pays, and the figure, nought on every sound day, tells nothing
// else of it.
package privacy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Filter lets readings pass as finely as their meters' resolutions allow. Its
// methods may be called from several goroutines.
type Filter struct {
	mu          sync.Mutex
	zone        *time.Location
	file        string // keeps the last registry over restarts
	memory      string // keeps what left over restarts; empty where it is not kept
	resolutions map[metering.MeterID]metering.Resolution
	left        map[key]time.Time // the last reading that left
	quiet       map[metering.MeterID]*Quiet
	quietKept   map[metering.MeterID]time.Time // the last reading that was written down
	figures     []wire.UnitReading             // of past days, to leave with the next readings
}

type key struct {
	meter    metering.MeterID
	quantity metering.Quantity
}

const registryFile = "registry.json"

// clockWasWrong is how far before the last reading that left one has to be read
// to show that the clock was ahead then: the meter would else be silent until it
// is passed.
const clockWasWrong = 24 * time.Hour

// Open returns the filter of a gateway's configuration, together with the last
// registry that was kept in dir.
func Open(c *firmwareconfig.Gateway, dir string) (*Filter, error) {
	zone, err := c.Location()
	if err != nil {
		return nil, err
	}
	f := &Filter{zone: zone, file: filepath.Join(dir, registryFile), left: map[key]time.Time{},
		quietKept: map[metering.MeterID]time.Time{}}
	return f, f.Configure(c)
}

// Configure takes the meters of a new configuration over, in one step together
// with the registry that was kept: no reading passes by a resolution that the
// registry has withdrawn. What left before counts on, and so does the day of a
// meter that is read as before.
func (f *Filter) Configure(c *firmwareconfig.Gateway) error {
	resolutions := map[metering.MeterID]metering.Resolution{}
	for _, m := range c.Meters() {
		resolutions[m.ID] = m.Resolution
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	payload, err := os.ReadFile(f.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("kept registry: %w", err)
	}
	f.resolutions = resolutions
	if registry, err := wire.DecodeRegistry(payload); err == nil { // else none yet, or torn by a power cut
		f.apply(registry)
	}
	quiet := quietMeters(c, f.zone)
	for id, q := range quiet {
		if was, ok := f.quiet[id]; ok && was.sameAs(q) {
			quiet[id] = was
		}
	}
	f.quiet = quiet
	return nil
}

// Apply takes over the resolutions of a registry and keeps it for the next
// start.
func (f *Filter) Apply(registry wire.Registry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apply(registry)
	payload, err := registry.Encode()
	if err != nil {
		return err
	}
	if err := durable.Write(f.file, payload); err != nil {
		return fmt.Errorf("keep registry: %w", err)
	}
	return nil
}

func (f *Filter) apply(registry wire.Registry) {
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
	return f.resolution(meter)
}

func (f *Filter) resolution(meter metering.MeterID) metering.Resolution {
	if r, ok := f.resolutions[meter]; ok {
		return r
	}
	return metering.Off
}

// Sift hands to keep what of readings may leave, together with the quiet flows
// of a day that has ended, and returns keep's error. What keep could not take
// counts as not left: of a day the next reading leaves instead. Readings of one
// meter are to come in order of time. Keep is not called for nothing.
func (f *Filter) Sift(readings []wire.UnitReading, keep func([]wire.UnitReading) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := map[key]time.Time{}
	leaving := make([]wire.UnitReading, 0, len(readings))
	for _, r := range readings {
		k := key{r.Meter, r.Quantity}
		if _, seen := before[k]; !seen {
			before[k] = f.left[k]
		}
		if f.pass(r.Reading) {
			leaving = append(leaving, r)
		}
		f.watch(r)
	}
	f.keepQuiet(readings)
	f.figures = f.stillAllowed(f.figures)
	if leaving = append(leaving, f.figures...); len(leaving) == 0 {
		return nil
	}
	if err := keep(leaving); err != nil {
		for k, at := range before {
			f.left[k] = at
		}
		return err
	}
	f.figures = nil
	return f.remember(leaving)
}

// Pass reports whether a reading may leave, and counts it as left. Readings of
// one meter are to be passed in order of time. Coarser than fine, only the index
// and the temperature leave: a power would show what the index hides.
func (f *Filter) Pass(r metering.Reading) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pass(r)
}

func (f *Filter) pass(r metering.Reading) bool {
	resolution := f.resolution(r.Meter)
	if resolution != metering.Fine && r.Quantity != metering.Index && r.Quantity != metering.Celsius {
		return false
	}
	k := key{r.Meter, r.Quantity}
	last := f.left[k]
	if last.Sub(r.At) > clockWasWrong {
		last = time.Time{}
	}
	if !resolution.Due(last, r.At, f.zone) {
		return false
	}
	f.left[k] = r.At
	return true
}

// watch works on the quiet flow of a water meter that may be read.
func (f *Filter) watch(r wire.UnitReading) {
	q := f.quiet[r.Meter]
	if q == nil || r.Quantity != metering.Index {
		return
	}
	if !f.resolution(r.Meter).Allows(metering.Month) { // nothing is even worked out
		q.Forget()
		return
	}
	if day, ok := q.Observe(r.At, r.Amount); ok {
		f.figures = append(f.figures, day.readings(r.Meter)...)
	}
}

// stillAllowed leaves out figures of meters that were switched off meanwhile.
func (f *Filter) stillAllowed(figures []wire.UnitReading) (kept []wire.UnitReading) {
	for _, r := range figures {
		if f.resolution(r.Meter).Allows(metering.Month) {
			kept = append(kept, r)
		}
	}
	return kept
}
