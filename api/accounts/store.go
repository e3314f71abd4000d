package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
)

// A Store keeps persons, their ways in, sessions, roles and tokens. It may be
// used from several goroutines.
type Store struct {
	db       *sql.DB
	cost     Cost
	decoy    string        // hash that is tried where there is none, at the same cost
	slots    chan struct{} // bounds the memory that guesses take at once
	guessed  *time.Timer   // gives the memory of guesses back, once nobody guesses
	touching sync.Map      // sessions and tokens whose last use is being written
	pens     chan struct{} // bounds how many last uses are written at once
}

// NewStore returns a store on a migrated database; hashes are made at cost.
func NewStore(db *sql.DB, cost Cost) (*Store, error) {
	decoy, err := cost.decoy()
	if err != nil {
		return nil, err
	}
	guessed := time.AfterFunc(time.Hour, debug.FreeOSMemory)
	guessed.Stop()
	return &Store{db: db, cost: cost, decoy: decoy, slots: make(chan struct{}, max(2, runtime.NumCPU())), guessed: guessed,
		pens: make(chan struct{}, mostTouching)}, nil
}

const findPerson = `
SELECT id, name, language, version
  FROM person
 WHERE id = $1`

// ByID returns a person, whoever asks: what the sender may see of whom is the
// affair of the caller's query. It fails with [ErrNoPerson].
func (s *Store) ByID(ctx context.Context, person PersonID) (Person, error) {
	var p Person
	err := s.db.QueryRowContext(ctx, findPerson, string(person)).Scan(&p.ID, &p.Name, &p.Language, &p.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, ErrNoPerson
	}
	if err != nil {
		return Person{}, fmt.Errorf("person %s: %w", person, err)
	}
	return p, nil
}

const putPerson = `
INSERT INTO person (id, name, language)
VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE
   SET name = excluded.name,
       language = excluded.language,
       version = person.version + 1
 WHERE person.name <> excluded.name
    OR person.language <> excluded.language`

// Put makes or updates persons within the transaction of a load. Their versions
// are not looked at; they grow where something changes.
func Put(ctx context.Context, tx *sql.Tx, persons []Person) error {
	for _, p := range persons {
		if _, err := tx.ExecContext(ctx, putPerson, string(p.ID), p.Name, p.Language); err != nil {
			return fmt.Errorf("person %s: %w", p.ID, err)
		}
	}
	return nil
}

const updatePerson = `
UPDATE person
   SET name = $3,
       language = $4,
       version = version + 1
 WHERE id = $1
   AND version = $2`

// Update changes a person's name and language within the caller's transaction,
// where its version is still p.Version; else it fails with [resource.ErrStale].
// The caller has found the person by a query of its own, which clips.
func Update(ctx context.Context, tx *sql.Tx, p Person) error {
	done, err := tx.ExecContext(ctx, updatePerson, string(p.ID), p.Version, p.Name, p.Language)
	if err != nil {
		return fmt.Errorf("person %s: %w", p.ID, err)
	}
	return one(done, resource.ErrStale)
}

// one fails with missing unless exactly one row was changed.
func one(done sql.Result, missing error) error {
	n, err := done.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return missing
	}
	return nil
}

// inTx runs do in a transaction and says what was being done where it fails.
func (s *Store) inTx(ctx context.Context, doing string, do func(*sql.Tx) error) error {
	if err := sqldb.InTx(ctx, s.db, do); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
