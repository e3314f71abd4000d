// Package stock reads files of dwellings, CSV or XLSX, as landlords' programs
// and spreadsheets write them. It names every fault by row and column with its
// remedy, and trusts nothing of what it reads.
package stock

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a file.
const (
	MostRows    = 100_000  // dwellings
	MostBytes   = 16 << 20 // of the file as it is sent
	mostColumns = 50
	longestCell = 1000 // characters
	mostFaults  = 1000 // that are told; the others are counted
)

// A Row is a dwelling as the file says it. A field whose column is not in the
// file has its zero value; see [Table.Has].
type Row struct {
	Line      int // of the file or sheet, from 1
	Residence string
	ID        string
	Building  string
	Staircase string
	Label     string
	Floor     int
	Rooms     int     // 0 where not known
	AreaM2    float64 // 0 where not known
	Heating   string  // one of the words of the JSON field
	HotWater  string
}

// A Fault is what is wrong with a cell, a row or the file.
type Fault struct {
	Row     int      `json:"row,omitempty"`    // from 1; 0 for the file as a whole
	Column  string   `json:"column,omitempty"` // as the file names it; empty for the row as a whole
	Message string   `json:"code"`             // key of the catalogue
	Args    []string `json:"args,omitempty"`
}

// A Table is what a file says, or what is wrong with it: where there is a fault,
// nothing of it counts.
type Table struct {
	Rows       []Row
	Faults     []Fault // the first of them
	FaultCount int     // all of them
	columns    map[column]string
}

// Has reports whether the file has a column of that JSON name, as in "area_m2".
func (t *Table) Has(name string) bool { _, ok := t.columns[column(name)]; return ok }

// Named is the name that the file has for the column of that JSON name, or the
// JSON name itself.
func (t *Table) Named(name string) string {
	if written, ok := t.columns[column(name)]; ok {
		return written
	}
	return name
}

// Fault adds a fault that the caller found.
func (t *Table) Fault(row int, col, message string, args ...string) {
	t.FaultCount++
	if len(t.Faults) < mostFaults {
		t.Faults = append(t.Faults, Fault{row, col, message, args})
	}
}

// Read reads a file. Progress, which may be nil, is told now and then how many
// rows were read.
func Read(file []byte, progress func(rows int)) Table {
	r := reader{table: Table{columns: map[column]string{}}, progress: progress,
		ids: map[string]int{}, doors: map[door]int{}}
	switch {
	case len(file) > MostBytes:
		r.table.Fault(0, "", "field.stock_too_large", strconv.Itoa(MostBytes>>20))
	case len(bytes.TrimSpace(file)) == 0:
		r.table.Fault(0, "", "field.stock_empty")
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		r.xlsx(file)
	case bytes.HasPrefix(file, []byte("\xd0\xcf\x11\xe0")):
		r.table.Fault(0, "", "field.stock_old_excel")
	default:
		r.csv(file)
	}
	if r.table.FaultCount == 0 && len(r.table.Rows) == 0 {
		r.table.Fault(0, "", "field.stock_empty")
	}
	return r.table
}

// A reader gathers the table.
type reader struct {
	table    Table
	header   []column // by place; empty for a column without a name
	started  bool
	progress func(int)
	ids      map[string]int // line of each id
	doors    map[door]int   // line of each door
	stopped  bool           // more would only repeat what is wrong
}

type door struct{ residence, building, staircase, label string }

// tellEvery is how many rows are read between two tells of progress.
const tellEvery = 500

// line takes one line of cells; a formula is marked as such by its cell.
func (r *reader) line(number int, cells []cell) {
	for len(cells) > 0 && cells[len(cells)-1] == (cell{}) {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) == 0:
	case !r.started:
		r.started = true
		r.readHeader(number, cells)
	case len(r.table.Rows) >= MostRows:
		r.table.Fault(number, "", "field.stock_too_many_rows", strconv.Itoa(MostRows))
		r.stopped = true
	default:
		r.readRow(number, cells)
		if n := len(r.table.Rows); r.progress != nil && n%tellEvery == 0 {
			r.progress(n)
		}
	}
}

// A cell is what stands in one place of the file.
type cell struct {
	text    string
	formula bool
}

// firmSpaces are written as plain ones.
var firmSpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

// plain trims what a spreadsheet leaves around words.
func plain(text string) string { return strings.TrimSpace(firmSpaces.Replace(text)) }

// sound reports whether a cell's text may be read at all, and says what is wrong
// with it else.
func (r *reader) sound(number int, col string, c cell) bool {
	switch {
	case c.formula || strings.HasPrefix(plain(c.text), "="):
		r.table.Fault(number, col, "field.stock_formula")
	case utf8.RuneCountInString(c.text) > longestCell:
		r.table.Fault(number, col, "field.stock_long_cell", strconv.Itoa(longestCell))
	case strings.ContainsFunc(plain(c.text), func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }):
		r.table.Fault(number, col, "field.stock_characters")
	default:
		return true
	}
	return false
}
