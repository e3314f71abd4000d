package consumption

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Sensors of temperature that hang at a building hang outdoors: those of rooms hang
// in dwellings.
const outdoorSensors = `
SELECT point.residence_id, meter.id
  FROM point
  JOIN binding ON binding.point_id = point.id AND binding.to_ms IS NULL
  JOIN meter ON meter.id = binding.meter_id
 WHERE point.residence_id IS NOT NULL
   AND point.kind = 'temperature'
 ORDER BY point.residence_id, point.id`

func (n *Neighbourhood) sensors(ctx context.Context) (map[metering.SiteID][]metering.MeterID, error) {
	rows, err := n.db.QueryContext(ctx, outdoorSensors)
	if err != nil {
		return nil, err
	}
	found := map[metering.SiteID][]metering.MeterID{}
	_, err = sqldb.Collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var residence metering.SiteID
		var meter metering.MeterID
		if err = rows.Scan(&residence, &meter); err == nil {
			found[residence] = append(found[residence], meter)
		}
		return none, err
	})
	return found, err
}

const (
	sensorDays = 14 // back from today: readings may come late
	// sensorHours is of how many hours a day must be known, so that neither the
	// coldest hour nor the warmest is likely to be missing.
	sensorHours = 20
)

var (
	errSeveralSensors = errors.New("several sensors of temperature hang at the buildings, and which of them is outdoors is not known: hang those of rooms at their dwellings")
	errSensorSilent   = errors.New("the outdoor sensor has shown no whole day of the last 14: look at its gateway")
)

// read returns the lowest and highest temperature of the last whole days of which a
// residence's sensor is known for at least 20 hours.
func (o *Outdoors) read(ctx context.Context, hung []metering.MeterID, zone *time.Location) ([]Temperature, error) {
	if len(hung) > 1 {
		return nil, fmt.Errorf("meters %v: %w", hung, errSeveralSensors)
	}
	today := civil.DateIn(o.now(), zone)
	first := today.AddDays(-sensorDays)
	ctx, cancel := context.WithTimeout(ctx, patienceWithInflux)
	defer cancel()
	found, err := o.influx.Readings(ctx, hung, metering.Celsius, first.Start(zone), today.Start(zone))
	if err != nil {
		return nil, err
	}
	days := outdoorDays(found[hung[0]], zone)
	if len(days) == 0 {
		return nil, fmt.Errorf("meter %s: %w", hung[0], errSensorSilent)
	}
	return days, nil
}

// outdoorDays makes days of readings in m°C, in order of time, that are plausible
// outdoors.
func outdoorDays(readings []metering.Reading, zone *time.Location) (days []Temperature) {
	hours := map[int64]bool{}
	for _, r := range readings {
		c := float64(r.Amount) / 1000
		if c < coldest || c > hottest {
			continue
		}
		day := civil.DateIn(r.At, zone)
		last := len(days) - 1
		if last < 0 || days[last].Day != day {
			days = dropShort(days, hours)
			clear(hours)
			days, last = append(days, Temperature{day, c, c}), len(days)
		}
		days[last].Low, days[last].High = min(days[last].Low, c), max(days[last].High, c)
		hours[r.At.Unix()/3600] = true
	}
	return dropShort(days, hours)
}

// dropShort drops the last day where too few of its hours are known.
func dropShort(days []Temperature, hours map[int64]bool) []Temperature {
	if len(days) > 0 && len(hours) < sensorHours {
		return days[:len(days)-1]
	}
	return days
}
