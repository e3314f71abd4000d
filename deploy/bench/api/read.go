package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
)

const (
	mostMs = 10 // a read, 99 of 100
	warmUp = 2 * time.Second
	draw   = 600 // seed of the dwellings that are asked for
)

// registryRead measures GET /api/v1/dwellings/{id} by a manager's session beside
// the query alone.
func (c *commands) registryRead(ctx context.Context) ([]bench.Row, error) {
	l, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	defer l.end()
	limit, err := c.queryAlone(ctx, l)
	if err != nil {
		return nil, err
	}
	b, stop, err := l.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	ours := c.measure(ctx, "by HTTP", func(id string) error { return b.dwelling(ctx, id) })
	if ours.First != nil {
		c.say("  the first of %d errors: %v", ours.Errors, ours.First)
	}
	alone := limit.Quantile(0.99)
	row := bench.Row{Bench: "registry-read", Ours: ours.Quantile(0.99), Limit: &alone, Unit: "ms",
		Note: fmt.Sprintf("99 of 100; half within %.2f ms, longest %.1f ms, %d errors of %d; limit: the query alone, half within %.2f ms",
			ours.Quantile(0.5), ours.Quantile(1), ours.Errors, len(ours.Times), limit.Quantile(0.5))}
	goal := bench.All(fmt.Sprintf("at most %d ms, no error", mostMs),
		func(r bench.Row) bool { return r.Ours <= mostMs }, func(bench.Row) bool { return ours.Errors == 0 && len(ours.Times) > 0 })
	return []bench.Row{bench.New(row, goal)}, ctx.Err()
}

// queryAlone is the limit: the handler's own query in this process.
func (c *commands) queryAlone(ctx context.Context, l *landlord) (t paced.Tally, err error) {
	err = l.with(ctx, func(db *sql.DB) error {
		homes := premises.NewStore(db)
		t = c.measure(ctx, "the query alone", func(id string) error {
			_, err := homes.Dwelling(ctx, manager, premises.DwellingID(id))
			return err
		})
		return t.First
	})
	return t, err
}

// measure asks for dwellings at random, after a while that does not count.
func (c *commands) measure(ctx context.Context, name string, read func(id string) error) paced.Tally {
	chance := rand.New(rand.NewPCG(draw, draw))
	ids := make([]string, c.Rate)
	for i := range ids {
		ids[i] = dwellingID(chance.IntN(c.Dwellings))
	}
	paced.Run(ctx, c.Rate, warmUp, func(n int) error { return read(ids[n%len(ids)]) })
	ids = make([]string, int(c.Span.Seconds()*float64(c.Rate))+1)
	for i := range ids {
		ids[i] = dwellingID(chance.IntN(c.Dwellings))
	}
	t := paced.Run(ctx, c.Rate, c.Span, func(n int) error { return read(ids[n%len(ids)]) })
	c.say("  %s: %d reads, half within %.2f ms, 90 of 100 %.2f, 99 of 100 %.2f, 999 of 1000 %.2f, longest %.2f, %d errors", name,
		len(t.Times), t.Quantile(0.5), t.Quantile(0.9), t.Quantile(0.99), t.Quantile(0.999), t.Quantile(1), t.Errors)
	return t
}

// settled returns a landlord whose dwellings are imported by the program, and
// lived in and metered.
func (c *commands) settled(ctx context.Context) (*landlord, error) {
	l, err := c.newLandlord(ctx, c.Dwellings)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(l.dir, "stock.csv")
	if _, err := formats[0].writeFile(path, c.Dwellings); err != nil {
		return nil, err
	}
	if _, err := byCommand(ctx, l, path, c.Dwellings); err != nil {
		return nil, err
	}
	err = l.with(ctx, func(db *sql.DB) error { return settle(ctx, db, c.Dwellings) })
	if err == nil {
		c.say("  %d dwellings are imported, lived in and metered", c.Dwellings)
	}
	return l, err
}
