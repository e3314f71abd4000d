package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/xnetroseraie/xnet/api/computers"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Routes whose requests bear a file, which have limits of their own.
const (
	machineImports = apiRoot + "/machine-imports"
	machineWipes   = apiRoot + "/machines/:id/wipes"
)

// machines adds the routes of computers and returns their store.
func (s server) machines(v1 *echo.Group, once *resource.Once) *computers.Store {
	store := computers.NewStore(s.db, s.config.trainings(s.db))
	(&computers.Handler{Store: store, Once: once, Now: s.now}).Register(v1)
	return store
}

type importMachinesCommand struct {
	configured
	DryRun    bool   `name:"dry-run" help:"Only check the file, and change nothing."`
	Residence string `required:"" help:"Residence whose programme the machines are for." placeholder:"ID"`
	File      string `arg:"" help:"File of machines, CSV with the columns serial, maker, model, donor, and more that the README names." type:"path" name:"FILE"`
}

// Run takes in a file of machines, all of it or nothing, and tells how far it is.
func (i importMachinesCommand) Run(ctx context.Context, p program) (err error) {
	c, err := i.load(p)
	if err != nil {
		return err
	}
	size, err := os.Stat(i.File)
	if err == nil && size.Size() > computers.MostImportBytes {
		err = fmt.Errorf("it has %d bytes, more than the %d that are read: split it", size.Size(), computers.MostImportBytes)
	}
	if err != nil {
		return fmt.Errorf("file of machines: %w", err)
	}
	file, err := os.ReadFile(i.File)
	if err != nil {
		return fmt.Errorf("file of machines: %w", err)
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report, err := computers.NewStore(db, nil).Import(ctx, computers.ByCommand, metering.SiteID(i.Residence), file, i.DryRun, time.Now(), tellMachines(p, time.Second))
	if errors.Is(err, computers.ErrNone) {
		return fmt.Errorf("%s: nothing was stored: there is no residence %q: name one with --residence", i.File, i.Residence)
	}
	if err != nil {
		return fmt.Errorf("%s: nothing was stored: %w", i.File, err)
	}
	return i.tell(p, report)
}

// tell prints what came of the file; faults are an error.
func (i importMachinesCommand) tell(p program, report computers.ImportReport) error {
	english, _ := web.ParseLanguage("en")
	for _, f := range report.Faults {
		place := fmt.Sprintf("line %d: ", f.Line)
		switch {
		case f.Line == 0:
			place = ""
		case f.Column != "":
			place = fmt.Sprintf("line %d, column %s: ", f.Line, f.Column)
		}
		fmt.Fprintln(p.stdout, place+english.T(f.Message, f.Args...))
	}
	if report.FaultCount > 0 {
		return fmt.Errorf("%s: %d faults: nothing was stored", i.File, report.FaultCount)
	}
	verb := "taken in"
	if i.DryRun {
		verb = "checked, nothing stored"
	}
	fmt.Fprintf(p.stdout, "%d machines %s\n", report.Made, verb)
	return nil
}

// tellMachines prints progress: each hundred machines, and not more often than
// that.
func tellMachines(p program, least time.Duration) func(made, of int) {
	last := time.Now()
	return func(made, of int) {
		if made%100 != 0 && time.Since(last) < least {
			return
		}
		last = time.Now()
		fmt.Fprintf(p.stdout, "%d of %d machines taken in\n", made, of)
	}
}
