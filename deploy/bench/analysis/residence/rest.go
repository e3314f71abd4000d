package residence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
)

// longestRest is how long InfluxDB may take to write what it was filled with into
// its data files: a minute until it begins, and the rest for old machines.
const longestRest = 4 * time.Minute

// Rest waits until InfluxDB has written what it was filled with into its data files
// and works no more on it, as on any day after thirteen months. Measuring earlier
// would measure the filling.
func (r *Residence) Rest(ctx context.Context) error {
	return bench.Within(ctx, longestRest, func() error {
		before, err := r.Spent()
		if err != nil {
			return err
		}
		if waits, err := r.unwritten(); err != nil || waits > 0 {
			return errors.Join(err, fmt.Errorf("%d bytes of the write-ahead log wait in InfluxDB", waits), sleep(ctx))
		}
		if err := sleep(ctx); err != nil {
			return err
		}
		after, err := r.Spent()
		if worked := after.InfluxDB - before.InfluxDB; err == nil && worked > busy {
			return fmt.Errorf("InfluxDB still works: %s in %s", worked, glance)
		}
		return err
	})
}

// A look at InfluxDB takes a glance; it is busy where it worked for longer than busy.
const (
	glance = 2 * time.Second
	busy   = 200 * time.Millisecond
)

func sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(glance):
		return nil
	}
}

// unwritten is how many bytes the write-ahead logs hold.
func (r *Residence) unwritten() (bytes int64, err error) {
	err = filepath.WalkDir(r.dir+"/influx/wal", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".wal") {
			return err
		}
		file, err := entry.Info()
		if err == nil {
			bytes += file.Size()
		}
		return err
	})
	return bytes, err
}
