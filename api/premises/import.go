package premises

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// A Report is what an import of dwellings did, or would do.
type Report struct {
	Lines      int // dwellings in the file
	Made       int
	Changed    int
	Unchanged  int
	FaultCount int           // where it is not 0, nothing was changed
	Faults     []stock.Fault // the first of them
}

// A Step is how far an import is.
type Step struct {
	Reading bool // else writing
	Done    int  // dwellings
	Total   int  // 0 where not known yet
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("dry run")

// ImportStock makes the dwellings what the file says: all of it or nothing. A
// dwelling that the file does not name stays as it is; a column that the file
// does not have changes nothing. Importing a file again changes nothing. What is
// wrong with the file is in the report, not an error. Staff change only the
// residences of their roles as managers or administrators; an empty staff is
// whoever runs the program. Tell, which may be nil, is told of progress.
func (s *Store) ImportStock(ctx context.Context, staff accounts.PersonID, file []byte, dry bool, tell func(Step)) (Report, error) {
	if tell == nil {
		tell = func(Step) {}
	}
	table := stock.Read(file, func(rows int) { tell(Step{Reading: true, Done: rows}) })
	report := Report{Lines: len(table.Rows)}
	if len(table.Rows) > 0 {
		tell(Step{Reading: true, Done: report.Lines, Total: report.Lines})
		err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
			var err error
			report, err = importTable(ctx, tx, staff, &table, dry, tell)
			if err == nil && dry {
				err = errDry
			}
			return err
		})
		if err != nil && !errors.Is(err, errDry) {
			return Report{}, fmt.Errorf("import %d dwellings: %w", len(table.Rows), err)
		}
	}
	slices.SortStableFunc(table.Faults, func(a, b stock.Fault) int { return a.Row - b.Row })
	report.FaultCount, report.Faults = table.FaultCount, table.Faults
	return report, nil
}

func importTable(ctx context.Context, tx *sql.Tx, staff accounts.PersonID, table *stock.Table, dry bool, tell func(Step)) (Report, error) {
	report := Report{Lines: len(table.Rows)}
	p, err := planOf(ctx, tx, staff, table)
	if err != nil || table.FaultCount > 0 {
		return report, err
	}
	report.Made, report.Changed = p.made, len(p.write)-p.made
	report.Unchanged = report.Lines - len(p.write)
	if dry {
		return report, nil
	}
	return report, writeAll(ctx, tx, p.write, tell)
}

// A plan is what an import has to write.
type plan struct {
	table   *stock.Table
	allowed map[string]bool // residences that may be changed
	known   map[DwellingID]Dwelling
	doors   map[doorKey]DwellingID // as they are once all is written
	write   []Dwelling
	made    int
}

type doorKey struct{ residence, building, staircase, label string }

func keyOf(d Dwelling) doorKey {
	return doorKey{string(d.Residence), d.Building, d.Staircase, d.Label}
}

func planOf(ctx context.Context, tx *sql.Tx, staff accounts.PersonID, table *stock.Table) (*plan, error) {
	p := &plan{table: table, known: map[DwellingID]Dwelling{}, doors: map[doorKey]DwellingID{}}
	if err := p.load(ctx, tx, staff); err != nil {
		return nil, err
	}
	wanted := make([]Dwelling, 0, len(table.Rows))
	for _, row := range table.Rows {
		d := p.wanted(row)
		if before, known := p.known[d.ID]; known && p.doors[keyOf(before)] == d.ID {
			delete(p.doors, keyOf(before)) // its door may change
		}
		wanted = append(wanted, d)
	}
	for i, row := range table.Rows {
		if row.Residence != "" && row.ID != "" && row.Label != "" { // else a fault was found while reading
			p.row(row, wanted[i])
		}
	}
	return p, nil
}

const importableResidences = `
SELECT residence.id
  FROM residence
 WHERE $1 = ''
    OR EXISTS (SELECT 1
                 FROM staff_role
                WHERE staff_role.person_id = $1
                  AND staff_role.role IN ('manager', 'administrator')
                  AND (staff_role.residence_id IS NULL OR staff_role.residence_id = residence.id))`

const everyDwelling = `
SELECT ` + dwellingColumns + `
  FROM dwelling`

func (p *plan) load(ctx context.Context, tx *sql.Tx, staff accounts.PersonID) error {
	rows, err := tx.QueryContext(ctx, importableResidences, string(staff))
	if err != nil {
		return err
	}
	allowed, err := sqldb.Collect(rows, func(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) })
	if err != nil {
		return err
	}
	p.allowed = make(map[string]bool, len(allowed))
	for _, id := range allowed {
		p.allowed[id] = true
	}
	if rows, err = tx.QueryContext(ctx, everyDwelling); err != nil {
		return err
	}
	known, err := sqldb.Collect(rows, func(rows *sql.Rows) (Dwelling, error) { return scanDwelling(rows.Scan) })
	for _, d := range known {
		p.known[d.ID], p.doors[keyOf(d)] = d, d.ID
	}
	return err
}

// wanted is the dwelling as the row wants it: what the file does not say stays.
func (p *plan) wanted(row stock.Row) Dwelling {
	d := p.known[DwellingID(row.ID)]
	d.ID, d.Residence, d.Label = DwellingID(row.ID), metering.SiteID(row.Residence), row.Label
	d.Heating, d.HotWater = orUnknown(d.Heating), orUnknown(d.HotWater)
	for _, c := range []struct {
		name string
		set  func()
	}{
		{"building", func() { d.Building = row.Building }},
		{"staircase", func() { d.Staircase = row.Staircase }},
		{"floor", func() { d.Floor = row.Floor }},
		{"rooms", func() { d.Rooms = row.Rooms }},
		{"area_m2", func() { d.AreaM2 = row.AreaM2 }},
		{"heating", func() { d.Heating = Warmth(row.Heating) }},
		{"hot_water", func() { d.HotWater = Warmth(row.HotWater) }},
	} {
		if p.table.Has(c.name) {
			c.set()
		}
	}
	return d
}

// row holds a row against what is stored, and plans what it changes.
func (p *plan) row(row stock.Row, d Dwelling) {
	before, known := p.known[d.ID]
	taken, there := p.doors[keyOf(d)]
	switch {
	case !p.allowed[row.Residence]:
		p.table.Fault(row.Line, p.table.Named("residence"), "field.stock_residence", row.Residence)
	case known && before.Residence != d.Residence:
		p.table.Fault(row.Line, p.table.Named("id"), "field.stock_elsewhere")
	case there && taken != d.ID:
		p.table.Fault(row.Line, p.table.Named("label"), "field.stock_door_taken", string(taken))
	case !known:
		p.made++
		p.write = append(p.write, d)
	case before != d:
		p.write = append(p.write, d)
	}
	if !there {
		p.doors[keyOf(d)] = d.ID
	}
}

// rowsAtOnce is how many dwellings one statement writes. SQLite looks each
// parameter up by its name, so that more would be slower.
const rowsAtOnce = 20

const dwellingFields = 10

func writeAll(ctx context.Context, tx *sql.Tx, all []Dwelling, tell func(Step)) error {
	whole := len(all) - len(all)%rowsAtOnce
	for _, part := range []struct {
		all    []Dwelling
		before int
		rows   int
	}{{all[:whole], 0, rowsAtOnce}, {all[whole:], whole, len(all) - whole}} {
		if len(part.all) == 0 {
			continue
		}
		write, err := tx.PrepareContext(ctx, writeStatement(part.rows))
		if err != nil {
			return err
		}
		for done := 0; done < len(part.all); done += part.rows {
			if err := writeSome(ctx, write, part.all[done:done+part.rows]); err != nil {
				return errors.Join(err, write.Close())
			}
			tell(Step{Done: part.before + done + part.rows, Total: len(all)})
		}
		if err := write.Close(); err != nil {
			return err
		}
	}
	return nil
}

func writeSome(ctx context.Context, write *sql.Stmt, some []Dwelling) error {
	args := make([]any, 0, len(some)*dwellingFields)
	for _, d := range some {
		args = append(args, string(d.ID), string(d.Residence), d.Building, d.Staircase, d.Label, d.Floor, d.Rooms, d.AreaM2,
			string(d.Heating), string(d.HotWater))
	}
	done, err := write.ExecContext(ctx, args...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != int64(len(some)) {
		return errors.Join(ErrElsewhere, err) // taken by somebody else in the meantime
	}
	return nil
}

// writeStatement is that of a load, for so many rows.
func writeStatement(rows int) string {
	head, tail, _ := strings.Cut(putDwelling, "VALUES (")
	_, tail, _ = strings.Cut(tail, ")")
	var b strings.Builder
	b.WriteString(head + "VALUES ")
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		for field := range dwellingFields {
			b.WriteString(map[bool]string{true: "(", false: ", "}[field == 0])
			b.WriteString("$" + strconv.Itoa(row*dwellingFields+field+1))
		}
		b.WriteString(")")
	}
	return b.String() + tail
}
