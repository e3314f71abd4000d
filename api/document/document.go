// Package document writes what is printed: PDF pages and QR codes. It knows no
// area: it is given texts, in the reader's language, and lays them out.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"rsc.io/qr"
)

// Fonts of a page. They hold every letter of the languages of Europe, names of
// tenants among them, and only what is used goes into a document.
const (
	text = "text"
	bold = "B"
	mono = "mono"
)

// A sheet is an A4 page that is being filled; lengths are millimetres.
type sheet struct{ *fpdf.Fpdf }

const (
	paperWidth  = 210.0
	paperHeight = 297.0
	margin      = 20.0
	pointMM     = 25.4 / 72
)

// newDocument returns an empty document. It bears no date and no name of a
// person: a file's properties are read by more programs than its page.
func newDocument(language, title string) sheet {
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCreationDate(time.Unix(0, 0).UTC())
	f.SetModificationDate(time.Unix(0, 0).UTC())
	f.SetCatalogSort(true)
	f.SetAutoPageBreak(false, 0)
	f.SetLang(language)
	f.SetTitle(printable(title), true)
	// The library writes into the fonts that it is given: each document has its own,
	// else two that are made at once would spoil each other's.
	f.AddUTF8FontFromBytes(text, "", bytes.Clone(goregular.TTF))
	f.AddUTF8FontFromBytes(text, bold, bytes.Clone(gobold.TTF))
	f.AddUTF8FontFromBytes(mono, bold, bytes.Clone(gomonobold.TTF))
	return sheet{f}
}

// bytes returns the finished document.
func (s sheet) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := s.Output(&out); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return out.Bytes(), nil
}

// printable leaves out what the fonts cannot have: control characters, and
// characters beyond the first 65,536, as pictures are.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0xffff || r == 0xfffd {
			return -1
		}
		return r
	}, line)
}

// write sets a paragraph from y on in lines of at most width, and returns where
// the next may begin.
func (s sheet) write(x, y, width, points, leading float64, family, style, paragraph string) float64 {
	s.SetFont(family, style, points)
	step := points * pointMM * leading
	for _, line := range s.SplitText(printable(paragraph), width) {
		y += step
		s.Text(x, y-step*0.25, line)
	}
	return y
}

// fit sets one line, smaller where it would be wider than width.
func (s sheet) fit(x, y, width, points float64, family, style, line string) {
	line = printable(line)
	s.SetFont(family, style, points)
	if w := s.GetStringWidth(line); w > width {
		s.SetFont(family, style, points*width/w)
	}
	s.Text(x, y, line)
}

// ErrQR is a text that is too long for a QR code.
var ErrQR = errors.New("text does not fit into a QR code")

// quietModules is the white border that readers need (ISO/IEC 18004, 6.3.8).
const quietModules = 4

// code draws a QR code of text in a square of side, quiet zone included.
func (s sheet) code(x, y, side float64, content string) error {
	c, err := qr.Encode(content, qr.M)
	if err != nil {
		return fmt.Errorf("%w: %d bytes", ErrQR, len(content))
	}
	module := side / float64(c.Size+2*quietModules)
	for row := range c.Size {
		for column := 0; column < c.Size; column++ {
			run := 0
			for column+run < c.Size && c.Black(column+run, row) {
				run++ // one rectangle for each row of black leaves no hairlines
			}
			if run > 0 {
				s.Rect(x+float64(column+quietModules)*module, y+float64(row+quietModules)*module, float64(run)*module, module, "F")
			}
			column += run
		}
	}
	return nil
}
