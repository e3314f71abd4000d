package programme

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/xnetroseraie/xnet/api/document"
	"github.com/xnetroseraie/xnet/api/resource"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// A Printer says in a language what stands on papers and in files.
type Printer struct {
	Sender    []string // the landlord's name and address; at most 5 lines
	Advisor   string   // whom to call
	Telephone string
	Say       func(language, key string, args ...any) string                    // text of the catalogue
	Number    func(language string, n float64, decimals int) string             // as in "4 800,50"
	Date      func(language string, d civil.Date) string                        // as in "mercredi 31 décembre 2025"
	Door      func(language, label, building, staircase string) (onDoor string) // as in "Logement 12, bâtiment A"
}

// unitTexts are the catalogue's keys of figures with their units.
func unitText(u Unit) string {
	return map[Unit]string{Percent: "programme.unit_percent", Count: "programme.unit_count", Euros: "programme.unit_eur", Days: "programme.unit_days",
		Weeks: "programme.unit_weeks", Cubic: "programme.unit_m3", Hours: "programme.unit_hours"}[u]
}

// oneText is the key of one of a unit; empty where one and many are written alike.
func oneText(u Unit) string {
	return map[Unit]string{Days: "programme.unit_day", Weeks: "programme.unit_week"}[u]
}

// Figure writes a figure with its unit, its sign before both; a dash where there is
// none.
func (p Printer) Figure(language string, u Unit, f *Figure) string {
	if f == nil {
		return "–"
	}
	decimals := 0
	switch {
	case *f%1000 == 0:
	case u == Euros:
		decimals = 2
	default:
		decimals = 1
	}
	sign, n := "", float64(*f)/1000
	if n < 0 {
		sign, n = "−", -n
	}
	key := unitText(u)
	if one := oneText(u); one != "" && (n == 1 || n < 2 && language == "fr") {
		key = one
	}
	return sign + p.Say(language, key, p.Number(language, n, decimals))
}

// Gap writes how far what was declared lies from what was computed, with its sign;
// a dash where one of the two is not known.
func (p Printer) Gap(language string, i Indicator) string {
	text := p.Figure(language, i.Unit, i.Gap)
	if i.Gap != nil && *i.Gap > 0 {
		return "+" + text
	}
	return text
}

// Words are the sentences of texts, joined.
func (p Printer) Words(language string, all []Text) string {
	words := make([]string, len(all))
	for i, t := range all {
		words[i] = p.Say(language, t.Key, t.Args...)
	}
	return strings.Join(words, " ")
}

// A figureRow is an indicator in a file. Figures have a decimal point there,
// whatever the language.
type figureRow struct {
	Key      Key        `json:"key"`
	Name     string     `json:"name"`
	From     civil.Date `json:"from"`
	Until    civil.Date `json:"until"`
	Unit     Unit       `json:"unit"`
	Computed *Figure    `json:"computed"`
	Declared *Figure    `json:"declared"`
	About    bool       `json:"about"`
	Gap      *Figure    `json:"gap"`
	Formula  string     `json:"formula"`
	Source   string     `json:"source"`
	Said     string     `json:"declared_by"`
	Notes    string     `json:"notes"`
}

func (p Printer) rows(language string, all []Indicator) []figureRow {
	rows := make([]figureRow, len(all))
	for n, i := range all {
		rows[n] = figureRow{i.Key, p.Say(language, i.Name), i.From, i.Until, i.Unit, i.Computed, i.Declared, i.About, i.Gap,
			p.Say(language, i.Formula), p.Say(language, i.Source), saidBy(i), p.Words(language, i.Notes)}
	}
	return rows
}

// saidBy names the sources of what was declared.
func saidBy(i Indicator) string {
	var sources []string
	for _, d := range i.Said {
		text := d.Source
		if d.SourceDate != nil {
			text += " (" + d.SourceDate.String() + ")"
		}
		sources = append(sources, text)
	}
	return strings.Join(sources, "; ")
}

// CSV writes indicators with a header, as RFC 4180 has it.
func (p Printer) CSV(language string, all []Indicator) ([]byte, error) {
	return resource.CSV(p.rows(language, all))
}

// XLSX writes indicators as a workbook: figures as numbers, texts as texts, so that
// nothing that somebody typed is taken for a formula.
func (p Printer) XLSX(language string, all []Indicator) (file []byte, err error) {
	book := excelize.NewFile()
	sheet := p.Say(language, "programme.sheet")
	w := workbook{book: book, sheet: sheet}
	w.do(book.SetSheetName("Sheet1", sheet))
	for column, key := range []string{"programme.column_indicator", "programme.column_from", "programme.column_until", "programme.column_unit",
		"programme.column_computed", "programme.column_declared", "programme.column_about", "programme.column_gap", "programme.column_formula",
		"programme.column_source", "programme.column_said", "programme.column_notes"} {
		w.text(column+1, 1, p.Say(language, key))
	}
	for n, i := range all {
		row := n + 2
		w.text(1, row, p.Say(language, i.Name))
		w.text(2, row, i.From.String())
		w.text(3, row, i.Until.String())
		w.text(4, row, p.unitName(language, i.Unit))
		w.number(5, row, i.Computed)
		w.number(6, row, i.Declared)
		if i.About {
			w.text(7, row, p.Say(language, "programme.about"))
		}
		w.number(8, row, i.Gap)
		for column, text := range []string{p.Say(language, i.Formula), p.Say(language, i.Source), saidBy(i), p.Words(language, i.Notes)} {
			w.text(9+column, row, text)
		}
	}
	w.dress()
	if w.err != nil {
		return nil, fmt.Errorf("write the workbook of indicators: %w", w.err)
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		return nil, fmt.Errorf("write the workbook of indicators: %w", err)
	}
	return out.Bytes(), book.Close()
}

// unitName is a unit without a figure.
func (p Printer) unitName(language string, u Unit) string {
	return strings.TrimSpace(p.Say(language, unitText(u), ""))
}

// A workbook is one sheet that is being filled; it keeps the first fault.
type workbook struct {
	book  *excelize.File
	sheet string
	err   error
}

func (w *workbook) do(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *workbook) cell(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row)
	w.do(err)
	return name
}

func (w *workbook) text(column, row int, text string) {
	w.do(w.book.SetCellStr(w.sheet, w.cell(column, row), text))
}

func (w *workbook) number(column, row int, f *Figure) {
	if f != nil {
		w.do(w.book.SetCellFloat(w.sheet, w.cell(column, row), float64(*f)/1000, -1, 64))
	}
}

// dress makes the head stand out and stay, and the columns wide enough.
func (w *workbook) dress() {
	bold, err := w.book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	w.do(err)
	w.do(w.book.SetCellStyle(w.sheet, "A1", "L1", bold))
	w.do(w.book.SetPanes(w.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	for columns, wide := range map[string]float64{"A": 44, "B": 12, "C": 12, "D": 12, "E": 14, "F": 14, "G": 10, "H": 14, "I": 60, "J": 44, "K": 30, "L": 60} {
		w.do(w.book.SetColWidth(w.sheet, columns, columns, wide))
	}
}

// themeText is the catalogue's key of a theme.
func themeText(t Theme) string {
	return map[Theme]string{Equipment: "programme.theme_equipment", Teaching: "programme.theme_training", Money: "programme.theme_money",
		Workshop: "programme.theme_workshop", Homes: "programme.theme_homes", Work: "programme.theme_work"}[t]
}

// onPaper is a printer whose spaces within figures the fonts of papers have.
func (p Printer) onPaper() Printer {
	number := p.Number
	p.Number = func(language string, n float64, decimals int) string {
		return strings.ReplaceAll(number(language, n, decimals), "\u202f", "\u00a0")
	}
	return p
}

// PDF writes indicators on paper: what records tell, what was declared and the gap
// by theme, then how each is counted. The place is a residence's name, or empty for
// all.
func (p Printer) PDF(language, place string, today civil.Date, all []Indicator) ([]byte, error) {
	p = p.onPaper()
	say := func(key string, args ...any) string { return p.Say(language, key, args...) }
	st := document.Statement{
		Head:  document.Head{Language: language, Sender: p.Sender, Date: p.Date(language, today), Title: say("programme.indicators"), Number: place},
		Notes: []string{say("programme.paper_note")}, Help: document.Help{Sentence: say("programme.paper_help", p.Advisor), Telephone: p.Telephone},
	}
	if len(all) > 0 {
		st.Lead = say("programme.paper_period", p.Date(language, all[0].From), p.Date(language, all[0].Until.AddDays(-1)))
	}
	for _, theme := range Themes {
		section := document.StatementSection{Title: say(themeText(theme)), Table: document.Table{Columns: []document.Column{
			{Name: say("programme.column_indicator"), Wide: 46}, {Name: say("programme.column_computed"), Wide: 20, Right: true},
			{Name: say("programme.column_declared"), Wide: 20, Right: true}, {Name: say("programme.column_gap"), Wide: 18, Right: true}}}}
		for _, i := range all {
			if i.Theme == theme {
				section.Table.Rows = append(section.Table.Rows, []string{say(i.Name), p.Figure(language, i.Unit, i.Computed), p.declaredText(language, i),
					p.Gap(language, i)})
			}
		}
		st.Sections = append(st.Sections, section)
	}
	how := document.StatementSection{Title: say("programme.how"), Table: document.Table{Columns: []document.Column{
		{Name: say("programme.column_indicator"), Wide: 32}, {Name: say("programme.column_formula"), Wide: 72}}}}
	for _, i := range all {
		how.Table.Rows = append(how.Table.Rows, []string{say(i.Name), strings.TrimSpace(say(i.Formula) + " " + say(i.Source) + " " + p.Words(language, i.Notes))})
	}
	st.Sections = append(st.Sections, how)
	return document.StatementPages(st)
}

func (p Printer) declaredText(language string, i Indicator) string {
	text := p.Figure(language, i.Unit, i.Declared)
	if i.About {
		return p.Say(language, "programme.about_figure", text)
	}
	return text
}
