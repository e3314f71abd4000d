package stock

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// csv reads a file of RFC 4180, with commas, semicolons or tabs, in UTF-8 or, as
// French spreadsheets save it, in Windows-1252.
func (r *reader) csv(file []byte) {
	text, ok := decoded(file)
	if !ok {
		r.table.Fault(0, "", "field.stock_encoding")
		return
	}
	lines := csv.NewReader(strings.NewReader(text))
	lines.Comma = separator(text)
	lines.FieldsPerRecord = -1
	lines.ReuseRecord = true
	var cells []cell
	for !r.stopped {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if fault, ok := errors.AsType[*csv.ParseError](err); ok {
			r.table.Fault(fault.StartLine, "", "field.stock_quotes", strconv.Itoa(fault.Column))
			return
		}
		cells = cells[:0]
		for _, f := range fields {
			cells = append(cells, cell{text: f})
		}
		number, _ := lines.FieldPos(0)
		r.line(number, cells)
	}
}

// decoded returns the file's text, or false where it is in none of the encodings
// that are read.
func decoded(file []byte) (string, bool) {
	if bytes.HasPrefix(file, []byte{0xff, 0xfe}) || bytes.HasPrefix(file, []byte{0xfe, 0xff}) || bytes.IndexByte(file, 0) >= 0 {
		return "", false
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if utf8.Valid(file) {
		return string(file), true
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(file)
	return string(text), err == nil
}

// separator is what stands most often between the words of the first line that
// is not empty.
func separator(text string) rune {
	line := strings.TrimLeft(text, "\r\n")
	line, _, _ = strings.Cut(line, "\n")
	best, most := ';', strings.Count(line, ";")
	for _, other := range []rune{',', '\t'} {
		if n := strings.Count(line, string(other)); n > most {
			best, most = other, n
		}
	}
	return best
}
