package tips_test

import (
	"cmp"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

var observed = civil.Date{Year: 2026, Month: 3, Day: 2} // a Monday

// realDays are the days' totals of a real series, from a Monday on. The test is
// skipped where the series is absent.
func realDays(t *testing.T, file, time_, column string) []float64 {
	t.Helper()
	folder := cmp.Or(os.Getenv("XNET_DATA"), filepath.Join("..", "..", "..", "shared", "data"))
	f, err := os.Open(filepath.Join(folder, file))
	if err != nil {
		t.Skipf("no real series: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	sums := map[civil.Date]float64{}
	var first, last civil.Date
	for i, row := range rows[1:] {
		date, err := civil.ParseDate(row[at[time_]][:10])
		if err != nil {
			t.Fatal(err)
		}
		used, err := strconv.ParseFloat(row[at[column]], 64)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = date
		}
		last = date
		sums[date] += used
	}
	for first.Start(time.UTC).Weekday() != time.Monday {
		first = first.AddDays(1)
	}
	var days []float64
	for date := first; !last.Before(date.AddDays(7)); date = date.AddDays(7) {
		for n := range 7 {
			days = append(days, sums[date.AddDays(n)])
		}
	}
	return days
}

// drawn makes n days out of whole weeks of a real home, drawn by lot, with the
// pattern of the week and the noise from day to day that it had.
func drawn(rng *rand.Rand, real []float64, weeks int, scale, change float64, adopted int) []consumption.Day {
	var days []consumption.Day
	for w := range weeks {
		from := 7 * rng.IntN(len(real)/7)
		for n, used := range real[from : from+7] {
			d := 7*w + n
			if d > adopted {
				used *= 1 + change
			}
			days = append(days, consumption.Day{Date: observed.AddDays(d), Used: metering.Amount(used * scale), Coverage: 1})
		}
	}
	return days
}

// trial is a home of real noise whose use changed, and twelve others.
func trial(rng *rand.Rand, real []float64, change float64) (tips.Trial, civil.Date) {
	const before, since = 8, 8
	adopted := 7*before - 1
	t := tips.Trial{Adopted: observed.AddDays(adopted), Own: drawn(rng, real, before+since, 1, change, adopted)}
	for range 12 {
		t.Others = append(t.Others, drawn(rng, real, before+since, 0.5+rng.Float64(), 0, adopted))
	}
	return t, observed.AddDays(7 * (before + since))
}

// The 90 % interval holds the truth in 87 to 93 of 100 runs, and "visible" is
// said at most 5 times in 100 when nothing changed.
func TestIntervalHoldsTruthWithRealNoise(t *testing.T) {
	const runs = 1000
	for _, series := range []struct{ name, file, at, column string }{
		{"electricity", "electricity_sceaux_2007.csv", "time", "energy_wh"},
		{"water", "water_naples_2019.csv", "time_utc", "total_ml"},
	} {
		t.Run(series.name, func(t *testing.T) {
			real := realDays(t, series.file, series.at, series.column)
			for _, change := range []float64{-0.10, -0.05, 0, 0.05} {
				rng := rand.New(rand.NewPCG(2026, uint64(100+100*change)))
				held, visible := 0, 0
				for range runs {
					o := tips.Observe(trial(rng, real, change))
					if o.Low <= change && change <= o.High {
						held++
					}
					if o.Verdict == tips.Visible {
						visible++
					}
				}
				t.Logf("%+.0f %%: interval holds in %.1f %%, visible in %.1f %%", 100*change, 100*float64(held)/runs, 100*float64(visible)/runs)
				if share := float64(held) / runs; share < 0.87 || share > 0.93 {
					t.Errorf("%+g: the interval holds the truth in %.1f %% of runs, want 87 to 93", change, 100*share)
				}
				if change >= 0 && visible > runs/20 {
					t.Errorf("%+g: visible in %d of %d runs, want at most 5 %%", change, visible, runs)
				}
			}
		})
	}
}

// homesDays are the daily electricity of the simulated homes with one household.
func homesDays(t *testing.T, r *household.Residence, days int) [][]float64 {
	t.Helper()
	var homes [][]float64
	for _, m := range r.Meters() {
		d := r.ByID(m.Dwelling)
		if m.Kind != metering.Electricity || !m.DeadFrom.IsZero() || len(d.Households) != 1 || d.Has(household.Empty) {
			continue
		}
		used := make([]float64, days)
		before := r.Index(m, r.Epoch.Start(r.Zone))
		for n := range days {
			now := r.Index(m, r.Epoch.AddDays(n+1).Start(r.Zone))
			used[n], before = float64(now-before), now
		}
		homes = append(homes, used)
	}
	return homes
}

func slice(from civil.Date, used []float64, change float64, after int) []consumption.Day {
	days := make([]consumption.Day, len(used))
	for i, u := range used {
		if i > after {
			u *= 1 + change
		}
		days[i] = consumption.Day{Date: from.AddDays(i), Used: metering.Amount(math.Round(u)), Coverage: 1}
	}
	return days
}

// The same with homes that share seasons and weather, and go on holiday.
func TestIntervalHoldsTruthInSimulatedHomes(t *testing.T) {
	const runs, before, length = 600, 55, 112
	epoch := civil.Date{Year: 2025, Month: 1, Day: 6}
	homes := homesDays(t, household.New(7, epoch), 392)
	for _, change := range []float64{-0.10, 0} {
		rng := rand.New(rand.NewPCG(11, uint64(100+100*change)))
		held, visible := 0, 0
		for range runs {
			start, own := rng.IntN(392-length), rng.IntN(len(homes))
			from := epoch.AddDays(start)
			tr := tips.Trial{Adopted: from.AddDays(before), Own: slice(from, homes[own][start:start+length], change, before)}
			for i, used := range homes {
				if i != own {
					tr.Others = append(tr.Others, slice(from, used[start:start+length], 0, 0))
				}
			}
			o := tips.Observe(tr, from.AddDays(length))
			if o.Low <= change && change <= o.High {
				held++
			}
			if o.Verdict == tips.Visible {
				visible++
			}
		}
		t.Logf("%+.0f %%: interval holds in %.1f %%, visible in %.1f %%", 100*change, 100*float64(held)/runs, 100*float64(visible)/runs)
		if share := float64(held) / runs; share < 0.85 || share > 0.95 {
			t.Errorf("%+g: the interval holds the truth in %.1f %% of runs, want 85 to 95", change, 100*share)
		}
		if change == 0 && visible > runs/20 {
			t.Errorf("visible in %d of %d runs without a change, want at most 5 %%", visible, runs)
		}
	}
}
