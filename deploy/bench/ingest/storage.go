package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

const (
	storageDays   = 56
	mostBytesEach = 5
)

// soon lets InfluxDB do at once what it does when a shard has not been written to
// for hours: write its cache out and compact all its files into one.
var soon = []string{"INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION=1s", "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION=1s"}

// storage writes eight weeks of a residence, read every ten minutes, and divides
// the size of the data files after full compaction by the readings.
func (c *commands) storage(ctx context.Context) ([]bench.Row, error) {
	s, err := c.newSystem(ctx, soon...)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	store, err := s.store()
	if err != nil {
		return nil, err
	}
	defer store.Close()
	readings := residence(time.Now().UTC())
	if err := store.WriteReadings(ctx, readings); err != nil {
		return nil, err
	}
	size, files, err := s.compacted(ctx)
	if err != nil {
		return nil, err
	}
	each := float64(size) / float64(len(readings))
	return []bench.Row{bench.New(bench.Row{Bench: "storage", Ours: each, Unit: "bytes a reading",
		Note: fmt.Sprintf("%d readings of a residence, instants as a bus gives them, %d data files of %d bytes", len(readings), files, size)},
		bench.AtMost(mostBytesEach, "bytes a reading"))}, nil
}

// residence is what the meters of the simulated residence show, every ten
// minutes, a meter after the other as a bus reads them.
func residence(now time.Time) []metering.Reading {
	r := household.New(1, civil.DateOf(now).AddDays(-storageDays-1))
	from := r.Epoch.Start(r.Zone).UTC()
	r.Warm(now)
	var readings []metering.Reading
	place := map[metering.GatewayID]int{}
	for _, m := range r.Meters() {
		if m.Kind == metering.Temperature {
			continue
		}
		n := place[m.Gateway]
		place[m.Gateway]++
		for i := range storageDays * 24 * 6 {
			at := from.Add(time.Duration(i)*interval + time.Duration(25*n+(11*n+7*i)%9)*time.Millisecond)
			if m.HangsAt(at) {
				readings = append(readings, metering.Reading{Meter: m.ID, Quantity: metering.Index, At: at, Amount: r.Register(m, at)})
			}
		}
	}
	return readings
}

// compacted waits until every shard has one data file and no more changes, and
// returns their size.
func (s *system) compacted(ctx context.Context) (size int64, files int, err error) {
	steady := 0
	err = bench.Within(ctx, 3*time.Minute, func() error {
		before, was := size, files
		shards := map[string]int{}
		if size, files, err = s.dataFiles(shards); err != nil {
			return err
		}
		for shard, n := range shards {
			if n != 1 {
				steady = 0
				return fmt.Errorf("%s has %d data files", shard, n)
			}
		}
		if before == size && was == files && files > 0 {
			steady++
		} else {
			steady = 0
		}
		if steady < 200 { // five seconds
			return errors.New("the data files still change")
		}
		return nil
	})
	return size, files, err
}

// dataFiles sums the data files of the bucket of readings, and counts them by
// shard.
func (s *system) dataFiles(shards map[string]int) (size int64, files int, err error) {
	folder := filepath.Join(s.data(), "data", "xnet_readings", "autogen")
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // compacted away meanwhile
		}
		if err != nil || !strings.HasSuffix(path, ".tsm") {
			return err
		}
		file, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		shards[filepath.Base(filepath.Dir(path))]++
		files++
		size += file.Size()
		return nil
	})
	return size, files, err
}
