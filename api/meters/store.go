package meters

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Store reads meters. It may be used from several goroutines.
type Store struct{ db *sql.DB }

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

const fitted = `
SELECT point.id, point.kind,
       COALESCE(meter.id, ''), COALESCE(meter.gateway_id, ''), COALESCE(meter.kind, ''),
       COALESCE(meter.index_modulus, 0), COALESCE(meter.max_per_hour, 0),
       COALESCE(meter.interval_s, 0), COALESCE(meter.resolution, ''),
       COALESCE(binding.from_ms, 0), binding.to_ms, binding.first_index, binding.last_index
  FROM point
  LEFT JOIN binding ON binding.point_id = point.id
  LEFT JOIN meter ON meter.id = binding.meter_id
 WHERE point.dwelling_id = $1
 ORDER BY point.kind, point.id, binding.from_ms`

// fittedAsked is the question of a dwelling's points for [sqldb.Remembered].
type fittedAsked struct{ dwelling premises.DwellingID }

// Fitted lists the points of a dwelling by kind and id, with their meters. The
// caller has found the dwelling among somebody's stays and clips by them, and does
// not change the list.
func (s *Store) Fitted(ctx context.Context, dwelling premises.DwellingID) ([]Fitted, error) {
	points, err := sqldb.Remembered(ctx, fittedAsked{dwelling}, func() ([]Fitted, error) { return s.fitted(ctx, dwelling) })
	if err != nil {
		return nil, fmt.Errorf("points of dwelling %s: %w", dwelling, err)
	}
	return points, nil
}

func (s *Store) fitted(ctx context.Context, dwelling premises.DwellingID) ([]Fitted, error) {
	rows, err := s.db.QueryContext(ctx, fitted, string(dwelling))
	if err != nil {
		return nil, err
	}
	found, err := sqldb.Collect(rows, scanFitted)
	if err != nil {
		return nil, err
	}
	var points []Fitted
	for _, f := range found {
		f.Dwelling = dwelling
		if last := len(points) - 1; last >= 0 && points[last].ID == f.ID {
			points[last].Hangings = append(points[last].Hangings, f.Hangings...)
			continue
		}
		points = append(points, f)
	}
	return points, nil
}

func scanFitted(rows *sql.Rows) (Fitted, error) {
	var f Fitted
	var h Hanging
	var intervalS, fromMs int64
	var toMs sql.NullInt64
	m := &h.Meter
	err := rows.Scan(&f.ID, &f.Kind, &m.ID, &m.Gateway, (*string)(&m.Kind), &m.IndexModulus, &m.MaxPerHour,
		&intervalS, (*string)(&m.Resolution), &fromMs, &toMs, &h.FirstIndex, &h.LastIndex)
	if err != nil || m.ID == "" {
		return f, err
	}
	m.Interval = time.Duration(intervalS) * time.Second
	h.Binding.Meter, h.Point, h.From = m.ID, f.ID, sqldb.Time(fromMs)
	if toMs.Valid {
		h.To = sqldb.Time(toMs.Int64)
	}
	f.Hangings = []Hanging{h}
	return f, nil
}

const registry = `
SELECT meter.id, meter.gateway_id, meter.kind, meter.index_modulus, meter.max_per_hour,
       meter.interval_s, meter.resolution, meter.erased_until_ms, MIN(binding.from_ms),
       CASE WHEN COUNT(*) = COUNT(binding.to_ms) THEN MAX(binding.to_ms) ELSE 0 END
  FROM meter
  JOIN gateway ON gateway.id = meter.gateway_id
  JOIN binding ON binding.meter_id = meter.id
 WHERE gateway.residence_id = $1
 GROUP BY meter.id, meter.gateway_id, meter.kind, meter.index_modulus, meter.max_per_hour,
          meter.interval_s, meter.resolution, meter.erased_until_ms
 ORDER BY meter.id`

// Registry returns what the collector and the gateways must know of the
// residence's meters: those that hang or hung at a point, a dwelling's or a
// building's, by id.
func (s *Store) Registry(ctx context.Context, r premises.Residence) (wire.Registry, error) {
	rows, err := s.db.QueryContext(ctx, registry, string(r.ID))
	if err != nil {
		return wire.Registry{}, fmt.Errorf("registry of %s: %w", r.ID, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (wire.RegistryMeter, error) {
		var m wire.RegistryMeter
		err := rows.Scan(&m.Meter, &m.Gateway, (*string)(&m.Kind), &m.IndexModulus, &m.MaxPerHour,
			&m.IntervalS, (*string)(&m.Resolution), &m.ErasedUntilMs, &m.FromMs, &m.ToMs)
		return m, err
	})
	if err != nil {
		return wire.Registry{}, fmt.Errorf("registry of %s: %w", r.ID, err)
	}
	if all == nil {
		all = []wire.RegistryMeter{}
	}
	return wire.Registry{Site: r.ID, Zone: r.Zone.String(), EarliestMs: sqldb.Ms(r.Earliest), Meters: all}, nil
}

const putGateway = `
INSERT INTO gateway (id, residence_id)
VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE
   SET residence_id = excluded.residence_id
 WHERE gateway.residence_id = excluded.residence_id`

// A point that was in another dwelling may move only within its residence.
const putPoint = `
INSERT INTO point (id, dwelling_id, kind)
VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE
   SET dwelling_id = excluded.dwelling_id,
       kind = excluded.kind
 WHERE EXISTS (SELECT 1
                 FROM dwelling AS before
                 JOIN dwelling AS after ON after.residence_id = before.residence_id
                WHERE before.id = point.dwelling_id
                  AND after.id = excluded.dwelling_id)`

// The file says how finely a meter may be read at most; how finely it is read
// comes from consents, and is off until they are looked at.
const putMeter = `
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution, resolution_most)
VALUES ($1, $2, $3, $4, $5, $6, 'off', $7)
    ON CONFLICT (id) DO UPDATE
   SET gateway_id = excluded.gateway_id,
       kind = excluded.kind,
       index_modulus = excluded.index_modulus,
       max_per_hour = excluded.max_per_hour,
       interval_s = excluded.interval_s,
       resolution_most = excluded.resolution_most
 WHERE EXISTS (SELECT 1
                 FROM gateway AS before
                 JOIN gateway AS after ON after.residence_id = before.residence_id
                WHERE before.id = meter.gateway_id
                  AND after.id = excluded.gateway_id)`

const dropBindings = `
DELETE FROM binding
 WHERE point_id IN (SELECT point.id
                      FROM point
                      JOIN dwelling ON dwelling.id = point.dwelling_id
                     WHERE dwelling.residence_id = $1)`

const putBinding = `
INSERT INTO binding (meter_id, point_id, from_ms, to_ms, first_index, last_index)
VALUES ($1, $2, $3, $4, $5, $6)`

// Replace makes the residence's meters what the roster says, within the
// transaction of a load. Bindings that it does not name end to exist.
func Replace(ctx context.Context, tx *sql.Tx, r Roster) error {
	for _, g := range r.Gateways {
		if err := premises.PutOwned(ctx, tx, putGateway, string(g.ID), string(g.Residence)); err != nil {
			return fmt.Errorf("gateway %s: %w", g.ID, err)
		}
	}
	for _, p := range r.Points {
		if err := premises.PutOwned(ctx, tx, putPoint, string(p.ID), string(p.Dwelling), string(p.Kind)); err != nil {
			return fmt.Errorf("point %s: %w", p.ID, err)
		}
	}
	for _, m := range r.Meters {
		if err := premises.PutOwned(ctx, tx, putMeter, string(m.ID), string(m.Gateway), string(m.Kind), int64(m.IndexModulus),
			int64(m.MaxPerHour), int64(m.Interval/time.Second), string(m.Resolution)); err != nil {
			return fmt.Errorf("meter %s: %w", m.ID, err)
		}
	}
	if _, err := tx.ExecContext(ctx, dropBindings, string(r.Residence)); err != nil {
		return fmt.Errorf("bindings of %s: %w", r.Residence, err)
	}
	for _, b := range r.Bindings {
		if err := putBindingOf(ctx, tx, b); err != nil {
			return fmt.Errorf("point %s: meter %s: %w", b.Point, b.Meter, err)
		}
	}
	return nil
}

func putBindingOf(ctx context.Context, tx *sql.Tx, b Binding) error {
	toMs := sql.NullInt64{Int64: sqldb.Ms(b.To), Valid: !b.To.IsZero()}
	_, err := tx.ExecContext(ctx, putBinding, string(b.Meter), string(b.Point), sqldb.Ms(b.From), toMs,
		orNull(b.FirstIndex), orNull(b.LastIndex))
	return err
}

func orNull(a *metering.Amount) sql.NullInt64 {
	if a == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(*a), Valid: true}
}
