package verification

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// A series is what one real home used by day, in whole weeks from a Monday on.
type series struct {
	name string
	days []float64 // in the unit of the file, above 0 for the week at least
}

// source is a file of real measurements and where its figures stand.
type source struct{ name, file, at, column string }

var sources = []source{
	{"electricity of a house in Sceaux", "electricity_sceaux_2007.csv", "time", "energy_wh"},
	{"water of a flat in Naples", "water_naples_2019.csv", "time_utc", "total_ml"},
}

// load reads the days of a file of real measurements.
func (s source) load(folder string) (series, error) {
	path := filepath.Join(folder, s.file)
	file, err := os.Open(path)
	if err != nil {
		return series{}, fmt.Errorf("real measurements: %w: name their folder in XNET_DATA", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return series{}, fmt.Errorf("read %s: %w", path, err)
	}
	if len(rows) < 2 {
		return series{}, fmt.Errorf("%s has no rows: fetch it again", path)
	}
	at, column := index(rows[0], s.at), index(rows[0], s.column)
	if at < 0 || column < 0 {
		return series{}, fmt.Errorf("%s: no columns %s and %s: fetch it again", path, s.at, s.column)
	}
	sums := map[civil.Date]float64{}
	var first, last civil.Date
	for i, row := range rows[1:] {
		date, err := civil.ParseDate(row[at][:min(10, len(row[at]))])
		if err != nil {
			return series{}, fmt.Errorf("%s, row %d: %w", path, i+2, err)
		}
		used, err := strconv.ParseFloat(row[column], 64)
		if err != nil {
			return series{}, fmt.Errorf("%s, row %d: %w", path, i+2, err)
		}
		if i == 0 {
			first = date
		}
		last = date
		sums[date] += used
	}
	return series{s.name, wholeWeeks(sums, first, last)}, nil
}

func index(header []string, name string) int {
	for i, h := range header {
		if h == name {
			return i
		}
	}
	return -1
}

// wholeWeeks leaves the first and the last day out, which may not be whole.
func wholeWeeks(sums map[civil.Date]float64, first, last civil.Date) []float64 {
	first = first.AddDays(1)
	for first.Start(time.UTC).Weekday() != time.Monday {
		first = first.AddDays(1)
	}
	var days []float64
	for ; !last.Before(first.AddDays(7)); first = first.AddDays(7) {
		for n := range 7 {
			days = append(days, sums[first.AddDays(n)])
		}
	}
	return days
}

// withoutSeason divides the days by the straight line through the logarithms of
// the weeks: what is left is the home's own noise, from day to day and from month
// to month.
func (s series) withoutSeason() []float64 {
	var n, x, y, xx, xy float64
	for w := 0; w+7 <= len(s.days); w += 7 {
		if sum := total(s.days[w : w+7]); sum > 0 {
			at, log := float64(w), math.Log(sum)
			n, x, y, xx, xy = n+1, x+at, y+log, xx+at*at, xy+at*log
		}
	}
	rise := (n*xy - x*y) / (n*xx - x*x)
	noise := make([]float64, len(s.days))
	for i, used := range s.days {
		noise[i] = used / math.Exp(y/n-math.Log(7)+rise*(float64(i-i%7)-x/n))
	}
	return noise
}

func total(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x
	}
	return sum
}
