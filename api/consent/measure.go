package consent

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A measure is one kind of what InfluxDB holds, as the archive says it.
type measure struct {
	name   string        // of the files, without ending
	period influx.Period // empty for single readings
	piece  time.Duration // how much is asked for at once
}

var measures = []measure{
	{"mois", influx.Monthly, 10 * 366 * daily},
	{"jours", influx.Daily, 400 * daily},
	{"heures", influx.Hourly, 62 * daily},
	{"releves", "", 7 * daily},
}

// A sample is one row of a measure.
type sample struct {
	Meter    metering.MeterID
	Kind     metering.Kind
	At       time.Time // of a reading, or the begin of a period
	Quantity metering.Quantity
	Unit     metering.Unit
	Index    metering.Amount // the reading, or the index at the period's end
	Used     metering.Amount // only of a period
	Quality  metering.Quality
}

// A sink takes the rows of one file.
type sink interface {
	begin() error
	row(sample) error
	end() error
}

func (x *Exporter) writeMeasure(ctx context.Context, archive *zip.Writer, m measure, s Subject, now time.Time) error {
	for _, ending := range []string{".csv", ".json"} {
		file, err := createFile(archive, m.name+ending, now)
		if err != nil {
			return fmt.Errorf("write %s: %w", m.name, err)
		}
		var to sink = &table{w: file, periods: m.period != ""}
		if ending == ".json" {
			to = &list{w: file, periods: m.period != ""}
		}
		if err := x.pour(ctx, to, m, s); err != nil {
			return fmt.Errorf("write %s%s: %w", m.name, ending, err)
		}
	}
	return nil
}

func (x *Exporter) pour(ctx context.Context, to sink, m measure, s Subject) error {
	if err := to.begin(); err != nil {
		return err
	}
	for _, l := range s.homes {
		for from := l.from; from.Before(l.to); from = from.Add(m.piece) {
			samples, err := x.samples(ctx, m, l, from, earlier(from.Add(m.piece), l.to))
			if err != nil {
				return err
			}
			for _, one := range samples {
				if err := to.row(one); err != nil {
					return err
				}
			}
		}
	}
	return to.end()
}

// samples returns what is stored of a meter within [from, to). A period counts
// where all of it lies within the subject's own time: the month in which two
// households lived there is nobody's alone.
func (x *Exporter) samples(ctx context.Context, m measure, l lodged, from, to time.Time) ([]sample, error) {
	id := l.hanging.Meter.ID
	if m.period == "" {
		return x.readings(ctx, l, from, to)
	}
	found, err := x.influx.Consumption(ctx, m.period, []metering.MeterID{id}, from, to)
	if err != nil {
		return nil, err
	}
	var all []sample
	for _, c := range found[id] {
		if endOf(m.period, c.Start, l.zone).After(l.to) {
			continue
		}
		all = append(all, sample{Meter: id, Kind: l.kind, At: c.Start, Quantity: metering.Index, Unit: l.kind.IndexUnit(),
			Index: c.Index, Used: c.Used, Quality: c.Quality})
	}
	return all, nil
}

func (x *Exporter) readings(ctx context.Context, l lodged, from, to time.Time) ([]sample, error) {
	id := l.hanging.Meter.ID
	found, err := x.influx.EveryReading(ctx, id, from, to)
	if err != nil {
		return nil, err
	}
	all := make([]sample, len(found))
	for i, r := range found {
		all[i] = sample{Meter: id, Kind: l.kind, At: r.At, Quantity: r.Quantity, Unit: metering.UnitOf(l.kind, r.Quantity), Index: r.Amount}
	}
	return all, nil
}

// endOf returns when a period that begins at start is over.
func endOf(p influx.Period, start time.Time, zone *time.Location) time.Time {
	local := start.In(zone)
	switch p {
	case influx.Hourly:
		return start.Add(time.Hour)
	case influx.Daily:
		return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, zone)
	default:
		return time.Date(local.Year(), local.Month()+1, 1, 0, 0, 0, 0, zone)
	}
}

// A table writes rows as CSV; no cell of it can hold a comma.
type table struct {
	w       io.Writer
	periods bool
}

func (t *table) begin() error {
	header := "meter,kind,at,quantity,unit,reading\r\n"
	if t.periods {
		header = "meter,kind,start,unit,index,used,quality\r\n"
	}
	_, err := io.WriteString(t.w, header)
	return err
}

func (t *table) row(s sample) (err error) {
	if t.periods {
		_, err = fmt.Fprintf(t.w, "%s,%s,%s,%s,%d,%d,%s\r\n", s.Meter, s.Kind, instant(s.At), s.Unit, s.Index, s.Used, s.Quality)
		return err
	}
	_, err = fmt.Fprintf(t.w, "%s,%s,%s,%s,%s,%d\r\n", s.Meter, s.Kind, s.At.UTC().Format(time.RFC3339Nano), s.Quantity, s.Unit, s.Index)
	return err
}

func (t *table) end() error { return nil }

// A list writes rows as one JSON array, an object a line.
type list struct {
	w       io.Writer
	periods bool
	rows    int
}

type periodJSON struct {
	Meter   metering.MeterID `json:"meter"`
	Kind    metering.Kind    `json:"kind"`
	Start   string           `json:"start"`
	Unit    metering.Unit    `json:"unit"`
	Index   metering.Amount  `json:"index"`
	Used    metering.Amount  `json:"used"`
	Quality metering.Quality `json:"quality"`
}

type readingJSON struct {
	Meter    metering.MeterID  `json:"meter"`
	Kind     metering.Kind     `json:"kind"`
	At       string            `json:"at"`
	Quantity metering.Quantity `json:"quantity"`
	Unit     metering.Unit     `json:"unit"`
	Reading  metering.Amount   `json:"reading"`
}

func (l *list) begin() error {
	_, err := io.WriteString(l.w, "[")
	return err
}

func (l *list) row(s sample) error {
	var one any = readingJSON{s.Meter, s.Kind, s.At.UTC().Format(time.RFC3339Nano), s.Quantity, s.Unit, s.Index}
	if l.periods {
		one = periodJSON{s.Meter, s.Kind, instant(s.At), s.Unit, s.Index, s.Used, s.Quality}
	}
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	separator := ",\n"
	if l.rows == 0 {
		separator = "\n"
	}
	l.rows++
	_, err = l.w.Write(slices.Concat([]byte(separator), text))
	return err
}

func (l *list) end() error {
	_, err := io.WriteString(l.w, "\n]\n")
	return err
}
