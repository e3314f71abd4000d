package document

import (
	"fmt"
	"strings"
)

// A Head is what a sheet of the workshop or of a training begins with. Where it
// names a recipient, the address stands in the window of an envelope, as on an
// [Invitation]; where it names none, the sheet is handed over and begins at the
// top.
type Head struct {
	Language  string   // of all texts of the sheet, as in "fr"
	Sender    []string // at most 5 lines
	Recipient []string // at most 6 lines; none for a sheet that is handed over
	Date      string
	Title     string
	Number    string // of the sheet, below its title; empty for none
}

// A Fact is a line of a sheet: what it is about, and what holds.
type Fact struct{ Name, Text string }

// A Help is whom the reader of a sheet may call.
type Help struct{ Sentence, Telephone string }

const (
	most       = paperWidth - 2*margin // how wide the text of a sheet is
	lowest     = paperHeight - 18      // below it stands the number of the page
	paperType  = 11.5
	tableType  = 10.0
	paperLead  = 1.3
	factColumn = 56.0
	signHigh   = 26.0
)

// A paper is a document that is filled from top to bottom, on as many pages as it
// takes.
type paper struct {
	sheet
	y float64 // where the next line may begin
}

// newPaper returns a document that begins with the head. It fails with
// [ErrTooLong] where that has more lines than its places take.
func newPaper(h Head) (*paper, error) {
	if len(h.Sender) > 5 || len(h.Recipient) > 6 {
		return nil, fmt.Errorf("%w: its head has %d and %d lines", ErrTooLong, len(h.Sender), len(h.Recipient))
	}
	p := &paper{sheet: newDocument(h.Language, h.Title)}
	p.AddPage()
	if len(h.Recipient) > 0 {
		p.head(Invitation{Sender: h.Sender, Recipient: h.Recipient, Date: h.Date})
		p.y = foldAt + 3
	} else {
		p.handed(h)
	}
	p.paragraph(titleType-2, bold, h.Title)
	if h.Number != "" {
		p.paragraph(paperType, "", h.Number)
	}
	p.skip(2)
	return p, nil
}

// handed sets the head of a sheet without a recipient: who it is from and when.
func (p *paper) handed(h Head) {
	step := smallType * pointMM * paperLead
	y := margin
	for _, line := range h.Sender {
		p.fit(margin, y, most*0.55, smallType, text, "", line)
		y += step
	}
	p.SetFont(text, "", smallType)
	date := printable(h.Date)
	p.Text(paperWidth-margin-p.GetStringWidth(date), margin, date)
	p.y = max(y, margin+step) + 4
}

// skip leaves mm free.
func (p *paper) skip(mm float64) { p.y += mm }

// room begins a page where less than mm are left on this one.
func (p *paper) room(mm float64) {
	if p.y+mm > lowest {
		p.AddPage()
		p.y = margin
	}
}

// wrapped breaks a paragraph into lines at plain spaces only, so that a figure
// keeps its unit; what is wider than a line by itself is cut. The font is the one
// that is set.
func (s sheet) wrapped(paragraph string, width float64) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(printable(paragraph), " ") {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line != "" && s.GetStringWidth(longer) > width {
			lines, longer = append(lines, line), word
		}
		for line = longer; s.GetStringWidth(line) > width; {
			at := s.cut(line, width)
			lines, line = append(lines, line[:at]), line[at:]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// cut is how many bytes of a line fit, one letter at least.
func (s sheet) cut(line string, width float64) int {
	last := 0
	for at := range line {
		if last > 0 && s.GetStringWidth(line[:at]) > width {
			return last
		}
		last = at
	}
	if last == 0 {
		return len(line)
	}
	return last
}

// paragraph sets words over the whole width.
func (p *paper) paragraph(points float64, style, words string) {
	p.column(margin, most, points, style, words)
}

// column sets words between x and x+width.
func (p *paper) column(x, width, points float64, style, words string) {
	p.SetFont(text, style, points)
	step := points * pointMM * paperLead
	for _, line := range p.wrapped(words, width) {
		p.room(step)
		p.y += step
		p.Text(x, p.y-step*0.25, line)
	}
}

// heading sets the title of a part, never as the last line of a page.
func (p *paper) heading(words string) {
	p.skip(3)
	p.room(18)
	p.paragraph(paperType+2, bold, words)
	p.skip(0.5)
}

// facts sets names on the left and what holds on the right.
func (p *paper) facts(all []Fact) {
	for _, f := range all {
		p.SetFont(text, "", paperType)
		names := len(p.wrapped(f.Name, factColumn-3))
		p.SetFont(text, bold, paperType)
		high := float64(max(names, len(p.wrapped(f.Text, most-factColumn)))) * paperType * pointMM * paperLead
		p.room(high)
		top := p.y
		p.column(margin, factColumn-3, paperType, "", f.Name)
		p.y = top
		p.column(margin+factColumn, most-factColumn, paperType, bold, f.Text)
		p.y = top + high + 0.6
	}
}

// framed draws a frame around what fill sets, which must fit on one page; high is
// about how high that is.
func (p *paper) framed(high float64, fill func()) {
	p.skip(2)
	p.room(high)
	top, page := p.y, p.PageNo()
	p.skip(2)
	fill()
	if p.PageNo() != page {
		return // a frame over two pages would enclose neither
	}
	p.skip(3)
	p.SetDrawColor(0, 0, 0)
	p.SetLineWidth(0.6)
	p.Rect(margin-4, top, most+8, p.y-top, "D")
	p.skip(2)
}

// signatures sets a box for each who signs, two beside each other, which begin
// and end on one page.
func (p *paper) signatures(names []string) {
	const gap = 6.0
	wide := (most - gap) / 2
	for i := 0; i < len(names); i += 2 {
		p.skip(4)
		p.room(signHigh + 7)
		p.SetDrawColor(90, 90, 90)
		p.SetLineWidth(0.2)
		for j, name := range names[i:min(i+2, len(names))] {
			x := margin + float64(j)*(wide+gap)
			p.fit(x, p.y+4, wide, smallType, text, "", name)
			p.Rect(x, p.y+6, wide, signHigh, "D")
		}
		p.skip(signHigh + 6)
	}
}

// help sets whom to call, large enough to be found.
func (p *paper) help(h Help) {
	if h.Sentence == "" && h.Telephone == "" {
		return
	}
	p.skip(3)
	p.room(16)
	p.paragraph(paperType+0.5, "", h.Sentence)
	p.paragraph(paperType+5, bold, h.Telephone)
}

// finished numbers the pages, where there are several, and returns the document.
func (p *paper) finished() ([]byte, error) {
	count := p.PageCount()
	for page := 1; page <= count && count > 1; page++ {
		p.SetPage(page)
		p.SetFont(text, "", labelType)
		line := fmt.Sprintf("%d/%d", page, count)
		p.Text((paperWidth-p.GetStringWidth(line))/2, paperHeight-9, line)
	}
	return p.bytes()
}
