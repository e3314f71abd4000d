package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
	"github.com/xnetroseraie/xnet/internal/wire"
)

const packReadings = 500

// packs returns n payloads of 500 readings each: 100 meters, read every ten
// minutes.
func packs(b *testing.B, n int) [][]byte {
	b.Helper()
	payloads := make([][]byte, n)
	for i := range payloads {
		p := wire.Pack{Spool: spoolID, Seq: wire.Seq(i + 1)}
		for j := range packReadings {
			at := base.Add(-5000 * time.Hour).Add(time.Duration(i*packReadings/100+j/100) * 10 * time.Minute)
			r := metering.Reading{Meter: metering.MeterID(fmt.Sprintf("M%03d", j%100)), Quantity: metering.Index, At: at, Amount: metering.Amount(i + j)}
			p.Readings = append(p.Readings, wire.UnitReading{Reading: r, Unit: metering.WattHour})
		}
		payload, err := wire.AppendPack(nil, p)
		if err != nil {
			b.Fatal(err)
		}
		payloads[i] = payload
	}
	return payloads
}

// BenchmarkPacks sends packs of 500 readings of bound meters through broker and
// InfluxDB until all are answered; budget 300,000 readings/s.
func BenchmarkPacks(b *testing.B) {
	broker, store := testkit.Broker(b), influxtest.Open(b)
	c := quick(broker.URL)
	c.BatchAge = 50 * time.Millisecond
	col := start(b, c, store)
	g := newGateway(b, broker.URL)
	var meters []wire.RegistryMeter
	for i := range 100 {
		meters = append(meters, meter(metering.MeterID(fmt.Sprintf("M%03d", i)), metering.Fine))
	}
	g.registry(meters...)
	col.waitReady(b)
	payloads := packs(b, 2000)
	b.ResetTimer()
	for range b.N {
		g.forget()
		for _, payload := range payloads {
			g.client.Publish(g.source.Topic(wire.ReadingsChannel), 1, false, payload)
		}
		g.waitAnswered(len(payloads))
	}
	b.StopTimer()
	b.ReportMetric(float64(len(payloads)*packReadings*b.N)/b.Elapsed().Seconds(), "readings/s")
}

// forget forgets all answers.
func (g *gateway) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.stored)
	clear(g.refused)
}

// BenchmarkBackfill brings 13 months of hourly readings of 140 meters, packs in
// order of time as a site's history comes, and waits for the last rollup;
// budget 20 s.
func BenchmarkBackfill(b *testing.B) {
	for range b.N {
		b.StopTimer()
		broker, store := testkit.Broker(b), influxtest.Open(b)
		c := quick(broker.URL)
		c.BatchAge = 50 * time.Millisecond
		col := start(b, c, store)
		g := newGateway(b, broker.URL)
		var meters []wire.RegistryMeter
		for i := range 140 {
			meters = append(meters, meter(metering.MeterID(fmt.Sprintf("M%03d", i)), metering.Fine))
		}
		g.registry(meters...)
		col.waitReady(b)
		payloads := history(b, 140, 395*24)
		b.StartTimer()
		for _, payload := range payloads {
			g.client.Publish(g.source.Topic(wire.ReadingsChannel), 1, false, payload)
		}
		g.waitAnswered(len(payloads))
		b.ReportMetric(b.Elapsed().Seconds(), "s-ingest")
		testkit.Eventually(b, 60*time.Second, func() error {
			if !col.rollup.Idle() {
				return fmt.Errorf("rollup still works")
			}
			return nil
		})
		b.StopTimer()
		found, err := store.Consumption(b.Context(), "hourly", []metering.MeterID{"M007"}, dawn, base.Add(24*time.Hour))
		if err != nil || len(found["M007"]) != 395*24-1 {
			b.Fatalf("%d hours, %v", len(found["M007"]), err)
		}
		col.stop()
	}
}

func history(b *testing.B, meters, hours int) [][]byte {
	b.Helper()
	var payloads [][]byte
	for h := 0; h < hours; h += 4 {
		p := wire.Pack{Spool: spoolID, Seq: wire.Seq(len(payloads) + 1)}
		for i := range min(4, hours-h) * meters {
			r := index(metering.MeterID(fmt.Sprintf("M%03d", i%meters)), time.Duration(h+i/meters-hours)*time.Hour, metering.Amount(10*(h+i/meters)))
			p.Readings = append(p.Readings, wire.UnitReading{Reading: r, Unit: metering.WattHour})
		}
		payload, err := wire.AppendPack(nil, p)
		if err != nil {
			b.Fatal(err)
		}
		payloads = append(payloads, payload)
	}
	return payloads
}
