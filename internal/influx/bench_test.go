package influx_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// BenchmarkReadings reads a million readings of a hundred meters; budget 4 s.
func BenchmarkReadings(b *testing.B) {
	client := influxtest.Open(b)
	var meters []metering.MeterID
	const perMeter = 10_000
	for i := range 100 {
		m := metering.MeterID(fmt.Sprintf("M%03d", i))
		meters = append(meters, m)
		rs := make([]metering.Reading, perMeter)
		for j := range rs {
			rs[j] = reading(m, time.Duration(j)*10*time.Minute, metering.Amount(j*100))
		}
		write(b, client, rs...)
	}
	for b.Loop() {
		got, err := client.Readings(b.Context(), meters, metering.Index, start, start.Add(perMeter*10*time.Minute))
		if err != nil || len(got) != 100 || len(got["M001"]) != perMeter {
			b.Fatal(err, len(got))
		}
	}
	b.ReportMetric(float64(100*perMeter*b.N)/b.Elapsed().Seconds(), "readings/s")
}

// BenchmarkWriteReadings writes batches of 50,000; budget 300,000 readings/s.
func BenchmarkWriteReadings(b *testing.B) {
	client := influxtest.Open(b)
	rs := make([]metering.Reading, 50_000)
	round := 0
	for b.Loop() {
		for j := range rs {
			rs[j] = reading(metering.MeterID(fmt.Sprintf("M%03d", j%500)), time.Duration(round*100+j/500)*time.Minute, metering.Amount(j))
		}
		round++
		write(b, client, rs...)
	}
	b.ReportMetric(float64(len(rs)*b.N)/b.Elapsed().Seconds(), "readings/s")
}
