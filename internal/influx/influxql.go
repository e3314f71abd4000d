package influx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// influxql writes the query in the language of InfluxDB 1.8, which its engine
// answers several times as fast as Flux. A pick is a limit rather than first()
// or last(): the columns then keep their names and belong to one point.
func (q pointQuery) influxql() string {
	names := make([]string, len(q.fields))
	for i, field := range q.fields {
		names[i] = influxqlName(field)
	}
	text := q.selecting(names...)
	switch q.pick {
	case first:
		text += " ORDER BY time ASC LIMIT 1"
	case last:
		text += " ORDER BY time DESC LIMIT 1"
	}
	return text
}

// influxqlTally asks for the number and the sum of the points of the only field.
func (q pointQuery) influxqlTally() string {
	name := influxqlName(q.fields[0])
	return q.selecting("count("+name+")", "sum("+name+")")
}

func (q pointQuery) selecting(columns ...string) string {
	return fmt.Sprintf("SELECT %s FROM %s.%s WHERE time >= %d AND time < %d AND %s GROUP BY %s",
		strings.Join(columns, ", "), influxqlName(policy), influxqlName(q.measurement),
		nanoseconds(q.from), nanoseconds(q.to), influxqlMeters(q.meters), influxqlName("meter"))
}

// influxqlMeters writes that the tag is one of meters, as an expression of which
// InfluxDB makes equalities where they are at most a hundred. Equalities joined
// by OR say the same, and take it thrice as long to read.
func influxqlMeters(meters []metering.MeterID) string {
	quoted := make([]string, len(meters))
	for i, m := range meters {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(string(m)), "/", `\/`)
	}
	return influxqlName("meter") + " =~ /^(" + strings.Join(quoted, "|") + ")$/"
}

var (
	influxqlQuote = strings.NewReplacer("\\", `\\`, "'", `\'`, "\n", `\n`)
	influxqlIdent = strings.NewReplacer("\\", `\\`, `"`, `\"`, "\n", `\n`)
)

// influxqlString writes text as a string literal of InfluxQL.
func influxqlString(text string) string { return "'" + influxqlQuote.Replace(text) + "'" }

// influxqlName writes text as a quoted identifier of InfluxQL.
func influxqlName(text string) string { return `"` + influxqlIdent.Replace(text) + `"` }

// Instants that InfluxDB can hold: int64 of nanoseconds, but for two values that
// it needs itself.
var (
	firstInstant = time.Unix(0, math.MinInt64+2)
	lastInstant  = time.Unix(0, math.MaxInt64-1)
)

// nanoseconds since 1970; an instant out of range is the nearest within.
func nanoseconds(at time.Time) int64 {
	return earlier(later(at, firstInstant), lastInstant).UnixNano()
}

// influxqlChunk is a part of a chunked answer of /query, as JSON: rows of one
// series. Its rows stay text, so that no index passes through a float64.
type influxqlChunk struct {
	Error   string `json:"error"`
	Results []struct {
		Error   string           `json:"error"`
		Partial bool             `json:"partial"` // another chunk follows
		Series  []influxqlSeries `json:"series"`
	} `json:"results"`
}

type influxqlSeries struct {
	Tags struct {
		Meter metering.MeterID `json:"meter"`
	} `json:"tags"`
	Columns []string        `json:"columns"`
	Rows    json.RawMessage `json:"values"`
}

// influxqlRuns reads a chunked answer while it arrives. In CSV, which is read a
// little faster, an answer that an error cuts short looks whole; here every
// chunk says whether another follows.
type influxqlRuns struct {
	in    *json.Decoder
	more  bool  // another chunk must come
	queue []run // of the last chunk, not handed out yet
	runs  []run // what queue is cut from, used again
	begun bool
}

func newInfluxqlRuns(in io.Reader) *influxqlRuns { return &influxqlRuns{in: json.NewDecoder(in)} }

// next implements [source].
func (q *influxqlRuns) next() (*run, error) {
	for len(q.queue) == 0 {
		if q.begun && !q.more {
			return nil, io.EOF
		}
		if err := q.chunk(); err != nil {
			return nil, err
		}
	}
	r := &q.queue[0]
	q.queue = q.queue[1:]
	return r, nil
}

func (q *influxqlRuns) chunk() error {
	var c influxqlChunk
	err := q.in.Decode(&c)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax), errors.As(err, &kind):
		return fmt.Errorf("%w: %w", errAnswer, err)
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF // a whole answer ends with a chunk that says so
	case err != nil:
		return err
	case c.Error != "":
		return saidError(c.Error)
	}
	q.begun, q.more, q.runs = true, false, q.runs[:0]
	for i := range c.Results {
		if c.Results[i].Error != "" {
			return saidError(c.Results[i].Error)
		}
		q.more = q.more || c.Results[i].Partial
		for j := range c.Results[i].Series {
			if err := q.series(&c.Results[i].Series[j]); err != nil {
				return err
			}
		}
	}
	q.queue = q.runs
	return nil
}

// series adds one run a column but the first, which is the time.
func (q *influxqlRuns) series(s *influxqlSeries) error {
	if len(s.Columns) < 2 || s.Columns[0] != "time" {
		return fmt.Errorf("%w: columns %q", errAnswer, s.Columns)
	}
	begin := len(q.runs)
	for _, field := range s.Columns[1:] {
		if len(q.runs) < cap(q.runs) { // with the points of an earlier chunk, whose room is used again
			q.runs = q.runs[:len(q.runs)+1]
		} else {
			q.runs = append(q.runs, run{})
		}
		r := &q.runs[len(q.runs)-1]
		r.meter, r.field, r.points = s.Tags.Meter, field, r.points[:0]
	}
	if err := parseRows(s.Rows, q.runs[begin:]); err != nil {
		return fmt.Errorf("%w: meter %s: %w", errAnswer, s.Tags.Meter, err)
	}
	return nil
}

var errRows = errors.New("rows are no table of whole numbers")

// parseRows reads [[time,n,...],...] into one run a column; a point that lacks a
// field has null there.
func parseRows(text []byte, columns []run) error {
	rest, ok := bytes.CutPrefix(text, []byte{'['})
	for ok && len(rest) > 0 && rest[0] == '[' {
		var ms int64
		if ms, rest, ok = cell(rest[1:]); !ok {
			break
		}
		for i := range columns {
			if len(rest) == 0 || rest[0] != ',' {
				return errRows
			}
			if after, null := bytes.CutPrefix(rest, []byte(",null")); null {
				rest = after
				continue
			}
			var n int64
			if n, rest, ok = cell(rest[1:]); !ok {
				return errRows
			}
			columns[i].points = append(columns[i].points, point{ms, n})
		}
		if rest, ok = bytes.CutPrefix(rest, []byte{']'}); ok && len(rest) > 1 && rest[0] == ',' {
			rest = rest[1:]
		}
	}
	if !ok || string(rest) != "]" {
		return errRows
	}
	return nil
}

// cell reads a whole number up to what follows it.
func cell(text []byte) (n int64, rest []byte, ok bool) {
	end := bytes.IndexAny(text, ",]")
	if end < 0 {
		return 0, nil, false
	}
	n, ok = parseInt(text[:end])
	return n, text[end:], ok
}
