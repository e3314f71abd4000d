package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// metersPerQuery is how many meters one request asks for. InfluxDB 1.8 finds so
// many at once in its index, and of 50 to 600 they are read fastest.
const metersPerQuery = 100

// parallelQueries is how many chunks of one call are asked for at once.
const parallelQueries = 4

// A pointQuery is what every query of this package has: a range, a measurement,
// fields and meters.
type pointQuery struct {
	bucket      string // with its prefix
	from, to    time.Time
	measurement string
	fields      []string
	meters      []metering.MeterID
	pick        pick
}

// A pick is which points of each meter are wanted.
type pick string

const (
	every pick = ""
	first pick = "first"
	last  pick = "last"
)

// A run is points of one meter and field, in order of time. Those of a long
// range come in several runs.
type run struct {
	meter  metering.MeterID
	field  string
	points []point
}

// A point is an instant in ms since 1970 and what stands there.
type point struct{ ms, n int64 }

// query asks for q in chunks of meters and hands every run to each, one at a
// time; a run is valid until each returns. Those of one meter and field come in
// order of time. No meters or an empty range give none and no request.
func (c *Client) query(ctx context.Context, b bucket, q pointQuery, each func(*run)) error {
	var mu sync.Mutex
	return c.inChunks(ctx, b, q, func(ctx context.Context, part pointQuery) error {
		return c.dialect.query(ctx, part, func(r *run) {
			mu.Lock()
			defer mu.Unlock()
			each(r)
		})
	})
}

// inChunks asks for the parts of q, a few at a time.
func (c *Client) inChunks(ctx context.Context, b bucket, q pointQuery, ask func(context.Context, pointQuery) error) error {
	if len(q.meters) == 0 || !q.to.After(q.from) {
		return nil
	}
	for _, m := range q.meters {
		if err := metering.CheckID("meter", m); err != nil {
			return fmt.Errorf("query influxdb: %w", err)
		}
	}
	q.bucket = b.in(c.config)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelQueries)
	for chunk := range slices.Chunk(q.meters, metersPerQuery) {
		part := q
		part.meters = chunk
		group.Go(func() error { return ask(ctx, part) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("query bucket %s: %w", q.bucket, err)
	}
	return nil
}

// A source gives one run after the other, and [io.EOF] after the last. A run is
// valid until the next.
type source interface{ next() (*run, error) }

var (
	_ source = (*fluxRuns)(nil)
	_ source = (*influxqlRuns)(nil)
)

// drain hands every run of s to each.
func drain(s source, each func(*run)) error {
	for {
		r, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errAnswer), errors.Is(err, ErrTemporary):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", ErrTemporary, err) // the connection broke
		}
		each(r)
	}
}

// post sends text to a path below the server and has its answer read while it
// arrives. It goes through the library's own HTTP service, but neither has the
// answer compressed, which takes InfluxDB longer than sending it, nor holds it
// whole in memory.
func post(ctx context.Context, client influxdb2.Client, path, kind string, text []byte, read func(io.Reader) error) error {
	service := client.HTTPService()
	var failed error
	perr := service.DoPostRequest(ctx, service.ServerURL()+path, bytes.NewReader(text),
		func(r *http.Request) {
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Accept-Encoding", "identity")
		},
		func(r *http.Response) error {
			defer r.Body.Close()
			if failed = read(r.Body); failed == nil {
				_, _ = io.Copy(io.Discard, r.Body) // the connection is then used again
			}
			return nil
		})
	if perr != nil {
		return classify(perr)
	}
	return failed
}
