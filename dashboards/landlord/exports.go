package landlord

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/xuri/excelize/v2"

	"github.com/xnetroseraie/xnet/api/consumption"
	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/premises"
	"github.com/xnetroseraie/xnet/api/problem"
	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/metering"
)

type exportsView struct {
	frame
	Files []exportView
}

// An exportView is one table with the files that it can be had as.
type exportView struct {
	ID, Name, More string
	Links          []option
}

var exportsPage = overviewPage[exportsView]("exports")

// exports serves GET /suivi/exports: what can be taken away as a file.
func (o *Overview) exports(c echo.Context) error {
	f, err := o.frame(c, exportsPath, "landlord.exports")
	if err != nil {
		return err
	}
	view := exportsView{frame: f}
	if f.HasPlace() {
		for _, one := range []struct{ file, name, more string }{
			{"consommation", "landlord.usage", "landlord.export_usage"},
			{"pertes", "landlord.balance", "landlord.export_balance"},
		} {
			made := exportView{ID: one.file, Name: view.T(one.name), More: view.T(one.more)}
			for _, format := range formats {
				made.Links = append(made.Links, option{ID: f.link(exportsPath + "/" + one.file + "." + format.ending), Name: view.T(format.key)})
			}
			view.Files = append(view.Files, made)
		}
		from, until := programme.FiveYears(f.today)
		view.Files = append(view.Files, exportView{ID: "indicateurs", Name: view.T("landlord.indicators"), More: view.T("landlord.export_indicators"),
			Links: f.indicatorFiles(from, until)})
	}
	return exportsPage.Render(c, http.StatusOK, view)
}

// formats are those that a table can be had as.
var formats = []struct{ ending, key string }{{"pdf", "landlord.as_pdf"}, {"xlsx", "landlord.as_xlsx"}, {"csv", "landlord.as_csv"}}

// Media types of files.
const (
	csvType = "text/csv; charset=utf-8"
	pdfType = "application/pdf"
)

// A fileRow is one line of a file. Numbers have a decimal point, whatever the
// language; they are empty where nothing is told, and Why says why.
type fileRow struct {
	Kind   string `json:"kind"`
	Place  string `json:"place"`
	Month  string `json:"month"`
	Unit   string `json:"unit"`
	First  string `json:"used"`
	Second string `json:"used_per_m2"`
	Third  string `json:"coverage_percent"`
	Why    string `json:"why_not"`
}

// A balanceRow is a line of the file of losses.
type balanceRow struct {
	Kind   string `json:"kind"`
	Place  string `json:"building"`
	Month  string `json:"month"`
	Unit   string `json:"unit"`
	First  string `json:"in"`
	Second string `json:"unaccounted"`
	Third  string `json:"unaccounted_percent"`
	Why    string `json:"verdict"`
}

// A tableFile is rows with their heads, to be written in several formats.
type tableFile struct {
	name, title string
	heads       [8]string
	rows        []fileRow
}

// exportFile serves GET /suivi/exports/consommation.csv and its like.
func (o *Overview) exportFile(c echo.Context) error {
	f, err := o.frame(c, exportsPath, "landlord.exports")
	if err != nil {
		return err
	}
	what, ending, _ := strings.Cut(c.Param("file"), ".")
	makers := map[string]func(echo.Context, frame) (tableFile, error){"consommation": o.usageFile, "pertes": o.balanceFile}
	made, ok := makers[what]
	if !ok || !f.HasPlace() {
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	table, err := made(c, f)
	if err != nil {
		return err
	}
	var file []byte
	kind := csvType
	switch ending {
	case "csv":
		file, err = table.csv()
	case "xlsx":
		kind = premises.XLSX
		file, err = table.xlsx()
	case "pdf":
		kind = pdfType
		file, err = o.tablePDF(f, table)
	default:
		return &problem.Error{Kind: problem.NotFound, Message: "error.not_found"}
	}
	if err != nil {
		return err
	}
	return attach(c, kind, what+"."+ending, file)
}

func (o *Overview) usageFile(c echo.Context, f frame) (tableFile, error) {
	t := tableFile{name: "consommation", title: f.T("landlord.usage"), heads: [8]string{f.T("landlord.head_kind"), f.T("landlord.head_place"), f.T("chart.month"),
		f.T("landlord.head_unit"), f.T("landlord.head_used"), f.T("landlord.head_m2"), f.T("landlord.head_coverage"), f.T("landlord.head_why")}}
	s := f.lastYears()
	for _, level := range []consumption.Level{consumption.OfResidence, consumption.OfBuilding} {
		s.By = level
		all, err := o.Totals.EveryKind(c.Request().Context(), staffOf(c), s, o.Now())
		if err != nil {
			return t, err
		}
		for _, k := range all {
			for _, g := range k.Groups {
				for _, p := range g.Periods {
					t.rows = append(t.rows, usageRow(f, k.Kind, g.Group, p))
				}
			}
		}
	}
	return t, nil
}

func usageRow(f frame, k metering.Kind, g consumption.Group, p consumption.Total) fileRow {
	row := fileRow{Kind: f.T("kind." + string(k)), Place: nameOf(f.Language, g), Month: p.From.MonthOf().String(), Unit: unitOf(k)}
	if p.Quality == metering.Missing {
		row.Why = f.T(silenceKeys[p.Refused])
		return row
	}
	row.First, row.Third = plainly(k, p.Used), fmt.Sprintf("%.1f", 100*p.Coverage)
	if p.PerM2 != nil {
		row.Second = plainly(k, *p.PerM2)
	}
	return row
}

func (o *Overview) balanceFile(c echo.Context, f frame) (tableFile, error) {
	t := tableFile{name: "pertes", title: f.T("landlord.balance"), heads: [8]string{f.T("landlord.head_kind"), f.T("landlord.head_place"), f.T("chart.month"),
		f.T("landlord.head_unit"), f.T("landlord.head_in"), f.T("landlord.head_left"), f.T("landlord.head_percent"), f.T("landlord.head_verdict")}}
	all, err := o.balanceMonths(c, f)
	if err != nil {
		return t, err
	}
	for _, b := range all {
		row := fileRow{Kind: f.T("kind." + string(b.Kind)), Place: nameOf(f.Language, consumption.Group{Level: consumption.OfBuilding, Members: []string{b.Building}}),
			Month: b.From.MonthOf().String(), Unit: unitOf(b.Kind), Why: f.T(noBalanceKeys[b.Refused])}
		if b.Refused == "" {
			row.First, row.Why = plainly(b.Kind, b.Main.Used), f.T(verdictKeys[b.Verdict])
		}
		if b.Left != nil {
			row.Second, row.Third = plainly(b.Kind, *b.Left), fmt.Sprintf("%.1f", *b.Percent)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func unitOf(k metering.Kind) string {
	if k.IndexUnit() == metering.WattHour {
		return "kWh"
	}
	return "m³"
}

// plainly writes an amount in m³ or kWh with a decimal point.
func plainly(k metering.Kind, a metering.Amount) string {
	if k.IndexUnit() == metering.WattHour {
		return fmt.Sprintf("%.3f", float64(a)/1e3)
	}
	return fmt.Sprintf("%.3f", float64(a)/1e6)
}

func (t tableFile) csv() ([]byte, error) {
	if t.name == "pertes" {
		return resource.CSV(resource.Mapped(t.rows, func(r fileRow) balanceRow { return balanceRow(r) }))
	}
	return resource.CSV(t.rows)
}

func (r fileRow) cells() [8]string {
	return [8]string{r.Kind, r.Place, r.Month, r.Unit, r.First, r.Second, r.Third, r.Why}
}

// xlsx writes texts as texts and numbers as numbers, so that no name is taken for a
// formula.
func (t tableFile) xlsx() (file []byte, err error) {
	book := excelize.NewFile()
	const sheet = "Sheet1"
	put := func(column, row int, text string) {
		cell, fault := excelize.CoordinatesToCellName(column+1, row)
		var number float64
		if _, no := fmt.Sscanf(text, "%g", &number); fault == nil && no == nil && row > 1 && column >= 4 && column <= 6 {
			fault = book.SetCellFloat(sheet, cell, number, -1, 64)
		} else if fault == nil {
			fault = book.SetCellStr(sheet, cell, text)
		}
		if err == nil {
			err = fault
		}
	}
	for column, head := range t.heads {
		put(column, 1, head)
	}
	for i, r := range t.rows {
		for column, text := range r.cells() {
			put(column, i+2, text)
		}
	}
	var out bytes.Buffer
	if err == nil {
		err = book.Write(&out)
	}
	if err != nil {
		return nil, fmt.Errorf("write the workbook %s: %w", t.name, err)
	}
	return out.Bytes(), book.Close()
}

// tablePDF writes the table on paper, a section for each kind and place.
func (o *Overview) tablePDF(f frame, t tableFile) ([]byte, error) {
	st := document.Statement{
		Head: document.Head{Language: f.Code(), Sender: o.Printer.Sender, Date: f.Date(f.today, f.today.AddDays(-400)), Title: t.title, Number: f.place.Name},
		Lead: f.T("landlord.ten_homes"), Help: document.Help{Sentence: f.T("programme.paper_help", o.Printer.Advisor), Telephone: o.Printer.Telephone},
	}
	for _, r := range t.rows {
		title := r.Kind + " – " + r.Place
		if n := len(st.Sections); n == 0 || st.Sections[n-1].Title != title {
			section := document.StatementSection{Title: title, Table: document.Table{Columns: []document.Column{{Name: t.heads[2], Wide: 22}, {Name: t.heads[4] + " (" + r.Unit + ")", Wide: 26, Right: true},
				{Name: t.heads[5], Wide: 26, Right: true}, {Name: t.heads[6], Wide: 18, Right: true}, {Name: t.heads[7], Wide: 44}}}}
			st.Sections = append(st.Sections, section)
		}
		last := &st.Sections[len(st.Sections)-1].Table
		last.Rows = append(last.Rows, []string{r.Month, f.Plain(r.First), f.Plain(r.Second), f.Plain(r.Third), r.Why})
	}
	if len(st.Sections) == 0 {
		st.Sections = []document.StatementSection{{Title: t.title, Empty: f.T("landlord.nothing_told"), Table: document.Table{Columns: []document.Column{{Name: t.heads[2], Wide: 40}}}}}
	}
	return document.StatementPages(st)
}
