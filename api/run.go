package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/registry"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/config"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
)

type runCommand struct{ configured }

// Run serves until ctx ends. The database must be there; the broker and
// InfluxDB may be away, and are waited for.
func (r runCommand) Run(ctx context.Context, p program) (err error) {
	c, err := r.load(p)
	if err != nil {
		return err
	}
	level, err := logLevel(c.Log.Level)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	client, err := influx.Open(c.Influx)
	if err != nil {
		return err
	}
	defer client.Close()
	return serve(ctx, c, db, client, log)
}

func logLevel(name string) (level slog.Level, err error) {
	return level, level.UnmarshalText([]byte(name))
}

func serve(ctx context.Context, c Config, db *sql.DB, client *influx.Client, log *slog.Logger) error {
	publisher, err := newPublisher(c.Broker, db, log)
	if err != nil {
		return err
	}
	ready := &readiness{checks: map[string]func(context.Context) error{
		"database": db.PingContext,
		"influxdb": client.Ping,
		"broker":   func(context.Context) error { return publisher.Ready() },
	}}
	handler, err := server{config: c, db: db, influx: client, log: log, now: time.Now,
		figures: figures.NewRegistry(), ready: ready.check}.routes()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended, err := figures.Serve(ctx, c.Listen, headAsGet(handler))
	if err != nil {
		return err
	}
	log.Info("serving", "address", c.Listen)
	var background sync.WaitGroup
	background.Go(func() { publisher.Run(ctx) })
	err = <-ended
	stop()
	background.Wait()
	return err
}

func newPublisher(b brokerConfig, db *sql.DB, log *slog.Logger) (*registry.Publisher, error) {
	password, err := config.Secret(b.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("broker.password_file: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this machine: %w", err)
	}
	// Two programs with one name would throw each other off the broker.
	id := fmt.Sprintf("xnet-api-%s-%d", host, os.Getpid())
	return registry.New(registry.Broker{URL: b.URL, ClientID: id, Username: b.Username, Password: password},
		premises.NewStore(db), meters.NewStore(db), b.Look, log), nil
}

// readiness asks the servers the program needs, at most once in a while however
// often it is asked itself.
type readiness struct {
	checks map[string]func(context.Context) error

	mu    sync.Mutex
	until time.Time
	last  error
}

const (
	readyFor  = time.Second
	readyWait = 2 * time.Second
)

func (r *readiness) check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return r.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	var faults []error
	for _, name := range []string{"database", "influxdb", "broker"} {
		if err := r.checks[name](ctx); err != nil {
			faults = append(faults, fmt.Errorf("%s: does not answer", name)) // the cause may bear an address
		}
	}
	r.last, r.until = errors.Join(faults...), time.Now().Add(readyFor)
	return r.last
}
