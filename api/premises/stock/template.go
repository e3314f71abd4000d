package stock

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"strconv"
)

// example is a dwelling that shows how each column is written.
var example = []string{"roseraie", "A-12", "A", "1", "12", "3", "4", "62,5", "collectif", "collectif"}

func headings() []string {
	names := make([]string, len(spellings))
	for i, s := range spellings {
		names[i] = s.french
	}
	return names
}

// TemplateCSV returns a file with the columns and one example, with semicolons
// and a byte order mark, so that a French spreadsheet opens it as it is.
func TemplateCSV() ([]byte, error) {
	text := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(text)
	w.Comma, w.UseCRLF = ';', true
	if err := w.WriteAll([][]string{headings(), example}); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return text.Bytes(), nil
}

// bookParts are the parts of the smallest workbook, besides its sheet.
var bookParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Logements" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
}

// TemplateXLSX returns a workbook with the columns and one example.
func TemplateXLSX() ([]byte, error) {
	return workbook([][]string{headings(), example})
}

// workbook writes rows into the first sheet: numbers as such, the rest as text.
func workbook(rows [][]string) ([]byte, error) {
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for _, part := range bookParts {
		w, err := archive.Create(part.name)
		if err != nil {
			return nil, fmt.Errorf("workbook: %w", err)
		}
		if _, err := w.Write([]byte(xml.Header + part.text)); err != nil {
			return nil, fmt.Errorf("workbook: %w", err)
		}
	}
	w, err := archive.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	if _, err := w.Write(sheetOf(rows)); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("workbook: %w", err)
	}
	return file.Bytes(), nil
}

func sheetOf(rows [][]string) []byte {
	var text bytes.Buffer
	text.WriteString(xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for i, row := range rows {
		fmt.Fprintf(&text, `<row r="%d">`, i+1)
		for j, written := range row {
			place := letterOf(j) + strconv.Itoa(i+1)
			if _, err := strconv.Atoi(written); err == nil {
				fmt.Fprintf(&text, `<c r="%s"><v>%s</v></c>`, place, written)
				continue
			}
			fmt.Fprintf(&text, `<c r="%s" t="inlineStr"><is><t>`, place)
			_ = xml.EscapeText(&text, []byte(written)) // a buffer takes all
			text.WriteString(`</t></is></c>`)
		}
		text.WriteString(`</row>`)
	}
	text.WriteString(`</sheetData></worksheet>`)
	return text.Bytes()
}
