package roster

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Store makes the database say what the roster says of its residence, all of it
// or nothing. Doing it again changes nothing. Sign-ins and sessions stay.
func Store(ctx context.Context, db *sql.DB, r Roster) error {
	err := sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if err := accounts.Put(ctx, tx, r.Persons); err != nil {
			return err
		}
		if err := premises.Replace(ctx, tx, r.Premises); err != nil {
			return err
		}
		return meters.Replace(ctx, tx, r.Meters)
	})
	if err != nil {
		return fmt.Errorf("store residence %s: %w", r.Premises.Residence.ID, err)
	}
	return nil
}
