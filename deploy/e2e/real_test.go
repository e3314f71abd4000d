package e2e_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influxd"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// realData is the folder of real measurements, which are not part of the
// product: XNET_DATA, or the one beside the checkout.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("XNET_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no folder of real measurements at %s: name it in XNET_DATA", dir)
	}
	return dir
}

// home is the list of a residence of one flat with one meter of each id.
func home(site, zone string, meters map[string]string) map[string]any {
	var points []any
	for _, id := range slices.Sorted(maps.Keys(meters)) {
		points = append(points, map[string]any{"id": site + "." + id, "kind": meters[id], "meters": []any{map[string]any{
			"id": id, "gateway": "gw-" + site, "interval": "10m", "index_modulus": 0, "max_per_hour": 0,
			"resolution": "fine", "from": "2000-01-01T00:00:00Z"}}})
	}
	return map[string]any{
		"residence": map[string]any{"id": site, "name": site, "zone": zone, "earliest": "2000-01-01T00:00:00Z"},
		"gateways":  []any{map[string]any{"id": "gw-" + site}},
		"dwellings": []any{map[string]any{"id": site, "building": "A", "staircase": "1", "label": "1", "floor": 0, "rooms": 3, "area_m2": 60,
			"households": []any{map[string]any{"id": "h-" + site, "occupants": 1, "language": "fr", "moved_in": "2001-01-01",
				"consents": []any{"daily_follow_up", "fine_curve"},
				"persons":  []any{map[string]any{"id": "p-" + site, "name": "Test"}}}},
			"points": points}},
	}
}

// A logger is a gateway without buses, to which files are imported.
type logger struct {
	system *system
	config string
	addr   string
}

func newLogger(t *testing.T, s *system, site, zone string, meters map[string]string) *logger {
	t.Helper()
	addr, err := influxd.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	var imported []any
	for id, kind := range meters {
		imported = append(imported, map[string]any{"id": id, "kind": kind, "resolution": "fine"})
	}
	config := s.write(t, "gw-"+site+".yaml", map[string]any{"site": site, "gateway": "gw-" + site, "zone": zone,
		"broker": map[string]any{"url": s.broker.URL}, "spool": map[string]any{"dir": s.path("spool-" + site), "max_mb": 64},
		"clock": map[string]any{"trust": "always"}, "figures": addr, "imported": imported})
	return &logger{system: s, config: config, addr: addr}
}

// send imports a file and runs the gateway until everything is stored and rolled
// up. It returns what the import said.
func (l *logger) send(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := once(t, "gateway", append([]string{"--config", l.config, "import"}, args...)...)
	if err != nil {
		t.Fatalf("import: %v\n%s", err, stderr)
	}
	stop := start(t, "gateway", "--config", l.config, "run")
	testkit.Eventually(t, 2*time.Minute, func() error { return zero(l.addr, "xnet_gateway_spool_packs") })
	testkit.Eventually(t, 2*time.Minute, func() error { return zero(l.system.collector, "xnet_collector_rollup_pending_meters") })
	stop()
	return stdout + stderr
}

func zero(addr, name string) error {
	n, err := figure(addr, name)
	if err == nil && n != 0 {
		err = fmt.Errorf("%s is %v", name, n)
	}
	return err
}

// A sample is one row of a real file: thousandths of a base unit by local time.
type sample struct {
	local string // 2007-03-25T02:10 or with Z
	milli int64
}

// samples reads two columns of a file exactly.
func samples(t *testing.T, file, column string) (all []sample) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], column)
	for _, row := range rows[1:] {
		whole, fraction, _ := strings.Cut(row[at], ".")
		n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
		if err != nil || len(fraction) > 3 {
			t.Fatalf("%s: %v", row, err)
		}
		all = append(all, sample{local: row[0], milli: n})
	}
	return all
}

var electricityArgs = []string{"--meter", "EL", "--column", "energy_wh", "--unit", "Wh", "--means", "consumption",
	"--interval", "10m", "--missing", "gap", "--zone", "Europe/Paris"}

func TestRealElectricity(t *testing.T) {
	file := filepath.Join(realData(t), "electricity_sceaux_2007.csv")
	meters := map[string]string{"EL": "electricity"}
	s := newSystem(t, home("sceaux", "Europe/Paris", meters))
	l := newLogger(t, s, "sceaux", "Europe/Paris", meters)

	_, stderr, err := once(t, "gateway", append(append([]string{"--config", l.config, "import"}, electricityArgs...), file)...)
	if err == nil {
		t.Fatal("times that did not exist were imported")
	}
	checkRefused(t, file, stderr)

	args := append(append([]string{}, electricityArgs...), "--skip-rejected", file)
	l.send(t, args...)
	want := map[string]int64{}
	rows := 0
	for _, x := range samples(t, file, "energy_wh") {
		if strings.HasPrefix(x.local, "2007-03-25") && !strings.HasPrefix(x.local, "2007-03-25T02") {
			rows++
		}
		if !strings.HasPrefix(x.local, "2007-03-25T02") {
			want[x.local[:10]] += x.milli
		}
	}
	if rows != 138 {
		t.Fatalf("the day of 23 hours has %d other rows, want 138", rows)
	}
	v := s.signIn(t, "p-sceaux")
	got := v.daily(t, "electricity", "2007-01-01", "2007-05-01")
	checkDays(t, want, got, 1000)

	before := countReadings(t, s, "EL")
	l.send(t, args...) // a second time: nothing changes
	if diff := cmp.Diff(got, v.daily(t, "electricity", "2007-01-01", "2007-05-01")); diff != "" {
		t.Errorf("days after the second import (-first +second):\n%s", diff)
	}
	if after := countReadings(t, s, "EL"); after != before || before == 0 {
		t.Errorf("%d readings after the second import, %d before", after, before)
	}
}

// checkRefused demands that exactly the lines of the hour that did not exist are
// named.
func checkRefused(t *testing.T, file, stderr string) {
	t.Helper()
	var want, got []string
	for i, x := range samples(t, file, "energy_wh") {
		if strings.HasPrefix(x.local, "2007-03-25T02") {
			want = append(want, fmt.Sprintf("line %d", i+2))
		}
	}
	for line := range strings.Lines(stderr) {
		if _, fault, ok := strings.Cut(line, ".csv: line "); ok {
			number, _, _ := strings.Cut(fault, ":")
			got = append(got, "line "+number)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 6 {
		t.Errorf("refused lines (-want +got):\n%s\n%s", diff, stderr)
	}
}

// checkDays holds the API's days against sums of thousandths. They may differ by
// less than slack thousandths, and must not drift: neither may their totals.
func checkDays(t *testing.T, want map[string]int64, got map[string]day, slack int64) {
	t.Helper()
	var wantTotal, gotTotal int64
	for _, date := range slices.Sorted(maps.Keys(want)) {
		d, ok := got[date]
		if off := d.used()*1000 - want[date]; !ok || off >= slack || off <= -slack {
			t.Errorf("%s: the API says %d (%v), the file sums to %.1f", date, d.used(), ok, float64(want[date])/1000)
		}
		wantTotal, gotTotal = wantTotal+want[date], gotTotal+d.used()*1000
	}
	for date, d := range got {
		if _, ok := want[date]; !ok && d.used() != 0 {
			t.Errorf("%s: the API says %d, the file has no row", date, d.used())
		}
	}
	if off := gotTotal - wantTotal; off >= slack || off <= -slack {
		t.Errorf("%d days sum to %d, the file to %.1f", len(want), gotTotal/1000, float64(wantTotal)/1000)
	}
	t.Logf("real-input: %d days agree, %d in all", len(want), gotTotal/1000)
}

func countReadings(t *testing.T, s *system, meter metering.MeterID) int {
	t.Helper()
	return len(readings(t, s, meter, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Now()))
}

func readings(t *testing.T, s *system, meter metering.MeterID, from, to time.Time) []metering.Reading {
	t.Helper()
	config := influx.DefaultConfig()
	config.URL = s.influx.URL
	c, err := influx.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Readings(t.Context(), []metering.MeterID{meter}, metering.Index, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return all[meter]
}

func TestRealWater(t *testing.T) {
	file := filepath.Join(realData(t), "water_naples_2019.csv")
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	meters := map[string]string{"CW": "cold_water"}
	s := newSystem(t, home("naples", "Europe/Rome", meters))
	l := newLogger(t, s, "naples", "Europe/Rome", meters)
	args := []string{"--meter", "CW", "--time-column", "time_utc", "--column", "total_ml", "--unit", "mL",
		"--means", "consumption", "--interval", "10m", "--missing", "zero", file}
	l.send(t, args...)
	want := map[string]int64{}
	for _, x := range samples(t, file, "total_ml") {
		at, err := time.Parse("2006-01-02T15:04Z07:00", x.local)
		if err != nil {
			t.Fatal(err)
		}
		want[civil.DateIn(at, zone).String()] += x.milli
	}
	v := s.signIn(t, "p-naples")
	got := v.daily(t, "cold_water", "2019-03-01", "2019-11-01")
	checkDays(t, want, got, 1) // whole millilitres: exact
	l.send(t, args...)
	if diff := cmp.Diff(got, v.daily(t, "cold_water", "2019-03-01", "2019-11-01")); diff != "" {
		t.Errorf("days after the second import (-first +second):\n%s", diff)
	}
}

// TestRealElectricityAsAnIndexWithHoles: what a meter shows is the truth even
// where nobody looked.
func TestRealElectricityAsAnIndexWithHoles(t *testing.T) {
	const seed = 20260301
	chance := rand.New(rand.NewPCG(seed, 0))
	file := filepath.Join(realData(t), "electricity_sceaux_2007.csv")
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	index := indexes(t, file, zone)
	from := time.Date(2007, 2, 9, 23, 0, 0, 0, time.UTC).Add(time.Duration(chance.IntN(10*144)) * 10 * time.Minute)
	to := from.Add(38 * time.Hour)
	kept := map[time.Time]int64{}
	text := "time,index_wh\n"
	for _, at := range slices.SortedFunc(maps.Keys(index), time.Time.Compare) {
		if !at.Before(from) && at.Before(to) || chance.IntN(20) == 0 {
			continue
		}
		kept[at] = index[at]
		text += fmt.Sprintf("%s,%d\n", at.Format(time.RFC3339), index[at])
	}
	meters := map[string]string{"EL": "electricity"}
	s := newSystem(t, home("sceaux", "Europe/Paris", meters))
	l := newLogger(t, s, "sceaux", "Europe/Paris", meters)
	holed := s.path("holes.csv")
	if err := os.WriteFile(holed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.send(t, "--meter", "EL", "--column", "index_wh", "--unit", "Wh", "--means", "index", holed)
	got := s.signIn(t, "p-sceaux").daily(t, "electricity", "2007-01-01", "2007-05-01")
	checkHoles(t, kept, got, zone)
	checkEstimated(t, kept, got, from, to, zone)
	t.Logf("real-input: seed %d, %d of %d readings kept, none from %s to %s", seed, len(kept), len(index), from, to)
}

// indexes accumulates the file into what a meter would have shown.
func indexes(t *testing.T, file string, zone *time.Location) map[time.Time]int64 {
	t.Helper()
	index, sum := map[time.Time]int64{}, int64(0)
	for _, x := range samples(t, file, "energy_wh") {
		if strings.HasPrefix(x.local, "2007-03-25T02") {
			continue
		}
		at, err := time.ParseInLocation("2006-01-02T15:04", x.local, zone)
		if err != nil {
			t.Fatal(err)
		}
		if len(index) == 0 {
			index[at.UTC()] = 0
		}
		sum += x.milli
		index[at.UTC().Add(10*time.Minute)] = sum / 1000
	}
	return index
}

// checkHoles demands that between any two midnights at which the meter was read,
// whatever lies between, the days sum to the difference of the indexes.
func checkHoles(t *testing.T, kept map[time.Time]int64, got map[string]day, zone *time.Location) {
	t.Helper()
	var sum, spans int64
	last := int64(-1)
	for date := (civil.Date{Year: 2007, Month: 1, Day: 1}); date.Before(civil.Date{Year: 2007, Month: 5, Day: 1}); date = date.AddDays(1) {
		if index, read := kept[date.Start(zone).UTC()]; read {
			if last >= 0 && sum != index-last {
				t.Errorf("the days up to %s sum to %d, the indexes differ by %d", date, sum, index-last)
			}
			last, sum = index, 0
			spans++
		}
		sum += got[date.String()].used()
	}
	if spans < 90 {
		t.Errorf("%d midnights were read, want most of 120", spans)
	}
}

// checkEstimated demands that a day is measured where its two midnights were
// read, or had readings within fifteen minutes on both sides, and else
// estimated; the long hole from from to to must make at least two.
func checkEstimated(t *testing.T, kept map[time.Time]int64, got map[string]day, from, to time.Time, zone *time.Location) {
	t.Helper()
	near := func(at time.Time, step time.Duration) bool {
		_, read := kept[at.Add(step)]
		return read
	}
	measured := func(at time.Time) bool {
		at = at.UTC()
		return near(at, 0) || near(at, -10*time.Minute) && near(at, 10*time.Minute)
	}
	inside := 0
	for date, d := range got {
		parsed, err := civil.ParseDate(date)
		if err != nil {
			t.Fatal(err)
		}
		start, end := parsed.Bounds(zone)
		want := "estimated"
		if measured(start) && measured(end) {
			want = "measured"
		}
		if d.Quality != want {
			t.Errorf("%s is %s, want %s", date, d.Quality, want)
		}
		if start.Before(to) && end.After(from) && want == "estimated" {
			inside++
		}
	}
	if inside < 2 {
		t.Errorf("%d days inside the hole are estimated, want at least 2", inside)
	}
}
