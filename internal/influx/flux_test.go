package influx_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var literal = regexp.MustCompile(`^"(?:[A-Za-z0-9._/-]|\\x[0-9a-f]{2})*"$`)

// FuzzFluxString holds that no text can end its literal, and that the literal
// says the text.
func FuzzFluxString(f *testing.F) {
	for _, text := range []string{"", "M1", `") or (r.meter != "`, "${1+1}", `\`, "é\n\x00", "xnet_readings/autogen"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := influx.FluxString(text)
		if !literal.MatchString(got) {
			t.Fatalf("%q became %s", text, got)
		}
		back := regexp.MustCompile(`\\x..`).ReplaceAllStringFunc(got[1:len(got)-1], func(hex string) string {
			var c byte
			if _, err := fmt.Sscanf(hex, `\x%02x`, &c); err != nil {
				t.Fatal(err)
			}
			return string([]byte{c})
		})
		if back != text {
			t.Errorf("%q became %q", text, back)
		}
	})
}

func TestRangeEndsBeforeItsStop(t *testing.T) {
	got := influx.FluxRange(start, start.Add(time.Hour))
	want := "range(start: 2026-03-01T00:00:00Z, stop: 2026-03-01T00:59:59.999999999Z)"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNoQueryForMetersThatCannotBe(t *testing.T) {
	client := influxtest.Open(t)
	_, err := client.Readings(t.Context(), []metering.MeterID{`x" or true`}, metering.Index, start, start.Add(time.Hour))
	if err == nil || !strings.Contains(err.Error(), "meter") {
		t.Errorf("got %v", err)
	}
	got, err := client.Readings(t.Context(), []metering.MeterID{"M1"}, metering.Index, start, start)
	if err != nil || len(got) != 0 {
		t.Errorf("empty range: %v, %v", got, err)
	}
}

func TestDecode(t *testing.T) {
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	header := ",result,table,_time,_value,_field,meter\r\n"
	for _, tt := range []struct {
		name, text string
		want       []metering.Reading
		fault      string
	}{
		{name: "nothing", text: "\r\n"},
		{name: "two tables", text: header + ",_result,0,2026-03-01T10:20:30Z,-5,index,M1\r\n,_result,1,2026-03-01T10:20:30.25Z,7,power,M2\r\n\r\n",
			want: []metering.Reading{{Meter: "M1", Quantity: "index", At: at("2026-03-01T10:20:30Z"), Amount: -5},
				{Meter: "M2", Quantity: "power", At: at("2026-03-01T10:20:30.25Z"), Amount: 7}}},
		{name: "columns in another order", text: header + ",_result,0,2026-03-01T00:00:00Z,1,index,M1\r\n\r\n,result,table,meter,_field,_value,_time\r\n,_result,0,M1,index,2,2026-03-02T00:00:00Z\r\n",
			want: []metering.Reading{{Meter: "M1", Quantity: "index", At: at("2026-03-01T00:00:00Z"), Amount: 1},
				{Meter: "M1", Quantity: "index", At: at("2026-03-02T00:00:00Z"), Amount: 2}}},
		{name: "an error in the middle", text: header + ",_result,0,2026-03-01T00:00:00Z,1,index,M1\r\n\r\nerror,reference\r\n\"out of memory, sorry\",\r\n", fault: "out of memory, sorry"},
		{name: "not a number", text: header + ",_result,0,2026-03-01T00:00:00Z,1.5,index,M1\r\n", fault: "not understood"},
		{name: "not an instant", text: header + ",_result,0,yesterday,1,index,M1\r\n", fault: "not understood"},
		{name: "not an answer", text: "<html>\r\n", fault: "not understood"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := influx.Decode(tt.text)
			if (err == nil) != (tt.fault == "") || !strings.Contains(fmt.Sprint(err), tt.fault) {
				t.Fatalf("error %v, want %q", err, tt.fault)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := influx.Decode("error,reference\r\nboom,\r\n"); !errors.Is(err, influx.ErrTemporary) {
		t.Errorf("error of the server: %v, want temporary", err)
	}
}

// FuzzMillis holds the reader of instants against that of the standard library.
func FuzzMillis(f *testing.F) {
	for _, text := range []string{"2026-03-01T10:20:30Z", "2024-02-29T23:59:59.999999999Z", "1969-12-31T23:59:59.5Z", "2026-03-01T10:20:30,5Z", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := influx.Millis(text)
		want, err := time.Parse(time.RFC3339Nano, text)
		if ok && (err != nil || got != floorMillis(want)) {
			t.Errorf("%q: got %d, want %v, %v", text, got, want, err)
		}
		if !ok && err == nil && want.Nanosecond() == 0 && text == want.UTC().Format(time.RFC3339) {
			t.Errorf("%q was refused", text)
		}
	})
}

// floorMillis cuts finer digits off before the instant is counted from 1970.
func floorMillis(at time.Time) int64 { return at.Truncate(time.Millisecond).UnixMilli() }

// FuzzDecode holds that no answer makes the decoder fail otherwise than by an
// error.
func FuzzDecode(f *testing.F) {
	f.Add(",result,table,_time,_value,_field,meter\r\n,_result,0,2026-03-01T10:20:30Z,-5,index,M1\r\n")
	f.Add("error,reference\r\n\"\",\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		rs, err := influx.Decode(text)
		if err != nil && rs != nil {
			t.Errorf("rows %v beside error %v", rs, err)
		}
	})
}
