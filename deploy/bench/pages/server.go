package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
)

// mostServerMs is the goal of 99 of 100 first pages.
const mostServerMs = 60

// lotteryOf draws the same tenants each time.
const lotteryOf = 1

// homeServer asks the real program for first pages of tenants drawn by lot, as
// browsers do that take gzip.
func (c *commands) homeServer(ctx context.Context) (rows []bench.Row, err error) {
	made, err := residence.New(ctx, residence.Plan{Dwellings: c.Dwellings, HourlyDays: 7, Said: c.stderr})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	if err := made.Rest(ctx); err != nil {
		return nil, err
	}
	house, err := made.Settle(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, house.End()) }()
	stop, err := house.Serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	tenants, err := house.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants { // what first visits cost is another row's
		if _, err := t.Home(ctx); err != nil {
			return nil, err
		}
	}
	chance := rand.New(rand.NewPCG(lotteryOf, uint64(len(tenants))))
	drawn := make([]int, c.Rate)
	for i := range drawn {
		drawn[i] = chance.IntN(len(tenants))
	}
	before, err := house.Spent()
	if err != nil {
		return nil, err
	}
	tally := paced.Run(ctx, c.Rate, c.Span, func(n int) error {
		_, err := tenants[(drawn[n%len(drawn)]+n)%len(tenants)].Home(ctx)
		return err
	})
	after, err := house.Spent()
	return []bench.Row{c.serverRow(tally, after.Program-before.Program)}, cmp.Or(ctx.Err(), tally.First, err)
}

func (c *commands) serverRow(t paced.Tally, worked time.Duration) bench.Row {
	row := bench.Row{Bench: "home-server", Ours: t.Quantile(0.99), Unit: "ms", Note: fmt.Sprintf("99 of 100 of %d first pages, %d a second; half within %.1f ms, longest %.0f ms, %d errors; a page works %.1f ms in the program",
		len(t.Times), c.Rate, t.Quantile(0.5), t.Quantile(1), t.Errors, worked.Seconds()*1000/float64(max(1, len(t.Times))))}
	return bench.New(row, bench.All(fmt.Sprintf("at most %d ms, no error", mostServerMs),
		func(r bench.Row) bool { return r.Ours <= mostServerMs && len(t.Times) > 0 && t.Errors == 0 }))
}
