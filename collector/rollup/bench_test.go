package rollup_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx/influxtest"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// BenchmarkRebuild computes a day of 1,800 meters that are read every ten
// minutes; budget 2 s.
func BenchmarkRebuild(b *testing.B) {
	const meters = 1800
	day := civil.DateIn(base, time.UTC)
	rebuild := rollup.Rebuild{Store: influxtest.Open(b), Directory: &sites.Directory{}, First: day, Last: day}
	r := registry()
	r.Zone = "Etc/UTC"
	for i := range meters {
		m := meter(metering.Fine)
		m.Meter = metering.MeterID(fmt.Sprintf("M%04d", i))
		r.Meters = append(r.Meters, m)
		rs := every(day.Start(time.UTC).Add(-time.Hour), day.Start(time.UTC).Add(25*time.Hour), 10*minute, 1000, 10)
		for j := range rs {
			rs[j].Meter = m.Meter
		}
		if err := rebuild.Store.WriteReadings(b.Context(), rs); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := rebuild.Directory.Update(r); err != nil {
		b.Fatal(err)
	}
	for _, m := range r.Meters {
		bound, _ := rebuild.Directory.Now().Meter(m.Meter)
		rebuild.Meters = append(rebuild.Meters, bound)
	}
	for b.Loop() {
		if n, err := rebuild.Run(b.Context()); err != nil || n < 25*meters {
			b.Fatal(n, err)
		}
	}
}
