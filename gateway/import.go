package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	firmwareconfig "github.com/xnetroseraie/xnet/firmware-config"
	"github.com/xnetroseraie/xnet/gateway/logfile"
	"github.com/xnetroseraie/xnet/gateway/privacy"
	"github.com/xnetroseraie/xnet/gateway/spool"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

type importCommand struct {
	File         string          `arg:"" help:"CSV file with a header." type:"existingfile"`
	Meter        string          `help:"Meter that every row is of." placeholder:"ID" xor:"meter"`
	MeterColumn  string          `help:"Column that names the meter of each row." placeholder:"NAME" xor:"meter"`
	TimeColumn   string          `help:"Column of the time." default:"time" placeholder:"NAME"`
	Column       string          `help:"Column of the index or consumption." required:"" placeholder:"NAME"`
	Zone         string          `help:"Zone of times that have no offset, as in Europe/Paris." default:"UTC"`
	Means        string          `help:"What a row is: the meter's ${enum}." enum:"index,consumption" required:""`
	Unit         string          `help:"Unit of the column: ${enum}; base is Wh or mL, as each meter counts." enum:"base,Wh,kWh,MWh,mL,L,m3" required:""`
	Interval     time.Duration   `help:"What a row of consumption stands for, from its time on, as in 10m."`
	Missing      string          `help:"What a missing row of consumption means: zero (nothing was consumed) or gap (it is not known)." enum:"zero,gap,none" default:"none"`
	StartIndex   metering.Amount `help:"Index before the first row of consumption, in Wh or mL." default:"0"`
	Earliest     string          `help:"Earliest plausible day." default:"1990-01-01" placeholder:"YYYY-MM-DD"`
	SkipRejected bool            `help:"Leave out rows that cannot be used, and list them, instead of refusing the file."`
}

// maxListed is how many faulty rows are named one by one.
const maxListed = 50

// An importer reads a file twice: to check every row, then to spool it.
type importer struct {
	*importCommand
	layout logfile.Layout
	config *firmwareconfig.Gateway
	stderr io.Writer
}

// Run brings the whole file into the spool, or nothing of it.
func (c *importCommand) Run(e *environment) error {
	config, err := e.load()
	if err != nil {
		return err
	}
	layout, err := c.layout(config)
	if err != nil {
		return err
	}
	i := &importer{importCommand: c, layout: layout, config: config, stderr: e.stderr}
	readings, err := i.check(e)
	if err != nil {
		return err
	}
	s, filter, err := open(config, spool.Options{Refuse: true})
	if err != nil {
		return err
	}
	kept, err := i.spool(e, s, filter, readings)
	if err = errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	_, err = fmt.Fprintf(e.stdout, "%s: %d readings, %d spooled as finely as their meters may be read\n", c.File, readings, kept)
	return err
}

func (c *importCommand) layout(config *firmwareconfig.Gateway) (logfile.Layout, error) {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return logfile.Layout{}, fmt.Errorf("zone %q: want UTC or an IANA name such as Europe/Paris", c.Zone)
	}
	earliest, err := time.ParseInLocation(time.DateOnly, c.Earliest, zone)
	if err != nil {
		return logfile.Layout{}, fmt.Errorf("earliest %q: want YYYY-MM-DD", c.Earliest)
	}
	l := logfile.Layout{TimeColumn: c.TimeColumn, Column: c.Column, MeterColumn: c.MeterColumn,
		Meter: metering.MeterID(c.Meter), Zone: zone, Unit: c.Unit, UnitOf: unitOf(config), Means: logfile.Meaning(c.Means),
		Interval: c.Interval, Missing: logfile.Missing(c.Missing), Start: c.StartIndex,
		Earliest: earliest, Latest: time.Now().Add(time.Minute)}
	return l, l.Validate()
}

// check reads every row and returns how many readings they stand for. Rows that
// cannot be used are listed, and refuse the file unless they are to be skipped.
func (i *importer) check(e *environment) (readings int, err error) {
	rejected := 0
	err = i.read(e, "check", func(row []wire.UnitReading, fault *logfile.RowError) error {
		if readings += len(row); fault == nil {
			return nil
		}
		if rejected++; rejected <= maxListed {
			fmt.Fprintf(i.stderr, "\r%s: %v\n", i.File, fault)
		}
		return nil
	})
	switch {
	case err != nil:
		return 0, fmt.Errorf("import %s: %w", i.File, err)
	case rejected > 0 && !i.SkipRejected:
		return 0, fmt.Errorf("import %s: %d rows cannot be used, nothing was imported: mend them, or leave them out with --skip-rejected", i.File, rejected)
	case rejected > 0:
		fmt.Fprintf(i.stderr, "%s: %d rows left out\n", i.File, rejected)
	}
	return readings, nil
}

// chunk is how many readings share an fsync.
const chunk = 20 * spool.PackReadings

// spool writes what the check has passed. The size was not known before, so a
// spool that is too small is found before the first write.
func (i *importer) spool(e *environment, s *spool.Spool, filter *privacy.Filter, readings int) (kept int, err error) {
	const recordBytes = 96 // a generous mean of a reading on disk
	if free := i.config.Spool.MaxMB<<20 - s.Counts().Bytes; int64(readings)*recordBytes > free {
		return 0, fmt.Errorf("%w: %d readings need up to %d MB: raise spool.max_mb, or import in parts",
			spool.ErrFull, readings, int64(readings)*recordBytes>>20)
	}
	batch := make([]wire.UnitReading, 0, chunk+1)
	flush := func() error {
		kept += len(batch)
		err := s.Append(batch)
		batch = batch[:0]
		return err
	}
	err = i.read(e, "spool", func(row []wire.UnitReading, _ *logfile.RowError) error {
		for _, r := range row {
			if filter.Pass(r.Reading) {
				batch = append(batch, r)
			}
		}
		if len(batch) < chunk {
			return nil
		}
		return flush()
	})
	return kept, errors.Join(err, flush())
}

// read goes through the file, row by row, and shows how far it is.
func (i *importer) read(e *environment, what string, each func([]wire.UnitReading, *logfile.RowError) error) error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newProgress(i.stderr, what+" "+i.File, file)
	defer bar.done()
	f, err := logfile.Open(bar, i.layout)
	if err != nil {
		return err
	}
	var row []wire.UnitReading
	for e.ctx.Err() == nil {
		row, err = f.Next(row[:0])
		fault := (*logfile.RowError)(nil)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.As(err, &fault) {
			return err
		}
		if err := each(row, fault); err != nil {
			return err
		}
	}
	return e.ctx.Err()
}

// unitOf demands that the configuration names the meter: else none of its
// readings might leave.
func unitOf(c *firmwareconfig.Gateway) func(metering.MeterID) (metering.Unit, error) {
	named := map[metering.MeterID]metering.Unit{}
	for _, m := range c.Meters() {
		named[m.ID] = metering.UnitOf(m.Kind, metering.Index)
	}
	return func(id metering.MeterID) (metering.Unit, error) {
		if unit, ok := named[id]; ok {
			return unit, nil
		}
		return "", fmt.Errorf("meter %s is not in the configuration: add it to a device or to imported", id)
	}
}
