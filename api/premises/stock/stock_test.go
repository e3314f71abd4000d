package stock_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"

	"github.com/xnetroseraie/xnet/api/premises/stock"
	"github.com/xnetroseraie/xnet/api/resource"
)

const header = "résidence;identifiant;bâtiment;escalier;logement;étage;pièces;surface_m2;chauffage;eau_chaude\n"

func read(t testing.TB, file string) stock.Table { t.Helper(); return stock.Read([]byte(file), nil) }

func TestRead(t *testing.T) {
	want := stock.Row{Line: 2, Residence: "R", ID: "A-12", Building: "Bât A", Staircase: "1", Label: "12", Floor: 3, Rooms: 4,
		AreaM2: 62.5, Heating: "collective", HotWater: "heat_pump"}
	latin := func(text string) string { // Windows-1252
		return strings.NewReplacer("é", "\xe9", "è", "\xe8", "â", "\xe2", "œ", "\x9c", "à", "\xe0").Replace(text)
	}
	row := "R;A-12;Bât A;1;12;3;4;62,5;collectif;pompe à chaleur\n"
	for _, tt := range []struct{ name, file string }{
		{"semicolons", header + row},
		{"byte order mark", "\ufeff" + header + row},
		{"Windows-1252", latin(header + row)},
		{"Windows lines", strings.ReplaceAll(header+row, "\n", "\r\n")},
		{"tabs", strings.ReplaceAll(header+row, ";", "\t")},
		{"commas and a point", strings.NewReplacer(";", ",", "62,5", "62.5").Replace(header + row)},
		{"commas and a quoted comma", strings.ReplaceAll(strings.ReplaceAll(header+row, "62,5", `"62#5"`), ";", ",")},
		{"English, in another order", "hot_water,id,residence,building,staircase,label,floor,rooms,area_m2,heating\nheat pump,A-12,R,Bât A,1,12,3,4,62.50,collective\n"},
		{"other words", "SITE;Réf;Immeuble;Entrée;Porte;Niveau;Nb pièces;Surface (m²);Mode de chauffage;ECS\nR;A-12;Bât A;1;12;3,0;T4;62,5;Collectif;PAC\n"},
		{"spaces", strings.ReplaceAll(header+row, ";", " ; ")},
		{"empty lines and columns", header + ";;;;;;;;;\n"[:0] + row + ";;;;;;;;;;;;;\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, strings.ReplaceAll(tt.file, "#", ","))
			if diff := cmp.Diff([]stock.Row{want}, got.Rows); diff != "" || got.FaultCount != 0 {
				t.Errorf("rows (-want +got):\n%s\nfaults %v", diff, got.Faults)
			}
		})
	}
}

func TestTemplatesAreRead(t *testing.T) {
	for name, made := range map[string]func() ([]byte, error){"csv": stock.TemplateCSV, "xlsx": stock.TemplateXLSX} {
		t.Run(name, func(t *testing.T) {
			file, err := made()
			if err != nil {
				t.Fatal(err)
			}
			got := stock.Read(file, nil)
			want := []stock.Row{{Line: 2, Residence: "roseraie", ID: "A-12", Building: "A", Staircase: "1", Label: "12", Floor: 3, Rooms: 4,
				AreaM2: 62.5, Heating: "collective", HotWater: "collective"}}
			if diff := cmp.Diff(want, got.Rows); diff != "" || got.FaultCount != 0 {
				t.Errorf("rows (-want +got):\n%s\nfaults %v", diff, got.Faults)
			}
			for _, col := range []string{"residence", "area_m2", "hot_water"} {
				if !got.Has(col) {
					t.Errorf("the template has no column %s", col)
				}
			}
		})
	}
	file, err := stock.TemplateXLSX()
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(file)) // another program opens it as well
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got, err := book.GetCellValue("Logements", "H2"); err != nil || got != "62,5" {
		t.Errorf("H2 = %q, %v", got, err)
	}
}

// Each fault is told by row and column, and all of them at once.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []stock.Fault
	}{
		{"nothing", "", []stock.Fault{{Message: "field.stock_empty"}}},
		{"blank", "\n \r\n", []stock.Fault{{Message: "field.stock_empty"}}},
		{"header only", header, []stock.Fault{{Message: "field.stock_empty"}}},
		{"UTF-16", "\xff\xfer\x00", []stock.Fault{{Message: "field.stock_encoding"}}},
		{"old Excel", "\xd0\xcf\x11\xe0\xa1\xb1", []stock.Fault{{Message: "field.stock_old_excel"}}},
		{"no ZIP", "PK\x03\x04 broken", []stock.Fault{{Message: "field.stock_broken"}}},
		{"wrong header", "name;residence;residence\nx;y;z\n", []stock.Fault{
			{Row: 1, Column: "name", Message: "field.stock_column_unknown"}, {Row: 1, Column: "residence", Message: "field.stock_column_twice"},
			{Row: 1, Column: "id", Message: "field.stock_column_missing"}, {Row: 1, Column: "label", Message: "field.stock_column_missing"}}},
		{"quotes", header + "R;A\"1;x\n", []stock.Fault{{Row: 2, Message: "field.stock_quotes"}}},
		{"open quotes", header + "R;\"A1;x\n", []stock.Fault{{Row: 2, Message: "field.stock_quotes"}}},
		{"every column", header + "R é;A 1;;;;1,5;-1;2001;vapeur;\n", []stock.Fault{
			{Row: 2, Column: "résidence", Message: "field.stock_id"}, {Row: 2, Column: "identifiant", Message: "field.stock_id"},
			{Row: 2, Column: "étage", Message: "field.stock_whole"}, {Row: 2, Column: "pièces", Message: "field.stock_whole"},
			{Row: 2, Column: "surface_m2", Message: "field.stock_area"}, {Row: 2, Column: "chauffage", Message: "field.stock_warmth"},
			{Row: 2, Column: "logement", Message: "field.stock_missing"}}},
		{"numbers that are none", header + "R;1;;;1;+3;3e1;NaN;;\nR;2;;;2;0x1;;1_0;;\nR;3;;;3;;;Inf;;\n", []stock.Fault{
			{Row: 2, Column: "étage", Message: "field.stock_whole"}, {Row: 2, Column: "pièces", Message: "field.stock_whole"}, {Row: 2, Column: "surface_m2", Message: "field.stock_area"},
			{Row: 3, Column: "étage", Message: "field.stock_whole"}, {Row: 3, Column: "surface_m2", Message: "field.stock_area"}, {Row: 4, Column: "surface_m2", Message: "field.stock_area"}}},
		{"twice", header + "R;1;A;1;1;;;;;\nR;1;A;1;2;;;;;\nR;3;A;1;1;;;;;\n", []stock.Fault{
			{Row: 3, Column: "identifiant", Message: "field.stock_twice"}, {Row: 4, Column: "logement", Message: "field.stock_door_twice"}}},
		{"a formula", header + "R;1;A;1;=1+1;;;;;\n", []stock.Fault{{Row: 2, Column: "logement", Message: "field.stock_formula"}}},
		{"a giant cell", header + "R;1;A;1;" + strings.Repeat("x", 1001) + ";;;;;\n", []stock.Fault{{Row: 2, Column: "logement", Message: "field.stock_long_cell"}}},
		{"a long cell", header + "R;1;" + strings.Repeat("x", 101) + ";1;1;;;;;\n", []stock.Fault{{Row: 2, Column: "bâtiment", Message: "field.stock_long"}}},
		{"a control character", header + "R;1;A;1;x\x07;;;;;\n", []stock.Fault{{Row: 2, Column: "logement", Message: "field.stock_characters"}}},
		{"a cell beside the header", header + "R;1;A;1;1;;;;;;note\n", []stock.Fault{{Row: 2, Column: "K", Message: "field.stock_no_header"}}},
		{"many columns", strings.Repeat("x;", 60) + "x\n", []stock.Fault{{Row: 1, Message: "field.stock_too_many_columns"}}},
		{"too large", strings.Repeat("x", stock.MostBytes+1), []stock.Fault{{Message: "field.stock_too_large"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, tt.file)
			if diff := cmp.Diff(tt.want, got.Faults, cmpopts.IgnoreFields(stock.Fault{}, "Args")); diff != "" || got.FaultCount != len(tt.want) {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// The list of dwellings that is downloaded is read again as it was, though texts in
// it are guarded against spreadsheets.
func TestOwnListIsReadAgain(t *testing.T) {
	type dwelling struct {
		Residence string  `json:"residence"`
		ID        string  `json:"id"`
		Building  string  `json:"building"`
		Label     string  `json:"label"`
		Floor     int     `json:"floor"`
		AreaM2    float64 `json:"area_m2"`
		Version   int64   `json:"version"`
	}
	want := []dwelling{{"R", "1", "Étoile", "+12", -1, 40.5, 1}, {"R", "2", "B;=1", "-3", 0, 62, 2}, {"R", "3", "l'été; @", "'=1", 3, 0, 3}, {"R", "4", "A", "=1+1", 3, 0, 3}}
	file, err := resource.CSV(want)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, string(file))
	if len(got.Faults) > 0 || len(got.Rows) != len(want) {
		t.Fatalf("%d rows, %v of\n%s", len(got.Rows), got.Faults, file)
	}
	for i, w := range want {
		if r := got.Rows[i]; r.ID != w.ID || r.Building != w.Building || r.Label != w.Label || r.Floor != w.Floor || r.AreaM2 != w.AreaM2 {
			t.Errorf("%+v, want %+v", r, w)
		}
	}
}

func TestFaultsAreCounted(t *testing.T) {
	got := read(t, header+strings.Repeat(";;;;;;;;;x\n", 1500))
	if len(got.Faults) != 1000 || got.FaultCount != 6000 {
		t.Errorf("%d faults told of %d", len(got.Faults), got.FaultCount)
	}
	got = read(t, header+strings.Repeat("R;1;;;1;;;;;\n", stock.MostRows+5))
	if last := got.FaultCount; last < stock.MostRows || len(got.Rows) != stock.MostRows {
		t.Errorf("%d rows, %d faults", len(got.Rows), last)
	}
}

// sheet makes a workbook by another program's hand, cell by cell.
func sheet(t testing.TB, cells map[string]any, formulas map[string]string) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	for place, v := range cells {
		if err := book.SetCellValue("Sheet1", place, v); err != nil {
			t.Fatal(err)
		}
	}
	for place, f := range formulas {
		if err := book.SetCellFormula("Sheet1", place, f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := book.NewSheet("Autre"); err != nil {
		t.Fatal(err)
	}
	file, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWorkbook(t *testing.T) {
	cells := map[string]any{"B2": "Résidence", "C2": "Identifiant", "D2": "Logement", "F2": "Surface", "G2": "Étage", "H2": "Chauffage",
		"B4": "R", "C4": "A-1", "D4": 12, "F4": 62.1 + 0.4, "G4": 0, "H4": "gaz",
		"B5": "R", "C5": 1234, "D5": "12 bis", "F5": "41,25", "G5": "RDC"}
	got := stock.Read(sheet(t, cells, nil), nil)
	want := []stock.Row{{Line: 4, Residence: "R", ID: "A-1", Label: "12", AreaM2: 62.5, Heating: "gas", HotWater: "unknown"},
		{Line: 5, Residence: "R", ID: "1234", Label: "12 bis", AreaM2: 41.25, Heating: "unknown", HotWater: "unknown"}}
	if diff := cmp.Diff(want, got.Rows); diff != "" || got.FaultCount != 0 {
		t.Errorf("rows (-want +got):\n%s\nfaults %v", diff, got.Faults)
	}
	if got.Has("rooms") || !got.Has("floor") {
		t.Error("columns are mistaken")
	}
	got = stock.Read(sheet(t, cells, map[string]string{"D5": "CONCATENATE(\"1\",\"2\")"}), nil)
	if len(got.Faults) != 1 || got.Faults[0].Row != 5 || got.Faults[0].Column != "Logement" || got.Faults[0].Message != "field.stock_formula" {
		t.Errorf("a formula cell: %v", got.Faults)
	}
	if got := stock.Read(sheet(t, nil, nil), nil); len(got.Faults) != 1 || got.Faults[0].Message != "field.stock_empty" {
		t.Errorf("an empty sheet: %v", got.Faults)
	}
}

// archive makes a workbook part by part.
func archive(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for name, text := range parts {
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func bookOf(sheet string) map[string]string {
	return map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="x"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="t/worksheet" Target="/xl/s.xml"/><Relationship Id="r2" Type="t/sharedStrings" Target="t.xml"/></Relationships>`,
		"xl/t.xml":                   `<sst><si><t>résidence</t></si><si><r><t>identi</t></r><r><t>fiant</t></r><rPh><t>no</t></rPh></si><si><t>logement</t></si></sst>`,
		"xl/s.xml":                   sheet,
	}
}

const sheetHead = `<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c></row>`

func TestHostileWorkbooks(t *testing.T) {
	row := `<row><c t="str"><v>R</v></c><c t="inlineStr"><is><t>A-1</t></is></c><c><v>7</v></c></row>`
	good := bookOf(sheetHead + row + `</sheetData></worksheet>`)
	if got := stock.Read(archive(t, good), nil); len(got.Rows) != 1 || got.Rows[0].ID != "A-1" || got.Rows[0].Label != "7" {
		t.Fatalf("the good one: %+v", got)
	}
	with := func(part, text string) map[string]string { m := bookOf(good["xl/s.xml"]); m[part] = text; return m }
	without := func(part string) map[string]string { m := bookOf(good["xl/s.xml"]); delete(m, part); return m }
	many := map[string]string{}
	for i := range 2500 {
		many[fmt.Sprint("x", i)] = ""
	}
	for _, tt := range []struct {
		name  string
		parts map[string]string
		want  string
	}{
		{"a bomb of spaces", with("xl/s.xml", sheetHead+strings.Repeat(" ", 130<<20)), "field.stock_bomb"},
		{"a bomb of texts", with("xl/t.xml", "<sst>"+strings.Repeat("<si><t>x</t></si>", 3<<20)), "field.stock_bomb"},
		{"a bomb of sheets", with("xl/workbook.xml", "<workbook>"+strings.Repeat(" ", 5<<20)+"</workbook>"), "field.stock_bomb"},
		{"no workbook", without("xl/workbook.xml"), "field.stock_broken"},
		{"no sheet", without("xl/s.xml"), "field.stock_broken"},
		{"no texts", without("xl/t.xml"), "field.stock_broken"},
		{"no relations", without("xl/_rels/workbook.xml.rels"), "field.stock_broken"},
		{"no sheets", with("xl/workbook.xml", "<workbook/>"), "field.stock_broken"},
		{"cut off", with("xl/s.xml", sheetHead), "field.stock_broken"},
		{"a text that is not there", with("xl/s.xml", sheetHead+`<row><c t="s"><v>99</v></c></row></sheetData></worksheet>`), "field.stock_broken"},
		{"a text before the first", with("xl/s.xml", sheetHead+`<row><c t="s"><v>-1</v></c></row></sheetData></worksheet>`), "field.stock_broken"},
		{"rows out of order", with("xl/s.xml", sheetHead+`<row r="9"></row><row r="3"></row></sheetData></worksheet>`), "field.stock_broken"},
		{"a far row", with("xl/s.xml", sheetHead+`<row r="99999999999999999999"></row></sheetData></worksheet>`), "field.stock_broken"},
		{"a far column", with("xl/s.xml", sheetHead+`<row><c r="ZZZZZZZZ9"><v>1</v></c></row></sheetData></worksheet>`), "field.stock_too_many_columns"},
		{"deep elements", with("xl/s.xml", sheetHead+strings.Repeat("<a>", 100)), "field.stock_broken"},
		{"an entity", with("xl/s.xml", `<!DOCTYPE x [<!ENTITY e "boom">]>`+sheetHead+`<row><c t="str"><v>&e;</v></c></row></sheetData></worksheet>`), "field.stock_broken"},
		{"many parts", many, "field.stock_broken"},
		{"a giant cell", with("xl/s.xml", sheetHead+`<row><c t="str"><v>`+strings.Repeat("x", 50<<20)+`</v></c></row></sheetData></worksheet>`), "field.stock_long_cell"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			got := stock.Read(archive(t, tt.parts), nil)
			if got.FaultCount == 0 || got.Faults[0].Message != tt.want {
				t.Errorf("faults = %v, want %s", got.Faults, tt.want)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Whatever is read, the answer is rows within their bounds or faults, never a
// panic; a text that is read again as the rows say gives the same rows.
func checkTable(t *testing.T, got stock.Table) {
	t.Helper()
	if got.FaultCount == 0 && len(got.Rows) == 0 || got.FaultCount < len(got.Faults) {
		t.Fatalf("no rows and no fault: %+v", got)
	}
	if got.FaultCount > 0 {
		return
	}
	ids := map[string]bool{}
	for _, r := range got.Rows {
		if r.ID == "" || r.Residence == "" || r.Label == "" || len(r.ID) > 64 || ids[r.ID] ||
			r.Floor < -10 || r.Floor > 200 || r.Rooms < 0 || r.Rooms > 50 || !(r.AreaM2 >= 0 && r.AreaM2 <= 2000) || r.Heating == "" || r.HotWater == "" {
			t.Fatalf("row %+v", r)
		}
		ids[r.ID] = true
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte(header + "R;A-12;A;1;12;3;4;62,5;collectif;gaz\n"))
	f.Add([]byte("residence,id,door\nR,1,\"a\nb\"\n"))
	f.Add([]byte("\ufeffsite\tref\tporte\nR\t1\tx\n"))
	f.Add([]byte("r\xe9sidence;identifiant;logement;surface\nR;1;\xe9;1e9\n"))
	f.Add([]byte(header + "R;1;;;=1;;;;;\nR;1;;;1;;;;;\n"))
	f.Fuzz(func(t *testing.T, file []byte) { checkTable(t, stock.Read(file, func(int) {})) })
}

func FuzzSheet(f *testing.F) {
	f.Add(sheetHead + `<row r="2"><c r="A2" t="str"><v>R</v></c><c r="B2" t="inlineStr"><is><t>A-1</t></is></c><c r="C2"><f>1+6</f><v>7</v></c></row></sheetData></worksheet>`)
	f.Add(sheetHead + `<row r="2"><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c><c t="s"><v>2</v></c></row>`)
	f.Add(`<worksheet><sheetData><row r="-1"><c r="Ω1"/></row></sheetData></worksheet>`)
	f.Fuzz(func(t *testing.T, sheet string) { checkTable(t, stock.Read(archive(t, bookOf(sheet)), nil)) })
}
