package wire_test

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// FuzzScanPack holds the scanner against the general decoder, which is the
// reference: what the scanner takes, the other reads to the same pack. What
// either takes can be written again and read back as the same.
func FuzzScanPack(f *testing.F) {
	for _, v := range packVectors(f) {
		f.Add([]byte(v.Payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		general, err := wire.DecodeGeneral(payload)
		if scanned, ok := wire.ScanPack(payload); ok {
			if err != nil {
				t.Fatalf("the scanner takes what the decoder refuses: %v", err)
			}
			if diff := cmp.Diff(general, scanned); diff != "" {
				t.Fatalf("two readings of one pack (-general +scanned):\n%s", diff)
			}
		}
		if err == nil {
			readBack(t, general)
		}
	})
}

// readBack writes p and holds that it is read as it was.
func readBack(t *testing.T, p wire.Pack) {
	t.Helper()
	payload, err := wire.AppendPack(nil, p)
	if errors.Is(err, wire.ErrTooLarge) {
		return // white space was cut, decimals were added
	}
	if err != nil {
		t.Fatalf("a pack that was decoded cannot be written: %v", err)
	}
	got, err := wire.DecodePack(payload)
	if err != nil {
		t.Fatalf("a pack that was written is refused: %v\n%s", err, payload)
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Fatalf("pack (-written +read):\n%s", diff)
	}
}

// FuzzPackReadsBack starts from the other end: whatever AppendPack takes is read
// back as it was, in whole milliseconds.
func FuzzPackReadsBack(f *testing.F) {
	f.Add("8f2c", uint64(1), "M1", uint8(0), uint8(0), int64(1_764_000_000_123), int64(42))
	f.Add("s", uint64(math.MaxInt64), "A.b-_9", uint8(0), uint8(1), int64(1<<28*1000), int64(math.MinInt64))
	f.Add("s", uint64(math.MaxUint64), "M1", uint8(3), uint8(4), int64(253402300799999), int64(math.MaxInt64))
	units := []metering.Unit{metering.WattHour, metering.Millilitre, metering.Watt, metering.MillilitrePerHour,
		metering.MilliCelsius, metering.Second, metering.Bits}
	f.Fuzz(func(t *testing.T, spool string, seq uint64, meter string, quantity, unit uint8, ms, amount int64) {
		q := metering.Quantities[int(quantity)%len(metering.Quantities)]
		r := metering.Reading{Meter: metering.MeterID(meter), Quantity: q,
			At: time.UnixMilli(ms).UTC(), Amount: metering.Amount(amount)}
		p := wire.Pack{Spool: wire.SpoolID(spool), Seq: wire.Seq(seq),
			Readings: []wire.UnitReading{{Reading: r, Unit: units[int(unit)%len(units)]}}}
		if _, err := wire.AppendPack(nil, p); err == nil {
			readBack(t, p)
		}
	})
}

// FuzzDecimal holds ParseDecimal against rational numbers, and appendDecimal as
// its inverse.
func FuzzDecimal(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 999_999, 1_000_000, math.MaxInt64, math.MinInt64} {
		f.Add(n, uint8(6), "1.5e3")
	}
	f.Add(int64(5), uint8(0), "-0.000001e6")
	f.Add(int64(5), uint8(3), "9223372036854775.8070")
	for _, text := range []string{"", "-", ".", "1.", ".5", "+5", "0.+5", "1.2.3", "1e", "0x1", "NaN"} {
		f.Add(int64(0), uint8(3), text)
	}
	f.Fuzz(func(t *testing.T, n int64, decimals uint8, text string) {
		places := int(decimals % 7)
		written := string(wire.AppendDecimal(nil, n, places))
		if back, err := wire.ParseDecimal(written, places); err != nil || back != n {
			t.Fatalf("%d with %d decimals is written %s and read %d, %v", n, places, written, back, err)
		}
		if !jsonNumber.MatchString(text) {
			if n, err := wire.ParseDecimal(text, places); err == nil {
				t.Fatalf("%q is no number and is read %d", text, n)
			}
			return
		}
		got, err := wire.ParseDecimal(text, places)
		want, exact := counted(text, places)
		if exact != (err == nil) || exact && got != want {
			t.Fatalf("%s to %d decimals is read %d, %v, want %d (exact: %t)", text, places, got, err, want, exact)
		}
	})
}

// jsonNumber is the grammar of RFC 8259, but for leading noughts; its group is
// the exponent.
var jsonNumber = regexp.MustCompile(`^-?[0-9]+(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?$`)

// counted is text as a count of 10^-places by rational numbers, and whether it
// is a whole one that fits, of an exponent that is taken at all.
func counted(text string, places int) (int64, bool) {
	if exponent := jsonNumber.FindStringSubmatch(text)[1]; exponent != "" {
		if e, err := strconv.Atoi(exponent); err != nil || e < -99 || e > 99 {
			return 0, false
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	r.Mul(r, new(big.Rat).SetInt(scale))
	return r.Num().Int64(), r.IsInt() && r.Num().IsInt64()
}

// FuzzTopics holds that no topic panics, and what is taken is written the same.
func FuzzTopics(f *testing.F) {
	f.Add("xnet/v1/roseraie/gw-1/readings")
	f.Add("xnet/v1/roseraie/registry")
	f.Add("xnet/v1/+/#")
	f.Fuzz(func(t *testing.T, topic string) {
		if s, c, err := wire.ParseTopic(topic); err == nil && s.Topic(c) != topic {
			t.Errorf("ParseTopic(%q) = %v, %s, which is %q", topic, s, c, s.Topic(c))
		}
		if site, err := wire.ParseRegistryTopic(topic); err == nil && wire.RegistryTopic(site) != topic {
			t.Errorf("ParseRegistryTopic(%q) = %q, which is %q", topic, site, wire.RegistryTopic(site))
		}
	})
}

// FuzzMessages holds that no payload panics, and that what is taken is written
// and read back the same.
func FuzzMessages(f *testing.F) {
	for _, name := range []string{"stored", "registry", "meters", "state", "config"} {
		f.Add(vector(f, name+".json"))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		same(t, payload, wire.DecodeStored)
		same(t, payload, wire.DecodeRegistry)
		same(t, payload, wire.DecodeMeters)
		same(t, payload, wire.DecodeState)
		same(t, payload, wire.DecodeSignedConfig)
	})
}

func same[M interface{ Encode() ([]byte, error) }](t *testing.T, payload []byte, decode func([]byte) (M, error)) {
	t.Helper()
	first, err := decode(payload)
	if err != nil {
		return
	}
	written, err := first.Encode()
	if err != nil {
		t.Fatalf("%T that was decoded cannot be written: %v", first, err)
	}
	second, err := decode(written)
	if err != nil {
		t.Fatalf("%T that was written is refused: %v\n%s", first, err, written)
	}
	again, err := second.Encode()
	if err != nil || string(again) != string(written) {
		t.Fatalf("%T is written %s, then %s, %v", first, written, again, err)
	}
}
