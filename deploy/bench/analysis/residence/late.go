package residence

import (
	"context"
	"time"

	"github.com/xnetroseraie/xnet/collector/rollup"
	"github.com/xnetroseraie/xnet/collector/sites"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// LateDwelling is the one whose cold water was not read since the day before
// yesterday, until [Residence.Late].
func (r *Residence) LateDwelling() int { return r.Dwellings - 1 }

func (r *Residence) isLate(id metering.MeterID, n int) bool {
	return n == r.LateDwelling() && id == Meter(metering.ColdWater, n)
}

// LateUsed is what the late readings say of yesterday.
func (r *Residence) LateUsed() metering.Amount {
	n := r.LateDwelling()
	return r.Index(n, r.Today.Start(r.Zone)) - r.Index(n, r.Today.AddDays(-1).Start(r.Zone))
}

// Late lets the readings that were missing come in, as the collector books them:
// stored, and rolled up into the hours and days they touch. It may be called once.
func (r *Residence) Late(ctx context.Context) error {
	n := r.LateDwelling()
	id := Meter(metering.ColdWater, n)
	from := r.Today.AddDays(-1).Start(r.Zone)
	directory := &sites.Directory{}
	if _, err := directory.Update(wire.Registry{Site: site, Zone: r.Zone.String(), EarliestMs: r.First.First().Start(r.Zone).UnixMilli(),
		Meters: []wire.RegistryMeter{{Meter: id, Gateway: "gw", Kind: metering.ColdWater, IndexModulus: modulus, MaxPerHour: maxPerHour,
			IntervalS: int64(readEach / time.Second), Resolution: metering.Day, FromMs: r.First.First().Start(r.Zone).UnixMilli()}}}); err != nil {
		return err
	}
	late := r.readings(id, n, from, r.now)
	if err := r.Store.WriteReadings(ctx, late); err != nil {
		return err
	}
	_, err := rollup.Touch(ctx, r.Store, directory, late)
	return err
}
