package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/api/backup"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/figures"
	"github.com/xnetroseraie/xnet/internal/influx"
)

type backupAllCommand struct {
	configured
	Dir string `arg:"" help:"New folder for the back-up." type:"path" name:"FOLDER"`
}

// Run backs up the SQL database and InfluxDB while the programs may run.
func (b backupAllCommand) Run(ctx context.Context, p program) error {
	c, err := b.load(p)
	if err != nil {
		return err
	}
	client, err := influx.Open(c.Influx)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := c.whole(client, p).Write(ctx, b.Dir, time.Now()); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "backed up to %s; copy it away. After it copy %s away each day, which must never be set back, and once the folder of the configuration\n", b.Dir, c.ledger())
	return nil
}

// whole is the system as package backup knows it.
func (c *Config) whole(client *influx.Client, p program) backup.System {
	return backup.System{DSN: c.Database.DSN, Ledger: c.ledger(), Influx: client, Told: func(line string) { fmt.Fprintln(p.stdout, line) }}
}

type restoreAllCommand struct {
	configured
	Dir     string `arg:"" help:"Folder made by api backup-all." type:"path" name:"FOLDER"`
	Replace bool   `help:"Let the SQL database that is there go. Readings that are in InfluxDB stay."`
	Ledger  string `help:"A newer copy of the ledger of erasures than the back-up's, so that what was erased since stays erased." type:"path" placeholder:"FILE"`
}

// Run puts a whole back-up in the system's place and erases again what was erased
// since. Nothing is changed before the back-up is known to be whole.
func (r restoreAllCommand) Run(ctx context.Context, p program) error {
	c, err := r.load(p)
	if err != nil {
		return err
	}
	manifest, err := backup.Check(r.Dir)
	if err != nil {
		return err
	}
	client, err := influx.Open(c.Influx)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.SetUp(ctx); err != nil && !errors.Is(err, influx.ErrShortens) {
		return fmt.Errorf("%w: nothing was restored", err)
	}
	if err := r.restore(ctx, c, client, manifest, p); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "restored what was there on %s\n", manifest.Made.Format("2006-01-02 15:04:05 MST"))
	return nil
}

func (r restoreAllCommand) restore(ctx context.Context, c Config, client *influx.Client, m backup.Manifest, p program) error {
	system := c.whole(client, p)
	if err := system.Database(ctx, r.Dir, m, r.Replace); err != nil {
		return err
	}
	added, err := backup.JoinLedgers(system.Ledger, r.Dir, r.Ledger)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "ledger of erasures: %d entries added\n", added)
	// First without readings, so that an API that starts too early shows nothing.
	replayed, err := c.eraseAgain(ctx, client, m.ErasedSince)
	if err == nil {
		err = system.Points(ctx, r.Dir)
	}
	if err == nil {
		_, err = c.eraseAgain(ctx, client, m.ErasedSince)
	}
	if err != nil {
		return fmt.Errorf("%w: the database is restored and the rest is not: run this again with --replace", err)
	}
	fmt.Fprintf(p.stdout, "%d erasures done again\n", replayed)
	return nil
}

// eraseAgain replays the ledger and works off what was erased since an instant.
// Afterwards these erasures are due once more, for the running API: what gateways
// still hold of them comes in only then.
func (c *Config) eraseAgain(ctx context.Context, client *influx.Client, since time.Time) (erasures int64, err error) {
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	kept, err := newPrivacy(ctx, *c, db, client, log, figures.NewRegistry())
	if err != nil {
		return 0, err
	}
	if _, err := kept.store.Again(ctx, since, time.Now()); err != nil {
		return 0, err
	}
	if erasures, err = workOff(ctx, db, kept.eraser); err != nil {
		return erasures, err
	}
	_, err = kept.store.Again(ctx, since, time.Now())
	return erasures, err
}

// What failed elsewhere, or was to wait a little, is done at once: it is done once
// more when the API runs.
const dueAtOnce = `
UPDATE erasure
   SET due_ms = $1,
       fault = ''
 WHERE done_ms IS NULL`

const countDue = `
SELECT COUNT(*)
  FROM erasure
 WHERE done_ms IS NULL
   AND (due_ms <= $1 OR fault <> '')`

// workOff has the eraser do its rounds, and returns how many erasures were due.
func workOff(ctx context.Context, db *sql.DB, eraser *consent.Eraser) (due int64, err error) {
	if _, err := db.ExecContext(ctx, dueAtOnce, sqldb.Ms(time.Now())); err != nil {
		return 0, fmt.Errorf("erasures that failed: %w", err)
	}
	count := func() (n int64, err error) {
		if err := db.QueryRowContext(ctx, countDue, sqldb.Ms(time.Now())).Scan(&n); err != nil {
			return 0, fmt.Errorf("erasures that are due: %w", err)
		}
		return n, nil
	}
	if due, err = count(); err != nil {
		return 0, err
	}
	left := due
	for rounds := due + 1; left > 0 && rounds > 0; rounds-- { // each does one at least
		if err := eraser.Round(ctx); err != nil {
			return due, err
		}
		if left, err = count(); err != nil {
			return due, err
		}
	}
	if left > 0 {
		return due, fmt.Errorf("%d erasures could not be done: does InfluxDB answer?", left)
	}
	return due, nil
}
