package influx_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// What was erased leaves the files too, as soon as InfluxDB writes them anew: at once
// what is still in its log, and the rest when nothing was written for
// compact-full-write-cold-duration. The file of names (_series) keeps a meter's id,
// which tells nothing.
func TestErasedReadingsLeaveTheFiles(t *testing.T) {
	t.Setenv("INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION", "1s")
	t.Setenv("INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION", "2s")
	influxtest.Is18(t)
	server := testkit.Influx(t)
	c := influx.DefaultConfig()
	c.URL, c.Keep, c.Prefix = server.URL, influx.Retention{}, "files"
	client := influxtest.OpenWith(t, c)
	const goes, stays = "meter-that-goes", "meter-that-stays"
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var all []metering.Reading
	for i := range 2000 {
		for _, m := range []metering.MeterID{goes, stays} {
			all = append(all, metering.Reading{Meter: m, Quantity: metering.Index, At: begin.Add(time.Duration(i) * time.Minute), Amount: metering.Amount(i * 7)})
		}
	}
	if err := client.WriteReadings(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return inFiles(t, server.Folder(), ".tsm", map[string]bool{goes: true, stays: true}) })
	if err := client.Erase(t.Context(), []metering.MeterID{goes}, begin, begin.AddDate(0, 0, 7)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return inFiles(t, server.Folder(), ".tsm", map[string]bool{goes: false, stays: true}) })
	eventually(t, func() error { return inFiles(t, server.Folder(), ".wal", map[string]bool{goes: false}) })
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	testkit.Eventually(t, time.Minute, check)
}

// inFiles fails unless the files of an ending hold the words as wanted.
func inFiles(t *testing.T, folder, ending string, wanted map[string]bool) error {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ending {
			return err
		}
		text, err := os.ReadFile(path)
		for word := range wanted {
			found[word] = found[word] || bytes.Contains(text, []byte(word))
		}
		return err
	})
	if err != nil {
		return err // a file that was replaced meanwhile
	}
	for word, want := range wanted {
		if found[word] != want {
			return fmt.Errorf("%s in a %s file: %v, want %v", word, ending, found[word], want)
		}
	}
	return nil
}
