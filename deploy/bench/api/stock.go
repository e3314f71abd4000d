package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// perResidence is how many dwellings a residence has, as the first customer's.
const perResidence = 600

func residences(dwellings int) int { return (dwellings + perResidence - 1) / perResidence }

func residenceID(n int) string { return fmt.Sprintf("site-%03d", n) }

func dwellingID(n int) string { return fmt.Sprintf("D-%06d", n) }

var headings = []string{"résidence", "identifiant", "bâtiment", "escalier", "logement", "étage", "pièces", "surface_m2", "chauffage", "eau_chaude"}

// line is a dwelling as a landlord's file has it: ten buildings of three
// staircases in a residence.
func line(n int) []any {
	door := n % perResidence
	return []any{residenceID(n / perResidence), dwellingID(n), string(rune('A' + door/60)), strconv.Itoa(1 + door%60/20),
		fmt.Sprintf("%d%02d", door%20/4, door%4+1), door % 20 / 4, 1 + n%5, 25 + float64(n%700)/10, "collectif", "gaz"}
}

// A format is a kind of file.
type format struct {
	name, mediaType string
	write           func(dwellings int) ([]byte, error)
}

var formats = []format{
	{"CSV", "text/csv", asCSV},
	{"XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", asXLSX},
}

// asCSV writes semicolons and decimal commas, as French spreadsheets do.
func asCSV(dwellings int) ([]byte, error) {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Comma = ';'
	if err := w.Write(headings); err != nil {
		return nil, err
	}
	for n := range dwellings {
		var cells []string
		for _, cell := range line(n) {
			written := fmt.Sprint(cell)
			if _, decimal := cell.(float64); decimal {
				written = string(bytes.ReplaceAll([]byte(written), []byte("."), []byte(",")))
			}
			cells = append(cells, written)
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return text.Bytes(), w.Error()
}

// asXLSX lets another program write a workbook with shared texts, as spreadsheets
// do.
func asXLSX(dwellings int) ([]byte, error) {
	book := excelize.NewFile()
	if err := book.SetSheetRow("Sheet1", "A1", &headings); err != nil {
		return nil, err
	}
	for n := range dwellings {
		cells := line(n)
		if err := book.SetSheetRow("Sheet1", "A"+strconv.Itoa(n+2), &cells); err != nil {
			return nil, err
		}
	}
	file, err := book.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return file.Bytes(), book.Close()
}

// writeFile returns the content and the path of a file of dwellings.
func (f format) writeFile(path string, dwellings int) ([]byte, error) {
	content, err := f.write(dwellings)
	if err != nil {
		return nil, fmt.Errorf("%s file: %w", f.name, err)
	}
	return content, os.WriteFile(path, content, 0o600)
}
