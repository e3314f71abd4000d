package computers

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xnetroseraie/xnet/api/accounts"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb"
	"github.com/xnetroseraie/xnet/internal/civil"
	"github.com/xnetroseraie/xnet/internal/metering"
)

// Bounds of a file of machines.
const (
	MostImportBytes  = 2 << 20
	mostImportLines  = 5000
	mostImportFaults = 100 // shown; more are counted
)

// An ImportFault is what is wrong in a file, by line as a spreadsheet counts and
// by the column's name; both may be missing.
type ImportFault struct {
	Line   int
	Column string
	problem.Field
}

// An ImportReport is what came of a file: all of it is stored, or nothing where
// there are faults.
type ImportReport struct {
	Lines      int // machines read
	Made       int // machines stored, or that would be
	FaultCount int
	Faults     []ImportFault // by line, at most 100
}

// An importer gathers machines and faults.
type importer struct {
	residence metering.SiteID
	columns   []string
	arrivals  []Arrival
	lines     []int // of the arrivals
	report    ImportReport
}

func (i *importer) fault(line int, column, message string, args ...any) {
	i.report.FaultCount++
	if len(i.report.Faults) < mostImportFaults {
		i.report.Faults = append(i.report.Faults, ImportFault{line, column, problem.Field{
			Name: fmt.Sprintf("lines[%d].%s", line, cmp.Or(column, "line")), Message: message, Args: args}})
	}
}

// spellings are how columns may be called, the JSON name first and the French one
// next.
var spellings = [][]string{
	{"serial", "numero_serie", "numéro_série", "n_serie"}, {"kind", "type"}, {"form", "forme"}, {"maker", "marque"}, {"model", "modele", "modèle"},
	{"processor", "processeur"}, {"memory_mb", "memoire_mo", "mémoire_mo"}, {"mac"}, {"donor", "donneur"}, {"lot"},
	{"cost_eur", "prix_eur"}, {"register_no", "registre"}, {"received_on", "recu_le", "reçu_le"}, {"drives", "disques"},
}

// required are the columns without which a machine is none.
var required = []string{"serial", "maker", "model", "donor"}

// words are the values that people write in French.
var words = map[string]string{"occasion": "used", "neuf": "new", "portable": "laptop", "fixe": "desktop"}

// Import takes in the machines of a CSV file, all of them or none, and calls
// progress with how many are stored of how many. Any fault stores nothing; so
// does a dry run. It fails with [ErrNone] where the person has no workshop in the
// residence.
func (s *Store) Import(ctx context.Context, who accounts.PersonID, residence metering.SiteID, file []byte, dryRun bool, now time.Time, progress func(made, of int)) (ImportReport, error) {
	query := reachWorkshop
	if who == bySystem {
		query = `SELECT residence.zone FROM residence WHERE $1 <> '' AND residence.id = $2`
	}
	i := &importer{residence: residence}
	err := sqldb.InTx(ctx, s.db, func(tx *sql.Tx) error {
		r, err := reached(ctx, tx, query, who, string(residence), now)
		if err != nil {
			return err
		}
		i.read(file, r.today)
		if err := i.strangers(ctx, tx); err != nil {
			return err
		}
		if i.report.FaultCount > 0 || dryRun {
			return nil
		}
		for n, a := range i.arrivals {
			if _, err := arrive(ctx, tx, who, a, r, now); err != nil {
				return fmt.Errorf("line %d: %w", i.lines[n], conflict(err))
			}
			progress(n+1, len(i.arrivals))
		}
		return nil
	})
	slices.SortStableFunc(i.report.Faults, func(a, b ImportFault) int { return a.Line - b.Line })
	if i.report.FaultCount == 0 {
		i.report.Made = len(i.arrivals)
	}
	return i.report, done(err, "import machines of", string(residence))
}

// ByCommand is who imports from the command line, which whoever may read the
// configuration may.
const ByCommand = bySystem

// read reads the whole file and holds each line against itself and the others.
func (i *importer) read(file []byte, today civil.Date) {
	text, ok := reportText(file)
	if !ok || len(file) > MostImportBytes {
		i.fault(0, "", "computers.import_unread", MostImportBytes>>20)
		return
	}
	text = strings.TrimPrefix(text, "\ufeff")
	lines := csv.NewReader(strings.NewReader(text))
	lines.FieldsPerRecord = -1
	if head, _, _ := strings.Cut(text, "\n"); strings.Contains(head, ";") {
		lines.Comma = ';'
	}
	seen := map[string]bool{}
	for i.report.Lines <= mostImportLines {
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			i.fault(fault.StartLine, "", "computers.import_quotes")
			return
		}
		line, _ := lines.FieldPos(0)
		switch {
		case strings.TrimSpace(strings.Join(cells, "")) == "":
		case i.columns == nil:
			if !i.header(line, cells) {
				return
			}
		default:
			i.report.Lines++
			i.line(line, cells, today, seen)
		}
	}
	switch {
	case i.report.Lines > mostImportLines:
		i.fault(0, "", "computers.import_long", mostImportLines)
	case i.report.Lines == 0 && i.report.FaultCount == 0:
		i.fault(0, "", "computers.import_empty")
	}
}

func (i *importer) header(line int, cells []string) bool {
	for _, written := range cells {
		name := strings.ToLower(strings.TrimSpace(written))
		at := slices.IndexFunc(spellings, func(s []string) bool { return slices.Contains(s, name) })
		switch {
		case at < 0:
			i.fault(line, written, "computers.import_column_unknown")
		case slices.Contains(i.columns, spellings[at][0]):
			i.fault(line, written, "computers.import_column_twice")
		default:
			i.columns = append(i.columns, spellings[at][0])
			continue
		}
		i.columns = append(i.columns, "")
	}
	for _, name := range required {
		if !slices.Contains(i.columns, name) {
			i.fault(line, name, "computers.import_column_missing")
		}
	}
	return i.report.FaultCount == 0
}

// line makes an arrival of a line by way of what a request of JSON would send, so
// that both are held against the same bounds.
func (i *importer) line(line int, cells []string, today civil.Date, seen map[string]bool) {
	cell := map[string]string{}
	for n, written := range cells {
		if n < len(i.columns) {
			written = resource.Unguarded(strings.TrimSpace(written))
			cell[i.columns[n]] = cmp.Or(words[strings.ToLower(written)], written)
		}
	}
	body, faults := i.body(cell)
	faults = append(faults, body.Check()...)
	a := body.arrival()
	if len(faults) == 0 && today.Before(a.Intake.On) {
		faults = append(faults, problem.Field{Name: "received_on", Message: "computers.future"})
	}
	keys := []string{"serial " + a.Serial}
	if a.Intake.RegisterNo != "" {
		keys = append(keys, "register_no "+a.Intake.RegisterNo)
	}
	for _, d := range a.Drives {
		keys = append(keys, "drives "+d.Serial)
	}
	for _, key := range keys {
		column, _, _ := strings.Cut(key, " ")
		if seen[key] {
			faults = append(faults, problem.Field{Name: column, Message: "computers.import_twice"})
		}
		seen[key] = true
	}
	for _, f := range faults {
		column, _, _ := strings.Cut(f.Name, "[")
		i.fault(line, column, f.Message, f.Args...)
	}
	i.arrivals, i.lines = append(i.arrivals, a), append(i.lines, line)
}

func (i *importer) body(cell map[string]string) (b machineBody, faults []problem.Field) {
	b = machineBody{Residence: i.residence, Serial: cell["serial"], MAC: cell["mac"], Kind: Kind(cmp.Or(cell["kind"], string(Used))),
		Form: Form(cmp.Or(cell["form"], string(Desktop))), Maker: cell["maker"], Model: cell["model"], Processor: cell["processor"],
		Donor: cell["donor"], Lot: cell["lot"], RegisterNo: cell["register_no"]}
	var err error
	if text := cell["memory_mb"]; text != "" {
		if b.MemoryMB, err = strconv.Atoi(text); err != nil {
			faults = append(faults, problem.Field{Name: "memory_mb", Message: "computers.not_number"})
		}
	}
	if text := cell["cost_eur"]; text != "" {
		if b.CostCents, err = cents(text); err != nil {
			faults = append(faults, problem.Field{Name: "cost_eur", Message: "computers.not_money"})
		}
	}
	if text := cell["received_on"]; text != "" {
		var on civil.Date
		if on, err = civil.ParseDate(text); err != nil {
			faults = append(faults, problem.Field{Name: "received_on", Message: "computers.not_date"})
		}
		b.ReceivedOn = &on
	}
	for written := range strings.SplitSeq(cell["drives"], "|") {
		parts := strings.Fields(written)
		if len(parts) == 0 {
			continue
		}
		d := driveBody{Serial: parts[0], Medium: HDD}
		if len(parts) > 1 {
			d.Medium = Medium(strings.ToLower(parts[1]))
		}
		if len(parts) > 2 {
			if d.SizeGB, err = strconv.Atoi(parts[2]); err != nil {
				faults = append(faults, problem.Field{Name: "drives", Message: "computers.not_number"})
			}
		}
		b.Drives = append(b.Drives, d)
	}
	return b, faults
}

// cents reads euros with at most two decimals, after a comma or a point.
func cents(text string) (int64, error) {
	euros, rest, _ := strings.Cut(strings.ReplaceAll(text, ",", "."), ".")
	if len(rest) > 2 {
		return 0, strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(euros+rest+strings.Repeat("0", 2-len(rest)), 10, 40)
	return int64(n), err
}

const (
	knownSerials   = `SELECT machine.serial FROM machine WHERE machine.serial IN `
	knownDrives    = `SELECT machine_drive.serial FROM machine_drive WHERE machine_drive.serial IN `
	knownRegisters = `SELECT machine.register_no FROM machine WHERE machine.residence_id = $1 AND machine.register_no IN `
)

// strangers holds that no line names what is known already.
func (i *importer) strangers(ctx context.Context, tx *sql.Tx) error {
	for n, some := range i.chunks() {
		line := func(k int) int { return i.lines[n*importChunk+k] }
		err := errors.Join(
			i.known(ctx, tx, knownSerials, nil, some, line, "serial", ErrSerialTaken, func(a Arrival) []string { return []string{a.Serial} }),
			i.known(ctx, tx, knownRegisters, []any{string(i.residence)}, some, line, "register_no", ErrRegisterNo, func(a Arrival) []string { return []string{a.Intake.RegisterNo} }),
			i.known(ctx, tx, knownDrives, nil, some, line, "drives", ErrDriveTaken, func(a Arrival) (all []string) {
				for _, d := range a.Drives {
					all = append(all, d.Serial)
				}
				return all
			}))
		if err != nil {
			return err
		}
	}
	return nil
}

// importChunk is how many machines are looked up at once.
const importChunk = 100

func (i *importer) chunks() [][]Arrival { return slices.Collect(slices.Chunk(i.arrivals, importChunk)) }

func (i *importer) known(ctx context.Context, tx *sql.Tx, query string, args []any, some []Arrival, line func(int) int, column string, why *problem.Error, of func(Arrival) []string) error {
	var asked []string
	for _, a := range some {
		asked = append(asked, of(a)...)
	}
	if len(asked) == 0 {
		return nil
	}
	taken, err := several(ctx, tx, text, query+list(len(args)+1, len(asked)), append(args, asAny(asked)...)...)
	if err != nil {
		return err
	}
	for k, a := range some {
		if slices.ContainsFunc(of(a), func(t string) bool { return slices.Contains(taken, t) }) {
			i.fault(line(k), column, why.Message)
		}
	}
	return nil
}
