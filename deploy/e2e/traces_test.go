package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/collector/quarantine"
	"github.com/xnetroseraie/xnet/deploy/chaos/ledger"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// counted is how much is stored of a meter.
type counted struct{ readings, powers, hours, days int }

func (e *emptying) stored(t *testing.T, meter metering.MeterID, from, to time.Time) (c counted) {
	t.Helper()
	for quantity, n := range map[metering.Quantity]*int{metering.Index: &c.readings, metering.Power: &c.powers} {
		found, err := e.influx.Readings(t.Context(), []metering.MeterID{meter}, quantity, from, to)
		if err != nil {
			t.Fatal(err)
		}
		*n = len(found[meter])
	}
	for period, n := range map[influx.Period]*int{influx.Hourly: &c.hours, influx.Daily: &c.days} {
		found, err := e.influx.Consumption(t.Context(), period, []metering.MeterID{meter}, from, to)
		if err != nil {
			t.Fatal(err)
		}
		*n = len(found[meter])
	}
	return c
}

// clean returns nil where nothing of the household is left but one reading a
// month of what the charges need, and nothing more can come.
func (e *emptying) clean(t *testing.T, from, to time.Time) error {
	t.Helper()
	var left []error
	if c := e.stored(t, erasedMeter, from, to); c != (counted{}) {
		left = append(left, fmt.Errorf("of %s there is %+v", erasedMeter, c))
	}
	if c := e.stored(t, chargedMeter, from, to); c.readings > 2 || c.hours > 0 || c.days > 0 {
		left = append(left, fmt.Errorf("of %s there is %+v", chargedMeter, c))
	}
	if series := e.series(t); series != "" {
		left = append(left, fmt.Errorf("series of %s are left: %s", erasedMeter, series))
	}
	if n := e.quarantined(t); n > 0 {
		left = append(left, fmt.Errorf("%d packs are left in the quarantine", n))
	}
	if n := e.inSpool(t); n > 0 {
		left = append(left, fmt.Errorf("%d readings are left in the spool", n))
	}
	return errors.Join(append(left, zero(e.figures, "xnet_gateway_spool_packs"))...)
}

// An answered is a series of InfluxDB's answer to an InfluxQL query.
type answered struct {
	Columns []string
	Values  [][]any
}

// ask has InfluxDB itself answer a query.
func (e *emptying) ask(t *testing.T, database, query string) []answered {
	t.Helper()
	response, err := http.Get(e.system.influx.URL + "/query?" + url.Values{"db": {database}, "q": {query}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Results []struct {
			Series []answered
			Error  string
		}
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	if err = errors.Join(err, response.Body.Close()); err != nil || len(answer.Results) != 1 || answer.Results[0].Error != "" {
		t.Fatalf("%s in %s: %+v, %v", query, database, answer, err)
	}
	return answer.Results[0].Series
}

// series asks InfluxDB itself, in every database, what it knows of the erased
// meter.
func (e *emptying) series(t *testing.T) string {
	t.Helper()
	var found []string
	for _, bucket := range []string{"readings", "hourly", "daily"} {
		for _, s := range e.ask(t, "xnet_"+bucket, fmt.Sprintf("SHOW SERIES WHERE meter = '%s'", erasedMeter)) {
			found = append(found, fmt.Sprint(bucket, s.Values))
		}
	}
	return strings.Join(found, " ")
}

// quarantined counts the packs of the quarantine.
func (e *emptying) quarantined(t *testing.T) int {
	t.Helper()
	q, err := quarantine.Browse(e.path("quarantine"))
	if err != nil {
		t.Fatal(err)
	}
	names, err := q.Names()
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// inSpool counts the household's readings in the bytes of the gateway's spool,
// answered or not.
func (e *emptying) inSpool(t *testing.T) (n int) {
	t.Helper()
	written, err := ledger.OnDisk(e.spool)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range written.Readings {
		if r.Meter == erasedMeter || marked(r.Amount) {
			n++
		}
	}
	return n
}

// markedText is a marked index as text stands in files.
var markedText = regexp.MustCompile(`(^|[^0-9A-Za-z])7[38]100[0-9]{5}([^0-9A-Za-z]|$)`)

// checkFiles looks for the marked indexes in every file of the system but those
// of InfluxDB.
func (e *emptying) checkFiles(t *testing.T) {
	t.Helper()
	looked := 0
	err := filepath.WalkDir(e.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".csv" { // the test's own
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		looked++
		for _, at := range markedText.FindAllIndex(text, 3) {
			t.Errorf("%s holds %q", path, text[max(at[0]-40, 0):min(at[1]+40, len(text))])
		}
		return err
	})
	if err != nil || looked < 8 {
		t.Errorf("looked into %d files, %v", looked, err)
	}
}

// naming counts the data files of InfluxDB that name the erased meter. One that
// does not has no block of it.
func (e *emptying) naming(t *testing.T) (n int) {
	t.Helper()
	var dir string
	for _, row := range e.ask(t, "", `SHOW DIAGNOSTICS FOR 'config-data'`) {
		dir = fmt.Sprint(row.Values[0][slices.Index(row.Columns, "dir")])
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".tsm" {
			var text []byte
			if text, err = os.ReadFile(path); bytes.Contains(text, fmt.Appendf(nil, ",meter=%s#", erasedMeter)) {
				n++
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // compacted away meanwhile
		}
		return err
	})
	if err != nil {
		t.Fatalf("data files of influxdb in %s: %v", dir, err)
	}
	return n
}
