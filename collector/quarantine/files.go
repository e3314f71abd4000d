package quarantine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// ErrAbsent: the quarantine holds no pack of that name.
var ErrAbsent = errors.New("no such pack in the quarantine: see collector quarantine list")

// ErrDamaged: a file of the quarantine cannot be read as a pack.
var ErrDamaged = errors.New("file is not a refused pack: remove it by hand")

// Browse opens the folder for a process beside the one that keeps packs in it.
// It must exist.
func Browse(dir string) (*Quarantine, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("look at quarantine: %w: name the collector's own folder in quarantine.dir", err)
	}
	q := &Quarantine{dir: dir}
	return q, q.recount()
}

// Names lists the packs, each by the name of its file without its ending, the
// longest kept first.
func (q *Quarantine) Names() ([]string, error) {
	paths, err := q.paths()
	if err != nil {
		return nil, err
	}
	written := make(map[string]time.Time, len(paths))
	for _, path := range paths {
		if file, err := os.Stat(path); err == nil {
			written[strings.TrimSuffix(filepath.Base(path), suffix)] = file.ModTime()
		}
	}
	return slices.SortedFunc(maps.Keys(written), func(a, b string) int {
		return cmp.Or(written[a].Compare(written[b]), cmp.Compare(a, b))
	}), nil
}

// Read returns the pack of that name. It fails with [ErrAbsent], or with
// [ErrDamaged]; then the pack bears its source alone.
func (q *Quarantine) Read(name string) (Refused, error) {
	source, err := sourceOf(name)
	if err != nil {
		return Refused{}, fmt.Errorf("read pack %q: %w", name, err)
	}
	text, err := os.ReadFile(q.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Refused{}, fmt.Errorf("read pack %q: %w", name, ErrAbsent)
	}
	if err != nil {
		return Refused{}, fmt.Errorf("read pack %q: %w", name, err)
	}
	var r Refused
	if err := json.Unmarshal(text, &r); err != nil {
		return Refused{Source: source}, fmt.Errorf("read pack %q: %w: %w", name, ErrDamaged, err)
	}
	r.Source = source
	return r, nil
}

// Drop removes the pack of that name, durably. One that is gone already is no
// error.
func (q *Quarantine) Drop(name string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.drop(name)
}

func (q *Quarantine) drop(name string) error {
	path := q.path(name)
	size := sizeOf(path)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop pack %q: %w", name, err)
	}
	q.size -= size
	return syncDir(q.dir)
}

// Replace puts r in the place of the pack of that name, whatever the limit: it
// is for what shrinks.
func (q *Quarantine) Replace(name string, r Refused) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.replace(name, r)
}

func (q *Quarantine) replace(name string, r Refused) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("shorten pack %q: %w", name, err)
	}
	path := q.path(name)
	before := sizeOf(path)
	if err := writeDurably(path, text); err != nil {
		return fmt.Errorf("shorten pack %q: %w", name, err)
	}
	q.size += int64(len(text)) - before
	return nil
}

func (q *Quarantine) path(name string) string { return filepath.Join(q.dir, name+suffix) }

// sourceOf reads the gateway in a pack's name; see [Refused.name].
func sourceOf(name string) (wire.Source, error) {
	words := strings.Split(name, "~")
	if len(words) < 3 || filepath.Base(name) != name {
		return wire.Source{}, ErrAbsent
	}
	s := wire.Source{Site: metering.SiteID(words[0]), Gateway: metering.GatewayID(words[1])}
	if !metering.ValidID(s.Site) || !metering.ValidID(s.Gateway) {
		return wire.Source{}, ErrAbsent
	}
	return s, nil
}
