package programme_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/xnetroseraie/xnet/api/programme"
	"github.com/xnetroseraie/xnet/dashboards/web"
	"github.com/xnetroseraie/xnet/internal/civil"
)

// printer speaks as the program does.
func printer() programme.Printer {
	speak := func(code string) web.Language { l, _ := web.ParseLanguage(code); return l }
	return programme.Printer{Sender: []string{"Le Toit"}, Advisor: "Claire Moreau", Telephone: "02 41 00 00 00",
		Say:    func(code, key string, args ...any) string { return speak(code).T(key, args...) },
		Number: func(code string, n float64, decimals int) string { return speak(code).Number(n, decimals) },
		Date:   func(code string, d civil.Date) string { return speak(code).Date(d, civil.Date{}) },
		Door: func(code, label, building, staircase string) string {
			return speak(code).Door(label, building, staircase)
		}}
}

// One indicator of each kind of trouble: below zero, unknown, and a source that
// looks like a formula.
func sample(t *testing.T) []programme.Indicator {
	below, declared := programme.Figure(-8_277_500), programme.Figure(4_800_000)
	gap := declared - below
	from, until := date(t, "2006-01-01"), date(t, "2010-01-01")
	return []programme.Indicator{
		{Key: "net", Theme: programme.Money, Unit: programme.Euros, Name: "programme.net", Formula: "programme.net_formula", Source: "programme.source_ledger",
			From: from, Until: until, Computed: &below, Declared: &declared, About: true, Gap: &gap, Said: []programme.Declared{{Source: "=2+3"}}},
		{Key: "cover", Theme: programme.Money, Unit: programme.Percent, Name: "programme.cover", Formula: "programme.cover_formula", Source: "programme.source_ledger",
			From: from, Until: until, Notes: []programme.Text{{Key: "programme.note_asked", Args: []any{3}}}},
	}
}

func TestExports(t *testing.T) {
	p, all := printer(), sample(t)
	file, err := p.CSV("fr", all)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][5] != "-8277.5" || rows[1][6] != "4800" || rows[1][8] != "13077.5" || rows[1][11] != "'=2+3" || rows[2][5] != "" {
		t.Errorf("CSV: %v, %q", err, rows)
	}
	if file, err = p.XLSX("fr", all); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for cell, want := range map[string]string{"A1": "Indicateur", "A2": "Solde", "D2": "€", "E2": "-8277.5", "F2": "4800", "H2": "13077.5", "K2": "=2+3", "E3": "", "L3": "3 foyers ont répondu."} {
		if got, err := book.GetCellValue("Indicateurs", cell); err != nil || got != want {
			t.Errorf("cell %s: %q, %v, want %q", cell, got, err, want)
		}
	}
	if formula, err := book.GetCellFormula("Indicateurs", "K2"); err != nil || formula != "" {
		t.Errorf("a text became the formula %q, %v", formula, err)
	}
	if file, err = p.PDF("fr", "La Roseraie", date(t, "2026-03-18"), all); err != nil || !bytes.HasPrefix(file, []byte("%PDF")) {
		t.Errorf("PDF: %v", err)
	}
	show(t, "indicators.pdf", file)
}
