package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/xnetroseraie/xnet/deploy/bench"
	"github.com/xnetroseraie/xnet/deploy/bench/analysis/residence"
	"github.com/xnetroseraie/xnet/deploy/bench/paced"
	"github.com/xnetroseraie/xnet/internal/influx"
)

// Goals of the first page.
const (
	mostWarmMs = 30
	mostColdMs = 300
	mostLateS  = 60
)

// tenantHome asks the real program for the first pages of a residence's tenants:
// the very first after a start, then a stream of them, and one whose readings come
// in late.
func (c *commands) tenantHome(ctx context.Context) ([]bench.Row, error) {
	r, err := c.residence(ctx)
	if err != nil {
		return nil, err
	}
	house, err := r.Settle(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = house.End() }()
	tenants, err := c.signIn(ctx, house)
	if err != nil {
		return nil, err
	}
	c.say("  %d tenants are signed in; the program starts anew", len(tenants))
	stop, err := house.Serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	cold, err := c.cold(ctx, tenants)
	if err != nil {
		return nil, err
	}
	warm, err := c.warm(ctx, house, tenants)
	if err != nil {
		return nil, err
	}
	late, err := c.late(ctx, house, tenants)
	if err != nil {
		return nil, err
	}
	return []bench.Row{warm, cold, late}, ctx.Err()
}

// signIn lets all tenants sign in at a program that ends again, so that the one
// that is measured has seen nobody.
func (c *commands) signIn(ctx context.Context, house *residence.House) ([]residence.Tenant, error) {
	stop, err := house.Serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	return house.Tenants(ctx)
}

// cold is the time of the first page that a program serves.
func (c *commands) cold(ctx context.Context, tenants []residence.Tenant) (bench.Row, error) {
	begun := time.Now()
	if _, err := tenants[0].Home(ctx); err != nil {
		return bench.Row{}, err
	}
	ms := time.Since(begun).Seconds() * 1000
	c.say("  the first page of all: %.1f ms", ms)
	return bench.New(bench.Row{Bench: "tenant-home-cold", Ours: ms, Unit: "ms", Note: "the first page after the program's start"},
		bench.AtMost(mostColdMs, "ms")), nil
}

// visits are what came of asking for pages.
type visits struct {
	alone        paced.Tally // the question alone
	first, again paced.Tally // each tenant's first page, and pages by lot after it
	worked       residence.Spent
}

// warm asks for the pages of tenants drawn by lot, after each was asked for once.
func (c *commands) warm(ctx context.Context, house *residence.House, tenants []residence.Tenant) (bench.Row, error) {
	v := visits{alone: c.oneQuestion(ctx, house.Residence)}
	if v.alone.First != nil {
		return bench.Row{}, v.alone.First
	}
	page := func(n int) error { _, err := tenants[n].Home(ctx); return err }
	each := time.Duration(len(tenants)) * time.Second / time.Duration(c.Rate)
	v.first = c.pace(ctx, "each tenant's first page", each, func(n int) error { return page(n % len(tenants)) })
	before, err := house.Spent()
	if err != nil {
		return bench.Row{}, err
	}
	v.again = c.pace(ctx, "pages by lot", c.Span, c.byLot(len(tenants), page))
	after, err := house.Spent()
	if err != nil {
		return bench.Row{}, err
	}
	v.worked = residence.Spent{Program: after.Program - before.Program, InfluxDB: after.InfluxDB - before.InfluxDB}
	if err := cmp.Or(v.first.First, v.again.First); err != nil {
		c.say("  the first of %d errors: %v", v.errors(), err)
	}
	return v.row(c.Rate), nil
}

func (v visits) errors() int { return v.first.Errors + v.again.Errors }

func (v visits) row(rate int) bench.Row {
	limit := v.alone.Quantile(0.99)
	perPage := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(max(1, len(v.again.Times))) }
	row := bench.Row{Bench: "tenant-home", Ours: v.again.Quantile(0.99), Limit: &limit, Unit: "ms",
		Note: fmt.Sprintf("99 of 100 of %d pages, %d a second; half within %.1f ms, longest %.0f ms, %d errors; "+
			"first visits, nothing kept yet: 99 of 100 within %.1f ms; a page works %.1f ms in the program and %.1f ms in InfluxDB; "+
			"limit: one InfluxQL question alone, half within %.1f ms",
			len(v.again.Times), rate, v.again.Quantile(0.5), v.again.Quantile(1), v.errors(), v.first.Quantile(0.99),
			perPage(v.worked.Program), perPage(v.worked.InfluxDB), v.alone.Quantile(0.5))}
	return bench.New(row, bench.All(fmt.Sprintf("at most %d ms, no error", mostWarmMs),
		func(r bench.Row) bool { return r.Ours <= mostWarmMs }, func(bench.Row) bool { return v.errors() == 0 && len(v.again.Times) > 0 }))
}

// oneQuestion is the limit: the days since the month before of one home's meters,
// asked of InfluxDB at the same pace. A page whose answers are kept asks less.
func (c *commands) oneQuestion(ctx context.Context, r *residence.Residence) paced.Tally {
	from, to := r.Today.MonthOf().Prev().First().AddDays(-1).Start(r.Zone), r.Today.AddDays(1).Start(r.Zone)
	meters := r.Meters(residence.Kinds...)
	each := len(residence.Kinds)
	ask := func(n int) error {
		found, err := r.Store.Consumption(ctx, influx.Daily, meters[n*each:(n+1)*each], from, to)
		if err == nil && len(found) != each {
			err = fmt.Errorf("dwelling %d: days of %d meters, want %d", n, len(found), each)
		}
		return err
	}
	return c.pace(ctx, "the question alone", max(time.Second, c.Span/4), c.byLot(r.Dwellings, ask))
}

// byLot draws one of n for each request.
func (c *commands) byLot(n int, ask func(int) error) func(int) error {
	chance := rand.New(rand.NewPCG(c.Seed, uint64(n)))
	drawn := make([]int, c.Rate*max(1, int(c.Span/time.Second)))
	for i := range drawn {
		drawn[i] = chance.IntN(n)
	}
	return func(i int) error { return ask(drawn[i%len(drawn)]) }
}

func (c *commands) pace(ctx context.Context, of string, span time.Duration, request func(int) error) paced.Tally {
	t := paced.Run(ctx, c.Rate, span, request)
	c.say("  %s: %d, half within %.2f ms, 90 of 100 %.2f, 99 of 100 %.2f, 999 of 1000 %.2f, longest %.2f, %d errors", of, len(t.Times),
		t.Quantile(0.5), t.Quantile(0.9), t.Quantile(0.99), t.Quantile(0.999), t.Quantile(1), t.Errors)
	return t
}

// late is the time from readings' coming in late until the page shows what they
// say of yesterday, at worst: the page was asked for just before.
func (c *commands) late(ctx context.Context, house *residence.House, tenants []residence.Tenant) (bench.Row, error) {
	tenant, want := tenants[house.LateDwelling()], fmt.Appendf(nil, "Hier : %d litres.", (house.LateUsed()+500)/1000)
	page, err := tenant.Home(ctx)
	if err != nil {
		return bench.Row{}, err
	}
	before := bytes.Count(plain(page), want) // hot water may say the same
	begun := time.Now()
	if err := house.Late(ctx); err != nil {
		return bench.Row{}, err
	}
	booked := time.Since(begun)
	err = bench.Within(ctx, 2*mostLateS*time.Second, func() error {
		page, err := tenant.Home(ctx)
		if err == nil && bytes.Count(plain(page), want) != before+1 {
			err = fmt.Errorf("the page does not say %q of cold water", want)
		}
		return err
	})
	if err != nil {
		return bench.Row{}, err
	}
	spent := time.Since(begun).Seconds()
	c.say("  late readings show after %.1f s", spent)
	return bench.New(bench.Row{Bench: "tenant-home-late", Ours: spent, Unit: "s",
		Note: fmt.Sprintf("from late readings to yesterday's figure on a page that was just asked for; stored and booked after %.2f s", booked.Seconds())},
		bench.AtMost(mostLateS, "s")), nil
}

// plain writes the spaces of numbers as ordinary ones.
func plain(page []byte) []byte {
	for _, space := range []string{"\u00a0", "\u202f", "&nbsp;"} {
		page = bytes.ReplaceAll(page, []byte(space), []byte(" "))
	}
	return page
}
