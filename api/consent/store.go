package consent

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Store keeps consents and erasures. It may be used from several goroutines.
type Store struct {
	db     *sql.DB
	ledger *Ledger
}

// NewStore returns a store on a migrated database that writes what it erases to
// the ledger first.
func NewStore(db *sql.DB, ledger *Ledger) *Store { return &Store{db: db, ledger: ledger} }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

const consentColumns = `
SELECT consent.id, consent.household_id, consent.tenancy_id, consent.purpose, consent.text_version, consent.language,
       consent.channel, consent.given_by, consent.collected_by, consent.from_ms, consent.to_ms,
       COALESCE(consent.ended_ms, 0), COALESCE(consent.ended_why, '')
  FROM consent`

// The first day that is shown to the viewer clips: who joined later does not read
// what was agreed to and ended before.
const seenConsents = consentColumns + `
 WHERE consent.household_id = $1
   AND (consent.ended_ms IS NULL OR consent.ended_ms >= $2)
 ORDER BY consent.from_ms DESC, consent.purpose, consent.id`

// Consents lists what the household of the sight agreed to, running or over, the
// last first. The sight is the viewer's right to read it; see
// [premises.Store.Seen].
func (s *Store) Consents(ctx context.Context, g premises.Sight) ([]Consent, error) {
	rows, err := s.db.QueryContext(ctx, seenConsents, string(g.Household), sqldb.Ms(g.ShownFrom.Start(g.Zone)))
	if err != nil {
		return nil, fmt.Errorf("consents of household %s: %w", g.Household, err)
	}
	all, err := sqldb.Collect(rows, scanConsent)
	if err != nil {
		return nil, fmt.Errorf("consents of household %s: %w", g.Household, err)
	}
	return all, nil
}

func scanConsent(rows *sql.Rows) (Consent, error) {
	var c Consent
	var fromMs, toMs, endedMs int64
	err := rows.Scan(&c.ID, &c.Household, &c.Tenancy, &c.Purpose, &c.TextVersion, &c.Language,
		&c.Channel, &c.GivenBy, &c.CollectedBy, &fromMs, &toMs, &endedMs, &c.EndedWhy)
	c.From, c.To = sqldb.Time(fromMs), sqldb.Time(toMs)
	if endedMs > 0 {
		c.Ended = sqldb.Time(endedMs)
	}
	return c, err
}

// A Decision is somebody's yes to one purpose, or that they take it back.
type Decision struct {
	Purpose     Purpose
	TextVersion int               // the text that was read; only for a yes
	Language    string            // of that text
	Channel     Channel           // how it came in
	By          accounts.PersonID // who decided; empty where paper names nobody known
	CollectedBy accounts.PersonID // who writes it down
	At          time.Time
}

const endExpired = `
UPDATE consent
   SET ended_ms = to_ms,
       ended_why = 'expired'
 WHERE tenancy_id = $1
   AND purpose = $2
   AND ended_ms IS NULL
   AND to_ms <= $3`

const insertConsent = `
INSERT INTO consent (id, household_id, tenancy_id, purpose, text_version, language, channel, given_by, collected_by, from_ms, to_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT DO NOTHING`

// Give writes down that the household of the homes agrees to a purpose, from now
// for three years, and settles the resolutions. Where it agreed already nothing
// changes: the proof of the first time stands. It fails with [ErrOtherText]
// where the text that was read is not today's.
func (s *Store) Give(ctx context.Context, homes []Home, d Decision) error {
	if d.TextVersion != d.Purpose.TextVersion() {
		return ErrOtherText
	}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, h := range homes {
			if err := give(ctx, tx, h, d); err != nil {
				return err
			}
			if err := settleHome(ctx, tx, h.Tenancy, d.At); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("consent to %s: %w", d.Purpose, err)
	}
	return nil
}

func give(ctx context.Context, tx *sql.Tx, h Home, d Decision) error {
	if _, err := tx.ExecContext(ctx, endExpired, h.Tenancy, string(d.Purpose), sqldb.Ms(d.At)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, insertConsent, newID(), string(h.Household), h.Tenancy, string(d.Purpose), d.TextVersion, d.Language,
		string(d.Channel), string(d.By), string(d.CollectedBy), sqldb.Ms(d.At), sqldb.Ms(d.At.AddDate(Years, 0, 0)))
	return err
}

const endConsent = `
UPDATE consent
   SET ended_ms = $3,
       ended_why = 'withdrawn',
       ended_by = $4,
       ended_channel = $5
 WHERE tenancy_id = $1
   AND purpose = $2
   AND ended_ms IS NULL`

const runningPurposes = `
SELECT purpose
  FROM consent
 WHERE tenancy_id = $1
   AND ended_ms IS NULL
   AND from_ms <= $2
   AND to_ms > $2`

// Withdraw takes the household's yes to a purpose back, settles the resolutions,
// and asks for what was read only because of it to be erased; [Eraser] does
// that. Where there was no yes nothing changes. It fails with [ErrLedger] where
// the erasure could not be written down, and changes nothing then.
func (s *Store) Withdraw(ctx context.Context, homes []Home, d Decision) error {
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, h := range homes {
			if err := s.withdraw(ctx, tx, h, d); err != nil {
				return err
			}
			if err := settleHome(ctx, tx, h.Tenancy, d.At); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("withdraw consent to %s: %w", d.Purpose, err)
	}
	return nil
}

func (s *Store) withdraw(ctx context.Context, tx *sql.Tx, h Home, d Decision) error {
	before, err := running(ctx, tx, h.Tenancy, d.At)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, endConsent, h.Tenancy, string(d.Purpose), sqldb.Ms(d.At), string(d.CollectedBy), string(d.Channel))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	after := slices.DeleteFunc(slices.Clone(before), func(p Purpose) bool { return p == d.Purpose })
	e := Erasure{ID: newID(), Household: h.Household, Tenancy: h.Tenancy, What: whatOf(d.Purpose), Why: ByWithdrawal,
		Asked: d.At, AskedBy: d.CollectedBy, Due: d.At.Add(settling)}
	hung, err := hungDuring(ctx, tx, h.Tenancy, e.Due)
	if err != nil {
		return err
	}
	for _, m := range hung {
		if keep := Allowed(m.kind, after...); Allowed(m.kind, before...) != keep {
			e.Parts = append(e.Parts, m.part(keep))
		}
	}
	return s.order(ctx, tx, e, Ended{Purposes: []Purpose{d.Purpose}})
}

// running lists the purposes that the tenancy's household agrees to at an
// instant.
func running(ctx context.Context, tx *sql.Tx, tenancy string, at time.Time) ([]Purpose, error) {
	rows, err := tx.QueryContext(ctx, runningPurposes, tenancy, sqldb.Ms(at))
	if err != nil {
		return nil, err
	}
	return sqldb.Collect(rows, func(rows *sql.Rows) (p Purpose, err error) { return p, rows.Scan(&p) })
}

func whatOf(p Purpose) What {
	if p == FineCurve {
		return Fine
	}
	return Daily
}
