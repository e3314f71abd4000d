package wire_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// cycles is a pack as a gateway makes it: polls of 100 meters, ten minutes apart.
func cycles(readings int) wire.Pack {
	p := wire.Pack{Spool: "8f2c4d1e9b7a4c55", Seq: 123_456}
	for i := range readings {
		at := time.UnixMilli(1_764_000_000_000 + int64(i/100)*600_000 + int64(i%100)*37).UTC()
		unit, n := metering.Millilitre, metering.Amount(123_456_000+i*1000)
		if i%3 == 2 {
			unit = metering.WattHour
		}
		p.Readings = append(p.Readings, wire.UnitReading{Unit: unit, Reading: metering.Reading{
			Meter: metering.MeterID(fmt.Sprintf("roseraie-%04d", i%100)), Quantity: metering.Index, At: at, Amount: n}})
	}
	return p
}

// Budget: 100 ns a reading, no allocation.
func BenchmarkAppendPack(b *testing.B) {
	for _, n := range []int{100, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, dst := cycles(n), make([]byte, 0, 100*n+200)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = wire.AppendPack(dst[:0], p); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/reading")
		})
	}
}

// Budget: 150 ns and one allocation a reading, that of the meter's id.
func BenchmarkDecodePack(b *testing.B) {
	for _, n := range []int{100, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			payload, err := wire.AppendPack(nil, cycles(n))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.DecodePack(payload); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/reading")
		})
	}
}
