package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A crowd is rows that every dwelling has in the same way: statements of which
// $1 is the dwelling's number in its id, and $2 the dwelling.
var crowd = []string{`
INSERT INTO household (id, occupants, language)
VALUES ('F-' || $1, 2, 'fr')`, `
INSERT INTO tenancy (id, household_id, dwelling_id, moved_in)
VALUES ('T-' || $1, 'F-' || $1, $2, '2025-01-01')`, `
INSERT INTO person (id, name, language)
VALUES ('P-' || $1 || '-1', 'Tenant one', 'fr'), ('P-' || $1 || '-2', 'Tenant two', 'fr')`, `
INSERT INTO membership (person_id, household_id, from_date)
VALUES ('P-' || $1 || '-1', 'F-' || $1, '2025-01-01'), ('P-' || $1 || '-2', 'F-' || $1, '2025-01-01')`, `
INSERT INTO point (id, dwelling_id, kind)
VALUES ($2 || '-cw', $2, 'cold_water'), ($2 || '-hw', $2, 'hot_water'), ($2 || '-ht', $2, 'heat')`, `
INSERT INTO binding (meter_id, point_id, from_ms)
VALUES ('cw-' || $1, $2 || '-cw', 1735686000000), ('hw-' || $1, $2 || '-hw', 1735686000000), ('ht-' || $1, $2 || '-ht', 1735686000000)`,
}

const putGateway = `
INSERT INTO gateway (id, residence_id)
VALUES ($1, $2)`

const putMeters = `
INSERT INTO meter (id, gateway_id, kind, index_modulus, max_per_hour, interval_s, resolution)
VALUES ('cw-' || $1, $2, 'cold_water', 100000000000, 3000000, 600, 'day'),
       ('hw-' || $1, $2, 'hot_water', 100000000000, 3000000, 600, 'month'),
       ('ht-' || $1, $2, 'heat', 100000000000, 0, 600, 'month')`

// gatewayOf is how many dwellings a gateway reads.
const gatewayOf = 50

// settle gives every dwelling a household of two, three points of delivery and
// their meters.
func settle(ctx context.Context, db *sql.DB, dwellings int) error {
	return sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		for n := 0; n < dwellings; n += gatewayOf {
			if _, err := tx.ExecContext(ctx, putGateway, gatewayID(n), residenceID(n/perResidence)); err != nil {
				return fmt.Errorf("gateway %s: %w", gatewayID(n), err)
			}
		}
		if err := forEach(ctx, tx, putMeters, dwellings, gatewayID); err != nil {
			return err
		}
		for _, statement := range crowd {
			if err := forEach(ctx, tx, statement, dwellings, dwellingID); err != nil {
				return err
			}
		}
		return nil
	})
}

func gatewayID(dwelling int) string { return fmt.Sprintf("gw-%05d", dwelling/gatewayOf) }

// forEach runs a statement for each dwelling; $1 is its number, $2 what of gives.
func forEach(ctx context.Context, tx *sql.Tx, statement string, dwellings int, of func(int) string) error {
	insert, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	for n := range dwellings {
		args := []any{fmt.Sprintf("%06d", n), of(n)}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("settle dwelling %d: %w", n, err)
		}
	}
	return insert.Close()
}
