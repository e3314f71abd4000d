package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/meters/watch"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// losing is the building whose pipes lose water in the last months, and for how
// many; so much more goes in then than its homes take, in percent.
const (
	losing       = "B"
	losingMonths = 4
	losingMore   = 14
)

// mainBuildings are those that have a main meter.
var mainBuildings = []string{"A", "B", "C"}

// mainGateway is registered for the main meters: no simulated gateway reads them,
// and behind one that is silent nobody misses them.
const mainGateway = "gw-d"

const putMainPoint = `
INSERT INTO point (id, residence_id, building, kind)
VALUES ($1, $2, $3, 'cold_water')
    ON CONFLICT (id) DO NOTHING`

const putMainMeter = `
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution)
VALUES ($1, $2, 'cold_water', 0, 0, 600, 'month')
    ON CONFLICT (id) DO NOTHING`

const putMainBinding = `
INSERT INTO binding (meter_id, point_id, from_ms)
SELECT $1, $2, $3
 WHERE NOT EXISTS (SELECT 1 FROM binding WHERE meter_id = $1)`

// hangMains gives each building a main meter of cold water with the months that it
// would have counted. The same again changes nothing.
func (d *demo) hangMains(ctx context.Context) (err error) {
	db, err := sqldb.Open(ctx, d.path("api.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c := influx.DefaultConfig()
	c.URL = "http://" + d.addr.influx
	client, err := influx.Open(c)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, building := range mainBuildings {
		if err := d.hangMain(ctx, db, building); err != nil {
			return fmt.Errorf("main meter of building %s: %w", building, err)
		}
		if err := client.WriteConsumption(ctx, influx.Monthly, d.mainMonths(building)); err != nil {
			return fmt.Errorf("months of the main meter of building %s: %w", building, err)
		}
	}
	return d.lastWords(ctx, db, client)
}

// lastWords notes what the gateway of the main meters said of its meters before it
// fell silent: that it had read them well until then, and the last index of each main.
func (d *demo) lastWords(ctx context.Context, db *sql.DB, client *influx.Client) error {
	from := wire.Source{Site: d.residence.SiteID, Gateway: mainGateway}
	var at time.Time
	for _, g := range d.residence.Gateways {
		if g.ID == mainGateway {
			at = g.SilentFrom
		}
	}
	var words wire.Meters
	for _, m := range d.residence.Meters() {
		if m.Gateway == mainGateway && m.To.IsZero() {
			words.Meters = append(words.Meters, wire.MeterReport{Meter: m.ID, Kind: m.Kind, Resolution: metering.Month, LastGoodMs: sqldb.Ms(at)})
		}
	}
	var read []metering.Reading
	for _, building := range mainBuildings {
		read = append(read, metering.Reading{Meter: metering.MeterID(mainMeter(building)), Quantity: metering.Index, At: at, Amount: d.mainIndex(building, at)})
		words.Meters = append(words.Meters, wire.MeterReport{Meter: metering.MeterID(mainMeter(building)), Kind: metering.ColdWater, Resolution: metering.Month,
			LastGoodMs: sqldb.Ms(at)})
	}
	if _, err := watch.NewStore(db, nil, nil, nil).Meters(ctx, from, words, at); err != nil {
		return err
	}
	if err := client.WriteReadings(ctx, read); err != nil {
		return fmt.Errorf("last index of the main meters: %w", err)
	}
	return nil
}

func mainMeter(building string) string { return "main-" + building }

func (d *demo) hangMain(ctx context.Context, db *sql.DB, building string) error {
	name := mainMeter(building)
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, putMainPoint, name, string(d.residence.SiteID), building); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, putMainMeter, name, mainGateway); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, putMainBinding, name, name, sqldb.Ms(d.residence.Epoch.Start(d.residence.Zone)))
		return err
	})
}

// mainMonths are the whole months that a building's main counted: all water of its
// homes, warm water too, which the building heats, a little for cleaning, and what
// is lost.
func (d *demo) mainMonths(building string) (all []influx.Consumption) {
	first := d.residence.Epoch.MonthOf().Next()
	now := civil.DateIn(time.Now(), d.residence.Zone).MonthOf()
	var index metering.Amount
	for m := first; m.First().Before(now.First()); m = m.Next() {
		start, end := m.Bounds(d.residence.Zone)
		used := d.entered(building, m, start, end)
		index += used
		all = append(all, influx.Consumption{Meter: metering.MeterID(mainMeter(building)), Start: start, Index: index, Used: used, Quality: metering.Measured})
	}
	return all
}

// mainIndex is what a building's main shows at an instant.
func (d *demo) mainIndex(building string, at time.Time) (index metering.Amount) {
	for m := d.residence.Epoch.MonthOf().Next(); m.First().Start(d.residence.Zone).Before(at); m = m.Next() {
		start, end := m.Bounds(d.residence.Zone)
		if at.Before(end) {
			end = at
		}
		index += d.entered(building, m, start, end)
	}
	return index
}

// entered is what went into a building within a month.
func (d *demo) entered(building string, m civil.Month, from, to time.Time) metering.Amount {
	leaks := civil.DateIn(time.Now(), d.residence.Zone).MonthOf()
	for range losingMonths {
		leaks = leaks.Prev()
	}
	more := metering.Amount(1)
	if building == losing && !m.First().Before(leaks.First()) {
		more = losingMore
	}
	return d.taken(building, from, to) * (100 + more) / 100
}

// taken is the water that the homes of a building took.
func (d *demo) taken(building string, from, to time.Time) (sum metering.Amount) {
	for _, m := range d.residence.Meters() {
		water := m.Kind == metering.ColdWater || m.Kind == metering.HotWater
		if water && d.buildingOf(m.Bound) == building {
			sum += d.residence.Index(m, to) - d.residence.Index(m, from)
		}
	}
	return sum
}

func (d *demo) buildingOf(id household.DwellingID) string {
	for _, flat := range d.residence.Dwellings {
		if flat.ID == id {
			return flat.Building
		}
	}
	return ""
}
