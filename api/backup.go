package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
)

type backupCommand struct {
	configured
	File string `arg:"" help:"New file for the back-up." type:"path" name:"FILE"`
}

// Run copies the database while the API may run.
func (b backupCommand) Run(ctx context.Context, p program) error {
	c, err := b.load(p)
	if err != nil {
		return err
	}
	if err := sqldb.Backup(ctx, c.Database.DSN, b.File); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "backed up to %s; copy it away together with %s, which must never be set back\n", b.File, c.ledger())
	return nil
}

type restoreCommand struct {
	configured
	File    string `arg:"" help:"Back-up made by api backup." type:"path" name:"FILE"`
	Replace bool   `help:"Let the database that is there go."`
}

// Run puts a back-up in the database's place and erases again what was erased
// since, before anything can be served.
func (r restoreCommand) Run(ctx context.Context, p program) error {
	c, err := r.load(p)
	if err != nil {
		return err
	}
	if err := sqldb.Restore(ctx, c.Database.DSN, r.File, r.Replace); err != nil {
		return err
	}
	replayed, err := replay(ctx, c, nil)
	if err != nil {
		return fmt.Errorf("%s is restored, but what was erased is not replayed: %w: the API will not start until it is", r.File, err)
	}
	fmt.Fprintf(p.stdout, "restored from %s; %d erasures replayed\n", r.File, replayed)
	return nil
}

type replayCommand struct {
	configured
	Since string `help:"Erase again in InfluxDB what was erased since this day, as in 2026-03-01: for an InfluxDB restored from a back-up of that day." placeholder:"DAY"`
}

// Run replays the ledger of erasures, as after pg_restore.
func (r replayCommand) Run(ctx context.Context, p program) error {
	c, err := r.load(p)
	if err != nil {
		return err
	}
	var since *civil.Date
	if r.Since != "" {
		day, err := civil.ParseDate(r.Since)
		if err != nil {
			return fmt.Errorf("--since: %w", err)
		}
		since = &day
	}
	replayed, err := replay(ctx, c, since)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d erasures replayed; the API works off what is InfluxDB's\n", replayed)
	return nil
}

// replay applies the ledger; with since the erasures known since that day are
// done again too.
func replay(ctx context.Context, c Config, since *civil.Date) (replayed int, err error) {
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store := consent.NewStore(db, consent.OpenLedger(c.ledger()))
	if replayed, err = store.Replay(ctx); err != nil || since == nil {
		return replayed, err
	}
	// The day may have begun up to 14 hours before it did in Greenwich.
	again, err := store.Again(ctx, since.Start(time.UTC).Add(-14*time.Hour), time.Now())
	return replayed + int(again), err
}

type retentionCommand struct{ configured }

// Run drops what is older than its rule allows, once; the API does it each day.
func (r retentionCommand) Run(ctx context.Context, p program) (err error) {
	c, err := r.load(p)
	if err != nil {
		return err
	}
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
	store := consent.NewStore(db, consent.OpenLedger(c.ledger()))
	dropped, err := store.Retain(ctx, time.Now())
	for _, d := range dropped {
		fmt.Fprintf(p.stdout, "%s: %d dropped\n", d.Rule, d.Rows)
	}
	if err != nil {
		return err
	}
	return tellBuckets(ctx, p, client)
}

// tellBuckets fails where InfluxDB keeps something longer than it should.
func tellBuckets(ctx context.Context, p program, client *influx.Client) error {
	buckets, err := client.Retention(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, b := range buckets {
		fmt.Fprintf(p.stdout, "InfluxDB %s: kept %.0f days, wanted %.0f (0 is for ever)\n", b.Bucket, b.Is.Hours()/24, b.Wanted.Hours()/24)
		if !b.Right() {
			faults = append(faults, fmt.Errorf("InfluxDB keeps %s too long: shorten the bucket's retention by hand", b.Bucket))
		}
	}
	return errors.Join(faults...)
}
