package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/xnetroseraie/xnet/api/alerts"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/nightly"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/tips"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type nightlyCommand struct {
	configured
	Residence string     `help:"Residence by its id; all of them unless given." placeholder:"ID"`
	Date      civil.Date `help:"Judge the nights up to seven o'clock of this day; by default the last such morning." placeholder:"YYYY-MM-DD"`
	Again     bool       `help:"Do homes again that this day's run has done, as after readings came in late."`
	// Wait is for a run beside the API, which does its own each morning.
	Wait time.Duration `help:"How long to wait where another program does the same run just now." default:"0s"`
}

// Run judges the nights of each residence, and says what came of it.
func (c nightlyCommand) Run(ctx context.Context, p program) (err error) {
	settings, err := c.load(p)
	if err != nil {
		return err
	}
	level, err := logLevel(settings.Log.Level)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	db, err := sqldb.Open(ctx, settings.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	client, err := influx.Open(settings.Influx)
	if err != nil {
		return err
	}
	defer client.Close()
	runner, err := newNights(db, client, log, time.Now)
	if err != nil {
		return err
	}
	runner.Progress = progressTo(p.stdout, time.Now)
	all, err := runner.Residences(ctx, metering.SiteID(c.Residence))
	if err != nil {
		return err
	}
	var faults []error
	for _, residence := range all {
		faults = append(faults, c.night(ctx, p.stdout, runner, residence))
	}
	return errors.Join(faults...)
}

// judge does the run once no other program does it, or gives up after Wait.
func (c nightlyCommand) judge(ctx context.Context, runner *nightly.Runner, residence premises.Residence, date civil.Date) (nightly.Counts, error) {
	const look = time.Second
	for until := time.Now().Add(c.Wait); ; {
		counts, err := runner.Residence(ctx, residence, date, c.Again)
		if !errors.Is(err, nightly.ErrHeld) || time.Now().Add(look).After(until) {
			return counts, err
		}
		select {
		case <-ctx.Done():
			return counts, ctx.Err()
		case <-time.After(look):
		}
	}
}

func (c nightlyCommand) night(ctx context.Context, stdout io.Writer, runner *nightly.Runner, residence premises.Residence) error {
	date := c.Date
	if date.IsZero() {
		date = nightly.Day(time.Now(), residence.Zone)
	}
	counts, err := c.judge(ctx, runner, residence, date)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "residence %s, nights up to %s: %d homes judged, %d done before; water meters %d; cases opened %d, ended %d, told %d; "+
		"to be asked %d; tips proposed %d, changed %d\n", residence.ID, date, counts.Homes, counts.Unchanged, counts.Judged, counts.Opened, counts.Ended,
		counts.Told, counts.Asked, counts.Proposed, counts.Changed)
	for reason, n := range counts.Refused {
		fmt.Fprintf(stdout, "  no claim for %d meters: %s\n", n, say("en", reason))
	}
	if counts.Late {
		fmt.Fprintf(stdout, "  a later day was judged already: quiet days and results were completed, and nothing else was changed\n")
	}
	if counts.Failed > 0 {
		return fmt.Errorf("residence %s, nights up to %s: %d homes could not be judged: mend what the log names, and run again", residence.ID, date, counts.Failed)
	}
	return nil
}

// progressEach is how often progress is told.
const progressEach = 2 * time.Second

// progressTo tells how far a run has come, now and then.
func progressTo(w io.Writer, now func() time.Time) func(metering.SiteID, int, int) {
	last := now()
	return func(residence metering.SiteID, done, of int) {
		if at := now(); at.Sub(last) >= progressEach {
			fmt.Fprintf(w, "residence %s: %d of %d homes\n", residence, done, of)
			last = at
		}
	}
}

func newNights(db *sql.DB, client *influx.Client, log *slog.Logger, now func() time.Time) (*nightly.Runner, error) {
	catalogue, err := tips.Open()
	if err != nil {
		return nil, err
	}
	return &nightly.Runner{DB: db, Influx: client, Catalogue: catalogue, Log: log, Now: now}, nil
}

// nights is the run of each morning, in the background.
type nights struct {
	runner *nightly.Runner
	log    *slog.Logger
	wake   func() // the outbox
	failed prometheus.Counter
}

// newFailedHomes is the figure of homes that a morning could not judge.
func newFailedHomes(registry prometheus.Registerer) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "xnet_api_nights_homes_failed_total",
		Help: "Homes that a morning's run could not judge, because a row of theirs cannot be read: the log names it."})
	registry.MustRegister(c)
	return c
}

const (
	// nightsEvery is how often is looked whether a morning has come.
	nightsEvery = time.Minute
	// nightsPause is how long a run that failed waits.
	nightsPause = 10 * time.Minute
)

// run judges the nights of each residence once its morning has come, and makes up
// for a morning on which the program did not run.
func (n nights) run(ctx context.Context) {
	tick := time.NewTicker(nightsEvery)
	defer tick.Stop()
	var rests time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Now().Before(rests) {
			continue
		}
		if err := n.round(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("nights wait: look at InfluxDB and the database", "error", err, "again_in", nightsPause.String())
			rests = time.Now().Add(nightsPause)
		}
	}
}

func (n nights) round(ctx context.Context) error {
	if err := alerts.NewStore(n.runner.DB).NoteTold(ctx); err != nil {
		return err
	}
	all, err := n.runner.Residences(ctx, "")
	if err != nil {
		return err
	}
	var faults []error
	for _, residence := range all {
		date := nightly.Day(n.runner.Now(), residence.Zone)
		ended, err := n.runner.Ended(ctx, residence.ID, date)
		if err != nil || ended {
			faults = append(faults, err)
			continue
		}
		counts, err := n.runner.Residence(ctx, residence, date, false)
		n.failed.Add(float64(counts.Failed))
		if errors.Is(err, nightly.ErrHeld) {
			continue
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		n.log.Info("nights judged", "residence", residence.ID, "date", date.String(), "homes", counts.Homes, "opened", counts.Opened,
			"ended", counts.Ended, "told", counts.Told, "proposed", counts.Proposed, "failed", counts.Failed)
		n.wake()
	}
	return errors.Join(faults...)
}

// advice adds the routes of tips and alerts.
func (s server) advice(v1 *echo.Group, homes *premises.Store) (conclusions, error) {
	concluded, err := newConclusions(s.db)
	if err != nil {
		return concluded, err
	}
	(&tips.Handler{Store: concluded.tips, Homes: homes, Now: s.now}).Register(v1)
	(&alerts.Handler{Store: alerts.NewStore(s.db), Homes: homes, Now: s.now, Say: say}).Register(v1)
	return concluded, nil
}

// A conclusions is what was concluded from a household's days, for whoever erases
// them or writes the archive of what is held.
type conclusions struct {
	db   *sql.DB
	tips *tips.Store
}

func newConclusions(db *sql.DB) (conclusions, error) {
	catalogue, err := tips.Open()
	return conclusions{db, tips.NewStore(db, catalogue)}, err
}

// Forget implements [consent.Forgetter].
func (c conclusions) Forget(ctx context.Context, e consent.Erasure) error {
	if _, err := c.tips.Erase(ctx, e.Tenancy, e.What == consent.Fine); err != nil {
		return err
	}
	if e.What == consent.All {
		if err := c.tips.EraseHouse(ctx, e.Tenancy); err != nil {
			return err
		}
	}
	cases := alerts.NewStore(c.db)
	for _, p := range e.Parts {
		zone, err := time.LoadLocation(p.ZoneName)
		if err != nil {
			return err
		}
		from, to := civil.DateIn(p.From, zone), civil.DateIn(p.To, zone).AddDays(1)
		if err := cases.EraseOf(ctx, p.Meter, from, to, p.Keep); err != nil {
			return err
		}
		if p.Keep != metering.Fine {
			if err := nightly.Erased(ctx, c.db, p.Meter, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// Held implements [consent.Holder]: the household's tips and cases, and what it said
// about its home.
func (c conclusions) Held(ctx context.Context, household premises.HouseholdID, since civil.Date) (map[string]any, error) {
	kept, err := c.tips.Of(ctx, household, since)
	if err != nil {
		return nil, err
	}
	said, err := c.tips.StatementsOf(ctx, household, since)
	if err != nil {
		return nil, err
	}
	found := alerts.NewStore(c.db)
	cases, err := found.Of(ctx, household, since)
	if err != nil {
		return nil, err
	}
	asked, err := found.QuestionsOf(ctx, household, since)
	return map[string]any{"conseils.json": kept, "alertes.json": cases, "questions.json": asked, "logement.json": said}, err
}

var (
	_ consent.Forgetter = conclusions{}
	_ consent.Holder    = conclusions{}
)
