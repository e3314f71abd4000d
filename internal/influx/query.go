package influx

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/influxdata/influxdb-client-go/v2/domain"

	"github.com/xnetroseraie/xnet/internal/metering"
)

// metersPerQuery keeps the text of a query small.
const metersPerQuery = 100

// parallelQueries is how many chunks of one call are asked for at once.
const parallelQueries = 4

// query asks for q in chunks of meters and hands every row to each, one at a
// time; the rows of one meter and field come in order of time. No meters or an
// empty range give no rows and no request.
func (c *Client) query(ctx context.Context, b bucket, q fluxQuery, each func(*row)) error {
	if len(q.meters) == 0 || !q.to.After(q.from) {
		return nil
	}
	for _, m := range q.meters {
		if err := metering.CheckID("meter", m); err != nil {
			return fmt.Errorf("query influxdb: %w", err)
		}
	}
	q.bucket = c.dialect.bucketName(b.in(c.config))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelQueries)
	for chunk := range slices.Chunk(q.meters, metersPerQuery) {
		part := q
		part.meters = chunk
		group.Go(func() error {
			return c.stream(ctx, part.text(), &mu, each)
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("query bucket %s: %w", b.in(c.config), err)
	}
	return nil
}

// stream posts one query and decodes its answer while it arrives. It goes
// through the library's own HTTP service, but neither has the answer
// compressed, which takes InfluxDB longer than sending it, nor holds it whole
// in memory.
func (c *Client) stream(ctx context.Context, text string, mu *sync.Mutex, each func(*row)) error {
	body, err := json.Marshal(map[string]any{"query": text, "type": "flux",
		"dialect": domain.Dialect{Header: new(true), Delimiter: new(","), Annotations: &[]domain.DialectAnnotations{}}})
	if err != nil {
		return fmt.Errorf("write the query: %w", err)
	}
	service := c.client.HTTPService()
	address := service.ServerAPIURL() + "query?org=" + url.QueryEscape(c.config.Org)
	var failed error
	perr := service.DoPostRequest(ctx, address, bytes.NewReader(body),
		func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept-Encoding", "identity")
		},
		func(r *http.Response) error {
			defer r.Body.Close()
			failed = decodeAll(r.Body, mu, each)
			return nil
		})
	if perr != nil {
		return classify(perr)
	}
	return failed
}

// decodeAll hands the rows over one at a time: each is never called twice at
// once, though several answers arrive together.
func decodeAll(body io.Reader, mu *sync.Mutex, each func(*row)) error {
	d := newDecoder(body)
	for {
		r, err := d.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errAnswer), errors.Is(err, ErrTemporary):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", ErrTemporary, err) // the connection broke
		}
		mu.Lock()
		each(r)
		mu.Unlock()
	}
}
