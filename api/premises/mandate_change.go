package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
)

const mandateByID = mandateColumns + `
 WHERE mandate.id = $1`

// mandate returns a mandate, whoever asks: what may be done with it is the affair
// of the caller.
func mandate(ctx context.Context, tx *sql.Tx, id MandateID) (Mandate, error) {
	rows, err := tx.QueryContext(ctx, mandateByID, string(id))
	if err != nil {
		return Mandate{}, err
	}
	all, err := sqldb.Collect(rows, scanMandate)
	if err == nil && len(all) == 0 {
		err = notFound("mandate.none")
	}
	if err != nil {
		return Mandate{}, err
	}
	return all[0], nil
}

// A MandateChange is what changes of a mandate: its end, or that it is revoked.
type MandateChange struct {
	To      civil.Date // zero where it stays
	Revoke  bool
	Version int64
}

const updateMandate = `
UPDATE mandate
   SET to_date = $2,
       revoked_ms = $3,
       version = version + 1
 WHERE id = $1
   AND version = $4
   AND revoked_ms IS NULL`

func (c MandateChange) apply(ctx context.Context, tx *sql.Tx, m Mandate, day civil.Date, now time.Time) error {
	if !c.To.IsZero() {
		if err := checkMandateEnd(c.To, day); err != nil {
			return err
		}
		m.To = c.To
	}
	revokedMs := sql.NullInt64{Int64: sqldb.Ms(now), Valid: c.Revoke}
	done, err := tx.ExecContext(ctx, updateMandate, string(m.ID), m.To.String(), revokedMs, c.Version)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(resource.ErrStale, err)
	}
	return nil
}

// ChangeMandate changes a mandate that a member of the viewer's own household
// gave; who received it may revoke it as well. Others get NotFound
// "mandate.none"; another version, or one that is revoked, is
// [resource.ErrStale].
func (s *Store) ChangeMandate(ctx context.Context, v Viewer, id MandateID, c MandateChange, now time.Time) error {
	seen, err := s.Households(ctx, v.Person, now)
	if err != nil {
		return err
	}
	err = sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		m, err := mandate(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, g := range seen {
			if g.Household == m.Household && (g.Own || m.Helper == v.Person && c.Revoke && c.To.IsZero()) {
				return c.apply(ctx, tx, m, civil.DateIn(now, g.Zone), now)
			}
		}
		return notFound("mandate.none")
	})
	if err != nil {
		return fmt.Errorf("change mandate %s: %w", id, err)
	}
	return nil
}

// RevokeMandate ends a mandate at once; see [Store.ChangeMandate].
func (s *Store) RevokeMandate(ctx context.Context, v Viewer, id MandateID, version int64, now time.Time) error {
	return s.ChangeMandate(ctx, v, id, MandateChange{Revoke: true, Version: version}, now)
}

// ChangeMandateFor changes a mandate on behalf of a household that staff may look
// at, and writes it down. It fails as [Store.ChangeMandate] does.
func (s *Store) ChangeMandateFor(ctx context.Context, l Look, id MandateID, c MandateChange) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		m, err := mandate(ctx, tx, id)
		if err != nil {
			return err
		}
		l.Household = m.Household
		if err := l.write(ctx, tx); err != nil {
			return hidden(err, "mandate.none")
		}
		return c.apply(ctx, tx, m, civil.DateIn(l.At, time.UTC), l.At)
	})
	if err != nil {
		return fmt.Errorf("change mandate %s: %w", id, err)
	}
	return nil
}

// hidden names what was asked for instead of the household that it is of.
func hidden(err error, key string) error {
	if p := problem.Of(err); p.Kind == problem.NotFound {
		return notFound(key)
	}
	return err
}
