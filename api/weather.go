package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// weatherFault joins what is wrong with the sources of the weather; nil where
// nothing is.
func (c *Config) weatherFault() error {
	var faults []error
	for _, w := range c.Weather {
		faults = append(faults, w.Validate())
	}
	return errors.Join(faults...)
}

type importTemperaturesCommand struct {
	configured
	Residence string `required:"" help:"Id of the residence whose outdoors they are." placeholder:"ID"`
	DryRun    bool   `name:"dry-run" help:"Only check the file, and change nothing."`
	File      string `arg:"" help:"CSV with the header date,min_c,max_c and a line a day; or with semicolons and decimal commas." type:"path" name:"FILE.csv"`
}

// Run keeps the outdoor temperatures of a file, all of it or nothing. Each fault is
// named with its line.
func (i importTemperaturesCommand) Run(ctx context.Context, p program) (err error) {
	c, err := i.load(p)
	if err != nil {
		return err
	}
	file, err := os.Open(i.File)
	if err != nil {
		return fmt.Errorf("file of temperatures: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	days, err := consumption.ReadTemperatures(file)
	if err != nil {
		return fmt.Errorf("%s: nothing was stored:\n%w", i.File, err)
	}
	if i.DryRun {
		fmt.Fprintf(p.stdout, "%d days checked, nothing stored\n", len(days))
		return nil
	}
	db, err := sqldb.Open(ctx, c.Database.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := consumption.NewNeighbourhood(db, nil).ImportWeather(ctx, metering.SiteID(i.Residence), days); err != nil {
		return fmt.Errorf("%s: nothing was stored: %w", i.File, err)
	}
	fmt.Fprintf(p.stdout, "%d days stored for residence %s\n", len(days), i.Residence)
	return nil
}
