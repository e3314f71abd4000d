package roster

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/charges"
	"github.com/xnetroseraie/xnet/api/consent"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// Store makes the database say what the roster says of its residence, all of it
// or nothing. Doing it again changes nothing. Sign-ins and sessions stay, and so
// do roles that the file does not name and what households decided about their
// consents since.
func Store(ctx context.Context, db *sql.DB, r Roster) error {
	now := time.Now()
	err := sqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if err := consent.CheckForgotten(ctx, tx, r.Premises.Households); err != nil {
			return err
		}
		before, err := consent.Lodgings(ctx, tx, r.Premises.Residence.ID)
		if err != nil {
			return err
		}
		if err := accounts.Put(ctx, tx, r.Persons); err != nil {
			return err
		}
		if err := premises.Replace(ctx, tx, r.Premises); err != nil {
			return err
		}
		if err := accounts.PutStaff(ctx, tx, r.Staff); err != nil {
			return err
		}
		if err := meters.Replace(ctx, tx, r.Meters); err != nil {
			return err
		}
		if err := charges.Load(ctx, tx, r.Tariffs, r.Advances); err != nil {
			return err
		}
		if err := consent.NoteDepartures(ctx, tx, r.Premises.Residence.ID, before, now); err != nil {
			return err
		}
		return consent.Load(ctx, tx, r.Consents, now)
	})
	if err != nil {
		return fmt.Errorf("store residence %s: %w", r.Premises.Residence.ID, err)
	}
	return nil
}
