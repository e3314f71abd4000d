package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/xnetroseraie/xnet/internal/durable"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const memoryFile = "left.json"

// Remember keeps in the filter's folder, from now on, when the readings of
// coarse meters left and how far the day's quiet flow is, and begins with what was
// kept before: a gateway that is started often must not let out more than one that
// runs through, nor lose sight of leaks. It is for polling; an import of older
// readings has nothing to do with it.
func (f *Filter) Remember() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.memory = f.beside(memoryFile)
	if err := f.rememberQuiet(); err != nil {
		return err
	}
	text, err := os.ReadFile(f.memory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("what left the dwellings: %w", err)
	}
	kept := map[string]int64{}
	if json.Unmarshal(text, &kept) != nil {
		return nil // torn by a power cut: at worst each meter is read once more
	}
	for name, ms := range kept {
		meter, quantity, ok := strings.Cut(name, "/")
		if ok {
			f.left[key{metering.MeterID(meter), metering.Quantity(quantity)}] = wire.Instant(ms)
		}
	}
	return nil
}

// beside is the path of a file in the filter's folder.
func (f *Filter) beside(name string) string { return filepath.Join(filepath.Dir(f.file), name) }

// remember writes down what of coarse meters left. That is once an hour or a
// day, not once a poll.
func (f *Filter) remember(leaving []wire.UnitReading) error {
	coarse := false
	for _, r := range leaving {
		_, polled := f.left[key{r.Meter, r.Quantity}]
		coarse = coarse || polled && f.resolution(r.Meter) != metering.Fine
	}
	if f.memory == "" || !coarse {
		return nil
	}
	kept := map[string]int64{}
	for k, at := range f.left {
		if r := f.resolution(k.meter); r != metering.Fine && r != metering.Off && !at.IsZero() {
			kept[string(k.meter)+"/"+string(k.quantity)] = at.UnixMilli()
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	// The readings are kept already: a disk that is full now must not make them
	// count as lost. The next time tries again.
	_ = durable.Write(f.memory, text)
	return nil
}
