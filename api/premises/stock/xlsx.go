package stock

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
)

// Limits of a workbook, which is a ZIP archive of XML (ECMA-376, parts 1 and 2).
// They are counted while unpacking: what an archive says of itself may be wrong.
const (
	mostParts      = 2000
	mostSheetBytes = 128 << 20 // read as a stream
	mostTextBytes  = 32 << 20  // shared texts, which are kept
	mostPartBytes  = 4 << 20   // of what says where things are
	mostDepth      = 32
)

// errBomb is the reason why a part is not read to its end.
var errBomb = errors.New("part unpacks to more than is read")

// xlsx reads the first sheet of a workbook.
func (r *reader) xlsx(file []byte) {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(archive.File) > mostParts {
		r.table.Fault(0, "", "field.stock_broken")
		return
	}
	b := book{parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		b.parts[strings.TrimPrefix(path.Clean("/"+f.Name), "/")] = f
	}
	err = b.read(r)
	switch {
	case errors.Is(err, errBomb):
		r.table.Fault(0, "", "field.stock_bomb")
	case err != nil:
		r.table.Fault(0, "", "field.stock_broken")
	}
}

// A book is an open workbook.
type book struct {
	parts map[string]*zip.File
	texts []string // shared among cells
}

func (b *book) read(r *reader) error {
	sheet, texts, err := b.find()
	if err != nil {
		return err
	}
	if texts != "" {
		if err := b.readTexts(texts); err != nil {
			return err
		}
	}
	return b.part(sheet, mostSheetBytes, func(d *xml.Decoder) error { return b.readSheet(d, r) })
}

// part unpacks one part up to a limit.
func (b *book) part(name string, most int64, read func(*xml.Decoder) error) error {
	f, ok := b.parts[name]
	if !ok {
		return errors.New("part is missing")
	}
	unpacked, err := f.Open()
	if err != nil {
		return err
	}
	bounded := &bound{from: unpacked, left: most}
	err = read(xml.NewDecoder(bounded))
	if bounded.left < 0 {
		err = errBomb
	}
	return errors.Join(err, unpacked.Close())
}

// A bound fails with errBomb where more is read than is left.
type bound struct {
	from io.Reader
	left int64
}

// Read reads on.
func (b *bound) Read(into []byte) (int, error) {
	n, err := b.from.Read(into)
	if b.left -= int64(n); b.left < 0 {
		return 0, errBomb
	}
	return n, err
}

// relations are what a part is related to (ECMA-376, part 2, 9.3).
type relations struct {
	All []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// find returns the names of the first sheet and of the shared texts, which may
// be missing.
func (b *book) find() (sheet, texts string, err error) {
	var workbook struct {
		Sheets []struct {
			ID []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.part("xl/workbook.xml", mostPartBytes, func(d *xml.Decoder) error { return d.Decode(&workbook) }); err != nil {
		return "", "", err
	}
	var related relations
	if err := b.part("xl/_rels/workbook.xml.rels", mostPartBytes, func(d *xml.Decoder) error { return d.Decode(&related) }); err != nil {
		return "", "", err
	}
	if len(workbook.Sheets) == 0 {
		return "", "", errors.New("workbook has no sheet")
	}
	first := ""
	for _, a := range workbook.Sheets[0].ID {
		if a.Name.Local == "id" {
			first = a.Value
		}
	}
	for _, one := range related.All {
		name := path.Join("xl", one.Target)
		if strings.HasPrefix(one.Target, "/") {
			name = strings.TrimPrefix(path.Clean(one.Target), "/")
		}
		switch {
		case one.ID == first:
			sheet = name
		case strings.HasSuffix(one.Type, "/sharedStrings"):
			texts = name
		}
	}
	return sheet, texts, nil
}

// walk calls each for every token, in order, with how deep it stands.
func walk(d *xml.Decoder, each func(t xml.Token) error) error {
	depth := 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if depth != 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth > mostDepth {
				return errors.New("elements stand too deep")
			}
		case xml.EndElement:
			depth--
		}
		if err := each(token); err != nil {
			return err
		}
	}
}

// readTexts reads the shared texts: the runs (t) of each item (si), but not how
// they are pronounced (rPh).
func (b *book) readTexts(name string) error {
	var text strings.Builder
	inText, skipped := false, 0
	return b.part(name, mostTextBytes, func(d *xml.Decoder) error {
		return walk(d, func(t xml.Token) error {
			switch t := t.(type) {
			case xml.StartElement:
				switch t.Name.Local {
				case "si":
					text.Reset()
				case "rPh":
					skipped++
				case "t":
					inText = true
				}
			case xml.EndElement:
				switch t.Name.Local {
				case "si":
					b.texts = append(b.texts, text.String())
				case "rPh":
					skipped--
				case "t":
					inText = false
				}
			case xml.CharData:
				if inText && skipped == 0 {
					text.Write(t)
				}
			}
			return nil
		})
	})
}

// A sheet is what is known while a sheet is read.
type sheet struct {
	book   *book
	reader *reader
	number int // of the row
	at     int // column of the next cell
	cells  []cell
	kind   string // of the cell
	text   []byte
	taking bool // within v or t
	one    cell
}

// errEnough ends the reading of a sheet whose faults are known.
var errEnough = errors.New("enough was read")

func (b *book) readSheet(d *xml.Decoder, r *reader) error {
	s := &sheet{book: b, reader: r}
	err := walk(d, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			return s.start(t)
		case xml.EndElement:
			return s.end(t.Name.Local)
		case xml.CharData:
			if s.taking && len(s.text) <= 4*longestCell {
				s.text = append(s.text, t...)
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (s *sheet) start(t xml.StartElement) error {
	switch t.Name.Local {
	case "row":
		s.number, s.at, s.cells = s.number+1, 0, s.cells[:0]
		if written := attribute(t, "r"); written != "" {
			n, err := strconv.Atoi(written)
			if err != nil || n < s.number || n > 1<<20 {
				return errors.New("rows are out of order")
			}
			s.number = n
		}
	case "c":
		if place := attribute(t, "r"); place != "" {
			s.at = columnAt(place)
		}
		s.kind, s.text, s.one = attribute(t, "t"), s.text[:0], cell{}
	case "f":
		s.one.formula = true
	case "v", "t":
		s.taking = true
	}
	return nil
}

func (s *sheet) end(name string) error {
	switch name {
	case "v", "t":
		s.taking = false
	case "c":
		return s.endCell()
	case "row":
		s.reader.line(s.number, s.cells)
		if s.reader.stopped {
			return errEnough
		}
	}
	return nil
}

func (s *sheet) endCell() error {
	at := s.at
	s.at++
	text, err := s.written()
	if err != nil {
		return err
	}
	s.one.text = text
	if s.one == (cell{}) {
		return nil
	}
	if at < 0 || at >= mostColumns {
		s.reader.table.Fault(s.number, "", "field.stock_too_many_columns")
		return errEnough
	}
	for len(s.cells) <= at {
		s.cells = append(s.cells, cell{})
	}
	s.cells[at] = s.one
	return nil
}

// written is the cell's text as a person sees it, by the cell's type (ECMA-376,
// part 1, 18.18.11).
func (s *sheet) written() (string, error) {
	text := string(s.text)
	switch s.kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || i < 0 || i >= len(s.book.texts) {
			return "", errors.New("a cell shares a text that is not there")
		}
		return s.book.texts[i], nil
	case "", "n":
		return number(text), nil
	case "b":
		return strings.NewReplacer("0", "FAUX", "1", "VRAI").Replace(text), nil
	default: // inlineStr, str, d, and e, whose text is no answer to anything
		return text, nil
	}
}

// number writes a number without the dust of its binary form: 62.499999999999996
// is 62.5.
func number(text string) string {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.Abs(x) > 1e12 {
		return strings.TrimSpace(text)
	}
	return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64)
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// columnAt returns the column of a place such as AB12, from 0, or -1.
func columnAt(place string) int {
	n := 0
	for _, r := range place {
		if r < 'A' || r > 'Z' {
			break
		}
		if n = n*26 + int(r-'A') + 1; n > 1<<14 {
			return -1
		}
	}
	return n - 1
}
