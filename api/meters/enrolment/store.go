package enrolment

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/meters"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
	"github.com/xnetroseraie/xnet/internal/wire"
)

// A Store keeps codes and accesses. It may be used from several goroutines.
type Store struct {
	db     *sql.DB
	meters *meters.Store
	files  Files
}

// NewStore returns a store on a migrated database, which writes the broker's
// files; without a folder for them it writes none.
func NewStore(db *sql.DB, m *meters.Store, files Files) *Store {
	return &Store{db: db, meters: m, files: files}
}

const keepCode = `
INSERT INTO gateway_code (gateway_id, digest, made_by, made_ms, until_ms)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (gateway_id) DO UPDATE
   SET digest = excluded.digest, made_by = excluded.made_by, made_ms = excluded.made_ms, until_ms = excluded.until_ms`

// Offer makes a code for a gateway that the person may change. A code that was
// offered before works no more. It fails with [meters.ErrNone].
func (s *Store) Offer(ctx context.Context, who accounts.PersonID, id metering.GatewayID, now time.Time) (Offer, error) {
	if _, err := s.meters.WritableGateway(ctx, who, id); err != nil {
		return Offer{}, err
	}
	o := Offer{Code: newCode(), Until: now.Add(Works)}
	_, err := s.db.ExecContext(ctx, keepCode, string(id), o.Code.digest(), string(who), now.UnixMilli(), o.Until.UnixMilli())
	if err != nil {
		return Offer{}, fmt.Errorf("code of gateway %s: %w", id, err)
	}
	return o, nil
}

const takeCode = `
DELETE FROM gateway_code
 WHERE digest = $1
   AND until_ms > $2
RETURNING gateway_id`

const sourceOf = `
SELECT gateway.residence_id, residence.zone
  FROM gateway
  JOIN residence ON residence.id = gateway.residence_id
 WHERE gateway.id = $1`

const keepAccess = `
INSERT INTO gateway_access (gateway_id, password, since_ms)
VALUES ($1, $2, $3)
    ON CONFLICT (gateway_id) DO UPDATE
   SET password = excluded.password, since_ms = excluded.since_ms`

// Redeem takes a code for an access with a new password; the one before works no
// more, so that a board that was replaced or stolen is shut out. The broker's files
// are written before the code is spent. It fails with [ErrCode].
func (s *Store) Redeem(ctx context.Context, code Code, now time.Time) (Access, error) {
	var a Access
	err := s.alone(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, takeCode, code.digest(), now.UnixMilli()).Scan(&a.Source.Gateway)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrCode
		}
		if err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, sourceOf, string(a.Source.Gateway)).Scan(&a.Source.Site, &a.Zone); err != nil {
			return err
		}
		a.Username, a.Password = a.Source.String(), rand.Text()
		hashed, err := hash(a.Password)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, keepAccess, string(a.Source.Gateway), hashed, now.UnixMilli()); err != nil {
			return err
		}
		return s.write(ctx, tx)
	})
	if err != nil {
		return Access{}, fmt.Errorf("enrolment: %w", err)
	}
	return a, nil
}

// Write writes the broker's files as the database has it. It is safe to repeat,
// and to do while a gateway is enrolled: an enrolment holds the same transaction.
func (s *Store) Write(ctx context.Context) error {
	if err := s.alone(ctx, func(tx *sql.Tx) error { return s.write(ctx, tx) }); err != nil {
		return fmt.Errorf("access to the broker: %w", err)
	}
	return nil
}

// The first residence stands for the broker's files. Its row is written as it is,
// which on both databases makes others wait who write it too.
const holdFiles = `
UPDATE residence
   SET zone = zone
 WHERE id = (SELECT MIN(id)
               FROM residence)`

// alone does what writes the broker's files in a transaction beside which no other
// program does such a thing: each writes the whole list, and of two at once the
// second would not know of the first one's gateway.
func (s *Store) alone(ctx context.Context, do func(*sql.Tx) error) error {
	return sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, holdFiles); err != nil {
			return err
		}
		return do(tx)
	})
}

// A Progress is how far a gateway has come to its access.
type Progress struct {
	Until time.Time // until when a code works that nobody has used yet; zero: there is none
	Since time.Time // when the board that is to be heard now used its code; zero: none did
}

const progressOf = `
SELECT COALESCE((SELECT until_ms
                   FROM gateway_code
                  WHERE gateway_id = $1
                    AND until_ms > $2), 0),
       COALESCE((SELECT since_ms
                   FROM gateway_access
                  WHERE gateway_id = $1), 0)`

// Progress returns how far a gateway has come that the caller has found for the
// person.
func (s *Store) Progress(ctx context.Context, id metering.GatewayID, now time.Time) (Progress, error) {
	var untilMs, sinceMs int64
	if err := s.db.QueryRowContext(ctx, progressOf, string(id), now.UnixMilli()).Scan(&untilMs, &sinceMs); err != nil {
		return Progress{}, fmt.Errorf("enrolment of gateway %s: %w", id, err)
	}
	var p Progress
	if untilMs > 0 {
		p.Until = sqldb.Time(untilMs)
	}
	if sinceMs > 0 {
		p.Since = sqldb.Time(sinceMs)
	}
	return p, nil
}

const listAccess = `
SELECT gateway.residence_id, gateway.id, gateway_access.password
  FROM gateway_access
  JOIN gateway ON gateway.id = gateway_access.gateway_id
 ORDER BY gateway.residence_id, gateway.id`

// A member is a gateway that the broker knows.
type member struct {
	source wire.Source
	hash   string
}

func (s *Store) write(ctx context.Context, tx *sql.Tx) error {
	if s.files.Dir == "" {
		return nil
	}
	rows, err := tx.QueryContext(ctx, listAccess)
	if err != nil {
		return err
	}
	members, err := sqldb.Collect(rows, func(rows *sql.Rows) (member, error) {
		var m member
		return m, rows.Scan(&m.source.Site, &m.source.Gateway, &m.hash)
	})
	if err != nil {
		return err
	}
	return s.files.write(members)
}
