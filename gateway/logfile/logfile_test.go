package logfile_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/gateway/logfile"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

func paris(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func counts(unit metering.Unit) func(metering.MeterID) (metering.Unit, error) {
	return func(id metering.MeterID) (metering.Unit, error) {
		if id == "unknown" {
			return "", errors.New("unknown meter")
		}
		return unit, nil
	}
}

// consumption is a layout of ten-minute consumptions of one meter.
func consumption(zone *time.Location, missing logfile.Missing) logfile.Layout {
	return logfile.Layout{TimeColumn: "time", Column: "energy", Meter: "M1", Zone: zone, Unit: "Wh",
		UnitOf: counts(metering.WattHour), Means: logfile.MeansConsumption, Interval: 10 * time.Minute, Missing: missing,
		Latest: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// read returns "time index" of every reading and the faults.
func read(t *testing.T, l logfile.Layout, text string) (got, faults []string) {
	t.Helper()
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	f, err := logfile.Open(strings.NewReader(text), l)
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := f.Next(nil)
		got = append(got, lines(row)...)
		fault := (*logfile.RowError)(nil)
		switch {
		case errors.Is(err, io.EOF):
			return got, faults
		case errors.As(err, &fault):
			faults = append(faults, fault.Error())
		case err != nil:
			t.Fatal(err)
		}
	}
}

func lines(row []wire.UnitReading) (all []string) {
	for _, r := range row {
		text, _ := wire.AppendPack(nil, wire.Pack{Spool: "s", Seq: 1, Readings: []wire.UnitReading{r}})
		_, number, _ := strings.Cut(string(text), `"v":1},`)
		_, number, _ = strings.Cut(number, `"v":`)
		all = append(all, r.At.Format("0102 15:04 ")+strings.TrimSuffix(number, "}]"))
	}
	return all
}

func TestConsumptionBecomesAnIndex(t *testing.T) {
	for _, tt := range []struct {
		name    string
		missing logfile.Missing
		text    string
		want    []string
	}{
		{"tenths add up", logfile.MissingGap, "2007-01-01T00:00,0.4\n2007-01-01T00:10,0.4\n2007-01-01T00:20,0.4\n",
			[]string{"1231 23:00 0", "1231 23:10 0", "1231 23:20 0", "1231 23:30 1"}},
		{"gap", logfile.MissingGap, "2007-01-01T00:00,5\n2007-01-01T01:00,7\n",
			[]string{"1231 23:00 0", "1231 23:10 5", "0101 00:00 5", "0101 00:10 12"}},
		{"zero", logfile.MissingZero, "2007-01-01T00:00,5\n2007-01-01T00:30,7\n",
			[]string{"1231 23:00 0", "1231 23:10 5", "1231 23:20 5", "1231 23:30 5", "1231 23:40 12"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, faults := read(t, consumption(paris(t), tt.missing), "time,energy\n"+tt.text)
			if diff := cmp.Diff(tt.want, got); diff != "" || faults != nil {
				t.Errorf("faults %v, readings (-want +got):\n%s", faults, diff)
			}
		})
	}
}

func TestLocalTimes(t *testing.T) {
	text := "time,energy\n2007-03-25T01:50,1\n2007-03-25T02:00,1\n2007-03-25T02:50,1\n2007-03-25T03:00,1\n"
	got, faults := read(t, consumption(paris(t), logfile.MissingGap), text)
	if diff := cmp.Diff([]string{"0325 00:50 0", "0325 01:00 1", "0325 01:10 2"}, got); diff != "" {
		t.Error(diff)
	}
	if len(faults) != 2 || !strings.HasPrefix(faults[0], "line 3: ") || !strings.HasPrefix(faults[1], "line 4: ") {
		t.Errorf("faults %q, want lines 3 and 4", faults)
	}

	text = "time,energy\n2007-10-28T01:50,1\n2007-10-28T02:00,1\n2007-10-28T02:50,1\n2007-10-28T02:00,1\n2007-10-28T02:50,1\n"
	got, faults = read(t, consumption(paris(t), logfile.MissingGap), text)
	want := []string{"1027 23:50 0", "1028 00:00 1", "1028 00:10 2", "1028 00:50 2", "1028 01:00 3", "1028 01:10 4", "1028 01:50 4", "1028 02:00 5"}
	if diff := cmp.Diff(want, got); diff != "" || faults != nil {
		t.Errorf("faults %v, hour that comes twice (-want +got):\n%s", faults, diff)
	}
}

func TestIndexOfManyMeters(t *testing.T) {
	l := logfile.Layout{TimeColumn: "t", Column: "m3", MeterColumn: "meter", Zone: time.UTC, Unit: "m3",
		UnitOf: counts(metering.Millilitre), Means: logfile.MeansIndex, Latest: time.Now()}
	got, faults := read(t, l, "meter,t,m3\nA,2020-01-01T00:00Z,1.5\nB,2020-01-01T00:00Z,7\nA,2020-01-01T01:00:00.000Z,1.500001\n")
	want := []string{"0101 00:00 1.500000", "0101 00:00 7.000000", "0101 01:00 1.500001"}
	if diff := cmp.Diff(want, got); diff != "" || faults != nil {
		t.Errorf("faults %v, readings (-want +got):\n%s", faults, diff)
	}
}

func TestBadRows(t *testing.T) {
	for _, tt := range []struct{ name, rows, want string }{
		{"no time", "yesterday,1\n", `line 2: time "yesterday"`},
		{"day that does not exist", "2007-02-30T00:00,1\n", "line 2: time"},
		{"no number", "2007-01-01T00:00,a lot\n", "line 2: column energy"},
		{"negative", "2007-01-01T00:00,-1\n", "line 2: the number is negative"},
		{"too fine", "2007-01-01T00:00,1.00001\n", "line 2: column energy"},
		{"a column too many", "2007-01-01T00:00,1,2\n", "line 2: wrong number of fields"},
		{"twice", "2007-01-01T00:00,1\n2007-01-01T00:00,1\n", "line 3: the row is not after"},
		{"within the interval before", "2007-01-01T00:00,1\n2007-01-01T00:05,1\n", "line 3: the row is not after"},
		{"in the future", "2107-01-01T00:00,1\n", "line 2: time 2107"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := read(t, consumption(paris(t), logfile.MissingGap), "time,energy\n"+tt.rows)
			if len(faults) != 1 || !strings.HasPrefix(faults[0], tt.want) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
		})
	}
}

func TestUnitMustBeTheMeters(t *testing.T) {
	l := consumption(time.UTC, logfile.MissingGap)
	l.Unit = "L"
	_, faults := read(t, l, "time,energy\n2007-01-01T00:00,1\n")
	if len(faults) != 1 || !strings.Contains(faults[0], "counts Wh") {
		t.Errorf("faults %q, want that the meter counts Wh", faults)
	}
	l.Meter = "unknown"
	if _, faults = read(t, l, "time,energy\n2007-01-01T00:00,1\n"); len(faults) != 1 {
		t.Errorf("faults %q, want the unknown meter", faults)
	}
}

func TestMissingColumn(t *testing.T) {
	_, err := logfile.Open(strings.NewReader("when,energy\n"), consumption(time.UTC, logfile.MissingGap))
	if err == nil || !strings.Contains(err.Error(), `no column "time"`) {
		t.Errorf("got %v, want the missing column", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("time,energy\n2007-01-01T00:00,1.5\n2007-10-28 02:00,1e2\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := logfile.Open(strings.NewReader(text), consumption(time.UTC, logfile.MissingGap))
		if err != nil {
			return
		}
		last := metering.Reading{Amount: -1}
		for {
			row, err := file.Next(nil)
			for _, r := range row {
				if r.Amount < last.Amount || !r.At.After(last.At) && last.Amount >= 0 {
					t.Fatalf("%v after %v", r, last)
				}
				last = r.Reading
			}
			if fault := (*logfile.RowError)(nil); err != nil && !errors.As(err, &fault) {
				return
			}
		}
	})
}
