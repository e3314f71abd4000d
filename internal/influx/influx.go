// Package influx is the one place that speaks to InfluxDB: it writes and reads
// readings and consumption, erases them, and sets the buckets up.
//
// It works with InfluxDB 1.8, which it asks in InfluxQL, and 2.7, which it asks in
// Flux; what differs between them stands in one file, dialect.go. All fields are int64 in the base units of
// package metering, instants have whole milliseconds, ranges are half-open.
// A point's key is meter, quantity and instant, so that writing twice equals
// writing once.
package influx

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"

	"github.com/xnetroseraie/xnet/internal/config"
)

// requestTimeout ends a request that InfluxDB does not answer. It is long,
// because the answer to a year of a residence takes seconds.
const requestTimeout = 60 * time.Second

// pingTimeout is short, because readiness is asked for again and again.
const pingTimeout = 2 * time.Second

// A Client speaks to one InfluxDB. Its methods may be called concurrently.
type Client struct {
	config  Config
	client  influxdb2.Client
	http    *http.Client
	dialect dialect
}

// Open returns a client for a valid configuration. It reads the token file and
// does not use the network.
func Open(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("open influxdb: %w", err)
	}
	token, err := config.Secret(c.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("open influxdb: token: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	client := &http.Client{Transport: transport, Timeout: requestTimeout}
	options := influxdb2.DefaultOptions().SetHTTPClient(client).SetPrecision(time.Millisecond).
		SetUseGZip(false).SetApplicationName("xnet").SetLogLevel(0)
	api := influxdb2.NewClientWithOptions(c.URL, token, options)
	return &Client{config: c, client: api, http: client, dialect: dialectFor(c, api)}, nil
}

// Close lets go of the connections. The client must not be used afterwards.
func (c *Client) Close() {
	c.client.Close()
	c.http.CloseIdleConnections()
}

// Ping returns nil when InfluxDB answers, within two seconds. It fails with
// [ErrTemporary].
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.client.HTTPService().ServerURL()+"ping", nil)
	if err != nil {
		return fmt.Errorf("ping influxdb at %s: %w", c.config.URL, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ping influxdb: %w: %w", ErrTemporary, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // the connection is then used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("ping influxdb at %s: %w: status %s", c.config.URL, ErrTemporary, response.Status)
	}
	return nil
}

// SetUp makes the buckets with their retention, or changes the retention of
// existing ones. It is idempotent. It fails with [ErrShortens], and changes
// nothing, where a bucket keeps its points for longer than the configuration
// wants, because the surplus would be gone for good; [Config.AllowShorter]
// allows that.
func (c *Client) SetUp(ctx context.Context) error {
	var todo []func() error
	for _, b := range buckets {
		name, want := b.in(c.config), b.keep(c.config.Keep)
		is, found, err := c.dialect.retention(ctx, name)
		switch {
		case err != nil:
			return fmt.Errorf("set up influxdb: bucket %s: %w", name, err)
		case !found:
			todo = append(todo, func() error { return c.dialect.create(ctx, name, b.shards, want) })
		case shortens(is, want) && !c.config.AllowShorter:
			return fmt.Errorf("set up influxdb: bucket %s: %w from %s to %s: raise influx.keep.%s_days, or start once with --allow-shorter if what is older may be deleted",
				name, ErrShortens, inDays(is), inDays(want), b.key)
		case is != want:
			todo = append(todo, func() error { return c.dialect.keep(ctx, name, b.shards, want) })
		}
	}
	for _, do := range todo {
		if err := do(); err != nil {
			return fmt.Errorf("set up influxdb: %w", err)
		}
	}
	return nil
}
