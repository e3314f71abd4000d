package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/api/training"
	"github.com/xnetroseraie/xnet/dashboards/tenant"
	"github.com/xnetroseraie/xnet/dashboards/trainer"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

// trainingConfig says what a buyer at the reduced price owes.
type trainingConfig struct {
	DueDays int `yaml:"due_days"` // from the sale to the last day for the training
}

func defaultTraining() trainingConfig { return trainingConfig{training.DefaultTerms().DueDays} }

func (t trainingConfig) terms() training.Terms { return training.Terms{DueDays: t.DueDays} }

// trainings is the store of trainings, on the configured terms.
func (c *Config) trainings(db *sql.DB) *training.Store {
	return training.NewStore(db, c.Training.terms())
}

// trainingClerk writes what buyers are told.
func (c *Config) trainingClerk(db *sql.DB, now func() time.Time) *training.Clerk {
	return &training.Clerk{Store: c.trainings(db), Sender: c.Letter.Sender, Advisor: c.Advisor.Name, Dial: c.Advisor.Telephone, Now: now,
		Say: say, Date: writeDate, Door: writeDoor}
}

// writeDoor is a dwelling as people look for it; empty for none.
func writeDoor(language, label, building, staircase string) string {
	if label == "" {
		return ""
	}
	return speak(language).Door(label, building, staircase)
}

// training adds the routes and pages of trainings.
func (s server) training(e *echo.Echo, site *web.Site, v1 *echo.Group, homes *premises.Store, once *resource.Once) {
	store, clerk := s.config.trainings(s.db), s.config.trainingClerk(s.db, s.now)
	(&training.Handler{Store: store, Clerk: clerk, Homes: homes, Once: once, Now: s.now}).Register(v1)
	(&trainer.Handler{Site: site, Store: store, Clerk: clerk, Homes: homes, Now: s.now}).Register(e)
	(&tenant.MyComputer{Site: site, Store: store, Clerk: clerk, Homes: homes, Machines: computers.NewStore(s.db, store), Now: s.now}).Register(e)
}

// machineRecords is what is held of households about computers.
func (c *Config) machineRecords(db *sql.DB, now func() time.Time) computers.Records {
	return computers.Records{Store: computers.NewStore(db, nil), Now: now}
}

// trainingRecords is what is held of households about trainings.
func (c *Config) trainingRecords(db *sql.DB, now func() time.Time) training.Records {
	return training.Records{Store: c.trainings(db), Now: now}
}

// forget lets go what was kept long enough of sales and trainings, now and then
// until ctx ends.
func forget(ctx context.Context, machines computers.Records, trainings training.Records, log *slog.Logger) {
	for {
		sales, err1 := machines.Expire(ctx)
		answers, err2 := trainings.Expire(ctx)
		switch err := errors.Join(err1, err2); {
		case err != nil && ctx.Err() == nil:
			log.Error("records wait to be forgotten: look at the database", "error", err, "again_in", remindEvery.String())
		case sales+answers > 0:
			log.Info("records forgotten after their time", "sales", sales, "trainings", answers)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(remindEvery):
		}
	}
}

type remindCommand struct{ configured }

// Run makes the reminders that are due and says how many.
func (r remindCommand) Run(ctx context.Context, p program) (err error) {
	c, err := r.load(p)
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	made, err := c.trainings(db).Remind(ctx, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "reminders made: %d letters to print, %d e-mails, %d calls to make\n", made.Letters, made.Mails, made.Calls)
	return nil
}

// remindEvery is how often the program looks for reminders that are due: more
// often than days change, because a program may be off at midnight.
const remindEvery = time.Hour

// remind makes the reminders that are due until ctx ends.
func remind(ctx context.Context, store *training.Store, log *slog.Logger) {
	for {
		made, err := store.Remind(ctx, time.Now())
		switch {
		case err != nil && ctx.Err() == nil:
			log.Error("reminders of trainings", "error", err, "again_in", remindEvery.String())
		case made != training.Reminders{}:
			log.Info("reminders of trainings made", "letters", made.Letters, "mails", made.Mails, "calls", made.Calls)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(remindEvery):
		}
	}
}
