package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/dashboards/web"
)

type importStockCommand struct {
	configured
	DryRun bool   `name:"dry-run" help:"Only check the file, and change nothing."`
	File   string `arg:"" help:"File of dwellings, CSV or XLSX." type:"path" name:"FILE"`
}

// Run imports a file of dwellings, all of it or nothing, and tells how far it is.
func (i importStockCommand) Run(ctx context.Context, p program) (err error) {
	c, err := i.load(p)
	if err != nil {
		return err
	}
	file, err := readStock(i.File)
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report, err := premises.NewStore(db).ImportStock(ctx, "", file, i.DryRun, tellEvery(p, time.Second))
	if err != nil {
		return fmt.Errorf("%s: nothing was stored: %w", i.File, err)
	}
	if report.FaultCount > 0 {
		for _, f := range report.Faults {
			fmt.Fprintln(p.stdout, faultLine(f))
		}
		return fmt.Errorf("%s: %d faults: nothing was stored", i.File, report.FaultCount)
	}
	verb := "stored"
	if i.DryRun {
		verb = "checked, nothing stored"
	}
	fmt.Fprintf(p.stdout, "%d dwellings %s: %d new, %d changed, %d as before\n", report.Lines, verb, report.Made, report.Changed, report.Unchanged)
	return nil
}

// readStock reads no more of a file than is looked at.
func readStock(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > stock.MostBytes {
		err = fmt.Errorf("it has %d bytes, more than the %d that are read: split it", info.Size(), stock.MostBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("file of dwellings: %w", err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("file of dwellings: %w", err)
	}
	return file, nil
}

// tellEvery prints progress, but not more often than that.
func tellEvery(p program, least time.Duration) func(premises.Step) {
	last := time.Now()
	return func(s premises.Step) {
		if time.Since(last) < least {
			return
		}
		last = time.Now()
		if s.Reading {
			fmt.Fprintf(p.stdout, "%d dwellings read\n", s.Done)
		} else {
			fmt.Fprintf(p.stdout, "%d of %d dwellings stored\n", s.Done, s.Total)
		}
	}
}

// faultLine names the place of a fault and its remedy, in English as all
// commands do.
func faultLine(f stock.Fault) string {
	english, _ := web.ParseLanguage("en")
	args := make([]any, len(f.Args))
	for i, text := range f.Args {
		args[i] = text
	}
	text := english.T(f.Message, args...)
	switch {
	case f.Row == 0:
		return text
	case f.Column == "":
		return fmt.Sprintf("row %d: %s", f.Row, text)
	default:
		return fmt.Sprintf("row %d, column %s: %s", f.Row, f.Column, text)
	}
}
