package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/xnetroseraie/xnet/deploy/simulator/household"
)

// backfill brings what the meters showed since the last run, or for 13 months,
// into the gateways' spools, as a site would bring what its loggers kept.
func (d *demo) backfill(ctx context.Context) error {
	from, until := d.state.HistoryUntil, time.Now().UTC().Truncate(time.Hour)
	if from.IsZero() {
		from = d.state.Epoch.Start(d.residence.Zone)
	}
	if !until.After(from) {
		return nil
	}
	d.screen.step("history: what the meters showed from %s to %s", from.Format("2 Jan 2006"), until.Format("2 Jan 2006 15:04"))
	// The nights of two months are judged, by the curve of ten minutes; before that
	// hours will do.
	finely := until.AddDate(0, 0, -fineDays)
	if finely.Before(from) {
		finely = from
	}
	group, importing := errgroup.WithContext(ctx)
	for _, g := range d.residence.Gateways {
		group.Go(func() error {
			if from.Before(finely) {
				if err := d.importHistory(importing, g, from, finely, "1h"); err != nil {
					return err
				}
			}
			return d.importHistory(importing, g, finely, until, "10m")
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	d.state.HistoryUntil = until
	return d.saveState(d.state)
}

// fineDays is for how many days history has each ten minutes: those of which the
// nights are judged.
const fineDays = 62

func (d *demo) importHistory(ctx context.Context, g household.Gateway, from, until time.Time, every string) error {
	name := string(g.ID)
	file := d.path(name + ".history.csv")
	defer os.Remove(file)
	err := d.family.once(ctx, "history-"+name, nil, d.program("simulator"), "history",
		"--seed", fmt.Sprint(d.state.Seed), "--epoch", d.state.Epoch.String(), "--gateway", name,
		"--from", from.Format(time.RFC3339), "--to", until.Format(time.RFC3339), "--step", every, "--out", file)
	if err != nil {
		return err
	}
	var said strings.Builder
	err = d.family.once(ctx, "import-"+name, &said, d.program("gateway"), "import", "--config", d.path("etc", name+".yaml"),
		"--meter-column", "meter", "--time-column", "time", "--column", "index", "--unit", "base", "--means", "index", file)
	if err != nil {
		return err
	}
	_, spooled, _ := strings.Cut(strings.TrimSpace(said.String()), ": ")
	d.screen.step("history of %s: %s", name, spooled)
	return nil
}

// settle waits until the spools are empty, which means that the collector has
// answered for every reading, and the pages answer.
func (d *demo) settle(ctx context.Context) error {
	defer d.muteSilent()
	shown := time.Now()
	for most := 0.0; ; {
		waiting, pending := d.waiting(ctx), d.pending(ctx)
		most = max(most, waiting)
		if waiting == 0 && pending == 0 && d.ready(ctx) {
			return nil
		}
		if time.Since(shown) > 2*time.Second {
			d.screen.step("history: %.0f %% stored, %.0f meters to add up", 100*(1-waiting/max(most, 1)), pending)
			shown = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (d *demo) muteSilent() {
	for _, c := range d.mute {
		d.family.end(c)
		d.screen.step("%s: silent, as the story of its staircase wants it", c.name)
	}
}

// waiting is how many packs wait in all spools; one where a gateway does not
// tell.
func (d *demo) waiting(ctx context.Context) (packs float64) {
	for _, addr := range d.addr.gateways {
		n, err := figure(ctx, addr, "xnet_gateway_spool_packs")
		if err != nil {
			n = 1
		}
		packs += n
	}
	return packs
}

// pending is how many meters the collector has not rolled up yet; one where it
// does not tell.
func (d *demo) pending(ctx context.Context) float64 {
	n, err := figure(ctx, d.addr.collector, "xnet_collector_rollup_pending_meters")
	if err != nil {
		return 1
	}
	return n
}

// ready asks the API and the collector whether they can do their work.
func (d *demo) ready(ctx context.Context) bool {
	for _, addr := range []string{d.addr.api, d.addr.collector} {
		response, err := get(ctx, "http://"+addr+"/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request)
}

// figure reads one metric without labels of a program.
func figure(ctx context.Context, addr, name string) (float64, error) {
	response, err := get(ctx, "http://"+addr+"/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if number, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(number, 64)
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", addr, name)
}
