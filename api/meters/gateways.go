package meters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// What clips every query of staff to the residences in which $1 has a role:
// readers see devices, writers change them and may see a last index.
const (
	ReaderClip = `EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('installer', 'manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`
	WriterClip = `EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('installer', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`
)

// Readers and Writers are the roles that the clips speak of.
var (
	Readers = []accounts.Role{accounts.Installer, accounts.Manager, accounts.Administrator}
	Writers = []accounts.Role{accounts.Installer, accounts.Administrator}
)

const gatewayColumns = `
SELECT gateway.id, gateway.residence_id, gateway.name, gateway.place, gateway.version
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE ` + ReaderClip

const listGateways = gatewayColumns + `
   AND ($2 = '' OR residence.id = $2)
   AND gateway.id > $3
 ORDER BY gateway.id
 LIMIT $4`

const findGateway = gatewayColumns + `
   AND gateway.id = $2`

// Gateways lists the gateways that the person may see, of one residence or of all
// where it is empty, by id: one more than the page holds where the list goes on.
func (s *Store) Gateways(ctx context.Context, who accounts.PersonID, residence metering.SiteID, p resource.Page) ([]Gateway, error) {
	rows, err := s.db.QueryContext(ctx, listGateways, string(who), string(residence), p.After, p.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("gateways: %w", err)
	}
	all, err := sqldb.Collect(rows, scanGateway)
	if err != nil {
		return nil, fmt.Errorf("gateways: %w", err)
	}
	for i := range all {
		if all[i].Buses, err = busesOf(ctx, s.db, all[i].ID); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// GatewayByID returns the gateway, or [ErrNone] where there is none that the
// person may see.
func (s *Store) GatewayByID(ctx context.Context, who accounts.PersonID, id metering.GatewayID) (Gateway, error) {
	return gatewayByID(ctx, s.db, findGateway, who, id)
}

func gatewayByID(ctx context.Context, q sqldb.Querier, text string, who accounts.PersonID, id metering.GatewayID) (Gateway, error) {
	found, err := one(ctx, q, scanGateway, text, string(who), string(id))
	if err != nil {
		return Gateway{}, fmt.Errorf("gateway %s: %w", id, err)
	}
	found.Buses, err = busesOf(ctx, q, id)
	return found, err
}

// one returns the first row, or ErrNone.
func one[T any](ctx context.Context, q sqldb.Querier, scan func(*sql.Rows) (T, error), text string, args ...any) (T, error) {
	var none T
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return none, err
	}
	all, err := sqldb.Collect(rows, scan)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, ErrNone
	}
	return all[0], nil
}

func scanGateway(rows *sql.Rows) (g Gateway, err error) {
	return g, rows.Scan(&g.ID, &g.Residence, &g.Name, &g.Place, &g.Version)
}

const listBuses = `
SELECT name, url, baud, parity, stop_bits, timeout_ms, interval_s,
       rs485, rts_on_send, delay_before_ms, delay_after_ms
  FROM bus
 WHERE gateway_id = $1
 ORDER BY name`

func busesOf(ctx context.Context, q sqldb.Querier, gateway metering.GatewayID) ([]Bus, error) {
	rows, err := q.QueryContext(ctx, listBuses, string(gateway))
	if err != nil {
		return nil, fmt.Errorf("buses of gateway %s: %w", gateway, err)
	}
	all, err := sqldb.Collect(rows, scanBus)
	if err != nil {
		return nil, fmt.Errorf("buses of gateway %s: %w", gateway, err)
	}
	return all, nil
}

func scanBus(rows *sql.Rows) (Bus, error) {
	var b Bus
	var timeoutMs, intervalS, rs485, rts, before, after int64
	err := rows.Scan(&b.Name, &b.URL, &b.Baud, &b.Parity, &b.StopBits, &timeoutMs, &intervalS, &rs485, &rts, &before, &after)
	b.Timeout, b.Interval = time.Duration(timeoutMs)*time.Millisecond, time.Duration(intervalS)*time.Second
	b.RS485 = RS485{Enabled: rs485 == 1, RTSOnSend: rts == 1,
		DelayBefore: time.Duration(before) * time.Millisecond, DelayAfter: time.Duration(after) * time.Millisecond}
	return b, err
}

const createGateway = `
INSERT INTO gateway (id, residence_id, name, place)
SELECT $2, residence.id, $4, $5
  FROM residence
 WHERE residence.id = $3
   AND ` + WriterClip

// CreateGateway adds a gateway with its buses. It fails with [ErrNone] where the
// person may not change the residence, and with [ErrExists].
func (s *Store) CreateGateway(ctx context.Context, who accounts.PersonID, g Gateway) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := changeOne(ctx, tx, ErrNone, createGateway, string(who), string(g.ID), string(g.Residence), g.Name, g.Place); err != nil {
			return err
		}
		return putBuses(ctx, tx, g)
	})
	return named(err, "create gateway", string(g.ID))
}

const updateGateway = `
UPDATE gateway
   SET name = $3,
       place = $4,
       version = version + 1
 WHERE id = $1
   AND version = $2`

// UpdateGateway changes name, place and buses of the gateway whose version is
// g.Version. It fails with [ErrNone], with [resource.ErrStale] where it has
// changed meanwhile, and with [ErrBusInUse] where a meter hangs on a bus that is
// to go.
func (s *Store) UpdateGateway(ctx context.Context, who accounts.PersonID, g Gateway) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := s.writable(ctx, tx, who, g.ID); err != nil {
			return err
		}
		if err := changeOne(ctx, tx, resource.ErrStale, updateGateway, string(g.ID), g.Version, g.Name, g.Place); err != nil {
			return err
		}
		if err := putBuses(ctx, tx, g); err != nil {
			return err
		}
		return checkSockets(ctx, tx, g.ID)
	})
	return named(err, "update gateway", string(g.ID))
}

const writableGateway = `
SELECT gateway.id, gateway.residence_id, gateway.name, gateway.place, gateway.version
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE ` + WriterClip + `
   AND gateway.id = $2`

// writable fails with ErrNone unless the person may change the gateway.
func (s *Store) writable(ctx context.Context, q sqldb.Querier, who accounts.PersonID, id metering.GatewayID) error {
	_, err := gatewayByID(ctx, q, writableGateway, who, id)
	return err
}

const putBus = `
INSERT INTO bus (gateway_id, name, url, baud, parity, stop_bits, timeout_ms, interval_s, rs485, rts_on_send, delay_before_ms, delay_after_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

func putBuses(ctx context.Context, tx *sql.Tx, g Gateway) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM bus WHERE gateway_id = $1`, string(g.ID)); err != nil {
		return err
	}
	for _, b := range g.Buses {
		_, err := tx.ExecContext(ctx, putBus, string(g.ID), b.Name, b.URL, b.Baud, b.Parity, b.StopBits,
			b.Timeout.Milliseconds(), int64(b.Interval/time.Second), bit(b.RS485.Enabled), bit(b.RS485.RTSOnSend),
			b.RS485.DelayBefore.Milliseconds(), b.RS485.DelayAfter.Milliseconds())
		if err != nil {
			return fmt.Errorf("bus %s: %w", b.Name, err)
		}
	}
	return nil
}

const lostSockets = `
SELECT COUNT(*)
  FROM meter
 WHERE gateway_id = $1
   AND bus <> ''
   AND NOT EXISTS (SELECT 1
                     FROM bus
                    WHERE bus.gateway_id = meter.gateway_id
                      AND bus.name = meter.bus)`

// checkSockets fails with ErrBusInUse where a meter hangs on a bus that the
// gateway does not have.
func checkSockets(ctx context.Context, tx *sql.Tx, id metering.GatewayID) error {
	var lost int
	if err := tx.QueryRowContext(ctx, lostSockets, string(id)).Scan(&lost); err != nil {
		return err
	}
	if lost > 0 {
		return ErrBusInUse
	}
	return nil
}

// changeOne runs a statement that is to change one row, and fails with otherwise
// where it changes none.
func changeOne(ctx context.Context, tx *sql.Tx, otherwise error, text string, args ...any) error {
	done, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(otherwise, err)
	}
	return nil
}

// named says what was being done, and turns what the schema refused into what a
// person is told.
func named(err error, doing, id string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, id, conflict(err))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// WritableGateway is [Store.GatewayByID] for who is to change the gateway.
func (s *Store) WritableGateway(ctx context.Context, who accounts.PersonID, id metering.GatewayID) (Gateway, error) {
	return gatewayByID(ctx, s.db, writableGateway, who, id)
}

const metersOfGateway = meterColumns + `binding.meter_id IS NOT NULL
   AND meter.gateway_id = $1
 ORDER BY meter.id`

// OfGateway lists the meters of a gateway that hang somewhere. The caller has
// found the gateway for the person.
func (s *Store) OfGateway(ctx context.Context, id metering.GatewayID) ([]Meter, error) {
	rows, err := s.db.QueryContext(ctx, metersOfGateway, string(id))
	if err != nil {
		return nil, fmt.Errorf("meters of gateway %s: %w", id, err)
	}
	all, err := sqldb.Collect(rows, func(rows *sql.Rows) (Meter, error) {
		e, err := scanEquipment(rows)
		return e.Meter, err
	})
	if err != nil {
		return nil, fmt.Errorf("meters of gateway %s: %w", id, err)
	}
	return all, nil
}
