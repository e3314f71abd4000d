package charges

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Store keeps tariffs and provisions. It may be used from several goroutines.
type Store struct{ db *sql.DB }

// NewStore returns a store on a migrated database.
func NewStore(db *sql.DB) *Store { return &Store{db: db} }

// ErrNone is a tariff that is not there, or not for who asks.
var ErrNone = &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}

const (
	mayRead = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('advisor', 'manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

	mayChange = `
EXISTS (SELECT 1
          FROM staff_role
         WHERE staff_role.person_id = $1
           AND staff_role.role IN ('manager', 'administrator')
           AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

	tariffColumns = `tariff.id, tariff.residence_id, tariff.kind, tariff.from_date, COALESCE(tariff.until_date, ''), tariff.bill,
       tariff.fixed_monthly_cents, tariff.price_micro_eur, tariff.per, tariff.heat_micro_eur, tariff.wh_per_m3,
       tariff.individual_percent, tariff.source, tariff.version`
)

func scanTariff(rows *sql.Rows) (Tariff, error) {
	var t Tariff
	var kind, from, until string
	err := rows.Scan(&t.ID, &t.Residence, &kind, &from, &until, &t.Bill, &t.FixedMonthlyCents, &t.MicroEUR, &t.Per,
		&t.HeatMicroEUR, &t.WhPerM3, &t.IndividualPercent, &t.Source, &t.Version)
	if err != nil {
		return Tariff{}, err
	}
	t.Kind = metering.Kind(kind)
	if t.From, err = civil.ParseDate(from); err == nil && until != "" {
		t.Until, err = civil.ParseDate(until)
	}
	return t, err
}

const listTariffs = `
SELECT ` + tariffColumns + `
  FROM tariff
  JOIN residence ON residence.id = tariff.residence_id
 WHERE ($2 = '' OR tariff.residence_id = $2)
   AND tariff.id > $3
   AND` + mayRead + `
 ORDER BY tariff.id
 LIMIT $4`

// List lists the tariffs of the residences of staff, or of one of them, by id: one
// more than the page holds where the list goes on.
func (s *Store) List(ctx context.Context, staff accounts.PersonID, residence metering.SiteID, p resource.Page) ([]Tariff, error) {
	return s.tariffs(ctx, listTariffs, string(staff), string(residence), p.After, p.Limit+1)
}

const tariffByID = `
SELECT ` + tariffColumns + `
  FROM tariff
  JOIN residence ON residence.id = tariff.residence_id
 WHERE tariff.id = $2
   AND` + mayRead

// ByID returns a tariff that staff may read; it fails with [ErrNone].
func (s *Store) ByID(ctx context.Context, staff accounts.PersonID, id TariffID) (Tariff, error) {
	all, err := s.tariffs(ctx, tariffByID, string(staff), string(id))
	if err == nil && len(all) == 0 {
		err = ErrNone
	}
	if err != nil {
		return Tariff{}, err
	}
	return all[0], nil
}

const tariffsOf = `
SELECT ` + tariffColumns + `
  FROM tariff
 WHERE tariff.residence_id = $1
 ORDER BY tariff.kind, tariff.from_date`

// Of returns the tariffs of a residence. The caller has found it among somebody's
// stays.
func (s *Store) Of(ctx context.Context, residence metering.SiteID) (Tariffs, error) {
	return s.tariffs(ctx, tariffsOf, string(residence))
}

func (s *Store) tariffs(ctx context.Context, query string, args ...any) ([]Tariff, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("tariffs: %w", err)
	}
	all, err := sqldb.Collect(rows, scanTariff)
	if err != nil {
		return nil, fmt.Errorf("tariffs: %w", err)
	}
	return all, nil
}

// Where the share is -1 it is the usual one of the kind.
const createTariff = `
INSERT INTO tariff (id, residence_id, kind, from_date, until_date, bill, fixed_monthly_cents, price_micro_eur, per,
                    heat_micro_eur, wh_per_m3, individual_percent, source)
SELECT $2, residence.id, $4, $5, $6, $7, $8, $9, $10, $11, $12,
       CASE WHEN CAST($13 AS INTEGER) >= 0 THEN CAST($13 AS INTEGER)
            WHEN $4 = 'heat' AND $7 = 'charges' THEN residence.heat_individual_percent
            ELSE 100 END, $14
  FROM residence
 WHERE residence.id = $3
   AND` + mayChange + `
    ON CONFLICT (residence_id, kind, from_date) DO NOTHING`

// UsualShare asks for the share of the price that is usual for the kind: the
// residence's split of the heat, else all of it.
const UsualShare = -1

// Create keeps a tariff, whose id it makes, and returns it. It fails with the
// problem NotFound "residence.none" where staff may not change the residence's,
// and with Conflict where one of the kind begins on that day already.
func (s *Store) Create(ctx context.Context, staff accounts.PersonID, t Tariff) (Tariff, error) {
	t.ID = TariffID(uuid.Must(uuid.NewV7()).String())
	done, err := s.db.ExecContext(ctx, createTariff, string(staff), string(t.ID), string(t.Residence), string(t.Kind), t.From.String(),
		orNull(t.Until), string(t.Bill), t.FixedMonthlyCents, t.MicroEUR, t.Per, t.HeatMicroEUR, t.WhPerM3, t.IndividualPercent, t.Source)
	if err != nil {
		return Tariff{}, fmt.Errorf("create tariff of %s: %w", t.Residence, err)
	}
	if n, err := done.RowsAffected(); err != nil {
		return Tariff{}, fmt.Errorf("create tariff of %s: %w", t.Residence, err)
	} else if n == 0 {
		return Tariff{}, s.notCreated(ctx, staff, t.Residence)
	}
	return s.ByID(ctx, staff, t.ID)
}

const changeable = `
SELECT 1
  FROM residence
 WHERE residence.id = $2
   AND` + mayChange

func (s *Store) notCreated(ctx context.Context, staff accounts.PersonID, residence metering.SiteID) error {
	var one int
	err := s.db.QueryRowContext(ctx, changeable, string(staff), string(residence)).Scan(&one)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &problem.Error{Kind: problem.NotFound, Message: "residence.none"}
	case err != nil:
		return fmt.Errorf("residence %s: %w", residence, err)
	default:
		return &problem.Error{Kind: problem.Conflict, Message: "field.taken", Fields: []problem.Field{{Name: "from", Message: "field.taken"}}}
	}
}

const updateTariff = `
UPDATE tariff
   SET from_date = $4, until_date = $5, bill = $6, fixed_monthly_cents = $7, price_micro_eur = $8, per = $9,
       heat_micro_eur = $10, wh_per_m3 = $11, individual_percent = $12, source = $13, version = version + 1
 WHERE id = $2
   AND version = $3
   AND EXISTS (SELECT 1
                 FROM residence
                WHERE residence.id = tariff.residence_id
                  AND` + mayChange + `)
   AND NOT EXISTS (SELECT 1
                     FROM tariff AS other
                    WHERE other.residence_id = tariff.residence_id
                      AND other.kind = tariff.kind
                      AND other.from_date = $4
                      AND other.id <> tariff.id)`

// Update changes all of a tariff but its residence and kind. It fails with
// [ErrNone], with [resource.ErrStale] where t.Version is not the tariff's, and
// with Conflict where another of the kind begins on that day.
func (s *Store) Update(ctx context.Context, staff accounts.PersonID, t Tariff) error {
	done, err := s.db.ExecContext(ctx, updateTariff, string(staff), string(t.ID), t.Version, t.From.String(), orNull(t.Until),
		string(t.Bill), t.FixedMonthlyCents, t.MicroEUR, t.Per, t.HeatMicroEUR, t.WhPerM3, t.IndividualPercent, t.Source)
	if err != nil {
		return fmt.Errorf("update tariff %s: %w", t.ID, err)
	}
	return s.changed(ctx, done, staff, t.ID, t.Version)
}

const removeTariff = `
DELETE FROM tariff
 WHERE id = $2
   AND version = $3
   AND EXISTS (SELECT 1
                 FROM residence
                WHERE residence.id = tariff.residence_id
                  AND` + mayChange + `)`

// Remove takes a tariff away that was entered by mistake. It fails as [Store.Update].
func (s *Store) Remove(ctx context.Context, staff accounts.PersonID, id TariffID, version int64) error {
	done, err := s.db.ExecContext(ctx, removeTariff, string(staff), string(id), version)
	if err != nil {
		return fmt.Errorf("remove tariff %s: %w", id, err)
	}
	return s.changed(ctx, done, staff, id, version)
}

const changeableTariff = `
SELECT tariff.version
  FROM tariff
  JOIN residence ON residence.id = tariff.residence_id
 WHERE tariff.id = $2
   AND` + mayChange

// changed tells why a statement changed nothing.
func (s *Store) changed(ctx context.Context, done sql.Result, staff accounts.PersonID, id TariffID, version int64) error {
	n, err := done.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	var stands int64
	err = s.db.QueryRowContext(ctx, changeableTariff, string(staff), string(id)).Scan(&stands)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNone
	case err != nil:
		return fmt.Errorf("tariff %s: %w", id, err)
	case stands != version:
		return resource.ErrStale
	default:
		return &problem.Error{Kind: problem.Conflict, Message: "field.taken", Fields: []problem.Field{{Name: "from", Message: "field.taken"}}}
	}
}

func orNull(d civil.Date) sql.NullString {
	return sql.NullString{String: d.String(), Valid: !d.IsZero()}
}

// Load makes the tariffs and provisions of a residence what its file says, within
// the transaction of a load: those that the file names are put, others stay. A tariff
// is the same as another by its kind and first day, not by its id: where staff moved
// the one of that id to another day it stays there, and the file's gets a new id.
func Load(ctx context.Context, tx *sql.Tx, ts Tariffs, ps []Provision) error {
	for _, t := range ts {
		_, err := tx.ExecContext(ctx, putTariff, string(t.ID), string(t.Residence), string(t.Kind), t.From.String(), orNull(t.Until),
			string(t.Bill), t.FixedMonthlyCents, t.MicroEUR, t.Per, t.HeatMicroEUR, t.WhPerM3, t.IndividualPercent, t.Source,
			uuid.Must(uuid.NewV7()).String())
		if err != nil {
			return fmt.Errorf("tariff of %s from %s: %w", t.Kind, t.From, err)
		}
	}
	for _, p := range ps {
		if err := putProvision(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

const putTariff = `
INSERT INTO tariff (id, residence_id, kind, from_date, until_date, bill, fixed_monthly_cents, price_micro_eur, per,
                    heat_micro_eur, wh_per_m3, individual_percent, source)
VALUES (CASE WHEN EXISTS (SELECT 1 FROM tariff AS taken WHERE taken.id = $1) THEN CAST($14 AS TEXT) ELSE CAST($1 AS TEXT) END,
        $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (residence_id, kind, from_date) DO UPDATE
   SET until_date = excluded.until_date,
       bill = excluded.bill,
       fixed_monthly_cents = excluded.fixed_monthly_cents,
       price_micro_eur = excluded.price_micro_eur,
       per = excluded.per,
       heat_micro_eur = excluded.heat_micro_eur,
       wh_per_m3 = excluded.wh_per_m3,
       individual_percent = excluded.individual_percent,
       source = excluded.source,
       version = tariff.version + 1
 WHERE (COALESCE(tariff.until_date, ''), tariff.bill, tariff.fixed_monthly_cents, tariff.price_micro_eur, tariff.per,
        tariff.heat_micro_eur, tariff.wh_per_m3, tariff.individual_percent, tariff.source) <>
       (COALESCE(excluded.until_date, ''), excluded.bill, excluded.fixed_monthly_cents, excluded.price_micro_eur, excluded.per,
        excluded.heat_micro_eur, excluded.wh_per_m3, excluded.individual_percent, excluded.source)`
