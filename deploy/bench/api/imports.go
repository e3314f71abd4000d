package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/bench"
)

// importOf measures the import of so many dwellings by the program's command,
// as CSV and as XLSX, and by HTTP. What counts is the slowest way.
func (c *commands) importOf(dwellings int, goalSeconds float64) func(context.Context) ([]bench.Row, error) {
	return func(ctx context.Context) ([]bench.Row, error) {
		var slowest float64
		var notes []string
		for _, f := range formats {
			path := filepath.Join(c.dir, strings.ToLower(f.name))
			file, err := f.writeFile(path, dwellings)
			if err != nil {
				return nil, err
			}
			command, err := c.median(ctx, dwellings, func(l *landlord) (time.Duration, error) { return byCommand(ctx, l, path, dwellings) })
			if err != nil {
				return nil, err
			}
			sent, err := c.fresh(ctx, dwellings, func(l *landlord) (time.Duration, error) { return byHTTP(ctx, l, f, file, dwellings) })
			if err != nil {
				return nil, err
			}
			slowest = max(slowest, command, sent.Seconds())
			notes = append(notes, fmt.Sprintf("%s %.2f s, by HTTP %.2f s", f.name, command, sent.Seconds()))
		}
		limit, err := c.median(ctx, dwellings, func(l *landlord) (time.Duration, error) { return bare(ctx, l, dwellings) })
		if err != nil {
			return nil, err
		}
		row := bench.Row{Bench: fmt.Sprintf("import-%d", dwellings), Ours: slowest, Limit: &limit, Unit: "s",
			Note: strings.Join(notes, "; ") + "; limit: bare INSERTs in one transaction"}
		return []bench.Row{bench.New(row, bench.Below(goalSeconds, "s"))}, nil
	}
}

// fresh times something on a database without dwellings, and holds that all of
// them are there afterwards.
func (c *commands) fresh(ctx context.Context, dwellings int, do func(*landlord) (time.Duration, error)) (time.Duration, error) {
	l, err := c.newLandlord(ctx, dwellings)
	if err != nil {
		return 0, err
	}
	defer l.end()
	spent, err := do(l)
	if err != nil {
		return 0, err
	}
	return spent, l.with(ctx, func(db *sql.DB) error {
		var stored int
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM dwelling`).Scan(&stored); err != nil {
			return err
		}
		if stored != dwellings {
			return fmt.Errorf("%d dwellings are stored, want %d", stored, dwellings)
		}
		return nil
	})
}

// median repeats it, in seconds.
func (c *commands) median(ctx context.Context, dwellings int, do func(*landlord) (time.Duration, error)) (float64, error) {
	var all []float64
	for range c.Repeat {
		spent, err := c.fresh(ctx, dwellings, do)
		if err != nil {
			return 0, err
		}
		all = append(all, spent.Seconds())
	}
	c.say("  %.2f", slices.Sorted(slices.Values(all)))
	return bench.Median(all), nil
}

// byCommand is the time of api import-stock from its start to its end.
func byCommand(ctx context.Context, l *landlord, path string, dwellings int) (time.Duration, error) {
	start := time.Now()
	said, err := l.api(ctx, "import-stock", path)
	spent := time.Since(start)
	if err != nil {
		return 0, err
	}
	if want := fmt.Sprintf("%d dwellings stored: %[1]d new, 0 changed, 0 as before", dwellings); lastLine(said) != want {
		return 0, fmt.Errorf("api import-stock said %q, want %q", lastLine(said), want)
	}
	return spent, nil
}

// byHTTP is the time from the upload's begin until the program says that all is
// written.
func byHTTP(ctx context.Context, l *landlord, f format, file []byte, dwellings int) (time.Duration, error) {
	b, stop, err := l.serve(ctx)
	if err != nil {
		return 0, err
	}
	defer stop()
	start := time.Now()
	err = b.importStock(ctx, f, file, dwellings)
	return time.Since(start), err
}

const bareInsert = `
INSERT INTO dwelling (id, residence_id, building, staircase, label, floor, rooms, area_m2, heating_kind, hot_water_kind)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'collective', 'gas')`

// bare is the limit: the rows alone, one after the other, with the schema's own
// checks and no question before.
func bare(ctx context.Context, l *landlord, dwellings int) (spent time.Duration, err error) {
	err = l.with(ctx, func(db *sql.DB) error {
		start := time.Now()
		err := sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
			insert, err := tx.PrepareContext(ctx, bareInsert)
			if err != nil {
				return err
			}
			for n := range dwellings {
				row := line(n)
				if _, err := insert.ExecContext(ctx, row[1], row[0], row[2], row[3], row[4], row[5], row[6], row[7]); err != nil {
					return err
				}
			}
			return insert.Close()
		})
		spent = time.Since(start)
		return err
	})
	return spent, err
}
