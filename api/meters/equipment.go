package meters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// An Equipment is a meter with where it hangs now; Place is nil where it hangs
// nowhere.
type Equipment struct {
	Meter
	Residence metering.SiteID
	Zone      *time.Location // of the residence
	Place     *Place
}

// A Place is a point as people find it.
type Place struct {
	Point                      metering.PointID
	Kind                       metering.Kind
	Dwelling                   premises.DwellingID // empty for a building's
	Building, Staircase, Label string
	Since                      time.Time // when the meter was hung up
}

// A MeterFilter says which meters to list; empty fields let all by.
type MeterFilter struct {
	Residence metering.SiteID
	Gateway   metering.GatewayID
	Serial    string // as typed: the number on the plate or the meter's id
}

const meterColumns = `
SELECT meter.id, meter.gateway_id, meter.kind, meter.index_modulus, meter.max_per_hour, meter.interval_s, meter.resolution,
       meter.serial, meter.profile, meter.bus, meter.slave, meter.channel, meter.pulse, meter.start_index, meter.version,
       residence.id, residence.zone,
       COALESCE(point_site.point_id, ''), COALESCE(point_site.kind, ''), COALESCE(point_site.dwelling_id, ''),
       COALESCE(point_site.building, ''), COALESCE(point_site.staircase, ''), COALESCE(point_site.label, ''),
       COALESCE(binding.from_ms, 0)
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  JOIN residence ON residence.id = gateway.residence_id
  LEFT JOIN binding ON binding.meter_id = meter.id AND binding.to_ms IS NULL
  LEFT JOIN point_site ON point_site.point_id = binding.point_id
 WHERE `

const listMeters = meterColumns + ReaderClip + `
   AND ($2 = '' OR residence.id = $2)
   AND ($3 = '' OR gateway.id = $3)
   AND ($4 = '' OR meter.serial = $4 OR meter.id = $4)
   AND meter.id > $5
 ORDER BY meter.id
 LIMIT $6`

const findMeter = meterColumns + ReaderClip + `
   AND meter.id = $2`

const writableMeter = meterColumns + WriterClip + `
   AND meter.id = $2`

// Meters lists the meters that the person may see, by id: one more than the page
// holds where the list goes on.
func (s *Store) Meters(ctx context.Context, who accounts.PersonID, f MeterFilter, p resource.Page) ([]Equipment, error) {
	rows, err := s.db.QueryContext(ctx, listMeters, string(who), string(f.Residence), string(f.Gateway), f.Serial, p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("meters: %w", err)
	}
	all, err := sqldb.Collect(rows, scanEquipment)
	if err != nil {
		return nil, fmt.Errorf("meters: %w", err)
	}
	return all, nil
}

// MeterByID returns the meter, or [ErrNone] where there is none that the person
// may see.
func (s *Store) MeterByID(ctx context.Context, who accounts.PersonID, id metering.MeterID) (Equipment, error) {
	found, err := one(ctx, s.db, scanEquipment, findMeter, string(who), string(id))
	if err != nil {
		return Equipment{}, fmt.Errorf("meter %s: %w", id, err)
	}
	return found, nil
}

// WritableMeter is [Store.MeterByID] for who is to change the meter or to see its
// last index, which a manager may not.
func (s *Store) WritableMeter(ctx context.Context, who accounts.PersonID, id metering.MeterID) (Equipment, error) {
	found, err := one(ctx, s.db, scanEquipment, writableMeter, string(who), string(id))
	if err != nil {
		return Equipment{}, fmt.Errorf("meter %s: %w", id, err)
	}
	return found, nil
}

func scanEquipment(rows *sql.Rows) (Equipment, error) {
	var e Equipment
	var p Place
	var intervalS, sinceMs int64
	var zone string
	m := &e.Meter
	err := rows.Scan(&m.ID, &m.Gateway, (*string)(&m.Kind), &m.IndexModulus, &m.MaxPerHour, &intervalS, (*string)(&m.Resolution),
		&m.Serial, &m.Socket.Profile, &m.Socket.Bus, &m.Socket.Slave, &m.Socket.Channel, &m.Pulse, &m.StartIndex, &m.Version,
		&e.Residence, &zone, &p.Point, (*string)(&p.Kind), &p.Dwelling, &p.Building, &p.Staircase, &p.Label, &sinceMs)
	if err != nil {
		return Equipment{}, err
	}
	m.Interval = time.Duration(intervalS) * time.Second
	if e.Zone, err = time.LoadLocation(zone); err != nil {
		return Equipment{}, fmt.Errorf("residence %s: zone %q: %w", e.Residence, zone, err)
	}
	if p.Point != "" {
		p.Since = sqldb.Time(sinceMs)
		e.Place = &p
	}
	return e, nil
}

const createMeter = `
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, serial, profile, bus, slave, channel, pulse, start_index)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

// CreateMeter adds a meter that hangs nowhere yet. Its resolution is what the law
// allows without consent. It fails with [ErrNone] where the person may not change
// its gateway, and with [ErrExists], [ErrSerialTaken], [ErrSocketTaken] or
// [ErrBusInUse] where its bus is none of the gateway's.
func (s *Store) CreateMeter(ctx context.Context, who accounts.PersonID, m Meter) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := s.writable(ctx, tx, who, m.Gateway); err != nil {
			return err
		}
		return insertMeter(ctx, tx, m)
	})
	return named(err, "create meter", string(m.ID))
}

func insertMeter(ctx context.Context, tx *sql.Tx, m Meter) error {
	if m.Resolution == "" {
		m.Resolution = metering.DefaultResolution(m.Kind)
	}
	_, err := tx.ExecContext(ctx, createMeter, string(m.ID), string(m.Gateway), string(m.Kind), int64(m.IndexModulus), int64(m.MaxPerHour),
		int64(m.Interval/time.Second), string(m.Resolution), m.Serial, m.Socket.Profile, m.Socket.Bus, m.Socket.Slave, m.Socket.Channel,
		int64(m.Pulse), int64(m.StartIndex))
	if err != nil {
		return err
	}
	return checkSockets(ctx, tx, m.Gateway)
}

const updateMeter = `
UPDATE meter
   SET gateway_id = $3,
       index_modulus = $4,
       max_per_hour = $5,
       interval_s = $6,
       serial = $7,
       profile = $8,
       bus = $9,
       slave = $10,
       channel = $11,
       pulse = $12,
       start_index = $13,
       version = version + 1
 WHERE id = $1
   AND version = $2`

// UpdateMeter changes the meter whose version is m.Version, all but its kind and
// its resolution. What changes how it is read or counts makes it unverified. It
// fails as [Store.CreateMeter] does, and with [resource.ErrStale].
func (s *Store) UpdateMeter(ctx context.Context, who accounts.PersonID, m Meter) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		before, err := one(ctx, tx, scanEquipment, writableMeter, string(who), string(m.ID))
		if err != nil {
			return err
		}
		if err := s.writable(ctx, tx, who, m.Gateway); err != nil {
			return err
		}
		err = changeOne(ctx, tx, resource.ErrStale, updateMeter, string(m.ID), m.Version, string(m.Gateway), int64(m.IndexModulus),
			int64(m.MaxPerHour), int64(m.Interval/time.Second), m.Serial, m.Socket.Profile, m.Socket.Bus, m.Socket.Slave,
			m.Socket.Channel, int64(m.Pulse), int64(m.StartIndex))
		if err != nil {
			return err
		}
		if rereads(before.Meter, m) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM meter_check WHERE meter_id = $1`, string(m.ID)); err != nil {
				return err
			}
		}
		return checkSockets(ctx, tx, m.Gateway)
	})
	return named(err, "update meter", string(m.ID))
}

// rereads reports whether a change makes another index of what the meter shows.
func rereads(before, after Meter) bool {
	return before.Gateway != after.Gateway || before.Socket != after.Socket || before.Pulse != after.Pulse ||
		before.StartIndex != after.StartIndex || before.IndexModulus != after.IndexModulus || before.Serial != after.Serial
}

const hangingMeter = meterColumns + `binding.meter_id IS NOT NULL
   AND meter.id = $1`

// Hanging returns a meter that hangs somewhere, for whom no person asks; else
// [ErrNotBound].
func (s *Store) Hanging(ctx context.Context, id metering.MeterID) (Equipment, error) {
	found, err := one(ctx, s.db, scanEquipment, hangingMeter, string(id))
	if errors.Is(err, ErrNone) {
		err = ErrNotBound
	}
	if err != nil {
		return Equipment{}, fmt.Errorf("meter %s: %w", id, err)
	}
	return found, nil
}

const rivals = meterColumns + `binding.meter_id IS NOT NULL
   AND meter.gateway_id = $1
   AND meter.kind = $2
   AND meter.id <> $3
   AND meter.resolution IN ('fine', 'hour')
 ORDER BY meter.id
 LIMIT $4`

// Rivals lists the meters for which m may be mistaken: those of its gateway and
// kind that hang, and that may be read by the hour or finer.
func (s *Store) Rivals(ctx context.Context, m Meter, most int) ([]Equipment, error) {
	rows, err := s.db.QueryContext(ctx, rivals, string(m.Gateway), string(m.Kind), string(m.ID), most)
	if err != nil {
		return nil, fmt.Errorf("rivals of meter %s: %w", m.ID, err)
	}
	all, err := sqldb.Collect(rows, scanEquipment)
	if err != nil {
		return nil, fmt.Errorf("rivals of meter %s: %w", m.ID, err)
	}
	return all, nil
}
