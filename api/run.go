package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/doctor"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/watchdog"
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
	hold, err := sqldb.HoldOpen(c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.Close()) }()
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
	return serve(ctx, c, db, client, log, watchdog.New(p.getenv, log))
}

func logLevel(name string) (level slog.Level, err error) {
	return level, level.UnmarshalText([]byte(name))
}

func serve(ctx context.Context, c Config, db *sql.DB, client *influx.Client, log *slog.Logger, dog *watchdog.Dog) error {
	told := figures.NewRegistry()
	told.MustRegister(figures.NewStanding(c.certificates(), c.folders()), doctor.Figures{DB: db, Now: time.Now, Log: log})
	privacy, err := newPrivacy(ctx, c, db, client, log, told)
	if err != nil {
		return err
	}
	field, err := newField(c, db, client, privacy.settle, log)
	if err != nil {
		return err
	}
	privacy.eraser.Told(field.publisher.Steady)
	if err := c.writeAccess(ctx, db); err != nil {
		log.Error("the broker may not know the gateways that are enrolled", "error", err)
	}
	people, err := newDesk(c, db, log, time.Now)
	if err != nil {
		return err
	}
	judged, err := newNights(db, client, log, time.Now)
	if err != nil {
		return err
	}
	ready := &readiness{checks: map[string]func(context.Context) error{
		"database": db.PingContext,
		"influxdb": client.Ping,
		"broker":   func(context.Context) error { return field.publisher.Ready() },
	}}
	handler, err := server{config: c, db: db, influx: client, log: log, now: time.Now,
		figures: told, ready: ready.check, desk: people}.routes()
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
	debug.FreeOSMemory() // what starting took
	var background sync.WaitGroup
	background.Go(func() { field.run(ctx) })
	background.Go(func() { people.outbox.Run(ctx) })
	background.Go(func() { privacy.run(ctx) })
	background.Go(func() { programme.NewStore(db).RunActive(ctx, time.Now, log) })
	background.Go(func() { remind(ctx, c.trainings(db), log) })
	background.Go(func() { forget(ctx, c.machineRecords(db, time.Now), c.trainingRecords(db, time.Now), log) })
	background.Go(func() { nights{judged, log, people.outbox.Wake, newFailedHomes(told)}.run(ctx) })
	outdoors := consumption.NewOutdoors(consumption.NewNeighbourhood(db, client), client, c.Weather, log, time.Now)
	background.Go(func() { outdoors.Run(ctx) })
	background.Go(func() { dog.Run(ctx, watchdog.Answers(c.Listen)) })
	err = <-ended
	stop()
	background.Wait()
	return err
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
