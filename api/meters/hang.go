package meters

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Hang binds a meter to a point from b.From on. Both must be of one residence
// that the person may change, and of one kind. It fails with [ErrNone],
// [ErrOtherKind], and [ErrBound] where the meter hangs elsewhere or another meter
// hangs there then. The binding begins unverified.
func (s *Store) Hang(ctx context.Context, who accounts.PersonID, b Binding) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		meter, err := one(ctx, tx, scanEquipment, writableMeter, string(who), string(b.Meter))
		if err != nil {
			return err
		}
		point, err := one(ctx, tx, scanSpot, writablePoint, string(who), string(b.Point))
		switch {
		case err != nil:
			return err
		case point.Residence != meter.Residence:
			return ErrNone
		case point.Kind != meter.Kind:
			return ErrOtherKind
		}
		return putBindingOf(ctx, tx, b)
	})
	return named(err, "hang meter", string(b.Meter))
}

const takeDown = `
UPDATE binding
   SET to_ms = $2,
       last_index = $3,
       version = version + 1
 WHERE meter_id = $1
   AND to_ms IS NULL
   AND from_ms < $2`

// TakeDown ends the binding of a meter at an instant, with what its dial showed,
// and frees its socket. It fails with [ErrNone], and with [ErrNotBound] where the
// meter does not hang or was hung up only later.
func (s *Store) TakeDown(ctx context.Context, who accounts.PersonID, meter metering.MeterID, at time.Time, last metering.Amount) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := one(ctx, tx, scanEquipment, writableMeter, string(who), string(meter)); err != nil {
			return err
		}
		return endBinding(ctx, tx, meter, at, last)
	})
	return named(err, "take down meter", string(meter))
}

const freeSocket = `
UPDATE meter
   SET bus = '',
       slave = 0,
       channel = 0,
       version = version + 1
 WHERE id = $1`

func endBinding(ctx context.Context, tx *sql.Tx, meter metering.MeterID, at time.Time, last metering.Amount) error {
	if err := changeOne(ctx, tx, ErrNotBound, takeDown, string(meter), sqldb.Ms(at), int64(last)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, freeSocket, string(meter))
	return err
}

// A Replacement is one meter taken down and another hung up in its place, at one
// instant. The new meter inherits what is left empty here.
type Replacement struct {
	Old     metering.MeterID
	Version int64 // of the old meter, as it was read
	At      time.Time
	Last    metering.Amount  // what the old dial showed
	Digit   metering.Amount  // what the last digit of Last stands for; 0 for exactly
	Sure    bool             // Last was looked at again: no reading speaks against it
	New     metering.MeterID // empty: made from point and serial
	Serial  string
	First   metering.Amount // what the new dial shows
	// Pulse of the new meter; nil for the old one's.
	Pulse *metering.Amount
}

// Replace does it, all or nothing, and returns the new meter. Where a pulse
// counter stays and goes on counting, the new meter's start index is such that
// its index is its dial's. It fails with [ErrNone], [resource.ErrStale],
// [ErrNotBound], [ErrExists] and [ErrSerialTaken].
func (s *Store) Replace(ctx context.Context, who accounts.PersonID, r Replacement) (Meter, error) {
	var next Meter
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		old, err := one(ctx, tx, scanEquipment, writableMeter, string(who), string(r.Old))
		switch {
		case err != nil:
			return err
		case old.Version != r.Version:
			return resource.ErrStale
		case old.Place == nil:
			return ErrNotBound
		}
		next = r.successor(old)
		if err := endBinding(ctx, tx, r.Old, r.At, r.Last); err != nil {
			return err
		}
		if err := insertMeter(ctx, tx, next); err != nil {
			return err
		}
		return putBindingOf(ctx, tx, Binding{Meter: next.ID, Point: old.Place.Point, From: r.At, FirstIndex: &r.First})
	})
	return next, named(err, "replace meter", string(r.Old))
}

func (r Replacement) successor(old Equipment) Meter {
	next := old.Meter
	next.ID, next.Serial, next.StartIndex, next.Version = r.New, r.Serial, 0, 1
	if next.ID == "" {
		next.ID = metering.MeterID(fmt.Sprintf("%s-%s", old.Place.Point, r.Serial))
		if r.Serial == "" || !metering.ValidID(next.ID) {
			next.ID = metering.MeterID(uuid.Must(uuid.NewV7()).String())
		}
	}
	if r.Pulse != nil {
		next.Pulse = *r.Pulse
	}
	if old.Pulse > 0 && next.Pulse == old.Pulse {
		next.StartIndex = r.First - (r.Last - old.StartIndex)
	}
	return next
}
