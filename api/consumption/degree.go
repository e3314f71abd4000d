package consumption

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/api/problem"
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
// decimal commas. Its error joins every fault, each a [*LineError]; then nothing is
// returned.
func ReadTemperatures(text io.Reader) ([]Temperature, error) {
	raw, err := io.ReadAll(text)
	if err != nil {
		return nil, fmt.Errorf("read temperatures: %w", err)
	}
	r := newTableReader(string(raw))
	semicolons := r.Comma == ';'
	r.FieldsPerRecord = 3
	header, err := r.Read()
	if err != nil || strings.TrimSpace(strings.Join(header, ",")) != temperatureHeader {
		return nil, &LineError{Line: 1, Message: "field.not_one_of", Args: []any{temperatureHeader}, Err: errors.New("want the header " + temperatureHeader)}
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
			return nil, errors.Join(append(wrong, unreadable(err))...)
		}
		line, _ := r.FieldPos(0)
		one, fault := temperature(record, semicolons)
		if fault == nil && seen[one.Day] {
			fault = &LineError{Column: "date", Message: "field.taken", Err: fmt.Errorf("%s stands twice", one.Day)}
		}
		if fault != nil {
			fault.Line = line
			wrong = append(wrong, fault)
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

// newTableReader reads cells that commas or, where the first line has one,
// semicolons separate.
func newTableReader(text string) *csv.Reader {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	if first, _, _ := strings.Cut(text, "\n"); strings.Contains(first, ";") {
		r.Comma = ';'
	}
	return r
}

const temperatureHeader = "date,min_c,max_c"

// unreadable is a line of which the CSV cannot be split into its cells.
func unreadable(err error) *LineError {
	fault := &LineError{Line: 1, Message: "field.malformed", Err: err}
	var at *csv.ParseError
	if errors.As(err, &at) {
		fault.Line = at.Line
	}
	return fault
}

// temperature reads a line; its fault does not know the line yet.
func temperature(record []string, commas bool) (t Temperature, fault *LineError) {
	var err error
	if t.Day, err = civil.ParseDate(strings.TrimSpace(record[0])); err != nil {
		return t, &LineError{Column: "date", Message: "field.no_date", Err: err}
	}
	for i, into := range []*float64{&t.Low, &t.High} {
		cell := strings.TrimSpace(record[i+1])
		if commas {
			cell = strings.Replace(cell, ",", ".", 1)
		}
		*into, err = strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(*into) || *into < coldest || *into > hottest {
			return t, &LineError{Column: [...]string{"min_c", "max_c"}[i], Message: "field.out_of_range", Args: []any{int(coldest), int(hottest)},
				Err: fmt.Errorf("%q: want a temperature from %g to %g °C", record[i+1], coldest, hottest)}
		}
	}
	if t.High < t.Low {
		return t, &LineError{Column: "max_c", Message: "field.out_of_range", Args: []any{t.Low, int(hottest)},
			Err: fmt.Errorf("the highest, %g °C, is below the lowest, %g °C", t.High, t.Low)}
	}
	return t, nil
}

// A LineError is what is wrong with a line of a file of temperatures.
type LineError struct {
	Line    int    // the first is 1
	Column  string // "date", "min_c" or "max_c"; empty for the line as a whole
	Message string // key in the language catalogue, e.g. "field.no_date"
	Args    []any  // what stands at the verbs of the message's text
	Err     error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("temperatures, line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// Field is the fault by its place, as in "line[3].min_c".
func (e *LineError) Field() problem.Field {
	name := fmt.Sprintf("line[%d]", e.Line)
	if e.Column != "" {
		name += "." + e.Column
	}
	return problem.Field{Name: name, Message: e.Message, Args: e.Args}
}

// mostLineFaults is how many faulty lines an answer names: a person mends those and
// sends the file again.
const mostLineFaults = 50

// lineFields lists the faults of [ReadTemperatures], of which there is at least one.
func lineFields(err error) []problem.Field {
	var one *LineError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []problem.Field
		for _, e := range joined.Unwrap() {
			if errors.As(e, &one) && len(all) < mostLineFaults {
				all = append(all, one.Field())
			}
		}
		return all
	}
	if !errors.As(err, &one) {
		one = unreadable(err)
	}
	return []problem.Field{one.Field()}
}
