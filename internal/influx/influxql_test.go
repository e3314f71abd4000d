package influx_test

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A chunk of an answer as InfluxDB 1.8 sends it.
func chunk(meter, columns, rows string, more bool) string {
	partial := ""
	if more {
		partial = `,"partial":true`
	}
	return fmt.Sprintf(`{"results":[{"statement_id":0,"series":[{"name":"reading","tags":{"meter":%q},"columns":[%s],"values":[%s]%s}]%s}]}`+"\n",
		meter, columns, rows, partial, partial)
}

func TestDecodeInfluxQL(t *testing.T) {
	const one = `"time","index"`
	at := func(ms int64, m metering.MeterID, q metering.Quantity, n metering.Amount) metering.Reading {
		return metering.Reading{Meter: m, Quantity: q, At: time.UnixMilli(ms).UTC(), Amount: n}
	}
	for _, tt := range []struct {
		name, text string
		want       []metering.Reading
		fault      string
	}{
		{name: "nothing", text: `{"results":[{"statement_id":0}]}` + "\n"},
		{name: "two chunks", text: chunk("M1", one, "[-5,7],[0,9223372036854775807]", true) + chunk("M2", one, "[1772360430250,-9223372036854775808]", false),
			want: []metering.Reading{at(-5, "M1", "index", 7), at(0, "M1", "index", math.MaxInt64), at(1772360430250, "M2", "index", math.MinInt64)}},
		{name: "a field that some points lack", text: chunk("M1", `"time","index","power"`, "[1,2,null],[3,null,4]", false),
			want: []metering.Reading{at(1, "M1", "index", 2), at(3, "M1", "power", 4)}},
		{name: "an error in the middle", text: chunk("M1", one, "[1,2]", true) + `{"results":[{"statement_id":0,"error":"out of memory, sorry"}]}`, fault: "out of memory, sorry"},
		{name: "an error of all", text: `{"error":"timeout"}`, fault: "timeout"},
		{name: "no database", text: `{"results":[{"error":"database not found: t1_readings"}]}`, fault: influx.ErrAbsent.Error()},
		{name: "cut between chunks", text: chunk("M1", one, "[1,2]", true), fault: "unexpected EOF"},
		{name: "cut within a chunk", text: chunk("M1", one, "[1,2]", false)[:60], fault: "unexpected EOF"},
		{name: "empty", text: "", fault: "unexpected EOF"},
		{name: "not a whole number", text: chunk("M1", one, "[1,2.5]", false), fault: "not understood"},
		{name: "a power of ten", text: chunk("M1", one, "[1,2e3]", false), fault: "not understood"},
		{name: "a text", text: chunk("M1", one, `[1,"2"]`, false), fault: "not understood"},
		{name: "no instant", text: chunk("M1", one, "[null,2]", false), fault: "not understood"},
		{name: "a cell too few", text: chunk("M1", one, "[1]", false), fault: "not understood"},
		{name: "a cell too many", text: chunk("M1", one, "[1,2,3]", false), fault: "not understood"},
		{name: "no time", text: chunk("M1", `"index","power"`, "[1,2]", false), fault: "not understood"},
		{name: "not an answer", text: "<html>", fault: "not understood"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := influx.DecodeInfluxQL(tt.text)
			if (err == nil) != (tt.fault == "") || !strings.Contains(fmt.Sprint(err), tt.fault) {
				t.Fatalf("error %v, want %q", err, tt.fault)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if err != nil && tt.fault != "not understood" && !errors.Is(err, influx.ErrTemporary) {
				t.Errorf("%v, want temporary", err)
			}
		})
	}
}

// FuzzDecodeInfluxQL holds that no answer makes the decoder fail otherwise than
// by an error.
func FuzzDecodeInfluxQL(f *testing.F) {
	f.Add(chunk("M1", `"time","index"`, "[1,2],[3,null]", true) + chunk("M1", `"time","index"`, "", false))
	f.Add(`{"results":[{"series":[{"columns":["time","a"],"values":[[`)
	f.Fuzz(func(t *testing.T, text string) {
		rs, err := influx.DecodeInfluxQL(text)
		if err != nil && rs != nil {
			t.Errorf("rows %v beside error %v", rs, err)
		}
	})
}

var (
	influxqlLiteral = regexp.MustCompile(`^'(?:[^'\\\n]|\\['\\n])*'$`)
	influxqlName    = regexp.MustCompile(`^"(?:[^"\\\n]|\\["\\n])*"$`)
)

// FuzzInfluxqlString holds that no text can end its literal or its name.
func FuzzInfluxqlString(f *testing.F) {
	for _, text := range []string{"", "M1", `' OR 1=1 --`, `\`, `\'`, "a\nb", `x"; DROP DATABASE "y`, "é\x00"} {
		f.Add(text)
	}
	back := strings.NewReplacer(`\\`, `\`, `\'`, "'", `\"`, `"`, `\n`, "\n")
	f.Fuzz(func(t *testing.T, text string) {
		literal, name := influx.InfluxqlString(text), influx.InfluxqlName(text)
		if !influxqlLiteral.MatchString(literal) || back.Replace(literal[1:len(literal)-1]) != text {
			t.Errorf("%q became %s", text, literal)
		}
		if !influxqlName.MatchString(name) || back.Replace(name[1:len(name)-1]) != text {
			t.Errorf("%q became %s", text, name)
		}
	})
}

// The expression that names meters fits no other one, whatever stands in an id.
func TestInfluxqlMeters(t *testing.T) {
	got := influx.InfluxqlMeters([]metering.MeterID{"M.1", "A-2_b"})
	if want := `"meter" =~ /^(M\.1|A-2_b)$/`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := influx.InfluxqlMeters([]metering.MeterID{"a/b|c"}); got != `"meter" =~ /^(a\/b\|c)$/` {
		t.Errorf("got %s, want slash and bar escaped", got)
	}
}

func TestInstantsThatInfluxDBCannotHold(t *testing.T) {
	for at, want := range map[time.Time]int64{
		{}: math.MinInt64 + 2, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC): math.MaxInt64 - 1, time.Unix(1, 5): 1_000_000_005} {
		if got := influx.Nanoseconds(at); got != want {
			t.Errorf("%s: got %d, want %d", at, got, want)
		}
	}
}
