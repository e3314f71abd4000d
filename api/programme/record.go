package programme

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Record is what everything that is written down about a residence has.
type Record struct {
	ID        string          `json:"id"` // UUID of version 7; given by [Create]
	Residence metering.SiteID `json:"residence"`
	Version   int64           `json:"version"` // from 1 on; grows with each change
}

func (r *Record) record() *Record { return r }

// A column is one of a record's, as it is written and where it is read to.
type column struct {
	name  string
	write any
	read  any
}

// A Noun is a kind of record, one table each: a [Partner], [Convention],
// [Campaign], [Survey], [InternetOffer], [Entry], [Declared], [StaffTime] or
// [InsertionHours].
type Noun[T any] interface {
	*T
	// Check returns a fault for each field that is out of bounds, and brings texts
	// into their normal form.
	Check() []problem.Field
	record() *Record
	table() string
	columns() []column
}

// A parent has rows in other tables, which are written and read with it.
type parent interface {
	writeRest(ctx context.Context, tx *sql.Tx) error
	readRest(ctx context.Context, q sqldb.Querier) error
}

func names(all []column) string {
	text := make([]string, len(all))
	for i, c := range all {
		text[i] = c.name
	}
	return strings.Join(text, ", ")
}

func scanRecord[T any, P Noun[T]](rows *sql.Rows) (T, error) {
	var read T
	r := P(&read).record()
	into := []any{&r.ID, &r.Residence, &r.Version}
	for _, c := range P(&read).columns() {
		into = append(into, c.read)
	}
	return read, rows.Scan(into...)
}

func selectOf[T any, P Noun[T]]() string {
	var t T
	return "SELECT id, residence_id, version, " + names(P(&t).columns()) + " FROM " + P(&t).table()
}

// A Filter is which records are asked for: of one residence, or of all that staff
// may read where it is empty.
type Filter struct {
	Residence metering.SiteID
	resource.Page
}

// List returns records that an advisor, manager or administrator may read, in the
// order in which they were written down, one more than the page holds where the
// list goes on.
func List[T any, P Noun[T]](ctx context.Context, s *Store, staff accounts.PersonID, f Filter) ([]T, error) {
	var t T
	table := P(&t).table()
	query := selectOf[T, P]() + ` WHERE ($2 = '' OR residence_id = $2) AND ($3 = '' OR id > $3) AND ` +
		has(readerRoles, table+".residence_id") + ` ORDER BY id LIMIT $4`
	all, err := several(ctx, s.db, scanRecord[T, P], query, string(staff), string(f.Residence), f.After, f.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list of table %s: %w", table, err)
	}
	return all, rest[T, P](ctx, s.db, all)
}

func rest[T any, P Noun[T]](ctx context.Context, q sqldb.Querier, all []T) error {
	for i := range all {
		if p, ok := any(P(&all[i])).(parent); ok {
			if err := p.readRest(ctx, q); err != nil {
				return fmt.Errorf("rest of %s: %w", P(&all[i]).record().ID, err)
			}
		}
	}
	return nil
}

// ByID returns one record that an advisor, manager or administrator may read, or
// [ErrNone].
func ByID[T any, P Noun[T]](ctx context.Context, s *Store, staff accounts.PersonID, id string) (T, error) {
	return byID[T, P](ctx, s.db, readerRoles, staff, id)
}

func byID[T any, P Noun[T]](ctx context.Context, q sqldb.Querier, roles string, staff accounts.PersonID, id string) (T, error) {
	var t T
	table := P(&t).table()
	all, err := several(ctx, q, scanRecord[T, P], selectOf[T, P]()+` WHERE id = $2 AND `+has(roles, table+".residence_id"), string(staff), id)
	if err != nil {
		return t, fmt.Errorf("find %s of table %s: %w", id, table, err)
	}
	if len(all) == 0 {
		return t, ErrNone
	}
	return all[0], rest[T, P](ctx, q, all)
}

// Create checks a record and writes it down for an advisor or administrator of its
// residence, and returns it with its id and version. It fails with faults of
// fields, also where it names a partner that the residence does not have, with
// [ErrNoResidence], and with [ErrTaken] where the same stands already.
func Create[T any, P Noun[T]](ctx context.Context, s *Store, staff accounts.PersonID, t T) (T, error) {
	r := P(&t).record()
	r.ID, r.Version = newID(), 1
	if err := problem.OfFields(P(&t).Check()); err != nil {
		return t, err
	}
	all := P(&t).columns()
	values := []any{string(staff), r.ID, string(r.Residence)}
	var marks strings.Builder
	for i, c := range all {
		values = append(values, c.write)
		marks.WriteString(", $" + strconv.Itoa(i+4))
	}
	query := "INSERT INTO " + P(&t).table() + " (id, residence_id, " + names(all) + ") SELECT $2, $3" + marks.String() +
		" WHERE " + has(writerRoles, "$3")
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, query, values...)); err != nil {
			return orElse(err, ErrNone, ErrNoResidence)
		}
		return writeRest(ctx, tx, any(P(&t)))
	})
	return t, told(err, "write to table "+P(&t).table())
}

func writeRest(ctx context.Context, tx *sql.Tx, of any) error {
	if p, ok := of.(parent); ok {
		return p.writeRest(ctx, tx)
	}
	return nil
}

// changed is [ErrNone] where a statement changed nothing.
func changed(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNone
}

// orElse is another error where err is the one.
func orElse(err, one, other error) error {
	if errors.Is(err, one) {
		return other
	}
	return err
}

// Replace checks a record and puts it in the place of the one with its id, for an
// advisor or administrator; the residence stays what it was. It fails with faults
// of fields, [ErrNone], [resource.ErrStale] where the version is another, and
// [ErrTaken].
func Replace[T any, P Noun[T]](ctx context.Context, s *Store, staff accounts.PersonID, t T) (T, error) {
	r := P(&t).record()
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		before, err := byID[T, P](ctx, tx, writerRoles, staff, r.ID)
		if err != nil {
			return err
		}
		r.Residence = P(&before).record().Residence
		if err := problem.OfFields(P(&t).Check()); err != nil {
			return err
		}
		values := []any{string(staff), r.ID, r.Version}
		var sets strings.Builder
		for i, c := range P(&t).columns() {
			values = append(values, c.write)
			sets.WriteString(", " + c.name + " = $" + strconv.Itoa(i+4))
		}
		query := "UPDATE " + P(&t).table() + " SET version = version + 1" + sets.String() + " WHERE id = $2 AND version = $3 AND " +
			has(writerRoles, P(&t).table()+".residence_id")
		if err := changed(tx.ExecContext(ctx, query, values...)); err != nil {
			return orElse(err, ErrNone, resource.ErrStale)
		}
		r.Version++
		return writeRest(ctx, tx, any(P(&t)))
	})
	return t, told(err, "replace "+r.ID+" of table "+P(&t).table())
}

// Remove takes away a record that was written down by mistake, for an advisor or
// administrator. It fails with [ErrNone], [resource.ErrStale] and [ErrInUse].
func Remove[T any, P Noun[T]](ctx context.Context, s *Store, staff accounts.PersonID, id string, version int64) error {
	var t T
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := byID[T, P](ctx, tx, writerRoles, staff, id); err != nil {
			return err
		}
		query := "DELETE FROM " + P(&t).table() + " WHERE id = $2 AND version = $3 AND " + has(writerRoles, P(&t).table()+".residence_id")
		return orElse(changed(tx.ExecContext(ctx, query, string(staff), id, version)), ErrNone, resource.ErrStale)
	})
	return told(orElse(err, ErrTaken, ErrInUse), "remove "+id+" of table "+P(&t).table())
}

// told names what was done, and tells what the schema refused. SQLite says what
// was broken in words only, so the words of both databases are looked at.
func told(err error, doing string) error {
	if err == nil {
		return nil
	}
	said := strings.ToLower(err.Error())
	switch {
	case strings.Contains(said, "unique"):
		return fmt.Errorf("%s: %w: %w", doing, ErrTaken, err)
	case strings.Contains(said, "foreign key") && strings.HasPrefix(doing, "remove"):
		return fmt.Errorf("%s: %w: %w", doing, ErrInUse, err)
	case strings.Contains(said, "foreign key"):
		return fmt.Errorf("%s: %w", doing, noPartner()) // the only thing that a record names
	}
	return fmt.Errorf("%s: %w", doing, err)
}
