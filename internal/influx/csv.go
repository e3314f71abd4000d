package influx

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// A row is one point of an answer. Field is valid until the next row.
type row struct {
	meter metering.MeterID
	field []byte
	ms    int64 // since 1970
	n     int64
}

var errAnswer = errors.New("answer of influxdb not understood")

// A decoder reads the CSV of a Flux answer, without annotations. It knows the
// four columns of [pointQuery.flux] only and needs no allocation a row; the library's
// own reader takes several times as long.
type decoder struct {
	in      *bufio.Reader
	columns columns
	days    dayCache
	last    row
}

// columns are the positions of the known columns, -1 for absent.
type columns struct{ time, amount, field, meter, error int }

var noColumns = columns{-1, -1, -1, -1, -1}

func newDecoder(r io.Reader) *decoder {
	return &decoder{in: bufio.NewReaderSize(r, 1<<16), columns: noColumns}
}

// next returns the next row, or [io.EOF].
func (d *decoder) next() (*row, error) {
	for {
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		switch {
		case len(line) == 0: // a header follows
			d.columns = noColumns
		case d.columns == noColumns:
			if err := d.header(line); err != nil {
				return nil, err
			}
		case d.columns.error >= 0:
			return nil, d.failure(line)
		default:
			return &d.last, d.row(line)
		}
	}
}

// line returns the next line without its end, valid until the next call.
func (d *decoder) line() ([]byte, error) {
	line, err := d.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: a line of more than 64 KiB", errAnswer)
	}
	if len(line) == 0 && err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func (d *decoder) header(line []byte) error {
	c := noColumns
	for i, name := range bytes.Split(line, []byte{','}) {
		switch string(name) {
		case "_time":
			c.time = i
		case "_value":
			c.amount = i
		case "_field":
			c.field = i
		case "meter":
			c.meter = i
		case "error":
			c.error = i
		}
	}
	d.columns = c
	if c.error < 0 && min(c.time, c.amount, c.field, c.meter) < 0 {
		return fmt.Errorf("%w: header %.200q", errAnswer, line)
	}
	return nil
}

// failure is what Flux writes into an answer that it cannot finish.
func (d *decoder) failure(line []byte) error {
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil || len(cells) <= d.columns.error {
		return fmt.Errorf("%w: %.200q", errAnswer, line)
	}
	return fmt.Errorf("%w: %s", ErrTemporary, strings.TrimSpace(cells[d.columns.error]))
}

func (d *decoder) row(line []byte) error {
	ok := true
	rest := line
	for i := 0; rest != nil; i++ {
		var cell []byte
		if comma := bytes.IndexByte(rest, ','); comma >= 0 {
			cell, rest = rest[:comma], rest[comma+1:]
		} else {
			cell, rest = rest, nil
		}
		good := true
		switch i {
		case d.columns.time:
			d.last.ms, good = d.days.millis(cell)
		case d.columns.amount:
			d.last.n, good = parseInt(cell)
		case d.columns.field:
			d.last.field = cell
		case d.columns.meter:
			if string(cell) != string(d.last.meter) { // rows of a series follow each other
				d.last.meter = metering.MeterID(cell)
			}
		}
		ok = ok && good
	}
	if !ok {
		return fmt.Errorf("%w: row %.200q", errAnswer, line)
	}
	return nil
}

// pointsPerRun bounds what is collected of an answer at a time.
const pointsPerRun = 4096

// fluxRuns joins the rows of a decoder that follow each other into runs.
type fluxRuns struct {
	in      *decoder
	run     run
	held    bool // the decoder's last row begins the next run
	failure error
}

// next implements [source].
func (f *fluxRuns) next() (*run, error) {
	f.run.points = f.run.points[:0]
	if f.held {
		f.begin(&f.in.last)
	}
	for f.failure == nil {
		r, err := f.in.next()
		switch {
		case err != nil:
			f.failure = err
		case len(f.run.points) == 0:
			f.begin(r)
		case r.meter == f.run.meter && string(r.field) == f.run.field && len(f.run.points) < pointsPerRun:
			f.run.points = append(f.run.points, point{r.ms, r.n})
		default:
			f.held = true
			return &f.run, nil
		}
	}
	if len(f.run.points) > 0 {
		return &f.run, nil
	}
	return nil, f.failure
}

func (f *fluxRuns) begin(r *row) {
	f.held, f.run.meter = false, r.meter
	if string(r.field) != f.run.field {
		f.run.field = string(r.field)
	}
	f.run.points = append(f.run.points, point{r.ms, r.n})
}

func parseInt(text []byte) (n int64, ok bool) {
	digits := bytes.TrimPrefix(text, []byte{'-'})
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	if len(digits) != len(text) {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}
