package consumption_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/roster"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// benchHomes is a residence of 600 flats with three meters each and 13 months of
// days; readings lie in the last day only.
func benchHomes(b *testing.B, homes int) *consumption.Reader {
	b.Helper()
	var text strings.Builder
	text.WriteString("residence: {id: r, name: R, zone: Europe/Paris, earliest: 2024-01-01T00:00:00Z}\ngateways: [{id: g}]\ndwellings:\n")
	for i := range homes {
		fmt.Fprintf(&text, "  - id: d%d\n    label: x\n    households: [{id: h%d, occupants: 2, language: fr, moved_in: 2024-06-01, consents: [daily_follow_up], persons: [{id: p%d, name: P}]}]\n    points:\n", i, i, i)
		for _, kind := range []string{"cold_water", "hot_water", "heat"} {
			fmt.Fprintf(&text, "      - {id: %s%d, kind: %s, meters: [{id: m-%s%d, gateway: g, interval: 10m, resolution: day, from: \"2024-01-01T00:00:00Z\"}]}\n", kind, i, kind, kind, i)
		}
	}
	db := sqldbtest.Open(b, filepath.Join(b.TempDir(), "x.db"))
	r, err := roster.Parse([]byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	if err := roster.Store(b.Context(), db, r); err != nil {
		b.Fatal(err)
	}
	c := influx.DefaultConfig()
	c.URL, c.Keep = testkit.Influx(b).URL, influx.Retention{}
	client, err := influx.Open(c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	if err := client.SetUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	first, zone := date(b, "2025-02-01"), benchNow(b).Location()
	for i := range homes {
		var days []influx.Consumption
		var readings []metering.Reading
		for _, kind := range []string{"cold_water", "hot_water", "heat"} {
			id := metering.MeterID(fmt.Sprintf("m-%s%d", kind, i))
			for n := range 410 {
				days = append(days, influx.Consumption{Meter: id, Start: first.AddDays(n).Start(zone), Index: metering.Amount(n+1) * 1000, Used: 1000})
			}
			readings = append(readings, metering.Reading{Meter: id, Quantity: metering.Index, At: benchNow(b).Add(-time.Minute), Amount: 411_000})
		}
		if err := client.WriteConsumption(b.Context(), influx.Daily, days); err != nil {
			b.Fatal(err)
		}
		if err := client.WriteReadings(b.Context(), readings); err != nil {
			b.Fatal(err)
		}
	}
	return consumption.NewReader(premises.NewStore(db), meters.NewStore(db), client)
}

func benchNow(b *testing.B) time.Time {
	b.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		b.Fatal(err)
	}
	return time.Date(2026, 3, 18, 14, 0, 0, 0, zone)
}

// BenchmarkTenantHome asks for the home of one of 600 households after the other, 100
// a second, as their first page does; budget: 30 ms in 99 of 100, warm.
func BenchmarkTenantHome(b *testing.B) {
	const homes, perSecond = 600, 100
	for _, warm := range []bool{false, true} {
		b.Run(fmt.Sprintf("remembers=%v", warm), func(b *testing.B) {
			reader := benchHomes(b, homes)
			if warm {
				reader.Remember(45 * time.Second)
			}
			now := benchNow(b)
			ask := func(i int) time.Duration {
				begun := time.Now()
				home, err := reader.Between(b.Context(), premises.Own(accounts.PersonID(fmt.Sprintf("p%d", i%homes))), now, date(b, "2026-02-01"), date(b, "2026-03-19"))
				if err != nil || len(home.Series) != 3 || len(home.Series[0].Days) < 40 {
					b.Errorf("home %d: %d series, %v", i%homes, len(home.Series), err)
				}
				return time.Since(begun)
			}
			cold := ask(0)
			if warm {
				for i := range homes {
					ask(i)
				}
			}
			var mu sync.Mutex
			var spent []time.Duration
			var all sync.WaitGroup
			tick := time.NewTicker(time.Second / perSecond)
			defer tick.Stop()
			b.ResetTimer()
			for i := range b.N {
				<-tick.C
				all.Go(func() {
					d := ask(i * 7)
					mu.Lock()
					spent = append(spent, d)
					mu.Unlock()
				})
			}
			all.Wait()
			slices.Sort(spent)
			b.ReportMetric(float64(cold)/1e6, "cold_ms")
			b.ReportMetric(float64(spent[len(spent)/2])/1e6, "p50_ms")
			b.ReportMetric(float64(spent[len(spent)*99/100])/1e6, "p99_ms")
		})
	}
}
