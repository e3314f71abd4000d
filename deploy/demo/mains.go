package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/deploy/simulator/household"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/influx"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// losing is the building whose pipes lose water in the last months, and for how
// many; so much more goes in then than its homes take, in percent.
const (
	losing       = "B"
	losingMonths = 4
	losingMore   = 14
)

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
	for _, building := range []string{"A", "B", "C"} {
		if err := d.hangMain(ctx, db, building); err != nil {
			return fmt.Errorf("main meter of building %s: %w", building, err)
		}
		if err := client.WriteConsumption(ctx, influx.Monthly, d.mainMonths(building)); err != nil {
			return fmt.Errorf("months of the main meter of building %s: %w", building, err)
		}
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
	leaks := now
	for range losingMonths {
		leaks = leaks.Prev()
	}
	var index metering.Amount
	for m := first; m.First().Before(now.First()); m = m.Next() {
		start, end := m.Bounds(d.residence.Zone)
		more := metering.Amount(1)
		if building == losing && !m.First().Before(leaks.First()) {
			more = losingMore
		}
		used := d.taken(building, start, end) * (100 + more) / 100
		index += used
		all = append(all, influx.Consumption{Meter: metering.MeterID(mainMeter(building)), Start: start, Index: index, Used: used, Quality: metering.Measured})
	}
	return all
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
