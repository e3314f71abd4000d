package influx_test

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What is exported and imported elsewhere is the same, over several shards, and
// importing it twice changes nothing.
func TestExportAndImport(t *testing.T) {
	from, other := influxtest.Open(t), influxtest.Open(t)
	var readings []metering.Reading
	for i := range 40 {
		at := start.Add(time.Duration(i) * 24 * time.Hour)
		readings = append(readings,
			metering.Reading{Meter: "M1", Quantity: metering.Index, At: at, Amount: metering.Amount(100 * i)},
			metering.Reading{Meter: "M1", Quantity: metering.Flow, At: at, Amount: metering.Amount(i)},
			metering.Reading{Meter: "T.2_x-y", Quantity: metering.Celsius, At: at.Add(time.Millisecond), Amount: metering.Amount(-i)})
	}
	days := []influx.Consumption{{Meter: "M1", Start: start, Index: 100, Used: 100, Quality: metering.Estimated},
		{Meter: "M1", Start: start.AddDate(3, 0, 0), Index: 1<<62 + 1, Used: -5, Quality: metering.Measured}}
	if err := errors.Join(from.WriteReadings(t.Context(), readings), from.WriteConsumption(t.Context(), influx.Daily, days)); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, name := range influx.Archived() {
		var text bytes.Buffer
		points, err := from.Export(t.Context(), &text, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		total += points
		if lines := strings.Count(text.String(), "\n"); lines != points {
			t.Errorf("%s: %d lines, %d points told", name, lines, points)
		}
		for range 2 {
			written, leftOut, err := other.Import(t.Context(), bytes.NewReader(text.Bytes()), name, nil)
			if err != nil || written != points || leftOut != 0 {
				t.Errorf("import of %s: %d written, %d left out, %v; want %d", name, written, leftOut, err, points)
			}
		}
		var again bytes.Buffer
		if _, err := other.Export(t.Context(), &again, name, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text.String(), again.String()); diff != "" {
			t.Errorf("%s exported again (-want +got):\n%s", name, diff)
		}
	}
	if want := len(readings) + 3*len(days); total != want {
		t.Errorf("%d points exported, want %d", total, want)
	}
	got, err := other.EveryReading(t.Context(), "T.2_x-y", start, start.AddDate(1, 0, 0))
	if err != nil || len(got) != 40 || got[39].Amount != -39 {
		t.Errorf("readings afterwards: %d, %v", len(got), err)
	}
}

// What is older than the bucket keeps is counted, not refused.
func TestImportLeavesOutWhatIsNotKept(t *testing.T) {
	c := influxtest.Config(t)
	c.Keep = influx.Retention{Readings: 400, Hourly: 731, Daily: 1096}
	client := influxtest.OpenWith(t, c)
	now := time.Now().Truncate(time.Millisecond)
	archive := "reading,meter=M index=1i 1000\nreading,meter=M index=2i " + strconv.FormatInt(now.UnixMilli(), 10) + "\n"
	written, leftOut, err := client.Import(t.Context(), strings.NewReader(archive), "readings", nil)
	if err != nil || written != 1 || leftOut != 1 {
		t.Errorf("written %d, left out %d, %v; want 1 and 1", written, leftOut, err)
	}
}

func TestImportRefusesOtherLines(t *testing.T) {
	client := influxtest.Open(t)
	for _, line := range []string{"", "reading,meter=M index=1i", "reading,meter=M index=1 1000", "reading,meter=M index=1i 1000 2", "reading,meter= index=1i 1000",
		"reading,meter=M,x=y index=1i 1000", `reading,meter=M\ a index=1i 1000`, "reading,meter=M price=1i 1000", "consumption,meter=M index=1i 1000",
		"reading,meter=M index=9223372036854775808i 1000", "reading,meter=M index=1i 1e3", "reading,meter=M index=1i,flow=2i 1000"} {
		if _, _, err := client.Import(t.Context(), strings.NewReader("reading,meter=M index=1i 1000\n"+line+"\n"), "readings", nil); !errors.Is(err, influx.ErrArchive) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, want %v", line, err, influx.ErrArchive)
		}
	}
	if _, _, err := client.Import(t.Context(), strings.NewReader(""), "years", nil); err == nil || !strings.Contains(err.Error(), "years") {
		t.Errorf("unknown bucket: %v", err)
	}
	if _, err := client.Export(t.Context(), &bytes.Buffer{}, "years", nil); err == nil || !strings.Contains(err.Error(), "years") {
		t.Errorf("unknown bucket: %v", err)
	}
}

func TestExportOfNothing(t *testing.T) {
	c := influxtest.Config(t)
	client, err := influx.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Export(t.Context(), &bytes.Buffer{}, "readings", nil); !errors.Is(err, influx.ErrAbsent) {
		t.Errorf("before the buckets are made: %v, want %v", err, influx.ErrAbsent)
	}
	empty := influxtest.OpenWith(t, c)
	if points, err := empty.Export(t.Context(), &bytes.Buffer{}, "hourly", nil); err != nil || points != 0 {
		t.Errorf("empty bucket: %d points, %v", points, err)
	}
}

func TestMetersOfAFluxAnswer(t *testing.T) {
	got, err := influx.ReadMeters(",result,table,_value\r\n,_result,0,M1\r\n,_result,0,M2\r\n\r\n")
	if diff := cmp.Diff([]metering.MeterID{"M1", "M2"}, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	if _, err := influx.ReadMeters("error,reference\r\nbroken,7\r\n"); !errors.Is(err, influx.ErrTemporary) {
		t.Errorf("an answer that broke off: %v", err)
	}
}
