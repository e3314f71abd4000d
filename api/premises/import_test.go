package premises_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/api/sqldb/sqldbtest"
	"github.com/xnetroseraie/xnet/internal/testkit"
)

// stockRows writes dwellings of R, with their header.
func stockRows(count int) [][]string {
	rows := [][]string{{"résidence", "identifiant", "bâtiment", "escalier", "logement", "étage", "pièces", "surface_m2", "chauffage", "eau_chaude"}}
	for i := range count {
		rows = append(rows, []string{"R", fmt.Sprintf("N-%05d", i), fmt.Sprint("Bât ", i/600), fmt.Sprint(i / 40), fmt.Sprint("Porte ", i),
			fmt.Sprint(i % 9), fmt.Sprint(1 + i%5), fmt.Sprintf("%d,5", 20+i%80), "collectif", "gaz"})
	}
	return rows
}

func csvFile(rows [][]string) []byte {
	var b bytes.Buffer
	for _, row := range rows {
		fmt.Fprintln(&b, strings.Join(row, ";"))
	}
	return b.Bytes()
}

// xlsxFile is written by another program's hand than the one that reads it.
func xlsxFile(t testing.TB, rows [][]string) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for j, text := range row {
			cells[j] = text
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	file, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func stockOf(t testing.TB, s *premises.Store, f premises.Filter) map[premises.DwellingID]premises.Dwelling {
	t.Helper()
	f.Limit = 100_000
	all, err := s.Dwellings(t.Context(), "adm", f)
	if err != nil {
		t.Fatal(err)
	}
	known := map[premises.DwellingID]premises.Dwelling{}
	for _, d := range all {
		known[d.ID] = d
	}
	return known
}

func TestImportOnceEqualsTwice(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		rows := append(stockRows(3), []string{"R", "R-3", "B", "2", "3", "1", "3", "62.5", "", ""}, []string{"R", "R-2", "A", "1", "2 bis", "RDC", "T3", "62,5", "bois", ""})
		dry, err := s.ImportStock(t.Context(), "man-R", csvFile(rows), true, nil)
		if want := (premises.Report{Lines: 5, Made: 3, Changed: 1, Unchanged: 1}); err != nil || !cmp.Equal(want, dry) {
			t.Fatalf("dry run = %+v, %v; want %+v", dry, err, want)
		}
		if all := stockOf(t, s, premises.Filter{Residence: "R"}); len(all) != 3 {
			t.Errorf("a dry run left %v", all)
		}
		if done, err := s.ImportStock(t.Context(), "man-R", csvFile(rows), false, nil); err != nil || !cmp.Equal(dry, done) {
			t.Errorf("import = %+v, %v; the dry run said %+v", done, err, dry)
		}
		once := stockOf(t, s, premises.Filter{Residence: "R"})
		want := premises.Dwelling{ID: "R-2", Residence: "R", Building: "A", Staircase: "1", Label: "2 bis", Rooms: 3, AreaM2: 62.5,
			Heating: premises.Wood, HotWater: premises.WarmthUnknown, Version: 2}
		if diff := cmp.Diff(want, once["R-2"]); diff != "" || len(once) != 6 {
			t.Errorf("%d dwellings; R-2 (-want +got):\n%s", len(once), diff)
		}
		again, err := s.ImportStock(t.Context(), "man-R", xlsxFile(t, rows), false, nil)
		if want := (premises.Report{Lines: 5, Unchanged: 5}); err != nil || !cmp.Equal(want, again) {
			t.Errorf("the same as XLSX = %+v, %v; want %+v", again, err, want)
		}
		if diff := cmp.Diff(once, stockOf(t, s, premises.Filter{Residence: "R"})); diff != "" {
			t.Errorf("the second import changed something:\n%s", diff)
		}
	})
}

// A column that the file does not have changes nothing.
func TestImportKeepsWhatIsNotSaid(t *testing.T) {
	db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "x.db"))
	s := estate(t, db)
	before := stockOf(t, s, premises.Filter{})["R-1"]
	report, err := s.ImportStock(t.Context(), "adm", []byte("residence,id,door,m2\nR,R-1,1,44.25\n"), false, nil)
	if err != nil || report.Changed != 1 {
		t.Fatalf("report = %+v, %v", report, err)
	}
	before.AreaM2, before.Version = 44.25, 2
	if diff := cmp.Diff(before, stockOf(t, s, premises.Filter{})["R-1"]); diff != "" {
		t.Errorf("R-1 (-want +got):\n%s", diff)
	}
}

func TestImportAllOrNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s := estate(t, db)
		before := stockOf(t, s, premises.Filter{})
		for _, tt := range []struct {
			name, who, row, column, message string
		}{
			{"unknown residence", "adm", "X;N-2;9", "residence", "field.stock_residence"},
			{"another's residence", "man-R", "S;N-2;9", "residence", "field.stock_residence"},
			{"an advisor", "adv-R", "R;N-2;9", "residence", "field.stock_residence"},
			{"dwelling of another residence", "man-R", "R;S-1;9", "id", "field.stock_elsewhere"},
			{"door of another dwelling", "man-R", "R;N-2;12", "label", "field.stock_door_taken"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				sqldbtest.Exec(t, db, `UPDATE dwelling SET building = '', staircase = '', label = '12' WHERE id = 'R-3'`)
				defer sqldbtest.Exec(t, db, `UPDATE dwelling SET building = 'B', staircase = '2', label = '3' WHERE id = 'R-3'`)
				report, err := s.ImportStock(t.Context(), "adm", []byte("residence;id;label\nR;N-1;8\n"), true, nil)
				if err != nil || report.Made != 1 {
					t.Fatalf("the first line alone: %+v, %v", report, err)
				}
				report, err = s.ImportStock(t.Context(), accountsID(tt.who), []byte("residence;id;label\nR;N-1;8\n"+tt.row+"\n"), false, nil)
				if err != nil || report.Made != 0 || report.FaultCount == 0 {
					t.Fatalf("report = %+v, %v", report, err)
				}
				last := report.Faults[len(report.Faults)-1]
				if last.Row != 3 || last.Column != tt.column || last.Message != tt.message {
					t.Errorf("fault = %+v", last)
				}
				if tt.who == "man-R" && strings.Contains(fmt.Sprint(report), "Flamboyants") {
					t.Error("the report names another residence")
				}
			})
		}
		if diff := cmp.Diff(before, stockOf(t, s, premises.Filter{})); diff != "" {
			t.Errorf("refused imports left something:\n%s", diff)
		}
	})
}

// The budgets of an import: 600 dwellings in 2 s, 60,000 in 60 s.
func TestImportIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes its time")
	}
	files := map[string]func([][]string) []byte{"csv": csvFile, "xlsx": func(rows [][]string) []byte { return xlsxFile(t, rows) }}
	for kind, file := range files {
		for count, budget := range map[int]time.Duration{600: 2 * time.Second, 60_000: time.Minute} {
			t.Run(fmt.Sprint(kind, " ", count), func(t *testing.T) {
				db := sqldbtest.Open(t, filepath.Join(t.TempDir(), "x.db"))
				timeImport(t, estate(t, db), file(stockRows(count)), count, budget)
			})
		}
	}
}

func timeImport(t *testing.T, s *premises.Store, file []byte, count int, budget time.Duration) {
	t.Helper()
	told, begun := 0, time.Now()
	report, err := s.ImportStock(t.Context(), "man-R", file, false, func(premises.Step) { told++ })
	first := time.Since(begun)
	if err != nil || report.Made != count {
		t.Fatalf("report = %+v, %v", report, err)
	}
	t.Logf("%d dwellings, %d kB: %s, told %d times", count, len(file)>>10, first.Round(time.Millisecond), told)
	if first > budget || told < count/500 {
		t.Errorf("%d dwellings took %s, told %d times; the budget is %s", count, first, told, budget)
	}
}

func TestImporter(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sql.DB) {
		s, now := estate(t, db), noon(t, "2026-03-18")
		i := premises.NewImporter(s, testkit.Logger(t), func() time.Time { return now })
		await := func(id string, want premises.StockState) premises.StockImport {
			t.Helper()
			i.Wait()
			one, err := i.ByID(t.Context(), "man-R", id)
			if err != nil || one.State != want {
				t.Fatalf("import = %+v, %v; want it %s", one, err, want)
			}
			return one
		}
		start := func(file []byte, dry bool) string {
			t.Helper()
			id, err := i.Start(t.Context(), "man-R", file, dry)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		id := start(csvFile(stockRows(700)), true)
		if one := await(id, premises.StockReady); one.Made != 700 || len(stockOf(t, s, premises.Filter{Residence: "R"})) != 3 {
			t.Errorf("dry run = %+v", one)
		}
		_, err := i.ByID(t.Context(), "adm", id)
		refused(t, err, problem.NotFound, "stock.none") // another's import
		refused(t, i.Confirm(t.Context(), "adm", id), problem.NotFound, "stock.none")
		if err := i.Confirm(t.Context(), "man-R", id); err != nil {
			t.Fatal(err)
		}
		if one := await(id, premises.StockDone); one.Made != 700 || len(stockOf(t, s, premises.Filter{Residence: "R"})) != 703 {
			t.Errorf("confirmed = %+v", one)
		}
		refused(t, i.Confirm(t.Context(), "man-R", id), problem.Conflict, "stock.not_ready")
		if one := await(start(csvFile(stockRows(700)), false), premises.StockDone); one.Unchanged != 700 {
			t.Errorf("again = %+v", one)
		}
		one := await(start([]byte("nonsense"), false), premises.StockFaulty)
		if one.FaultCount != 4 || len(one.Faults) != 4 {
			t.Errorf("faults = %+v", one)
		}
		var files int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(file) FROM stock_import`).Scan(&files); err != nil || files != 0 {
			t.Errorf("%d files are kept of imports that are over, %v", files, err)
		}
		// One whose program ended is over, and one of yesterday is forgotten.
		sqldbtest.Exec(t, db, `UPDATE stock_import SET state = 'importing' WHERE id = $1`, id)
		now = now.Add(time.Hour)
		await(id, premises.StockFailed)
		now = now.Add(25 * time.Hour)
		start([]byte("nonsense"), true)
		i.Wait()
		_, err = i.ByID(t.Context(), "man-R", id)
		refused(t, err, problem.NotFound, "stock.none")
	})
}

// Imports into PostgreSQL, and of what is there already.
func BenchmarkImport60000(b *testing.B) {
	file := csvFile(stockRows(60_000))
	for _, dsn := range []string{filepath.Join(b.TempDir(), "x.db"), testkit.Postgres(b)} {
		kind, _, _ := strings.Cut(dsn, ":")
		s := estate(b, sqldbtest.Open(b, dsn))
		for _, what := range []string{"new", "again"} {
			b.Run(filepath.Base(kind)+" "+what, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.ImportStock(b.Context(), "man-R", file, false, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDwelling(b *testing.B) {
	db := sqldbtest.Open(b, filepath.Join(b.TempDir(), "x.db"))
	s := estate(b, db)
	if _, err := s.ImportStock(b.Context(), "", csvFile(stockRows(60_000)), false, nil); err != nil {
		b.Fatal(err)
	}
	b.Run("by id", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Dwelling(b.Context(), "man-R", "N-31415"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Dwellings(b.Context(), "man-R", premises.Filter{Page: resource.Page{Limit: 100, After: "N-31415"}}); err != nil || len(all) != 101 {
				b.Fatal(len(all), err)
			}
		}
	})
	b.Run("search that finds nothing", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.Dwellings(b.Context(), "man-R", premises.Filter{Search: "introuvable", Page: resource.Page{Limit: 100}}); err != nil || len(all) != 0 {
				b.Fatal(len(all), err)
			}
		}
	})
}
