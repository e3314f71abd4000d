package consumption

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/internal/civil"
)

// baseC is the outdoor temperature above which homes need no heating: degree-days
// of France are counted from 18 °C (fr. DJU base 18).
const baseC = 18.0

// A Weather is what the degree-days of each known day are. A day counts 18 °C less
// the mean of its lowest and highest temperature, nothing where that is warmer.
type Weather map[civil.Date]float64

// Note adds a day by its lowest and highest temperature in °C.
func (w Weather) Note(day civil.Date, low, high float64) { w[day] = max(0, baseC-(low+high)/2) }

// DegreeDays sums the days [from, to); it is false where one of them is not known.
func (w Weather) DegreeDays(from, to civil.Date) (sum float64, known bool) {
	for day := from; day.Before(to); day = day.AddDays(1) {
		d, ok := w[day]
		if !ok {
			return 0, false
		}
		sum += d
	}
	return sum, from.Before(to)
}

// leastDegreeDays is what two periods must have for their heating to be compared
// by them: where it is mild, a few degrees decide nothing.
const leastDegreeDays = 20

// Ratio is how many times colder the days [from, to) were than those [from2, to2);
// it is false where a day is not known or one of the periods was mild.
func (w Weather) Ratio(from, to, from2, to2 civil.Date) (float64, bool) {
	a, known := w.DegreeDays(from, to)
	b, known2 := w.DegreeDays(from2, to2)
	return a / b, known && known2 && a >= leastDegreeDays && b >= leastDegreeDays
}

// A Temperature is one day of a file of outdoor temperatures, in °C.
type Temperature struct {
	Day       civil.Date
	Low, High float64
}

// Temperatures that are plausible outdoors where people live, in °C.
const (
	coldest = -60.0
	hottest = 60.0
)

// ReadTemperatures reads a CSV of daily outdoor temperatures: a header
// "date,min_c,max_c" and a line a day, separated by commas, or by semicolons with
// decimal commas. Its error joins every fault with its line; then nothing is
// returned.
func ReadTemperatures(text io.Reader) ([]Temperature, error) {
	raw, err := io.ReadAll(text)
	if err != nil {
		return nil, fmt.Errorf("read temperatures: %w", err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	first, _, _ := strings.Cut(string(raw), "\n")
	semicolons := strings.Contains(first, ";")
	if semicolons {
		r.Comma = ';'
	}
	r.FieldsPerRecord = 3
	header, err := r.Read()
	if err != nil || strings.TrimSpace(strings.Join(header, ",")) != "date,min_c,max_c" {
		return nil, errors.New("temperatures, line 1: want the header date,min_c,max_c")
	}
	var all []Temperature
	var wrong []error
	seen := map[civil.Date]bool{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("temperatures: %w", err)
		}
		line, _ := r.FieldPos(0)
		one, err := temperature(record, semicolons)
		if err == nil && seen[one.Day] {
			err = fmt.Errorf("%s stands twice", one.Day)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("temperatures, line %d: %w", line, err))
			continue
		}
		seen[one.Day] = true
		all = append(all, one)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return all, nil
}

func temperature(record []string, commas bool) (t Temperature, err error) {
	if t.Day, err = civil.ParseDate(strings.TrimSpace(record[0])); err != nil {
		return t, err
	}
	for i, into := range []*float64{&t.Low, &t.High} {
		cell := strings.TrimSpace(record[i+1])
		if commas {
			cell = strings.Replace(cell, ",", ".", 1)
		}
		*into, err = strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(*into) || *into < coldest || *into > hottest {
			return t, fmt.Errorf("%q: want a temperature from %g to %g °C", record[i+1], coldest, hottest)
		}
	}
	if t.High < t.Low {
		return t, fmt.Errorf("the highest, %g °C, is below the lowest, %g °C", t.High, t.Low)
	}
	return t, nil
}
