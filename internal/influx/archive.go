package influx

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/domain"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// ErrArchive: a line of an archive is none of [Client.Export]. Test with
// errors.Is.
var ErrArchive = errors.New("no line of an archive")

// Archived lists the buckets that [Client.Export] knows, as in "readings",
// without the prefix. The arrivals of gateways are not archived: they tell how
// the way of the readings fared, and nothing of a home.
func Archived() []string {
	names := make([]string, len(buckets))
	for i, b := range buckets {
		names[i] = b.name
	}
	return names
}

func bucketOf(name string) (bucket, error) {
	i := slices.IndexFunc(buckets, func(b bucket) bool { return b.name == name })
	if i < 0 {
		return bucket{}, fmt.Errorf("unknown bucket %q, known are %v", name, Archived())
	}
	return buckets[i], nil
}

// contents returns the measurement of a bucket and its fields.
func (b bucket) contents() (measurement string, fields []string) {
	if b.name != readingsBucket.name {
		return consumptionMeasurement, allFields
	}
	for _, q := range metering.Quantities {
		fields = append(fields, string(q))
	}
	return readingMeasurement, fields
}

// Export writes every point of a bucket of [Archived] as line protocol, one field
// a line, instants in ms. Points that come or go meanwhile are in it or not. Told
// is called now and then with the points so far; nil for nobody. It fails with
// [ErrTemporary], and with [ErrAbsent] where the bucket is not there.
func (c *Client) Export(ctx context.Context, w io.Writer, name string, told func(points int)) (points int, err error) {
	b, err := bucketOf(name)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	e := exporting{client: c, bucket: b, out: out, told: told}
	if err := e.all(ctx); err != nil {
		return e.points, fmt.Errorf("export %s: %w", name, err)
	}
	return e.points, out.Flush()
}

// exporting is one [Client.Export] under way.
type exporting struct {
	client *Client
	bucket bucket
	out    *bufio.Writer
	told   func(points int)
	points int
	broken error // the first fault of out
}

func (e *exporting) all(ctx context.Context) error {
	measurement, _ := e.bucket.contents()
	if _, found, err := e.client.dialect.retention(ctx, e.bucket.in(e.client.config)); err != nil || !found {
		return errors.Join(err, orAbsent(found))
	}
	meters, err := e.client.dialect.meters(ctx, e.bucket.in(e.client.config), measurement)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(meters, metersPerQuery) {
		if err := e.some(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func orAbsent(found bool) error {
	if found {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTemporary, ErrAbsent)
}

// some exports a few meters, a shard at a time: an answer to everything at once
// would take longer than a request may.
func (e *exporting) some(ctx context.Context, meters []metering.MeterID) error {
	from, to, err := e.bounds(ctx, meters)
	if err != nil {
		return err
	}
	for ; from.Before(to); from = from.Add(e.bucket.shards) {
		if err := e.client.query(ctx, e.bucket, e.query(meters, from, earlier(from.Add(e.bucket.shards), to), every), e.write); err != nil {
			return err
		}
		if e.broken != nil {
			return e.broken
		}
		if e.told != nil {
			e.told(e.points)
		}
	}
	return nil
}

func (e *exporting) query(meters []metering.MeterID, from, to time.Time, p pick) pointQuery {
	measurement, fields := e.bucket.contents()
	return pointQuery{from: from, to: to, measurement: measurement, fields: fields, meters: meters, pick: p}
}

// bounds returns [from, to) around all points of the meters, empty where there
// are none.
func (e *exporting) bounds(ctx context.Context, meters []metering.MeterID) (from, to time.Time, err error) {
	var earliest, latest int64
	found := false
	widen := func(r *run) {
		for _, p := range r.points {
			if !found {
				earliest, latest, found = p.ms, p.ms, true
			}
			earliest, latest = min(earliest, p.ms), max(latest, p.ms)
		}
	}
	for _, p := range []pick{first, last} {
		if err := e.client.query(ctx, e.bucket, e.query(meters, firstInstant, lastInstant, p), widen); err != nil {
			return from, to, err
		}
	}
	if !found {
		return from, to, nil
	}
	return time.UnixMilli(earliest).UTC(), time.UnixMilli(latest + 1).UTC(), nil
}

func (e *exporting) write(r *run) {
	measurement, _ := e.bucket.contents()
	var line []byte
	for _, p := range r.points {
		line = appendLineStart(line[:0], measurement, r.meter)
		line = appendLineEnd(appendField(line, r.field, p.n), p.ms)
		if _, err := e.out.Write(line); err != nil && e.broken == nil {
			e.broken = err
		}
	}
	e.points += len(r.points)
}

// Import writes the lines of [Client.Export] into the bucket, which must exist.
// Points of the same meter, instant and field are replaced, others stay. Points
// that began before the bucket's retention are left out and counted, because
// InfluxDB would not keep them. A line that Export does not write fails with
// [ErrArchive]; other errors are those of [Client.WriteReadings].
func (c *Client) Import(ctx context.Context, r io.Reader, name string, told func(points int)) (written, leftOut int, err error) {
	b, err := bucketOf(name)
	if err != nil {
		return 0, 0, fmt.Errorf("import: %w", err)
	}
	i := importing{client: c, bucket: b, earliest: earliestKept(b, c.config.Keep)}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		if err := i.take(ctx, lines.Bytes()); err != nil {
			return i.written, i.leftOut, fmt.Errorf("import %s: line %d: %w", name, number, err)
		}
		if told != nil && number%linesPerWrite == 0 {
			told(i.written)
		}
	}
	err = errors.Join(lines.Err(), i.flush(ctx))
	if err != nil {
		err = fmt.Errorf("import %s: %w", name, err)
	}
	return i.written, i.leftOut, err
}

// earliestKept is the ms before which a bucket keeps nothing.
func earliestKept(b bucket, keep Retention) int64 {
	if b.keep(keep) == 0 {
		return firstInstant.UnixMilli()
	}
	return time.Now().Add(time.Minute - b.keep(keep)).UnixMilli()
}

// importing is one [Client.Import] under way.
type importing struct {
	client           *Client
	bucket           bucket
	earliest         int64
	held             []byte // whole lines, checked
	lines            int
	written, leftOut int
}

func (i *importing) take(ctx context.Context, line []byte) error {
	ms, ok := i.bucket.reads(line)
	if !ok {
		return fmt.Errorf("%w: %.100q", ErrArchive, line)
	}
	if ms < i.earliest {
		i.leftOut++
		return nil
	}
	i.held = append(append(i.held, line...), '\n')
	if i.lines++; i.lines < linesPerWrite {
		return nil
	}
	return i.flush(ctx)
}

func (i *importing) flush(ctx context.Context) error {
	if err := i.client.write(ctx, i.bucket, func(dst []byte) []byte { return append(dst, i.held...) }); err != nil {
		return err
	}
	i.written += i.lines
	i.held, i.lines = i.held[:0], 0
	return nil
}

// reads returns the instant of a line that Export writes of the bucket.
func (b bucket) reads(line []byte) (ms int64, ok bool) {
	measurement, fields := b.contents()
	rest, ok := bytes.CutPrefix(line, []byte(measurement+",meter="))
	parts := bytes.Split(rest, []byte{' '})
	if !ok || len(parts) != 3 || !metering.ValidID(metering.MeterID(parts[0])) {
		return 0, false
	}
	field, number, ok := bytes.Cut(parts[1], []byte{'='})
	digits, whole := bytes.CutSuffix(number, []byte{'i'})
	_, isNumber := parseInt(digits)
	ms, err := strconv.ParseInt(string(parts[2]), 10, 64)
	return ms, ok && whole && isNumber && err == nil && slices.Contains(fields, string(field))
}

// meters implements [dialect].
func (v v1) meters(ctx context.Context, bucket, measurement string) ([]metering.MeterID, error) {
	rows, err := v.influxqlOn(ctx, bucket, fmt.Sprintf(`SHOW TAG VALUES FROM %s WITH KEY = "meter"`, influxqlName(measurement)))
	if err != nil {
		return nil, err
	}
	var meters []metering.MeterID
	for _, row := range rows {
		meters = append(meters, metering.MeterID(row["value"]))
	}
	return slices.Compact(slices.Sorted(slices.Values(meters))), nil
}

// fluxMeters asks for the tags; the package is there in 1.8 and in 2.7.
const fluxMeters = `import "influxdata/influxdb/v1"
v1.tagValues(bucket: %s, tag: "meter", predicate: (r) => r._measurement == %s, start: 1970-01-01T00:00:00Z)`

// meters implements [dialect].
func (v v2) meters(ctx context.Context, bucket, measurement string) (meters []metering.MeterID, err error) {
	body, err := json.Marshal(map[string]any{"query": fmt.Sprintf(fluxMeters, fluxString(bucket), fluxString(measurement)), "type": "flux",
		"dialect": domain.Dialect{Header: new(true), Delimiter: new(","), Annotations: &[]domain.DialectAnnotations{}}})
	if err != nil {
		return nil, fmt.Errorf("write the query: %w", err)
	}
	err = post(ctx, v.client, "api/v2/query?org="+url.QueryEscape(v.org), "application/json", body, func(body io.Reader) error {
		meters, err = readMeters(body)
		return err
	})
	return slices.Compact(slices.Sorted(slices.Values(meters))), err
}

// readMeters reads the CSV of an answer to fluxMeters.
func readMeters(r io.Reader) (meters []metering.MeterID, err error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	column := -1
	for {
		cells, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return meters, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrTemporary, err) // the connection broke
		case slices.Contains(cells, "error"):
			return nil, fmt.Errorf("%w: the list of meters breaks off", ErrTemporary)
		case slices.Contains(cells, "_value"):
			column = slices.Index(cells, "_value")
		case column >= 0 && column < len(cells):
			meters = append(meters, metering.MeterID(cells[column]))
		}
	}
}
