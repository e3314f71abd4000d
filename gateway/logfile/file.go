package logfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A RowError is a line that cannot be used, counted from 1, the header
// included, as an editor shows it.
type RowError struct {
	Line int
	Err  error
}

// Error names the line and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// A File reads one CSV file from its beginning.
type File struct {
	layout  Layout
	csv     *csv.Reader
	columns columns
	series  map[metering.MeterID]*series
}

type columns struct{ at, number, meter int }

// Open reads the header and finds the columns. The layout must be valid.
func Open(r io.Reader, l Layout) (*File, error) {
	f := &File{layout: l, csv: csv.NewReader(r), series: map[metering.MeterID]*series{}}
	f.csv.ReuseRecord = true
	header, err := f.csv.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	header = slices.Clone(header)
	find := func(name string) (int, error) {
		i := slices.Index(header, name)
		if i < 0 {
			return 0, fmt.Errorf("there is no column %q, there are %s", name, strings.Join(header, ", "))
		}
		return i, nil
	}
	var errs [3]error
	f.columns.at, errs[0] = find(l.TimeColumn)
	f.columns.number, errs[1] = find(l.Column)
	if f.columns.meter = -1; l.MeterColumn != "" {
		f.columns.meter, errs[2] = find(l.MeterColumn)
	}
	return f, errors.Join(errs[:]...)
}

// Next appends the readings that the next line stands for. It fails with io.EOF
// at the end, with a [*RowError] on a line that cannot be used, after which the
// next one may be read, and otherwise for good.
func (f *File) Next(readings []wire.UnitReading) ([]wire.UnitReading, error) {
	record, err := f.csv.Read()
	if errors.Is(err, io.EOF) {
		return readings, io.EOF
	}
	if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
		return readings, &RowError{Line: broken.StartLine, Err: broken.Err}
	}
	if err != nil {
		return readings, err
	}
	readings, err = f.add(readings, record)
	if err != nil {
		line, _ := f.csv.FieldPos(0)
		return readings, &RowError{Line: line, Err: err}
	}
	return readings, nil
}

func (f *File) add(readings []wire.UnitReading, record []string) ([]wire.UnitReading, error) {
	s, err := f.seriesOf(record)
	if err != nil {
		return readings, err
	}
	r := row{meter: s.meter}
	if r.at, err = f.layout.instant(record[f.columns.at], s.end); err != nil {
		return readings, err
	}
	decimals := units[f.layout.Unit].decimals + 3
	if r.thousandths, err = wire.ParseDecimal(record[f.columns.number], decimals); err != nil {
		return readings, fmt.Errorf("column %s: %w", f.layout.Column, err)
	}
	if err := s.check(r); err != nil {
		return readings, err
	}
	return s.add(readings, r), nil
}

func (f *File) seriesOf(record []string) (*series, error) {
	meter := f.layout.Meter
	if f.columns.meter >= 0 {
		meter = metering.MeterID(record[f.columns.meter])
	}
	if s, ok := f.series[meter]; ok {
		return s, nil
	}
	if err := metering.CheckID("meter", meter); err != nil {
		return nil, err
	}
	base, err := f.layout.UnitOf(meter)
	if err != nil {
		return nil, err
	}
	if want := units[f.layout.Unit].base; want != "" && want != base {
		return nil, fmt.Errorf("meter %s counts %s: a column in %s cannot be its own", meter, base, f.layout.Unit)
	}
	meter = metering.MeterID(strings.Clone(string(meter))) // the record is reused
	s := &series{layout: f.layout, meter: meter, unit: base}
	f.series[meter] = s
	return s, nil
}
